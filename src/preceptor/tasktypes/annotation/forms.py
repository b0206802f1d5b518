"""Labeling configs as forms: what people without XML put together by clicking.

A form is a list of what is shown and a list of what is asked. It is stored as the labeling config that it stands for;
`form_of` reads it back, and gives None for configs that say more than a form can.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from preceptor.tasktypes.annotation.markup import MarkupError, Tag, parse, write
from preceptor.tasktypes.annotation.vocabulary import spec_of
from preceptor.tasktypes.messages import Text

SHOWN_MAX = 20
FIELDS_MAX = 100
OPTIONS_MAX = 200

ShownKind = Literal["text", "html", "image", "audio", "video", "pdf", "dialogue", "chat", "table"]
FieldKind = Literal[
    "choice", "choices", "rating", "number", "text", "long_text", "date", "date_time", "tree",
    "spans", "boxes", "polygons", "ellipses", "points", "masks", "times", "frames",
]  # fmt: skip

_OBJECTS: Final[dict[str, ShownKind]] = {
    "Text": "text",
    "HyperText": "html",
    "Image": "image",
    "Audio": "audio",
    "Video": "video",
    "Pdf": "pdf",
    "Paragraphs": "dialogue",
    "Chat": "chat",
    "Table": "table",
}
_TAG_OF: Final = {kind: tag for tag, kind in _OBJECTS.items()}
# Which marks can be made on what.
_MARKS: Final[dict[tuple[str, str], str]] = {
    ("spans", "text"): "Labels",
    ("spans", "html"): "HyperTextLabels",
    ("spans", "dialogue"): "ParagraphLabels",
    ("boxes", "image"): "RectangleLabels",
    ("polygons", "image"): "PolygonLabels",
    ("ellipses", "image"): "EllipseLabels",
    ("points", "image"): "KeyPointLabels",
    ("masks", "image"): "BrushLabels",
    ("times", "audio"): "Labels",
    ("frames", "video"): "TimelineLabels",
}
MARK_KINDS: Final = frozenset(kind for kind, _ in _MARKS)
_WITH_OPTIONS: Final = MARK_KINDS | {"choice", "choices", "tree"}
HELP_SIZE: Final = "5"
_REFERENCE: Final = re.compile(r"\$(?=[\w-])")
TREE_STEP: Final = " / "
"""Between the steps of an option of a `tree`: `Animals / Cats` stands below `Animals`."""

Key = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]
Title = Annotated[Text, Field(max_length=300)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Shown(_Shape):
    """Something that is shown: the field of the data with that key. `title` stands above it."""

    key: Key
    kind: ShownKind = "text"
    title: Title = ""


class FormField(_Shape):
    """Something that is asked, about what is shown under `about`.

    `options` for choices, trees and marks; `least` and `most` for numbers, `most` for ratings.
    """

    key: Key
    kind: FieldKind
    title: Title = ""
    about: Key
    options: Annotated[tuple[Title, ...], Field(max_length=OPTIONS_MAX)] = ()
    required: bool = False
    help: Title = ""
    least: float | None = None
    most: float | None = None

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if (self.kind in _WITH_OPTIONS) != bool(self.options):
            raise ValueError("needs options" if self.kind in _WITH_OPTIONS else f"a {self.kind} has no options")
        if len(set(self.options)) < len(self.options) or not all(option.strip() for option in self.options):
            raise ValueError("every option needs a text of its own")
        return self


class Form(_Shape):
    """What is shown and what is asked, in order."""

    shown: Annotated[tuple[Shown, ...], Field(min_length=1, max_length=SHOWN_MAX)]
    fields: Annotated[tuple[FormField, ...], Field(min_length=1, max_length=FIELDS_MAX)]

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        kinds = {each.key: each.kind for each in self.shown}
        keys = [each.key for each in self.shown] + [each.key for each in self.fields]
        if len(set(keys)) < len(keys):
            raise ValueError("two parts have the same key; give each its own")
        for field in self.fields:
            if field.about not in kinds:
                raise ValueError(f"{field.key} asks about {field.about!r}, which is not shown")
            if field.kind in MARK_KINDS and (field.kind, kinds[field.about]) not in _MARKS:
                raise ValueError(f"{field.key}: there are no {field.kind} on {kinds[field.about]}")
        return self


def config_of(form: Form) -> str:
    """The labeling config of a form."""
    return write(_tree(form))


def form_of(config: str) -> Form | None:
    """The form that a config stands for; None where the config says something that a form cannot."""
    try:
        root = parse(config)
        form = _read(root)
    except (MarkupError, ValueError):
        return None
    if form is None:
        return None
    # Only what comes back exactly was understood completely.
    return form if _plain(_tree(form)) == _plain(root) else None


def _tag(name: str, attrs: dict[str, str], children: Sequence[Tag] = ()) -> Tag:
    return Tag(name, {key: value for key, value in attrs.items() if value != ""}, tuple(children), 1)


def _tree(form: Form) -> Tag:
    parts: list[Tag] = []
    for shown in form.shown:
        parts += _headings(shown.title, "")
        parts.append(_object(shown))
    kinds = {shown.key: shown.kind for shown in form.shown}
    for field in form.fields:
        parts += _headings(field.title, field.help)
        parts.append(_control(field, kinds[field.about]))
    return _tag("View", {}, parts)


def _headings(title: str, help_text: str) -> list[Tag]:
    found = [_tag("Header", {"value": _literal(title)})] if title else []
    return [*found, _tag("Header", {"value": _literal(help_text), "size": HELP_SIZE})] if help_text else found


def _literal(text: str) -> str:
    """Text of a form is never a reference to the data: a dollar sign that would begin one gets a wide form."""
    return _REFERENCE.sub("＄", text)


def _object(shown: Shown) -> Tag:
    layout = "dialogue" if shown.kind == "dialogue" else ""
    return _tag(_TAG_OF[shown.kind], {"name": shown.key, "value": f"${shown.key}", "layout": layout})


def _control(field: FormField, about: ShownKind) -> Tag:
    attrs = {"name": field.key, "toName": field.about}
    required = {"required": "true" if field.required else ""}
    if field.kind in MARK_KINDS:
        return _tag(_MARKS[field.kind, about], {**attrs, **required}, _options(field, "Label"))
    match field.kind:
        case "choice" | "choices":
            many = {"choice": "multiple" if field.kind == "choices" else "single"}
            return _tag("Choices", {**attrs, **many, **required}, _options(field, "Choice"))
        case "tree":
            return _tag("Taxonomy", {**attrs, **required}, _branches([o.split(TREE_STEP) for o in field.options]))
        case "rating":
            return _tag("Rating", {**attrs, "maxRating": f"{field.most or 5:g}", **required})
        case "number":
            limits = {"min": _number(field.least), "max": _number(field.most)}
            return _tag("Number", {**attrs, **limits, **required})
        case "date" | "date_time":
            return _tag("DateTime", {**attrs, "only": "date" if field.kind == "date" else "date,time", **required})
        case _:
            rows = {"rows": "4"} if field.kind == "long_text" else {"rows": "1"}
            return _tag("TextArea", {**attrs, **rows, "maxSubmissions": "1", "editable": "true", **required})


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _options(field: FormField, tag: str) -> list[Tag]:
    return [_tag(tag, {"value": _literal(option)}) for option in field.options]


def _branches(paths: Sequence[Sequence[str]]) -> list[Tag]:
    heads = list(dict.fromkeys(path[0] for path in paths))
    return [
        _tag("Choice", {"value": _literal(head)}, _branches([p[1:] for p in paths if p[0] == head and len(p) > 1]))
        for head in heads
    ]


def _read(root: Tag) -> Form | None:
    shown: list[Shown] = []
    fields: list[FormField] = []
    title = help_text = ""
    for tag in root.children:
        spec = spec_of(tag.name)
        attrs = {key.lower(): value for key, value in tag.attrs.items()}
        if spec is None:
            return None
        if spec.name == "Header":
            if attrs.get("size") == HELP_SIZE:
                help_text = attrs.get("value", tag.text)
            else:
                title = attrs.get("value", tag.text)
        elif spec.name in _OBJECTS:
            shown.append(Shown(key=attrs.get("name", ""), kind=_OBJECTS[spec.name], title=title))
            title = help_text = ""
        else:
            fields.append(_field(spec.name, attrs, tag, title, help_text, shown))
            title = help_text = ""
    return Form(shown=tuple(shown), fields=tuple(fields))


def _field(name: str, attrs: dict[str, str], tag: Tag, title: str, help_text: str, shown: list[Shown]) -> FormField:
    about = attrs.get("toname", "")
    on = next((each.kind for each in shown if each.key == about), None)
    kind = next((kind for (kind, where), mark in _MARKS.items() if mark == name and where == on), None)
    most = attrs.get("maxrating") if name == "Rating" else attrs.get("max")
    return FormField.model_validate(
        {
            "key": attrs.get("name", ""),
            "kind": kind or _kind(name, attrs),
            "title": title,
            "about": about,
            "options": tuple(_paths(tag, ())) if name == "Taxonomy" else tuple(_values(tag)),
            "required": attrs.get("required", "false").lower() == "true",
            "help": help_text,
            "least": attrs.get("min"),
            "most": most,
        }
    )


def _kind(name: str, attrs: dict[str, str]) -> str:
    match name:
        case "Choices":
            return "choices" if attrs.get("choice") == "multiple" else "choice"
        case "DateTime":
            return "date" if attrs.get("only") == "date" else "date_time"
        case "TextArea":
            return "long_text" if attrs.get("rows") == "4" else "text"
        case _:
            return {"Taxonomy": "tree", "Rating": "rating", "Number": "number"}.get(name, "")


def _values(tag: Tag) -> Iterator[str]:
    for child in tag.children:
        yield child.attrs.get("value", "")


def _paths(tag: Tag, above: tuple[str, ...]) -> Iterator[str]:
    for child in tag.children:
        path = (*above, child.attrs.get("value", ""))
        yield TREE_STEP.join(path)
        yield from _paths(child, path)


_Plain = tuple[str, frozenset[tuple[str, str]], tuple["_Plain", ...], str]


def _plain(tag: Tag) -> _Plain:
    """A tag without regard to case and order of parameters, and without those that say what is the default anyway."""
    spec = spec_of(tag.name)
    attrs = set()
    for key, value in tag.attrs.items():
        param = spec.param(key) if spec else None
        default = "" if param is None or param.default is None else str(param.default).lower()
        if value.lower() not in (default, "false" if param is not None and param.default is None else default):
            attrs.add((key.lower(), value))
    return (spec.name if spec else tag.name, frozenset(attrs), tuple(_plain(child) for child in tag.children), tag.text)
