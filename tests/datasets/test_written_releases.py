"""Written work through the whole platform: import, write, approve, release, and the released rows imported again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from preceptor.kit.runtime import Runtime
from preceptor.tasktypes.base import Row
from preceptor.tasktypes.writing.turns import Turn
from tests.datasets.written import make_writing, rows_of

Q: Row = {"prompt": [{"role": "user", "content": "How long does light take from the Sun?"}]}
DRAFT: Row = {**Q, "draft": "About 8 seconds.", "draft_source": "model-a", "reference": "8 min 20 s."}
CORRECTED: Row = {
    "text": "About 8 minutes and 20 seconds.",
    "turns": [],
    "sources": [{"url": "https://example.org/light", "title": "Light", "quote": "499 s"}],
    "note": "The unit was wrong.",
}
TALK: Row = {
    "text": "",
    "turns": [{"role": "user", "content": "Mould!"}, {"role": "assistant", "content": "Where?"}],
    "sources": [],
    "note": "",
}
ASKED = [Turn(role="system", content="Be brief."), Turn(role="user", content="Why does ice float on water?")]
PROMPT: Row = {
    "messages": [turn.model_dump() for turn in ASKED],
    "difficulty": "hard",
    "tags": ["physics"],
    "reference": "It is less dense.",
    "grading": "",
    "why_fails": "",
    "constraints_met": [0],
    "runs": [],
    "runs_waived": True,
}
BRIEF: Row = {
    "topic": "Heat",
    "difficulty": "hard",
    "brief": "A question about heat at home.",
    "constraints": ["short"],
    "rules": [],
    "examples": ["Why is steam hot?"],
    "must_fail": False,
    "fails_because": "",
    "existing": ["Why is snow white?"],
}
CASES = [
    pytest.param("demonstration", {"mode": "edit"}, {"brief": "", **DRAFT}, CORRECTED, id="edit"),
    pytest.param("demonstration", {"mode": "conversation"}, {"brief": "Mould."}, TALK, id="conversation"),
    pytest.param("prompt", {"runs": 1}, BRIEF, PROMPT, id="prompt"),
]


@pytest.mark.parametrize(("kind", "config", "payload", "answer"), CASES)
def test_released_rows_come_back_as_the_same_tasks_and_answers(
    kind: str, config: Row, payload: Row, answer: Row, open_runtime: Callable[..., Runtime], tmp_path: Path
) -> None:
    writing = make_writing(open_runtime(), kind, config)
    writing.add(payload)
    writing.write(answer)
    rows = rows_of(writing.release(tmp_path / "release"), "judgments")
    assert [row["state"] for row in rows] == ["approved"]
    again = make_writing(writing.runtime, kind, config)
    again.import_rows(rows)
    assert again.tasks() == [(payload, answer)]
    # What came back is released as what came with the file.
    tables = {"demonstration": "sft", "prompt": "prompt_only"}
    [row] = rows_of(again.release(tmp_path / "again"), tables[kind])
    assert row["label_source"] == "imported"


def test_a_corrected_draft_is_in_both_tables(open_runtime: Callable[..., Runtime], tmp_path: Path) -> None:
    writing = make_writing(open_runtime(), "demonstration", {"mode": "edit"})
    writing.add(DRAFT, {**Q, "draft": "Right as it is."})
    writing.write(CORRECTED, {"text": "Right as it is."})
    release = writing.release(tmp_path / "release")
    assert len(rows_of(release, "sft")) == 2
    [pair] = rows_of(release, "preference")
    assert (pair["chosen"][0]["content"], pair["rejected"][0]["content"]) == (CORRECTED["text"], DRAFT["draft"])
    assert (pair["rejected_source"], pair["label_source"]) == ("model-a", "judgments")
