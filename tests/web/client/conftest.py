"""A client at their browser: of a small project in a rolled-back world, or of a committed one that has everything."""

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.runtime import Runtime
from tests.factories import World, make_client, make_world
from tests.web.acting import Desk, Seating
from tests.web.client.house import House, open_house


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now(), tasks=3, overlap=2, rate_minor=40)


@pytest.fixture
def seat(client: TestClient, runtime: Runtime, session: Session, clock: FixedClock) -> Seating:
    return Seating(client, runtime, session, clock)


@pytest.fixture
def desk(seat: Seating, world: World) -> Desk:
    return seat(world.client, "client")


@pytest.fixture
def stranger(seat: Seating, session: Session, clock: FixedClock) -> Desk:
    _, owner = make_client(session, now=clock.now())
    return seat(owner, "client")


@pytest.fixture
def house(open_runtime: Callable[..., Runtime]) -> Iterator[House]:
    with open_house(open_runtime()) as house:
        yield house
