"""Generations: the intent is written and committed, then the model is asked, then the outcome is written."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from preceptor.endpoints import queries
from preceptor.endpoints.chat import ChatMessage, Ending, Limits, Outcome, Request
from preceptor.endpoints.client import estimated_tokens
from preceptor.endpoints.errors import EndpointBusy, EndpointOff, QuotaUsed, RequestReused
from preceptor.endpoints.models import (
    EndpointState,
    Generation,
    ModelEndpoint,
    ProjectEndpoint,
    Purpose,
)
from preceptor.endpoints.settings import Parameters
from preceptor.kit import events
from preceptor.kit.events import SYSTEM, Actor

MINUTE = timedelta(minutes=1)
LOST_AFTER = timedelta(seconds=Limits().total_seconds * 2)
"""A generation that runs longer than any can was left behind by a process that ended."""
REST_MAX = timedelta(minutes=5)
MILLION = Decimal(1_000_000)
LOST_WORDS = "The server stopped while the model was answering. Ask again; this one counts for nothing."
REQUEST_KEY_CHARACTERS_MAX = 100


@dataclass(frozen=True)
class Asker:
    """On whose behalf a model is asked, and what for."""

    purpose: Purpose
    request_key: str
    person_id: UUID | None = None
    project_id: UUID | None = None
    claim_id: UUID | None = None
    task_id: UUID | None = None
    shown_as: str = ""


@dataclass(frozen=True)
class Begun:
    """A generation to carry out (`fresh`), or one that was asked for before."""

    generation: Generation
    request: Request
    fresh: bool


def request_for(endpoint: ModelEndpoint, messages: list[ChatMessage]) -> Request:
    """The request with the endpoint's parameters; its system prompt where the messages bring none."""
    parameters = Parameters.model_validate(endpoint.parameters)
    if parameters.system_prompt and not any(message["role"] == "system" for message in messages):
        messages = [{"role": "system", "content": parameters.system_prompt}, *messages]
    return Request(messages, parameters.options())


def digest_of(model: str, request: Request) -> bytes:
    whole = {"model": model, "messages": list(request.messages), "options": dict(request.options)}
    return sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).digest()


def begin(
    session: Session,
    endpoint_id: UUID,
    messages: list[ChatMessage],
    asker: Asker,
    *,
    quota: ProjectEndpoint | None = None,
    now: datetime,
) -> Begun:
    """Write the intent to ask. Asked again with the same key, the same generation comes back.

    Refuses what goes over a limit: `EndpointBusy` (try again soon), `QuotaUsed`, `EndpointOff`. The endpoint's row is
    locked until the caller commits, so that processes cannot count past each other; nothing else is locked here.
    """
    endpoint = session.scalars(queries.endpoint(endpoint_id, lock=True)).one()
    request = request_for(endpoint, messages)
    digest = digest_of(endpoint.model, request)
    earlier = _earlier(session, asker)
    if earlier is not None:
        if earlier.request_digest != digest:
            raise RequestReused
        return Begun(earlier, request, fresh=False)
    if endpoint.state is not EndpointState.ON:
        raise EndpointOff
    reserved = _reserved(request)
    _refuse_load(session, endpoint, now)
    if quota is not None and asker.person_id is not None:
        _refuse_quota(session, quota, asker.person_id, sum(reserved))
    generation = Generation(
        org_id=endpoint.org_id,
        endpoint_id=endpoint.id,
        purpose=asker.purpose,
        project_id=asker.project_id,
        claim_id=asker.claim_id,
        task_id=asker.task_id,
        person_id=asker.person_id,
        request_key=asker.request_key,
        request_digest=digest,
        shown_as=asker.shown_as,
        model=endpoint.model,
        messages=list(request.messages),
        options=dict(request.options),
        input_tokens=reserved[0],
        output_tokens=reserved[1],
        currency=endpoint.currency,
        created_at=now,
    )
    session.add(generation)
    session.flush()
    return Begun(generation, request, fresh=True)


def _earlier(session: Session, asker: Asker) -> Generation | None:
    if asker.claim_id is None:
        return None
    return session.scalar(queries.by_request(asker.claim_id, asker.request_key))


