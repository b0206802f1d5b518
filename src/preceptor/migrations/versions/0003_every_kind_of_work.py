"""Every kind of work: files, model endpoints, sandbox runs, near duplicates, content choices, process evidence."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _content()
    _task_ratings()
    _process()
    _similar_texts()
    _media()
    _sandbox_runs()
    _endpoints()
    _numbers()
    _ai_judges()
    _ahead()
    _suggestions()


def _content() -> None:
    op.add_column(
        "project",
        sa.Column("content_ratings", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.create_table(
        "content_choice",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("rating", sa.Text(), nullable=False),
        sa.Column("daily_limit", sa.Integer(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("daily_limit BETWEEN 1 AND 500", name=op.f("ck_content_choice_daily_limit_range")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_content_choice_person_id")),
        sa.PrimaryKeyConstraint("person_id", "rating", name=op.f("pk_content_choice")),
    )
    op.create_table(
        "content_seen",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("rating", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.CheckConstraint("seen > 0", name=op.f("ck_content_seen_seen_positive")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_content_seen_person_id")),
        sa.PrimaryKeyConstraint("person_id", "rating", "day", name=op.f("pk_content_seen")),
    )


def _task_ratings() -> None:
    """What single tasks may show. The queue's index is split in two, so that rated tasks are in nobody's way."""
    op.add_column(
        "task",
        sa.Column("content_ratings", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.drop_index("ix_task_claimable", table_name="task")
    op.create_index(
        "ix_task_claimable",
        "task",
        ["project_id", "position"],
        postgresql_where=sa.text("taken < wanted AND state = 'open' AND content_ratings = '{}'"),
    )
    op.create_index(
        "ix_task_claimable_rated",
        "task",
        ["project_id", "content_ratings", "position"],
        postgresql_where=sa.text("taken < wanted AND state = 'open' AND content_ratings <> '{}'"),
    )
    op.create_index("ix_task_rated", "task", ["project_id", "id"], postgresql_where=sa.text("content_ratings <> '{}'"))


def _process() -> None:
    op.create_table(
        "claim_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("saved", "pasted", name="stepkind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("size >= 0", name=op.f("ck_claim_step_size_not_negative")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_claim_step_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_step")),
    )
    op.create_index("ix_claim_step_claim_id_id", "claim_step", ["claim_id", "id"])


def _similar_texts() -> None:
    op.create_table(
        "text_signature",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("bands", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_text_signature_claim_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_text_signature_project_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_text_signature_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_signature")),
    )
    op.create_index("ix_text_signature_bands", "text_signature", ["bands"], postgresql_using="gin")
    op.create_index(
        "uq_text_signature_claim",
        "text_signature",
        ["claim_id"],
        unique=True,
        postgresql_where=sa.text("claim_id IS NOT NULL"),
    )
    op.create_index(
        "uq_text_signature_place",
        "text_signature",
        ["task_id", "place"],
        unique=True,
        postgresql_where=sa.text("claim_id IS NULL"),
    )
    op.create_index(
        "ix_text_signature_task",
        "text_signature",
        ["project_id", sa.text("task_id DESC")],
        postgresql_where=sa.text("claim_id IS NULL AND place = 0"),
    )


def _media() -> None:
    """Files, where they are used, and uploads under way."""
    op.create_table(
        "media",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("sent_sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "image",
                "audio",
                "video",
                "pdf",
                "text",
                name="mediakind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("ready", "deleted", name="mediastate", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_media_has_bytes")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_media_org_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_media_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
    )
    op.create_index("ix_media_org_id_id", "media", ["org_id", "id"], unique=False)
    op.create_index(
        "uq_media_content", "media", ["org_id", "sha256"], unique=True, postgresql_where=sa.text("state = 'ready'")
    )
    op.create_table(
        "media_place",
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.Column(
            "placed",
            sa.Enum("filed", "task", "answer", name="placed", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_media_place_media_id")),
        sa.PrimaryKeyConstraint("media_id", "placed", "subject_id", name=op.f("pk_media_place")),
    )
    op.create_index("ix_media_place_project_id", "media_place", ["project_id"], unique=False)
    op.create_table(
        "media_upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("announced_type", sa.Text(), nullable=False),
        sa.Column("announced_sha256", sa.Text(), nullable=True),
        sa.Column("length_bytes", sa.BigInteger(), nullable=False),
        sa.Column("offset_bytes", sa.BigInteger(), nullable=False),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "receiving",
                "checking",
                "done",
                "refused",
                name="uploadstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("media_id", sa.Uuid(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'done') = (media_id IS NOT NULL)", name=op.f("ck_media_upload_done_is_kept")),
        sa.CheckConstraint("offset_bytes BETWEEN 0 AND length_bytes", name=op.f("ck_media_upload_within_length")),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_media_upload_media_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_media_upload_org_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_media_upload_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_upload")),
    )
    op.create_index("ix_media_upload_expires_at", "media_upload", ["expires_at"], unique=False)
    op.create_index("ix_media_upload_org_id", "media_upload", ["org_id"], unique=False)
    op.create_index("ix_media_upload_owner_id", "media_upload", ["owner_id"], unique=False)


def _sandbox_runs() -> None:
    """Runs of contributors' code."""
    op.create_table(
        "sandbox_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting", "done", "refused", name="runstate", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("answer_digest", sa.Text(), nullable=False),
        sa.Column("files_digest", sa.Text(), nullable=False),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("isolation", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("limits", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'waiting') = (finished_at IS NULL)", name=op.f("ck_sandbox_run_finished_when_not_waiting")
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_sandbox_run_claim_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_sandbox_run_person_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_sandbox_run_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_run")),
    )
    op.create_index("ix_sandbox_run_claim_id", "sandbox_run", ["claim_id"], unique=False)
    op.create_index(
        "ix_sandbox_run_waiting",
        "sandbox_run",
        ["lane"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "uq_sandbox_run_waiting_person",
        "sandbox_run",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )


def _endpoints() -> None:
    op.create_table(
        "model_endpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("openai", "local", name="endpointkind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("price_input", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("price_output", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("requests_per_minute", sa.Integer(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("on", "off", "retired", name="endpointstate", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("resting_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state <> 'retired' OR sealed_key IS NULL", name=op.f("ck_model_endpoint_retired_without_key")
        ),
        sa.CheckConstraint("concurrency BETWEEN 1 AND 1000", name=op.f("ck_model_endpoint_concurrency_range")),
        sa.CheckConstraint("price_input >= 0 AND price_output >= 0", name=op.f("ck_model_endpoint_price_not_negative")),
        sa.CheckConstraint("requests_per_minute BETWEEN 1 AND 100000", name=op.f("ck_model_endpoint_rate_range")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_model_endpoint_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_endpoint")),
    )
    op.create_index(op.f("ix_model_endpoint_org_id"), "model_endpoint", ["org_id"], unique=False)
    op.create_index(
        "uq_model_endpoint_name",
        "model_endpoint",
        ["org_id", "name"],
        unique=True,
        postgresql_where=sa.text("state <> 'retired'"),
    )
    op.create_table(
        "project_endpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "generate",
                "judge",
                "prelabel",
                name="endpointrole",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("tokens_max", sa.Integer(), nullable=True),
        sa.Column("turns_max", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("position BETWEEN 0 AND 15", name=op.f("ck_project_endpoint_position_range")),
        sa.CheckConstraint("tokens_max > 0 AND turns_max > 0", name=op.f("ck_project_endpoint_quota_positive")),
        sa.ForeignKeyConstraint(["endpoint_id"], ["model_endpoint.id"], name=op.f("fk_project_endpoint_endpoint_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_project_endpoint_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_endpoint")),
        sa.UniqueConstraint(
            "project_id", "role", "endpoint_id", name=op.f("uq_project_endpoint_project_id_role_endpoint_id")
        ),
        sa.UniqueConstraint(
            "project_id", "role", "position", name=op.f("uq_project_endpoint_project_id_role_position")
        ),
    )
    op.create_index(op.f("ix_project_endpoint_endpoint_id"), "project_endpoint", ["endpoint_id"], unique=False)
    op.create_table(
        "generation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "generate",
                "judge",
                "prelabel",
                "test",
                name="purpose",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("shown_as", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("messages", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "running",
                "finished",
                "cut",
                "failed",
                "limited",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("finish_reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("tokens_estimated", sa.Boolean(), nullable=False),
        sa.Column("cost", sa.Numeric(precision=24, scale=12), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=True),
        sa.Column("first_token_ms", sa.Integer(), nullable=True),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(outcome = 'running') = (finished_at IS NULL)", name=op.f("ck_generation_finished_when_ended")
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_generation_claim_id")),
        sa.ForeignKeyConstraint(["endpoint_id"], ["model_endpoint.id"], name=op.f("fk_generation_endpoint_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_generation_org_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_generation_person_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_generation_project_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_generation_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generation")),
    )
    op.create_index("ix_generation_endpoint_id_created_at", "generation", ["endpoint_id", "created_at"], unique=False)
    op.create_index("ix_generation_org_id_id", "generation", ["org_id", "id"], unique=False)
    op.create_index(
        "ix_generation_project_person", "generation", ["project_id", "person_id", "endpoint_id"], unique=False
    )
    op.create_index(
        "ix_generation_running",
        "generation",
        ["endpoint_id"],
        unique=False,
        postgresql_where=sa.text("outcome = 'running'"),
    )
    op.create_index(
        "uq_generation_request",
        "generation",
        ["claim_id", "request_key"],
        unique=True,
        postgresql_where=sa.text("claim_id IS NOT NULL"),
    )
    # What a model wrote is evidence: once a generation has ended nobody changes it.
    op.execute("""
        CREATE TRIGGER generation_stays BEFORE UPDATE ON generation
        FOR EACH ROW WHEN (OLD.outcome <> 'running') EXECUTE FUNCTION refuse_change()""")


def _numbers() -> None:
    """Whole numbers for things, for interfaces that know no other ids."""
    op.create_table(
        "outside_number",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_outside_number_positive")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_outside_number")),
        sa.UniqueConstraint("thing_id", name=op.f("uq_outside_number_thing_id")),
    )


def _ai_judges() -> None:
    """Models that judge like one more annotator, what they said, and how well."""
    op.add_column(
        "project",
        sa.Column("judges_in_inference", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "ix_generation_unclaimed",
        "generation",
        ["task_id"],
        unique=False,
        postgresql_where=sa.text("claim_id IS NULL AND task_id IS NOT NULL"),
    )
    op.create_table(
        "ai_judge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("guidelines", sa.Text(), nullable=False),
        sa.Column("rubric", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("critique", sa.Boolean(), nullable=False),
        sa.Column("both_orders", sa.Boolean(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("price_input", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("price_output", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "idle", "running", "retired", name="judgestate", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column(
            "scope",
            sa.Enum("judged", "all", name="judgescope", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("tasks_max", sa.Integer(), nullable=True),
        sa.Column("budget", sa.Numeric(precision=24, scale=12), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("budget >= 0", name=op.f("ck_ai_judge_budget_not_negative")),
        sa.CheckConstraint("tasks_max > 0", name=op.f("ck_ai_judge_tasks_max_positive")),
        sa.ForeignKeyConstraint(["endpoint_id"], ["model_endpoint.id"], name=op.f("fk_ai_judge_endpoint_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_ai_judge_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ai_judge")),
    )
    op.create_index(op.f("ix_ai_judge_endpoint_id"), "ai_judge", ["endpoint_id"], unique=False)
    op.create_index(
        "uq_ai_judge_title",
        "ai_judge",
        ["project_id", "title"],
        unique=True,
        postgresql_where=sa.text("state <> 'retired'"),
    )
    op.create_table(
        "ai_judgment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("judge_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "answered",
                "undecided",
                "unreadable",
                "failed",
                "unfit",
                name="judgmentoutcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("passes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("consistent", sa.Boolean(), nullable=True),
        sa.Column("model_version", sa.Text(), nullable=True),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("tokens_estimated", sa.Boolean(), nullable=False),
        sa.Column("cost", sa.Numeric(precision=24, scale=12), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(outcome = 'answered') = (answer IS NOT NULL)", name=op.f("ck_ai_judgment_answered_with_answer")
        ),
        sa.CheckConstraint("cost >= 0", name=op.f("ck_ai_judgment_cost_not_negative")),
        sa.ForeignKeyConstraint(["judge_id"], ["ai_judge.id"], name=op.f("fk_ai_judgment_judge_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_ai_judgment_project_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_ai_judgment_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ai_judgment")),
        sa.UniqueConstraint("judge_id", "task_id", name=op.f("uq_ai_judgment_judge_id_task_id")),
    )
    op.create_index(op.f("ix_ai_judgment_project_id"), "ai_judgment", ["project_id"], unique=False)
    op.create_index("ix_ai_judgment_task_id", "ai_judgment", ["task_id"], unique=False)
    op.create_table(
        "ai_judge_skill",
        sa.Column("judge_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("judgments", sa.Integer(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("accuracy", sa.Float(), nullable=True),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("by_class", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("included", sa.Boolean(), nullable=False),
        sa.Column("replacing", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fit_id", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["judge_id"], ["ai_judge.id"], name=op.f("fk_ai_judge_skill_judge_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_ai_judge_skill_project_id")),
        sa.PrimaryKeyConstraint("judge_id", name=op.f("pk_ai_judge_skill")),
    )
    op.create_index(op.f("ix_ai_judge_skill_project_id"), "ai_judge_skill", ["project_id"], unique=False)


def _ahead() -> None:
    """One task may be set aside for a person beside the one that is open."""
    states = "open", "ahead", "submitted", "returned", "approved", "rejected", "expired", "released", "skipped"
    op.drop_constraint(op.f("ck_claim_claimstate"), "claim", type_="check")
    listed = ", ".join(f"'{state}'" for state in states)
    op.create_check_constraint(op.f("ck_claim_claimstate"), "claim", f"state IN ({listed})")
    op.create_index(
        "uq_claim_ahead", "claim", ["project_id", "person_id"], unique=True, postgresql_where=sa.text("state = 'ahead'")
    )


def _suggestions() -> None:
    source = sa.Enum(
        "off", "judge", "file", name="suggestionsource", native_enum=False, create_constraint=True, length=32
    )
    outcome = sa.Enum(
        "accepted",
        "edited",
        "rejected",
        name="suggestionoutcome",
        native_enum=False,
        create_constraint=True,
        length=32,
    )
    op.create_table(
        "suggestion_plan",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("source", source, nullable=False),
        sa.Column("judge_id", sa.Uuid(), nullable=True),
        sa.Column("blind_percent", sa.Integer(), nullable=False),
        sa.Column("salt", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("blind_percent BETWEEN 0 AND 100", name=op.f("ck_suggestion_plan_blind_range")),
        sa.CheckConstraint("(source = 'judge') = (judge_id IS NOT NULL)", name=op.f("ck_suggestion_plan_judge_named")),
        sa.ForeignKeyConstraint(["judge_id"], ["ai_judge.id"], name=op.f("fk_suggestion_plan_judge_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_suggestion_plan_project_id")),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_suggestion_plan")),
    )
    op.create_table(
        "claim_suggestion",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("source", source, nullable=False),
        sa.Column("judge_id", sa.Uuid(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("blind_percent", sa.Integer(), nullable=True),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("agrees", sa.Boolean(), nullable=True),
        sa.Column("distances", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("outcome", outcome, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(source = 'judge') = (judge_id IS NOT NULL)", name=op.f("ck_claim_suggestion_judge_named")),
        sa.CheckConstraint(
            "(submission_id IS NULL) = (agrees IS NULL)", name=op.f("ck_claim_suggestion_measured_when_submitted")
        ),
        sa.CheckConstraint(
            "(outcome IS NOT NULL) = (shown AND submission_id IS NOT NULL)",
            name=op.f("ck_claim_suggestion_outcome_of_shown"),
        ),
        sa.CheckConstraint("shown OR used IS NULL", name=op.f("ck_claim_suggestion_only_shown_is_used")),
        sa.CheckConstraint("shown OR blind_percent IS NOT NULL", name=op.f("ck_claim_suggestion_blind_is_drawn")),
        sa.CheckConstraint("blind_percent BETWEEN 0 AND 100", name=op.f("ck_claim_suggestion_blind_range")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_claim_suggestion_claim_id")),
        sa.ForeignKeyConstraint(["judge_id"], ["ai_judge.id"], name=op.f("fk_claim_suggestion_judge_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_claim_suggestion_project_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_claim_suggestion_submission_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_claim_suggestion_task_id")),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_claim_suggestion")),
    )
    op.create_index(
        "ix_claim_suggestion_source", "claim_suggestion", ["project_id", "source", "judge_id", "created_at"]
    )
    op.create_index("ix_claim_suggestion_task_id", "claim_suggestion", ["task_id"], postgresql_where=sa.text("shown"))
