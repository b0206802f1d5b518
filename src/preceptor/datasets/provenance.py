"""Provenance: one row per task, from its data rows back to guidelines, submissions, reviews and pay."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

import pyarrow as pa
from sqlalchemy import Row as SqlRow

from preceptor.datasets.pseudonyms import Pseudonym
from preceptor.datasets.reading import TaskWork, Weighed
from preceptor.kit.ids import show_id
from preceptor.kit.money import Money
from preceptor.tasktypes.base import Row
from preceptor.work.models import SubmissionState

_JUDGMENT = pa.struct(
    [
        ("submission_id", pa.string()),
        ("claim_id", pa.string()),
        ("person", pa.string()),
        ("state", pa.string()),
        ("counted", pa.bool_()),
        ("guidelines_version", pa.int64()),
        ("rubric_version", pa.int64()),
        ("rate_amount", pa.string()),
        ("rate_currency", pa.string()),
        ("paid", pa.bool_()),
        ("review_id", pa.string()),
        ("review_decision", pa.string()),
        ("reviewer", pa.string()),
        ("reviewed_at", pa.string()),
    ]
)
_CHANCE = pa.struct([("unit", pa.string()), ("label", pa.string()), ("probability", pa.float64())])
SCHEMA = pa.schema(
    [
        ("task_id", pa.string()),
        ("external_id", pa.string()),
        ("import_id", pa.string()),
        ("gold", pa.bool_()),
        ("wanted", pa.int64()),
        ("judgments", pa.list_(_JUDGMENT)),
        ("pair_digests", pa.list_(pa.string())),
        ("judgment_digests", pa.list_(pa.string())),
        ("fit_id", pa.string()),
        ("weighed_judgments", pa.int64()),
        ("weighed_at", pa.string()),
        ("difficulty", pa.float64()),
        ("posterior", pa.list_(_CHANCE)),
    ]
)
"""Pay is found in the ledger by claim. Digests are of the task's lines in the JSON Lines copies."""

Versions = Mapping[UUID | None, int]


def provenance_row(
    work: TaskWork,
    name: Pseudonym,
    guidelines: Versions,
    rubrics: Versions,
    pair_digests: Sequence[str],
    judgment_digests: Sequence[str],
) -> Row:
    """Where the rows of one task come from. People by pseudonym, reviewers too; gold only as yes or no.

    `posterior` is what the quality engine said of the task at that moment, out of `weighed_judgments` (submitted and
    approved ones), by the fit `fit_id`; without `weighed_at` it was weighed for the release. A gold task has none: it
    would be the known answer.
    """
    task = work.task
    return cast(
        "Row",
        {
            "task_id": show_id("task", task.id),
            "external_id": task.external_id,
            "import_id": show_id("import", task.import_id) if task.import_id else None,
            "gold": task.gold,
            "wanted": task.wanted,
            "judgments": [_judgment(judgment, name, guidelines, rubrics) for judgment in work.judgments],
            "pair_digests": list(pair_digests),
            "judgment_digests": list(judgment_digests),
            **_weighed(work.weighed),
        },
    )


def _weighed(weighed: Weighed | None) -> Row:
    if weighed is None:
        return {"fit_id": None, "weighed_judgments": None, "weighed_at": None, "difficulty": None, "posterior": []}
    return {
        "fit_id": show_id("fit", weighed.fit_id),
        "weighed_judgments": weighed.judgments,
        "weighed_at": weighed.at.isoformat() if weighed.at else None,
        "difficulty": weighed.difficulty,
        "posterior": [
            {"unit": unit, "label": label, "probability": chance}
            for unit, chances in sorted(weighed.units.items())
            for label, chance in sorted(chances.items())
        ],
    }


def _judgment(judgment: SqlRow[Any], name: Pseudonym, guidelines: Versions, rubrics: Versions) -> Row:
    approved = judgment.state == SubmissionState.APPROVED
    reviewed = judgment.review_id is not None
    return {
        "submission_id": show_id("submission", judgment.id),
        "claim_id": show_id("claim", judgment.claim_id),
        "person": name(judgment.person_id),
        "state": str(judgment.state),
        "counted": approved,
        "guidelines_version": guidelines.get(judgment.guidelines_version_id),
        "rubric_version": rubrics.get(judgment.rubric_version_id),
        "rate_amount": Money(judgment.rate_minor, judgment.currency).amount,
        "rate_currency": judgment.currency,
        "paid": approved,
        "review_id": show_id("review", judgment.review_id) if reviewed else None,
        "review_decision": str(judgment.decision) if reviewed else None,
        "reviewer": name(judgment.reviewer_id) if reviewed else None,
        "reviewed_at": judgment.reviewed_at.isoformat() if reviewed else None,
    }
