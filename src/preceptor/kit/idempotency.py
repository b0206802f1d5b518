"""`Idempotency-Key`: the answer to a creating request is kept and given again to a repeat of it.

After the IETF draft "The Idempotency-Key HTTP Header Field".
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from preceptor.kit.db import Base, Json


class IdempotencyRecord(Base):
    __tablename__ = "idempotency_record"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[bytes]
    """SHA-256 of method, path and body: the same key with another request is refused."""
    status: Mapped[int]
    body: Mapped[Json]
    created_at: Mapped[datetime]
