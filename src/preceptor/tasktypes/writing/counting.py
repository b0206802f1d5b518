"""Words, characters, sentences and reading grade of Markdown text, counted alike here and in the browser.

Nothing here leaves its meaning to a library, because `frontend/src/lib/writing.ts` must arrive at the same numbers:
blanks, ideographs and ends of sentences are written out. Letters and digits are Unicode's L and N.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

BLANK: Final = r"\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
# Kana and Han are written without blanks: each character counts as a word.
IDEOGRAPH: Final = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"

_BLANKS: Final = re.compile(rf"[{BLANK}]+")
_TOKEN: Final = re.compile(rf"[{IDEOGRAPH}]|[^{IDEOGRAPH}{BLANK}]+")
_ALNUM: Final = re.compile(r"[^\W_]")

ABBREVIATIONS: Final = frozenset(
    ("e.g", "i.e", "etc", "vs", "cf", "dr", "mr", "mrs", "ms", "prof", "st", "no", "fig", "approx", "z.b", "d.h", "bzw")
)


def collapsed(text: str) -> str:
    """Without blanks at the ends, every run of blanks as one space."""
    return _BLANKS.sub(" ", text).strip(" ")


def characters(text: str) -> int:
    """Code points, a run of blanks counted as one and none at the ends."""
    return len(collapsed(text))


def word_list(text: str) -> list[str]:
    """Runs without blanks that hold a letter or a digit; each ideograph by itself."""
    return [token for token in _TOKEN.findall(text) if _ALNUM.search(token)]


def words(text: str) -> int:
    """Number of words of `word_list`. Marks of Markdown that stand alone are none."""
    return len(word_list(text))


# --- Prose: what is left of Markdown once code, formulas and tables are taken away

BlockKind = Literal["heading", "item", "quote", "paragraph"]


@dataclass(frozen=True)
class Block:
    """A heading, list item, quotation line or paragraph, in one line and without the mark that made it one."""

    kind: BlockKind
    text: str


_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
_DISPLAY_MATH: Final = re.compile(r"\$\$[\s\S]*?\$\$|\\\[[\s\S]*?\\\]")
_IMAGE_OR_LINK: Final = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\n]*\)")
_HEADING: Final = re.compile(r" {0,3}#{1,6}(?:[ \t]+|$)")
_ITEM: Final = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+")
_QUOTE: Final = re.compile(r" {0,3}>[ \t]?")
_RULE: Final = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,}|=+[ \t]*)$")
_CLOSING_HASHES: Final = re.compile(r"[ \t]+#+[ \t]*$")


def without_code(text: str) -> str:
    """The text with fenced code blocks emptied."""
    kept: list[str] = []
    fence = ""
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if fence:
            rest = line[found.end() :] if found else ""
            if (
                found
                and found.group(1)[0] == fence[0]
                and len(found.group(1)) >= len(fence)
                and not rest.strip(" \t\r")
            ):
                fence = ""
            kept.append("")
        elif found:
            fence = found.group(1)
            kept.append("")
        else:
            kept.append(line)
    return "\n".join(kept)


def blocks(text: str) -> list[Block]:
    """The prose of a Markdown text, block by block. Code, display formulas and tables are no prose."""
    plain = _IMAGE_OR_LINK.sub(r"\1", _DISPLAY_MATH.sub(" ", without_code(text)))
    found: list[Block] = []
    kind: BlockKind = "paragraph"
    lines: list[str] = []

    def close() -> None:
        nonlocal kind
        joined = collapsed(" ".join(lines))
        if joined:
            found.append(Block(kind, joined))
        lines.clear()
        kind = "paragraph"

    for line in plain.split("\n"):
        if not collapsed(line) or _RULE.match(line) or line.lstrip(" \t").startswith("|"):
            close()
        elif mark := _HEADING.match(line):
            close()
            found.append(Block("heading", collapsed(_CLOSING_HASHES.sub("", line[mark.end() :]))))
        elif mark := _ITEM.match(line):
            close()
            kind = "item"
            lines.append(line[mark.end() :])
        elif mark := _QUOTE.match(line):
            if kind != "quote":
                close()
                kind = "quote"
            lines.append(line[mark.end() :])
        else:
            lines.append(line)
    close()
    return [block for block in found if block.text]


def prose(text: str) -> str:
    """All blocks, one a line."""
    return "\n".join(block.text for block in blocks(text))


# --- Sentences

_END: Final = re.compile(rf"[.!?…]+[\"'”’»)\]*_]*(?=[{BLANK}]|$)|[。！？]+[”’」』）]*")
_LAST_WORD: Final = re.compile(rf"[^{BLANK}(\[\"'“‘«]*$")


def sentences(block: str) -> list[str]:
    """Sentences of one block, none without a word. An abbreviation or an initial does not end one."""
    return [collapsed(piece) for piece in _pieces(block) if words(piece)]


def _pieces(block: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(block):
        if end.group() == "." and _abbreviates(block[start : end.start()]):
            continue
        yield block[start : end.end()]
        start = end.end()
    yield block[start:]


def _abbreviates(before: str) -> bool:
    last = _LAST_WORD.search(before)
    word = last.group().lower() if last else ""
    return word in ABBREVIATIONS or (len(word) == 1 and bool(re.match(r"[a-zA-Z]", word)) and word != "i")


# --- Reading grade

_NO_LETTER: Final = re.compile(r"[^a-z]")
_VOWELS: Final = re.compile(r"[aeiouy]+")
_SILENT: Final = re.compile(r"(?:[^laeiouy]e|[^laeiouysxz]es|[^aeiouytd]ed)$")


def syllables(word: str) -> int:
    """Syllables of an English word by its groups of vowels; at least one."""
    letters = _NO_LETTER.sub("", word.lower())
    groups = len(_VOWELS.findall(letters))
    if groups > 1 and _SILENT.search(letters):
        groups -= 1
    return max(1, groups)


def reading_grade(text: str) -> float | None:
    """Flesch-Kincaid grade level, one decimal: school years that an English text asks for. None without a sentence.

    Kincaid et al. 1975: 0.39 words per sentence + 11.8 syllables per word - 15.59. Headings are left out.
    """
    found = [sentence for block in blocks(text) if block.kind != "heading" for sentence in sentences(block.text)]
    all_words = [word for sentence in found for word in word_list(sentence)]
    if not all_words:
        return None
    spoken = sum(syllables(word) for word in all_words)
    grade = 0.39 * (len(all_words) / len(found)) + 11.8 * (spoken / len(all_words)) - 15.59
    return math.floor(grade * 10 + 0.5) / 10


def longest(pieces: Sequence[str]) -> tuple[str, int]:
    """The piece with most words, the first of several, and how many they are."""
    best, most = "", 0
    for piece in pieces:
        if (number := words(piece)) > most:
            best, most = piece, number
    return best, most
