"""What must hold between the tags of a config: names, targets, labels, conditions."""

from collections import Counter
from collections.abc import Iterator

from preceptor.tasktypes.annotation.cleaning import dropped_css
from preceptor.tasktypes.annotation.fields import is_reference
from preceptor.tasktypes.annotation.findings import Finding, error, nearest, note
from preceptor.tasktypes.annotation.markup import Tag
from preceptor.tasktypes.annotation.plan import DEFAULT_INDEX_FLAG, Plan, Planned
from preceptor.tasktypes.annotation.vocabulary import SPECS, Role, known_spec

CONTROLS_MAX = 200
OPTIONS_MAX = 2_000
NAME_CHARACTERS_MAX = 100

# Objects with parts that can be asked about one by one.
WITH_ITEMS = frozenset({"Image", "Table", "Chat", "Paragraphs", "List"})
# Labels give a label to shapes that these controls draw; alone on such an object they could mark nothing.
_NEEDS_SHAPE = {"Image": ("Rectangle", "Polygon", "Ellipse", "KeyPoint", "Brush"), "Video": ("VideoRectangle",)}
_DATETIME_PARTS = frozenset({"date", "time", "month", "year"})


def findings(plan: Plan) -> list[Finding]:
    """Everything that the tags of a config show together."""
    found: list[Finding] = []
    for rule in (_placement, _repeats, _names, _objects, _targets, _options, _conditions, _details, _styles):
        found += rule(plan)
    return found


def _placement(plan: Plan) -> Iterator[Finding]:
    """Options stand in a control that has such options; panels in Collapse."""

    def below(tag: Tag, owners: tuple[str, ...]) -> Iterator[Finding]:
        spec = known_spec(tag)
        if spec.role is Role.OPTION and not any(spec.name in SPECS[owner].options for owner in owners):
            homes = [other.name for other in SPECS.values() if spec.name in other.options]
            yield error(tag, f"belongs inside {' or '.join(homes[:3])}")
        if spec.name == "Panel" and "collapse" not in owners:
            yield error(tag, "belongs inside Collapse")
        for child in tag.children:
            yield from below(child, (*owners, tag.name.lower()))

    yield from below(plan.root.tag, ())


def _repeats(plan: Plan) -> Iterator[Finding]:
    """A Repeater names a list, and what stands in it is told apart by its index flag."""

    def below(planned: Planned, flags: tuple[str, ...]) -> Iterator[Finding]:
        if planned.spec.name == "Repeater":
            if not is_reference(planned.text("on")):
                yield error(planned.tag, 'needs on="$field", the list that it repeats for')
            flags = (*flags, planned.text("indexFlag") or DEFAULT_INDEX_FLAG)
        elif flags and planned.spec.role in (Role.OBJECT, Role.CONTROL) and "name" in planned.tag.attrs:
            missing = [flag for flag in flags if flag not in planned.name]
            if missing:
                yield error(planned.tag, f"inside a Repeater the name must hold {missing[0]}, or all copies share it")
        for child in planned.children:
            yield from below(child, flags)

    yield from below(plan.root, ())


def _names(plan: Plan) -> Iterator[Finding]:
    named = [p for p in plan.root.walk() if p.spec.role in (Role.OBJECT, Role.CONTROL)]
    seen: dict[str, Planned] = {}
    for planned in named:
        name = planned.name
        if planned.spec.name == "Relations":
            continue
        if not name:
            yield error(planned.tag, "needs a name")
        elif len(name) > NAME_CHARACTERS_MAX:
            yield error(planned.tag, f"its name is longer than {NAME_CHARACTERS_MAX} characters")
        elif name in seen:
            yield error(planned.tag, f"the name {name!r} is taken by line {seen[name].tag.line}; names are unique")
        seen.setdefault(name, planned)
    controls = [p for p in named if p.spec.role is Role.CONTROL and p.spec.name != "Relations"]
    if not controls:
        yield error(plan.root.tag, "nothing is asked: add a control such as Choices, Labels or TextArea")
    if len(controls) > CONTROLS_MAX:
        yield error(plan.root.tag, f"more than {CONTROLS_MAX} controls")


