"""Refusals over HTTP: `kind` becomes a status here, and nowhere else; RFC 9457 problem documents."""

import json
from collections.abc import Mapping

from fastapi.responses import JSONResponse

from preceptor.kit.errors import AppError, Invalid, Kind, Limited

STATUS: Mapping[Kind, int] = {
    "not_found": 404,
    "forbidden": 403,
    "unauthenticated": 401,
    "conflict": 409,
    "invalid": 422,
    "limited": 429,
    "unavailable": 503,
    "gone": 410,
}


class Problem(JSONResponse):
    media_type = "application/problem+json"

    def render(self, content: object) -> bytes:
        # What is refused is often quoted, and may be text that is no Unicode.
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def problem(error: AppError, status: int | None = None) -> Problem:
    """An `AppError` as a problem document: `code` is stable, `detail` is for people, extra fields follow.

    `status` is for the few that HTTP itself has a number for; else `kind` decides.
    """
    status = status or STATUS[error.kind]
    body: dict[str, object] = {
        "type": f"/docs/errors#{error.code}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": status,
        "code": error.code,
        "detail": error.message,
        **{name: str(value) for name, value in error.fields.items()},
    }
    if isinstance(error, Invalid) and error.problems:
        body["problems"] = error.problems
    headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, Limited) else None
    return Problem(body, status_code=status, headers=headers)
