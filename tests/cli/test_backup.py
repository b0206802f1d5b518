"""Backup and restore: a round trip through one archive, and everything that must be refused."""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

from preceptor.cli.backup import BackupError, Manifest, backup, restore, verify
from preceptor.cli.postgres import EmbeddedPostgres

SCHEMA = """
    CREATE EXTENSION citext;
    CREATE SCHEMA jobs;
    CREATE TYPE jobs.state AS ENUM ('todo', 'done');
    CREATE TABLE alembic_version (version_num text PRIMARY KEY);
    INSERT INTO alembic_version VALUES ('0042');
    CREATE TABLE person (id uuid PRIMARY KEY, email citext UNIQUE, about text, grade numeric CHECK (grade >= 0));
    CREATE TABLE posting (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        person_id uuid REFERENCES person,
        minor bigint NOT NULL,
        at timestamptz NOT NULL,
        note jsonb
    );
    CREATE TABLE jobs.job (id int PRIMARY KEY, state jobs.state);
    CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'append only'; END $$;
    INSERT INTO person SELECT gen_random_uuid(), 'p' || n || '@example.org', E'Zoë \\n\\t\\\\. "' || n, n / 7.0
        FROM generate_series(1, 500) AS n;
    INSERT INTO posting (person_id, minor, at, note)
        SELECT id, row_number() OVER (), '2026-03-01 12:00:00.123456+01', '{"a": [1, null]}' FROM person;
    INSERT INTO jobs.job VALUES (1, 'todo'), (2, 'done');
    CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON posting FOR EACH ROW EXECUTE FUNCTION keep();
"""
CONTENT = (
    "SELECT md5(string_agg(person::text, ',' ORDER BY id)) FROM person",
    "SELECT md5(string_agg(posting::text, ',' ORDER BY id)) FROM posting",
    "SELECT md5(string_agg(job::text, ',' ORDER BY id)) FROM jobs.job",
    "SELECT version_num FROM alembic_version",
)
MakeDatabase = Callable[[], str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("data"), settings={"fsync": "off"}) as started:
        yield started


@pytest.fixture
def new_database(server: EmbeddedPostgres) -> Iterator[MakeDatabase]:
    """Makes empty databases that go at the end of the test."""
    made = []
    with psycopg.connect(server.url, autocommit=True) as admin:

        def make() -> str:
            name = f"backup_{uuid4().hex}"
            admin.execute(f'CREATE DATABASE "{name}"')
            made.append(name)
            return urlunsplit(urlsplit(server.url)._replace(path=f"/{name}"))

        yield make
        for name in made:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def filled(new_database: MakeDatabase) -> str:
    url = new_database()
    run(url, SCHEMA)
    return url


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    (folder / "releases" / "1").mkdir(parents=True)
    (folder / "releases" / "1" / "données & more.parquet").write_bytes(bytes(range(256)) * 5000)
    (folder / "releases" / ("n" * 200)).write_bytes(b"long name")
    (folder / "empty").write_bytes(b"")
    return folder


@pytest.fixture
def archive(filled: str, files: Path, tmp_path: Path) -> Path:
    path = tmp_path / "out" / "backup.tar"
    backup(filled, files, path)
    return path


def run(url: str, statements: str) -> None:
    with psycopg.connect(url) as db:
        db.execute(statements)


def content(url: str) -> list[object]:
    with psycopg.connect(url) as db:
        return [db.execute(query).fetchone() for query in CONTENT]


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def is_empty(url: str) -> bool:
    with psycopg.connect(url) as db:
        found = db.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        return found.fetchone() == (0,)


def test_round_trip_brings_back_every_row_and_file(
    filled: str, files: Path, archive: Path, new_database: MakeDatabase, tmp_path: Path
) -> None:
    target, copy = new_database(), tmp_path / "elsewhere" / "files"
    manifest = restore(target, copy, archive)
    assert content(target) == content(filled)
    assert tree(copy) == tree(files)
    assert manifest.schema_revision == "0042"
    with (
        psycopg.connect(target) as db,
        pytest.raises(psycopg.errors.RaiseException, match="append only"),
    ):
        db.execute("DELETE FROM posting")
    run(target, "INSERT INTO posting (minor, at) VALUES (1, now())")  # the identity goes on where it was


