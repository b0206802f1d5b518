"""How templates are put together."""

from preceptor.tasktypes.annotation.models import AnnotationConfig
from preceptor.tasktypes.base import Row, Template, to_json


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
    )
