"""What somebody writes as readers will see it: the same safe HTML as everywhere, made while they write."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from preceptor.http.edge import CurrentActor, Db, Now
from preceptor.kit.markdown import render_markdown
from preceptor.people.service import limits
from preceptor.tasktypes.messages import MESSAGE_CHARACTERS_MAX

router = APIRouter()

PREVIEWS_PER_PERSON: Final = limits.Limit("preview.person", 600, timedelta(minutes=5))


class PreviewIn(BaseModel):
    """Markdown, as long as a message may be."""

    text: Annotated[str, Field(max_length=MESSAGE_CHARACTERS_MAX)]


class PreviewOut(BaseModel):
    """Sanitised HTML."""

    html: str


@router.post("/preview")
def preview(body: PreviewIn, session: Db, actor: CurrentActor, now: Now) -> PreviewOut:
    """Render Markdown as messages are rendered, line breaks kept. Nothing is stored."""
    limits.count(session, PREVIEWS_PER_PERSON, str(actor.person_id), now=now)
    return PreviewOut(html=render_markdown(body.text, breaks=True))
