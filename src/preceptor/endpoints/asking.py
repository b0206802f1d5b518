"""Carrying a generation out: three steps, and no transaction open while the network is used.

The text goes on to arrive and to be recorded when the person who asked is gone, since it is paid for anyway; whoever
asks again with the same key joins it, or finds it finished. Other processes wait for the recorded outcome.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.endpoints import client, local
from preceptor.endpoints.chat import Ending, Limits, Outcome, Piece, Target, Waiting
from preceptor.endpoints.errors import EndpointBusy
from preceptor.endpoints.guard import Reach
from preceptor.endpoints.models import Generation, ModelEndpoint
from preceptor.endpoints.service import generating, keeping
from preceptor.endpoints.service.generating import Begun
from preceptor.kit.db import run_in_transaction
from preceptor.kit.errors import AppError
from preceptor.kit.runtime import Runtime

T = TypeVar("T")

BUSY_SECONDS_MAX = 20.0
"""How long a request waits for its turn at a busy endpoint before the person is asked to come back."""
BUSY_PAUSE_SECONDS = 1.0
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Ended:
    """The last step of a generation, after it was recorded: the whole text as it is kept."""

    generation_id: UUID
    outcome: Outcome
    text: str
    error: str
    finish_reason: str | None
    retry_after_seconds: int | None = None


Step = Piece | Waiting | Ended


@dataclass
class _Running:
    """A generation under way in this process, for everybody who listens to it."""

    text: list[str] = field(default_factory=list)
    waiting: Waiting | None = None
    ended: Ended | None = None
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    task: "asyncio.Task[None] | None" = None

    async def tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


_running: dict[UUID, _Running] = {}


async def in_transaction(runtime: Runtime, work: Callable[[Session], T]) -> T:
    """`work` on a thread, in a transaction of its own that is committed when this returns."""
    return await asyncio.to_thread(run_in_transaction, runtime.sessions, work)


async def begin_when_free(begin: Callable[[], Begun]) -> Begun:
    """Write the intent, waiting a little for a busy endpoint. Each call of `begin` is a transaction of its own, on a
    thread."""
    deadline = asyncio.get_running_loop().time() + BUSY_SECONDS_MAX
    while True:
        try:
            return await asyncio.to_thread(begin)
        except EndpointBusy as busy:
            pause = min(float(busy.retry_after_seconds), BUSY_PAUSE_SECONDS)
            too_long = busy.retry_after_seconds > BUSY_SECONDS_MAX
            if too_long or asyncio.get_running_loop().time() + pause > deadline:
                raise
            await asyncio.sleep(pause)


def listen(runtime: Runtime, begun: Begun, limits: Limits = client.DEFAULT_LIMITS) -> AsyncIterator[Step]:
    """The steps of a generation from its beginning, the last of which is `Ended`. Starts it where it is fresh."""
    generation_id = begun.generation.id
    if begun.fresh:
        running = _running[generation_id] = _Running()
        running.task = asyncio.create_task(_carry_out(runtime, begun, running, limits))
        return _follow(running)
    known = _running.get(generation_id)
    if known is not None and known.loop is asyncio.get_running_loop():
        return _follow(known)
    return _recorded(runtime, generation_id, begun)


async def complete(runtime: Runtime, begun: Begun, limits: Limits = client.DEFAULT_LIMITS) -> Ended:
    """The outcome of a generation, for whoever has no use for pieces."""
    async for step in listen(runtime, begun, limits):
        if isinstance(step, Ended):
            return step
    raise RuntimeError("a generation ended without an outcome")


async def _follow(running: _Running) -> AsyncIterator[Step]:
    sent, told = 0, None
    while True:
        while sent < len(running.text):
            sent += 1
            yield Piece(running.text[sent - 1])
        if running.ended is not None:
            yield running.ended
            return
        if running.waiting is not told and running.waiting is not None:
            told = running.waiting
            yield told
        async with running.changed:
            while sent == len(running.text) and running.ended is None and running.waiting is told:
                await running.changed.wait()


async def _recorded(runtime: Runtime, generation_id: UUID, begun: Begun) -> AsyncIterator[Step]:
    """A generation of before, or of another process, once it has ended."""
    found = begun.generation
    while found.outcome is Outcome.RUNNING:
        await asyncio.sleep(POLL_SECONDS)
        if runtime.clock.now() - found.created_at > generating.LOST_AFTER:
            await in_transaction(runtime, partial(generating.give_up_lost, now=runtime.clock.now()))
        found = await in_transaction(runtime, lambda session: session.get_one(Generation, generation_id))
    if found.text:
        yield Piece(found.text)
    yield _ended(found)


async def _carry_out(runtime: Runtime, begun: Begun, running: _Running, limits: Limits) -> None:
    generation_id = begun.generation.id
    ending = Ending(Outcome.FAILED, "The server stopped while the model was answering.")
    try:
        ending = await _ask(runtime, begun, running, limits)
    finally:
        # Shielded by being a thread: a server that stops still records what came.
        text = "".join(running.text)
        try:
            recorded = await in_transaction(
                runtime,
                lambda session: generating.finish(session, generation_id, text, ending, now=runtime.clock.now()),
            )
            running.ended = _ended(recorded, ending.retry_after_seconds)
        finally:
            _running.pop(generation_id, None)
            if running.ended is None:
                words = "The answer could not be recorded. Ask again; this one counts for nothing."
                running.ended = Ended(generation_id, Outcome.FAILED, "", words, None)
            await running.tell()


async def _ask(runtime: Runtime, begun: Begun, running: _Running, limits: Limits) -> Ending:
    try:
        target = await _target(runtime, begun.generation.endpoint_id)
    except AppError as refusal:
        return Ending(Outcome.FAILED, refusal.message)
    async for step in client.ask(target, begun.request, limits):
        match step:
            case Piece(text):
                running.text.append(text)
            case Waiting():
                running.waiting = step
            case Ending():
                return step
        await running.tell()
    raise RuntimeError("a client ended without an ending")


async def _target(runtime: Runtime, endpoint_id: UUID) -> Target:
    settings = runtime.settings

    def read(session: Session) -> Target:
        endpoint = session.get_one(ModelEndpoint, endpoint_id)
        return keeping.target_of(endpoint, secret=settings.signing_key(), reach=Reach(settings.outgoing_reach))

    target = await in_transaction(runtime, read)
    return await asyncio.to_thread(local.filled_in, target, settings) if target.managed else target


def _ended(generation: Generation, retry_after_seconds: int | None = None) -> Ended:
    return Ended(
        generation.id,
        generation.outcome,
        generation.text,
        generation.error,
        generation.finish_reason,
        retry_after_seconds,
    )
