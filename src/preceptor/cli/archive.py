"""The backup archive: a plain tar of plain files with a manifest at its end.

    database.dump    pg_dump's custom format, compressed
    files/...        the local file store as it lies on disk
    manifest.json    last, so that it exists only in a complete archive: versions, the schema
                     revision, and size and SHA-256 of every other member

Nothing here holds more in memory than a block of bytes and the list of members.
"""

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

FORMAT = 1
MANIFEST, DUMP, FILES = "manifest.json", "database.dump", "files/"
BLOCK_BYTES = 1024**2
MANIFEST_BYTES_MAX = 512 * 1024**2

Progress = Callable[[str, int, int], None]
"""Told a stage (`database`, `files`, `verify`, `unpack`, `load`), the bytes done in it and the bytes there
are (0 where that is unknown)."""


class BackupError(Exception):
    """A backup or restore was refused or failed; the message says what to do. Nothing is half done."""


class Member(BaseModel):
    """Size and digest of one part of an archive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int
    sha256: str


class Manifest(BaseModel):
    """What an archive says about itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    made_at: datetime
    preceptor: str
    postgresql: int
    """The server's version as a number: 180006 is 18.6."""
    schema_revision: str | None
    """Alembic's revision, where the database has one."""
    members: dict[str, Member]


