"""What the quality engine made of the demo: counted from its tables and asked of its services, nothing remembered."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from preceptor.kit.events import Actor
from preceptor.projects.models import OverlapMode, Project
from preceptor.work.service.appeals import overturn_rates
from preceptor.work.service.fitting import newest_fit
from preceptor.work.service.forecast import forecast
from preceptor.work.service.gold import gold_summary
from preceptor.work.service.risk import error_rate

_COUNTS = text("""
    SELECT (SELECT count(*) FROM quality_fit WHERE project_id = :project) AS fits,
           (SELECT count(*) FROM gold_result WHERE project_id = :project) AS gold_judgments,
           (SELECT count(*) FROM gold_challenge WHERE project_id = :project AND state = 'upheld') AS challenges_upheld,
           (SELECT count(*) FROM gold_challenge WHERE project_id = :project AND state = 'dismissed')
               AS challenges_dismissed,
           (SELECT count(*) FROM event WHERE project_id = :project AND kind = 'work.gold_rescored') AS rescored,
           (SELECT count(*) FROM event WHERE project_id = :project AND kind = 'work.practice_passed')
               AS retrainings_passed,
           (SELECT count(*) FROM review_check WHERE project_id = :project AND kind = 'double' AND decision IS NOT NULL)
               AS double_reviews,
           (SELECT count(*) FROM review_check WHERE project_id = :project AND kind = 'gold' AND decision IS NOT NULL)
               AS gold_reviews
""")
_RECEIPTS = text("SELECT kind, count(*) FROM decision_receipt WHERE project_id = :project GROUP BY kind ORDER BY kind")
# Findings whose e-value has passed what their false-alarm rate asks for (Ville's inequality).
_EVIDENCE = text("""
    SELECT e.kind, p.email FROM evidence e JOIN person p ON p.id = e.person_id
    WHERE e.project_id = :project AND e.false_alarms > 0 AND e.log_e_max >= -ln(e.false_alarms)
    ORDER BY e.kind, p.email
""")
_PEOPLE = text("""
    SELECT p.email FROM person p WHERE EXISTS (
        SELECT 1 FROM submission s WHERE s.person_id = p.id AND s.project_id = :project)
""")


@dataclass(frozen=True)
class Quality:
    """Money in minor units. What is about planted people is None where nothing was planted: with recorded judgments."""

    method: str | None
    fits: int
    ece: float | None
    gold_judgments: int
    gold_cost_minor: int
    adaptive: bool
    settled: int
    escalated: int
    still_asking: int
    judgments_per_task: float | None
    cap: int
    saved_judgments: int
    saved_minor: int
    error_rate: float | None
    error_rate_low: float | None
    error_rate_high: float | None
    receipts: dict[str, int]
    appealed: int
    appeals_decided: int
    appeals_overturned: int
    challenges_upheld: int
    challenges_dismissed: int
    challenges_open: int
    rescored: int
    retrainings_passed: int
    double_reviews: int
    gold_reviews: int
    evidence: dict[str, int]
    people: int
    people_with_evidence: int
    planted: int | None
    planted_found: int | None
    honest: int | None
    false_alarms: int | None


def quality_of(session: Session, client: Actor, project_id: UUID, planted: Collection[str] | None) -> dict[str, Any]:
    """Everything that the summary says about quality. `planted`: addresses of people in whom something is planted."""
    project, fit = session.get_one(Project, project_id), newest_fit(session, project_id)
    counts = dict(session.execute(_COUNTS, {"project": project_id}).one()._mapping)
    ahead, errors = forecast(session, project_id), error_rate(session, project_id).random
    appeals = overturn_rates(session, project_id)
    per_task = ahead.per_task.value
    saved = 0 if per_task is None else round(ahead.settled * (ahead.fixed - per_task))
    adaptive = project.overlap_mode is OverlapMode.ADAPTIVE
    found = Quality(
        method=fit.method if fit else None,
        ece=fit.ece if fit else None,
        gold_cost_minor=counts["gold_judgments"] * project.rate_minor,
        adaptive=adaptive,
        settled=ahead.settled,
        escalated=ahead.escalated,
        still_asking=ahead.untouched + ahead.under_way,
        judgments_per_task=per_task,
        cap=ahead.fixed,
        saved_judgments=saved if adaptive else 0,
        saved_minor=saved * project.rate_minor if adaptive else 0,
        error_rate=errors.value,
        error_rate_low=errors.low,
        error_rate_high=errors.high,
        receipts={str(kind): int(count) for kind, count in session.execute(_RECEIPTS, {"project": project_id})},
        appealed=appeals.appealed,
        appeals_decided=appeals.decided,
        appeals_overturned=appeals.overturned,
        challenges_open=gold_summary(session, client, project_id).open_challenges,
        **counts,
        **_evidence(session, project_id, planted),
    )
    return asdict(found)


def _evidence(session: Session, project_id: UUID, planted: Collection[str] | None) -> dict[str, Any]:
    rows = session.execute(_EVIDENCE, {"project": project_id}).all()
    kinds = sorted({str(kind) for kind, _ in rows})
    with_evidence = {email for _, email in rows}
    people = set(session.scalars(_PEOPLE, {"project": project_id}))
    odd = None if planted is None else people & set(planted)
    return {
        "evidence": {name: sum(str(kind) == name for kind, _ in rows) for name in kinds},
        "people": len(people),
        "people_with_evidence": len(with_evidence),
        "planted": None if odd is None else len(odd),
        "planted_found": None if odd is None else len(odd & with_evidence),
        "honest": None if odd is None else len(people - odd),
        "false_alarms": None if odd is None else len(with_evidence - odd),
    }
