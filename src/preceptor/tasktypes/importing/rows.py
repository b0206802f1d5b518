"""One row of a file seen through a mapping: typed reading with problems in the file's own column names."""

import re
from collections.abc import Mapping

from pydantic import JsonValue

from preceptor.tasktypes.importing.json_values import BadJson, parse_json
from preceptor.tasktypes.importing.shapes import RowRefused, kind_of
from preceptor.tasktypes.messages import storable_text

Values = Mapping[str, JsonValue]
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,12}\s*")
_SHOWN_CHARACTERS = 40


class RowReader:
    """Reads targets of a row. `columns`: target -> column of the file."""

    def __init__(self, row: Values, columns: Mapping[str, str]) -> None:
        self._row = row
        self.columns = columns

    def value(self, target: str) -> JsonValue:
        """What stands in the target's column; None where it is empty or there is no such column."""
        column = self.columns.get(target)
        return None if column is None else self._row.get(column)

    def required(self, target: str) -> JsonValue:
        """What stands in the target's column, which must not be empty."""
        value = self.value(target)
        if value is None:
            column = self.columns[target]
            problem = "is empty" if column in self._row else "is missing"
            raise RowRefused(f"The {target} {problem}. Fill it or take the row out.", column)
        return value

    def text(self, target: str, characters_max: int) -> str | None:
        """A short text, None where absent. Whole numbers are taken as text."""
        value = self.value(target)
        if value is None:
            return None
        column = self.columns[target]
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise RowRefused(f"Must be text, is {kind_of(value)}.", column)
        if len(value) > characters_max:
            raise RowRefused(f"Has {len(value):,} characters; the limit is {characters_max:,}.", column)
        try:
            return storable_text(value).strip() or None
        except ValueError as error:
            raise RowRefused(f"The text {error}.", column) from None

    def whole_number(self, target: str, least: int, most: int) -> int | None:
        """A whole number within limits, None where absent; `3`, `"3"` and `3.0` are the same."""
        value = self.value(target)
        if value is None:
            return None
        number = _whole(value)
        if number is None or not least <= number <= most:
            shown = repr(value)[:_SHOWN_CHARACTERS]
            raise RowRefused(f"Must be a whole number from {least} to {most}, is {shown}.", self.columns[target])
        return number

    def names(self, target: str, most: int) -> list[str]:
        """Short names: a list of texts, such a list as JSON, or a text with commas, semicolons or `|` in between."""
        value = self.value(target)
        if isinstance(value, str):
            listed = value.lstrip().startswith("[")
            value = self.json_cell(value, target) if listed else [*re.split(r"[,;|]", value)]
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > most:
            raise RowRefused(f"Must be a list of at most {most} names, is {kind_of(value)}.", self.columns[target])
        texts = [name.strip() for name in value if isinstance(name, str)]
        if len(texts) < len(value):
            raise RowRefused("Must be a list of names; one of them is not text.", self.columns[target])
        return [name for name in texts if name]

    def json_cell(self, text: str, target: str) -> JsonValue:
        """JSON that a cell holds as text, as in CSV."""
        try:
            return parse_json(text)
        except BadJson as error:
            raise RowRefused(f"The cell must hold JSON. {error}", self.columns[target]) from None


def _whole(value: JsonValue) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    return None
