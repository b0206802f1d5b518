"""Selects over receipts and appeals, returned and not executed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from preceptor.fairness.models import Appeal, AppealState, DecisionReceipt, ReceiptKind

OUTCOMES = ("all", "not_appealed", "open", "stands", "overturned")
"""Filters of receipts by what became of an appeal."""


@dataclass(frozen=True)
class ReceiptsWanted:
    """Which receipts: everything that is set must fit. `before` is the last id of the page before."""

    person_id: UUID | None = None
    project_id: UUID | None = None
    decided_by: UUID | None = None
    kind: ReceiptKind | None = None
    outcome: str = "all"
    before: UUID | None = None
    limit: int = 50


def receipts(wanted: ReceiptsWanted) -> Select[tuple[DecisionReceipt, Appeal]]:
    """Receipts with their appeals (None where there is none), newest first."""
    found = (
        select(DecisionReceipt, Appeal)
        .outerjoin(Appeal, Appeal.receipt_id == DecisionReceipt.id)
        .where(*_conditions(wanted))
        .order_by(DecisionReceipt.id.desc())
        .limit(wanted.limit)
    )
    return found if wanted.before is None else found.where(DecisionReceipt.id < wanted.before)


def _conditions(wanted: ReceiptsWanted) -> list[ColumnElement[bool]]:
    given: list[tuple[object, ColumnElement[bool]]] = [
        (wanted.person_id, DecisionReceipt.person_id == wanted.person_id),
        (wanted.project_id, DecisionReceipt.project_id == wanted.project_id),
        (wanted.decided_by, DecisionReceipt.decided_by == wanted.decided_by),
        (wanted.kind, DecisionReceipt.kind == wanted.kind),
    ]
    found = [condition for value, condition in given if value is not None]
    if wanted.outcome == "not_appealed":
        found.append(Appeal.id.is_(None))
    elif wanted.outcome in OUTCOMES[2:]:
        found.append(Appeal.state == wanted.outcome)
    return found


def receipt(receipt_id: UUID, *, lock: bool = False) -> Select[tuple[DecisionReceipt]]:
    """One receipt. Its lock is the first of everything that is done with its appeal."""
    found = select(DecisionReceipt).where(DecisionReceipt.id == receipt_id)
    return found.with_for_update(key_share=True) if lock else found


def appeal_of(receipt_id: UUID) -> Select[tuple[Appeal]]:
    return select(Appeal).where(Appeal.receipt_id == receipt_id).execution_options(populate_existing=True)


def receipts_of_submissions(submission_ids: Sequence[UUID]) -> Select[tuple[DecisionReceipt, Appeal]]:
    return (
        select(DecisionReceipt, Appeal)
        .outerjoin(Appeal, Appeal.receipt_id == DecisionReceipt.id)
        .where(DecisionReceipt.submission_id.in_(submission_ids))
    )


@dataclass(frozen=True)
class Reach:
    """Whose appeals somebody may decide: of work in some projects, of anything in others, or all of them."""

    everything: bool
    work_in: tuple[UUID, ...]
    all_in: tuple[UUID, ...]


OF_WORK = (ReceiptKind.RETURN, ReceiptKind.REJECT)


def appeals(
    reach: Reach, person_id: UUID, *, open_only: bool, before: UUID | None, limit: int
) -> Select[tuple[Appeal, DecisionReceipt]]:
    """Appeals within reach that are not about the person who asks; the open ones oldest first, else newest first."""
    order = Appeal.created_at if open_only else Appeal.id.desc()
    found = (
        select(Appeal, DecisionReceipt)
        .join(DecisionReceipt, DecisionReceipt.id == Appeal.receipt_id)
        .where(_within(reach), Appeal.person_id != person_id)
        .order_by(order, Appeal.id)
        .limit(limit)
    )
    if open_only:
        found = found.where(Appeal.state == AppealState.OPEN)
    else:
        found = found.where(Appeal.state != AppealState.OPEN)
    return found if before is None else found.where(Appeal.id > before if open_only else Appeal.id < before)


def waiting(reach: Reach, person_id: UUID) -> Select[tuple[int]]:
    """How many open appeals this person could decide."""
    return (
        select(func.count())
        .select_from(Appeal)
        .join(DecisionReceipt, DecisionReceipt.id == Appeal.receipt_id)
        .where(
            _within(reach),
            Appeal.state == AppealState.OPEN,
            Appeal.person_id != person_id,
            Appeal.first_decider_id != person_id,
        )
    )


def _within(reach: Reach) -> ColumnElement[bool]:
    if reach.everything:
        return DecisionReceipt.id.is_not(None)
    return or_(
        DecisionReceipt.project_id.in_(reach.all_in),
        and_(DecisionReceipt.project_id.in_(reach.work_in), DecisionReceipt.kind.in_(OF_WORK)),
    )


def outcomes(by: ColumnElement[Any], within: ColumnElement[bool]) -> Select[Any]:
    """Per `by`: decisions, appealed, decided appeals, overturned ones. Corrected keys count as neither."""
    by_person = Appeal.origin == "person"
    return (
        select(
            by.label("subject"),
            func.count().label("decisions"),
            func.count().filter(by_person).label("appealed"),
            func.count().filter(by_person, Appeal.state != AppealState.OPEN).label("decided"),
            func.count().filter(by_person, Appeal.state == AppealState.OVERTURNED).label("overturned"),
            func.count().filter(~by_person).label("corrected"),
        )
        .select_from(DecisionReceipt)
        .outerjoin(Appeal, Appeal.receipt_id == DecisionReceipt.id)
        .where(within)
        .group_by(by)
    )
