"""Refusals about decisions against people."""

from preceptor.kit.errors import AppError, Invalid, Kind


class HumanNeeded(AppError):
    """Nothing adverse happens to a person without a human who decided it. The system only shows evidence."""

    code = "human_needed"
    kind: Kind = "forbidden"


class DecidesAboutThemselves(AppError):
    """Nobody decides about themselves. Somebody else has to look at this."""

    code = "own_case"
    kind: Kind = "forbidden"


class StatementNeeded(Invalid):
    """A decision against a person says why, in words that the person can act on."""

    code = "statement_needed"


class AppealTooLate(AppError):
    """The time to appeal this decision is over."""

    code = "appeal_too_late"
    kind: Kind = "gone"


class AlreadyAppealed(AppError):
    """This decision has been appealed already, in other words. A decision is looked at again once."""

    code = "already_appealed"


class WordsNeeded(Invalid):
    """Say what is wrong about the decision, so that somebody else can look at exactly that."""

    code = "words_needed"


class DecidedFirst(AppError):
    """You made the decision that is appealed. Somebody else decides whether it stands."""

    code = "decided_first"
    kind: Kind = "forbidden"


class AppealDecided(AppError):
    """This appeal has been decided already."""

    code = "appeal_decided"
