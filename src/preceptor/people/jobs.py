"""Background entry points about people."""

from datetime import timedelta
from uuid import UUID

from preceptor.kit.db import transaction
from preceptor.kit.jobs import job
from preceptor.kit.runtime import Runtime
from preceptor.people import queries
from preceptor.people.models import OutboxMail
from preceptor.people.service import mail as mail_service

KEPT_FOR = timedelta(days=30)
"""How long ended sessions and used links stay visible to operators."""


@job("people.send_mail", retries=8)
def send_mail(runtime: Runtime, mail_id: str) -> None:
    """Deliver one mail by SMTP. Run twice, it sends once, unless the process dies between server and database."""
    if runtime.settings.smtp_url is None:
        return
    with transaction(runtime.sessions) as session:
        mail = session.get(OutboxMail, UUID(mail_id))
    if mail is None or mail.sent_at is not None:
        return
    now = runtime.clock.now()
    try:
        mail_service.deliver(runtime.settings, mail)
    except OSError as error:
        with transaction(runtime.sessions) as session:
            mail_service.note_failure(session, mail.id, f"{type(error).__name__}: {error}", now=now)
        raise  # the queue tries again, later each time
    with transaction(runtime.sessions) as session:
        mail_service.note_sent(session, mail.id, now=now)


@job("people.forget_expired", every="17 * * * *")
def forget_expired(runtime: Runtime) -> None:
    """Delete what is over: rate windows, unfinished passkey ceremonies, old sessions and links."""
    now = runtime.clock.now()
    with transaction(runtime.sessions) as session:
        for statement in queries.leftovers(now, now - KEPT_FOR):
            session.execute(statement)
