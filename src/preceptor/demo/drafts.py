"""Drafts to correct, written by a real model while the demo is made."""

import asyncio
from dataclasses import replace
from typing import cast

from sqlalchemy.orm import Session

from preceptor.endpoints import asking
from preceptor.endpoints.asking import Ended
from preceptor.endpoints.chat import ChatMessage, Outcome
from preceptor.endpoints.models import ModelEndpoint, Purpose
from preceptor.endpoints.service import generating
from preceptor.endpoints.service.generating import Asker, Begun
from preceptor.kit.db import run_in_transaction
from preceptor.kit.ids import new_id
from preceptor.kit.runtime import Runtime
from preceptor.tasktypes.base import Row, Template


def drafted(runtime: Runtime, template: Template, model: ModelEndpoint) -> Template:
    """The template with drafts of this model in place of those that its examples bring.

    An example whose draft does not come keeps its own.
    """
    return replace(template, examples=tuple(_redrafted(runtime, payload, model) for payload in template.examples))


def _redrafted(runtime: Runtime, payload: Row, model: ModelEndpoint) -> Row:
    prompt = payload.get("prompt")
    if not isinstance(payload.get("draft"), str) or not isinstance(prompt, list):
        return payload
    ended = asyncio.run(_answered(runtime, model, [cast(ChatMessage, message) for message in prompt]))
    if ended.outcome is not Outcome.FINISHED or not ended.text.strip():
        return payload
    return {**payload, "draft": ended.text.strip(), "draft_source": model.model}


async def _answered(runtime: Runtime, model: ModelEndpoint, messages: list[ChatMessage]) -> Ended:
    def begin(session: Session) -> Begun:
        asker = Asker(Purpose.GENERATE, f"draft-{new_id().hex}")
        return generating.begin(session, model.id, messages, asker, now=runtime.clock.now())

    begun = await asking.begin_when_free(lambda: run_in_transaction(runtime.sessions, begin))
    return await asking.complete(runtime, begun)
