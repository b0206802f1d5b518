"""One's own account (/settings) and one's organization (/organization)."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from preceptor.http.edge import CurrentRuntime, Db, Known, Now
from preceptor.kit.errors import AppError, Invalid, NotFound
from preceptor.kit.ids import read_id, show_id
from preceptor.people import access, content, rules
from preceptor.people.errors import NoPasskeysHere
from preceptor.people.identify import SCOPES
from preceptor.people.models import OrgRole
from preceptor.people.passwords import passwords_for
from preceptor.people.service import accounts, keys, organizations, passkeys, sessions
from preceptor.people.service import content as choices
from preceptor.people.service.passkeys import RelyingParty
from preceptor.web.client_frame import Sent
from preceptor.web.pages import Client, Page, go
from preceptor.web.visits import field_errors

router = APIRouter()

Text = Annotated[str, Form(max_length=1000)]
KEY_DAYS = (30, 90, 365)
SCOPE_WORDS = {
    "work": "Claim tasks and submit answers",
    "read": "See what you see",
    "projects": "Change your organizations' projects",
    "review": "Decide about submissions",
    "operate": "Everything that an operator does",
}


@router.get("/settings")
def show_settings(page: Page, session: Db, known: Known, now: Now) -> Response:
    return _settings(page, session, known, now)


def _settings(
    page: Page, session: Db, known: Known, now: Now, *, at: str = "", error: AppError | None = None
) -> Response:
    """The settings page; `at` names the form that `error` belongs to."""
    actor = known.actor
    person = access.self_person(session, actor)
    scopes = [scope for scope in SCOPES if scope != "operate" or person.is_operator]
    return page.show(
        "settings.html",
        status=200 if error is None else 422,
        person=person,
        here=known.session_id,
        sessions=[
            (row, rules.device_name(row.user_agent))
            for row in sessions.list_sessions(session, actor, person.id, now=now)
        ],
        keys=keys.list_keys(session, actor, person.id),
        passkeys=passkeys.list_passkeys(session, actor),
        passkeys_possible=_passkeys_possible(page),
        organizations=organizations.list_organizations(session, actor),
        ratings=content.RATINGS,
        exposure=choices.exposure(session, person.id, now=now),
        limits=(content.DAILY_LIMIT_MIN, content.DAILY_LIMIT_MAX, content.DAILY_LIMIT_USUAL),
        org_roles=actor.org_roles,
        scopes=[(scope, SCOPE_WORDS[scope]) for scope in scopes],
        key_days=KEY_DAYS,
        password_min=rules.PASSWORD_CHARACTERS_MIN,
        errors={at: field_errors(error)} if error is not None else {},
        now=now,
    )


def _passkeys_possible(page: Page) -> bool:
    try:
        RelyingParty.of(page.runtime.settings.base_url)
    except NoPasskeysHere:
        return False
    return True


@router.post("/settings/profile")
def change_profile(page: Page, session: Db, known: Known, now: Now, name: Text) -> Response:
    try:
        accounts.change_profile(session, known.actor, name=name, now=now)
    except Invalid as error:
        return _settings(page, session, known, now, at="profile", error=error)
    return go("/settings", "Your name is changed.")


@router.post("/settings/content")
def choose_content(page: Page, session: Db, known: Known, now: Now, fields: Sent) -> Response:
    """What the person wants to see, each up to so many tasks a day."""
    try:
        wanted = {
            rating: fields.whole(f"limit_{rating}", f"{content.RATINGS.get(rating, rating)}: the limit")
            for rating in fields.all("rating")
        }
        choices.choose(session, known.actor, wanted, now=now)
    except Invalid as error:
        return _settings(page, session, known, now, at="content", error=error)
    return go("/settings#content", "What you see is chosen. Projects that show only this are open to you.")


@router.post("/settings/password")
def change_password(
    page: Page, session: Db, known: Known, now: Now, new: Text, current: Annotated[str, Form(max_length=1000)] = ""
) -> Response:
    try:
        accounts.change_password(
            session,
            known.actor,
            current=current,
            new=new,
            keep_session=known.session_id,
            passwords=passwords_for(page.runtime.settings),
            now=now,
        )
    except Invalid as error:
        return _settings(page, session, known, now, at="password", error=error)
    return go("/settings", "Your password is changed, and every other browser is signed out.")


@router.post("/settings/sessions/revoke-others")
def revoke_others(session: Db, known: Known, now: Now) -> Response:
    ended = sessions.revoke_others(session, known.actor, keep=known.session_id, now=now)
    return go("/settings", f"{ended} other session{'' if ended == 1 else 's'} ended.")


@router.post("/settings/sessions/{session_id}/revoke")
def revoke_session(session: Db, known: Known, now: Now, session_id: str) -> Response:
    sessions.revoke_session(session, known.actor, read_id("session", session_id), now=now)
    return go("/settings", "That browser is signed out.")


@router.post("/settings/keys")
def create_key(
    page: Page,
    session: Db,
    known: Known,
    now: Now,
    name: Text,
    days: Annotated[int, Form(ge=1, le=3650)],
    scopes: Annotated[list[str], Form(max_length=len(SCOPES))] = [],  # noqa: B006  (FastAPI copies it)
    organization_id: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Shows the secret in the answer itself, never in an address or a cookie, and only now."""
    assert known.actor.person_id is not None
    try:
        key, secret = keys.create_key(
            session,
            known.actor,
            person_id=known.actor.person_id,
            name=name,
            scopes=scopes,
            org_id=read_id("organization", organization_id) if organization_id else None,
            expires_at=now + timedelta(days=days),
            now=now,
        )
    except Invalid as error:
        return _settings(page, session, known, now, at="keys", error=error)
    response = page.show("key_made.html", key=key, secret=secret, base_url=page.runtime.settings.base_url)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/settings/keys/{key_id}/revoke")
