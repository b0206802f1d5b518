"""Agreement of one person with the others and with known answers."""

from collections.abc import Mapping

import numpy as np
import pytest

from preceptor.quality import Judgment, gold_agreement, peer_agreement


def judgments(items: Mapping[str, Mapping[str, str]]) -> list[Judgment]:
    return [Judgment(item, who, label) for item, labels in items.items() for who, label in labels.items()]


def test_ones_own_label_does_not_vote() -> None:
    estimates = peer_agreement(judgments({"t": {"ann": "x", "bob": "y", "cid": "y"}}))
    assert estimates["ann"].value == 0.0
    # Without bob, ann and cid are split, and bob is with one of the two.
    assert estimates["bob"].value == 0.5


def test_a_label_outside_a_split_agrees_with_nobody() -> None:
    estimates = peer_agreement(judgments({"t": {"ann": "x", "bob": "y", "cid": "z"}}))
    assert [estimates[who].value for who in ("ann", "bob", "cid")] == [0.0, 0.0, 0.0]


def test_somebody_without_peers_is_unknown_and_not_zero() -> None:
    estimate = peer_agreement([Judgment("t", "ann", "x")])["ann"]
    assert (estimate.value, estimate.n) == (None, 0)
    assert estimate.reason == "nobody else judged the same items"


def test_judging_an_item_twice_counts_once_with_the_later_label() -> None:
    twice = [Judgment("t", "ann", "x"), Judgment("t", "bob", "y"), Judgment("t", "ann", "y")]
    estimates = peer_agreement(twice)
    assert (estimates["ann"].value, estimates["ann"].n) == (1.0, 1)
    assert (estimates["bob"].value, estimates["bob"].n) == (1.0, 1)


def test_known_answers_count_only_where_there_are_any() -> None:
    given = judgments({"t": {"ann": "x", "bob": "y"}, "u": {"ann": "x"}, "v": {"cid": "x"}})
    estimates = gold_agreement(given, {"t": "x", "u": "y"})
    assert (estimates["ann"].value, estimates["ann"].n) == (0.5, 2)
    assert (estimates["bob"].value, estimates["bob"].n) == (0.0, 1)
    assert estimates["cid"].value is None


def test_intervals_lie_around_the_share_and_shrink_with_items() -> None:
    few = gold_agreement([Judgment(str(n), "ann", "x") for n in range(4)], {str(n): "x" for n in range(4)})
    many = gold_agreement([Judgment(str(n), "ann", "x") for n in range(99)], {str(n): "x" for n in range(99)})
    for estimate in (few["ann"], many["ann"]):
        assert (estimate.value, estimate.high) == (1.0, 1.0)
    assert few["ann"].low is not None
    assert many["ann"].low is not None
    assert few["ann"].low < many["ann"].low < 1


def test_careful_people_agree_more_with_their_peers_than_careless_ones() -> None:
    rng = np.random.default_rng(2)
    accuracy = {"ann": 0.95, "bob": 0.9, "cid": 0.9, "dan": 0.85, "eve": 0.5}
    items = {
        str(item): {who: "true" if rng.random() < right else "false" for who, right in accuracy.items()}
        for item in range(800)
    }
    estimates = peer_agreement(judgments(items))
    shares = [estimates[who].value or 0.0 for who in accuracy]
    assert shares[-1] == min(shares)
    assert shares[-1] == pytest.approx(0.5, abs=0.06)
    assert max(shares) == shares[0]
