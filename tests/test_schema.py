"""The schema that migrations build is the one the models describe, and history cannot be rewritten in it."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.runtime import Runtime
from preceptor.migrations import current_revision, head_revision, upgrade
from preceptor.migrations.metadata import is_ours, metadata
from tests.factories import make_world


def test_models_and_migrations_agree(runtime: Runtime) -> None:
    with runtime.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours, "compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_upgrading_an_installed_schema_changes_nothing(runtime: Runtime) -> None:
    upgrade(runtime.engine)
    assert current_revision(runtime.engine) == head_revision()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE posting SET amount_minor = 1",
        "DELETE FROM posting",
        "TRUNCATE posting",
        "UPDATE event SET kind = 'nothing'",
        "DELETE FROM event",
        "DELETE FROM review",
        "UPDATE rubric_version SET criteria = '[]'",
    ],
)
def test_what_is_written_stays_written(session: Session, clock: FixedClock, statement: str) -> None:
    make_world(session, now=clock.now())
    session.flush()
    with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
        session.execute(text(statement))


def test_no_part_of_an_account_goes_below_zero(session: Session, clock: FixedClock) -> None:
    make_world(session, now=clock.now())
    session.flush()
    with pytest.raises(DBAPIError, match="not_overdrawn"), session.begin_nested():
        session.execute(text("UPDATE account_part SET balance_minor = -1 WHERE NOT may_overdraw"))
