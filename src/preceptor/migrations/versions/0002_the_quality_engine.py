"""The quality engine: receipts and appeals, gold in the mix, adaptive overlap, posteriors, skills, evidence."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("other_person_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "accuracy",
                "drift",
                "speed",
                "copying",
                "habit",
                name="evidencekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("log_e", sa.Float(), nullable=False),
        sa.Column("log_e_max", sa.Float(), nullable=False),
        sa.Column("false_alarms", sa.Float(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("path", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "seen", name="evidencestate", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["other_person_id"], ["person.id"], name=op.f("fk_evidence_other_person_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_evidence_person_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_evidence_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint(
            "project_id",
            "person_id",
            "kind",
            "other_person_id",
            name="uq_evidence_subject",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_evidence_person_id", "evidence", ["person_id"], unique=False)
    op.create_table(
        "person_skill",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("judgments", sa.Integer(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("accuracy", sa.Float(), nullable=True),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column(
            "by_class", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column(
            "by_topic", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column(
            "drift", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("watch", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("fit_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_skill_person_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_person_skill_project_id")),
        sa.PrimaryKeyConstraint("project_id", "person_id", name=op.f("pk_person_skill")),
    )
    op.create_index(op.f("ix_person_skill_person_id"), "person_skill", ["person_id"], unique=False)
    op.create_table(
        "quality_fit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("tasks", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("classes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("prior", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("pooled", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("alpha", sa.Float(), nullable=True),
        sa.Column("alpha_low", sa.Float(), nullable=True),
        sa.Column("alpha_high", sa.Float(), nullable=True),
        sa.Column("accuracy", sa.Float(), nullable=True),
        sa.Column("majority_accuracy", sa.Float(), nullable=True),
        sa.Column("ece", sa.Float(), nullable=True),
        sa.Column("calibration", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("diagnostics", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("cpu_seconds", sa.Float(), nullable=False),
        sa.Column("newest_submission_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_quality_fit_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_fit")),
    )
    op.create_index("ix_quality_fit_project_id_id", "quality_fit", ["project_id", "id"], unique=False)
    op.create_table(
        "gold_correction",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("corrected_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["corrected_by"], ["person.id"], name=op.f("fk_gold_correction_corrected_by")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_gold_correction_project_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_gold_correction_task_id")),
        sa.PrimaryKeyConstraint("task_id", "version", name=op.f("pk_gold_correction")),
    )
    op.create_index(op.f("ix_gold_correction_project_id"), "gold_correction", ["project_id"], unique=False)
    op.create_table(
        "practice_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_practice_answer_person_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_practice_answer_project_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_practice_answer_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practice_answer")),
    )
    op.create_index(
        "ix_practice_answer_person_project", "practice_answer", ["person_id", "project_id", "id"], unique=False
    )
    op.create_table(
        "task_quality",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("judgments", sa.Integer(), nullable=False),
        sa.Column("units", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "asking",
                "resolved",
                "escalated",
                name="answerstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("ambiguity", sa.Float(), nullable=True),
        sa.Column("difficulty", sa.Float(), nullable=True),
        sa.Column("value_of_next", sa.Float(), nullable=True),
        sa.Column("fit_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_task_quality_project_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_task_quality_task_id")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_task_quality")),
    )
    op.create_index("ix_task_quality_project_ambiguity", "task_quality", ["project_id", "ambiguity"], unique=False)
    op.create_index("ix_task_quality_project_state", "task_quality", ["project_id", "state"], unique=False)
    op.create_table(
        "decision_receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "return",
                "reject",
                "retrain",
                "pause",
                "remove",
                "suspend",
                name="receiptkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("appeal_until", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(project_id IS NULL) = (kind = 'suspend')", name=op.f("ck_decision_receipt_project_fits_kind")
        ),
        sa.CheckConstraint(
            "(submission_id IS NOT NULL) = (kind IN ('return', 'reject'))",
            name=op.f("ck_decision_receipt_subject_fits_kind"),
        ),
        sa.CheckConstraint("statement <> ''", name=op.f("ck_decision_receipt_says_why")),
        sa.CheckConstraint("decided_by <> person_id", name=op.f("ck_decision_receipt_nobody_decides_about_themselves")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_decision_receipt_decided_by")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_decision_receipt_person_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_decision_receipt_project_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_decision_receipt_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_receipt")),
    )
    op.create_index("ix_decision_receipt_person_id_id", "decision_receipt", ["person_id", "id"], unique=False)
    op.create_index("ix_decision_receipt_project_id_id", "decision_receipt", ["project_id", "id"], unique=False)
    op.create_index(
        "uq_decision_receipt_submission",
        "decision_receipt",
        ["submission_id"],
        unique=True,
        postgresql_where=sa.text("submission_id IS NOT NULL"),
    )
    op.create_table(
        "gold_challenge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "upheld",
                "dismissed",
                name="challengestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("new_answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'open') = (decided_by IS NULL)", name=op.f("ck_gold_challenge_decided_by_a_human")
        ),
        sa.CheckConstraint("decided_by <> person_id", name=op.f("ck_gold_challenge_not_by_the_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_gold_challenge_person_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_gold_challenge_project_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_gold_challenge_submission_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_gold_challenge_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gold_challenge")),
        sa.UniqueConstraint("task_id", "person_id", name=op.f("uq_gold_challenge_task_id_person_id")),
    )
    op.create_index(op.f("ix_gold_challenge_person_id"), "gold_challenge", ["person_id"], unique=False)
    op.create_index("ix_gold_challenge_project_state", "gold_challenge", ["project_id", "state"], unique=False)
    op.create_table(
        "gold_result",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("score BETWEEN 0 AND 1", name=op.f("ck_gold_result_score_range")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_gold_result_person_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_gold_result_project_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_gold_result_submission_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_gold_result_task_id")),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_gold_result")),
    )
    op.create_index("ix_gold_result_person_project", "gold_result", ["person_id", "project_id"], unique=False)
    op.create_index("ix_gold_result_project_created", "gold_result", ["project_id", "created_at"], unique=False)
    op.create_index("ix_gold_result_task_id", "gold_result", ["task_id"], unique=False)
    op.create_table(
        "gold_review",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "approve", "return", "reject", name="decision", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_gold_review_project_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_gold_review_submission_id")),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_gold_review")),
    )
    op.create_index(op.f("ix_gold_review_project_id"), "gold_review", ["project_id"], unique=False)
    op.create_table(
        "review_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("double", "gold", name="checkkind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("reviewer_id", sa.Uuid(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("known", sa.Text(), nullable=True),
        sa.Column(
            "decision",
            sa.Enum(
                "approve", "return", "reject", name="decision", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column(
            "criteria", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("worked_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_review_check_decided_at_once")),
        sa.CheckConstraint(
            "decision IS NULL OR reviewer_id IS NOT NULL", name=op.f("ck_review_check_decided_by_a_human")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_review_check_project_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_review_check_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_check")),
        sa.UniqueConstraint("submission_id", "reviewer_id", name=op.f("uq_review_check_submission_id_reviewer_id")),
    )
    op.create_index(
        "ix_review_check_open",
        "review_check",
        ["project_id", "id"],
        unique=False,
        postgresql_where=sa.text("decision IS NULL"),
    )
    op.create_index("ix_review_check_reviewer_id", "review_check", ["reviewer_id"], unique=False)
    op.create_table(
        "appeal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("first_decider_id", sa.Uuid(), nullable=False),
        sa.Column(
            "origin",
            sa.Enum(
                "person", "gold_challenge", name="appealorigin", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open", "stands", "overturned", name="appealstate", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'open') = (decided_by IS NULL)", name=op.f("ck_appeal_decided_by_a_human")),
        sa.CheckConstraint(
            "decided_by <> first_decider_id OR origin <> 'person'", name=op.f("ck_appeal_by_somebody_else")
        ),
        sa.CheckConstraint("decided_by <> person_id", name=op.f("ck_appeal_not_by_the_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_appeal_person_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_appeal_project_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["decision_receipt.id"], name=op.f("fk_appeal_receipt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal")),
        sa.UniqueConstraint("receipt_id", name=op.f("uq_appeal_receipt_id")),
    )
    op.create_index(
        "ix_appeal_open", "appeal", ["created_at"], unique=False, postgresql_where=sa.text("state = 'open'")
    )
    op.create_index("ix_appeal_person_id_id", "appeal", ["person_id", "id"], unique=False)
    op.create_index(op.f("ix_appeal_project_id"), "appeal", ["project_id"], unique=False)
    op.add_column("membership", sa.Column("receipt_id", sa.Uuid(), nullable=True))
    op.add_column("person", sa.Column("receipt_id", sa.Uuid(), nullable=True))
    op.add_column(
        "project",
        sa.Column(
            "overlap_mode",
            sa.Enum("fixed", "adaptive", name="overlapmode", native_enum=False, create_constraint=True, length=32),
            server_default="fixed",
            nullable=False,
        ),
    )
    op.add_column("project", sa.Column("overlap_floor", sa.Integer(), server_default=sa.text("3"), nullable=False))
    op.add_column("project", sa.Column("overlap_cap", sa.Integer(), server_default=sa.text("7"), nullable=False))
    op.add_column("project", sa.Column("confidence", sa.Float(), server_default=sa.text("0.95"), nullable=False))
    op.add_column("project", sa.Column("price_limit_minor", sa.BigInteger(), nullable=True))
    op.add_column("project", sa.Column("gold_percent", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("project", sa.Column("standard", sa.Float(), server_default=sa.text("0.7"), nullable=False))
    op.add_column(
        "project",
        sa.Column(
            "review_mode",
            sa.Enum("random", "risk", name="reviewmode", native_enum=False, create_constraint=True, length=32),
            server_default="random",
            nullable=False,
        ),
    )
    op.add_column("project", sa.Column("risk_percent", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("project", sa.Column("double_percent", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "project", sa.Column("gold_review_percent", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column(
        "project", sa.Column("appeal_seconds", sa.Integer(), server_default=sa.text("1209600"), nullable=False)
    )
    op.add_column("submission", sa.Column("review_reason", sa.Text(), nullable=True))
    op.add_column("submission", sa.Column("review_chance", sa.Float(), nullable=True))
    op.add_column("submission", sa.Column("to_score", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index("ix_submission_to_score", "submission", ["id"], unique=False, postgresql_where=sa.text("to_score"))
    op.create_index(
        "ix_task_gold", "task", ["project_id", "taken", "id"], unique=False, postgresql_where=sa.text("state = 'gold'")
    )
    op.add_column("task_gold", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("task_gold", sa.Column("leak", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("task_gold", sa.Column("leak_log_e", sa.Float(), server_default=sa.text("0"), nullable=False))
    op.add_column("task_gold", sa.Column("retired_because", sa.Text(), nullable=True))
    _widen_states()
    _check_settings()
    _guard_history()
    _write_receipts_of_the_past()
    _require_receipts()


def _widen_states() -> None:
    """States are checked text: new ones need a new check."""
    states = {
        "task": ("taskstate", ("open", "flagged", "retired", "gold")),
        "membership": ("membershipstate", ("active", "left", "paused", "retraining", "removed")),
    }
    for table, (name, values) in states.items():
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
        listed = ", ".join(f"'{value}'" for value in values)
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, f"state IN ({listed})")


def _check_settings() -> None:
    checks = {
        "floor_within_cap": "overlap_floor BETWEEN 1 AND overlap_cap AND overlap_cap <= 100",
        "confidence_range": "confidence > 0.5 AND confidence < 1",
        "price_limit_positive": "price_limit_minor > 0",
        "gold_range": "gold_percent BETWEEN 0 AND 50",
        "standard_range": "standard > 0 AND standard < 1",
        "review_shares_range": "risk_percent BETWEEN 0 AND 100 AND double_percent BETWEEN 0 AND 100 "
        "AND gold_review_percent BETWEEN 0 AND 50",
    }
    for name, rule in checks.items():
        op.create_check_constraint(op.f(f"ck_project_{name}"), "project", rule)


def _guard_history() -> None:
    for table in ("decision_receipt", "gold_correction"):
        op.execute(f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""")


