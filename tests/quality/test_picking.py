"""What a fit with known answers is calibrated by: fits that were not shown the answer in question."""

import numpy as np
import pytest

from preceptor.quality.labels import UNKNOWN, Ints, Labels
from preceptor.quality.picking import Picked, calibrated, pick
from preceptor.quality.truth.choice import AUTO


def crowd(seed: int = 3) -> tuple[Labels, Ints, Ints]:
    """Four hundred items by five of thirty people of .55 to .95; the truth, and a quarter of it as gold."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=400)
    item = np.repeat(np.arange(400), 5)
    person = np.concatenate([rng.choice(30, 5, replace=False) for _ in range(400)])
    right = rng.random(2000) < rng.uniform(0.55, 0.95, size=30)[person]
    labels = Labels(item, person, np.where(right, truth[item], 1 - truth[item]), 400, 30, 2)
    return labels, truth, np.where(np.arange(400) < 100, truth, UNKNOWN)


@pytest.fixture(scope="module", params=[AUTO, "dawid-skene", "majority"])
def picked(request: pytest.FixtureRequest) -> Picked:
    labels, _, gold = crowd()
    return pick(labels, gold, str(request.param))


def test_a_known_answer_is_settled_in_the_fit_and_open_where_it_was_not_shown(picked: Picked) -> None:
    _, truth, gold = crowd()
    known = gold != UNKNOWN
    assert np.allclose(picked.fit.posterior[known, truth[known]], 1)
    unshown = picked.without_gold.posterior[known]
    assert np.allclose(unshown.sum(axis=1), 1)
    assert 0.6 < np.mean(unshown.argmax(axis=1) == truth[known]) < 1
    assert unshown.max(axis=1).mean() < 1


def test_items_that_are_not_known_stay_as_they_were_fitted(picked: Picked) -> None:
    unknown = crowd()[2] == UNKNOWN
    assert np.array_equal(picked.without_gold.posterior[unknown], picked.fit.posterior[unknown])


def test_without_gold_there_is_one_fit() -> None:
    labels, _, _ = crowd()
    found = pick(labels, None, "dawid-skene")
    assert found.without_gold is found.fit


def test_one_known_answer_is_enough_to_be_asked_about() -> None:
    labels, truth, _ = crowd()
    gold = np.full(400, UNKNOWN)
    gold[7] = truth[7]
    found = pick(labels, gold, "dawid-skene")
    assert found.without_gold.posterior[7].max() < 1
    assert calibrated(found.without_gold.posterior, gold).way.way == "as is"
