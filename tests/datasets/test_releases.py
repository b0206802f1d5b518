"""Releases as clients meet them: asked for, watched, downloaded, and never changed."""

import hashlib
import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy.exc
from fastapi.testclient import TestClient
from sqlalchemy import text

import preceptor.datasets.jobs
from preceptor.cli import releases as commands
from preceptor.cli.application import create_app
from preceptor.datasets import service as datasets
from preceptor.datasets.changes import ReleaseChanges, RowChanges
from preceptor.datasets.errors import FolderNotEmpty, NothingToRelease
from preceptor.datasets.files import RowFiles, in_split
from preceptor.datasets.models import Release, ReleaseState
from preceptor.datasets.pseudonyms import pseudonyms
from preceptor.kit.errors import NotFound
from preceptor.kit.ids import new_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.tasktypes.base import task_type
from tests import factories
from tests.conftest import NOW
from tests.datasets.judged import Judged, make_judged

OpenRuntime = Callable[..., Runtime]


@pytest.fixture
def judged(open_runtime: OpenRuntime) -> Judged:
    world = make_judged(open_runtime(), tasks=2, people=2, overlap=2, now=NOW)
    world.judge(world.people[0], "r1")
    world.judge(world.people[1], "r1")
    world.approve_all()
    return world


@pytest.fixture
def http(judged: Judged) -> Iterator[TestClient]:
    with TestClient(create_app(judged.runtime), headers={"sec-fetch-site": "same-origin"}) as client:
        yield client


def test_a_project_without_judgments_has_nothing_to_release(open_runtime: OpenRuntime) -> None:
    empty = make_judged(open_runtime(), tasks=2, people=1, overlap=1, now=NOW)
    with pytest.raises(NothingToRelease):
        empty.release()


def test_numbers_are_given_in_order_also_to_those_who_ask_at_once(judged: Judged) -> None:
    def ask() -> None:
        with judged.runtime.sessions.begin() as session:
            datasets.request_release(session, judged.world.client.actor, judged.project_id, "At once", now=NOW)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with judged.runtime.sessions.begin() as session:
        found = datasets.list_releases(session, judged.world.client.actor, judged.project_id)
    assert sorted(release.number for release in found) == [1, 2, 3, 4, 5, 6]


