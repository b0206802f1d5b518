"""The manual says what the code does."""

from pathlib import Path

from tests.tasktypes.annotation.making import TYPE

from preceptor.tasktypes.annotation import AnnotationConfig, AnnotationPayload
from preceptor.tasktypes.annotation.manual import BEGIN, END, tag_tables
from preceptor.tasktypes.annotation.reading import plan_of, read
from preceptor.tasktypes.annotation.vocabulary import SPECS, Role
from preceptor.tasktypes.base import task_type

MANUAL = Path(__file__).parents[3] / "docs" / "task-types" / "annotation.md"


def test_the_tables_of_tags_are_in_step_with_the_code() -> None:
    inside = MANUAL.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
    assert inside.strip() == tag_tables().strip()


def test_the_manual_names_every_template() -> None:
    text = MANUAL.read_text(encoding="utf-8")
    assert [template.title for template in TYPE.templates() if f"| {template.title} |" not in text] == []


def test_the_kind_is_installed() -> None:
    assert task_type("annotation").element == "preceptor-annotation"


def test_templates_are_understood_without_a_note_and_their_examples_fit() -> None:
    for template in TYPE.templates():
        config = AnnotationConfig.model_validate(template.config)
        assert read(config.label_config).findings == (), template.key
        for example in template.examples:
            payload = AnnotationPayload.model_validate(example)
            assert TYPE.fits(payload, config) == [], template.key
            assert TYPE.view(payload, config)
            assert TYPE.material(payload, config)


def test_templates_use_every_material_and_almost_every_control() -> None:
    plans = [plan_of(str(template.config["label_config"])) for template in TYPE.templates()]
    used = {planned.spec.name for plan in plans for planned in plan.root.walk()}
    materials = {spec.name for spec in SPECS.values() if spec.role is Role.OBJECT}
    assert materials - used == {"HyperText", "Table"}
