"""The manual: Markdown files of the `docs` folder as pages. Ours and trusted, but raw HTML is off all the same."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import Path, PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

import preceptor
from preceptor.kit.errors import NotFound

INDEX = "index"
PICTURES = {".png": "image/png", ".svg": "image/svg+xml", ".jpg": "image/jpeg", ".webp": "image/webp"}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*(?:/[a-z0-9][a-z0-9-]*){0,3}\Z")


@dataclass(frozen=True)
class Entry:
    """One page of the manual: `slug` is its address under /docs."""

    slug: str
    title: str


@dataclass(frozen=True)
class Manual:
    title: str
    html: str
    outline: list[tuple[str, str]]
    """(anchor, words) of its second-level headings."""


def folder() -> Path:
    """Where the files are: inside an installed package, else in the repository beside `src`."""
    package = Path(preceptor.__file__).parent
    installed = package / "docs"
    return installed if installed.is_dir() else package.parents[1] / "docs"


def entries() -> list[Entry]:
    """All pages, the index first, then by folder and name; none where nothing is installed."""
    root = folder()
    found = [path.relative_to(root) for path in sorted(root.rglob("*.md"))] if root.is_dir() else []
    pages = [Entry(str(PurePosixPath(path.with_suffix(""))), _title(root / path)) for path in found]
    return sorted(pages, key=lambda page: (page.slug != INDEX, page.slug.count("/"), page.slug))


def _title(path: Path) -> str:
    for line in path.read_text().splitlines():
        if line.startswith("# "):
            return line[2:].strip().replace("`", "")
    return path.stem.replace("-", " ").capitalize()


def read(slug: str) -> Manual:
    """One page; `NotFound` for anything that is not a file of the manual."""
    path = folder() / f"{slug}.md"
    if not _NAME.match(slug) or not path.is_file():
        raise NotFound("page")
    return _render(path.read_text(), str(PurePosixPath(slug).parent), _title(path))


def find(slug: str) -> Manual | None:
    """One page, or None where it is not installed."""
    try:
        return read(slug)
    except NotFound:
        return None


def picture(name: str) -> tuple[bytes, str]:
    """A picture beside the pages with its media type."""
    stem, _, ending = name.rpartition(".")
    path = folder() / name
    if not _NAME.match(stem) or f".{ending}" not in PICTURES or not path.is_file():
        raise NotFound("picture")
    return path.read_bytes(), PICTURES[f".{ending}"]


def _render(text: str, parent: str, title: str) -> Manual:
    parser = _parser()
    tokens = parser.parse(text)
    outline = list(_anchored(tokens))
    for token in tokens:
        for child in token.children or []:
            _readdress(child, parent)
    html = parser.renderer.render(tokens, parser.options, {})
    return Manual(title, html, outline)


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "highlight": _highlight, "typographer": False}).enable("table")


def _highlight(code: str, language: str, _attributes: str) -> str:
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return escape(code)
    return highlight(code, lexer, HtmlFormatter(nowrap=True))


def _anchored(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Give headings their anchors; yields those of the second level."""
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        words = inline.content.replace("`", "")
        anchor = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
        opening.attrSet("id", anchor)
        if opening.tag == "h2":
            yield anchor, words


def _readdress(token: Token, parent: str) -> None:
    """Links between files become links between pages; pictures are served from beside them."""
    if token.type == "link_open":
        target, _, anchor = str(token.attrGet("href")).partition("#")
        if target.endswith(".md") and "://" not in target:
            token.attrSet("href", _within(parent, target.removesuffix(".md")) + (f"#{anchor}" if anchor else ""))
    elif token.type == "image" and "://" not in str(token.attrGet("src")):
        token.attrSet("src", _within(parent, str(token.attrGet("src"))))


def _within(parent: str, target: str) -> str:
    steps: list[str] = [] if parent == "." else parent.split("/")
    for step in target.split("/"):
        if step == "..":
            steps = steps[:-1]
        elif step not in ("", "."):
            steps.append(step)
    return "/docs/" + "/".join(steps)
