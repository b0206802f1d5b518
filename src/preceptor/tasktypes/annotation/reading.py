"""From a config's text to a plan, with every finding on the way.

The rules follow Label Studio's documentation of its tags. Whatever a config says that would not come true here is
named with its tag and line: an error where it changes what people are asked, a note where it only concerns looks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pydantic import JsonValue

from preceptor.tasktypes.annotation import rules
from preceptor.tasktypes.annotation.findings import ConfigError, Finding, error, nearest, note
from preceptor.tasktypes.annotation.markup import MarkupError, Tag, parse
from preceptor.tasktypes.annotation.plan import Plan, Planned
from preceptor.tasktypes.annotation.vocabulary import (
    OLDER_NAMES,
    SPECS,
    UNSUPPORTED,
    Kind,
    Role,
    TagSpec,
    known_spec,
    spec_of,
)
from preceptor.tasktypes.annotation.vocabulary.spec import Support

_OFF = frozenset({"", "false", "0", "no"})


@dataclass(frozen=True)
class Reading:
    """`plan` is None where an error makes the config unusable. Findings are in the order of lines."""

    plan: Plan | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that refuse the config."""
        return tuple(finding for finding in self.findings if finding.level == "error")

    @property
    def notes(self) -> tuple[Finding, ...]:
        """Findings that only inform."""
        return tuple(finding for finding in self.findings if finding.level == "note")


@lru_cache(maxsize=64)
def read(config: str) -> Reading:
    """Understand a config. Never raises: what is wrong stands in the findings."""
    try:
        root = parse(config)
    except MarkupError as bad:
        return Reading(None, (Finding("error", bad.line, "config", bad.message),))
    findings = list(_tags(root))
    if any(finding.level == "error" for finding in findings):
        return Reading(None, _in_order(findings))
    plan = Plan(_planned(root, _fallback_target(root)))
    findings += rules.findings(plan)
    usable = not any(finding.level == "error" for finding in findings)
    return Reading(plan if usable else None, _in_order(findings))


def plan_of(config: str) -> Plan:
    """The plan of a usable config. ConfigError, which lists every error, where it is not usable."""
    reading = read(config)
    if reading.plan is None:
        raise ConfigError(reading.errors)
    return reading.plan


def _in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: finding.line))


def _tags(root: Tag) -> Iterator[Finding]:
    """Findings that one tag shows by itself: unknown tags and parameters, values that do not fit."""
    if root.name.lower() != "view":
        yield error(root, "a config begins with <View>")
    for tag in root.walk():
        spec = spec_of(tag.name)
        if spec is None:
            yield _unknown(tag)
            continue
        if tag.name.lower() in OLDER_NAMES:
            yield note(tag, f"is Label Studio's older name of {spec.name}")
        yield from _params(tag, spec)


def _unknown(tag: Tag) -> Finding:
    instead = UNSUPPORTED.get(tag.name.lower())
    if instead is not None:
        return error(tag, f"this tag of Label Studio is not supported; {instead}")
    return error(tag, f"unknown tag{nearest(tag.name, [spec.name for spec in SPECS.values()])}")


def _params(tag: Tag, spec: TagSpec) -> Iterator[Finding]:
    for key, written in tag.attrs.items():
        param = spec.param(key)
        if param is None:
            hint = nearest(key, [known.name for known in spec.params])
            yield note(tag, f"unknown parameter {key}{hint}; it has no effect")
        elif param.support is Support.NO:
            if written.strip().lower() not in _OFF:
                yield error(tag, f"the parameter {param.name} is not supported ({param.about})")
        elif param.support is Support.LOOKS:
            if param.name not in ("name", "toName") and written.strip().lower() not in _OFF:
                yield note(tag, f"the parameter {param.name} has no effect here ({param.about})")
        else:
            try:
                param.typed(written)
            except ValueError as bad:
                yield error(tag, f"{param.name}: {bad}")


def _fallback_target(root: Tag) -> str:
    """The name of the only object, for controls without toName; empty where there is none or a choice."""
    names = [name for tag in root.walk() if (name := _object_name(tag))]
    return names[0] if len(names) == 1 else ""


def _object_name(tag: Tag) -> str:
    spec = spec_of(tag.name)
    if spec is None or spec.role is not Role.OBJECT:
        return ""
    return next((value for key, value in tag.attrs.items() if key.lower() == "name"), "")


def _planned(tag: Tag, only_object: str) -> Planned:
    spec = known_spec(tag)
    attrs = _typed(tag, spec)
    if spec.role is Role.CONTROL and spec.name not in ("Relations", "Pairwise") and only_object:
        attrs.setdefault("toName", only_object)
    if spec.role is Role.OBJECT:
        attrs.setdefault("name", f"_{spec.name.lower()}_{tag.line}")
    options, children = [], []
    for child in tag.children:
        options += _options_below(child, spec, only_object)
        if known_spec(child).role is not Role.OPTION:
            children.append(_planned(child, only_object))
    return Planned(tag, spec, attrs, tuple(children), tuple(options))


def _options_below(child: Tag, owner: TagSpec, only_object: str) -> list[Planned]:
    """Options of a control may stand inside Views within it; those below another control belong to that."""
    spec = known_spec(child)
    if spec.name in owner.options and spec.name != "MultiChannel":
        return [_planned(child, only_object)]
    if owner.options and (spec.role is Role.LAYOUT or spec.name == "MultiChannel"):
        return [found for inner in child.children for found in _options_below(inner, owner, only_object)]
    return []


def _typed(tag: Tag, spec: TagSpec) -> dict[str, JsonValue]:
    given: Mapping[str, str] = {key.lower(): value for key, value in tag.attrs.items()}
    attrs: dict[str, JsonValue] = {}
    for param in spec.params:
        written = given.get(param.name.lower())
        if written is not None and param.support is Support.FULL:
            attrs[param.name] = param.typed(written)
        elif written is not None and param.name == "name":
            attrs[param.name] = written
        elif param.default is not None:
            attrs[param.name] = param.default
        elif param.kind is Kind.FLAG:
            attrs[param.name] = False
    if spec.param("value") is not None and "value" not in attrs and tag.text:
        attrs["value"] = tag.text
    return attrs
