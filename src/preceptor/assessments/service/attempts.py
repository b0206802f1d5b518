"""Taking an entry test: start, answer question by question, finish, learn the result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from preceptor.assessments import access, queries, rules
from preceptor.assessments.errors import (
    AlreadyQualified,
    AnsweredAlready,
    AssessmentRetired,
    AttemptOver,
    NoAttemptsLeft,
    NotShownYet,
    TimeIsUp,
    TooSoon,
)
from preceptor.assessments.models import (
    Assessment,
    AssessmentItem,
    Attempt,
    AttemptAnswer,
    AttemptState,
)
from preceptor.assessments.rules import Door, PastAttempt, Standing
from preceptor.assessments.service.questions import question
from preceptor.kit import events
from preceptor.kit.errors import NotFound
from preceptor.kit.events import SYSTEM, Actor
from preceptor.kit.ids import new_id
from preceptor.people.service import qualifications
from preceptor.tasktypes.base import Row
from preceptor.tasktypes.working import working

TESTS_LISTED_MAX = 200
EXPIRED_AT_ONCE = 200


@dataclass(frozen=True)
class TestCard:
    """A test on a contributor's list. `running` is the attempt to go on with."""

    __test__ = False  # the name is the domain's, not pytest's

    assessment: Assessment
    qualification: str
    standing: Standing
    practice_items: int
    running: Attempt | None


@dataclass(frozen=True)
class QuestionView:
    """The question to answer now; `payload` and `draft` speak of A, B, ... as shown."""

    attempt: Attempt
    item_id: UUID
    number: int
    of: int
    task_type: str
    element: str
    config: Row
    payload: Row
    draft: Row | None


@dataclass(frozen=True)
class QuestionResult:
    """One question after the end. What the right answer was stays hidden while another attempt is possible."""

    number: int
    score: float | None
    reasons: tuple[str, ...] = ()
    explanation: str | None = None


@dataclass(frozen=True)
class AttemptResult:
    attempt: Attempt
    assessment: Assessment
    standing: Standing
    questions: tuple[QuestionResult, ...]
    revealed: bool
    """Reasons and explanations are shown: passed, or no attempt is left."""


# --- Where a person stands


def tests_for(session: Session, actor: Actor, *, now: datetime) -> list[TestCard]:
    """The tests that are given, newest first, with where the person stands in each. Six statements."""
    person = access.taker(session, actor)
    tests = list(session.scalars(queries.live(limit=TESTS_LISTED_MAX)))
    ids = [test.id for test in tests]
    held = set(session.scalars(queries.held(person.id)))
    titles = _titles(session, [test.qualification_id for test in tests])
    practice = _practice_counts(session, ids)
    mine: dict[UUID, list[Attempt]] = {test_id: [] for test_id in ids}
    for attempt in session.scalars(queries.attempts(person.id, ids)):
        mine[attempt.assessment_id].append(attempt)
    return [
        TestCard(
            assessment=test,
            qualification=titles[test.qualification_id],
            standing=_standing(test, mine[test.id], qualified=test.qualification_id in held, now=now),
            practice_items=practice.get(test.id, 0),
            running=_running(mine[test.id]),
        )
        for test in tests
    ]


def card_of(session: Session, actor: Actor, assessment_id: UUID, *, now: datetime) -> TestCard:
    """One test with where the person stands in it."""
    test = access.assessment_for_contributor(session, actor, assessment_id)
    assert actor.person_id is not None
    mine = list(session.scalars(queries.attempts(actor.person_id, [test.id])))
    held = qualifications.holds(session, actor.person_id, test.qualification_id)
    titles = _titles(session, [test.qualification_id])
    practice = _practice_counts(session, [test.id])
    standing = _standing(test, mine, qualified=held, now=now)
    return TestCard(test, titles[test.qualification_id], standing, practice.get(test.id, 0), _running(mine))


def _titles(session: Session, ids: list[UUID]) -> dict[UUID, str]:
    return {row.id: row.title for row in session.execute(queries.qualification_titles(ids))}


