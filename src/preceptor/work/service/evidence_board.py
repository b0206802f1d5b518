"""Evidence about people, for whoever may decide something: a list, one person's paths, and "seen".

Evidence says how unlikely a record is for somebody who meets the standard. What follows is a human's decision, with
a receipt (`fairness`).
"""

from dataclasses import dataclass
from datetime import datetime
from math import exp, log
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from preceptor.kit import events
from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.people.models import Person
from preceptor.projects import access
from preceptor.projects.models import Project
from preceptor.work.models_quality import Evidence, EvidenceKind, EvidenceState

PAGE_MAX = 100
LOG_E_SHOWN_MAX = 20.0


@dataclass(frozen=True)
class Finding:
    """One line of the board. `speaks` when the e-value passed what its false-alarm rate asks."""

    evidence: Evidence
    person: Person
    project: Project
    other: Person | None

    @property
    def threshold(self) -> float:
        """Log of the e-value that a false-alarm rate asks for (Ville's inequality): ln(1 / rate)."""
        return log(1 / self.evidence.false_alarms)

    @property
    def e_value(self) -> float:
        """The greatest e-value, cut off where more says nothing more."""
        return exp(min(self.evidence.log_e_max, LOG_E_SHOWN_MAX))

    @property
    def speaks(self) -> bool:
        return self.evidence.log_e_max >= self.threshold


def findings(
    session: Session,
    actor: Actor,
    *,
    kind: EvidenceKind | None = None,
    state: EvidenceState | None = None,
    person_id: UUID | None = None,
    project_id: UUID | None = None,
    limit: int = PAGE_MAX,
) -> list[Finding]:
    """Evidence that the actor may see, the strongest first: an operator all, a client that of a project named."""
    wanted = _visible(session, actor, project_id)
    if kind is not None:
        wanted = wanted.where(Evidence.kind == kind)
    if state is not None:
        wanted = wanted.where(Evidence.state == state)
    if person_id is not None:
        wanted = wanted.where(Evidence.person_id == person_id)
    wanted = wanted.order_by(Evidence.log_e_max.desc(), Evidence.id).limit(min(limit, PAGE_MAX))
    return [Finding(*row) for row in session.execute(wanted)]


def counts_by_kind(session: Session, actor: Actor, state: EvidenceState) -> dict[EvidenceKind, int]:
    """How much evidence of each kind an operator's board holds in a state."""
    _require_operator(actor)
    wanted = select(Evidence.kind, func.count()).where(Evidence.state == state).group_by(Evidence.kind)
    found = {each: int(count) for each, count in session.execute(wanted)}
    return dict.fromkeys(EvidenceKind, 0) | found


def mark_seen(session: Session, actor: Actor, evidence_id: UUID, *, now: datetime) -> Evidence:
    """Somebody looked and nothing is to be done; the evidence stays, and opens again only with a stronger one."""
    found = session.scalar(select(Evidence).where(Evidence.id == evidence_id).with_for_update())
    if found is None:
        raise NotFound("evidence")
    access.project_for_client(session, actor, found.project_id, *access.MANAGERS)
    if found.state is EvidenceState.OPEN:
        found.state = EvidenceState.SEEN
        events.record(
            session,
            actor,
            "work.evidence_seen",
            "evidence",
            found.id,
            at=now,
            project_id=found.project_id,
            person_id=found.person_id,
            data={"kind": found.kind.value},
        )
    session.flush()
    return found


def _visible(
    session: Session, actor: Actor, project_id: UUID | None
) -> Select[tuple[Evidence, Person, Project, Person]]:
    other = aliased(Person)
    wanted = (
        select(Evidence, Person, Project, other)
        .join(Person, Person.id == Evidence.person_id)
        .join(Project, Project.id == Evidence.project_id)
        .outerjoin(other, other.id == Evidence.other_person_id)
    )
    if project_id is None:
        _require_operator(actor)
        return wanted
    access.project_for_client(session, actor, project_id)
    return wanted.where(Evidence.project_id == project_id)


def _require_operator(actor: Actor) -> None:
    if "operator" not in actor.roles or actor.org_id is not None:
        raise NotFound("page")
