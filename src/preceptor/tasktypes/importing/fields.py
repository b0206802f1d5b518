"""The usual importer: the columns of a file are the fields of the payload."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, JsonValue, ValidationError

from preceptor.tasktypes.importing.layout import Material, Way
from preceptor.tasktypes.importing.rows import RowReader, Values
from preceptor.tasktypes.importing.shapes import RowRefused, messages_of, transcript_of

GOLD: Final = "gold"
ANSWER: Final = "imported_answer"
_LABELS: Final = {GOLD: ("gold", "gold_answer"), ANSWER: ("imported_answer",)}


@dataclass(frozen=True)
class Field:
    """A field of the payload that a column can fill.

    `aliases`: further names of such a column. `chat`: role that a plain text gets as a message ("user",
    "assistant"), for fields that hold a conversation. `title`: what people call it. `text`: the field takes plain
    text, so that a cell is never read as JSON.
    """

    name: str
    title: str
    aliases: tuple[str, ...] = ()
    required: bool = False
    chat: str | None = None
    text: bool = False


class FieldsImporter:
    """Takes each column as a field of `payload_model`.

    A cell of text that begins with `[` or `{` is read as JSON, so that CSV can carry lists; where `chat` says so,
    other text becomes one message. Known answers are JSON of `answer_model`'s shape in `gold` or `imported_answer`.
    """

    def __init__(
        self,
        payload_model: type[BaseModel],
        answer_model: type[BaseModel],
        fields: Sequence[Field],
        ways: tuple[Way, ...],
    ) -> None:
        self._payload_model = payload_model
        self._answer_model = answer_model
        self._fields = tuple(fields)
        self.ways = ways
        self.targets: Mapping[str, tuple[str, ...]] = {
            **{field.name: (field.name, *field.aliases) for field in fields},
            **_LABELS,
        }
        self.titles: Mapping[str, str] = {
            **{field.name: field.title for field in fields},
            GOLD: "Known answer (JSON)",
            ANSWER: "Answer that came along (JSON)",
        }

    def settle(self, found: Mapping[str, str], by_name: Mapping[str, str]) -> dict[str, str]:
        """Everything that was recognised."""
        return dict(found)

    def missing(self, columns: Mapping[str, str]) -> tuple[str, ...]:
        """Required fields without a column."""
        return tuple(
            f"{field.title.lower()} (a column named {field.name})"
            for field in self._fields
            if field.required and field.name not in columns
        )

    def convert(self, row: Values, columns: Mapping[str, str]) -> Material:
        """The validated payload, and known answers where columns hold them."""
        reader = RowReader(row, columns)
        values = {field.name: self._read(reader, field) for field in self._fields if field.name in columns}
        given = {name: value for name, value in values.items() if value is not None}
        return Material(
            payload=_validated(self._payload_model, given, columns, None),
            imported_answer=self._answer(reader, ANSWER),
            gold=self._answer(reader, GOLD),
        )

    def _read(self, reader: RowReader, field: Field) -> JsonValue:
        value = reader.required(field.name) if field.required else reader.value(field.name)
        if value is None or field.text:
            return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        if isinstance(value, str) and not value.strip():
            if field.required:
                raise RowRefused("The cell is empty. Fill it or take the row out.", reader.columns[field.name])
            return None
        if isinstance(value, str) and field.chat and (transcript := transcript_of(value)) is not None:
            return list(transcript)
        if isinstance(value, str) and value.lstrip()[:1] in ("[", "{") and _looks_like_json(value, field):
            value = reader.json_cell(value, field.name)
        if field.chat and value == [] and not field.required:
            return value
        if field.chat:
            return list(messages_of(value, field.chat, reader.columns[field.name]))
        return value

    def _answer(self, reader: RowReader, target: str) -> BaseModel | None:
        value = reader.value(target)
        if isinstance(value, str):
            value = reader.json_cell(value, target) if value.strip() else None
        # In rows of our releases `gold` says whether the task measured people, and is no answer.
        if value is None or isinstance(value, bool):
            return None
        return _validated(self._answer_model, value, {}, reader.columns[target])


def _looks_like_json(text: str, field: Field) -> bool:
    # A prompt may begin with a bracket and still be a prompt.
    return field.chat is None or text.lstrip().startswith(('[{"role"', '{"role"', '[{"content"', '[{"from"'))


def _validated(model: type[BaseModel], given: object, columns: Mapping[str, str], under: str | None) -> BaseModel:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        # Content may be text or parts; of the complaints of a union the longest path is about what was meant.
        detail = max(error.errors(include_url=False, include_input=False), key=lambda found: len(found["loc"]))
        place = [str(step) for step in detail["loc"]]
        column = under or (columns.get(place[0], place[0]) if place else None)
        problem = detail["msg"].removeprefix("Value error, ")
        inner = [step for step in place if step.isidentifier() or step.isdigit()]
        raise RowRefused(f"{problem} (at {'.'.join(inner)})." if inner else f"{problem}.", column) from None
