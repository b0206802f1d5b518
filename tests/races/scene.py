"""A project with a crowd in it, committed, and what they do there."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.kit.db import transaction
from preceptor.kit.errors import AppError
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.work import service
from preceptor.work.models import Claim
from preceptor.work.service import ClaimedWork
from tests.conftest import NOW
from tests.factories import PREFER_A, User, World, join, make_world
from tests.races.crowd import CROWD, together

ROUNDS = 10
"""A weakened guard is tried this often before its loss counts as unnoticed."""
RATE = 42
MakeRuntime = Callable[..., Runtime]


@dataclass(frozen=True)
class Scene:
    runtime: Runtime
    world: World
    people: list[User]

    @property
    def project_id(self) -> UUID:
        return self.world.project.id

    def claim(self, user: User) -> Callable[[Session], ClaimedWork]:
        return lambda session: service.claim_next(session, user.actor, self.project_id, now=NOW)

    def everybody_claims(self) -> list[ClaimedWork | AppError]:
        return together(self.runtime, [self.claim(user) for user in self.people])

    def submit(self, claimed: Claim, user: User, answer: dict[str, object] = PREFER_A) -> Callable[[Session], UUID]:
        return lambda session: service.submit(session, user.actor, claimed.id, dict(answer), now=NOW).id

    def count(self, what: type, *where: object) -> int:
        with self.runtime.sessions() as session:
            return session.scalar(select(func.count()).select_from(what).where(*where)) or 0  # type: ignore[arg-type]

    def escrow_and_reserved(self) -> tuple[int, int]:
        with self.runtime.sessions() as session:
            funds = money.project_funds(session, self.project_id, "USD")
        return funds.escrow.minor, funds.reserved.minor


def set_up(
    runtime: Runtime,
    people: int = CROWD,
    *,
    tasks: int = 3,
    overlap: int = 2,
    budget_minor: int = 1_000_000,
    review_percent: int = 0,
) -> Scene:
    with transaction(runtime.sessions) as session:
        world = make_world(
            session,
            now=NOW,
            tasks=tasks,
            overlap=overlap,
            rate_minor=RATE,
            budget_minor=budget_minor,
            review_percent=review_percent,
        )
        return Scene(runtime, world, join(session, world, now=NOW, people=people))


def submitted(runtime: Runtime, people: int, **more: int) -> tuple[Scene, list[UUID]]:
    """A scene in which everybody has claimed and submitted once."""
    scene = set_up(runtime, people, **more)
    with transaction(runtime.sessions) as session:
        claims = [(user, scene.claim(user)(session).claim) for user in scene.people]
        return scene, [scene.submit(claim, user)(session) for user, claim in claims]
