"""Comparison: 2 to 6 responses to one prompt are ranked, rated and explained."""

from preceptor.tasktypes.comparison.models import (
    ComparisonAnswer,
    ComparisonConfig,
    ComparisonPayload,
    Dimension,
    Response,
)
from preceptor.tasktypes.comparison.task_type import ComparisonType

__all__ = [
    "ComparisonAnswer",
    "ComparisonConfig",
    "ComparisonPayload",
    "ComparisonType",
    "Dimension",
    "Response",
]
