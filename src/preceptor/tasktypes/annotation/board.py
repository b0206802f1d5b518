"""A config bound to one task's data: what is shown, what is asked, what can be answered.

Repeaters are expanded, `$field` parameters and lists of labels are filled in, and every mismatch between config and
data is collected as a problem, so that a task that cannot be worked on is known at import.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from pydantic import JsonValue

from preceptor.tasktypes.annotation.cleaning import clean_html, inline_style, scoped_css
from preceptor.tasktypes.annotation.fields import MissingField, filled, lookup, references
from preceptor.tasktypes.annotation.material import Items, Material, UnfitData, count_of_items, material, picture_of
from preceptor.tasktypes.annotation.plan import DEFAULT_INDEX_FLAG, Plan, Planned
from preceptor.tasktypes.annotation.rules import OPTIONS_MAX, stored_value
from preceptor.tasktypes.annotation.vocabulary import Role, TagSpec
from preceptor.tasktypes.base import Problem

REPEATS_MAX = 300
NODES_MAX = 10_000
NESTED_MAX = 12

Data = Mapping[str, JsonValue]


@dataclass(frozen=True)
class Option:
    """One label, choice, bucket, channel or shortcut. `value` is what results hold, `title` what is shown."""

    value: str
    title: str
    attrs: Mapping[str, JsonValue] = field(default_factory=dict)
    options: tuple["Option", ...] = ()
    html: str | None = None
    image: str | None = None

    @property
    def max_usages(self) -> int | None:
        """How many regions may have this label."""
        value = self.attrs.get("maxUsages")
        return int(value) if isinstance(value, int | float) else None


@dataclass(frozen=True)
class When:
    """A condition under which a tag is shown (see the `visibleWhen` parameter)."""

    kind: str
    tag: str = ""
    labels: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Node:
    """One tag for one task. `key` is its name as the config writes it, the same for all copies in a Repeater."""

    spec: TagSpec
    line: int
    key: str
    name: str
    to: tuple[str, ...]
    attrs: Mapping[str, JsonValue]
    when: When | None
    style: Mapping[str, str]
    options: tuple[Option, ...]
    material: Material | None
    children: tuple["Node", ...]
    class_name: str = ""

    @property
    def tag(self) -> str:
        """Canonical name of its tag."""
        return self.spec.name

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, in reading order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def flag(self, key: str) -> bool:
        """A boolean parameter."""
        return self.attrs.get(key) is True

    def text(self, key: str) -> str:
        """A text parameter, empty where it is not given."""
        value = self.attrs.get(key)
        return "" if value is None else str(value)

    def number(self, key: str) -> float | None:
        """A number parameter, also one that came from the data as text."""
        value = self.attrs.get(key)
        try:
            return None if isinstance(value, bool) or value is None else float(str(value))
        except ValueError:
            return None

    @property
    def single(self) -> bool:
        """Whether one choice or one label for a region is all that is allowed."""
        return self.text("choice") != "multiple"

    @cached_property
    def values(self) -> tuple[str, ...]:
        """All stored values of its options, nested ones after their parents."""
        return tuple(_all_values(self.options))

    @cached_property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """All paths through its nested options."""
        return tuple(_all_paths(self.options, ()))


def _all_values(options: tuple[Option, ...]) -> Iterator[str]:
    for option in options:
        yield option.value
        yield from _all_values(option.options)


def _all_paths(options: tuple[Option, ...], above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for option in options:
        path = (*above, option.value)
        yield path
        yield from _all_paths(option.options, path)


@dataclass(frozen=True)
class Board:
    """All nodes of a task. `problems`: what the data lacks; a task with problems cannot be worked on."""

    root: Node
    css: str
    problems: tuple[Problem, ...]

    @cached_property
    def controls(self) -> Mapping[str, Node]:
        """Controls by name, in reading order; without Relations."""
        return {n.name: n for n in self.root.walk() if n.spec.role is Role.CONTROL and n.tag != "Relations"}

    @cached_property
    def objects(self) -> Mapping[str, Node]:
        """Objects by name."""
        return {n.name: n for n in self.root.walk() if n.spec.role is Role.OBJECT}

    @cached_property
    def relations(self) -> Node | None:
        """The Relations tag, where there is one."""
        return next((n for n in self.root.walk() if n.tag == "Relations"), None)

    @cached_property
    def conditions(self) -> Mapping[str, tuple[When, ...]]:
        """Control -> all conditions that it and the blocks around it set."""
        found: dict[str, tuple[When, ...]] = {}

        def below(node: Node, above: tuple[When, ...]) -> None:
            chain = (*above, node.when) if node.when else above
            if node.spec.role is Role.CONTROL:
                found[node.name] = chain
            for child in node.children:
                below(child, chain)

        below(self.root, ())
        return found

    def target(self, control: Node) -> Node | None:
        """The (first) object that a control works on."""
        return self.objects.get(control.to[0]) if control.to else None

    def items(self, control: Node) -> int:
        """How many parts a `perItem` control asks about."""
        target = self.target(control)
        return count_of_items(target.material) if target else 0


@dataclass
class _Binder:
    data: Data
    shuffle: Random | None
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0
    css: list[str] = field(default_factory=list)

    def node(self, planned: Planned, indexes: tuple[tuple[str, int], ...]) -> Node:
        """The node of a tag, everything below it included."""
        self.nodes += 1
        attrs = {key: _indexed(value, indexes) for key, value in planned.attrs.items()}
        if planned.spec.name == "Style":
            self.css.append(planned.tag.text)
        node_material = self._material(planned, attrs) if planned.spec.role is Role.OBJECT else None
        attrs = self._filled(planned, attrs)
        return Node(
            spec=planned.spec,
            line=planned.tag.line,
            key=planned.name,
            name=str(attrs.get("name") or ""),
            to=tuple(part.strip() for part in str(attrs.get("toName") or "").split(",") if part.strip()),
            attrs={key: value for key, value in attrs.items() if key not in ("style", "className")},
            when=_when(attrs),
            style=inline_style(str(attrs.get("style") or "")),
            options=self._options(planned, attrs, indexes, node_material),
            material=node_material,
            children=tuple(self._children(planned, indexes)),
            class_name=_class_names(str(attrs.get("className") or "")),
        )

    def _children(self, planned: Planned, indexes: tuple[tuple[str, int], ...]) -> Iterator[Node]:
        if planned.spec.name != "Repeater":
            for child in planned.children:
                yield self.node(child, indexes)
            return
        flag = planned.text("indexFlag") or DEFAULT_INDEX_FLAG
        for index in range(self._repeats(planned, indexes)):
            if self.nodes > NODES_MAX:
                self._problem(planned, f"the task has more than {NODES_MAX:,} parts; give it fewer entries")
                return
            yield self._copy(planned, (*indexes, (flag, index)))

    def _copy(self, planned: Planned, indexes: tuple[tuple[str, int], ...]) -> Node:
        from preceptor.tasktypes.annotation.vocabulary import SPECS

        children = tuple(self.node(child, indexes) for child in planned.children)
        return Node(SPECS["view"], planned.tag.line, "", "", (), {"display": "block"}, None, {}, (), None, children)

    def _repeats(self, planned: Planned, indexes: tuple[tuple[str, int], ...]) -> int:
        source = str(_indexed(planned.text("on"), indexes))
        try:
            entries = filled(source, self.data)
        except MissingField as missing:
            self._problem(planned, f"the data has no field {missing}", str(missing))
            return 0
        if not isinstance(entries, list):
            self._problem(planned, f"{source} must be a list", source.lstrip("$"))
            return 0
        if len(entries) > REPEATS_MAX:
            self._problem(planned, f"{source} has more than {REPEATS_MAX} entries", source.lstrip("$"))
        return min(len(entries), REPEATS_MAX)

    def _problem(self, planned: Planned, message: str, path: str = "") -> None:
        where = f"<{planned.spec.name}> on line {planned.tag.line}"
        self.problems.append(Problem(f"data.{path}" if path else "data", f"{message} (needed by {where})"))

    def _material(self, planned: Planned, attrs: Mapping[str, JsonValue]) -> Material | None:
        written = {key: value for key, value in attrs.items() if isinstance(value, str)}
        try:
            return material(planned, written, self.data)
        except MissingField as missing:
            self._problem(planned, f"the data has no field {missing}", str(missing))
        except UnfitData as unfit:
            source = written.get("valueList") or written.get("value", "")
            self._problem(planned, str(unfit), next(iter(references(source)), ""))
        return None

    def _filled(self, planned: Planned, attrs: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Parameters with data put in; what makes the material or the options stays as written."""
        own = {"value", "valueList", "on", "audioUrl"}
        result: dict[str, JsonValue] = {}
        for key, value in attrs.items():
            takes = key not in own or planned.spec.role is Role.LAYOUT or planned.spec.name == "TextArea"
            if not isinstance(value, str) or "$" not in value or not takes or key == "on":
                result[key] = value
                continue
            try:
                result[key] = filled(value, self.data)
            except MissingField as missing:
                # A pre-filled text is a convenience; a heading or a parameter is part of the question.
                result[key] = "" if planned.spec.name == "TextArea" and key == "value" else value
                if result[key]:
                    self._problem(planned, f"the data has no field {missing}", str(missing))
        return result

    def _options(
        self,
        planned: Planned,
        attrs: Mapping[str, JsonValue],
        indexes: tuple[tuple[str, int], ...],
        shown: Material | None,
    ) -> tuple[Option, ...]:
        if planned.spec.name == "Pairwise":
            return (Option("left", "Left"), Option("right", "Right"))
        options = [self._static(option, indexes) for option in planned.options]
        written = str(attrs.get("value") or "")
        listed = planned.spec.role is Role.CONTROL and planned.spec.options and planned.spec.name != "TextArea"
        if listed and written.startswith("$"):
            options += self._dynamic(planned, written)
        options = list(_distinct(options))
        if attrs.get("randomize") is True and self.shuffle is not None:
            self.shuffle.shuffle(options)
        return tuple(options)

    def _static(self, option: Planned, indexes: tuple[tuple[str, int], ...]) -> Option:
        attrs = {key: _indexed(value, indexes) for key, value in option.attrs.items()}
        title = str(attrs.get("title") or attrs.get("legend") or attrs.get("value") or "")
        if "$" in title:
            try:
                title = str(filled(title, self.data))
            except MissingField as missing:
                self._problem(option, f"the data has no field {missing}", str(missing))
        value = str(_indexed(stored_value(option), indexes))
        if value.startswith("$"):
            value = title
        if option.spec.name == "Shortcut":
            value, title = str(attrs.get("value") or ""), str(attrs.get("alias") or attrs.get("value") or "")
        nested = tuple(self._static(inner, indexes) for inner in option.options)
        look = self._look(option, attrs.get("html"))
        return Option(value, title or value, _shown_attrs(attrs), _distinct(nested), *look)

    def _dynamic(self, planned: Planned, written: str) -> list[Option]:
        name = written[1:]
        try:
            entries = lookup(self.data, name)
        except MissingField:
            self._problem(planned, f"the data has no field {name}", name)
            return []
        return self._listed(planned, entries, name, 0)

    def _listed(self, planned: Planned, entries: JsonValue, name: str, depth: int) -> list[Option]:
        if not isinstance(entries, list) or len(entries) > OPTIONS_MAX or depth > NESTED_MAX:
            self._problem(planned, f"${name} must be a list of options, at most {OPTIONS_MAX:,}", name)
            return []
        options = []
        for number, entry in enumerate(entries):
            given = entry if isinstance(entry, dict) else {"value": entry}
            value = given.get("alias") or given.get("value")
            if not isinstance(value, str | int | float) or isinstance(value, bool):
                self._problem(planned, f"${name}[{number}] must be text, or an object with value", name)
                continue
            nested = given.get("children")
            below = self._listed(planned, nested, f"{name}[{number}].children", depth + 1) if nested else []
            title = str(given.get("value") or value)
            look = self._look(planned, given.get("html"))
            options.append(Option(str(value), title, _shown_attrs(given), _distinct(below), *look))
        return options

    def _look(self, planned: Planned, html: JsonValue) -> tuple[str | None, str | None]:
        """The HTML of an option, cleaned, and the picture in it."""
        if not isinstance(html, str) or not html:
            return None, None
        try:
            return clean_html(html), picture_of(html, f"html of {planned.spec.name}")
        except UnfitData as unfit:
            self._problem(planned, str(unfit))
            return clean_html(html), None


