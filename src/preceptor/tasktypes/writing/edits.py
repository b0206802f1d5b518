"""What somebody changed in a text: an edit script by words, and how much it is.

Lines are matched first, then words within what differs, both by Myers' greedy algorithm ("An O(ND) Difference
Algorithm", 1986). Between texts that have almost nothing in common the search is given up after `STEPS_MAX` steps and
the stretch is called replaced, so that time stays bounded; `frontend/src/lib/edits.ts` does exactly the same.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, TypeVar

from preceptor.tasktypes.writing import counting
from preceptor.tasktypes.writing.counting import BLANK, IDEOGRAPH

STEPS_MAX: Final = 1_000

Op = Literal["keep", "delete", "insert"]
T = TypeVar("T")

_BREAKS: Final = re.compile(rf"[^{BLANK}]|\n")
"""What between two changes keeps them apart."""
_PIECE: Final = re.compile(rf"[{IDEOGRAPH}]|[^\W_{IDEOGRAPH}]+|[{BLANK}]+|[^{BLANK}]")


@dataclass(frozen=True)
class Edit:
    """A stretch of text that was kept, deleted or inserted. In a script a deletion stands before its replacement."""

    op: Op
    text: str


@dataclass(frozen=True)
class Changes:
    """How much a script changes. `share` is of all characters of both texts: 0 nothing, 1 everything."""

    words_deleted: int
    words_inserted: int
    share: float
    places: int


def pieces(text: str) -> list[str]:
    """Words, runs of blanks and single marks, which together are the text again."""
    return _PIECE.findall(text)


def edit_script(before: str, after: str) -> list[Edit]:
    """How `before` became `after`. Keeps and deletions together are `before`, keeps and insertions `after`.

    Blanks alone between two changed words are part of the change, as people see it.
    """
    script: list[Edit] = []
    kept = gone = come = ""
    for op, text in (*_script(before, after), ("keep", "\n")):
        if op == "delete" or op == "insert":
            if kept and (gone or come):
                gone, come, kept = gone + kept, come + kept, ""
            elif kept:
                script.append(Edit("keep", kept))
                kept = ""
            gone, come = (gone + text, come) if op == "delete" else (gone, come + text)
            continue
        kept += text
        if (gone or come) and _BREAKS.search(kept):
            script += _change(gone, come)
            gone = come = ""
    return script + ([Edit("keep", kept[:-1])] if len(kept) > 1 else [])


def _change(gone: str, come: str) -> list[Edit]:
    return ([Edit("delete", gone)] if gone else []) + ([Edit("insert", come)] if come else [])


def changes(script: Sequence[Edit]) -> Changes:
    """Sums over a script."""
    sizes = {op: sum(len(edit.text) for edit in script if edit.op == op) for op in ("keep", "delete", "insert")}
    changed, total = sizes["delete"] + sizes["insert"], 2 * sizes["keep"] + sizes["delete"] + sizes["insert"]
    ops: list[Op] = ["keep", *(edit.op for edit in script)]
    return Changes(
        words_deleted=sum(counting.words(edit.text) for edit in script if edit.op == "delete"),
        words_inserted=sum(counting.words(edit.text) for edit in script if edit.op == "insert"),
        share=changed / total if total else 0.0,
        places=sum(1 for last, op in pairwise(ops) if last == "keep" and op != "keep"),
    )


def _script(before: str, after: str) -> Iterator[tuple[Op, str]]:
    """Lines first; a run of changed lines is compared by words."""
    gone: list[str] = []
    come: list[str] = []
    for op, line in _myers(_lines(before), _lines(after)):
        if op == "keep":
            yield from _by_words(gone, come)
            gone, come = [], []
            yield op, line
        else:
            (gone if op == "delete" else come).append(line)
    yield from _by_words(gone, come)


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _by_words(gone: Sequence[str], come: Sequence[str]) -> Iterator[tuple[Op, str]]:
    if gone and come:
        yield from _deletions_first(_myers(pieces("".join(gone)), pieces("".join(come))))
    else:
        yield from (("delete", line) for line in gone)
        yield from (("insert", line) for line in come)


def _deletions_first(edits: Sequence[tuple[Op, str]]) -> Iterator[tuple[Op, str]]:
    """Within a run of changes all deletions, then all insertions: what people call one change."""
    waiting: list[tuple[Op, str]] = []
    for op, text in edits:
        if op == "insert":
            waiting.append((op, text))
            continue
        if op == "keep":
            yield from waiting
            waiting = []
        yield op, text
    yield from waiting


def _myers(a: Sequence[str], b: Sequence[str]) -> list[tuple[Op, str]]:
    """Shortest script between two sequences, equal ends set aside first."""
    start, stop_a, stop_b = 0, len(a), len(b)
    while start < stop_a and start < stop_b and a[start] == b[start]:
        start += 1
    while stop_a > start and stop_b > start and a[stop_a - 1] == b[stop_b - 1]:
        stop_a, stop_b = stop_a - 1, stop_b - 1
    script: list[tuple[Op, str]] = [("keep", each) for each in a[:start]]
    script += _middle(a[start:stop_a], b[start:stop_b])
    script += [("keep", each) for each in a[stop_a:]]
    return script


def _middle(a: Sequence[str], b: Sequence[str]) -> list[tuple[Op, str]]:
    if not a or not b:
        return [*(("delete", each) for each in a), *(("insert", each) for each in b)]
    trace = _forward(a, b)
    if trace is None:
        return [*(("delete", each) for each in a), *(("insert", each) for each in b)]
    return _walk_back(a, b, trace)


def _forward(a: Sequence[str], b: Sequence[str]) -> list[dict[int, int]] | None:
    """Furthest reach on each diagonal after 0, 1, 2, ... changes; None where it takes too many."""
    reach: dict[int, int] = {1: 0}
    trace: list[dict[int, int]] = []
    for steps in range(min(len(a) + len(b), STEPS_MAX) + 1):
        trace.append(dict(reach) if steps <= 1 else {k: reach[k] for k in range(-steps - 1, steps + 2) if k in reach})
        for k in range(-steps, steps + 1, 2):
            down = k == -steps or (k != steps and reach.get(k - 1, -1) < reach.get(k + 1, -1))
            x = reach[k + 1] if down else reach[k - 1] + 1
            y = x - k
            while x < len(a) and y < len(b) and a[x] == b[y]:
                x, y = x + 1, y + 1
            reach[k] = x
            if x >= len(a) and y >= len(b):
                return trace
    return None


def _walk_back(a: Sequence[str], b: Sequence[str], trace: Sequence[dict[int, int]]) -> list[tuple[Op, str]]:
    x, y = len(a), len(b)
    backwards: list[tuple[Op, str]] = []
    for steps in range(len(trace) - 1, -1, -1):
        reach, k = trace[steps], x - y
        down = k == -steps or (k != steps and reach.get(k - 1, -1) < reach.get(k + 1, -1))
        last_k = k + 1 if down else k - 1
        last_x = reach[last_k] if steps else 0
        last_y = last_x - last_k if steps else 0
        while x > last_x and y > last_y:
            x, y = x - 1, y - 1
            backwards.append(("keep", a[x]))
        if steps:
            if down:
                y -= 1
                backwards.append(("insert", b[y]))
            else:
                x -= 1
                backwards.append(("delete", a[x]))
    return backwards[::-1]


# --- How alike two texts are


def common_words(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence of words, exact and symmetric.

    Hyyrö's bit-parallel algorithm (2004): whole rows in one integer, so that 40,000 words take about a second.
    """
    places: dict[str, int] = {}
    for at, word in enumerate(a):
        places[word] = places.get(word, 0) | (1 << at)
    everything = (1 << len(a)) - 1
    row = everything
    for word in b:
        matched = row & places.get(word, 0)
        row = ((row + matched) | (row - matched)) & everything
    return len(a) - row.bit_count()


def wording_distance(a: str, b: str) -> float:
    """1 minus twice the common subsequence of lower-case words over the words of both; 0 for two empty texts."""
    first, second = ([word.lower() for word in counting.word_list(text)] for text in (a, b))
    total = len(first) + len(second)
    return 1 - 2 * common_words(first, second) / total if total else 0.0


def length_distance(a: str, b: str) -> float:
    """Difference in words, as a share of the longer text."""
    first, second = counting.words(a), counting.words(b)
    return abs(first - second) / max(first, second) if first or second else 0.0