def _reserved(request: Request) -> tuple[int, int]:
    """The most tokens that a request can come to, in and out, so that quotas hold while it runs."""
    return estimated_tokens(request.messages), int(request.options.get("max_tokens", 0))


def _refuse_load(session: Session, endpoint: ModelEndpoint, now: datetime) -> None:
    if endpoint.resting_until is not None and endpoint.resting_until > now:
        raise EndpointBusy(retry_after_seconds=_whole_seconds(endpoint.resting_until - now))
    running, lately = session.execute(queries.load(endpoint.id, now - MINUTE, now - LOST_AFTER)).one()
    if running >= endpoint.concurrency:
        raise EndpointBusy(retry_after_seconds=2)
    if lately >= endpoint.requests_per_minute:
        raise EndpointBusy(retry_after_seconds=max(2, 60 // endpoint.requests_per_minute))


def _refuse_quota(session: Session, quota: ProjectEndpoint, person_id: UUID, reserved: int) -> None:
    if quota.tokens_max is None and quota.turns_max is None:
        return
    tokens, turns = session.execute(queries.used(quota.project_id, person_id, quota.endpoint_id)).one()
    if quota.turns_max is not None and turns >= quota.turns_max:
        raise QuotaUsed(turns_max=quota.turns_max)
    if quota.tokens_max is not None and tokens + reserved > quota.tokens_max:
        raise QuotaUsed(tokens_max=quota.tokens_max)


def finish(session: Session, generation_id: UUID, text: str, ending: Ending, *, now: datetime) -> Generation:
    """Write the outcome. Twice is the same as once: the first outcome stays."""
    generation = session.get_one(Generation, generation_id, with_for_update=True)
    if generation.outcome is not Outcome.RUNNING:
        return generation
    endpoint = session.get_one(ModelEndpoint, generation.endpoint_id)
    counted = ending.input_tokens is not None and ending.output_tokens is not None
    went = ending.outcome not in (Outcome.FAILED, Outcome.LIMITED)
    messages: list[ChatMessage] = generation.messages
    estimate = (estimated_tokens(messages), estimated_tokens(text)) if went else (0, 0)
    generation.input_tokens = estimate[0] if ending.input_tokens is None else ending.input_tokens
    generation.output_tokens = estimate[1] if ending.output_tokens is None else ending.output_tokens
    generation.tokens_estimated = went and not counted
    generation.cost = cost_of(endpoint, generation.input_tokens, generation.output_tokens)
    generation.outcome, generation.text, generation.error = ending.outcome, text, ending.error
    generation.finish_reason, generation.model_version = ending.finish_reason, ending.model_version
    generation.first_token_ms, generation.latency_ms = ending.first_token_ms, ending.latency_ms
    generation.tries, generation.finished_at = ending.tries, now
    if ending.outcome is Outcome.LIMITED:
        rest = min(timedelta(seconds=ending.retry_after_seconds or 5), REST_MAX)
        endpoint.resting_until = now + rest
    _record(session, SYSTEM, generation, now)
    return generation


def cost_of(endpoint: ModelEndpoint, input_tokens: int, output_tokens: int) -> Decimal:
    """Exact: prices have six digits after the point and are per million, so costs have twelve."""
    return (endpoint.price_input * input_tokens + endpoint.price_output * output_tokens) / MILLION


def give_up_lost(session: Session, *, now: datetime) -> int:
    """End what was left running by a process that is gone; returns how many."""
    left = list(session.scalars(queries.lost(now - LOST_AFTER)))
    for generation in left:
        finish(session, generation.id, generation.text, Ending(Outcome.FAILED, LOST_WORDS), now=now)
    return len(left)


def _record(session: Session, actor: Actor, generation: Generation, now: datetime) -> None:
    events.record(
        session,
        actor,
        "endpoints.generated",
        "generation",
        generation.id,
        at=now,
        org_id=generation.org_id,
        project_id=generation.project_id,
        person_id=generation.person_id,
        data={"outcome": generation.outcome.value, "purpose": generation.purpose.value, "tries": generation.tries},
    )


def _whole_seconds(span: timedelta) -> int:
    return max(1, round(span.total_seconds()))
