"""What an element of the workspace is given, as a tree of JSON with leaves that pages know how to render.

Task types are pure: they say that a text is Markdown or that a list is a conversation, and the pages turn it into
safe HTML. Whatever is not a leaf goes to the element as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from preceptor.tasktypes.messages import Message


@dataclass(frozen=True)
class Markdown:
    """Becomes `{"html": safe HTML, "text": the source}`."""

    text: str


@dataclass(frozen=True)
class Chat:
    """Becomes a list of `{"role", "html", "text"}`, one for each message."""

    messages: Sequence[Message]


@dataclass(frozen=True)
class Joined:
    """Messages read as one text: becomes `{"html", "text"}`."""

    messages: Sequence[Message]


@dataclass(frozen=True)
class Media:
    """The address of a picture, sound, film or document: becomes an address that the reader's browser may fetch."""

    url: str


Leaf: TypeAlias = "Markdown | Chat | Joined | Media"


@dataclass(frozen=True)
class Section:
    """A part of a task's material for people who read it outside the workspace.

    `note` says in a few words where it comes from. Sections of one `group` stand side by side.
    """

    title: str
    body: Leaf
    note: str = ""
    group: str = ""


ViewNode: TypeAlias = (
    "Markdown | Chat | Joined | Media | Mapping[str, ViewNode] | Sequence[ViewNode] | str | int | float | bool | None"
)


def sections_of(node: ViewNode, title: str = "") -> tuple[Section, ...]:
    """Every leaf of a view in its order, titled by the keys that lead to it ("Responses 2")."""
    if isinstance(node, Markdown | Chat | Joined | Media):
        return (Section(title or "Material", node),)
    if isinstance(node, Mapping):
        inner = [sections_of(each, f"{title} {_readable(key)}".strip()) for key, each in node.items()]
    elif isinstance(node, Sequence) and not isinstance(node, str):
        inner = [sections_of(each, f"{title} {number}".strip()) for number, each in enumerate(node, 1)]
    else:
        return ()
    return tuple(section for sections in inner for section in sections)


def _readable(key: str) -> str:
    return key.replace("_", " ").capitalize()
