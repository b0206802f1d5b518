"""Work that only one process may do at a time, and that takes longer than a transaction should."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Engine, func, select

POLL_SECONDS = 0.5


@contextmanager
def only_one(engine: Engine, subject_id: UUID) -> Iterator[None]:
    """Waits until nobody else does this to this subject. The lock goes when its process does, however it ends.

    Holds a connection, but no transaction. Whoever enters must look again at what is left to do.
    """
    key = int.from_bytes(subject_id.bytes[-8:], signed=True)
    with engine.connect() as connection:
        # Polled, because a statement that waited would end by the connection's lock_timeout.
        while not connection.scalar(select(func.pg_try_advisory_lock(key))):
            connection.commit()
            time.sleep(POLL_SECONDS)
        connection.commit()
        try:
            yield
        finally:
            connection.scalar(select(func.pg_advisory_unlock(key)))
            connection.commit()
