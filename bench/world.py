"""People, projects and tasks in bulk. Ids of people and their keys follow from their numbers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from preceptor.kit.events import SYSTEM
from preceptor.kit.money import Money
from preceptor.money import service as money
from preceptor.people.models import Organization
from preceptor.projects.models import Project, ProjectState

RATE_MINOR = 42
PEOPLE = text("""
    WITH people AS (
        INSERT INTO person (id, email, name, state, is_operator, is_contributor, is_reviewer, simulated, created_at)
        SELECT person_number(n), 'bench' || n || '@example.org', 'Bench ' || n, 'active', false, true, false, true, :now
        FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n
    )
    INSERT INTO api_key (id, person_id, name, prefix, secret_hash, scopes, created_at)
    SELECT uuidv7(), person_number(n), 'bench', 'bench', sha256(convert_to('pk_bench_' || n, 'UTF8')),
           '{work,read}', :now
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n
""")
NUMBERED = """
    CREATE OR REPLACE FUNCTION {kind}_number(n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql
    AS $$ SELECT ('00000000-0000-7000-{digits}-' || lpad(to_hex(n), 12, '0'))::uuid $$
"""
TASKS = text("""
    INSERT INTO task (id, project_id, external_id, payload, priority, position, wanted, taken, done, state, created_at)
    SELECT uuidv7(), :project_id, 'task-' || n, jsonb_build_object(
        'prompt', jsonb_build_array(
            jsonb_build_object('role', 'user', 'content', 'What is ' || n || ' + ' || n || '?')),
        'responses', jsonb_build_array(
            jsonb_build_object('id', 'r1', 'messages', jsonb_build_array(
                jsonb_build_object('role', 'assistant', 'content', 'It is ' || 2 * n || '.'))),
            jsonb_build_object('id', 'r2', 'messages', jsonb_build_array(
                jsonb_build_object('role', 'assistant', 'content', 'It is ' || 2 * n + 1 || '.'))))),
        5, n, :wanted, 0, 0, 'open', :now
    FROM generate_series(CAST(:first AS int), CAST(:first AS int) + CAST(:tasks AS int) - 1) n
""")
MEMBERS = text("""
    INSERT INTO membership (project_id, person_id, state, cursor, joined_at)
    SELECT :project_id, person_number(n), 'active', -1, :now
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n
""")
ANSWER: dict[str, object] = {
    "ranks": {"A": 1, "B": 2},
    "strength": 2,
    "justification": "The first response adds up; the second one is off by one.",
}


def person_id(number: int) -> UUID:
    return UUID(int=0x00000000_0000_7000_8000 << 48 | number)


def key_of(number: int) -> str:
    return f"pk_bench_{number}"


@dataclass
class World:
    """One organization with money; projects, people and tasks are added as they are needed."""

    engine: Engine
    now: datetime
    organization_id: UUID
    people: int = 0

    @classmethod
    def made(cls, engine: Engine) -> "World":
        now = datetime.now(UTC)
        with Session(engine) as session, session.begin():
            for kind, digits in (("person", "8000"), ("claim", "9000")):
                session.execute(text(NUMBERED.format(kind=kind, digits=digits)))
            organization = Organization(name="Bench", created_at=now)
            session.add(organization)
            session.flush()
            money.top_up(session, SYSTEM, organization.id, Money(10**12, "USD"), note="", now=now)
            return cls(engine, now, organization.id)

    def add_people(self, number: int) -> None:
        """So many more people, each with an API key that may work."""
        with self.engine.begin() as connection:
            connection.execute(PEOPLE, {"first": self.people, "last": self.people + number - 1, "now": self.now})
        self.people += number

    def add_project(self, *, claims: int) -> UUID:
        """An open project with money for so many claims, whose submissions wait for review."""
        with Session(self.engine) as session, session.begin():
            project = Project(
                org_id=self.organization_id,
                title="Bench",
                task_type="comparison",
                config={},
                state=ProjectState.OPEN,
                lease_seconds=86400,
                review_percent=100,
                rate_minor=RATE_MINOR,
                currency="USD",
                created_at=self.now,
            )
            session.add(project)
            session.flush()
            amount = Money(RATE_MINOR * claims, "USD")
            whose = {"org_id": self.organization_id, "project_id": project.id}
            money.fund_project(session, SYSTEM, **whose, amount=amount, now=self.now)
            return project.id

    def add_tasks(self, project_id: UUID, tasks: int, *, wanted: int, first: int = 0) -> None:
        values = {"project_id": project_id, "tasks": tasks, "wanted": wanted, "first": first, "now": self.now}
        with self.engine.begin() as connection:
            connection.execute(TASKS, values)

    def let_in(self, project_id: UUID, first: int, last: int) -> None:
        """Make the people with these numbers members."""
        values = {"project_id": project_id, "first": first, "last": last, "now": self.now}
        with self.engine.begin() as connection:
            connection.execute(MEMBERS, values)

    def settle(self) -> None:
        """What autovacuum does after a bulk load, now instead of some time during the measurement."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
