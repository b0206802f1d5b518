"""Pages for everybody: search behind Ctrl-K, the Markdown preview, the manual, the API reference, the style page."""

import re
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from preceptor.http.edge import Db, Known, Now
from preceptor.kit.ids import show_id
from preceptor.kit.markdown import render_markdown
from preceptor.people.access import require_operator
from preceptor.people.identify import SignedIn
from preceptor.people.queries import PeopleWanted
from preceptor.people.service import directory
from preceptor.projects import access as projects
from preceptor.projects.service import overview
from preceptor.projects.settings import GUIDELINES_CHARACTERS_MAX
from preceptor.web import manual, reference
from preceptor.web.pages import NAV, OUTBOX, Page, Pages, active_role
from preceptor.work import access as work

router = APIRouter()
demo_router = APIRouter()

HITS_MAX = 8
"""Of each kind; the palette is for jumping, lists are for reading."""
_PREVIEW_PLACE = re.compile(r"#f-([A-Za-z0-9_]+)-preview\Z")
ROBOTS = "User-agent: *\nDisallow: /\nAllow: /docs\n"


class Hit(TypedDict):
    """One line of the palette."""

    href: str
    label: str
    kind: str
    detail: str


# --- Search


@router.get("/search.json")
def search(page: Page, session: Db, known: Known, q: Annotated[str, Query(max_length=200)] = "") -> list[Hit]:
    """Pages of the active role, then projects and people that one may see, each through its own door."""
    words = q.strip()
    role = active_role(known)
    hits = [*_pages(page, role, words), *(_rows(session, known, role, words) if words or role == "client" else [])]
    return [*hits, *_manual(words)] if words else hits


def _fits(words: str, text: str) -> bool:
    return all(word in text.lower() for word in words.lower().split())


def _pages(page: Pages, role: str | None, words: str) -> list[Hit]:
    shown = [item for item in NAV.get(role or "", ()) if page.runtime.settings.mode != "normal" or item[0] != OUTBOX]
    known = [(href, label) for href, label, _ in shown] + [("/settings", "Settings"), ("/docs", "Manual")]
    return [Hit(href=href, label=label, kind="Page", detail="") for href, label in known if _fits(words, label)]


def _rows(session: Session, known: SignedIn, role: str | None, words: str) -> list[Hit]:
    match role:
        case "operator":
            return _people(session, known, words)
        case "client":
            return _client_projects(session, known, words)
        case "contributor":
            return _board(session, known, words)
        case "reviewer":
            return _reviewed(session, known, words)
        case _:
            return []


def _people(session: Session, known: SignedIn, words: str) -> list[Hit]:
    require_operator(known.actor)
    found = directory.list_people(session, known.actor, PeopleWanted(words, "all", None, HITS_MAX)).people
    return [
        Hit(href=f"/operator/people/{show_id('person', each.id)}", label=each.name, kind="Person", detail=each.email)
        for each in found
    ]


def _client_projects(session: Session, known: SignedIn, words: str) -> list[Hit]:
    found = overview.project_cards(session, known.actor, search=words, limit=HITS_MAX).cards
    return [
        Hit(
            href=f"/projects/{show_id('project', card.project.id)}",
            label=card.project.title,
            kind="Project",
            detail=card.project.state.value,
        )
        for card in found
    ]


def _board(session: Session, known: SignedIn, words: str) -> list[Hit]:
    found = [entry.project for entry in projects.board(session, known.actor) if _fits(words, entry.project.title)]
    return [
        Hit(href=f"/board/{show_id('project', each.id)}", label=each.title, kind="Project", detail="")
        for each in found[:HITS_MAX]
    ]


def _reviewed(session: Session, known: SignedIn, words: str) -> list[Hit]:
    found = [each for each in work.reviewable_projects(session, known.actor) if _fits(words, each.title)]
    return [
        Hit(href=f"/review/{show_id('project', each.id)}/next", label=each.title, kind="Review", detail="next one")
        for each in found[:HITS_MAX]
    ]


def _manual(words: str) -> list[Hit]:
    found = [entry for entry in manual.entries() if _fits(words, entry.title)]
    return [Hit(href=f"/docs/{entry.slug}", label=entry.title, kind="Manual", detail="") for entry in found[:HITS_MAX]]


# --- Markdown


@router.post("/markdown/preview")
async def preview(request: Request, _known: Known) -> Response:
    """What a Markdown field of a form would look like: the fragment that its Preview tab shows.

    htmx sends the whole form and names the place of the preview, which is named after the field; else `text` is shown.
    Scripts that show messages ask `/preview`.
    """
    form = await request.form(max_fields=500)
    place = _PREVIEW_PLACE.search(request.headers.get("hx-target", ""))
    given = form.get(place[1]) if place is not None else form.get("text")
    text = given if isinstance(given, str) else ""
    if not text.strip():
        return HTMLResponse('<p class="text-muted">Nothing to show yet.</p>')
    if len(text) > GUIDELINES_CHARACTERS_MAX:
        words = f"The text is longer than {GUIDELINES_CHARACTERS_MAX:,} characters."
        return HTMLResponse(f'<p class="text-harm-ink">{words}</p>')
    return HTMLResponse(render_markdown(text))


# --- The manual


@router.get("/docs")
def show_index(page: Page) -> Response:
    return _show(page, manual.INDEX)


@router.get("/docs/errors")
def show_errors(page: Page, request: Request) -> Response:
    """Every refusal by its code; the API's problem documents lead here."""
    found = reference.refusals()
    return page.show("docs/errors.html", refusals=found, entries=manual.entries(), at="errors")


@router.get("/docs/api")
def show_api(page: Page, request: Request) -> Response:
    """The API reference, made from the OpenAPI document."""
    return page.show(
        "docs/api.html",
        groups=reference.groups(request.app.openapi()),
        about=request.app.description,
        base_url=page.runtime.settings.base_url,
        entries=manual.entries(),
        at="api",
    )


@router.get("/docs/{slug:path}")
def show_manual(page: Page, slug: str) -> Response:
    if slug.endswith(tuple(manual.PICTURES)):
        data, media_type = manual.picture(slug)
        return Response(data, media_type=media_type, headers={"Cache-Control": "public, max-age=3600"})
    return _show(page, slug.removesuffix(".md"))


def _show(page: Pages, slug: str) -> Response:
    found = manual.find(slug) if slug == manual.INDEX else manual.read(slug)
    return page.show("docs/page.html", manual=found, entries=manual.entries(), at=slug)


@router.get("/robots.txt")
def robots() -> Response:
    """Nothing but the manual is for search engines."""
    return PlainTextResponse(ROBOTS)


# --- The style page


@demo_router.get("/styleguide")
def show_style(page: Page, _known: Known, now: Now) -> Response:
    return page.show("styleguide.html", now=now)


@demo_router.post("/styleguide")
def send_style(page: Page, _known: Known, now: Now, title: Annotated[str, Form()] = "") -> Response:
    return page.show("styleguide.html", now=now)
