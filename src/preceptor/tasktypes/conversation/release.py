"""Rows of a release: preferences of turns, the chosen conversation, failed and fine replies, and every whole tree.

Conversations differ from person to person, so nothing is merged: each counted submission gives its own rows, with the
endpoint that stood behind each blind name.
"""

from collections.abc import Iterator, Sequence
from typing import Final, cast

import pyarrow as pa

from preceptor.tasktypes.base import ReleasedJudgment, ReleasedTask, ReleaseRows, Row
from preceptor.tasktypes.conversation.models import MIDDLE, ConversationAnswer, ConversationPayload, Node
from preceptor.tasktypes.conversation.tree import Tree, messages_to, opening_of, tree_of

Task = ReleasedTask[ConversationPayload, ConversationAnswer]
Judgment = ReleasedJudgment[ConversationAnswer]

MESSAGES: Final = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_ORIGIN: Final = [
    ("task_id", pa.string()),
    ("external_id", pa.string()),
    ("topic", pa.string()),
    ("submission_id", pa.string()),
    ("person", pa.string()),
    ("turn", pa.int64()),
]
PREFERENCE_SCHEMA: Final = pa.schema(
    [
        ("prompt", MESSAGES),
        ("chosen", MESSAGES),
        ("rejected", MESSAGES),
        ("margin", pa.float64()),
        *_ORIGIN,
        ("chosen_source", pa.string()),
        ("rejected_source", pa.string()),
    ]
)
SFT_SCHEMA: Final = pa.schema(
    [("messages", MESSAGES), ("prompt", MESSAGES), ("completion", MESSAGES), *_ORIGIN, ("source", pa.string())]
)
UNPAIRED_SCHEMA: Final = pa.schema(
    [
        ("prompt", MESSAGES),
        ("completion", MESSAGES),
        ("label", pa.bool_()),
        *_ORIGIN,
        ("source", pa.string()),
        ("category", pa.string()),
        ("severity", pa.int64()),
    ]
)
_MARK: Final = pa.struct(
    [
        ("category", pa.string()),
        ("severity", pa.int64()),
        ("technique", pa.string()),
        ("start", pa.int64()),
        ("quote", pa.string()),
        ("comment", pa.string()),
    ]
)
_NODE: Final = pa.struct(
    [
        ("id", pa.string()),
        ("parent", pa.string()),
        ("role", pa.string()),
        ("text", pa.string()),
        ("label", pa.string()),
        ("model", pa.string()),
        ("source", pa.string()),
        ("generation", pa.string()),
        ("cut", pa.bool_()),
        ("chosen", pa.bool_()),
        ("rating", pa.int64()),
        ("preference", pa.int64()),
        ("marks", pa.list_(_MARK)),
    ]
)
JUDGMENT_SCHEMA: Final = pa.schema(
    [
        ("submission_id", pa.string()),
        ("task_id", pa.string()),
        ("external_id", pa.string()),
        ("topic", pa.string()),
        ("person", pa.string()),
        ("brief", pa.string()),
        ("harm", pa.string()),
        ("persona", pa.string()),
        ("system_prompt", pa.string()),
        ("show_system_prompt", pa.bool_()),
        ("opening", MESSAGES),
        ("models", pa.int64()),
        ("min_turns", pa.int64()),
        ("max_turns", pa.int64()),
        ("nodes", pa.list_(_NODE)),
        ("models_shown", pa.int64()),
        ("labels", pa.string()),
        ("failed", pa.bool_()),
        ("failure", pa.string()),
        ("winner", pa.string()),
        ("winner_source", pa.string()),
        ("notes", pa.string()),
        ("shown_order", pa.list_(pa.string())),
        ("seconds", pa.float64()),
        ("state", pa.string()),
        ("counted", pa.bool_()),
        ("guidelines_version", pa.int64()),
        ("submitted_at", pa.string()),
        ("gold", pa.bool_()),
    ]
)
CHOSEN_MARGIN: Final = 1.0
"""Of a best reply that was chosen without saying by how much."""


def release_rows(task: Task, submissions: Sequence[Judgment]) -> ReleaseRows:
    """Rows of all tables for one task. `undecided`: turns that people judged the same, which no trainer can use."""
    counted = [submission for submission in submissions if submission.counted]
    preferences = [row for each in counted for row in _preferences(task, each)]
    ties = sum(_ties(tree_of(each.answer)) for each in counted)
    return ReleaseRows(
        judgments=tuple(_judgment(task, each) for each in submissions),
        tables={
            "preference": tuple(preferences),
            "sft": tuple(row for each in counted for row in _chosen_path(task, each)),
            "unpaired": tuple(row for each in counted for row in _marked(task, each)),
        },
        undecided=ties,
    )


