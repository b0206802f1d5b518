"""How rows of files become demonstration tasks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pydantic import JsonValue

from preceptor.tasktypes.demonstration.models import DemonstrationAnswer, DemonstrationPayload
from preceptor.tasktypes.importing import Field, FieldsImporter, Material, RowReader, Values, Way
from preceptor.tasktypes.writing.importing import answer_of

_FIELDS: Final = (
    Field("prompt", "Prompt", aliases=("question", "instruction", "input"), chat="user"),
    Field("brief", "Brief", aliases=("scenario", "description"), text=True),
    Field("draft", "Draft", aliases=("model_answer", "response", "output"), text=True),
    Field("draft_source", "Model of the draft", aliases=("model", "source"), text=True),
    Field("reference", "Reference answer", aliases=("reference_answer", "ideal"), text=True),
)
_WAYS: Final = (
    Way(
        "Prompts to answer",
        "prompt",
        "A prompt as text or as chat messages; people write its ideal answer.",
        '{"prompt": "Why is the sky blue?"}',
    ),
    Way(
        "Drafts to correct",
        "prompt, draft, draft_source",
        "A model's answer beside its prompt; where it comes from is never shown.",
        '{"prompt": "Why is the sky blue?", "draft": "Since it mirrors the sea.", "draft_source": "model-a"}',
    ),
    Way(
        "Briefs for conversations",
        "brief",
        "What a conversation is to be about; people write both sides.",
        '{"brief": "A tenant finds mould and asks what to do."}',
    ),
    Way(
        "Released demonstrations",
        "prompt, brief, draft, text, turns, sources, note",
        "Rows of `judgments` of a release: the task, with the demonstration as an answer that came along.",
        '{"prompt": "Why is the sky blue?", "text": "Air scatters blue light most.", "sources": []}',
    ),
)
_WRITTEN: Final[Mapping[str, str]] = {
    "text": "Text that was written",
    "turns": "Turns that were written",
    "sources": "Sources",
    "note": "Remark",
}


class DemonstrationImporter(FieldsImporter):
    """Columns are fields of the payload; `text`, `turns`, `sources` and `note` are an answer that came along."""

    def __init__(self) -> None:
        super().__init__(DemonstrationPayload, DemonstrationAnswer, _FIELDS, _WAYS)
        self.targets = {**self.targets, **{name: (name,) for name in _WRITTEN}}
        self.titles = {**self.titles, **_WRITTEN}

    def convert(self, row: Values, columns: Mapping[str, str]) -> Material:
        """As in `FieldsImporter`. A row without text and turns brings no answer."""
        material = super().convert(row, columns)
        if material.imported_answer is not None:
            return material
        reader = RowReader(row, columns)
        given: dict[str, JsonValue] = {name: reader.value(name) for name in _WRITTEN}
        if not given["text"] and not given["turns"]:
            return material
        return replace(material, imported_answer=answer_of(DemonstrationAnswer, reader, given))
