"""One contributor's place in a project, for its client: what is on record, and pausing, practice, removal."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from preceptor.datasets.pseudonyms import person_behind
from preceptor.fairness import rules
from preceptor.fairness.models import ReceiptKind
from preceptor.http.edge import Db, Now
from preceptor.kit.errors import Invalid, NotFound
from preceptor.people.identify import SignedIn
from preceptor.projects.models import Membership, MembershipState
from preceptor.web.client_frame import Fields, Frame, Sent, frame, frame_to_change, names_in
from preceptor.web.pages import Client, Page, Pages, go
from preceptor.web.visits import field_errors
from preceptor.work.rules import MEMBERSHIP_DECISIONS, MEMBERSHIP_MOVES
from preceptor.work.service import membership_decisions as places

router = APIRouter(prefix="/projects/{project_id}/people")

ACTS: dict[str, tuple[str, str]] = {
    ReceiptKind.RETRAIN: ("Practice first", "No further tasks until the practice of this project is passed."),
    ReceiptKind.PAUSE: ("Pause", "No further tasks until you lift it."),
    ReceiptKind.REMOVE: ("Remove", "No further tasks here; you can still lift it."),
}
DONE = {
    ReceiptKind.RETRAIN: "Practice is asked for. The person was told why, and can appeal.",
    ReceiptKind.PAUSE: "The place is paused. The person was told why, and can appeal.",
    ReceiptKind.REMOVE: "The place has ended. The person was told why, and can appeal.",
}


@router.get("/{name}")
def show_place(page: Page, session: Db, client: Client, project_id: str, name: str) -> Response:
    at = frame(session, client, project_id, "people")
    return _place(page, session, client, at, _person(page, session, client, at, name), Fields(FormData()))


@router.post("/{name}/decide")
def decide(page: Page, session: Db, client: Client, now: Now, project_id: str, name: str, fields: Sent) -> Response:
    """First shows what will happen; decides when that was confirmed."""
    at = frame_to_change(session, client, project_id, "people")
    person_id = _person(page, session, client, at, name)
    try:
        kind = _kind(fields)
        if fields.checked("confirmed"):
            _decide(session, client, at, person_id, kind, fields, now)
            return go(f"{at.base}/people/{name}", DONE[kind])
        _refuse(kind, fields)
        places.refuse_impossible(session, at.project.id, person_id, kind)
    except Invalid as error:
        return _place(page, session, client, at, person_id, fields, error=error)
    return _confirm(page, session, client, at, person_id, kind, fields)


@router.post("/{name}/reinstate")
def reinstate(page: Page, session: Db, client: Client, now: Now, project_id: str, name: str, fields: Sent) -> Response:
    at = frame_to_change(session, client, project_id, "people")
    person_id = _person(page, session, client, at, name)
    places.reinstate(session, client.actor, at.project.id, person_id, reason=fields.text("reason"), now=now)
    return go(f"{at.base}/people/{name}", "The place is open again. The person was told.")


def _kind(fields: Fields) -> ReceiptKind:
    chosen = fields.text("kind")
    if chosen not in ACTS:
        raise Invalid("Choose what to decide.", [{"path": "kind", "message": "Choose one of the three."}])
    return ReceiptKind(chosen)


def _refuse(kind: ReceiptKind, fields: Fields) -> None:
    """What would be refused later is refused before it is shown for confirmation."""
    places.clean_reason(fields.text("reason"))
    if rules.rule_for(kind, fields.text("rule")) is None:
        message = "This rule does not go with this decision."
        raise Invalid(message, [{"path": "rule", "message": message}])


def _decide(
    session: Session, client: SignedIn, at: Frame, person_id: UUID, kind: ReceiptKind, fields: Fields, now: datetime
) -> None:
    places.decide_about_member(
        session,
        client.actor,
        at.project.id,
        person_id,
        kind,
        rule=fields.text("rule"),
        reason=fields.text("reason"),
        evidence=fields.all("evidence"),
        now=now,
    )


def _person(page: Pages, session: Session, client: SignedIn, at: Frame, name: str) -> UUID:
    """Whom the organization knows by this pseudonym."""
    members = [held.person_id for held, _ in places.members_of(session, client.actor, at.project.id)]
    found = person_behind(names_in(page, at.project.org_id).full, name, members)
    if found is None:
        raise NotFound("person")
    return found


def _held(session: Session, at: Frame, person_id: UUID) -> Membership:
    return session.get_one(Membership, (at.project.id, person_id))


def _place(
    page: Pages,
    session: Session,
    client: SignedIn,
    at: Frame,
    person_id: UUID,
    fields: Fields,
    *,
    error: Invalid | None = None,
) -> Response:
    held = _held(session, at, person_id)
    possible = [kind for kind in ACTS if MEMBERSHIP_DECISIONS[ReceiptKind(kind)] in MEMBERSHIP_MOVES[held.state]]
    return page.show(
        "client/place.html",
        status=200 if error is None else 422,
        at=at,
        name=names_in(page, at.project.org_id).full(person_id),
        held=held,
        closed=at.manages and held.state not in (MembershipState.ACTIVE, MembershipState.LEFT),
        acts=[(kind, *ACTS[kind]) for kind in possible] if at.manages else [],
        rules=[(rule.key, rule.title) for rule in rules.RULES if rule.kinds & set(MEMBERSHIP_DECISIONS)],
        evidence=places.evidence_about(session, client.actor, at.project.id, person_id) if at.manages else [],
        decided=places.decisions_about(session, client.actor, at.project.id, person_id),
        values=fields.plain(),
        chosen=fields.all("evidence"),
        errors=field_errors(error) if error is not None else {},
        reason_min=rules.REASON_CHARS_MIN,
        reason_max=rules.REASON_CHARS_MAX,
    )


def _confirm(
    page: Pages, session: Session, client: SignedIn, at: Frame, person_id: UUID, kind: ReceiptKind, fields: Fields
) -> Response:
    offered = places.evidence_about(session, client.actor, at.project.id, person_id)
    chosen = fields.all("evidence")
    return page.show(
        "client/place_confirm.html",
        at=at,
        name=names_in(page, at.project.org_id).full(person_id),
        kind=kind.value,
        act=ACTS[kind],
        rule=rules.rule_for(kind, fields.text("rule")),
        reason=fields.text("reason"),
        evidence=[each for each in offered if each.key in chosen],
        held=_held(session, at, person_id),
    )
