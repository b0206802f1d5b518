"""Refusals of entry tests, in domain words."""

from datetime import datetime

from preceptor.kit.errors import AppError, Forbidden, Invalid, Kind


class AlreadyQualified(AppError):
    """You hold this qualification already, so there is no need to take the test again."""

    code = "already_qualified"


class NoAttemptsLeft(AppError):
    """You have used all attempts of this test."""

    code = "no_attempts_left"

    def __init__(self, attempts_max: int) -> None:
        super().__init__(
            f"You have used all {attempts_max} attempts of this test. Practice stays open to you.",
            attempts_max=attempts_max,
        )


class TooSoon(AppError):
    """The next attempt opens later."""

    code = "attempt_too_soon"
    kind: Kind = "conflict"

    def __init__(self, opens_at: datetime) -> None:
        super().__init__(
            f"The next attempt opens on {opens_at:%-d %B %Y at %H:%M} UTC. Until then you can practice.",
            opens_at=opens_at.isoformat(),
        )


class AttemptOver(AppError):
    """This attempt is over. See its result."""

    code = "attempt_over"


class TimeIsUp(AttemptOver):
    """The time of this attempt has run out. What you answered in time counts; see the result."""

    code = "attempt_time_is_up"


class AnsweredAlready(AppError):
    """You have answered this question already, and an answer given in a test stays."""

    code = "answered_already"


class NotShownYet(AppError):
    """This question has not been shown to you yet. Ask for the current question first."""

    code = "question_not_shown"


class AnswerIncomplete(Invalid):
    """This answer is not complete yet. See what is missing."""

    code = "answer_incomplete"


class BadAssessment(Invalid):
    """This test cannot work as it is. See the problems."""

    code = "bad_assessment"


class AssessmentRetired(AppError):
    """This test is no longer given."""

    code = "assessment_retired"


class ContributorsOnly(Forbidden):
    """Tests are for contributors with a confirmed e-mail address. Check your settings."""

    code = "contributors_only"
