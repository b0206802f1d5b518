"""How templates are put together."""

import re
from pathlib import Path
from typing import Final

from preceptor.tasktypes.annotation.models import AnnotationConfig
from preceptor.tasktypes.base import EXAMPLE_FILE, Row, Template, to_json

MATERIAL: Final = Path(__file__).parent / "material"
"""Recordings, films, scans and documents made by `scripts/make-example-material`."""


def shipped(name: str) -> str:
    """The address by which an example shows a file of this package."""
    return EXAMPLE_FILE + name


def template(
    key: str,
    title: str,
    summary: str,
    label_config: str,
    guidelines: str,
    examples: tuple[Row, ...] = (),
    **settings: bool | str | float,
) -> Template:
    """A template of a labeling config; the settings are those of `AnnotationConfig`. `examples` are data."""
    config = AnnotationConfig.model_validate({"label_config": label_config, **settings})
    return Template(
        key=key,
        title=title,
        summary=summary,
        config=to_json(config),
        guidelines=guidelines,
        examples=tuple({"data": example} for example in examples),
        files={name: MATERIAL / name for name in _named(examples)},
    )


def _named(examples: tuple[Row, ...]) -> list[str]:
    return re.findall(re.escape(EXAMPLE_FILE) + r"([A-Za-z0-9_.-]+)", str(examples))
