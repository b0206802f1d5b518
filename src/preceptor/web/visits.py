"""Cookies, addresses and forms that the account pages share."""

from fastapi import Request
from fastapi.responses import Response

from preceptor.http.edge import COOKIE
from preceptor.kit.errors import AppError, Invalid
from preceptor.kit.settings import Settings
from preceptor.people.service.sessions import Visit


def visit_of(request: Request) -> Visit:
    """Which browser asks, from where. Behind a trusted proxy the address is the one it reports."""
    return Visit(request.headers.get("user-agent"), request.client.host if request.client else None)


def keep_signed_in(response: Response, settings: Settings, secret: str) -> Response:
    """Hand the session's secret to the browser: not for scripts, not for other sites."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=settings.session_days * 86400,
        httponly=True,
        samesite="lax",
        secure=settings.base_url.startswith("https://"),
    )
    return response


def safe_path(path: str | None) -> str:
    """Where to go next, if that is a page of ours; else the start page. A redirect never leaves the site."""
    if path is None or not path.startswith("/") or path[1:2] in ("/", "\\") or not path.isprintable():
        return "/"
    return path


def field_errors(error: AppError) -> dict[str, str]:
    """Messages by form field; what belongs to no field stands under "form"."""
    problems = error.problems if isinstance(error, Invalid) else []
    return {problem["path"]: problem["message"] for problem in problems} or {"form": error.message}
