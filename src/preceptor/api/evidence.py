"""Evidence about people, one's own skills, and what is worth rewriting, over the API."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from preceptor.api.quality import EstimateOut, estimate_out
from preceptor.api.schemas import Out
from preceptor.datasets.pseudonyms import Pseudonym, pseudonyms
from preceptor.http.edge import CurrentActor, CurrentRuntime, Db, Now
from preceptor.kit.errors import NotFound
from preceptor.kit.ids import read_id, show_id
from preceptor.people.identify import require_scope
from preceptor.projects.access import MANAGERS, project_for_client, role_in
from preceptor.work.models_quality import AnswerState, EvidenceKind, EvidenceState
from preceptor.work.service import evidence_board, insight
from preceptor.work.service.evidence_board import Finding
from preceptor.work.service.insight import JudgedTask, OwnSkill

router = APIRouter(prefix="/api/v1", tags=["quality"])


class EvidenceOut(Out):
    id: str = Field(examples=["evd_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    project_id: str
    person: str = Field(description="A pseudonym for clients, the person's id for operators.")
    other_person: str | None
    kind: EvidenceKind
    statement: str
    log_e: float = Field(description="Natural logarithm of the e-value now.")
    log_e_max: float
    false_alarms: float = Field(description="Greatest chance that somebody at the standard ever shows this in one fit.")
    speaks: bool = Field(description="The e-value passed 1 / false_alarms.")
    n: int
    path: list[list[float]] = Field(description="[judgments, log e] pairs, thinned.")
    state: EvidenceState
    updated_at: datetime


class EvidenceListOut(Out):
    items: list[EvidenceOut]


class OwnSkillOut(Out):
    project_id: str
    title: str
    judgments: int
    accuracy: float | None
    low: float | None
    high: float | None
    standard: float
    updated_at: datetime


class OwnSkillsOut(Out):
    items: list[OwnSkillOut]


class JudgedTaskOut(Out):
    task_id: str
    external_id: str
    state: AnswerState
    judgments: int
    confidence: float
    ambiguity: float | None
    units: dict[str, dict[str, float]] = Field(description="Unit -> label -> probability.")


class CriterionOut(Out):
    key: str
    title: str
    agreement: EstimateOut = Field(description="Krippendorff's alpha, ordinal.")
    ratings: int
    far_apart: float | None


class FindingsOut(Out):
    """What is worth a client's look."""

    ambiguous: list[JudgedTaskOut]
    escalated: list[JudgedTaskOut]
    criteria: list[CriterionOut] = Field(description="Read most differently first.")


@router.get("/evidence", response_model=EvidenceListOut)
def list_evidence(
    session: Db,
    actor: CurrentActor,
    kind: EvidenceKind | None = None,
    state: EvidenceState | None = None,
    person_id: str | None = None,
) -> EvidenceListOut:
    """All evidence of the installation, the strongest first (at most 100). For operators."""
    require_scope(actor, "operate")
    person = read_id("person", person_id) if person_id else None
    found = evidence_board.findings(session, actor, kind=kind, state=state, person_id=person)
    return EvidenceListOut(items=[_evidence_out(each, _by_id) for each in found])


@router.get("/projects/{project_id}/evidence", response_model=EvidenceListOut)
def project_evidence(
    project_id: str,
    session: Db,
    actor: CurrentActor,
    runtime: CurrentRuntime,
    kind: EvidenceKind | None = None,
    state: EvidenceState | None = None,
) -> EvidenceListOut:
    """Evidence about a project's people by pseudonym, the strongest first (at most 100)."""
    require_scope(actor, "read")
    project = project_for_client(session, actor, read_id("project", project_id))
    called = pseudonyms(runtime.settings.signing_key(), project.org_id)
    found = evidence_board.findings(session, actor, kind=kind, state=state, project_id=project.id)
    return EvidenceListOut(items=[_evidence_out(each, called) for each in found])


@router.post("/projects/{project_id}/evidence/{evidence_id}/seen", response_model=EvidenceOut)
def see_evidence(
    project_id: str, evidence_id: str, session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now
) -> EvidenceOut:
    """Nothing is to be done about this one. It opens again only with stronger evidence."""
    require_scope(actor, "projects")
    project = project_for_client(session, actor, read_id("project", project_id))
    seen = evidence_board.mark_seen(session, actor, read_id("evidence", evidence_id), now=now)
    called = pseudonyms(runtime.settings.signing_key(), project.org_id)
    found = evidence_board.findings(session, actor, project_id=project.id, person_id=seen.person_id)
    line = next((each for each in found if each.evidence.id == seen.id), None)
    if line is None:
        raise NotFound("evidence")
    return _evidence_out(line, called)


@router.get("/me/skills", response_model=OwnSkillsOut)
def own_skills(session: Db, actor: CurrentActor) -> OwnSkillsOut:
    """Your own skill in each project that has weighed your judgments. Nobody else's is in it."""
    require_scope(actor, "work")
    if actor.person_id is None:
        raise NotFound("person")
    return OwnSkillsOut(items=[_own_skill_out(each) for each in insight.own_skills(session, actor.person_id)])


@router.get("/projects/{project_id}/quality/findings", response_model=FindingsOut)
def findings(project_id: str, session: Db, actor: CurrentActor) -> FindingsOut:
    """Ambiguous tasks, tasks that stayed unsure, and criteria that people read differently."""
    require_scope(actor, "read")
    project = project_for_client(session, actor, read_id("project", project_id))
    known = role_in(actor, project.org_id) in MANAGERS
    return FindingsOut(
        ambiguous=[_judged_out(each) for each in insight.ambiguous_tasks(session, project.id, known=known)],
        escalated=[_judged_out(each) for each in insight.escalated_tasks(session, project.id)],
        criteria=[
            CriterionOut(
                key=each.key,
                title=each.title,
                agreement=estimate_out(each.agreement),
                ratings=each.ratings,
                far_apart=each.far_apart,
            )
            for each in insight.criteria_readings(session, project)
        ],
    )


def _by_id(person_id: UUID) -> str:
    return show_id("person", person_id)


def _evidence_out(found: Finding, called: Pseudonym) -> EvidenceOut:
    evidence = found.evidence
    return EvidenceOut(
        id=show_id("evidence", evidence.id),
        project_id=show_id("project", evidence.project_id),
        person=called(evidence.person_id),
        other_person=called(evidence.other_person_id) if evidence.other_person_id else None,
        kind=evidence.kind,
        statement=evidence.statement,
        log_e=evidence.log_e,
        log_e_max=evidence.log_e_max,
        false_alarms=evidence.false_alarms,
        speaks=found.speaks,
        n=evidence.n,
        path=evidence.path,
        state=evidence.state,
        updated_at=evidence.updated_at,
    )


def _own_skill_out(found: OwnSkill) -> OwnSkillOut:
    skill = found.skill
    return OwnSkillOut(
        project_id=show_id("project", found.project.id),
        title=found.project.title,
        judgments=skill.judgments,
        accuracy=skill.accuracy,
        low=skill.low,
        high=skill.high,
        standard=found.project.standard,
        updated_at=skill.updated_at,
    )


def _judged_out(found: JudgedTask) -> JudgedTaskOut:
    return JudgedTaskOut(
        task_id=show_id("task", found.task.id),
        external_id=found.task.external_id,
        state=found.quality.state,
        judgments=found.quality.judgments,
        confidence=found.quality.confidence,
        ambiguity=found.quality.ambiguity,
        units=found.quality.units,
    )
