"""`preceptor media add`: a file or folder, resumed, with the addresses by name."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from obstore.store import MemoryStore
from sqlalchemy import select
from typer.testing import CliRunner

from preceptor.cli.backup import backup
from preceptor.cli.main import app
from preceptor.cli.media_names import FilesUnnamed, addressed, with_addresses
from preceptor.kit.events import SYSTEM
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.kit.storage import Storage
from preceptor.media import rules
from preceptor.media.models import Media, MediaUpload
from preceptor.media.sending import send_file
from preceptor.projects.models import Task
from tests.factories import World, make_world
from tests.media import files
from tests.media.making import add_file


@pytest.fixture
def runtime(open_runtime: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Runtime:
    made = open_runtime()
    url = made.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    monkeypatch.setenv("PRECEPTOR_DATABASE_URL", url)
    monkeypatch.setenv("PRECEPTOR_DATA_DIR", str(tmp_path))
    return made


@pytest.fixture
def world(runtime: Runtime) -> World:
    with runtime.sessions.begin() as session:
        return make_world(session, now=runtime.clock.now(), tasks=0)


def test_a_folder_goes_in_and_its_addresses_come_out(runtime: Runtime, world: World, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "street.png").write_bytes(files.picture("PNG"))
    (folder / "speech.wav").write_bytes(files.wav(2))
    (folder / "again.wav").write_bytes(files.wav(2))
    (folder / ".hidden").write_bytes(b"x")
    (folder / "bad.svg").write_bytes(b"<svg/>")
    out = tmp_path / "addresses.jsonl"
    wanted = ["media", "add", str(folder), "--project", show_id("project", world.project.id), "--out", str(out)]
    first = CliRunner().invoke(app, wanted)
    assert first.exit_code == 1, "one of them was refused"
    assert "bad.svg" in first.output
    assert "SVG image" in " ".join(first.output.split())
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["name"] for line in lines] == ["again.wav", "images/street.png", "speech.wav"]
    assert lines[0]["url"] == lines[2]["url"] != lines[1]["url"]
    assert lines[1]["type"] == "image/png"
    again = CliRunner().invoke(app, wanted)
    assert [json.loads(line) for line in out.read_text().splitlines()] == lines
    assert again.exit_code == 1
    with runtime.sessions() as session:
        assert len(session.scalars(select(Media)).all()) == 2


def test_one_file_prints_its_address(runtime: Runtime, world: World, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Words")
    told = CliRunner().invoke(app, ["media", "add", str(tmp_path / "a.txt"), "--project", "Sums"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["url"].startswith("media:med_")


def test_a_run_that_died_is_taken_up_where_it_stopped(
    runtime: Runtime, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "PIECE_BYTES", 10_000)
    path = tmp_path / "long.wav"
    path.write_bytes(files.wav(5))
    seen: list[int] = []

    class Died(Exception):
        pass

    def until(there: int) -> None:
        seen.append(there)
        if there >= 20_000:
            raise Died

    def send(progress: Callable[[int], None]) -> Media:
        where = {"org_id": world.organization.id, "project_id": world.project.id}
        return send_file(runtime, SYSTEM, path, name="long.wav", progress=progress, **where).media

    with pytest.raises(Died):
        send(until)
    seen.clear()
    kept = send(seen.append)
    assert seen[0] == 20_000
    assert runtime.storage.get(rules.media_key(kept.org_id, kept.id)) == path.read_bytes()
    with runtime.sessions() as session:
        assert len(session.scalars(select(MediaUpload)).all()) == 1


def test_rows_name_files_as_they_lie_beside_them(runtime: Runtime, world: World, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    (images / "street.png").write_bytes(files.picture("PNG"))
    addresses, project = tmp_path / "addresses.jsonl", show_id("project", world.project.id)
    added = ["media", "add", str(images), "--project", project, "--out", str(addresses)]
    assert CliRunner().invoke(app, added).exit_code == 0
    prompt = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "media:street.png"}},
    ]
    rows = tmp_path / "tasks.jsonl"
    row = {"prompt": [{"role": "user", "content": prompt}], "chosen": "A street.", "rejected": "street.png is a file."}
    rows.write_text(json.dumps(row) + "\n")
    unnamed = CliRunner().invoke(app, ["import", str(rows), "--project", project])
    assert unnamed.exit_code == 1
    assert "media: address" in " ".join(unnamed.output.split())
    named = CliRunner().invoke(app, ["import", str(rows), "--project", project, "--media", str(addresses)])
    assert named.exit_code == 0, named.output
    with runtime.sessions() as session:
        task, media = session.scalars(select(Task)).one(), session.scalars(select(Media)).one()
    shown = task.payload["prompt"][0]["content"][1]["image_url"]["url"]
    assert shown == rules.media_url(media.id)
    assert "street.png is a file." in json.dumps(task.payload), "only a string that is a name, not one that holds it"


def test_names_stand_in_cells_and_in_json_within_cells() -> None:
    names = {"a.png": "media:med_" + "0" * 32}
    assert addressed({"x": ["media:a.png", "a.png", "b.png", 3]}, names) == {
        "x": [names["a.png"], names["a.png"], "b.png", 3]
    }


def test_a_table_names_files_too(tmp_path: Path) -> None:
    table, address = tmp_path / "tasks.csv", "media:med_" + "0" * 32
    table.write_text('prompt,picture,more\nWhat?,a.png,"[""a.png"", 1]"\n')
    with with_addresses(table, {"a.png": address}) as copy:
        assert copy.read_text().splitlines() == ["prompt,picture,more", f'What?,{address},"[""{address}"", 1]"']
    with pytest.raises(FilesUnnamed), with_addresses(tmp_path / "tasks.parquet", {}):
        pass


def test_files_are_in_a_backup(runtime: Runtime, world: World, tmp_path: Path) -> None:
    media = add_file(runtime, world.client.actor, world.organization.id, files.wav(1), "a.wav")
    url = runtime.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    manifest = backup(url, runtime.settings.data_dir / "files", tmp_path / "all.tar")
    assert any(name.endswith(rules.media_key(media.org_id, media.id)) for name in manifest.members)


def test_an_object_store_does_as_well_as_a_folder(runtime: Runtime, world: World) -> None:
    elsewhere = replace(runtime, storage=Storage(MemoryStore(), b"key", None))
    data = files.wav(3)
    media = add_file(elsewhere, world.client.actor, world.organization.id, data, "a.wav")
    key = rules.media_key(media.org_id, media.id)
    assert b"".join(elsewhere.storage.stream_range(key, 100, 9_000)) == data[100:9_000]
    assert elsewhere.storage.list("media-uploads") == []
