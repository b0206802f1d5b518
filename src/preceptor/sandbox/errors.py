"""Why a program was not run."""

from preceptor.kit.errors import AppError, Invalid, Kind


class SandboxUnavailable(AppError):
    """Code is not run here, because this machine cannot isolate it. `preceptor doctor` says what is missing."""

    code = "sandbox_unavailable"
    kind: Kind = "unavailable"


class LanguageMissing(Invalid):
    """This language is not installed here."""

    code = "language_missing"


class ProgramRefused(Invalid):
    """This program cannot be run."""

    code = "program_refused"
