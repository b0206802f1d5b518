"""Scores as numbers and labels: weighted totals, closeness to a reference, distances, medians."""

from collections.abc import Mapping, Sequence
from statistics import median_low

from preceptor.quality.consensus import majority
from preceptor.tasktypes.base import Consensus, Row, Score, to_json
from preceptor.tasktypes.rating.models import (
    NOT_APPLICABLE,
    SCALE_TOP,
    Criterion,
    Mark,
    RatingAnswer,
    RatingConfig,
    RatingPayload,
    by_key,
    criteria_of,
)

SEPARATOR = "|"
BAND_WIDTH = 20
OWN = "own"
OVERALL = "overall"


def unit_name(response: str, criterion: str) -> str:
    """Name of the unit of judgment that one response on one criterion is."""
    return f"{response}{SEPARATOR}{criterion}"


def given(mark: Mark | None) -> bool:
    """Whether something was said: a value or "not applicable"."""
    return mark is not None and (mark.value is not None or mark.na)


def weighted_score(criteria: Sequence[Criterion], marks: Mapping[str, Mark]) -> float | None:
    """The weighted score of one response in [0, 1]; None where nothing that weighs was scored.

    Each value counts as its share of the way from worst to best, times the weight; the sum is divided by the
    positive weights and cut to [0, 1] (HealthBench, Arora et al. 2025, section 3, with more than two values per
    criterion). Criteria without a value, "not applicable" among them, count neither above nor below the line. With
    penalties alone the score is 1 less the share of penalty that was met.
    """
    scored = [
        (criterion.weight, criterion.share(mark.value))
        for criterion in criteria
        if (mark := marks.get(criterion.key)) is not None and mark.value is not None
    ]
    total = sum(weight for weight, _ in scored if weight > 0)
    achieved = sum(weight * share for weight, share in scored)
    if total == 0:
        fined = -sum(weight for weight, _ in scored)
        return 1 + achieved / fined if fined > 0 else None
    return min(1.0, max(0.0, achieved / total))


def mark_distance(criterion: Criterion, a: Mark, b: Mark) -> float:
    """Difference of two marks as a share of the criterion's range; 1 where only one is "not applicable"."""
    if a.na or b.na or a.value is None or b.value is None:
        return 0.0 if a.na == b.na else 1.0
    return abs(criterion.share(a.value) - criterion.share(b.value))


def aspects(config: RatingConfig) -> dict[str, str]:
    """Each criterion of the project; one more for criteria that come with tasks, and the overall score if asked."""
    keys = {criterion.key: criterion.title for criterion in config.criteria}
    if config.per_task:
        keys[OWN] = "Criteria of the task"
    if config.overall != "none":
        keys[OVERALL] = "Overall"
    return keys


def distance(payload: RatingPayload, a: RatingAnswer, b: RatingAnswer, config: RatingConfig) -> dict[str, float]:
    """Mean difference per criterion over the responses that both scored on it."""
    found: dict[str, list[float]] = {}
    for criterion in criteria_of(payload, config):
        aspect = OWN if payload.criteria is not None else criterion.key
        for name in payload.ids:
            one, other = _mark_of(a, name, criterion), _mark_of(b, name, criterion)
            if one is not None and other is not None:
                found.setdefault(aspect, []).append(mark_distance(criterion, one, other))
    for name in a.overall.keys() & b.overall.keys():
        span = config.overall_points - 1
        found.setdefault(OVERALL, []).append(min(1.0, abs(a.overall[name] - b.overall[name]) / span))
    return {aspect: sum(costs) / len(costs) for aspect, costs in found.items()}


def _mark_of(answer: RatingAnswer, name: str, criterion: Criterion) -> Mark | None:
    mark = answer.scores.get(name, {}).get(criterion.key)
    return mark if given(mark) else None


def label_of(criterion: Criterion, mark: Mark) -> str:
    """A mark as a label: points, `yes` or `no`, a band of twenty of the scale to 100, or `n/a`."""
    if mark.value is None:
        return NOT_APPLICABLE
    if criterion.kind == "check":
        return "yes" if mark.value else "no"
    return str(mark.value) if criterion.kind == "likert" else _band(mark.value)


def _band(value: int) -> str:
    low = (value - 1) // BAND_WIDTH * BAND_WIDTH + 1
    return f"{low}-{low + BAND_WIDTH - 1}"


