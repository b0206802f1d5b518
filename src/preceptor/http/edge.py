"""The edge of a request: its runtime, its transaction, its time and who asks.

`Db` commits when the endpoint returns and before the response is sent, so an answer that says "saved" is true.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from preceptor.kit.db import run_in_transaction
from preceptor.kit.errors import Forbidden
from preceptor.kit.events import Actor
from preceptor.kit.runtime import Runtime
from preceptor.people import identify
from preceptor.people.identify import NotSignedIn, SignedIn

T = TypeVar("T")

COOKIE = "preceptor_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossSite(Forbidden):
    """This request did not come from one of our pages. Reload the page and try again."""

    code = "cross_site"


async def get_runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


async def get_now(request: Request) -> datetime:
    runtime: Runtime = request.app.state.runtime
    return runtime.clock.now()


def get_session(request: Request) -> Iterator[Session]:
    runtime: Runtime = request.app.state.runtime
    with runtime.sessions() as session, session.begin():
        yield session


async def get_signing_key(request: Request) -> bytes:
    key: bytes = request.app.state.signing_key
    return key


CurrentRuntime = Annotated[Runtime, Depends(get_runtime)]
SigningKey = Annotated[bytes, Depends(get_signing_key)]
Now = Annotated[datetime, Depends(get_now)]
Db = Annotated[Session, Depends(get_session, scope="function")]


def get_signed_in(request: Request, session: Db, now: Now) -> SignedIn | None:
    """Who asks, by API key or cookie; None for nobody. A bad key is refused rather than treated as nobody."""
    found = request.state.signed_in = _find_signed_in(request, session, now)
    return found


def _find_signed_in(request: Request, session: Session, now: datetime) -> SignedIn | None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    # `Token` is how clients of Label Studio send their key.
    if scheme.lower() in ("bearer", "token") and secret:
        found: SignedIn | None = identify.by_api_key(session, secret.strip(), now=now)
    else:
        cookie = request.cookies.get(COOKIE)
        found = identify.by_session(session, cookie, now=now) if cookie else None
    if found is not None:
        identify.note_seen(session, found, now=now)
    return found


MaybeSignedIn = Annotated[SignedIn | None, Depends(get_signed_in, scope="function")]


async def require_signed_in(signed_in: MaybeSignedIn) -> SignedIn:
    if signed_in is None:
        raise NotSignedIn
    return signed_in


Known = Annotated[SignedIn, Depends(require_signed_in, scope="function")]


async def get_actor(signed_in: Known) -> Actor:
    return signed_in.actor


CurrentActor = Annotated[Actor, Depends(get_actor, scope="function")]


class Asked:
    """A request whose endpoint opens its transaction itself: for what many people do at once.

    The same promises as `Db` and `CurrentActor` at a third of the cost, since the request changes threads once
    instead of four times; and a transaction that was ended to break a circle of waits is run again.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._runtime: Runtime = request.app.state.runtime

    def do(self, scope: str, work: Callable[[Session, Actor, datetime], T]) -> T:
        """The result of `work`, done by whoever asks (who needs `scope`) and committed."""

        def signed_in(session: Session) -> T:
            found = get_signed_in(self._request, session, now)
            if found is None:
                raise NotSignedIn
            identify.require_scope(found.actor, scope)
            return work(session, found.actor, now)

        now = self._runtime.clock.now()
        return run_in_transaction(self._runtime.sessions, signed_in)


async def get_asked(request: Request) -> Asked:
    return Asked(request)


Ask = Annotated[Asked, Depends(get_asked)]


async def guard_csrf(request: Request) -> None:
    """Refuse a change that a cookie would authorize unless it came from one of our pages.

    API keys are not sent by browsers on their own, so they need no token. For cookies the request must come
    from our own origin and, once signed in, carry the session's token (header `X-CSRF-Token` or form field
    `csrf_token`). OWASP CSRF Prevention Cheat Sheet: signed token plus origin check.
    """
    if request.method in SAFE_METHODS or request.headers.get("authorization"):
        return
    if not _same_origin(request):
        raise CrossSite
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        return
    sent = request.headers.get("x-csrf-token") or await _form_token(request)
    if sent != csrf_token_of(request):
        raise CrossSite("The page was open from before you last signed in. Reload it and try again.")


def csrf_token_of(request: Request) -> str:
    """The token for this request's session; empty when there is none."""
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        return ""
    return identify.csrf_token(cookie, request.app.state.signing_key)


def _same_origin(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def _form_token(request: Request) -> str | None:
    kind = request.headers.get("content-type", "")
    if not kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        return None
    value = (await request.form()).get("csrf_token")
    return value if isinstance(value, str) else None
