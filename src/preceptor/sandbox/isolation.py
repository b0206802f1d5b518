"""What holds a program here: tried out, not guessed, and told in words. Without it nothing is run."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from preceptor.sandbox import cgroups
from preceptor.sandbox.errors import SandboxUnavailable
from preceptor.sandbox.inside import kernel


class Way(StrEnum):
    """How a program gets a machine of its own."""

    ROOT = "namespaces"
    """Namespaces made by root, who then becomes a user that nobody else is."""
    USER = "user namespaces"
    """Namespaces inside a user namespace of its own, for those who are not root."""
    BUBBLEWRAP = "bubblewrap"
    """The same made by bubblewrap, which some systems allow where they refuse others."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """What holds programs on this machine. `way` None: nothing does, and `missing` and `mend` say why."""

    way: Way | None
    layers: tuple[str, ...] = ()
    missing: str = ""
    mend: str = ""


MEND = (
    "Allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1 on Debian, "
    "kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu, user.max_user_namespaces above 0), or install "
    "bubblewrap, or run a worker as root on a machine of its own. In a container: --security-opt seccomp=unconfined "
    "and --security-opt systempaths=unconfined. Code is not run until then; everything else works."
)


@cache
def isolation() -> Isolation:
    """What holds programs here, tried by running one; kept for the life of the process."""
    if not sys.platform.startswith("linux"):
        return Isolation(None, missing=f"namespaces of the Linux kernel, which {sys.platform} does not have", mend=MEND)
    from preceptor.sandbox.running import refusal  # running imports this module

    reasons = []
    for way in ways():
        refused = refusal(way)
        if refused is None:
            return Isolation(way, tuple(_layers(way)))
        reasons.append(f"{way.value}: {refused}")
    return Isolation(None, missing="; ".join(reasons), mend=MEND)


def required() -> Isolation:
    """The isolation of this machine, or SandboxUnavailable: there is no running without."""
    found = isolation()
    if found.way is None:
        raise SandboxUnavailable(f"Code is not run here. Missing: {found.missing}. {found.mend}")
    return found


def ways() -> tuple[Way, ...]:
    """What is worth trying, best first. Root becomes a user who owns nothing at all; in a user
    namespace of root's the program would still be root to the machine's files."""
    if os.geteuid() == 0:
        return (Way.ROOT,)
    return (Way.BUBBLEWRAP, Way.USER) if shutil.which("bwrap") else (Way.USER,)


def _layers(way: Way) -> Iterator[str]:
    yield f"{way.value}: own processes, network (none), files, hostname, IPC"
    yield "own file system: empty but for the runtime, read-only, and a box in memory"
    yield "a user id of its own" if way is Way.ROOT else "a user namespace without rights"
    yield "no capabilities, no new privileges"
    yield f"system call filter for {kernel.machine()}"
    version = kernel.landlock_version()
    if version:
        yield f"Landlock {version}"
    counted = cgroups.hierarchies()
    names = sorted(name for hierarchy in counted for name in hierarchy.controllers)
    yield f"control group: {', '.join(names)}" if names else "memory of all processes watched from outside"
    yield "limits per process"


USERS = (0x70000000, 1 << 22)
"""Above all ranges that systems hand out, and as many as there can be processes."""
FEW_USERS = (40_000, 20_000)
"""Where the machine is itself inside a user namespace with few ids: some that are rarely taken."""


def users() -> tuple[int, int]:
    """First and number of the ids of which a run takes one by its process number, so that no two share one."""
    lines = Path("/proc/self/uid_map").read_text().splitlines()
    highest = max(int(first) + int(count) for first, _, count in (line.split() for line in lines))
    return USERS if highest >= sum(USERS) else FEW_USERS
