"""The outbox and its delivery, over a real SMTP conversation on a local socket."""

import socketserver
import threading
from collections.abc import Callable, Iterator

import pytest

from preceptor.kit.runtime import Runtime
from preceptor.people.jobs import send_mail
from preceptor.people.models import OutboxMail
from preceptor.people.service import mail


class Conversation(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a delivery needs."""

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            word = line.split(":")[0].split()[0].upper()
            if word == "DATA":
                self._say("354 go on")
                self._take_message()
            elif word == "RCPT" and self.server.refuse:  # type: ignore[attr-defined]
                self._say("550 no such mailbox")
            else:
                self._say("221 bye" if word == "QUIT" else "250 ok")

    def _take_message(self) -> None:
        lines = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        self.server.received.append("\n".join(lines))  # type: ignore[attr-defined]
        self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class PostOffice(socketserver.ThreadingTCPServer):
    refuse = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.received: list[str] = []


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with PostOffice() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def write(runtime: Runtime) -> OutboxMail:
    with runtime.sessions() as session, session.begin():
        return mail.send(session, "ada@example.org", "Grüße\nBcc: x", "Guten Tag", now=runtime.clock.now())


def read(runtime: Runtime, row: OutboxMail) -> OutboxMail:
    with runtime.sessions() as session:
        return session.get_one(OutboxMail, row.id)


def test_mail_is_delivered_once(open_runtime: Callable[..., Runtime], office: PostOffice) -> None:
    runtime = open_runtime(smtp_url=f"smtp://127.0.0.1:{office.server_address[1]}", mail_from="P <p@lab.org>")
    row = write(runtime)
    send_mail(runtime, mail_id=str(row.id))
    send_mail(runtime, mail_id=str(row.id))
    [message] = office.received
    assert "To: ada@example.org" in message
    assert f"Message-ID: <{row.id.hex}@lab.org>" in message
    assert "\nBcc:" not in message
    assert read(runtime, row).sent_at is not None


def test_a_refused_mail_stays_and_says_why(open_runtime: Callable[..., Runtime], office: PostOffice) -> None:
    office.refuse = True
    runtime = open_runtime(smtp_url=f"smtp://127.0.0.1:{office.server_address[1]}")
    row = write(runtime)
    with pytest.raises(OSError, match="550"):
        send_mail(runtime, mail_id=str(row.id))
    found = read(runtime, row)
    assert found.sent_at is None
    assert "no such mailbox" in (found.failure or "")
    office.refuse = False
    send_mail(runtime, mail_id=str(row.id))
    assert (read(runtime, row).failure, len(office.received)) == (None, 1)


def test_without_a_server_mail_stays_in_the_outbox(open_runtime: Callable[..., Runtime]) -> None:
    runtime = open_runtime()
    row = write(runtime)
    send_mail(runtime, mail_id=str(row.id))
    found = read(runtime, row)
    assert (found.sent_at, found.failure) == (None, None)
