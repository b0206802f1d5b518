"""Getting in and out: sign-in, sign-up, confirmation, reset, passkeys, invitations, roles."""

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from preceptor.http.edge import COOKIE, CurrentRuntime, Db, Known, MaybeSignedIn, Now
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.events import SYSTEM
from preceptor.people import rules
from preceptor.people.passwords import passwords_for
from preceptor.people.service import accounts, directory, limits, organizations, passkeys, sessions
from preceptor.people.service.passkeys import RelyingParty
from preceptor.people.service.sessions import SignInRefusal
from preceptor.web.decisions import suspension_path
from preceptor.web.pages import Page, active_role, go, home_of
from preceptor.web.visits import field_errors, keep_signed_in, safe_path, visit_of

router = APIRouter()
demo_router = APIRouter()

Text = Annotated[str, Form(max_length=1000)]
Optional = Annotated[str, Form(max_length=1000)]

DEMO_PEOPLE = (
    ("client", "Client", "Owns the project, watches cost, speed and quality", "folder", "client"),
    ("contributor", "Contributor", "Claims tasks, judges them, is paid for it", "pen-line", "contributor"),
    ("reviewer", "Reviewer", "Decides about submissions, with reasons", "list-checks", "reviewer"),
    ("operator", "Operator", "Sees people, money, jobs and events", "landmark", "operator"),
)
REFUSALS = {
    SignInRefusal.WRONG: "E-mail address and password do not fit together. Check both, or reset the password.",
    SignInRefusal.SUSPENDED: "This account is suspended. The mail about it says why, and how to answer.",
    SignInRefusal.UNCONFIRMED: "Confirm your e-mail address first: we have sent you the link again.",
}


@router.get("/")
def start(signed_in: MaybeSignedIn) -> Response:
    """To the home of the role that is worn, or to the sign-in page."""
    if signed_in is None:
        return RedirectResponse("/sign-in", status_code=303)
    return RedirectResponse(home_of(active_role(signed_in)), status_code=303)


@router.get("/sign-in")
def show_sign_in(page: Page, next: str = "/", email: str = "") -> Response:
    if page.signed_in is not None:
        return RedirectResponse(safe_path(next), status_code=303)
    return _sign_in_page(page, next=next, email=email)


def _sign_in_page(page: Page, *, next: str, email: str, refused: str | None = None) -> Response:
    settings = page.runtime.settings
    return page.show(
        "sign_in.html",
        status=200 if refused is None else 401,
        next=safe_path(next),
        email=email,
        refused=refused,
        demo_people=DEMO_PEOPLE if settings.demo else (),
        sign_ups_open=settings.sign_ups_open,
    )


@router.post("/sign-in")
def sign_in(
    page: Page, request: Request, session: Db, now: Now, email: Text, password: Text, next: Optional = "/"
) -> Response:
    settings = page.runtime.settings
    outcome = sessions.sign_in(
        session,
        email=email,
        password=password,
        visit=visit_of(request),
        lasts=timedelta(days=settings.session_days),
        passwords=passwords_for(settings),
        now=now,
    )
    if isinstance(outcome, SignInRefusal):
        if outcome is SignInRefusal.UNCONFIRMED:
            limits.count(session, limits.MAIL_PER_EMAIL, email.strip(), now=now)
            accounts.resend_confirmation(session, email, base_url=settings.base_url, now=now)
        if outcome is SignInRefusal.SUSPENDED and (path := suspension_path(page, session, email, now)) is not None:
            return go(path)
        return _sign_in_page(page, next=next, email=email, refused=REFUSALS[outcome])
    return keep_signed_in(go(safe_path(next)), settings, outcome)


@router.post("/sign-out")
def sign_out(session: Db, signed_in: MaybeSignedIn, now: Now) -> Response:
    if signed_in is not None and signed_in.session_id is not None:
        sessions.sign_out(session, signed_in.actor, signed_in.session_id, now=now)
    response = go("/sign-in", "You are signed out.")
    response.delete_cookie(COOKIE)
    return response


