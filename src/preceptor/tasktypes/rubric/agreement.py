"""How alike two rubrics or two validations are, and what validators say together."""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from scipy.optimize import linear_sum_assignment

from preceptor.quality.consensus import majority
from preceptor.tasktypes.base import Consensus, Row, Score
from preceptor.tasktypes.rubric.lint import similarity
from preceptor.tasktypes.rubric.models import (
    QUESTIONS,
    CriterionVerdict,
    RubricAnswer,
    RubricConfig,
    RubricCriterion,
    RubricPayload,
    written,
)

SEPARATOR = "|"
DECISION = "decision"
WORDING = "wording"
POINTS = "points"
COVERED_FROM = 0.5
"""Likeness of wording from which a criterion of a reference counts as written."""
YES, NO = "yes", "no"
_TITLES = {
    "self_contained": "Self-contained",
    "checkable": "Checkable",
    "correct": "Correct",
    "important": "Important",
    DECISION: "Keep, mend or drop",
}
_DECISIONS = ("keep", "mend", "drop")


def unit_name(criterion: str, question: str) -> str:
    """Name of the unit of judgment that one question about one criterion is."""
    return f"{criterion}{SEPARATOR}{question}"


def aspects(config: RubricConfig) -> dict[str, str]:
    """Validators agree per question; authors in what they write and in how it is weighed."""
    if config.mode == "validate":
        return dict(_TITLES)
    return {WORDING: "Criteria written", POINTS: "Points given"}


def matched(one: Sequence[RubricCriterion], other: Sequence[RubricCriterion]) -> list[tuple[int, int, float]]:
    """Criteria of two rubrics that say the same, each used once: places in both and likeness of wording.

    The matching has the greatest sum of likeness (Kuhn 1955).
    """
    if not one or not other:
        return []
    likeness = np.array([[similarity(a.statement, b.statement) for b in other] for a in one])
    rows, columns = linear_sum_assignment(likeness, maximize=True)
    return [(int(a), int(b), float(likeness[a, b])) for a, b in zip(rows, columns, strict=True)]


def distance(payload: RubricPayload, a: RubricAnswer, b: RubricAnswer, config: RubricConfig) -> dict[str, float]:
    """Validators: share of criteria that they see differently, per question. Authors: see `rubric_distance`."""
    if config.mode == "author":
        return rubric_distance(written(payload, a), written(payload, b))
    first, second = labels(payload, a, config), labels(payload, b, config)
    found: dict[str, list[float]] = {}
    for unit in first.keys() & second.keys():
        found.setdefault(unit.split(SEPARATOR)[1], []).append(_decision_cost(first[unit], second[unit]))
    return {question: sum(costs) / len(costs) for question, costs in found.items()}


def _decision_cost(one: str, other: str) -> float:
    if one == other:
        return 0.0
    # To mend lies between keeping and dropping.
    return 0.5 if "mend" in (one, other) else 1.0


def rubric_distance(one: Sequence[RubricCriterion], other: Sequence[RubricCriterion]) -> dict[str, float]:
    """How far two rubrics are apart.

    `wording`: one less twice the likeness of matched criteria by the number of all. `points`: mean difference of
    points of criteria that say the same, by the larger of the two rubrics' largest; absent where none do. Wording is
    compared by letters, so the same thought in other words counts as different.
    """
    if not one and not other:
        return {WORDING: 0.0}
    pairs = matched(one, other)
    alike = 2 * sum(likeness for _, _, likeness in pairs) / (len(one) + len(other))
    found = {WORDING: min(1.0, max(0.0, 1 - alike))}
    top = max((abs(criterion.points) for criterion in (*one, *other)), default=0)
    same = [abs(one[a].points - other[b].points) for a, b, likeness in pairs if likeness >= COVERED_FROM]
    if same and top:
        found[POINTS] = min(1.0, sum(same) / (2 * top * len(same)))
    return found


def labels(payload: RubricPayload, answer: RubricAnswer, config: RubricConfig) -> dict[str, str]:
    """Validators' yes, no and decisions; what authors write has no labels."""
    if config.mode == "author":
        return {}
    found = {}
    for criterion in payload.draft:
        verdict = answer.verdicts.get(criterion.id, CriterionVerdict())
        for question in QUESTIONS:
            said = cast("bool | None", getattr(verdict, question))
            if said is not None:
                found[unit_name(criterion.id, question)] = YES if said else NO
        if verdict.decision is not None:
            found[unit_name(criterion.id, DECISION)] = verdict.decision
    return found


