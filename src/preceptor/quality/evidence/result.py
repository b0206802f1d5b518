"""What a detector hands over: how strong the evidence is, and how often it would look so without a cause."""

from dataclasses import dataclass
from math import exp, log

from preceptor.quality.intervals import Estimate

# Beyond this, odds are written as a power of ten.
_LOG_E_WRITTEN_OUT = log(1e6)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence against a claim that is innocent, as an e-value: the winnings of a fair bet against the claim.

    While `claim` holds, the chance that `log_e` ever reaches `log_threshold` is at most `false_alarm_rate`, however
    often one looks and whenever one stops (Ville's inequality). Where `run_length` is given instead, the evidence
    reaches the threshold on average not before that many looks. `log_e` is now, `log_e_max` the most so far, `path`
    its course (empty where only the state was kept), `n` the looks, `reached_at` the look (from 1) that first reached
    the threshold. It is evidence, never a verdict: what to do about it, and whether there is another reason for it,
    is for a person to decide.
    """

    claim: str
    log_e: float
    log_e_max: float
    log_threshold: float
    n: int
    false_alarm_rate: float | None
    run_length: float | None = None
    reached_at: int | None = None
    path: tuple[float, ...] = ()
    estimate: Estimate | None = None

    @property
    def reached(self) -> bool:
        """Whether the threshold was reached at any look."""
        return self.log_e_max >= self.log_threshold

    @property
    def sentence(self) -> str:
        """The evidence in plain words."""
        if self.n == 0:
            return f"Nothing was looked at yet, so nothing speaks against this: {self.claim}."
        now = f"is {odds(self.log_e)}" if self.log_e > 0 else "has come to nothing"
        best = f" (at its highest {odds(self.log_e_max)})" if self.log_e_max > self.log_e else ""
        return f"After {self.n} looks the evidence against “{self.claim}” {now}{best}. {self._chance()}"

    def _chance(self) -> str:
        threshold = odds(self.log_threshold)
        if self.false_alarm_rate is not None:
            return (
                f"If it is true, the chance of ever seeing {threshold} or more is at most {self.false_alarm_rate:.3g}."
            )
        return f"While it is true, {threshold} comes up on average once in {self.run_length:.0f} looks or more."


def odds(log_e: float) -> str:
    """An e-value as the odds that a bet against the claim has won."""
    if log_e > _LOG_E_WRITTEN_OUT:
        return f"10^{int(log_e / log(10))} to 1"
    value = exp(log_e)
    return f"{value:,.0f} to 1" if value >= 10 else f"{value:.2g} to 1"
