"""Rows of a dataset release, in TRL's column names for preference data."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

import pyarrow as pa

from preceptor.tasktypes.base import (
    Consensus,
    Posterior,
    ReleasedJudgment,
    ReleasedTask,
    ReleaseRows,
    Row,
)
from preceptor.tasktypes.comparison.models import TIE, ComparisonAnswer, ComparisonPayload, Response
from preceptor.tasktypes.comparison.pairs import label_of_pair, pairs_of, unit_name
from preceptor.tasktypes.messages import trainer_messages

Task = ReleasedTask[ComparisonPayload, ComparisonAnswer]
Judgment = ReleasedJudgment[ComparisonAnswer]

FROM_JUDGMENTS = "judgments"
FROM_IMPORT = "imported"
FROM_KEY = "gold"
ABOUT_PAIRS = "one decided comparison: `prompt`, `chosen`, `rejected` as message lists, `margin`, votes and chances"
COLUMNS_OF_PAIRS = """\
| column of `pairs` | what it is |
|---|---|
| `probability` | chance that the chosen response is better, given everything the judgments say |
| `soft_chosen`, `soft_rejected`, `soft_tie` | share of careful people who would say each; they add up to 1. The same \
as the chances where there is one truth, near the votes where people legitimately differ |
| `ambiguity` | chance that they do; empty where one judgment or no fit cannot tell |
| `probability_source` | `fit`; `assumed` where no fit has weighed the task; `gold` where the answer is known |

`probability` and the soft labels are filled in every row. They are what was known when the release was built, and \
rest on the judgments that are approved or not decided about yet. For a pairwise loss with soft targets, use \
`soft_chosen + soft_tie / 2`.

`margin` is never negative and says how clearly the chosen response won: the mean stated strength (0 to 3) where \
people gave strengths, else the difference of vote shares (0 to 1)."""
DIGITS = 4
"""Of chances: a fit moves later ones without meaning."""

_MESSAGES: Final = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))

CONSENSUS_SCHEMA: Final = pa.schema(
    [
        ("prompt", _MESSAGES),
        ("chosen", _MESSAGES),
        ("rejected", _MESSAGES),
        ("margin", pa.float64()),
        ("votes_chosen", pa.int64()),
        ("votes_rejected", pa.int64()),
        ("ties", pa.int64()),
        ("task_id", pa.string()),
        ("external_id", pa.string()),
        ("topic", pa.string()),
        ("chosen_id", pa.string()),
        ("rejected_id", pa.string()),
        ("chosen_source", pa.string()),
        ("rejected_source", pa.string()),
        ("label_source", pa.string()),
        ("probability", pa.float64()),
        ("soft_chosen", pa.float64()),
        ("soft_rejected", pa.float64()),
        ("soft_tie", pa.float64()),
        ("ambiguity", pa.float64()),
        ("probability_source", pa.string()),
        ("gold", pa.bool_()),
    ]
)

JUDGMENT_SCHEMA: Final = pa.schema(
    [
        ("submission_id", pa.string()),
        ("task_id", pa.string()),
        ("external_id", pa.string()),
        ("topic", pa.string()),
        ("person", pa.string()),
        ("prompt", _MESSAGES),
        ("context", pa.string()),
        (
            "responses",
            pa.list_(pa.struct([("id", pa.string()), ("source", pa.string()), ("messages", _MESSAGES)])),
        ),
        ("label", pa.string()),
        ("ranks", pa.list_(pa.struct([("id", pa.string()), ("rank", pa.int64())]))),
        ("strength", pa.int64()),
        ("both_bad", pa.bool_()),
        (
            "ratings",
            pa.list_(pa.struct([("dimension", pa.string()), ("id", pa.string()), ("value", pa.int64())])),
        ),
        ("justification", pa.string()),
        ("shown_order", pa.list_(pa.string())),
        ("seconds", pa.float64()),
        ("state", pa.string()),
        ("counted", pa.bool_()),
        ("guidelines_version", pa.int64()),
        ("submitted_at", pa.string()),
        ("gold", pa.bool_()),
    ]
)


def release_rows(task: Task, submissions: Sequence[Judgment], consensus: Consensus) -> ReleaseRows:
    """One consensus row per pair that is decided, one judgment row per submission.

    A pair without a decided winner (split, a tie, or not sure enough) gives no consensus row and is counted as
    undecided: a trainer has no use for it there, and its votes are in the judgments. Where nobody judged, the label
    that came with the file is used and marked `label_source = imported`; a known answer comes before all others
    (`label_source = gold`).
    """
    counted = [submission.answer for submission in submissions if submission.counted]
    shared = _SharedColumns(task)
    pairs: list[Row] = []
    undecided = 0
    for first, second in pairs_of(task.payload.ids):
        row = _pair_row(shared, first, second, consensus, counted)
        if row is None:
            undecided += 1
        else:
            pairs.append(row)
    judgments = tuple(_judgment_row(shared, submission) for submission in submissions)
    return ReleaseRows(judgments=judgments, tables={"pairs": tuple(pairs)}, undecided=undecided)


class _SharedColumns:
    """What all rows of one task have in common, converted once."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.prompt = trainer_messages(task.payload.prompt)
        self.messages = {response.id: trainer_messages(response.messages) for response in task.payload.responses}
        self.source = {response.id: response.source for response in task.payload.responses}
        self.responses = [self._response(response) for response in task.payload.responses]

    def _response(self, response: Response) -> Row:
        return cast("Row", {"id": response.id, "source": response.source, "messages": self.messages[response.id]})


