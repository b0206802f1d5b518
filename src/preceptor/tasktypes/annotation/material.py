"""What an object tag shows, taken from a task's data and checked: text, pages, paragraphs, rows, columns."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from preceptor.tasktypes.annotation.cleaning import clean_html, first_image, inner_text
from preceptor.tasktypes.annotation.fields import MissingField, filled
from preceptor.tasktypes.annotation.plan import Planned

TEXT_CHARACTERS_MAX = 1_000_000
PAGES_MAX = 300
PARAGRAPHS_MAX = 5_000
ITEMS_MAX = 500
ROWS_MAX = 5_000
COLUMNS_MAX = 200
POINTS_MAX = 200_000
URL_CHARACTERS_MAX = 2_048
DATA_URL_CHARACTERS_MAX = 4 * 1024 * 1024

_ADDRESS = re.compile(r"(?:https://[^\s\"'<>\\]+|media:[A-Za-z0-9_./-]{1,200})\Z")
_DATA_URL = re.compile(
    r"data:(?:image/(?:png|jpeg|gif|webp)|audio/(?:wav|x-wav|mpeg|ogg|webm|mp4)|video/(?:mp4|webm)|application/pdf|"
    r"text/(?:csv|plain));base64,[A-Za-z0-9+/]+={0,2}\Z"
)


class UnfitData(ValueError):
    """Data does not hold what an object needs. The message says which field and what would fit."""


@dataclass(frozen=True)
class Words:
    """Text (`html` too where it is HyperText), or the `url` of one. `text` is None where only the address is known."""

    text: str | None
    html: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of a dialogue; `start` and `end` are seconds of its audio."""

    author: str
    text: str
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Paragraphs:
    """A dialogue."""

    paragraphs: tuple[Paragraph, ...]
    audio: str | None = None


@dataclass(frozen=True)
class Conversation:
    """Chat messages as role and Markdown text."""

    messages: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Pages:
    """Images by address, one a page."""

    urls: tuple[str, ...]


@dataclass(frozen=True)
class Recording:
    """A recording, video or document by address."""

    url: str


@dataclass(frozen=True)
class Columns:
    """Columns of a time series, or the address of a CSV file."""

    columns: Mapping[str, Sequence[JsonValue]] | None
    url: str | None = None


