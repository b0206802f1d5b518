"""Rows in the formats of providers: the shapes that their documentation shows, and what is left out."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from preceptor.datasets.providers import (
    ProviderFiles,
    bedrock_preference,
    bedrock_sft,
    gemini_preference,
    gemini_sft,
    openai_preference,
    openai_sft,
)
from preceptor.tasktypes.base import Table


def said(*turns: tuple[str, str]) -> Any:
    return [{"role": role, "content": content} for role, content in turns]


ASKED = said(("system", "Be brief."), ("user", "Name a prime."))
PAIR: dict[str, Any] = {"prompt": ASKED, "chosen": said(("assistant", "7")), "rejected": said(("assistant", "9"))}
TALK: dict[str, Any] = {"messages": [*ASKED, *said(("assistant", "7"))]}


def test_openai_takes_a_preference_as_two_outputs_of_one_message() -> None:
    assert openai_preference(PAIR) == {
        "input": {"messages": ASKED, "tools": [], "parallel_tool_calls": True},
        "preferred_output": [{"role": "assistant", "content": "7"}],
        "non_preferred_output": [{"role": "assistant", "content": "9"}],
    }
    assert openai_preference({**PAIR, "chosen": said(("assistant", "7"), ("user", "Sure?"))}) is None


def test_a_conversation_that_the_user_ends_teaches_nothing() -> None:
    assert openai_sft(TALK) == TALK
    assert openai_sft({"messages": ASKED}) is None
    assert gemini_sft({"messages": ASKED}) is None
    assert bedrock_sft({"messages": ASKED}) is None


def test_gemini_calls_the_assistant_a_model_and_keeps_instructions_apart() -> None:
    assert gemini_sft(TALK) == {
        "systemInstruction": {"role": "system", "parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Name a prime."}]},
            {"role": "model", "parts": [{"text": "7"}]},
        ],
    }
    assert gemini_preference(PAIR) == {
        "system_instruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "Name a prime."}]}],
        "completions": [
            {"score": 1, "completion": {"role": "model", "parts": [{"text": "7"}]}},
            {"score": 0, "completion": {"role": "model", "parts": [{"text": "9"}]}},
        ],
    }


def test_before_two_answers_the_user_has_spoken() -> None:
    later = {**PAIR, "prompt": [*ASKED, *said(("assistant", "Which one?"))]}
    assert gemini_preference(later) is None
    assert openai_preference(later) is None
    assert openai_preference({**PAIR, "prompt": []}) is None


def test_empty_texts_are_no_answers() -> None:
    assert openai_sft({"messages": [*ASKED, *said(("assistant", " "))]}) is None
    assert gemini_preference({**PAIR, "rejected": said(("assistant", ""))}) is None


def test_bedrock_wants_turns_that_alternate() -> None:
    assert bedrock_sft(TALK) == {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "Name a prime."}]},
            {"role": "assistant", "content": [{"text": "7"}]},
        ],
    }
    assert bedrock_sft({"messages": said(("user", "a"), ("user", "b"), ("assistant", "c"))}) is None


@pytest.mark.parametrize("word", ["User: hello", "the bot: yes", "<IMAGE>", "It ends [EOS]"])
def test_bedrock_fails_a_job_for_reserved_words_so_they_are_left_out(word: str) -> None:
    for messages in (said(("user", word), ("assistant", "c")), said(("user", "a"), ("assistant", word))):
        assert bedrock_sft({"messages": messages}) is None
        assert openai_sft({"messages": messages}) is not None


def test_bedrock_labels_the_two_answers_of_the_last_turn() -> None:
    earlier = said(("user", "Hello."), ("assistant", "Good day."))
    row = {**PAIR, "prompt": [ASKED[0], *earlier, ASKED[1]]}
    assert bedrock_preference(row) == {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "Hello."}]},
            {"role": "assistant", "content": [{"text": "Good day."}]},
            {"role": "user", "content": [{"text": "Name a prime."}]},
            {
                "role": "assistant",
                "candidates": [
                    {"content": [{"text": "7"}], "preferenceLabel": "preferred"},
                    {"content": [{"text": "9"}], "preferenceLabel": "non-preferred"},
                ],
            },
        ],
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"prompt": said(("user", "a"), ("assistant", "b"))},
        {"prompt": said(("user", "a"), ("user", "b"))},
        {"prompt": said(("system", "a"))},
        {"chosen": said(("assistant", "a"), ("assistant", "b"))},
        {"rejected": []},
        {"rejected": said(("assistant", "Bot: yes"))},
    ],
    ids=["answered already", "asked twice", "nobody asked", "two answers", "no answer", "reserved word"],
)
def test_bedrock_leaves_out_pairs_that_it_would_fail_on(changed: dict[str, Any]) -> None:
    assert bedrock_preference({**PAIR, **changed}) is None


def test_files_are_written_by_the_shape_of_each_table_and_omissions_are_counted(tmp_path: Path) -> None:
    schema = pa.schema([("prompt", pa.string())])
    tables = {"pairs": Table(schema, "preference", "a pair"), "notes": Table(schema, "plain", "a note")}
    with ProviderFiles(tmp_path, tables) as files:
        files.add({"pairs": (PAIR, {**PAIR, "rejected": []}), "notes": ({"prompt": "x"},)})
    names = ("openai-dpo", "gemini-preference", "bedrock-preference")
    assert files.rows_of == {f"providers/{name}-pairs.jsonl": 1 for name in names}
    assert files.left_out == dict.fromkeys(files.rows_of, 1)
    (line,) = (tmp_path / "providers/openai-dpo-pairs.jsonl").read_text().splitlines()
    assert json.loads(line)["preferred_output"][0]["content"] == "7"
    assert {path.name for path in (tmp_path / "providers").iterdir()} == {
        "bedrock-preference-pairs.jsonl",
        "openai-dpo-pairs.jsonl",
        "gemini-preference-pairs.jsonl",
    }
