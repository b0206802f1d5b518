"""The outbox: mail is a row first, in the transaction of what it tells; a job delivers it."""

import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.events import SYSTEM, record
from preceptor.kit.jobs import defer
from preceptor.kit.settings import Settings
from preceptor.people.models import OutboxMail

SMTP_TIMEOUT_SECONDS = 30
FAILURE_CHARACTERS_MAX = 500


def send(session: Session, to: str, subject: str, body: str, *, now: datetime) -> OutboxMail:
    """Put a mail into the outbox and ask for its delivery. Without an SMTP server it stays there."""
    mail = OutboxMail(to_email=to, subject=" ".join(subject.split()), body=body, created_at=now)
    session.add(mail)
    session.flush()
    record(session, SYSTEM, "people.mail_written", "mail", mail.id, at=now)
    defer(session, "people.send_mail", mail_id=str(mail.id))
    return mail


def note_sent(session: Session, mail_id: UUID, *, now: datetime) -> None:
    mail = session.get_one(OutboxMail, mail_id)
    mail.sent_at, mail.failure = now, None
    record(session, SYSTEM, "people.mail_sent", "mail", mail.id, at=now)


def note_failure(session: Session, mail_id: UUID, failure: str, *, now: datetime) -> None:
    mail = session.get_one(OutboxMail, mail_id)
    mail.failure = failure[:FAILURE_CHARACTERS_MAX]
    record(session, SYSTEM, "people.mail_failed", "mail", mail.id, at=now, data={"failure": mail.failure})


def deliver(settings: Settings, mail: OutboxMail) -> None:
    """Hand one mail to the SMTP server. Raises `OSError` (which `SMTPException` is) when that fails.

    `smtps://` speaks TLS from the start; `smtp://` asks for STARTTLS wherever the server offers it, and insists
    on it before a password is sent to another machine.
    """
    assert settings.smtp_url is not None
    url = urlsplit(settings.smtp_url.get_secret_value())
    host, context = url.hostname or "localhost", ssl.create_default_context()
    with _connect(url.scheme, host, url.port, context) as server:
        if url.scheme != "smtps" and (server.has_extn("starttls") or (url.username and not _is_local(host))):
            server.starttls(context=context)
            server.ehlo()
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(as_message(settings, mail))


def _connect(scheme: str, host: str, port: int | None, context: ssl.SSLContext) -> smtplib.SMTP:
    if scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, timeout=SMTP_TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port or 587, timeout=SMTP_TIMEOUT_SECONDS)
    server.ehlo()
    return server


def _is_local(host: str) -> bool:
    return host in {"localhost", "127.0.0.1", "::1"}


def as_message(settings: Settings, mail: OutboxMail) -> EmailMessage:
    """The mail on paper. Its Message-ID comes from our id, so that a repeated delivery can be told from a new mail."""
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = mail.to_email
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at)
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<{mail.id.hex}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body)
    return message
