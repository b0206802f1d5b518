"""Attempts to break out, run inside the sandbox, and what must come of each: `preceptor sandbox check`.

Each attempt prints `escaped` where it got what it wanted. The same programs run in the tests, where some are seen to
succeed outside the sandbox, so that a pass means something.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from preceptor.sandbox.programs import MIB, Limits, Program, Result, Verdict
from preceptor.sandbox.running import run

ESCAPED = "escaped"
TRIED = "tried"


USUAL = Limits(cpu_seconds=10, wall_seconds=30.0, memory_bytes=128 * MIB)
SHORT = Limits(cpu_seconds=1, wall_seconds=2.0, memory_bytes=128 * MIB)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A program that tries something. `verdict` None: it must end by itself having failed; else this must stop it."""

    key: str
    title: str
    code: str
    verdict: Verdict | None = None
    limits: Limits = USUAL


@dataclass(frozen=True, slots=True)
class Tried:
    attempt: Attempt
    held: bool
    seen: str


_HEAD = """
import ctypes, os, platform, socket, time
libc = ctypes.CDLL(None, use_errno=True)
def attempt(what):
    try:
        got = what()
    except (OSError, ValueError) as error:
        print("tried:", type(error).__name__, error)
    else:
        print("escaped:", repr(got)[:200])
NUMBERS = {
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "unshare": (272, 97), "setns": (308, 268),
    "clone": (56, 220), "ptrace": (101, 117), "process_vm_readv": (310, 270), "add_key": (248, 217),
    "keyctl": (250, 219), "io_uring_setup": (425, 425), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "memfd_create": (319, 279), "sethostname": (170, 161), "reboot": (169, 142),
    "shmget": (29, 194), "msgget": (68, 186), "mq_open": (240, 180),
}
def call(name, *arguments):
    result = libc.syscall(NUMBERS[name][platform.machine() == "aarch64"], *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
"""


def _code(*attempts: str) -> str:
    return _HEAD + "\n".join(f"attempt(lambda: {each})" for each in attempts)


def _connect(family: str, address: str, kind: str = "SOCK_STREAM") -> str:
    return f"socket.socket(socket.{family}, socket.{kind}).connect({address})"


_SPINS = "while True: pass"
_IGNORES = "import signal\nfor n in set(range(1, 32)) - {9, 19}: signal.signal(n, signal.SIG_IGN)\n" + _SPINS
_LEFT = """
import os, sys, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        for fd in range(3): os.close(fd)
        time.sleep(600)
print("tried: left three behind")
"""
_ZOMBIES = """
import os
made = 0
try:
    while True:
        if os.fork() == 0: os._exit(0)
        made += 1
        if made > 500: print("escaped: 500 zombies"); break
except OSError as error: print("tried:", made, error)
"""
_FORKS = """
import os
while True:
    try: os.fork()
    except OSError: pass
"""
_SHARED_MEMORY = """
import mmap, os
for n in range(12):
    if os.fork() == 0:
        m = mmap.mmap(-1, 100 * 1024**2)
        for at in range(0, len(m), 4096): m[at] = 1
        import time; time.sleep(3); os._exit(0)
ended = [os.wait()[1] for n in range(12)]
print("tried:" if any(ended) else "escaped: 1200 MiB", ended)
"""
_DISK = """
wrote = 0
try:
    for n in range(10_000):
        with open(f"f{n}", "wb") as file:
            for _ in range(4): file.write(bytes(1024**2)); wrote += 1
        if wrote > 200: print("escaped:", wrote, "MiB"); break
except OSError as error: print("tried:", wrote, "MiB", error)
"""
_FILES = """
try:
    for n in range(100_000): open(f"f{n}", "w").close()
    print("escaped: 100000 files")
except OSError as error: print("tried:", n, error)
"""
_MEMORY = """
kept = []
try:
    while True: kept.append(bytearray(8 * 1024**2))
except MemoryError: print("tried:", len(kept) * 8, "MiB")
"""
_ENVIRONMENT = """
import os
left = set(os.environ) - {"HOME", "TMPDIR", "LANG", "PATH", "LD_LIBRARY_PATH", "LC_CTYPE", "PWD"}
print("escaped:" if left else "tried:", sorted(left))
"""
_DESCRIPTORS = """
import os
usable = []
for fd in range(3, 300):
    try: os.fstat(fd); usable.append(fd)
    except OSError: pass
try: os.write(0, b"x"); usable.append(0)
except OSError: pass
print("escaped:" if usable else "tried:", usable)
"""
_SYMLINK = """
import os
for target in ("/etc/passwd", "/proc/1/environ", "/root", "/old/etc/passwd", "../../etc/passwd"):
    name = target.replace("/", "_")
    os.symlink(target, name)
    try: print("escaped:", os.listdir(name) if target == "/root" else open(name).read()[:40])
    except OSError as error: print("tried:", error)
"""
_PROCESSES = """
import os
seen = []
for pid in [*range(1, 400), *range(1000, 3000)]:
    if pid in (os.getpid(), os.getppid()): continue
    try: os.kill(pid, 0); seen.append(pid)
    except ProcessLookupError: pass
    except PermissionError: seen.append(pid)
others = [pid for pid in seen if pid > 3]
print("escaped:" if others or os.path.exists("/proc/1/status") else "tried:", others[:20])
"""
_EXECUTE = """
import os, shutil, sys
shutil.copy(sys.executable, "python")
os.chmod("python", 0o755)
try: os.execv("./python", ["python", "-c", "print('escaped: own program')"])
except OSError as error: print("tried:", error)
"""

