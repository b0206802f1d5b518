"""Asking a project's models while working on a claim, over the API."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy.orm import Session

from preceptor.endpoints import asking
from preceptor.endpoints.service.generating import Begun
from preceptor.http.edge import Ask, CurrentRuntime
from preceptor.http.generations import QuestionIn, streamed
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id
from preceptor.work.service import generating

router = APIRouter(prefix="/api/v1", tags=["work"])
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "The answer as it comes."}
}


@router.post("/claims/{claim_id}/generate", responses=STREAM)
async def generate(claim_id: str, body: QuestionIn, ask: Ask, runtime: CurrentRuntime) -> Response:
    """Ask one of the project's models. The answer comes as server-sent events, the last of which (`done`) has the whole
    text; the same `key` again gives the same answer at no cost."""
    question, claim = body.question(), read_id("claim", claim_id)

    def begin(session: Session, actor: Actor, now: datetime) -> Begun:
        return generating.begin(session, actor, claim, question, now=now)

    return streamed(runtime, await asking.begin_when_free(lambda: ask.do("work", begin)))
