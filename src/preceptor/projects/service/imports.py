"""Importing tasks: a file as a whole or not at all, and batches over the API. The same file is imported once."""

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from preceptor.kit import events, jobs
from preceptor.kit.events import SYSTEM, Actor
from preceptor.projects import access, queries, rules
from preceptor.projects.errors import BatchTooLarge, ImportRefused, ProjectFinished
from preceptor.projects.importing import ImportedTask, ImportRun, MappingRefused, RowProblem, mapping_of
from preceptor.projects.models import Import, ImportState, Project
from preceptor.projects.service.adding import Added, NewTask, place, stage
from preceptor.projects.service.projects import kind_of
from preceptor.projects.settings import BATCH_TASKS_MAX, TaskIn
from preceptor.tasktypes.base import AnyTaskType, problems_of
from preceptor.tasktypes.working import Working

PROBLEMS_KEPT_MAX = 1_000
FILENAME_CHARACTERS_MAX = 200

Progress = Callable[[int], None]


# --- A file is accepted


def file_key(project_id: UUID, digest: str) -> str:
    """Where an import's file lies in storage: by content, so that the same file lies there once."""
    return f"imports/{project_id.hex}/{digest}"


def accept_file(
    session: Session,
    actor: Actor,
    project_id: UUID,
    *,
    filename: str,
    stored_key: str,
    digest: str,
    size: int,
    mapping: Mapping[str, str] | None,
    now: datetime,
) -> Import:
    """Queue a stored file for import by the job `projects.run_import`.

    The same file (by SHA-256) again returns the earlier import, unless that one failed. `mapping` names the
    column for each target (`importing.targets_of`); None finds the layout from the columns.
    """
    project = access.project_for_client(session, actor, project_id, *access.MANAGERS, lock=True)
    earlier = session.scalar(queries.earlier_import(project_id, digest))
    if earlier is not None:
        return earlier
    if project.state not in rules.TAKES_TASKS:
        raise ProjectFinished
    found = Import(
        project_id=project_id,
        filename=shown_name(filename),
        file_key=stored_key,
        digest=digest,
        size_bytes=size,
        mapping=_checked_mapping(mapping, kind_of(project.task_type)),
        created_by=actor.person_id,
        created_at=now,
    )
    session.add(found)
    session.flush()
    _record(session, actor, "import.accepted", project, found, now, filename=found.filename, bytes=size)
    jobs.defer(session, "projects.run_import", lock=f"import:{found.id}", import_id=str(found.id))
    return found


def shown_name(filename: str) -> str:
    """A file's name as people see it: no folders, no control characters, never empty."""
    name = filename.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C")
    return clean[-FILENAME_CHARACTERS_MAX:] or "upload"


def _checked_mapping(mapping: Mapping[str, str] | None, kind: AnyTaskType) -> dict[str, str] | None:
    if not mapping:
        return None
    try:
        mapping_of(mapping, kind.importer)
    except MappingRefused as refusal:
        raise ImportRefused(str(refusal), [{"path": "mapping", "message": str(refusal)}]) from None
    return dict(mapping)


def imports_of(session: Session, actor: Actor, project_id: UUID, *, limit: int = 50) -> list[Import]:
    """The project's imports, newest first."""
    access.project_for_client(session, actor, project_id)
    return list(session.scalars(queries.imports(project_id, limit=limit)))


# --- A file is carried out, in steps that the job puts into transactions of their own


@dataclass(frozen=True)
class Outcome:
    """What became of a file. With any problem nothing was added. `repeats`: rows that repeat an earlier one."""

    rows: int
    added: Added
    problems: tuple[RowProblem, ...]
    problem_count: int
    repeats: int = 0


def begin(session: Session, import_id: UUID) -> Import | None:
    """Mark an import as running; None where it has ended already. One that broke off is begun again."""
    found = session.get(Import, import_id, with_for_update=True, populate_existing=True)
    if found is None or found.state in (ImportState.DONE, ImportState.FAILED):
        return None
    found.state, found.rows_read = ImportState.RUNNING, 0
    session.flush()
    return found


def note_progress(session: Session, import_id: UUID, rows_read: int) -> None:
    """Let pages see how far a running import has come."""
    session.execute(queries.set_rows_read(import_id, rows_read))


