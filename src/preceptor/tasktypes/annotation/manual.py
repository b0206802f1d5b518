"""The manual's tables of tags and parameters, written from the vocabulary itself."""

from textwrap import fill

from preceptor.tasktypes.annotation.vocabulary import OLDER_NAMES, SPECS, UNSUPPORTED, Kind, Role, TagSpec
from preceptor.tasktypes.annotation.vocabulary.spec import STYLED, VISIBLE, Param, Support

BEGIN = "[//]: # (tags: begin)"
END = "[//]: # (tags: end)"
LINE_CHARACTERS = 118

_HEADINGS = (
    (Role.OBJECT, "Objects: what is shown"),
    (Role.CONTROL, "Controls: what is asked"),
    (Role.OPTION, "Options within them"),
    (Role.LAYOUT, "Layout"),
)
# Said once for all tags.
_COMMON = frozenset({param.name for param in (*STYLED, *VISIBLE)})


def tag_tables() -> str:
    """Markdown of all tags: one heading for each role, one table for each tag."""
    parts: list[str] = []
    for role, heading in _HEADINGS:
        parts.append(f"### {heading}\n")
        parts += [_tag(spec) for spec in SPECS.values() if spec.role is role]
    parts.append(_not_offered())
    return "\n".join(parts)


def _tag(spec: TagSpec) -> str:
    lines = [f"#### `{spec.name}`\n", _wrapped(spec.about + _facts(spec)) + "\n"]
    params = [param for param in spec.params if param.name not in _COMMON]
    shown = [param for param in params if param.support is not Support.LOOKS]
    if shown:
        lines += ["| parameter | value | default | |", "|---|---|---|---|"]
        lines += [_row(param) for param in shown]
        lines.append("")
    unused = [f"`{param.name}`" for param in params if param.support is Support.LOOKS]
    if unused:
        lines.append(_wrapped(f"Accepted without effect: {', '.join(unused)}.") + "\n")
    return "\n".join(lines)


def _wrapped(text: str) -> str:
    return fill(text, LINE_CHARACTERS, break_long_words=False, break_on_hyphens=False)


def _facts(spec: TagSpec) -> str:
    facts = []
    if spec.result is not None:
        facts.append(f"Results have the type `{spec.result}`.")
    if spec.objects:
        facts.append(f"Works on {', '.join(spec.objects)}.")
    if spec.options:
        facts.append(f"Holds {', '.join(f'`{name}`' for name in spec.options)}.")
    return "".join(f" {fact}" for fact in facts)


def _row(param: Param) -> str:
    value = " \\| ".join(f"`{option}`" for option in param.options) if param.kind is Kind.CHOICE else param.kind.value
    given = str(param.default).lower() if isinstance(param.default, bool) else str(param.default)
    default = "" if param.default in (None, "") else f"`{given}`"
    about = f"**refused**: {param.about}" if param.support is Support.NO else param.about
    return f"| `{param.name}` | {value} | {default} | {about} |"


def _not_offered() -> str:
    rows = [f"| `{name}` | {instead} |" for name, instead in sorted(UNSUPPORTED.items())]
    older = ", ".join(f"`{old}` for `{new}`" for old, new in sorted(OLDER_NAMES.items()))
    return "\n".join(
        [
            "### Not offered\n",
            "A config with one of these tags is refused with the line where it stands.\n",
            "| tag | instead |",
            "|---|---|",
            *rows,
            "",
            f"Older names are understood: {older}.",
            "",
        ]
    )
