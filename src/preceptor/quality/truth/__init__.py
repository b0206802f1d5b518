"""Truth inference: the likely answer behind judgments that disagree, and how far each person can be trusted."""

from preceptor.quality.truth.dawid_skene import CrowdPrior, dawid_skene
from preceptor.quality.truth.majority import gold_weighted_majority, majority
from preceptor.quality.truth.one_coin import AccuracyPrior, one_coin
from preceptor.quality.truth.result import Fit, Method, known_evidence, label_likelihood, predictive

__all__ = [
    "AccuracyPrior",
    "CrowdPrior",
    "Fit",
    "Method",
    "dawid_skene",
    "gold_weighted_majority",
    "known_evidence",
    "label_likelihood",
    "majority",
    "one_coin",
    "predictive",
]
