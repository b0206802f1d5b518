"""Quality of human judgment as pure numbers: no database, no web, no hidden state."""

from preceptor.quality.agreement import alpha
from preceptor.quality.consensus import Majority, PairConsensus, RankConsensus, majority, rank_consensus
from preceptor.quality.intervals import Estimate, bootstrap_mean, bootstrap_ratio, wilson
from preceptor.quality.judgments import Judgment, as_numbers, count_labels, one_per_person
from preceptor.quality.people import gold_agreement, peer_agreement

__all__ = [
    "Estimate",
    "Judgment",
    "Majority",
    "PairConsensus",
    "RankConsensus",
    "alpha",
    "as_numbers",
    "bootstrap_mean",
    "bootstrap_ratio",
    "count_labels",
    "gold_agreement",
    "majority",
    "one_per_person",
    "peer_agreement",
    "rank_consensus",
    "wilson",
]
