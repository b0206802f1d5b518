"""What every page shares: templates, the shell around them, flash messages, redirects after a change."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from uuid import UUID

import jinja2
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import preceptor
from preceptor.http.edge import Ask, CurrentRuntime, MaybeSignedIn, csrf_token_of, require_signed_in
from preceptor.kit.errors import Forbidden
from preceptor.kit.events import Actor
from preceptor.kit.ids import show_id
from preceptor.kit.markdown import Sign, render_markdown
from preceptor.kit.money import Money
from preceptor.media.service import signer
from preceptor.people.identify import SignedIn
from preceptor.web.assets import asset, element_asset
from preceptor.web.kind_scripts import brought

T = TypeVar("T")

FLASH_COOKIE = "preceptor_flash"
Tone = Literal["success", "info", "warning", "error"]
OUTBOX = "/operator/outbox"
ROLES = ("operator", "client", "reviewer", "contributor")


@dataclass(frozen=True)
class NavItem:
    href: str
    label: str
    icon: str
    active: bool = False
    count: int | None = None


@dataclass(frozen=True)
class RoleChoice:
    key: str
    label: str
    active: bool
    detail: str | None = None


@dataclass(frozen=True)
class Flash:
    kind: str
    text: str
    href: str | None = None
    link_label: str | None = None


@dataclass(frozen=True)
class Shell:
    """What base.html needs around every page."""

    person_name: str | None
    person_email: str | None
    roles: tuple[RoleChoice, ...]
    nav: tuple[NavItem, ...]
    csrf_token: str
    mode: str
    flash: tuple[Flash, ...]
    home_url: str
    account_nav: tuple[NavItem, ...]
    role_url: str = "/role"
    sign_out_url: str = "/sign-out"
    search_url: str | None = None
    inbox_url: str | None = None
    unread: int = 0
    version: str = preceptor.__version__

    @property
    def active_role(self) -> str | None:
        return next((role.key for role in self.roles if role.active), None)

    @property
    def demo_mode(self) -> bool:
        return self.mode == "demo"


NAV: dict[str, tuple[tuple[str, str, str], ...]] = {
    "contributor": (
        ("/home", "Home", "house"),
        ("/board", "Projects", "layout-grid"),
        ("/results", "Results", "clipboard-check"),
        ("/skills", "Skills", "target"),
        ("/earnings", "Earnings", "wallet"),
        ("/tests", "Tests", "graduation-cap"),
    ),
    "client": (
        ("/projects", "Projects", "folder"),
        ("/money", "Money", "wallet"),
        ("/models", "Models", "brain"),
        ("/tests/manage", "Entry tests", "graduation-cap"),
        ("/appeals", "Appeals", "gavel"),
        ("/organization", "Organization", "building-2"),
    ),
    "reviewer": (
        ("/review", "Review", "list-checks"),
        ("/review/done", "My decisions", "history"),
        ("/appeals", "Appeals", "gavel"),
    ),
    "operator": (
        ("/operator/people", "People", "users"),
        ("/operator/evidence", "Evidence", "gauge"),
        ("/appeals", "Appeals", "gavel"),
        ("/operator/money", "Money", "landmark"),
        ("/operator/jobs", "Jobs", "activity"),
        ("/operator/events", "Events", "scroll-text"),
        (OUTBOX, "Outbox", "mail"),
    ),
}


ACCOUNT_NAV = (NavItem("/settings", "Settings", "settings"),)
ROLE_LABELS = {"operator": "Operator", "client": "Client", "reviewer": "Reviewer", "contributor": "Contributor"}


def roles_of(signed_in: SignedIn) -> tuple[str, ...]:
    """The hats this person may wear in the pages, in the order of `ROLES`."""
    held = set(signed_in.actor.roles) | ({"client"} if signed_in.actor.org_roles else set())
    return tuple(role for role in ROLES if role in held)


def active_role(signed_in: SignedIn) -> str | None:
    """The hat worn now: the chosen one while it is still held, else the first."""
    roles = roles_of(signed_in)
    return signed_in.active_role if signed_in.active_role in roles else next(iter(roles), None)


def home_of(role: str | None) -> str:
    """Where the pages of a role start; settings for somebody who has no role yet."""
    return NAV[role][0][0] if role in NAV else "/settings"


def _nav(role: str | None, path: str, mode: str) -> tuple[NavItem, ...]:
    # A normal installation sends its mail and has no outbox page.
    items = [item for item in NAV.get(role or "", ()) if mode != "normal" or item[0] != OUTBOX]
    best = max((href for href, _, _ in items if path == href or path.startswith(href + "/")), key=len, default=None)
    return tuple(NavItem(href, label, icon, href == best) for href, label, icon in items)


def _clock(value: datetime) -> str:
    return value.strftime("%H:%M")


def _day(value: datetime) -> str:
    return value.strftime("%-d %b %Y")


def _iso(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def make_environment() -> jinja2.Environment:
    """Autoescaped templates; a missing variable is an error, not an empty space."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        asset=asset, element_asset=element_asset, brought_elements=brought, show_id=show_id, Money=Money
    )
    environment.filters.update(markdown=render_markdown, clock=_clock, day=_day, iso=_iso)
    return environment


