"""Model endpoints, the projects that use them, and every generation."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.endpoints.chat import Outcome
from preceptor.kit.db import Base, Json, JsonList
from preceptor.kit.ids import new_id

PRICE_DIGITS = 6
COST_DIGITS = 12
"""A price per million tokens with six digits times a number of tokens has at most twelve: costs are exact."""


class EndpointKind(StrEnum):
    OPENAI = "openai"
    """Any server with an OpenAI-compatible `/chat/completions`."""
    LOCAL = "local"
    """The small model that this installation runs itself."""


class EndpointState(StrEnum):
    ON = "on"
    OFF = "off"
    RETIRED = "retired"
    """Deleted: its key is gone, and its generations still say who wrote them."""


class EndpointRole(StrEnum):
    GENERATE = "generate"
    """Answers people while they work."""
    JUDGE = "judge"
    PRELABEL = "prelabel"


class Purpose(StrEnum):
    """What a generation was for."""

    GENERATE = "generate"
    JUDGE = "judge"
    PRELABEL = "prelabel"
    TEST = "test"


class ModelEndpoint(Base):
    """A server and one of its models. The key is sealed (`sealing`) and goes to that server alone."""

    __tablename__ = "model_endpoint"
    __table_args__ = (
        Index("uq_model_endpoint_name", "org_id", "name", unique=True, postgresql_where=text("state <> 'retired'")),
        CheckConstraint("requests_per_minute BETWEEN 1 AND 100000", name="rate_range"),
        CheckConstraint("concurrency BETWEEN 1 AND 1000", name="concurrency_range"),
        CheckConstraint("price_input >= 0 AND price_output >= 0", name="price_not_negative"),
        CheckConstraint("state <> 'retired' OR sealed_key IS NULL", name="retired_without_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"), index=True)
    name: Mapped[str]
    kind: Mapped[EndpointKind] = mapped_column(default=EndpointKind.OPENAI)
    base_url: Mapped[str]
    """Without a slash at its end; empty for the local model."""
    model: Mapped[str]
    sealed_key: Mapped[bytes | None]
    parameters: Mapped[Json]
    """`settings.Parameters`: temperature, top_p, max_tokens, system_prompt."""
    price_input: Mapped[Decimal] = mapped_column(Numeric(18, PRICE_DIGITS))
    """Per million tokens that go in, in `currency`."""
    price_output: Mapped[Decimal] = mapped_column(Numeric(18, PRICE_DIGITS))
    currency: Mapped[str]
    requests_per_minute: Mapped[int] = mapped_column(default=60)
    concurrency: Mapped[int] = mapped_column(default=4)
    state: Mapped[EndpointState] = mapped_column(default=EndpointState.ON)
    resting_until: Mapped[datetime | None]
    """The server asked everybody to wait until then (HTTP 429 with Retry-After)."""
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class ProjectEndpoint(Base):
    """A project uses an endpoint. `position` is the place by which task types know it: the first model is 0."""

    __tablename__ = "project_endpoint"
    __table_args__ = (
        UniqueConstraint("project_id", "role", "endpoint_id"),
        UniqueConstraint("project_id", "role", "position"),
        CheckConstraint("position BETWEEN 0 AND 15", name="position_range"),
        CheckConstraint("tokens_max > 0 AND turns_max > 0", name="quota_positive"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("model_endpoint.id"), index=True)
    role: Mapped[EndpointRole]
    position: Mapped[int]
    tokens_max: Mapped[int | None]
    """What one contributor may use of it in this project, in and out together; None for no limit."""
    turns_max: Mapped[int | None]
    """How often one contributor may ask it in this project; None for no limit."""
    created_at: Mapped[datetime]


class Generation(Base):
    """One question to one model: written before it is asked, completed when it ended."""

    __tablename__ = "generation"
    __table_args__ = (
        Index(
            "uq_generation_request",
            "claim_id",
            "request_key",
            unique=True,
            postgresql_where=text("claim_id IS NOT NULL"),
        ),
        Index("ix_generation_endpoint_id_created_at", "endpoint_id", "created_at"),
        Index("ix_generation_running", "endpoint_id", postgresql_where=text("outcome = 'running'")),
        Index("ix_generation_project_person", "project_id", "person_id", "endpoint_id"),
        Index("ix_generation_org_id_id", "org_id", "id"),
        Index("ix_generation_unclaimed", "task_id", postgresql_where=text("claim_id IS NULL AND task_id IS NOT NULL")),
        CheckConstraint("(outcome = 'running') = (finished_at IS NULL)", name="finished_when_ended"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("model_endpoint.id"))
    purpose: Mapped[Purpose]
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("project.id"))
    claim_id: Mapped[UUID | None] = mapped_column(ForeignKey("claim.id"))
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("task.id"))
    """For what is made before anybody claims the task."""
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    request_key: Mapped[str]
    """The asker's own name of the request: the same one again gives the same generation."""
    request_digest: Mapped[bytes]
    """SHA-256 of model, messages and options."""
    shown_as: Mapped[str]
    """The blind name under which a person saw it (A, B ...); empty where nobody did."""
    model: Mapped[str]
    """The model that was asked for."""
    messages: Mapped[JsonList]
    options: Mapped[Json]
    outcome: Mapped[Outcome] = mapped_column(default=Outcome.RUNNING)
    text: Mapped[str] = mapped_column(default="")
    finish_reason: Mapped[str | None]
    error: Mapped[str] = mapped_column(default="")
    input_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int] = mapped_column(default=0)
    """While it runs: the most it may become."""
    tokens_estimated: Mapped[bool] = mapped_column(default=False)
    """The endpoint did not count; these are estimates from the length of the text."""
    cost: Mapped[Decimal] = mapped_column(Numeric(24, COST_DIGITS), default=Decimal(0))
    currency: Mapped[str]
    model_version: Mapped[str | None]
    """What the endpoint says that it ran."""
    first_token_ms: Mapped[int | None]
    latency_ms: Mapped[int | None]
    tries: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
