"""What a release's card says in numbers, counted while the rows pass by."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from statistics import median
from uuid import UUID

import numpy as np

from preceptor.datasets.posteriors import AMBIGUOUS_MIN
from preceptor.datasets.pseudonyms import Pseudonym
from preceptor.datasets.reading import TaskWork
from preceptor.datasets.suggested import state_of
from preceptor.kit.money import Money
from preceptor.quality import Estimate
from preceptor.quality.tally import AgreementTally, by_position
from preceptor.tasktypes.base import Consensus, Posterior
from preceptor.work.models import SubmissionState

BOOTSTRAP_SEED = 0
"""Fixed, so that equal data gives an equal card."""


class ReleaseTally:
    """Memory grows with people, rates and guidelines versions, not with tasks or judgments."""

    def __init__(self) -> None:
        self.tasks = self.gold_tasks = self.gold_pairs = self.imported_pairs = self.undecided = self.tied = 0
        self.states: Counter[str] = Counter()
        self.suggestions: Counter[str] = Counter()
        """Judgments of tasks that had a suggestion, by what became of it."""
        self.people: set[str] = set()
        self.simulated: set[str] = set()
        self.rates: Counter[tuple[int, str]] = Counter()
        self.paid: Counter[str] = Counter()
        self.guidelines: Counter[int | None] = Counter()
        self.decisions: Counter[str] = Counter()
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.fits: Counter[UUID] = Counter()
        """Tasks whose chances come from each fit."""
        self.weighed_anew = self.assumed = self.overruled = 0
        """Tasks judged since their fit; tasks whose chances rest on an assumption; comparisons in which the likeliest
        label is not the majority's."""
        self.readable = self.ambiguous = 0
        """Tasks of which is known whether people err or legitimately differ; those on which they differ."""
        self._seconds: Counter[int] = Counter()
        self._agreement = AgreementTally()

    def add_judgments(self, work: TaskWork, name: Pseudonym, versions: Mapping[UUID | None, int]) -> None:
        """Everything about the submissions to one task but what they say."""
        self.tasks += 1
        self.gold_tasks += work.task.gold
        for judgment in work.judgments:
            person = name(judgment.person_id)
            self.states[str(judgment.state)] += 1
            self.people.add(person)
            if (suggestion := state_of(judgment)) is not None:
                self.suggestions[suggestion] += 1
            if judgment.simulated:
                self.simulated.add(person)
            self.rates[(judgment.rate_minor, judgment.currency)] += 1
            self.guidelines[versions.get(judgment.guidelines_version_id)] += 1
            if judgment.state == SubmissionState.APPROVED:
                self.paid[judgment.currency] += judgment.rate_minor
            if judgment.review_id is not None:
                self.decisions[str(judgment.decision)] += 1
            if judgment.worked_seconds > 0:
                self._seconds[judgment.worked_seconds] += 1
            self.first = min(self.first or judgment.created_at, judgment.created_at)
            self.last = max(self.last or judgment.created_at, judgment.created_at)

    def add_consensus(self, consensus: Consensus, possible: Mapping[str, tuple[str, ...]], undecided: int) -> None:
        """How far the counted answers to one task agree, and how many of its units gave no row."""
        self.undecided += undecided
        for unit, outcome in consensus.units.items():
            places = {label: by_position({unit: label}, possible)[unit] for label in outcome.counts}
            self._agreement.add({places[label]: count for label, count in outcome.counts.items()})
            self.tied += outcome.tie

    def add_posterior(self, work: TaskWork, posterior: Posterior, overruled: int) -> None:
        """What the quality engine says of one task that gives rows by people's judgments."""
        if work.weighed is not None:
            self.fits[work.weighed.fit_id] += 1
            self.weighed_anew += work.weighed.at is None
        else:
            self.assumed += 1
        self.overruled += overruled
        if posterior.ambiguity is not None:
            self.readable += 1
            self.ambiguous += posterior.ambiguity >= AMBIGUOUS_MIN

    @property
    def judgments(self) -> int:
        return self.states.total()

    @property
    def counted(self) -> int:
        return self.states[SubmissionState.APPROVED.value]

    @property
    def agreement(self) -> AgreementTally:
        return self._agreement

    def alpha(self) -> Estimate:
        return self._agreement.alpha(np.random.default_rng(BOOTSTRAP_SEED))

    def median_seconds(self) -> float | None:
        """Median working time of a judgment; None where none was measured."""
        return float(median(self._seconds.elements())) if self._seconds else None

    def pay(self) -> list[Money]:
        """What was paid in all, by currency."""
        return [Money(minor, currency) for currency, minor in sorted(self.paid.items())]
