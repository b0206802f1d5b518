"""How one row of a file becomes a comparison task, with what was known about it kept beside it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from pydantic import JsonValue, ValidationError

from preceptor.projects.importing.mapping import (
    CHOSEN_TARGETS,
    LETTERS,
    RESPONSE_TARGETS,
    ColumnMapping,
    Values,
)
from preceptor.projects.importing.readers import parse_json
from preceptor.projects.importing.shapes import RawMessage, RowRefused, kind_of, messages_of, transcript_of
from preceptor.tasktypes.comparison import ComparisonAnswer, ComparisonPayload
from preceptor.tasktypes.comparison.models import RESPONSES_MAX, RESPONSES_MIN, TIE
from preceptor.tasktypes.messages import storable_text

EXTERNAL_ID_CHARACTERS_MAX = 200
TOPIC_CHARACTERS_MAX = 200
EXPLANATION_CHARACTERS_MAX = 5_000
PRIORITY_MIN, PRIORITY_MAX, PRIORITY_USUAL = 1, 9, 5
OVERLAP_MIN, OVERLAP_MAX = 1, 100
VOTES_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class ImportedTask:
    """A task out of a file. Its payload is valid; labels that came along stand beside it.

    `imported_answer` and `imported_votes` (response id or `tie` -> count) are what others decided before;
    `gold` is a known answer to measure people by. None of them is ever part of the payload.
    """

    line: int
    external_id: str
    payload: ComparisonPayload
    priority: int = PRIORITY_USUAL
    """1 is most urgent, 9 least."""
    overlap: int | None = None
    topic: str | None = None
    gold: ComparisonAnswer | None = None
    gold_explanation: str | None = None
    imported_answer: ComparisonAnswer | None = None
    imported_votes: Mapping[str, int] = field(default_factory=dict)


def convert(row: Values, mapping: ColumnMapping, line: int = 0) -> ImportedTask:
    """The task in a row; RowRefused says which column is wrong and how to mend it.

    Responses are named r1, r2, ... in file order, except for chosen/rejected: there the order, drawn from the
    external id, tells nothing about the choice. Without an id the task is named by the SHA-256 of its payload.
    """
    reader = _RowReader(row, mapping)
    prompt, responses = reader.conversation()
    external_id = reader.text("external_id", EXTERNAL_ID_CHARACTERS_MAX)
    order = list(range(len(responses)))
    if "chosen" in mapping.columns and _leads_backwards(external_id, responses):
        order.reverse()
    names = {position: f"r{place + 1}" for place, position in enumerate(order)}
    payload = reader.payload(prompt, responses, order)
    return ImportedTask(
        line=line,
        external_id=external_id or sha256(payload.model_dump_json(exclude_none=True).encode()).hexdigest(),
        payload=payload,
        priority=reader.whole_number("priority", PRIORITY_MIN, PRIORITY_MAX) or PRIORITY_USUAL,
        overlap=reader.whole_number("overlap", OVERLAP_MIN, OVERLAP_MAX),
        topic=reader.text("topic", TOPIC_CHARACTERS_MAX),
        gold=reader.answer("gold", names),
        gold_explanation=reader.text("gold_explanation", EXPLANATION_CHARACTERS_MAX),
        imported_answer=reader.imported_answer(names),
        imported_votes=reader.votes(names),
    )


def _leads_backwards(external_id: str | None, responses: Sequence[list[RawMessage]]) -> bool:
    # Without an id the two texts themselves decide, whichever of them was the chosen one:
    # stored by content, their order carries nothing of the file's.
    if external_id is None:
        return repr(responses[0]) > repr(responses[1])
    return bool(sha256(external_id.encode()).digest()[0] & 1)


class _RowReader:
    """One row seen through a mapping: typed reading with problems in the file's own column names."""

    def __init__(self, row: Values, mapping: ColumnMapping) -> None:
        self._row = row
        self._mapping = mapping
        self._columns = mapping.columns

    def _value(self, target: str) -> JsonValue:
        column = self._columns.get(target)
        return None if column is None else self._row.get(column)

    def _required(self, target: str) -> JsonValue:
        value = self._value(target)
        if value is None:
            column = self._columns[target]
            problem = "is empty" if column in self._row else "is missing"
            raise RowRefused(f"The {target} {problem}. Fill it or take the row out.", column)
        return value

    def text(self, target: str, characters_max: int) -> str | None:
        """A short text, None where absent. Whole numbers are taken as text."""
        value = self._value(target)
        if value is None:
            return None
        column = self._columns[target]
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
        value = self._value(target)
        if value is None:
            return None
        number = _whole(value)
        if number is None or not least <= number <= most:
            shown = repr(value)[:40]
            raise RowRefused(f"Must be a whole number from {least} to {most}, is {shown}.", self._columns[target])
        return number

    # Prompt and responses

    def conversation(self) -> tuple[list[RawMessage], list[list[RawMessage]]]:
        """Prompt messages, and the messages of each response in file order."""
        responses = [messages for _, messages in self._responses()]
        prompt = self._prompt(responses)
        if "chosen" in self._columns:
            responses = self._without_prompt(prompt, responses)
        return prompt, responses

    def _prompt(self, responses: Sequence[list[RawMessage]]) -> list[RawMessage]:
        target = "prompt" if "prompt" in self._columns else "messages"
        if target not in self._columns:
            return self._common_beginning(responses[0], responses[1])
        value = self._required(target)
        if isinstance(value, str):
            transcript = transcript_of(value)
            if transcript is not None:
                return transcript
            if target == "messages" or value.lstrip().startswith('[{"role"'):
                value = self._json_cell(value, target)
        if isinstance(value, str) and not value.strip():
            raise RowRefused("The prompt is empty. Fill it or take the row out.", self._columns[target])
        return messages_of(value, "user", self._columns[target])

    def _responses(self) -> Iterator[tuple[str, list[RawMessage]]]:
        targets = self._mapping.response_targets
        for target in targets:
            # Files with room for six responses may use fewer in a row.
            if target in RESPONSE_TARGETS[RESPONSES_MIN:] and self._value(target) is None:
                continue
            column = self._columns[target]
            value = self._required(target)
            transcript = None
            if isinstance(value, str) and "prompt" not in self._columns and target in CHOSEN_TARGETS:
                transcript = transcript_of(value)
            yield column, transcript or messages_of(value, "assistant", column)
        if not targets:
            column = self._columns["responses"]
            for value in self._response_list(column):
                yield column, messages_of(value, "assistant", column)

    def _response_list(self, column: str) -> list[JsonValue]:
        value = self._required("responses")
        if isinstance(value, str):
            value = self._json_cell(value, "responses")
        if not isinstance(value, list):
            raise RowRefused(f"Must be a list of responses, is {kind_of(value)}.", column)
        if not RESPONSES_MIN <= len(value) <= RESPONSES_MAX:
            raise RowRefused(f"Has {len(value)} responses; it must have {RESPONSES_MIN} to {RESPONSES_MAX}.", column)
        return value

    def _json_cell(self, text: str, target: str) -> JsonValue:
        try:
            return parse_json(text)
        except ValueError as error:
            raise RowRefused(f"The cell must hold JSON. {error}", self._columns[target]) from None

    def _common_beginning(self, chosen: list[RawMessage], rejected: list[RawMessage]) -> list[RawMessage]:
        # The implicit prompt of TRL: all that both dialogues begin with.
        common = 0
        while common < min(len(chosen), len(rejected)) and chosen[common] == rejected[common]:
            common += 1
        if common == 0:
            raise RowRefused(
                "There is no prompt column, and the two dialogues have no common beginning to be the prompt."
            )
        if common == len(chosen) or common == len(rejected):
            raise RowRefused("One dialogue is the beginning of the other, so there is no response to compare.")
        return chosen[:common]

    def _without_prompt(self, prompt: list[RawMessage], responses: list[list[RawMessage]]) -> list[list[RawMessage]]:
        """Both responses without the prompt that whole dialogues repeat; refused where nothing differs."""
        size = len(prompt)
        stripped = [r[size:] if len(r) > size and r[:size] == prompt else r for r in responses]
        if stripped[0] == stripped[1]:
            raise RowRefused("chosen and rejected are the same.", self._columns["rejected"])
        return stripped

    def payload(
        self, prompt: list[RawMessage], responses: Sequence[list[RawMessage]], order: Sequence[int]
    ) -> ComparisonPayload:
        """The validated payload, its responses in the order given; RowRefused in the file's column names."""
        context = self._value("context")
        items = []
        for place, position in enumerate(order):
            item: dict[str, object] = {"id": f"r{place + 1}", "messages": responses[position]}
            source = self.text(f"source_{LETTERS[position]}", 200)
            if source is not None:
                item["source"] = source
            items.append(item)
        try:
            return ComparisonPayload.model_validate({"prompt": prompt, "responses": items, "context": context})
        except ValidationError as error:
            raise self._refusal(error, order) from None

    def _refusal(self, error: ValidationError, order: Sequence[int]) -> RowRefused:
        # Content may be text or parts; of the two complaints of a union the longer path is about what was meant.
        detail = max(error.errors(include_url=False, include_input=False), key=lambda found: len(found["loc"]))
        place, column = detail["loc"], None
        if place[:1] == ("responses",) and len(place) > 1:
            position = order[int(place[1])]
            targets = self._mapping.response_targets
            column = self._columns[self._present(targets)[position] if targets else "responses"]
        elif place:
            column = self._columns.get(str(place[0])) or self._columns.get("messages")
        inner = [str(step) for step in place if isinstance(step, int) or str(step).isidentifier()]
        problem = detail["msg"].removeprefix("Value error, ")
        return RowRefused(f"{problem} (at {'.'.join(inner)}).", column)

    def _present(self, targets: Sequence[str]) -> list[str]:
        return [target for target in targets if self._value(target) is not None]

    # Labels that came along

    def imported_answer(self, names: Mapping[int, str]) -> ComparisonAnswer | None:
        """The known choice: `chosen` over `rejected`, or what the choice column says; None where there is none."""
        if "chosen" in self._columns:
            return ComparisonAnswer(ranks={names[0]: 1, names[1]: 2})
        return self.answer("choice", names)

    def answer(self, target: str, names: Mapping[int, str]) -> ComparisonAnswer | None:
        """A known answer (winner or ranks) in stored names, None where absent."""
        value = self._value(target)
        if value is None or value == "":
            return None
        column = self._columns[target]
        if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
            value = self._json_cell(value, target)
        if isinstance(value, str):
            return _winner(value, self._known_names(names), column)
        if isinstance(value, list | dict):
            return _ranked(value, self._known_names(names), names, column)
        raise RowRefused(
            f"Cannot tell whether {value!r} counts from 0 or 1. Write the letter of the better response, or tie.",
            column,
        )

    def _known_names(self, names: Mapping[int, str]) -> dict[str, str]:
        """All the ways in which a row may name its responses, lower case -> stored name."""
        known: dict[str, str] = {}
        targets = self._present(self._mapping.response_targets)
        for position, name in names.items():
            letter = LETTERS[position]
            ways = [letter, f"response_{letter}", f"model_{letter}", f"answer_{letter}", f"r{position + 1}"]
            if targets:
                ways += [targets[position], self._columns[targets[position]].lower()]
            known.update((way, name) for way in ways)
        return known

    def votes(self, names: Mapping[int, str]) -> dict[str, int]:
        """Votes that came with the file, by stored name."""
        counts = {}
        for position, name in names.items():
            count = self.whole_number(f"votes_{LETTERS[position]}", 0, VOTES_MAX)
            if count is not None:
                counts[name] = count
        return counts


