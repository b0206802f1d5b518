"""Whatever an endpoint does, asking it ends in text as far as it came and words for the person."""

import asyncio
import json
import time
from dataclasses import replace
from email.utils import formatdate

import pytest

from preceptor.endpoints.chat import Ending, Limits, Outcome, Piece, Request, Target, Waiting
from preceptor.endpoints.client import ask
from preceptor.endpoints.guard import Reach
from tests.endpoints.servers import (
    SSE,
    Behaviour,
    Server,
    begins_and_falls_silent,
    begins_and_hangs_up,
    drips,
    floods,
    never_ends,
    pings,
    raw,
    says,
    serving,
    silent,
    status,
)

QUICK = Limits(first_token_seconds=0.4, silence_seconds=0.3, total_seconds=2.0, backoff_seconds=0.01, tries=3)
REQUEST = Request([{"role": "user", "content": "Say hello."}], {"max_tokens": 20, "temperature": 0.5})
KEY = "sk-very-secret"
STOP = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def target_of(server: Server, *, reach: Reach = Reach.LOOPBACK) -> Target:
    return Target(server.url, "tiny", KEY, reach=reach)


def asked(
    *behaviours: Behaviour, limits: Limits = QUICK, reach: Reach = Reach.LOOPBACK
) -> tuple[str, Ending, Server, list[Waiting]]:
    """(text, ending, server, waits) of one question to a server that behaves so."""
    with serving(*behaviours) as server:
        steps = asyncio.run(_all(target_of(server, reach=reach), limits))
    text = "".join(step.text for step in steps if isinstance(step, Piece))
    ending = steps[-1]
    assert isinstance(ending, Ending)
    return text, ending, server, [step for step in steps if isinstance(step, Waiting)]


async def _all(target: Target, limits: Limits) -> list[Piece | Waiting | Ending]:
    return [step async for step in ask(target, REQUEST, limits)]


def test_text_comes_in_pieces_with_usage_reason_and_version() -> None:
    text, ending, server, _ = asked(says("Hel", "lo ", "there."))
    assert text == "Hello there."
    assert ending.outcome is Outcome.FINISHED
    assert (ending.input_tokens, ending.output_tokens, ending.finish_reason) == (7, 5, "stop")
    assert ending.model_version == "tiny-1"
    assert ending.first_token_ms is not None
    assert ending.first_token_ms <= ending.latency_ms
    sent = server.asked[0]
    assert sent.line == "POST /v1/chat/completions HTTP/1.1"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["host"] == f"127.0.0.1:{server.port}"
    assert sent.body["messages"] == REQUEST.messages
    assert (sent.body["model"], sent.body["stream"], sent.body["max_tokens"]) == ("tiny", True, 20)


def test_an_endpoint_that_counts_nothing_leaves_the_counts_unknown() -> None:
    text, ending, _, _ = asked(says("Hello", usage=None))
    assert (text, ending.outcome, ending.output_tokens) == ("Hello", Outcome.FINISHED, None)


def test_chunks_cut_inside_characters_and_lines_are_put_together() -> None:
    body = f"data: {json.dumps({'choices': [{'delta': {'content': 'grün 🙂'}}]}, ensure_ascii=False)}\r\n\r\n{STOP}"
    data = body.encode()
    text, ending, _, _ = asked(raw(SSE, *(data[at : at + 3] for at in range(0, len(data), 3))))
    assert (text, ending.outcome) == ("grün 🙂", Outcome.FINISHED)


def test_halves_of_a_character_in_two_pieces_are_joined_and_strays_replaced() -> None:
    pieces = ["\\ud83d", "\\ude42 and \\ude42", " nul \\u0000"]
    lines = "".join(f'data: {{"choices":[{{"delta":{{"content":"{piece}"}}}}]}}\n\n' for piece in pieces)
    text, _, _, _ = asked(raw(SSE, lines, STOP))
    assert text == "🙂 and \ufffd nul \ufffd"


