"""Event streams are read the same however they are cut into chunks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preceptor.endpoints.sse import EVENT_LINES_MAX, LINE_BYTES_MAX, EventReader, StreamTooLarge

STREAM = (
    "\ufeff: a comment\r\n\r\ndata: one\r\n\r\nevent: message\ndata:two\ndata: lines\n\nid: 7\rdata: three ü🙂\r\r"
    "retry: 10\n\ndata:\n\ndata\n\ndata: last\n\n"
).encode()
EVENTS = ["one", "two\nlines", "three ü🙂", "", "", "last"]


def read(chunks: list[bytes]) -> list[str]:
    reader = EventReader()
    found = [event for chunk in chunks for event in reader.feed(chunk)]
    return found + reader.end()


def test_a_stream_in_one_chunk() -> None:
    assert read([STREAM]) == EVENTS


def test_a_stream_byte_by_byte() -> None:
    assert read([bytes([byte]) for byte in STREAM]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_a_stream_cut_anywhere(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    assert read([STREAM[a:b] for a, b in pairwise(places)]) == EVENTS


def test_the_last_event_counts_without_its_blank_line() -> None:
    assert read([b"data: [DONE]"]) == ["[DONE]"]
    assert read([b"data: a\ndata: b\n"]) == ["a\nb"]


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    assert read([b"data: caf\xe9 \xff\n\n"]) == ["caf\ufffd \ufffd"]


def test_a_line_without_end_is_refused() -> None:
    reader = EventReader()
    for _ in range(LINE_BYTES_MAX // 65_536):
        reader.feed(b"x" * 65_536)
    with pytest.raises(StreamTooLarge):
        reader.feed(b"x")


def test_an_event_of_endless_lines_is_refused() -> None:
    with pytest.raises(StreamTooLarge):
        EventReader().feed(b"data: x\n" * (EVENT_LINES_MAX + 1))
