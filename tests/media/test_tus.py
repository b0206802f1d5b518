"""Uploads by the tus protocol 1.0.0, and whole: resumed, checked, refused, limited, ended."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.cli.application import create_app
from preceptor.kit.clock import FixedClock
from preceptor.kit.events import Event
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.media import jobs, rules
from preceptor.media.models import Media, MediaUpload, UploadState
from tests.factories import User, World, make_client, make_contributor, make_world
from tests.media import files
from tests.web.acting import Answer, Seating

PART = "application/offset+octet-stream"
TUS = {"tus-resumable": "1.0.0"}


def told(**pairs: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


@dataclass
class Sender:
    """A tus client of one person, by API key."""

    client: TestClient
    user: User
    project: str

    def headers(self, **more: str) -> dict[str, str]:
        return {**self.user.headers, **TUS, **{name.replace("_", "-"): value for name, value in more.items()}}

    def create(self, length: int, *, data: bytes | None = None, **named: str) -> Answer:
        about = {"filename": "file.bin", "project": self.project, **named}
        headers = self.headers(upload_length=str(length), upload_metadata=told(**about))
        if data is not None:
            headers["content-type"] = PART
        return self.client.post("/api/v1/media/uploads", headers=headers, content=data or b"")

    def patch(self, where: str, offset: int, data: bytes, **more: str) -> Answer:
        headers = self.headers(upload_offset=str(offset), content_type=PART, **more)
        return self.client.patch(where, headers=headers, content=data)

    def stand(self, where: str) -> Answer:
        return self.client.head(where, headers=self.headers())

    def get(self, path: str) -> Any:
        return self.client.get(path, headers=self.user.headers).json()


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now())


@pytest.fixture
def send(client: TestClient, world: World) -> Sender:
    return Sender(client, world.client, show_id("project", world.project.id))


def kept_files(runtime: Runtime) -> list[str]:
    return runtime.storage.list("")


def test_a_file_goes_in_parts_and_comes_out_whole(send: Sender, session: Session, runtime: Runtime) -> None:
    data = files.wav(2)
    where = send.create(len(data), filename="tone.wav").headers["location"]
    assert send.patch(where, 0, data[:5000]).headers["upload-offset"] == "5000"
    stands = send.stand(where)
    assert (stands.status_code, stands.headers["upload-offset"], stands.headers["upload-length"]) == (
        200, "5000", str(len(data)))  # fmt: skip
    assert stands.headers["cache-control"] == "no-store"
    last = send.patch(where, 5000, data[5000:])
    assert last.status_code == 204
    media = last.headers["upload-media"]
    found = send.get(f"/api/v1/media/{media}")
    assert (found["kind"], found["type"], found["duration_seconds"], found["name"]) == (
        "audio", "audio/wav", 2.0, "tone.wav")  # fmt: skip
    assert found["url"] == f"media:{media}"
    content = send.client.get(f"/api/v1/media/{media}/content", headers=send.user.headers)
    assert content.content == data
    assert found["sha256"] == hashlib.sha256(data).hexdigest()
    assert [key for key in kept_files(runtime) if key.startswith("media-uploads/")] == []
    assert send.stand(where).headers["upload-media"] == media
    done = send.get(where)
    assert (done["state"], done["media"]["id"]) == ("done", media)


def test_what_the_server_speaks(client: TestClient) -> None:
    about = client.options("/api/v1/media/uploads")
    assert about.status_code == 204
    assert about.headers["tus-version"] == "1.0.0"
    assert set(about.headers["tus-extension"].split(",")) == {
        "creation", "creation-with-upload", "checksum", "expiration", "termination"}  # fmt: skip
    assert about.headers["tus-max-size"] == str(2048 * 1024**2)


def test_another_version_is_refused(send: Sender) -> None:
    answer = send.client.post(
        "/api/v1/media/uploads", headers={**send.user.headers, "tus-resumable": "0.2.2", "upload-length": "3"}
    )
    assert (answer.status_code, answer.headers["tus-version"]) == (412, "1.0.0")


def test_creation_may_bring_data(send: Sender) -> None:
    data = files.picture("PNG")
    made = send.create(len(data), data=data[:20])
    assert (made.status_code, made.headers["upload-offset"]) == (201, "20")
    whole = send.create(len(data), data=data)
    assert whole.headers["upload-media"].startswith("med_")


def test_a_part_from_another_byte_is_refused_and_the_upload_stays(send: Sender) -> None:
    data = files.wav(1)
    where = send.create(len(data)).headers["location"]
    send.patch(where, 0, data[:100])
    assert send.patch(where, 50, data[50:]).status_code == 409
    assert send.patch(where, 100, data[100:] + b"more").status_code == 422
    assert send.stand(where).headers["upload-offset"] == "100"
    assert send.patch(where, 100, data[100:]).status_code == 204


def test_a_part_is_held_against_its_checksum(send: Sender, runtime: Runtime) -> None:
    data = files.wav(1)
    where = send.create(len(data)).headers["location"]
    right = base64.b64encode(hashlib.sha1(data[:3000]).digest()).decode()  # noqa: S324  (the protocol's own choice)
    wrong = send.patch(where, 0, data[1:3001], upload_checksum=f"sha1 {right}")
    assert wrong.status_code == 460
    assert send.stand(where).headers["upload-offset"] == "0"
    assert kept_files(runtime) == []
    assert send.patch(where, 0, data[:3000], upload_checksum=f"sha1 {right}").status_code == 204
    rest = base64.b64encode(hashlib.sha256(data[3000:]).digest()).decode()
    assert "upload-media" in send.patch(where, 3000, data[3000:], upload_checksum=f"sha256 {rest}").headers
    assert send.patch(where, 3000, b"", upload_checksum="crc32 AAAA").status_code in (410, 422)


def test_a_file_that_is_not_what_was_announced_is_refused_and_removed(send: Sender, runtime: Runtime) -> None:
    data = files.picture("PNG")
    right, wrong = hashlib.sha256(data).hexdigest(), hashlib.sha256(b"other").hexdigest()
    refused = send.create(len(data), data=data, sha256=wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "media_digest_differs")
    assert kept_files(runtime) == []
    assert send.create(len(data), data=data, sha256=right.upper()).status_code == 201
    assert send.create(len(data), data=data, sha256="12").status_code == 422


def test_a_hostile_file_is_refused_with_its_reason_and_nothing_stays(
    send: Sender, session: Session, runtime: Runtime
) -> None:
    data = files.picture("JPEG") + files.archive()
    where = send.create(len(data), filename="cat.jpg").headers["location"]
    refused = send.patch(where, 0, data)
    assert (refused.status_code, refused.json()["code"]) == (422, "media_refused")
    assert "ZIP archive" in refused.json()["detail"]
    assert kept_files(runtime) == []
    assert session.scalar(select(Media)) is None
    assert send.stand(where).status_code == 422
    assert "ZIP archive" in send.get(where)["problem"]
    event = session.scalars(select(Event).where(Event.kind == "media.refused")).one()
    assert event.data["name"] == "cat.jpg"


def test_what_can_never_stay_is_refused_by_its_first_part(send: Sender, runtime: Runtime) -> None:
    where = send.create(500_000_000, filename="film.mp4").headers["location"]
    refused = send.patch(where, 0, b"\x7fELF" + bytes(5000))
    assert refused.status_code == 422
    assert kept_files(runtime) == []
    assert send.patch(where, 5004, b"more").status_code == 422


def test_the_same_content_is_kept_once(send: Sender, session: Session, runtime: Runtime) -> None:
    data = files.photo()
    one = send.create(len(data), data=data, filename="a.jpg").headers["upload-media"]
    two = send.create(len(data), data=data, filename="b.jpg").headers["upload-media"]
    plain = files.picture("JPEG", quality=90, exif=files.exif(turned=6))
    three = send.create(len(plain), data=plain, filename="c.jpg").headers["upload-media"]
    assert one == two == three
    assert len(session.scalars(select(Media)).all()) == 1
    assert len(kept_files(runtime)) == 2  # the picture, and its small version
    created = session.scalars(select(Event).where(Event.kind == "media.created")).all()
    assert len(created) == 1


def test_two_organizations_keep_their_own(
    send: Sender, client: TestClient, session: Session, clock: FixedClock, runtime: Runtime
) -> None:
    data = files.picture("PNG")
    other = make_world(session, now=clock.now())
    foreign = Sender(client, other.client, show_id("project", other.project.id))
    mine, theirs = (each.create(len(data), data=data).headers["upload-media"] for each in (send, foreign))
    assert mine != theirs
    assert len([key for key in kept_files(runtime) if key.startswith("media/")]) == 4


def test_limits_of_size_and_space(send: Sender, session: Session, runtime: Runtime) -> None:
    assert send.create(0).status_code == 422
    too_large = send.create(2048 * 1024**2 + 1)
    assert (too_large.status_code, too_large.json()["code"]) == (413, "media_too_large")
    small = replace(runtime, settings=runtime.settings.model_copy(update={"media_bytes_max": 10_000}))
    with TestClient(create_app(small), headers={"sec-fetch-site": "same-origin"}) as client:
        sender = replace(send, client=client)
        assert sender.create(6_000).status_code == 201
        # What is under way counts whole, so that two at a time cannot overrun the space.
        full = sender.create(6_000)
        assert (full.status_code, full.json()["code"]) == (409, "media_quota_full")


def test_too_many_unfinished_uploads_are_refused(send: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "UPLOADS_OPEN_MAX", 2)
    assert [send.create(10).status_code for _ in range(3)] == [201, 201, 429]


def test_an_upload_left_too_long_is_removed(
    send: Sender, session: Session, runtime: Runtime, clock: FixedClock
) -> None:
    where = send.create(100_000).headers["location"]
    send.patch(where, 0, files.wav(1)[:5000])
    clock.at += rules.UPLOAD_KEPT_FOR - timedelta(minutes=1)
    jobs.end_uploads(runtime)
    assert send.stand(where).status_code == 200
    clock.at += timedelta(minutes=2)
    assert send.stand(where).status_code == 410
    jobs.end_uploads(runtime)
    assert session.scalar(select(MediaUpload)) is None
    assert kept_files(runtime) == []


def test_a_cancelled_upload_leaves_nothing(send: Sender, session: Session, runtime: Runtime) -> None:
    where = send.create(100_000).headers["location"]
    send.patch(where, 0, files.wav(1)[:5000])
    assert send.client.delete(where, headers=send.headers()).status_code == 204
    assert send.stand(where).status_code == 404
    assert kept_files(runtime) == []


def test_a_whole_upload_whose_check_died_is_checked_later(
    send: Sender, session: Session, runtime: Runtime, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = files.picture("PNG")
    where = send.create(len(data)).headers["location"]

    def dies(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr("preceptor.media.finishing.examine", dies)
        with pytest.raises(MemoryError):
            send.patch(where, 0, data)
    assert send.stand(where).status_code == 423
    clock.at += rules.CHECK_GIVEN_UP_AFTER + timedelta(seconds=1)
    jobs.finish_left(runtime)
    assert send.stand(where).headers["upload-media"].startswith("med_")


# --- Doors


def test_nobody_else_meets_an_upload(
    send: Sender, world: World, client: TestClient, session: Session, clock: FixedClock
) -> None:
    where = send.create(100).headers["location"]
    _, stranger = make_client(session, now=clock.now())
    for other in (stranger, world.operator, make_contributor(session, now=clock.now())):
        sender = Sender(client, other, send.project)
        assert sender.stand(where).status_code == 404
        assert sender.patch(where, 0, b"x").status_code == 404
        assert client.delete(where, headers=sender.headers()).status_code == 404
    assert client.head(where, headers=TUS).status_code == 401


def test_strangers_and_viewers_add_nothing(
    send: Sender, client: TestClient, session: Session, clock: FixedClock
) -> None:
    _, stranger = make_client(session, now=clock.now())
    assert Sender(client, stranger, send.project).create(10).status_code == 404
    assert Sender(client, make_contributor(session, now=clock.now()), send.project).create(10).status_code == 404
    assert send.create(10, project="").json()["code"] == "upload_nowhere"
    assert client.post("/api/v1/media/uploads", headers={**TUS, "upload-length": "3"}).status_code == 401


def test_a_page_uploads_with_its_token_only(
    client: TestClient, runtime: Runtime, session: Session, clock: FixedClock, world: World
) -> None:
    desk = Seating(client, runtime, session, clock)(world.client, "client")
    project = show_id("project", world.project.id)
    headers = {
        **desk._headers(), **TUS, "upload-length": "10", "upload-metadata": told(filename="a.txt", project=project),
    }  # fmt: skip
    assert client.post("/media/uploads", headers=headers).status_code == 403
    made = client.post("/media/uploads", headers={**headers, "x-csrf-token": desk.token})
    assert made.status_code == 201
    assert made.headers["location"].startswith("/media/uploads/upl_")
    part = {**desk._headers(), **TUS, "x-csrf-token": desk.token, "upload-offset": "0", "content-type": PART}
    done = client.patch(made.headers["location"], headers=part, content=b"ten bytes.")
    assert read_id("media", done.headers["upload-media"])


# --- Whole


@pytest.fixture
def post(client: TestClient, world: World) -> Callable[..., Answer]:
    def at(data: bytes, name: str = "file", **query: str) -> Answer:
        asked = {"project": show_id("project", world.project.id), "filename": name, **query}
        return client.post("/api/v1/media", params=asked, headers=world.client.headers, content=data)

    return at


def test_a_small_file_goes_whole(post: Callable[..., Answer], client: TestClient, world: World) -> None:
    found = post(files.picture("PNG"), "picture.gif")
    assert found.status_code == 201
    assert found.json()["remark"].startswith("The name ends in .gif, but this is a PNG image.")
    form = client.post(
        "/api/v1/media",
        params={"organization": show_id("organization", world.organization.id)},
        files={"file": ("words.txt", b"Some words")},
        headers=world.client.headers,
    )
    assert (form.status_code, form.json()["name"], form.json()["kind"]) == (201, "words.txt", "text")


def test_a_whole_file_meets_the_same_checks(post: Callable[..., Answer], runtime: Runtime) -> None:
    assert post(b"<svg onload='alert(1)'/>").json()["code"] == "media_refused"
    assert post(files.picture("PNG"), sha256="0" * 64).json()["code"] == "media_digest_differs"
    assert kept_files(runtime) == []


def test_states_of_uploads_are_all_reached(send: Sender, session: Session) -> None:
    data = files.picture("PNG")
    send.create(10)
    send.create(len(data), data=data)
    send.create(4, data=b"\x7fELF")
    states = {upload.state for upload in session.scalars(select(MediaUpload))}
    assert states == {UploadState.RECEIVING, UploadState.DONE, UploadState.REFUSED}
