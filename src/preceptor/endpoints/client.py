"""A streaming client of OpenAI-compatible servers that expects them to fail in every way.

`ask` never raises for what an endpoint does: whatever happens ends in one `Ending` with words for the person.
No database is touched here, and nothing is written about the key.
"""

import asyncio
import random
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import cache

import httpx
import orjson

from preceptor.endpoints.chat import ChatMessage, Ending, Limits, Outcome, Piece, Request, Step, Target, Waiting
from preceptor.endpoints.errors import BadAddress
from preceptor.endpoints.guard import checked
from preceptor.endpoints.reading import Answer, ErrorInStream, TextTooLong
from preceptor.endpoints.sse import StreamTooLarge

DEFAULT_LIMITS = Limits()
RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
ERROR_BYTES_MAX = 16 * 1024
ERROR_CHARACTERS_MAX = 300
USER_AGENT = "preceptor"


@dataclass(eq=False)
class _Refusal(Exception):
    """One try that brought no text. `again`: whether another try makes sense."""

    words: str
    again: bool
    outcome: Outcome = Outcome.FAILED
    wait_seconds: float | None = None


async def ask(target: Target, request: Request, limits: Limits = DEFAULT_LIMITS) -> AsyncIterator[Step]:
    """Text in pieces as it comes, then one `Ending`. Closing the iterator early closes the connection."""
    started = time.monotonic()
    for attempt in range(1, limits.tries + 1):
        answer = Answer(limits.text_characters)
        try:
            async for piece in _try(target, request, limits, answer, started):
                yield piece
            yield replace(answer.ending(started), tries=attempt)
            return
        except _Refusal as refusal:
            if answer.began:
                yield replace(answer.ending(started, refusal.words, Outcome.CUT), tries=attempt)
                return
            pause = _pause(refusal, attempt, limits)
            if pause is None or attempt == limits.tries or _spent(started) + pause > limits.total_seconds:
                yield replace(_failed(answer, refusal, started), tries=attempt)
                return
            yield Waiting(refusal.words, round(pause, 1))
            await asyncio.sleep(pause)


def _pause(refusal: _Refusal, attempt: int, limits: Limits) -> float | None:
    """Seconds until the next try; None where there should be none."""
    if not refusal.again:
        return None
    if refusal.wait_seconds is not None:
        return refusal.wait_seconds if refusal.wait_seconds <= limits.retry_after_seconds else None
    return float(limits.backoff_seconds * 2 ** (attempt - 1)) * (0.75 + random.random() / 2)


def _failed(answer: Answer, refusal: _Refusal, started: float) -> Ending:
    ending = answer.ending(started, refusal.words, refusal.outcome)
    if refusal.wait_seconds is None:
        return ending
    return replace(ending, retry_after_seconds=max(1, round(refusal.wait_seconds)))


def _spent(started: float) -> float:
    return time.monotonic() - started


async def _try(
    target: Target, request: Request, limits: Limits, answer: Answer, started: float
) -> AsyncIterator[Piece]:
    """One connection: pieces of text, or `_Refusal`."""
    try:
        async with AsyncExitStack() as opened:
            async with asyncio.timeout(limits.connect_seconds + limits.first_token_seconds):
                response = await opened.enter_async_context(_posted(target, request, limits))
                await _refuse_status(response)
            streamed = "json" not in response.headers.get("content-type", "").partition(";")[0]
            async for chunk in _chunks(response, limits, answer, started):
                for text in answer.feed(chunk) if streamed else answer.keep(chunk):
                    yield Piece(text)
                if answer.done:
                    return
            for text in answer.close(streamed=streamed):
                yield Piece(text)
            if not answer.done:
                raise _Refusal("The connection to the model broke off.", again=True)
    except TimeoutError:
        raise _silence(answer, _spent(started) >= limits.total_seconds) from None
    except BadAddress as error:
        raise _Refusal(error.message, again=False) from None
    except (httpx.ConnectError, httpx.ConnectTimeout):
        raise _Refusal("The model's server cannot be reached.", again=True) from None
    except httpx.TimeoutException:
        raise _silence(answer, over=False) from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError):
        raise _Refusal("The connection to the model broke off.", again=True) from None
    except (TextTooLong, StreamTooLarge):
        words = "The model wrote more than one answer may hold; it was stopped."
        raise _Refusal(words, again=False) from None
    except ErrorInStream as error:
        raise _Refusal(f"The model reported an error: {error}", again=error.passing) from None