_TIE_WORDS: Final = frozenset({TIE, "same", "equal", "draw"})
_BOTH_BAD_WORDS: Final = frozenset(
    {"both_bad", "bothbad", "neither", "tie (bothbad)", "tie (both bad)", "tie(bothbad)"}
)


def _winner(value: str, known: Mapping[str, str], column: str) -> ComparisonAnswer:
    word = value.strip().lower()
    everyone = sorted(set(known.values()))
    if word in _TIE_WORDS or word in _BOTH_BAD_WORDS:
        return ComparisonAnswer(ranks=dict.fromkeys(everyone, 1), both_bad=word in _BOTH_BAD_WORDS)
    winner = known.get(word)
    if winner is None:
        letters = ", ".join(LETTERS[: len(everyone)])
        raise RowRefused(f"Cannot tell which response {value[:40]!r} means. Write {letters} or tie.", column)
    return ComparisonAnswer(ranks={name: 1 if name == winner else 2 for name in everyone})


def _ranked(
    value: list[JsonValue] | dict[str, JsonValue],
    known: Mapping[str, str],
    names: Mapping[int, str],
    column: str,
) -> ComparisonAnswer:
    if isinstance(value, list):
        if len(value) != len(names):
            raise RowRefused(f"Has {len(value)} ranks for {len(names)} responses.", column)
        ranks = {names[position]: rank for position, rank in enumerate(value)}
    else:
        unknown = next((name for name in value if name.strip().lower() not in known), None)
        if unknown is not None:
            raise RowRefused(f"Cannot tell which response {unknown[:40]!r} means.", column)
        ranks = {known[name.strip().lower()]: rank for name, rank in value.items()}
    try:
        answer = ComparisonAnswer.model_validate({"ranks": ranks})
    except ValidationError:
        raise RowRefused("Ranks must be whole numbers from 1 (best); equal ranks are ties.", column) from None
    if len(answer.ranks) < RESPONSES_MIN:
        raise RowRefused(f"Rank at least {RESPONSES_MIN} responses.", column)
    return answer


def _whole(value: JsonValue) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,12}\s*", value):
        return int(value)
    return None
