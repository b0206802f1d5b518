"""Providers' files of real releases, held against the formats as the providers document them (November 2026)."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from preceptor.kit.runtime import Runtime
from preceptor.tasktypes.base import task_type
from tests.datasets.kind_work import exported, rows_of, worked


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


Said = Annotated[str, Field(pattern=r"\S")]


# --- OpenAI: developers.openai.com/api/docs/guides/supervised-fine-tuning, .../direct-preference-optimization


class Message(Shape):
    role: Literal["system", "developer", "user", "assistant"]
    content: Said


class AssistantMessage(Shape):
    role: Literal["assistant"]
    content: Said


class OpenAiSft(Shape):
    messages: Annotated[list[Message], Field(min_length=2)]

    @model_validator(mode="after")
    def assistant_has_the_last_word(self) -> Self:
        assert self.messages[-1].role == "assistant"
        return self


class OpenAiInput(Shape):
    messages: Annotated[list[Message], Field(min_length=1)]
    tools: Annotated[list[Any], Field(max_length=0)]
    parallel_tool_calls: bool


class OpenAiDpo(Shape):
    input: OpenAiInput
    preferred_output: Annotated[list[AssistantMessage], Field(min_length=1, max_length=1)]
    non_preferred_output: Annotated[list[AssistantMessage], Field(min_length=1, max_length=1)]


# --- Gemini: docs.cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-{supervised,preference}-tuning-prepare


class Part(Shape):
    text: Said


class Content(Shape):
    role: Literal["user", "model"]
    parts: Annotated[list[Part], Field(min_length=1)]


class SystemContent(Shape):
    role: Literal["system"]
    parts: Annotated[list[Part], Field(min_length=1)]


class SystemParts(Shape):
    parts: Annotated[list[Part], Field(min_length=1)]


class GeminiSft(Shape):
    systemInstruction: SystemContent | None = None
    contents: Annotated[list[Content], Field(min_length=2)]

    @model_validator(mode="after")
    def model_has_the_last_word(self) -> Self:
        assert self.contents[-1].role == "model"
        return self


class Completion(Shape):
    score: Literal[0, 1]
    completion: Content


class GeminiPreference(Shape):
    system_instruction: SystemParts | None = None
    contents: Annotated[list[Content], Field(min_length=1)]
    completions: Annotated[list[Completion], Field(min_length=2, max_length=2)]

    @model_validator(mode="after")
    def user_asked_and_one_answer_is_better(self) -> Self:
        assert self.contents[-1].role == "user"
        assert sorted(each.score for each in self.completions) == [0, 1]
        assert all(each.completion.role == "model" for each in self.completions)
        return self


# --- Bedrock: docs.aws.amazon.com/bedrock/latest/userguide/preparing-text-data.html and Amazon Nova's guide


class Block(Shape):
    text: Said


class BedrockMessage(Shape):
    role: Literal["user", "assistant"]
    content: Annotated[list[Block], Field(min_length=1)]


class BedrockConversation(Shape):
    schemaVersion: Literal["bedrock-conversation-2024"]
    system: Annotated[list[Block], Field(min_length=1)] | None = None
    messages: Annotated[list[BedrockMessage], Field(min_length=2)]

    @model_validator(mode="after")
    def turns_alternate(self) -> Self:
        wanted = ["user", "assistant"] * (len(self.messages) // 2)
        assert [message.role for message in self.messages] == wanted
        return self


class Candidate(Shape):
    content: Annotated[list[Block], Field(min_length=1)]
    preferenceLabel: Literal["preferred", "non-preferred"]


class BedrockCandidates(Shape):
    role: Literal["assistant"]
    candidates: Annotated[list[Candidate], Field(min_length=2, max_length=2)]


class BedrockPreference(Shape):
    """docs.aws.amazon.com/nova/latest/userguide/nova-dpo.html: as above, the final turn has preference pairs."""

    schemaVersion: Literal["bedrock-conversation-2024"]
    system: Annotated[list[Block], Field(min_length=1)] | None = None
    messages: Annotated[list[BedrockMessage | BedrockCandidates], Field(min_length=2)]

    @model_validator(mode="after")
    def one_of_two_is_preferred_at_the_end(self) -> Self:
        assert [message.role for message in self.messages] == ["user", "assistant"] * (len(self.messages) // 2)
        *earlier, last = self.messages
        assert all(isinstance(message, BedrockMessage) for message in earlier)
        assert isinstance(last, BedrockCandidates)
        assert {each.preferenceLabel for each in last.candidates} == {"preferred", "non-preferred"}
        return self


FORMATS: dict[str, type[Shape]] = {
    "openai-sft": OpenAiSft,
    "openai-dpo": OpenAiDpo,
    "gemini-sft": GeminiSft,
    "gemini-preference": GeminiPreference,
    "bedrock-conversation": BedrockConversation,
    "bedrock-preference": BedrockPreference,
}
BY_SHAPE = {
    "sft": {"openai-sft", "gemini-sft", "bedrock-conversation"},
    "preference": {"openai-dpo", "gemini-preference", "bedrock-preference"},
}
CASES = [
    ("comparison", "which-is-better"),
    ("code", "write"),
    ("conversation", "live-preference"),
    ("demonstration", "correct-draft"),
    ("demonstration", "ideal-answer"),
    ("rating", "rubric"),
    ("steps", "facts"),
]


@pytest.mark.parametrize(("kind", "key"), CASES, ids=[f"{kind}-{key}" for kind, key in CASES])
def test_every_line_has_the_form_that_the_provider_documents(
    open_runtime: Callable[..., Runtime], tmp_path: Path, kind: str, key: str
) -> None:
    runtime = open_runtime()
    release = exported(runtime, worked(runtime, kind, key), tmp_path / "release")
    left_out = json.loads((release / "manifest.json").read_text())["providers_left_out"]
    seen: Counter[str] = Counter()
    for path in sorted((release / "providers").iterdir()):
        provider = next(name for name in FORMATS if path.name.startswith(f"{name}-"))
        for line in path.read_text().splitlines():
            FORMATS[provider].model_validate_json(line)
            seen[path.name] += 1
    wanted = {
        f"{provider}-{name}.jsonl": len(rows_of(release, name))
        for name, table in task_type(kind).tables.items()
        for provider in BY_SHAPE.get(table.shape, ())
    }
    assert {name for name, rows in wanted.items() if rows} == {*seen, *(name.split("/")[1] for name in left_out)}
    for name, rows in wanted.items():
        assert seen[name] + left_out.get(f"providers/{name}", 0) == rows
