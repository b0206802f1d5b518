"""What a release is asked to be: how answers are decided, and whether gold tasks give rows."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from preceptor.datasets.models import Release
from preceptor.kit.db import Json
from preceptor.kit.errors import Invalid
from preceptor.work.models_quality import QualityFit

THRESHOLD_MIN = 0.5
"""Likelier than not; also what holds where nobody asks for more."""
KNOWN_MIN = 20
"""Known answers without which nobody can say how a fit does beside the majority."""
KEY = "consensus"
"""Of the manifest. A release that is not built yet has nothing else there."""


class DecidedBy(StrEnum):
    MAJORITY = "majority"
    """The label that most counted judgments give."""
    POSTERIOR = "posterior"
    """The likeliest label by the last fit, where it is likely enough."""


@dataclass(frozen=True, slots=True)
class ReleaseOptions:
    """`decided_by` None: by posterior where known answers show that it is no worse than the majority, else by majority.

    `threshold`: least probability of an answer that is decided by posterior; None for `THRESHOLD_MIN`. `gold`: tasks
    with a known answer give rows as well, with that answer and marked; they give none otherwise.
    """

    decided_by: DecidedBy | None = None
    threshold: float | None = None
    gold: bool = False

    def settled(self, default: DecidedBy) -> "ReleaseOptions":
        """With nothing left open, as it is kept with the release. `Invalid` for a threshold that decides nothing."""
        by = self.decided_by or default
        if by is DecidedBy.MAJORITY:
            return ReleaseOptions(by, None, self.gold)
        threshold = THRESHOLD_MIN if self.threshold is None else self.threshold
        if not THRESHOLD_MIN <= threshold < 1:
            raise Invalid(f"Give a threshold from {THRESHOLD_MIN} up to, but not including, 1; 0.9 is a strict one.")
        return ReleaseOptions(by, threshold, self.gold)

    @property
    def least(self) -> float | None:
        """Least probability of a decided answer; None where votes decide."""
        return (self.threshold or THRESHOLD_MIN) if self.decided_by is DecidedBy.POSTERIOR else None

    def as_json(self) -> Json:
        return {"decided_by": self.decided_by, "threshold": self.threshold, "gold": self.gold}


def usual(fit: QualityFit | None) -> DecidedBy:
    """What decides where nobody says: the majority, until known answers show that the newest fit is no worse."""
    if fit is None or fit.accuracy is None or fit.majority_accuracy is None:
        return DecidedBy.MAJORITY
    known = int(fit.diagnostics.get("gold") or 0)
    shown = known >= KNOWN_MIN and fit.accuracy >= fit.majority_accuracy
    return DecidedBy.POSTERIOR if shown else DecidedBy.MAJORITY


def options_of(release: Release) -> ReleaseOptions:
    """What a release was asked to be. Those from before there was a choice are decided by majority, without gold."""
    kept: dict[str, Any] = (release.manifest or {}).get(KEY, {})
    by = DecidedBy(kept.get("decided_by") or DecidedBy.MAJORITY)
    return ReleaseOptions(by, kept.get("threshold"), bool(kept.get("gold")))