def _practice_counts(session: Session, ids: list[UUID]) -> dict[UUID, int]:
    return {row.assessment_id: row.items for row in session.execute(queries.practice_counts(ids))}


def attempts_of(session: Session, actor: Actor, assessment_id: UUID) -> list[Attempt]:
    """The person's own attempts at a test, first to last."""
    test = access.assessment_for_contributor(session, actor, assessment_id)
    assert actor.person_id is not None
    return list(session.scalars(queries.attempts(actor.person_id, [test.id])))


def _standing(test: Assessment, mine: Sequence[Attempt], *, qualified: bool, now: datetime) -> Standing:
    past = [PastAttempt(attempt.state, attempt.finished_at, attempt.score_percent) for attempt in mine]
    return rules.standing(
        past,
        qualified=qualified,
        attempts_max=test.attempts_max,
        cooldown=timedelta(seconds=test.cooldown_seconds),
        now=now,
    )


def _running(mine: Sequence[Attempt]) -> Attempt | None:
    return next((attempt for attempt in mine if attempt.state is AttemptState.RUNNING), None)


# --- An attempt


def start_attempt(session: Session, actor: Actor, assessment_id: UUID, *, now: datetime, rng: Random) -> Attempt:
    """Draw the questions and start the clock. While an attempt runs, starting again returns it."""
    person = access.taker(session, actor)
    test = access.assessment_for_contributor(session, actor, assessment_id)
    mine = list(session.scalars(queries.attempts(person.id, [test.id], lock=True)))
    for attempt in mine:
        settle_if_due(session, attempt, now=now)
    running = _running(mine)
    if running is not None:
        return running
    if test.retired_at is not None:
        raise AssessmentRetired
    _refuse_closed_door(
        _standing(test, mine, qualified=qualifications.holds(session, person.id, test.qualification_id), now=now)
    )
    return _insert_attempt(session, actor, test, person.id, len(mine) + 1, now, rng)


def _refuse_closed_door(standing: Standing) -> None:
    match standing.door:
        case Door.QUALIFIED:
            raise AlreadyQualified
        case Door.USED_UP:
            raise NoAttemptsLeft(standing.attempts_max)
        case Door.COOLING_DOWN:
            assert standing.opens_at is not None
            raise TooSoon(standing.opens_at)
        case Door.OPEN | Door.RUNNING:
            return


def _insert_attempt(
    session: Session,
    actor: Actor,
    test: Assessment,
    person_id: UUID,
    number: int,
    now: datetime,
    rng: Random,
) -> Attempt:
    pool = [item.id for item in session.scalars(queries.items(test.id, practice=False))]
    drawn = rng.sample(pool, test.questions)
    made = session.scalar(
        insert(Attempt)
        .values(
            id=new_id(),
            assessment_id=test.id,
            person_id=person_id,
            number=number,
            state=AttemptState.RUNNING,
            item_ids=[str(item_id) for item_id in drawn],
            started_at=now,
            deadline=now + timedelta(seconds=test.time_limit_seconds),
        )
        .on_conflict_do_nothing()
        .returning(Attempt)
    )
    if made is None:
        # A double click: the other request's attempt is the one that runs.
        return next(
            attempt
            for attempt in session.scalars(queries.attempts(person_id, [test.id]))
            if attempt.state is AttemptState.RUNNING
        )
    _record(session, actor, "assessment.attempt_started", test, made, now)
    return made


def current_question(
    session: Session, actor: Actor, attempt_id: UUID, *, now: datetime, rng: Random
) -> QuestionView | None:
    """The first question without an answer, in an order of display that stays once drawn; None when all are answered.

    None as well when the attempt is over: see `result`. An attempt past its deadline is ended here.
    """
    attempt = access.own_attempt(session, actor, attempt_id, lock=True)
    settle_if_due(session, attempt, now=now)
    if attempt.state is not AttemptState.RUNNING:
        return None
    given = {answer.item_id: answer for answer in session.scalars(queries.answers(attempt.id))}
    for number, item_id in enumerate(map(UUID, attempt.item_ids), start=1):
        answer = given.get(item_id)
        if answer is None or answer.answer is None:
            item = session.get_one(AssessmentItem, item_id)
            test = session.get_one(Assessment, attempt.assessment_id)
            shown = answer or _show(session, attempt, test, item, now, rng)
            return _view(attempt, test, item, shown, number)
    return None


