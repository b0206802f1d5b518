"""The embedded reward model: trained on a release's files on a CPU, in seconds, without a language model."""

from preceptor.training.reward.evaluation import Evaluation, evaluate, split_held_out
from preceptor.training.reward.files import Message, Pair, load_pairs
from preceptor.training.reward.model import Metric, Progress, RewardConfig, RewardModel, load, train

__all__ = [
    "Evaluation",
    "Message",
    "Metric",
    "Pair",
    "Progress",
    "RewardConfig",
    "RewardModel",
    "evaluate",
    "load",
    "load_pairs",
    "split_held_out",
    "train",
]