def pairs_of(tree: Tree, prompt: Node) -> Iterator[tuple[Node, Node, float]]:
    """(better, worse, margin) of a turn. Margins: steps of the scale (1 to 3), difference of ratings, or 1."""
    replies = tree.replies(prompt)
    if prompt.preference is not None and len(replies) == 2:
        if prompt.preference != MIDDLE:
            better, worse = replies if prompt.preference < MIDDLE else replies[::-1]
            yield better, worse, float(abs(prompt.preference - MIDDLE))
        return
    rated = [reply for reply in replies if reply.rating is not None]
    if len(rated) == len(replies) > 1:
        for better in rated:
            for worse in rated:
                if (margin := (better.rating or 0) - (worse.rating or 0)) > 0:
                    yield better, worse, float(margin)
        return
    for better in (reply for reply in replies if reply.chosen):
        yield from ((better, worse, CHOSEN_MARGIN) for worse in replies if worse is not better)


def _ties(tree: Tree) -> int:
    return sum(prompt.preference == MIDDLE for prompt in tree.prompts)


def _preferences(task: Task, judgment: Judgment) -> Iterator[Row]:
    tree = tree_of(judgment.answer)
    for prompt in tree.prompts:
        for better, worse, margin in pairs_of(tree, prompt):
            yield _row(
                prompt=messages_to(task.payload, tree, prompt),
                chosen=_reply(better),
                rejected=_reply(worse),
                margin=margin,
                **_origin(task, judgment, tree.turns(prompt)),
                chosen_source=better.source,
                rejected_source=worse.source,
            )


def _chosen_path(task: Task, judgment: Judgment) -> Iterator[Row]:
    """The conversation along the chosen replies, where nothing on it was marked and it was not called a failure."""
    tree = tree_of(judgment.answer)
    path = tree.chosen_path()
    if not path or judgment.answer.verdict.failed or any(node.marks for node in path):
        return
    messages = messages_to(task.payload, tree, path[-1])
    yield _row(
        messages=messages,
        prompt=messages[:-1],
        completion=messages[-1:],
        **_origin(task, judgment, tree.turns(path[-1])),
        source=path[-1].source,
    )


def _marked(task: Task, judgment: Judgment) -> Iterator[Row]:
    """Each reply as failed (it has a mark) or fine; fine ones only where the person said what failed and what not."""
    tree = tree_of(judgment.answer)
    judged = judgment.answer.verdict.failed is not None or any(node.marks for node in tree.nodes)
    for node in tree.nodes if judged else ():
        if node.role == "assistant":
            worst = max(node.marks, key=lambda mark: mark.severity or 0, default=None)
            yield _row(
                prompt=messages_to(task.payload, tree, node)[:-1],
                completion=_reply(node),
                label=worst is None,
                **_origin(task, judgment, tree.turns(node)),
                source=node.source,
                category=worst.category if worst else None,
                severity=worst.severity if worst else None,
            )


def _reply(node: Node) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": node.text}]


def _origin(task: Task, judgment: Judgment, turn: int) -> Row:
    return {
        "task_id": task.task_id,
        "external_id": task.external_id,
        "topic": task.topic,
        "submission_id": judgment.submission_id,
        "person": judgment.person_pseudonym,
        "turn": turn,
    }


def _row(**columns: object) -> Row:
    return cast("Row", columns)


def _judgment(task: Task, judgment: Judgment) -> Row:
    answer, payload = judgment.answer, task.payload
    sources = {node.model: node.source for node in answer.nodes if node.model is not None}
    return _row(
        submission_id=judgment.submission_id,
        task_id=task.task_id,
        external_id=task.external_id,
        topic=task.topic,
        person=judgment.person_pseudonym,
        brief=payload.brief,
        harm=payload.harm,
        persona=payload.persona,
        system_prompt=payload.system_prompt,
        show_system_prompt=payload.show_system_prompt,
        opening=opening_of(payload.model_copy(update={"system_prompt": None})) or None,
        models=payload.models,
        min_turns=payload.min_turns,
        max_turns=payload.max_turns,
        nodes=[node.model_dump(mode="json") for node in answer.nodes],
        models_shown=answer.models,
        labels=answer.labels,
        failed=answer.verdict.failed,
        failure=answer.verdict.harm,
        winner=answer.verdict.winner,
        winner_source=sources.get(answer.verdict.winner or ""),
        notes=answer.notes,
        shown_order=list(judgment.shown_order),
        seconds=judgment.seconds,
        state=judgment.state,
        counted=judgment.counted,
        guidelines_version=judgment.guidelines_version,
        submitted_at=judgment.submitted_at.isoformat() if judgment.submitted_at else None,
        gold=task.gold,
    )
