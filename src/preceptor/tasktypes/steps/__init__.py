"""Responses marked step by step: data for process rewards and for fact checking."""

from preceptor.tasktypes.steps.task_type import StepsType

__all__ = ["StepsType"]
