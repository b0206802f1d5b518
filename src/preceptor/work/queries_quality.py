"""Statements of the quality engine, returned or as text, not executed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, false, func, or_, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUuid
from sqlalchemy.orm import InstrumentedAttribute, aliased

from preceptor.fairness.models import Appeal, DecisionReceipt
from preceptor.projects.models import Project, Task, TaskGold
from preceptor.work.models import Claim, Decision, Review, Submission, SubmissionState
from preceptor.work.models_quality import (
    CheckKind,
    Evidence,
    GoldReview,
    PersonSkill,
    QualityFit,
    ReviewCheck,
    TaskQuality,
)
from preceptor.work.queries_content import kept_from

_IDS = bindparam("task_ids", type_=ARRAY(PgUuid(as_uuid=True)))

# Everything a decision about tasks needs, one row each: settings, newest fit, and the judgments that count with what
# is known about who gave them; beside people's, those of AI judges that are measured where the project counts them,
# which never change how many were given. A judge has no voice where people have seen its suggestion: it would be heard
# twice. Read after the tasks are locked, so that no judgment is missing.
_STANDING = """
    SELECT t.id, t.project_id, t.payload, t.wanted, t.taken, t.done, t.state AS task_state,
           p.org_id, p.task_type, p.config, p.overlap_mode, p.overlap, p.overlap_floor, p.overlap_cap, p.confidence,
           p.price_limit_minor, p.rate_minor, p.standard,
           f.id AS fit_id, f.prior, f.pooled, f.diagnostics, f.calibration, q.state AS answer_state,
           coalesce(given.answers, '[]'::jsonb) || coalesce(judged.answers, '[]'::jsonb) AS answers
    FROM task t
    JOIN project p ON p.id = t.project_id
    LEFT JOIN task_quality q ON q.task_id = t.id
    LEFT JOIN LATERAL (
        SELECT f.id, f.prior, f.pooled, f.diagnostics, f.calibration FROM quality_fit f
        WHERE f.project_id = t.project_id ORDER BY f.id DESC LIMIT 1
    ) f ON true
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_array(s.answer, k.counts) ORDER BY s.id) AS answers
        FROM (
            SELECT s.id, s.answer, s.person_id FROM submission s
            WHERE s.task_id = t.id AND s.state IN ('submitted', 'approved') {some}
        ) s
        LEFT JOIN person_skill k ON k.project_id = t.project_id AND k.person_id = s.person_id
    ) given ON true
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_array(a.answer, k.counts) ORDER BY a.judge_id) AS answers
        FROM ai_judgment a
        JOIN ai_judge j ON j.id = a.judge_id AND j.state <> 'retired'
        JOIN ai_judge_skill k ON k.judge_id = a.judge_id AND k.accuracy IS NOT NULL
        WHERE a.task_id = t.id AND a.outcome = 'answered' AND p.judges_in_inference
          AND given.answers IS NOT NULL
          AND NOT EXISTS (
              SELECT 1 FROM claim_suggestion g
              WHERE g.task_id = t.id AND g.shown AND g.submission_id IS NOT NULL AND g.judge_id = j.id)
    ) judged ON true
    WHERE t.id = ANY(:task_ids)
    ORDER BY t.id
"""
STANDING = text(_STANDING.format(some="")).bindparams(_IDS)
# Of a gold task, as many judgments as of an ordinary one: it has hundreds, and reading them all would take longer.
STANDING_GOLD = text(_STANDING.format(some="LIMIT p.overlap_floor")).bindparams(_IDS)

# The task is locked by who decides. Changes what is wanted, keeps what the judgments say, and tells, in one go.
_KEEP_PLAN = """
    WITH asked AS (
        UPDATE task SET wanted = :wanted WHERE id = :task_id AND wanted <> :wanted
    ), kept AS (
        INSERT INTO task_quality (task_id, project_id, judgments, units, confidence, state, value_of_next, fit_id,
                                  updated_at)
        VALUES (:task_id, :project_id, :judgments, CAST(:units AS jsonb), :confidence, :state, :value_of_next, :fit_id,
                :now)
        ON CONFLICT (task_id) DO UPDATE
        SET {kept}
    )
    INSERT INTO event (at, kind, actor_kind, org_id, project_id, subject_kind, subject_id, data)
    SELECT :now, CAST(:told AS text), 'system', :org_id, :project_id, 'task', :task_id, CAST(:data AS jsonb)
    WHERE CAST(:told AS text) IS NOT NULL
