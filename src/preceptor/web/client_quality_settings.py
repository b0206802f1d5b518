"""The part of a project's form that decides how often a task is asked, what is reviewed, and what is checked."""

from typing import Final

from preceptor.kit.money import Money
from preceptor.projects.models import OverlapMode, Project
from preceptor.web.client_frame import Fields, money_field

DAY = 86_400
PERCENT = 100
NAMES: Final = {
    # Settings by the name of the form's field.
    "confidence": "confidence_percent",
    "standard": "standard_percent",
    "price_limit_minor": "price_limit",
    "appeal_seconds": "appeal_days",
}
STARTING_VALUES: Final[dict[str, str]] = {
    "overlap_mode": "fixed",
    "overlap_floor": "3",
    "overlap_cap": "7",
    "confidence_percent": "95",
    "price_limit": "",
    "gold_percent": "0",
    "standard_percent": "70",
    "review_mode": "random",
    "risk_percent": "0",
    "double_percent": "0",
    "gold_review_percent": "0",
    "appeal_days": "14",
}


def read(fields: Fields, currency: str) -> dict[str, object]:
    """What the form says; nothing where it has no such part."""
    if not fields.text("overlap_mode"):
        return {}
    adaptive = fields.text("overlap_mode") == OverlapMode.ADAPTIVE
    return {
        "overlap_mode": fields.text("overlap_mode"),
        **(_read_adaptive(fields, currency) if adaptive else {}),
        "gold_percent": fields.whole("gold_percent", "The share of tasks with a known answer"),
        "standard": fields.whole("standard_percent", "The accuracy that is expected") / PERCENT,
        "review_mode": fields.text("review_mode"),
        "risk_percent": fields.whole("risk_percent", "The share that is reviewed by risk"),
        "double_percent": fields.whole("double_percent", "The share of second reviews"),
        "gold_review_percent": fields.whole("gold_review_percent", "The share of reviews with a known decision"),
        "appeal_seconds": fields.whole("appeal_days", "The time to appeal", times=DAY),
    }


def _read_adaptive(fields: Fields, currency: str) -> dict[str, object]:
    limit = money_field(fields, "price_limit", currency).minor if fields.text("price_limit") else None
    return {
        "overlap_floor": fields.whole("overlap_floor", "The floor"),
        "overlap_cap": fields.whole("overlap_cap", "The cap"),
        "confidence": fields.whole("confidence_percent", "How sure to be") / PERCENT,
        "price_limit_minor": limit,
    }


def values_of(project: Project) -> dict[str, str]:
    """A project's settings as the form shows them."""
    limit = project.price_limit_minor
    return {
        "overlap_mode": project.overlap_mode.value,
        "overlap_floor": str(project.overlap_floor),
        "overlap_cap": str(project.overlap_cap),
        "confidence_percent": f"{project.confidence * PERCENT:.0f}",
        "price_limit": Money(limit, project.currency).amount if limit else "",
        "gold_percent": str(project.gold_percent),
        "standard_percent": f"{project.standard * PERCENT:.0f}",
        "review_mode": project.review_mode.value,
        "risk_percent": str(project.risk_percent),
        "double_percent": str(project.double_percent),
        "gold_review_percent": str(project.gold_review_percent),
        "appeal_days": str(project.appeal_seconds // DAY),
    }
