"""How often a reward model agrees with people on pairs it has not seen, beside "the longer one wins"."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from preceptor.quality.intervals import Estimate, Floats, bootstrap_ratio, wilson
from preceptor.training.reward.files import Pair, text_of
from preceptor.training.reward.model import Metric, RewardModel

# With fewer prompts than this, resampling prompts says nothing, and pairs are resampled instead.
PROMPTS_MIN_FOR_CLUSTERS = 20
RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Accuracy on held-out pairs with 95 % intervals (Wilson), and its lead over the longer response.

    A pair with equal scores counts half, so does a pair of equal length for the baseline. The interval of
    the lead is a bootstrap over `resampled`: whole prompts where there are at least 20, else single pairs.
    Pairs that share a response are not quite independent; with few prompts all intervals are a little too
    narrow for the question "how about another subject?". Figures are None without pairs.
    """

    pairs: int
    accuracy: float | None
    low: float | None
    high: float | None
    length_baseline_accuracy: float | None
    length_low: float | None
    length_high: float | None
    lead: float | None
    lead_low: float | None
    lead_high: float | None
    resampled: str

    def as_metrics(self) -> dict[str, Metric]:
        """Flat figures, named `test_...`, to write beside a model."""
        return {f"test_{name}": value for name, value in asdict(self).items()}


def evaluate(model: RewardModel, test_pairs: Sequence[Pair], *, seed: int = 0) -> Evaluation:
    """Score both responses of every pair and count how often the chosen one scores higher.

    The `chosen` column decides also where votes are equal. `seed` is that of the bootstrap only.
    """
    chosen = [(text_of(pair.prompt), text_of(pair.chosen)) for pair in test_pairs]
    rejected = [(text_of(pair.prompt), text_of(pair.rejected)) for pair in test_pairs]
    by_model = _wins(model.score_texts(chosen), model.score_texts(rejected))
    by_length = _wins(_lengths(chosen), _lengths(rejected))
    accuracy, baseline = _share(by_model), _share(by_length)
    lead, resampled = _lead(by_model - by_length, [prompt for prompt, _ in chosen], seed)
    return Evaluation(
        pairs=len(test_pairs),
        accuracy=accuracy.value,
        low=accuracy.low,
        high=accuracy.high,
        length_baseline_accuracy=baseline.value,
        length_low=baseline.low,
        length_high=baseline.high,
        lead=lead.value,
        lead_low=lead.low,
        lead_high=lead.high,
        resampled=resampled,
    )


def split_held_out(pairs: Sequence[Pair], share: float, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Pairs to train on, and pairs to test on whose subject the first do not contain.

    Whole subjects (topic, or prompt where there is no topic) are drawn in random order until about
    `share` of the pairs are held out; at least one subject stays on each side. With a single subject
    nothing can be held out, and the second list is empty.
    """
    if not 0 < share < 1:
        raise ValueError(f"a share lies between 0 and 1, not {share}")
    sizes: dict[str, int] = {}
    for pair in pairs:
        sizes[_subject(pair)] = sizes.get(_subject(pair), 0) + 1
    subjects = sorted(sizes)
    held_out: set[str] = set()
    taken = 0
    for index in np.random.default_rng(seed).permutation(len(subjects)).tolist():
        if len(held_out) == len(subjects) - 1 or taken >= share * len(pairs):
            break
        held_out.add(subjects[index])
        taken += sizes[subjects[index]]
    rest = [pair for pair in pairs if _subject(pair) not in held_out]
    return rest, [pair for pair in pairs if _subject(pair) in held_out]


def _subject(pair: Pair) -> str:
    return pair.topic or text_of(pair.prompt)


def _wins(chosen: Floats, rejected: Floats) -> Floats:
    """1 where the chosen one is greater, 1/2 where both are equal."""
    return np.where(chosen == rejected, 0.5, (chosen > rejected).astype(np.float64))


def _lengths(texts: Sequence[tuple[str, str]]) -> Floats:
    return np.array([len(response) for _, response in texts], dtype=np.float64)


def _share(wins: Floats) -> Estimate:
    return wilson(float(wins.sum()), len(wins))


def _lead(differences: Floats, prompts: Sequence[str], seed: int) -> tuple[Estimate, str]:
    rng = np.random.default_rng(seed)
    place = {prompt: index for index, prompt in enumerate(dict.fromkeys(prompts))}
    if len(place) < PROMPTS_MIN_FOR_CLUSTERS:
        return bootstrap_ratio(differences, np.ones(len(differences)), rng, RESAMPLES), "pairs"
    cluster = np.array([place[prompt] for prompt in prompts])
    sums = np.bincount(cluster, differences).astype(np.float64)
    counts = np.bincount(cluster).astype(np.float64)
    return bootstrap_ratio(sums, counts, rng, RESAMPLES), "prompts"
