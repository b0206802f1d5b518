"""Projects, versioned guidelines and rubrics, imports, tasks, memberships."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.kit.db import Base, BigInt, Json, JsonList
from preceptor.kit.ids import new_id
from preceptor.tasktypes.working import Working, working

GOLD_CAPACITY = 1_000_000
"""How many more people than its overlap a task may be given to while it is mixed in as gold."""


class ProjectState(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    PAUSED = "paused"
    CLOSING = "closing"
    """No new claims; live claims, revisions and reviews finish."""
    CLOSED = "closed"


class ImportState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class TaskState(StrEnum):
    OPEN = "open"
    FLAGGED = "flagged"
    """Reported as broken often enough; nobody gets it until a manager looks."""
    RETIRED = "retired"
    GOLD = "gold"
    """Has a known answer and is mixed in at the project's rate; never in the queue itself."""


class OverlapMode(StrEnum):
    FIXED = "fixed"
    ADAPTIVE = "adaptive"
    """Ask until the answer is sure enough, between a floor and a cap."""


class ReviewMode(StrEnum):
    RANDOM = "random"
    RISK = "risk"
    """A random share, and beyond it what is most likely to be wrong."""


class MembershipState(StrEnum):
    ACTIVE = "active"
    LEFT = "left"
    PAUSED = "paused"
    RETRAINING = "retraining"
    """May practise here and takes tasks again after passing."""
    REMOVED = "removed"


class Project(Base):
    __tablename__ = "project"
    __table_args__ = (
        CheckConstraint("overlap BETWEEN 1 AND 100", name="overlap_range"),
        CheckConstraint("lease_seconds BETWEEN 60 AND 604800", name="lease_range"),
        CheckConstraint("review_percent BETWEEN 0 AND 100", name="review_range"),
        CheckConstraint("rate_minor >= 0", name="rate_not_negative"),
        CheckConstraint("overlap_floor BETWEEN 1 AND overlap_cap AND overlap_cap <= 100", name="floor_within_cap"),
        CheckConstraint("confidence > 0.5 AND confidence < 1", name="confidence_range"),
        CheckConstraint("price_limit_minor > 0", name="price_limit_positive"),
        CheckConstraint("gold_percent BETWEEN 0 AND 50", name="gold_range"),
        CheckConstraint("standard > 0 AND standard < 1", name="standard_range"),
        CheckConstraint(
            "risk_percent BETWEEN 0 AND 100 AND double_percent BETWEEN 0 AND 100 AND gold_review_percent BETWEEN 0 "
            "AND 50",
            name="review_shares_range",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"), index=True)
    title: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")
    task_type: Mapped[str]
    config: Mapped[Json]
    """Settings of the task type (its `config_model`)."""
    state: Mapped[ProjectState] = mapped_column(default=ProjectState.DRAFT)
    overlap: Mapped[int] = mapped_column(default=1)
    overlap_mode: Mapped[OverlapMode] = mapped_column(default=OverlapMode.FIXED, server_default="fixed")
    overlap_floor: Mapped[int] = mapped_column(default=3, server_default=text("3"))
    """Adaptive overlap asks at least so many, whatever the first ones say ..."""
    overlap_cap: Mapped[int] = mapped_column(default=7, server_default=text("7"))
    """... and never more than this; a task still unsure is then escalated."""
    confidence: Mapped[float] = mapped_column(default=0.95, server_default=text("0.95"))
    """Posterior probability at which adaptive overlap stops asking."""
    price_limit_minor: Mapped[BigInt | None]
    """Adaptive overlap spends no more than this on one task, in minor units; None for no limit but the cap."""
    gold_percent: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Share of claims that are given a task with a known answer."""
    standard: Mapped[float] = mapped_column(default=0.7, server_default=text("0.7"))
    """Accuracy that is expected of people; evidence speaks of falling below it."""
    judges_in_inference: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """AI judges count as one more annotator each in what the answers of people are weighed to."""
    lease_seconds: Mapped[int] = mapped_column(default=1800)
    expected_seconds: Mapped[int] = mapped_column(default=180)
    review_percent: Mapped[int] = mapped_column(default=20)
    """Random share of submissions that a reviewer looks at."""
    review_mode: Mapped[ReviewMode] = mapped_column(default=ReviewMode.RANDOM, server_default="random")
    risk_percent: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """With `review_mode` risk: about so many percent more, those most likely to be wrong."""
    double_percent: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Share of decided reviews that a second reviewer decides too, blind; it measures reviewers, not the work."""
    gold_review_percent: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Share of a reviewer's items whose right decision is known."""
    appeal_seconds: Mapped[int] = mapped_column(default=14 * 86400, server_default=text("1209600"))
    """How long a decision against a person can be appealed."""
    review_seconds: Mapped[int] = mapped_column(default=3 * 86400)
    """A submission nobody reviewed in this time is approved."""
    revision_seconds: Mapped[int] = mapped_column(default=2 * 86400)
    blind_review: Mapped[bool] = mapped_column(default=True)
    rate_minor: Mapped[BigInt]
    currency: Mapped[str]
    qualification_id: Mapped[UUID | None] = mapped_column(ForeignKey("qualification.id"))
    content_ratings: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))
    """What its material may show (`people.content.RATINGS`); only people who chose to see all of it may work."""
    guidelines_version_id: Mapped[UUID | None]
    rubric_version_id: Mapped[UUID | None]
    data_source: Mapped[str | None]
    """Set by the demo: "recorded" or "simulated"; shown wherever the project's numbers are."""
    tasks_added: Mapped[BigInt] = mapped_column(default=0, server_default=text("0"))
    """Places given out in the queue; adding tasks locks the project's row and takes the next ones."""
    queue_end: Mapped[BigInt] = mapped_column(default=-1, server_default=text("-1"))
    """The last queue position given to any task."""
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    @property
    def kind(self) -> Working:
        """The project's task type under its settings."""
        return working(self.task_type, self.config)


