"""Which languages can be run here, and which files of the machine each of them needs: those, and no others."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from preceptor.sandbox.errors import LanguageMissing

RUNTIME = "/runtime"
LIBRARIES = f"{RUNTIME}/lib"
LDD_SECONDS_MAX = 30
VERSION_SECONDS_MAX = 10
_LIBRARY = re.compile(r"(?:=>\s*)?(/\S+)\s+\(0x[0-9a-f]+\)")
TOOLS = (
    *("awk", "basename", "bc", "cat", "cmp", "comm", "cp", "cut", "date", "diff", "dirname", "echo", "env", "expr"),
    *("false", "find", "fold", "grep", "head", "join", "ln", "ls", "mkdir", "mktemp", "mv", "nl", "od", "paste"),
    *("printf", "rev", "rm", "rmdir", "sed", "seq", "sleep", "sort", "split", "stat", "tail", "tee", "test", "touch"),
    *("tr", "true", "uniq", "wc", "xargs"),
)
"""What a shell script expects to find, where the machine has it."""


@dataclass(frozen=True, slots=True)
class Language:
    """An installed runtime: `start` is the command before the program's own arguments, with paths as seen inside."""

    name: str
    title: str
    version: str
    start: tuple[str, ...]
    binds: tuple[tuple[str, str], ...]
    """(path on the machine, path inside), read-only."""
    hidden: tuple[str, ...] = ()
    """Folders inside that are covered with empty ones."""
    reserves_bytes: int | None = None
    """How much a runtime wants to reserve beyond what it uses. None: it reserves nothing, and the limit on memory is
    put on each process's address space; else it is put on what the processes really have, and this on their data."""
    entry: str = "main.py"


def language(name: str) -> Language:
    """An installed language by name; LanguageMissing says which ones there are."""
    found = languages().get(name)
    if found is None:
        installed = ", ".join(languages())
        raise LanguageMissing(f"{name!r} cannot be run here. Installed: {installed}.", language=name)
    return found


@cache
def languages() -> dict[str, Language]:
    """All that this machine can run, looked at once per process."""
    found = (look() for look in _LOOKS)
    return {each.name: each for each in found if each is not None}


def shared_libraries(files: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """What the dynamic loader would load for these files, itself included, as it names them."""
    told = subprocess.run(["ldd", *files], capture_output=True, text=True, timeout=LDD_SECONDS_MAX, check=False).stdout
    # Links are followed here: absolute ones would lead elsewhere once the file system is another.
    # The loader itself is asked for by its full path; all else is found by name.
    return tuple(
        (os.path.realpath(path), path if os.path.basename(path).startswith("ld-") else f"{LIBRARIES}/{Path(path).name}")
        for path in dict.fromkeys(_LIBRARY.findall(told))
    )


def _version(*command: str) -> str:
    told = subprocess.run(command, capture_output=True, text=True, timeout=VERSION_SECONDS_MAX, check=False).stdout
    match = re.search(r"\d+(\.\d+)+", told)
    return match[0] if match else "unknown"


def _python() -> Language:
    """The interpreter that runs this, with its standard library and without what is installed beside it."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    program = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    library = os.path.realpath(sysconfig.get_path("stdlib"))
    inside = f"{RUNTIME}/python/lib/python{version}"
    extensions = [str(path) for path in Path(library, "lib-dynload").glob("*.so")]
    hidden = (name for name in ("site-packages", "dist-packages") if Path(library, name).is_dir())
    return Language(
        name="python",
        title="Python",
        version=sys.version.split()[0],
        # The environment and the user's packages are not looked at; the program's own folder is.
        start=(f"{RUNTIME}/python/bin/python{version}", "-E", "-s", "-B", "-X", "utf8"),
        binds=(
            (program, f"{RUNTIME}/python/bin/python{version}"),
            (library, inside),
            *shared_libraries([program, *extensions]),
        ),
        hidden=tuple(f"{inside}/{name}" for name in hidden),
    )


def _javascript() -> Language | None:
    program = shutil.which("node")
    if program is None:
        return None
    program = os.path.realpath(program)
    # Debian keeps parts of the standard library as files.
    shared = [("/usr/share/nodejs", "/usr/share/nodejs")] if Path("/usr/share/nodejs").is_dir() else []
    return Language(
        name="javascript",
        title="JavaScript",
        version=_version(program, "--version"),
        start=(f"{RUNTIME}/node/bin/node", "--no-warnings"),
        binds=((program, f"{RUNTIME}/node/bin/node"), *shared, *shared_libraries([program])),
        reserves_bytes=1024**3,
        entry="main.js",
    )


def _bash() -> Language | None:
    program = shutil.which("bash")
    if program is None:
        return None
    tools = {name: os.path.realpath(path) for name in TOOLS if (path := shutil.which(name))}
    programs = {"bash": os.path.realpath(program), **tools}
    return Language(
        name="bash",
        title="Bash",
        version=_version(program, "--version"),
        start=(f"{RUNTIME}/bash/bin/bash", "--noprofile", "--norc"),
        binds=(
            *((path, f"{RUNTIME}/bash/bin/{name}") for name, path in programs.items()),
            *shared_libraries(sorted(set(programs.values()))),
        ),
        entry="main.sh",
    )


_LOOKS: tuple[Callable[[], Language | None], ...] = (_python, _javascript, _bash)
