"""The web application: API and pages over one runtime."""

import logging
import secrets
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import DataError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

import preceptor
from preceptor import api, web
from preceptor.cli.worker import register_jobs
from preceptor.http.assets import StaticAssets
from preceptor.http.edge import guard_csrf
from preceptor.http.limits import BodyLimit
from preceptor.http.problems import STATUS, problem
from preceptor.kit.errors import AppError, Invalid, Kind, NotFound
from preceptor.kit.runtime import Runtime, start_runtime
from preceptor.kit.settings import Mode, Settings
from preceptor.web.errors import error_page

log = logging.getLogger("preceptor")

STATIC = Path(web.__file__).parent / "static"
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self' data: blob: https:",
        "media-src 'self' blob: https:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "manifest-src 'self'",
    ]
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def create_app(runtime: Runtime | None = None) -> FastAPI:
    """The ASGI application; without a runtime it reads PRECEPTOR_* settings."""
    runtime = runtime or start_runtime(Settings())
    register_jobs()  # services defer jobs by name
    app = FastAPI(
        title="Preceptor",
        version=preceptor.__version__,
        summary="The open, self-hosted human-data platform.",
        description=api.DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        routes=list(_routes(runtime.settings.mode)),
    )
    app.state.runtime = runtime
    app.state.signing_key = runtime.settings.signing_key()
    app.mount("/static", StaticAssets(STATIC), name="static")
    _answer_errors(app)
    app.add_middleware(BodyLimit, settings=runtime.settings)
    app.add_middleware(Headers)
    return app


@cache
def _routes(mode: Mode) -> tuple[BaseRoute, ...]:
    """The routes of every router. FastAPI works out what each of the 400 asks for when it is first needed, which takes
    a third of a second; as nothing of it belongs to one application, all those of a process share it."""
    found = APIRouter()
    for router in api.routers():
        found.include_router(router, dependencies=[Depends(guard_csrf)])
    for router in web.routers(mode):
        found.include_router(router, dependencies=[Depends(guard_csrf)], include_in_schema=False)
    return tuple(found.routes)


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(AppError)
    async def refused(request: Request, error: AppError) -> Response:
        return _answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        problems = [
            {"path": ".".join(str(step) for step in detail["loc"]), "message": str(detail["msg"])}
            for detail in error.errors()[:50]
        ]
        first = f"{problems[0]['path']}: {problems[0]['message']}" if problems else "The request is malformed."
        return _answer(request, Invalid(first, problems))

    @app.exception_handler(HTTPException)
    async def unrouted(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return _answer(request, NotFound("page"))
        return _answer(request, Invalid(str(error.detail)), error.status_code)

    @app.exception_handler(DataError)
    async def unstorable(request: Request, error: DataError) -> Response:
        # PostgreSQL's class 22: a value of the request that no column can hold. Nothing was written.
        log.warning("%s %s sent what cannot be stored: %s", request.method, request.url.path, type(error.orig))
        return _answer(request, Invalid(UNSTORABLE))

    @app.exception_handler(OperationalError)
    @app.exception_handler(NoConnectionFree)
    async def away(request: Request, error: SQLAlchemyError) -> Response:
        # The database restarts, or a lock did not come in time. Nothing was written: asking again is safe.
        log.warning("the database could not answer %s %s: %s", request.method, request.url.path, type(error.__cause__))
        answer = _answer(request, DatabaseAway())
        answer.headers["Retry-After"] = "2"
        return answer

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> Response:
        number = secrets.token_hex(4)
        log.exception("bug %s in %s %s", number, request.method, request.url.path, exc_info=error)
        told = Bug(f"Something broke on our side. Nothing of yours was lost. Number {number}.")
        return _answer(request, told, 500)


UNSTORABLE = (
    "Something in this cannot be stored: a NUL character, half of a surrogate pair, or a number that is too large."
)


class DatabaseAway(AppError):
    """The database does not answer at the moment. What was saved is safe; try again in a few seconds."""

    code = "database_away"
    kind: Kind = "unavailable"


class Bug(AppError):
    """Something broke on our side."""

    code = "internal_error"


def _answer(request: Request, error: AppError, status: int | None = None) -> Response:
    """A problem document for API and scripts, a page or fragment for people. `status` overrides that of the kind."""
    path = request.url.path
    wants_json = path.startswith(("/api/", "/ls/")) or "json" in request.headers.get("accept", "")
    if wants_json:
        return problem(error, status)
    if error.kind == "unauthenticated" and request.method == "GET" and "hx-request" not in request.headers:
        return RedirectResponse(f"/sign-in?next={path}", status_code=303)
    return error_page(request, error, status or STATUS[error.kind])


class Headers:
    """Adds the security headers to every answer; pure ASGI, because it runs on each request."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app
        self.headers = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]

    async def __call__(self, scope: dict[str, object], receive: object, send: Callable[..., Awaitable[None]]) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}  # type: ignore[attr-defined]
                added = [pair for pair in self.headers if pair[0] not in present]
                message["headers"] = [*message["headers"], *added]  # type: ignore[misc]
            await send(message)

        await self.app(scope, receive, send_with_headers)
