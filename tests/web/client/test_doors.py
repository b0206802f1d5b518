"""Who may see and do what on a client's pages, asked of every route."""

from collections.abc import Iterator

from fastapi.routing import APIRoute
from sqlalchemy import func, select

from preceptor.kit.events import Event
from preceptor.kit.ids import show_id
from preceptor.people.identify import csrf_token
from preceptor.projects.models import Project, Task
from preceptor.web import (
    client_endpoints,
    client_guidelines,
    client_imports,
    client_models,
    client_money,
    client_people,
    client_places,
    client_projects,
    client_quality,
    client_releases,
    client_tests,
    client_work,
)
from tests.web.acting import Answer, Desk
from tests.web.client.house import House, signed_in
from tests.web.client.material import HOSTILE, TERMS

MODULES = (
    client_projects, client_work, client_people, client_places, client_guidelines, client_imports,
    client_money, client_quality, client_releases, client_models, client_tests, client_endpoints,
)  # fmt: skip
NOT_OF_ONE_ORGANIZATION = {
    ("GET", "/projects"), ("POST", "/projects"), ("GET", "/projects/new"), ("POST", "/projects/estimate"),
    ("GET", "/money"), ("GET", "/money/statement.csv"), ("GET", "/models"),
    ("GET", "/models/endpoints"), ("GET", "/models/endpoints/new"), ("POST", "/models/endpoints"),
    ("GET", "/tests/manage"), ("GET", "/tests/manage/new"), ("POST", "/tests/manage"),
}  # fmt: skip


def routes() -> Iterator[tuple[str, str]]:
    """Method and path of every route of the client's pages."""
    for module in MODULES:
        for route in module.router.routes:
            assert isinstance(route, APIRoute)
            yield from ((method, route.path) for method in sorted((route.methods or set()) - {"HEAD"}))


def filled(house: House) -> list[tuple[str, str]]:
    """The routes that name something of one organization, with ids of things that exist there."""
    found = [(method, path.format(**house.ids)) for method, path in routes() if "{" in path]
    files = [
        f"{house.base}/releases/{house.ids['release_id']}/file?path={name}" for name in ("README.md", "manifest.json")
    ]
    return [*found, *(("GET", path) for path in files)]


def ask(desk: Desk, method: str, path: str) -> Answer:
    if method == "GET":
        return desk.get(path)
    if path.endswith("/imports"):
        return desk.upload(path, "tasks.jsonl", b"{}")
    return desk.post(path)


def test_every_route_is_looked_at() -> None:
    named = {(method, path) for method, path in routes() if "{" in path}
    assert {*routes()} - named == NOT_OF_ONE_ORGANIZATION
    assert len(named) > 30


def test_another_organization_finds_nothing_anywhere(house: House) -> None:
    for method, path in filled(house):
        answer = ask(house.stranger, method, path)
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"
        assert "Sums" not in answer.text
    for path in ("/money", "/money/statement.csv", "/tests/manage", "/tests/manage/new"):
        org = show_id("organization", house.judged.world.organization.id)
        assert house.stranger.get(f"{path}?org={org}").status_code == 404
    assert house.stranger.get(f"/tests/manage/new?project={house.ids['project_id']}").status_code == 404
    taken = house.stranger.post(
        "/projects", **TERMS, organization=show_id("organization", house.judged.world.organization.id)
    )
    assert taken.status_code == 404


def test_nobody_gets_in_without_signing_in(house: House) -> None:
    nobody = Desk(house.owner.client, "", "")
    for method, path in filled(house):
        assert ask(nobody, method, path).status_code in (303, 401, 403), f"{method} {path}"


def test_a_contributor_has_no_client_pages(house: House) -> None:
    runtime = house.judged.runtime
    with runtime.sessions.begin() as session:
        secret = signed_in(session, house.judged.people[0], runtime.clock.now())
    desk = Desk(house.owner.client, secret, csrf_token(secret, runtime.settings.signing_key()))
    for method, path in filled(house):
        assert ask(desk, method, path).status_code in (403, 404), f"{method} {path}"


def test_a_viewer_sees_everything_and_changes_nothing(house: House) -> None:
    with house.judged.runtime.sessions() as session:
        before = session.scalar(select(func.max(Event.id)))
    reads = ("/score",)
    for method, path in filled(house):
        if path.endswith("/file"):
            continue  # without the name of a file there is nothing to see
        answer = ask(house.viewer, method, path)
        if method == "GET" or path.endswith(reads):
            assert answer.status_code in (200, 303), f"{method} {path}: {answer.status_code}"
        else:
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
    assert house.viewer.post("/projects", **TERMS).status_code == 403
    with house.judged.runtime.sessions() as session:
        assert session.scalar(select(func.max(Event.id))) == before


def test_a_viewer_meets_no_gold_and_no_buttons_that_change(house: House) -> None:
    house.judged.make_gold(house.judged.world.tasks[0])
    task = f"{house.base}/tasks/{house.ids['task_id']}"
    assert "Gold, shown to managers only" in house.owner.get(task).text
    for path in (task, house.base, f"{house.base}/money", f"{house.base}/people", f"{house.base}/releases"):
        page = house.viewer.get(path).text
        assert "Gold, shown" not in page
        assert 'action="/projects' not in page.replace(f'action="{house.base}/tasks"', "")
    assert HOSTILE not in house.viewer.get(f"/tests/manage/{house.ids['assessment_id']}").text
    assert "Items" not in house.viewer.get(f"/tests/manage/{house.ids['assessment_id']}").text


def test_what_strangers_wrote_stays_inert_on_every_page(house: House) -> None:
    runtime = house.judged.runtime
    with runtime.sessions.begin() as session:
        project = session.get_one(Project, house.judged.project_id)
        project.title, project.summary = HOSTILE, HOSTILE
        task = session.get_one(Task, house.judged.world.tasks[0].id)
        task.external_id, task.topic = HOSTILE, HOSTILE
        task.payload = {
            "prompt": [{"role": "user", "content": HOSTILE}],
            "responses": [
                {"id": f"r{n}", "source": HOSTILE, "messages": [{"role": "assistant", "content": HOSTILE}]}
                for n in (1, 2)
            ],
        }  # fmt: skip
    checked = 0
    for method, path in filled(house):
        if method == "GET" and not path.endswith(".csv") and "/file" not in path:
            page = house.owner.get(path).text
            assert "<script>alert" not in page, path
            assert "<img src=x" not in page, path
            checked += 1
    assert checked > 15
    assert "<script>alert" not in house.owner.get("/projects").text
