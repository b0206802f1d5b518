"""The demo's summary: every number counted from the database or the files, none remembered from the run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from preceptor.kit.ids import read_id


@dataclass(frozen=True)
class Counts:
    tasks: int
    claims: int
    submissions: int
    duplicates: int
    approved: int
    rejected: int
    earned_minor: int
    paid_minor: int
    ledger_imbalance_minor: int


@dataclass
class Summary:
    """What `--json` writes. Money in minor units; accuracies in [0, 1]; None where there was nothing to measure."""

    source: str
    tasks: int = 0
    claims: int = 0
    expected_submissions: int = 0
    submissions: int = 0
    duplicates: int = 0
    lost: int = 0
    approved: int = 0
    rejected: int = 0
    earned_minor: int = 0
    paid_minor: int = 0
    ledger_imbalance_minor: int = 0
    ledger_wrong: int = 0
    currency: str = "USD"
    alpha: float | None = None
    alpha_low: float | None = None
    alpha_high: float | None = None
    consensus_accuracy: float | None = None
    consensus_compared: int = 0
    consensus_note: str = ""
    posterior_accuracy: float | None = None
    """Of the most probable answers by the newest fit, on the same tasks as the majority's."""
    quality: dict[str, Any] = field(default_factory=dict)
    """What the quality engine found (`measures.Quality`)."""
    release_sha256: str | None = None
    release_pairs: int | None = None
    reward_test_pairs: int = 0
    reward_test_note: str = ""
    reward_accuracy: float | None = None
    reward_accuracy_low: float | None = None
    reward_accuracy_high: float | None = None
    length_baseline_accuracy: float | None = None
    more_train_pairs: int | None = None
    more_reward_accuracy: float | None = None
    more_reward_accuracy_low: float | None = None
    models: int = 0
    """Endpoints that a visitor can talk to."""
    seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


_COUNT = text("""
    SELECT (SELECT count(*) FROM task WHERE project_id = :project) AS tasks,
           (SELECT count(*) FROM claim WHERE project_id = :project) AS claims,
           (SELECT count(*) FROM submission WHERE project_id = :project) AS submissions,
           (SELECT count(*) FROM (SELECT 1 FROM submission s WHERE s.project_id = :project
                                  GROUP BY s.task_id, s.person_id, s.revision HAVING count(*) > 1) d) AS duplicates,
           (SELECT count(*) FROM submission WHERE project_id = :project AND state = 'approved') AS approved,
           (SELECT count(*) FROM submission WHERE project_id = :project AND state = 'rejected') AS rejected,
           (SELECT coalesce(sum(p.amount_minor), 0) FROM posting p JOIN claim c ON c.id = p.source_id
            WHERE p.source_kind IN ('claim', 'appeal') AND p.purpose = 'earn' AND c.project_id = :project)
               AS earned_minor,
           (SELECT coalesce(sum(amount_minor), 0) FROM payout WHERE state = 'paid') AS paid_minor,
           (SELECT coalesce(sum(balance_minor), 0) FROM account_part) AS ledger_imbalance_minor
""")


def count(session: Session, project_id: UUID) -> Counts:
    """What the database holds of a project."""
    row = session.execute(_COUNT, {"project": project_id}).one()
    return Counts(**{name: int(value) for name, value in row._mapping.items()})


def lost(session: Session, acknowledged: Sequence[str]) -> int:
    """Submissions that were acknowledged to a client and are not in the database."""
    ids = [read_id("submission", shown) for shown in acknowledged]
    found = session.scalar(text("SELECT count(*) FROM submission WHERE id = ANY(:ids)"), {"ids": ids})
    return len(set(ids)) - int(found or 0)


def waiting(session: Session, project_id: UUID) -> int:
    """Submissions of a project that nothing has been decided about."""
    statement = text("SELECT count(*) FROM submission WHERE project_id = :project AND state = 'submitted'")
    return int(session.scalar(statement, {"project": project_id}) or 0)


def to_review(session: Session, project_id: UUID) -> int:
    """Submissions drawn for review that wait for a decision."""
    statement = text(
        "SELECT count(*) FROM submission WHERE project_id = :project AND state = 'submitted' AND review_wanted"
    )
    return int(session.scalar(statement, {"project": project_id}) or 0)


def undrawn(session: Session, project_id: UUID) -> int:
    """Submissions that nobody reviews and that are not approved yet."""
    statement = text(
        "SELECT count(*) FROM submission WHERE project_id = :project AND state = 'submitted' AND NOT review_wanted"
    )
    return int(session.scalar(statement, {"project": project_id}) or 0)


def asking(session: Session, project_id: UUID) -> int:
    """Tasks of the queue that are still open for somebody."""
    statement = text("SELECT count(*) FROM task WHERE project_id = :project AND state = 'open' AND taken < wanted")
    return int(session.scalar(statement, {"project": project_id}) or 0)


def posteriors(session: Session, project_id: UUID) -> dict[str, int | None]:
    """Position of the most probable better response, for tasks of two; None where that is a tie."""
    statement = text("""
        SELECT t.external_id, q.units FROM task_quality q JOIN task t ON t.id = q.task_id
        WHERE q.project_id = :project AND jsonb_array_length(t.payload -> 'responses') = 2
    """)
    found: dict[str, int | None] = {}
    for external_id, units in session.execute(statement, {"project": project_id}):
        for chances in units.values():
            found[external_id] = {"r1": 0, "r2": 1}.get(max(chances, key=chances.__getitem__))
    return found


def consensus_accuracy(consensus: Mapping[str, int | None], truth: Mapping[str, int]) -> tuple[float | None, int]:
    """(share of tasks whose majority is the known better response, tasks compared). A tied majority is not right."""
    compared = [task for task in truth if task in consensus]
    if not compared:
        return None, 0
    return sum(consensus[task] == truth[task] for task in compared) / len(compared), len(compared)
