"""One training run, pure: pairs in, a model and what it is worth out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from preceptor.training.reward import (
    Evaluation,
    Metric,
    Pair,
    Progress,
    RewardConfig,
    RewardModel,
    evaluate,
    split_held_out,
    train,
)
from preceptor.training.reward.files import text_of

HELD_OUT_SHARE = 0.2
TOPICS_MIN = 5
"""With fewer topics, holding out one of them would take too much; prompts are held out instead."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A model with its evaluation; `evaluation` is None where nothing could be held out, and `tested_on` says why."""

    model: RewardModel
    evaluation: Evaluation | None
    tested_on: str


@dataclass(frozen=True, slots=True)
class Split:
    """Pairs to train on and to test on. No prompt is on both sides."""

    train: list[Pair]
    test: list[Pair]
    tested_on: str


def train_and_test(
    pairs: Sequence[Pair],
    config: RewardConfig | None = None,
    *,
    test_pairs: Sequence[Pair] | None = None,
    dataset_sha256: str = "",
    progress: Progress | None = None,
) -> Trained:
    """Train on the pairs and measure on others, beside "the longer one wins".

    Without `test_pairs` about a fifth of the pairs is held out, whole topics or whole prompts; the model that is
    returned is the one that was measured, so it has not seen them. Figures stand in the model's metrics too:
    `tested_on`, and `test_...` as in `Evaluation`. `test_prompts_seen` counts the given test pairs whose prompt
    was trained on; anything but 0 flatters.
    """
    config = config or RewardConfig()
    split = Split(list(pairs), list(test_pairs), "a test file") if test_pairs is not None else hold_out(pairs, config)
    model = train(split.train, config, dataset_sha256=dataset_sha256, progress=progress)
    metrics: dict[str, Metric] = {"tested_on": split.tested_on, "test_prompts_seen": _prompts_seen(split)}
    evaluation = evaluate(model, split.test, seed=config.seed) if split.test else None
    if evaluation is not None:
        metrics |= evaluation.as_metrics()
    return Trained(model.with_metrics(metrics), evaluation, split.tested_on)


def hold_out(pairs: Sequence[Pair], config: RewardConfig, share: float = HELD_OUT_SHARE) -> Split:
    """Hold out whole topics where there are at least five, else whole prompts."""
    by_topic = len({pair.topic for pair in pairs if pair.topic}) >= TOPICS_MIN
    # A pair without a topic is grouped by its prompt.
    grouped = list(pairs) if by_topic else [replace(pair, topic="") for pair in pairs]
    kept, test = split_held_out(grouped, share, config.seed)
    if not test:
        return Split(list(pairs), [], "nothing: all pairs have the same prompt, so none could be held out")
    prompts = {text_of(pair.prompt) for pair in test}
    # The same prompt may occur under two topics.
    kept = [pair for pair in kept if text_of(pair.prompt) not in prompts]
    return Split(kept, test, "held-out topics" if by_topic else "held-out prompts")


def _prompts_seen(split: Split) -> int:
    trained = {text_of(pair.prompt) for pair in split.train}
    return sum(text_of(pair.prompt) in trained for pair in split.test)
