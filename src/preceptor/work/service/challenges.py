"""Challenges to known answers: a contributor says that a key is wrong, a manager decides, a wrong key is made good.

A known answer measures people, so a wrong one wrongs everybody who met it. An upheld challenge therefore corrects the
key, compares all answers with the new one and undoes the decisions that rested on the old, in one transaction.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.orm import Session

from preceptor.fairness.models import DecisionReceipt
from preceptor.kit import events, jobs
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.events import Actor
from preceptor.kit.ids import new_id, show_id
from preceptor.people.models import Person
from preceptor.people.service import mail
from preceptor.projects import access as projects
from preceptor.projects.models import GoldCorrection, Project, Task, TaskGold, TaskState
from preceptor.projects.service import mixing
from preceptor.tasktypes.base import Row, to_json
from preceptor.tasktypes.working import Working
from preceptor.work import access_gold, queries_gold, rules_gold
from preceptor.work.errors import ReasonNeeded
from preceptor.work.errors_gold import (
    AlreadyChallenged,
    ChallengeDecided,
    ChallengeTooLate,
    KeyUnchanged,
    KeyUnusable,
    WordsNeeded,
)
from preceptor.work.models import Claim, Submission
from preceptor.work.models_quality import ChallengeState, GoldChallenge, GoldResult
from preceptor.work.service import appeals, gold, overlap
from preceptor.work.service.fitting import FIT_JOB


class Outcome(StrEnum):
    """What a manager finds."""

    DISMISS = "dismiss"
    """The known answer is right."""
    THEIRS = "theirs"
    """The challenger's answer is right."""
    CORRECT = "correct"
    """Another answer is right."""
    WITHDRAW = "withdraw"
    """No answer is plainly right; the task measures nobody."""


# --- The contributor


@dataclass(frozen=True)
class SeenGold:
    """That one's own decided answer was checked, and against what. Everything in the names that were shown."""

    result: GoldResult
    key: Row
    reasons: tuple[str, ...]
    explanation: str
    challenge: GoldChallenge | None
    challenge_until: datetime
    corrected: bool
    """Whether the key was another one when the answer was given."""


def seen_gold(session: Session, actor: Actor, submission_id: UUID) -> SeenGold | None:
    """What a submission of one's own was checked against, once its claim has ended; None for nothing, or not yet."""
    found = access_gold.own_gold(session, actor, submission_id)
    if found is None:
        return None
    result, known, claim, submission = found
    project = session.get_one(Project, result.project_id)
    kind = project.kind
    key, reasons = _compared(kind, session.get_one(Task, result.task_id), claim, submission, known)
    return SeenGold(
        result=result,
        key=key,
        reasons=reasons,
        explanation=known.explanation,
        challenge=session.scalar(queries_gold.challenge_of(result.person_id, result.task_id)),
        challenge_until=rules_gold.challenge_until(_decided_at(claim, submission), project.appeal_seconds),
        corrected=known.version > 1,
    )


def _compared(
    kind: Working, task: Task, claim: Claim, submission: Submission, known: TaskGold
) -> tuple[Row, tuple[str, ...]]:
    """The key and the reasons of the score, in shown names."""
    payload = kind.payload(task.payload)
    shown = kind.payload(kind.present(payload, claim.display_order))
    key = kind.as_shown(kind.answer(known.answer), claim.display_order)
    given = kind.as_shown(kind.answer(submission.answer), claim.display_order)
    return to_json(key), kind.score(shown, given, key).reasons


def _decided_at(claim: Claim, submission: Submission) -> datetime:
    return claim.ended_at or submission.decided_at or submission.created_at


def challenge_gold(session: Session, actor: Actor, submission_id: UUID, words: str, *, now: datetime) -> GoldChallenge:
    """Say that the known answer that one was checked against is wrong. The same words again are the same challenge.

    NotFound for every submission that was not checked, is not decided or is not one's own: asking tells nobody which
    open task is gold.
    """
    found = access_gold.own_gold(session, actor, submission_id)
    if found is None:
        raise NotFound("known_answer")
    result, _, claim, submission = found
    said = words.strip()
    before = session.scalar(queries_gold.challenge_of(result.person_id, result.task_id))
    if before is not None:
        if before.words == said:
            return before
        raise AlreadyChallenged
    if len(said) < rules_gold.WORDS_CHARS_MIN:
        raise WordsNeeded
    if len(said) > rules_gold.WORDS_CHARS_MAX:
        raise Invalid(f"Use at most {rules_gold.WORDS_CHARS_MAX:,} characters.")
    appeal_seconds = session.get_one(Project, result.project_id).appeal_seconds
    if now > rules_gold.challenge_until(_decided_at(claim, submission), appeal_seconds):
        raise ChallengeTooLate
    challenge = GoldChallenge(
        task_id=result.task_id,
        project_id=result.project_id,
        person_id=result.person_id,
        submission_id=submission.id,
        words=said,
        created_at=now,
    )
    session.add(challenge)
    session.flush()
    _record(session, actor, "work.gold_challenged", challenge, now)
    return challenge


