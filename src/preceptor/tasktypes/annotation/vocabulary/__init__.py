"""The tags and parameters of the labeling config that this task type understands."""

from preceptor.tasktypes.annotation.markup import Tag
from preceptor.tasktypes.annotation.vocabulary.controls import CONTROLS
from preceptor.tasktypes.annotation.vocabulary.layout import LAYOUT
from preceptor.tasktypes.annotation.vocabulary.objects import OBJECTS
from preceptor.tasktypes.annotation.vocabulary.spec import Kind, Param, Role, TagSpec
from preceptor.tasktypes.annotation.vocabulary.unsupported import UNSUPPORTED

SPECS: dict[str, TagSpec] = {spec.name.lower(): spec for spec in (*LAYOUT, *OBJECTS, *CONTROLS)}


OLDER_NAMES = {"audioplus": "Audio", "html": "HyperText"}
"""Names that Label Studio's older configs use for tags of today."""


def spec_of(tag_name: str) -> TagSpec | None:
    """What is known of a tag; names are read without regard to case, as Label Studio does."""
    name = tag_name.lower()
    return SPECS.get(OLDER_NAMES.get(name, name).lower())


def known_spec(tag: Tag) -> TagSpec:
    """The spec of a tag of a config in which every tag is known."""
    spec = spec_of(tag.name)
    if spec is None:
        raise LookupError(f"{tag.name} is no known tag")
    return spec


__all__ = [
    "CONTROLS",
    "LAYOUT",
    "OBJECTS",
    "OLDER_NAMES",
    "SPECS",
    "UNSUPPORTED",
    "Kind",
    "Param",
    "Role",
    "TagSpec",
    "known_spec",
    "spec_of",
]