@router.get("/sign-up")
def show_sign_up(page: Page) -> Response:
    if page.signed_in is not None:
        return RedirectResponse("/", status_code=303)
    return _sign_up_page(page, {"purpose": "work"}, {})


def _sign_up_page(page: Page, given: dict[str, str], errors: dict[str, str]) -> Response:
    values = {"name": "", "email": "", "organization": "", "purpose": "work"} | given
    return page.show(
        "sign_up.html",
        status=422 if errors else 200,
        values=values,
        errors=errors,
        open=page.runtime.settings.sign_ups_open,
        password_min=rules.PASSWORD_CHARACTERS_MIN,
    )


@router.post("/sign-up")
def sign_up(
    page: Page,
    request: Request,
    session: Db,
    now: Now,
    name: Text,
    email: Text,
    password: Text,
    purpose: Text = "work",
    organization: Optional = "",
) -> Response:
    settings = page.runtime.settings
    limits.count(session, limits.MAIL_PER_NETWORK, rules.network_of(visit_of(request).address), now=now)
    limits.count(session, limits.MAIL_PER_EMAIL, email.strip(), now=now)
    try:
        accounts.sign_up(
            session,
            email=email,
            name=name,
            password=password,
            organization=organization if purpose == "project" else None,
            base_url=settings.base_url,
            open_to_all=settings.sign_ups_open,
            passwords=passwords_for(settings),
            now=now,
        )
    except Invalid as error:  # refused before anything was written
        given = {"name": name, "email": email, "organization": organization, "purpose": purpose}
        return _sign_up_page(page, given, field_errors(error))
    return RedirectResponse("/check-mail", status_code=303)


@router.get("/check-mail")
def show_check_mail(page: Page) -> Response:
    return page.show("check_mail.html")


@router.get("/confirm/{secret}")
def show_confirm(page: Page, secret: str) -> Response:
    """Asks for a click, since programs that scan mail open links by themselves."""
    return page.show("confirm.html", secret=secret)


@router.post("/confirm/{secret}")
def confirm(session: Db, now: Now, secret: str) -> Response:
    person = accounts.confirm_email(session, secret, now=now)
    return go(f"/sign-in?email={quote(person.email, safe='')}", "Your e-mail address is confirmed. Sign in to start.")


@router.get("/forgot")
def show_forgot(page: Page) -> Response:
    return page.show("forgot.html")


@router.post("/forgot")
def forgot(page: Page, request: Request, session: Db, now: Now, email: Text) -> Response:
    """The answer is the same whether the address has an account or not."""
    limits.count(session, limits.MAIL_PER_EMAIL, email.strip(), now=now)
    limits.count(session, limits.MAIL_PER_NETWORK, rules.network_of(visit_of(request).address), now=now)
    accounts.ask_reset(session, email, base_url=page.runtime.settings.base_url, now=now)
    return RedirectResponse("/check-mail", status_code=303)


@router.get("/reset/{secret}")
def show_reset(page: Page, session: Db, now: Now, secret: str) -> Response:
    person = accounts.check_reset_link(session, secret, now=now)
    return page.show("reset.html", secret=secret, email=person.email, errors={})


@router.post("/reset/{secret}")
def reset(page: Page, session: Db, now: Now, secret: str, password: Text) -> Response:
    person = accounts.check_reset_link(session, secret, now=now)
    try:
        accounts.reset_password(session, secret, password, passwords=passwords_for(page.runtime.settings), now=now)
    except Invalid as error:
        return page.show("reset.html", status=422, secret=secret, email=person.email, errors=field_errors(error))
    return go(f"/sign-in?email={quote(person.email, safe='')}", "Your new password is set. Sign in with it.")


# Passkeys: JSON for the browser's dialog.


class Finished(BaseModel):
    """What the browser's passkey dialog gave back."""

    credential: dict[str, Any]


