"""What the workspace element gets: the config as a tree of typed nodes with the task's material in it."""

from collections.abc import Mapping

from preceptor.tasktypes.annotation.board import Board, Node, Option, When
from preceptor.tasktypes.annotation.material import (
    Columns,
    Conversation,
    Grid,
    Items,
    Pages,
    Paragraphs,
    Recording,
    Words,
)
from preceptor.tasktypes.annotation.models import AnnotationConfig, AnnotationPayload, Prediction, Region, Relation
from preceptor.tasktypes.annotation.vocabulary import Role
from preceptor.tasktypes.messages import Message
from preceptor.tasktypes.view import Chat, Markdown, Media, Section, ViewNode

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


def view_of(board: Board, payload: AnnotationPayload, config: AnnotationConfig) -> ViewNode:
    """The data of the element: `tree`, `css`, `suggestions` (see docs/task-types/annotation.md)."""
    tree = _node(board.root)
    tree["attrs"] = {**board.root.attrs, "allowEmpty": config.allow_empty}
    suggestions = payload.predictions if config.show_predictions else []
    return {
        "tree": tree,
        "css": board.css,
        "suggestions": [_suggestion(prediction, board) for prediction in suggestions],
    }


def _node(node: Node) -> dict[str, ViewNode]:
    shown: dict[str, ViewNode] = {"tag": node.tag, "line": node.line, "attrs": dict(node.attrs)}
    if node.name and node.spec.role in (Role.OBJECT, Role.CONTROL):
        shown["name"] = node.name
    if node.to:
        shown["to"] = list(node.to)
    if node.spec.result is not None:
        shown["type"] = node.spec.result
    if node.style:
        shown["style"] = dict(node.style)
    if node.class_name:
        shown["className"] = node.class_name
    if node.when is not None:
        shown["when"] = _when(node.when)
    if node.options:
        shown["options"] = [_option(option) for option in node.options]
    content = _content(node)
    if content is not None:
        shown["content"] = content
    children = [_node(child) for child in node.children if child.tag != "Style"]
    if children:
        shown["children"] = children
    return shown


def _when(when: When) -> dict[str, ViewNode]:
    shown: dict[str, ViewNode] = {"kind": when.kind}
    if when.tag:
        shown["tag"] = when.tag
    for key, given in (("labels", when.labels), ("choices", when.choices), ("role", when.roles)):
        if given:
            shown[key] = list(given)
    return shown


_PLAIN = ("hint", "hotkey", "background", "selected", "maxUsages", "granularity", "category")
_FURTHER = ("default", "units", "displayFormat", "height", "strokeColor", "strokeWidth", "showAlias", "alias")


def _option(option: Option) -> dict[str, ViewNode]:
    shown: dict[str, ViewNode] = {"value": option.value, "title": option.title}
    shown.update({key: option.attrs[key] for key in _PLAIN if key in option.attrs})
    further = {key: option.attrs[key] for key in _FURTHER if key in option.attrs}
    if further:
        shown["attrs"] = further
    if option.html is not None:
        shown["html"] = option.html
    if option.image is not None:
        shown["image"] = Media(option.image)
    if option.options:
        shown["options"] = [_option(inner) for inner in option.options]
    return shown


def _content(node: Node) -> ViewNode:
    if node.tag == "Header":
        return {"text": node.text("value")}
    if node.tag == "Markdown":
        return Markdown(node.text("value"))
    match node.material:
        case Words(text, html, url):
            return _words(text, html, url)
        case Paragraphs(paragraphs, audio):
            shown: list[ViewNode] = []
            for paragraph in paragraphs:
                times = {"start": paragraph.start, "end": paragraph.end}
                shown.append(
                    {
                        "author": paragraph.author,
                        "text": paragraph.text,
                        **{key: value for key, value in times.items() if value is not None},
                    }
                )
            return {"paragraphs": shown, **({"audio": Media(audio)} if audio else {})}
        case Conversation(messages):
            return {"messages": Chat([_message(role, text) for role, text in messages])}
        case Pages(urls):
            return {"pages": [Media(url) for url in urls]}
        case Recording(url):
            return {"url": Media(url)}
        case Columns(columns, url):
            return (
                {"url": Media(url)}
                if url
                else {"columns": {name: list(each) for name, each in (columns or {}).items()}}
            )
        case Grid(head, rows):
            return {"head": list(head), "rows": [list(row) for row in rows]}
        case Items(items):
            return {
                "items": [
                    {
                        "id": item.id,
                        "title": item.title,
                        "body": item.body,
                        **({"html": item.html} if item.html else {}),
                        **({"image": Media(item.image)} if item.image else {}),
                    }
                    for item in items
                ]
            }
        case _:
            return None