def load(session: Session, found: Import, file: BinaryIO, *, now: datetime, progress: Progress) -> Outcome:
    """Read, check and stage the whole file, then place all of its tasks, in this transaction.

    One pass: what is staged is seen by nobody, and with any problem the caller rolls it back.
    """
    project = session.scalars(queries.project(found.project_id)).one()
    try:
        run = ImportRun(file, found.filename, kind_of(project.task_type).importer, found.mapping)
    except MappingRefused as refusal:
        return refused_file(RowProblem(0, None, str(refusal)))
    checked = _Checked(project.kind, run)
    staged = stage(session, checked.tasks(), progress)
    report = run.report
    problems = tuple(sorted((*report.problems, *checked.problems), key=lambda problem: problem.line))
    count = report.problem_count + checked.problem_count
    progress(report.rows)
    if report.rows == 0 and not count:
        return refused_file(RowProblem(0, None, "The file has no rows."))
    if count:
        return Outcome(report.rows, Added(0, 0), problems[:PROBLEMS_KEPT_MAX], count)
    added = place(session, project.id, staged, import_id=found.id, now=now)
    return Outcome(report.rows, added, (), 0, report.duplicates_in_file)


def refused_file(problem: RowProblem) -> Outcome:
    return Outcome(0, Added(0, 0), (problem,), 1)


def finish(session: Session, import_id: UUID, outcome: Outcome, *, now: datetime) -> bool:
    """Write down what became of an import; False where somebody else has done so, and all must be rolled back."""
    found = session.get(Import, import_id, with_for_update=True, populate_existing=True)
    if found is None or found.state is not ImportState.RUNNING:
        return False
    failed = outcome.problem_count > 0
    found.state = ImportState.FAILED if failed else ImportState.DONE
    found.rows_read = outcome.rows
    found.created, found.already_there = outcome.added.created, outcome.added.already_there + outcome.repeats
    found.problem_count = outcome.problem_count
    found.problems = [
        {"line": problem.line, "field": problem.field, "problem": problem.problem} for problem in outcome.problems
    ]
    found.finished_at = now
    project = session.get_one(Project, found.project_id)
    counts = {
        "created": found.created,
        "already_there": found.already_there,
        "problems": outcome.problem_count,
    }
    kind = "import.failed" if failed else "import.finished"
    _record(session, SYSTEM, kind, project, found, now, **counts)
    session.flush()
    return True


class _Checked:
    """Tasks of a run in the project's own task type, with the problems that the reader could not know of."""

    def __init__(self, kind: Working, run: ImportRun) -> None:
        self._kind = kind
        self._run = run
        self.problems: list[RowProblem] = []
        self.problem_count = 0

    def tasks(self) -> Iterator[NewTask]:
        for task in self._run.tasks():
            problem = self._problem(task)
            if problem is None:
                yield _new_task(task)
                continue
            self.problem_count += 1
            if len(self.problems) < PROBLEMS_KEPT_MAX:
                self.problems.append(problem)

    def _problem(self, task: ImportedTask) -> RowProblem | None:
        problems = self._kind.fits(task.payload)
        if problems:
            return RowProblem(task.line, problems[0].path or None, problems[0].message)
        return None if task.gold is None else self._problem_of_key(task, task.gold)

    def _problem_of_key(self, task: ImportedTask, key: BaseModel) -> RowProblem | None:
        try:
            self._kind.score(task.payload, key, key)
        except ValueError as error:
            return RowProblem(task.line, "gold", str(error))
        return None


def _new_task(task: ImportedTask) -> NewTask:
    return NewTask(
        line=task.line,
        external_id=task.external_id,
        payload=_json(task.payload),
        priority=task.priority,
        overlap=task.overlap,
        topic=task.topic,
        imported_answer=_json(task.imported_answer) if task.imported_answer else None,
        imported_votes=json.dumps(dict(task.imported_votes)) if task.imported_votes else None,
        gold=_json(task.gold) if task.gold else None,
        gold_explanation=task.gold_explanation,
        content_ratings=tuple(task.content_ratings),
    )


def _json(model: BaseModel) -> str:
    return model.model_dump_json(exclude_none=True)


