"""How a tag and its parameters are described, and how a written parameter becomes a typed value."""

import re
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

_COLOR = re.compile(
    r"#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3}(?:[0-9a-fA-F]{2})?)?\Z|[a-zA-Z]{3,30}\Z|rgba?\([0-9., %]{5,40}\)\Z"
)
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,6})?(?:px|%)?\Z")
TEXT_CHARACTERS_MAX = 20_000


class Kind(StrEnum):
    """Type of a parameter's value."""

    TEXT = "text"
    FLAG = "boolean"
    NUMBER = "number"
    COLOR = "color"
    CHOICE = "one of"
    NAMES = "names"


class Role(StrEnum):
    """What a tag is for."""

    LAYOUT = "layout"
    OBJECT = "object"
    CONTROL = "control"
    OPTION = "option"


class Support(StrEnum):
    """What becomes of a parameter: it works, it only concerns looks and is not used, or the config is refused."""

    FULL = "yes"
    LOOKS = "accepted, no effect"
    NO = "refused"


@dataclass(frozen=True)
class Param:
    """One parameter. `options` are the values of a `one of`; `default` is filled in where the config is silent."""

    name: str
    kind: Kind = Kind.TEXT
    default: JsonValue = None
    options: tuple[str, ...] = ()
    about: str = ""
    support: Support = Support.FULL

    def typed(self, written: str) -> JsonValue:
        """The value as boolean, number or text. ValueError in words where it does not fit.

        A whole `$field` is left as it is: it becomes a value with the task's data.
        """
        if written.startswith("$"):
            return written
        if self.kind is Kind.FLAG:
            return _flag(written)
        if self.kind is Kind.NUMBER:
            return _number(written)
        if self.kind is Kind.CHOICE:
            return self._option(written)
        if self.kind is Kind.COLOR and not _COLOR.match(written.strip()):
            raise ValueError(f"{written[:40]!r} is no color (write #rrggbb)")
        if len(written) > TEXT_CHARACTERS_MAX:
            raise ValueError(f"is longer than {TEXT_CHARACTERS_MAX:,} characters")
        return written

    def _option(self, written: str) -> str:
        for option in self.options:
            if option.lower() == written.strip().lower():
                return option
        raise ValueError(f"{written[:40]!r} is not one of {', '.join(self.options)}")


def _flag(written: str) -> bool:
    value = written.strip().lower()
    if value in {"true", "1", "yes", ""}:
        return True
    if value in {"false", "0", "no"}:
        return False
    raise ValueError(f"{written[:40]!r} is neither true nor false")


def _number(written: str) -> float | int:
    value = written.strip()
    if not _NUMBER.match(value):
        raise ValueError(f"{written[:40]!r} is no number")
    number = float(value.removesuffix("px").removesuffix("%"))
    return int(number) if number == int(number) else number


@dataclass(frozen=True)
class TagSpec:
    """One tag.

    `result`: the `type` of the results that a control writes, None where it writes none. `label_key`: where in the
    value its labels stand. `objects`: names of the object tags a control works on (empty: all). `options`: names
    of the tags that may stand in it as its options. `shape`: the kind of region it makes, empty where it makes none.
    """

    name: str
    role: Role
    about: str
    params: tuple[Param, ...]
    result: str | None = None
    label_key: str = ""
    objects: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    shape: str = ""

    def param(self, name: str) -> Param | None:
        """The parameter of that name, without regard to case."""
        wanted = name.lower()
        return next((param for param in self.params if param.name.lower() == wanted), None)

    @property
    def labels_regions(self) -> bool:
        """Whether it gives labels to regions (`RectangleLabels`, `Labels` …)."""
        return self.role is Role.CONTROL and "Label" in self.options


def text(name: str, about: str, default: str | None = None) -> Param:
    """A parameter that is text."""
    return Param(name, Kind.TEXT, default, about=about)


def flag(name: str, about: str, default: bool = False) -> Param:
    """A parameter that is true or false."""
    return Param(name, Kind.FLAG, default, about=about)


def number(name: str, about: str, default: float | None = None) -> Param:
    """A parameter that is a number."""
    return Param(name, Kind.NUMBER, default, about=about)


def one_of(name: str, options: tuple[str, ...], about: str, default: str | None = None) -> Param:
    """A parameter with named values."""
    return Param(name, Kind.CHOICE, default, options, about)


def color(name: str, about: str, default: str | None = None) -> Param:
    """A parameter that is a color."""
    return Param(name, Kind.COLOR, default, about=about)


def looks(name: str, about: str) -> Param:
    """A parameter of Label Studio that concerns looks or speed only: accepted, kept, without effect here."""
    return Param(name, Kind.TEXT, None, about=about, support=Support.LOOKS)


def refused(name: str, about: str) -> Param:
    """A parameter of Label Studio whose meaning we do not offer: a config that uses it is refused."""
    return Param(name, Kind.TEXT, None, about=about, support=Support.NO)


NAME = text("name", "name of the element, unique in the config")
TO_NAME = Param("toName", Kind.NAMES, about="name of the object it works on")
VISIBLE = (
    one_of(
        "visibleWhen",
        ("region-selected", "no-region-selected", "choice-selected", "choice-unselected"),
        "show only while this holds; what is hidden asks for nothing",
    ),
    text("whenTagName", "narrows visibleWhen to this control or object"),
    text("whenLabelValue", "narrows region-selected to these labels, separated by commas"),
    text("whenChoiceValue", "narrows choice-selected and choice-unselected to these choices, separated by commas"),
    text("whenRole", "narrows region-selected to chat messages of these roles"),
)
STYLED = (
    text("style", "inline CSS, cleaned"),
    text("className", "class names defined in Style"),
    looks("idAttr", "id for CSS"),
)
REQUIRED = (
    flag("required", "an answer without it cannot be submitted"),
    text("requiredMessage", "what the person is told then"),
)
PER_REGION = flag("perRegion", "asked once for each region of its object")
PER_ITEM = flag("perItem", "asked once for each page, row, paragraph or message of its object")
