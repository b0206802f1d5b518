"""Independent Bayesian classifier combination: Dawid and Skene's model with priors on everything."""

import numpy as np

from preceptor.quality.labels import Ints, Labels
from preceptor.quality.truth.communities import Settings, ebcc
from preceptor.quality.truth.result import Fit


def ibcc(labels: Labels, *, gold: Ints | None = None, rng: np.random.Generator | None = None) -> Fit:
    """Fit by mean-field variational Bayes.

    Kim and Ghahramani, "Bayesian Classifier Combination" (AISTATS 2012), in its independent form: a confusion matrix
    per person with Dirichlet rows (4 pseudo-judgments for the truth, 1 for each other class) and a Dirichlet prior of
    1 over classes; variational updates of Simpson, Roberts, Psorakis and Smith (2013). It is the community model with
    a single kind of items per class. Assumes judgments independent given the truth. Starts from vote shares; `rng` is
    not used. `log_likelihood` is the evidence bound.
    """
    return ebcc(labels, gold=gold, rng=rng, settings=Settings(kinds=1, class_prior="weak"))
