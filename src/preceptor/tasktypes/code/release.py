"""Rows of a dataset release: preferences between patches, solutions to learn from, defects, and every judgment."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, cast

import orjson
import pyarrow as pa

from preceptor.tasktypes.base import Consensus, ReleasedJudgment, ReleasedTask, ReleaseRows, Row, Table, to_json
from preceptor.tasktypes.code.judging import PREFERENCE, common_marks, margin
from preceptor.tasktypes.code.models import SOLUTION, TIE, CodeAnswer, CodeConfig, CodePayload, Passes

Task = ReleasedTask[CodePayload, CodeAnswer]
Judgment = ReleasedJudgment[CodeAnswer]

PAIRS, SOLUTIONS, DEFECTS = "pairs", "solutions", "defects"
DIGITS = 4
_MESSAGES: Final = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_TASK: Final = [
    ("task_id", pa.string()),
    ("external_id", pa.string()),
    ("topic", pa.string()),
    ("language", pa.string()),
]

PAIR_SCHEMA: Final = pa.schema(
    [
        ("prompt", _MESSAGES),
        ("chosen", _MESSAGES),
        ("rejected", _MESSAGES),
        ("margin", pa.float64()),
        ("votes_chosen", pa.int64()),
        ("votes_rejected", pa.int64()),
        ("ties", pa.int64()),
        *_TASK,
        ("chosen_id", pa.string()),
        ("rejected_id", pa.string()),
        ("chosen_source", pa.string()),
        ("rejected_source", pa.string()),
        ("chosen_cause", pa.string()),
        ("rejected_cause", pa.string()),
        ("label_source", pa.string()),
        ("probability", pa.float64()),
        ("gold", pa.bool_()),
    ]
)
SOLUTION_SCHEMA: Final = pa.schema(
    [
        ("messages", _MESSAGES),
        ("prompt", _MESSAGES),
        ("completion", _MESSAGES),
        *_TASK,
        ("submission_id", pa.string()),
        ("tests_passed", pa.int64()),
        ("tests", pa.int64()),
        ("hidden_tests_passed", pa.int64()),
        ("hidden_tests", pa.int64()),
    ]
)
DEFECT_SCHEMA: Final = pa.schema(
    [
        *_TASK,
        ("path", pa.string()),
        ("line", pa.int64()),
        ("line_end", pa.int64()),
        ("code", pa.string()),
        ("severity", pa.string()),
        ("category", pa.string()),
        ("comment", pa.string()),
        ("suggestion", pa.string()),
        ("people", pa.int64()),
        ("of", pa.int64()),
    ]
)
JUDGMENT_SCHEMA: Final = pa.schema(
    [
        ("submission_id", pa.string()),
        *_TASK,
        ("person", pa.string()),
        ("problem", pa.string()),
        ("entry", pa.string()),
        ("files", pa.string()),
        ("tests", pa.string()),
        ("patches", pa.string()),
        ("answer", pa.string()),
        ("preferred", pa.string()),
        ("verdict", pa.string()),
        ("tests_share", pa.float64()),
        ("explanation", pa.string()),
        ("shown_order", pa.list_(pa.string())),
        ("seconds", pa.float64()),
        ("state", pa.string()),
        ("counted", pa.bool_()),
        ("guidelines_version", pa.int64()),
        ("submitted_at", pa.string()),
        ("gold", pa.bool_()),
    ]
)

TABLES: Final = {
    PAIRS: Table(
        PAIR_SCHEMA,
        "preference",
        "One row per task on which people agree which of two patches is better.",
        "`chosen_cause` and `rejected_cause` say whether a patch mends the root cause or a symptom, by majority.",
    ),
    SOLUTIONS: Table(
        SOLUTION_SCHEMA,
        "sft",
        "One row per solution that counts and passes every test it was run against.",
        "`tests` and `hidden_tests` are how many there were; 0 where the code was not run.",
    ),
    DEFECTS: Table(
        DEFECT_SCHEMA,
        "plain",
        "One row per defect that more than half of a task's reviewers marked.",
        "`line` to `line_end` (from 1) of the file after the patch; `people` of `of` marked it.",
    ),
}


def release_rows(task: Task, submissions: Sequence[Judgment], consensus: Consensus, config: CodeConfig) -> ReleaseRows:
    """What the project's mode gives; the other tables stay empty. Every judgment has a row of its own."""
    counted = [each for each in submissions if each.counted]
    rows: dict[str, tuple[Row, ...]] = {}
    undecided = 0
    match config.mode:
        case "compare":
            pair = _pair(task, [each.answer for each in counted], consensus)
            rows[PAIRS], undecided = ((pair,), 0) if pair else ((), 1)
        case "write":
            rows[SOLUTIONS] = tuple(_solution(task, each) for each in counted if _passes_all(each.answer))
            undecided = int(not rows[SOLUTIONS])
        case "review":
            rows[DEFECTS] = tuple(_defects(task, [each.answer for each in counted], config))
    return ReleaseRows(tuple(_judgment(task, each) for each in submissions), rows, undecided)


# --- Texts that a trainer reads