def test_comments_keep_alives_and_unknown_fields_are_passed_over() -> None:
    text, ending, _, _ = asked(
        raw(SSE, ": ping\n\nevent: x\nid: 1\n\ndata: \n\ndata: nonsense\n\n", 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n', STOP)  # noqa: E501
    )  # fmt: skip
    assert (text, ending.outcome) == ("a", Outcome.FINISHED)


def test_bytes_that_are_no_utf8_become_a_visible_mark() -> None:
    text, ending, _, _ = asked(raw(SSE, b'data: {"choices":[{"delta":{"content":"caf\xe9"}}]}\n\n', STOP))
    assert (text, ending.outcome) == ("caf\ufffd", Outcome.FINISHED)


def test_a_server_that_does_not_stream_is_understood() -> None:
    whole = {"model": "m", "choices": [{"message": {"content": "All at once."}, "finish_reason": "stop"}]}
    text, ending, _, _ = asked(status(200, json.dumps(whole), Content_Type="application/json; charset=utf-8"))
    assert (text, ending.outcome, ending.model_version) == ("All at once.", Outcome.FINISHED, "m")


def test_a_finish_reason_is_an_end_even_without_the_done_mark() -> None:
    text, ending, _, _ = asked(raw(SSE, 'data: {"choices":[{"delta":{"content":"a"},"finish_reason":"length"}]}\n\n'))
    assert (text, ending.outcome, ending.finish_reason) == ("a", Outcome.FINISHED, "length")


def test_a_connection_that_breaks_off_keeps_the_text_and_is_not_tried_again() -> None:
    text, ending, server, _ = asked(begins_and_hangs_up, says("never"))
    assert (text, ending.outcome, len(server.asked)) == ("Once upon", Outcome.CUT, 1)
    assert "broke off" in ending.error


def test_an_error_in_the_stream_before_any_text_is_a_failure_in_its_own_words() -> None:
    text, ending, _, _ = asked(raw(SSE, 'data: {"error": {"message": "context too long", "type": "invalid"}}\n\n'))
    assert (text, ending.outcome) == ("", Outcome.FAILED)
    assert "context too long" in ending.error


def test_an_error_after_some_text_is_a_cut() -> None:
    text, ending, _, _ = asked(
        raw(SSE, 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n', 'data: {"error": "out of memory"}\n\n')
    )
    assert (text, ending.outcome) == ("a", Outcome.CUT)
    assert "out of memory" in ending.error


def test_a_passing_error_before_the_first_token_is_tried_again() -> None:
    busy = raw(SSE, 'data: {"error": {"message": "busy", "type": "overloaded_error"}}\n\n')
    text, ending, server, waits = asked(busy, says("now"))
    assert (text, ending.outcome, ending.tries, len(server.asked), len(waits)) == ("now", Outcome.FINISHED, 2, 2, 1)


@pytest.mark.parametrize("code", [500, 502, 503, 529, 408])
def test_a_passing_status_is_tried_again(code: int) -> None:
    text, ending, server, _ = asked(status(code), status(code), says("third"))
    assert (text, ending.outcome, ending.tries, len(server.asked)) == ("third", Outcome.FINISHED, 3, 3)


def test_tries_end() -> None:
    text, ending, server, waits = asked(status(503))
    assert (text, ending.outcome, len(server.asked), len(waits)) == ("", Outcome.FAILED, 3, 2)
    assert "503" in ending.error


@pytest.mark.parametrize("code", [400, 401, 403, 404, 422])
def test_a_refusal_that_stays_is_not_tried_again(code: int) -> None:
    body = json.dumps({"error": {"message": "no such thing"}})
    _, ending, server, _ = asked(status(code, body), says("never"))
    assert (ending.outcome, len(server.asked)) == (Outcome.FAILED, 1)
    assert KEY not in ending.error


def test_what_an_endpoint_says_of_a_bad_request_is_passed_on() -> None:
    _, ending, _, _ = asked(status(400, json.dumps({"error": {"message": "max_tokens is too large"}})))
    assert "max_tokens is too large" in ending.error


def test_a_short_retry_after_is_waited_for() -> None:
    text, _, server, waits = asked(status(429, Retry_After="0.2"), says("then"))
    assert (text, len(server.asked), [wait.seconds for wait in waits]) == ("then", 2, [0.2])


def test_a_long_retry_after_is_told_instead_of_waited_for() -> None:
    _, ending, server, _ = asked(status(429, Retry_After="120"))
    assert (ending.outcome, ending.retry_after_seconds, len(server.asked)) == (Outcome.LIMITED, 120, 1)


def test_a_retry_after_may_be_a_date() -> None:
    _, ending, _, _ = asked(status(429, Retry_After=formatdate(time.time() + 90, usegmt=True)))
    assert ending.retry_after_seconds is not None
    assert 85 <= ending.retry_after_seconds <= 91


@pytest.mark.parametrize("written", ["soon", "-5", "1e999", "Mon, 99 Foo"])
def test_a_retry_after_that_means_nothing_is_passed_over(written: str) -> None:
    text, _, server, _ = asked(status(429, Retry_After=written), says("then"))
    assert (text, len(server.asked)) == ("then", 2)


def test_a_server_that_never_begins_is_given_up() -> None:
    text, ending, _, _ = asked(silent)
    assert (text, ending.outcome) == ("", Outcome.FAILED)
    assert "did not begin" in ending.error


def test_keep_alives_do_not_count_as_a_beginning() -> None:
    _, ending, _, _ = asked(pings)
    assert (ending.outcome, "did not begin" in ending.error) == (Outcome.FAILED, True)


def test_a_server_that_falls_silent_leaves_its_text() -> None:
    text, ending, _, _ = asked(begins_and_falls_silent)
    assert (text, ending.outcome) == ("Once upon", Outcome.CUT)
    assert "silent" in ending.error


def test_a_stream_without_end_is_stopped_by_length() -> None:
    text, ending, _, _ = asked(never_ends, limits=replace(QUICK, text_characters=5_000))
    assert ending.outcome is Outcome.CUT
    assert 4_000 < len(text) <= 5_000
    assert "more than" in ending.error


def test_a_stream_without_end_is_stopped_by_time() -> None:
    _, ending, _, _ = asked(drips, limits=replace(QUICK, total_seconds=0.6))
    assert (ending.outcome, "too long" in ending.error) == (Outcome.CUT, True)


def test_a_body_larger_than_any_answer_is_stopped() -> None:
    _, ending, _, _ = asked(floods, limits=replace(QUICK, body_bytes=1_000_000))
    assert (ending.outcome, "more than" in ending.error) == (Outcome.FAILED, True)


def test_a_server_that_speaks_something_else_is_told_apart() -> None:
    _, ending, _, _ = asked(raw(SSE, "data: <html>\n\n" * 30))
    assert (ending.outcome, "Chat Completions" in ending.error) == (Outcome.FAILED, True)


def test_an_answer_with_nothing_in_it_is_a_failure() -> None:
    _, ending, _, _ = asked(raw(SSE, STOP))
    assert (ending.outcome, ending.error) == (Outcome.FAILED, "The model answered with nothing.")


def test_redirects_are_not_followed() -> None:
    with serving(says("inside")) as inner:
        _, ending, _, _ = asked(status(307, Location=f"{inner.url}/chat/completions"))
        assert inner.asked == []
    assert (ending.outcome, "leads to another" in ending.error) == (Outcome.FAILED, True)


def test_compressed_answers_are_refused() -> None:
    _, ending, _, _ = asked(
        raw("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n", b"\x1f\x8b")
    )
    assert (ending.outcome, "compressed" in ending.error) == (Outcome.FAILED, True)


def test_nothing_is_sent_to_an_address_inside() -> None:
    _, ending, server, _ = asked(says("inside"), reach=Reach.PUBLIC)
    assert (ending.outcome, server.asked) == (Outcome.FAILED, [])
    assert "own network" in ending.error


def test_a_server_that_is_not_there_is_told() -> None:
    with serving(silent) as gone:
        target = target_of(gone)
    steps = asyncio.run(_all(target, QUICK))
    ending = steps[-1]
    assert isinstance(ending, Ending)
    assert (ending.outcome, ending.tries, "cannot be reached" in ending.error) == (Outcome.FAILED, 3, True)


def test_the_key_is_not_part_of_what_is_printed() -> None:
    assert KEY not in repr(Target("https://models.example/v1", "m", KEY))
