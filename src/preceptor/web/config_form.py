"""The settings of a task type as a form, made from the JSON Schema of its `config_model`; and read back from it.

What a field shows comes from pydantic's `Field(title=, description=)`. `json_schema_extra={"widget": ...}` chooses
another control: `textarea` for long text, or the tag of a custom element that holds its value in an `input` of the
field's name. Lists of objects are small tables, lists of words one line each, anything deeper is JSON.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from pydantic import BaseModel

from preceptor.kit.errors import Invalid
from preceptor.tasktypes.base import Row
from preceptor.web.client_frame import Fields, refusal

PREFIX: Final = "config."
LONG_CHARACTERS: Final = 400
"""Texts that may be longer than this get several lines."""
Control = Literal["text", "long", "whole", "number", "flag", "choice", "choices", "lines", "table", "json", "element"]
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Setting:
    """One field of the form. `options`: (value, label). `columns`: the cells of a row of a `table`."""

    name: str
    title: str
    control: Control
    help: str = ""
    value: Any = None
    options: tuple[tuple[str, str], ...] = ()
    columns: tuple["Setting", ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    length_max: int | None = None
    required: bool = False
    optional: bool = False
    element: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The value as the text of its control."""
        if self.value is None:
            return ""
        if self.control == "lines":
            return "\n".join(str(line) for line in self.value)
        if self.control == "json":
            return json.dumps(self.value, ensure_ascii=False, indent=1)
        return str(self.value)

    def rows(self) -> list[tuple["Setting", ...]]:
        """The rows of a table, each with its cells filled."""
        return [self.row(each) for each in self.value or []]

    def row(self, values: Mapping[str, Any] | None = None) -> tuple["Setting", ...]:
        """One row; with the defaults of a new one where there are no values."""
        given = {**self.defaults, **(values or {})}
        return tuple(replace(cell, value=given.get(cell.name.rsplit(".", 1)[-1])) for cell in self.columns)


def settings_of(model: type[BaseModel], config: Mapping[str, Any]) -> list[Setting]:
    """The form's fields with the values of a configuration."""
    schema = model.model_json_schema()
    defaults = model().model_dump(mode="json")
    return [
        _filled(_setting(PREFIX + name, each, schema), config.get(name, defaults.get(name)))
        for name, each in schema.get("properties", {}).items()
    ]


def _filled(setting: Setting, value: Any) -> Setting:
    if setting.control != "choices":
        return replace(setting, value=value)
    # What is chosen comes first and in its order, which is the order that a browser sends it in.
    chosen = list(value or [])
    order = sorted(setting.options, key=lambda option: chosen.index(option[0]) if option[0] in chosen else len(chosen))
    return replace(setting, value=value, options=tuple(order))


def read_config(model: type[BaseModel], fields: Fields) -> Row:
    """The configuration that a sent form says; `Invalid` at the field that cannot be read."""
    found: Row = {}
    for setting in settings_of(model, {}):
        value = _read(setting, fields)
        if value is not _ABSENT:
            found[setting.name.removeprefix(PREFIX)] = value
    return found


def config_again(model: type[BaseModel], fields: Fields, otherwise: Row) -> Row:
    """The configuration as far as it can be read, so that a refused form loses nothing."""
    try:
        return read_config(model, fields)
    except Invalid:
        return otherwise


# --- From schema to fields


def _setting(name: str, part: Schema, whole: Schema) -> Setting:
    inner, optional = _plain(part, whole)
    title = part.get("title") or inner.get("title") or name.rsplit(".", 1)[-1].replace("_", " ").capitalize()
    base = Setting(
        name=name,
        title=title,
        control="json",
        help=part.get("description", ""),
        minimum=inner.get("minimum", inner.get("exclusiveMinimum")),
        maximum=inner.get("maximum"),
        length_max=inner.get("maxLength"),
        required=bool(inner.get("minLength")),
        optional=optional,
    )
    widget = part.get("widget") or inner.get("widget")
    if widget and "-" in widget:
        return replace(base, control="element", element=widget)
    if "enum" in inner or "const" in inner:
        values = inner.get("enum") or [inner["const"]]
        options = _options(values, part.get("labels", {}))
        return replace(base, control="choice", options=(("", "–"), *options) if optional else options)
    return _by_type(base, inner, whole, widget)


