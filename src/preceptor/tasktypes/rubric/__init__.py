"""Rubrics: experts write the criteria by which answers to a prompt are judged, and others validate them."""

from preceptor.tasktypes.rubric.task_type import RubricType

__all__ = ["RubricType"]
