"""Control groups: one count of memory and processes over all that a run starts. Used where we may make them.

Version 2 is what today's systems have; version 1 differs in names only. Without either, `watching` measures instead.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

ROOT = Path("/sys/fs/cgroup")
OURS = "preceptor.sandbox"
REMOVE_TRIES = 50
REMOVE_WAIT_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A place where we may make groups: which of `memory` and `pids` it counts, and the names of its files."""

    folder: Path
    controllers: frozenset[str]
    version: int


@dataclass(frozen=True, slots=True)
class Group:
    """The groups of one run, in one hierarchy or in one per controller."""

    places: tuple[tuple[Hierarchy, Path], ...]

    @property
    def paths(self) -> list[str]:
        return [str(path) for _, path in self.places]

    @property
    def counts_memory(self) -> bool:
        return any("memory" in hierarchy.controllers for hierarchy, _ in self.places)

    def peak_bytes(self) -> int | None:
        """The most that all processes had together, None where the kernel does not tell."""
        for hierarchy, path in self.places:
            if "memory" in hierarchy.controllers:
                name = "memory.peak" if hierarchy.version == 2 else "memory.max_usage_in_bytes"
                with contextlib.suppress(OSError, ValueError):
                    return int((path / name).read_text())
        return None

    def ran_out_of_memory(self) -> bool:
        for hierarchy, path in self.places:
            if "memory" in hierarchy.controllers:
                name = "memory.events" if hierarchy.version == 2 else "memory.oom_control"
                with contextlib.suppress(OSError):
                    told = dict(line.split(maxsplit=1) for line in (path / name).read_text().splitlines())
                    return int(told.get("oom_kill", "0")) > 0
        return False


def hierarchies() -> tuple[Hierarchy, ...]:
    """Where groups can be made by this process; empty where nowhere."""
    return _version_2() or _version_1()


def _version_2() -> tuple[Hierarchy, ...]:
    folder = ROOT / OURS
    try:
        offered = set((ROOT / "cgroup.controllers").read_text().split()) & {"memory", "pids"}
        if "memory" not in offered:
            return ()
        folder.mkdir(exist_ok=True)
        (folder / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in sorted(offered)))
    except OSError:
        return ()
    return (Hierarchy(folder, frozenset(offered), 2),)


def _version_1() -> tuple[Hierarchy, ...]:
    found = []
    for controller in ("memory", "pids"):
        folder = ROOT / controller / OURS
        if (ROOT / controller / "cgroup.procs").exists():
            with contextlib.suppress(OSError):
                folder.mkdir(exist_ok=True)
                if os.access(folder, os.W_OK):
                    found.append(Hierarchy(folder, frozenset({controller}), 1))
    return tuple(found)


@contextlib.contextmanager
def group(memory_bytes: int, processes: int) -> Iterator[Group]:
    """A fresh group with these limits, gone afterwards; one without places where none can be made."""
    name = f"{os.getpid()}-{uuid4().hex[:12]}"
    places = [(hierarchy, hierarchy.folder / name) for hierarchy in hierarchies()]
    made: list[tuple[Hierarchy, Path]] = []
    try:
        for hierarchy, path in places:
            _sweep(hierarchy.folder)
            with contextlib.suppress(OSError):
                path.mkdir()
                made.append((hierarchy, path))
                _limit(hierarchy, path, memory_bytes, processes)
        yield Group(tuple(made))
    finally:
        for _, path in made:
            _remove(path)


def _limit(hierarchy: Hierarchy, path: Path, memory_bytes: int, processes: int) -> None:
    if "memory" in hierarchy.controllers:
        limits = (
            {"memory.max": memory_bytes, "memory.swap.max": 0, "memory.oom.group": 1}
            if hierarchy.version == 2
            else {"memory.limit_in_bytes": memory_bytes, "memory.memsw.limit_in_bytes": memory_bytes}
        )
        for name, value in limits.items():
            # Accounting of swap is missing on some machines; the limit on memory itself never is.
            with contextlib.suppress(OSError):
                (path / name).write_text(str(value))
    if "pids" in hierarchy.controllers:
        (path / "pids.max").write_text(str(processes))


def _sweep(folder: Path) -> None:
    """Take away what a process left that was killed: its groups are empty and bear its number."""
    for left in folder.glob("*-*"):
        if not Path("/proc", left.name.split("-")[0]).exists():
            with contextlib.suppress(OSError):
                left.rmdir()


def _remove(path: Path) -> None:
    """A group goes when its last process is gone, which the kernel may take a moment to notice."""
    for _ in range(REMOVE_TRIES):
        try:
            path.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(REMOVE_WAIT_SECONDS)
