"""Appeals: the person asks for another look, somebody else decides, and an overturned decision is undone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.fairness import queries as receipts
from preceptor.fairness import service as fairness
from preceptor.fairness.errors import AppealDecided
from preceptor.fairness.models import Appeal, AppealOrigin, AppealState, DecisionReceipt, ReceiptKind
from preceptor.kit import events
from preceptor.kit.events import Actor
from preceptor.people.access import require_operator
from preceptor.people.models import Person
from preceptor.people.service import mail
from preceptor.projects.models import Project
from preceptor.quality.intervals import Estimate, wilson
from preceptor.work import access_decisions
from preceptor.work.models import Decision
from preceptor.work.service import review_checks
from preceptor.work.service.restoring import Restored, restore

WHAT = {
    ReceiptKind.RETURN: "the return of your submission",
    ReceiptKind.REJECT: "the rejection of your submission",
    ReceiptKind.RETRAIN: "the decision that you practise before further tasks",
    ReceiptKind.PAUSE: "the pause of your place in a project",
    ReceiptKind.REMOVE: "your removal from a project",
    ReceiptKind.SUSPEND: "the suspension of your account",
}


def appeal(session: Session, actor: Actor, receipt_id: UUID, words: str, *, now: datetime) -> Appeal:
    """Ask that somebody else looks at a decision about oneself; once, in time, with words that say what is wrong.

    The same words again are the same appeal. What was decided stays in force until the outcome.
    """
    before = fairness.appeal_of(session, receipt_id)
    found = fairness.open_appeal(session, actor, receipt_id, words, now=now)
    if before is None:
        _record(session, actor, "work.appealed", found, now, {"receipt": str(receipt_id)})
    return found


def decide_appeal(
    session: Session, actor: Actor, appeal_id: UUID, to: AppealState, reason: str, *, now: datetime
) -> Appeal:
    """Let a decision stand or overturn it, with a reason that the person reads. Deciding the same again is the same.

    Never by who decided first (`DecidedFirst`) nor by the person (`DecidesAboutThemselves`). An overturned decision is
    undone in the same transaction (`restoring.restore`).
    """
    found, receipt = access_decisions.appeal_to_decide(session, actor, appeal_id, lock=True)
    fairness.refuse_wrong_decider(found, actor)
    if found.state is not AppealState.OPEN:
        if found.state is to and found.decided_by == actor.person_id:
            return found
        raise AppealDecided
    _settle(session, actor, found, receipt, to, reason, now)
    return found


def overturn_for_gold(
    session: Session, actor: Actor, receipt: DecisionReceipt, *, reason: str, now: datetime
) -> Appeal:
    """Overturn a decision whose ground is gone, since the known answer that it rested on was corrected.

    Same effects as an appeal that was right; an appeal under way or lost before is decided by this. The actor is who
    corrected the key, and may be who decided first: the correction decides, not a second opinion. Overturning what was
    overturned before changes nothing.
    """
    receipt = fairness.receipt_of(session, receipt.id, lock=True)
    before = fairness.appeal_of(session, receipt.id)
    if before is not None and before.state is AppealState.OVERTURNED:
        return before
    found = fairness.open_for_gold(session, receipt, "The known answer was corrected.", now=now)
    _settle(session, actor, found, receipt, AppealState.OVERTURNED, reason, now)
    return found


def _settle(
    session: Session,
    actor: Actor,
    found: Appeal,
    receipt: DecisionReceipt,
    to: AppealState,
    reason: str,
    now: datetime,
) -> None:
    fairness.settle(session, actor, found, to, reason, now=now)
    restored = restore(session, actor, receipt, now=now) if to is AppealState.OVERTURNED else None
    if receipt.submission_id is not None and receipt.project_id is not None and actor.person_id is not None:
        right = Decision.APPROVE if to is AppealState.OVERTURNED else Decision(receipt.kind.value)
        review_checks.keep_as_gold(
            session, receipt.submission_id, receipt.project_id, right, reason, actor.person_id, now=now
        )
    data = {"receipt": str(receipt.id), "outcome": to.value, "origin": found.origin.value}
    _record(session, actor, "work.appeal_decided", found, now, data)
    _mail_outcome(session, found, receipt, restored, now)


def _record(
    session: Session, actor: Actor, kind: str, found: Appeal, now: datetime, data: Mapping[str, object]
) -> None:
    events.record(
        session,
        actor,
        kind,
        "appeal",
        found.id,
        at=now,
        project_id=found.project_id,
        person_id=found.person_id,
        data=dict(data),
    )


def _mail_outcome(
    session: Session, found: Appeal, receipt: DecisionReceipt, restored: Restored | None, now: datetime
) -> None:
    person = session.get_one(Person, found.person_id)
    project = session.get(Project, receipt.project_id) if receipt.project_id else None
    place = f" in “{project.title}”" if project is not None else ""
    what = WHAT[receipt.kind]
    outcome = "is overturned" if restored is not None else "stands"
    done = f"\n{restored.words}\n" if restored is not None else ""
    looked = f"somebody who had not decided before looked again at {what}{place}"
    if found.origin is AppealOrigin.GOLD_CHALLENGE:
        looked = f"a known answer was corrected, and with it {what}{place}"
    body = (
        f"Hello {person.name},\n\n{looked}, of {receipt.decided_at:%-d %b %Y}.\n\nThe decision {outcome}.\n\n"
        f"Reason: {found.reason}\n{done}\n"
        "All that belongs to it stands in your account under Decisions.\n"
    )
    mail.send(session, person.email, f"Your appeal: the decision {outcome}", body, now=now)


# --- How decisions hold up


@dataclass(frozen=True)
class OverturnRates:
    """How decisions against people held up: appealed of all, overturned of the appeals decided, with 95 % intervals.

    Decisions that fell with a corrected known answer are counted apart (`corrected`): nobody was asked to look again.
    """

    decisions: int
    appealed: int
    decided: int
    overturned: int
    corrected: int

    @property
    def appeal_rate(self) -> Estimate:
        if not self.decisions:
            return Estimate.unknown("no decision against anybody yet")
        return wilson(self.appealed, self.decisions)

    @property
    def overturn_rate(self) -> Estimate:
        return wilson(self.overturned, self.decided) if self.decided else Estimate.unknown("no appeal decided yet")


NOTHING_DECIDED = OverturnRates(0, 0, 0, 0, 0)


def overturn_rates(session: Session, project_id: UUID) -> OverturnRates:
    """Of one project, over all its decisions. Public to whoever may see the project."""
    wanted = receipts.outcomes(DecisionReceipt.project_id.expression, DecisionReceipt.project_id == project_id)
    return next((_rates(row) for row in session.execute(wanted)), NOTHING_DECIDED)


def overturn_rates_by_decider(
    session: Session, actor: Actor, *, project_id: UUID | None = None
) -> dict[UUID, OverturnRates]:
    """By who decided first; for operators."""
    require_operator(actor)
    within = DecisionReceipt.project_id == project_id if project_id else DecisionReceipt.id.is_not(None)
    wanted = receipts.outcomes(DecisionReceipt.decided_by.expression, within)
    return {row.subject: _rates(row) for row in session.execute(wanted)}


def _rates(row: object) -> OverturnRates:
    counts = {name: int(getattr(row, name)) for name in OverturnRates.__dataclass_fields__}
    return OverturnRates(**counts)
