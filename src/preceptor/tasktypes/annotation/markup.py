"""Labeling configs as text: XML into a frozen tree of tags with line numbers.

Nothing is fetched and nothing is expanded: document types, entities and processing instructions are refused, and a
config has limits that a person's config never meets.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

CONFIG_CHARACTERS_MAX = 300_000
TAGS_MAX = 5_000
DEPTH_MAX = 40
ATTRIBUTES_MAX = 60

_WITH_TEXT = frozenset({"style", "header", "markdown", "hypertext"})
_RAW = frozenset({"hypertext"})


@dataclass(frozen=True)
class Tag:
    """One tag of a config: its name and attributes as written, its children, the line it begins on.

    `text`: what stands between the tags of `Style`, `Header`, `Markdown` and `HyperText` (there as markup); empty
    elsewhere.
    """

    name: str
    attrs: Mapping[str, str]
    children: tuple["Tag", ...]
    line: int
    text: str = ""

    def walk(self) -> Iterator["Tag"]:
        """The tag itself and everything below it, in reading order."""
        yield self
        for child in self.children:
            yield from child.walk()


class MarkupError(ValueError):
    """The config is no usable XML. `line` is where reading stopped, 1 for the first."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message


@dataclass
class _Open:
    name: str
    attrs: Mapping[str, str]
    line: int
    children: list[Tag] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def closed(self) -> Tag:
        return Tag(self.name, self.attrs, tuple(self.children), self.line, "".join(self.text).strip())


class _Reader:
    """Builds the tree while expat reads; refuses what could grow or reach outside."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.ProcessingInstructionHandler = self._refuse_instruction
        self._open: list[_Open] = []
        self._tags = 0
        self._raw = 0  # depth inside a HyperText whose markup is kept as text
        self.root: Tag | None = None

    @property
    def _line(self) -> int:
        return self.parser.CurrentLineNumber

    def _start(self, name: str, attrs: dict[str, str]) -> None:
        self._tags += 1
        if self._tags > TAGS_MAX:
            raise MarkupError(self._line, f"more than {TAGS_MAX:,} tags; load long lists of labels from the data")
        if len(self._open) + self._raw >= DEPTH_MAX:
            raise MarkupError(self._line, f"tags are nested deeper than {DEPTH_MAX}")
        if len(attrs) > ATTRIBUTES_MAX:
            raise MarkupError(self._line, f"<{name}> has more than {ATTRIBUTES_MAX} attributes")
        if self._raw or (self._open and self._open[-1].name.lower() in _RAW):
            self._raw += 1
            given = "".join(f" {key}={quoteattr(value)}" for key, value in attrs.items())
            self._open[-1].text.append(f"<{name}{given}>")
            return
        self._open.append(_Open(name, attrs, self._line))

    def _end(self, name: str) -> None:
        if self._raw:
            self._raw -= 1
            self._open[-1].text.append(f"</{name}>")
            return
        tag = self._open.pop().closed()
        if self._open:
            self._open[-1].children.append(tag)
        else:
            self.root = tag

    def _characters(self, text: str) -> None:
        if self._raw:
            self._open[-1].text.append(escape(text))
        elif self._open and self._open[-1].name.lower() in _WITH_TEXT:
            self._open[-1].text.append(text)
        elif text.strip():
            inside = f"inside <{self._open[-1].name}>" if self._open else "outside all tags"
            raise MarkupError(
                self._line, f"text {text.strip()[:40]!r} {inside} would not be shown; put it into a <Header value=…/>"
            )

    def _refuse_doctype(self, *_: object) -> None:
        raise MarkupError(self._line, "document types and entities are not accepted; remove the <!DOCTYPE …>")

    def _refuse_instruction(self, target: str, _: str) -> None:
        raise MarkupError(self._line, f"the processing instruction <?{target} …?> is not accepted; remove it")


@lru_cache(maxsize=64)
def parse(config: str) -> Tag:
    """The tree of a labeling config. MarkupError with the line where it is no acceptable XML."""
    if len(config) > CONFIG_CHARACTERS_MAX:
        raise MarkupError(1, f"the config is longer than {CONFIG_CHARACTERS_MAX:,} characters")
    reader = _Reader()
    try:
        reader.parser.Parse(config.strip().encode(), True)
    except expat.ExpatError as error:
        raise MarkupError(error.lineno, f"not well-formed XML: {_in_words(error)}") from None
    except UnicodeEncodeError:
        raise MarkupError(1, "the config contains half a character (lone surrogate); remove it") from None
    if reader.root is None:
        raise MarkupError(1, "the config is empty")
    return reader.root


def _in_words(error: expat.ExpatError) -> str:
    words = expat.ErrorString(error.code)
    if words == "mismatched tag":
        return "a tag is closed that is not the last one opened (every <Tag> needs its </Tag> or ends in />)"
    if words == "undefined entity":
        return "an entity such as &nbsp; is not known in XML; write the character itself"
    if words == "not well-formed (invalid token)":
        return f"unexpected character at column {error.offset + 1} (write & as &amp; and < as &lt;)"
    return words