def test_the_archive_is_a_private_plain_tar_whose_manifest_comes_last(archive: Path, files: Path) -> None:
    assert archive.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in archive.parent.iterdir()] == ["backup.tar"]
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        file = tar.extractfile("manifest.json")
        assert file is not None
        manifest = json.load(file)
    assert names[0] == "database.dump"
    assert names[-1] == "manifest.json"
    assert set(manifest["members"]) == {"database.dump", *(f"files/{name}" for name in tree(files))}
    assert {k.removeprefix("files/"): v["sha256"] for k, v in manifest["members"].items() if k != "database.dump"} == (
        tree(files)
    )


def test_a_backup_replaces_an_earlier_one_and_tells_its_progress(filled: str, files: Path, archive: Path) -> None:
    told: list[tuple[str, int, int]] = []
    backup(filled, files, archive, lambda *step: told.append(step))
    assert {stage for stage, _, _ in told} == {"database", "files"}
    total = sum(path.stat().st_size for path in files.rglob("*") if path.is_file())
    assert told[-1] == ("files", total, total)
    assert isinstance(verify(archive), Manifest)


def test_a_database_without_files_and_revision_can_be_backed_up(new_database: MakeDatabase, tmp_path: Path) -> None:
    source, target = new_database(), new_database()
    run(source, "CREATE TABLE note AS SELECT 'kept' AS text")
    assert backup(source, None, tmp_path / "b.tar").schema_revision is None
    restore(target, None, tmp_path / "b.tar")
    with psycopg.connect(target) as db:
        assert db.execute("SELECT text FROM note").fetchone() == ("kept",)


def test_a_failed_backup_leaves_the_earlier_archive_and_nothing_else(filled: str, files: Path, archive: Path) -> None:
    before = archive.read_bytes()
    (files / "link").symlink_to("/etc/passwd")
    with pytest.raises(BackupError, match="link is not a plain file"):
        backup(filled, files, archive)
    assert archive.read_bytes() == before
    assert [p.name for p in archive.parent.iterdir()] == ["backup.tar"]


def test_a_database_that_is_not_empty_is_refused_and_untouched(
    archive: Path, new_database: MakeDatabase, tmp_path: Path
) -> None:
    target = new_database()
    run(target, "CREATE TABLE mine AS SELECT 1 AS n")
    with pytest.raises(BackupError, match=r"not empty.*--force"):
        restore(target, tmp_path / "new", archive)
    with psycopg.connect(target) as db:
        assert db.execute("SELECT n FROM mine").fetchone() == (1,)
    assert not (tmp_path / "new").exists()


def test_files_that_are_in_the_way_are_refused(archive: Path, new_database: MakeDatabase, files: Path) -> None:
    target, before = new_database(), tree(files)
    with pytest.raises(BackupError, match=r"files is not empty.*--force"):
        restore(target, files, archive)
    assert tree(files) == before
    assert is_empty(target)


def test_force_replaces_everything_and_the_next_backup_is_as_good(
    filled: str, archive: Path, files: Path, new_database: MakeDatabase, tmp_path: Path
) -> None:
    before, before_files = content(filled), tree(files)
    run(filled, "CREATE SCHEMA later; CREATE TABLE later.t (); INSERT INTO jobs.job VALUES (3, 'todo')")
    (files / "later").write_text("goes")
    restore(filled, files, archive, force=True)
    assert content(filled) == before
    assert tree(files) == before_files
    with psycopg.connect(filled) as db:
        assert db.execute("SELECT to_regnamespace('later')").fetchone() == (None,)

    again = tmp_path / "again.tar"
    backup(filled, files, again)
    target = new_database()
    restore(target, tmp_path / "third", again)
    assert content(target) == before


def test_a_dump_that_the_database_refuses_leaves_database_and_files_as_they_were(
    filled: str, files: Path, tmp_path: Path, new_database: MakeDatabase
) -> None:
    broken = new_database()
    run(broken, "CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 1000)")
    archive = tmp_path / "b.tar"
    backup(broken, files, archive)
    rewrite(archive, lambda name, data: data[:-2000] if name == "database.dump" else data)
    before, before_files = content(filled), tree(files)
    with pytest.raises(BackupError, match="as it was before"):
        restore(filled, files, archive, force=True)
    assert content(filled) == before
    assert tree(files) == before_files
    assert {p.name for p in files.parent.iterdir()} == {"files", "b.tar"}


