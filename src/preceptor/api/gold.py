"""Gold tasks, challenges to known answers, calibration practice."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy.orm import Session

from preceptor.api.quality import EstimateOut
from preceptor.api.schemas import In, Out, PageSize, json_answer
from preceptor.api.work import task_for_worker, task_from_worker
from preceptor.datasets.pseudonyms import pseudonyms
from preceptor.http.cursor import read_cursor
from preceptor.http.edge import Ask, CurrentActor, CurrentRuntime, Db, Now
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.people.identify import require_scope
from preceptor.projects.access import project_for_client
from preceptor.projects.models import TaskState
from preceptor.work import access
from preceptor.work.models_quality import ChallengeState, GoldChallenge
from preceptor.work.service import challenges, gold, practice
from preceptor.work.service.challenges import Outcome, SeenGold
from preceptor.work.service.gold import GoldLine
from preceptor.work.service.practice import PracticeProgress

router = APIRouter(prefix="/api/v1", tags=["gold"])


class GoldTaskOut(Out):
    task_id: str
    external_id: str
    state: TaskState = Field(description="`gold` while it is mixed in; `retired` with a reason for practice.")
    answer: dict[str, Any] = Field(description="The known answer, in the response ids of the task.")
    explanation: str
    version: int = Field(description="Counts up when the known answer is corrected.")
    passed: EstimateOut = Field(description="Share of those who were checked and passed.")
    expected: float | None = Field(description="The share that their other results gave; null before anybody.")
    leak_log_e: float = Field(description="Evidence that the answer has become known: natural logarithm of an e-value.")
    retired_because: str | None
    open_challenges: int


class GoldPageOut(Out):
    items: list[GoldTaskOut]
    next_cursor: str | None


class ExplanationIn(In):
    explanation: str = Field(max_length=5_000)


class GoldMoveIn(In):
    to: Literal["mixed", "practice"]
    reason: str = Field(default="", max_length=2_000)


class SeenGoldOut(Out):
    """What your own decided answer was compared with, in the names that you saw."""

    score: float
    passed: bool
    known_answer: dict[str, Any]
    reasons: list[str]
    explanation: str
    corrected: bool
    challenge_until: datetime
    challenge: "OwnChallengeOut | None"


class OwnChallengeOut(Out):
    id: str = Field(examples=["gch_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    submission_id: str
    words: str
    state: ChallengeState
    reason: str | None
    created_at: datetime
    decided_at: datetime | None


class ChallengeIn(In):
    words: str = Field(max_length=5_000, description="What is wrong with the known answer, in at least 20 characters.")


class ChallengeOut(OwnChallengeOut):
    task_id: str
    by: str = Field(description="The challenger, under the pseudonym of the organization's releases.")
    answer: dict[str, Any] = Field(description="The challenger's own answer.")
    new_answer: dict[str, Any] | None = Field(description="The corrected key; null where the task was withdrawn.")


class ChallengePageOut(Out):
    items: list[ChallengeOut]
    next_cursor: str | None


class ChallengeDecisionIn(In):
    outcome: Outcome = Field(
        description="`dismiss`, `theirs` (the challenger is right), `correct` (another answer is) or `withdraw`."
    )
    reason: str = Field(max_length=5_000, description="At least 20 characters; the challenger reads it.")
    answer: dict[str, Any] | None = Field(default=None, description="For `correct`: the key, in the task's own ids.")


class PracticeProgressOut(Out):
    answered: int
    recent: list[bool] = Field(description="The last different tasks, newest first: whether each was right.")
    material: int = Field(description="Tasks that you can practise on.")
    retraining: bool
    finished: bool = Field(description="Whether this answer has ended the retraining.")


class PracticeItemOut(Out):
    task_id: str
    round: int = Field(description="Draws the order in which responses are shown; send it back with the answer.")
    task_type: str
    config: dict[str, Any]
    task: dict[str, Any]
    own_mistake: bool


class PracticeOut(Out):
    """Unpaid, and never part of the data."""

    item: PracticeItemOut | None = Field(description="Null where the project has nothing to practise on yet.")
    progress: PracticeProgressOut


class PracticeIn(In):
    task_id: str
    round: int = Field(ge=0, le=practice.ROUND_MAX)
    answer: dict[str, Any]


class PracticeFeedbackOut(Out):
    score: float
    passed: bool
    reasons: list[str]
    explanation: str
    known_answer: dict[str, Any]
    progress: PracticeProgressOut


# --- The client


@router.get("/projects/{project_id}/gold", response_model=GoldPageOut)
def list_gold(
    project_id: str, session: Db, actor: CurrentActor, cursor: str | None = None, limit: PageSize = 50
) -> GoldPageOut:
    """Tasks with a known answer and how people do on them. Owners and managers only."""
    require_scope(actor, "projects")
    after = read_cursor("task", cursor)
    found = gold.gold_page(session, actor, read_id("project", project_id), after=after, limit=limit)
    following = show_id("task", found.next_after) if found.next_after else None
    return GoldPageOut(items=[gold_line_out(line) for line in found.lines], next_cursor=following)


@router.put("/projects/{project_id}/tasks/{task_id}/gold/explanation", response_model=GoldTaskOut)
def explain_gold(
    project_id: str, task_id: str, body: ExplanationIn, session: Db, actor: CurrentActor, now: Now
) -> GoldTaskOut:
    """Say why the known answer is right."""
    require_scope(actor, "projects")
    project, task = read_id("project", project_id), read_id("task", task_id)
    gold.explain_gold(session, actor, project, task, body.explanation, now=now)
    return gold_line_out(gold.gold_line(session, actor, project, task))


@router.post("/projects/{project_id}/tasks/{task_id}/gold/moves", response_model=GoldTaskOut)
def move_gold(
    project_id: str, task_id: str, body: GoldMoveIn, session: Db, actor: CurrentActor, now: Now
) -> GoldTaskOut:
    """Take a gold task out of the mix for people to practise on, or mix it in again while nobody has."""
    require_scope(actor, "projects")
    project, task = read_id("project", project_id), read_id("task", task_id)
    if body.to == "practice":
        gold.retire_gold(session, actor, project, task, body.reason, now=now)
    else:
        gold.restore_gold(session, actor, project, task, now=now)
    return gold_line_out(gold.gold_line(session, actor, project, task))


@router.get("/projects/{project_id}/challenges", response_model=ChallengePageOut)
def list_challenges(
    project_id: str,
    session: Db,
    actor: CurrentActor,
    runtime: CurrentRuntime,
    state: Literal["open", "all"] = "open",
    cursor: str | None = None,
    limit: PageSize = 50,
) -> ChallengePageOut:
    """Challenges to known answers: the open ones oldest first, or all of them newest first."""
    require_scope(actor, "projects")
    project = project_for_client(session, actor, read_id("project", project_id))
    found = challenges.list_challenges(
        session,
        actor,
        project.id,
        open_only=state == "open",
        after=read_cursor("challenge", cursor),
        limit=limit + 1,
    )
    name = pseudonyms(runtime.settings.signing_key(), project.org_id)
    items = [
        ChallengeOut(
            **own_challenge_out(challenge).model_dump(),
            task_id=show_id("task", task.id),
            by=name(challenge.person_id),
            answer=submission.answer,
            new_answer=challenge.new_answer,
        )
        for challenge, task, submission in found[:limit]
    ]
    return ChallengePageOut(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.post("/challenges/{challenge_id}/decision", response_model=OwnChallengeOut)
def decide_challenge(challenge_id: str, body: ChallengeDecisionIn, ask: Ask) -> Response:
    """Decide a challenge. Where the key falls, everybody is compared anew and what rested on it is overturned."""
    challenge = read_id("challenge", challenge_id)

    def decide(session: Session, actor: Actor, now: datetime) -> GoldChallenge:
        return challenges.decide_challenge(
            session, actor, challenge, body.outcome, body.reason, answer=body.answer, now=now
        )

    return json_answer(own_challenge_out(ask.do("projects", decide)))


# --- The contributor


@router.get("/submissions/{submission_id}/gold", response_model=SeenGoldOut | None)
def get_seen_gold(submission_id: str, session: Db, actor: CurrentActor) -> SeenGoldOut | None:
    """What your answer was checked against, once it is decided; null for nothing, or not yet."""
    require_scope(actor, "read", "work")
    own = access.own_submission(session, actor, read_id("submission", submission_id))
    found = challenges.seen_gold(session, actor, own.id)
    return None if found is None else seen_gold_out(found)


@router.post("/submissions/{submission_id}/challenge", status_code=201, response_model=OwnChallengeOut)
def challenge_gold(
    submission_id: str, body: ChallengeIn, session: Db, actor: CurrentActor, now: Now
) -> OwnChallengeOut:
    """Say that the known answer your decided submission was checked against is wrong."""
    require_scope(actor, "work")
    wanted = read_id("submission", submission_id)
    return own_challenge_out(challenges.challenge_gold(session, actor, wanted, body.words, now=now))


@router.post("/projects/{project_id}/practice/next", response_model=PracticeOut)
def next_practice(project_id: str, session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now) -> PracticeOut:
    """The task that you would learn most from. Practice is unpaid, explained at once, and never part of the data."""
    require_scope(actor, "work")
    project = read_id("project", project_id)
    item = practice.next_item(session, actor, project, now=now)
    shown = None
    if item is not None:
        shown = PracticeItemOut(
            task_id=task_for_worker(item.task_id, runtime),
            round=item.round,
            task_type=item.project.task_type,
            config=item.config,
            task=item.payload,
            own_mistake=item.own_mistake,
        )
    return PracticeOut(item=shown, progress=progress_out(practice.progress(session, actor, project)))


@router.post("/projects/{project_id}/practice/answer", response_model=PracticeFeedbackOut)
def answer_practice(
    project_id: str, body: PracticeIn, session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now
) -> PracticeFeedbackOut:
    """Answer a practice task and learn at once what is right and why."""
    require_scope(actor, "work")
    told = practice.answer_item(
        session,
        actor,
        read_id("project", project_id),
        task_from_worker(body.task_id, runtime),
        body.answer,
        round=body.round,
        now=now,
    )
    return PracticeFeedbackOut(
        score=told.score,
        passed=told.passed,
        reasons=list(told.reasons),
        explanation=told.explanation,
        known_answer=told.known_answer,
        progress=progress_out(told.progress),
    )


# --- As they are sent


def gold_line_out(line: GoldLine) -> GoldTaskOut:
    return GoldTaskOut(
        task_id=show_id("task", line.task.id),
        external_id=line.task.external_id,
        state=line.task.state,
        answer=line.gold.answer,
        explanation=line.gold.explanation,
        version=line.gold.version,
        passed=EstimateOut(
            value=line.passed.value,
            low=line.passed.low,
            high=line.passed.high,
            n=line.passed.n,
            reason=line.passed.reason,
        ),
        expected=line.expected,
        leak_log_e=line.gold.leak_log_e,
        retired_because=line.gold.retired_because,
        open_challenges=line.open_challenges,
    )


def own_challenge_out(challenge: GoldChallenge) -> OwnChallengeOut:
    return OwnChallengeOut(
        id=show_id("challenge", challenge.id),
        submission_id=show_id("submission", challenge.submission_id),
        words=challenge.words,
        state=challenge.state,
        reason=challenge.reason,
        created_at=challenge.created_at,
        decided_at=challenge.decided_at,
    )


def seen_gold_out(found: SeenGold) -> SeenGoldOut:
    return SeenGoldOut(
        score=found.result.score,
        passed=found.result.passed,
        known_answer=found.key,
        reasons=list(found.reasons),
        explanation=found.explanation,
        corrected=found.corrected,
        challenge_until=found.challenge_until,
        challenge=own_challenge_out(found.challenge) if found.challenge else None,
    )


def progress_out(found: PracticeProgress) -> PracticeProgressOut:
    return PracticeProgressOut(
        answered=found.answered,
        recent=list(found.recent),
        material=found.material,
        retraining=found.retraining,
        finished=found.finished,
    )
