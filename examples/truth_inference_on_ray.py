"""Dawid-Skene spread over a Ray cluster, or over processes of this machine.

    python examples/truth_inference_on_ray.py                    # needs Ray: pip install ray
    python examples/truth_inference_on_ray.py --processes 2      # needs nothing more

Each worker keeps the judgments of some items and, each round, turns parameters into statistics; the statistics are
summed and maximised here. What travels is of the size of the model (people x classes x classes), never of the data.
At the end the fit is compared with one made in one piece.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Protocol, TypeVar

import numpy as np

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import Ints, Labels
from preceptor.quality.truth.dawid_skene import ROUNDS_MAX, TOLERANCE, CrowdPrior, dawid_skene, fit_of
from preceptor.quality.truth.result import Fit
from preceptor.quality.truth.statistics import Parameters, Partition, Statistics, climb, summed

CLASSES = 4
RATERS_PER_ITEM = 5

ResultT = TypeVar("ResultT")


class Everywhere(Protocol):
    """Does one thing with every partition, wherever they lie; results come in the order of the partitions."""

    def __call__(self, work: Callable[[Partition], ResultT]) -> list[ResultT]: ...


def fit_spread(everywhere: Everywhere, judgments: int) -> Fit:
    """Dawid-Skene on partitions that lie elsewhere: the same rounds as `dawid_skene`, sums taken here."""
    end = climb(
        summed(everywhere(votes_of)),
        CrowdPrior().most_likely,
        lambda at: summed(everywhere(partial(expected_at, at))),
        rounds=ROUNDS_MAX,
        tolerance=TOLERANCE,
        judgments=judgments,
    )
    return fit_of("dawid-skene, spread", end, np.concatenate(everywhere(partial(posterior_at, end.at))))


def votes_of(part: Partition) -> Statistics:
    return part.votes


def expected_at(at: Parameters, part: Partition) -> Statistics:
    return part.expect(at)


def posterior_at(at: Parameters, part: Partition) -> Floats:
    return part.posterior(at)


@contextmanager
def on_ray(parts: Sequence[Partition]) -> Iterator[Everywhere]:
    """One Ray actor for each partition; joins a running cluster where RAY_ADDRESS names one, else starts one here."""
    try:
        import ray
    except ImportError:
        raise SystemExit("Ray is not installed: pip install ray, or run this with --processes 2") from None

    @ray.remote
    class Keeper:
        def __init__(self, part: Partition) -> None:
            self.part = part

        def do(self, work: Callable[[Partition], ResultT]) -> ResultT:
            return work(self.part)

    ray.init(log_to_driver=False)
    keepers = [Keeper.remote(part) for part in parts]

    def everywhere(work: Callable[[Partition], ResultT]) -> list[ResultT]:
        # Put once, so that a round's parameters are sent to each machine once and not to each actor.
        sent = ray.put(work)
        results: list[ResultT] = ray.get([keeper.do.remote(sent) for keeper in keepers])
        return results

    try:
        yield everywhere
    finally:
        ray.shutdown()


@contextmanager
def in_processes(parts: Sequence[Partition], processes: int) -> Iterator[Everywhere]:
    """Partitions dealt out to processes of this machine. Each is an executor of its own, because its partitions stay
    in its memory between rounds."""
    with ExitStack() as stack:
        keepers = [
            stack.enter_context(ProcessPoolExecutor(1, initializer=keep, initargs=(list(parts[start::processes]),)))
            for start in range(min(processes, len(parts)))
        ]

        def everywhere(work: Callable[[Partition], ResultT]) -> list[ResultT]:
            dealt = [keeper.submit(do_with_kept, work) for keeper in keepers]
            answers = [answer.result() for answer in dealt]
            return [answers[place % len(keepers)][place // len(keepers)] for place in range(len(parts))]

        yield everywhere


KEPT: list[Partition] = []


def keep(parts: list[Partition]) -> None:
    KEPT.extend(parts)


def do_with_kept(work: Callable[[Partition], ResultT]) -> list[ResultT]:
    return [work(part) for part in KEPT]


def simulated(items: int, people: int, rng: np.random.Generator) -> tuple[Labels, Ints]:
    """Judgments by people who are right with chance Beta(4, 2), and the truth."""
    truth = rng.integers(CLASSES, size=items)
    item = np.repeat(np.arange(items), RATERS_PER_ITEM)
    person = rng.integers(people, size=len(item))
    right = rng.random(len(item)) < rng.beta(4, 2, size=people)[person]
    label = np.where(right, truth[item], (truth[item] + rng.integers(1, CLASSES, size=len(item))) % CLASSES)
    return Labels.of(item, person, label, items=items, people=people, classes=CLASSES), truth


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Dawid-Skene over a Ray cluster or over processes.")
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--processes", type=int, help="use this many processes in place of Ray")
    asked = parser.parse_args(arguments)

    labels, truth = simulated(asked.items, asked.people, np.random.default_rng(3))
    parts = Partition.split(labels, asked.parts)
    place = in_processes(parts, asked.processes) if asked.processes else on_ray(parts)
    with place as everywhere:
        spread = fit_spread(everywhere, len(labels))

    whole = dawid_skene(labels)
    print(f"{len(labels):,} judgments in {len(parts)} parts, {spread.iterations} rounds")
    print(f"accuracy {spread.accuracy_on(truth):.4f}")
    print(f"largest difference to the fit in one piece: {np.abs(spread.posterior - whole.posterior).max():.1e}")


if __name__ == "__main__":
    main()
