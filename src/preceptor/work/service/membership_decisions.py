"""Decisions about a person's place in a project: practice first, a pause, the end; and back again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preceptor.fairness import queries as receipts
from preceptor.fairness import rules as fairness_rules
from preceptor.fairness import service as fairness
from preceptor.fairness.models import Appeal, DecisionReceipt, ReceiptKind
from preceptor.fairness.queries import ReceiptsWanted
from preceptor.fairness.service import Link
from preceptor.kit import events
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.events import SYSTEM, Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.people.models import Person
from preceptor.people.service import mail
from preceptor.projects import access as projects
from preceptor.projects.models import Membership, MembershipState, Project
from preceptor.work import access_decisions, queries_decisions, rules
from preceptor.work.errors import ReasonNeeded
from preceptor.work.models import Decision
from preceptor.work.models_quality import Evidence, EvidenceState
from preceptor.work.service import gold
from preceptor.work.service.restoring import reopen_place

EVIDENCE_OFFERED_MAX = 20
"""Of each kind, the newest."""
DECISIONS_SHOWN_MAX = 50
TOLD = {
    ReceiptKind.RETRAIN: "asks you to practise before you take further tasks",
    ReceiptKind.PAUSE: "has paused your place",
    ReceiptKind.REMOVE: "has ended your place",
}
REVIEWED = {Decision.RETURN: "returned", Decision.REJECT: "rejected", Decision.APPROVE: "approved"}
EVENTS = {
    ReceiptKind.RETRAIN: "project.member_retraining",
    ReceiptKind.PAUSE: "project.member_paused",
    ReceiptKind.REMOVE: "project.member_removed",
}


@dataclass(frozen=True)
class EvidenceChoice:
    """Something on record about a person that a decision may rest on. `key` names it in a form or request."""

    key: str
    link: Link
    at: datetime


def evidence_about(session: Session, actor: Actor, project_id: UUID, person_id: UUID) -> list[EvidenceChoice]:
    """What is on record about a person in a project, for who may decide: findings, missed known answers, reviews."""
    projects.project_for_client(session, actor, project_id, *projects.MANAGERS)
    found = [
        _choice("evidence", row.id, f"{row.statement} (false alarms: at most {row.false_alarms:.2g})", row.updated_at)
        for row in session.scalars(queries_decisions.findings(project_id, person_id, EVIDENCE_OFFERED_MAX))
    ]
    for missed in session.scalars(queries_decisions.missed_gold(project_id, person_id, EVIDENCE_OFFERED_MAX)):
        words = f"A known answer was missed: {missed.score:.0%} agreement with key version {missed.version}."
        found.append(_choice("gold", missed.submission_id, words, missed.created_at))
    for review in session.scalars(queries_decisions.adverse_reviews(project_id, person_id, EVIDENCE_OFFERED_MAX)):
        words = f"A review {REVIEWED[review.decision]} work: {review.comment}"
        found.append(_choice("review", review.id, words, review.created_at))
    return found


def _choice(kind: fairness.LinkKind, row_id: UUID, words: str, at: datetime) -> EvidenceChoice:
    shown = show_id({"gold": "submission"}.get(kind, kind), row_id)
    return EvidenceChoice(f"{kind}:{shown}", Link(kind, shown, words), at)


def members_of(session: Session, actor: Actor, project_id: UUID) -> list[tuple[Membership, DecisionReceipt | None]]:
    """Everybody's place in a project with the decision that it rests on, for its client."""
    projects.project_for_client(session, actor, project_id)
    return [(held, receipt) for held, receipt in session.execute(queries_decisions.memberships(project_id))]


def decisions_about(
    session: Session, actor: Actor, project_id: UUID, person_id: UUID
) -> list[tuple[DecisionReceipt, Appeal | None]]:
    """Decisions about a person's place in a project with their appeals, newest first, for its client."""
    projects.project_for_client(session, actor, project_id)
    wanted = ReceiptsWanted(person_id=person_id, project_id=project_id, limit=DECISIONS_SHOWN_MAX)
    rows = session.execute(receipts.receipts(wanted).where(DecisionReceipt.submission_id.is_(None)))
    return [(receipt, appeal) for receipt, appeal in rows]


def decide_about_member(
    session: Session,
    actor: Actor,
    project_id: UUID,
    person_id: UUID,
    kind: ReceiptKind,
    *,
    rule: str,
    reason: str,
    evidence: Sequence[str] = (),
    now: datetime,
) -> DecisionReceipt:
    """Ask for practice, pause or remove a person, by a manager of the client or an operator; the person is told.

    `rule` is one of `fairness.rules.RULES`, `reason` is read by the person, `evidence` names rows that
    `evidence_about` offers. A task that the person holds can be finished and is paid, and so is all that waits for
    review. What is so already stays so: then its receipt is returned. `NothingToPractiseOn` where practice is asked for
    and there is none.
    """
    project, held = access_decisions.member_to_decide(session, actor, project_id, person_id)
    to = rules.MEMBERSHIP_DECISIONS[kind]
    if held.state is to and held.receipt_id is not None:
        return fairness.receipt_of(session, held.receipt_id)
    if to not in rules.MEMBERSHIP_MOVES[held.state]:
        raise Invalid(f"Somebody whose place here is {held.state.value} cannot be asked for this.")
    refuse_impossible(session, project_id, person_id, kind)
    applied = _rule(kind, rule)
    receipt = fairness.give_receipt(
        session,
        actor,
        kind,
        person_id,
        project_id=project_id,
        rule=applied.key,
        rule_version=applied.version,
        statement=clean_reason(reason),
        evidence=_chosen(session, actor, project_id, person_id, evidence),
        appeal_seconds=project.appeal_seconds,
        now=now,
    )
    held.state, held.receipt_id = to, receipt.id
    session.flush()
    _note_seen(session, receipt, now)
    _tell(session, actor, project, receipt, now)
    return receipt


