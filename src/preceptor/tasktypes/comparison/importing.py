"""How one row of a file becomes a comparison, with what was known about it kept beside it.

The common layouts are found from the column names; anything else is said by an explicit mapping such as
`{"prompt": "question", "response_a": "text1", "response_b": "text2"}`. Known labels (a chosen response, a winner,
votes) are kept beside the task and never in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Final

from pydantic import JsonValue, ValidationError

from preceptor.tasktypes.comparison.columns import (
    CHOSEN_TARGETS,
    LETTERS,
    RESPONSE_TARGETS,
    TARGETS,
    TITLES,
    WAYS,
    missing,
    response_targets,
    settle,
)
from preceptor.tasktypes.comparison.models import (
    RESPONSES_MAX,
    RESPONSES_MIN,
    TIE,
    ComparisonAnswer,
    ComparisonPayload,
)
from preceptor.tasktypes.importing import (
    Material,
    RawMessage,
    RowReader,
    RowRefused,
    Values,
    kind_of,
    messages_of,
    transcript_of,
)

SOURCE_CHARACTERS_MAX = 200
VOTES_MAX = 1_000_000


class ComparisonImporter:
    """Reads comparisons in the layouts that preference data is kept in."""

    ways = WAYS
    targets = TARGETS
    titles = TITLES

    def settle(self, found: Mapping[str, str], by_name: Mapping[str, str]) -> dict[str, str]:
        """See `columns.settle`."""
        return settle(found, by_name)

    def missing(self, columns: Mapping[str, str]) -> tuple[str, ...]:
        """See `columns.missing`."""
        return missing(columns)

    def convert(self, row: Values, columns: Mapping[str, str]) -> Material:
        """The comparison in a row; RowRefused says which column is wrong and how to mend it.

        Responses are named r1, r2, ... in file order, except for chosen/rejected: there the order, drawn from the
        external id, tells nothing about the choice.
        """
        reader = _ComparisonReader(row, columns)
        prompt, responses = reader.conversation()
        order = list(range(len(responses)))
        if "chosen" in columns and _leads_backwards(reader.value("external_id"), responses):
            order.reverse()
        names = {position: f"r{place + 1}" for place, position in enumerate(order)}
        return Material(
            payload=reader.payload(prompt, responses, order),
            gold=reader.answer("gold", names),
            imported_answer=reader.imported_answer(names),
            imported_votes=reader.votes(names),
        )


def _leads_backwards(external_id: JsonValue, responses: Sequence[list[RawMessage]]) -> bool:
    # Without an id the two texts themselves decide, whichever of them was the chosen one:
    # stored by content, their order carries nothing of the file's.
    known = "" if external_id is None else str(external_id).strip()
    if not known:
        return repr(responses[0]) > repr(responses[1])
    return bool(sha256(known.encode(errors="replace")).digest()[0] & 1)


class _ComparisonReader(RowReader):
    """One row, read as a comparison."""

    # Prompt and responses

    def conversation(self) -> tuple[list[RawMessage], list[list[RawMessage]]]:
        """Prompt messages, and the messages of each response in file order."""
        responses = [messages for _, messages in self._responses()]
        prompt = self._prompt(responses)
        if "chosen" in self.columns:
            responses = self._without_prompt(prompt, responses)
        return prompt, responses

    def _prompt(self, responses: Sequence[list[RawMessage]]) -> list[RawMessage]:
        target = "prompt" if "prompt" in self.columns else "messages"
        if target not in self.columns:
            return self._common_beginning(responses[0], responses[1])
        value = self.required(target)
        if isinstance(value, str):
            transcript = transcript_of(value)
            if transcript is not None:
                return transcript
            if target == "messages" or value.lstrip().startswith('[{"role"'):
                value = self.json_cell(value, target)
        if isinstance(value, str) and not value.strip():
            raise RowRefused("The prompt is empty. Fill it or take the row out.", self.columns[target])
        return messages_of(value, "user", self.columns[target])

    def _responses(self) -> Iterator[tuple[str, list[RawMessage]]]:
        targets = response_targets(self.columns)
        for target in targets:
            # Files with room for six responses may use fewer in a row.
            if target in RESPONSE_TARGETS[RESPONSES_MIN:] and self.value(target) is None:
                continue
            column = self.columns[target]
            value = self.required(target)
            transcript = None
            if isinstance(value, str) and "prompt" not in self.columns and target in CHOSEN_TARGETS:
                transcript = transcript_of(value)
            yield column, transcript or messages_of(value, "assistant", column)
        if not targets:
            column = self.columns["responses"]
            for value in self._response_list(column):
                yield column, messages_of(_messages_in(value), "assistant", column)

    def _response_list(self, column: str) -> list[JsonValue]:
        value = self.required("responses")
        if isinstance(value, str):
            value = self.json_cell(value, "responses")
        if not isinstance(value, list):
            raise RowRefused(f"Must be a list of responses, is {kind_of(value)}.", column)
        if not RESPONSES_MIN <= len(value) <= RESPONSES_MAX:
            raise RowRefused(f"Has {len(value)} responses; it must have {RESPONSES_MIN} to {RESPONSES_MAX}.", column)
        return value

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
            raise RowRefused("chosen and rejected are the same.", self.columns["rejected"])
        return stripped

    def payload(
        self, prompt: list[RawMessage], responses: Sequence[list[RawMessage]], order: Sequence[int]
    ) -> ComparisonPayload:
        """The validated payload, its responses in the order given; RowRefused in the file's column names."""
        context = self.value("context")
        items = []
        for place, position in enumerate(order):
            item: dict[str, object] = {"id": f"r{place + 1}", "messages": responses[position]}
            source = self.text(f"source_{LETTERS[position]}", SOURCE_CHARACTERS_MAX) or self._listed_source(position)
            if source is not None:
                item["source"] = source
            items.append(item)
        try:
            return ComparisonPayload.model_validate({"prompt": prompt, "responses": items, "context": context})
        except ValidationError as error:
            raise self._refusal(error, order) from None

    def _listed_source(self, position: int) -> JsonValue:
        """The source that an entry of a list of responses names itself, as in the judgments of a release."""
        listed = self.value("responses")
        if isinstance(listed, str):
            listed = self.json_cell(listed, "responses")
        entry = listed[position] if isinstance(listed, list) and position < len(listed) else None
        return entry.get("source") if isinstance(entry, dict) else None

    def _refusal(self, error: ValidationError, order: Sequence[int]) -> RowRefused:
        # Content may be text or parts; of the two complaints of a union the longer path is about what was meant.
        detail = max(error.errors(include_url=False, include_input=False), key=lambda found: len(found["loc"]))
        place, column = detail["loc"], None
        if place[:1] == ("responses",) and len(place) > 1:
            position = order[int(place[1])]
            targets = response_targets(self.columns)
            column = self.columns[self._present(targets)[position] if targets else "responses"]
        elif place:
            column = self.columns.get(str(place[0])) or self.columns.get("messages")
        inner = [str(step) for step in place if isinstance(step, int) or str(step).isidentifier()]
        problem = detail["msg"].removeprefix("Value error, ")
        return RowRefused(f"{problem} (at {'.'.join(inner)}).", column)

    def _present(self, targets: Sequence[str]) -> list[str]:
        return [target for target in targets if self.value(target) is not None]

    # Labels that came along

    def imported_answer(self, names: Mapping[int, str]) -> ComparisonAnswer | None:
        """The known choice: `chosen` over `rejected`, or what the choice column says; None where there is none."""
        if "chosen" in self.columns:
            return ComparisonAnswer(ranks={names[0]: 1, names[1]: 2})
        return self.answer("choice", names)

    def answer(self, target: str, names: Mapping[int, str]) -> ComparisonAnswer | None:
        """A known answer (winner or ranks) in stored names, None where absent."""
        value = self.value(target)
        if value is None or value == "":
            return None
        column = self.columns[target]
        if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
            value = self.json_cell(value, target)
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
        targets = self._present(response_targets(self.columns))
        for position, name in names.items():
            letter = LETTERS[position]
            ways = [letter, f"response_{letter}", f"model_{letter}", f"answer_{letter}", f"r{position + 1}"]
            if targets:
                ways += [targets[position], self.columns[targets[position]].lower()]
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


def _messages_in(entry: JsonValue) -> JsonValue:
    """The messages of a response that is kept as `{"id", "messages", "source"}`, as payloads and releases do."""
    return entry["messages"] if isinstance(entry, dict) and isinstance(entry.get("messages"), list) else entry


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