def _by_type(base: Setting, inner: Schema, whole: Schema, widget: str | None) -> Setting:
    match inner.get("type"):
        case "boolean":
            return replace(base, control="flag")
        case "integer":
            return replace(base, control="whole")
        case "number":
            return replace(base, control="number")
        case "string":
            long = widget == "textarea" or (base.length_max or 0) > LONG_CHARACTERS
            return replace(base, control="long" if long else "text")
        case "array":
            return _list(base, inner, whole)
    return base


def _list(base: Setting, inner: Schema, whole: Schema) -> Setting:
    item, _ = _plain(inner.get("items", {}), whole)
    if "enum" in item:
        return replace(base, control="choices", options=_options(item["enum"], {}))
    if item.get("type") == "string":
        return replace(base, control="lines")
    if item.get("type") == "object" and "properties" in item:
        columns = tuple(_setting(f"{base.name}.{key}", each, whole) for key, each in item["properties"].items())
        defaults = {key: each["default"] for key, each in item["properties"].items() if "default" in each}
        return replace(base, control="table", columns=columns, defaults=defaults)
    return base


def _plain(part: Schema, whole: Schema) -> tuple[Schema, bool]:
    """A schema behind its references, and whether it may be null."""
    if "$ref" in part:
        return _plain(whole["$defs"][part["$ref"].rsplit("/", 1)[-1]], whole)
    if "anyOf" in part:
        others = [each for each in part["anyOf"] if each.get("type") != "null"]
        if len(others) == 1:
            return _plain(others[0], whole)[0], len(others) < len(part["anyOf"])
    return part, False


def _options(values: Sequence[Any], labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((str(each), labels.get(str(each), str(each).replace("_", " ").capitalize())) for each in values)


# --- From a sent form to a configuration

_ABSENT: Final = object()


def _read(setting: Setting, fields: Fields) -> Any:
    if setting.control == "table":
        return list(_read_table(setting, fields))
    if setting.control == "flag":
        return fields.checked(setting.name)
    if setting.control == "choices":
        return fields.all(setting.name)
    if setting.control in ("long", "element"):
        return fields.written(setting.name) or ("" if not setting.optional else _ABSENT)
    return _value(setting, fields.text(setting.name))


def _read_table(setting: Setting, fields: Fields) -> Any:
    columns = [fields.all(cell.name) for cell in setting.columns]
    for texts in zip(*columns, strict=False):
        row = {
            cell.name.rsplit(".", 1)[-1]: value
            for cell, text in zip(setting.columns, texts, strict=True)
            if (value := _value(cell, text)) is not _ABSENT
        }
        written = [cell for cell, text in zip(setting.columns, texts, strict=True) if text and _is_written(cell)]
        if written:
            if any(cell.name.endswith(".key") for cell in setting.columns):
                row.setdefault("key", key_of(str(row.get("title") or row.get("statement") or "")))
            yield row


def _is_written(cell: Setting) -> bool:
    """Whether a person fills the cell; a choice always has a value."""
    return cell.control in ("text", "long", "whole", "number", "lines", "json") and not cell.name.endswith(".key")


def _value(setting: Setting, text: str) -> Any:
    match setting.control:
        case "whole" | "number":
            return _number(setting, text)
        case "flag":
            return text not in ("", "no", "false")
        case "lines":
            return [line.strip() for line in text.splitlines() if line.strip()]
        case "json":
            return _json(setting, text)
    if not text and (setting.optional or setting.name.endswith(".key")):
        return _ABSENT
    return text


def _number(setting: Setting, text: str) -> Any:
    if not text and setting.optional:
        return _ABSENT
    try:
        return int(text) if setting.control == "whole" else float(text)
    except ValueError:
        raise refusal(setting.name, f"{setting.title} must be a number.") from None


def _json(setting: Setting, text: str) -> Any:
    if not text:
        return _ABSENT
    try:
        return json.loads(text)
    except ValueError:
        raise refusal(setting.name, f"{setting.title}: this is not JSON.") from None


def key_of(title: str) -> str:
    """A key out of a title: "Is it true?" is `is_it_true`."""
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in title.lower())
    return "_".join(part for part in letters.split("_") if part).lstrip("0123456789_")[:40] or "item"