def _objects(plan: Plan) -> Iterator[Finding]:
    for planned in plan.objects.values():
        given = planned.text("value") or planned.text("valueList")
        if not given:
            yield error(planned.tag, 'needs value="$field", where its material stands in the data')
        elif planned.spec.name not in ("Text", "HyperText") and not _takes_data(given):
            yield error(planned.tag, f"value={given[:40]!r} names no data field; write $field")
        if planned.spec.name == "TimeSeries" and not planned.options:
            yield error(planned.tag, "needs at least one Channel")
        if planned.spec.name == "Paragraphs" and planned.text("valueType") == "url":
            yield error(planned.tag, 'valueType="url" is not supported; put the paragraphs into the data')


def _takes_data(written: str) -> bool:
    return "$" in written or written.startswith(("https://", "media:"))


def _targets(plan: Plan) -> Iterator[Finding]:
    known = {**plan.objects}
    for planned in plan.controls.values():
        wanted = 2 if planned.spec.name == "Pairwise" else 1
        if "toname" not in {key.lower() for key in planned.tag.attrs} and planned.to:
            yield note(planned.tag, f"toName is missing; it is taken to work on {planned.to[0]!r}")
        if len(planned.to) != wanted:
            names = ", ".join(known) or "there is none yet"
            yield error(planned.tag, f"toName must name {wanted} object{'s' * (wanted > 1)} (objects: {names})")
            continue
        for name in planned.to:
            if name not in known:
                yield error(planned.tag, f"toName: there is no object {name!r}{nearest(name, known)}")
            else:
                yield from _fits(planned, known[name], plan)


def _fits(control: Planned, target: Planned, plan: Plan) -> Iterator[Finding]:
    kinds = control.spec.objects
    if kinds and target.spec.name not in kinds:
        yield error(control.tag, f"works on {', '.join(kinds)}, but {target.name!r} is {target.spec.name}")
        return
    shapes = _NEEDS_SHAPE.get(target.spec.name)
    if control.spec.name == "Labels" and shapes and not _has_control(plan, target.name, shapes):
        yield error(control.tag, f"on {target.spec.name} Labels need a control that draws: {', '.join(shapes)}")
    if control.flag("perItem") and target.spec.name not in WITH_ITEMS:
        yield error(control.tag, f"perItem: {target.spec.name} has no items to ask about one by one")
    if control.flag("perRegion") and control.flag("perItem"):
        yield error(control.tag, "is either perRegion or perItem, not both")
    if control.flag("perRegion") and target.spec.name != "Chat" and not _makes_regions(plan, target.name):
        yield error(control.tag, f"perRegion: no control makes regions on {target.name!r}, so it would never be asked")


def _has_control(plan: Plan, target: str, names: tuple[str, ...]) -> bool:
    return any(target in p.to and p.spec.name in names for p in plan.controls.values())


def _makes_regions(plan: Plan, target: str) -> bool:
    return any(target in p.to and p.spec.shape for p in plan.controls.values())


def _options(plan: Plan) -> Iterator[Finding]:
    for planned in [*plan.controls.values(), *([plan.relations] if plan.relations else [])]:
        spec = planned.spec
        kind = next((name for name in ("Choice", "Label", "Relation") if name in spec.options), None)
        dynamic = planned.text("value").startswith("$") and kind is not None
        if kind is not None and not planned.options and not dynamic and spec.name != "Relations":
            yield error(planned.tag, f'has no {kind} in it, and no value="$field" that lists them')
        yield from _distinct(planned, planned.options)


def _distinct(owner: Planned, options: tuple[Planned, ...]) -> Iterator[Finding]:
    if len(options) > OPTIONS_MAX:
        yield error(owner.tag, f"has more than {OPTIONS_MAX:,} options; load them from the data")
    values = [stored_value(option) for option in options]
    for option, value in zip(options, values, strict=True):
        if not value:
            needed = {"Bucket": "name", "Channel": "column"}.get(option.spec.name, "value")
            yield error(option.tag, f"needs a {needed}")
        yield from _distinct(option, option.options)
    for value, times in Counter(values).items():
        if times > 1 and value:
            where = next(option for option, other in zip(options, values, strict=True) if other == value)
            yield note(where.tag, f"{value!r} is given {times} times in <{owner.spec.name}>; only the first is shown")
    keys = Counter(option.text("hotkey").lower() for option in options if option.text("hotkey"))
    for key, times in keys.items():
        if times > 1:
            yield note(owner.tag, f"the hotkey {key!r} is given to {times} options; only the first gets it")