_OPTION_ATTR_NAMES = (
    "hint hotkey background selected maxUsages granularity category default units displayFormat height "
    "strokeColor strokeWidth showAlias alias"
)
_OPTION_ATTRS = frozenset(_OPTION_ATTR_NAMES.split())


def _shown_attrs(attrs: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {key: value for key, value in attrs.items() if key in _OPTION_ATTRS and value not in (None, "", False)}


def _distinct(options: Sequence[Option]) -> tuple[Option, ...]:
    """The first option of each value: results could not tell further ones apart."""
    seen: dict[str, Option] = {}
    for option in options:
        seen.setdefault(option.value, option)
    return tuple(seen.values())


def _class_names(written: str) -> str:
    return " ".join(name for name in written.split() if name.replace("-", "").replace("_", "").isalnum())


def _indexed(value: JsonValue, indexes: tuple[tuple[str, int], ...]) -> JsonValue:
    if isinstance(value, str):
        for flag, index in indexes:
            value = value.replace(flag, str(index))
    return value


def _when(attrs: Mapping[str, JsonValue]) -> When | None:
    kind = attrs.get("visibleWhen")
    if not isinstance(kind, str) or not kind:
        return None

    def listed(key: str) -> tuple[str, ...]:
        value = str(attrs.get(key) or "")
        parts = tuple(part.strip() for part in value.split(",") if part.strip())
        # A label may itself hold commas, so the whole counts beside its parts.
        return (value, *parts) if len(parts) > 1 else parts

    return When(
        kind,
        str(attrs.get("whenTagName") or ""),
        listed("whenLabelValue"),
        listed("whenChoiceValue"),
        listed("whenRole"),
    )


def bind(plan: Plan, data: Data, seed: str | None = None) -> Board:
    """A config bound to data. `seed` decides the order of randomized choices; None leaves them as written."""
    binder = _Binder(data, Random(seed) if seed is not None else None)
    root = binder.node(plan.root, ())
    for node in root.walk():
        if isinstance(node.material, Items) and not node.material.items:
            binder.problems.append(Problem("data", f"the list {node.name!r} is empty"))
    return Board(root, "\n".join(filter(None, map(scoped_css, binder.css))), tuple(dict.fromkeys(binder.problems)))
