"""A refusal as a page, or as a fragment when htmx asked."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from preceptor.kit.errors import AppError, Invalid, Limited
from preceptor.web.pages import Pages


def error_page(request: Request, error: AppError, status: int) -> HTMLResponse:
    """Names the reason and the next step; htmx gets the panel alone."""
    template = "error_fragment.html" if "hx-request" in request.headers else "error.html"
    problems = error.problems if isinstance(error, Invalid) else []
    pages = Pages(request, request.app.state.runtime, getattr(request.state, "signed_in", None))
    page = pages.show(template, status=status, error=error, problems=problems, code=error.code, message=error.message)
    if isinstance(error, Limited):
        page.headers["Retry-After"] = str(error.retry_after_seconds)
    return page
