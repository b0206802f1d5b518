"""A client's guidelines and rubric."""

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.projects.models import GuidelinesVersion, RubricVersion
from tests.factories import World
from tests.web.acting import Desk
from tests.web.client.material import CRITERION, HOSTILE, base


def test_versions_are_numbered_and_compared(desk: Desk, world: World, session: Session) -> None:
    for body in ("# One\n\nfirst line", "# One\n\nsecond line"):
        assert desk.post(f"{base(world)}/guidelines", body=body).status_code == 303
    again = desk.post(f"{base(world)}/guidelines", body="# One\n\nsecond line")
    assert again.status_code == 303
    numbers = session.scalars(
        select(GuidelinesVersion.number).where(GuidelinesVersion.project_id == world.project.id)
    ).all()
    assert sorted(numbers) == [1, 2]
    page = desk.get(f"{base(world)}/guidelines?from=1&to=2").text
    assert re.search(r"<ins[^>]*>.*second line</ins>", page)
    assert re.search(r"<del[^>]*>.*first line</del>", page)
    assert desk.get(f"{base(world)}/guidelines?from=1&to=9").status_code == 404


def test_a_rubric_with_a_mistake_names_the_criterion(desk: Desk, world: World, session: Session) -> None:
    wrong = {**CRITERION, "criterion_anchors": "9 = off the scale"}
    answer = desk.post(f"{base(world)}/rubric", **wrong)
    assert answer.status_code == 422
    assert "Criterion 1" in answer.text
    assert "not on the scale" in answer.text
    assert desk.post(f"{base(world)}/rubric", **CRITERION).status_code == 303
    newest = session.scalars(
        select(RubricVersion).where(RubricVersion.project_id == world.project.id).order_by(RubricVersion.number.desc())
    ).first()
    assert newest is not None
    assert newest.criteria[0]["anchors"] == {"1": "no", "5": "yes"}


def test_a_preview_is_safe(desk: Desk) -> None:
    answer = desk.post("/markdown/preview", text=f"# Hello\n\n{HOSTILE}")
    assert "Hello</h3>" in answer.text
    assert "<script" not in answer.text
    assert "<img" not in answer.text
