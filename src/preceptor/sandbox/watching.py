"""How much memory a tree of processes has, where no control group counts it: read from /proc a few times a second."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_COUNTED = ("Pss_Anon:", "Pss_Shmem:")
_ROUGHLY = ("RssAnon:", "RssShmem:")


def tree(process: int) -> Iterator[int]:
    """A process and all below it. What ends meanwhile is left out."""
    yield process
    with suppress(OSError, ValueError):
        for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
            yield from tree(int(child))


def memory_bytes(process: int) -> int:
    """What a tree of processes has of its own: shared pages once where the kernel tells, else once for each."""
    return sum(_own_bytes(each) for each in tree(process))


def _own_bytes(process: int) -> int:
    for name, wanted in (("smaps_rollup", _COUNTED), ("status", _ROUGHLY)):
        with suppress(OSError):
            lines = (line.split() for line in Path(f"/proc/{process}/{name}").read_text().splitlines())
            found = {words[0]: int(words[1]) * 1024 for words in lines if words and words[0] in wanted}
            if found:
                return sum(found.values())
    return 0
