"""People as operators see them, and the outbox of demo and development installations."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from preceptor.fairness import rules as fairness_rules
from preceptor.fairness.models import ReceiptKind
from preceptor.http.edge import Db, Now
from preceptor.kit.errors import AppError, Invalid
from preceptor.kit.ids import read_id, show_id
from preceptor.people import rules
from preceptor.people.queries import PEOPLE_FILTERS, PeopleWanted
from preceptor.people.service import accounts, directory, qualifications, sessions
from preceptor.web.pages import Operator, Page, go
from preceptor.web.visits import field_errors

router = APIRouter(prefix="/operator")
demo_router = APIRouter(prefix="/operator")

Text = Annotated[str, Form(max_length=2000)]
Optional = Annotated[str, Form(max_length=2000)]
Checked = Annotated[bool, Form()]
LIST = "/operator/people"
PAGE_ROWS = 50


@router.get("/people")
def list_people(
    page: Page,
    session: Db,
    operator: Operator,
    q: Annotated[str, Query(max_length=200)] = "",
    show: str = "all",
    cursor: str | None = None,
) -> Response:
    show = show if show in PEOPLE_FILTERS else "all"
    found = directory.list_people(
        session, operator.actor, PeopleWanted(q, show, read_id("person", cursor) if cursor else None, PAGE_ROWS)
    )
    counts = directory.count_people(session, operator.actor, q)
    following = None
    if found.next_before is not None:
        following = _list_url(q, show, show_id("person", found.next_before))
    return page.show(
        "operator_people.html",
        people=found.people,
        q=q,
        filter=show,
        chips=[(name.capitalize(), _list_url(q, name), name == show, counts[name]) for name in PEOPLE_FILTERS],
        next_href=following,
        first_href=_list_url(q, show) if cursor else None,
        total=counts[show],
        errors={},
    )


def _list_url(q: str, show: str, cursor: str | None = None) -> str:
    given = {"q": q, "show": "" if show == "all" else show, "cursor": cursor or ""}
    query = urlencode({name: value for name, value in given.items() if value})
    return f"{LIST}?{query}" if query else LIST


@router.get("/people/new")
def show_new_person(page: Page, operator: Operator) -> Response:
    return page.show("operator_person_new.html", values={"name": "", "email": ""}, errors={})


@router.post("/people")
def create_person(
    page: Page,
    session: Db,
    operator: Operator,
    now: Now,
    name: Text,
    email: Text,
    is_operator: Checked = False,
    is_contributor: Checked = False,
    is_reviewer: Checked = False,
) -> Response:
    """Make an account and mail its owner a link that sets the password."""
    try:
        person = accounts.create_person(
            session,
            operator.actor,
            email=email,
            name=name,
            is_operator=is_operator,
            is_contributor=is_contributor,
            is_reviewer=is_reviewer,
            now=now,
        )
    except Invalid as error:
        values = {"name": name, "email": email}
        return page.show("operator_person_new.html", status=422, values=values, errors=field_errors(error))
    accounts.mail_reset(session, person, base_url=page.runtime.settings.base_url, now=now)
    return go(_person_url(show_id("person", person.id)), "The account is made. A link to set a password was mailed.")


def _person_url(person_id: str) -> str:
    return f"{LIST}/{person_id}"


@router.get("/people/{person_id}")
def show_person(page: Page, session: Db, operator: Operator, now: Now, person_id: str) -> Response:
    return _person(page, session, operator, now, person_id)


def _person(
    page: Page,
    session: Db,
    operator: Operator,
    now: Now,
    person_id: str,
    *,
    at: str = "",
    error: AppError | None = None,
) -> Response:
    dossier = directory.read_dossier(session, operator.actor, read_id("person", person_id), now=now)
    return page.show(
        "operator_person.html",
        status=200 if error is None else 422,
        dossier=dossier,
        person=dossier.person,
        person_id=person_id,
        devices=[(row, rules.device_name(row.user_agent)) for row in dossier.sessions],
        errors={at: field_errors(error)} if error is not None else {},
        suspension_rules=fairness_rules.rules_for(ReceiptKind.SUSPEND),
        now=now,
    )


@router.post("/people/{person_id}/roles")
def set_roles(
    page: Page,
    session: Db,
    operator: Operator,
    now: Now,
    person_id: str,
    is_operator: Checked = False,
    is_contributor: Checked = False,
    is_reviewer: Checked = False,
    reason: Optional = "",
) -> Response:
    try:
        accounts.set_roles(
            session,
            operator.actor,
            read_id("person", person_id),
            is_operator=is_operator,
            is_contributor=is_contributor,
            is_reviewer=is_reviewer,
            reason=reason,
            now=now,
        )
    except Invalid as error:
        return _person(page, session, operator, now, person_id, at="roles", error=error)
    return go(_person_url(person_id), "The roles are changed.")


@router.post("/people/{person_id}/suspend")
def suspend(
    page: Page,
    session: Db,
    operator: Operator,
    now: Now,
    person_id: str,
    reason: Text,
    rule: Text = accounts.SUSPENSION_RULE,
) -> Response:
    try:
        accounts.suspend(session, operator.actor, read_id("person", person_id), reason=reason, rule=rule, now=now)
    except Invalid as error:
        return _person(page, session, operator, now, person_id, at="suspend", error=error)
    return go(_person_url(person_id), "The account is suspended. Its owner was told why.")


@router.post("/people/{person_id}/unsuspend")
def unsuspend(session: Db, operator: Operator, now: Now, person_id: str, reason: Optional = "") -> Response:
    accounts.unsuspend(session, operator.actor, read_id("person", person_id), reason=reason, now=now)
    return go(_person_url(person_id), "The account is open again.")


@router.post("/people/{person_id}/confirm")
def confirm(session: Db, operator: Operator, now: Now, person_id: str) -> Response:
    accounts.confirm_for(session, operator.actor, read_id("person", person_id), now=now)
    return go(_person_url(person_id), "The address counts as confirmed.")


@router.post("/people/{person_id}/reset-link")
def mail_reset_link(page: Page, session: Db, operator: Operator, now: Now, person_id: str) -> Response:
    dossier = directory.read_dossier(session, operator.actor, read_id("person", person_id), now=now)
    accounts.mail_reset(session, dossier.person, base_url=page.runtime.settings.base_url, now=now)
    return go(_person_url(person_id), f"A link to set a password is on its way to {dossier.person.email}.")


@router.post("/people/{person_id}/sign-out")
def sign_out_everywhere(session: Db, operator: Operator, now: Now, person_id: str) -> Response:
    ended = sessions.revoke_all(session, operator.actor, read_id("person", person_id), now=now)
    return go(_person_url(person_id), f"{ended} session{'' if ended == 1 else 's'} ended.")


@router.post("/people/{person_id}/qualifications/{qualification_id}/revoke")
def revoke_qualification(
    page: Page,
    session: Db,
    operator: Operator,
    now: Now,
    person_id: str,
    qualification_id: str,
    reason: Text,
) -> Response:
    try:
        qualifications.revoke(
            session,
            operator.actor,
            person_id=read_id("person", person_id),
            qualification_id=read_id("qualification", qualification_id),
            reason=reason,
            now=now,
        )
    except Invalid as error:
        return _person(page, session, operator, now, person_id, at="qualifications", error=error)
    return go(_person_url(person_id), "The qualification is revoked.")


@demo_router.get("/outbox")
def show_outbox(page: Page, session: Db, operator: Operator, cursor: str | None = None) -> Response:
    """Mail that this installation has written, links and all: in demo and development only."""
    before = read_id("mail", cursor) if cursor else None
    mails, following = directory.read_outbox(session, operator.actor, before=before, limit=PAGE_ROWS)
    return page.show(
        "operator_outbox.html",
        mails=mails,
        smtp=page.runtime.settings.smtp_url is not None,
        next_href=None if following is None else f"/operator/outbox?cursor={show_id('mail', following)}",
        first_href="/operator/outbox" if cursor else None,
    )
