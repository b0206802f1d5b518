"""Statements about gold tasks, returned and not executed."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, or_, select, text

from preceptor.fairness.models import DecisionReceipt
from preceptor.kit.events import Event
from preceptor.projects.models import GoldCorrection, Project, Task, TaskGold, TaskState
from preceptor.work.models import Claim, Submission
from preceptor.work.models_quality import ChallengeState, GoldChallenge, GoldResult, PracticeAnswer
from preceptor.work.queries import FREE, HOLDS_NONE, PICKED
from preceptor.work.queries_content import chosen_by
from preceptor.work.queries_rated import NEXT_RATED, SETS, pick
from preceptor.work.rules import LIVE
from preceptor.work.rules_gold import PROJECT_RESULTS

# Gold tasks that this person has never held, those with the fewest answers. A gold task is never offered again, not
# even after a lease that ran out: who has seen it has had time to ask.
_POOL = """
    SELECT t.id, t.taken FROM task t
    WHERE t.project_id = :project_id AND t.state = 'gold' AND t.content_ratings <@ CAST(:allowed AS text[])
      AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.task_id = t.id AND c.person_id = :person_id)
    ORDER BY t.taken, t.id LIMIT :pool
"""
# Whether the queue holds something for the person. Asked in its order, so that its index answers at the first row;
# a mere EXISTS is planned as a join over the whole table.
_NEXT = f"(SELECT 1 FROM task t WHERE {FREE} AND t.position %s :cursor ORDER BY t.position LIMIT 1) IS NOT NULL"


def _pick_gold(sets: str = "", or_rated: str = "") -> str:
    """A gold task of the pool, while the queue holds something for the person too. One with half as many answers is
    twice as likely (exponential clocks, the first to ring)."""
    return f"""
        WITH {sets} pool AS ({_POOL})
        SELECT g.id, g.payload, CAST(:cursor AS bigint) AS position, g.content_ratings
        FROM pool JOIN task g ON g.id = pool.id
        WHERE g.state = 'gold' AND g.taken < g.wanted AND {HOLDS_NONE}
          AND ({_NEXT % ">"} OR {_NEXT % "<="} {or_rated})
        ORDER BY -ln(1 - random()) * (pool.taken + 1) LIMIT 1 FOR UPDATE OF g SKIP LOCKED
    """


PICK_GOLD = text(_pick_gold())
# The same where some free task is rated. Rated gold comes up nowhere else: it would give itself away.
PICK_GOLD_AMONG_RATED = text(_pick_gold(f"{SETS},", f"OR {NEXT_RATED}"))
# `queries.PICK_FREE` in a project that mixes gold in: looks through the same pool for nothing, so that ordinary work
# takes as long as a gold task to come up. Gold looks into the queue likewise.
_LOOK_INTO_POOL = f"(SELECT count(*) FROM ({_POOL}) pool) >= 0"
PICK_BESIDE_GOLD = text(f"""
    SELECT {PICKED} FROM task t
    WHERE {FREE} AND {HOLDS_NONE} AND t.position > :after AND t.position <= :until AND {_LOOK_INTO_POOL}
    ORDER BY t.position LIMIT 1 FOR UPDATE OF t SKIP LOCKED
