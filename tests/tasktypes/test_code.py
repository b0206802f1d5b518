"""The code kind: what is complete, how answers compare, and what a release holds."""

from collections.abc import Mapping
from random import Random
from typing import Any

import orjson
import pyarrow as pa
import pytest
from pydantic import ValidationError

from preceptor.sandbox.testing import Case, Compare, Outcome, run_tests
from preceptor.tasktypes.base import Consensus, ReleasedJudgment, ReleasedTask, Row, UnknownLabel, task_type, to_json
from preceptor.tasktypes.code import CodeAnswer, CodeConfig, CodePayload, CodeType
from preceptor.tasktypes.code.marks import f1, matched
from preceptor.tasktypes.code.models import LineMark, Passes
from preceptor.tasktypes.code.release import fenced
from preceptor.tasktypes.code.templates import TEMPLATES
from preceptor.tasktypes.trying import NothingToRun, RunsCode, Tally

KIND = CodeType()
BY_KEY = {template.key: template for template in TEMPLATES}
WHY = "Said in at least twenty characters."
COMPARE, REVIEW, WRITE = (CodeConfig.model_validate(BY_KEY[key].config) for key in ("compare", "review", "write"))
PAIR = CodePayload.model_validate(BY_KEY["compare"].examples[0])
CACHE = CodePayload.model_validate(BY_KEY["review"].examples[0])
MERGE = CodePayload.model_validate(BY_KEY["write"].examples[0])
BETTER = CodeAnswer(
    preferred="p1",
    strength=3,
    causes={"p1": "root", "p2": "symptom"},
    ratings={"correct": {"p1": 7, "p2": 2}, "fits": {"p1": 6, "p2": 3}},
    explanation=WHY,
)


def mark(line: int, end: int = 0, path: str = "cache.py", severity: str = "major") -> LineMark:
    given = {"path": path, "line": line, "line_end": end or line, "severity": severity, "category": "crash"}
    return LineMark.model_validate({**given, "comment": "It fails."})


def paths(payload: CodePayload, answer: CodeAnswer, config: CodeConfig) -> list[str]:
    return [problem.path for problem in KIND.check(payload, answer, config)]


# --- Templates


@pytest.mark.parametrize("key", ["write", "compare", "review"])
def test_a_templates_examples_can_be_worked_on(key: str) -> None:
    template = BY_KEY[key]
    config = CodeConfig.model_validate(template.config)
    for example in template.examples:
        payload = CodePayload.model_validate(example)
        assert KIND.fits(payload, config) == []
        assert CodePayload.model_validate(KIND.present(payload, KIND.display_order(payload, Random(1))))


def test_the_tests_of_the_examples_tell_right_from_wrong() -> None:
    """The patch that mends the cause passes all, the other one only what is seen."""
    plan = KIND.plan(PAIR, CodeAnswer(), COMPARE)
    cases = [
        Case(each.name, each.argv, each.stdin, each.expected, Compare(each.compare), each.files) for each in plan.trials
    ]
    passed = {
        name: [result.outcome is Outcome.PASSED for result in run_tests(plan.language, files, cases)]
        for name, files in plan.subjects.items()
    }
    assert passed == {"p1": [True, True], "p2": [True, False]}