def test_other_connections_are_refused_even_with_force(archive: Path, filled: str, files: Path) -> None:
    with psycopg.connect(filled), pytest.raises(BackupError, match=r"1 other connections.*Stop"):
        restore(filled, files, archive, force=True)


# Damage and attacks -----------------------------------------------------------------------------


def rewrite(archive: Path, change: Callable[[str, bytes], bytes], *, mend_manifest: bool = True) -> None:
    """Change members, and make the manifest agree, as an attacker would."""
    with tarfile.open(archive) as tar:
        parts = [(m.name, change(m.name, (tar.extractfile(m) or io.BytesIO()).read())) for m in tar]
    if mend_manifest:
        *others, (_, text) = parts
        told = json.loads(text)
        told["members"] = {n: {"bytes": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n, d in others}
        parts = [*others, ("manifest.json", json.dumps(told).encode())]
    write_tar(archive, parts)


def write_tar(archive: Path, parts: list[tuple[str, bytes]]) -> None:
    with tarfile.open(archive, "w") as tar:
        for name, data in parts:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def flip_a_byte(archive: Path, share: float) -> None:
    with archive.open("r+b") as file:
        place = int(archive.stat().st_size * share)
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9])
def test_one_flipped_bit_is_noticed_before_anything_changes(
    archive: Path, new_database: MakeDatabase, tmp_path: Path, share: float
) -> None:
    flip_a_byte(archive, share)
    with pytest.raises(BackupError, match="damaged"):
        verify(archive)
    target = new_database()
    with pytest.raises(BackupError):
        restore(target, tmp_path / "new", archive)
    assert is_empty(target)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_a_truncated_archive_is_noticed(archive: Path, share: float) -> None:
    with archive.open("r+b") as file:
        file.truncate(int(archive.stat().st_size * share))
    with pytest.raises(BackupError, match=r"damaged|incomplete|cannot be read"):
        verify(archive)


def test_missing_added_and_changed_members_are_named(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        parts = {m.name: (tar.extractfile(m) or io.BytesIO()).read() for m in tar}
    manifest = parts.pop("manifest.json")
    del parts["files/empty"]
    parts["files/added"] = b"x"
    write_tar(archive, [*parts.items(), ("manifest.json", manifest)])
    with pytest.raises(BackupError, match=r"1 missing \(first: files/empty\), 1 added \(first: files/added\)"):
        verify(archive)


@pytest.mark.parametrize(
    "name", ["files/../../evil", "../evil", "/etc/evil", "files//evil", "files/./evil", "evil", "files/a\\..\\b"]
)
def test_names_that_lead_outside_are_refused(archive: Path, tmp_path: Path, name: str) -> None:
    with tarfile.open(archive) as tar:
        parts = [(m.name, (tar.extractfile(m) or io.BytesIO()).read()) for m in tar]
    write_tar(archive, [*parts[:-1], (name, b"evil"), parts[-1]])
    with pytest.raises(BackupError, match="no backup of Preceptor contains"):
        verify(archive)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_members_that_are_no_plain_files_are_refused(archive: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("files/odd")
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(member)
    with pytest.raises(BackupError, match="files/odd"):
        verify(archive)


def test_an_archive_of_a_later_format_and_one_that_is_none(archive: Path, tmp_path: Path) -> None:
    rewrite(
        archive,
        lambda name, data: data.replace(b'"format": 1', b'"format": 2') if name == "manifest.json" else data,
        mend_manifest=False,
    )
    with pytest.raises(BackupError, match="has format 2"):
        verify(archive)
    (tmp_path / "text").write_text("no archive" * 1000)
    with pytest.raises(BackupError, match="no tar archive"):
        verify(tmp_path / "text")
    with pytest.raises(BackupError, match="no archive"):
        verify(tmp_path / "nothing")


def test_memory_stays_flat_with_large_files(filled: str, tmp_path: Path) -> None:
    files = tmp_path / "large"
    files.mkdir()
    with (files / "one").open("wb") as out:
        for _ in range(300):
            out.write(b"0123456789abcdef" * 65536)
    code = (
        "import sys, resource; from pathlib import Path; from preceptor.cli.backup import backup, verify;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "backup(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])); verify(Path(sys.argv[3]));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    grown_kib = int(
        subprocess.check_output([sys.executable, "-c", code, filled, str(files), str(tmp_path / "l.tar")], text=True)
    )
    assert grown_kib < 32 * 1024, "300 MiB of files must not show in memory"
