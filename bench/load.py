"""A load generator that costs little: one process, one event loop, no HTTP library.

Reads a plan from standard input and writes what it saw to standard output, both JSON.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import uvloop


@dataclass(frozen=True)
class Ask:
    """One POST. `then` is a second one whose path may name `{id}`, the `id` of the first answer."""

    path: str
    key: str
    body: str = ""
    then: "Ask | None" = None


@dataclass(frozen=True)
class Seen:
    """What came back: `answers` in the order of the asks, (status, id, task id), and the seconds each took."""

    seconds: float
    answers: list[tuple[int, str, str]]
    latencies: list[float]
    then_answers: list[tuple[int, str, str]]
    then_latencies: list[float]


def run(port: int, connections: int, asks: Sequence[Ask]) -> Seen:
    """Send all asks over so many connections, each as fast as its answers come, from a process of its own.

    Connection number c sends the asks c, c + connections, ... one after the other.
    """
    plan = {"port": port, "connections": connections, "asks": [_plain(ask) for ask in asks]}
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=json.dumps(plan).encode(), stdout=subprocess.PIPE, check=True
    )
    return Seen(**json.loads(done.stdout))


def _plain(ask: Ask) -> list[Any]:
    return [ask.path, ask.key, ask.body, _plain(ask.then) if ask.then else None]


class Connection(asyncio.Protocol):
    """One kept connection with one request under way."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own class is not registered as one

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._buffer[:head_end].lower()
        at = head.index(b"content-length:") + 15
        line_end = head.find(b"\r\n", at)
        length = int(head[at : line_end if line_end > 0 else len(head)])
        if len(self._buffer) < head_end + 4 + length or self._answer is None:
            return
        body, self._buffer = self._buffer[head_end + 4 :], b""
        self._answer.set_result((int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError())

    def post(self, path: str, key: str, body: str) -> "asyncio.Future[tuple[int, bytes]]":
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        return self._answer


async def _work(connection: Connection, asks: Any, answers: list[Any], latencies: list[float], then: list[Any]) -> None:
    for number, (path, key, body, after) in asks:
        began = time.perf_counter()
        status, answer = await connection.post(path, key, body)
        latencies[number] = time.perf_counter() - began
        found = json.loads(answer)
        answers[number] = (status, found.get("id", ""), found.get("task_id", ""))
        if after is not None and status < 300:
            began = time.perf_counter()
            status, answer = await connection.post(after[0].replace("{id}", found["id"]), after[1], after[2])
            spent = time.perf_counter() - began
            found = json.loads(answer)
            then.append(((status, found.get("id", ""), found.get("task_id", "")), spent))


async def _main(plan: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    answers: list[Any] = [None] * len(plan["asks"])
    latencies = [0.0] * len(plan["asks"])
    then: list[Any] = []
    made = [await loop.create_connection(Connection, "127.0.0.1", plan["port"]) for _ in range(plan["connections"])]
    numbered = list(enumerate(plan["asks"]))
    shares = [numbered[first :: len(made)] for first in range(len(made))]
    began = time.perf_counter()
    await asyncio.gather(
        *(
            _work(connection, share, answers, latencies, then)
            for (_, connection), share in zip(made, shares, strict=True)
        )
    )
    seconds = time.perf_counter() - began
    for transport, _ in made:
        transport.close()
    return {
        "seconds": seconds,
        "answers": answers,
        "latencies": latencies,
        "then_answers": [answer for answer, _ in then],
        "then_latencies": [spent for _, spent in then],
    }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump(uvloop.run(_main(given)), sys.stdout)
