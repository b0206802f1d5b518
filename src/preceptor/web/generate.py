"""What the desk offers while somebody works: a model's answer, streamed."""

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy.orm import Session

from preceptor.endpoints import asking
from preceptor.endpoints.service.generating import Begun
from preceptor.http.edge import Ask, CurrentRuntime
from preceptor.http.generations import QuestionIn, streamed
from preceptor.kit.events import Actor
from preceptor.web.desk import own_claim
from preceptor.work.service import generating

router = APIRouter()


@router.post("/work/{project_id}/{claim_id}/generate")
async def generate(project_id: str, claim_id: str, body: QuestionIn, ask: Ask, runtime: CurrentRuntime) -> Response:
    """Ask a model; refusals (lease, quota, busy) are problem documents, everything else comes as events."""
    question = body.question()

    def begin(session: Session, actor: Actor, now: datetime) -> Begun:
        claim = own_claim(session, actor, project_id, claim_id)
        return generating.begin(session, actor, claim.id, question, now=now)

    return streamed(runtime, await asking.begin_when_free(lambda: ask.do("work", begin)))
