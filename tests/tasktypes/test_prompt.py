"""Written prompts: what is complete, how they compare, and what a release holds of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.conftest import NOW

from preceptor.tasktypes.base import ReleasedJudgment, ReleasedTask, to_json
from preceptor.tasktypes.prompt import PromptType
from preceptor.tasktypes.prompt.models import PromptAnswer, PromptConfig, PromptPayload
from preceptor.tasktypes.writing.likeness import ComparesTexts
from preceptor.tasktypes.writing.turns import Turn, key_of

KIND = PromptType()
CASES: list[dict[str, Any]] = [
    case
    for case in json.loads((Path(__file__).parent / "written_answers.json").read_text())
    if case["kind"] == "prompt"
]
QUESTION = "Why does ice float on water?"
BRIEF = PromptPayload(topic="Heat", brief="A question about heat at home.", examples=["Why is steam hot?"])
CONFIG = PromptConfig()
RUNS = PromptConfig(runs=2, fails_min=1)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
answers = st.builds(
    lambda content, difficulty, tags, verdicts: prompt(content, *verdicts, difficulty=difficulty, tags=tags),
    texts,
    st.sampled_from(["easy", "medium", "hard", ""]),
    st.lists(st.sampled_from(["a", "b", "c"]), max_size=3, unique=True),
    st.lists(st.sampled_from(["fail", "ok", ""]), max_size=3),
)


def prompt(content: str, *verdicts: str, **more: Any) -> PromptAnswer:
    """A prompt with a run for each verdict, all of its wording."""
    messages = [Turn(role="user", content=content)]
    runs = [
        {
            "generation": f"gen_{place}",
            "prompt_key": key_of(messages),
            "text": f"Answer {place}.",
            "verdict": verdict,
            "reason": "It says the opposite." if verdict == "fail" else "",
        }
        for place, verdict in enumerate(verdicts)
    ]
    return PromptAnswer.model_validate({"messages": messages, "runs": runs, **more})


@pytest.mark.parametrize("case", CASES, ids=[case["name"].replace(" ", "-") for case in CASES])
def test_prompts_of_the_table_lack_what_it_says(case: dict[str, Any]) -> None:
    config = PromptConfig.model_validate(case["config"])
    brief, answer = PromptPayload.model_validate(case["payload"]), PromptAnswer.model_validate(case["answer"])
    assert [problem.message for problem in KIND.check(brief, answer, config)] == case["problems"]


def test_a_brief_says_what_to_write() -> None:
    with pytest.raises(ValidationError, match="a topic or a brief"):
        PromptPayload(examples=["x"])


@pytest.mark.parametrize(
    "settings",
    [
        {"runs": 1, "fails_min": 2},
        {"warn_likeness": 0.9, "refuse_likeness": 0.5},
        {"difficulties": ["hard", "hard"]},
        {"tags_min": 1, "free_tags": False},
        {"words_min": 5, "words_max": 4},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PromptConfig.model_validate(settings)


def test_prompts_that_exist_already_are_seen_by_nobody() -> None:
    brief = BRIEF.model_copy(update={"existing": ["Why is ice cold?"]})
    assert "existing" not in KIND.present(brief, [])
    assert isinstance(KIND, ComparesTexts)
    assert list(KIND.known_texts(brief)) == ["Why is steam hot?", "Why is ice cold?"]


# --- Models


def test_models_are_named_in_the_order_of_the_project_as_many_as_are_run() -> None:
    two = PromptConfig(runs=2, models=2)
    places = [KIND.model_place(name, "", [], BRIEF, two) for name in ("A", "B", "C", "", "AB")]
    assert places == [0, 1, None, None, None]
    assert KIND.model_place("A", "", [], BRIEF, CONFIG) is None


def test_runs_that_count_were_asked_with_the_prompt_that_is_submitted() -> None:
    answer = prompt(QUESTION, "fail", "ok")
    older = answer.runs[0].model_copy(update={"prompt_key": "0-0", "generation": "gen_old"})
    asked = KIND.asked_of(BRIEF, answer.model_copy(update={"runs": [older, *answer.runs]}), RUNS)
    assert asked == {f"gen_{n}": ("A", "", [{"role": "user", "content": QUESTION}]) for n in range(2)}


def test_whether_models_fail_is_the_label() -> None:
    labels = KIND.labels(BRIEF, prompt(QUESTION, "fail", "ok"), RUNS)
    assert labels == {"model fails": "yes"}
    assert KIND.labels(BRIEF, prompt(QUESTION, "fail", "ok"), PromptConfig(runs=2)) == {"model fails": "no"}
    assert KIND.labels(BRIEF, prompt(QUESTION, "", ""), RUNS) == {}
    assert KIND.unit_labels(BRIEF, RUNS) == {"model fails": ("yes", "no")}
    assert KIND.unit_labels(BRIEF, CONFIG) == {}


# --- Agreement


@given(answers, answers)
def test_distances_are_symmetric_in_range_and_zero_for_the_same(a: PromptAnswer, b: PromptAnswer) -> None:
    there = KIND.distance(BRIEF, a, b, RUNS)
    assert there == KIND.distance(BRIEF, b, a, RUNS)
    assert there.keys() <= KIND.aspects(RUNS).keys()
    assert all(0 <= value <= 1 for value in there.values())
    assert all(value == 0 for value in KIND.distance(BRIEF, a, a, RUNS).values())


@given(answers)
def test_answers_survive_json_and_every_draft_can_be_checked(answer: PromptAnswer) -> None:
    assert PromptAnswer.model_validate(to_json(answer)) == answer
    KIND.check(BRIEF, answer, RUNS)
    KIND.in_words(BRIEF, answer, RUNS)


def test_a_score_compares_claims_and_outcomes_but_no_wording() -> None:
    known = prompt("Something else entirely?", "fail", "fail", difficulty="hard", tags=["heat"])
    same = prompt(QUESTION, "fail", "ok", difficulty="hard", tags=["heat"])
    assert KIND.score(BRIEF, same, known, RUNS).value == 1
    other = KIND.score(BRIEF, prompt(QUESTION, "ok", "ok", difficulty="easy", tags=["ice"]), known, RUNS)
    assert other.value == 0
    assert "Claimed difficulty: hard was expected." in other.reasons
    with pytest.raises(ValueError, match="nothing that prompts are compared by"):
        KIND.score(BRIEF, same, prompt("x"), PromptConfig(difficulties=[], free_tags=False))


# --- Release


def judgment(answer: PromptAnswer, number: int = 1, counted: bool = True) -> ReleasedJudgment[PromptAnswer]:
    return ReleasedJudgment(f"sub_{number}", f"person{number}", answer, 60.0, "approved", counted, 1, NOW)


def rows_of(task: Any, judgments: list[Any], config: PromptConfig = RUNS) -> Any:
    answers = [each.answer for each in judgments if each.counted]
    return KIND.rows(task, judgments, KIND.consensus(task.payload, answers, config), config)


def test_every_prompt_that_counts_is_a_row_and_every_judged_run_another() -> None:
    task: ReleasedTask[PromptPayload, PromptAnswer] = ReleasedTask("tsk_1", "one", BRIEF)
    judgments = [
        judgment(prompt(QUESTION, "fail", "ok", ""), 1),
        judgment(prompt("Why is snow white?"), 2),
        judgment(prompt("Refused", "fail"), 3, counted=False),
    ]
    rows = rows_of(task, judgments)
    assert [row["prompt"][0]["content"] for row in rows.tables["prompt_only"]] == [QUESTION, "Why is snow white?"]
    first, second = rows.tables["prompt_only"]
    assert (first["model_fails"], first["runs"], first["runs_failed"], first["topic"]) == (True, 2, 1, "Heat")
    assert second["model_fails"] is None
    unpaired = rows.tables["unpaired"]
    assert [(row["label"], row["completion"][0]["content"]) for row in unpaired] == [
        (False, "Answer 0."),
        (True, "Answer 1."),
    ]
    assert len(rows.judgments) == 3


def test_a_known_prompt_stands_alone_and_an_imported_one_where_nobody_wrote() -> None:
    task: ReleasedTask[PromptPayload, PromptAnswer]
    task = ReleasedTask("tsk_1", "one", BRIEF, known_answer=prompt("Known?"), gold=True)
    [row] = rows_of(task, [judgment(prompt(QUESTION))]).tables["prompt_only"]
    assert (row["label_source"], row["prompt"][0]["content"]) == ("gold", "Known?")
    task = ReleasedTask("tsk_1", "one", BRIEF, imported_answer=prompt("Came along?"))
    assert rows_of(task, []).tables["prompt_only"][0]["label_source"] == "imported"


def test_rows_have_exactly_the_columns_of_their_schemas() -> None:
    rows = rows_of(ReleasedTask("tsk_1", "one", BRIEF), [judgment(prompt(QUESTION, "fail"))])
    assert set(rows.judgments[0]) == set(KIND.judgment_schema.names)
    for name, table in KIND.tables.items():
        assert rows.tables[name]
        assert all(set(row) == set(table.schema.names) for row in rows.tables[name])


def test_released_judgments_can_be_imported_again() -> None:
    brief = PromptPayload.model_validate(
        {
            **to_json(BRIEF),
            "difficulty": "hard",
            "constraints": ["short"],
            "rules": [{"kind": "no_first_person"}],
            "must_fail": True,
            "fails_because": "Intuition.",
            "existing": ["Why is ice cold?"],
        }
    )
    answer = prompt(QUESTION, "fail", difficulty="easy", tags=["a"], constraints_met=[0], reference="Density.")
    row = rows_of(ReleasedTask("tsk_1", "one", brief), [judgment(answer)]).judgments[0]
    named = {target: [name for name in names if name in row] for target, names in KIND.importer.targets.items()}
    found = {target: names[0] for target, names in named.items() if names}
    columns = KIND.importer.settle(found, {name: name for name in row})
    back = KIND.importer.convert(row, columns)
    assert (back.payload, back.imported_answer) == (brief, answer)


@pytest.mark.parametrize("template", KIND.templates(), ids=lambda template: template.key)
def test_templates_hold_settings_guidelines_and_tasks(template: Any) -> None:
    PromptConfig.model_validate(template.config)
    assert template.guidelines.startswith("# ")
    assert template.rubric
    assert all(KIND.excerpt(PromptPayload.model_validate(example)) for example in template.examples)
