"""Refusals about suggestions."""

from preceptor.kit.errors import AppError, Invalid, Kind


class NothingSuggested(AppError):
    """No suggestion was shown with this task, so there is none to use. Answer it as it is."""

    code = "nothing_suggested"
    kind: Kind = "not_found"


class BlindShareOutOfRange(Invalid):
    """The blind share lies between 5 and 90 percent of the tasks: without one, nobody knows what suggestions do."""

    code = "blind_share_out_of_range"


class NoSuggestionsInFiles(Invalid):
    """Tasks of this kind bring no model's answer along. Let an AI judge suggest instead."""

    code = "no_suggestions_in_files"


class JudgeNeeded(Invalid):
    """Name the AI judge of this project that suggests; one that is retired cannot."""

    code = "suggesting_judge_needed"
