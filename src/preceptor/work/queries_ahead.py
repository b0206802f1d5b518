"""Statements about tasks that are set aside as somebody's next, returned and not executed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, TextClause, and_, exists, or_, select, text
from sqlalchemy.orm import aliased

from preceptor.projects.models import Membership, MembershipState, Project, ProjectState, Task, TaskState
from preceptor.work.models import Claim, ClaimState
from preceptor.work.queries import HOLDS_NONE

# By the partial index over the claims that are set aside, which are as many as people are at work, at most.
_IS_AHEAD = text("claim.state = 'ahead'")

# What the setting aside of a task depends on. Read after the membership is locked, so that one person's requests see
# each other. `free` is counted up to what is asked of it.
STANDING = text("""
    WITH people AS (
        SELECT count(*) AS n FROM (
            SELECT 1 FROM claim c WHERE c.project_id = :project_id AND c.state = 'open' LIMIT :people_max) w
    )
    SELECT (SELECT c.id FROM claim c
            WHERE c.project_id = :project_id AND c.person_id = :person_id AND c.state = 'ahead' LIMIT 1) AS ahead_id,
           EXISTS (SELECT 1 FROM claim c
                   WHERE c.id = :claim_id AND c.person_id = :person_id AND c.state = 'open') AS at_work,
           EXISTS (SELECT 1 FROM claim c
                   WHERE c.person_id = :person_id AND c.id > :claim_id AND c.project_id = :project_id
                     AND c.state = 'expired' AND c.reason = :not_begun) AS had_one,
           (SELECT coalesce(sum(a.balance_minor), 0) FROM account_part a WHERE a.account_id = :escrow_id)
               >= greatest(people.n, 1) * :tasks_each * :rate_minor AS affordable,
           people.n AS people,
           (SELECT count(*) FROM (
               (SELECT 1 FROM task t
                WHERE t.project_id = :project_id AND t.taken < t.wanted AND t.state = 'open'
                  AND t.content_ratings = '{}'
                LIMIT greatest(people.n, 1) * :tasks_each)
               UNION ALL
               (SELECT 1 FROM task t
                WHERE t.project_id = :project_id AND t.taken < t.wanted AND t.state = 'open'
                  AND t.content_ratings <> '{}'
                LIMIT greatest(people.n, 1) * :tasks_each)
               LIMIT greatest(people.n, 1) * :tasks_each) f) AS free
    FROM people
""")

# The ratings of the task that is set aside for a person. `queries.LOCK_MEMBERSHIP` tells them too, but as they were
# before it waited for its lock.
RATINGS = text("""
    SELECT t.content_ratings FROM claim a JOIN task t ON t.id = a.task_id
    WHERE a.project_id = :project_id AND a.person_id = :person_id AND a.state = 'ahead'
""")

# Opens what was set aside, unless the person has another open, or its task or its terms have changed since: then it is
# another claim that is wanted.
BEGIN = text("""
    WITH begun AS (
        UPDATE claim c
        SET state = 'open', leased_until = :leased_until, created_at = :now, last_beat_at = :now
        FROM task t
        WHERE c.project_id = :project_id AND c.person_id = :person_id AND c.state = 'ahead' AND t.id = c.task_id
          AND t.state IN ('open', 'gold') AND c.rate_minor = :rate_minor AND c.currency = :currency
          AND c.guidelines_version_id IS NOT DISTINCT FROM CAST(:guidelines_version_id AS uuid)
          AND c.rubric_version_id IS NOT DISTINCT FROM CAST(:rubric_version_id AS uuid)
          AND (CAST(:task_id AS uuid) IS NULL OR c.task_id = CAST(:task_id AS uuid))
          AND (CAST(:claim_id AS uuid) IS NULL OR c.id = CAST(:claim_id AS uuid))
          AND NOT EXISTS (
              SELECT 1 FROM claim o
              WHERE o.project_id = :project_id AND o.person_id = :person_id AND o.state = 'open')
        RETURNING c.id, c.task_id
    ), told AS (
        INSERT INTO event (at, kind, actor_kind, actor_id, org_id, project_id, person_id, subject_kind, subject_id,
                           data)
        SELECT :now, 'work.claimed', :actor_kind, :person_id, :org_id, :project_id, :person_id, 'claim', begun.id,
               jsonb_build_object('task', begun.task_id)
        FROM begun
    )
    SELECT id FROM begun
""")
KEEP = text("""
    UPDATE claim SET leased_until = greatest(leased_until, least(:until, created_at + :kept_max))
    WHERE project_id = :project_id AND person_id = :person_id AND state = 'ahead'
    RETURNING id
""")


def beside_open(pick: TextClause) -> TextClause:
    """The same pick for somebody who holds a task: for the one after it."""
    return text(pick.text.replace(HOLDS_NONE, "true"))


def own(person_id: UUID, project_id: UUID) -> Select[tuple[Claim]]:
    """What is set aside for a person in a project, locked."""
    found = select(Claim).where(Claim.project_id == project_id, Claim.person_id == person_id, _IS_AHEAD)
    return found.with_for_update().execution_options(populate_existing=True)


def of_others(person_id: UUID, project_id: UUID, allowed: Sequence[str], task_id: UUID | None) -> Select[tuple[Claim]]:
    """A task that is set aside for somebody else and that this person could do, shown no ratings but those that are
    allowed, locked; the one set aside last."""
    mine = aliased(Claim)
    had = exists().where(mine.task_id == Claim.task_id, mine.person_id == person_id, mine.state != ClaimState.EXPIRED)
    found = (
        select(Claim)
        .join(Task, Task.id == Claim.task_id)
        .where(
            Claim.project_id == project_id,
            _IS_AHEAD,
            Claim.person_id != person_id,
            Task.state == TaskState.OPEN,
            Task.content_ratings.contained_by(allowed),
            ~had,
        )
        .order_by(Claim.created_at.desc())
        .limit(1)
        .with_for_update(of=Claim)
        .execution_options(populate_existing=True)
    )
    return found if task_id is None else found.where(Claim.task_id == task_id)


def to_let_go(now: datetime, limit: int) -> Select[tuple[Claim]]:
    """What is set aside to no purpose: its desk is silent, or the person could not begin it any more. Locked."""
    usable = and_(
        Project.state == ProjectState.OPEN,
        Membership.state == MembershipState.ACTIVE,
        Task.state.in_([TaskState.OPEN, TaskState.GOLD]),
        Claim.rate_minor == Project.rate_minor,
        Claim.currency == Project.currency,
        Claim.guidelines_version_id.is_not_distinct_from(Project.guidelines_version_id),
        Claim.rubric_version_id.is_not_distinct_from(Project.rubric_version_id),
    )
    return (
        select(Claim)
        .join(Task, Task.id == Claim.task_id)
        .join(Project, Project.id == Claim.project_id)
        .join(Membership, and_(Membership.project_id == Claim.project_id, Membership.person_id == Claim.person_id))
        .where(_IS_AHEAD, or_(Claim.leased_until < now, ~usable))
        .order_by(Claim.id)
        .limit(limit)
        .with_for_update(of=Claim, skip_locked=True)
    )
