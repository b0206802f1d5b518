"""Projects over the API: terms, versions, checklist, moves, tasks, reviewers, and a contributor's membership."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, ValidationError

from preceptor.api.schemas import In, MoneyIn, MoneyOut, Out, PageSize, money_out
from preceptor.http.cursor import read_cursor
from preceptor.http.edge import CurrentActor, Db, Now
from preceptor.http.idempotency import Once
from preceptor.kit.errors import Invalid
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.money import Money
from preceptor.people.identify import require_scope
from preceptor.people.models import Person
from preceptor.projects import access
from preceptor.projects.models import (
    GuidelinesVersion,
    Membership,
    MembershipState,
    OverlapMode,
    Project,
    ProjectState,
    ReviewMode,
    RubricVersion,
    Task,
    TaskGold,
    TaskState,
)
from preceptor.projects.rules import Eligibility
from preceptor.projects.service import members, projects, tasks
from preceptor.projects.service.checklist import checklist
from preceptor.projects.settings import (
    AppealSeconds,
    Confidence,
    ContentRatings,
    ExpectedSeconds,
    GoldPercent,
    LeaseSeconds,
    Overlap,
    Percent,
    ProjectChanges,
    ProjectSettings,
    Rubric,
    Standard,
    Summary,
    Title,
    WaitSeconds,
)

router = APIRouter(prefix="/api/v1", tags=["projects"])

SEARCH_CHARACTERS_MAX = 200


# --- Shapes


class TermsIn(In):
    """What both a new project and a change may say."""

    title: Title | None = Field(default=None, examples=["Which answer explains better?"])
    summary: Summary | None = None
    config: dict[str, Any] | None = Field(default=None, description="Settings of the task type; see its config schema.")
    overlap: Overlap | None = Field(default=None, examples=[3], description="Independent judgments wanted.")
    lease_seconds: LeaseSeconds | None = None
    expected_seconds: ExpectedSeconds | None = None
    review_percent: Percent | None = None
    review_seconds: WaitSeconds | None = Field(
        default=None, description="A submission that nobody reviewed in this time is approved."
    )
    revision_seconds: WaitSeconds | None = None
    blind_review: bool | None = None
    rate: MoneyIn | None = Field(default=None, description="Pay for one judgment.")
    qualification_id: str | None = Field(default=None, description="Required to join; null opens it to everyone.")
    overlap_mode: OverlapMode | None = Field(
        default=None, description="`fixed`: `overlap` judgments each. `adaptive`: ask until sure enough."
    )
    overlap_floor: Overlap | None = Field(default=None, description="Adaptive: at least so many judgments.")
    overlap_cap: Overlap | None = Field(default=None, description="Adaptive: at most so many.")
    confidence: Confidence | None = Field(
        default=None, examples=[0.95], description="Adaptive: posterior probability at which asking stops."
    )
    price_limit: MoneyIn | None = Field(
        default=None, description="Adaptive: most that one task may cost; null for no limit but the cap."
    )
    gold_percent: GoldPercent | None = Field(default=None, description="Share of claims with a known answer.")
    standard: Standard | None = Field(default=None, examples=[0.7], description="Accuracy expected of people.")
    review_mode: ReviewMode | None = None
    risk_percent: Percent | None = Field(default=None, description="Reviewed beyond the random share, by risk.")
    double_percent: Percent | None = Field(default=None, description="Reviews that a second reviewer repeats, blind.")
    gold_review_percent: GoldPercent | None = Field(default=None, description="Reviews with a known decision.")
    appeal_seconds: AppealSeconds | None = Field(default=None, description="How long a decision can be appealed.")
    content_ratings: ContentRatings | None = Field(
        default=None, description="What the material may show; only people who chose to see all of it may work."
    )

    def fields(self) -> dict[str, object]:
        """The fields that were sent, as projects know them."""
        given = self.model_dump(exclude_unset=True, exclude={"rate", "qualification_id", "price_limit"})
        if self.rate is not None:
            rate = self.rate.money()
            if rate.minor < 0:
                raise Invalid("A rate is not negative.", [{"path": "rate.amount", "message": "must not be negative"}])
            given |= {"rate_minor": rate.minor, "currency": rate.currency}
        if "price_limit" in self.model_fields_set:
            given |= self._price_limit(given.get("currency"))
        if "qualification_id" in self.model_fields_set:
            given["qualification_id"] = (
                read_id("qualification", self.qualification_id) if self.qualification_id else None
            )
        return given

    def _price_limit(self, currency: object) -> dict[str, object]:
        """The limit in minor units, and its currency, which is the project's."""
        if self.price_limit is None:
            return {"price_limit_minor": None}
        limit = self.price_limit.money()
        if currency not in (None, limit.currency):
            told = f"The rate is in {currency}; give the price limit in {currency} too."
            raise Invalid(told, [{"path": "price_limit.currency", "message": told}])
        return {"price_limit_minor": limit.minor, "currency": limit.currency}