"""
KEEP_PLAN = text(
    _KEEP_PLAN.format(
        kept="""judgments = excluded.judgments, units = excluded.units, confidence = excluded.confidence,
            state = excluded.state, value_of_next = excluded.value_of_next, fit_id = excluded.fit_id,
            updated_at = excluded.updated_at"""
    )
)
# The same for a gold task, where nothing is decided: what the fit says of it, which knows the answer, stays.
KEEP_GOLD = text(_KEEP_PLAN.format(kept="judgments = excluded.judgments"))

# Per project: the newest fit, and how many judgments have come since, counted up to a limit.
FITS_DUE = text("""
    SELECT p.id, f.labels, f.created_at, f.cpu_seconds, new.judgments
    FROM project p
    LEFT JOIN LATERAL (
        SELECT f.labels, f.created_at, f.cpu_seconds, f.newest_submission_id FROM quality_fit f
        WHERE f.project_id = p.id ORDER BY f.id DESC LIMIT 1
    ) f ON true
    CROSS JOIN LATERAL (
        SELECT count(*) AS judgments FROM (
            SELECT 1 FROM submission s
            WHERE s.project_id = p.id
              AND s.id > coalesce(f.newest_submission_id, '00000000-0000-0000-0000-000000000000'::uuid)
            LIMIT :most
        ) AS recent
    ) new
    WHERE p.state <> 'draft' AND new.judgments > 0
""")


def newest_fit(project_id: UUID) -> Select[tuple[QualityFit]]:
    return select(QualityFit).where(QualityFit.project_id == project_id).order_by(QualityFit.id.desc()).limit(1)


def fits(project_id: UUID, *, before: UUID | None, limit: int) -> Select[tuple[QualityFit]]:
    """A project's fits, newest first."""
    found = select(QualityFit).where(QualityFit.project_id == project_id)
    if before is not None:
        found = found.where(QualityFit.id < before)
    return found.order_by(QualityFit.id.desc()).limit(limit)


def skills(project_id: UUID, *, offset: int = 0, limit: int) -> Select[tuple[PersonSkill]]:
    """What is known about people in a project, those with most judgments first. By offset: a project has thousands of
    people at most, and a cursor would give ids away where pseudonyms are shown."""
    found = select(PersonSkill).where(PersonSkill.project_id == project_id)
    return found.order_by(PersonSkill.judgments.desc(), PersonSkill.person_id).offset(offset).limit(limit)


def posteriors(
    project_id: UUID, *, after: UUID | None, limit: int, known: bool
) -> Select[tuple[UUID, str, TaskQuality]]:
    """(task, its external id, what the judgments say) of judged tasks, in the order of arrival; those with a known
    answer, which a fit is certain of, only where `known`."""
    found = (
        select(Task.id, Task.external_id, TaskQuality)
        .join(TaskQuality, TaskQuality.task_id == Task.id)
        .where(Task.project_id == project_id)
    )
    if not known:
        found = found.where(~exists().where(TaskGold.task_id == Task.id))
    if after is not None:
        found = found.where(Task.id > after)
    return found.order_by(Task.id).limit(limit)


def tasks_page(project_id: UUID, *, after: UUID | None, limit: int) -> Select[tuple[UUID]]:
    """Ids of a project's tasks in the order of arrival."""
    found = select(Task.id).where(Task.project_id == project_id)
    if after is not None:
        found = found.where(Task.id > after)
    return found.order_by(Task.id).limit(limit)


