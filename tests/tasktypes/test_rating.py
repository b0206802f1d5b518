"""Ratings: completeness, weighted scores, distances, labels, medians, and rows of a release."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.kind_world import columns_of

from preceptor.tasktypes.base import ReleasedJudgment, ReleasedTask, UnknownLabel, to_json
from preceptor.tasktypes.rating import RatingType
from preceptor.tasktypes.rating.agreement import weighted_score
from preceptor.tasktypes.rating.models import Criterion, Mark, RatingAnswer, RatingConfig, RatingPayload

KIND = RatingType()
LIKERT = Criterion(key="right", title="Right", weight=3)
CHECK = Criterion(key="false", title="False", kind="check", weight=-2, evidence="required_if_yes")
SCALE = Criterion(key="form", title="Form", kind="scale", weight=1, allow_na=True, evidence="none", comment="none")
CONFIG = RatingConfig(criteria=[LIKERT, CHECK, SCALE])
TEXT = "Sea water is salt 🌊 because rivers carry minerals."
PAYLOAD = RatingPayload.model_validate(
    {
        "prompt": [{"role": "user", "content": "Why is the sea salt?"}],
        "responses": [
            {"id": "r1", "messages": [{"role": "assistant", "content": TEXT}], "source": "model-x"},
            {"id": "r2", "messages": [{"role": "assistant", "content": "Fish."}]},
        ],
        "reference": "Weathering.",
    }
)


def rated(**values: dict[str, int | None]) -> RatingAnswer:
    """Scores by response: None is "not applicable"."""
    return RatingAnswer(
        scores={
            name: {key: Mark(na=True) if value is None else Mark(value=value) for key, value in given.items()}
            for name, given in values.items()
        }
    )


FULL = rated(r1={"right": 5, "false": 0, "form": 80}, r2={"right": 1, "false": 0, "form": None})


def messages(answer: RatingAnswer, config: RatingConfig = CONFIG) -> list[str]:
    return [problem.message for problem in KIND.check(PAYLOAD, answer, config)]


def with_mark(mark: Mark) -> RatingAnswer:
    return FULL.model_copy(update={"scores": {**FULL.scores, "r1": {**FULL.scores["r1"], "false": mark}}})


# --- Completeness


def test_a_full_rating_has_no_problems() -> None:
    assert messages(FULL) == []


def test_every_required_criterion_of_every_response_is_asked_for() -> None:
    assert messages(RatingAnswer()) == [
        f"Not scored yet: “{criterion.title}” of {name}." for name in ("r1", "r2") for criterion in CONFIG.criteria
    ]


def test_a_check_that_is_met_needs_a_quote_and_one_that_is_not_needs_none() -> None:
    assert messages(with_mark(Mark(value=1))) == ["Quote what supports your score: “False” of r1."]
    quote = {"where": "r1", "start": 0, "end": 3, "text": "Sea"}
    assert messages(with_mark(Mark.model_validate({"value": 1, "quotes": [quote]}))) == []


@pytest.mark.parametrize(
    ("quote", "why"),
    [
        ({"where": "r9", "start": 0, "end": 3, "text": "Sea"}, "There is no text 'r9'"),
        ({"where": "r1", "message": 1, "start": 0, "end": 3, "text": "Sea"}, "has no message 1"),
        ({"where": "r1", "start": 0, "end": 999, "text": "Sea"}, "ends after the end"),
        ({"where": "r1", "start": 1, "end": 4, "text": "Sea"}, "do not stand at this place"),
    ],
    ids=["no such text", "no such message", "too long", "other words"],
)
def test_a_quote_must_stand_where_it_says(quote: dict[str, Any], why: str) -> None:
    [message] = messages(with_mark(Mark.model_validate({"value": 1, "quotes": [quote]})))
    assert why in message


def test_offsets_count_characters_and_not_bytes_or_units() -> None:
    at = TEXT.index("because")
    quote = {"where": "r1", "start": at, "end": at + 7, "text": "because"}
    assert messages(with_mark(Mark.model_validate({"value": 1, "quotes": [quote]}))) == []


@pytest.mark.parametrize("where", ["prompt", "reference"])
def test_prompt_and_reference_can_be_quoted_too(where: str) -> None:
    text = {"prompt": "Why", "reference": "Wea"}[where]
    quote = {"where": where, "start": 0, "end": 3, "text": text}
    assert messages(with_mark(Mark.model_validate({"value": 1, "quotes": [quote]}))) == []


def test_values_outside_a_scale_and_not_applicable_where_it_is_not_allowed_are_refused() -> None:
    assert messages(rated(r1={"right": 6, "false": 0, "form": 1}, r2=FULL_R2)) == [
        "“Right” of r1 goes from 1 to 5, not 6."
    ]
    assert messages(rated(r1={"right": None, "false": 0, "form": 1}, r2=FULL_R2)) == [
        "“Right” of r1 cannot be “not applicable”. Score it."
    ]


FULL_R2: dict[str, int | None] = {"right": 1, "false": 0, "form": 1}


def test_unknown_responses_and_criteria_are_named() -> None:
    answer = rated(r1={**FULL_R2, "style": 3}, r2=FULL_R2, r7=FULL_R2)
    assert {problem.path for problem in KIND.check(PAYLOAD, answer, CONFIG)} == {"scores.r7", "scores.r1.style"}


def test_an_overall_score_is_asked_for_where_the_project_wants_it() -> None:
    config = CONFIG.model_copy(update={"overall": "required"})
    assert messages(FULL, config) == ["No overall score yet: r1, r2."]
    assert messages(FULL.model_copy(update={"overall": {"r1": 7, "r2": 8}}), config) == [
        "The overall score goes from 1 to 7, not 8."
    ]


def test_criteria_of_the_task_take_the_place_of_the_projects() -> None:
    payload = PAYLOAD.model_copy(update={"criteria": [CHECK]})
    answer = rated(r1={"false": 0}, r2={"false": 0})
    assert KIND.check(payload, answer, CONFIG) == []
    assert list(KIND.unit_labels(payload, CONFIG)) == ["r1|false", "r2|false"]


# --- Weighted scores


def test_a_weighted_score_is_points_over_the_positive_weights() -> None:
    marks = {"right": Mark(value=5), "false": Mark(value=1), "form": Mark(value=100)}
    assert weighted_score(CONFIG.criteria, marks) == pytest.approx((3 - 2 + 1) / 4)


def test_not_applicable_counts_neither_above_nor_below_the_line() -> None:
    assert weighted_score(CONFIG.criteria, {"right": Mark(value=5), "form": Mark(na=True)}) == 1.0


def test_penalties_alone_start_from_one() -> None:
    assert weighted_score([CHECK], {"false": Mark(value=0)}) == 1.0
    assert weighted_score([CHECK], {"false": Mark(value=1)}) == 0.0


def test_nothing_scored_has_no_score() -> None:
    assert weighted_score(CONFIG.criteria, {}) is None


VALUES = st.fixed_dictionaries(
    {
        "right": st.integers(1, 5),
        "false": st.integers(0, 1),
        "form": st.one_of(st.none(), st.integers(1, 100)),
    }
)
ANSWERS = st.builds(lambda a, b: rated(r1=a, r2=b), VALUES, VALUES)


@settings(deadline=None)
@given(VALUES)
def test_a_weighted_score_lies_between_zero_and_one(values: dict[str, int | None]) -> None:
    score = weighted_score(CONFIG.criteria, rated(r1=values).scores["r1"])
    assert score is not None
    assert 0 <= score <= 1


# --- Agreement


@settings(deadline=None)
@given(ANSWERS, ANSWERS)
def test_distances_are_symmetric_and_zero_only_for_the_same(a: RatingAnswer, b: RatingAnswer) -> None:
    there, back = KIND.distance(PAYLOAD, a, b, CONFIG), KIND.distance(PAYLOAD, b, a, CONFIG)
    assert there == back
    assert set(there) == {"right", "false", "form"}
    assert all(0 <= cost <= 1 for cost in there.values())
    assert (max(there.values()) == 0) == (a == b)


@settings(deadline=None)
@given(ANSWERS, ANSWERS)
def test_a_score_is_one_exactly_for_the_reference_itself(a: RatingAnswer, b: RatingAnswer) -> None:
    score = KIND.score(PAYLOAD, a, b, CONFIG)
    assert (score.value == 1) == (a == b) == (score.reasons == ())


def test_reasons_say_both_values() -> None:
    answer = rated(r1={"right": 2, "false": 0, "form": 80}, r2={"right": 1, "false": 0, "form": None})
    score = KIND.score(PAYLOAD, answer, FULL, CONFIG)
    assert score.reasons == ("r1, Right: you said 2 of 5, the reference says 5 of 5.",)
    assert score.value == pytest.approx(1 - (3 * 0.75) / 12)


def test_a_reference_that_scores_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="scores nothing"):
        KIND.score(PAYLOAD, FULL, RatingAnswer(), CONFIG)


@settings(deadline=None)
@given(ANSWERS)
def test_every_label_is_one_of_its_unit(answer: RatingAnswer) -> None:
    possible = KIND.unit_labels(PAYLOAD, CONFIG)
    for unit, label in KIND.labels(PAYLOAD, answer, CONFIG).items():
        assert label in possible[unit]


def test_a_scale_to_a_hundred_is_labelled_in_bands_of_twenty() -> None:
    assert KIND.unit_labels(PAYLOAD, CONFIG)["r1|form"] == ("1-20", "21-40", "41-60", "61-80", "81-100", "n/a")
    assert KIND.labels(PAYLOAD, FULL, CONFIG)["r1|form"] == "61-80"
    assert KIND.labels(PAYLOAD, FULL, CONFIG)["r2|form"] == "n/a"


def test_the_joint_answer_holds_medians() -> None:
    answers = [rated(r1={"right": value, "false": 0}) for value in (1, 4, 5)]
    joint = KIND.consensus(PAYLOAD, answers, CONFIG)
    assert joint.answer is not None
    assert RatingAnswer.model_validate(joint.answer).scores["r1"]["right"].value == 4
    assert joint.units["r1|right"].tie
    assert joint.units["r1|false"].label == "no"


def test_ratings_are_values_by_criterion_and_response() -> None:
    assert KIND.ratings(FULL) == {
        "right": {"r1": 5.0, "r2": 1.0},
        "false": {"r1": 0.0, "r2": 0.0},
        "form": {"r1": 80.0},
    }
    assert set(KIND.criteria(CONFIG)) == {"right", "false", "form"}


# --- Blinding


def test_responses_are_shown_by_letter_without_sources() -> None:
    shown = RatingPayload.model_validate(KIND.present(PAYLOAD, ["r2", "r1"]))
    assert shown.ids == ("A", "B")
    assert all(response.source is None for response in shown.responses)
    assert shown.reference == PAYLOAD.reference


@settings(deadline=None)
@given(ANSWERS, st.permutations(["r1", "r2"]))
def test_shown_and_stored_names_are_inverse(answer: RatingAnswer, order: list[str]) -> None:
    assert KIND.canonical(KIND.as_shown(answer, order), order) == answer


def test_quotes_follow_their_response() -> None:
    quotes = [{"where": where, "start": 0, "end": 1, "text": text} for where, text in (("A", "F"), ("prompt", "W"))]
    answer = RatingAnswer.model_validate({"scores": {"A": {"right": {"value": 3, "quotes": quotes}}}})
    stored = KIND.canonical(answer, ["r2", "r1"])
    assert [span.where for span in stored.scores["r2"]["right"].quotes] == ["r2", "prompt"]


def test_a_name_that_was_not_shown_is_refused() -> None:
    with pytest.raises(UnknownLabel):
        KIND.canonical(rated(C={"right": 1}), ["r1", "r2"])


# --- Rows


def released(*answers: RatingAnswer, config: RatingConfig = CONFIG, **task: Any) -> Any:
    submissions = [
        ReleasedJudgment(
            submission_id=f"s{at}", person_pseudonym=f"p{at}", answer=answer, seconds=None, state="approved"
        )
        for at, answer in enumerate(answers)
    ]
    known = ReleasedTask(task_id="t1", external_id="x1", payload=PAYLOAD, **task)
    return KIND.rows(known, submissions, KIND.consensus(PAYLOAD, answers, config), config)


def test_a_pair_is_derived_where_weighted_scores_differ_enough() -> None:
    rows = released(FULL)
    [pair] = rows.tables["pairs"]
    assert (pair["chosen_id"], pair["rejected_id"]) == ("r1", "r2")
    assert pair["margin"] == pytest.approx(pair["chosen_score"] - pair["rejected_score"])
    assert rows.undecided == 0


def test_a_difference_below_the_margin_gives_no_pair_and_is_undecided() -> None:
    same = rated(r1={"right": 4, "false": 0}, r2={"right": 4, "false": 0})
    rows = released(same)
    assert rows.tables["pairs"] == ()
    assert rows.undecided == 1


def test_single_labels_follow_the_threshold() -> None:
    labels = {row["response_id"]: row["label"] for row in released(FULL).tables["unpaired"]}
    assert labels == {"r1": True, "r2": False}


def test_scores_of_several_people_are_averaged() -> None:
    rows = released(
        rated(r1={"right": 5, "false": 0}),
        rated(r1={"right": 3, "false": 0}),
    )
    [row] = rows.tables["ratings"]
    assert row["weighted_score"] == pytest.approx(0.75)
    assert row["score_spread"] == pytest.approx(0.25)
    assert row["criteria"][0]["value"] == 4.0


def test_a_known_answer_comes_before_judgments_and_an_imported_one_after() -> None:
    known = rated(r1={"right": 5}, r2={"right": 1})
    other = rated(r1={"right": 1}, r2={"right": 5})
    assert released(other, known_answer=known).tables["pairs"][0]["label_source"] == "gold"
    assert released(imported_answer=known).tables["pairs"][0]["label_source"] == "imported"
    assert released(other, imported_answer=known).tables["pairs"][0]["chosen_id"] == "r2"


@settings(deadline=None)
@given(ANSWERS)
def test_a_judgment_row_reads_back_as_the_same_payload_and_answer(answer: RatingAnswer) -> None:
    [row] = released(answer).judgments
    columns = {**columns_of("rating", row), "imported_answer": "answer"}
    found = KIND.importer.convert(row, columns)
    assert found.payload == PAYLOAD
    assert found.imported_answer == answer


# --- Shapes that people keep


def test_responses_may_be_texts_and_criteria_healthbench_rows() -> None:
    payload = RatingPayload.model_validate(
        {
            "prompt": [{"role": "user", "content": "?"}],
            "responses": ["One.", {"text": "Two.", "model": "m"}, [{"role": "assistant", "content": "Three."}]],
            "criteria": [{"criterion": "Says one", "points": 5, "tags": []}, {"criterion": "Shouts", "points": -3}],
        }
    )
    assert payload.ids == ("r1", "r2", "r3")
    assert payload.responses[1].source == "m"
    assert payload.criteria is not None
    assert [(each.title, each.kind, each.weight) for each in payload.criteria] == [
        ("Says one", "check", 5.0),
        ("Shouts", "check", -3.0),
    ]


@pytest.mark.parametrize("name", ["prompt", "reference", "context"])
def test_a_response_cannot_have_the_name_of_another_text(name: str) -> None:
    with pytest.raises(ValidationError, match="names another text"):
        RatingPayload.model_validate(
            {
                "prompt": [{"role": "user", "content": "?"}],
                "responses": [{"id": name, "messages": [{"role": "assistant", "content": "x"}]}],
            }
        )


def test_anchors_must_be_points_of_the_scale() -> None:
    with pytest.raises(ValidationError, match="are no values"):
        Criterion(key="a", title="A", anchors={"6": "too high"})


@pytest.mark.parametrize("template", KIND.templates(), ids=lambda template: template.key)
def test_templates_hold_valid_settings_and_examples(template: Any) -> None:
    config = RatingConfig.model_validate(template.config)
    for example in template.examples:
        payload = RatingPayload.model_validate(example)
        assert KIND.fits(payload, config) == []
        assert RatingPayload.model_validate(to_json(payload)) == payload
