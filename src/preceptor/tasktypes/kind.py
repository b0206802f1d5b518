"""The base of task types: answers to everything that a simple kind of work does not care about."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import ClassVar, Generic

import pyarrow as pa

from preceptor.quality.consensus import majority
from preceptor.tasktypes.base import (
    AnswerT,
    ConfigT,
    Consensus,
    Exporter,
    PayloadT,
    Problem,
    ReleasedJudgment,
    ReleasedTask,
    ReleaseRows,
    Row,
    Score,
    Service,
    Table,
    Template,
    Words,
    to_json,
)
from preceptor.tasktypes.importing import Importer
from preceptor.tasktypes.messages import Message, plain_content
from preceptor.tasktypes.view import Markdown, Section, ViewNode, sections_of

WHOLE = "answer"
"""The aspect of kinds that measure agreement on the answer as a whole."""


class Kind(Generic[PayloadT, AnswerT, ConfigT]):
    """See `preceptor.tasktypes.base.TaskType` for what each member promises.

    A kind gives at least the attributes without a value, `check`, `rows` and `templates`. With `labels` and
    `unit_labels` it gets agreement, truth inference, majority and scores by them.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    icon: ClassVar[str] = "square-check"
    element: ClassVar[str]
    script: ClassVar[Path | None] = None
    payload_model: type[PayloadT]
    answer_model: type[AnswerT]
    config_model: type[ConfigT]
    judgment_schema: pa.Schema
    tables: Mapping[str, Table] = {}
    importer: Importer
    services: frozenset[Service] = frozenset()
    hidden: frozenset[str] = frozenset()
    """Fields of the payload that contributors never get, such as where the material comes from."""

    def fits(self, payload: PayloadT, config: ConfigT) -> list[Problem]:
        """Every valid payload can be worked on."""
        return []

    def as_key(self, answer: AnswerT) -> AnswerT:
        """The whole answer."""
        return answer

    def check(self, payload: PayloadT, answer: AnswerT, config: ConfigT) -> list[Problem]:
        """What still keeps the answer from being submitted."""
        raise NotImplementedError

    def score(self, payload: PayloadT, answer: AnswerT, reference: AnswerT, config: ConfigT) -> Score:
        """Share of the reference's units that the answer labels alike."""
        expected = self.labels(payload, reference, config)
        if not expected:
            raise ValueError("the reference answer gives no label, so nothing can be scored against it")
        given = self.labels(payload, answer, config)
        wrong = [unit for unit, label in expected.items() if given.get(unit) != label]
        reasons = [f"{unit}: {given.get(unit, 'nothing')} instead of {expected[unit]}." for unit in wrong]
        return Score(1 - len(wrong) / len(expected), tuple(reasons))

    def aspects(self, config: ConfigT) -> Mapping[str, str]:
        """The answer as a whole."""
        return {WHOLE: "Answer"}

    def distance(self, payload: PayloadT, a: AnswerT, b: AnswerT, config: ConfigT) -> Mapping[str, float]:
        """Share of the units that both label, and label differently."""
        one, other = self.labels(payload, a, config), self.labels(payload, b, config)
        both = one.keys() & other.keys()
        return {WHOLE: sum(one[unit] != other[unit] for unit in both) / len(both)} if both else {}

    def labels(self, payload: PayloadT, answer: AnswerT, config: ConfigT) -> dict[str, str]:
        """No labels."""
        return {}

    def unit_labels(self, payload: PayloadT, config: ConfigT) -> dict[str, tuple[str, ...]]:
        """No units."""
        return {}

    def criteria(self, config: ConfigT) -> Mapping[str, str]:
        """Nothing is rated."""
        return {}

    def ratings(self, answer: AnswerT) -> Mapping[str, Mapping[str, float]]:
        """Nothing is rated."""
        return {}

    def consensus(self, payload: PayloadT, answers: Sequence[AnswerT], config: ConfigT) -> Consensus:
        """Majority within each unit; no joint answer."""
        votes: dict[str, list[str]] = {unit: [] for unit in self.unit_labels(payload, config)}
        for answer in answers:
            for unit, label in self.labels(payload, answer, config).items():
                votes.setdefault(unit, []).append(label)
        return Consensus(len(answers), {unit: majority(given) for unit, given in votes.items()}, None)

    def rows(
        self,
        task: ReleasedTask[PayloadT, AnswerT],
        submissions: Sequence[ReleasedJudgment[AnswerT]],
        consensus: Consensus,
        config: ConfigT,
    ) -> ReleaseRows:
        """What a dataset release writes for one task."""
        raise NotImplementedError

    def exporters(self, config: ConfigT) -> Mapping[str, Exporter[PayloadT, AnswerT]]:
        """No further files."""
        return {}

    def display_order(self, payload: PayloadT, rng: Random) -> list[str]:
        """Nothing is shown in another order."""
        return []

    def present(self, payload: PayloadT, order: Sequence[str]) -> Row:
        """The payload without its hidden fields."""
        return {name: value for name, value in to_json(payload).items() if name not in self.hidden}

    def canonical(self, answer: AnswerT, order: Sequence[str]) -> AnswerT:
        """Names are shown as they are stored."""
        return answer

    def as_shown(self, answer: AnswerT, order: Sequence[str]) -> AnswerT:
        """Names are shown as they are stored."""
        return answer

    def shown_label(self, label: str, order: Sequence[str]) -> str:
        """Labels are shown as they are stored."""
        return label

    def view(self, shown: PayloadT, config: ConfigT) -> ViewNode:
        """Payload and settings as JSON."""
        return {"payload": to_json(shown), "config": config.model_dump(mode="json")}

    def material(self, payload: PayloadT, config: ConfigT) -> tuple[Section, ...]:
        """Everything readable in the view, or the payload as JSON where there is nothing."""
        found = sections_of(self.view(payload, config))
        return found or (Section("Payload", _as_code(to_json(payload))),)

    def in_words(self, payload: PayloadT, answer: AnswerT, config: ConfigT) -> Words:
        """The labels given."""
        given = [f"{unit}: {label}" for unit, label in self.labels(payload, answer, config).items()]
        return Words("; ".join(given) or "answered")

    def excerpt(self, payload: PayloadT) -> str:
        """The last thing asked in a `prompt` of messages or text."""
        prompt = getattr(payload, "prompt", None)
        if isinstance(prompt, str):
            return prompt
        said = [message for message in prompt or () if isinstance(message, Message)]
        return plain_content(said[-1]) if said else ""

    def templates(self) -> tuple[Template, ...]:
        """What a new project can start from."""
        raise NotImplementedError


def _as_code(value: Row) -> Markdown:
    return Markdown(f"```json\n{json.dumps(value, ensure_ascii=False, indent=2)}\n```")
