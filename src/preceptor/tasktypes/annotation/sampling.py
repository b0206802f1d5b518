"""Made-up data that fits a labeling config, so that it can be looked at before there are tasks."""

from collections.abc import Iterator

from pydantic import JsonValue

from preceptor.tasktypes.annotation.fields import is_reference, references
from preceptor.tasktypes.annotation.plan import Plan, Planned
from preceptor.tasktypes.annotation.templates.samples import picture

TEXT = (
    "The harbour of Lisse froze over in January 1891. Anna Brandt, who kept the lighthouse, walked across the ice to "
    "fetch the mail, and the town gave her a silver compass for it."
)
_DIALOGUE: list[JsonValue] = [
    {"author": "Guest", "text": "My room has no hot water."},
    {"author": "Desk", "text": "I am sorry. I will send somebody within ten minutes."},
]
_MESSAGES: list[JsonValue] = [
    {"role": "user", "content": "How tall is a giraffe?"},
    {"role": "assistant", "content": "An adult giraffe is **4.3 to 5.7 metres** tall."},
]
_ITEMS: list[JsonValue] = [
    {"id": str(number), "title": title, "body": body}
    for number, (title, body) in enumerate(
        [("First result", "A short text."), ("Second result", "Another text."), ("Third result", "One more.")], 1
    )
]
_ROWS: list[JsonValue] = [{"Name": "Oak", "Height": "20 m"}, {"Name": "Birch", "Height": "15 m"}]


def sample_data(plan: Plan) -> dict[str, JsonValue]:
    """A value for every field of the data that the config names.

    Sound, film and PDF get addresses at which nothing is: only files of one's own can stand there. Fields inside
    lists (`$images[{{idx}}].url`) are left out.
    """
    data: dict[str, JsonValue] = {}
    for field, value in _fields(plan.root):
        if "[" not in field and "." not in field:
            data.setdefault(field, value)
    return data


def _fields(node: Planned) -> Iterator[tuple[str, JsonValue]]:
    for key, written in node.attrs.items():
        if isinstance(written, str):
            whole = is_reference(written)
            for field in references(written):
                yield field, _value(node, key) if whole else field.replace("_", " ")
    for inner in (*node.options, *node.children):
        yield from _fields(inner)


def _value(node: Planned, key: str) -> JsonValue:
    if key not in ("value", "valueList"):
        return {"frameRate": 25}.get(key, key)
    match node.spec.name:
        case "Header":
            return "A short title"
        case "HyperText":
            return f"<h2>A notice</h2><p>{TEXT}</p><ul><li>First</li><li>Second</li></ul>"
        case "Paragraphs":
            return _DIALOGUE
        case "Chat":
            return _MESSAGES
        case "Image":
            page = picture([("circle", 30, 40, 20), ("square", 68, 60, 16)])
            return [page, page] if key == "valueList" else page
        case "Table":
            return _ROWS
        case "List":
            return _ITEMS
        case "TimeSeries":
            return _series(node)
        case "Choices" | "Taxonomy" | "Relations":
            return [{"value": "First"}, {"value": "Second"}]
        case name if name.endswith("Labels"):
            return [{"value": "First"}, {"value": "Second"}]
        case "Audio" | "Video" | "Pdf" as name:
            return f"https://example.com/sample-{name.lower()}"
        case _:
            return TEXT


def _series(node: Planned) -> JsonValue:
    """Columns of a hundred values; an address where the config wants a file."""
    if node.text("valueType") != "json":
        return "https://example.com/sample.csv"
    columns: dict[str, JsonValue] = {
        option.text("column"): [float((moment * (at + 3)) % 17) for moment in range(100)]
        for at, option in enumerate(node.options)
    }
    if node.text("timeColumn"):
        columns[node.text("timeColumn")] = list(range(100))
    return columns