""")
PICK_BESIDE_GOLD_AMONG_RATED = text(pick(beside=_LOOK_INTO_POOL))


def to_score(limit: int) -> Select[tuple[Submission]]:
    """Answers to gold tasks still to be compared, the oldest first, locked. By an index that holds no others."""
    found = select(Submission).where(Submission.to_score).order_by(Submission.id).limit(limit)
    return found.with_for_update(skip_locked=True)


def gold_to_score(
    task_id: UUID, project_id: UUID, person_id: UUID
) -> Select[tuple[TaskGold, dict[str, Any], str, float, int, int, int, int]]:
    """The known answer, locked, with the project's standard and the results that say what was to be expected.

    (gold, the task's payload, its type, standard, own passed, own results, project's newest passed, project's newest
    results), in one statement whatever the project has seen.
    """
    own = (
        select(func.count().filter(GoldResult.passed).label("passed"), func.count().label("results"))
        .where(GoldResult.person_id == person_id, GoldResult.project_id == project_id, GoldResult.task_id != task_id)
        .subquery()
    )
    newest = (
        select(GoldResult.passed, GoldResult.task_id)
        .where(GoldResult.project_id == project_id)
        .order_by(GoldResult.created_at.desc())
        .limit(PROJECT_RESULTS)
        .subquery()
    )
    # Without the task's own: where its answer leaks, what is usual must not rise with it.
    usual = (
        select(func.count().filter(newest.c.passed).label("passed"), func.count().label("results"))
        .select_from(newest)
        .where(newest.c.task_id != task_id)
        .subquery()
    )
    return (
        select(
            TaskGold,
            Task.payload,
            Project.task_type,
            Project.config,
            Project.standard,
            own.c.passed,
            own.c.results,
            usual.c.passed,
            usual.c.results,
        )
        .select_from(TaskGold)
        .join(Task, Task.id == TaskGold.task_id)
        .join(Project, Project.id == TaskGold.project_id)
        .join(own, own.c.results >= 0)
        .join(usual, usual.c.results >= 0)
        .where(TaskGold.task_id == task_id)
        .with_for_update(of=TaskGold)
        .execution_options(populate_existing=True)
    )


def free_to_retire(task_id: UUID) -> Select[tuple[Task]]:
    """A gold task, locked, unless somebody holds it this instant. Read anew."""
    found = select(Task).where(Task.id == task_id, Task.state == TaskState.GOLD)
    locked = found.with_for_update(key_share=True, skip_locked=True)
    return locked.execution_options(populate_existing=True)


def own_gold(person_id: UUID, submission_id: UUID) -> Select[tuple[GoldResult, TaskGold, Claim, Submission]]:
    """What a submission, or an earlier revision of it, was compared with, once its claim has ended."""
    asked = select(Submission.claim_id).where(Submission.id == submission_id, Submission.person_id == person_id)
    return (
        select(GoldResult, TaskGold, Claim, Submission)
        .join(Submission, Submission.id == GoldResult.submission_id)
        .join(Claim, Claim.id == Submission.claim_id)
        .join(TaskGold, TaskGold.task_id == GoldResult.task_id)
        .where(Claim.id.in_(asked), Claim.person_id == person_id, Claim.state.not_in(LIVE))
    )


def was_checked_by(person_id: UUID | None, task_id: UUID) -> Select[tuple[bool]]:
    return select(exists().where(GoldResult.task_id == task_id, GoldResult.person_id == person_id))


def challenge_of(person_id: UUID, task_id: UUID) -> Select[tuple[GoldChallenge]]:
    return select(GoldChallenge).where(GoldChallenge.person_id == person_id, GoldChallenge.task_id == task_id)


def answers_checked(task_id: UUID) -> Select[tuple[GoldResult, dict[str, Any]]]:
    """(result, answer in stored names) of everybody whom a gold task has checked, oldest first."""
    return (
        select(GoldResult, Submission.answer)
        .join(Submission, Submission.id == GoldResult.submission_id)
        .where(GoldResult.task_id == task_id)
        .order_by(GoldResult.submission_id)
    )


def receipts_on_gold(project_id: UUID, person_ids: Collection[UUID]) -> Select[tuple[DecisionReceipt]]:
    """Decisions against these people that name known answers among their evidence, oldest first."""
    names_gold = DecisionReceipt.evidence.contains([{"kind": "gold"}])
    return (
        select(DecisionReceipt)
        .where(DecisionReceipt.project_id == project_id, DecisionReceipt.person_id.in_(person_ids), names_gold)
        .order_by(DecisionReceipt.id)
    )


def last_correction(task_id: UUID) -> Select[tuple[GoldCorrection]]:
    found = select(GoldCorrection).where(GoldCorrection.task_id == task_id)
    return found.order_by(GoldCorrection.version.desc()).limit(1)


def challenges(
    project_id: UUID, *, open_only: bool, after: UUID | None, limit: int
) -> Select[tuple[GoldChallenge, Task, Submission]]:
    """Challenges with their task and the challenger's answer: open ones oldest first, else newest first."""
    found = (
        select(GoldChallenge, Task, Submission)
        .join(Task, Task.id == GoldChallenge.task_id)
        .join(Submission, Submission.id == GoldChallenge.submission_id)
        .where(GoldChallenge.project_id == project_id)
        .limit(limit)
    )
    if open_only:
        found = found.where(GoldChallenge.state == ChallengeState.OPEN).order_by(GoldChallenge.id)
        return found if after is None else found.where(GoldChallenge.id > after)
    found = found.order_by(GoldChallenge.id.desc())
    return found if after is None else found.where(GoldChallenge.id < after)


_PRACTICE = and_(Task.state == TaskState.RETIRED, TaskGold.retired_because.is_not(None))
"""Checked people once and checks nobody any more."""


def gold_health(project_id: UUID, *, after: UUID | None = None, only: UUID | None = None, limit: int) -> Select[Any]:
    """Gold tasks of a project with how people did on them: (task, gold, results, passed, expected, open challenges).

    In the order of arrival. `expected` is the sum of the chances that people's other results gave.
    """
    page = select(TaskGold.task_id).where(TaskGold.project_id == project_id).order_by(TaskGold.task_id).limit(limit)
    if after is not None:
        page = page.where(TaskGold.task_id > after)
    if only is not None:
        page = page.where(TaskGold.task_id == only)
    on_page = page.subquery()
    results = (
        select(
            GoldResult.task_id,
            func.count().label("results"),
            func.count().filter(GoldResult.passed).label("passed"),
            func.sum(GoldResult.expected).label("expected"),
        )
        .where(GoldResult.task_id.in_(select(on_page.c.task_id)))
        .group_by(GoldResult.task_id)
        .subquery()
    )
    waiting = (
        select(GoldChallenge.task_id, func.count().label("open"))
        .where(GoldChallenge.project_id == project_id, GoldChallenge.state == ChallengeState.OPEN)
        .group_by(GoldChallenge.task_id)
        .subquery()
    )
    return (
        select(
            Task,
            TaskGold,
            func.coalesce(results.c.results, 0).label("results"),
            func.coalesce(results.c.passed, 0).label("passed"),
            func.coalesce(results.c.expected, 0.0).label("expected"),
            func.coalesce(waiting.c.open, 0).label("open_challenges"),
        )
        .join(on_page, on_page.c.task_id == TaskGold.task_id)
        .join(Task, Task.id == TaskGold.task_id)
        .outerjoin(results, results.c.task_id == TaskGold.task_id)
        .outerjoin(waiting, waiting.c.task_id == TaskGold.task_id)
        .select_from(TaskGold)
        .order_by(TaskGold.task_id)
    )


