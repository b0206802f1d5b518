"""From a plain process to a confined program, in three processes.

    outer   takes new namespaces, and is the parent that the caller kills
    first   process 1 of the new pid namespace: builds the file system, waits; when it ends, all others end with it
    program the last steps of `confine`, then the program

The order (JSON) is read from the descriptor in `argv[1]`; what happened goes to the descriptor in `argv[2]` as one
line of JSON. `bubblewrap` does the work of the first two and starts `inner`.
"""

import json
import os
import signal
import sys
from typing import Any, NoReturn

from preceptor.sandbox.inside import kernel, mounts
from preceptor.sandbox.inside.confine import BOX, become, filter_calls, restrict_files, set_limits

NAMESPACE_USER = 1000
"""Who the program is inside a user namespace; outside, whoever started it."""
Order = dict[str, Any]
FAILED = 120
"""Exit status of our own processes when the program was never started."""


def main() -> NoReturn:
    order: Order = _read(int(sys.argv[1]))
    report = int(sys.argv[2])
    try:
        if sys.argv[3:] == ["inner"]:
            _run_inner(order, report)
        _run_outer(order, report)
    except OSError as error:
        _tell(report, {"refused": str(error)})
        os._exit(FAILED)


def _read(descriptor: int) -> Order:
    with open(descriptor, "rb") as file:
        order: Order = json.loads(file.read())
    return order


def _tell(descriptor: int, what: dict[str, object]) -> None:
    os.write(descriptor, json.dumps(what).encode() + b"\n")


def _run_outer(order: Order, report: int) -> NoReturn:
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != order["parent"]:
        os._exit(FAILED)  # the caller was gone before it could be followed
    for path in order["cgroups"]:
        with open(f"{path}/cgroup.procs", "w") as file:
            file.write(str(os.getpid()))
    order["user"] = order["users"] and order["users"][0] + os.getpid() % order["users"][1]
    if order["user_namespace"]:
        _own_user_namespace()
    kernel.unshare(kernel.NAMESPACES)
    first = os.fork()
    if first == 0:
        _guarded(_run_first, order, report)
    _, status = os.waitpid(first, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _own_user_namespace() -> None:
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER)
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{NAMESPACE_USER} {user} 1"),
        ("gid_map", f"{NAMESPACE_USER} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)


def _guarded(work: Any, order: Order, report: int) -> NoReturn:
    """A child never returns into what its parent was doing."""
    try:
        work(order, report)
    except OSError as error:
        _tell(report, {"refused": str(error)})
    finally:
        os._exit(FAILED)


def _run_first(order: Order, report: int) -> NoReturn:
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.set_hostname("box")
    _build(order)
    child = os.fork()
    if child == 0:
        _guarded(_become_program, order, report)
    _wait_for(child, report)


def _build(order: Order) -> None:
    owner = order["user"] or NAMESPACE_USER
    mounts.new_root()
    for outside, inside in order["binds"]:
        mounts.bind(outside, inside)
    mounts.make_devices()
    os.mkdir(BOX)
    os.symlink(BOX, "/tmp")  # noqa: S108
    mounts.make_box(owner, order["box_bytes"], order["box_files"])
    mounts.hide(order["hidden"])
    mounts.seal()
    # The files become the program's own while this process may still write as anybody.
    mounts.write_files(order["files"], owner)


def _wait_for(child: int, report: int) -> NoReturn:
    """Process 1 adopts and reaps whatever the program leaves behind, and ends with the program itself."""
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    while True:
        ended, status, used = os.wait3(0)
        if ended == child:
            break
    _tell(
        report,
        {
            "status": os.waitstatus_to_exitcode(status),
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "peak_bytes": used.ru_maxrss * 1024,
        },
    )
    os._exit(0)


def _become_program(order: Order, report: int) -> NoReturn:
    os.setsid()
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # Python ignores them, and a program inherits that
    os.nice(order["nice"])
    os.chdir(BOX)
    set_limits(order["rlimits"])
    become(order["user"])
    layers = restrict_files(kernel.landlock_version())
    _tell(report, {"started": True, "landlock": layers})
    os.set_inheritable(report, False)
    os.closerange(3, report)
    os.closerange(report + 1, report + 64)
    filter_calls()
    try:
        os.execve(order["argv"][0], order["argv"], order["environment"])  # noqa: S606 a program, not a shell line
    except OSError as error:
        _tell(report, {"refused": f"{order['argv'][0]}: {error.strerror}"})
        os._exit(FAILED)


def _run_inner(order: Order, report: int) -> NoReturn:
    """Inside bubblewrap: the file system is there but for the box."""
    mounts.make_box(os.getuid(), order["box_bytes"], order["box_files"])
    mounts.write_files(order["files"], os.getuid())
    order["user"] = None
    child = os.fork()
    if child == 0:
        _guarded(_become_program, order, report)
    _wait_for(child, report)


if __name__ == "__main__":
    main()