# --- The client


@dataclass(frozen=True)
class ChallengeCase:
    """A challenge with what it takes to decide it. Answers in stored names; `answers` by how many people gave it."""

    challenge: GoldChallenge
    task: Task
    known: Row
    """The known answer as it is now; for a withdrawn one, as it last was."""
    explanation: str
    theirs: Row
    answers: list[tuple[Row, int, bool]]
    """(what was answered, by how many, whether it passed), the most common first."""
    others_open: int


def list_challenges(
    session: Session,
    actor: Actor,
    project_id: UUID,
    *,
    open_only: bool = True,
    after: UUID | None = None,
    limit: int = 50,
) -> list[tuple[GoldChallenge, Task, Submission]]:
    """Challenges of a project, for its managers: open ones oldest first, else newest first."""
    projects.project_for_client(session, actor, project_id, *projects.MANAGERS)
    found = queries_gold.challenges(project_id, open_only=open_only, after=after, limit=limit)
    return [row._tuple() for row in session.execute(found)]


def challenge_case(session: Session, actor: Actor, challenge_id: UUID) -> ChallengeCase:
    """One challenge for a manager, with everybody's answers counted and nobody named."""
    challenge = access_gold.challenge_for_client(session, actor, challenge_id)
    task = session.get_one(Task, challenge.task_id)
    known = session.get(TaskGold, task.id) or session.scalars(queries_gold.last_correction(task.id)).one()
    kind = session.get_one(Project, challenge.project_id).kind
    counted: Counter[str] = Counter()
    seen: dict[str, tuple[Row, bool]] = {}
    for result, answer in session.execute(queries_gold.answers_checked(task.id)):
        essence = repr(sorted(labels_of(kind, task, answer).items()))
        counted[essence] += 1
        seen.setdefault(essence, (answer, result.passed))
    theirs = session.get_one(Submission, challenge.submission_id).answer
    return ChallengeCase(
        challenge=challenge,
        task=task,
        known=known.answer,
        explanation=known.explanation,
        theirs=theirs,
        answers=[(seen[essence][0], count, seen[essence][1]) for essence, count in counted.most_common()],
        others_open=session.scalar(queries_gold.open_challenges(challenge.project_id)) or 0,
    )


def labels_of(kind: Working, task: Task, answer: Mapping[str, Any]) -> dict[str, str]:
    """What an answer says, unit by unit: answers that say the same in other words are the same."""
    given = kind.answer(answer)
    return kind.labels(kind.payload(task.payload), given) or {"answer": kind.as_key(given).model_dump_json()}


def decide_challenge(
    session: Session,
    actor: Actor,
    challenge_id: UUID,
    outcome: Outcome,
    reason: str,
    *,
    answer: Mapping[str, Any] | None = None,
    now: datetime,
) -> GoldChallenge:
    """Dismiss a challenge, correct the key, or withdraw the task as gold; with a reason that the person reads.

    `answer` is the right one in stored names, for `Outcome.CORRECT`. Managers of the client only, and nobody who has
    answered the task. Deciding the same again is the same. Where the key falls, everybody's result is compared anew,
    decisions that rested on it are overturned (`appeals.overturn_for_gold`), and everybody concerned is told.

    Lock order: challenge, then per overturned decision what that locks (receipt, claim, submission, task, money), then
    task, known answer, results. An answer that was not compared yet waits for these and is compared with the new key.
    """
    challenge = access_gold.challenge_for_client(session, actor, challenge_id, lock=True)
    if challenge.state is not ChallengeState.OPEN:
        if challenge.decided_by == actor.person_id and challenge.reason == reason.strip():
            return challenge
        raise ChallengeDecided
    if len(reason.strip()) < rules_gold.WORDS_CHARS_MIN:
        raise ReasonNeeded(f"Give the reason in at least {rules_gold.WORDS_CHARS_MIN} characters; the person reads it.")
    if outcome is not Outcome.DISMISS:
        key = _new_key(session, challenge, outcome, answer)
        _make_good(session, actor, challenge, key, reason.strip(), now)
        challenge.new_answer = key
    challenge.state = ChallengeState.DISMISSED if outcome is Outcome.DISMISS else ChallengeState.UPHELD
    challenge.decided_by, challenge.reason, challenge.decided_at = actor.person_id, reason.strip(), now
    session.flush()
    _record(session, actor, f"work.gold_challenge_{challenge.state.value}", challenge, now)
    _mail_outcome(session, challenge, now)
    return challenge


