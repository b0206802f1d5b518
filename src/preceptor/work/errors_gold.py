"""Refusals about known answers, challenges and practice."""

from preceptor.kit.errors import AppError, Invalid, Kind


class WordsNeeded(Invalid):
    """Say what is wrong with the known answer in at least 20 characters, so that somebody can look at exactly that."""

    code = "words_needed"


class ChallengeTooLate(AppError):
    """The time to challenge this known answer is over."""

    code = "challenge_too_late"
    kind: Kind = "gone"


class AlreadyChallenged(AppError):
    """You have challenged this known answer already, in other words. It is looked at once."""

    code = "already_challenged"


class ChallengeDecided(AppError):
    """This challenge has been decided already."""

    code = "challenge_decided"


class ConcernedYourself(AppError):
    """You have answered this task yourself. Somebody who has not decides whether its known answer is right."""

    code = "own_case"
    kind: Kind = "forbidden"


class KeyUnusable(Invalid):
    """This cannot be the known answer: it does not say what is right."""

    code = "key_unusable"


class KeyUnchanged(Invalid):
    """That is the known answer already. Dismiss the challenge, or give the answer that is right."""

    code = "key_unchanged"


class PractisedOn(AppError):
    """People have practised on this task and know its answer, so it cannot check anybody any more."""

    code = "practised_on"


class NothingToPractiseOn(Invalid):
    """Too few gold tasks are out of the mix for anybody to practise here. Retire some for practice first."""

    code = "nothing_to_practise_on"
