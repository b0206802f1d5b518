"""Statements about work, returned and not executed. The hot path is plain SQL: one lock, one pick, one write."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select, text

from preceptor.kit.events import Event
from preceptor.money.rules import BUSY_PARTS
from preceptor.people.models import Person
from preceptor.projects.models import OverlapMode, Project, ProjectState, Task
from preceptor.work.models import Claim, ClaimState, Flag, Review, Submission, SubmissionState
from preceptor.work.queries_content import kept_from

# The project is locked first, and for as little as "it does not close while this claim is made": its settings may
# still change and tasks may be added meanwhile. Rated tasks are looked for in the order of their index, which holds no
# others: one look, whatever the project holds.
LOCK_MEMBERSHIP = text("""
    SELECT m.state AS membership_state, m.cursor, p.id AS project_id, p.org_id, p.state AS project_state,
           p.task_type, p.config, p.lease_seconds, p.rate_minor, p.currency, p.gold_percent,
           p.guidelines_version_id, p.rubric_version_id, p.content_ratings,
           (
               SELECT 1 FROM task r
               WHERE r.project_id = p.id AND r.taken < r.wanted AND r.state = 'open' AND r.content_ratings <> '{}'
               ORDER BY r.content_ratings, r.position LIMIT 1
           ) IS NOT NULL AS has_rated,
           g.source AS suggests, g.judge_id AS suggesting_judge, g.blind_percent, g.salt AS suggestion_salt,
           p.qualification_id IS NULL OR EXISTS (
               SELECT 1 FROM person_qualification q
               WHERE q.person_id = m.person_id AND q.qualification_id = p.qualification_id AND q.revoked_at IS NULL
           ) AS qualified,
           (
               SELECT t.content_ratings FROM claim a JOIN task t ON t.id = a.task_id
               WHERE a.project_id = m.project_id AND a.person_id = m.person_id AND a.state = 'ahead' LIMIT 1
           ) AS ahead_ratings,
           escrow.id AS escrow_id, reserved.id AS reserved_id
    FROM membership m
    JOIN project p ON p.id = m.project_id
    LEFT JOIN suggestion_plan g ON g.project_id = p.id
    LEFT JOIN account escrow
           ON escrow.kind = 'escrow' AND escrow.owner_id = p.id AND escrow.currency = p.currency
    LEFT JOIN account reserved
           ON reserved.kind = 'reserved' AND reserved.owner_id = p.id AND reserved.currency = p.currency
    WHERE m.project_id = :project_id AND m.person_id = :person_id
    FOR KEY SHARE OF p FOR UPDATE OF m
""")

# What nobody rated. Rated tasks have statements of their own (`queries_rated`), so that nobody is given one by mistake.
NOT_HELD = """
    NOT EXISTS (
        SELECT 1 FROM claim c WHERE c.task_id = t.id AND c.person_id = :person_id AND c.state <> 'expired')
"""
FREE = f"""
    t.project_id = :project_id AND t.taken < t.wanted AND t.state = 'open' AND t.content_ratings = '{{}}'
    AND {NOT_HELD}
"""
# Finds nothing for a person who has a claim open here, or one set aside that is to be opened first: one at a time.
HOLDS_NONE = """
    NOT EXISTS (
        SELECT 1 FROM claim o WHERE o.project_id = :project_id AND o.person_id = :person_id AND o.state = 'open')
    AND NOT EXISTS (
        SELECT 1 FROM claim a WHERE a.project_id = :project_id AND a.person_id = :person_id AND a.state = 'ahead')
"""
PICKED = "t.id, t.payload, t.position, t.content_ratings"
PICK_FREE = text(f"""
    SELECT {PICKED} FROM task t
    WHERE {FREE} AND {HOLDS_NONE} AND t.position > :after AND t.position <= :until
    ORDER BY t.position LIMIT 1 FOR UPDATE OF t SKIP LOCKED
""")
PICK_ONE = text(f"""
    SELECT {PICKED} FROM task t
    WHERE t.project_id = :project_id AND t.taken < t.wanted AND t.state = 'open' AND {NOT_HELD} AND t.id = :task_id
      AND t.content_ratings <@ CAST(:allowed AS text[])
    FOR UPDATE OF t
