"""Comparisons and rankings: strengths with ties, biases of comparisons, reliable people, and the chance of a vote."""

from preceptor.quality.pairwise.bradley_terry import Coefficient, Strengths, bradley_terry
from preceptor.quality.pairwise.choice import Choice, choose
from preceptor.quality.pairwise.comparisons import LEFT, RIGHT, TIE, BadComparisons, Comparisons, Contests
from preceptor.quality.pairwise.effects import Effect
from preceptor.quality.pairwise.plackett_luce import Rankings, plackett_luce
from preceptor.quality.pairwise.rater_aware import CrowdStrengths, crowd_bradley_terry
from preceptor.quality.pairwise.votes import Scale, VoteModel, decided, fit_votes, hide_one

__all__ = [
    "LEFT",
    "RIGHT",
    "TIE",
    "BadComparisons",
    "Choice",
    "Coefficient",
    "Comparisons",
    "Contests",
    "CrowdStrengths",
    "Effect",
    "Rankings",
    "Scale",
    "Strengths",
    "VoteModel",
    "bradley_terry",
    "choose",
    "crowd_bradley_terry",
    "decided",
    "fit_votes",
    "hide_one",
    "plackett_luce",
]
