"""Entry tests over the API: made by clients, practised and taken by contributors."""

from datetime import datetime
from random import Random
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from preceptor.api.projects import require_reading
from preceptor.api.schemas import In, Out
from preceptor.assessments import access
from preceptor.assessments.models import Assessment, AssessmentItem, Attempt, AttemptState
from preceptor.assessments.rules import Door, Standing
from preceptor.assessments.service import assessments, attempts, practice
from preceptor.assessments.service.attempts import AttemptResult, QuestionView, TestCard
from preceptor.assessments.settings import AssessmentIn
from preceptor.http.edge import CurrentActor, Db, Now
from preceptor.http.idempotency import Once
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.people.identify import require_scope

router = APIRouter(prefix="/api/v1", tags=["assessments"])


# --- Shapes


class AssessmentOut(Out):
    id: str = Field(examples=["asm_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    organization_id: str
    qualification_id: str
    title: str
    introduction: str
    task_type: str
    config: dict[str, Any]
    pass_percent: int
    time_limit_seconds: int
    attempts_max: int
    cooldown_seconds: int
    questions: int
    created_at: datetime
    retired_at: datetime | None


class AssessmentsOut(Out):
    items: list[AssessmentOut]
    next_cursor: None = None


class ItemOut(Out):
    number: int
    payload: dict[str, Any]
    answer: dict[str, Any]
    explanation: str
    practice: bool


class ItemsOut(Out):
    items: list[ItemOut]
    next_cursor: None = None


class FiguresOut(Out):
    attempts: int
    ended: int
    passed: int
    people: int
    mean_percent: float | None


class StandingOut(Out):
    door: Door = Field(description="`open` when you may start an attempt now.")
    attempts_used: int
    attempts_max: int
    best_percent: int | None
    opens_at: datetime | None


class TestOut(Out):
    assessment: AssessmentOut
    qualification: str
    standing: StandingOut
    practice_items: int
    running_attempt_id: str | None


class TestsOut(Out):
    items: list[TestOut]
    next_cursor: None = None


class AttemptOut(Out):
    id: str = Field(examples=["att_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    assessment_id: str
    number: int
    state: AttemptState
    questions: int
    score_percent: int | None
    started_at: datetime
    deadline: datetime
    finished_at: datetime | None


class QuestionOut(Out):
    attempt: AttemptOut
    question_id: str | None = Field(description="null when nothing is left to answer: finish the attempt.")
    number: int | None
    of: int
    task_type: str | None
    config: dict[str, Any] | None
    payload: dict[str, Any] | None
    draft: dict[str, Any] | None


class AnswerIn(In):
    answer: dict[str, Any] = Field(
        examples=[{"ranks": {"A": 1, "B": 2}, "strength": 2, "justification": "A names its source."}]
    )


class LeftOut(Out):
    questions_left: int


class QuestionResultOut(Out):
    number: int
    score: float | None
    reasons: list[str]
    explanation: str | None


class ResultOut(Out):
    attempt: AttemptOut
    pass_percent: int
    standing: StandingOut
    revealed: bool = Field(description="Reasons and explanations are told: passed, or no attempt is left.")
    questions: list[QuestionResultOut]


class PracticeOut(Out):
    number: int
    of: int
    round: int
    task_type: str
    config: dict[str, Any]
    payload: dict[str, Any]


class FeedbackOut(Out):
    score: float
    reasons: list[str]
    explanation: str
    known_answer: dict[str, Any]
    next_number: int | None


# --- The client's side


@router.post("/organizations/{org_id}/assessments", status_code=201, response_model=AssessmentOut)
def create_assessment(
    org_id: str, body: AssessmentIn, once: Once, session: Db, actor: CurrentActor, now: Now
) -> Response:
    """A test of gold items that grants a qualification."""
    require_scope(actor, "projects")
    found = read_id("organization", org_id)
    return once.answer(lambda: assessment_out(assessments.create_assessment(session, actor, found, body, now=now)))


@router.get("/organizations/{org_id}/assessments", response_model=AssessmentsOut)
def list_assessments(org_id: str, session: Db, actor: CurrentActor) -> AssessmentsOut:
    """The organization's tests, newest first."""
    require_reading(actor)
    found = assessments.assessments_of(session, actor, read_id("organization", org_id))
    return AssessmentsOut(items=[assessment_out(one) for one in found])


@router.get("/assessments/{assessment_id}/items", response_model=ItemsOut)
def list_items(assessment_id: str, session: Db, actor: CurrentActor) -> ItemsOut:
    """Questions with their known answers. Owners and managers only."""
    require_scope(actor, "projects")
    found = access.gold_items(session, actor, read_id("assessment", assessment_id))
    return ItemsOut(items=[item_out(item) for item in found])


@router.get("/assessments/{assessment_id}/figures", response_model=FiguresOut)
def get_figures(assessment_id: str, session: Db, actor: CurrentActor) -> FiguresOut:
    """How the test has gone so far."""
    require_reading(actor)
    found = assessments.figures(session, actor, read_id("assessment", assessment_id))
    return FiguresOut.model_validate(found, from_attributes=True)


@router.post("/assessments/{assessment_id}/retire", response_model=AssessmentOut)
def retire(assessment_id: str, session: Db, actor: CurrentActor, now: Now) -> AssessmentOut:
    """Give the test to nobody any more. Running attempts may be finished; what was earned stays."""
    require_scope(actor, "projects")
    found = read_id("assessment", assessment_id)
    return assessment_out(assessments.retire_assessment(session, actor, found, now=now))


# --- The contributor's side


@router.get("/tests", response_model=TestsOut)
def list_tests(session: Db, actor: CurrentActor, now: Now) -> TestsOut:
    """The tests that you can take, with where you stand in each."""
    require_taking(actor)
    return TestsOut(items=[test_out(card) for card in attempts.tests_for(session, actor, now=now)])


@router.get("/tests/{assessment_id}", response_model=TestOut)
def get_test(assessment_id: str, session: Db, actor: CurrentActor, now: Now) -> TestOut:
    """One test, with where you stand."""
    require_taking(actor)
    return test_out(attempts.card_of(session, actor, read_id("assessment", assessment_id), now=now))


@router.post("/tests/{assessment_id}/attempts", status_code=201, response_model=AttemptOut)
def start(assessment_id: str, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
    """Start an attempt; its clock runs from now. While one is running, it is returned."""
    require_scope(actor, "work")
    found = read_id("assessment", assessment_id)
    return once.answer(lambda: attempt_out(attempts.start_attempt(session, actor, found, now=now, rng=Random())))


@router.get("/attempts/{attempt_id}/question", response_model=QuestionOut)
def get_question(attempt_id: str, session: Db, actor: CurrentActor, now: Now) -> QuestionOut:
    """The question to answer now, with the draft that you left."""
    require_taking(actor)
    found = read_id("attempt", attempt_id)
    view = attempts.current_question(session, actor, found, now=now, rng=Random())
    return question_out(access.own_attempt(session, actor, found), view)


@router.put("/attempts/{attempt_id}/questions/{question_id}/draft", status_code=204)
def put_draft(attempt_id: str, question_id: str, body: AnswerIn, session: Db, actor: CurrentActor, now: Now) -> None:
    """Keep an unfinished answer."""
    require_scope(actor, "work")
    attempt, item = read_id("attempt", attempt_id), read_id("question", question_id)
    attempts.save_draft(session, actor, attempt, item, body.answer, now=now)


@router.post("/attempts/{attempt_id}/questions/{question_id}/answer", response_model=LeftOut)
def post_answer(
    attempt_id: str, question_id: str, body: AnswerIn, session: Db, actor: CurrentActor, now: Now
) -> LeftOut:
    """Give an answer, in shown names. The same answer again is the same as once."""
    require_scope(actor, "work")
    attempt, item = read_id("attempt", attempt_id), read_id("question", question_id)
    return LeftOut(questions_left=attempts.answer_question(session, actor, attempt, item, body.answer, now=now))


@router.post("/attempts/{attempt_id}/finish", response_model=ResultOut)
def finish(attempt_id: str, session: Db, actor: CurrentActor, now: Now) -> ResultOut:
    """End the attempt and learn the result. A pass grants the qualification at once."""
    require_scope(actor, "work")
    found = read_id("attempt", attempt_id)
    attempts.finish_attempt(session, actor, found, now=now)
    return result_out(attempts.result(session, actor, found, now=now))


@router.get("/attempts/{attempt_id}", response_model=ResultOut)
def get_result(attempt_id: str, session: Db, actor: CurrentActor, now: Now) -> ResultOut:
    """An attempt of yours; its scores once it is over."""
    require_taking(actor)
    return result_out(attempts.result(session, actor, read_id("attempt", attempt_id), now=now))


@router.get("/tests/{assessment_id}/practice/{number}", response_model=PracticeOut)
def get_practice(
    assessment_id: str, number: int, session: Db, actor: CurrentActor, round: Annotated[int, Query(ge=0)] = 0
) -> PracticeOut:
    """A practice question, from 1. Another `round` shows its responses in another order."""
    require_taking(actor)
    view = practice.practice_question(session, actor, read_id("assessment", assessment_id), number, round=round)
    return PracticeOut(
        number=view.number,
        of=view.of,
        round=view.round,
        task_type=view.task_type,
        config=view.config,
        payload=view.payload,
    )


@router.post("/tests/{assessment_id}/practice/{number}", response_model=FeedbackOut)
def post_practice(
    assessment_id: str,
    number: int,
    body: AnswerIn,
    session: Db,
    actor: CurrentActor,
    round: Annotated[int, Query(ge=0)] = 0,
) -> FeedbackOut:
    """What an answer is worth and why. Send the `round` that the question was shown in."""
    require_taking(actor)
    found = read_id("assessment", assessment_id)
    told = practice.practice_answer(session, actor, found, number, body.answer, round=round)
    return FeedbackOut(
        score=told.score,
        reasons=list(told.reasons),
        explanation=told.explanation,
        known_answer=told.known_answer,
        next_number=told.next_number,
    )


# --- Rows as answers


def require_taking(actor: Actor) -> None:
    """Keys that may work may see their person's tests too."""
    if actor.scopes is None or "work" not in actor.scopes:
        require_scope(actor, "read")


def assessment_out(found: Assessment) -> AssessmentOut:
    return AssessmentOut(
        id=show_id("assessment", found.id),
        organization_id=show_id("organization", found.org_id),
        qualification_id=show_id("qualification", found.qualification_id),
        title=found.title,
        introduction=found.introduction,
        task_type=found.task_type,
        config=found.config,
        pass_percent=found.pass_percent,
        time_limit_seconds=found.time_limit_seconds,
        attempts_max=found.attempts_max,
        cooldown_seconds=found.cooldown_seconds,
        questions=found.questions,
        created_at=found.created_at,
        retired_at=found.retired_at,
    )


def item_out(item: AssessmentItem) -> ItemOut:
    return ItemOut(
        number=item.number,
        payload=item.payload,
        answer=item.answer,
        explanation=item.explanation,
        practice=item.practice,
    )


def standing_out(standing: Standing) -> StandingOut:
    return StandingOut(
        door=standing.door,
        attempts_used=standing.attempts_used,
        attempts_max=standing.attempts_max,
        best_percent=standing.best_percent,
        opens_at=standing.opens_at,
    )


def test_out(card: TestCard) -> TestOut:
    return TestOut(
        assessment=assessment_out(card.assessment),
        qualification=card.qualification,
        standing=standing_out(card.standing),
        practice_items=card.practice_items,
        running_attempt_id=show_id("attempt", card.running.id) if card.running else None,
    )


def attempt_out(attempt: Attempt) -> AttemptOut:
    return AttemptOut(
        id=show_id("attempt", attempt.id),
        assessment_id=show_id("assessment", attempt.assessment_id),
        number=attempt.number,
        state=attempt.state,
        questions=len(attempt.item_ids),
        score_percent=attempt.score_percent,
        started_at=attempt.started_at,
        deadline=attempt.deadline,
        finished_at=attempt.finished_at,
    )


def question_out(attempt: Attempt, view: QuestionView | None) -> QuestionOut:
    return QuestionOut(
        attempt=attempt_out(attempt),
        question_id=show_id("question", view.item_id) if view else None,
        number=view.number if view else None,
        of=len(attempt.item_ids),
        task_type=view.task_type if view else None,
        config=view.config if view else None,
        payload=view.payload if view else None,
        draft=view.draft if view else None,
    )


def result_out(told: AttemptResult) -> ResultOut:
    return ResultOut(
        attempt=attempt_out(told.attempt),
        pass_percent=told.assessment.pass_percent,
        standing=standing_out(told.standing),
        revealed=told.revealed,
        questions=[
            QuestionResultOut(
                number=one.number, score=one.score, reasons=list(one.reasons), explanation=one.explanation
            )
            for one in told.questions
        ],
    )
