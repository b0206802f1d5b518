"""Answers about code as labels, distances, scores and what a group says together."""

from collections.abc import Mapping, Sequence
from typing import Final

from preceptor.quality.consensus import majority
from preceptor.tasktypes.base import Consensus, Row, Score
from preceptor.tasktypes.code.marks import f1, gap, matched, severity_distance
from preceptor.tasktypes.code.models import (
    CAUSES,
    RATING_MAX,
    SOLUTION,
    STRENGTH_MAX,
    TIE,
    CodeAnswer,
    CodeConfig,
    CodePayload,
    LineMark,
)

PREFERENCE: Final = "preference"
CAUSE: Final = "cause"
VERDICT: Final = "verdict"
HALF = 0.5


def cause_unit(patch: str) -> str:
    return f"{CAUSE}:{patch}"


def labels(payload: CodePayload, answer: CodeAnswer, config: CodeConfig) -> dict[str, str]:
    """Which patch is better, whether each mends the cause; or the verdict. What is written has no label."""
    found: dict[str, str] = {}
    if config.mode == "compare":
        if answer.preferred is not None:
            found[PREFERENCE] = answer.preferred
        found |= {cause_unit(name): answer.causes[name] for name in payload.patch_ids if name in answer.causes}
    if config.mode == "review" and answer.verdict is not None:
        found[VERDICT] = answer.verdict
    return found


def unit_labels(payload: CodePayload, config: CodeConfig) -> dict[str, tuple[str, ...]]:
    if config.mode == "compare":
        causes = {cause_unit(name): CAUSES for name in payload.patch_ids} if config.ask_cause else {}
        return {PREFERENCE: (*payload.patch_ids, TIE), **causes}
    if config.mode == "review" and config.verdicts:
        return {VERDICT: tuple(choice.key for choice in config.verdicts)}
    return {}


def aspects(config: CodeConfig) -> dict[str, str]:
    match config.mode:
        case "write":
            return {"tests": "Tests passed"}
        case "compare":
            criteria = {f"rating:{each.key}": each.title for each in config.criteria}
            cause = {CAUSE: "Root cause or symptom"} if config.ask_cause else {}
            return {PREFERENCE: "Which is better", **cause, **criteria}
        case "review":
            verdict = {VERDICT: "Verdict"} if config.verdicts else {}
            return {"marks": "Marked lines", "severity": "Severity of what both marked", **verdict}


def distance(payload: CodePayload, a: CodeAnswer, b: CodeAnswer, config: CodeConfig) -> dict[str, float]:
    match config.mode:
        case "write":
            found = {"tests": _tests(a, b)}
        case "compare":
            found = {
                PREFERENCE: _preference(a, b),
                CAUSE: _mean([float(a.causes[name] != b.causes[name]) for name in a.causes.keys() & b.causes.keys()]),
                **{f"rating:{each.key}": _ratings(each.key, a, b) for each in config.criteria},
            }
        case "review":
            found = {
                "marks": 1 - f1(a.marks, b.marks, config.line_tolerance),
                "severity": severity_distance(matched(a.marks, b.marks, config.line_tolerance)),
                VERDICT: float(a.verdict != b.verdict) if a.verdict and b.verdict else None,
            }
    known = aspects(config)
    return {name: value for name, value in found.items() if value is not None and name in known}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _tests(a: CodeAnswer, b: CodeAnswer) -> float | None:
    one, other = share_of(a), share_of(b)
    return None if one is None or other is None else abs(one - other)


def share_of(answer: CodeAnswer, subject: str = SOLUTION) -> float | None:
    """Share of tests passed, None where the code was not run."""
    tested = answer.tested.get(subject)
    return tested.share if tested else None


def leaning(answer: CodeAnswer) -> float | None:
    """The choice on a line: the same is 0, a better patch its strength (1 where none is asked for)."""
    if answer.preferred is None:
        return None
    return 0.0 if answer.preferred == TIE else float(answer.strength or 1)


def _preference(a: CodeAnswer, b: CodeAnswer) -> float | None:
    """Opposite choices are 1 apart, a tie and a choice 1/2; strengths are not held against each other."""
    if a.preferred is None or b.preferred is None:
        return None
    if a.preferred == b.preferred:
        return 0.0
    return HALF if TIE in (a.preferred, b.preferred) else 1.0


def _ratings(key: str, a: CodeAnswer, b: CodeAnswer) -> float | None:
    one, other = a.ratings.get(key, {}), b.ratings.get(key, {})
    return _mean([abs(one[name] - other[name]) / (RATING_MAX - 1) for name in one.keys() & other.keys()])


# --- Against a known answer


def score(payload: CodePayload, answer: CodeAnswer, reference: CodeAnswer, config: CodeConfig) -> Score:
    """Writing: the share of (hidden) tests passed. Comparing: mean of the units that the reference labels, a tie half
    right. Review: F1 of the marks, averaged with the verdict where the reference has one."""
    match config.mode:
        case "write":
            return _score_tests(answer)
        case "compare":
            return _score_choice(payload, answer, reference, config)
        case "review":
            return _score_marks(answer, reference, config)


