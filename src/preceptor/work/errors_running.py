"""Refusals about runs of code."""

from preceptor.kit.errors import AppError, Invalid, Kind, Limited


class NothingToRun(Invalid):
    """There is nothing to run here."""

    code = "nothing_to_run"


class NotRunnable(AppError):
    """This kind of work runs no code."""

    code = "not_runnable"
    kind: Kind = "not_found"


class RunUnderWay(Limited):
    """Your last run is still going on. Wait for it, then run again."""

    code = "run_under_way"