# --- Payloads


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"files": {"../x.py": ""}}, "not a usable path"),
        ({"files": {"a": "", "a/b": ""}}, "a file and a folder"),
        ({"tests": [{"name": "t"}]}, "either `expected` output or a `command`"),
        ({"tests": [{"name": "t", "expected": ""}, {"name": "t", "expected": ""}]}, "same name"),
        ({"patches": [{"id": "tie", "diff": "x"}]}, "meaning of its own"),
        ({"patches": [{"id": "p", "diff": "x"}]}, "patch 'p': This is no unified diff"),
        ({"patches": [{"id": "p", "diff": "--- a/n\n+++ b/n\n@@ -1 +1 @@\n-a\n+b\n"}]}, "a file that is not there"),
        ({"patches": [{"id": "p", "diff": "--- /dev/null\n+++ b/../n\n@@ -0,0 +1 @@\n+b\n"}]}, "not a usable path"),
        ({"unknown": 1}, "Extra inputs"),
    ],
    ids=["path", "folder", "neither", "names", "tie", "no_diff", "no_file", "leads_out", "unknown"],
)
def test_payloads_that_cannot_be_used_are_refused(change: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CodePayload.model_validate({"problem": "P", **change})


def test_a_payload_must_fit_the_mode() -> None:
    assert [problem.path for problem in KIND.fits(MERGE, COMPARE)] == ["patches"]
    assert [problem.path for problem in KIND.fits(PAIR, WRITE)] == ["patches"]
    assert [problem.path for problem in KIND.fits(CodePayload(problem="P"), REVIEW)] == ["files"]
    assert [problem.path for problem in KIND.fits(CodePayload(problem="P"), WRITE)] == ["tests"]


def test_what_is_shown_holds_no_hidden_test_no_source_and_no_id() -> None:
    told = PAIR.model_copy(update={"patches": [each.model_copy(update={"source": "model-x"}) for each in PAIR.patches]})
    shown = KIND.present(told, ["p2", "p1"])
    text = orjson.dumps(shown).decode()
    assert "half off" not in text
    assert "model-x" not in text
    assert '"p1"' not in text
    assert shown["hidden_tests"] == 1
    assert CodePayload.model_validate(shown).patches[0].diff == PAIR.patches[1].diff


def test_names_turn_back() -> None:
    order = ["p2", "p1"]
    shown = KIND.as_shown(BETTER, order)
    assert (shown.preferred, shown.causes) == ("B", {"B": "root", "A": "symptom"})
    assert KIND.canonical(shown, order) == BETTER
    with pytest.raises(UnknownLabel):
        KIND.canonical(CodeAnswer(preferred="C"), order)
    assert KIND.canonical(CodeAnswer(preferred="tie"), order).preferred == "tie"


# --- Completeness


def test_an_empty_answer_lacks_what_the_mode_asks_for() -> None:
    assert paths(MERGE, CodeAnswer(), WRITE) == ["files", "explanation"]
    assert paths(PAIR, CodeAnswer(), COMPARE) == [
        "preferred", "causes", "ratings.correct", "ratings.fits", "explanation",
    ]  # fmt: skip
    assert paths(CACHE, CodeAnswer(), REVIEW) == ["marks", "verdict"]


def test_complete_answers_lack_nothing() -> None:
    assert paths(PAIR, BETTER, COMPARE) == []
    assert paths(MERGE, CodeAnswer(files={"main.py": "pass"}, explanation=WHY), WRITE) == []
    assert paths(CACHE, CodeAnswer(marks=[mark(7)], verdict="change"), REVIEW) == []
    assert paths(CACHE, CodeAnswer(no_defects=True, verdict="approve"), REVIEW) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"preferred": "p9"}, "preferred"),
        ({"preferred": "tie"}, "strength"),
        ({"strength": None}, "strength"),
        ({"strength": 0}, "strength"),
        ({"causes": {"p1": "root"}}, "causes"),
        ({"causes": {"p1": "root", "p3": "root"}}, "causes.p3"),
        ({"ratings": {}}, "ratings.correct"),
        ({"explanation": "short"}, "explanation"),
    ],
    ids=["unknown", "tie", "no_strength", "zero", "one_cause", "third_cause", "unrated", "short"],
)
def test_a_choice_that_lacks_something_says_what(change: dict[str, Any], path: str) -> None:
    answer = CodeAnswer.model_validate({**BETTER.model_dump(), **change})
    assert paths(PAIR, answer, COMPARE)[0] == path


def test_marks_outside_the_file_are_refused() -> None:
    found = paths(CACHE, CodeAnswer(marks=[mark(999), mark(1, path="x.py")], verdict="change"), REVIEW)
    assert found == ["marks.0.line", "marks.1.path"]


def test_starter_code_is_no_answer() -> None:
    assert "files" in paths(MERGE, CodeAnswer(files=dict(MERGE.files), explanation=WHY), WRITE)


# --- Marks


def test_marks_are_the_same_defect_within_the_tolerance_and_each_counts_once() -> None:
    assert len(matched([mark(10)], [mark(11)], 1)) == 1
    assert matched([mark(10)], [mark(12)], 1) == []
    assert len(matched([mark(10), mark(11)], [mark(10, 11)], 1)) == 1
    assert matched([mark(10)], [mark(10, path="other.py")], 1) == []


def test_the_largest_matching_is_found_and_not_the_greedy_one() -> None:
    """Line 10 is near 9 and 11, line 12 only near 11: taking 10-11 first would leave 12 alone."""
    pairs = matched([mark(10), mark(12)], [mark(11), mark(9)], 1)
    assert sorted((a.line, b.line) for a, b in pairs) == [(10, 9), (12, 11)]


