"""The form that makes and changes a project: from fields to settings, and back."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from preceptor.kit.errors import Invalid
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.money import Money
from preceptor.projects.models import OverlapMode, Project
from preceptor.projects.rules import CHANGEABLE
from preceptor.projects.service.projects import kind_of
from preceptor.projects.settings import ProjectChanges, ProjectSettings
from preceptor.tasktypes.base import problems_of
from preceptor.web import client_quality_settings as quality
from preceptor.web.client_frame import Fields, money_field
from preceptor.web.config_form import PREFIX, read_config

Shape = TypeVar("Shape", bound=BaseModel)

MINUTE, HOUR = 60, 3600
_NAMES: Final = {
    # Settings by the name of the form's field.
    "lease_seconds": "lease_minutes",
    "review_seconds": "review_hours",
    "revision_seconds": "revision_hours",
    "rate_minor": "rate",
    **quality.NAMES,
}


def read_terms(fields: Fields, currency: str) -> dict[str, object]:
    """Everything but task type and configuration, in the units that projects keep."""
    chosen = fields.text("qualification_id")
    return {
        "title": fields.text("title"),
        "summary": fields.text("summary"),
        "overlap": fields.whole("overlap", "Judgments per task"),
        "lease_seconds": fields.whole("lease_minutes", "The time for one task", times=MINUTE),
        "expected_seconds": fields.whole("expected_seconds", "The expected time"),
        "review_percent": fields.whole("review_percent", "The share that is reviewed"),
        "review_seconds": fields.whole("review_hours", "The deadline for reviews", times=HOUR),
        "revision_seconds": fields.whole("revision_hours", "The time for a revision", times=HOUR),
        "blind_review": fields.checked("blind_review"),
        "content_ratings": fields.all("content_ratings"),
        "rate_minor": money_field(fields, "rate", currency).minor,
        "currency": currency,
        "qualification_id": read_id("qualification", chosen) if chosen else None,
        **quality.read(fields, currency),
    }


def read_settings(fields: Fields) -> ProjectSettings:
    """A new project as its form says, or `Invalid` with messages by field."""
    kind = fields.text("task_type") or "comparison"
    terms = read_terms(fields, fields.text("currency"))
    config = read_config(kind_of(kind).config_model, fields)
    return _read(ProjectSettings, {**terms, "task_type": kind, "config": config})


def read_changes(fields: Fields, project: Project) -> ProjectChanges:
    """What the form says about a project, as far as the project's state allows a change."""
    allowed = CHANGEABLE[project.state]
    currency = fields.text("currency") if "currency" in allowed else project.currency
    if "overlap" not in allowed:
        return _read(ProjectChanges, {"title": fields.text("title"), "summary": fields.text("summary")})
    given = {name: value for name, value in read_terms(fields, currency).items() if name in allowed}
    if "config" in allowed:
        given["config"] = read_config(project.kind.kind.config_model, fields)
    return _read(ProjectChanges, given)


def _read(shape: type[Shape], given: dict[str, object]) -> Shape:
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        problems = [
            {
                "path": field_of(problem.path) or "form",
                "message": f"{problem.message[:1].upper()}{problem.message[1:]}.",
            }
            for problem in problems_of(error)
        ]
        raise Invalid(problems[0]["message"], problems) from None


def field_of(path: str) -> str:
    """The form's field that a setting's path belongs to."""
    if path.startswith(PREFIX):
        return ".".join(path.split(".")[:2])
    first = path.split(".")[0]
    return _NAMES.get(first, first)


def values_of(project: Project) -> dict[str, str]:
    """A project's terms as its form shows them."""
    return {
        "title": project.title,
        "summary": project.summary,
        "overlap": str(project.overlap),
        "lease_minutes": str(project.lease_seconds // MINUTE),
        "expected_seconds": str(project.expected_seconds),
        "review_percent": str(project.review_percent),
        "review_hours": str(project.review_seconds // HOUR),
        "revision_hours": str(project.revision_seconds // HOUR),
        "blind_review": "true" if project.blind_review else "",
        "content_ratings": ",".join(project.content_ratings),
        "rate": Money(project.rate_minor, project.currency).amount,
        "currency": project.currency,
        "qualification_id": show_id("qualification", project.qualification_id) if project.qualification_id else "",
        **quality.values_of(project),
    }


STARTING_VALUES: Final[dict[str, str]] = {
    "title": "",
    "summary": "",
    "overlap": "3",
    "lease_minutes": "30",
    "expected_seconds": "180",
    "review_percent": "20",
    "review_hours": "72",
    "revision_hours": "48",
    "blind_review": "true",
    "content_ratings": "",
    "rate": "0.60",
    "currency": "USD",
    "qualification_id": "",
    "budget": "",
    **quality.STARTING_VALUES,
}


@dataclass(frozen=True)
class Estimate:
    """What the numbers in the form come to. `fewest` and `most` judgments differ with adaptive overlap only."""

    hourly: Money
    fewest: int
    most: int
    per_task_least: Money
    per_task: Money
    """With `most` judgments."""
    judgments: int | None
    """How many the budget pays for; None without a budget."""
    tasks: int | None
    """How many tasks that is at least."""


def estimate(fields: Fields) -> Estimate | None:
    """Pay by the hour, cost of one task and reach of the budget; None while the fields do not say enough."""
    try:
        currency = fields.text("currency")
        rate = money_field(fields, "rate", currency)
        seconds = fields.whole("expected_seconds", "The expected time")
        fewest, most = _judgments(fields)
        budget = money_field(fields, "budget", currency) if fields.text("budget") else None
    except Invalid:
        return None
    if rate.minor <= 0 or seconds < 1 or not 1 <= fewest <= most:
        return None
    judgments = budget.minor // rate.minor if budget else None
    return Estimate(
        hourly=rate.times(Fraction(HOUR, seconds)),
        fewest=fewest,
        most=most,
        per_task_least=rate.times(fewest),
        per_task=rate.times(most),
        judgments=judgments,
        tasks=judgments // most if judgments is not None else None,
    )


def _judgments(fields: Fields) -> tuple[int, int]:
    """Fewest and most judgments of one task."""
    if fields.text("overlap_mode") == OverlapMode.ADAPTIVE:
        return fields.whole("overlap_floor", "The floor"), fields.whole("overlap_cap", "The cap")
    overlap = fields.whole("overlap", "Judgments per task")
    return overlap, overlap
