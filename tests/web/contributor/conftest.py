"""A contributor at their browser, in a project whose every answer is reviewed."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.runtime import Runtime
from tests.factories import User, World, join, make_world
from tests.web.acting import Desk, Seating


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now(), review_percent=100)


@pytest.fixture
def worker(session: Session, world: World, clock: FixedClock) -> User:
    return join(session, world, now=clock.now())[0]


@pytest.fixture
def seat(client: TestClient, runtime: Runtime, session: Session, clock: FixedClock) -> Seating:
    return Seating(client, runtime, session, clock)


@pytest.fixture
def desk(seat: Seating, worker: User) -> Desk:
    return seat(worker)