""")
FIRST_FREE = text(f"SELECT t.id FROM task t WHERE {FREE} ORDER BY t.position LIMIT 1")

# Everything a claim writes, in one statement. It writes nothing at all when no unlocked part of the escrow holds
# the rate. Locks: an escrow part, then the same part of the reserved account; it waits for no escrow part.
# A person whose lease ran out and who gets the task again finds the draft, in the order they had seen.
TAKE_FREE = text(f"""
    WITH part AS (
        SELECT a.part FROM account_part a
        WHERE a.account_id = :escrow_id AND a.balance_minor >= :rate_minor
        ORDER BY (a.part + :spread) % {BUSY_PARTS} LIMIT 1 FOR UPDATE SKIP LOCKED
    ), former AS (
        SELECT c.draft, c.display_order FROM claim c
        WHERE c.task_id = :task_id AND c.person_id = :person_id AND c.state = 'expired' AND c.draft IS NOT NULL
        ORDER BY c.id DESC LIMIT 1
    ), debit AS (
        UPDATE account_part a SET balance_minor = a.balance_minor - :rate_minor FROM part
        WHERE a.account_id = :escrow_id AND a.part = part.part
    ), credit AS (
        UPDATE account_part a SET balance_minor = a.balance_minor + :rate_minor FROM part
        WHERE a.account_id = :reserved_id AND a.part = part.part
    ), claimed AS (
        INSERT INTO claim (id, task_id, project_id, person_id, state, leased_until, rate_minor, currency, money_part,
                           display_order, guidelines_version_id, rubric_version_id, draft, draft_number,
                           draft_saved_at, worked_seconds, last_beat_at, created_at)
        SELECT :claim_id, :task_id, :project_id, :person_id, :state, :leased_until, :rate_minor, :currency, part.part,
               coalesce(former.display_order, :display_order), :guidelines_version_id, :rubric_version_id,
               former.draft, 0, CASE WHEN former.draft IS NOT NULL THEN CAST(:now AS timestamptz) END, 0, :now, :now
        FROM part LEFT JOIN former ON true
        RETURNING money_part, display_order, draft, draft_saved_at
    ), posted AS (
        INSERT INTO posting (id, at, source_kind, source_id, purpose, from_account_id, from_part,
                             to_account_id, to_part, amount_minor, currency)
        SELECT :posting_id, :now, 'claim', :claim_id, 'reserve', :escrow_id, part.part, :reserved_id, part.part,
               :rate_minor, :currency
        FROM part
    ), counted AS (
        UPDATE task t SET taken = t.taken + 1 FROM part WHERE t.id = :task_id
    ), moved AS (
        UPDATE membership m SET cursor = :position FROM part
        WHERE m.project_id = :project_id AND m.person_id = :person_id
    ), told AS (
        INSERT INTO event (at, kind, actor_kind, actor_id, org_id, project_id, person_id, subject_kind, subject_id,
                           data)
        SELECT :now, :told, :actor_kind, :person_id, :org_id, :project_id, :person_id, 'claim', :claim_id,
               jsonb_build_object('task', :task_id)
        FROM part
    )
    SELECT money_part, display_order, draft, draft_saved_at FROM claimed
""")

# The project is locked as the foreign key of a submission will lock it anyway, only earlier: the settings that decide
# how often a task is asked change when no submission is under way (`projects.service.projects.update_project`).
# What is known about answer and person is read for projects that direct reviews by risk, and only there.
CLAIM_TO_SUBMIT = text("""
    SELECT c.id, c.task_id, c.project_id, c.person_id, c.state, c.leased_until, c.display_order, c.worked_seconds,
           c.last_beat_at, c.created_at, p.org_id, p.task_type, p.config, p.review_percent, p.review_seconds,
           p.overlap_mode, p.review_mode, p.risk_percent, p.standard, t.payload, t.state AS task_state,
           q.units AS answer_units, k.counts, k.judgments, k.low, k.high, f.prior, f.pooled, f.diagnostics,
           g.answer AS suggested, g.shown AS suggestion_shown, g.used AS suggestion_used,
           g.submission_id AS suggestion_measured
    FROM claim c JOIN project p ON p.id = c.project_id JOIN task t ON t.id = c.task_id
    LEFT JOIN claim_suggestion g ON g.claim_id = c.id
    LEFT JOIN task_quality q ON p.review_mode = 'risk' AND q.task_id = t.id
    LEFT JOIN person_skill k ON p.review_mode = 'risk' AND k.project_id = p.id AND k.person_id = c.person_id
    LEFT JOIN LATERAL (
        SELECT f.prior, f.pooled, f.diagnostics FROM quality_fit f
        WHERE p.review_mode = 'risk' AND f.project_id = p.id ORDER BY f.id DESC LIMIT 1
    ) f ON true
    WHERE c.id = :claim_id AND c.person_id = :person_id
    FOR UPDATE OF c FOR KEY SHARE OF p
