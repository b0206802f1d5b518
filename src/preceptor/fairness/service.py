"""Decision receipts and appeals: written before anything adverse happens, looked at again by somebody else.

Knows persons and ids only. The domains above write a receipt before they act, and undo their own act when an appeal
succeeds.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.fairness import queries, rules
from preceptor.fairness.errors import (
    AlreadyAppealed,
    AppealTooLate,
    DecidedFirst,
    DecidesAboutThemselves,
    HumanNeeded,
    StatementNeeded,
    WordsNeeded,
)
from preceptor.fairness.models import Appeal, AppealOrigin, AppealState, DecisionReceipt, ReceiptKind
from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor

LinkKind = Literal["review", "criterion", "gold", "evidence", "submission"]


@dataclass(frozen=True)
class Link:
    """One thing that a decision rests on: a row by kind and id, and what it says in words."""

    kind: LinkKind
    id: str
    text: str


def give_receipt(
    session: Session,
    actor: Actor,
    kind: ReceiptKind,
    person_id: UUID,
    *,
    project_id: UUID | None = None,
    submission_id: UUID | None = None,
    rule: str,
    rule_version: str,
    statement: str,
    evidence: Sequence[Link] = (),
    appeal_seconds: int = rules.APPEAL_SECONDS,
    now: datetime,
) -> DecisionReceipt:
    """Write down a decision against a person, before it takes effect; flushed, since the database asks for it.

    Raises `HumanNeeded` for an actor without a person, `DecidesAboutThemselves`, and `StatementNeeded` without words.
    """
    if actor.person_id is None:
        raise HumanNeeded
    if actor.person_id == person_id:
        raise DecidesAboutThemselves
    if not statement.strip():
        raise StatementNeeded
    receipt = DecisionReceipt(
        kind=kind,
        person_id=person_id,
        project_id=project_id,
        submission_id=submission_id,
        rule=rule,
        rule_version=rule_version,
        statement=statement.strip(),
        evidence=[asdict(link) for link in evidence],
        decided_by=actor.person_id,
        decided_at=now,
        appeal_until=now + timedelta(seconds=appeal_seconds),
    )
    session.add(receipt)
    session.flush()
    return receipt


def receipt_of(session: Session, receipt_id: UUID, *, lock: bool = False) -> DecisionReceipt:
    """A receipt by id; the caller checks who asks. Locked, it is the first lock of everything about its appeal."""
    found = session.scalar(queries.receipt(receipt_id, lock=lock))
    if found is None:
        raise NotFound("receipt")
    return found


def own_receipt(session: Session, actor: Actor, receipt_id: UUID, *, lock: bool = False) -> DecisionReceipt:
    """A decision about the person who asks; missing and somebody else's look the same."""
    found = session.scalar(queries.receipt(receipt_id, lock=lock))
    if found is None or found.person_id != actor.person_id:
        raise NotFound("receipt")
    return found


def appeal_of(session: Session, receipt_id: UUID) -> Appeal | None:
    return session.scalar(queries.appeal_of(receipt_id))


def open_appeal(session: Session, actor: Actor, receipt_id: UUID, words: str, *, now: datetime) -> Appeal:
    """The person asks for another look, once for each decision. The same words again are the same appeal.

    Raises `AppealTooLate`, `WordsNeeded` and, for other words, `AlreadyAppealed`.
    """
    receipt = own_receipt(session, actor, receipt_id, lock=True)
    words = words.strip()
    found = appeal_of(session, receipt.id)
    if found is not None:
        if found.words == words:
            return found
        raise AlreadyAppealed
    if not rules.in_time(receipt.appeal_until, now):
        raise AppealTooLate(f"The time to appeal this decision ended on {receipt.appeal_until:%-d %b %Y, %H:%M} UTC.")
    if not rules.WORDS_CHARS_MIN <= len(words) <= rules.WORDS_CHARS_MAX:
        raise WordsNeeded(
            f"Say in {rules.WORDS_CHARS_MIN} to {rules.WORDS_CHARS_MAX:,} characters what is wrong about the decision.",
            [{"path": "words", "message": f"between {rules.WORDS_CHARS_MIN} and {rules.WORDS_CHARS_MAX:,} characters"}],
        )
    return _write_appeal(session, receipt, AppealOrigin.PERSON, words, now)


def open_for_gold(session: Session, receipt: DecisionReceipt, words: str, *, now: datetime) -> Appeal:
    """The appeal that a corrected key opens, or the person's own, taken over: it is then decided by the correction."""
    found = appeal_of(session, receipt.id)
    if found is None:
        return _write_appeal(session, receipt, AppealOrigin.GOLD_CHALLENGE, words, now)
    found.origin = AppealOrigin.GOLD_CHALLENGE
    return found


def _write_appeal(
    session: Session, receipt: DecisionReceipt, origin: AppealOrigin, words: str, now: datetime
) -> Appeal:
    appeal = Appeal(
        receipt_id=receipt.id,
        person_id=receipt.person_id,
        project_id=receipt.project_id,
        first_decider_id=receipt.decided_by,
        origin=origin,
        words=words,
        created_at=now,
    )
    session.add(appeal)
    session.flush()
    return appeal


def refuse_wrong_decider(appeal: Appeal, actor: Actor) -> None:
    """Appeals are decided by a human who is neither the person nor, for a person's appeal, the first decider."""
    if actor.person_id is None:
        raise HumanNeeded
    if actor.person_id == appeal.person_id:
        raise DecidesAboutThemselves
    if appeal.origin is AppealOrigin.PERSON and actor.person_id == appeal.first_decider_id:
        raise DecidedFirst


def settle(session: Session, actor: Actor, appeal: Appeal, to: AppealState, reason: str, *, now: datetime) -> None:
    """Write the outcome of an appeal whose receipt the caller has locked. The person reads the reason."""
    refuse_wrong_decider(appeal, actor)
    reason = reason.strip()
    if not rules.REASON_CHARS_MIN <= len(reason) <= rules.REASON_CHARS_MAX:
        raise StatementNeeded(
            f"Say why in {rules.REASON_CHARS_MIN} to {rules.REASON_CHARS_MAX:,} characters: the person reads it.",
            [{"path": "reason", "message": f"between {rules.REASON_CHARS_MIN} and {rules.REASON_CHARS_MAX:,}"}],
        )
    appeal.state, appeal.decided_by, appeal.decided_at, appeal.reason = to, actor.person_id, now, reason
    session.flush()