def _pair_row(
    shared: _SharedColumns,
    first: str,
    second: str,
    consensus: Consensus,
    counted: Sequence[ComparisonAnswer],
) -> Row | None:
    name = unit_name(first, second)
    unit = consensus.units.get(name)
    votes: Mapping[str, int] = unit.counts if unit is not None else {}
    if shared.task.known_answer is not None:
        label, origin = label_of_pair(shared.task.known_answer, first, second), FROM_KEY
    elif unit is not None and votes:
        label, origin = unit.label, FROM_JUDGMENTS
    elif shared.task.imported_answer is not None:
        label = label_of_pair(shared.task.imported_answer, first, second)
        votes, origin = shared.task.imported_votes, FROM_IMPORT
    else:
        return None
    if label is None or label == TIE:
        return None
    rejected = second if label == first else first
    return cast(
        "Row",
        {
            "prompt": shared.prompt,
            "chosen": shared.messages[label],
            "rejected": shared.messages[rejected],
            "margin": _margin(label, rejected, votes, counted),
            "votes_chosen": votes.get(label, 0),
            "votes_rejected": votes.get(rejected, 0),
            "ties": votes.get(TIE, 0),
            "task_id": shared.task.task_id,
            "external_id": shared.task.external_id,
            "topic": shared.task.topic,
            "chosen_id": label,
            "rejected_id": rejected,
            "chosen_source": shared.source[label],
            "rejected_source": shared.source[rejected],
            "label_source": origin,
            **_chances(consensus.posterior, name, label, rejected),
            "gold": shared.task.gold,
        },
    )


def _chances(posterior: Posterior | None, unit: str, chosen: str, rejected: str) -> Row:
    """How sure it is that the chosen response is better, and what careful people would say; None where unknown."""
    sure = posterior.units.get(unit, {}) if posterior is not None else {}
    soft = posterior.soft.get(unit, {}) if posterior is not None else {}
    return {
        "probability": _short(sure.get(chosen)),
        "soft_chosen": _short(soft.get(chosen)),
        "soft_rejected": _short(soft.get(rejected)),
        "soft_tie": _short(soft.get(TIE)),
        "ambiguity": _short(posterior.ambiguity) if posterior is not None else None,
        "probability_source": posterior.source if posterior is not None else None,
    }


def _short(chance: float | None) -> float | None:
    return None if chance is None else round(chance, DIGITS)


def _margin(chosen: str, rejected: str, votes: Mapping[str, int], counted: Sequence[ComparisonAnswer]) -> float:
    """How clearly the chosen response won, never negative.

    Where people gave strengths: their mean, counted against the chosen one when they preferred the other
    (the margin of Llama 2, section 3.2.2, on a scale of 0 to 3). Otherwise the difference of vote shares
    (0 to 1); a label that came without votes counts as one vote for it.
    """
    strengths = [
        answer.strength if label_of_pair(answer, chosen, rejected) == chosen else -answer.strength
        for answer in counted
        if answer.strength is not None and label_of_pair(answer, chosen, rejected) is not None
    ]
    if strengths:
        return max(0.0, sum(strengths) / len(strengths))
    total = sum(votes.values())
    if total == 0:
        return 1.0
    return max(0.0, (votes.get(chosen, 0) - votes.get(rejected, 0)) / total)


def _judgment_row(shared: _SharedColumns, submission: Judgment) -> Row:
    task, answer = shared.task, submission.answer
    ids = task.payload.ids
    return cast(
        "Row",
        {
            "submission_id": submission.submission_id,
            "task_id": task.task_id,
            "external_id": task.external_id,
            "topic": task.topic,
            "person": submission.person_pseudonym,
            "prompt": shared.prompt,
            "context": task.payload.context,
            "responses": shared.responses,
            "label": label_of_pair(answer, ids[0], ids[1]) if len(ids) == 2 else None,
            "ranks": [{"id": name, "rank": answer.ranks[name]} for name in ids if name in answer.ranks],
            "strength": answer.strength,
            "both_bad": answer.both_bad,
            "ratings": [
                {"dimension": key, "id": name, "value": value}
                for key, given in sorted(answer.ratings.items())
                for name, value in sorted(given.items())
            ],
            "justification": answer.justification,
            "shown_order": list(submission.shown_order),
            "seconds": submission.seconds,
            "state": submission.state,
            "counted": submission.counted,
            "guidelines_version": submission.guidelines_version,
            "submitted_at": submission.submitted_at.isoformat() if submission.submitted_at else None,
            "gold": task.gold,
        },
    )
