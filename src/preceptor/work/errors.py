"""Refusals about work."""

from preceptor.kit.errors import AppError, Invalid, Kind


class NoWorkLeft(AppError):
    """There is no task left for you in this project right now. New tasks appear here as they come in."""

    code = "no_work_left"
    kind: Kind = "not_found"


class NotFunded(AppError):
    """The client has to add money before more tasks can be claimed. Work that you have finished is not affected."""

    code = "not_funded"


class ProjectNotOpen(AppError):
    """This project takes no new claims at the moment. Work that you have open can still be finished."""

    code = "project_not_open"


class NotQualified(AppError):
    """This project asks for a qualification that you do not hold. Take its entry test to earn it."""

    code = "not_qualified"
    kind: Kind = "forbidden"


class ContentNotChosen(AppError):
    """This project's material may show things that you have not chosen to see."""

    code = "content_not_chosen"
    kind: Kind = "forbidden"


class ContentLimitReached(AppError):
    """You have seen as much of this content today as you chose in your settings. It goes on tomorrow (UTC)."""

    code = "content_limit_reached"
    kind: Kind = "limited"


class NotJoined(AppError):
    """Join the project first."""

    code = "not_joined"
    kind: Kind = "forbidden"


class TaskTaken(AppError):
    """This task is not free: enough people have it, or you have judged it already."""

    code = "task_taken"


class AnotherTaskOpen(AppError):
    """You hold another task of this project. Submit it, or give it back, before you take this one."""

    code = "another_task_open"


class LeaseOver(AppError):
    """Your lease has ended and the task went back to the queue. Your draft is kept and returns if you get it again."""

    code = "lease_over"
    kind: Kind = "gone"


class ClaimEnded(AppError):
    """This task is no longer open for you."""

    code = "claim_ended"
    kind: Kind = "gone"


class TooAlike(Invalid):
    """This text is too like another one of the project. Change what makes them alike, not only the words."""

    code = "too_alike"

    def __init__(self, percent: int, whose: str) -> None:
        other = {"yours": "one of your own", "material": "one that came with the project"}.get(whose, "someone else's")
        share = "is the same as" if percent >= 100 else f"has {percent} % in common with"
        super().__init__(f"Your text {share} {other}. Change what makes them alike, not only the words.")


class AlreadySubmitted(AppError):
    """You have submitted a different answer to this task already. The first one counts."""

    code = "already_submitted"


class Incomplete(Invalid):
    """The answer is not complete."""

    code = "incomplete_answer"


class OwnWork(AppError):
    """Nobody reviews their own work."""

    code = "own_work"
    kind: Kind = "forbidden"


class AlreadyDecided(AppError):
    """This submission has been decided already."""

    code = "already_decided"


class NothingToReview(AppError):
    """No submission waits for review right now."""

    code = "nothing_to_review"
    kind: Kind = "not_found"


class UnderReview(AppError):
    """Somebody else has this submission open. Take the next one."""

    code = "under_review"


class ReasonNeeded(Invalid):
    """A decision against a person needs its reasons."""

    code = "reason_needed"
