"""Reading a written answer out of the columns of a row, as releases lay it out."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from preceptor.tasktypes.importing import RowReader, RowRefused

AnswerT = TypeVar("AnswerT", bound=BaseModel)


def answer_of(model: type[AnswerT], reader: RowReader, given: Mapping[str, JsonValue]) -> AnswerT:
    """An answer from the values of columns; lists may be JSON in a cell of text. RowRefused names the column."""
    values = {name: _value(reader, name, value) for name, value in given.items() if value is not None}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        field = str(detail["loc"][0]) if detail["loc"] else ""
        raise RowRefused(f"{detail['msg'].removeprefix('Value error, ')}.", reader.columns.get(field, field)) from None


def _value(reader: RowReader, name: str, value: JsonValue) -> JsonValue:
    if isinstance(value, str) and value.lstrip()[:2] in ("[]", "[{", '["'):
        return reader.json_cell(value, name)
    return value
