"""Step marks: cutting a response, completeness, agreement, and rows of a release."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.kind_world import columns_of

from preceptor.tasktypes.base import ReleasedJudgment, ReleasedTask, to_json
from preceptor.tasktypes.steps import StepsType
from preceptor.tasktypes.steps.models import StepMark, StepsAnswer, StepsConfig, StepsPayload
from preceptor.tasktypes.steps.splitting import split_response

KIND = StepsType()
ALL = StepsConfig(verdicts=["correct", "neutral", "unsupported", "wrong"])
FIRST = StepsConfig(mode="first_wrong")
PROMPT = [{"role": "user", "content": "What is 3 + 4 · 2?"}]
PAYLOAD = StepsPayload.model_validate(
    {
        "prompt": PROMPT,
        "response": "First, 4 · 2 = 8.\nThen 3 + 8 = 12.\nSo it is 12.",
        "final_answer": "12",
        "sources": [{"id": "book", "title": "Book", "text": "Multiplication comes first."}],
        "response_source": "model-x",
    }
)


def marked(*verdicts: str | None, final: bool | None = True) -> StepsAnswer:
    marks = {at: StepMark.model_validate({"verdict": said}) for at, said in enumerate(verdicts) if said}
    return StepsAnswer(marks=marks, final_correct=final)


def messages(answer: StepsAnswer, config: StepsConfig = ALL) -> list[str]:
    return [problem.message for problem in KIND.check(PAYLOAD, answer, config)]


# --- Cutting


@settings(deadline=None)
@given(st.text(alphabet='ab. \n!?A1$`()[]|#-\\*:;,"“”…。', max_size=200), st.sampled_from(["steps", "sentences"]))
def test_pieces_joined_are_the_text_and_none_is_blank(text: str, cut: Any) -> None:
    pieces = split_response(text, cut)
    assert "".join(pieces) == (text if text.strip() else "")
    assert all(piece.strip() for piece in pieces)


def cut(text: str, how: Any = "sentences") -> list[str]:
    return [piece.strip() for piece in split_response(text, how)]


@pytest.mark.parametrize(
    "sentence",
    [
        "We know, e.g. from Dr. Smith, that it holds.",
        "J. R. Doe wrote it in the U.S. Navy.",
        "See Fig. 3 for the curve.",
        "It costs 3.5 euros.",
        "Let $f(x) = 1. A$ be given.",
        "Call `a. B` twice.",
        "It is known (Doe 1999. Also Roe 2001) to hold.",
        "Go to https://example.org/a.B?c=D now.",
        "1. The first item stands alone.",
        "He said “Stop. Now.” to them.",
    ],
    ids=["e.g.", "initials", "figure", "number", "math", "code", "brackets", "link", "list", "quotation"],
)
def test_a_sentence_is_not_cut_within(sentence: str) -> None:
    assert cut(sentence) == [sentence]
    assert cut(f"{sentence} The next one.")[0] == sentence


def test_sentences_end_where_readers_see_an_end() -> None:
    assert cut("Is it no? No. It is 7! “Yes.” Done… Then more.") == [
        "Is it no?",
        "No.",
        "It is 7!",
        "“Yes.”",
        "Done…",
        "Then more.",
    ]
    assert cut("结束了。好的。") == ["结束了。", "好的。"]


def test_a_line_is_a_step_and_a_line_that_goes_on_is_not() -> None:
    assert cut("First we add\nthe numbers.\nThen we stop. Really.", "steps") == [
        "First we add\nthe numbers.",
        "Then we stop. Really.",
    ]


def test_code_math_and_tables_stay_whole_and_with_the_line_that_leads_to_them() -> None:
    code = "```python\nx = 1. Y\n\nz = 2\n```"
    table = "| a | b. C |\n|---|---|\n| 1 | 2 |"
    math = "$$\nx = 1. Y\n$$"
    for whole in (code, table, math):
        assert cut(f"So we have:\n\n{whole}\nNext. Last.") == [f"So we have:\n\n{whole}", "Next.", "Last."]
        assert cut(f"It ends here.\n\n{whole}\n\nNext.") == ["It ends here.", whole, "Next."]


def test_a_heading_belongs_to_what_follows_and_list_items_are_steps() -> None:
    assert cut("# Plan\n\nWe add.\n- one\n- two", "steps") == ["# Plan\n\nWe add.", "- one", "- two"]


def test_a_response_is_cut_once_and_can_be_put_together_again() -> None:
    assert PAYLOAD.response is None
    assert "".join(PAYLOAD.steps) == "First, 4 · 2 = 8.\nThen 3 + 8 = 12.\nSo it is 12."
    assert PAYLOAD.before(1) == "First, 4 · 2 = 8.\n"
    assert StepsPayload.model_validate(to_json(PAYLOAD)) == PAYLOAD


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"response": "a", "steps": ["a"]}, "not both"),
        ({"response": "  "}, "no step"),
        ({"steps": ["a", " "]}, "blank"),
        ({"steps": ["a"], "sources": [{"id": "prompt", "text": "x"}]}, "names the prompt"),
        ({"steps": ["a"], "sources": [{"id": "s", "text": "x", "url": "javascript:alert(1)"}]}, "web address"),
    ],
    ids=["both", "blank response", "blank step", "source named prompt", "script address"],
)
def test_payloads_that_cannot_be_marked_are_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        StepsPayload.model_validate({"prompt": PROMPT, **given})


# --- Completeness


def test_every_step_and_the_final_answer_are_asked_for() -> None:
    assert messages(marked("correct", None, "wrong", final=None)) == [
        "Step 2 is not marked yet.",
        "Say whether the final answer is right.",
    ]
    assert messages(marked("correct", "wrong", "wrong")) == []


def test_up_to_the_first_wrong_step_nothing_beyond_is_asked_or_taken() -> None:
    assert messages(marked("correct", "wrong"), FIRST) == []
    assert messages(marked("correct", "wrong", "correct"), FIRST) == [
        "Step 3 follows the first wrong step. Remove its mark."
    ]
    assert messages(marked("correct"), FIRST) == ["Step 2 is not marked yet.", "Step 3 is not marked yet."]


def test_a_wrong_step_says_what_the_project_asks() -> None:
    config = FIRST.model_copy(
        update={"category": "required", "correction": "required", "comment": "required", "evidence": "wrong"}
    )
    assert messages(marked("wrong"), config) == [
        "Step 1: choose the kind of error.",
        "Step 1: write how it should read.",
        "Step 1: say what is wrong.",
        "Step 1: quote a source or give a web address.",
    ]
    full = {
        "verdict": "wrong",
        "category": "calculation",
        "correction": "4 · 2 = 8",
        "comment": "No.",
        "quotes": [{"where": "book", "start": 0, "end": 14, "text": "Multiplication"}],
    }
    answer = StepsAnswer.model_validate({"marks": {"0": full}, "final_correct": False})
    assert messages(answer, config) == []


def test_quotes_stand_in_a_source_and_marks_are_the_projects() -> None:
    moved = {"verdict": "correct", "quotes": [{"where": "book", "start": 1, "end": 4, "text": "Mul"}]}
    answer = StepsAnswer.model_validate(
        {"marks": {"0": moved, "1": {"verdict": "unsupported"}, "2": {"verdict": "wrong"}}, "final_correct": True}
    )
    assert messages(answer, StepsConfig()) == [
        "The quoted words do not stand at this place of 'book'. Quote again.",
        "Step 2: this project has no mark “unsupported”. Choose another.",
    ]


def test_a_correction_of_a_right_step_is_refused() -> None:
    answer = StepsAnswer.model_validate(
        {
            "marks": {str(at): {"verdict": "correct", "correction": "x" if at else ""} for at in range(2)},
            "final_correct": True,
        }
    )
    assert "Step 2 has a corrected text that is not asked for. Remove it." in messages(answer)


# --- Agreement

VERDICTS = st.lists(st.sampled_from(["correct", "neutral", "unsupported", "wrong"]), min_size=3, max_size=3)
ANSWERS = st.builds(lambda verdicts, final: marked(*verdicts, final=final), VERDICTS, st.booleans())


@settings(deadline=None)
@given(ANSWERS, ANSWERS)
def test_distances_are_symmetric_and_zero_only_for_the_same(a: StepsAnswer, b: StepsAnswer) -> None:
    there = KIND.distance(PAYLOAD, a, b, ALL)
    assert there == KIND.distance(PAYLOAD, b, a, ALL)
    assert all(0 <= cost <= 1 for cost in there.values())
    assert (max(there.values()) == 0) == (a == b)
    assert (KIND.score(PAYLOAD, a, b, ALL).value == 1) == (a == b)


def test_the_place_of_the_first_error_counts_by_steps_between() -> None:
    none, last, first = marked("correct", "correct", "correct"), marked("correct", "correct", "wrong"), marked("wrong")
    assert KIND.distance(PAYLOAD, none, last, FIRST)["first_wrong"] == pytest.approx(1 / 3)
    assert KIND.distance(PAYLOAD, first, last, FIRST)["first_wrong"] == pytest.approx(2 / 3)
    unsaid = marked("correct")
    assert "first_wrong" not in KIND.distance(PAYLOAD, unsaid, last, FIRST)


def test_a_score_says_where_the_first_error_is() -> None:
    score = KIND.score(PAYLOAD, marked("correct", "correct", "correct"), marked("correct", "wrong", final=False), FIRST)
    assert "The first error is in step 2." in score.reasons
    assert "The final answer is not right." in score.reasons
    assert score.value == pytest.approx((1 / 2 + 1 / 3 + 0) / 3)


def test_a_reference_that_marks_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="marks no step"):
        KIND.score(PAYLOAD, marked("correct"), marked(final=None), ALL)


@settings(deadline=None)
@given(ANSWERS)
def test_every_label_is_one_of_its_unit(answer: StepsAnswer) -> None:
    possible = KIND.unit_labels(PAYLOAD, ALL)
    assert all(label in possible[unit] for unit, label in KIND.labels(PAYLOAD, answer, ALL).items())


def test_the_joint_answer_ends_at_the_first_wrong_step_where_people_stop_there() -> None:
    answers = [marked("correct", "wrong"), marked("correct", "wrong"), marked("correct", "correct", "correct")]
    joint = KIND.consensus(PAYLOAD, answers, FIRST)
    assert joint.answer is not None
    assert KIND.check(PAYLOAD, StepsAnswer.model_validate(joint.answer), FIRST) == []
    assert [mark["verdict"] for mark in joint.answer["marks"].values()] == ["correct", "wrong"]  # type: ignore[union-attr, index, call-overload]


# --- Rows


def released(config: StepsConfig, *answers: StepsAnswer, payload: StepsPayload = PAYLOAD, **task: Any) -> Any:
    submissions = [
        ReleasedJudgment(
            submission_id=f"s{at}", person_pseudonym=f"p{at}", answer=answer, seconds=None, state="approved"
        )
        for at, answer in enumerate(answers)
    ]
    known = ReleasedTask(task_id="t1", external_id="x1", payload=payload, **task)
    return KIND.rows(known, submissions, KIND.consensus(payload, answers, config), config)


def test_a_stepwise_row_ends_with_the_first_error() -> None:
    [row] = released(ALL, marked("neutral", "wrong", "wrong")).tables["stepwise"]
    assert row["prompt"] == "What is 3 + 4 · 2?"
    assert row["completions"] == ["First, 4 · 2 = 8.", "Then 3 + 8 = 12."]
    assert row["labels"] == [True, False]
    assert row["first_wrong"] == 1
    assert not row["complete"]


def test_a_stepwise_row_can_go_on_and_unsupported_is_not_good() -> None:
    config = ALL.model_copy(update={"cut_at_first_error": False, "neutral_is_good": False})
    [row] = released(config, marked("wrong", "unsupported", "neutral")).tables["stepwise"]
    assert row["labels"] == [False, False, False]
    assert row["complete"]


def test_a_stepwise_row_ends_before_a_step_without_a_majority() -> None:
    rows = released(ALL, marked("correct", "wrong", "wrong"), marked("correct", "correct", "wrong"))
    [row] = rows.tables["stepwise"]
    assert row["labels"] == [True]
    assert rows.undecided == 1


def test_a_correction_makes_a_pair_with_a_shared_beginning() -> None:
    fixed = {"marks": {"0": {"verdict": "correct"}, "1": {"verdict": "wrong", "correction": "Then 3 + 8 = 11."}}}
    rows = released(FIRST, StepsAnswer.model_validate({**fixed, "final_correct": False}))
    [pair] = rows.tables["corrections"]
    assert pair["chosen"] == [{"role": "assistant", "content": "First, 4 · 2 = 8.\nThen 3 + 8 = 11."}]
    assert pair["rejected"] == [{"role": "assistant", "content": "First, 4 · 2 = 8.\nThen 3 + 8 = 12."}]
    [chat] = rows.tables["corrected"]
    assert chat["messages"] == [*PROMPT, *pair["chosen"]]


def test_a_correction_that_the_others_call_needless_is_left_out() -> None:
    fixed = StepsAnswer.model_validate(
        {"marks": {"0": {"verdict": "wrong", "correction": "No."}}, "final_correct": True}
    )
    right = marked("correct", "correct", "correct")
    assert released(FIRST, fixed, right, right).tables["corrections"] == ()


def test_a_known_answer_comes_before_judgments() -> None:
    rows = released(FIRST, marked("wrong"), known_answer=marked("correct", "wrong"))
    [row] = rows.tables["stepwise"]
    assert row["labels"] == [True, False]
    assert row["label_source"] == "gold"


@settings(deadline=None)
@given(ANSWERS)
def test_a_judgment_row_reads_back_as_the_same_payload_and_answer(answer: StepsAnswer) -> None:
    [row] = released(ALL, answer).judgments
    found = KIND.importer.convert(row, {**columns_of("steps", row), "imported_answer": "answer"})
    assert found.payload == PAYLOAD
    assert found.imported_answer == answer


def test_contributors_never_see_where_a_response_comes_from() -> None:
    assert "response_source" not in KIND.present(PAYLOAD, [])
    assert "model-x" not in str(KIND.view(StepsPayload.model_validate(KIND.present(PAYLOAD, [])), ALL))


@pytest.mark.parametrize("template", KIND.templates(), ids=lambda template: template.key)
def test_templates_hold_valid_settings_and_examples(template: Any) -> None:
    StepsConfig.model_validate(template.config)
    for example in template.examples:
        payload = StepsPayload.model_validate(example)
        assert StepsPayload.model_validate(to_json(payload)) == payload
