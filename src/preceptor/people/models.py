"""Persons, organizations, ways to sign in, qualifications."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.kit.db import Base
from preceptor.kit.ids import new_id


class PersonState(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


class OrgRole(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    VIEWER = "viewer"


class TokenPurpose(StrEnum):
    CONFIRM_EMAIL = "confirm_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105  (the name of a purpose)


class Person(Base):
    __tablename__ = "person"
    __table_args__ = (Index("uq_person_email_lower", func.lower(text("email")), unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str | None]
    state: Mapped[PersonState] = mapped_column(default=PersonState.ACTIVE)
    is_operator: Mapped[bool] = mapped_column(default=False)
    is_contributor: Mapped[bool] = mapped_column(default=False)
    is_reviewer: Mapped[bool] = mapped_column(default=False)
    simulated: Mapped[bool] = mapped_column(default=False)
    """Not a human: an openly simulated contributor of the demo, or the replay of a recorded one."""
    email_confirmed_at: Mapped[datetime | None]
    receipt_id: Mapped[UUID | None]
    """The decision receipt that a suspension rests on; the database refuses a suspension without a fresh one."""
    created_at: Mapped[datetime]


class Organization(Base):
    __tablename__ = "organization"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    created_at: Mapped[datetime]


class Member(Base):
    __tablename__ = "member"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    role: Mapped[OrgRole]
    created_at: Mapped[datetime]


class Invitation(Base):
    """An e-mail address asked to join an organization; whoever opens the link in that mail may accept."""

    __tablename__ = "invitation"
    __table_args__ = (
        Index(
            "uq_invitation_open",
            "org_id",
            func.lower(text("email")),
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"), index=True)
    email: Mapped[str]
    role: Mapped[OrgRole]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AuthSession(Base):
    """A signed-in browser. The cookie holds the secret; here is only its SHA-256."""

    __tablename__ = "auth_session"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    active_role: Mapped[str | None]
    """The hat worn in the pages: "operator", "client", "contributor", "reviewer"."""
    user_agent: Mapped[str | None]
    address: Mapped[str | None]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ApiKey(Base):
    """Shown once as `pk_<prefix>_<secret>`; stored as SHA-256 (the secret has 256 random bits)."""

    __tablename__ = "api_key"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    org_id: Mapped[UUID | None] = mapped_column(ForeignKey("organization.id"))
    name: Mapped[str]
    prefix: Mapped[str]
    secret_hash: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Passkey(Base):
    __tablename__ = "passkey"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    transports: Mapped[list[str]]
    name: Mapped[str]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class PasskeyChallenge(Base):
    """One WebAuthn ceremony under way; used once."""

    __tablename__ = "passkey_challenge"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    challenge: Mapped[bytes]
    purpose: Mapped[str]
    expires_at: Mapped[datetime]


class EmailToken(Base):
    __tablename__ = "email_token"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    purpose: Mapped[TokenPurpose]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class OutboxMail(Base):
    """Mail that was or will be sent. A page in demo and dev; SMTP when configured."""

    __tablename__ = "outbox_mail"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    to_email: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    failure: Mapped[str | None]


class RateWindow(Base):
    """How often something was tried in one window of time, such as sign-ins for one address."""

    __tablename__ = "rate_window"

    key: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]


class Qualification(Base):
    """What a passed assessment or a verified credential grants; projects can require one."""

    __tablename__ = "qualification"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"), index=True)
    title: Mapped[str]
    description: Mapped[str]
    created_at: Mapped[datetime]


class PersonQualification(Base):
    __tablename__ = "person_qualification"
    __table_args__ = (
        Index(
            "uq_person_qualification_held",
            "person_id",
            "qualification_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
        CheckConstraint("(revoked_at IS NULL) = (revoked_reason IS NULL)", name="revoked_with_reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    qualification_id: Mapped[UUID] = mapped_column(ForeignKey("qualification.id"), index=True)
    source: Mapped[str]
    """How it was earned: "assessment" or "operator"."""
    source_id: Mapped[UUID | None]
    granted_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None]


class ContentChoice(Base):
    """A content rating that a person agreed to see, and up to how many tasks of it a day."""

    __tablename__ = "content_choice"
    __table_args__ = (CheckConstraint("daily_limit BETWEEN 1 AND 500", name="daily_limit_range"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    rating: Mapped[str] = mapped_column(primary_key=True)
    daily_limit: Mapped[int]
    chosen_at: Mapped[datetime]


class ContentSeen(Base):
    """How many tasks of a rating a person was given on a day (UTC)."""

    __tablename__ = "content_seen"
    __table_args__ = (CheckConstraint("seen > 0", name="seen_positive"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    rating: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    seen: Mapped[int]