def fenced(text: str, language: str) -> str:
    """Text as a block of code in Markdown, with a fence that nothing inside ends."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}{'' if text.endswith(chr(10)) else chr(10)}{fence}"


def listing(files: Mapping[str, str], language: str) -> str:
    return "\n\n".join(f"`{path}`:\n{fenced(text, language)}" for path, text in sorted(files.items()))


def prompt_text(payload: CodePayload) -> str:
    """The problem, then the files as they are."""
    return f"{payload.problem}\n\n{listing(payload.files, payload.language)}".strip()


def _said(role: str, text: str) -> list[dict[str, str]]:
    return [{"role": role, "content": text}]


def _of_task(task: Task) -> Row:
    return {
        "task_id": task.task_id,
        "external_id": task.external_id,
        "topic": task.topic,
        "language": task.payload.language,
    }


# --- Rows


def _pair(task: Task, answers: Sequence[CodeAnswer], consensus: Consensus) -> Row | None:
    unit = consensus.units.get(PREFERENCE)
    votes: Mapping[str, int] = unit.counts if unit is not None else {}
    if task.known_answer is not None:
        chosen, origin = task.known_answer.preferred, "gold"
    elif votes:
        chosen, origin = unit.label if unit else None, "judgments"
    elif task.imported_answer is not None:
        chosen, origin, votes = task.imported_answer.preferred, "imported", task.imported_votes
    else:
        return None
    patches = {patch.id: patch for patch in task.payload.patches}
    if chosen not in patches or len(patches) != 2:
        return None
    rejected = next(name for name in patches if name != chosen)
    causes = {unit: found.label for unit, found in consensus.units.items()}
    sure = consensus.posterior.units.get(PREFERENCE, {}).get(chosen) if consensus.posterior else None
    return cast(
        "Row",
        {
            "prompt": _said("user", prompt_text(task.payload)),
            "chosen": _said("assistant", fenced(patches[chosen].diff, "diff")),
            "rejected": _said("assistant", fenced(patches[rejected].diff, "diff")),
            "margin": margin(answers, chosen),
            "votes_chosen": votes.get(chosen, 0),
            "votes_rejected": votes.get(rejected, 0),
            "ties": votes.get(TIE, 0),
            **_of_task(task),
            "chosen_id": chosen,
            "rejected_id": rejected,
            "chosen_source": patches[chosen].source,
            "rejected_source": patches[rejected].source,
            "chosen_cause": causes.get(f"cause:{chosen}"),
            "rejected_cause": causes.get(f"cause:{rejected}"),
            "label_source": origin,
            "probability": None if sure is None else round(sure, DIGITS),
            "gold": task.gold,
        },
    )


def _passes_all(answer: CodeAnswer) -> bool:
    tested = answer.tested.get(SOLUTION, Passes())
    return tested.passed == tested.of and tested.hidden_passed == tested.hidden_of


def _solution(task: Task, submission: Judgment) -> Row:
    tested = submission.answer.tested.get(SOLUTION, Passes())
    changed = {path: text for path, text in submission.answer.files.items() if task.payload.files.get(path) != text}
    prompt = _said("user", prompt_text(task.payload))
    completion = _said("assistant", listing(changed, task.payload.language))
    return cast(
        "Row",
        {
            "messages": [*prompt, *completion],
            "prompt": prompt,
            "completion": completion,
            **_of_task(task),
            "submission_id": submission.submission_id,
            "tests_passed": tested.passed,
            "tests": tested.of,
            "hidden_tests_passed": tested.hidden_passed,
            "hidden_tests": tested.hidden_of,
        },
    )


def _defects(task: Task, answers: Sequence[CodeAnswer], config: CodeConfig) -> list[Row]:
    files = {path: text.splitlines() for path, text in task.payload.reviewed.items()}
    return [
        {
            **_of_task(task),
            **to_json(mark),
            "code": "\n".join(files.get(mark.path, [])[mark.line - 1 : mark.line_end]),
            "people": people,
            "of": len(answers),
        }
        for mark, people in common_marks(answers, config.line_tolerance)
    ]


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _judgment(task: Task, submission: Judgment) -> Row:
    payload, answer = task.payload, submission.answer
    tested = answer.tested.get(SOLUTION)
    return cast(
        "Row",
        {
            "submission_id": submission.submission_id,
            **_of_task(task),
            "person": submission.person_pseudonym,
            "problem": payload.problem,
            "entry": payload.entry,
            "files": _json(payload.files),
            "tests": _json([to_json(test) for test in payload.tests]),
            "patches": _json([to_json(patch) for patch in payload.patches]),
            "answer": _json(to_json(answer)),
            "preferred": answer.preferred,
            "verdict": answer.verdict,
            "tests_share": tested.share if tested else None,
            "explanation": answer.explanation,
            "shown_order": list(submission.shown_order),
            "seconds": submission.seconds,
            "state": submission.state,
            "counted": submission.counted,
            "guidelines_version": submission.guidelines_version,
            "submitted_at": submission.submitted_at.isoformat() if submission.submitted_at else None,
            "gold": task.gold,
        },
    )
