"""Rows of a dataset release: scores per response, pairs and single labels derived from them, every judgment."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import mean, median, pstdev
from typing import Final, cast

import pyarrow as pa

from preceptor.tasktypes.base import Consensus, ReleasedJudgment, ReleasedTask, ReleaseRows, Row, Table, to_json
from preceptor.tasktypes.messages import Message
from preceptor.tasktypes.rating.agreement import unit_name, weighted_score
from preceptor.tasktypes.rating.models import (
    Criterion,
    Mark,
    RatingAnswer,
    RatingConfig,
    RatingPayload,
    criteria_of,
)
from preceptor.tasktypes.released import (
    FROM_IMPORT,
    FROM_JUDGMENTS,
    FROM_KEY,
    JUDGMENT_COLUMNS,
    MESSAGES,
    RESPONSES,
    SPANS,
    TASK_COLUMNS,
    judgment_columns,
    message_rows,
    span_rows,
    task_columns,
)

Task = ReleasedTask[RatingPayload, RatingAnswer]
Judgment = ReleasedJudgment[RatingAnswer]
DIGITS = 4
RATINGS, PAIRS, UNPAIRED = "ratings", "pairs", "unpaired"

CRITERIA: Final = pa.list_(
    pa.struct(
        [
            ("key", pa.string()),
            ("title", pa.string()),
            ("description", pa.string()),
            ("kind", pa.string()),
            ("points", pa.int64()),
            ("weight", pa.float64()),
            ("anchors", pa.list_(pa.struct([("at", pa.string()), ("words", pa.string())]))),
            ("required", pa.bool_()),
            ("allow_na", pa.bool_()),
            ("evidence", pa.string()),
            ("comment", pa.string()),
        ]
    )
)
"""Criteria as a column; an import of ratings takes it as it is."""

_SCORED: Final = pa.list_(
    pa.struct(
        [
            ("key", pa.string()),
            ("title", pa.string()),
            ("kind", pa.string()),
            ("weight", pa.float64()),
            ("value", pa.float64()),
            ("share", pa.float64()),
            ("label", pa.string()),
            ("probability", pa.float64()),
            ("scored", pa.int64()),
            ("not_applicable", pa.int64()),
        ]
    )
)
_MARKS: Final = pa.list_(
    pa.struct(
        [
            ("response", pa.string()),
            ("criterion", pa.string()),
            ("value", pa.int64()),
            ("na", pa.bool_()),
            ("comment", pa.string()),
            ("quotes", SPANS),
        ]
    )
)

TABLES: Final = {
    RATINGS: Table(
        schema=pa.schema(
            [
                ("prompt", MESSAGES),
                ("completion", MESSAGES),
                ("weighted_score", pa.float64()),
                ("score_spread", pa.float64()),
                ("judgments", pa.int64()),
                ("criteria", _SCORED),
                ("overall", pa.float64()),
                ("response_id", pa.string()),
                ("source", pa.string()),
                ("reference", pa.string()),
                ("context", pa.string()),
                ("label_source", pa.string()),
                *TASK_COLUMNS,
            ]
        ),
        shape="plain",
        about="One row per response, with its weighted score and what it got on each criterion.",
        columns=(
            "`weighted_score` is from 0 to 1, the mean of the judgments' weighted scores; `score_spread` their "
            "standard deviation (empty with one judgment). In `criteria`, `value` is the median in the criterion's own "
            "points and `share` the same from 0 to 1."
        ),
    ),
    PAIRS: Table(
        schema=pa.schema(
            [
                ("prompt", MESSAGES),
                ("chosen", MESSAGES),
                ("rejected", MESSAGES),
                ("margin", pa.float64()),
                ("chosen_score", pa.float64()),
                ("rejected_score", pa.float64()),
                ("chosen_id", pa.string()),
                ("rejected_id", pa.string()),
                ("chosen_source", pa.string()),
                ("rejected_source", pa.string()),
                ("label_source", pa.string()),
                *TASK_COLUMNS,
            ]
        ),
        shape="preference",
        about="Two responses to one prompt whose weighted scores differ by at least the project's margin.",
        columns="`margin` is the difference of the weighted scores, from 0 to 1.",
    ),
    UNPAIRED: Table(
        schema=pa.schema(
            [
                ("prompt", MESSAGES),
                ("completion", MESSAGES),
                ("label", pa.bool_()),
                ("score", pa.float64()),
                ("response_id", pa.string()),
                ("source", pa.string()),
                ("label_source", pa.string()),
                *TASK_COLUMNS,
            ]
        ),
        shape="unpaired",
        about="One row per response: whether its weighted score reaches the project's threshold.",
    ),
}

JUDGMENT_SCHEMA: Final = pa.schema(
    [
        *JUDGMENT_COLUMNS,
        *TASK_COLUMNS,
        ("prompt", MESSAGES),
        ("context", pa.string()),
        ("reference", pa.string()),
        ("responses", RESPONSES),
        ("criteria", CRITERIA),
        ("scores", _MARKS),
        ("weighted", pa.list_(pa.struct([("response", pa.string()), ("score", pa.float64())]))),
        ("overall", pa.list_(pa.struct([("response", pa.string()), ("value", pa.int64())]))),
        ("comment", pa.string()),
        ("reference_opened", pa.bool_()),
        ("answer", pa.string()),
    ]
)


@dataclass(frozen=True)
class Scored:
    """A response with the answers that scored it; `score` None where nothing that weighs was scored."""

    id: str
    source: str | None
    messages: Sequence[Message]
    scores: tuple[float, ...]
    answers: tuple[RatingAnswer, ...]

    @property
    def score(self) -> float | None:
        return round(mean(self.scores), DIGITS) if self.scores else None

    def marks(self, criterion: Criterion) -> list[Mark]:
        """What it got on a criterion, one for each answer that said something."""
        found = (answer.scores.get(self.id, {}).get(criterion.key) for answer in self.answers)
        return [mark for mark in found if mark is not None and (mark.value is not None or mark.na)]


def criteria_rows(criteria: Sequence[Criterion]) -> list[Row]:
    """Criteria as rows of `CRITERIA`."""
    return [
        {
            **to_json(criterion),
            "anchors": [{"at": at, "words": words} for at, words in criterion.anchors.items()],
        }
        for criterion in criteria
    ]


def release_rows(
    task: Task, submissions: Sequence[Judgment], consensus: Consensus, config: RatingConfig
) -> ReleaseRows:
    """Rows of one task. A known answer comes before judgments, and these before an answer that came with the file.

    Undecided counts responses that nobody scored and pairs whose scores are closer than the margin.
    """
    answers, origin = _authority(task, submissions)
    criteria = criteria_of(task.payload, config)
    responses = [
        Scored(each.id, each.source, each.messages, _scores(each.id, answers, criteria), answers)
        for each in task.payload.responses
    ]
    scored = [each for each in responses if each.score is not None]
    pairs = [row for one, other in combinations(scored, 2) if (row := _pair(task, one, other, origin, config))]
    possible = len(scored) * (len(scored) - 1) // 2
    return ReleaseRows(
        judgments=tuple(_judgment(task, submission, config) for submission in submissions),
        tables={
            RATINGS: tuple(_rating(task, each, consensus, criteria, origin) for each in scored),
            PAIRS: tuple(pairs),
            UNPAIRED: tuple(_label(task, each, origin, config) for each in scored),
        },
        undecided=possible - len(pairs) + len(responses) - len(scored),
    )


def _authority(task: Task, submissions: Sequence[Judgment]) -> tuple[tuple[RatingAnswer, ...], str]:
    counted = tuple(submission.answer for submission in submissions if submission.counted)
    if task.known_answer is not None:
        return (task.known_answer,), FROM_KEY
    if counted or task.imported_answer is None:
        return counted, FROM_JUDGMENTS
    return (task.imported_answer,), FROM_IMPORT


def _scores(response: str, answers: Sequence[RatingAnswer], criteria: Sequence[Criterion]) -> tuple[float, ...]:
    found = (weighted_score(criteria, answer.scores.get(response, {})) for answer in answers)
    return tuple(score for score in found if score is not None)


def _rating(task: Task, response: Scored, consensus: Consensus, criteria: Sequence[Criterion], origin: str) -> Row:
    overall = [answer.overall[response.id] for answer in response.answers if response.id in answer.overall]
    return cast(
        "Row",
        {
            "prompt": message_rows(task.payload.prompt),
            "completion": message_rows(response.messages),
            "weighted_score": response.score,
            "score_spread": round(pstdev(response.scores), DIGITS) if len(response.scores) > 1 else None,
            "judgments": len(response.scores),
            "criteria": [_on_criterion(response, each, consensus, origin) for each in criteria],
            "overall": round(mean(overall), DIGITS) if overall else None,
            "response_id": response.id,
            "source": response.source,
            "reference": task.payload.reference,
            "context": task.payload.context,
            "label_source": origin,
            **task_columns(task),
        },
    )


def _on_criterion(response: Scored, criterion: Criterion, consensus: Consensus, origin: str) -> Row:
    values = [mark.value for mark in response.marks(criterion) if mark.value is not None]
    unit = unit_name(response.id, criterion.key)
    decided = consensus.units.get(unit) if origin == FROM_JUDGMENTS else None
    label = decided.label if decided is not None else None
    chances: Mapping[str, float] = consensus.posterior.units.get(unit, {}) if consensus.posterior is not None else {}
    middle = float(median(values)) if values else None
    return {
        "key": criterion.key,
        "title": criterion.title,
        "kind": criterion.kind,
        "weight": criterion.weight,
        "value": middle,
        "share": None if middle is None else round(criterion.share(middle), DIGITS),
        "label": label,
        "probability": round(chances[label], DIGITS) if label is not None and label in chances else None,
        "scored": len(values),
        "not_applicable": len(response.marks(criterion)) - len(values),
    }


def _pair(task: Task, one: Scored, other: Scored, origin: str, config: RatingConfig) -> Row | None:
    if one.score is None or other.score is None:
        return None
    better, worse = (one, other) if one.score > other.score else (other, one)
    high, low = max(one.score, other.score), min(one.score, other.score)
    margin = round(high - low, DIGITS)
    if margin < config.margin_min:
        return None
    return cast(
        "Row",
        {
            "prompt": message_rows(task.payload.prompt),
            "chosen": message_rows(better.messages),
            "rejected": message_rows(worse.messages),
            "margin": margin,
            "chosen_score": high,
            "rejected_score": low,
            "chosen_id": better.id,
            "rejected_id": worse.id,
            "chosen_source": better.source,
            "rejected_source": worse.source,
            "label_source": origin,
            **task_columns(task),
        },
    )


def _label(task: Task, response: Scored, origin: str, config: RatingConfig) -> Row:
    return cast(
        "Row",
        {
            "prompt": message_rows(task.payload.prompt),
            "completion": message_rows(response.messages),
            "label": response.score is not None and response.score >= config.threshold,
            "score": response.score,
            "response_id": response.id,
            "source": response.source,
            "label_source": origin,
            **task_columns(task),
        },
    )


def _judgment(task: Task, submission: Judgment, config: RatingConfig) -> Row:
    payload, answer = task.payload, submission.answer
    criteria = criteria_of(payload, config)
    weighted = {name: weighted_score(criteria, answer.scores.get(name, {})) for name in payload.ids}
    return cast(
        "Row",
        {
            **judgment_columns(submission),
            **task_columns(task),
            "prompt": message_rows(payload.prompt),
            "context": payload.context,
            "reference": payload.reference,
            "responses": [
                {"id": each.id, "source": each.source, "messages": message_rows(each.messages)}
                for each in payload.responses
            ],
            "criteria": criteria_rows(payload.criteria) if payload.criteria is not None else None,
            "scores": _marks(answer),
            "weighted": [
                {"response": name, "score": round(score, DIGITS)}
                for name, score in weighted.items()
                if score is not None
            ],
            "overall": [{"response": name, "value": value} for name, value in sorted(answer.overall.items())],
            "comment": answer.comment,
            "reference_opened": answer.reference_opened,
            "answer": json.dumps(to_json(answer), ensure_ascii=False, sort_keys=True),
        },
    )


def _marks(answer: RatingAnswer) -> list[Row]:
    return [
        cast(
            "Row",
            {
                "response": name,
                "criterion": key,
                "value": mark.value,
                "na": mark.na,
                "comment": mark.comment,
                "quotes": span_rows(mark.quotes),
            },
        )
        for name, marks in sorted(answer.scores.items())
        for key, mark in marks.items()
    ]
