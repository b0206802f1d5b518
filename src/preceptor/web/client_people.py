"""Who works and who reviews in a project, and how well people agree."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from preceptor.http.edge import Db, Now
from preceptor.kit.ids import read_id, show_id
from preceptor.people.identify import SignedIn
from preceptor.projects.errors import NotAReviewer
from preceptor.projects.service import members
from preceptor.web.client_frame import Frame, Sent, frame, frame_to_change, names_in
from preceptor.web.pages import Client, Page, Pages, go
from preceptor.work.service import appeals
from preceptor.work.service import membership_decisions as places
from preceptor.work.service.quality import project_quality

router = APIRouter()


@router.get("/projects/{project_id}/people")
def show_people(page: Page, session: Db, client: Client, project_id: str) -> Response:
    return _people(page, session, client, frame(session, client, project_id, "people"))


def _people(
    page: Pages, session: Session, client: SignedIn, at: Frame, error: str | None = None, email: str = ""
) -> HTMLResponse:
    reviewers = members.reviewers_of(session, client.actor, at.project.id)
    held = places.members_of(session, client.actor, at.project.id)
    return page.show(
        "client/people.html",
        status=200 if error is None else 422,
        at=at,
        quality=project_quality(session, at.project.id),
        names=names_in(page, at.project.org_id),
        places={place.person_id: place.state.value for place, _ in held},
        rates=appeals.overturn_rates(session, at.project.id),
        reviewers=[(person, show_id("person", person.id)) for person in reviewers],
        error=error,
        email=email,
    )


@router.post("/projects/{project_id}/reviewers")
def add_reviewer(page: Page, session: Db, client: Client, now: Now, project_id: str, fields: Sent) -> Response:
    at = frame_to_change(session, client, project_id, "people")
    email = fields.text("email")
    try:
        members.add_reviewer_by_email(session, client.actor, at.project.id, email, now=now)
    except NotAReviewer as error:
        return _people(page, session, client, at, error.message, email)
    return go(f"{at.base}/people#reviewers", "The reviewer is added.")


@router.post("/projects/{project_id}/reviewers/{person_id}/remove")
def remove_reviewer(session: Db, client: Client, now: Now, project_id: str, person_id: str) -> Response:
    at = frame_to_change(session, client, project_id, "people")
    members.remove_reviewer(session, client.actor, at.project.id, read_id("person", person_id), now=now)
    return go(f"{at.base}/people#reviewers", "The reviewer is removed. Reviews already given stay.")