def labels_of(criterion: Criterion) -> tuple[str, ...]:
    """Every label of a criterion, worst first, `n/a` last."""
    if criterion.kind == "scale":
        found = tuple(_band(low) for low in range(1, SCALE_TOP, BAND_WIDTH))
    else:
        found = tuple(label_of(criterion, Mark(value=value)) for value in criterion.values)
    return (*found, NOT_APPLICABLE) if criterion.allow_na else found


def labels(payload: RatingPayload, answer: RatingAnswer, config: RatingConfig) -> dict[str, str]:
    """One label per response and criterion that was scored within the criterion's range."""
    found = {}
    for name in payload.ids:
        for criterion in criteria_of(payload, config):
            mark = _mark_of(answer, name, criterion)
            if mark is not None and (label := label_of(criterion, mark)) in labels_of(criterion):
                found[unit_name(name, criterion.key)] = label
    return found


def unit_labels(payload: RatingPayload, config: RatingConfig) -> dict[str, tuple[str, ...]]:
    """Every response on every criterion, with all labels it can get."""
    return {
        unit_name(name, criterion.key): labels_of(criterion)
        for name in payload.ids
        for criterion in criteria_of(payload, config)
    }


def score_against(payload: RatingPayload, answer: RatingAnswer, reference: RatingAnswer, config: RatingConfig) -> Score:
    """One minus the mean difference over what the reference scores, each criterion by the size of its weight.

    What the reference does not score does not count; a score that is missing in the answer is as far away as can be.
    ValueError when the reference scores nothing.
    """
    costs, reasons = [], []
    for name in payload.ids:
        for criterion in criteria_of(payload, config):
            expected = _mark_of(reference, name, criterion)
            if expected is None:
                continue
            mark = _mark_of(answer, name, criterion)
            cost = 1.0 if mark is None else mark_distance(criterion, mark, expected)
            costs.append((abs(criterion.weight) or 1.0, cost))
            if cost > 0:
                reasons.append(_reason(name, criterion, mark, expected))
    if not costs:
        raise ValueError("the reference answer scores nothing, so nothing can be scored against it")
    lost = sum(weight * cost for weight, cost in costs) / sum(weight for weight, _ in costs)
    return Score(value=min(1.0, max(0.0, 1 - lost)), reasons=tuple(reasons))


def _reason(name: str, criterion: Criterion, mark: Mark | None, expected: Mark) -> str:
    said = "gave no score" if mark is None else f"said {_words(criterion, mark)}"
    reason = f"{name}, {criterion.title}: you {said}, the reference says {_words(criterion, expected)}."
    return f"{reason} {expected.comment}" if expected.comment else reason


def _words(criterion: Criterion, mark: Mark) -> str:
    return "not applicable" if mark.value is None else criterion.said(mark.value)


def consensus(payload: RatingPayload, answers: Sequence[RatingAnswer], config: RatingConfig) -> Consensus:
    """Majority of labels per unit; the joint answer has the median value of each unit (the lower of two)."""
    votes: dict[str, list[str]] = {unit: [] for unit in unit_labels(payload, config)}
    for answer in answers:
        for unit, label in labels(payload, answer, config).items():
            votes[unit].append(label)
    units = {unit: majority(found) for unit, found in votes.items()}
    return Consensus(answers=len(answers), units=units, answer=_joint_answer(payload, answers, config))


def _joint_answer(payload: RatingPayload, answers: Sequence[RatingAnswer], config: RatingConfig) -> Row | None:
    scores: dict[str, dict[str, Mark]] = {}
    for name in payload.ids:
        for key, criterion in by_key(payload, config).items():
            marks = [mark for answer in answers if (mark := _mark_of(answer, name, criterion)) is not None]
            if marks:
                scores.setdefault(name, {})[key] = median_mark(marks)
    overall = {
        name: median_low([answer.overall[name] for answer in answers if name in answer.overall])
        for name in payload.ids
        if any(name in answer.overall for answer in answers)
    }
    return to_json(RatingAnswer(scores=scores, overall=overall)) if scores or overall else None


def median_mark(marks: Sequence[Mark]) -> Mark:
    """The median value (the lower of two), or "not applicable" where more than half said so."""
    values = [mark.value for mark in marks if mark.value is not None]
    if 2 * len(values) < len(marks) or not values:
        return Mark(na=True)
    return Mark(value=median_low(values))