def unit_labels(payload: RubricPayload, config: RubricConfig) -> dict[str, tuple[str, ...]]:
    """Every question about every criterion of the draft."""
    if config.mode == "author":
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for criterion in payload.draft:
        found |= {unit_name(criterion.id, question): (YES, NO) for question in QUESTIONS}
        found[unit_name(criterion.id, DECISION)] = _DECISIONS
    return found


def score_against(payload: RubricPayload, answer: RubricAnswer, reference: RubricAnswer, config: RubricConfig) -> Score:
    """Validators: share of the reference's verdicts that are met, to mend half way. Authors: points covered.

    A known rubric counts as covered by the points of its criteria whose wording the answer comes close to.
    ValueError when the reference says nothing.
    """
    if config.mode == "author":
        return _covered(written(payload, answer), written(payload, reference))
    expected, given = labels(payload, reference, config), labels(payload, answer, config)
    if not expected:
        raise ValueError("the reference answer judges no criterion, so nothing can be scored against it")
    numbers = {criterion.id: at for at, criterion in enumerate(payload.draft, start=1)}
    costs, reasons = [], []
    for unit, label in expected.items():
        criterion, question = unit.split(SEPARATOR)
        said = given.get(unit)
        costs.append(1.0 if said is None else _decision_cost(said, label))
        if said != label:
            told = "did not say" if said is None else f"said {said}"
            reasons.append(
                f"Criterion {numbers[criterion]}, {_TITLES[question].lower()}: you {told}, the reference says {label}."
            )
    return Score(value=1 - sum(costs) / len(costs), reasons=tuple(reasons))


def _covered(given: Sequence[RubricCriterion], wanted: Sequence[RubricCriterion]) -> Score:
    if not wanted:
        raise ValueError("the reference rubric is empty, so nothing can be scored against it")
    covered = {b for _, b, likeness in matched(given, wanted) if likeness >= COVERED_FROM}
    weights = [abs(criterion.points) or 1 for criterion in wanted]
    reached = sum(weight for at, weight in enumerate(weights) if at in covered)
    reasons = [
        f"Nothing close to “{criterion.statement}” ({criterion.points} points)."
        for at, criterion in enumerate(wanted)
        if at not in covered
    ]
    return Score(value=reached / sum(weights), reasons=tuple(reasons))


def consensus(payload: RubricPayload, answers: Sequence[RubricAnswer], config: RubricConfig) -> Consensus:
    """Majority per question and criterion; the joint answer holds the verdicts that were decided."""
    votes: dict[str, list[str]] = {unit: [] for unit in unit_labels(payload, config)}
    for answer in answers:
        for unit, label in labels(payload, answer, config).items():
            votes[unit].append(label)
    decided = {unit: majority(given) for unit, given in votes.items()}
    labelled = {unit: one.label for unit, one in decided.items() if one.label is not None}
    return Consensus(answers=len(answers), units=decided, answer=_joint_answer(labelled, answers))


def _joint_answer(labelled: Mapping[str, str], answers: Sequence[RubricAnswer]) -> Row | None:
    verdicts: dict[str, dict[str, str | bool]] = {}
    for unit, label in labelled.items():
        criterion, question = unit.split(SEPARATOR)
        verdicts.setdefault(criterion, {})[question] = label if question == DECISION else label == YES
    for criterion, verdict in verdicts.items():
        proposal = favoured_proposal(criterion, answers)
        if verdict.get(DECISION) == "mend" and proposal:
            verdict["proposal"] = proposal
    return cast("Row", {"verdicts": verdicts}) if verdicts else None


def favoured_proposal(criterion: str, answers: Sequence[RubricAnswer]) -> str | None:
    """The mended text that the others' proposals are most like; None where nobody proposed one.

    A medoid by likeness of wording, so it is always a text that somebody wrote; the earliest of equals.
    """
    texts = [
        verdict.proposal.strip()
        for answer in answers
        if (verdict := answer.verdicts.get(criterion)) is not None and verdict.proposal.strip()
    ]
    return max(texts, key=lambda text: sum(similarity(text, other) for other in texts)) if texts else None
