"""The command line of bubblewrap for one run: the same file system and namespaces, made by the program `bwrap`."""

import shutil
import sys
from pathlib import Path

from preceptor.sandbox.errors import SandboxUnavailable
from preceptor.sandbox.inside.confine import BOX
from preceptor.sandbox.inside.mounts import DEVICES
from preceptor.sandbox.languages import LIBRARIES, Language, language

LAUNCH = "/launch/preceptor"


def command(runtime: Language, sources: Path, inner: list[str]) -> list[str]:
    """`bwrap` with everything that a run needs, then Python with `inner`, which does the last steps."""
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxUnavailable("bubblewrap is not installed")
    python = language("python")
    binds = dict.fromkeys([*python.binds, *runtime.binds, *_launcher(sources)])
    words = [program, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    # Kept until the box is mounted: bubblewrap cannot limit the number of files in it.
    words += ["--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP"]
    words += ["--uid", "1000", "--gid", "1000", "--hostname", "box", "--dir", "/dev"]
    for outside, inside in binds:
        words += ["--ro-bind", outside, inside]
    for name in DEVICES:
        words += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    for folder in dict.fromkeys([*python.hidden, *runtime.hidden]):
        words += ["--size", "4096", "--tmpfs", folder, "--remount-ro", folder]
    words += ["--dir", BOX, "--symlink", BOX, "/tmp"]  # noqa: S108
    words += ["--remount-ro", "/", "--setenv", "LD_LIBRARY_PATH", LIBRARIES]
    return [*words, "--", python.start[0], "-I", "-S", *inner]


def _launcher(sources: Path) -> list[tuple[str, str]]:
    assert sys.version_info >= (3, 11)
    return [
        (f"{sources}/preceptor/{part}", f"{LAUNCH}/{part}")
        for part in ("__init__.py", "sandbox/__init__.py", "sandbox/inside")
    ]