def drawn_reviews(project_id: UUID, limit: int) -> Select[Any]:
    """(reason, chance, decided, wrong) of first answers that were drawn for review, the newest `limit`.

    Approved by the deadline without a reviewer is not decided; overturned on appeal is not wrong.
    """
    wrong = and_(Review.decision != Decision.APPROVE, Submission.state != SubmissionState.APPROVED)
    return (
        select(
            Submission.review_reason.label("reason"),
            Submission.review_chance.label("chance"),
            Review.id.is_not(None).label("decided"),
            func.coalesce(wrong, False).label("wrong"),
        )
        .outerjoin(Review, Review.submission_id == Submission.id)
        .where(
            Submission.project_id == project_id,
            Submission.revision == 1,
            Submission.review_reason.is_not(None),
            Submission.review_chance > 0,
            or_(Review.id.is_not(None), Submission.state == SubmissionState.SUBMITTED),
        )
        .order_by(Submission.id.desc())
        .limit(limit)
    )


def judged_tasks(project_id: UUID, *, after: UUID | None, limit: int) -> Select[Any]:
    """(id, payload, topic, state, known answer if it stands) of tasks with a judgment, in the order of arrival."""
    stands = and_(TaskGold.task_id == Task.id, TaskGold.retired_because.is_(None))
    found = (
        select(Task.id, Task.payload, Task.topic, Task.state, TaskGold.answer.label("gold"))
        .outerjoin(TaskGold, stands)
        .where(Task.project_id == project_id, Task.done > 0)
    )
    if after is not None:
        found = found.where(Task.id > after)
    return found.order_by(Task.id).limit(limit)


def counted_of_tasks(task_ids: Sequence[UUID]) -> Select[Any]:
    """The judgments of these tasks that count, with the order in which each person was shown the task."""
    return (
        select(
            Submission.id,
            Submission.task_id,
            Submission.person_id,
            Submission.answer,
            Submission.worked_seconds,
            Submission.created_at,
            Claim.display_order,
        )
        .join(Claim, Claim.id == Submission.claim_id)
        .where(
            Submission.task_id.in_(task_ids),
            Submission.state.in_([SubmissionState.SUBMITTED, SubmissionState.APPROVED]),
        )
        .order_by(Submission.task_id, Submission.id)
    )


def evidence_of_project(project_id: UUID) -> Select[tuple[Evidence]]:
    return select(Evidence).where(Evidence.project_id == project_id)


# A task that has been judged since the fit was read keeps what that submission has written; with adaptive overlap the
# state is decided elsewhere, under the lock of the task.
KEEP_POSTERIORS = text("""
    INSERT INTO task_quality AS kept (task_id, project_id, judgments, units, confidence, state, ambiguity, difficulty,
                                      value_of_next, fit_id, updated_at)
    SELECT n.id, :project_id, n.judgments, CAST(n.units AS jsonb), n.confidence,
           CASE WHEN t.state = 'gold' OR (:fixed AND t.done >= t.wanted) THEN 'resolved' ELSE 'asking' END,
           n.ambiguity, n.difficulty, n.value, :fit_id, :now
    FROM unnest(CAST(:id_column AS uuid[]), CAST(:judgments_column AS int[]), CAST(:units_column AS text[]),
                CAST(:confidence_column AS float8[]), CAST(:ambiguity_column AS float8[]),
                CAST(:difficulty_column AS float8[]), CAST(:value_column AS float8[]))
         AS n (id, judgments, units, confidence, ambiguity, difficulty, value)
    JOIN task t ON t.id = n.id
    ORDER BY n.id
    ON CONFLICT (task_id) DO UPDATE
    SET judgments = excluded.judgments, units = excluded.units, confidence = excluded.confidence,
        state = CASE WHEN :fixed THEN excluded.state ELSE kept.state END,
        ambiguity = excluded.ambiguity, difficulty = excluded.difficulty, value_of_next = excluded.value_of_next,
        fit_id = excluded.fit_id, updated_at = excluded.updated_at
    WHERE kept.updated_at <= excluded.updated_at OR kept.judgments = excluded.judgments
""")

