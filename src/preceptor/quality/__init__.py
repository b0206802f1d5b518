"""Quality of human judgment as pure numbers: no database, no web, no hidden state.

Arrays go in, frozen results come out; what cannot be known is None or NaN with a reason. The names below are the ones
that most work needs, the modules hold the rest:

- **judgments**: `Labels` (indices), `NamedLabels` (names); `analyse` and `evaluate` do everything at once;
- **agreement**: `alpha_of`, `alpha` (counts), `alpha_by_distance` (spans, boxes, texts: `distances`), `cohen_kappa`,
  `fleiss_kappa`, `gwet_ac1`, `gwet_ac2`, `percent_agreement`, `alpha_without_each`;
- **truth**: `fit` (automatic choice, or by name), `dawid_skene`, `one_coin`, more in `truth`; `fit_ordinal`,
  `fit_numeric` with `Ratings`; `pairwise`: `bradley_terry`, `plackett_luce`, `fit_votes`;
- **people and tasks**: `skills`, `drift`; `soft_labels` and the module `difficulty`; `calibrate`, `reliability`;
- **asking**: `Rules`, `decide`, `wants_more`, `gold_guard`, `who_next`, `value_of_one_more`; modules `forecast` and
  `incremental`;
- **evidence**: `AccuracyWatch`, `DriftWatch`, `e_process`, `confidence_sequence`; the rest in `evidence`.

A name is imported when it is first used, so that whoever needs an interval does not load the models.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from preceptor.quality.adaptive import Rules, decide, gold_guard, wants_more
    from preceptor.quality.agreement import alpha, alpha_of
    from preceptor.quality.agreement_distance import alpha_by_distance
    from preceptor.quality.agreement_people import alpha_without_each
    from preceptor.quality.asking import Candidate, value_of_one_more, who_next
    from preceptor.quality.calibration import calibrate, reliability
    from preceptor.quality.chance import cohen_kappa, fleiss_kappa, gwet_ac1, gwet_ac2, percent_agreement
    from preceptor.quality.consensus import Majority, PairConsensus, RankConsensus, majority, rank_consensus
    from preceptor.quality.difficulty import soft_labels
    from preceptor.quality.evidence import AccuracyWatch, DriftWatch, confidence_sequence, e_process
    from preceptor.quality.intervals import Estimate, bootstrap_mean, bootstrap_ratio, wilson
    from preceptor.quality.judgments import Judgment, as_numbers, count_labels, one_per_person
    from preceptor.quality.labels import UNKNOWN, BadLabels, Labels, NamedLabels
    from preceptor.quality.numeric import Ratings, fit_numeric
    from preceptor.quality.ordinal import fit_ordinal
    from preceptor.quality.pairwise import Comparisons, Rankings, bradley_terry, fit_votes, plackett_luce
    from preceptor.quality.people import gold_agreement, peer_agreement
    from preceptor.quality.report import analyse, evaluate
    from preceptor.quality.skill import drift, skills
    from preceptor.quality.truth import Fit, dawid_skene, one_coin
    from preceptor.quality.truth.choice import METHODS, fit

__all__ = [
    "METHODS",
    "UNKNOWN",
    "AccuracyWatch",
    "BadLabels",
    "Candidate",
    "Comparisons",
    "DriftWatch",
    "Estimate",
    "Fit",
    "Judgment",
    "Labels",
    "Majority",
    "NamedLabels",
    "PairConsensus",
    "RankConsensus",
    "Rankings",
    "Ratings",
    "Rules",
    "alpha",
    "alpha_by_distance",
    "alpha_of",
    "alpha_without_each",
    "analyse",
    "as_numbers",
    "bootstrap_mean",
    "bootstrap_ratio",
    "bradley_terry",
    "calibrate",
    "cohen_kappa",
    "confidence_sequence",
    "count_labels",
    "dawid_skene",
    "decide",
    "drift",
    "e_process",
    "evaluate",
    "fit",
    "fit_numeric",
    "fit_ordinal",
    "fit_votes",
    "fleiss_kappa",
    "gold_agreement",
    "gold_guard",
    "gwet_ac1",
    "gwet_ac2",
    "majority",
    "one_coin",
    "one_per_person",
    "peer_agreement",
    "percent_agreement",
    "plackett_luce",
    "rank_consensus",
    "reliability",
    "skills",
    "soft_labels",
    "value_of_one_more",
    "wants_more",
    "who_next",
    "wilson",
]

# No name here is that of a submodule (`difficulty`, `forecast`): importing the submodule would take its place.
_MODULES: Mapping[str, tuple[str, ...]] = {
    "adaptive": ("Rules", "decide", "gold_guard", "wants_more"),
    "agreement": ("alpha", "alpha_of"),
    "agreement_distance": ("alpha_by_distance",),
    "agreement_people": ("alpha_without_each",),
    "asking": ("Candidate", "value_of_one_more", "who_next"),
    "calibration": ("calibrate", "reliability"),
    "chance": ("cohen_kappa", "fleiss_kappa", "gwet_ac1", "gwet_ac2", "percent_agreement"),
    "consensus": ("Majority", "PairConsensus", "RankConsensus", "majority", "rank_consensus"),
    "difficulty": ("soft_labels",),
    "evidence": ("AccuracyWatch", "DriftWatch", "confidence_sequence", "e_process"),
    "intervals": ("Estimate", "bootstrap_mean", "bootstrap_ratio", "wilson"),
    "judgments": ("Judgment", "as_numbers", "count_labels", "one_per_person"),
    "labels": ("UNKNOWN", "BadLabels", "Labels", "NamedLabels"),
    "numeric": ("Ratings", "fit_numeric"),
    "ordinal": ("fit_ordinal",),
    "pairwise": ("Comparisons", "Rankings", "bradley_terry", "fit_votes", "plackett_luce"),
    "people": ("gold_agreement", "peer_agreement"),
    "report": ("analyse", "evaluate"),
    "skill": ("drift", "skills"),
    "truth": ("Fit", "dawid_skene", "one_coin"),
    "truth.choice": ("METHODS", "fit"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

# Hidden from type checkers, for which any attribute would exist otherwise.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *_HOME})
