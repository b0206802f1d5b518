"""Demonstrations: the ideal answer, a whole conversation, or a corrected draft, written by people."""

from preceptor.tasktypes.demonstration.task_type import DemonstrationType

__all__ = ["DemonstrationType"]
