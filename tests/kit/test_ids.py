"""Ids: what one process makes comes back in the order in which it was made."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preceptor.kit import ids


def test_ids_of_one_millisecond_sort_by_creation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_790_000_000_000_000_000)
    made = [ids.new_id() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert {(each.version, each.variant) for each in made} == {(7, "specified in RFC 4122")}


def test_a_clock_that_is_set_back_does_not_turn_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids.new_id()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000_000_000_000)
    assert ids.new_id() > before


def test_ids_that_threads_make_at_once_are_all_different() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [each for batch in pool.map(lambda _: [ids.new_id() for _ in range(2_000)], range(8)) for each in batch]
    assert len(set(made)) == 16_000


def test_an_id_holds_the_moment_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_last", (0, 0))
    before = time.time_ns() // 1_000_000
    made = ids.new_id()
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_a_random_part_without_room_takes_the_next_millisecond() -> None:
    assert ids._stepped(7, (1 << 74) + 5) == (8, 5)
    assert ids._stepped(7, (1 << 74) - 1) == (7, (1 << 74) - 1)


@given(st.uuids(), st.binary(min_size=1, max_size=80))
def test_a_veiled_id_comes_back(value: UUID, key: bytes) -> None:
    assert ids.unveil(ids.veil(value, key), key) == value