def gold_summary(project_id: UUID) -> Select[Any]:
    """(known, mixed, retired, explained): gold tasks of a project by what they do."""
    return (
        select(
            func.count().label("known"),
            func.count().filter(Task.state == TaskState.GOLD).label("mixed"),
            func.count().filter(_PRACTICE).label("practice"),
            func.count().filter(TaskGold.explanation != "").label("explained"),
        )
        .select_from(TaskGold)
        .join(Task, Task.id == TaskGold.task_id)
        .where(TaskGold.project_id == project_id)
    )


def open_challenges(project_id: UUID) -> Select[tuple[int]]:
    return select(func.count()).where(
        GoldChallenge.project_id == project_id, GoldChallenge.state == ChallengeState.OPEN
    )


# --- Practice


def _have_had(person_id: UUID, project_id: UUID) -> Select[tuple[UUID]]:
    """Gold tasks that have checked this person, with the check over."""
    return (
        select(GoldResult.task_id)
        .join(Submission, Submission.id == GoldResult.submission_id)
        .join(Claim, Claim.id == Submission.claim_id)
        .where(GoldResult.person_id == person_id, GoldResult.project_id == project_id, Claim.state.not_in(LIVE))
    )


def practice_material(person_id: UUID, project_id: UUID, limit: int) -> Select[Any]:
    """What a person may practise on: (task, gold, own answer or None, passed or None), newest mistakes first.

    Tasks that have checked the person, and tasks that check nobody any more. Never a gold task that may still be given
    to the person, and nothing rated that the person did not choose to see.
    """
    mine = (
        select(GoldResult.task_id, GoldResult.passed, Submission.answer, GoldResult.created_at)
        .join(Submission, Submission.id == GoldResult.submission_id)
        .join(Claim, Claim.id == Submission.claim_id)
        .where(GoldResult.person_id == person_id, GoldResult.project_id == project_id, Claim.state.not_in(LIVE))
        .subquery()
    )
    return (
        select(Task, TaskGold, mine.c.answer, mine.c.passed)
        .join(TaskGold, TaskGold.task_id == Task.id)
        .outerjoin(mine, mine.c.task_id == Task.id)
        .where(
            TaskGold.project_id == project_id,
            or_(_PRACTICE, mine.c.task_id.is_not(None)),
            Task.content_ratings.contained_by(chosen_by(person_id)),
        )
        .order_by(mine.c.passed.asc().nulls_last(), mine.c.created_at.desc().nulls_last(), Task.id)
        .limit(limit)
    )


def practice_task(person_id: UUID, project_id: UUID, task_id: UUID) -> Select[tuple[Task, TaskGold]]:
    """One task of a person's practice material."""
    return (
        select(Task, TaskGold)
        .join(TaskGold, TaskGold.task_id == Task.id)
        .where(
            Task.id == task_id,
            Task.project_id == project_id,
            or_(_PRACTICE, Task.id.in_(_have_had(person_id, project_id))),
        )
    )


def material_count(project_id: UUID, person_id: UUID | None) -> Select[tuple[int]]:
    """How many tasks there are to practise on: for everybody, and for one person besides."""
    found = _PRACTICE if person_id is None else or_(_PRACTICE, Task.id.in_(_have_had(person_id, project_id)))
    return (
        select(func.count())
        .select_from(TaskGold)
        .join(Task, Task.id == TaskGold.task_id)
        .where(TaskGold.project_id == project_id, found)
    )


def practised(person_id: UUID, project_id: UUID, since: datetime | None) -> Select[tuple[PracticeAnswer]]:
    """Practice answers of a person, newest first."""
    found = select(PracticeAnswer).where(PracticeAnswer.person_id == person_id, PracticeAnswer.project_id == project_id)
    if since is not None:
        found = found.where(PracticeAnswer.created_at >= since)
    return found.order_by(PracticeAnswer.id.desc())


def was_practised_on(task_id: UUID) -> Select[tuple[bool]]:
    return select(exists().where(PracticeAnswer.task_id == task_id))


def was_told(kind: str, project_id: UUID, person_id: UUID) -> Select[tuple[bool]]:
    return select(exists().where(Event.kind == kind, Event.project_id == project_id, Event.person_id == person_id))


def practice_wanted(project_id: UUID, kind: str) -> Select[tuple[int]]:
    """How many people asked to practise and found nothing."""
    return select(func.count(Event.person_id.distinct())).where(Event.project_id == project_id, Event.kind == kind)
