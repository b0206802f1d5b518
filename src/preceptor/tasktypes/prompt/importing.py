"""How rows of files become briefs for prompts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pydantic import JsonValue

from preceptor.tasktypes.importing import Field, FieldsImporter, Material, RowReader, Values, Way
from preceptor.tasktypes.prompt.models import PromptAnswer, PromptPayload
from preceptor.tasktypes.writing.importing import answer_of

_FIELDS: Final = (
    Field("topic", "Topic", aliases=("brief_topic", "subject", "domain", "category"), text=True),
    Field("difficulty", "Difficulty asked for", aliases=("brief_difficulty", "level"), text=True),
    Field("brief", "Brief", aliases=("instructions", "description", "task"), text=True),
    Field("constraints", "Constraints", aliases=("requirements",)),
    Field("rules", "Style rules"),
    Field("examples", "Example prompts", aliases=("example",)),
    Field("must_fail", "The model must fail"),
    Field("fails_because", "Why it is expected to fail", text=True),
    Field("existing", "Prompts that exist already", aliases=("existing_prompts", "prompts")),
)
_WAYS: Final = (
    Way(
        "Briefs",
        "topic, brief, difficulty, constraints, examples",
        "What prompts are to be about. Lists may be JSON in a cell.",
        '{"topic": "Spreadsheets", "brief": "A question about a formula.", "constraints": ["A table is in it"]}',
    ),
    Way(
        "Briefs for hard prompts",
        "topic, brief, must_fail, fails_because",
        "A model has to fail, and why it is expected to.",
        '{"topic": "Physics", "brief": "Heat at home.", "must_fail": true, "fails_because": "Intuition misleads."}',
    ),
    Way(
        "Released prompts",
        "brief_topic, brief, messages, tags, reference, runs",
        "Rows of `judgments` of a release: the brief, with the prompt as an answer that came along.",
        '{"brief_topic": "Physics", "messages": [{"role": "user", "content": "Why does ice float?"}]}',
    ),
)
_WRITTEN: Final[Mapping[str, str]] = {
    "messages": "Prompt that was written",
    "claimed_difficulty": "Difficulty claimed",
    "tags": "Tags",
    "reference": "Reference answer",
    "grading": "Grading notes",
    "why_fails": "Why a model fails",
    "constraints_met": "Constraints met",
    "runs": "Runs of models",
    "runs_waived": "Runs waived",
}


class PromptImporter(FieldsImporter):
    """Columns are fields of the brief; those of a released prompt are an answer that came along."""

    def __init__(self) -> None:
        super().__init__(PromptPayload, PromptAnswer, _FIELDS, _WAYS)
        self.targets = {**self.targets, **{name: (name,) for name in _WRITTEN}}
        self.titles = {**self.titles, **_WRITTEN}

    def settle(self, found: Mapping[str, str], by_name: Mapping[str, str]) -> dict[str, str]:
        """Where a prompt came along, `difficulty` is its claim and `topic` the task's; the brief's own are named so."""
        settled = dict(found)
        if "messages" in by_name and "brief_difficulty" in by_name:
            settled["difficulty"] = by_name["brief_difficulty"]
            if "difficulty" in by_name:
                settled["claimed_difficulty"] = by_name["difficulty"]
        if "brief_topic" in by_name:
            settled["topic"] = by_name["brief_topic"]
        return settled

    def convert(self, row: Values, columns: Mapping[str, str]) -> Material:
        """As in `FieldsImporter`. A row without messages brings no answer."""
        material = super().convert(row, columns)
        if material.imported_answer is not None or "messages" not in columns:
            return material
        reader = RowReader(row, columns)
        given: dict[str, JsonValue] = {name: reader.value(name) for name in _WRITTEN}
        if not given["messages"]:
            return material
        given["difficulty"] = given.pop("claimed_difficulty")
        return replace(material, imported_answer=answer_of(PromptAnswer, reader, given))
