"""A labeling config understood: its tags with typed parameters, as they stand before any task's data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic import JsonValue

from preceptor.tasktypes.annotation.markup import Tag
from preceptor.tasktypes.annotation.vocabulary import Role, TagSpec

DEFAULT_INDEX_FLAG = "{{idx}}"


@dataclass(frozen=True)
class Planned:
    """One tag with what it means.

    `attrs`: every parameter by its canonical name, typed, defaults filled in. `children`: tags below it that are
    not its options. `options`: Choice, Label, Relation, Bucket, Channel or Shortcut tags below it.
    """

    tag: Tag
    spec: TagSpec
    attrs: Mapping[str, JsonValue]
    children: tuple["Planned", ...]
    options: tuple["Planned", ...]

    def walk(self) -> Iterator["Planned"]:
        """This tag and all tags below it but options."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def name(self) -> str:
        """Its name, empty where it has none."""
        return str(self.attrs.get("name") or "")

    @property
    def to(self) -> tuple[str, ...]:
        """Names of the objects that it works on."""
        return tuple(part.strip() for part in str(self.attrs.get("toName") or "").split(",") if part.strip())

    def text(self, key: str) -> str:
        """A text parameter, empty where it is not given."""
        value = self.attrs.get(key)
        return "" if value is None else str(value)

    def flag(self, key: str) -> bool:
        """A boolean parameter."""
        return self.attrs.get(key) is True

    def number(self, key: str) -> float | None:
        """A number parameter, None where it is not given or comes from the data."""
        value = self.attrs.get(key)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@dataclass(frozen=True)
class Plan:
    """A whole config."""

    root: Planned

    @cached_property
    def controls(self) -> Mapping[str, Planned]:
        """Controls by name as written (inside a Repeater with its index flag), in reading order."""
        return {p.name: p for p in self.root.walk() if p.spec.role is Role.CONTROL and p.spec.name != "Relations"}

    @cached_property
    def objects(self) -> Mapping[str, Planned]:
        """Objects by name."""
        return {p.name: p for p in self.root.walk() if p.spec.role is Role.OBJECT}

    @cached_property
    def relations(self) -> Planned | None:
        """The Relations tag, where there is one."""
        return next((p for p in self.root.walk() if p.spec.name == "Relations"), None)