def test_f1_is_that_of_found_and_missed() -> None:
    assert f1([mark(1), mark(5)], [mark(1), mark(9), mark(20)], 0) == pytest.approx(2 * 1 / 5)
    assert f1([], [], 1) == 1.0
    assert f1([mark(1)], [], 1) == 0.0


# --- Scores, distances, consensus


def test_writing_is_scored_by_hidden_tests() -> None:
    answer = CodeAnswer(tested={"solution": Passes(passed=3, of=3, hidden_passed=1, hidden_of=4)})
    score = KIND.score(MERGE, answer, CodeAnswer(), WRITE)
    assert (score.value, score.reasons) == (0.25, ("1 of 4 hidden tests passed.",))
    with pytest.raises(ValueError, match="not run"):
        KIND.score(MERGE, CodeAnswer(), CodeAnswer(), WRITE)


def test_comparing_is_scored_by_choice_and_causes() -> None:
    assert KIND.score(PAIR, BETTER, BETTER, COMPARE).value == 1
    tie = BETTER.model_copy(update={"preferred": "tie", "strength": 0})
    assert KIND.score(PAIR, tie, BETTER, COMPARE).value == pytest.approx(1 - 0.5 / 3)
    with pytest.raises(ValueError, match="nothing"):
        KIND.score(PAIR, BETTER, CodeAnswer(), COMPARE)


def test_reviewing_is_scored_by_marks_and_verdict() -> None:
    reference = CodeAnswer(marks=[mark(7), mark(21)], verdict="change")
    score = KIND.score(CACHE, CodeAnswer(marks=[mark(8), mark(30)], verdict="approve"), reference, REVIEW)
    assert score.value == pytest.approx((0.5 + 0) / 2)
    assert any(reason.startswith("Missed cache.py:21") for reason in score.reasons)


def test_distances_are_symmetric_and_name_each_aspect() -> None:
    other = CodeAnswer(preferred="p2", strength=1, causes={"p1": "root"}, ratings={"correct": {"p1": 1, "p2": 2}})
    found = KIND.distance(PAIR, BETTER, other, COMPARE)
    assert found == {"preference": 1.0, "cause": 0.0, "rating:correct": 0.5}
    assert KIND.distance(PAIR, other, BETTER, COMPARE) == found
    assert set(found) <= set(KIND.aspects(COMPARE))
    review = KIND.distance(
        CACHE, CodeAnswer(marks=[mark(7)], verdict="change"),
        CodeAnswer(marks=[mark(7, severity="critical")], verdict="change"), REVIEW,
    )  # fmt: skip
    assert review == {"marks": 0.0, "severity": 0.5, "verdict": 0.0}


def test_labels_are_among_those_of_their_unit() -> None:
    units = KIND.unit_labels(PAIR, COMPARE)
    for unit, label in KIND.labels(PAIR, BETTER, COMPARE).items():
        assert label in units[unit]
    assert KIND.unit_labels(MERGE, WRITE) == {}


def test_a_group_keeps_the_marks_that_most_made() -> None:
    answers = [
        CodeAnswer(marks=[mark(7), mark(30)], verdict="change"),
        CodeAnswer(marks=[mark(8)], verdict="change"),
        CodeAnswer(marks=[mark(20)], verdict="approve"),
    ]
    found = KIND.consensus(CACHE, answers, REVIEW)
    assert found.units["verdict"].label == "change"
    assert found.answer is not None
    assert [each["line"] for each in found.answer["marks"]] == [7]  # type: ignore[union-attr,call-overload,index]
    CodeAnswer.model_validate(found.answer)


# --- Runs


def test_the_kind_runs_code_and_believes_only_the_installation() -> None:
    assert isinstance(task_type("code"), RunsCode)
    boast = CodeAnswer(tested={"solution": Passes(passed=9, of=9)})
    assert KIND.with_tallies(boast, None).tested == {}
    assert KIND.with_tallies(boast, {"solution": Tally(1, 2, 3, 4)}).tested["solution"].hidden_of == 4


def test_the_digest_is_of_the_code_alone() -> None:
    one, again, other = (
        KIND.plan(MERGE, CodeAnswer(files={"main.py": text}, explanation=why), WRITE).digest
        for text, why in (("a", ""), ("a", "b"), ("c", ""))
    )
    assert one == again != other
    with pytest.raises(NothingToRun, match="no code"):
        KIND.plan(MERGE, CodeAnswer(), WRITE)


# --- Releases


