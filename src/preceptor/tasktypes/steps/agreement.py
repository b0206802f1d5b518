"""Step marks as labels and numbers: distances, closeness to a reference, majorities."""

from collections.abc import Sequence
from typing import cast

from preceptor.quality.consensus import majority
from preceptor.tasktypes.base import Consensus, Row, Score
from preceptor.tasktypes.steps.models import (
    FINAL,
    StepMark,
    StepsAnswer,
    StepsConfig,
    StepsPayload,
    Verdict,
    asked,
)

STEPS, FIRST_WRONG, CATEGORY = "steps", "first_wrong", "category"
RIGHT, NOT_RIGHT = "right", "not right"
HALF = 0.5
_NEAR = frozenset(
    {frozenset({"correct", "neutral"}), frozenset({"wrong", "unsupported"}), frozenset({"neutral", "unsupported"})}
)


def unit_name(step: int) -> str:
    """Name of the unit of judgment that a step is: `step 1` for step 0, as people count."""
    return f"step {step + 1}"


def verdict_distance(one: Verdict, other: Verdict) -> float:
    """0 the same, 1/2 for neighbours (correct and neutral, neutral and unsupported, unsupported and wrong), else 1."""
    if one == other:
        return 0.0
    return HALF if frozenset({one, other}) in _NEAR else 1.0


def verdicts(payload: StepsPayload, answer: StepsAnswer, config: StepsConfig) -> dict[int, Verdict]:
    """What the answer says of the steps that were asked for."""
    return {
        at: mark.verdict
        for at in asked(payload, answer, config)
        if (mark := answer.marks.get(at)) is not None and mark.verdict in config.verdicts
    }


def aspects(config: StepsConfig) -> dict[str, str]:
    """What agreement is measured on."""
    found = {STEPS: "Marks of steps", FIRST_WRONG: "Where the first error is"}
    if config.category != "none" and config.categories:
        found[CATEGORY] = "Kind of error"
    if config.ask_final:
        found[FINAL] = "Final answer"
    return found


def error_position(payload: StepsPayload, given: dict[int, Verdict]) -> int | None:
    """Number of the first wrong step, the number of steps where all are marked and none is wrong, None if unsaid."""
    wrong = min((at for at, verdict in given.items() if verdict == "wrong"), default=None)
    if wrong is not None:
        return wrong
    return len(payload.steps) if len(given) == len(payload.steps) else None


def distance(payload: StepsPayload, a: StepsAnswer, b: StepsAnswer, config: StepsConfig) -> dict[str, float]:
    """Per aspect: mean difference of marks on steps that both marked; places between first errors by their number.

    No error counts as an error after the last step. The kind of error is compared on steps that both fault.
    """
    first, second = verdicts(payload, a, config), verdicts(payload, b, config)
    found = {}
    both = sorted(first.keys() & second.keys())
    if both:
        found[STEPS] = sum(verdict_distance(first[at], second[at]) for at in both) / len(both)
    places = error_position(payload, first), error_position(payload, second)
    if places[0] is not None and places[1] is not None:
        found[FIRST_WRONG] = abs(places[0] - places[1]) / len(payload.steps)
    kinds = [
        (one, other)
        for at in both
        if (one := a.marks[at].category) is not None and (other := b.marks[at].category) is not None
    ]
    if kinds:
        found[CATEGORY] = sum(one != other for one, other in kinds) / len(kinds)
    if a.final_correct is not None and b.final_correct is not None:
        found[FINAL] = float(a.final_correct != b.final_correct)
    return found


def labels(payload: StepsPayload, answer: StepsAnswer, config: StepsConfig) -> dict[str, str]:
    """One label per marked step, and one for the final answer."""
    found: dict[str, str] = {unit_name(at): verdict for at, verdict in verdicts(payload, answer, config).items()}
    if config.ask_final and answer.final_correct is not None:
        found[FINAL] = RIGHT if answer.final_correct else NOT_RIGHT
    return found


def unit_labels(payload: StepsPayload, config: StepsConfig) -> dict[str, tuple[str, ...]]:
    """Every step with the project's marks, and the final answer where it is asked about."""
    found: dict[str, tuple[str, ...]] = {unit_name(at): tuple(config.verdicts) for at in range(len(payload.steps))}
    return {**found, FINAL: (RIGHT, NOT_RIGHT)} if config.ask_final else found


def score_against(payload: StepsPayload, answer: StepsAnswer, reference: StepsAnswer, config: StepsConfig) -> Score:
    """The mean of what the reference says: marks of its steps, place of the first error, final answer.

    A step that the answer leaves out beyond its own first error is as far away as can be. ValueError when the
    reference says nothing.
    """
    expected, given = verdicts(payload, reference, config), verdicts(payload, answer, config)
    parts, reasons = [], []
    if expected:
        costs = [verdict_distance(given[at], verdict) if at in given else 1.0 for at, verdict in expected.items()]
        parts.append(1 - sum(costs) / len(costs))
        reasons += [
            _reason(at, given.get(at), verdict, reference)
            for at, verdict in expected.items()
            if given.get(at) != verdict
        ]
        parts += _place(payload, given, expected, reasons)
    if reference.final_correct is not None and config.ask_final:
        parts.append(float(answer.final_correct == reference.final_correct))
        if answer.final_correct != reference.final_correct:
            reasons.append(f"The final answer is {RIGHT if reference.final_correct else NOT_RIGHT}.")
    if not parts:
        raise ValueError("the reference answer marks no step, so nothing can be scored against it")
    return Score(value=sum(parts) / len(parts), reasons=tuple(reasons))


def _place(
    payload: StepsPayload, given: dict[int, Verdict], expected: dict[int, Verdict], reasons: list[str]
) -> list[float]:
    wanted, found = error_position(payload, expected), error_position(payload, given)
    if wanted is None:
        return []
    if found != wanted:
        reasons.append(
            "There is no wrong step." if wanted == len(payload.steps) else f"The first error is in step {wanted + 1}."
        )
    return [0.0 if found is None else 1 - abs(found - wanted) / len(payload.steps)]


def _reason(at: int, given: Verdict | None, expected: Verdict, reference: StepsAnswer) -> str:
    said = "did not mark it" if given is None else f"marked it {given}"
    reason = f"Step {at + 1}: you {said}, the reference marks it {expected}."
    comment = reference.marks[at].comment
    return f"{reason} {comment}" if comment else reason


def consensus(payload: StepsPayload, answers: Sequence[StepsAnswer], config: StepsConfig) -> Consensus:
    """Majority per step and for the final answer; the joint answer holds what was decided, up to the first error."""
    votes: dict[str, list[str]] = {unit: [] for unit in unit_labels(payload, config)}
    for answer in answers:
        for unit, said_label in labels(payload, answer, config).items():
            votes[unit].append(said_label)
    units = {unit: majority(given) for unit, given in votes.items()}
    marks = {
        at: StepMark(verdict=cast("Verdict", label))
        for at in range(len(payload.steps))
        if (label := units[unit_name(at)].label) is not None
    }
    final = units[FINAL].label if FINAL in units else None
    joint = StepsAnswer(marks=marks, final_correct=None if final is None else final == RIGHT)
    said = {at: joint.marks[at] for at in asked(payload, joint, config) if at in joint.marks}
    row = cast("Row", joint.model_copy(update={"marks": said}).model_dump(mode="json", exclude_none=True))
    return Consensus(answers=len(answers), units=units, answer=row if said or final is not None else None)
