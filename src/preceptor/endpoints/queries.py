"""Selects about endpoints, returned and not executed."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Select, case, func, select

from preceptor.endpoints.chat import TOOK_PLACE, Outcome
from preceptor.endpoints.models import (
    EndpointRole,
    EndpointState,
    Generation,
    ModelEndpoint,
    ProjectEndpoint,
    Purpose,
)


def endpoint(endpoint_id: UUID, *, lock: bool = False) -> Select[tuple[ModelEndpoint]]:
    wanted = select(ModelEndpoint).where(ModelEndpoint.id == endpoint_id)
    return wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted


def endpoints_of(
    org_ids: Collection[UUID], *, before: UUID | None = None, limit: int | None = None
) -> Select[tuple[ModelEndpoint]]:
    """Newest first."""
    wanted = select(ModelEndpoint).where(
        ModelEndpoint.org_id.in_(org_ids), ModelEndpoint.state != EndpointState.RETIRED
    )
    if before is not None:
        wanted = wanted.where(ModelEndpoint.id < before)
    return wanted.order_by(ModelEndpoint.id.desc()).limit(limit)


def named(org_id: UUID, name: str) -> Select[tuple[ModelEndpoint]]:
    return select(ModelEndpoint).where(
        ModelEndpoint.org_id == org_id, ModelEndpoint.name == name, ModelEndpoint.state != EndpointState.RETIRED
    )


def chosen(project_id: UUID, role: EndpointRole | None = None) -> Select[tuple[ProjectEndpoint, ModelEndpoint]]:
    """What a project uses, in the order of its roles and places."""
    wanted = (
        select(ProjectEndpoint, ModelEndpoint)
        .join(ModelEndpoint, ModelEndpoint.id == ProjectEndpoint.endpoint_id)
        .where(ProjectEndpoint.project_id == project_id)
        .order_by(ProjectEndpoint.role, ProjectEndpoint.position)
    )
    return wanted.where(ProjectEndpoint.role == role) if role is not None else wanted


def by_request(claim_id: UUID, request_key: str) -> Select[tuple[Generation]]:
    return select(Generation).where(Generation.claim_id == claim_id, Generation.request_key == request_key)


def of_claim(claim_id: UUID) -> Select[tuple[Generation, str]]:
    """(generation, name of its endpoint) of everything that was asked for under a claim."""
    return (
        select(Generation, ModelEndpoint.name)
        .join(ModelEndpoint, ModelEndpoint.id == Generation.endpoint_id)
        .where(Generation.claim_id == claim_id)
    )


def load(endpoint_id: UUID, minute_ago: datetime, alive_since: datetime) -> Select[tuple[int, int]]:
    """(running, asked within a minute) of an endpoint. Whoever decides by it holds the endpoint's lock."""
    running = func.count().filter(Generation.outcome == Outcome.RUNNING, Generation.created_at > alive_since)
    lately = func.count().filter(Generation.created_at > minute_ago)
    earliest = min(minute_ago, alive_since)
    return select(running, lately).where(Generation.endpoint_id == endpoint_id, Generation.created_at > earliest)


def used(project_id: UUID, person_id: UUID, endpoint_id: UUID) -> Select[tuple[int, int]]:
    """(tokens, turns) that a person used of an endpoint in a project: what ran or finished, not what broke."""
    counted = (
        Generation.project_id == project_id,
        Generation.person_id == person_id,
        Generation.endpoint_id == endpoint_id,
        Generation.purpose == Purpose.GENERATE,
        Generation.outcome.in_(TOOK_PLACE),
    )
    tokens = func.coalesce(func.sum(Generation.input_tokens + Generation.output_tokens), 0)
    return select(tokens, func.count()).where(*counted)


def lost(alive_since: datetime) -> Select[tuple[Generation]]:
    """Generations whose process ended before it could say how they did."""
    return (
        select(Generation)
        .where(Generation.outcome == Outcome.RUNNING, Generation.created_at <= alive_since)
        .order_by(Generation.id)
        .limit(500)
        .with_for_update(skip_locked=True)
    )


def by_day(endpoint_ids: Collection[UUID], since: datetime) -> Select[tuple[UUID, datetime, int, int, int, Decimal]]:
    """(endpoint, day, asked, broken, tokens, cost) of the days since."""
    day = func.date_trunc("day", Generation.created_at).label("day")
    broken = func.count().filter(Generation.outcome.notin_(TOOK_PLACE))
    tokens = func.coalesce(func.sum(Generation.input_tokens + Generation.output_tokens), 0)
    return (
        select(Generation.endpoint_id, day, func.count(), broken, tokens, func.coalesce(func.sum(Generation.cost), 0))
        .where(Generation.endpoint_id.in_(endpoint_ids), Generation.created_at >= since)
        .group_by(Generation.endpoint_id, day)
        .order_by(day)
    )


def latencies(endpoint_ids: Collection[UUID], since: datetime) -> Select[tuple[UUID, float, float]]:
    """(endpoint, median milliseconds to the first token, median to the last) of what finished."""
    finished = case((Generation.outcome == Outcome.FINISHED, Generation.latency_ms))
    return (
        select(
            Generation.endpoint_id,
            func.percentile_cont(0.5).within_group(Generation.first_token_ms),
            func.percentile_cont(0.5).within_group(finished),
        )
        .where(Generation.endpoint_id.in_(endpoint_ids), Generation.created_at >= since)
        .group_by(Generation.endpoint_id)
    )


def newest(endpoint_id: UUID, limit: int) -> Select[tuple[Generation]]:
    return select(Generation).where(Generation.endpoint_id == endpoint_id).order_by(Generation.id.desc()).limit(limit)