async def _chunks(response: httpx.Response, limits: Limits, answer: Answer, started: float) -> AsyncIterator[bytes]:
    """What the server sends, waited for no longer than `limits` say: TimeoutError after that.

    The clock runs only while we wait for the server, so that it never interrupts whoever uses the text.
    """
    raw = response.aiter_raw()
    first_by = time.monotonic() + limits.first_token_seconds
    taken = 0
    while True:
        now = time.monotonic()
        patience = limits.silence_seconds if answer.began else first_by - now
        async with asyncio.timeout(max(0.0, min(patience, started + limits.total_seconds - now))):
            chunk = await anext(raw, None)
        if chunk is None:
            return
        taken += len(chunk)
        if taken > limits.body_bytes:
            raise StreamTooLarge(f"more than {limits.body_bytes:,} bytes")
        yield chunk


def _silence(answer: Answer, over: bool) -> _Refusal:
    if over:
        return _Refusal("The model took too long and was stopped.", again=False)
    if answer.began:
        return _Refusal("The model fell silent in the middle of its answer.", again=False)
    return _Refusal("The model did not begin to answer in time.", again=False)


@asynccontextmanager
async def _posted(target: Target, request: Request, limits: Limits) -> AsyncIterator[httpx.Response]:
    url, headers, extensions = f"{target.base_url}/chat/completions", _headers(target), {}
    if not target.managed:
        place = await checked(url, target.reach)
        # Connect to the number that was checked; the name is presented in Host and verified by TLS.
        url, headers["Host"], extensions = place.url, place.host, {"sni_hostname": place.name}
    body = {
        **request.options,
        "model": target.model,
        "messages": list(request.messages),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    timeout = httpx.Timeout(limits.first_token_seconds, connect=limits.connect_seconds)
    # trust_env off: a proxy of the environment would connect to whatever the name means to it.
    async with (
        httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False, verify=_tls()) as client,
        client.stream("POST", url, content=orjson.dumps(body), headers=headers, extensions=extensions) as response,
    ):
        yield response


def _headers(target: Target) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Accept": "text/event-stream, application/json",
        # Nothing compressed: what is counted is what came over the wire.
        "Accept-Encoding": "identity",
        "User-Agent": USER_AGENT,
    }
    return headers | ({"Authorization": f"Bearer {target.api_key}"} if target.api_key else {})


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


async def _refuse_status(response: httpx.Response) -> None:
    status = response.status_code
    if 200 <= status < 300:
        if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise _Refusal("The model's server sent compressed data although it was asked not to.", again=False)
        return
    if 300 <= status < 400:
        words = "The endpoint's address leads to another one. Give the address where it ends."
        raise _Refusal(words, again=False)
    said = await _error_words(response)
    again, wait = status in RETRIED, _retry_after(response)
    match status:
        case 401 | 403:
            raise _Refusal("The endpoint does not accept its key. The people who run the project can change it.", False)
        case 404:
            raise _Refusal(f"The endpoint knows no such model or address (404). {said}".strip(), False)
        case 429:
            words = "The model's server is asked too often at the moment. Wait a little and ask again."
            raise _Refusal(words, again, Outcome.LIMITED, wait)
        case _ if status >= 500:
            raise _Refusal(
                f"The model's server has a problem ({status}). Ask again in a moment.", again, wait_seconds=wait
            )
        case _:
            raise _Refusal(f"The endpoint refused the request ({status}). {said}".strip(), again)


async def _error_words(response: httpx.Response) -> str:
    """What the body of a refusal says, shortened; nothing where it is no JSON."""
    taken = bytearray()
    async for chunk in response.aiter_raw():
        taken += chunk
        if len(taken) > ERROR_BYTES_MAX:
            return ""
    try:
        body = orjson.loads(taken)
    except orjson.JSONDecodeError:
        return ""
    error = body.get("error", body) if isinstance(body, dict) else None
    said = error.get("message") if isinstance(error, dict) else error
    return said[:ERROR_CHARACTERS_MAX] if isinstance(said, str) else ""


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds of a `Retry-After` header, written as a number or as a date (RFC 9110, section 10.2.3)."""
    written = response.headers.get("retry-after", "").strip()
    if not written:
        return None
    try:
        return max(0.0, min(float(written), 86_400.0)) if written.replace(".", "", 1).isdigit() else _until(written)
    except (ValueError, TypeError):
        return None


def _until(written: str) -> float:
    return max(0.0, parsedate_to_datetime(written).timestamp() - time.time())


def estimated_tokens(messages: Sequence[ChatMessage] | str) -> int:
    """About how many tokens a text is, where an endpoint does not say: four bytes of UTF-8 each."""
    if isinstance(messages, str):
        return -(-len(messages.encode(errors="replace")) // 4)
    return sum(estimated_tokens(message["content"]) + 4 for message in messages)
