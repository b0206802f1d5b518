"""From what task types show to what browsers get: Markdown and messages become safe HTML, media become addresses."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from preceptor.kit.markdown import RenderedMessage, Sign, render_markdown, render_messages, signed
from preceptor.media.rules import media_url
from preceptor.media.service import urls_in
from preceptor.tasktypes.messages import plain_content
from preceptor.tasktypes.view import Chat, Joined, Leaf, Markdown, Media, Section, ViewNode


def as_given(url: str) -> str:
    """Addresses that need no signature."""
    return url


def render(node: ViewNode, sign: Sign = as_given) -> Any:
    """A view with its leaves rendered, ready to be sent as JSON."""
    if isinstance(node, Markdown | Chat | Joined | Media):
        return _leaf(node, sign)
    if isinstance(node, Mapping):
        return {key: render(each, sign) for key, each in node.items()}
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [render(each, sign) for each in node]
    return node


def _leaf(leaf: Leaf, sign: Sign) -> object:
    match leaf:
        case Markdown(text):
            return {"html": signed(render_markdown(text), sign), "text": text}
        case Chat(messages):
            rendered = render_messages(messages, sign=sign)
            return [
                {**shown, "text": plain_content(message)} for shown, message in zip(rendered, messages, strict=True)
            ]
        case Joined(messages):
            html = "".join(shown["html"] for shown in render_messages(messages, sign=sign))
            return {"html": html, "text": "\n\n".join(plain_content(message) for message in messages)}
        case Media(url):
            return sign(url)


def addresses_in(answer: object, sign: Sign) -> dict[str, str]:
    """Every `media:` address that an answer or draft names, with one that opens it: elements show files by these."""
    return {url: sign(url) for url in map(media_url, sorted(urls_in(json.dumps(answer))))}


@dataclass(frozen=True)
class RenderedSection:
    """A part of a task's material as a page shows it: messages, or an address of a file."""

    title: str
    messages: list[RenderedMessage]
    note: str
    group: str
    media: str = ""


def render_sections(sections: Sequence[Section], sign: Sign = as_given) -> list[RenderedSection]:
    """Material for pages that are not the workspace."""
    return [_section(section, sign) for section in sections]


def _section(section: Section, sign: Sign) -> RenderedSection:
    title, note, group = section.title, section.note, section.group
    match section.body:
        case Markdown(text):
            return RenderedSection(title, [{"role": "", "html": signed(render_markdown(text), sign)}], note, group)
        case Chat(messages) | Joined(messages):
            return RenderedSection(title, render_messages(messages, sign=sign), note, group)
        case Media(url):
            return RenderedSection(title, [], note, group, sign(url))
