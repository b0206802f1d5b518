"""Calibration: measures on worked examples, corrections learnt from few known answers, and none from too few."""

import numpy as np
import pytest

from preceptor.quality.calibration import WAYS, adaptive_ece, calibrate, ece, reliability
from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, BadLabels, Ints, Labels
from preceptor.quality.truth.dawid_skene import dawid_skene
from preceptor.quality.truth.softening import label_temperature, tempered


def too_sure(rng: np.random.Generator, items: int = 2000, classes: int = 3, times: float = 4.0) -> tuple[Floats, Ints]:
    """Answers drawn from honest chances, and those chances with their logs stretched."""
    honest = rng.dirichlet(np.ones(classes), size=items)
    gold = (rng.random(items)[:, None] > honest.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return tempered(honest, 1 / times), gold


def test_error_of_two_bins_worked_by_hand() -> None:
    posterior = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])
    gold = np.array([0, 1, 0, 1])
    # Half are .9 sure and right once in two; half are .6 sure and right twice in two.
    assert ece(posterior, gold) == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)
    assert adaptive_ece(posterior, gold, bins=2) == pytest.approx(0.4)


def test_measures_on_an_example_worked_by_hand() -> None:
    found = reliability(np.array([[0.8, 0.2], [0.3, 0.7]]), np.array([0, 0]))
    assert found.brier.value == pytest.approx((0.08 + 0.98) / 2)
    assert found.log_loss.value == pytest.approx(-(np.log(0.8) + np.log(0.3)) / 2)
    assert found.brier.low is None
    assert "too few" in str(found.brier.reason)


def test_honest_chances_have_little_error_and_the_interval_holds_it() -> None:
    posterior, gold = too_sure(np.random.default_rng(1), times=1.0)
    found = reliability(posterior, gold)
    assert found.ece.value is not None
    assert found.ece.value < 0.04
    assert found.ece.high is not None
    assert found.ece.high > found.ece.value
    assert sum(one.items for one in found.curve) == 2000
    for one in found.curve:
        assert one.accuracy.low is not None
        assert one.accuracy.high is not None
        assert one.accuracy.low - 0.05 < one.confidence < one.accuracy.high + 0.05


def test_a_tie_that_includes_the_answer_counts_its_share() -> None:
    assert ece(np.full((4, 2), 0.5), np.array([0, 1, 0, 1])) == pytest.approx(0)


def test_spot_checks_mend_a_posterior_that_is_too_sure() -> None:
    posterior, gold = too_sure(np.random.default_rng(2))
    shown = np.where(np.arange(2000) < 400, gold, UNKNOWN)
    hidden = np.where(np.arange(2000) >= 400, gold, UNKNOWN)
    learnt = calibrate(posterior, shown)
    before, after = ece(posterior, hidden), ece(learnt.apply(posterior), hidden)
    assert learnt.way == "temperature"
    assert learnt.temperature == pytest.approx(4, rel=0.25)
    assert before is not None
    assert after is not None
    assert before > 0.15 > 0.05 > after


def test_confidence_that_no_temperature_mends_is_mended_by_isotonic() -> None:
    # Right three times in four whatever the confidence says.
    rng = np.random.default_rng(3)
    confidence = rng.uniform(0.55, 1.0, 1500)
    posterior = np.column_stack([confidence, 1 - confidence])
    gold = (rng.random(1500) > 0.75).astype(np.int64)
    learnt = calibrate(posterior, gold)
    assert learnt.way == "isotonic"
    before, after = ece(posterior, gold), ece(learnt.apply(posterior), gold)
    assert before is not None
    assert after is not None
    assert after < 0.05 < 0.1 < before


def test_a_good_posterior_is_left_nearly_as_it_is() -> None:
    posterior, gold = too_sure(np.random.default_rng(4), times=1.0)
    assert np.abs(calibrate(posterior, gold).apply(posterior) - posterior).max() < 0.1


def test_corrections_keep_answers_and_chances() -> None:
    posterior, gold = too_sure(np.random.default_rng(5), items=300, classes=4)
    certain = np.eye(4)[gold[:20]]
    posterior[:20] = certain
    for learn in WAYS.values():
        corrected = learn(posterior, gold).apply(posterior)
        assert np.allclose(corrected.sum(axis=1), 1)
        assert corrected.min() >= 0
        assert np.array_equal(corrected.argmax(axis=1), posterior.argmax(axis=1))


def test_too_few_known_answers_change_nothing_and_say_so() -> None:
    posterior, gold = too_sure(np.random.default_rng(6), items=100)
    gold[19:] = UNKNOWN
    learnt = calibrate(posterior, gold)
    assert learnt.way == "as is"
    assert learnt.reason == "19 known answers; 20 are needed"
    assert np.array_equal(learnt.apply(posterior), posterior)


def test_without_known_answers_errors_are_unknown_and_not_zero() -> None:
    posterior, gold = np.full((3, 2), 0.5), np.full(3, UNKNOWN)
    assert ece(posterior, gold) is None
    assert adaptive_ece(posterior, gold) is None
    found = reliability(posterior, gold)
    assert found.ece.value is None
    assert found.ece.reason == "no answer is known"
    assert found.curve == ()


def test_one_class_is_always_right_and_needs_no_correction() -> None:
    assert ece(np.ones((30, 1)), np.zeros(30, dtype=int)) == 0
    assert calibrate(np.ones((30, 1)), np.zeros(30, dtype=int)).reason == "there is one class"


def test_wrong_shapes_answers_and_values_are_refused() -> None:
    with pytest.raises(BadLabels, match="one per item"):
        ece(np.full((3, 2), 0.5), np.zeros(2, dtype=int))
    with pytest.raises(BadLabels, match="outside"):
        ece(np.full((3, 2), 0.5), np.full(3, 2))
    with pytest.raises(BadLabels, match="no numbers"):
        calibrate(np.full((30, 2), np.nan), np.zeros(30, dtype=int))
    with pytest.raises(ValueError, match="positive"):
        tempered(np.full((3, 2), 0.5), 0.0)


def test_labels_that_are_copied_make_a_fit_too_sure_and_unseen_labels_show_it() -> None:
    rng = np.random.default_rng(7)
    truth = rng.integers(2, size=600)
    seen = np.repeat(np.where(rng.random((600, 2)) < 0.7, truth[:, None], 1 - truth[:, None]), 3, axis=1)
    unseen = np.where(rng.random((600, 3)) < 0.7, truth[:, None], 1 - truth[:, None])
    item = np.repeat(np.arange(600), 6)
    fitted = dawid_skene(Labels.of(item, np.tile(np.arange(6), 600), seen.ravel()))
    testing = Labels.of(np.repeat(np.arange(600), 3), np.tile([0, 2, 4], 600), unseen.ravel(), people=6)
    temperature = label_temperature(fitted, testing)
    before, after = ece(fitted.posterior, truth), ece(tempered(fitted.posterior, temperature), truth)
    assert temperature > 1.5
    assert before is not None
    assert after is not None
    assert after < before


def test_no_held_out_labels_leave_the_temperature_alone() -> None:
    labels = Labels.of([0, 1], [0, 1], [0, 1])
    assert label_temperature(dawid_skene(labels), labels.where(np.zeros(2, dtype=bool))) == 1.0
