"""Bodies that Label Studio's SDK sends to import tasks: read within limits and turned into tasks of ours."""

from fastapi import Request
from pydantic import JsonValue

from preceptor.kit.errors import Invalid
from preceptor.projects.importing.converting import convert
from preceptor.projects.importing.mapping import ColumnMapping, detect
from preceptor.projects.models import Project
from preceptor.projects.settings import TaskIn
from preceptor.tasktypes.base import to_json
from preceptor.tasktypes.importing import BadJson, RowRefused, parse_json

IMPORT_BYTES_MAX = 64 * 1024**2
IMPORT_TASKS_MAX = 10_000


async def limited_body(request: Request) -> bytes:
    """The whole body; Invalid beyond `IMPORT_BYTES_MAX`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > IMPORT_BYTES_MAX:
            raise Invalid(f"At most {IMPORT_BYTES_MAX // 1024**2} MB fit into one request. Import a file instead.")
    return bytes(body)


def rows_of(body: bytes) -> list[dict[str, JsonValue]]:
    """The tasks in a body: a list of objects, or one. Invalid for anything else, and beyond `IMPORT_TASKS_MAX`."""
    try:
        sent = parse_json(body.decode())
    except (BadJson, UnicodeDecodeError) as error:
        raise Invalid(f"The body must be JSON. {error}") from None
    rows = sent if isinstance(sent, list) else [sent]
    if len(rows) > IMPORT_TASKS_MAX:
        raise Invalid(f"At most {IMPORT_TASKS_MAX:,} tasks fit into one request; these are {len(rows):,}.")
    found = [row for row in rows if isinstance(row, dict)]
    if len(found) < len(rows):
        raise Invalid("Every task must be an object.")
    return found


def task_in(project: Project, row: dict[str, JsonValue], number: int) -> TaskIn:
    """A task of ours out of one of Label Studio's, or out of plain data. Invalid says which one is wrong."""
    importer = project.kind.kind.importer
    mapping = detect(list(row), [row], importer)
    try:
        if not isinstance(mapping, ColumnMapping):
            raise RowRefused(mapping.message)
        task = convert(row, mapping, importer)
    except RowRefused as refused:
        where = f"tasks.{number}.{refused.field}" if refused.field else f"tasks.{number}"
        raise Invalid(f"{where}: {refused.problem}", [{"path": where, "message": refused.problem}]) from None
    return TaskIn(
        external_id=task.external_id,
        payload=to_json(task.payload),
        priority=task.priority,
        overlap=task.overlap,
        topic=task.topic,
        gold=to_json(task.gold) if task.gold is not None else None,
        gold_explanation=task.gold_explanation,
        imported_answer=to_json(task.imported_answer) if task.imported_answer is not None else None,
    )
