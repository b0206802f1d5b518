"""`$field` references: what a parameter takes from a task's data."""

import re
from collections.abc import Mapping

from pydantic import JsonValue

# The same form as in Label Studio: a whole reference keeps its type, one inside other text becomes text.
_REFERENCE = re.compile(r"\$([\w\-][\w\-\[\].]*[\w\]]|[\w])")
_STEP = re.compile(r"[^.\[\]]+")

FIELD_CHARACTERS_MAX = 200


class MissingField(LookupError):
    """The data has nothing at a reference. The message is the field as written."""


def is_reference(written: str) -> bool:
    """Whether a parameter is one whole reference."""
    return _REFERENCE.fullmatch(written.strip()) is not None


def references(written: str) -> list[str]:
    """Fields that a parameter names, without the dollar sign."""
    return _REFERENCE.findall(written)


def lookup(data: Mapping[str, JsonValue], field: str) -> JsonValue:
    """The value at `a.b[0].c`. MissingField where there is none.

    A key that holds the whole reference wins, so that CSV columns called `a.b` work.
    """
    if field in data:
        return data[field]
    value: JsonValue = dict(data)
    for step in _STEP.findall(field[:FIELD_CHARACTERS_MAX]):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise MissingField(field)
    return value


def filled(written: str, data: Mapping[str, JsonValue]) -> JsonValue:
    """A parameter with its references replaced: the value itself for a whole reference, else text."""
    whole = _REFERENCE.fullmatch(written.strip())
    if whole:
        return lookup(data, whole.group(1))
    return _REFERENCE.sub(lambda found: _as_text(lookup(data, found.group(1))), written)


def _as_text(value: JsonValue) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
