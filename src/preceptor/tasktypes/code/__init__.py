"""Code: problems solved against tests, patches compared, defects marked on lines."""

from preceptor.tasktypes.code.models import CodeAnswer, CodeConfig, CodePayload
from preceptor.tasktypes.code.task_type import CodeType

__all__ = ["CodeAnswer", "CodeConfig", "CodePayload", "CodeType"]
