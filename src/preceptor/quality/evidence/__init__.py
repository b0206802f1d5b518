"""Evidence about people and gold tasks that may be looked at after every task, with a stated false alarm rate.

Nothing here is a verdict. Every result names the innocent claim it speaks against, how strongly, and how often it
would look so without a cause; what follows from it is decided by a person, who can be appealed against.
"""

from preceptor.quality.evidence.collusion import Collusion, PairEvidence, collusion
from preceptor.quality.evidence.crowd import Crowd, SoftOutcomes
from preceptor.quality.evidence.habits import Habit, habits
from preceptor.quality.evidence.result import Evidence
from preceptor.quality.evidence.sequence import confidence_sequence
from preceptor.quality.evidence.speed import Pace, PaceWatch, SpeedEvidence, pace, speed
from preceptor.quality.evidence.watch import (
    FALSE_ALARM_RATE,
    AccuracyWatch,
    DriftWatch,
    GoldLeakWatch,
    WatchState,
    above_chance,
    e_process,
    easiness,
)

__all__ = [
    "FALSE_ALARM_RATE",
    "AccuracyWatch",
    "Collusion",
    "Crowd",
    "DriftWatch",
    "Evidence",
    "GoldLeakWatch",
    "Habit",
    "Pace",
    "PaceWatch",
    "PairEvidence",
    "SoftOutcomes",
    "SpeedEvidence",
    "WatchState",
    "above_chance",
    "collusion",
    "confidence_sequence",
    "e_process",
    "easiness",
    "habits",
    "pace",
    "speed",
]
