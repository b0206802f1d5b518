"""How far people agree, with each other and with known answers: computed on demand from the newest judgments."""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from preceptor.kit.events import Event
from preceptor.projects.models import Project, Task, TaskGold, TaskState
from preceptor.quality import Estimate, Judgment, gold_agreement, peer_agreement, wilson
from preceptor.quality.tally import AgreementTally, by_position
from preceptor.tasktypes.working import Working
from preceptor.work.models import Submission, SubmissionState

JUDGMENTS_MAX = 20_000
"""A project's numbers rest on the tasks judged last, with so many judgments; the result says when there are more."""
OWN_TASKS_MAX = 500
PAGE_TASKS = 1_000
TOPICS_MAX = 50
LABELS_MAX = 20
RESULTS_KEPT = 64
SEED = 0
"""Of the bootstrap: the same judgments give the same interval."""
COUNTED = (SubmissionState.SUBMITTED, SubmissionState.APPROVED)


@dataclass(frozen=True)
class Agreement:
    """How far people agree on units of judgment (pairs of responses) that at least two of them judged.

    Without tasks that are mixed in to check people: everybody meets them, so a few would outweigh all the others.
    `unanimous`, `decided` (one label leads) and `split` are numbers of units and add up to `units`.
    """

    alpha: Estimate
    """Krippendorff's alpha, nominal, with a 95 % interval."""
    units: int
    unanimous: int
    decided: int
    split: int


@dataclass(frozen=True)
class TopicQuality:
    topic: str | None
    agreement: Agreement


@dataclass(frozen=True)
class PersonQuality:
    """One person's numbers. Evidence, never a decision; what is unknown says why."""

    person_id: UUID
    judgments: int
    peers: Estimate
    """Share of units on which the person agrees with the majority of the others."""
    gold: Estimate
    """Share of units with a known answer that the person got right."""
    approval: Estimate
    """Share of approved among the decided."""
    median_seconds: float | None


@dataclass(frozen=True)
class LabelShare:
    label: str
    count: int
    share: float


@dataclass(frozen=True)
class ProjectQuality:
    """Numbers over `judgments` of `judgments_total`; `partial` when that is not all of them.

    Whole tasks are taken, those judged last first: the newest judgments by themselves may be one person's, far
    ahead of the others, and say nothing about agreement. Judgments that were rejected, returned or lapsed count
    for approval rates only.
    """

    judgments: int
    judgments_total: int
    partial: bool
    agreement: Agreement
    topics: tuple[TopicQuality, ...]
    people: tuple[PersonQuality, ...]
    """Those with most judgments first."""
    labels: tuple[LabelShare, ...]


def project_quality(session: Session, project_id: UUID) -> ProjectQuality:
    """A project's quality for its client. The caller has checked who asks.

    Costs about a second for 20,000 judgments, and nothing while no event has happened in the project since.
    """
    newest_event = session.scalar(select(func.max(Event.id)).where(Event.project_id == project_id)) or 0
    found = _results.get(project_id)
    if found is None or found[0] != newest_event:
        found = (newest_event, _measure_project(session, project_id))
    _results[project_id] = found
    _results.move_to_end(project_id)
    while len(_results) > RESULTS_KEPT:
        _results.popitem(last=False)
    return found[1]


_results: OrderedDict[UUID, tuple[int, ProjectQuality]] = OrderedDict()


def person_quality(session: Session, person_id: UUID, project_id: UUID) -> PersonQuality:
    """One person's own numbers in a project, over the 500 tasks they judged last. Nobody else's are in it.

    Known answers count once the person's judgment is decided: before, a number that moves would tell what is gold.
    """
    task_ids = session.scalars(_newest(project_id, OWN_TASKS_MAX).where(Submission.person_id == person_id)).all()
    undecided = select(Submission.task_id).where(
        Submission.person_id == person_id,
        Submission.project_id == project_id,
        Submission.state == SubmissionState.SUBMITTED,
    )
    measured = _Measured(_kind(session, project_id), without_gold=frozenset(session.scalars(undecided)))
    # The others' judgments of the same tasks are what the person's are compared with.
    for page in _pages(list(dict.fromkeys(task_ids))):
        measured.read(session, page)
    return measured.person(person_id)


def _measure_project(session: Session, project_id: UUID) -> ProjectQuality:
    total = session.scalar(select(func.count()).where(Submission.project_id == project_id)) or 0
    newest = session.scalars(_newest(project_id, JUDGMENTS_MAX)).all()
    measured = _Measured(_kind(session, project_id))
    for page in _pages(list(dict.fromkeys(newest))):
        if measured.judgments >= JUDGMENTS_MAX:
            break
        measured.read(session, page)
    busiest_topics = sorted(measured.topics.items(), key=lambda item: (-item[1].units, item[0] or ""))[:TOPICS_MAX]
    people = [measured.person(person_id) for person_id in measured.people]
    return ProjectQuality(
        judgments=measured.judgments,
        judgments_total=total,
        partial=total > measured.judgments,
        agreement=_agreement(measured.overall),
        topics=tuple(TopicQuality(topic, _agreement(tally)) for topic, tally in busiest_topics),
        people=tuple(sorted(people, key=lambda person: (-person.judgments, person.person_id))),
        labels=measured.label_shares(),
    )


def _kind(session: Session, project_id: UUID) -> Working:
    return session.scalars(select(Project).where(Project.id == project_id)).one().kind


