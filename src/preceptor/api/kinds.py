"""Task types over the API: what kinds of work there are, with their schemas."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from preceptor.api.schemas import Out
from preceptor.http.edge import CurrentActor
from preceptor.kit.errors import NotFound
from preceptor.tasktypes.base import UnknownTaskType, task_type, task_types
from preceptor.tasktypes.catalog import describe

router = APIRouter(prefix="/api/v1", tags=["task types"])


class TaskTypeOut(Out):
    """A kind of work."""

    name: str = Field(examples=["comparison"])
    title: str
    summary: str
    element: str = Field(description="Tag of the workspace's custom element.")
    services: list[str]
    aspects: dict[str, str] = Field(description="What agreement is measured on, under the usual settings.")
    schemas: dict[str, Any] = Field(description="JSON Schemas of payload, answer and config.")
    tables: dict[str, Any] = Field(description="Tables of a release with their columns.")
    imports: list[dict[str, str]] = Field(description="Layouts of files that are understood without a mapping.")
    templates: list[dict[str, Any]]


class TaskTypesOut(Out):
    items: list[TaskTypeOut]
    next_cursor: str | None = None


@router.get("/task-types")
def list_task_types(actor: CurrentActor) -> TaskTypesOut:
    """All task types that this installation knows."""
    return TaskTypesOut(items=[TaskTypeOut.model_validate(describe(kind)) for kind in task_types().values()])


@router.get("/task-types/{name}")
def show_task_type(actor: CurrentActor, name: str) -> TaskTypeOut:
    """One task type with its schemas."""
    try:
        return TaskTypeOut.model_validate(describe(task_type(name)))
    except UnknownTaskType:
        raise NotFound("task type") from None