ATTEMPTS: tuple[Attempt, ...] = (
    Attempt(
        "tcp", "reach a TCP port", _code(_connect("AF_INET", "('127.0.0.1', 22)"), _connect("AF_INET6", "('::1', 22)"))
    ),
    Attempt(
        "udp",
        "send a UDP packet",
        _code("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('1.1.1.1', 53))"),
    ),
    Attempt("dns", "look up a name", _code("socket.getaddrinfo('example.org', 80)")),
    Attempt(
        "unix",
        "reach a Unix socket",
        _code(_connect("AF_UNIX", "'/run/dbus/system_bus_socket'"), _connect("AF_UNIX", "'/tmp/.s.PGSQL.5432'")),
    ),
    Attempt("abstract", "reach an abstract socket", _code(_connect("AF_UNIX", "b'\\0preceptor-escape'"))),
    Attempt("netlink", "talk to the kernel's network", _code("socket.socket(16, socket.SOCK_RAW, 0)")),
    Attempt(
        "files",
        "read the machine's files",
        _code(
            "open('/etc/passwd').read()",
            "os.listdir('/home')",
            "os.listdir('/var')",
            "os.listdir('/proc')",
            "os.listdir('/sys')",
            "os.listdir('/root')",
            "os.listdir('/usr/bin')",
        ),
    ),
    Attempt("processes", "see other processes", _PROCESSES),
    Attempt(
        "write",
        "write outside the box",
        _code(
            "open('/written', 'w')",
            "open('/runtime/written', 'w')",
            "open('/dev/written', 'w')",
            "open('/etc/written', 'w')",
            "os.remove('/runtime/python/lib')",
            "os.chmod('/', 0o777)",
        ),
    ),
    Attempt("symlink", "leave the box by a link", _SYMLINK),
    Attempt("execute", "start a program it brought along", _EXECUTE),
    Attempt(
        "mount",
        "mount something",
        _code(
            "call('mount', b'none', b'/box', b'tmpfs', 0, None)",
            "call('umount2', b'/box', 0)",
            "call('pivot_root', b'/box', b'/box')",
            "os.chroot('/box')",
        ),
    ),
    Attempt(
        "namespace",
        "make namespaces of its own",
        _code("call('unshare', 0x10000000)", "call('setns', 0, 0)", "call('clone', 0x10000011, 0, 0, 0, 0)"),
    ),
    Attempt(
        "setuid",
        "become somebody else",
        _code("os.setuid(0)", "os.setgid(0)", "os.setgroups([0])", "os.chown('/box', 0, 0)"),
    ),
    Attempt(
        "device",
        "make a device",
        _code(
            "os.mknod('disk', 0o60666, os.makedev(254, 0))",
            "open('/dev/mem', 'rb').read(1)",
            "open('/dev/vda', 'rb').read(1)",
        ),
    ),
    Attempt(
        "trace",
        "trace a process",
        _code(
            "call('ptrace', 16, 1, 0, 0)",
            "call('ptrace', 0, 0, 0, 0)",
            "call('process_vm_readv', os.getppid(), None, 0, None, 0, 0)",
        ),
    ),
    Attempt(
        "signal",
        "end processes outside",
        _code("os.kill(1, 9) or time.sleep(0.2) or open('/proc/1/stat')", "os.killpg(os.getppid() or 1, 9)"),
    ),
    Attempt(
        "keyring",
        "use the kernel's keyring",
        _code("call('add_key', b'user', b'name', b'value', 5, -3)", "call('keyctl', 0, -3, 0)"),
    ),
    Attempt(
        "io_uring", "queue calls past the filter", _code("call('io_uring_setup', 8, ctypes.create_string_buffer(120))")
    ),
    Attempt(
        "bpf",
        "load a program into the kernel",
        _code("call('bpf', 0, None, 0)", "call('perf_event_open', None, 0, -1, -1, 0)", "call('userfaultfd', 0)"),
    ),
    Attempt(
        "memory_file",
        "run a program from memory",
        _code("call('memfd_create', b'x', 0)"),
    ),
    Attempt(
        "privileges",
        "regain privileges or lift limits",
        _code("__import__('resource').setrlimit(__import__('resource').RLIMIT_NPROC, (9999, 9999))", "os.nice(-10)"),
    ),
    Attempt(
        "clock",
        "change clock, name or power",
        _code(
            "time.clock_settime(time.CLOCK_REALTIME, 0)", "call('sethostname', b'x', 1)", "call('reboot', 0, 0, 0, 0)"
        ),
    ),
    Attempt(
        "ipc",
        "share memory with others",
        _code(
            "call('shmget', 1, 4096, 0o1777)", "call('msgget', 1, 0o1777)", "call('mq_open', b'x', 0o102, 0o600, None)"
        ),
    ),
    Attempt("environment", "read secrets from the environment", _ENVIRONMENT),
    Attempt("descriptors", "use descriptors left open", _DESCRIPTORS),
    Attempt("forks", "a fork bomb", _FORKS, Verdict.TIMEOUT, SHORT),
    Attempt("zombies", "hundreds of zombies", _ZOMBIES),
    Attempt("left_behind", "leave processes behind", _LEFT),
    Attempt("memory", "take all memory", _MEMORY),
    Attempt("shared_memory", "take memory by many processes", _SHARED_MEMORY, Verdict.MEMORY),
    Attempt("disk", "fill the disk", _DISK),
    Attempt("inodes", "make files without end", _FILES),
    Attempt("output", "write without end", "import sys\nwhile True: sys.stdout.write('x' * 65536)", Verdict.OUTPUT),
    Attempt("loop", "compute without end", _SPINS, Verdict.TIMEOUT, SHORT),
    Attempt("ignores", "ignore every signal", _IGNORES, Verdict.TIMEOUT, SHORT),
    Attempt("sleep", "sleep without end", "import time\ntime.sleep(600)", Verdict.TIMEOUT, SHORT),
)


def try_escape(attempt: Attempt) -> Tried:
    """Run one attempt in the sandbox and see whether it was held."""
    result = run(Program("python", {"main.py": attempt.code}), attempt.limits)
    return Tried(attempt, _held(attempt, result), _seen(result))


def try_escapes() -> Iterator[Tried]:
    """All attempts, one after another."""
    return map(try_escape, ATTEMPTS)


def _held(attempt: Attempt, result: Result) -> bool:
    if ESCAPED in result.stdout:
        return False
    if attempt.verdict is not None:
        return result.verdict is attempt.verdict
    # It must have got as far as failing: a program that never ran shows nothing.
    return result.verdict is Verdict.FINISHED and TRIED in result.stdout


def _seen(result: Result) -> str:
    if result.verdict is not Verdict.FINISHED:
        return f"stopped: {result.verdict.value}"
    lines = [line.removeprefix("tried:").strip() for line in result.stdout.splitlines()]
    return "; ".join(dict.fromkeys(line for line in lines if line)) or result.stderr.strip()[-200:]
