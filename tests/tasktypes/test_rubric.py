"""Rubrics: hints on wording, completeness, agreement, and rows that rating projects import."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kind_world import columns_of

from preceptor.tasktypes.base import ReleasedJudgment, ReleasedTask
from preceptor.tasktypes.rating import RatingType
from preceptor.tasktypes.rating.models import RatingPayload
from preceptor.tasktypes.rubric import RubricType
from preceptor.tasktypes.rubric.lint import hints, similarity
from preceptor.tasktypes.rubric.models import (
    CriterionVerdict,
    RubricAnswer,
    RubricConfig,
    RubricCriterion,
    RubricPayload,
)

KIND = RubricType()
AUTHOR = RubricConfig(criteria_min=2, criteria_max=4)
VALIDATE = RubricConfig(mode="validate")
CASES = json.loads((Path(__file__).parent / "rubric_lint.json").read_text())
PROMPT = [{"role": "user", "content": "My pipe is frozen."}]
VALVE = RubricCriterion(id="c1", statement="Closes the main valve first", points=5)
DRYER = RubricCriterion(
    id="c2", statement="Names a hair dryer as safe", kind="should", points=3, rationale="Slow heat."
)
FLAME = RubricCriterion(id="c3", statement="Recommends an open flame", kind="penalty", points=-8)
PAYLOAD = RubricPayload.model_validate(
    {
        "prompt": PROMPT,
        "responses": [{"id": "a", "messages": [{"role": "assistant", "content": "Wait."}], "source": "m"}],
        "draft": [VALVE.model_dump(), DRYER.model_dump(), FLAME.model_dump()],
    }
)
BARE = RubricPayload.model_validate({"prompt": PROMPT})


def messages(criteria: list[RubricCriterion], config: RubricConfig = AUTHOR) -> list[str]:
    return [problem.message for problem in KIND.check(BARE, RubricAnswer(criteria=criteria), config)]


# --- Hints


@pytest.mark.parametrize("case", CASES, ids=[case["statement"][:40] for case in CASES])
def test_hints_on_wording(case: dict[str, Any]) -> None:
    assert [hint.code for hint in hints(case["statement"], case["others"])] == case["codes"]


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_likeness_is_symmetric_and_one_for_the_same(one: str, other: str) -> None:
    assert similarity(one, other) == similarity(other, one)
    assert 0 <= similarity(one, other) <= 1
    assert similarity(one, one) == 1


# --- Completeness


def test_a_rubric_within_its_limits_has_no_problems() -> None:
    assert messages([VALVE, DRYER, FLAME]) == []


def test_counts_signs_points_and_words_are_checked() -> None:
    assert messages([VALVE]) == ["Write at least 2 criteria; there are 1."]
    assert messages([VALVE, DRYER.model_copy(update={"points": -3})]) == [
        "Criterion 2: give it points above zero, or make it a penalty."
    ]
    assert messages([VALVE, FLAME.model_copy(update={"points": 8})]) == [
        "Criterion 2 is a penalty: give it points below zero."
    ]
    assert messages([VALVE, FLAME.model_copy(update={"points": -11})]) == [
        "Criterion 2 gives or costs at most 10 points."
    ]
    assert messages([VALVE, DRYER.model_copy(update={"statement": "Two words"})]) == [
        "Criterion 2: say what is met or not, in 3 words or more."
    ]


def test_the_same_criterion_twice_is_refused() -> None:
    twin = VALVE.model_copy(update={"id": "c9", "statement": "closes the MAIN valve first."})
    assert messages([VALVE, twin]) == ["Criterion 2 says what another one says. Remove one of them."]


def test_points_can_be_made_to_add_up() -> None:
    config = AUTHOR.model_copy(update={"points_total": 10})
    assert messages([VALVE, DRYER], config) == ["The points must add up to 10; they are 8."]
    assert messages([VALVE, DRYER.model_copy(update={"points": 5}), FLAME], config) == []


def test_hints_keep_a_rubric_back_only_where_the_project_says_so_and_until_they_are_answered() -> None:
    vague = DRYER.model_copy(update={"statement": "Gives appropriate advice"})
    block = AUTHOR.model_copy(update={"hints": "block"})
    assert messages([VALVE, vague]) == []
    assert len(messages([VALVE, vague], block)) == 1
    assert messages([VALVE, vague.model_copy(update={"fine": ["vague"]})], block) == []


def test_an_untouched_draft_is_the_rubric() -> None:
    assert KIND.check(PAYLOAD, RubricAnswer(), AUTHOR) == []


def verdict(decision: str = "keep", **more: Any) -> CriterionVerdict:
    yes = dict.fromkeys(("self_contained", "checkable", "correct", "important"), True)
    return CriterionVerdict.model_validate({**yes, "decision": decision, **more})


def judged(**verdicts: CriterionVerdict) -> RubricAnswer:
    return RubricAnswer(verdicts=verdicts)


def test_every_criterion_gets_four_answers_and_a_decision() -> None:
    assert KIND.check(PAYLOAD, judged(c1=verdict(), c2=verdict(), c3=verdict()), VALIDATE) == []
    [first, second] = KIND.check(PAYLOAD, judged(c1=verdict(), c2=verdict()), VALIDATE)
    assert first.message == "Criterion 3: say whether it is self-contained, checkable, correct, important."
    assert second.message == "Criterion 3: keep, mend or drop it."


def test_to_mend_needs_another_text_and_to_drop_a_reason() -> None:
    given = judged(c1=verdict("mend", proposal=VALVE.statement), c2=verdict("drop"), c3=verdict(proposal="Keep me"))
    assert [problem.path for problem in KIND.check(PAYLOAD, given, VALIDATE)] == [
        "verdicts.c1.proposal",
        "verdicts.c2.comment",
        "verdicts.c3.proposal",
    ]


def test_validators_need_criteria_to_judge() -> None:
    assert KIND.fits(BARE, VALIDATE)
    assert not KIND.fits(BARE, AUTHOR)


# --- Agreement

STATEMENTS = st.lists(
    st.builds(
        lambda words, points: RubricCriterion(id="c1", statement=" ".join(words), points=points),
        st.lists(st.sampled_from(["names", "valve", "dryer", "flame", "first", "never"]), min_size=1, max_size=5),
        st.integers(-10, 10),
    ),
    max_size=4,
).map(lambda found: [each.model_copy(update={"id": f"c{at}"}) for at, each in enumerate(found)])


@settings(deadline=None)
@given(STATEMENTS, STATEMENTS)
def test_distances_of_rubrics_are_symmetric(one: list[RubricCriterion], other: list[RubricCriterion]) -> None:
    a, b = RubricAnswer(criteria=one), RubricAnswer(criteria=other)
    there, back = KIND.distance(BARE, a, b, AUTHOR), KIND.distance(BARE, b, a, AUTHOR)
    assert there["wording"] == pytest.approx(back["wording"])
    assert all(0 <= cost <= 1 for cost in there.values())
    assert KIND.distance(BARE, a, a, AUTHOR)["wording"] == pytest.approx(0)


VERDICTS = st.builds(
    lambda a, b, c: judged(c1=a, c2=b, c3=c),
    *[st.builds(verdict, st.sampled_from(["keep", "mend", "drop"]), checkable=st.booleans(), important=st.booleans())]
    * 3,
)


@settings(deadline=None)
@given(VERDICTS, VERDICTS)
def test_distances_of_verdicts_are_symmetric_and_zero_only_for_the_same(a: RubricAnswer, b: RubricAnswer) -> None:
    there = KIND.distance(PAYLOAD, a, b, VALIDATE)
    assert there == KIND.distance(PAYLOAD, b, a, VALIDATE)
    assert set(there) == set(KIND.aspects(VALIDATE))
    assert (max(there.values()) == 0) == (a == b)
    assert (KIND.score(PAYLOAD, a, b, VALIDATE).value == 1) == (a == b)


def test_a_known_rubric_is_covered_by_points() -> None:
    given = RubricAnswer(criteria=[VALVE.model_copy(update={"statement": "It closes the main valve first"})])
    score = KIND.score(BARE, given, RubricAnswer(criteria=[VALVE, FLAME]), AUTHOR)
    assert score.value == pytest.approx(5 / 13)
    assert score.reasons == ("Nothing close to “Recommends an open flame” (-8 points).",)


def test_the_joint_verdict_has_the_text_that_most_proposals_are_like() -> None:
    texts = ["Closes the main valve", "Closes the main valve at once", "Calls a plumber"]
    answers = [judged(c1=verdict("mend", proposal=text)) for text in texts]
    joint = KIND.consensus(PAYLOAD, answers, VALIDATE)
    assert joint.answer == {
        "verdicts": {
            "c1": {
                "self_contained": True,
                "checkable": True,
                "correct": True,
                "important": True,
                "decision": "mend",
                "proposal": "Closes the main valve",
            }
        }
    }


# --- Rows


def released(payload: RubricPayload, config: RubricConfig, *answers: RubricAnswer) -> Any:
    submissions = [
        ReleasedJudgment(
            submission_id=f"s{at}", person_pseudonym=f"p{at}", answer=answer, seconds=None, state="approved"
        )
        for at, answer in enumerate(answers)
    ]
    task = ReleasedTask[RubricPayload, RubricAnswer](task_id="t1", external_id="x1", payload=payload)
    return KIND.rows(task, submissions, KIND.consensus(payload, answers, config), config)


def test_an_authored_rubric_imports_into_a_rating_project() -> None:
    rows = released(PAYLOAD, AUTHOR, RubricAnswer(criteria=[VALVE, FLAME]))
    [row] = rows.tables["rubrics"]
    payload = RatingType().importer.convert(row, columns_of("rating", row)).payload
    assert isinstance(payload, RatingPayload)
    assert payload.criteria is not None
    assert [(each.key, each.title, each.kind, each.weight) for each in payload.criteria] == [
        ("c1", VALVE.statement, "check", 5.0),
        ("c3", FLAME.statement, "check", -8.0),
    ]
    assert payload.ids == ("a",)


def test_an_authored_rubric_imports_into_a_project_that_validates_it() -> None:
    rows = released(BARE, AUTHOR, RubricAnswer(criteria=[VALVE, DRYER, FLAME]))
    [row] = rows.tables["rubrics"]
    payload = KIND.importer.convert(row, columns_of("rubric", row)).payload
    assert isinstance(payload, RubricPayload)
    assert payload.draft == [VALVE, DRYER, FLAME]


def test_rubrics_have_healthbenchs_form_and_are_read_from_it() -> None:
    [row] = released(PAYLOAD, AUTHOR, RubricAnswer(criteria=[VALVE, FLAME])).tables["rubrics"]
    assert row["rubrics"] == [
        {"criterion": VALVE.statement, "points": 5, "tags": ["kind:must"]},
        {"criterion": FLAME.statement, "points": -8, "tags": ["kind:penalty"]},
    ]
    read = RubricPayload.model_validate({"prompt": PROMPT, "draft": row["rubrics"]})
    assert [(each.statement, each.kind, each.points) for each in read.draft] == [
        (VALVE.statement, "must", 5),
        (FLAME.statement, "penalty", -8),
    ]


def test_what_validators_drop_is_gone_and_what_they_mend_reads_anew() -> None:
    answer = judged(c1=verdict("mend", proposal="Closes the valve"), c2=verdict("drop", comment="Taste."), c3=verdict())
    rows = released(PAYLOAD, VALIDATE, answer, answer)
    [row] = rows.tables["rubrics"]
    assert [each["criterion"] for each in row["rubrics"]] == ["Closes the valve", FLAME.statement]
    shares = {each["criterion_id"]: each for each in rows.tables["criteria"]}
    assert shares["c2"]["drop"] == 1.0
    assert shares["c1"]["mended"] == "Closes the valve"
    assert shares["c3"]["keep"] == shares["c3"]["correct"] == 1.0


def test_a_split_vote_keeps_a_criterion_and_counts_as_undecided() -> None:
    keep, drop = (judged(c1=one, c2=verdict(), c3=verdict()) for one in (verdict(), verdict("drop", comment="Out.")))
    rows = released(PAYLOAD, VALIDATE, keep, drop)
    assert rows.undecided == 1
    assert len(rows.tables["rubrics"][0]["rubrics"]) == 3


@pytest.mark.parametrize(
    ("config", "answer"),
    [(AUTHOR, RubricAnswer(criteria=[FLAME, VALVE])), (VALIDATE, judged(c1=verdict("drop", comment="No.")))],
    ids=["author", "validate"],
)
def test_a_judgment_row_reads_back_as_the_same_payload_and_answer(config: RubricConfig, answer: RubricAnswer) -> None:
    [row] = released(PAYLOAD, config, answer).judgments
    found = KIND.importer.convert(row, {**columns_of("rubric", row), "imported_answer": "answer"})
    assert found.payload == PAYLOAD
    assert found.imported_answer == answer


@pytest.mark.parametrize("template", KIND.templates(), ids=lambda template: template.key)
def test_templates_hold_valid_settings_and_examples(template: Any) -> None:
    config = RubricConfig.model_validate(template.config)
    for example in template.examples:
        assert KIND.fits(RubricPayload.model_validate(example), config) == []
