"""The system calls that Python's standard library lacks, by ctypes. Linux on x86-64 and ARM64.

Constants are from the kernel's own headers (`linux/sched.h`, `linux/mount.h`, `linux/prctl.h`, `linux/capability.h`).
"""

import ctypes
import os
import platform

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_NOATIME = 1024
MS_NODIRATIME = 2048
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MS_RELATIME = 1 << 21
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
CAPABILITIES_MAX = 64
CAPABILITY_VERSION_3 = 0x20080522

SECCOMP_SET_MODE_FILTER = 1
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
CAPSET = {"x86_64": 126, "aarch64": 91}
SECCOMP = {"x86_64": 317, "aarch64": 277}
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446

_libc = ctypes.CDLL(None, use_errno=True)


def machine() -> str:
    """`x86_64` or `aarch64`; OSError on any other, for which no filter is written."""
    found = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    if found not in SECCOMP:
        raise OSError(f"no system call filter is written for {found}")
    return found


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    arguments = (source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode() or None)
    _checked(_libc.mount(*arguments), f"mount {target}")


def unmount(target: str) -> None:
    """Detach at once; what is open stays open."""
    _checked(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    _checked(_libc.syscall(PIVOT_ROOT[machine()], new.encode(), old.encode()), "pivot_root")


def set_hostname(name: str) -> None:
    _checked(_libc.sethostname(name.encode(), len(name)), "sethostname")


def prctl(option: int, value: int = 0, third: int = 0) -> None:
    zero = ctypes.c_ulong(0)
    _checked(_libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(third), zero, zero), f"prctl {option}")


def drop_bounding_set() -> None:
    """No capability can come back by executing a file, whatever the file says."""
    for capability in range(CAPABILITIES_MAX):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            return  # EINVAL: past the last one that this kernel knows


def drop_capabilities() -> None:
    """All sets empty: effective, permitted, inheritable, ambient."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()
    _checked(_libc.syscall(CAPSET[machine()], header, sets), "capset")


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def filter_system_calls(program: bytes) -> None:
    """Install a seccomp BPF program for this process and all it will start. Needs no_new_privs."""
    kept = ctypes.create_string_buffer(program, len(program))
    what = _Filter(len(program) // 8, ctypes.addressof(kept))
    _checked(_libc.syscall(SECCOMP[machine()], SECCOMP_SET_MODE_FILTER, 0, ctypes.byref(what)), "seccomp")


def landlock_version() -> int:
    """The version of Landlock that the kernel offers, 0 for none."""
    version: int = _libc.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    return max(0, version)


def landlock_ruleset(files: int, network: int, scoped: int) -> int:
    """A new ruleset that handles these rights, as a file descriptor. Leave out what the kernel does not know as 0."""
    attributes = (ctypes.c_uint64 * 3)(files, network, scoped)
    length = 24 if scoped else 16 if network else 8
    made = _libc.syscall(LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(length), 0)
    return _checked(made, "landlock_create_ruleset")


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def landlock_allow(ruleset: int, path: str, rights: int) -> None:
    folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathBeneath(rights, folder)
        _checked(_libc.syscall(LANDLOCK_ADD_RULE, ruleset, 1, ctypes.byref(rule), 0), "landlock_add_rule")
    finally:
        os.close(folder)


def landlock_restrict(ruleset: int) -> None:
    _checked(_libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
