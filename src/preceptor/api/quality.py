"""A project's quality and progress over the API."""

from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from preceptor.api.schemas import MoneyOut, Out, money_out
from preceptor.datasets.pseudonyms import Pseudonym, pseudonyms
from preceptor.http.edge import CurrentActor, CurrentRuntime, Db, Now
from preceptor.kit.ids import read_id, show_id
from preceptor.people.identify import require_scope
from preceptor.projects.access import project_for_client, project_for_contributor
from preceptor.quality import Estimate
from preceptor.work import service
from preceptor.work.service import PersonQuality, ProjectProgress, ProjectQuality
from preceptor.work.service.aspects import AspectAgreement, aspect_agreement
from preceptor.work.service.quality import Agreement

router = APIRouter(prefix="/api/v1", tags=["quality"])


class EstimateOut(Out):
    value: float | None
    low: float | None = Field(description="95 % interval.")
    high: float | None
    n: int
    reason: str | None = Field(description="Why the value or its interval is unknown.")


class AgreementOut(Out):
    alpha: EstimateOut = Field(description="Krippendorff's alpha, nominal.")
    units: int = Field(description="Pairs of responses that at least two people judged.")
    unanimous: int
    decided: int
    split: int


class TopicOut(Out):
    topic: str | None
    agreement: AgreementOut


class PersonOut(Out):
    person_id: str = Field(description="Your own id; a client reads the pseudonym that its releases use.")
    judgments: int
    peers: EstimateOut
    gold: EstimateOut
    approval: EstimateOut
    median_seconds: float | None


class LabelOut(Out):
    label: str
    count: int
    share: float


class AspectOut(Out):
    key: str
    title: str
    agreement: EstimateOut = Field(description="Mean agreement of two people on one task, not corrected for chance.")
    pairs: int


class QualityOut(Out):
    judgments: int
    judgments_total: int
    partial: bool = Field(description="The numbers rest on the newest `judgments` only.")
    agreement: AgreementOut
    topics: list[TopicOut]
    people: list[PersonOut]
    labels: list[LabelOut]
    aspects: list[AspectOut] = Field(description="How alike people answer, part by part of the answer; worst first.")


class TaskCountsOut(Out):
    total: int
    done: int
    in_work: int
    waiting: int
    flagged: int
    retired: int


class JudgmentCountsOut(Out):
    wanted: int
    given: int
    under_review: int
    approved: int
    rejected: int
    returned: int
    open_claims: int


class RateOut(Out):
    per_hour: float | None
    low: float | None
    high: float | None
    judgments: int
    window_seconds: float
    reason: str | None


class ForecastOut(Out):
    at: datetime | None
    earliest: datetime | None
    latest: datetime | None
    reason: str | None


class PointOut(Out):
    at: datetime
    judgments: int


class ProgressOut(Out):
    tasks: TaskCountsOut
    judgments: JudgmentCountsOut
    cost: MoneyOut
    committed: MoneyOut
    spend_per_hour: MoneyOut | None
    rate: RateOut
    forecast: ForecastOut
    bucket_seconds: int
    series: list[PointOut]


@router.get("/projects/{project_id}/quality", response_model=QualityOut)
def quality(project_id: str, session: Db, actor: CurrentActor, runtime: CurrentRuntime) -> QualityOut:
    """How far people agree with each other and with known answers, over the newest 20,000 judgments.

    People appear under the pseudonyms of the organization's releases.
    """
    require_scope(actor, "read")
    project = project_for_client(session, actor, read_id("project", project_id))
    name = pseudonyms(runtime.settings.signing_key(), project.org_id)
    return quality_out(service.project_quality(session, project.id), aspect_agreement(session, project), name)


@router.get("/projects/{project_id}/quality/me", response_model=PersonOut)
def own_quality(project_id: str, session: Db, actor: CurrentActor) -> PersonOut:
    """Your own numbers in a project that you work in."""
    require_scope(actor, "read")
    project = project_for_contributor(session, actor, read_id("project", project_id))
    assert actor.person_id is not None  # only persons are contributors
    found = service.person_quality(session, actor.person_id, project.id)
    return person_out(found, lambda person: show_id("person", person))


@router.get("/projects/{project_id}/progress", response_model=ProgressOut)
def progress(project_id: str, session: Db, actor: CurrentActor, now: Now) -> ProgressOut:
    """How far the project has come, what it has cost, and when it may be done."""
    require_scope(actor, "read")
    project = project_for_client(session, actor, read_id("project", project_id))
    return progress_out(service.project_progress(session, project.id, now=now))


def quality_out(found: ProjectQuality, aspects: Sequence[AspectAgreement], name: Pseudonym) -> QualityOut:
    return QualityOut(
        judgments=found.judgments,
        judgments_total=found.judgments_total,
        partial=found.partial,
        agreement=_agreement_out(found.agreement),
        topics=[TopicOut(topic=one.topic, agreement=_agreement_out(one.agreement)) for one in found.topics],
        people=[person_out(person, name) for person in found.people],
        labels=[LabelOut(label=one.label, count=one.count, share=one.share) for one in found.labels],
        aspects=[_aspect_out(each) for each in aspects],
    )


def _aspect_out(found: AspectAgreement) -> AspectOut:
    return AspectOut(key=found.key, title=found.title, agreement=estimate_out(found.agreement), pairs=found.pairs)


def person_out(found: PersonQuality, name: Pseudonym) -> PersonOut:
    return PersonOut(
        person_id=name(found.person_id),
        judgments=found.judgments,
        peers=estimate_out(found.peers),
        gold=estimate_out(found.gold),
        approval=estimate_out(found.approval),
        median_seconds=found.median_seconds,
    )


def progress_out(found: ProjectProgress) -> ProgressOut:
    rate, forecast = found.rate, found.forecast
    return ProgressOut(
        tasks=TaskCountsOut(
            total=found.tasks_total,
            done=found.tasks_done,
            in_work=found.tasks_in_work,
            waiting=found.tasks_waiting,
            flagged=found.tasks_flagged,
            retired=found.tasks_retired,
        ),
        judgments=JudgmentCountsOut(
            wanted=found.wanted,
            given=found.given,
            under_review=found.under_review,
            approved=found.approved,
            rejected=found.rejected,
            returned=found.returned,
            open_claims=found.open_claims,
        ),
        cost=money_out(found.cost),
        committed=money_out(found.committed),
        spend_per_hour=money_out(found.spend_per_hour) if found.spend_per_hour else None,
        rate=RateOut(
            per_hour=rate.per_hour,
            low=rate.low,
            high=rate.high,
            judgments=rate.judgments,
            window_seconds=rate.window.total_seconds(),
            reason=rate.reason,
        ),
        forecast=ForecastOut(
            at=forecast.at, earliest=forecast.earliest, latest=forecast.latest, reason=forecast.reason
        ),
        bucket_seconds=found.bucket_seconds,
        series=[PointOut(at=point.at, judgments=point.judgments) for point in found.series],
    )


def _agreement_out(found: Agreement) -> AgreementOut:
    return AgreementOut(
        alpha=estimate_out(found.alpha),
        units=found.units,
        unanimous=found.unanimous,
        decided=found.decided,
        split=found.split,
    )


def estimate_out(found: Estimate) -> EstimateOut:
    return EstimateOut(value=found.value, low=found.low, high=found.high, n=found.n, reason=found.reason)