class GuidelinesVersion(Base):
    __tablename__ = "guidelines_version"
    __table_args__ = (UniqueConstraint("project_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    number: Mapped[int]
    body: Mapped[str]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]


class RubricVersion(Base):
    """`criteria`: list of {key, title, description, scale_min, scale_max, weight, anchors: {"1": text}}."""

    __tablename__ = "rubric_version"
    __table_args__ = (UniqueConstraint("project_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    number: Mapped[int]
    criteria: Mapped[JsonList]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]


class Import(Base):
    """One file of tasks: all or nothing, once per digest."""

    __tablename__ = "import"
    __table_args__ = (
        Index(
            "uq_import_project_digest_live",
            "project_id",
            "digest",
            unique=True,
            postgresql_where=text("state <> 'failed'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), index=True)
    filename: Mapped[str]
    file_key: Mapped[str]
    digest: Mapped[str]
    size_bytes: Mapped[BigInt]
    mapping: Mapped[Json | None]
    state: Mapped[ImportState] = mapped_column(default=ImportState.QUEUED)
    rows_read: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    already_there: Mapped[int] = mapped_column(default=0)
    problem_count: Mapped[int] = mapped_column(default=0)
    problems: Mapped[JsonList] = mapped_column(server_default=text("'[]'::jsonb"))
    """The first 1,000: {line, field, problem}."""
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Task(Base):
    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("project_id", "external_id"),
        # The overlap guarantee: live claims plus counted submissions never exceed what was wanted.
        CheckConstraint("taken BETWEEN 0 AND wanted", name="taken_within_wanted"),
        CheckConstraint("done BETWEEN 0 AND taken", name="done_within_taken"),
        Index(
            "ix_task_claimable",
            "project_id",
            "position",
            postgresql_where=text("taken < wanted AND state = 'open' AND content_ratings = '{}'"),
        ),
        # Rated tasks stand apart: who did not choose to see them passes over any number at no cost.
        Index(
            "ix_task_claimable_rated",
            "project_id",
            "content_ratings",
            "position",
            postgresql_where=text("taken < wanted AND state = 'open' AND content_ratings <> '{}'"),
        ),
        Index("ix_task_rated", "project_id", "id", postgresql_where=text("content_ratings <> '{}'")),
        # Those with the fewest answers first.
        Index("ix_task_gold", "project_id", "taken", "id", postgresql_where=text("state = 'gold'")),
        Index("ix_task_project_id_id", "project_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    import_id: Mapped[UUID | None]
    external_id: Mapped[str]
    topic: Mapped[str | None]
    payload: Mapped[Json]
    priority: Mapped[int] = mapped_column(default=5)
    """1 is most urgent, 9 least."""
    position: Mapped[BigInt]
    """Order in the queue: priority first, then arrival (`rules.position`)."""
    wanted: Mapped[int]
    """Overlap: independent judgments wanted; larger by `GOLD_CAPACITY` exactly while the task is in state gold."""
    taken: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    state: Mapped[TaskState] = mapped_column(default=TaskState.OPEN)
    imported_answer: Mapped[Json | None]
    """A judgment that came with the file (chosen/rejected); goes into releases, marked as imported."""
    imported_votes: Mapped[Json | None]
    """Vote counts that came with the file: response id (or "tie") to count."""
    content_ratings: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))
    """What this task may show beyond what its project says (`people.content.RATINGS`), in their order."""
    created_at: Mapped[datetime]

    @property
    def overlap(self) -> int:
        """`wanted` as people read it: without the room that a gold task has for everybody."""
        return self.wanted % GOLD_CAPACITY


class OutsideNumber(Base):
    """A whole number that stands for a project, task, submission or person where uuids do not fit (see `/ls`).

    Drawn at random, so that it tells neither time nor order nor how many there are.
    """

    __tablename__ = "outside_number"
    __table_args__ = (CheckConstraint("number > 0", name="positive"),)

    number: Mapped[BigInt] = mapped_column(primary_key=True, autoincrement=False)
    thing_id: Mapped[UUID] = mapped_column(unique=True)


class TaskGold(Base):
    """The known answer of a gold task. Only `access.gold_of` reads it."""

    __tablename__ = "task_gold"

    task_id: Mapped[UUID] = mapped_column(ForeignKey("task.id"), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), index=True)
    answer: Mapped[Json]
    explanation: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    """Counts up when the key is corrected; older ones stay in `gold_correction`."""
    leak: Mapped[Json | None]
    """State of the test whether the answer has become known (`quality.evidence`)."""
    leak_log_e: Mapped[float] = mapped_column(default=0.0, server_default=text("0"))
    retired_because: Mapped[str | None]


class GoldCorrection(Base):
    """What a gold task's key was before a correction, who corrected it and why. Append-only."""

    __tablename__ = "gold_correction"

    task_id: Mapped[UUID] = mapped_column(ForeignKey("task.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    """The version that was replaced."""
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), index=True)
    answer: Mapped[Json]
    explanation: Mapped[str]
    corrected_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str]
    created_at: Mapped[datetime]


class Membership(Base):
    """A contributor in a project. Its row is the first lock of everything the person does there."""

    __tablename__ = "membership"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    state: Mapped[MembershipState] = mapped_column(default=MembershipState.ACTIVE)
    cursor: Mapped[BigInt] = mapped_column(default=-1)
    """Queue position up to which this person has been served; a search starts behind it."""
    receipt_id: Mapped[UUID | None]
    """The decision receipt that being paused, retraining or removed rests on; refused without a fresh one."""
    joined_at: Mapped[datetime]


class ProjectReviewer(Base):
    """Who may review a project's submissions."""

    __tablename__ = "project_reviewer"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    created_at: Mapped[datetime]
