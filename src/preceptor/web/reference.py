"""The API reference: the OpenAPI document turned into what its page shows. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from preceptor.http.problems import STATUS
from preceptor.kit.errors import AppError

Schema = Mapping[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
DEPTH_MAX = 6


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    required: bool
    description: str
    place: str = ""
    """For parameters: path, query or header."""


@dataclass(frozen=True)
class Operation:
    anchor: str
    method: str
    path: str
    title: str
    description: str
    parameters: list[Field]
    body: list[Field]
    body_example: str | None
    answer_status: str
    answer: list[Field]
    answer_example: str | None


@dataclass(frozen=True)
class Group:
    tag: str
    operations: list[Operation]


def groups(document: Schema) -> list[Group]:
    """Every operation, by its first tag, in the order of the document."""
    found: dict[str, list[Operation]] = {}
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                operation = item[method]
                tag = str((operation.get("tags") or ["other"])[0])
                found.setdefault(tag, []).append(_operation(document, path, method, operation))
    return [Group(tag, operations) for tag, operations in sorted(found.items())]


def _operation(document: Schema, path: str, method: str, operation: Schema) -> Operation:
    status, answer = _answer(operation)
    body = _json_schema(operation.get("requestBody", {}))
    return Operation(
        anchor=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        method=method.upper(),
        path=path,
        title=str(operation.get("summary", path)),
        description=str(operation.get("description", "")),
        parameters=[_parameter(document, each) for each in operation.get("parameters", [])],
        body=_fields(document, body),
        body_example=_example_text(document, body),
        answer_status=status,
        answer=_fields(document, answer),
        answer_example=_example_text(document, answer),
    )


def _answer(operation: Schema) -> tuple[str, Schema]:
    for status, response in operation.get("responses", {}).items():
        if str(status).startswith("2"):
            return str(status), _json_schema(response)
    return "", {}


def _json_schema(holder: Schema) -> Schema:
    found: Schema = holder.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _parameter(document: Schema, given: Schema) -> Field:
    schema = given.get("schema", {})
    return Field(
        str(given["name"]),
        type_of(document, schema),
        bool(given.get("required")),
        str(given.get("description") or schema.get("description") or ""),
        str(given.get("in", "")),
    )


def _fields(document: Schema, schema: Schema) -> list[Field]:
    """The fields of an object (or of the objects in a list)."""
    full = _resolved(document, schema)
    if full.get("type") == "array":
        full = _resolved(document, full.get("items", {}))
    required = set(full.get("required", []))
    return [
        Field(name, type_of(document, each), name in required, str(each.get("description", "")))
        for name, each in full.get("properties", {}).items()
    ]


def _resolved(document: Schema, schema: Schema) -> Schema:
    """Follow a reference, and step through "this or null"."""
    for _ in range(DEPTH_MAX):
        reference = schema.get("$ref")
        if reference is not None:
            schema = document["components"]["schemas"][str(reference).rpartition("/")[2]]
            continue
        choices = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
        if len(choices) == 1:
            schema = choices[0]
            continue
        break
    return schema


def type_of(document: Schema, schema: Schema) -> str:
    """A type in a few words: "text", "whole number", "list of tasks"."""
    nullable = any(each.get("type") == "null" for each in schema.get("anyOf", []))
    full = _resolved(document, schema)
    words = _plain_type(document, full)
    return f"{words} or null" if nullable else words


def _plain_type(document: Schema, full: Schema) -> str:
    if "enum" in full:
        return " | ".join(str(each) for each in full["enum"])
    if "const" in full:
        return str(full["const"])
    if "anyOf" in full:
        return " or ".join(dict.fromkeys(type_of(document, each) for each in full["anyOf"]))
    match full.get("type"):
        case "array":
            return f"list of {type_of(document, full.get('items', {}))}"
        case "object":
            return str(full.get("title", "object")).removesuffix("Out").removesuffix("In") or "object"
        case "string":
            return {"date-time": "time (ISO 8601)", "uuid": "uuid"}.get(str(full.get("format")), "text")
        case "integer":
            return "whole number"
        case "number":
            return "number"
        case "boolean":
            return "true or false"
    return "any"


def _example_text(document: Schema, schema: Schema) -> str | None:
    if not schema:
        return None
    return json.dumps(example(document, schema), indent=2, ensure_ascii=False)


def example(document: Schema, schema: Schema, depth: int = 0) -> Any:
    """A value that fits the schema: the given example where there is one, else one made from the type."""
    for given in (schema, full := _resolved(document, schema)):
        if given.get("examples"):
            return given["examples"][0]
        if "example" in given:
            return given["example"]
        if given.get("default") is not None:
            return given["default"]
    if "const" in full:
        return full["const"]
    if "enum" in full:
        return full["enum"][0]
    if depth > DEPTH_MAX:
        return None
    if "anyOf" in full:
        return example(document, full["anyOf"][0], depth + 1)
    match full.get("type"):
        case "array":
            return [example(document, full.get("items", {}), depth + 1)]
        case "object":
            return {name: example(document, each, depth + 1) for name, each in full.get("properties", {}).items()}
        case "string":
            return {"date-time": "2026-03-02T09:00:00Z"}.get(str(full.get("format")), "text")
        case "integer":
            return full.get("minimum", 1)
        case "number":
            return 0.5
        case "boolean":
            return False
    return None


# --- Refusals


@dataclass(frozen=True)
class Refusal:
    code: str
    status: int
    message: str


def refusals() -> list[Refusal]:
    """Every refusal that this process can give, by code, with the message of its class."""
    found: dict[str, Refusal] = {}
    for kind in _subclasses(AppError):
        if not kind.__module__.startswith("preceptor."):
            continue
        message = (kind.__doc__ or "").strip().splitlines()
        found.setdefault(kind.code, Refusal(kind.code, STATUS[kind.kind], message[0] if message else ""))
    return sorted(found.values(), key=lambda refusal: refusal.code)


def _subclasses(kind: type[AppError]) -> Iterator[type[AppError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)


def statuses(found: Sequence[Refusal]) -> list[int]:
    return sorted({refusal.status for refusal in found})
