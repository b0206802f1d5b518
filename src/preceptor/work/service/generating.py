"""Asking models while working on a claim, and the proof that an answer quotes them truly."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.endpoints import queries as endpoint_queries
from preceptor.endpoints.chat import ChatMessage, Outcome
from preceptor.endpoints.errors import NoEndpoint, NotGenerated, QuotaUsed
from preceptor.endpoints.models import EndpointRole, Generation, ModelEndpoint, ProjectEndpoint, Purpose
from preceptor.endpoints.service import choosing, generating
from preceptor.endpoints.service.generating import Asker, Begun
from preceptor.kit.errors import Invalid
from preceptor.kit.events import Actor
from preceptor.kit.ids import show_id
from preceptor.projects.models import Project, Task
from preceptor.tasktypes.generation import DirectsModels, Turn, model_messages, model_place
from preceptor.tasktypes.working import Working, working
from preceptor.work import access, rules
from preceptor.work.errors import ClaimEnded, LeaseOver
from preceptor.work.models import Claim, ClaimState

GENERATIONS_PER_CLAIM_MAX = 400
DEPTH_MAX = 40
"""How deep texts of models may lie in an answer."""
KEPT = frozenset({Outcome.FINISHED, Outcome.CUT})


@dataclass(frozen=True)
class Question:
    """What a person asks: `key` is new for each question, `shown_as` the blind name of who shall answer."""

    key: str
    messages: Sequence[Turn]
    shown_as: str = "A"
    turn: str = ""
    """Names the turn, so that blind names can be drawn anew for each."""


def begin(session: Session, actor: Actor, claim_id: UUID, question: Question, *, now: datetime) -> Begun:
    """Write the intent to ask, for a claim that is open and whose lease runs. The rest is `endpoints.asking`.

    Lock order: endpoint; the claim and the project are only read, since what is written here changes neither.
    """
    claim = _open_claim(session, actor, claim_id, now)
    project = session.get_one(Project, claim.project_id)
    payload = session.scalars(select(Task.payload).where(Task.id == claim.task_id)).one()
    kind = working(project.task_type, project.config)
    held = kind.payload(payload)
    place = model_place(kind.kind, question.shown_as, question.turn, claim.display_order, held, kind.config)
    chosen = _chosen(session, project.id, place)
    asked = session.scalar(select(func.count()).where(Generation.claim_id == claim.id)) or 0
    if asked >= GENERATIONS_PER_CLAIM_MAX:
        raise QuotaUsed(f"One task may ask models {GENERATIONS_PER_CLAIM_MAX} times. Finish with what you have.")
    asker = Asker(
        Purpose.GENERATE,
        question.key,
        person_id=claim.person_id,
        project_id=project.id,
        claim_id=claim.id,
        task_id=claim.task_id,
        shown_as=question.shown_as,
    )
    messages: list[ChatMessage] = [
        {"role": each["role"], "content": each["content"]}
        for each in model_messages(kind.kind, question.messages, held, kind.config)
    ]
    return generating.begin(session, chosen[1].id, messages, asker, quota=chosen[0], now=now)


def _open_claim(session: Session, actor: Actor, claim_id: UUID, now: datetime) -> Claim:
    claim = access.own_claim(session, actor, claim_id)
    if claim.state not in (ClaimState.OPEN, ClaimState.RETURNED):
        raise LeaseOver if claim.state is ClaimState.EXPIRED else ClaimEnded
    if rules.lease_is_over(claim.leased_until, now):
        raise LeaseOver
    return claim


def _chosen(session: Session, project_id: UUID, place: int | None) -> tuple[ProjectEndpoint, ModelEndpoint]:
    if place is None:
        raise Invalid("This task shows no model of that name.")
    found = {used.position: (used, endpoint) for used, endpoint in models_of(session, project_id)}
    if place not in found:
        raise NoEndpoint
    return found[place]


def models_of(session: Session, project_id: UUID) -> list[tuple[ProjectEndpoint, ModelEndpoint]]:
    """The models that answer people in a project, in order."""
    return choosing.chosen(session, project_id, EndpointRole.GENERATE)


# --- Authenticity


def verified(
    session: Session, kind: Working, claim_id: UUID, payload: BaseModel, given: BaseModel, answer: dict[str, Any]
) -> dict[str, Any]:
    """The answer with the `source` of every text that names a `generation`; NotGenerated where one is not true.

    Any object of an answer, of whatever kind, that has a `generation` must have as its `text` exactly what that
    generation wrote, and the generation must be of this claim.
    """
    quoted = list(_quoted(answer, 0))
    if not quoted:
        return answer
    rows = session.execute(endpoint_queries.of_claim(claim_id)).all()
    known = {show_id("generation", row[0].id): (row[0], row[1]) for row in rows}
    for each in quoted:
        found = known.get(str(each["generation"]))
        if found is None or found[0].outcome not in KEPT or each.get("text") != found[0].text:
            raise NotGenerated
        each["source"] = source_of(*found)
    if isinstance(kind.kind, DirectsModels):
        _refuse_moved(kind.kind.asked_of(payload, given, kind.config), known)
    return answer


def source_of(generation: Generation, endpoint_name: str) -> str:
    """Who wrote a text, for the people who own the data: the endpoint and the model it says it ran."""
    model = generation.model_version or generation.model
    return endpoint_name if model == endpoint_name else f"{endpoint_name}: {model}"


def _quoted(value: object, depth: int) -> Iterator[dict[str, Any]]:
    if depth > DEPTH_MAX:
        raise NotGenerated("The answer is nested too deep.")
    if isinstance(value, dict):
        if value.get("generation") is not None:
            yield value
        elif "text" in value:
            value.pop("source", None)  # only the server says who wrote something
        for inner in value.values():
            yield from _quoted(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _quoted(inner, depth + 1)


def _refuse_moved(
    asked: Mapping[str, tuple[str, str, list[Turn]]], known: Mapping[str, tuple[Generation, str]]
) -> None:
    """A text stands where it was given: under the messages that it answers and the name it was shown as."""
    for generation_id, (shown_as, _, messages) in asked.items():
        generation, _ = known[generation_id]
        sent = list(generation.messages)
        if sent and sent[0]["role"] == "system" and not (messages and messages[0]["role"] == "system"):
            sent = sent[1:]  # the endpoint's own system prompt
        if sent != messages or generation.shown_as != shown_as:
            raise NotGenerated("A model's text stands in another place than where it was given. Ask again there.")
