"""The task type `annotation`."""

from preceptor.tasktypes.annotation.models import (
    AnnotationAnswer,
    AnnotationConfig,
    AnnotationPayload,
    Prediction,
    Region,
    Relation,
)
from preceptor.tasktypes.annotation.task_type import AnnotationType

__all__ = [
    "AnnotationAnswer",
    "AnnotationConfig",
    "AnnotationPayload",
    "AnnotationType",
    "Prediction",
    "Region",
    "Relation",
]
