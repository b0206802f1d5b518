"""The suggestion of one claim: attached when the claim is taken, used or not, measured when it is answered.

Whether it is shown is drawn by task (docs/decisions) and kept with the claim, so that whatever is measured is about
what the person was really shown.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, JsonValue
from sqlalchemy import Row, delete, update
from sqlalchemy.orm import Session

from preceptor.kit import events
from preceptor.kit.events import Actor
from preceptor.projects.models import Project
from preceptor.tasktypes import suggesting as forms
from preceptor.tasktypes.base import to_json
from preceptor.tasktypes.working import Working
from preceptor.work import access, queries_suggestions, rules_suggestions
from preceptor.work.errors import ClaimEnded
from preceptor.work.errors_suggestions import NothingSuggested
from preceptor.work.models import Claim, ClaimState, Submission
from preceptor.work.models_suggestions import ClaimSuggestion, SuggestionSource


@dataclass(frozen=True)
class ShownSuggestion:
    """A suggestion as its person sees it: `answer` and `words` in shown names."""

    answer: dict[str, JsonValue]
    words: str
    model: str
    """What the file calls the model; empty for an AI judge, whose client does not have to name it."""
    used: bool | None


def attach(
    session: Session, terms: Row[Any], kind: Working, payload: BaseModel, claim: Claim, *, now: datetime
) -> ClaimSuggestion | None:
    """Keep what is suggested for a claim just taken, shown or blind; None where nothing is. `terms` are those of
    `queries.LOCK_MEMBERSHIP`."""
    found = _found(session, terms, kind, payload, claim.task_id)
    if found is None:
        return None
    source, brought = found
    drawn = terms.suggestion_salt is not None
    blind = drawn and rules_suggestions.is_blind(claim.task_id, terms.suggestion_salt, terms.blind_percent)
    # Who lost the lease and has the task again finds the draft, and so how it began.
    again = claim.draft is not None and not blind
    kept = ClaimSuggestion(
        claim_id=claim.id,
        project_id=claim.project_id,
        task_id=claim.task_id,
        source=source,
        judge_id=terms.suggesting_judge if source is SuggestionSource.JUDGE else None,
        model=brought.model,
        shown=not blind,
        blind_percent=terms.blind_percent if drawn else None,
        answer=to_json(brought.answer),
        used=session.scalar(queries_suggestions.pressed_before(claim.task_id, claim.person_id)) if again else None,
        used_at=None,
        created_at=now,
    )
    session.add(kept)
    session.flush()
    return kept


def _found(
    session: Session, terms: Row[Any], kind: Working, payload: BaseModel, task_id: UUID
) -> tuple[SuggestionSource, forms.Brought] | None:
    # A project that has not decided shows what its files bring along, to everybody.
    source = SuggestionSource(terms.suggests or SuggestionSource.FILE)
    if source is SuggestionSource.FILE:
        brought = forms.brought(kind, payload)
        return None if brought is None else (source, brought)
    if source is SuggestionSource.OFF:
        return None
    judged = session.execute(queries_suggestions.judged(terms.suggesting_judge, task_id)).one_or_none()
    if judged is None:
        return None
    answer = forms.as_suggestion(kind, kind.answer(judged.answer))
    return source, forms.Brought(answer, judged.model_version or "")


def of_claim(session: Session, claim_id: UUID) -> ClaimSuggestion | None:
    """What was kept with a claim; the caller has made sure that the reader may know."""
    return session.scalar(queries_suggestions.of_claim(claim_id))


def was_sent(session: Session, actor: Actor, task_id: UUID) -> bool:
    """Whether the person has taken this task before while something was suggested for it, shown or blind."""
    assert actor.person_id is not None
    return session.scalar(queries_suggestions.sent_before(task_id, actor.person_id)) is not None


def drop_unsent(session: Session, claim_id: UUID) -> None:
    """Forget what was suggested for a claim whose person was never sent the task.

    On both sides: who answers so is neither shown nor blind by draw, and to leave out only one side would compare
    different people.
    """
    session.execute(delete(ClaimSuggestion).where(ClaimSuggestion.claim_id == claim_id))


def as_shown(
    kind: Working, shown: dict[str, JsonValue], claim: Claim, kept: ClaimSuggestion | None
) -> ShownSuggestion | None:
    """The suggestion for its person; None where there is none, and where the task is judged blind. `shown` is the
    payload as the person sees it."""
    if kept is None or not kept.shown:
        return None
    answer = kind.as_shown(kind.answer(kept.answer), claim.display_order)
    # Every field of the answer is named, so that one who takes it over takes over what it leaves empty, too.
    fields: dict[str, JsonValue] = {**dict.fromkeys(type(answer).model_fields), **to_json(answer)}
    words = kind.in_words(kind.payload(shown), answer).headline
    return ShownSuggestion(fields, words, kept.model if kept.source is SuggestionSource.FILE else "", kept.used)


def note_use(session: Session, actor: Actor, claim_id: UUID, used: bool | None, *, now: datetime) -> ClaimSuggestion:
    """Keep that the person begins with the suggestion, does without it, or has taken that back (None)."""
    claim = access.own_claim(session, actor, claim_id, lock=True)
    kept = of_claim(session, claim.id)
    if kept is None or not kept.shown:
        raise NothingSuggested
    if claim.state is not ClaimState.OPEN:
        raise ClaimEnded
    if kept.used is not used:
        kept.used, kept.used_at = used, now
        session.flush()
        _record(session, actor, claim, used, now)
    return kept


def _record(session: Session, actor: Actor, claim: Claim, used: bool | None, now: datetime) -> None:
    events.record(
        session,
        actor,
        "work.suggestion_used" if used else "work.suggestion_put_back" if used is None else "work.suggestion_declined",
        "claim",
        claim.id,
        at=now,
        org_id=session.get_one(Project, claim.project_id).org_id,
        project_id=claim.project_id,
        person_id=claim.person_id,
    )


def measure(session: Session, kind: Working, row: Row[Any], answer: dict[str, Any], submission: Submission) -> None:
    """Hold a first answer against what was suggested, shown or not. `row` is of `queries.CLAIM_TO_SUBMIT`."""
    if row.suggested is None or row.suggestion_measured is not None:
        return
    payload, suggested, given = kind.payload(row.payload), kind.answer(row.suggested), kind.answer(answer)
    same = forms.says_the_same(kind, payload, suggested, given)
    outcome = rules_suggestions.outcome_of(same, row.suggestion_used) if row.suggestion_shown else None
    session.execute(
        update(ClaimSuggestion)
        .where(ClaimSuggestion.claim_id == row.id)
        .values(
            submission_id=submission.id,
            agrees=forms.agrees(kind, payload, suggested, given),
            distances={key: round(far, 6) for key, far in kind.distance(payload, suggested, given).items()},
            outcome=outcome,
        )
    )