def _new_key(
    session: Session, challenge: GoldChallenge, outcome: Outcome, answer: Mapping[str, Any] | None
) -> Row | None:
    """The corrected key in stored names, None to withdraw; refused where it says nothing, or nothing new."""
    if outcome is Outcome.WITHDRAW:
        return None
    task = session.get_one(Task, challenge.task_id)
    kind = session.get_one(Project, challenge.project_id).kind
    if outcome is Outcome.THEIRS:
        answer = session.get_one(Submission, challenge.submission_id).answer
    key = usable_key(kind, task, answer or {})
    known = session.get(TaskGold, task.id)
    if known is not None and labels_of(kind, task, known.answer) == labels_of(kind, task, key):
        raise KeyUnchanged
    return key


def usable_key(kind: Working, task: Task, answer: Mapping[str, Any]) -> Row:
    """An answer that can be a key: it fits the task and scores fully against itself."""
    payload = kind.payload(task.payload)
    try:
        key = kind.as_key(kind.answer(answer))
        if kind.score(payload, key, key).value < 1:
            raise KeyUnusable
    except ValidationError as error:
        raise KeyUnusable(f"This cannot be the known answer: {error.errors()[0]['msg']}.") from error
    except ValueError as error:
        raise KeyUnusable from error
    return to_json(key)


def _make_good(
    session: Session, actor: Actor, challenge: GoldChallenge, key: Row | None, reason: str, now: datetime
) -> None:
    """Replace the key, compare everybody anew and undo what rested on it."""
    kind = session.get_one(Project, challenge.project_id).kind
    task = session.get_one(Task, challenge.task_id)
    overturned = _overturn(session, actor, _cleared(session, kind, task, key), challenge.project_id, reason, now)
    task, known = access_gold.gold_task(session, actor, challenge.project_id, challenge.task_id, lock=True)
    cleared = _cleared(session, kind, task, key)
    _replace_key(session, actor, task, known, key, reason, now)
    changed = _compare_anew(session, kind, task, known, key)
    overturned |= _overturn(session, actor, cleared, challenge.project_id, reason, now)
    _tell_changed(session, actor, challenge, changed, overturned, key is None, now)
    # What is known of people's skill, and evidence about them, is made anew from the corrected results.
    jobs.defer(session, FIT_JOB, project_id=str(challenge.project_id), fit_id=str(new_id()))


def _cleared(session: Session, kind: Working, task: Task, key: Row | None) -> dict[UUID, UUID]:
    """Person to submission of those who failed by the old key and do not by the new one (or by none)."""
    cleared = {}
    for result, answer in session.execute(queries_gold.answers_checked(task.id)):
        if not result.passed and (key is None or rules_gold.passes(_score(kind, task, answer, key))):
            cleared[result.person_id] = result.submission_id
    return cleared


def _score(kind: Working, task: Task, answer: Mapping[str, Any], key: Mapping[str, Any]) -> float:
    scored = gold.score_answer(kind, task.payload, answer, key)
    assert scored is not None, "a key is checked before it is kept"
    return scored.value


def _replace_key(
    session: Session, actor: Actor, task: Task, known: TaskGold, key: Row | None, reason: str, now: datetime
) -> None:
    """Keep what the key was, and put the new one in its place; without one the task has no known answer any more."""
    assert actor.person_id is not None
    session.add(
        GoldCorrection(
            task_id=task.id,
            version=known.version,
            project_id=task.project_id,
            answer=known.answer,
            explanation=known.explanation,
            corrected_by=actor.person_id,
            reason=reason,
            created_at=now,
        )
    )
    if key is None:
        session.delete(known)
        if task.state is TaskState.GOLD:
            mixing.move(task, TaskState.OPEN)
            overlap.back_in_queue(session, task, now=now)
    else:
        # The old explanation argued for the old key.
        known.answer, known.explanation, known.version = dict(key), "", known.version + 1
        known.leak, known.leak_log_e = None, 0.0
    session.flush()
    data = {"task": str(task.id), "reason": reason}
    kind = "work.gold_withdrawn" if key is None else "work.gold_corrected"
    events.record(session, actor, kind, "task", task.id, at=now, project_id=task.project_id, data=data)