def _show(
    session: Session, attempt: Attempt, test: Assessment, item: AssessmentItem, now: datetime, rng: Random
) -> AttemptAnswer:
    kind = working(test.task_type, test.config)
    order = kind.display_order(kind.payload(item.payload), rng)
    shown = AttemptAnswer(attempt_id=attempt.id, item_id=item.id, display_order=order, reasons=[], shown_at=now)
    session.add(shown)
    session.flush()
    return shown


def _view(attempt: Attempt, test: Assessment, item: AssessmentItem, shown: AttemptAnswer, number: int) -> QuestionView:
    asked = question(test, item, shown.display_order)
    return QuestionView(
        attempt=attempt,
        item_id=item.id,
        number=number,
        of=len(attempt.item_ids),
        task_type=test.task_type,
        element=asked.kind.kind.element,
        config=test.config,
        payload=asked.payload_shown,
        draft=shown.draft,
    )


def save_draft(session: Session, actor: Actor, attempt_id: UUID, item_id: UUID, draft: Row, *, now: datetime) -> None:
    """Keep an unfinished answer as the person sees it. Any shape is kept; it is checked when given."""
    attempt = _running_attempt(session, actor, attempt_id, now)
    shown = _shown_answer(session, attempt, item_id)
    if shown.answer is not None:
        raise AnsweredAlready
    shown.draft = draft
    session.flush()


def answer_question(
    session: Session, actor: Actor, attempt_id: UUID, item_id: UUID, answer: Row, *, now: datetime
) -> int:
    """Give the answer to a question, in shown names; returns how many questions are still open.

    AnswerIncomplete says what is missing. The same answer again is the same as once; another one is refused.
    Scores are kept and shown only at the end.
    """
    attempt = _running_attempt(session, actor, attempt_id, now)
    shown = _shown_answer(session, attempt, item_id)
    test = session.get_one(Assessment, attempt.assessment_id)
    asked = question(test, session.get_one(AssessmentItem, item_id), shown.display_order)
    given = asked.read(answer)
    canonical = asked.canonical(given)
    if shown.answer is not None and shown.answer != canonical:
        raise AnsweredAlready
    if shown.answer is None:
        scored = asked.score(given)
        shown.answer, shown.answered_at, shown.draft = canonical, now, None
        shown.score, shown.reasons = scored.value, list(scored.reasons)
        session.flush()
    return len(attempt.item_ids) - _answered(session, attempt)


def finish_attempt(session: Session, actor: Actor, attempt_id: UUID, *, now: datetime) -> Attempt:
    """End an attempt; questions without an answer count as wrong. A pass grants the qualification at once.

    Finishing again changes nothing.
    """
    attempt = access.own_attempt(session, actor, attempt_id, lock=True)
    if not settle_if_due(session, attempt, now=now) and attempt.state is AttemptState.RUNNING:
        _settle(session, actor, attempt, now, in_time=True)
    return attempt


def settle_if_due(session: Session, attempt: Attempt, *, now: datetime) -> bool:
    """End a locked attempt whose time is over; True where that happened now.

    Who had answered everything in time is judged by the score; anything less has expired.
    """
    if attempt.state is not AttemptState.RUNNING or now <= attempt.deadline:
        return False
    complete = _answered(session, attempt) == len(attempt.item_ids)
    _settle(session, SYSTEM, attempt, attempt.deadline, in_time=complete)
    return True


