"""Unified diffs, as `git diff` and `diff -u` write them: parsed, and applied exactly.

A hunk applies where its old lines stand, at the place that it names or the nearest other one; nothing is applied by
guessing. Every refusal names the file, the hunk and the line.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

HUNKS_MAX = 500
NOWHERE = "/dev/null"
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)")
_NO_NEWLINE = "\\ No newline"


class BadDiff(ValueError):
    """The diff cannot be read or does not fit the files."""


@dataclass(frozen=True)
class Hunk:
    """A piece of a change. `lines`: (" ", "-" or "+", text with its line end) in order."""

    number: int
    header: str
    old_start: int
    lines: tuple[tuple[str, str], ...]

    @property
    def old(self) -> list[str]:
        return [text for sign, text in self.lines if sign != "+"]

    @property
    def new(self) -> list[str]:
        return [text for sign, text in self.lines if sign != "-"]


@dataclass(frozen=True)
class FileChange:
    """What a diff does to one file: `old` None makes it, `new` None removes it, different ones rename it."""

    old: str | None
    new: str | None
    hunks: tuple[Hunk, ...]

    @property
    def name(self) -> str:
        return self.new or self.old or ""


@dataclass
class _Reader:
    """A place in the lines of a diff."""

    lines: Sequence[str]
    at: int = 0
    changes: list[FileChange] = field(default_factory=list)
    hunks: int = 0

    @property
    def line(self) -> str | None:
        return self.lines[self.at] if self.at < len(self.lines) else None


def parse(diff: str) -> tuple[FileChange, ...]:
    """The changes of a unified diff. BadDiff where it is none, or where a hunk is shorter than it says."""
    reader = _Reader(diff.replace("\r\n", "\n").splitlines(keepends=True))
    while reader.line is not None:
        if reader.line.startswith("diff --git "):
            _read_git(reader)
        elif reader.line.startswith("--- "):
            _read_file(reader, None, None)
        elif reader.line.startswith("@@"):
            raise BadDiff(f"Line {reader.at + 1}: a hunk without the file it changes (`--- a/…` and `+++ b/…`).")
        else:
            reader.at += 1  # a message before the first file, `index` lines and the like
    if not reader.changes:
        raise BadDiff("This is no unified diff: it needs `--- a/file`, `+++ b/file` and `@@ … @@` lines.")
    return tuple(reader.changes)


def _read_git(reader: _Reader) -> None:
    """The lines that git writes before `---`: renames and files without content are told only there."""
    first = reader.at
    names = re.fullmatch(r"diff --git a/(.+) b/(.+)", (reader.line or "").rstrip("\n"))
    old = new = None
    made = removed = False
    reader.at += 1
    while reader.line is not None and not reader.line.startswith(("diff --git ", "--- ", "@@")):
        line = reader.line.rstrip("\n")
        old = line.removeprefix("rename from ") if line.startswith("rename from ") else old
        new = line.removeprefix("rename to ") if line.startswith("rename to ") else new
        made, removed = made or line.startswith("new file"), removed or line.startswith("deleted file")
        if line.startswith(("Binary files", "GIT binary patch")):
            raise BadDiff(f"Line {first + 1}: a binary file cannot be shown as a patch. Leave it out.")
        reader.at += 1
    if reader.line is not None and reader.line.startswith("--- "):
        _read_file(reader, old, new)
    elif names is not None and (old or made or removed):
        reader.changes.append(FileChange(None if made else old or names[1], None if removed else new or names[2], ()))


def _read_file(reader: _Reader, old: str | None, new: str | None) -> None:
    before = _name(reader.line or "", "--- ")
    reader.at += 1
    if reader.line is None or not reader.line.startswith("+++ "):
        raise BadDiff(f"Line {reader.at + 1}: `---` must be followed by `+++`.")
    after = _name(reader.line, "+++ ")
    reader.at += 1
    hunks: list[Hunk] = []
    while reader.line is not None and reader.line.startswith("@@"):
        hunks.append(_read_hunk(reader, len(hunks) + 1, new or after or before or ""))
    if not hunks and old is None:
        raise BadDiff(f"{after or before}: no hunks. Each change needs a line `@@ -1,2 +1,3 @@` and what it changes.")
    reader.changes.append(FileChange(old or before, new or after, tuple(hunks)))


def _name(line: str, mark: str) -> str | None:
    """The path of a `---` or `+++` line, without git's `a/` and without a time after a tab."""
    name = line.removeprefix(mark).rstrip("\n").split("\t")[0].strip().strip('"')
    if name == NOWHERE:
        return None
    return re.sub(r"^[ab]/", "", name)


