"""A contributor's own skill: how well they judge with what certainty, over time, and what went wrong."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from preceptor.http.edge import Db
from preceptor.kit.errors import NotFound
from preceptor.kit.ids import read_id, show_id
from preceptor.web.pages import Contributor, Page
from preceptor.web.workspace import excerpt
from preceptor.work.models_quality import PersonSkill
from preceptor.work.service import insight
from preceptor.work.service.judgments import PLACE
from preceptor.work.service.quality import person_quality

router = APIRouter(prefix="/skills")


@router.get("")
def show_skills(page: Page, session: Db, known: Contributor) -> Response:
    """One line for each project that has weighed the person's judgments."""
    assert known.actor.person_id is not None
    return page.show("contributor/skills.html", skills=insight.own_skills(session, known.actor.person_id))


@router.get("/{project_id}")
def show_skill(page: Page, session: Db, known: Contributor, project_id: str) -> Response:
    """One's own skill in one project, in full."""
    person_id = known.actor.person_id
    assert person_id is not None
    wanted = read_id("project", project_id)
    found = next((each for each in insight.own_skills(session, person_id) if each.project.id == wanted), None)
    if found is None:
        raise NotFound("skill")
    odd = insight.odd_ones_out(session, person_id, found.project)
    return page.show(
        "contributor/skill.html",
        project=found.project,
        key=show_id("project", found.project.id),
        skill=found.skill,
        numbers=person_quality(session, person_id, found.project.id),
        # Places mean something only where all tasks have the same labels; "the second one" says nothing to anybody.
        by_class=[each for each in found.skill.by_class if not each["label"].startswith(PLACE)],
        path=path_chart(found.skill, found.project.standard),
        odd=[(each, excerpt(found.project, each.payload)) for each in odd],
    )


def path_chart(skill: PersonSkill, standard: float) -> dict[str, Any] | None:
    """Accuracy over time with its interval, beside what the project expects; None before there are two points."""
    points = [point for point in skill.drift if point.get("accuracy") is not None]
    if len(points) < 2:
        return None
    return {
        "kind": "line",
        "x_kind": "time",
        "x": [datetime.fromisoformat(point["until"]).timestamp() for point in points],
        "series": [
            {
                "label": "Your accuracy",
                "values": [point["accuracy"] for point in points],
                "low": [point["low"] for point in points],
                "high": [point["high"] for point in points],
            },
            {"label": "What the project expects", "values": [standard] * len(points)},
        ],
        "y_min": 0,
        "y_max": 1,
    }
