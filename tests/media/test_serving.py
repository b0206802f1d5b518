"""Files by signed address: whole and in ranges, for one person and one organization, inert whatever they hold."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.errors import NotFound
from preceptor.kit.events import Event
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.media import jobs
from preceptor.media.models import Media, MediaPlace, Placed
from preceptor.media.rules import media_key, media_url, small_key
from preceptor.media.service import signer
from preceptor.media.signing import LIFETIME, STEP, check_signature
from preceptor.tasktypes.comparison.task_type import ComparisonType
from tests.factories import User, World, join, make_contributor, make_world
from tests.media import files
from tests.media.making import add_file
from tests.web.acting import Answer, Seating

SOUND = files.wav(2)


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now(), tasks=0)


@pytest.fixture
def seat(client: TestClient, runtime: Runtime, session: Session, clock: FixedClock) -> Seating:
    return Seating(client, runtime, session, clock)


Add = Callable[..., Media]


@pytest.fixture
def add(runtime: Runtime, world: World) -> Add:
    def at(data: bytes, name: str = "file") -> Media:
        return add_file(runtime, world.client.actor, world.organization.id, data, name, project_id=world.project.id)

    return at


def address(runtime: Runtime, media: Media, person: UUID | None, org_id: UUID | None = None) -> str:
    sign = signer(runtime.settings.signing_key(), org_id or media.org_id, person, runtime.clock.now())
    return sign(media_url(media.id))


def test_a_file_is_served_inert(add: Add, seat: Seating, world: World, runtime: Runtime) -> None:
    media = add(SOUND, "tone.wav")
    got = seat(world.client).get(address(runtime, media, world.client.id))
    assert (got.status_code, got.content, got.headers["content-type"]) == (200, SOUND, "audio/wav")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"].startswith("default-src 'none'")
    assert "sandbox" in got.headers["content-security-policy"]
    assert got.headers["content-disposition"] == "inline; filename*=UTF-8''tone.wav"
    assert got.headers["cache-control"].startswith("private")
    assert got.headers["etag"] == f'"{media.sha256}"'


def test_documents_are_saved_and_never_shown_by_the_browser(
    add: Add, seat: Seating, world: World, runtime: Runtime
) -> None:
    desk = seat(world.client)
    for data, name, kind in ((files.pdf(), "a.pdf", "application/pdf"), (b"let x = 1", "run.js", "text/plain")):
        got = desk.get(address(runtime, add(data, name), world.client.id))
        assert got.headers["content-type"].startswith(kind)
        assert got.headers["content-disposition"].startswith("attachment;")
    assert got.headers["content-disposition"].endswith("run.js.txt")


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=100-", 206, slice(100, None)),
        ("bytes=-20", 206, slice(-20, None)),
        ("bytes=5-999999999", 206, slice(5, None)),
        ("bytes=999999999-", 416, None),
        ("bytes=0-1,4-5", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
    ],
)
def test_ranges(
    add: Add, seat: Seating, world: World, runtime: Runtime, asked: str, status: int, part: slice | None
) -> None:
    where = address(runtime, add(SOUND), world.client.id)
    got = seat(world.client).get(where, range=asked)
    assert got.status_code == status
    if part is None:
        assert got.headers["content-range"] == f"bytes */{len(SOUND)}"
        return
    assert got.content == SOUND[part]
    if status == 206:
        start, stop, _ = part.indices(len(SOUND))
        assert got.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(SOUND)}"


def test_a_conditional_range_is_given_of_the_same_file_only(
    add: Add, seat: Seating, world: World, runtime: Runtime
) -> None:
    media = add(SOUND)
    where, desk = address(runtime, media, world.client.id), seat(world.client)
    same = {"range": "bytes=0-3", "if-range": f'"{media.sha256}"'}
    assert desk.get(where, **same).status_code == 206
    assert desk.get(where, **{**same, "if-range": '"other"'}).status_code == 200
    assert desk.get(where, **{"if-none-match": f'"{media.sha256}"'}).status_code == 304


def test_an_address_opens_for_its_person_only(
    add: Add, seat: Seating, world: World, runtime: Runtime, client: TestClient, session: Session, clock: FixedClock
) -> None:
    media = add(SOUND)
    other = make_contributor(session, now=clock.now())
    where = address(runtime, media, other.id)
    assert seat(other).get(where).status_code == 200
    assert seat(world.client).get(where).status_code == 404
    assert client.get(where).status_code == 404
    anybody = address(runtime, media, None)
    assert (client.get(anybody).status_code, seat(other).get(anybody).status_code) == (200, 200)


def test_changed_and_old_addresses_open_nothing(
    add: Add, seat: Seating, world: World, runtime: Runtime, clock: FixedClock
) -> None:
    media, desk = add(SOUND), seat(world.client)
    where = address(runtime, media, world.client.id)
    changed = re.sub(r"signature=(.)", lambda found: f"signature={'0' if found[1] != '0' else '1'}", where)
    assert desk.get(changed).status_code == 404
    later = re.sub(r"expires=(\d+)", lambda found: f"expires={int(found[1]) + 3600}", where)
    assert desk.get(later).status_code == 404
    assert desk.get(urlsplit(where).path).status_code == 422
    clock.at += LIFETIME + STEP + timedelta(seconds=1)
    assert desk.get(where).status_code == 410


def test_an_organization_never_opens_the_files_of_another(
    add: Add, seat: Seating, runtime: Runtime, session: Session, clock: FixedClock
) -> None:
    media = add(SOUND)
    other = make_world(session, now=clock.now())
    # What a page of the other organization would show, were the file named in one of its tasks.
    where = address(runtime, media, other.client.id, other.organization.id)
    assert seat(other.client).get(where).status_code == 404


def test_an_address_stays_the_same_for_an_hour_so_that_browsers_find_it_again(
    runtime: Runtime, clock: FixedClock
) -> None:
    key, org, person = b"k", UUID(int=1), UUID(int=2)
    url = "media:med_" + "0" * 32
    first = signer(key, org, person, clock.now())(url)
    assert signer(key, org, person, clock.now() + timedelta(minutes=59))(url) == first
    assert signer(key, org, person, clock.now() + timedelta(minutes=61))(url) != first
    assert signer(key, org, person, clock.now())("https://e.org/a.png") == "https://e.org/a.png"
    with pytest.raises(NotFound):
        check_signature(key, UUID(int=0), org, person, 10**10, "é", now=clock.now())


def test_a_picture_has_a_small_version(add: Add, seat: Seating, world: World, runtime: Runtime) -> None:
    media = add(files.picture("PNG", size=(900, 600)))
    where = address(runtime, media, world.client.id)
    small = seat(world.client).get(where.replace("/file?", "/small?"))
    assert small.headers["content-type"] == "image/webp"
    assert small.content == runtime.storage.get(small_key(media.org_id, media.id))


# --- Tasks that name files


def payload(url: str) -> dict[str, Any]:
    parts = [{"type": "text", "text": "What do you hear?"}, {"type": "audio_url", "audio_url": {"url": url}}]
    return {
        "prompt": [{"role": "user", "content": parts}],
        "responses": [
            {"id": "r1", "messages": [{"role": "assistant", "content": "A tone."}]},
            {"id": "r2", "messages": [{"role": "assistant", "content": "A bird."}]},
        ],
    }


def add_task(client: TestClient, world: World, number: int, url: str) -> Answer:
    tasks = {"tasks": [{"external_id": f"sound-{number}", "payload": payload(url), "priority": 1}]}
    where = f"/api/v1/projects/{show_id('project', world.project.id)}/tasks"
    return client.post(where, json=tasks, headers=world.client.headers)


def test_a_task_plays_its_file_for_the_person_at_the_desk(
    add: Add, seat: Seating, client: TestClient, world: World, session: Session, clock: FixedClock, runtime: Runtime
) -> None:
    media = add(SOUND, "tone.wav")
    added = add_task(client, world, 1, media_url(media.id))
    assert added.status_code == 201, added.text
    person = worker(session, world, clock)
    desk = seat(person, "contributor")
    started = desk.post(f"/work/{show_id('project', world.project.id)}")
    shown = desk.workspace(started.headers["location"])
    html = str(shown["task"]["data"])
    found = re.search(r'<audio src="(/media/[^"]+)"', html)
    assert found is not None, html
    where = found[1].replace("&amp;", "&")
    assert desk.get(where, range="bytes=0-3").content == SOUND[:4]
    assert client.get(where).status_code == 404
    task_page = seat(world.client, "client").get(
        f"/projects/{show_id('project', world.project.id)}/tasks/{show_id('task', newest_task(session))}"
    )
    assert re.search(r'<audio src="/media/med_[^"]+signature=', task_page.text)


def worker(session: Session, world: World, clock: FixedClock) -> User:
    return join(session, world, now=clock.now())[0]


def newest_task(session: Session) -> UUID:
    place = session.scalars(select(MediaPlace).where(MediaPlace.placed == Placed.TASK)).one()
    return place.subject_id


def test_a_task_names_only_files_that_its_organization_has(
    add: Add, client: TestClient, world: World, session: Session, clock: FixedClock, runtime: Runtime
) -> None:
    unknown = add_task(client, world, 1, "media:med_" + "0" * 32)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "media_unknown")
    other = make_world(session, now=clock.now())
    theirs = add_file(runtime, other.client.actor, other.organization.id, SOUND, "a.wav")
    assert add_task(client, world, 1, media_url(theirs.id)).status_code == 422
    assert add_task(client, world, 1, media_url(add(SOUND).id)).status_code == 201


def test_an_answer_holds_files_where_the_kind_of_work_takes_them(
    seat: Seating,
    client: TestClient,
    world: World,
    session: Session,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_task(client, world, 1, "https://e.org/a.wav")
    person = worker(session, world, clock)
    desk = seat(person, "contributor")
    started = desk.post(f"/work/{show_id('project', world.project.id)}").headers["location"]
    claim = started.rsplit("/", 1)[1]
    headers = {**desk._headers(), "x-csrf-token": desk.token, "tus-resumable": "1.0.0", "accept": "application/json"}

    def upload() -> Answer:
        part = {"content-type": "application/offset+octet-stream", "upload-length": str(len(SOUND))}
        return client.post(f"/media/uploads?claim={claim}", headers={**headers, **part}, content=SOUND)

    assert upload().status_code == 403, "comparisons hold no files"
    monkeypatch.setattr(ComparisonType, "services", frozenset({"upload"}))
    made = upload()
    assert made.status_code == 201, made.text
    media = made.headers["upload-media"]
    kept = client.get(made.headers["location"], headers=headers).json()["media"]
    assert desk.get(kept["address"]).content == SOUND
    said = f"A is better, as media:{media} shows, and B is not."
    answer = {"ranks": {"A": 1, "B": 2}, "strength": 2, "justification": said}
    unknown = {**answer, "justification": f"A is better, as media:med_{'0' * 32} shows."}
    assert desk.send("POST", f"{started}/submission", {"answer": unknown}).json()["code"] == "media_unknown"
    assert desk.send("PUT", f"{started}/draft", {"draft": answer, "number": 1}).status_code == 200
    shown = desk.workspace(started)["claim"]["media"]
    assert desk.get(shown[f"media:{media}"]).content == SOUND
    assert desk.send("POST", f"{started}/submission", {"answer": answer}).status_code == 200
    used = client.get(f"/api/v1/media/{media}", headers=world.client.headers).json()
    assert used["used_by"] == {"tasks": 0, "answers": 1}
    assert client.delete(f"/api/v1/media/{media}", headers=world.client.headers).status_code == 409
    assert upload().status_code == 410, "the claim is over"


def test_a_file_that_a_task_uses_stays_and_any_other_may_go(
    add: Add, client: TestClient, world: World, session: Session, runtime: Runtime
) -> None:
    used, free = add(SOUND), add(files.picture("PNG"))
    add_task(client, world, 1, media_url(used.id))

    def path(media: Media) -> str:
        return f"/api/v1/media/{show_id('media', media.id)}"

    refused = client.delete(path(used), headers=world.client.headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "media_in_use")
    assert client.get(path(used), headers=world.client.headers).json()["used_by"] == {"tasks": 1, "answers": 0}
    assert client.delete(path(free), headers=world.client.headers).status_code == 204
    assert client.get(path(free), headers=world.client.headers).status_code == 404
    jobs.remove_deleted(runtime, str(free.id))
    jobs.remove_deleted(runtime, str(used.id))
    assert runtime.storage.list(media_key(free.org_id, free.id)) == []
    assert runtime.storage.get(media_key(used.org_id, used.id)) == SOUND
    event = session.scalars(select(Event).where(Event.kind == "media.deleted")).one()
    assert event.subject_id == free.id
    # The same content may come again.
    assert add(files.picture("PNG")).id != free.id


def test_lists_are_searched_sorted_and_paged(add: Add, client: TestClient, world: World) -> None:
    for number in range(5):
        add(files.wav(number + 1), f"Tone {number}.wav")
    add(files.picture("PNG"), "a picture.png")
    where = {"project": show_id("project", world.project.id)}

    def names(**query: Any) -> list[str]:
        found, cursor = [], None
        while True:
            page = client.get(
                "/api/v1/media",
                params={**where, "limit": 2, **query, **({"cursor": cursor} if cursor else {})},
                headers=world.client.headers,
            ).json()
            found += [each["name"] for each in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    tones = [f"Tone {number}.wav" for number in range(5)]
    assert names() == ["a picture.png", *reversed(tones)]
    assert names(sort="name") == ["a picture.png", *tones]
    assert names(sort="largest")[:5] == list(reversed(tones))
    assert names(q="TONE 3") == ["Tone 3.wav"]
    assert names(kind="image") == ["a picture.png"]
