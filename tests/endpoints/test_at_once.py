"""Limits hold when many ask at once, over processes that share nothing but the database."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from preceptor.endpoints import asking
from preceptor.endpoints.chat import Outcome
from preceptor.endpoints.errors import EndpointBusy, QuotaUsed
from preceptor.endpoints.models import Generation, ProjectEndpoint
from preceptor.endpoints.service.generating import Begun
from preceptor.kit.db import run_in_transaction
from preceptor.kit.runtime import Runtime
from preceptor.work import service as work
from preceptor.work.service import generating
from preceptor.work.service.generating import Question
from tests.endpoints.asking import make_endpoint, use
from tests.endpoints.servers import Connection, says, serving
from tests.factories import join, make_world

PEOPLE = 8


def slowly(to: Connection) -> None:
    to.hold.wait(0.3)
    says("done")(to)


def crowd(runtimes: list[Runtime], url: str, *, concurrency: int, turns_max: int | None) -> list[str]:
    """Everybody asks at the same moment, each from another process's point of view; how each one ended."""
    first = runtimes[0]
    now = first.clock.now()
    with first.sessions.begin() as session:
        world = make_world(session, now=now, tasks=PEOPLE, overlap=PEOPLE)
        endpoint = make_endpoint(session, first, world, url, concurrency=concurrency)
        use(session, world, first.clock, endpoint, turns_max=turns_max)
        people = join(session, world, now=now, people=PEOPLE if turns_max is None else 1) * (
            1 if turns_max is None else PEOPLE
        )
        claims = [work.claim_next(session, each.actor, world.project.id, now=now).claim.id for each in people]
    ready = threading.Barrier(PEOPLE)

    def one(number: int) -> str:
        runtime = runtimes[number % len(runtimes)]
        question = Question(f"question-{number}", [{"role": "user", "content": "Hi"}])

        def begin() -> Begun:
            return run_in_transaction(
                runtime.sessions,
                lambda session: generating.begin(
                    session, people[number].actor, claims[number], question, now=runtime.clock.now()
                ),
            )

        async def whole() -> str:
            begun = await asking.begin_when_free(begin)
            return (await asking.complete(runtime, begun)).outcome.value

        ready.wait()
        try:
            return asyncio.run(whole())
        except (EndpointBusy, QuotaUsed) as refusal:
            return refusal.code

    with ThreadPoolExecutor(PEOPLE) as pool:
        return list(pool.map(one, range(PEOPLE)))


def test_an_endpoint_is_never_asked_more_often_at_a_time_than_it_bears(open_runtime: Callable[..., Runtime]) -> None:
    runtimes = [open_runtime(outgoing_reach="loopback") for _ in range(2)]
    with serving(slowly) as server:
        ended = crowd(runtimes, server.url, concurrency=2, turns_max=None)
        assert server.most_at_once <= 2
    assert ended == ["finished"] * PEOPLE


def test_a_quota_is_not_overrun_by_asking_at_once(open_runtime: Callable[..., Runtime]) -> None:
    runtimes = [open_runtime(outgoing_reach="loopback") for _ in range(2)]
    with serving(slowly) as server:
        ended = crowd(runtimes, server.url, concurrency=PEOPLE, turns_max=3)
    assert sorted(ended) == ["endpoint_quota_used"] * (PEOPLE - 3) + ["finished"] * 3
    with runtimes[0].sessions() as session:
        assert session.scalars(select(Generation.outcome)).all() == [Outcome.FINISHED] * 3
        assert session.scalars(select(ProjectEndpoint.turns_max)).one() == 3


def test_two_processes_that_ask_the_same_share_one_generation(open_runtime: Callable[..., Runtime]) -> None:
    runtimes = [open_runtime(outgoing_reach="loopback") for _ in range(2)]
    now = runtimes[0].clock.now()
    with serving(slowly) as server:
        with runtimes[0].sessions.begin() as session:
            world = make_world(session, now=now)
            use(session, world, runtimes[0].clock, make_endpoint(session, runtimes[0], world, server.url))
            person = join(session, world, now=now)[0]
            claim = work.claim_next(session, person.actor, world.project.id, now=now).claim.id
        question = Question("the-same", [{"role": "user", "content": "Hi"}])

        def one(runtime: Runtime) -> asking.Ended:
            async def whole() -> asking.Ended:
                begun = await asking.begin_when_free(
                    lambda: run_in_transaction(
                        runtime.sessions,
                        lambda session: generating.begin(
                            session, person.actor, claim, question, now=runtime.clock.now()
                        ),
                    )
                )
                return await asking.complete(runtime, begun)

            return asyncio.run(whole())

        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(one, runtimes)
        assert (first.generation_id, first.text) == (second.generation_id, "done")
        assert len(server.asked) == 1