def test_two_builders_of_one_release_write_it_once(judged: Judged) -> None:
    """A command line and a worker may reach the same release; what is ready must keep its files."""
    with judged.runtime.sessions.begin() as session:
        asked = datasets.request_release(session, judged.world.client.actor, judged.project_id, "Race", now=NOW)
    pages = []
    threads = [
        threading.Thread(
            target=datasets.build_release, args=(judged.runtime, asked.id, lambda done, total: pages.append(done))
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pages == [1]


def test_a_finished_release_cannot_be_changed(judged: Judged) -> None:
    release = judged.release()
    for statement in ("UPDATE release SET sha256 = 'other'", "DELETE FROM release"):
        with pytest.raises(sqlalchemy.exc.IntegrityError, match="append-only"), judged.runtime.sessions.begin() as own:
            own.execute(text(statement))
    assert release.state is ReleaseState.READY


def test_a_build_that_fails_says_so_and_can_be_run_again(judged: Judged) -> None:
    with judged.runtime.sessions.begin() as session:
        asked = datasets.request_release(session, judged.world.client.actor, judged.project_id, "Full", now=NOW)

    def full_disk(done: int, total: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        datasets.build_release(judged.runtime, asked.id, full_disk)
    with judged.runtime.sessions.begin() as session:
        failed = session.get_one(Release, asked.id)
        assert (failed.state, failed.sha256) == (ReleaseState.FAILED, None)
        assert failed.failure
    assert not list((judged.runtime.settings.data_dir / "building").iterdir())
    assert datasets.build_release(judged.runtime, asked.id).state is ReleaseState.READY


def test_changes_since_the_last_release_are_counted_in_rows(judged: Judged) -> None:
    first = judged.release()
    judged.judge(judged.people[0], "r2")
    judged.judge(judged.people[1], "r2")
    second = judged.release("With one still to be decided")
    judged.approve_all()
    third = judged.release("All decided")
    client, storage = judged.world.client.actor, judged.runtime.storage
    with judged.runtime.sessions.begin() as session:
        assert datasets.changes_since_last(session, client, storage, first.id) is None
        since_first = datasets.changes_since_last(session, client, storage, second.id)
        since_second = datasets.changes_since_last(session, client, storage, third.id)
    assert since_first == ReleaseChanges(RowChanges(), RowChanges(added=2))
    assert since_second == ReleaseChanges(RowChanges(added=1), RowChanges(changed=2))


def test_export_refuses_a_folder_with_files_in_it(judged: Judged, tmp_path: Path) -> None:
    release = judged.release()
    (tmp_path / "there").write_text("mine")
    with judged.runtime.sessions.begin() as session, pytest.raises(FolderNotEmpty):
        datasets.export_release(session, judged.world.client.actor, judged.runtime.storage, release.id, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.name == "there"]


def test_a_person_has_another_pseudonym_in_another_organization() -> None:
    person, one, other = new_id(), new_id(), new_id()
    assert pseudonyms(b"secret", one)(person) == pseudonyms(b"secret", one)(person)
    names = {pseudonyms(b"secret", one)(person), pseudonyms(b"secret", other)(person), pseudonyms(b"new", one)(person)}
    assert len(names) == 3
    assert person.hex not in "".join(names)


def test_large_configs_are_cut_into_shards_that_hold_all_rows(tmp_path: Path) -> None:
    schema = task_type("comparison").tables["pairs"].schema
    with RowFiles(tmp_path, schema, in_split("pairs"), shard_bytes_max=1) as files:
        for number in range(3):
            files.add([{"task_id": f"tsk_{number}"}])
    assert files.rows_of == {f"pairs/train-{number:05}.parquet": 1 for number in range(3)}


# --- Over HTTP


def test_a_client_asks_watches_and_downloads_over_the_api(judged: Judged, http: TestClient) -> None:
    headers = judged.world.client.headers
    project = show_id("project", judged.project_id)
    asked = http.post(f"/api/v1/projects/{project}/releases", json={"title": "Over the API"}, headers=headers)
    assert asked.status_code == 201, asked.text
    assert asked.json()["state"] == "queued"
    path = f"/api/v1/releases/{asked.json()['id']}"
    too_early = http.get(f"{path}/files/manifest.json", headers=headers)
    assert (too_early.status_code, too_early.json()["code"]) == (409, "release_not_ready")

    with judged.runtime.sessions.begin() as session:
        [waiting] = datasets.list_releases(session, judged.world.client.actor, judged.project_id)
    datasets.build_release(judged.runtime, waiting.id)
    ready = http.get(path, headers=headers).json()
    assert (ready["state"], ready["pairs"], ready["judgments"]) == ("ready", 1, 2)
    for file in ready["files"]:
        answer = http.get(f"{path}/files/{file['path']}", headers={**headers, "accept-encoding": "identity"})
        assert hashlib.sha256(answer.content).hexdigest() == file["sha256"]
        assert answer.headers["content-disposition"].startswith("attachment")
    manifest = http.get(f"{path}/files/manifest.json", headers=headers).content
    assert hashlib.sha256(manifest).hexdigest() == ready["sha256"]
    assert http.get(f"{path}/changes", headers=headers).json()["first"] is True


@pytest.mark.parametrize("path", ["", "/changes", "/files/manifest.json", "/files/README.md"])
def test_strangers_find_nothing(judged: Judged, http: TestClient, path: str) -> None:
    release = judged.release()
    with judged.runtime.sessions.begin() as session:
        _, stranger = factories.make_client(session, now=NOW)
    url = f"/api/v1/releases/{show_id('release', release.id)}{path}"
    assert http.get(url, headers=stranger.headers).status_code == 404
    assert http.get(url, headers=judged.people[0].headers).status_code == 404
    assert http.get(url, headers=judged.world.client.headers).status_code == 200


@pytest.mark.parametrize("path", ["../../secret", "..%2f..%2fsecret", "%2e%2e/%2e%2e/secret", "nothing.txt", ""])
def test_only_files_of_the_manifest_can_be_had(judged: Judged, http: TestClient, path: str) -> None:
    url = f"/api/v1/releases/{show_id('release', judged.release().id)}/files/{path}"
    assert http.get(url, headers=judged.world.client.headers).status_code == 404


def _signed(judged: Judged, path: str) -> str:
    release, now = judged.release(), judged.runtime.clock.now()
    with judged.runtime.sessions.begin() as session:
        return datasets.file_link(session, judged.world.client.actor, judged.runtime.storage, release.id, path, now=now)


def test_a_signed_link_gives_the_one_file_and_no_other(judged: Judged, http: TestClient) -> None:
    link = _signed(judged, "README.md")
    answer = http.get(link)
    assert answer.status_code == 200
    assert answer.text.startswith("---\npretty_name")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert http.get(link.replace("README.md", "manifest.json")).status_code == 404
    assert http.get(link[:-1] + ("0" if link[-1] != "0" else "1")).status_code == 404
    assert http.get(link.split("?")[0]).status_code == 422


def test_a_signed_link_expires(judged: Judged, http: TestClient) -> None:
    key = _signed(judged, "README.md").removeprefix("/files/").split("?")[0]
    old = judged.runtime.storage.sign(key, now=judged.runtime.clock.now() - timedelta(hours=1))
    answer = http.get(old, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (410, "link_expired")


def test_a_download_can_be_resumed_by_range(judged: Judged, http: TestClient) -> None:
    link = _signed(judged, "jsonl/judgments.jsonl.gz")
    whole = http.get(link)
    size = len(whole.content)
    parts = [http.get(link, headers={"range": wanted}) for wanted in ("bytes=0-9", "bytes=10-", "bytes=-4")]
    assert [part.status_code for part in parts] == [206, 206, 206]
    assert parts[0].content + parts[1].content == whole.content
    assert parts[2].content == whole.content[-4:]
    assert parts[0].headers["content-range"] == f"bytes 0-9/{size}"
    assert zlib.decompress(whole.content, wbits=31).count(b"\n") == 2
    beyond = http.get(link, headers={"range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert http.get(link, headers={"range": "bytes=5-2"}).status_code == 416
    assert http.get(link, headers={"range": "lines=1-2"}).status_code == 200
    head = http.head(link)
    assert (head.content, head.headers["content-length"]) == (b"", str(size))


# --- On the command line


def test_the_command_builds_at_once_and_the_worker_finds_it_finished(judged: Judged) -> None:
    built = commands.build_now(judged.runtime, judged.world.project.title, "From the shell")
    assert (built.state, built.title, built.number) == (ReleaseState.READY, "From the shell", 1)
    preceptor.datasets.jobs.build_release(judged.runtime, str(built.id))
    with judged.runtime.sessions.begin() as session:
        assert session.get_one(Release, built.id).built_at == built.built_at
    with pytest.raises(NotFound):
        commands.build_now(judged.runtime, "Nobody's project", "From the shell")