# --- A batch over the API


def import_tasks_now(
    session: Session, actor: Actor, project_id: UUID, tasks: Iterable[TaskIn], *, now: datetime
) -> Added:
    """Add up to 1,000 tasks in this transaction, all or none; ImportRefused names place, field and problem.

    Tasks whose external id the project has already are left as they are and counted.
    """
    project = access.project_for_client(session, actor, project_id, *access.MANAGERS)
    if project.state not in rules.TAKES_TASKS:
        raise ProjectFinished
    given = list(tasks)
    if len(given) > BATCH_TASKS_MAX:
        raise BatchTooLarge(f"At most {BATCH_TASKS_MAX:,} tasks fit into one request; these are {len(given):,}.")
    checked = _check_batch(project.kind, given)
    staged = stage(session, checked)
    added = place(session, project_id, staged, import_id=None, now=now)
    if added.created:
        data = {"created": added.created, "already_there": added.already_there}
        events.record(
            session,
            actor,
            "tasks.added",
            "project",
            project_id,
            at=now,
            org_id=project.org_id,
            project_id=project_id,
            data=data,
        )
    session.flush()
    return added


def _check_batch(kind: Working, given: Sequence[TaskIn]) -> list[NewTask]:
    problems: list[dict[str, str]] = []
    checked: dict[str, NewTask] = {}
    for place_in_batch, task in enumerate(given):
        try:
            new = _checked_task(kind, place_in_batch, task)
        except ImportRefused as refusal:
            problems += refusal.problems
            continue
        if checked.setdefault(new.external_id, new) != new and not _same_task(checked[new.external_id], new):
            message = f"The id {new.external_id!r} names another task of this request. Give each its own id."
            problems.append({"path": f"tasks.{place_in_batch}.external_id", "message": message})
    if problems:
        raise ImportRefused(
            f"{problems[0]['path']}: {problems[0]['message']} Nothing was imported.", problems[:PROBLEMS_KEPT_MAX]
        )
    return list(checked.values())


def _same_task(one: NewTask, other: NewTask) -> bool:
    return (one.payload, one.gold, one.priority, one.overlap, one.content_ratings) == (
        other.payload,
        other.gold,
        other.priority,
        other.overlap,
        other.content_ratings,
    )


def _checked_task(kind: Working, number: int, task: TaskIn) -> NewTask:
    payload = _parsed(kind.kind.payload_model, task.payload, f"tasks.{number}.payload")
    unfit = kind.fits(payload)
    if unfit:
        under = f"tasks.{number}.payload"
        raise ImportRefused(
            problems=[{"path": f"{under}.{one.path}".strip("."), "message": one.message} for one in unfit]
        )
    gold = answer = None
    if task.gold is not None:
        gold = _parsed(kind.kind.answer_model, task.gold, f"tasks.{number}.gold")
        _check_reference(kind, payload, gold, f"tasks.{number}.gold")
    if task.imported_answer is not None:
        answer = _parsed(kind.kind.answer_model, task.imported_answer, f"tasks.{number}.imported_answer")
    return NewTask(
        line=number,
        external_id=task.external_id,
        payload=_json(payload),
        priority=task.priority,
        overlap=task.overlap,
        topic=task.topic,
        imported_answer=_json(answer) if answer else None,
        gold=_json(gold) if gold else None,
        gold_explanation=task.gold_explanation,
        content_ratings=tuple(task.content_ratings),
    )


def _parsed(model: type[BaseModel], values: object, under: str) -> BaseModel:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        found = problems_of(error)
        problems = [{"path": f"{under}.{one.path}".strip("."), "message": one.message} for one in found]
        raise ImportRefused(problems=problems) from None


def _check_reference(kind: Working, payload: BaseModel, gold: BaseModel, under: str) -> None:
    try:
        kind.score(payload, gold, gold)
    except ValueError as error:
        raise ImportRefused(problems=[{"path": under, "message": str(error)}]) from None


def _record(
    session: Session, actor: Actor, kind: str, project: Project, found: Import, now: datetime, **data: object
) -> None:
    events.record(
        session,
        actor,
        kind,
        "import",
        found.id,
        at=now,
        org_id=project.org_id,
        project_id=project.id,
        data=data,
    )
