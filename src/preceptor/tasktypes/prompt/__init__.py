"""Prompts written by people to a brief: new ones, hard ones, ones at which a model fails."""

from preceptor.tasktypes.prompt.task_type import PromptType

__all__ = ["PromptType"]