# Tasks of the queue by how they stand; a fixed number of rows, however many tasks there are. Beyond the cap and its
# like nothing is wanted any more: what is missing is what may be taken or is at work.
STANDING_COUNTS = text("""
    SELECT t.done, t.wanted - t.done AS missing, coalesce(q.state, 'asking') AS answer_state, count(*) AS tasks
    FROM task t LEFT JOIN task_quality q ON q.task_id = t.id
    WHERE t.project_id = :project_id AND t.state = 'open'
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")
DECIDED_COUNTS = text("""
    SELECT count(*) FILTER (WHERE state = 'rejected') AS rejected, count(*) AS decided
    FROM submission WHERE project_id = :project_id AND state IN ('approved', 'rejected')
""")
# Every n-th by a hash of the id, so that neither old nor new ones are preferred.
UNDER_WAY = text("""
    SELECT t.done, q.units
    FROM task t JOIN task_quality q ON q.task_id = t.id
    WHERE t.project_id = :project_id AND t.state = 'open' AND t.done > 0 AND t.done < t.wanted
      AND (:every = 1 OR (hashtext(t.id::text) & 2147483647) % :every = 0)
    ORDER BY t.id
""")


# --- Checks of reviewers


def check_held(
    reviewer_id: UUID | None, project_ids: Sequence[UUID] | None, skip: Sequence[UUID], now: datetime
) -> Select[tuple[ReviewCheck]]:
    """The check that a reviewer has open."""
    inside = true() if project_ids is None else ReviewCheck.project_id.in_(project_ids)
    return (
        select(ReviewCheck)
        .where(
            ReviewCheck.reviewer_id == reviewer_id,
            inside,
            ReviewCheck.decision.is_(None),
            ReviewCheck.submission_id.not_in(skip),
            ReviewCheck.leased_until >= now,
        )
        .order_by(ReviewCheck.leased_until)
        .limit(1)
    )


def check_of(reviewer_id: UUID | None, submission_id: UUID, *, lock: bool) -> Select[tuple[ReviewCheck]]:
    found = select(ReviewCheck).where(
        ReviewCheck.submission_id == submission_id,
        ReviewCheck.reviewer_id == reviewer_id,
        ReviewCheck.decision.is_(None),
    )
    return found.with_for_update() if lock else found


def _met(reviewer_id: UUID | None, submission_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Whether a reviewer has decided about a submission, or has a check of it."""
    other = aliased(ReviewCheck)
    checked = exists().where(other.submission_id == submission_id, other.reviewer_id == reviewer_id)
    return or_(_reviewed(reviewer_id, submission_id), checked)


def _reviewed(reviewer_id: UUID | None, submission_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Whether a reviewer has decided about a submission, at first or on appeal."""
    reviewed = exists().where(Review.submission_id == submission_id, Review.reviewer_id == reviewer_id)
    looked_again = exists().where(
        DecisionReceipt.submission_id == submission_id,
        Appeal.receipt_id == DecisionReceipt.id,
        Appeal.decided_by == reviewer_id,
    )
    return or_(reviewed, looked_again)


def _claim_met(reviewer_id: UUID | None) -> ColumnElement[bool]:
    """Whether a reviewer has decided about another revision of the submission's claim: its page shows what was said
    about earlier ones."""
    other = aliased(Submission)
    return exists().where(
        other.claim_id == Submission.claim_id, Review.submission_id == other.id, Review.reviewer_id == reviewer_id
    )


def gold_to_review(reviewer_id: UUID | None, project_id: UUID) -> Select[tuple[GoldReview]]:
    """A submission with a known decision that the reviewer has not met and that waits for nobody, by chance."""
    waits = exists().where(
        ReviewCheck.submission_id == GoldReview.submission_id,
        ReviewCheck.decision.is_(None),
        ReviewCheck.kind == CheckKind.GOLD,
    )
    return (
        select(GoldReview)
        .join(Submission, Submission.id == GoldReview.submission_id)
        .where(
            GoldReview.project_id == project_id,
            Submission.person_id != reviewer_id,
            ~waits,
            ~_met(reviewer_id, GoldReview.submission_id),
            ~_claim_met(reviewer_id),
        )
        .order_by(func.random())
        .limit(1)
    )


_UNTIL = ReviewCheck.created_at + func.make_interval(0, 0, 0, 0, 0, 0, Project.review_seconds)
"""A check waits no longer than real work does; then it is nobody's any more."""


def _for(reviewer_id: UUID | None, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Checks that this reviewer may have: undecided, in time, about somebody else's work that they have not met."""
    other = aliased(ReviewCheck)
    has_another = exists().where(
        other.submission_id == ReviewCheck.submission_id, other.reviewer_id == reviewer_id, other.id != ReviewCheck.id
    )
    return (
        ReviewCheck.decision.is_(None),
        now < _UNTIL,
        Submission.person_id != reviewer_id,
        ~has_another,
        ~_reviewed(reviewer_id, ReviewCheck.submission_id),
        ~_claim_met(reviewer_id),
        or_(_open_with(reviewer_id, now), ~kept_from(reviewer_id, now, Submission.task_id, ReviewCheck.project_id)),
    )


def _open_with(reviewer_id: UUID | None, now: datetime) -> ColumnElement[bool]:
    return and_(
        func.coalesce(ReviewCheck.reviewer_id == reviewer_id, false()),
        func.coalesce(ReviewCheck.leased_until >= now, false()),
    )


def _free(reviewer_id: UUID | None, now: datetime) -> ColumnElement[bool]:
    """Open with nobody, and put back by nobody else."""
    mine = or_(ReviewCheck.reviewer_id.is_(None), ReviewCheck.reviewer_id == reviewer_id)
    return or_(and_(ReviewCheck.leased_until.is_(None), mine), ReviewCheck.leased_until < now)


def checks_waiting(reviewer_id: UUID | None, project_ids: Sequence[UUID], now: datetime) -> Select[Any]:
    """Per project, in the terms of `queries_review.waiting`: checks that wait (`free`), that the reviewer has open
    (`held`), and that are open with others, with the oldest and the first deadline of those the reviewer may take."""
    held = and_(ReviewCheck.reviewer_id == reviewer_id, ReviewCheck.leased_until >= now)
    elsewhere = and_(ReviewCheck.reviewer_id != reviewer_id, ReviewCheck.leased_until >= now)
    free = _free(reviewer_id, now)
    return (
        select(
            ReviewCheck.project_id,
            func.count().filter(free).label("free"),
            func.count().filter(held).label("held"),
            func.count().filter(elsewhere).label("elsewhere"),
            func.min(ReviewCheck.created_at).filter(or_(free, held)).label("oldest_at"),
            func.min(_UNTIL).filter(or_(free, held)).label("deadline_at"),
            func.min(ReviewCheck.created_at).filter(held).label("held_at"),
            func.min(_UNTIL).filter(held).label("held_until"),
        )
        .join(Submission, Submission.id == ReviewCheck.submission_id)
        .join(Project, Project.id == ReviewCheck.project_id)
        .where(ReviewCheck.project_id.in_(project_ids), *_for(reviewer_id, now))
        .group_by(ReviewCheck.project_id)
    )


def check_to_review(
    reviewer_id: UUID | None, project_id: UUID, skip: Sequence[UUID], now: datetime
) -> Select[tuple[ReviewCheck]]:
    """The check that the reviewer may take and that has waited longest, locked."""
    return (
        select(ReviewCheck)
        .join(Submission, Submission.id == ReviewCheck.submission_id)
        .join(Project, Project.id == ReviewCheck.project_id)
        .where(
            ReviewCheck.project_id == project_id,
            Submission.id.not_in(skip),
            _free(reviewer_id, now),
            *_for(reviewer_id, now),
        )
        .order_by(ReviewCheck.created_at, ReviewCheck.id)
        .limit(1)
        .with_for_update(of=ReviewCheck, skip_locked=True)
    )


def review_counts(project_id: UUID) -> Select[Any]:
    return (
        select(Review.reviewer_id, func.count().label("reviews"))
        .where(Review.project_id == project_id)
        .group_by(Review.reviewer_id)
    )


def decided_checks(project_id: UUID, limit: int) -> Select[Any]:
    """(kind, reviewer, decision, known decision, first reviewer) of the newest decided checks."""
    return (
        select(
            ReviewCheck.kind,
            ReviewCheck.reviewer_id,
            ReviewCheck.decision,
            ReviewCheck.known,
            Review.reviewer_id.label("first_id"),
        )
        .outerjoin(
            Review, and_(Review.submission_id == ReviewCheck.submission_id, ReviewCheck.kind == CheckKind.DOUBLE)
        )
        .where(ReviewCheck.project_id == project_id, ReviewCheck.decision.is_not(None))
        .order_by(ReviewCheck.id.desc())
        .limit(limit)
    )
