"""Submitting: an answer is checked by its task type and stored once."""

import random
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import ValidationError
from sqlalchemy import Row, select
from sqlalchemy.orm import Session, make_transient_to_detached

from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.kit.ids import new_id
from preceptor.media import service as media
from preceptor.projects.models import OverlapMode, TaskState
from preceptor.tasktypes.base import Problem, UnknownLabel, problems_of, to_json
from preceptor.tasktypes.working import Working, working
from preceptor.work import queries, rules
from preceptor.work.errors import AlreadySubmitted, ClaimEnded, Incomplete, LeaseOver
from preceptor.work.models import ClaimState, Submission, SubmissionState
from preceptor.work.service import generating, likeness, overlap, risk, running, suggesting

# From the system's entropy: a review that somebody can foresee says little about their other work.
_DRAWS = random.SystemRandom()


ANSWERED = frozenset({ClaimState.SUBMITTED, ClaimState.APPROVED, ClaimState.REJECTED})
"""States in which the answer is given: who sends it again, since the first reply was lost, gets the same."""


def submit(session: Session, actor: Actor, claim_id: UUID, answer: dict[str, Any], *, now: datetime) -> Submission:
    """Store the answer (in shown names) to a claim. Submitting the same twice is the same as once.

    Refuses an incomplete answer with every problem named (`Incomplete`), a lease that is over (`LeaseOver`) and
    a different answer to a claim that was answered (`AlreadySubmitted`).
    """
    row = session.execute(queries.CLAIM_TO_SUBMIT, {"claim_id": claim_id, "person_id": actor.person_id}).one_or_none()
    if row is None:
        raise NotFound("claim")
    kind = working(row.task_type, row.config)
    canonical = _check(session, kind, row, answer)
    if row.state in ANSWERED:
        return _same_as_before(session, claim_id, canonical)
    if row.state not in (ClaimState.OPEN, ClaimState.RETURNED):
        raise LeaseOver if row.state == ClaimState.EXPIRED else ClaimEnded
    if rules.lease_is_over(row.leased_until, now):
        raise LeaseOver
    likeness.keep_apart(session, kind, row, kind.answer(canonical), now=now)
    submission = _write(session, actor, row, canonical, now)
    suggesting.measure(session, kind, row, canonical, submission)
    if "upload" in kind.kind.services:
        media.place_in_answer(session, row.org_id, row.project_id, submission.id, orjson.dumps(canonical).decode())
    return submission


def _check(session: Session, kind: Working, row: Row[Any], answer: dict[str, Any]) -> dict[str, Any]:
    """The answer in stored names, complete by the task type's own rules, with what we know of a run of its code and
    what it quotes of models proven."""
    try:
        given, payload = kind.answer(answer), kind.payload(row.payload)
        _refuse(kind.check(kind.payload(kind.present(payload, row.display_order)), given))
        canonical = running.with_run(session, kind, payload, row.id, kind.canonical(given, row.display_order))
        return generating.verified(session, kind, row.id, payload, given, to_json(canonical))
    except ValidationError as error:
        _refuse(problems_of(error))
        raise
    except UnknownLabel as error:
        raise Incomplete(str(error)) from error


def _refuse(problems: list[Problem]) -> None:
    if problems:
        listed = [{"path": problem.path, "message": problem.message} for problem in problems]
        raise Incomplete(problems[0].message, listed)


def _write(session: Session, actor: Actor, row: Row[Any], answer: dict[str, Any], now: datetime) -> Submission:
    draw = risk.draw(row, answer, (_DRAWS.random(), _DRAWS.random()))
    fixed = {
        "claim_id": row.id,
        "task_id": row.task_id,
        "project_id": row.project_id,
        "person_id": row.person_id,
        "worked_seconds": row.worked_seconds + rules.worked_between(row.last_beat_at, now),
        "review_wanted": draw.wanted,
        "review_reason": draw.reason,
        "review_chance": draw.chance,
        # Who revises has been told what is wrong, which no longer shows what they know.
        "to_score": row.task_state == TaskState.GOLD and row.state == ClaimState.OPEN,
        "decide_at": rules.decide_at(now, draw.wanted, row.review_seconds),
    }
    values = fixed | {
        "submission_id": new_id(),
        "org_id": row.org_id,
        "actor_kind": actor.kind,
        "answer": orjson.dumps(answer).decode(),
        "now": now,
    }
    revision = session.execute(queries.SUBMIT, values).scalar_one()
    known = fixed | {"id": values["submission_id"], "answer": answer, "created_at": now}
    submission = _as_written(session, known, revision)
    _follow_up(session, row, now)
    return submission


def _follow_up(session: Session, row: Row[Any], now: datetime) -> None:
    """What an answer sets going in its own transaction, with the task still locked: the decision to ask one more person
    where overlap is adaptive. An answer to gold does as much; the next sweep compares it (`gold.score_waiting`)."""
    if row.overlap_mode != OverlapMode.ADAPTIVE:
        return
    if row.task_state == TaskState.GOLD:
        overlap.after_gold(session, row.task_id, now=now)
    else:
        overlap.after_submission(session, row.task_id, now=now)


def _as_written(session: Session, known: dict[str, Any], revision: int) -> Submission:
    """The submission just written, known to the session without being read back."""
    submission = Submission(
        **known,
        revision=revision,
        state=SubmissionState.SUBMITTED,
        reviewer_id=None,
        review_leased_until=None,
        decided_at=None,
    )
    make_transient_to_detached(submission)
    session.add(submission)
    return submission


def _same_as_before(session: Session, claim_id: UUID, answer: dict[str, Any]) -> Submission:
    latest = select(Submission).where(Submission.claim_id == claim_id).order_by(Submission.revision.desc()).limit(1)
    submission = session.scalars(latest).one()
    if submission.answer != answer:
        raise AlreadySubmitted
    return submission
