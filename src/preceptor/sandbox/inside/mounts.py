"""A file system of its own for one run: an empty one, the runtime read-only, a few devices, and the box to write in."""

import os
from collections.abc import Mapping, Sequence

from preceptor.sandbox.inside import kernel
from preceptor.sandbox.inside.confine import BOX

DEVICES = ("null", "zero", "full", "random", "urandom")
OLD = "/old"
_KEPT_FLAGS = {
    os.ST_NOSUID: kernel.MS_NOSUID,
    os.ST_NODEV: kernel.MS_NODEV,
    os.ST_NOEXEC: kernel.MS_NOEXEC,
    os.ST_NOATIME: kernel.MS_NOATIME,
    os.ST_NODIRATIME: kernel.MS_NODIRATIME,
    os.ST_RELATIME: kernel.MS_RELATIME,
}


def new_root() -> None:
    """Stand in an empty file system; the machine's own lies under `OLD` until `seal`."""
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    # Any folder serves as the place to mount on: nobody else sees this.
    kernel.mount("tmpfs", "/tmp", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755,size=1m")  # noqa: S108
    os.mkdir("/tmp" + OLD)  # noqa: S108
    kernel.pivot_root("/tmp", "/tmp" + OLD)  # noqa: S108
    os.chdir("/")


def bind(outside: str, inside: str) -> None:
    """Show a file or folder of the machine at `inside`, read-only."""
    source = OLD + outside
    if os.path.isdir(source):
        os.makedirs(inside, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(inside), exist_ok=True)
        os.close(os.open(inside, os.O_CREAT | os.O_CLOEXEC, 0o444))
    kernel.mount(source, inside, "", kernel.MS_BIND | kernel.MS_REC)
    remount(inside, kernel.MS_RDONLY | kernel.MS_NOSUID | (0 if inside.startswith("/dev/") else kernel.MS_NODEV))


def remount(path: str, flags: int) -> None:
    # A user namespace may not take away the flags that a mount has already, so they are named again.
    found = os.statvfs(path).f_flag
    kept = sum(mount for seen, mount in _KEPT_FLAGS.items() if found & seen)
    kernel.mount("none", path, "", kernel.MS_BIND | kernel.MS_REMOUNT | kept | flags)


def make_devices() -> None:
    os.mkdir("/dev", 0o755)
    for name in DEVICES:
        bind(f"/dev/{name}", f"/dev/{name}")


def make_box(owner: int, bytes_max: int, files_max: int) -> None:
    """The one place to write: in memory, gone with the run, and nothing in it can be executed."""
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("tmpfs", BOX, "tmpfs", flags, f"mode=700,size={bytes_max},nr_inodes={files_max}")
    os.chown(BOX, owner, owner)


def hide(folders: Sequence[str]) -> None:
    """Cover folders of the runtime that are not the program's business with empty ones."""
    for folder in folders:
        flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_RDONLY
        kernel.mount("tmpfs", folder, "tmpfs", flags, "mode=755,size=4k")


def seal() -> None:
    """Let go of the machine's files for good, and make what is left read-only."""
    kernel.unmount(OLD)
    os.rmdir(OLD)
    remount("/", kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV)


def write_files(files: Mapping[str, str], owner: int) -> None:
    """The program's own files. Paths were checked before: relative, without `..`."""
    for path, text in files.items():
        folder = BOX
        for step in path.split("/")[:-1]:
            folder = f"{folder}/{step}"
            if not os.path.isdir(folder):
                os.mkdir(folder, 0o700)
                os.chown(folder, owner, owner)
        with open(f"{BOX}/{path}", "x", encoding="utf-8", newline="") as file:
            file.write(text)
            os.fchown(file.fileno(), owner, owner)