def silent(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""


# Writing ----------------------------------------------------------------------------------------


def write_members(tar: tarfile.TarFile, dump: Path, files_dir: Path | None, progress: Progress) -> dict[str, Member]:
    """Append the dump and all files below `files_dir`; refuses what is not a plain file or folder."""
    with dump.open("rb") as file:
        members = {DUMP: _add(tar, DUMP, file)}
    if files_dir is None:
        return members
    total, done = sum(map(_size, _plain_files(files_dir))), 0
    for path in _plain_files(files_dir):
        name = FILES + path.relative_to(files_dir).as_posix()
        with suppress(FileNotFoundError), path.open("rb") as file:  # it may be deleted meanwhile
            members[name] = _add(tar, name, file)
            done += members[name].bytes
            progress("files", done, max(done, total))
    return members


def _plain_files(folder: Path) -> Iterator[Path]:
    if not folder.exists():
        return
    for parent, folders, names in os.walk(folder, onerror=_refuse_unreadable):
        folders.sort()
        for name in sorted([*names, *(f for f in folders if Path(parent, f).is_symlink())]):
            path = Path(parent, name)
            if path.is_symlink() or (path.exists() and not path.is_file()):
                raise BackupError(
                    f"{path} is not a plain file, so a backup would miss what it stands for. "
                    "Move the real file or folder to that place and try again."
                )
            if path.exists():
                yield path


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # deleted since the folder was listed
        return 0


def _refuse_unreadable(error: OSError) -> None:
    raise BackupError(f"{error.filename} cannot be read: {error.strerror}. Mend its rights and try again.") from error


def _add(tar: tarfile.TarFile, name: str, file: IO[bytes]) -> Member:
    """Append a member; a file that grows meanwhile is taken up to the size it had at first."""
    state = os.fstat(file.fileno())
    hashing = _Hashing(file)
    try:
        tar.addfile(_member(name, state.st_size, int(state.st_mtime)), hashing)
    except OSError as error:
        raise BackupError(f"{name} could not be copied: {error}. Make room or try again.") from error
    _forget(tar)
    return Member(bytes=state.st_size, sha256=hashing.hexdigest())


def _member(name: str, size: int, mtime: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, mtime, 0o600
    return member


def write_manifest(tar: tarfile.TarFile, manifest: Manifest) -> None:
    """Append the manifest, which makes the archive complete."""
    text = manifest.model_dump_json(indent=1).encode()
    tar.addfile(_member(MANIFEST, len(text), int(manifest.made_at.timestamp())), io.BytesIO(text))


def _forget(tar: tarfile.TarFile) -> None:
    """Let go of the members passed so far: tarfile keeps all of them, and there may be a million."""
    tar.members.clear()  # type: ignore[attr-defined]  # documented for subclasses, missing in the stubs


class _Hashing(io.RawIOBase):
    """Passes reads through and digests what was read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        block = self._source.read(size)
        self._digest.update(block)
        return block

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


# Reading ----------------------------------------------------------------------------------------


def verify(archive: Path, progress: Progress = silent) -> Manifest:
    """Read the whole archive; returns its manifest if every member is there, unchanged and harmless.

    Raises `BackupError` otherwise. Harmless: plain files, with names that stay inside the archive.
    """
    total, found = archive.stat().st_size if archive.exists() else 0, dict[str, Member]()
    manifest = None
    with _opened(archive) as members:
        for member, content in members:
            if manifest is not None:
                raise BackupError(f"{archive} goes on after its manifest: it was changed. Use another backup.")
            if member.name == MANIFEST:
                manifest = _read_manifest(archive, member, content)
            elif member.name in found:
                raise BackupError(f"{archive} holds {member.name} twice: it was changed. Use another backup.")
            else:
                found[member.name] = Member(bytes=member.size, sha256=_digest(content))
            progress("verify", member.offset_data + member.size, total)
    if manifest is None:
        raise BackupError(f"{archive} ends before its manifest: it is incomplete. Use another backup.")
    _refuse_differences(archive, manifest.members, found)
    return manifest


@contextmanager
def _opened(archive: Path) -> Iterator[Iterator[tuple[tarfile.TarInfo, IO[bytes]]]]:
    """The members in order; whatever goes wrong while they are read is told in one place."""
    try:
        with tarfile.open(archive, "r:") as tar:
            yield _members(archive, tar)
    except FileNotFoundError as error:
        raise BackupError(f"There is no archive {archive}. Check the path.") from error
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(f"{archive} is damaged or no tar archive: {error}. Use another backup.") from error
    except OSError as error:
        raise BackupError(f"{archive} could not be read or unpacked: {error}. Mend that and try again.") from error


def _members(archive: Path, tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    while (member := tar.next()) is not None:
        yield member, _content_if_harmless(archive, tar, member)
        _forget(tar)


def _content_if_harmless(archive: Path, tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member) if member.isreg() else None
    if content is None or not _is_harmless(member.name):
        raise BackupError(
            f"{archive} holds {member.name!r}, which no backup of Preceptor contains. "
            "It may be an attack: nothing was unpacked. Find out where the archive came from."
        )
    return content


def _is_harmless(name: str) -> bool:
    if name in (MANIFEST, DUMP):
        return True
    plain = "\0" not in name and "\\" not in name and PurePosixPath(name).as_posix() == name
    return plain and name.startswith(FILES) and ".." not in name.split("/")


def _read_manifest(archive: Path, member: tarfile.TarInfo, content: IO[bytes]) -> Manifest:
    if member.size > MANIFEST_BYTES_MAX:
        raise BackupError(f"{archive} has an impossibly large manifest. Use another backup.")
    try:
        text = content.read()
        told = json.loads(text).get("format") if text.startswith(b"{") else None
        if told != FORMAT:
            raise BackupError(
                f"{archive} has format {told}, this Preceptor reads format {FORMAT}. Restore it with the "
                "version of Preceptor that wrote it, then upgrade."
            )
        return Manifest.model_validate_json(text)
    except (ValidationError, ValueError) as error:
        raise BackupError(f"{archive} has an unreadable manifest. Use another backup.") from error


def _digest(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := content.read(BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()


def _refuse_differences(archive: Path, told: Mapping[str, Member], found: Mapping[str, Member]) -> None:
    missing = sorted(told.keys() - found.keys())
    added = sorted(found.keys() - told.keys())
    changed = sorted(name for name in told.keys() & found.keys() if told[name] != found[name])
    if DUMP not in told:
        missing.insert(0, DUMP)
    problems = [
        f"{len(names)} {what} (first: {names[0]})"
        for what, names in (("missing", missing), ("added", added), ("changed", changed))
        if names
    ]
    if problems:
        raise BackupError(f"{archive} is damaged, members {', '.join(problems)}. Nothing was restored.")


def unpack(archive: Path, manifest: Manifest, folder: Path, progress: Progress) -> None:
    """Write all members below `folder`, checked once more: the archive may have changed since."""
    total, done = sum(member.bytes for member in manifest.members.values()), 0
    (folder / FILES).mkdir(mode=0o700)
    with _opened(archive) as members:
        for member, content in members:
            if member.name != MANIFEST:
                if _unpack_one(content, folder / member.name) != manifest.members.get(member.name):
                    raise BackupError(f"{archive} changed while it was read. Nothing was restored.")
                done += member.size
                progress("unpack", done, total)


def _unpack_one(content: IO[bytes], target: Path) -> Member:
    target.parent.mkdir(parents=True, exist_ok=True)
    hashing = _Hashing(content)
    with target.open("xb") as out:
        shutil.copyfileobj(hashing, out, BLOCK_BYTES)
        out.flush()
        os.fsync(out.fileno())
        return Member(bytes=out.tell(), sha256=hashing.hexdigest())