def _write_receipts_of_the_past() -> None:
    """Reviews that returned or rejected, and suspensions, get the receipt that they would have today."""
    op.execute("""
        INSERT INTO decision_receipt (id, kind, person_id, project_id, submission_id, rule, rule_version, statement,
                                      evidence, decided_by, decided_at, appeal_until)
        SELECT uuidv7(), r.decision, s.person_id, r.project_id, s.id, 'review',
               coalesce('rubric ' || v.number, 'no rubric'), coalesce(nullif(r.comment, ''), 'No reason was recorded.'),
               jsonb_build_array(jsonb_build_object('kind', 'review', 'id', 'rev_' || replace(r.id::text, '-', ''),
                                                    'text', r.comment)),
               r.reviewer_id, r.created_at, r.created_at + interval '14 days'
        FROM review r
        JOIN submission s ON s.id = r.submission_id
        LEFT JOIN rubric_version v ON v.id = r.rubric_version_id
        WHERE r.decision IN ('return', 'reject') AND r.reviewer_id <> s.person_id
        ORDER BY r.id""")
    op.execute("""
        INSERT INTO decision_receipt (id, kind, person_id, rule, rule_version, statement, evidence, decided_by,
                                      decided_at, appeal_until)
        SELECT DISTINCT ON (p.id) uuidv7(), 'suspend', p.id, coalesce(e.data ->> 'rule', 'operator_decision'), '1',
               coalesce(nullif(e.data ->> 'reason', ''), 'No reason was recorded.'), '[]'::jsonb, e.actor_id, e.at,
               e.at + interval '14 days'
        FROM person p JOIN event e ON e.subject_id = p.id AND e.kind = 'people.suspended' AND e.actor_id IS NOT NULL
        WHERE p.state = 'suspended' AND e.actor_id <> p.id
        ORDER BY p.id, e.id DESC""")
    op.execute("""
        UPDATE person p SET receipt_id = r.id FROM decision_receipt r
        WHERE r.person_id = p.id AND r.kind = 'suspend' AND p.state = 'suspended'""")


