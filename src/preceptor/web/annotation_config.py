"""What the editor of labeling configs asks while somebody writes: what is wrong, and how a task would look."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from preceptor.http.edge import Known
from preceptor.tasktypes.annotation import AnnotationConfig, AnnotationPayload, AnnotationType
from preceptor.tasktypes.annotation.findings import FINDINGS_SHOWN
from preceptor.tasktypes.annotation.models import LABEL_CONFIG_CHARACTERS_MAX
from preceptor.tasktypes.annotation.reading import Reading, read
from preceptor.tasktypes.annotation.sampling import sample_data
from preceptor.tasktypes.base import problems_of
from preceptor.web.rendering import render

router = APIRouter()
_KIND = AnnotationType()


class Draft(BaseModel):
    """A config as it stands in the editor; `data` of a task to try it with, made up where there is none."""

    model_config = ConfigDict(extra="forbid")

    config: Annotated[str, Field(max_length=LABEL_CONFIG_CHARACTERS_MAX)]
    data: dict[str, JsonValue] | None = None


class FoundInConfig(BaseModel):
    """`error`: the config is refused. `note`: something in it has no effect. `line` counts from 1."""

    level: str
    line: int
    tag: str
    message: str


class Checked(BaseModel):
    """`view`: what the workspace element gets for the data, None where there is nothing to show."""

    findings: list[FoundInConfig]
    data: dict[str, Any] | None
    data_problems: list[str]
    view: Any


@router.post("/annotation/config/check")
def check_config(draft: Draft, _known: Known) -> Checked:
    """Every finding by line and, where the config can be used, a task to look at. Keeps nothing."""
    reading = read(draft.config)
    findings = [
        FoundInConfig(level=each.level, line=each.line, tag=each.tag, message=each.message)
        for each in reading.findings[: 2 * FINDINGS_SHOWN]
    ]
    if reading.plan is None:
        return Checked(findings=findings, data=draft.data, data_problems=[], view=None)
    return _tried(draft, reading, findings)


def _tried(draft: Draft, reading: Reading, findings: list[FoundInConfig]) -> Checked:
    assert reading.plan is not None
    data = sample_data(reading.plan) if draft.data is None else draft.data
    try:
        payload = AnnotationPayload(data=data)
    except ValidationError as bad:
        problems = [each.message for each in problems_of(bad)]
        return Checked(findings=findings, data=data, data_problems=problems, view=None)
    config = AnnotationConfig(label_config=draft.config, allow_empty=True)
    problems = [each.message for each in _KIND.fits(payload, config)]
    view = None if problems else render(_KIND.view(payload, config))
    return Checked(findings=findings, data=data, data_problems=problems, view=view)
