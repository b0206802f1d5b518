"""Statistics of parts of the items add up to those of the whole, so a fit may be spread over processes."""

import importlib.util
import sys
from collections.abc import Callable
from functools import reduce
from operator import add
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from preceptor.quality.labels import UNKNOWN, Ints, Labels
from preceptor.quality.truth.dawid_skene import TOLERANCE, CrowdPrior, dawid_skene, fit_of
from preceptor.quality.truth.one_coin import AccuracyPrior, one_coin
from preceptor.quality.truth.result import Fit
from preceptor.quality.truth.statistics import Parameters, Partition, Statistics, climb, summed

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "truth_inference_on_ray.py"
MostLikely = Callable[[Statistics], tuple[Parameters, float]]


def judgments(items: int = 1000, people: int = 40, classes: int = 4) -> tuple[Labels, Ints]:
    rng = np.random.default_rng(21)
    truth = rng.integers(classes, size=items)
    item = rng.integers(items, size=items * 5)
    person = rng.integers(people, size=items * 5)
    right = rng.random(items * 5) < 0.4 + 0.5 * person / people
    label = np.where(right, truth[item], rng.integers(classes, size=items * 5))
    gold = np.where(rng.random(items) < 0.1, truth, UNKNOWN)
    return Labels.of(item, person, label, items=items, people=people, classes=classes), gold


def fitted_in_parts(labels: Labels, gold: Ints | None, parts: int, most_likely: MostLikely) -> Fit:
    pieces = Partition.split(labels, parts, gold)
    end = climb(
        summed([piece.votes for piece in pieces]),
        most_likely,
        lambda at: summed([piece.expect(at) for piece in pieces]),
        rounds=100,
        tolerance=TOLERANCE,
        judgments=len(labels),
    )
    return fit_of("in parts", end, np.concatenate([piece.posterior(end.at) for piece in pieces]))


@pytest.mark.parametrize("with_gold", [False, True])
@pytest.mark.parametrize(
    ("whole", "most_likely"), [(dawid_skene, CrowdPrior().most_likely), (one_coin, AccuracyPrior().most_likely)]
)
def test_four_parts_give_the_fit_of_the_whole(
    whole: Callable[..., Fit], most_likely: MostLikely, with_gold: bool
) -> None:
    labels, known = judgments()
    gold = known if with_gold else None
    one, four = whole(labels, gold=gold), fitted_in_parts(labels, gold, 4, most_likely)
    assert four.iterations == one.iterations > 3
    assert one.confusion is not None
    assert four.confusion is not None
    np.testing.assert_allclose(four.posterior, one.posterior, atol=1e-9, rtol=0)
    np.testing.assert_allclose(four.confusion, one.confusion, atol=1e-9, rtol=0)
    np.testing.assert_allclose(four.prior, one.prior, atol=1e-9, rtol=0)
    assert four.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-7)


def test_expected_counts_add_up_to_the_judgments() -> None:
    labels, gold = judgments()
    part = Partition.of(labels, gold)
    at, _ = CrowdPrior().most_likely(part.votes)
    statistics = part.expect(at)
    judged_or_known = np.union1d(labels.item, np.flatnonzero(gold != UNKNOWN))
    assert statistics.confusion_counts.sum() == pytest.approx(len(labels))
    assert statistics.class_counts.sum() == pytest.approx(len(judged_or_known))
    np.testing.assert_allclose(statistics.confusion_counts.sum(axis=1), labels.counts_by_person.toarray())


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, gold = judgments()
    whole = Partition.of(labels, gold)
    monkeypatch.setattr("preceptor.quality.truth.statistics._CELLS_PER_CHUNK", 100)
    chunked = Partition.of(labels, gold)
    assert len(whole.chunks) == 1
    assert len(chunked.chunks) > 20
    at, _ = CrowdPrior().most_likely(whole.votes)
    np.testing.assert_allclose(chunked.votes.counts, whole.votes.counts, atol=1e-9)
    np.testing.assert_allclose(chunked.posterior(at), whole.posterior(at), atol=1e-12)
    assert chunked.expect(at).log_likelihood == pytest.approx(whole.expect(at).log_likelihood)


def test_parts_that_nobody_judged_are_left_out() -> None:
    labels = Labels.of([0, 0, 1], [0, 1, 0], [0, 1, 1], items=100)
    parts = Partition.split(labels, 4)
    assert [part.items for part in parts] == [25]
    assert reduce(add, [part.votes for part in parts]).class_counts.tolist() == [0.5, 1.5]


def test_many_classes_go_through_the_other_reduction() -> None:
    labels, _ = judgments(classes=30)
    posterior = dawid_skene(labels).posterior
    np.testing.assert_allclose(posterior.sum(axis=1), 1.0)


def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("truth_inference_on_ray", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Processes find what they are sent by the module's name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_example_says_how_to_go_on_without_ray(capsys: pytest.CaptureFixture[str]) -> None:
    if importlib.util.find_spec("ray") is not None:
        pytest.skip("Ray is installed")
    with pytest.raises(SystemExit, match="--processes"):
        example().main(["--items", "50"])


def test_the_example_gives_the_same_fit_in_processes(capsys: pytest.CaptureFixture[str]) -> None:
    example().main(["--processes", "2", "--parts", "4", "--items", "300", "--people", "20"])
    assert "largest difference to the fit in one piece" in capsys.readouterr().out
