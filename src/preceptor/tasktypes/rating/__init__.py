"""Responses scored on weighted criteria, with quotes that support each score."""

from preceptor.tasktypes.rating.task_type import RatingType

__all__ = ["RatingType"]