def _compare_anew(session: Session, kind: Working, task: Task, known: TaskGold, key: Row | None) -> list[UUID]:
    """Score every answer with the new key, or forget results that measured nothing; returns whose changed."""
    changed = []
    for result, answer in session.execute(queries_gold.answers_checked(task.id)).all():
        if key is None:
            changed.append(result.person_id)
            session.delete(result)
            continue
        score = _score(kind, task, answer, key)
        if rules_gold.passes(score) != result.passed:
            changed.append(result.person_id)
        result.score, result.passed, result.version = score, rules_gold.passes(score), known.version
    session.flush()
    return changed


def _overturn(
    session: Session, actor: Actor, cleared: Mapping[UUID, UUID], project_id: UUID, reason: str, now: datetime
) -> set[UUID]:
    """Undo the decisions against these people that do not hold without what fell; returns whose."""
    if not cleared:
        return set()
    undone = set()
    for receipt in session.scalars(queries_gold.receipts_on_gold(project_id, cleared.keys())).all():
        if not rests_on(receipt, cleared[receipt.person_id]):
            continue
        appeals.overturn_for_gold(session, actor, receipt, reason=f"The known answer was wrong. {reason}", now=now)
        undone.add(receipt.person_id)
    return undone


def rests_on(receipt: DecisionReceipt, submission_id: UUID) -> bool:
    """Whether a decision falls with the result of this submission (`rules_gold.falls_with`)."""
    named = [(str(link.get("kind", "")), str(link.get("id", ""))) for link in receipt.evidence]
    return rules_gold.falls_with(named, show_id("submission", submission_id))


def _tell_changed(
    session: Session,
    actor: Actor,
    challenge: GoldChallenge,
    changed: Sequence[UUID],
    overturned: set[UUID],
    withdrawn: bool,
    now: datetime,
) -> None:
    """Tell everybody whose result is another one now. The challenger reads it in the outcome of the challenge."""
    title = session.get_one(Project, challenge.project_id).title
    became = "was taken out of the count, because no answer is plainly right" if withdrawn else "was corrected"
    for person_id in dict.fromkeys([*changed, *overturned]):
        events.record(
            session,
            actor,
            "work.gold_rescored",
            "task",
            challenge.task_id,
            at=now,
            project_id=challenge.project_id,
            person_id=person_id,
            data={"overturned": person_id in overturned},
        )
        if person_id == challenge.person_id:
            continue
        person = session.get_one(Person, person_id)
        undone = "\nA decision against you that rested on it is overturned; you get a mail of its own.\n"
        body = (
            f"Hello {person.name},\n\nthe known answer of a task in “{title}” that you were checked with {became}. "
            f"Your answer has been compared anew.\n{undone if person_id in overturned else ''}\n"
            "You find it under Results.\n"
        )
        mail.send(session, person.email, "A known answer was wrong", body, now=now)


def _mail_outcome(session: Session, challenge: GoldChallenge, now: datetime) -> None:
    person = session.get_one(Person, challenge.person_id)
    title = session.get_one(Project, challenge.project_id).title
    upheld = challenge.state is ChallengeState.UPHELD
    became = "the task counts for nobody any more" if challenge.new_answer is None else "the known answer is corrected"
    outcome = (
        f"You were right: {became}, and all answers have been compared anew. Thank you."
        if upheld
        else "The known answer stands."
    )
    body = (
        f"Hello {person.name},\n\na manager of the client looked at your challenge to a known answer in “{title}”.\n\n"
        f"{outcome}\n\nReason: {challenge.reason}\n\nYou find it under Results.\n"
    )
    told = "you were right" if upheld else "the known answer stands"
    mail.send(session, person.email, f"Your challenge: {told}", body, now=now)


def _record(session: Session, actor: Actor, kind: str, challenge: GoldChallenge, now: datetime) -> None:
    events.record(
        session,
        actor,
        kind,
        "challenge",
        challenge.id,
        at=now,
        project_id=challenge.project_id,
        person_id=challenge.person_id,
        data={"task": str(challenge.task_id)} | ({"reason": challenge.reason} if challenge.reason else {}),
    )
