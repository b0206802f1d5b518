"""Refusals of dataset releases."""

from preceptor.kit.errors import AppError, Kind


class NothingToRelease(AppError):
    """This project has no judgments and no imported answers yet. Release it when people have judged something."""

    code = "nothing_to_release"


class NotFitted(AppError):
    """This project has not been fitted yet, so there is no posterior to decide by. Decide by majority, or fit it."""

    code = "not_fitted"


class ReleaseNotReady(AppError):
    """This release is still being built, or its build failed. Look at it again in a moment, or build a new one."""

    code = "release_not_ready"


class FolderNotEmpty(AppError):
    """This folder has files in it already. Name a new or empty folder."""

    code = "folder_not_empty"
    kind: Kind = "invalid"