def revoke_key(session: Db, known: Known, now: Now, key_id: str) -> Response:
    key = keys.revoke_key(session, known.actor, read_id("api_key", key_id), now=now)
    return go("/settings", f"The key {key.name} no longer works.")


class Finished(BaseModel):
    """What the browser's passkey dialog gave back."""

    credential: dict[str, Any]


@router.post("/settings/passkeys/options")
def begin_passkey(runtime: CurrentRuntime, session: Db, known: Known, now: Now) -> dict[str, Any]:
    party = RelyingParty.of(runtime.settings.base_url)
    return dict(passkeys.begin_registration(session, known.actor, party, now=now))


@router.post("/settings/passkeys")
def finish_passkey(
    request: Request, runtime: CurrentRuntime, session: Db, known: Known, now: Now, body: Finished
) -> dict[str, str]:
    party = RelyingParty.of(runtime.settings.base_url)
    name = rules.device_name(request.headers.get("user-agent"))
    passkeys.finish_registration(session, known.actor, party, body.credential, name=name, now=now)
    return {"redirect": "/settings"}


@router.post("/settings/passkeys/{passkey_id}/remove")
def remove_passkey(session: Db, known: Known, now: Now, passkey_id: str) -> Response:
    passkeys.remove_passkey(session, known.actor, read_id("passkey", passkey_id), now=now)
    return go("/settings", "The passkey is removed. Delete it on your device too.")


@router.post("/settings/organizations")
def create_organization(page: Page, session: Db, known: Known, now: Now, name: Text) -> Response:
    assert known.actor.person_id is not None
    try:
        organization = organizations.create_organization(
            session, known.actor, name=name, owner_id=known.actor.person_id, now=now
        )
    except Invalid as error:
        return _settings(page, session, known, now, at="organization", error=error)
    if known.session_id is not None:
        sessions.wear_client_hat(session, known.actor, known.session_id, now=now)
    return go(f"/organization?org={show_id('organization', organization.id)}", "Your organization is ready.")


# The organization


@router.get("/organization")
def show_organization(
    page: Page, session: Db, client: Client, now: Now, org: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    return _organization(page, session, client, now, org)


def _organization(
    page: Page, session: Db, client: Client, now: Now, org: str, error: AppError | None = None
) -> Response:
    actor = client.actor
    mine = organizations.list_organizations(session, actor)
    wanted = read_id("organization", org) if org else mine[0].id
    shown = next((each for each in mine if each.id == wanted), None)
    if shown is None:
        raise NotFound("organization")
    role = OrgRole(actor.org_roles[shown.id])
    manages = rules.may_manage(role, OrgRole.VIEWER)
    return page.show(
        "organization.html",
        status=200 if error is None else 422,
        organization=shown,
        mine=mine,
        role=role,
        manages=manages,
        givable=[
            each.value for each in (OrgRole.VIEWER, OrgRole.MANAGER, OrgRole.OWNER) if rules.may_manage(role, each)
        ],
        members=organizations.list_members(session, actor, shown.id),
        owners=sum(member.role is OrgRole.OWNER for member, _ in organizations.list_members(session, actor, shown.id)),
        invitations=organizations.list_invitations(session, actor, shown.id, now=now) if manages else [],
        me=actor.person_id,
        errors=field_errors(error) if error else {},
        now=now,
    )


@router.post("/organization/{org_id}/rename")
def rename_organization(page: Page, session: Db, client: Client, now: Now, org_id: str, name: Text) -> Response:
    try:
        organizations.rename_organization(session, client.actor, read_id("organization", org_id), name=name, now=now)
    except Invalid as error:
        return _organization(page, session, client, now, org_id, error)
    return go(f"/organization?org={org_id}", "The name is changed.")


@router.post("/organization/{org_id}/invitations")
def invite(
    page: Page, session: Db, client: Client, now: Now, org_id: str, email: Text, role: Annotated[OrgRole, Form()]
) -> Response:
    try:
        invitation = organizations.invite(
            session,
            client.actor,
            org_id=read_id("organization", org_id),
            email=email,
            role=role,
            base_url=page.runtime.settings.base_url,
            now=now,
        )
    except Invalid as error:
        return _organization(page, session, client, now, org_id, error)
    return go(f"/organization?org={org_id}", f"An invitation is on its way to {invitation.email}.")


@router.post("/organization/{org_id}/invitations/{invitation_id}/withdraw")
def withdraw_invitation(session: Db, client: Client, now: Now, org_id: str, invitation_id: str) -> Response:
    organizations.withdraw_invitation(session, client.actor, read_id("invitation", invitation_id), now=now)
    return go(f"/organization?org={org_id}", "The invitation is withdrawn.")


@router.post("/organization/{org_id}/members/{person_id}/role")
def change_member(
    session: Db, client: Client, now: Now, org_id: str, person_id: str, role: Annotated[OrgRole, Form()]
) -> Response:
    organizations.change_member_role(
        session,
        client.actor,
        org_id=read_id("organization", org_id),
        person_id=read_id("person", person_id),
        role=role,
        now=now,
    )
    return go(f"/organization?org={org_id}", "The role is changed.")


@router.post("/organization/{org_id}/members/{person_id}/remove")
def remove_member(session: Db, client: Client, now: Now, org_id: str, person_id: str) -> Response:
    member = read_id("person", person_id)
    organizations.remove_member(
        session, client.actor, org_id=read_id("organization", org_id), person_id=member, now=now
    )
    if member == client.actor.person_id:
        return go("/settings", "You have left the organization.")
    return go(f"/organization?org={org_id}", "The member is removed.")
