"""Refusals of training runs and models."""

from preceptor.kit.errors import AppError


class ModelNotReady(AppError):
    """This model is still being trained, or its training failed. Look at it again in a moment, or train a new one."""

    code = "model_not_ready"