""")
SUBMIT = text("""
    WITH answered AS (
        UPDATE claim SET state = 'submitted', worked_seconds = :worked_seconds, last_beat_at = :now
        WHERE id = :claim_id
    ), given AS (
        INSERT INTO submission (id, claim_id, task_id, project_id, person_id, revision, answer, state,
                                worked_seconds, review_wanted, review_reason, review_chance, to_score, decide_at,
                                created_at)
        SELECT :submission_id, :claim_id, :task_id, :project_id, :person_id,
               1 + (SELECT count(*) FROM submission s WHERE s.claim_id = :claim_id), CAST(:answer AS jsonb),
               'submitted', :worked_seconds, :review_wanted, :review_reason, :review_chance, :to_score, :decide_at,
               :now
        RETURNING revision
    ), counted AS (
        UPDATE task SET done = done + 1 WHERE id = :task_id
    ), told AS (
        INSERT INTO event (at, kind, actor_kind, actor_id, org_id, project_id, person_id, subject_kind, subject_id,
                           data)
        VALUES (:now, 'work.submitted', :actor_kind, :person_id, :org_id, :project_id, :person_id, 'submission',
                :submission_id, jsonb_build_object('task', :task_id, 'claim', :claim_id))
    )
    SELECT revision FROM given
""")
SAVE_DRAFT = text("""
    UPDATE claim SET draft = CAST(:draft AS jsonb), draft_number = :number, draft_saved_at = :now
    WHERE id = :claim_id AND person_id = :person_id AND state IN ('open', 'returned') AND draft_number < :number
    RETURNING id
""")


def tasks_locked(task_ids: list[UUID]) -> Select[tuple[UUID, OverlapMode]]:
    """Tasks with their project's mode of overlap, locked in the order of their queue, which is the order in which
    people who claim meet them."""
    return (
        select(Task.id, Project.overlap_mode)
        .join(Project, Project.id == Task.project_id)
        .where(Task.id.in_(task_ids))
        .order_by(Task.position, Task.id)
        .with_for_update(key_share=True, of=Task)
    )


def open_claim(person_id: UUID, project_id: UUID) -> Select[tuple[Claim]]:
    return select(Claim).where(
        Claim.person_id == person_id, Claim.project_id == project_id, Claim.state == ClaimState.OPEN
    )


def overdue_claims(before: datetime, limit: int) -> Select[tuple[Claim]]:
    """Claims whose lease ran out before a moment, locked; those that somebody works on this instant are left."""
    return (
        select(Claim)
        .where(Claim.state.in_([ClaimState.OPEN, ClaimState.RETURNED]), Claim.leased_until < before)
        .order_by(Claim.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def due_submissions(now: datetime, limit: int) -> Select[tuple[Submission]]:
    """Submissions that nobody has to look at any more, locked."""
    return (
        select(Submission)
        .where(
            Submission.state == SubmissionState.SUBMITTED,
            Submission.decide_at <= now,
            or_(Submission.review_leased_until.is_(None), Submission.review_leased_until < now),
        )
        .order_by(Submission.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def next_to_review(
    reviewer_id: UUID, project_ids: list[UUID], now: datetime, *, skip: list[UUID] | None = None
) -> Select[tuple[Submission]]:
    """The oldest sampled submission of other people that nobody has open, locked; what the reviewer has open stays
    theirs, and of the rest nothing comes that they are not shown (`queries_content`)."""
    own = Submission.reviewer_id == reviewer_id
    return (
        select(Submission)
        .where(
            Submission.project_id.in_(project_ids),
            Submission.state == SubmissionState.SUBMITTED,
            Submission.review_wanted,
            Submission.person_id != reviewer_id,
            Submission.id.not_in(skip or []),
            or_(
                Submission.review_leased_until.is_(None),
                Submission.review_leased_until < now,
                own,
            ),
            or_(
                and_(own, Submission.review_leased_until >= now),
                ~kept_from(reviewer_id, now, Submission.task_id, Submission.project_id),
            ),
        )
        .order_by((Submission.reviewer_id == reviewer_id).desc().nulls_last(), Submission.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def judgments_of_task(task_id: UUID) -> Select[tuple[Submission, Person, Review]]:
    """Every submission to a task with its person and review (None where there is none), oldest first."""
    return (
        select(Submission, Person, Review)
        .join(Person, Person.id == Submission.person_id)
        .outerjoin(Review, Review.submission_id == Submission.id)
        .where(Submission.task_id == task_id)
        .order_by(Submission.id)
    )


def history(
    person_id: UUID, project_id: UUID | None, states: list[SubmissionState], before: UUID | None, limit: int
) -> Select[tuple[Submission, Claim, Project, Review]]:
    """A person's submissions, newest first, with claim, project and review (None where there is none)."""
    found = (
        select(Submission, Claim, Project, Review)
        .join(Claim, Claim.id == Submission.claim_id)
        .join(Project, Project.id == Submission.project_id)
        .outerjoin(Review, Review.submission_id == Submission.id)
        .where(Submission.person_id == person_id)
        .order_by(Submission.id.desc())
        .limit(limit)
    )
    if project_id is not None:
        found = found.where(Submission.project_id == project_id)
    if states:
        found = found.where(Submission.state.in_(states))
    return found if before is None else found.where(Submission.id < before)


