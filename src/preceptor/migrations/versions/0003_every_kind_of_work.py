"""Every kind of work: content people choose to see."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _content()
    _process()


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