TEMPLATES = make_environment()


class Pages:
    """Renders templates for one request: the shell is made once, from who asks."""

    def __init__(self, request: Request, runtime: CurrentRuntime, signed_in: MaybeSignedIn) -> None:
        self.request = request
        self.runtime = runtime
        self.signed_in = signed_in

    def show(self, template: str, *, status: int = 200, **context: object) -> HTMLResponse:
        """A whole page (or a fragment whose template does not extend base.html)."""
        response = HTMLResponse(self.text(template, **context), status_code=status)
        if FLASH_COOKIE in self.request.cookies:
            response.delete_cookie(FLASH_COOKIE)
        return response

    def text(self, template: str, **context: object) -> str:
        return TEMPLATES.get_template(template).render(shell=self.shell(), request=self.request, **context)

    def sign(self, org_id: UUID) -> Sign:
        """Makes addresses that open out of `media:` addresses, for this organization's files and whoever asks."""
        person_id = self.signed_in.actor.person_id if self.signed_in else None
        return signer(self.request.app.state.signing_key, org_id, person_id, self.runtime.clock.now())

    def shell(self) -> Shell:
        role = active_role(self.signed_in) if self.signed_in else None
        held = roles_of(self.signed_in) if self.signed_in else ()
        return Shell(
            person_name=self.signed_in.actor.name if self.signed_in else None,
            person_email=self.signed_in.email if self.signed_in else None,
            roles=tuple(RoleChoice(each, ROLE_LABELS[each], each == role) for each in held),
            nav=_nav(role, self.request.url.path, self.runtime.settings.mode),
            csrf_token=csrf_token_of(self.request),
            mode=self.runtime.settings.mode,
            flash=read_flash(self.request),
            home_url=home_of(role) if self.signed_in else "/",
            account_nav=ACCOUNT_NAV,
            search_url="/search.json" if self.signed_in else None,
        )


Page = Annotated[Pages, Depends(Pages, scope="function")]


class AskedPages:
    """A page's change that takes many locks: its transaction is run again where the database had to end it.

    Like `http.edge.Ask`, for people at their pages. Not beside `Db` or `Page`, whose transaction is another one.
    """

    def __init__(self, request: Request, runtime: CurrentRuntime, ask: Ask) -> None:
        self._request = request
        self._runtime = runtime
        self._ask = ask

    def do(self, role: str, scope: str, work: Callable[[Session, Pages, SignedIn, datetime], T]) -> T:
        """The result of `work`, done by whoever asks (who needs role and scope) and committed."""

        def in_role(session: Session, actor: Actor, now: datetime) -> T:
            signed_in: SignedIn = self._request.state.signed_in
            if role not in roles_of(signed_in):
                raise WrongRole
            return work(session, Pages(self._request, self._runtime, signed_in), signed_in, now)

        return self._ask.do(scope, in_role)


AskPage = Annotated[AskedPages, Depends(AskedPages, scope="function")]


def go(path: str, flash: str | None = None, *, tone: Tone = "success") -> Response:
    """Redirect after a change (303), with an optional message on the next page."""
    response = RedirectResponse(path, status_code=303)
    if flash is not None:
        packed = base64.urlsafe_b64encode(json.dumps({"tone": tone, "text": flash}).encode()).decode()
        response.set_cookie(FLASH_COOKIE, packed, max_age=60, httponly=True, samesite="lax")
    return response


def read_flash(request: Request) -> tuple[Flash, ...]:
    packed = request.cookies.get(FLASH_COOKIE)
    if packed is None:
        return ()
    try:
        message = json.loads(base64.urlsafe_b64decode(packed))
        return (Flash(str(message["tone"]), str(message["text"])[:500]),)
    except (ValueError, KeyError, TypeError):
        return ()


class WrongRole(Forbidden):
    """This page belongs to another role. Switch roles in the menu at the top right."""

    code = "wrong_role"


def _require(role: str) -> object:
    async def check(signed_in: Annotated[SignedIn, Depends(require_signed_in, scope="function")]) -> SignedIn:
        if role not in roles_of(signed_in):
            raise WrongRole
        return signed_in

    return Depends(check, scope="function")


Operator = Annotated[SignedIn, _require("operator")]
Client = Annotated[SignedIn, _require("client")]
Reviewer = Annotated[SignedIn, _require("reviewer")]
Contributor = Annotated[SignedIn, _require("contributor")]