def _read_hunk(reader: _Reader, number: int, path: str) -> Hunk:
    header = (reader.line or "").rstrip("\n")
    match = _HUNK.match(header)
    if match is None:
        raise BadDiff(f"{path}, hunk {number}: `{header[:80]}` is not `@@ -start,count +start,count @@`.")
    reader.hunks += 1
    if reader.hunks > HUNKS_MAX:
        raise BadDiff(f"A patch has at most {HUNKS_MAX} hunks.")
    counts = [int(match[2] or 1), int(match[4] or 1)]
    reader.at += 1
    lines: list[tuple[str, str]] = []
    while counts[0] > 0 or counts[1] > 0:
        lines.append(_read_line(reader, counts, f"{path}, hunk {number} ({header[:60]})"))
    _end_of_file(reader, lines)
    return Hunk(number, header, int(match[1]), tuple(lines))


def _read_line(reader: _Reader, counts: list[int], where: str) -> tuple[str, str]:
    while reader.line is not None and reader.line.startswith(_NO_NEWLINE):
        raise BadDiff(f"{where}: `\\ No newline` in the middle.")
    line = reader.line
    if line is None:
        raise BadDiff(f"{where}: the diff ends {max(counts)} lines too early.")
    # Editors and mail take the space off an empty line of context.
    sign, text = (" ", line) if line == "\n" else (line[0], line[1:])
    if sign not in " +-":
        raise BadDiff(f"{where}: line {reader.at + 1} must begin with a space, `+` or `-`.")
    counts[0] -= sign != "+"
    counts[1] -= sign != "-"
    if min(counts) < 0:
        raise BadDiff(f"{where}: it holds more lines than its header says (line {reader.at + 1}).")
    reader.at += 1
    if reader.line is not None and reader.line.startswith(_NO_NEWLINE):
        reader.at += 1
        text = text.removesuffix("\n")
    return sign, text if text.endswith("\n") or text != line[1:] else text + "\n"


def _end_of_file(reader: _Reader, lines: list[tuple[str, str]]) -> None:
    if reader.line is not None and reader.line.startswith(_NO_NEWLINE):
        reader.at += 1
        sign, text = lines[-1]
        lines[-1] = (sign, text.removesuffix("\n"))


def apply(files: Mapping[str, str], diff: str) -> dict[str, str]:
    """The files after the diff. BadDiff says which hunk of which file does not fit, and where they part."""
    result = dict(files)
    for change in parse(diff):
        if change.old is not None and change.old not in result:
            raise BadDiff(f"{change.old}: the patch changes a file that is not there. Files: {_listed(files)}.")
        if change.old is None and change.new in result:
            raise BadDiff(f"{change.new}: the patch makes a file that is there already.")
        before = result.pop(change.old) if change.old is not None else ""
        after = _apply_hunks(before, change)
        if change.new is not None:
            result[change.new] = after
        elif after:
            raise BadDiff(f"{change.old}: the patch removes the file but leaves lines of it.")
    return result


def _listed(files: Mapping[str, str]) -> str:
    return ", ".join(sorted(files)[:10]) or "none"


def _apply_hunks(text: str, change: FileChange) -> str:
    lines = text.replace("\r\n", "\n").splitlines(keepends=True)
    shift = 0
    reached = 0
    for hunk in change.hunks:
        wanted = max(0, hunk.old_start - 1 + shift) if hunk.old else hunk.old_start + shift
        at = _place(lines, hunk, wanted, reached)
        if at is None:
            raise BadDiff(_mismatch(lines, hunk, wanted, change.name))
        lines[at : at + len(hunk.old)] = hunk.new
        shift = at + len(hunk.new) - (hunk.old_start - 1 + len(hunk.old)) if hunk.old else shift + len(hunk.new)
        reached = at + len(hunk.new)
    return "".join(lines)


def _place(lines: Sequence[str], hunk: Hunk, wanted: int, reached: int) -> int | None:
    """Where the hunk's old lines stand: at the place named, else the nearest after what was changed before."""
    old = hunk.old
    if not old:
        return min(wanted, len(lines))
    fitting = (at for at in range(reached, len(lines) - len(old) + 1) if list(lines[at : at + len(old)]) == old)
    return min(fitting, key=lambda at: abs(at - wanted), default=None)


def _mismatch(lines: Sequence[str], hunk: Hunk, wanted: int, name: str) -> str:
    where = f"{name}, hunk {hunk.number} ({hunk.header[:60]})"
    for offset, expected in enumerate(hunk.old):
        found = lines[wanted + offset] if wanted + offset < len(lines) else None
        place, wants = f"line {wanted + offset + 1}", f"the patch expects {_quoted(expected)}"
        if found is None:
            return f"{where} does not fit: the file ends at line {len(lines)}, and {wants} as {place}."
        if found != expected:
            return f"{where} does not fit: {place} is {_quoted(found)}, and {wants}."
    return f"{where} overlaps the one before it."


def _quoted(line: str) -> str:
    text = line.rstrip("\n")
    return f"“{text[:80]}”" + ("" if line.endswith("\n") else " without a line end")