def refuse_impossible(session: Session, project_id: UUID, person_id: UUID, kind: ReceiptKind) -> None:
    """Nobody is asked to practise where there is not enough to practise on: their place would stay closed."""
    if kind is ReceiptKind.RETRAIN:
        gold.refuse_without_material(session, project_id, person_id)


def clean_reason(reason: str) -> str:
    """A reason that the person can act on, or `ReasonNeeded`."""
    reason = reason.strip()
    if not fairness_rules.REASON_CHARS_MIN <= len(reason) <= fairness_rules.REASON_CHARS_MAX:
        least, most = fairness_rules.REASON_CHARS_MIN, fairness_rules.REASON_CHARS_MAX
        message = f"Write {least} to {most:,} characters: the person reads this and may appeal."
        raise ReasonNeeded(message, [{"path": "reason", "message": message}])
    return reason


def _rule(kind: ReceiptKind, key: str) -> fairness_rules.Rule:
    found = fairness_rules.rule_for(kind, key)
    if found is None:
        known = ", ".join(rule.key for rule in fairness_rules.rules_for(kind))
        message = f"{key!r} is no rule for this decision. Use one of {known}."
        raise Invalid(message, [{"path": "rule", "message": message}])
    return found


def _chosen(session: Session, actor: Actor, project_id: UUID, person_id: UUID, keys: Sequence[str]) -> list[Link]:
    offered = {each.key: each.link for each in evidence_about(session, actor, project_id, person_id)}
    unknown = [key for key in keys if key not in offered]
    if unknown or len(keys) > fairness_rules.EVIDENCE_MAX:
        message = "Choose evidence from what is on record about this person."
        raise Invalid(message, [{"path": "evidence", "message": message}])
    return [offered[key] for key in dict.fromkeys(keys)]


def _note_seen(session: Session, receipt: DecisionReceipt, now: datetime) -> None:
    """Findings that a decision refers to need nobody's look any more."""
    found = [read_id("evidence", link["id"]) for link in receipt.evidence if link["kind"] == "evidence"]
    if found:
        session.execute(update(Evidence).where(Evidence.id.in_(found)).values(state=EvidenceState.SEEN, updated_at=now))


def _tell(session: Session, actor: Actor, project: Project, receipt: DecisionReceipt, now: datetime) -> None:
    _record(session, actor, EVENTS[receipt.kind], project, receipt.person_id, now, _data(receipt))
    person = session.get_one(Person, receipt.person_id)
    body = (
        f"Hello {person.name},\n\nthe project “{project.title}” {TOLD[receipt.kind]}.\n\n"
        f"Rule: {fairness_rules.title_of(receipt.rule)} (version {receipt.rule_version})\n"
        f"Reason: {receipt.statement}\n\n"
        "A task that you hold can be finished and is paid; what you have submitted is decided and paid as before.\n\n"
        "The decision with its evidence stands in your account under Decisions. If you think that it is wrong, appeal "
        f"there until {receipt.appeal_until:%-d %b %Y, %H:%M} UTC: somebody else then looks at it.\n"
    )
    mail.send(session, person.email, f"A decision about your place in “{project.title}”", body, now=now)


def _data(receipt: DecisionReceipt) -> dict[str, object]:
    return {"receipt": str(receipt.id), "rule": receipt.rule, "reason": receipt.statement}


def reinstate(
    session: Session, actor: Actor, project_id: UUID, person_id: UUID, *, reason: str = "", now: datetime
) -> Membership:
    """Lift a pause, a removal or the need to practise. Needs no receipt; reinstating twice is the same as once."""
    project, held = access_decisions.member_to_decide(session, actor, project_id, person_id)
    if held.state is MembershipState.ACTIVE:
        return held
    if held.state is MembershipState.LEFT:
        raise Invalid("This person has left by themselves. They join again when they want to.")
    reopen_place(session, actor, held, "reinstated", now=now, why=reason.strip()[: fairness_rules.REASON_CHARS_MAX])
    person = session.get_one(Person, person_id)
    body = f"Hello {person.name},\n\nyour place in the project “{project.title}” is open again.\n"
    mail.send(session, person.email, f"Your place in “{project.title}” is open again", body, now=now)
    return held


def finish_retraining(session: Session, person_id: UUID, project_id: UUID, *, now: datetime) -> bool:
    """The person has passed the practice that was asked of them: their place is open again. False where none was."""
    wanted = select(Membership).where(Membership.project_id == project_id, Membership.person_id == person_id)
    held = session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if held is None:
        raise NotFound("member")
    if held.state is not MembershipState.RETRAINING:
        return False
    reopen_place(session, SYSTEM, held, "practice passed", now=now)
    return True


def _record(
    session: Session,
    actor: Actor,
    kind: str,
    project: Project,
    person_id: UUID,
    now: datetime,
    data: dict[str, object],
) -> None:
    events.record(
        session,
        actor,
        kind,
        "project",
        project.id,
        at=now,
        org_id=project.org_id,
        project_id=project.id,
        person_id=person_id,
        data=data,
    )