def released(payload: CodePayload) -> ReleasedTask[CodePayload, CodeAnswer]:
    return ReleasedTask("t1", "x1", payload)


def judged(answer: CodeAnswer, number: int = 1, counted: bool = True) -> ReleasedJudgment[CodeAnswer]:
    return ReleasedJudgment(f"s{number}", f"person-{number}", answer, 30.0, "approved", counted)


def as_table(rows: tuple[Row, ...], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema)


def test_a_preference_row_has_the_trainers_columns() -> None:
    answers = [judged(BETTER, 1), judged(BETTER.model_copy(update={"strength": 1}), 2)]
    consensus = KIND.consensus(PAIR, [each.answer for each in answers], COMPARE)
    rows = KIND.rows(released(PAIR), answers, consensus, COMPARE)
    [row] = as_table(rows.tables["pairs"], KIND.tables["pairs"].schema).to_pylist()
    assert (row["margin"], row["votes_chosen"], row["chosen_cause"]) == (2.0, 2, "root")
    assert row["chosen"][0]["content"].startswith("```diff\n--- a/cart.py")
    assert "Discounts are a cent too low" in row["prompt"][0]["content"]


def test_a_tie_gives_no_row_and_is_counted() -> None:
    tie = BETTER.model_copy(update={"preferred": "tie", "strength": 0})
    rows = KIND.rows(released(PAIR), [judged(tie)], KIND.consensus(PAIR, [tie], COMPARE), COMPARE)
    assert (rows.tables["pairs"], rows.undecided) == ((), 1)


def test_only_solutions_that_pass_become_examples() -> None:
    good = CodeAnswer(
        files={"main.py": "print(1)\n"}, tested={"solution": Passes(passed=3, of=3, hidden_passed=3, hidden_of=3)}
    )
    bad = good.model_copy(update={"tested": {"solution": Passes(passed=3, of=3, hidden_passed=2, hidden_of=3)}})
    rows = KIND.rows(released(MERGE), [judged(good, 1), judged(bad, 2)], Consensus(2, {}, None), WRITE)
    [row] = as_table(rows.tables["solutions"], KIND.tables["solutions"].schema).to_pylist()
    assert row["submission_id"] == "s1"
    assert [message["role"] for message in row["messages"]] == ["user", "assistant"]
    assert row["completion"][0]["content"] == "`main.py`:\n```python\nprint(1)\n```"
    assert as_table(rows.judgments, KIND.judgment_schema).num_rows == 2


def test_defects_come_with_their_lines_of_code() -> None:
    answers = [judged(CodeAnswer(marks=[mark(7)], verdict="change"))]
    rows = KIND.rows(released(CACHE), answers, Consensus(1, {}, None), REVIEW)
    [row] = as_table(rows.tables["defects"], KIND.tables["defects"].schema).to_pylist()
    assert row["code"] == "    def __init__(self, size, seconds=60, kept={}):"
    assert (row["people"], row["of"]) == (1, 1)


@pytest.mark.parametrize("key", ["write", "compare", "review"])
def test_released_judgments_are_imported_again_as_they_were(key: str) -> None:
    config = CodeConfig.model_validate(BY_KEY[key].config)
    answer = {"write": CodeAnswer(files={"main.py": "x\n"}), "compare": BETTER, "review": CodeAnswer(marks=[mark(7)])}[
        key
    ]
    for example in BY_KEY[key].examples:
        payload = CodePayload.model_validate(example)
        rows = KIND.rows(released(payload), [judged(answer)], KIND.consensus(payload, [answer], config), config)
        [row] = as_table(rows.judgments, KIND.judgment_schema).to_pylist()
        columns = {name: name for name in ("problem", "language", "files", "entry", "tests", "patches")}
        material = KIND.importer.convert(row, columns | {"imported_answer": "answer"})
        assert material.payload == payload
        assert material.imported_answer == answer


def test_a_fence_is_longer_than_any_inside() -> None:
    assert fenced("a\n```\nb", "md").startswith("````md\n")


def test_words_say_the_choice_and_the_marks() -> None:
    assert KIND.in_words(PAIR, BETTER, COMPARE).headline == "p1 is much better"
    words = KIND.in_words(CACHE, CodeAnswer(marks=[mark(7, 9)], verdict="change"), REVIEW)
    assert words.headline == "Request changes: 1 defect"
    assert words.details[0] == ("cache.py:7-9", "major, Crash or unhandled case: It fails.")
    assert to_json(KIND.as_key(BETTER)).get("explanation", "") == ""
