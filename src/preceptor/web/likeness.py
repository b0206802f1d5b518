"""What the desk offers while somebody writes: near duplicates of the text in the project."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter
from pydantic import BaseModel

from preceptor.http.edge import CurrentActor, Db, Now
from preceptor.people.identify import require_scope
from preceptor.people.service import limits
from preceptor.web.desk import own_claim
from preceptor.work.service import likeness

router = APIRouter()

SEARCHES_PER_PERSON: Final = limits.Limit("similar.person", 600, timedelta(minutes=10))


class TextIn(BaseModel):
    """The answer as it stands, however incomplete."""

    answer: dict[str, Any]


@router.post("/work/{project_id}/{claim_id}/similar")
def similar(project_id: str, claim_id: str, body: TextIn, session: Db, actor: CurrentActor, now: Now) -> dict[str, Any]:
    """Texts like the draft, most alike first; of others only how much is in common."""
    require_scope(actor, "work")
    claim = own_claim(session, actor, project_id, claim_id)
    limits.count(session, SEARCHES_PER_PERSON, str(actor.person_id), now=now)
    found = likeness.find_similar(session, actor, claim.id, body.answer, now=now)
    return {"similar": [asdict(each) for each in found.similar], "refused": found.refused}