class ProjectIn(TermsIn):
    organization_id: str = Field(examples=["org_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    task_type: str = "comparison"
    title: Title = Field(examples=["Which answer explains better?"])


class ProjectOut(Out):
    id: str = Field(examples=["prj_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    organization_id: str
    title: str
    summary: str
    task_type: str
    config: dict[str, Any]
    state: ProjectState
    overlap: int
    lease_seconds: int
    expected_seconds: int
    review_percent: int
    review_seconds: int
    revision_seconds: int
    blind_review: bool
    rate: MoneyOut
    qualification_id: str | None
    overlap_mode: OverlapMode
    overlap_floor: int
    overlap_cap: int
    confidence: float
    price_limit: MoneyOut | None
    gold_percent: int
    standard: float
    review_mode: ReviewMode
    risk_percent: int
    double_percent: int
    gold_review_percent: int
    appeal_seconds: int
    content_ratings: list[str]
    data_source: str | None
    created_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None


class ProjectPage(Out):
    items: list[ProjectOut]
    next_cursor: str | None


class CheckItemOut(Out):
    key: str = Field(examples=["funds"])
    title: str
    done: bool
    help: str


class ChecklistOut(Out):
    ready: bool
    items: list[CheckItemOut]


class MoveIn(In):
    to: Literal["open", "paused", "closing"]
    reason: str = Field(default="", max_length=2000)


class GuidelinesIn(In):
    body: str = Field(description="Markdown.", examples=["# What to judge\n\nRead both to the end."])


class GuidelinesOut(Out):
    number: int
    body: str
    created_at: datetime


class RubricOut(Out):
    number: int
    criteria: list[dict[str, Any]]
    created_at: datetime


class TaskOut(Out):
    id: str = Field(examples=["tsk_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    external_id: str
    topic: str | None
    priority: int
    state: TaskState
    wanted: int
    taken: int
    done: int
    content_ratings: list[str] = Field(description="What it may show beyond what the project's `content_ratings` say.")
    created_at: datetime


class TaskDetailOut(TaskOut):
    payload: dict[str, Any]
    imported_answer: dict[str, Any] | None
    imported_votes: dict[str, int] | None
    gold: bool | None = Field(description="Whether its answer is known; null unless you manage the project.")


class TaskPage(Out):
    items: list[TaskOut]
    next_cursor: str | None


class TaskCountsOut(Out):
    total: int
    open: int
    flagged: int
    retired: int
    gold: int
    finished: int
    judgments_wanted: int
    judgments_taken: int
    judgments_done: int
    rated: int = Field(description="Tasks with content ratings of their own.")


class TaskMoveIn(In):
    state: Literal["open", "retired"]
    reason: str = Field(default="", max_length=2000)


class TaskRatingsIn(In):
    task_ids: list[str] = Field(default=[], max_length=tasks.RATED_AT_ONCE_MAX)
    external_ids: list[str] = Field(
        default=[], max_length=tasks.RATED_AT_ONCE_MAX, description="Your own names of the tasks, instead or besides."
    )
    content_ratings: ContentRatings = Field(
        description="Exactly these from now on; an empty list takes the tasks' own ratings away.",
        examples=[["violence"]],
    )


class TaskRatingsOut(Out):
    items: list[TaskOut]


class GoldOut(Out):
    task_id: str
    answer: dict[str, Any]
    explanation: str


class ReviewerIn(In):
    person_id: str


class ReviewerOut(Out):
    person_id: str
    name: str


class ReviewersOut(Out):
    items: list[ReviewerOut]
    next_cursor: None = None


class ReasonOut(Out):
    code: str = Field(examples=["qualification_missing"])
    text: str
    href: str | None


class EligibilityOut(Out):
    eligible: bool
    reasons: list[ReasonOut]


class BoardEntryOut(Out):
    project_id: str
    title: str
    summary: str
    task_type: str
    rate: MoneyOut
    expected_seconds: int
    joined: bool
    has_work: bool
    eligibility: EligibilityOut


class BoardOut(Out):
    items: list[BoardEntryOut]
    next_cursor: None = None


class MembershipOut(Out):
    project_id: str
    state: MembershipState
    joined_at: datetime


# --- The client's projects


@router.post("/projects", status_code=201, response_model=ProjectOut)
def create_project(body: ProjectIn, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
    """A new project in draft. Leave `config` out to start from the task type's template."""
    require_scope(actor, "projects")
    given = {name: value for name, value in body.fields().items() if value is not None}
    org_id = read_id("organization", str(given.pop("organization_id")))
    settings = _read(ProjectSettings, given)
    return once.answer(lambda: project_out(projects.create_project(session, actor, org_id, settings, now=now)))


@router.get("/projects", response_model=ProjectPage)
def list_projects(
    session: Db,
    actor: CurrentActor,
    state: ProjectState | None = None,
    cursor: str | None = None,
    limit: PageSize = 50,
) -> ProjectPage:
    """Projects of your organizations, newest first."""
    require_reading(actor)
    page = projects.list_projects(session, actor, state=state, before=read_cursor("project", cursor), limit=limit)
    items = [project_out(project) for project in page.projects]
    return ProjectPage(items=items, next_cursor=_cursor("project", page.next_before))


@router.get("/projects/{project_id}", response_model=ProjectOut)
def get_project(project_id: str, session: Db, actor: CurrentActor) -> ProjectOut:
    """One project of your organizations."""
    require_reading(actor)
    return project_out(access.project_for_client(session, actor, read_id("project", project_id)))


@router.patch("/projects/{project_id}", response_model=ProjectOut)
def change_project(project_id: str, body: TermsIn, session: Db, actor: CurrentActor, now: Now) -> ProjectOut:
    """Change what is sent, where the project's state allows it. A new rate holds for claims made from now on."""
    require_scope(actor, "projects")
    changes = _read(ProjectChanges, body.fields())
    return project_out(projects.update_project(session, actor, read_id("project", project_id), changes, now=now))


@router.get("/projects/{project_id}/checklist", response_model=ChecklistOut)
def get_checklist(project_id: str, session: Db, actor: CurrentActor) -> ChecklistOut:
    """What is still missing before the project can open."""
    require_reading(actor)
    project = access.project_for_client(session, actor, read_id("project", project_id))
    items = [
        CheckItemOut(key=item.key, title=item.title, done=item.done, help=item.help)
        for item in checklist(session, project)
    ]
    return ChecklistOut(ready=all(item.done for item in items), items=items)


@router.post("/projects/{project_id}/moves", response_model=ProjectOut)
def move_project(project_id: str, body: MoveIn, session: Db, actor: CurrentActor, now: Now) -> ProjectOut:
    """Open, pause, resume (`open` again) or close (`closing`) a project. Repeating a move changes nothing."""
    require_scope(actor, "projects")
    found = read_id("project", project_id)
    match body.to:
        case "open":
            project = projects.open_project(session, actor, found, now=now)
        case "paused":
            project = projects.pause_project(session, actor, found, now=now, reason=body.reason)
        case "closing":
            project = projects.close_project(session, actor, found, now=now, reason=body.reason)
    return project_out(project)


# --- Versions


@router.post("/projects/{project_id}/guidelines", status_code=201, response_model=GuidelinesOut)
def publish_guidelines(
    project_id: str, body: GuidelinesIn, once: Once, session: Db, actor: CurrentActor, now: Now
) -> Response:
    """Publish a new version. Versions never change; the same text again publishes nothing new."""
    require_scope(actor, "projects")
    found = read_id("project", project_id)
    return once.answer(lambda: guidelines_out(projects.publish_guidelines(session, actor, found, body.body, now=now)))


@router.get("/projects/{project_id}/guidelines", response_model=list[GuidelinesOut])
def list_guidelines(project_id: str, session: Db, actor: CurrentActor) -> list[GuidelinesOut]:
    """All versions, newest first; the first is the current one."""
    require_reading(actor)
    project = access.project_for_client(session, actor, read_id("project", project_id))
    return [guidelines_out(version) for version in access.guidelines_versions(session, project)]


@router.post("/projects/{project_id}/rubrics", status_code=201, response_model=RubricOut)
def publish_rubric(project_id: str, body: Rubric, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
    """Publish a new version of the criteria that reviewers decide by."""
    require_scope(actor, "projects")
    found = read_id("project", project_id)
    return once.answer(lambda: rubric_out(projects.publish_rubric(session, actor, found, body.criteria, now=now)))


@router.get("/projects/{project_id}/rubrics", response_model=list[RubricOut])
def list_rubrics(project_id: str, session: Db, actor: CurrentActor) -> list[RubricOut]:
    """All versions, newest first; the first is the current one."""
    require_reading(actor)
    project = access.project_for_client(session, actor, read_id("project", project_id))
    return [rubric_out(version) for version in access.rubric_versions(session, project)]


# --- Tasks


@router.get("/projects/{project_id}/tasks", response_model=TaskPage)
def list_tasks(
    project_id: str,
    session: Db,
    actor: CurrentActor,
    state: TaskState | None = None,
    finished: Annotated[bool | None, Query(description="Has all judgments that it wants.")] = None,
    topic: str | None = None,
    search: Annotated[
        str | None, Query(max_length=SEARCH_CHARACTERS_MAX, description="Text of the external id or prompt.")
    ] = None,
    rating: Annotated[
        str | None, Query(description="A content rating that the task has of its own, or `any`.", examples=["any"])
    ] = None,
    cursor: str | None = None,
    limit: PageSize = 50,
) -> TaskPage:
    """Tasks in the order in which they were added."""
    require_reading(actor)
    page = tasks.list_tasks(
        session,
        actor,
        read_id("project", project_id),
        state=state,
        finished=finished,
        topic=topic,
        search=search,
        rating=rating,
        after=read_cursor("task", cursor),
        limit=limit,
    )
    items = [TaskOut(**_task_fields(task)) for task in page.tasks]
    return TaskPage(items=items, next_cursor=_cursor("task", page.next_after))


@router.get("/projects/{project_id}/task-counts", response_model=TaskCountsOut)
def count_tasks(project_id: str, session: Db, actor: CurrentActor) -> TaskCountsOut:
    """How far the project is."""
    require_reading(actor)
    counts = tasks.task_counts(session, actor, read_id("project", project_id))
    return TaskCountsOut.model_validate(counts, from_attributes=True)


@router.get("/projects/{project_id}/tasks/{task_id}", response_model=TaskDetailOut)
def get_task(project_id: str, task_id: str, session: Db, actor: CurrentActor) -> TaskDetailOut:
    """One task with its payload."""
    require_reading(actor)
    found, wanted = read_id("project", project_id), read_id("task", task_id)
    task = access.task_for_client(session, actor, found, wanted)
    project = access.project_for_client(session, actor, found)
    manages = access.role_in(actor, project.org_id) in access.MANAGERS
    gold = access.gold_of(session, actor, found, wanted) is not None if manages else None
    return TaskDetailOut(
        **_task_fields(task),
        payload=task.payload,
        imported_answer=task.imported_answer,
        imported_votes=task.imported_votes,
        gold=gold,
    )


@router.get("/projects/{project_id}/tasks/{task_id}/gold", response_model=GoldOut | None)
def get_gold(project_id: str, task_id: str, session: Db, actor: CurrentActor) -> GoldOut | None:
    """The known answer of a gold task; null for any other. Owners and managers only."""
    require_scope(actor, "projects")
    gold = access.gold_of(session, actor, read_id("project", project_id), read_id("task", task_id))
    return None if gold is None else gold_out(gold)


@router.post("/projects/{project_id}/tasks/{task_id}/moves", response_model=TaskOut)
def move_task(project_id: str, task_id: str, body: TaskMoveIn, session: Db, actor: CurrentActor, now: Now) -> TaskOut:
    """Retire a task, or put a retired or flagged one back into the queue."""
    require_scope(actor, "projects")
    act = tasks.retire_task if body.state == "retired" else tasks.restore_task
    found, wanted = read_id("project", project_id), read_id("task", task_id)
    return TaskOut(**_task_fields(act(session, actor, found, wanted, now=now, reason=body.reason)))


@router.put("/projects/{project_id}/task-ratings", response_model=TaskRatingsOut)
def rate_tasks(project_id: str, body: TaskRatingsIn, session: Db, actor: CurrentActor, now: Now) -> TaskRatingsOut:
    """Say what one task or a selection may show. From then on only people who chose to see all of it are given them."""
    require_scope(actor, "projects")
    found = read_id("project", project_id)
    named = tasks.ids_of(session, actor, found, body.external_ids)
    for name in body.external_ids:
        if name not in named:
            raise Invalid(f"The project has no task with the external id {name!r}.")
    ids = [*(read_id("task", each) for each in body.task_ids), *named.values()]
    rated = tasks.rate_tasks(session, actor, found, ids, body.content_ratings, now=now)
    return TaskRatingsOut(items=[TaskOut(**_task_fields(task)) for task in rated])


# --- Reviewers


@router.get("/projects/{project_id}/reviewers", response_model=ReviewersOut)
def list_reviewers(project_id: str, session: Db, actor: CurrentActor) -> ReviewersOut:
    """Who may review this project's submissions."""
    require_reading(actor)
    found = members.reviewers_of(session, actor, read_id("project", project_id))
    return ReviewersOut(items=[reviewer_out(person) for person in found])


@router.post("/projects/{project_id}/reviewers", status_code=201, response_model=ReviewersOut)
def add_reviewer(project_id: str, body: ReviewerIn, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
    """Let a person with the reviewer role review this project. Adding twice is the same as once."""
    require_scope(actor, "projects")
    found, person = read_id("project", project_id), read_id("person", body.person_id)

    def make() -> ReviewersOut:
        members.add_reviewer(session, actor, found, person, now=now)
        items = [reviewer_out(one) for one in members.reviewers_of(session, actor, found)]
        return ReviewersOut(items=items)

    return once.answer(make)


@router.delete("/projects/{project_id}/reviewers/{person_id}", status_code=204)
def remove_reviewer(project_id: str, person_id: str, session: Db, actor: CurrentActor, now: Now) -> None:
    """Take a person off the reviewers. Reviews already given stay."""
    require_scope(actor, "projects")
    members.remove_reviewer(session, actor, read_id("project", project_id), read_id("person", person_id), now=now)


# --- The contributor's side


@router.get("/board", response_model=BoardOut, tags=["work"])
def get_board(session: Db, actor: CurrentActor) -> BoardOut:
    """Projects you can work on or have joined, with pay, expected time and every reason why not."""
    if actor.scopes is not None and "work" not in actor.scopes:
        require_scope(actor, "read")
    return BoardOut(items=[board_entry_out(entry) for entry in access.board(session, actor)])


@router.get("/projects/{project_id}/eligibility", response_model=EligibilityOut, tags=["work"])
def get_eligibility(project_id: str, session: Db, actor: CurrentActor) -> EligibilityOut:
    """Whether you may work on a project, with every reason why not."""
    if actor.scopes is not None and "work" not in actor.scopes:
        require_scope(actor, "read")
    project = access.project_for_contributor(session, actor, read_id("project", project_id))
    assert actor.person_id is not None
    return eligibility_out(members.eligibility(session, actor.person_id, project))


@router.post("/projects/{project_id}/membership", status_code=201, response_model=MembershipOut, tags=["work"])
def join_project(project_id: str, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
    """Join a project, so that you can claim its tasks. Joining twice is the same as once."""
    require_scope(actor, "work")
    found = read_id("project", project_id)
    return once.answer(lambda: membership_out(members.join(session, actor, found, now=now)))


@router.delete("/projects/{project_id}/membership", response_model=MembershipOut, tags=["work"])
def leave_project(project_id: str, session: Db, actor: CurrentActor, now: Now) -> MembershipOut:
    """Take no more tasks of a project. A claim that you hold stays yours until it ends."""
    require_scope(actor, "work")
    return membership_out(members.leave(session, actor, read_id("project", project_id), now=now))


# --- Rows as answers


def require_reading(actor: Actor) -> None:
    """Keys that may change projects may read them too."""
    if actor.scopes is None or not actor.scopes & {"projects", "operate"}:
        require_scope(actor, "read")


SettingsT = TypeVar("SettingsT", bound=BaseModel)


def _read(shape: type[SettingsT], fields: dict[str, object]) -> SettingsT:
    try:
        return shape.model_validate(fields)
    except ValidationError as error:
        raise projects.refused(error, "") from None


def _cursor(kind: str, last: UUID | None) -> str | None:
    return None if last is None else show_id(kind, last)


def project_out(project: Project) -> ProjectOut:
    qualification = project.qualification_id
    return ProjectOut(
        id=show_id("project", project.id),
        organization_id=show_id("organization", project.org_id),
        title=project.title,
        summary=project.summary,
        task_type=project.task_type,
        config=project.config,
        state=project.state,
        overlap=project.overlap,
        lease_seconds=project.lease_seconds,
        expected_seconds=project.expected_seconds,
        review_percent=project.review_percent,
        review_seconds=project.review_seconds,
        revision_seconds=project.revision_seconds,
        blind_review=project.blind_review,
        rate=money_out(Money(project.rate_minor, project.currency)),
        qualification_id=None if qualification is None else show_id("qualification", qualification),
        overlap_mode=project.overlap_mode,
        overlap_floor=project.overlap_floor,
        overlap_cap=project.overlap_cap,
        confidence=project.confidence,
        price_limit=money_out(Money(limit, project.currency)) if (limit := project.price_limit_minor) else None,
        gold_percent=project.gold_percent,
        standard=project.standard,
        review_mode=project.review_mode,
        risk_percent=project.risk_percent,
        double_percent=project.double_percent,
        gold_review_percent=project.gold_review_percent,
        appeal_seconds=project.appeal_seconds,
        content_ratings=project.content_ratings,
        data_source=project.data_source,
        created_at=project.created_at,
        opened_at=project.opened_at,
        closed_at=project.closed_at,
    )


def guidelines_out(version: GuidelinesVersion) -> GuidelinesOut:
    return GuidelinesOut(number=version.number, body=version.body, created_at=version.created_at)


def rubric_out(version: RubricVersion) -> RubricOut:
    return RubricOut(number=version.number, criteria=version.criteria, created_at=version.created_at)


def _task_fields(task: Task) -> dict[str, Any]:
    return {
        "id": show_id("task", task.id),
        "external_id": task.external_id,
        "topic": task.topic,
        "priority": task.priority,
        "state": task.state,
        "wanted": task.overlap,
        "taken": task.taken,
        "done": task.done,
        "content_ratings": task.content_ratings,
        "created_at": task.created_at,
    }


def gold_out(gold: TaskGold) -> GoldOut:
    return GoldOut(task_id=show_id("task", gold.task_id), answer=gold.answer, explanation=gold.explanation)


def reviewer_out(person: Person) -> ReviewerOut:
    return ReviewerOut(person_id=show_id("person", person.id), name=person.name)


def eligibility_out(found: Eligibility) -> EligibilityOut:
    reasons = [ReasonOut(code=one.code, text=one.text, href=one.href) for one in found.reasons]
    return EligibilityOut(eligible=found.eligible, reasons=reasons)


def board_entry_out(entry: access.BoardEntry) -> BoardEntryOut:
    project = entry.project
    return BoardEntryOut(
        project_id=show_id("project", project.id),
        title=project.title,
        summary=project.summary,
        task_type=project.task_type,
        rate=money_out(Money(project.rate_minor, project.currency)),
        expected_seconds=project.expected_seconds,
        joined=entry.joined,
        has_work=entry.has_work,
        eligibility=eligibility_out(entry.eligibility),
    )


def membership_out(membership: Membership) -> MembershipOut:
    return MembershipOut(
        project_id=show_id("project", membership.project_id),
        state=membership.state,
        joined_at=membership.joined_at,
    )
