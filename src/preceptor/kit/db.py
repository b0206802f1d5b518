"""The database: one engine per process, one session per request or job, transactions at the edge."""

import enum
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeVar
from uuid import UUID

from psycopg.errors import DeadlockDetected
from sqlalchemy import BigInteger, DateTime, Engine, Enum, MetaData, SmallInteger, Text, create_engine, types
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker

T = TypeVar("T")

BigInt = Annotated[int, mapped_column(BigInteger)]
SmallInt = Annotated[int, mapped_column(SmallInteger)]
Json = dict[str, Any]
JsonList = list[Any]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {
        datetime: DateTime(timezone=True),
        str: Text(),
        UUID: types.Uuid(),
        Json: JSONB(),
        JsonList: JSONB(),
        list[str]: ARRAY(Text()),
        # By value and as checked text, so that SQL, exports and Python say the same word.
        enum.StrEnum: Enum(
            enum.StrEnum,
            native_enum=False,
            create_constraint=True,
            length=32,
            values_callable=lambda kind: [member.value for member in kind],
        ),
    }


def psycopg_url(url: str) -> str:
    """A libpq URL as SQLAlchemy wants it, with psycopg 3 as driver."""
    scheme, _, rest = url.partition("://")
    if scheme.split("+")[0] not in {"postgres", "postgresql"}:
        raise ValueError(f"{scheme!r} is not PostgreSQL: PRECEPTOR_DATABASE_URL must start with postgresql://")
    return f"postgresql+psycopg://{rest}"


def make_engine(url: str, *, connections_max: int = 12) -> Engine:
    """Connect lazily. Business time never comes from the server, but its zone is UTC all the same."""
    return create_engine(
        psycopg_url(url),
        pool_size=connections_max,
        max_overflow=0,
        pool_timeout=30,
        pool_pre_ping=False,
        connect_args={"options": "-c timezone=UTC -c lock_timeout=15000", "application_name": "preceptor"},
    )


def make_sessions(engine: Engine) -> sessionmaker[Session]:
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def transaction(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """One unit of work: commits at the end, rolls back on any exception."""
    with sessions() as session, session.begin():
        yield session


TRIES = 4


def run_in_transaction(sessions: sessionmaker[Session], work: Callable[[Session], T]) -> T:
    """The result of `work` in one transaction, committed.

    Locks are taken in stated orders, so that nobody waits in a circle. Where the database finds one all the same,
    it ends one of the transactions; that one has done nothing yet and is simply run again, `TRIES` times in all.
    """
    for _ in range(TRIES - 1):
        try:
            with transaction(sessions) as session:
                return work(session)
        except OperationalError as error:
            if not isinstance(error.orig, DeadlockDetected):
                raise
    with transaction(sessions) as session:
        return work(session)
