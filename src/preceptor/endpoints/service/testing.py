"""Trying an endpoint: one short question, recorded like every other."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.endpoints import access
from preceptor.endpoints.chat import ChatMessage
from preceptor.endpoints.models import Purpose
from preceptor.endpoints.service import generating
from preceptor.endpoints.service.generating import Asker, Begun
from preceptor.kit.events import Actor
from preceptor.kit.ids import new_id

QUESTION = "Say in one short sentence what you can help with."


def begin_test(session: Session, actor: Actor, endpoint_id: UUID, *, now: datetime) -> Begun:
    """The intent to ask the endpoint something short. Costs what that costs; only managers may."""
    endpoint = access.endpoint_for_client(session, actor, endpoint_id, *access.MANAGERS)
    messages: list[ChatMessage] = [{"role": "user", "content": QUESTION}]
    asker = Asker(Purpose.TEST, f"test-{new_id().hex}", person_id=actor.person_id)
    return generating.begin(session, endpoint.id, messages, asker, now=now)
