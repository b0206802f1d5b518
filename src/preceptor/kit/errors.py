"""Refusals in domain words. Domains know no HTTP; `api` and `web` map `kind` in one place each."""

from typing import Literal

Kind = Literal["not_found", "forbidden", "unauthenticated", "conflict", "invalid", "limited", "unavailable", "gone"]


class AppError(Exception):
    """Something was refused."""

    code = "refused"
    kind: Kind = "conflict"

    def __init__(self, message: str | None = None, **fields: object) -> None:
        self.message = message or (type(self).__doc__ or "Refused.").strip().splitlines()[0]
        self.fields = fields
        super().__init__(self.message)


class NotFound(AppError):
    """There is nothing here, or it is not yours to see."""

    code = "not_found"
    kind: Kind = "not_found"

    def __init__(self, what: str = "page") -> None:
        super().__init__(f"This {what.replace('_', ' ')} does not exist, or it is not yours to see.", what=what)


class Forbidden(AppError):
    """You are signed in, but this needs a role that you do not have."""

    code = "forbidden"
    kind: Kind = "forbidden"


class Invalid(AppError):
    """Something in what you sent cannot be used."""

    code = "invalid"
    kind: Kind = "invalid"

    def __init__(self, message: str | None = None, problems: list[dict[str, str]] | None = None, **fields: object):
        super().__init__(message, **fields)
        self.problems = problems or []


class Limited(AppError):
    """Too many tries. Wait a moment and try again."""

    code = "rate_limited"
    kind: Kind = "limited"

    def __init__(self, message: str | None = None, *, retry_after_seconds: int = 60) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds
