"""Which column of a file means what: recognised from names (`detect`), or said by an explicit mapping (`mapping_of`).

What every task can have is known here; what the material is made of, the task type's importer knows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from preceptor.people.content import RATINGS
from preceptor.tasktypes.importing import Importer, Values

OPTIONAL_COLUMNS: Final = (
    "id (or external_id, task_id): your own name of the task, so that importing again changes nothing; "
    "priority: 1 (most urgent) to 9, 5 where empty; overlap: how many people judge this task; topic; "
    "gold: the known answer, with gold_explanation; content_ratings: what the task may show that not everybody wants "
    f"to see ({', '.join(RATINGS)}), several with commas."
)

COMMON: Final[Mapping[str, tuple[str, ...]]] = {
    "external_id": ("external_id", "task_id", "id", "uid", "uuid"),
    "priority": ("priority",),
    "overlap": ("overlap",),
    "topic": ("topic", "subject", "category"),
    "gold_explanation": ("gold_explanation",),
    "content_ratings": ("content_ratings", "content_rating"),
}
COMMON_TITLES: Final = {
    "external_id": "Your own id",
    "topic": "Topic",
    "gold_explanation": "Why the gold answer is right",
    "content_ratings": "What it may show",
}


class MappingRefused(ValueError):
    """The mapping cannot describe tasks of this kind; the message says why and what to name."""


@dataclass(frozen=True)
class ColumnMapping:
    """Target -> column of the file. Make one with `mapping_of` or `detect`; both check that it can work."""

    columns: Mapping[str, str]


@dataclass(frozen=True)
class Suggestions:
    """What could be told about a file whose layout is not one of the known ones.

    `found`: targets recognised so far. `missing`: what is still needed, in words.
    `text_columns`: columns that hold text and are free, longest texts first: likely material.
    """

    found: Mapping[str, str]
    missing: tuple[str, ...]
    text_columns: tuple[str, ...]

    @property
    def message(self) -> str:
        """One sentence for the person who brought the file."""
        free = ", ".join(self.text_columns[:8]) or "none"
        return (
            f"The columns do not say which is which: {'; '.join(self.missing)}. Rename them, or give a mapping such as "
            f'{{"prompt": "…"}}. Columns with text: {free}.'
        )


def targets_of(importer: Importer) -> dict[str, tuple[str, ...]]:
    """Everything that a column can mean, with the names that mean it."""
    return {**COMMON, **importer.targets}


def titles_of(importer: Importer) -> dict[str, str]:
    """Targets that a person can map by hand, with what to call them."""
    return {**importer.titles, **COMMON_TITLES}


def mapping_of(columns: Mapping[str, str], importer: Importer) -> ColumnMapping:
    """An explicit mapping, checked. MappingRefused names an unknown target or a missing part."""
    known = targets_of(importer)
    unknown = [target for target in columns if target not in known]
    if unknown:
        raise MappingRefused(f"Unknown target {unknown[0]!r}. Known are: {', '.join(known)}.")
    missing = importer.missing(columns)
    if missing:
        raise MappingRefused(f"The mapping is not complete: {'; '.join(missing)}.")
    return ColumnMapping(dict(columns))


def detect(columns: Sequence[str], sample_rows: Sequence[Values], importer: Importer) -> ColumnMapping | Suggestions:
    """The mapping for a known layout, or what could be told about an unknown one.

    Names are compared without case, with spaces and hyphens as underscores. The sample decides only which
    columns to suggest.
    """
    found = _recognised(columns, importer)
    missing = importer.missing(found)
    if not missing:
        return ColumnMapping(found)
    free = [name for name in columns if name not in found.values()]
    return Suggestions(found=found, missing=missing, text_columns=_longest_texts(free, sample_rows))


def _recognised(columns: Sequence[str], importer: Importer) -> dict[str, str]:
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(re.sub(r"[\s-]+", "_", column.strip().lower()), column)
    found: dict[str, str] = {}
    for target, aliases in targets_of(importer).items():
        known = [by_name[alias] for alias in aliases if alias in by_name]
        if known:
            found[target] = known[0]
    return importer.settle(found, by_name)


def _longest_texts(columns: Sequence[str], rows: Sequence[Values]) -> tuple[str, ...]:
    length: dict[str, int] = {}
    for column in columns:
        texts = [value for row in rows if isinstance(value := row.get(column), str)]
        if texts:
            length[column] = sum(map(len, texts))
    return tuple(sorted(length, key=lambda column: -length[column]))
