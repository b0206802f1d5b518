"""Running code against a task's tests while working on it."""

from typing import Any, Literal

from fastapi import APIRouter, Response, status
from pydantic import Field
from sqlalchemy.orm import Session

from preceptor.api.schemas import In, Out, json_answer
from preceptor.http.edge import Ask, CurrentActor, CurrentRuntime, Db
from preceptor.kit.db import Json
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id
from preceptor.people.identify import require_scope
from preceptor.work.service import running

router = APIRouter(prefix="/api/v1", tags=["work"])


class RunIn(In):
    answer: dict[str, Any] = Field(
        description="The answer as it stands, in shown names; it need not be complete.",
        examples=[{"files": {"main.py": "print(sum(map(int, input().split())))\n"}}],
    )


class CaseOut(Out):
    name: str
    outcome: Literal["passed", "failed", "error", "timeout", "not_run"]
    message: str = Field(description="What is wrong, in a sentence; empty where it passed.")
    stdout: str
    stderr: str
    seconds: float


class SubjectOut(Out):
    cases: list[CaseOut] = Field(description="Tests that may be seen, in the task's order.")
    passed: int
    of: int


class RunOut(Out):
    id: str = Field(examples=["run_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    state: Literal["waiting", "done", "refused"]
    refused: str | None = Field(default=None, description="Why it could not be run at all.")
    isolation: list[str] = Field(default=[], description="What held the code while it ran.")
    subjects: dict[str, SubjectOut] = Field(
        default={}, description="`solution` for written or reviewed code, else a patch by its shown name."
    )


@router.post("/claims/{claim_id}/run", status_code=202, response_model=RunOut)
def run_code(claim_id: str, body: RunIn, ask: Ask, runtime: CurrentRuntime) -> Response:
    """Have the code of an answer run against the task's tests, in the sandbox.

    It runs in the background: ask for it by its id until it is no longer `waiting`. Name the run in the answer that you
    submit (`run`); it counts while the code is the same. One run at a time and person.
    """
    claim = read_id("claim", claim_id)

    def start(session: Session, actor: Actor, now: Any) -> Json:
        run = running.request_run(session, actor, claim, body.answer, runtime.settings, now=now)
        return running.shown_run(session, run)

    return json_answer(RunOut.model_validate(ask.do("work", start)), status.HTTP_202_ACCEPTED)


@router.get("/claims/{claim_id}/runs/{run_id}", response_model=RunOut)
def get_run(claim_id: str, run_id: str, session: Db, actor: CurrentActor) -> RunOut:
    """A run of one of your claims. Of hidden tests nothing is told."""
    require_scope(actor, "read", "work")
    run = running.own_run(session, actor, read_id("claim", claim_id), read_id("run", run_id))
    return RunOut.model_validate(running.shown_run(session, run))
