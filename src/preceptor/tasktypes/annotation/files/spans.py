"""Spans of text for taggers: CoNLL-2003 columns, and JSON lines in spaCy's form.

CoNLL: one token a line as `token -X- _ tag`, an empty line after each text, tags B-, I- and O; a token gets the label
of the first span that touches it. spaCy: `{"text", "entities": [[start, end, label]]}` with character offsets, and
every span, overlapping ones too, under `spans`.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import JsonValue

from preceptor.tasktypes.annotation.board import Board, bind
from preceptor.tasktypes.annotation.files.answers import Judgment, Task, one_answer
from preceptor.tasktypes.annotation.files.streams import JsonList
from preceptor.tasktypes.annotation.models import AnnotationConfig
from preceptor.tasktypes.annotation.reading import plan_of
from preceptor.tasktypes.annotation.shapes import Mark, Span, full_text, in_characters, marks_of
from preceptor.tasktypes.base import Consensus

_TOKEN = re.compile(r"\w+(?:['’]\w+)?|[^\w\s]")

Labelled = tuple[int, int, str]


class SpanExporter:
    """Writes `spans.conll` and `spans.jsonl`."""

    def __init__(self, config: AnnotationConfig) -> None:
        self._plan = plan_of(config.label_config)
        self._lines = JsonList(lines=True)
        self._conll: list[str] = ["-DOCSTART- -X- O", ""]

    def add(self, task: Task, submissions: Sequence[Judgment], consensus: Consensus) -> None:
        """Take one task."""
        answer = one_answer(task, submissions, consensus)
        if answer is None:
            return
        board = bind(self._plan, task.payload.data)
        marks = list(marks_of(answer, board).values())
        for name, text in _texts(board):
            spans = sorted(_spans(text, [mark for mark in marks if mark.object == name]))
            flat = without_overlaps(spans)
            self._conll += [*(f"{token} -X- _ {tag}" for token, tag in tagged(text, flat)), ""]
            self._lines.add(_line(task, name, text, spans, flat))

    def close(self, folder: Path) -> None:
        """Write the files."""
        (folder / "spans.conll").write_text("\n".join(self._conll) + "\n", encoding="utf-8")
        self._lines.write(folder / "spans.jsonl")


def _texts(board: Board) -> Iterator[tuple[str, str]]:
    marked = {name for control in board.controls.values() if control.spec.shape == "span" for name in control.to}
    for node in board.objects.values():
        text = full_text(node)
        if node.name in marked and text is not None:
            yield node.name, text


def _spans(text: str, marks: Sequence[Mark]) -> Iterator[Labelled]:
    for mark in marks:
        if isinstance(mark.shape, Span):
            start, end = in_characters(text, mark.shape.start), in_characters(text, mark.shape.end)
            for label in sorted(mark.all_labels):
                yield start, end, label


def without_overlaps(spans: Sequence[Labelled]) -> list[Labelled]:
    """Spans in order, each that overlaps an earlier one left out: what a single row of tags can hold."""
    kept: list[Labelled] = []
    for span in sorted(spans, key=lambda each: (each[0], -each[1], each[2])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def tagged(text: str, spans: Sequence[Labelled]) -> Iterator[tuple[str, str]]:
    """Tokens (words and single signs) with their tags."""
    previous: Labelled | None = None
    for found in _TOKEN.finditer(text):
        span = next((each for each in spans if each[0] < found.end() and found.start() < each[1]), None)
        if span is None:
            yield found.group(), "O"
        else:
            yield found.group(), f"{'I' if span is previous else 'B'}-{span[2]}"
        previous = span


def _line(
    task: Task, name: str, text: str, spans: Sequence[Labelled], flat: Sequence[Labelled]
) -> dict[str, JsonValue]:
    return {
        "text": text,
        "entities": [list(span) for span in flat],
        "spans": [{"start": start, "end": end, "label": label} for start, end, label in spans],
        "task_id": task.task_id,
        "external_id": task.external_id,
        "object": name,
    }


__all__ = ["SpanExporter", "tagged", "without_overlaps"]