def stored_value(option: Planned) -> str:
    """What results hold when an option is taken."""
    if option.spec.name == "Bucket":
        return option.text("name")
    if option.spec.name == "Channel":
        return option.text("column")
    return option.text("alias") or option.text("value")


def known_values(planned: Planned) -> set[str]:
    """All values and aliases of a control's options, nested ones too."""
    found: set[str] = set()
    for option in planned.options:
        found |= {option.text("value"), option.text("alias"), stored_value(option)} | known_values(option)
    return found - {""}


def _conditions(plan: Plan) -> Iterator[Finding]:
    for planned in plan.root.walk():
        kind = planned.text("visibleWhen")
        narrowed = [
            key for key in ("whenTagName", "whenLabelValue", "whenChoiceValue", "whenRole") if planned.text(key)
        ]
        if not kind:
            if narrowed:
                yield error(planned.tag, f"{narrowed[0]} without visibleWhen shows it always; add visibleWhen")
            continue
        name = planned.text("whenTagName")
        source = plan.controls.get(name) or plan.objects.get(name)
        if name and source is None:
            known = {**plan.controls, **plan.objects}
            yield error(planned.tag, f"whenTagName: there is no tag named {name!r}{nearest(name, known)}")
        if kind.startswith("choice") and not name:
            yield error(planned.tag, f"visibleWhen={kind!r} needs whenTagName")
        values = planned.text("whenChoiceValue") if kind.startswith("choice") else planned.text("whenLabelValue")
        if source is not None and values:
            yield from _known_condition(planned, source, values)


def _known_condition(planned: Planned, source: Planned, values: str) -> Iterator[Finding]:
    known = known_values(source)
    if not known or source.text("value").startswith("$") or source.spec.role is not Role.CONTROL:
        return
    # A value may itself hold commas; only a list of which no part is known is certainly wrong.
    if values in known:
        return
    for value in (part.strip() for part in values.split(",")):
        if value and value not in known:
            yield error(planned.tag, f"{source.name!r} has no {value!r}{nearest(value, known)}")


def _details(plan: Plan) -> Iterator[Finding]:
    for planned in plan.controls.values():
        low, high = planned.number("min"), planned.number("max")
        if planned.spec.name == "Number" and low is not None and high is not None and low >= high:
            yield error(planned.tag, f"min {low:g} is not below max {high:g}")
        if planned.spec.name == "Rating" and not 1 <= (planned.number("maxRating") or 0) <= 100:
            yield error(planned.tag, "maxRating must lie between 1 and 100")
        if planned.spec.name == "DateTime":
            parts = {part.strip() for part in planned.text("only").split(",")} - {""}
            if parts - _DATETIME_PARTS:
                yield error(
                    planned.tag, f"only: {sorted(parts - _DATETIME_PARTS)[0]!r} is not date, time, month or year"
                )
    for planned in plan.root.walk():
        if planned.spec.name == "Filter":
            target = plan.controls.get(planned.text("toName"))
            if target is None or not target.spec.options:
                yield error(planned.tag, f"toName must name labels or choices, not {planned.text('toName')!r}")
        if planned.spec.name == "Collapse":
            for child in planned.children:
                if child.spec.name != "Panel":
                    yield error(child.tag, "inside Collapse only Panel tags can stand")


def _styles(plan: Plan) -> Iterator[Finding]:
    for planned in plan.root.walk():
        css = planned.tag.text if planned.spec.name == "Style" else f"x {{{planned.text('style')}}}"
        for dropped in dropped_css(css):
            yield note(planned.tag, f"the style {dropped[:80]!r} is left out (it could reach outside the task)")
