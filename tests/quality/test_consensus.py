"""Majorities and joint rankings."""

import pytest

from preceptor.quality import majority, rank_consensus


def test_most_votes_win_and_the_share_is_told() -> None:
    result = majority(["a", "b", "a", "c"])
    assert (result.label, result.share, result.tie) == ("a", 0.5, False)
    assert result.counts == {"a": 2, "b": 1, "c": 1}


def test_equal_votes_are_a_tie_whatever_their_order() -> None:
    for votes in (["a", "b"], ["b", "a"]):
        result = majority(votes)
        assert (result.label, result.share, result.tie) == (None, 0.5, True)


def test_no_votes_are_unknown_and_not_a_tie() -> None:
    result = majority([])
    assert (result.label, result.share, result.tie, result.counts) == (None, None, False, {})


def test_a_full_ranking_alone_is_its_own_consensus() -> None:
    result = rank_consensus([{"a": 2, "b": 1, "c": 3}])
    assert result.order == (("b",), ("a",), ("c",))
    assert result.scores == {"b": 1.0, "a": 0.5, "c": 0.0}


def test_opposite_rankings_cancel() -> None:
    result = rank_consensus([{"a": 1, "b": 2, "c": 3}, {"a": 3, "b": 2, "c": 1}])
    assert result.order == (("a", "b", "c"),)
    assert all(pair.tie and pair.share == 0.5 for pair in result.pairs)


def test_each_pair_has_its_own_majority() -> None:
    result = rank_consensus([{"a": 1, "b": 2}, {"a": 1, "b": 1}, {"a": 1, "b": 2}])
    (pair,) = result.pairs
    assert (pair.winner, pair.tie) == ("a", False)
    assert pair.share == pytest.approx(2 / 3)
    assert pair.counts == {"a": 2, "b": 0, "tie": 1}


def test_a_tie_said_by_most_is_a_tie() -> None:
    (pair,) = rank_consensus([{"a": 1, "b": 1}, {"a": 1, "b": 1}, {"a": 1, "b": 2}]).pairs
    assert (pair.winner, pair.tie) == (None, True)
    assert pair.share == pytest.approx(2 / 3)


def test_majorities_in_a_circle_leave_an_order_by_score() -> None:
    circle = [{"a": 1, "b": 2, "c": 3}, {"b": 1, "c": 2, "a": 3}, {"c": 1, "a": 2, "b": 3}]
    result = rank_consensus(circle)
    assert [pair.winner for pair in result.pairs] == ["a", "c", "b"]
    assert result.order == (("a", "b", "c"),)


def test_being_left_out_of_a_ranking_is_no_loss() -> None:
    result = rank_consensus([{"a": 1, "b": 2, "c": 3}, {"b": 1, "c": 2}])
    assert result.scores["a"] == 1.0
    assert result.order[0] == ("a",)


def test_a_response_ranked_alone_is_unknown_and_a_pair_nobody_ranked_has_no_outcome() -> None:
    result = rank_consensus([{"a": 1}, {"b": 1, "c": 2}])
    assert result.scores["a"] is None
    assert result.order == (("b",), ("c",))
    unseen = result.pairs[0]
    assert (unseen.winner, unseen.tie, unseen.share) == (None, False, None)


def test_the_order_of_rankings_does_not_matter() -> None:
    rankings = [{"a": 1, "b": 2, "c": 2}, {"c": 1, "a": 2}, {"b": 1, "a": 1, "c": 2}]
    forwards, backwards = rank_consensus(rankings), rank_consensus(rankings[::-1])
    assert (forwards.order, forwards.scores) == (backwards.order, backwards.scores)
