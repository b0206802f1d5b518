"""The last steps before a program starts, in the process that becomes it: limits, rights, filters.

The order matters: limits while they can still be set, then the user, then no_new_privs, without which an
unprivileged process may install neither Landlock nor a filter, and the filter last, since it refuses all the rest.
"""

import os
import resource
from collections.abc import Mapping

from preceptor.sandbox.inside import filter as system_calls
from preceptor.sandbox.inside import kernel

BOX = "/box"

# Rights of linux/landlock.h by the version that brought them.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_FILES_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP, _TCP_SINCE = 0b11, 4
_SCOPED, _SCOPED_SINCE = 0b11, 6  # abstract sockets and signals


def set_limits(limits: Mapping[str, int]) -> None:
    """`limits` by the names of the resource module without RLIMIT_, each as soft and hard limit."""
    for name, value in limits.items():
        # One second between the signal that says "time is up" and the one that cannot be ignored.
        soft = value - 1 if name == "CPU" and value > 1 else value
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (soft, value))


def become(user: int | None) -> None:
    """Give up everything that root or the owner of a user namespace has. `user` None: there is no other to become."""
    kernel.drop_bounding_set()
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)


def restrict_files(version: int) -> bool:
    """Landlock: read and execute the runtime, write only in the box, no TCP, no signals out. False where it is missing.

    The mounts say the same; this holds where a mount would be wrong.
    """
    if version < 1:
        return False
    files = next(rights for since, rights in sorted(_FILES_BY_VERSION.items(), reverse=True) if version >= since)
    network = _TCP if version >= _TCP_SINCE else 0
    ruleset = kernel.landlock_ruleset(files, network, _SCOPED if version >= _SCOPED_SINCE else 0)
    # A right holds for all below it, so the right to execute is given beside the box and not above it.
    kernel.landlock_allow(ruleset, "/", _READ_DIR)
    for name in os.listdir("/"):
        if f"/{name}" != BOX and not os.path.islink(f"/{name}"):
            kernel.landlock_allow(ruleset, f"/{name}", _EXECUTE | _READ_FILE | _READ_DIR)
    kernel.landlock_allow(ruleset, BOX, files & ~_EXECUTE)
    for device in ("null", "zero", "full"):
        kernel.landlock_allow(ruleset, f"/dev/{device}", _READ_FILE | _WRITE_FILE)
    kernel.landlock_restrict(ruleset)
    os.close(ruleset)
    return True


def filter_calls() -> None:
    kernel.filter_system_calls(system_calls.program(kernel.machine()))