def expire_overdue(session: Session, *, now: datetime) -> int:
    """End attempts whose time is over, whoever left them open; returns how many."""
    overdue = list(session.scalars(queries.overdue(now, limit=EXPIRED_AT_ONCE)))
    for attempt in overdue:
        settle_if_due(session, attempt, now=now)
    return len(overdue)


def _settle(session: Session, actor: Actor, attempt: Attempt, at: datetime, *, in_time: bool) -> None:
    test = session.get_one(Assessment, attempt.assessment_id)
    scores = {answer.item_id: answer.score for answer in session.scalars(queries.answers(attempt.id))}
    reached = rules.percent([scores.get(UUID(item_id)) for item_id in attempt.item_ids])
    attempt.score_percent, attempt.finished_at = rules.whole_percent(reached), at
    if not in_time:
        attempt.state = AttemptState.EXPIRED
    elif rules.passes(reached, test.pass_percent):
        attempt.state = AttemptState.PASSED
        qualifications.grant(
            session,
            SYSTEM,
            person_id=attempt.person_id,
            qualification_id=test.qualification_id,
            source="assessment",
            source_id=attempt.id,
            now=at,
        )
    else:
        attempt.state = AttemptState.FAILED
    session.flush()
    _record(session, actor, f"assessment.attempt_{attempt.state}", test, attempt, at)


def result(session: Session, actor: Actor, attempt_id: UUID, *, now: datetime) -> AttemptResult:
    """What came of an attempt, with when the next one opens. While it runs, nothing is told.

    Per question the score is told; why, and what would have been right, only once no further attempt depends on it.
    """
    attempt = access.own_attempt(session, actor, attempt_id, lock=True)
    settle_if_due(session, attempt, now=now)
    test = session.get_one(Assessment, attempt.assessment_id)
    card = card_of(session, actor, test.id, now=now)
    running = attempt.state is AttemptState.RUNNING
    revealed = not running and card.standing.door in (Door.QUALIFIED, Door.USED_UP)
    questions = () if running else _question_results(session, attempt, revealed)
    return AttemptResult(attempt, test, card.standing, questions, revealed)


def _question_results(session: Session, attempt: Attempt, revealed: bool) -> tuple[QuestionResult, ...]:
    given = {answer.item_id: answer for answer in session.scalars(queries.answers(attempt.id))}
    explanations = {}
    if revealed:
        items = session.scalars(queries.items(attempt.assessment_id, practice=False))
        explanations = {item.id: item.explanation for item in items}
    results = []
    for number, item_id in enumerate(map(UUID, attempt.item_ids), start=1):
        answer = given.get(item_id)
        reasons = tuple(map(str, answer.reasons)) if answer and revealed else ()
        score = answer.score if answer else None
        results.append(QuestionResult(number, score, reasons, explanations.get(item_id)))
    return tuple(results)


def _running_attempt(session: Session, actor: Actor, attempt_id: UUID, now: datetime) -> Attempt:
    attempt = access.own_attempt(session, actor, attempt_id, lock=True)
    if attempt.state is not AttemptState.RUNNING:
        raise AttemptOver
    if now > attempt.deadline:
        # Ending it here would be rolled back with the refusal; the next look at it, or the job, does so.
        raise TimeIsUp
    return attempt


def _shown_answer(session: Session, attempt: Attempt, item_id: UUID) -> AttemptAnswer:
    if str(item_id) not in attempt.item_ids:
        raise NotFound("question")
    shown = session.get(AttemptAnswer, (attempt.id, item_id))
    if shown is None:
        raise NotShownYet
    return shown


def _answered(session: Session, attempt: Attempt) -> int:
    return sum(answer.answer is not None for answer in session.scalars(queries.answers(attempt.id)))


def _record(session: Session, actor: Actor, kind: str, test: Assessment, attempt: Attempt, now: datetime) -> None:
    data = {"assessment": str(test.id), "number": attempt.number, "score_percent": attempt.score_percent}
    events.record(
        session,
        actor,
        kind,
        "attempt",
        attempt.id,
        at=now,
        org_id=test.org_id,
        person_id=attempt.person_id,
        data=data,
    )
