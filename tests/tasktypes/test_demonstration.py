"""Demonstrations: what is complete, how they compare, and what a release holds of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.conftest import NOW

from preceptor.tasktypes.base import ReleasedJudgment, ReleasedTask, Row, to_json
from preceptor.tasktypes.demonstration import DemonstrationType
from preceptor.tasktypes.demonstration.models import DemonstrationAnswer, DemonstrationConfig, DemonstrationPayload
from preceptor.tasktypes.importing import Material

KIND = DemonstrationType()
CASES: list[dict[str, Any]] = [
    case
    for case in json.loads((Path(__file__).parent / "written_answers.json").read_text())
    if case["kind"] == "demonstration"
]
QUESTION = {"role": "user", "content": "Why is the sky blue?"}
DRAFT = "The sky mirrors the sea. Light is scattered."
CONFIG = DemonstrationConfig()
EDIT = DemonstrationConfig(mode="edit")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
answers = st.fixed_dictionaries(
    {
        "text": texts,
        "turns": st.lists(
            st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": texts}), max_size=4
        ),
        "sources": st.lists(st.fixed_dictionaries({"url": texts, "title": texts, "quote": texts}), max_size=3),
        "note": texts,
    }
).map(DemonstrationAnswer.model_validate)
configs = st.sampled_from(
    [DemonstrationConfig(mode=mode, sources_min=1) for mode in ("answer", "conversation", "edit")]
)


def payload(**more: Any) -> DemonstrationPayload:
    return DemonstrationPayload.model_validate({"prompt": [QUESTION], **more})


def written(text: str, **more: Any) -> DemonstrationAnswer:
    return DemonstrationAnswer(text=text, **more)


# --- Completeness


@pytest.mark.parametrize("case", CASES, ids=[case["name"].replace(" ", "-") for case in CASES])
def test_answers_of_the_table_lack_what_it_says(case: dict[str, Any]) -> None:
    config = DemonstrationConfig.model_validate(case["config"])
    shown = DemonstrationPayload.model_validate(case["payload"])
    answer = DemonstrationAnswer.model_validate(case["answer"])
    assert [problem.message for problem in KIND.check(shown, answer, config)] == case["problems"]


def test_a_task_needs_something_to_write_about() -> None:
    with pytest.raises(ValidationError, match="a prompt, a brief or a draft"):
        DemonstrationPayload()
    with pytest.raises(ValidationError, match="without tools"):
        payload(prompt=[QUESTION, {"role": "tool", "content": "42"}])


def test_tasks_that_do_not_fit_the_mode_are_named() -> None:
    assert KIND.fits(payload(), CONFIG) == []
    assert [problem.path for problem in KIND.fits(payload(), EDIT)] == ["draft"]
    brief = DemonstrationPayload(brief="Mould.")
    assert [problem.path for problem in KIND.fits(brief, CONFIG)] == ["prompt"]
    assert KIND.fits(brief, DemonstrationConfig(mode="conversation")) == []


def test_contributors_see_neither_reference_nor_source_of_the_draft() -> None:
    task = payload(draft=DRAFT, draft_source="model-a", reference="Scattering.")
    shown = KIND.present(task, [])
    assert shown.keys() == {"prompt", "brief", "draft"}
    assert "model-a" not in str(KIND.view(DemonstrationPayload.model_validate(shown), EDIT))


@pytest.mark.parametrize(("low", "high"), [("words_min", "words_max"), ("turns_min", "turns_max")])
def test_limits_that_contradict_each_other_are_refused(low: str, high: str) -> None:
    with pytest.raises(ValidationError, match="more than most"):
        DemonstrationConfig.model_validate({low: 9, high: 3})


# --- Agreement


@given(answers, answers, configs)
def test_distances_are_symmetric_in_range_and_zero_for_the_same(
    a: DemonstrationAnswer, b: DemonstrationAnswer, config: DemonstrationConfig
) -> None:
    there, back = KIND.distance(payload(), a, b, config), KIND.distance(payload(), b, a, config)
    assert there == back
    assert there.keys() <= KIND.aspects(config).keys()
    assert all(0 <= value <= 1 for value in there.values())
    assert all(value == 0 for value in KIND.distance(payload(), a, a, config).values())


@given(answers, configs)
def test_answers_survive_json_and_every_draft_can_be_checked(
    answer: DemonstrationAnswer, config: DemonstrationConfig
) -> None:
    assert DemonstrationAnswer.model_validate(to_json(answer)) == answer
    KIND.check(payload(), answer, config)
    KIND.in_words(payload(draft=DRAFT), answer, config)


def test_a_score_counts_rules_and_likeness_and_calls_it_weak() -> None:
    config = DemonstrationConfig.model_validate(
        {"rules": [{"kind": "forbidden_phrases", "phrases": ["sea"]}, {"kind": "no_first_person"}]}
    )
    known = written("Air scatters blue light most.")
    same = KIND.score(payload(), known, known, config)
    assert same.value == 1
    assert "weak evidence" in same.reasons[0]
    other = KIND.score(payload(), written("I think the sea is blue."), known, config)
    assert other.value < 0.4
    assert "Leave out: “sea”." in other.reasons
    with pytest.raises(ValueError, match="holds no text"):
        KIND.score(payload(), known, written(""), config)


def test_there_are_no_labels_and_no_consensus() -> None:
    consensus = KIND.consensus(payload(), [written("a"), written("b")], CONFIG)
    assert (consensus.answers, dict(consensus.units), consensus.answer) == (2, {}, None)
    assert KIND.unit_labels(payload(), CONFIG) == {}


# --- Release


def released(task: DemonstrationPayload, **more: Any) -> ReleasedTask[DemonstrationPayload, DemonstrationAnswer]:
    return ReleasedTask("tsk_1", "one", task, **more)


def judgment(
    answer: DemonstrationAnswer, number: int = 1, state: str = "approved", counted: bool = True
) -> ReleasedJudgment[DemonstrationAnswer]:
    at = NOW.replace(minute=number)
    return ReleasedJudgment(f"sub_{number}", f"person{number}", answer, 60.0, state, counted, 1, at)


def rows_of(task: Any, judgments: list[Any], config: DemonstrationConfig) -> Any:
    answers = [each.answer for each in judgments if each.counted]
    return KIND.rows(task, judgments, KIND.consensus(task.payload, answers, config), config)


def test_the_best_is_approved_and_the_latest() -> None:
    judgments = [
        judgment(written("first"), 1),
        judgment(written("second"), 2),
        judgment(written("waiting"), 3, state="submitted"),
        judgment(written("rejected"), 4, state="rejected", counted=False),
    ]
    rows = rows_of(released(payload()), judgments, CONFIG)
    [row] = rows.tables["sft"]
    assert row["completion"] == [{"role": "assistant", "content": "second"}]
    assert row["messages"] == [*row["prompt"], *row["completion"]]
    assert (row["label_source"], row["person"]) == ("judgments", "person2")
    assert len(rows.judgments) == 4
    every = rows_of(released(payload()), judgments, DemonstrationConfig(release="all"))
    assert len(every.tables["sft"]) == 3


def test_a_known_answer_comes_first_and_an_imported_one_last() -> None:
    imported = released(payload(), imported_answer=written("came along"))
    assert rows_of(imported, [], CONFIG).tables["sft"][0]["label_source"] == "imported"
    assert rows_of(imported, [judgment(written("ours"))], CONFIG).tables["sft"][0]["label_source"] == "judgments"
    known = released(payload(), known_answer=written("known"), gold=True)
    [row] = rows_of(known, [judgment(written("ours"))], CONFIG).tables["sft"]
    assert (row["label_source"], row["completion"][0]["content"]) == ("gold", "known")


def test_a_corrected_draft_is_a_preference_and_its_script_is_kept() -> None:
    task = released(payload(draft=DRAFT, draft_source="model-a"))
    corrected = written("Air scatters blue light most. Light is scattered.")
    rows = rows_of(task, [judgment(corrected)], EDIT)
    [pair] = rows.tables["preference"]
    assert pair["chosen"] == [{"role": "assistant", "content": corrected.text}]
    assert pair["rejected"] == [{"role": "assistant", "content": DRAFT}]
    assert pair["rejected_source"] == "model-a"
    assert 0 < pair["share_changed"] < 1
    [row] = rows.judgments
    assert "".join(edit["text"] for edit in row["edits"] if edit["op"] != "insert") == DRAFT
    assert "".join(edit["text"] for edit in row["edits"] if edit["op"] != "delete") == corrected.text
    assert rows_of(task, [judgment(written(DRAFT))], EDIT).tables["preference"] == ()


def test_a_conversation_is_trained_on_as_a_whole() -> None:
    said = [{"role": "user", "content": "Mould!"}, {"role": "assistant", "content": "Air the room."}]
    answer = DemonstrationAnswer.model_validate({"turns": said})
    config = DemonstrationConfig(mode="conversation")
    [row] = rows_of(released(DemonstrationPayload(brief="Mould.")), [judgment(answer)], config).tables["sft"]
    assert (row["messages"], row["prompt"], row["completion"]) == (said, said[:1], said[1:])


def test_rows_have_exactly_the_columns_of_their_schemas() -> None:
    task = released(payload(draft=DRAFT))
    rows = rows_of(task, [judgment(written("New.", sources=[{"url": "https://a.org", "title": "A"}]))], EDIT)
    assert set(rows.judgments[0]) == set(KIND.judgment_schema.names)
    for name, table in KIND.tables.items():
        assert all(set(row) == set(table.schema.names) for row in rows.tables[name])


def test_released_judgments_can_be_imported_again() -> None:
    task = released(payload(draft=DRAFT, draft_source="model-a", reference="Scattering."))
    answer = written("Air scatters.", sources=[{"url": "https://a.org/b", "title": "A", "quote": "q"}], note="n")
    back = imported(rows_of(task, [judgment(answer)], EDIT).judgments[0])
    assert (back.payload, back.imported_answer) == (task.payload, answer)
    said = [{"role": "user", "content": "Mould!"}, {"role": "assistant", "content": "Air the room."}]
    brief, talk = DemonstrationPayload(brief="Mould."), DemonstrationAnswer.model_validate({"turns": said})
    config = DemonstrationConfig(mode="conversation")
    back = imported(rows_of(released(brief), [judgment(talk)], config).judgments[0])
    assert (back.payload, back.imported_answer) == (brief, talk)


def imported(row: Row) -> Material:
    """A row through the importer, mapped as an import maps it by itself."""
    by_name = {name: name for name in row}
    names = KIND.importer.targets.items()
    found = {
        target: next(a for a in aliases if a in row) for target, aliases in names if any(a in row for a in aliases)
    }
    return KIND.importer.convert(row, KIND.importer.settle(found, by_name))


@pytest.mark.parametrize("template", KIND.templates(), ids=lambda template: template.key)
def test_templates_hold_settings_guidelines_and_tasks_that_fit(template: Any) -> None:
    config = DemonstrationConfig.model_validate(template.config)
    assert template.guidelines.startswith("# ")
    assert template.rubric
    for example in template.examples:
        task = DemonstrationPayload.model_validate(example)
        assert KIND.fits(task, config) == []
        assert KIND.excerpt(task)
