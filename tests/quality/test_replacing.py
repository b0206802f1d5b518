"""What an AI judge is worth: measured from outside a fit, and against panels of people."""

import numpy as np
import pytest
from bench.quality import sets

from preceptor.quality.labels import UNKNOWN, Labels
from preceptor.quality.outside import outside_skill
from preceptor.quality.replacing import ITEMS_MIN, Replacing, replacing


def crowd(
    rng: np.random.Generator, items: int, people: int, accuracy: float, judge: float
) -> tuple[Labels, Labels, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Everybody judges every item between two classes; so does the judge."""
    truth = rng.integers(0, 2, items)
    item, person = np.repeat(np.arange(items), people), np.tile(np.arange(people), items)
    given = np.where(rng.random(len(item)) < accuracy, truth[item], 1 - truth[item])
    own = np.where(rng.random(items) < judge, truth, 1 - truth)
    judged = Labels(np.arange(items), np.zeros(items, np.int64), own, items, 1, 2)
    return Labels(item, person, given, items, people, 2), judged, truth


def compare(judge: float, *, gold: bool, people: int = 5, items: int = 1_000, of: int = 7) -> Replacing:
    labels, judged, truth = crowd(np.random.default_rng(7), items, of, 0.75, judge)
    known = truth if gold else np.full(items, UNKNOWN, dtype=np.int64)
    return replacing(labels, judged, known, people=people, rng=np.random.default_rng(1))


@pytest.mark.parametrize("gold", [True, False], ids=["known-answers", "other-people"])
def test_a_judge_as_good_as_a_person_replaces_about_one_and_a_coin_none(gold: bool) -> None:
    alike, coin, sure = (compare(accuracy, gold=gold) for accuracy in (0.75, 0.5, 0.97))
    assert (alike.n, alike.items) == (5, 1_000)
    assert alike.by == ("known answers" if gold else "the people who were not drawn")
    assert alike.k.value in (3.0, 4.0)
    assert coin.k.value == 5.0
    assert sure.k.value is not None
    assert sure.k.value <= 1.0
    for found in (alike, coin, sure):
        assert found.k.low is not None
        assert found.k.high is not None
        assert found.k.value is not None
        assert 0 <= found.k.low <= found.k.value <= found.k.high <= 5
        assert [panel.k for panel in found.panels] == list(range(6))


def test_accuracy_of_a_panel_is_what_its_people_and_judge_would_reach() -> None:
    found = compare(0.9, gold=True, items=4_000)
    alone = found.panels[0].accuracy
    assert alone.low is not None
    assert alone.high is not None
    assert alone.low <= 0.9 <= alone.high
    # Five people of 0.75 are right together with 0.896 (binomial).
    assert found.people.low is not None
    assert found.people.high is not None
    assert found.people.low - 0.005 <= 0.896 <= found.people.high + 0.005


def test_what_too_few_items_cannot_tell_is_unknown_with_the_reason() -> None:
    few = compare(0.9, gold=False, items=ITEMS_MIN - 1)
    assert few.k.value is None
    assert f"fewer than {ITEMS_MIN}" in (few.k.reason or "")
    alone = compare(0.9, gold=False, of=1)
    assert alone.k.value is None


def test_few_items_without_a_loss_are_not_taken_for_certain() -> None:
    items = ITEMS_MIN + 3
    truth = np.arange(items) % 2
    labels = Labels(np.repeat(np.arange(items), 3), np.tile(np.arange(3), items), np.repeat(truth, 3), items, 3, 2)
    judged = Labels(np.arange(items), np.zeros(items, np.int64), truth, items, 1, 2)
    found = replacing(labels, judged, truth, people=3, rng=np.random.default_rng(1))
    assert found.k.value is None
    assert "more items would tell" in (found.k.reason or "")
    assert found.panels[0].difference.low is not None
    assert found.panels[0].difference.low < -0.01


def test_the_panel_shrinks_to_what_the_people_allow() -> None:
    assert compare(0.8, gold=True, of=3).n == 3
    assert compare(0.8, gold=False, of=3).n == 2


def test_the_same_data_give_the_same_answer() -> None:
    assert compare(0.8, gold=True) == compare(0.8, gold=True)


def test_an_outsider_is_measured_by_the_answers_it_was_no_part_of() -> None:
    labels, judged, truth = crowd(np.random.default_rng(3), 2_000, 3, 0.8, 0.85)
    certain = np.eye(2)[truth]
    found = outside_skill(judged, certain, np.array([[0.8, 0.2], [0.2, 0.8]]))
    share = float((judged.label == truth).mean())
    assert found.accuracy.value == pytest.approx(share, abs=0.005)
    assert found.accuracy.low is not None
    assert found.accuracy.low < share < (found.accuracy.high or 0)
    assert found.counts.sum() == pytest.approx(2_000)
    assert found.counts[0, 0] == ((judged.label == 0) & (truth == 0)).sum()
    unsure = outside_skill(judged, np.full((2_000, 2), 0.5), np.array([[0.8, 0.2], [0.2, 0.8]]))
    assert unsure.accuracy.value is None
    assert len(labels) == 6_000


@pytest.mark.skipif(not sets.there(), reason=f"the published sets do not lie at {sets.FOLDER}")
@pytest.mark.parametrize("name", ["rte", "d_product", "weather_cf"])
def test_on_real_sets_a_person_taken_for_a_judge_is_worth_about_a_person(name: str) -> None:
    """One judgment of each item by somebody of the crowd, put together as a judge, replaces no more than the half."""
    found = sets.load(name)
    labels, rng = found.named.labels, np.random.default_rng(5)
    order = np.lexsort((rng.random(len(labels)), labels.item))
    first = np.zeros(len(labels), dtype=np.bool_)
    first[order[np.unique(labels.item[order], return_index=True)[1]]] = True
    own = labels.where(first)
    judged = Labels(own.item, np.zeros(len(own), np.int64), own.label, labels.items, 1, labels.classes)
    told = replacing(labels.where(~first), judged, found.gold, people=5, rng=rng)
    assert told.by == "known answers"
    assert told.items >= ITEMS_MIN
    # Nobody loses more than a hair by hearing one more of the crowd beside as many.
    last = told.panels[-1].difference
    assert last.high is not None
    assert last.high > -0.01
    assert told.k.value is None or told.k.value >= told.n / 2