def _score_tests(answer: CodeAnswer) -> Score:
    tested = answer.tested.get(SOLUTION)
    if tested is None or tested.share is None:
        # Where the installation could not run it, nobody is marked down for that.
        raise ValueError("the code was not run against the tests, so nothing can be scored")
    passed, of, which = tested.passed, tested.of, "tests"
    if tested.hidden_of:
        passed, of, which = tested.hidden_passed, tested.hidden_of, "hidden tests"
    return Score(tested.share, () if passed == of else (f"{passed} of {of} {which} passed.",))


def _score_choice(payload: CodePayload, answer: CodeAnswer, reference: CodeAnswer, config: CodeConfig) -> Score:
    expected, given = labels(payload, reference, config), labels(payload, answer, config)
    if not expected:
        raise ValueError("the reference answer says nothing about the patches, so nothing can be scored against it")
    costs, reasons = [], []
    for unit, label in expected.items():
        said = given.get(unit)
        tied = unit == PREFERENCE and TIE in (said, label)
        costs.append(0.0 if said == label else HALF if tied else 1.0)
        if said != label:
            reasons.append(_reason(unit, said, label))
    return Score(1 - sum(costs) / len(costs), tuple(reasons))


def _reason(unit: str, said: str | None, expected: str) -> str:
    if unit == PREFERENCE:
        words = {TIE: "the same", None: "nothing"}
        return f"You chose {words.get(said, said)}; the known answer is {words.get(expected, expected)}."
    causes = {"root": "mends the cause", "symptom": "treats a symptom", "unclear": "is unclear", None: "nothing"}
    patch = unit.partition(":")[2]
    return (
        f"{patch}: you said it {causes.get(said, said)}; the known answer is that it {causes.get(expected, expected)}."
    )


def _score_marks(answer: CodeAnswer, reference: CodeAnswer, config: CodeConfig) -> Score:
    found = matched(answer.marks, reference.marks, config.line_tolerance)
    seen = [pair[1] for pair in found]
    reasons = [
        f"Missed {mark.path}:{mark.line}. {mark.comment}".strip() for mark in reference.marks if mark not in seen
    ]
    own = [pair[0] for pair in found]
    reasons += [f"{mark.path}:{mark.line} is no defect that is known." for mark in answer.marks if mark not in own]
    parts = [f1(answer.marks, reference.marks, config.line_tolerance)]
    if reference.verdict is not None:
        parts.append(float(answer.verdict == reference.verdict))
        if answer.verdict != reference.verdict:
            titles = {choice.key: choice.title for choice in config.verdicts}
            reasons.append(f"The verdict is {titles.get(reference.verdict, reference.verdict)}.")
    return Score(sum(parts) / len(parts), tuple(reasons))


# --- Together


def consensus(payload: CodePayload, answers: Sequence[CodeAnswer], config: CodeConfig) -> Consensus:
    """Majority in each unit. The joint answer of a review holds the marks that more than half of the people made."""
    votes: dict[str, list[str]] = {unit: [] for unit in unit_labels(payload, config)}
    for answer in answers:
        for unit, label in labels(payload, answer, config).items():
            votes.setdefault(unit, []).append(label)
    units = {unit: majority(given) for unit, given in votes.items()}
    decided = {unit: found.label for unit, found in units.items() if found.label is not None}
    return Consensus(len(answers), units, _joint(payload, answers, decided, config))


def _joint(
    payload: CodePayload, answers: Sequence[CodeAnswer], decided: Mapping[str, str], config: CodeConfig
) -> Row | None:
    if config.mode == "compare" and decided:
        causes = {name: decided[cause_unit(name)] for name in payload.patch_ids if cause_unit(name) in decided}
        preferred = {"preferred": decided[PREFERENCE]} if PREFERENCE in decided else {}
        return {**preferred, "causes": dict(causes)}
    if config.mode == "review" and answers:
        marks = common_marks(answers, config.line_tolerance)
        verdict = {"verdict": decided[VERDICT]} if VERDICT in decided else {}
        return {"marks": [mark.model_dump(mode="json") for mark, _ in marks], "no_defects": not marks, **verdict}
    return None


def common_marks(answers: Sequence[CodeAnswer], tolerance: int) -> list[tuple[LineMark, int]]:
    """Marks that more than half of the people made, with how many; told in the words of who marked the fewest lines.

    Marks that lie within the tolerance of one another are one defect, whoever made them; a person counts once.
    """
    made = [(person, mark) for person, answer in enumerate(answers) for mark in answer.marks]
    groups: list[list[tuple[int, LineMark]]] = []
    for person, mark in sorted(made, key=lambda each: (each[1].path, each[1].line, each[1].line_end)):
        last = groups[-1] if groups else None
        if last and last[-1][1].path == mark.path and gap(last[-1][1], mark) <= tolerance:
            last.append((person, mark))
        else:
            groups.append([(person, mark)])
    counted = [(group, len({person for person, _ in group})) for group in groups]
    return [
        (min((mark for _, mark in group), key=lambda mark: mark.line_end - mark.line), people)
        for group, people in counted
        if 2 * people > len(answers)
    ]


def margin(answers: Sequence[CodeAnswer], chosen: str) -> float:
    """How clearly one patch won: mean strength, counted against it where people preferred the other; never negative."""
    given = [(answer.preferred, leaning(answer)) for answer in answers]
    strengths = [value if name == chosen else -value for name, value in given if value is not None]
    return min(float(STRENGTH_MAX), max(0.0, sum(strengths) / len(strengths))) if strengths else 1.0
