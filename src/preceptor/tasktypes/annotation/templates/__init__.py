"""Projects that a client can start from in two clicks: config, guidelines, and tasks to try them with."""

from preceptor.tasktypes.annotation.templates.language import LANGUAGE
from preceptor.tasktypes.annotation.templates.media import MEDIA
from preceptor.tasktypes.annotation.templates.pictures import PICTURES
from preceptor.tasktypes.base import Template

TEMPLATES: tuple[Template, ...] = (*LANGUAGE, *PICTURES, *MEDIA)

__all__ = ["TEMPLATES"]