def open_flags(task_id: UUID) -> Select[tuple[int]]:
    return select(func.count()).where(Flag.task_id == task_id, Flag.resolved_at.is_(None))


def live_claims(project_id: UUID) -> Select[tuple[int]]:
    live = [ClaimState.AHEAD, ClaimState.OPEN, ClaimState.SUBMITTED, ClaimState.RETURNED]
    return select(func.count()).where(Claim.project_id == project_id, Claim.state.in_(live))


def closing_locked(project_ids: list[UUID]) -> Select[tuple[UUID]]:
    """Those of the projects in which nobody is making a claim this instant, locked against new ones."""
    found = select(Project.id).where(Project.id.in_(project_ids), Project.state == ProjectState.CLOSING)
    return found.order_by(Project.id).with_for_update(skip_locked=True)


def review_of(submission_id: UUID) -> Select[tuple[Review]]:
    return select(Review).where(Review.submission_id == submission_id)


def counted_answers(task_ids: list[UUID]) -> Select[tuple[UUID, dict[str, object]]]:
    """(task, answer) of the judgments that count."""
    return (
        select(Submission.task_id, Submission.answer)
        .where(
            Submission.task_id.in_(task_ids),
            Submission.state.in_([SubmissionState.SUBMITTED, SubmissionState.APPROVED]),
        )
        .order_by(Submission.id)
    )


def flags_of_task(task_id: UUID) -> Select[tuple[Flag]]:
    return select(Flag).where(Flag.task_id == task_id).order_by(Flag.created_at, Flag.id)


def events_about(project_id: UUID, subject_ids: list[UUID], limit: int) -> Select[tuple[Event]]:
    """What happened to these things, oldest first."""
    return (
        select(Event)
        .where(Event.project_id == project_id, Event.subject_id.in_(subject_ids))
        .order_by(Event.id)
        .limit(limit)
    )


def newest_events(project_id: UUID, limit: int) -> Select[tuple[Event]]:
    return select(Event).where(Event.project_id == project_id).order_by(Event.id.desc()).limit(limit)


def reviews_waiting(project_id: UUID) -> Select[tuple[int]]:
    """Submissions that a reviewer is meant to look at."""
    return select(func.count()).where(
        Submission.project_id == project_id, Submission.state == SubmissionState.SUBMITTED, Submission.review_wanted
    )


def submitted_since(project_id: UUID, since: datetime, hour_ago: datetime) -> Select[tuple[int, int, datetime]]:
    """(total, last_hour, first_at) of the judgments since a moment; `first_at` is None where there are none."""
    return select(
        func.count().label("total"),
        func.count().filter(Submission.created_at >= hour_ago).label("last_hour"),
        func.min(Submission.created_at).label("first_at"),
    ).where(Submission.project_id == project_id, Submission.created_at >= since)


def submitted_by_bin(project_id: UUID, since: datetime, width: timedelta) -> Select[tuple[datetime, int]]:
    """(start, judgments) of bins of that width, the first starting at `since`."""
    start = func.date_bin(width, Submission.created_at, since).label("start")
    return (
        select(start, func.count().label("judgments"))
        .where(Submission.project_id == project_id, Submission.created_at >= since)
        .group_by(start)
        .order_by(start)
    )