def _require_receipts() -> None:
    """Nothing adverse without a receipt, whatever the application does."""
    op.execute("""
        CREATE FUNCTION require_submission_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT 1 FROM decision_receipt r
                WHERE r.submission_id = NEW.id AND r.person_id = NEW.person_id
                  AND r.kind = CASE NEW.state WHEN 'rejected' THEN 'reject' ELSE 'return' END
            ) THEN
                RAISE EXCEPTION 'submission % cannot be % without a decision receipt', NEW.id, NEW.state
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$""")
    op.execute("""
        CREATE TRIGGER submission_needs_receipt BEFORE INSERT OR UPDATE OF state ON submission
        FOR EACH ROW WHEN (NEW.state IN ('rejected', 'returned')) EXECUTE FUNCTION require_submission_receipt()""")
    op.execute("""
        CREATE FUNCTION require_membership_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF NEW.state = OLD.state AND NEW.receipt_id IS NOT DISTINCT FROM OLD.receipt_id THEN
                    RETURN NEW;
                END IF;
                IF NEW.receipt_id IS NOT DISTINCT FROM OLD.receipt_id THEN
                    RAISE EXCEPTION 'membership of % cannot become % without a decision receipt of its own',
                        NEW.person_id, NEW.state USING ERRCODE = 'integrity_constraint_violation';
                END IF;
            END IF;
            IF NOT EXISTS (
                SELECT 1 FROM decision_receipt r
                WHERE r.id = NEW.receipt_id AND r.person_id = NEW.person_id AND r.project_id = NEW.project_id
                  AND r.kind = CASE NEW.state WHEN 'paused' THEN 'pause' WHEN 'removed' THEN 'remove'
                                              ELSE 'retrain' END
            ) THEN
                RAISE EXCEPTION 'membership of % cannot become % without a decision receipt', NEW.person_id, NEW.state
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$""")
    op.execute("""
        CREATE TRIGGER membership_needs_receipt BEFORE INSERT OR UPDATE OF state, receipt_id ON membership
        FOR EACH ROW WHEN (NEW.state IN ('paused', 'removed', 'retraining'))
        EXECUTE FUNCTION require_membership_receipt()""")
    op.execute("""
        CREATE FUNCTION require_suspension_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (TG_OP = 'UPDATE' AND OLD.state <> 'suspended' AND NEW.receipt_id IS NOT DISTINCT FROM OLD.receipt_id)
               OR NOT EXISTS (
                SELECT 1 FROM decision_receipt r
                WHERE r.id = NEW.receipt_id AND r.person_id = NEW.id AND r.kind = 'suspend'
            ) THEN
                RAISE EXCEPTION 'person % cannot be suspended without a decision receipt', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$""")
    op.execute("""
        CREATE TRIGGER person_needs_receipt BEFORE INSERT OR UPDATE OF state, receipt_id ON person
        FOR EACH ROW WHEN (NEW.state = 'suspended') EXECUTE FUNCTION require_suspension_receipt()""")