def _words(text: str | None, html: str | None, url: str | None) -> ViewNode:
    if url is not None:
        return {"url": Media(url)}
    return {"text": text} if html is None else {"html": html, "text": text}


def _message(role: str, text: str) -> Message:
    return Message.model_validate({"role": role if role in _ROLES else "user", "content": text})


def _suggestion(prediction: Prediction, board: Board) -> dict[str, ViewNode]:
    return {
        "model": prediction.model_version or "",
        "score": prediction.score,
        "result": [result.model_dump(mode="json", exclude_none=True) for result in known_results(prediction, board)],
    }


def known_results(prediction: Prediction, board: Board) -> list[Region | Relation]:
    """A prediction without results that this config has no control for."""
    names = {*board.controls, *board.objects}
    return [result for result in prediction.result if not isinstance(result, Region) or result.from_name in names]


def sections(board: Board) -> tuple[Section, ...]:
    """The material of a task for its client, one section for each object."""
    return tuple(section for node in board.objects.values() for section in _sections(node))


def _sections(node: Node) -> list[Section]:
    title = node.name.lstrip("_").replace("_", " ").capitalize()
    match node.material:
        case Words(text, _, url):
            return [Section(title, Media(url) if url else Markdown(_plain(text or "")))]
        case Paragraphs(paragraphs, audio):
            lines = "\n\n".join(f"**{p.author or '…'}:** {_plain(p.text)}" for p in paragraphs)
            return [Section(title, Markdown(lines)), *([Section(f"{title} audio", Media(audio))] if audio else [])]
        case Conversation(messages):
            return [Section(title, Chat([_message(role, text) for role, text in messages]))]
        case Pages(urls):
            return [Section(title if len(urls) == 1 else f"{title} {n}", Media(url)) for n, url in enumerate(urls, 1)]
        case Recording(url) | Columns(_, str(url)):
            return [Section(title, Media(url))]
        case Grid(head, rows):
            return [Section(title, Markdown(_table(head, rows)))]
        case Items(items):
            return [Section(title, Markdown("\n".join(f"- **{_plain(i.title)}** {_plain(i.body)}" for i in items)))]
        case Columns(columns, _):
            return [Section(title, Markdown(f"Columns: {', '.join(map(_plain, columns or {}))}"))]
        case _:
            return []


_MARKUP = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>#|$~"})
_ROWS_SHOWN = 50


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return text.translate(_MARKUP).replace("\n", "  \n")


def _table(head: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> str:
    lines = [head, tuple("---" for _ in head), *rows[:_ROWS_SHOWN]]
    return "\n".join("| " + " | ".join(_plain(cell).replace("  \n", " ") for cell in line) + " |" for line in lines)


def excerpt_of(data: Mapping[str, object]) -> str:
    """The first text of the data, else the names of its fields: what people recognise a task by."""
    texts = [value for value in data.values() if isinstance(value, str) and not value.startswith("data:")]
    spoken = [text for text in texts if not text.startswith(("https://", "media:"))]
    for text in (*spoken, *texts):
        if text.strip():
            return text
    for value in data.values():
        if isinstance(value, list):
            for entry in value:
                if isinstance(entry, dict):
                    found = excerpt_of(entry)
                    if found:
                        return found
    return ", ".join(data)