def _newest(project_id: UUID, limit: int) -> Select[tuple[UUID]]:
    """The tasks of the newest submissions, with repeats."""
    wanted = select(Submission.task_id).where(Submission.project_id == project_id)
    return wanted.order_by(Submission.id.desc()).limit(limit)


def _given() -> Select[Any]:
    return select(
        Submission.task_id, Submission.person_id, Submission.state, Submission.worked_seconds, Submission.answer
    )


def _tasks() -> Select[Any]:
    return select(Task.id, Task.state, Task.topic, Task.payload, TaskGold.answer.label("gold")).outerjoin(
        TaskGold, TaskGold.task_id == Task.id
    )


@dataclass
class _PersonCounts:
    """What adds up over pages."""

    judgments: int = 0
    approved: int = 0
    rejected: int = 0
    peers_right: float = 0.0
    peers_units: int = 0
    gold_right: float = 0.0
    gold_units: int = 0
    seconds: list[int] = field(default_factory=list)


class _Measured:
    """Numbers collected page by page; answers and payloads of one page are in memory at a time."""

    def __init__(self, kind: Working, *, without_gold: frozenset[UUID] = frozenset()) -> None:
        self.kind = kind
        self.without_gold = without_gold
        self.judgments = 0
        self.overall = AgreementTally()
        self.topics: dict[str | None, AgreementTally] = {}
        self.people: dict[UUID, _PersonCounts] = {}
        self.labels: Counter[str] = Counter()

    def read(self, session: Session, task_ids: Sequence[UUID]) -> None:
        """Take all judgments of these tasks into account."""
        answers: dict[UUID, list[Row[Any]]] = {task_id: [] for task_id in task_ids}
        for row in session.execute(_given().where(Submission.task_id.in_(task_ids)).order_by(Submission.id)):
            self.judgments += 1
            self._count_person(row)
            if row.state in COUNTED:
                answers[row.task_id].append(row)
        judgments: list[Judgment] = []
        known: dict[str, str] = {}
        for task in session.execute(_tasks().where(Task.id.in_(task_ids))):
            judgments += self._read_task(task, answers[task.id], known)
        self._add_shares(judgments, known)

    def _count_person(self, row: Row[Any]) -> None:
        person = self.people.setdefault(row.person_id, _PersonCounts())
        person.judgments += 1
        person.approved += row.state == SubmissionState.APPROVED
        person.rejected += row.state == SubmissionState.REJECTED
        if row.worked_seconds > 0:
            person.seconds.append(row.worked_seconds)

    def _read_task(self, task: Row[Any], answers: Sequence[Row[Any]], known: dict[str, str]) -> Iterator[Judgment]:
        payload = self.kind.payload(task.payload)
        possible = self.kind.unit_labels(payload)
        if task.gold is not None and task.id not in self.without_gold:
            reference = self.kind.labels(payload, self.kind.answer(task.gold))
            known |= {f"{task.id}/{unit}": label for unit, label in reference.items()}
        counts: dict[str, Counter[str]] = {}
        for row in answers:
            labels = self.kind.labels(payload, self.kind.answer(row.answer))
            self.labels.update(labels.values())
            for unit, place in by_position(labels, possible).items():
                counts.setdefault(unit, Counter())[place] += 1
            for unit, label in labels.items():
                yield Judgment(f"{task.id}/{unit}", row.person_id.hex, label)
        if task.state == TaskState.GOLD:
            return
        topic = self.topics.setdefault(task.topic, AgreementTally())
        for of_unit in counts.values():
            self.overall.add(of_unit)
            topic.add(of_unit)

    def _add_shares(self, judgments: Sequence[Judgment], known: Mapping[str, str]) -> None:
        # Every unit lies in one page with all its judgments, so successes and trials add up over pages.
        for person_id, share in peer_agreement(judgments).items():
            person = self.people[UUID(hex=person_id)]
            person.peers_right += (share.value or 0.0) * share.n
            person.peers_units += share.n
        for person_id, share in gold_agreement(judgments, known).items():
            person = self.people[UUID(hex=person_id)]
            person.gold_right += (share.value or 0.0) * share.n
            person.gold_units += share.n

    def person(self, person_id: UUID) -> PersonQuality:
        counts = self.people.get(person_id, _PersonCounts())
        return PersonQuality(
            person_id=person_id,
            judgments=counts.judgments,
            peers=_share(counts.peers_right, counts.peers_units, "nobody else judged the same tasks"),
            gold=_share(counts.gold_right, counts.gold_units, "no task with a known answer was judged"),
            approval=_share(counts.approved, counts.approved + counts.rejected, "nothing was decided yet"),
            median_seconds=float(median(counts.seconds)) if counts.seconds else None,
        )

    def label_shares(self) -> tuple[LabelShare, ...]:
        total = self.labels.total()
        return tuple(LabelShare(label, count, count / total) for label, count in self.labels.most_common(LABELS_MAX))


def _share(successes: float, trials: int, when_none: str) -> Estimate:
    # Sums of shares may pass the whole by a rounding error.
    return wilson(min(successes, trials), trials) if trials else Estimate.unknown(when_none)


def _agreement(tally: AgreementTally) -> Agreement:
    alpha = tally.alpha(np.random.default_rng(SEED))
    return Agreement(alpha, tally.units, tally.unanimous, tally.decided, tally.split)


def _pages(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), PAGE_TASKS):
        yield ids[start : start + PAGE_TASKS]
