"""What must hold of every installed task type, whoever wrote it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from preceptor.kit.markdown import render_markdown
from preceptor.projects.settings import Criterion
from preceptor.tasktypes.base import ReleasedJudgment, ReleasedTask, Row, Template, task_types
from preceptor.tasktypes.catalog import describe
from preceptor.tasktypes.working import Working, working
from preceptor.web.config_form import settings_of
from preceptor.web.rendering import render, render_sections

KINDS = sorted(task_types())
TEMPLATES = [(name, template.key) for name in KINDS for template in task_types()[name].templates()]
EXAMPLES = [
    (name, template.key, number)
    for name in KINDS
    for template in task_types()[name].templates()
    for number in range(len(template.examples))
]
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def template_of(name: str, key: str) -> Template:
    return next(each for each in task_types()[name].templates() if each.key == key)


def under(name: str, key: str) -> Working:
    return working(name, template_of(name, key).config)


def example(name: str, key: str, number: int) -> tuple[Working, Row]:
    return under(name, key), template_of(name, key).examples[number]


@pytest.mark.parametrize("name", KINDS)
def test_it_describes_itself_as_json(name: str) -> None:
    told = describe(task_types()[name])
    assert json.loads(json.dumps(told)) == told
    assert told["name"] == name
    assert len(str(told["summary"])) > 20
    assert told["imports"], "an importer names at least one layout"


@pytest.mark.parametrize("name", KINDS)
def test_its_icon_is_among_those_that_the_pages_are_built_with(name: str) -> None:
    listed = Path(__file__).parents[2] / "frontend" / "src" / "icons.json"
    assert task_types()[name].icon in json.loads(listed.read_text())


@pytest.mark.parametrize("name", KINDS)
def test_keys_of_templates_differ(name: str) -> None:
    kind = task_types()[name]
    keys = [template.key for template in kind.templates()]
    assert keys
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(("name", "key"), TEMPLATES)
def test_a_template_is_ready_to_use(name: str, key: str) -> None:
    template = template_of(name, key)
    work = under(name, key)
    assert work.config.model_dump(mode="json")
    assert len(template.guidelines) > 100
    assert render_markdown(template.guidelines)
    for criterion in template.rubric:
        Criterion.model_validate(criterion)
    shown = settings_of(work.kind.config_model, template.config)
    assert len({setting.name for setting in shown}) == len(shown)
    assert work.aspects()


@pytest.mark.parametrize(("name", "key", "number"), EXAMPLES)
def test_an_example_can_be_shown_worked_on_and_released(name: str, key: str, number: int) -> None:
    work, given = example(name, key, number)
    payload = work.payload(given)
    assert work.fits(payload) == []
    order = work.display_order(payload, Random(number))
    shown = work.payload(work.present(payload, order))
    assert json.dumps(render(work.view(shown)))
    assert render_sections(work.material(payload))
    assert isinstance(work.kind.excerpt(payload), str)
    empty = work.answer({})
    # A project may say that "nothing to mark" is an answer.
    assert work.check(shown, empty) or getattr(work.config, "allow_empty", False)
    assert work.canonical(work.as_shown(empty, order), order) == empty
    assert work.labels(payload, empty) == {}
    assert set(work.distance(payload, empty, empty).values()) <= {0.0}
    possible = work.unit_labels(payload)
    assert all(len(set(labels)) == len(labels) for labels in possible.values())
    _releases(work, payload)


def _releases(work: Working, payload: object) -> None:
    task: ReleasedTask[Any, Any] = ReleasedTask("tsk_1", "ext-1", work.payload(payload), topic="a topic")
    judgment = ReleasedJudgment("sub_1", "somebody", work.answer({}), 12.5, "approved", submitted_at=NOW)
    consensus = work.consensus(task.payload, [judgment.answer])
    assert consensus.answers == 1
    rows = work.rows(task, [judgment], consensus)
    pa.Table.from_pylist(list(rows.judgments), schema=work.kind.judgment_schema)
    (row,) = rows.judgments
    assert set(row) == set(work.kind.judgment_schema.names)
    assert {"submission_id", "task_id", "person", "state", "counted"} <= set(row)
    assert set(rows.tables) <= set(work.kind.tables)
    for table, listed in rows.tables.items():
        schema = work.kind.tables[table].schema
        pa.Table.from_pylist(list(listed), schema=schema)
        assert all(set(each) == set(schema.names) for each in listed)


@pytest.mark.parametrize(("name", "key", "number"), EXAMPLES)
def test_an_exported_payload_is_imported_as_the_same_payload(name: str, key: str, number: int) -> None:
    work, given = example(name, key, number)
    importer = work.kind.importer
    row = dict(work.payload(given).model_dump(mode="json", exclude_none=True))
    columns = importer.settle(
        {target: alias for target, aliases in importer.targets.items() for alias in aliases if alias in row},
        {column: column for column in row},
    )
    assert importer.missing(columns) == ()
    found = importer.convert(row, columns).payload
    assert work.kind.present(found, work.display_order(found, Random(1))) == work.kind.present(
        work.payload(given), work.display_order(work.payload(given), Random(1))
    )