@dataclass(frozen=True)
class Grid:
    """A table as shown."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Item:
    """An entry of a List; `image` is the address of an uploaded picture that its HTML names."""

    id: str
    title: str
    body: str
    html: str | None = None
    image: str | None = None


@dataclass(frozen=True)
class Items:
    """A List to rank."""

    items: tuple[Item, ...]


Material = Words | Paragraphs | Conversation | Pages | Recording | Columns | Grid | Items


def count_of_items(material: Material | None) -> int:
    """How many parts `perItem` controls ask about."""
    match material:
        case Pages(urls):
            return len(urls)
        case Paragraphs(paragraphs):
            return len(paragraphs)
        case Conversation(messages):
            return len(messages)
        case Grid(_, rows):
            return len(rows)
        case Items(items):
            return len(items)
        case _:
            return 0


def address(value: JsonValue, what: str) -> str:
    """A usable address of media. UnfitData for anything that the browser of a contributor cannot or must not load."""
    if not isinstance(value, str) or not value:
        raise UnfitData(f"{what} must be an address (https: or media:), not {_kind(value)}")
    if value.startswith("data:"):
        if len(value) > DATA_URL_CHARACTERS_MAX or not _DATA_URL.match(value):
            raise UnfitData(
                f"{what} is a data: address of a type or size that is not accepted; upload the file instead"
            )
        return value
    if len(value) > URL_CHARACTERS_MAX or not _ADDRESS.match(value):
        raise UnfitData(
            f"{what} is {value[:60]!r}; it must begin with https: or media: "
            "(upload local files, or give signed addresses for files in a cloud store)"
        )
    return value


def material(planned: Planned, written: Mapping[str, str], data: Mapping[str, JsonValue]) -> Material:
    """The material of an object. `written` are its text parameters with Repeater indexes put in.

    MissingField where the data lacks a field, UnfitData where it has another shape.
    """
    kind = planned.spec.name
    if kind == "Image" and written.get("valueList"):
        return _pages(filled(written["valueList"], data), written["valueList"])
    source = written.get("value", "")
    value = filled(source, data)
    if kind in ("Text", "HyperText"):
        return _words(planned, value, source)
    if kind == "Paragraphs":
        return _paragraphs(planned, value, source, written, data)
    if kind == "Chat":
        return _conversation(value, source)
    if kind == "Image":
        return _pages(value, source)
    if kind == "TimeSeries":
        return _columns(planned, value, source)
    if kind == "Table":
        return _grid(value, source)
    if kind == "List":
        return _items(value, source)
    return Recording(address(value, source))


def _kind(value: JsonValue) -> str:
    names = {"NoneType": "nothing", "str": "text", "list": "a list", "dict": "an object", "bool": "true or false"}
    return names.get(type(value).__name__, "a number")


def _decoded(value: str, encoding: str, source: str) -> str:
    if encoding == "none":
        return value
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise UnfitData(f"{source} is not base64 of UTF-8 text") from None


def _words(planned: Planned, value: JsonValue, source: str) -> Words:
    if planned.text("valueType") == "url":
        return Words(None, url=address(value, source))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnfitData(f"{source} must be text, not {_kind(value)}")
    text = _decoded(str(value), planned.text("encoding"), source)
    if len(text) > TEXT_CHARACTERS_MAX:
        raise UnfitData(f"{source} is longer than {TEXT_CHARACTERS_MAX:,} characters")
    if planned.spec.name == "Text":
        return Words(text)
    html = clean_html(text)
    return Words(inner_text(html), html)


def _entries(value: JsonValue, source: str, limit: int) -> list[JsonValue]:
    if not isinstance(value, list):
        raise UnfitData(f"{source} must be a list, not {_kind(value)}")
    if len(value) > limit:
        raise UnfitData(f"{source} has more than {limit:,} entries")
    return value


def _paragraphs(
    planned: Planned, value: JsonValue, source: str, written: Mapping[str, str], data: Mapping[str, JsonValue]
) -> Paragraphs:
    name_key, text_key = planned.text("nameKey"), planned.text("textKey")
    found = []
    for number, entry in enumerate(_entries(value, source, PARAGRAPHS_MAX)):
        if not isinstance(entry, dict) or not isinstance(entry.get(text_key), str):
            raise UnfitData(f"{source}[{number}] must be an object with {text_key!r} as text")
        author = entry.get(name_key)
        found.append(
            Paragraph(
                str(author) if author is not None else "",
                str(entry[text_key]),
                _seconds(entry.get("start")),
                _end(entry),
            )
        )
    audio = written.get("audioUrl")
    return Paragraphs(tuple(found), address(filled(audio, data), audio) if audio else None)


def picture_of(html: str, what: str) -> str | None:
    """The address of an uploaded picture in HTML, which only the platform can turn into one that a browser loads."""
    found = first_image(html)
    return address(found, f"the image in {what}") if found and found.startswith("media:") else None


def _seconds(value: JsonValue) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _end(entry: Mapping[str, JsonValue]) -> float | None:
    start, duration = _seconds(entry.get("start")), _seconds(entry.get("duration"))
    given = _seconds(entry.get("end"))
    return start + duration if given is None and start is not None and duration is not None else given


def _conversation(value: JsonValue, source: str) -> Conversation:
    messages = []
    for number, entry in enumerate(_entries(value, source, PARAGRAPHS_MAX)):
        content = entry.get("content", entry.get("text")) if isinstance(entry, dict) else None
        if isinstance(content, list):
            content = "\n\n".join(str(part["text"]) for part in content if isinstance(part, dict) and "text" in part)
        if not isinstance(entry, dict) or not isinstance(content, str):
            raise UnfitData(f"{source}[{number}] must be an object with role and content")
        messages.append((str(entry.get("role") or ""), content))
    return Conversation(tuple(messages))


def _pages(value: JsonValue, source: str) -> Pages:
    if isinstance(value, str):
        return Pages((address(value, source),))
    entries = _entries(value, source, PAGES_MAX)
    if not entries:
        raise UnfitData(f"{source} is an empty list; it needs at least one address")
    return Pages(tuple(address(entry, f"{source}[{number}]") for number, entry in enumerate(entries)))


def _columns(planned: Planned, value: JsonValue, source: str) -> Columns:
    # Label Studio reads an object as columns even where valueType says url.
    if isinstance(value, str):
        return Columns(None, address(value, source))
    if not isinstance(value, dict) or not value or len(value) > COLUMNS_MAX:
        raise UnfitData(f"{source} must be an object of columns, or the address of a CSV file")
    columns: dict[str, list[JsonValue]] = {}
    for name, column in value.items():
        columns[name] = _entries(column, f"{source}.{name}", POINTS_MAX)
    if len({len(column) for column in columns.values()}) > 1:
        raise UnfitData(f"{source}: all columns need the same length")
    wanted = [option.text("column") for option in planned.options] + [planned.text("timeColumn")]
    missing = [name for name in wanted if name and name not in columns and not name.isdecimal()]
    if missing:
        raise UnfitData(f"{source} has no column {missing[0]!r}")
    return Columns(columns)


def _cell(value: JsonValue) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _grid(value: JsonValue, source: str) -> Grid:
    if isinstance(value, dict):
        return Grid(("Name", "Value"), tuple((name, _cell(cell)) for name, cell in list(value.items())[:ROWS_MAX]))
    entries = _entries(value, source, ROWS_MAX)
    rows = [entry for entry in entries if isinstance(entry, dict)]
    if len(rows) < len(entries):
        raise UnfitData(f"{source} must be an object, or a list of objects")
    head = list(dict.fromkeys(name for row in rows for name in row))[:COLUMNS_MAX]
    return Grid(tuple(head), tuple(tuple(_cell(row.get(name)) for name in head) for row in rows))


def _items(value: JsonValue, source: str) -> Items:
    found: list[Item] = []
    for number, entry in enumerate(_entries(value, source, ITEMS_MAX)):
        if isinstance(entry, str):
            found.append(Item(str(number), entry, ""))
        elif isinstance(entry, dict) and ("title" in entry or "body" in entry or "html" in entry):
            html = entry.get("html")
            found.append(
                Item(
                    str(entry.get("id", number)),
                    _cell(entry.get("title")),
                    _cell(entry.get("body")),
                    clean_html(html) if isinstance(html, str) else None,
                    picture_of(html, f"{source}[{number}]") if isinstance(html, str) else None,
                )
            )
        else:
            raise UnfitData(f"{source}[{number}] must be an object with id, title and body")
    if len({item.id for item in found}) < len(found):
        raise UnfitData(f"{source}: two items have the same id")
    return Items(tuple(found))


__all__ = ["Material", "MissingField", "UnfitData", "address", "count_of_items", "material"]
