"""Truth behind ordered classes."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import ndtr
from tests.conftest import needs_shared

from preceptor.quality.labels import UNKNOWN, BadLabels, Floats, Ints, Labels, NamedLabels
from preceptor.quality.ordinal import CrowdScale, _Model, fit_ordinal, ordinal_dawid_skene
from preceptor.quality.truth import Fit, Method, dawid_skene, predictive

CLASSES = 5


def simulated(items: int, each: int, bias: Floats, spread: Floats, rng: np.random.Generator) -> tuple[Labels, Ints]:
    """Impressions truth + bias + spread x noise, rounded into the classes."""
    truth = rng.integers(0, CLASSES, items)
    item = np.repeat(np.arange(items), each)
    person = np.concatenate([rng.permutation(len(bias))[:each] for _ in range(items)])
    impression = truth[item] + bias[person] + spread[person] * rng.normal(size=len(item))
    label = np.clip(np.rint(impression), 0, CLASSES - 1).astype(np.int64)
    return Labels(item, person, label, items, len(bias), CLASSES), truth


def a_crowd(rng: np.random.Generator) -> tuple[Labels, Ints, Floats, Floats]:
    bias = np.tile([-0.9, 0.0, 0.9], 10)
    spread = np.repeat([0.3, 0.7, 1.2], 10)
    labels, truth = simulated(400, 5, bias, spread, rng)
    return labels, truth, bias, spread


def test_biases_and_spreads_are_found() -> None:
    labels, _, bias, spread = a_crowd(np.random.default_rng(1))
    found = fit_ordinal(labels, scale=CrowdScale(lapse=0.01))
    assert np.corrcoef(found.bias, bias)[0, 1] > 0.9
    assert np.corrcoef(found.spread, spread)[0, 1] > 0.85
    assert (np.diff(found.thresholds) > 0).all()


def test_errors_of_biases_are_of_the_right_size() -> None:
    rng = np.random.default_rng(2)
    bias = rng.normal(size=40) * 0.4
    labels, _ = simulated(500, 6, bias, np.full(40, 0.6), rng)
    found = fit_ordinal(labels, scale=CrowdScale(lapse=0.01))
    level = (found.bias - bias).mean()
    strayed = (found.bias - bias - level) / found.bias_error
    assert 0.6 < float(np.sqrt((strayed**2).mean())) < 1.6


def test_ordered_classes_are_met_better_than_without_their_order() -> None:
    """With three judgments an item and about 40 a person, on average over five crowds."""
    gains = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        labels, truth = simulated(400, 3, np.tile([-0.9, 0.0, 0.9], 10), np.repeat([0.3, 0.7, 1.2], 10), rng)
        ordered, plain = fit_ordinal(labels), dawid_skene(labels)
        nearer = np.abs(plain.posterior @ np.arange(CLASSES) - truth).mean() - np.abs(ordered.mean - truth).mean()
        gains.append((nearer, _met(ordered.fit, truth) - _met(plain, truth)))
    distance, accuracy = np.mean(gains, axis=0)
    assert distance > 0.02
    assert accuracy > 0.01


def _met(fit: Fit, truth: Ints) -> float:
    return float(np.mean(fit.answers == truth))


def test_chances_without_lapses_are_areas_under_the_curve() -> None:
    labels = Labels.of([0], [0], [0], classes=4)
    model = _Model(labels, None, CrowdScale(lapse=0.0))
    cuts = np.array([0.4, 1.5, 2.7])
    chance = model._curves(np.concatenate([[0.3], [np.log(0.8)], cuts]))[0]
    for truth in range(4):
        below = np.concatenate([[0.0], ndtr((cuts - truth - 0.3) / 0.8), [1.0]])
        assert chance[truth] == pytest.approx(np.diff(below), abs=1e-9)


def test_the_gradient_is_the_derivative() -> None:
    rng = np.random.default_rng(4)
    labels, _ = simulated(20, 3, np.array([0.1, -0.2, 0.3]), np.array([0.5, 0.6, 0.9]), rng)
    model = _Model(labels, None, CrowdScale())
    counts = model._counts(model._started())
    at = np.concatenate([rng.normal(size=6) * 0.3, np.arange(4) + 0.4])

    def lack(x: Floats) -> float:
        return model._lack(x, counts)[0]

    numeric = approx_fprime(at, lack, 1e-6)
    assert model._lack(at, counts)[1] == pytest.approx(numeric, abs=1e-3)


def test_the_fit_keeps_to_the_shape_of_all_methods() -> None:
    method: Method = ordinal_dawid_skene
    labels, _, _, _ = a_crowd(np.random.default_rng(5))
    fit = method(labels, gold=None, rng=np.random.default_rng(0))
    assert fit.posterior.sum(axis=1) == pytest.approx(np.ones(400))
    assert fit.confusion is not None
    assert fit.confusion.sum(axis=2) == pytest.approx(np.ones((30, CLASSES)))
    assert fit.prior.sum() == pytest.approx(1.0)
    assert np.isfinite(predictive(fit, labels)).all()


def test_known_answers_settle_their_items_and_teach_about_people() -> None:
    labels, truth, _, _ = a_crowd(np.random.default_rng(6))
    gold = np.where(np.arange(400) < 100, truth, UNKNOWN)
    found = fit_ordinal(labels, gold=gold)
    assert (found.fit.answers[:100] == truth[:100]).all()
    assert found.fit.posterior[:100].max(axis=1) == pytest.approx(np.ones(100))
    # People are known better too: their expected errors can only shrink with settled items.
    assert found.bias_error.mean() < fit_ordinal(labels).bias_error.mean() * 1.02


def test_somebody_who_turns_the_scale_around_is_no_use_but_no_harm() -> None:
    rng = np.random.default_rng(7)
    labels, truth = simulated(300, 4, np.zeros(8), np.full(8, 0.4), rng)
    turned = np.where(labels.person == 0, CLASSES - 1 - labels.label, labels.label)
    found = fit_ordinal(Labels(labels.item, labels.person, turned, 300, 8, CLASSES))
    assert np.mean(found.fit.answers == truth) > 0.9
    assert found.spread[0] == found.spread.max()


def test_the_median_is_the_class_in_the_middle() -> None:
    found = fit_ordinal(Labels.of([0, 0, 0], [0, 1, 2], [0, 2, 3], classes=4))
    posterior = found.fit.posterior[0]
    assert posterior[: found.median[0]].sum() < 0.5 <= posterior[: found.median[0] + 1].sum() + 1e-9
    assert found.mean[0] == pytest.approx(float(posterior @ np.arange(4)))


def test_one_judgment_is_believed_with_doubt() -> None:
    found = fit_ordinal(Labels.of([0], [0], [2], items=2, people=2, classes=4))
    assert found.fit.answers[0] == 2
    assert 0.25 < found.fit.posterior[0, 2] < 0.999
    assert found.fit.posterior[1] == pytest.approx(found.fit.prior)
    assert found.spread[1] == pytest.approx(found.spread[0], rel=0.5)
    assert found.bias_error[1] == pytest.approx(0.5)


def test_one_class_is_the_answer_to_everything() -> None:
    found = fit_ordinal(Labels.of([0, 1], [0, 0], [0, 0]))
    assert found.fit.posterior == pytest.approx(np.ones((2, 1)))
    assert np.isfinite(found.bias).all()


def test_the_order_of_rows_does_not_matter() -> None:
    labels, _, _, _ = a_crowd(np.random.default_rng(8))
    order = np.random.default_rng(9).permutation(len(labels))
    mixed = Labels(labels.item[order], labels.person[order], labels.label[order], 400, 30, CLASSES)
    assert fit_ordinal(mixed).fit.posterior == pytest.approx(fit_ordinal(labels).fit.posterior, abs=1e-3)


def test_no_judgment_and_numbers_in_disguise_are_refused() -> None:
    with pytest.raises(BadLabels, match="no judgment"):
        fit_ordinal(Labels.of([], [], [], items=3, people=1, classes=4))
    with pytest.raises(BadLabels):
        fit_ordinal(Labels.of([0], [0], [10**9]))
    with pytest.raises(BadLabels, match="ordered classes"):
        fit_ordinal(Labels.of([0], [0], [500]))
    with pytest.raises(ValueError, match="unusable"):
        CrowdScale(bias_sd=0.0)


def test_search_results_are_graded_better_than_by_a_full_matrix() -> None:
    rows = _read(needs_shared("data/web_ordinal/labels.csv.gz"))
    answers = {row["task_id"]: row["gold"] for row in _read(needs_shared("data/web_ordinal/gold.csv.gz"))}
    columns = [[row[name] for row in rows] for name in ("task_id", "worker_id", "label")]
    named = NamedLabels.read(*columns, classes=[str(label) for label in range(CLASSES)])
    gold = named.known(answers)
    known = gold != UNKNOWN
    ordered, plain = fit_ordinal(named.labels), dawid_skene(named.labels)
    assert np.mean(ordered.fit.answers[known] == gold[known]) > max(0.84, np.mean(plain.answers[known] == gold[known]))
    assert np.abs(np.rint(ordered.mean) - gold)[known].mean() < 0.18


def _read(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
