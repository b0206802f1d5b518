"""A posterior to stop by: three models of people that fail on different data, averaged.

A stopping rule trusts a posterior exactly where it is most extreme, so it needs one that is not sure for the wrong
reason. Each model has data on which it is: Dawid-Skene where many errors on some items look like a class of their own
(measured on zencrowd_us), a weighted vote where one class draws the answers of all others (on s_rel), communities of
judgments where people are few labels each (on web_ordinal). On such items the three disagree, their average is unsure,
and the rule asks on. Averaging posteriors of models is Bayesian model averaging with equal weights (Hoeting, Madigan,
Raftery and Volinsky, Statistical Science 1999, 14:382): the weights are left equal because a few labels per item say
too little about them.
"""

import numpy as np

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import Ints, Labels
from preceptor.quality.truth.bwa import bwa
from preceptor.quality.truth.communities import Settings, ebcc
from preceptor.quality.truth.crowd import crowd_confusion
from preceptor.quality.truth.dawid_skene import dawid_skene
from preceptor.quality.truth.result import Fit

_COMMUNITIES = Settings(kinds=3, starts=1, rounds_max=30)


def careful_fit(labels: Labels, *, gold: Ints | None = None, rng: np.random.Generator | None = None) -> Fit:
    """The average posterior of Dawid-Skene, BWA and EBCC, and the confusion matrices that it implies.

    Keeps to `Method`: known answers are evidence, linear in judgments, `BadLabels` where nothing can be fitted.
    """
    fits = (
        dawid_skene(labels, gold=gold),
        bwa(labels, gold=gold),
        ebcc(labels, gold=gold, rng=rng, settings=_COMMUNITIES),
    )
    posterior = np.asarray(np.mean([fit.posterior for fit in fits], axis=0), dtype=np.float64)
    prior = np.asarray(np.mean([fit.prior for fit in fits], axis=0), dtype=np.float64)
    return Fit(
        "careful",
        posterior,
        prior,
        crowd_confusion(labels, posterior),
        iterations=max(fit.iterations for fit in fits),
        converged=all(fit.converged for fit in fits),
    )


def pooled_confusion(labels: Labels, fit: Fit) -> Floats:
    """(classes, classes) as [truth, given]: the whole crowd's matrix under a fit's posterior, with one judgment more
    for the truth and a tenth of one for every label in each row. Who is asked next is like this on average."""
    cell = labels.label
    columns = [
        np.bincount(cell, weights=fit.posterior[labels.item, truth], minlength=labels.classes)
        for truth in range(labels.classes)
    ]
    counts = np.stack(columns) + np.eye(labels.classes) + 0.1
    return np.asarray(counts / counts.sum(axis=1, keepdims=True), dtype=np.float64)
