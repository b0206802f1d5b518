"""Reviews drawn by risk, and what the drawn ones say about all: the project's error rate.

The random share stays what it is (an unbiased sample by itself). Beyond it, a project may spend more reviews on what
is most likely to be wrong. Each submission keeps the chance with which it was drawn, so that the second kind of sample
can be weighed back to the whole (Horvitz and Thompson, JASA 1952, 47:663; as a ratio: Hájek 1971).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Row
from sqlalchemy.orm import Session

from preceptor.projects.models import ReviewMode
from preceptor.quality.intervals import Estimate, bootstrap_ratio, wilson
from preceptor.tasktypes.working import working
from preceptor.work import queries_quality, rules_quality
from preceptor.work.models import ClaimState
from preceptor.work.rules_quality import Draw, Risk
from preceptor.work.service import overlap

SEED = 0
"""Of the bootstrap: the same reviews give the same interval."""
REVIEWS_MAX = 50_000
"""The error rate rests on the newest reviews, up to this many."""


def draw(row: Row[Any], answer: Mapping[str, Any], draws: tuple[float, float]) -> Draw:
    """Whether an answer is reviewed, from a row of `queries.CLAIM_TO_SUBMIT` and two draws that nobody could know.

    Revisions are always reviewed. Answers to gold tasks are drawn like any other, so that nobody can tell them apart.
    """
    if row.state == ClaimState.RETURNED:
        return Draw(True, "revision", 1.0)
    if row.review_mode != ReviewMode.RISK or row.risk_percent == 0:
        return rules_quality.draw_review(row.review_percent, None, 0.0, draws)
    risk = _risk(row, answer)
    mean = (row.diagnostics or {}).get("risk_mean") or rules_quality.RISK_MEAN_ASSUMED
    extra = rules_quality.risk_chance(risk.score, row.risk_percent, mean)
    return rules_quality.draw_review(row.review_percent, risk, extra, draws)


def _risk(row: Row[Any], answer: Mapping[str, Any]) -> Risk:
    wrong, expected = _chance_wrong(row, answer)
    judgments = row.judgments or 0
    return rules_quality.risk_of(wrong, expected=expected, judgments=judgments, low=row.low, high=row.high)


def _chance_wrong(row: Row[Any], answer: Mapping[str, Any]) -> tuple[float, bool]:
    """(chance that the least likely of the answer's labels is wrong, whether the others' answers point that way).

    The others' posterior is the task's as it was kept last; this person's label is weighed by their own matrix.
    """
    kind = working(row.task_type, row.config)
    payload = kind.payload(row.payload)
    possible = kind.unit_labels(payload)
    labels = kind.labels(payload, kind.answer(answer))
    wrong, expected = 0.0, True
    for unit, place in rules_quality.places(labels, possible).items():
        names = possible[unit]
        crowd = overlap.crowd_for(len(names), row)
        others = _others(row, unit, names)
        mine = overlap.unit_posterior([(row.counts, place)], len(names), crowd)
        if crowd is not None and others is not None:
            prior = crowd.prior[: len(names)]
            joint = [q * p / max(r, 1e-12) for q, p, r in zip(others, mine, prior, strict=True)]
            mine = [each / sum(joint) for each in joint]
            expected = expected and others[place] == max(others)
        wrong = max(wrong, 1.0 - mine[place])
    return wrong, expected


def _others(row: Row[Any], unit: str, names: Sequence[str]) -> list[float] | None:
    kept = (row.answer_units or {}).get(unit)
    if not kept:
        return None
    # A label that was thought impossible may come all the same.
    chances = [max(float(kept.get(name, 0.0)), 1e-6) for name in names]
    return [chance / sum(chances) for chance in chances]


@dataclass(frozen=True)
class ErrorRate:
    """Share of first answers that a reviewer would not approve as they are (returned or rejected, and not overturned).

    `random`: from the random share alone, unbiased whatever else was looked at, with Wilson's interval. `weighted`:
    from all reviewed, each weighed by one over its chance, with a bootstrap interval. Both
    rest on submissions whose review is done; those still waiting are taken to be like them.
    """

    random: Estimate
    weighted: Estimate
    waiting: int
    """Drawn and not reviewed yet."""
    by_reason: tuple[tuple[str, Estimate], ...]
    """What each reason of drawing has found: whether risk finds more than chance does."""


@dataclass(frozen=True)
class DrawnReview:
    """A first answer that was drawn for review: why, with which chance, whether somebody decided, and how."""

    reason: str
    chance: float
    decided: bool
    wrong: bool


def error_rate(session: Session, project_id: UUID) -> ErrorRate:
    """How often work in a project is wrong, as its reviewers see it. The caller has checked who asks."""
    rows = session.execute(queries_quality.drawn_reviews(project_id, REVIEWS_MAX))
    return rates_of([DrawnReview(**row._mapping) for row in rows])


def rates_of(drawn: Sequence[DrawnReview]) -> ErrorRate:
    """The estimates from reviews."""
    decided = [review for review in drawn if review.decided]
    reasons = sorted({review.reason for review in decided})
    return ErrorRate(
        random=_share(_because(decided, "random"), "no submission of the random share was reviewed yet"),
        weighted=_weighted(decided),
        waiting=len(drawn) - len(decided),
        by_reason=tuple((reason, _share(_because(decided, reason), "none")) for reason in reasons),
    )


def _because(reviews: Sequence[DrawnReview], reason: str) -> list[DrawnReview]:
    return [review for review in reviews if review.reason == reason]


def _share(reviews: Sequence[DrawnReview], when_none: str) -> Estimate:
    return wilson(sum(one.wrong for one in reviews), len(reviews)) if reviews else Estimate.unknown(when_none)


def _weighted(reviews: Sequence[DrawnReview]) -> Estimate:
    if not reviews:
        return Estimate.unknown("no submission was reviewed yet")
    weights = 1.0 / np.array([review.chance for review in reviews], dtype=np.float64)
    wrong = np.array([review.wrong for review in reviews], dtype=np.float64)
    return bootstrap_ratio(weights * wrong, weights, np.random.default_rng(SEED))