@router.post("/passkeys/sign-in/options")
def begin_passkey_sign_in(request: Request, runtime: CurrentRuntime, session: Db, now: Now) -> dict[str, Any]:
    party = RelyingParty.of(runtime.settings.base_url)
    return dict(passkeys.begin_sign_in(session, party, visit_of(request), now=now))


@router.post("/passkeys/sign-in")
def finish_passkey_sign_in(
    request: Request, runtime: CurrentRuntime, session: Db, now: Now, body: Finished, response: Response
) -> dict[str, str]:
    party = RelyingParty.of(runtime.settings.base_url)
    secret = passkeys.finish_sign_in(
        session,
        party,
        body.credential,
        visit=visit_of(request),
        lasts=timedelta(days=runtime.settings.session_days),
        now=now,
    )
    keep_signed_in(response, runtime.settings, secret)
    return {}


# Invitations


@router.get("/invitation/{secret}")
def show_invitation(page: Page, session: Db, now: Now, secret: str) -> Response:
    return _invitation_page(page, session, now, secret, {})


def _invitation_page(page: Page, session: Db, now: Now, secret: str, errors: dict[str, str]) -> Response:
    invitation, organization = organizations.read_invitation(session, secret, now=now)
    known = directory.find_by_email(session, SYSTEM, invitation.email) is not None
    return page.show(
        "invitation.html",
        status=422 if errors else 200,
        secret=secret,
        email=invitation.email,
        role=invitation.role.value,
        organization=organization.name,
        fits=page.signed_in is not None and page.signed_in.email.lower() == invitation.email.lower(),
        known=known,
        errors=errors,
        password_min=rules.PASSWORD_CHARACTERS_MIN,
    )


@router.post("/invitation/{secret}")
def accept_invitation(session: Db, known: Known, now: Now, secret: str) -> Response:
    organizations.accept_invitation(session, known.actor, secret, email=known.email, now=now)
    return go("/organization", "Welcome. You are a member now.")


@router.post("/invitation/{secret}/sign-up")
def sign_up_by_invitation(
    page: Page, request: Request, session: Db, now: Now, secret: str, name: Text, password: Text
) -> Response:
    """A new account for the address that the invitation was mailed to, which is proved by the link."""
    settings = page.runtime.settings
    try:
        person = accounts.join_as_newcomer(
            session, secret, name=name, password=password, passwords=passwords_for(settings), now=now
        )
    except Invalid as error:
        return _invitation_page(page, session, now, secret, field_errors(error))
    visit = visit_of(request)
    cookie = sessions.start_session(
        session,
        person.id,
        user_agent=visit.user_agent,
        address=visit.address,
        lasts=timedelta(days=settings.session_days),
        method="invitation",
        now=now,
    )
    return keep_signed_in(go("/organization", "Welcome. You are a member now."), settings, cookie)


# Roles


@router.post("/role")
def choose_role(session: Db, known: Known, now: Now, role: Text) -> Response:
    """Put on another of one's hats, and go to where it starts."""
    if known.session_id is None:
        raise NotFound("session")
    sessions.choose_role(session, known.actor, known.session_id, role, now=now)
    return go(home_of(role))


# The demo


@demo_router.post("/demo/sign-in/{who}")
def demo_sign_in(runtime: CurrentRuntime, request: Request, session: Db, now: Now, who: str) -> Response:
    """One click into the demo, as one of its four people. Exists in demo mode only."""
    wanted = next((entry for entry in DEMO_PEOPLE if entry[0] == who), None)
    person = directory.find_by_email(session, SYSTEM, f"{who}@demo.invalid") if wanted else None
    if not runtime.settings.demo or wanted is None or person is None:
        raise NotFound("page")
    visit = visit_of(request)
    secret = sessions.start_session(
        session,
        person.id,
        user_agent=visit.user_agent,
        address=visit.address,
        active_role=wanted[4],
        method="demo",
        now=now,
    )
    return keep_signed_in(go(home_of(wanted[4])), runtime.settings, secret)
