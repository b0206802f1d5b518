r"""A response cut into steps or sentences: deterministic, and lossless (the pieces joined are the text).

Rules, in this order:

1. Lines. A line begins a new step, except that it goes on the step before it when it begins in lower case and no
   blank line or list mark stands between. Blank lines belong to the step before them; a heading to the step after.
2. Code in fences, display math (`$$`, `\[`, `\begin`), and tables are never cut. They belong to the line before them
   when it does not end a sentence (it ends in a colon, a comma or a word), as "so that we have" and its formula do.
3. For `sentences`, text lines are cut further after `.`, `!`, `?`, `…` (with closing quotes and brackets) where white
   space and then a capital, a digit, an opening quote or bracket, or math follow. No cut within inline code, inline
   math, links or brackets, after an abbreviation (`e.g.`, `Dr.`, `Fig.`), after a single letter (an initial), or
   after the number of a list item. Chinese and Japanese stops cut without white space.

English abbreviations only. A cut too few is better than one within a formula: where a rule is in doubt it joins.
"""

import re
from collections.abc import Callable, Iterator
from typing import Literal

Cut = Literal["steps", "sentences"]

_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_TABLE = re.compile(r"^\s*\|")
_HEADING = re.compile(r"^ {0,3}#{1,6}\s")
_LIST_MARK = re.compile(r"^\s*(?:[-*+•]|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s+")
_BEGIN = re.compile(r"^\s*\\begin\{([A-Za-z]+\*?)\}")
_ENDS_SENTENCE = re.compile(r"[.!?…。！？][\"'”’»)\]*_]*\s*$")
_PROTECTED = re.compile(
    r"(?:```|~~~)[\s\S]*?(?:```|~~~|\Z)|\\begin\{([A-Za-z]+\*?)\}[\s\S]*?(?:\\end\{\1\}|\Z)|^[^\S\n]*\|[^\n]*$"
    r"|`[^`\n]+`|\$\$.+?\$\$|\$[^$\n]+\$|\\\(.+?\\\)|\\\[.+?\\\]|https?://\S*[^\s.,;:!?)\]]"
    r"|\([^()\n]{0,400}\)|\[[^\[\]\n]{0,400}\]|“[^”\n]{0,400}”",
    re.DOTALL | re.MULTILINE,
)
_STOP = re.compile(r"(?:[.!?…]+[\"'”’»)\]*_]*(?=\s+[\"'“‘«(\[A-Z0-9$\\`*_À-ÖØ-Þ])|[。！？]+[”’」』）]*)")
_LAST_WORD = re.compile(r"([^\s(\[\"“'‘]*)$")
_ABBREVIATIONS = frozenset(
    re.split(" ", "e.g i.e cf vs viz approx ca resp al dr mr mrs ms prof st inc ltd jr sr u.s u.k a.m p.m")
)
_NUMBERED = frozenset(re.split(" ", "fig figs eq eqs sec secs ch no nos vol ref refs thm lem prop def ex p pp"))
"""Abbreviations only where a number follows: "no." alone is a word."""


def split_response(text: str, cut: Cut = "steps") -> list[str]:
    """The text in pieces, none of them blank, whose concatenation is the text. A blank text has no pieces."""
    pieces: list[str] = []
    for block, prose in _blocks(text):
        pieces.extend(_sentences(block) if prose and cut == "sentences" else [block])
    return _without_blanks(pieces)


def _without_blanks(pieces: list[str]) -> list[str]:
    """White space alone is no step: it goes to the piece before it, or to the first."""
    kept: list[str] = []
    leading = ""
    for piece in pieces:
        if piece.strip():
            kept.append(leading + piece)
            leading = ""
        elif kept:
            kept[-1] += piece
        else:
            leading += piece
    return kept


def _blocks(text: str) -> Iterator[tuple[str, bool]]:
    """Lines that belong together, and whether prose that may be cut further is among them."""
    held, prose, blank, heading = "", False, False, False
    for unit, is_prose in _units(text):
        if not unit.strip():
            held += unit
            blank = True
            continue
        if held.strip() and not heading and not _goes_on(held, unit, is_prose, blank):
            yield held, prose
            held, prose = "", False
        held += unit
        prose = prose or is_prose
        heading, blank = bool(_HEADING.match(unit)), False
    if held:
        yield held, prose


def _goes_on(held: str, unit: str, is_prose: bool, blank: bool) -> bool:
    if not is_prose:
        return not _ENDS_SENTENCE.search(held.rstrip())
    first = unit.lstrip()[:1]
    return not blank and first.islower() and not _LIST_MARK.match(unit)


def _units(text: str) -> Iterator[tuple[str, bool]]:
    """Single lines of prose, and whole runs of code, display math and tables."""
    lines = text.splitlines(keepends=True)
    at = 0
    while at < len(lines):
        length = _run_length(lines, at)
        yield "".join(lines[at : at + (length or 1)]), length == 0
        at += length or 1


def _run_length(lines: list[str], at: int) -> int:
    """How many lines a run of code, math or table takes that begins here; 0 for prose."""
    line = lines[at]
    if fence := _FENCE.match(line):
        return _until(lines, at, lambda each: each.strip().startswith(fence[1]) and not each.strip().strip(fence[1][0]))
    if begin := _BEGIN.match(line):
        end = f"\\end{{{begin[1]}}}"
        return 1 if end in line else _until(lines, at, lambda each: end in each)
    stripped = line.strip()
    if stripped.startswith("$$"):
        return 1 if stripped.count("$$") > 1 else _until(lines, at, lambda each: "$$" in each)
    if stripped.startswith("\\["):
        return 1 if "\\]" in stripped else _until(lines, at, lambda each: "\\]" in each)
    length = 0
    while at + length < len(lines) and _TABLE.match(lines[at + length]):
        length += 1
    return length


def _until(lines: list[str], at: int, closes: Callable[[str], bool]) -> int:
    """Lines up to the one that closes the run, or to the end where nothing does."""
    for place in range(at + 1, len(lines)):
        if closes(lines[place]):
            return place - at + 1
    return len(lines) - at


def _sentences(block: str) -> list[str]:
    kept_whole = [match.span() for match in _PROTECTED.finditer(block)]
    marks = [match.end() for match in _list_marks(block)]
    pieces, start = [], 0
    for stop in _STOP.finditer(block):
        end = stop.end()
        if any(low <= stop.start() and end < high for low, high in kept_whole) or end <= start:
            continue
        if any(stop.start() < mark <= end + 1 for mark in marks) or _abbreviated(block, stop):
            continue
        while end < len(block) and block[end].isspace():
            end += 1
        pieces.append(block[start:end])
        start = end
    return [*pieces, block[start:]]


def _list_marks(block: str) -> Iterator[re.Match[str]]:
    for line in re.finditer(r"^.+$", block, re.MULTILINE):
        if mark := _LIST_MARK.match(block, line.start()):
            yield mark


def _abbreviated(block: str, stop: re.Match[str]) -> bool:
    if stop[0] != ".":
        return False
    last = _LAST_WORD.search(block[: stop.start()])
    word = last[1] if last else ""
    if word.lower() in _NUMBERED:
        return block[stop.end() :].lstrip()[:1].isdigit()
    return word.lower() in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word != "I")
