"""Small real HTTP servers that behave as badly as endpoints do, over plain sockets on loopback."""

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Behaviour = Callable[["Connection"], None]
SSE = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


@dataclass
class Asked:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: Any


@dataclass
class Connection:
    """What a behaviour answers on. `hold` is set when the test is over."""

    socket: socket.socket
    asked: Asked
    hold: threading.Event

    def send(self, text: str | bytes) -> None:
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def piece(self, text: str) -> None:
        self.send(f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}\n\n")

    def stay(self) -> None:
        """Say nothing more until the test is over."""
        self.hold.wait(30)


@dataclass
class Server:
    """Answers the first request by the first behaviour and so on; the last one answers all that follow."""

    behaviours: Sequence[Behaviour]
    asked: list[Asked] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    most_at_once: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def answer(self, connection: socket.socket) -> None:
        asked = _read(connection)
        if asked is None:
            return
        with self._lock:
            behaviour = self.behaviours[min(len(self.asked), len(self.behaviours) - 1)]
            self.asked.append(asked)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            behaviour(Connection(connection, asked, self.hold))
        except OSError:
            pass  # the client hung up, as some tests want
        finally:
            with self._lock:
                self._now -= 1


def _read(connection: socket.socket) -> Asked | None:
    taken = b""
    while b"\r\n\r\n" not in taken:
        more = connection.recv(65_536)
        if not more:
            return None
        taken += more
    head, _, body = taken.partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65_536)
    return Asked(line, headers, json.loads(body) if body else None)


@contextmanager
def serving(*behaviours: Behaviour) -> Iterator[Server]:
    server = Server(behaviours)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            server.answer(self.request)

    class Threads(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Threads(("127.0.0.1", 0), Handler) as listening:
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.hold.set()
            listening.shutdown()


# --- Behaviours


def says(*pieces: str, usage: tuple[int, int] | None = (7, 5), model: str = "tiny-1") -> Behaviour:
    """A well-behaved answer in pieces."""

    def behave(to: Connection) -> None:
        to.send(SSE)
        for piece in pieces:
            chunk = {"model": model, "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
            to.send(f"data: {json.dumps(chunk)}\n\n")
        to.send('data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n')
        if usage is not None:
            counted = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
            to.send(f"data: {json.dumps({'choices': [], 'usage': counted})}\n\n")
        to.send("data: [DONE]\n\n")

    return behave


def raw(*parts: str | bytes) -> Behaviour:
    """Exactly these bytes, each part in a packet of its own, then the connection ends."""

    def behave(to: Connection) -> None:
        to.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            to.send(part)

    return behave


def status(code: int, body: str = "", **headers: str) -> Behaviour:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return raw(
        f"HTTP/1.1 {code} Said\r\n{lines}Content-Length: {len(body.encode())}\r\nConnection: close\r\n\r\n{body}"
    )


def silent(to: Connection) -> None:
    """Takes the request and never answers."""
    to.stay()


def begins_and_falls_silent(to: Connection) -> None:
    to.send(SSE)
    to.piece("Once upon")
    to.stay()


def begins_and_hangs_up(to: Connection) -> None:
    to.send(SSE)
    to.piece("Once upon")


def never_ends(to: Connection) -> None:
    to.send(SSE)
    while not to.hold.is_set():
        to.piece("and so on ")


def pings(to: Connection) -> None:
    """Signs of life, and no text."""
    to.send(SSE)
    while not to.hold.wait(0.05):
        to.send(": ping\n\n")


def drips(to: Connection) -> None:
    to.send(SSE)
    while not to.hold.wait(0.05):
        to.piece("x")


def floods(to: Connection) -> None:
    to.send(SSE)
    while not to.hold.is_set():
        to.send(b": " + b"x" * 65_000 + b"\n\n")
