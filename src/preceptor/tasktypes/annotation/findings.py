"""What is wrong with, or worth knowing about, a labeling config."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from preceptor.tasktypes.annotation.markup import Tag

FINDINGS_SHOWN = 20


@dataclass(frozen=True)
class Finding:
    """`error`: the config is refused. `note`: it works, but something in it has no effect here."""

    level: Literal["error", "note"]
    line: int
    tag: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, <{self.tag}>: {self.message}"


def error(tag: Tag, message: str) -> Finding:
    """A finding that refuses the config."""
    return Finding("error", tag.line, tag.name, message)


def note(tag: Tag, message: str) -> Finding:
    """A finding that only informs."""
    return Finding("note", tag.line, tag.name, message)


def nearest(word: str, known: Iterable[str]) -> str:
    """` (did you mean X?)` where something known is spelled nearly like it, else nothing."""
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.75)
    return f" (did you mean {by_lower[close[0]]}?)" if close else ""


class ConfigError(ValueError):
    """A labeling config cannot be used; the message lists what to mend, with lines."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        shown = [str(finding) for finding in self.findings[:FINDINGS_SHOWN]]
        rest = len(self.findings) - len(shown)
        super().__init__("; ".join(shown) + (f"; and {rest} more" if rest else ""))
