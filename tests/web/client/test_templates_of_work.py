"""From the gallery of templates to a project: one click chooses, one click makes it."""

import re
from html import unescape

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import read_id
from preceptor.kit.runtime import Runtime
from preceptor.media.models import Media, MediaPlace, Placed
from preceptor.projects import access
from preceptor.projects.models import Project, Task
from preceptor.tasktypes.annotation.templates.making import MATERIAL
from preceptor.tasktypes.base import task_types
from tests.factories import make_client
from tests.web.acting import Desk, Seating

TEMPLATES = [(name, template.key) for name in sorted(task_types()) for template in task_types()[name].templates()]


@pytest.fixture
def desk(client: TestClient, runtime: Runtime, session: Session, clock: FixedClock) -> Desk:
    _, owner = make_client(session, now=clock.now())
    return Seating(client, runtime, session, clock)(owner, "client")


def fields_of(page: str) -> dict[str, str | list[str]]:
    """What a browser sends for a form that nobody touched; fields of the rows' templates are not part of it."""
    form = re.sub(r"<template.*?</template>", "", page[page.index('id="project-form"') :], flags=re.S)
    form = form[: form.index("</form>")]
    sent: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        kind = re.search(r'type="([^"]+)"', tag)
        if name and not (kind and kind.group(1) in ("checkbox", "radio") and " checked" not in tag):
            sent.setdefault(name.group(1), []).append(unescape(value.group(1)) if value else "")
    for name_of, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S):
        sent.setdefault(name_of, []).append(unescape(text).removeprefix("\n").replace("\n", "\r\n"))
    for name_of, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        sent.setdefault(name_of, []).append(unescape(chosen.group(1)) if chosen else "")
    return {name: values[0] if len(values) == 1 else values for name, values in sent.items()}


def test_the_gallery_shows_every_template_of_every_kind(desk: Desk) -> None:
    page = desk.get("/projects/new").text
    for name, key in TEMPLATES:
        assert f"task_type={name}&amp;template={key}" in page


@pytest.mark.parametrize(("name", "key"), TEMPLATES)
def test_a_template_becomes_a_project_as_it_is(desk: Desk, session: Session, name: str, key: str) -> None:
    template = next(each for each in task_types()[name].templates() if each.key == key)
    page = desk.get(f"/projects/new?task_type={name}&template={key}")
    assert page.status_code == 200
    made = desk.client.post("/projects", data=fields_of(page.text), headers=desk._headers())
    assert made.status_code == 303, made.text
    project = session.get_one(Project, read_id("project", made.headers["location"].rsplit("/", 1)[-1]))
    kind = task_types()[name]
    assert kind.config_model.model_validate(project.config) == kind.config_model.model_validate(template.config)
    guidelines, rubric = access.current_guidelines(session, project), access.current_rubric(session, project)
    assert guidelines is not None
    assert guidelines.body.strip() == template.guidelines.strip()
    assert rubric is not None
    tasks = session.scalar(select(func.count()).where(Task.project_id == project.id))
    assert tasks == len(template.examples)
    assert names_of_files(session, project, Placed.FILED) == names_of_files(session, project, Placed.TASK)
    assert names_of_files(session, project, Placed.TASK) == set(template.files)


def names_of_files(session: Session, project: Project, placed: Placed) -> set[str]:
    """Files of a project that lie there in this way."""
    wanted = select(Media.name).join(MediaPlace, MediaPlace.media_id == Media.id)
    return set(session.scalars(wanted.where(MediaPlace.project_id == project.id, MediaPlace.placed == placed)))


def test_every_template_brings_examples_and_all_shipped_material_is_shown_by_some() -> None:
    every = [template for kind in task_types().values() for template in kind.templates()]
    assert [template.key for template in every if not template.examples] == []
    shown = {path.name for template in every for path in template.files.values()}
    assert {path.name for path in MATERIAL.iterdir()} == shown
    assert sum(path.stat().st_size for path in MATERIAL.iterdir()) < 1_500_000


def test_examples_are_sent_once_and_left_out_where_they_are_not_wanted(desk: Desk, session: Session) -> None:
    page = desk.get("/projects/new?task_type=annotation&template=pdf").text
    fields = fields_of(page)
    for wanted in (fields, fields, {name: value for name, value in fields.items() if name != "examples"}):
        made = desk.client.post("/projects", data=wanted, headers=desk._headers())
        assert made.status_code == 303, made.text
    assert session.scalar(select(func.count()).select_from(Media)) == 2
    last = session.get_one(Project, read_id("project", made.headers["location"].rsplit("/", 1)[-1]))
    assert names_of_files(session, last, Placed.FILED) == set()


def test_an_unknown_template_is_refused_by_name(desk: Desk) -> None:
    refused = desk.get("/projects/new?task_type=comparison&template=nothing")
    assert refused.status_code == 422
    assert "which-is-better" in refused.text
