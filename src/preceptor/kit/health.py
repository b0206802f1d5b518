"""Whether the installation is ready, and how much of everything there is."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

_COUNTS = {
    # From the planner's statistics where a table grows without bound: a scrape must stay cheap.
    "rows": "SELECT relname AS table, greatest(reltuples, 0) AS value FROM pg_class"
    " WHERE relkind = 'r' AND relname IN ('task', 'claim', 'submission', 'event', 'posting', 'person')",
    "jobs": "SELECT status::text AS status, count(*) AS value FROM procrastinate_jobs"
    " WHERE status IN ('todo', 'doing', 'failed') GROUP BY status",
    "open_claims": "SELECT count(*) AS value FROM claim WHERE state IN ('open', 'returned')",
    "submissions_due": "SELECT count(*) AS value FROM submission WHERE state = 'submitted'",
    "ledger_minor": "SELECT a.kind, a.currency, sum(p.balance_minor) AS value"
    " FROM account_part p JOIN account a ON a.id = p.account_id GROUP BY a.kind, a.currency",
}


def is_ready(session: Session) -> bool:
    """Whether the schema has been installed."""
    return session.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL")) is True


def measure(session: Session) -> Iterator[tuple[str, dict[str, str], float]]:
    """(name, labels, value) of every metric."""
    for name, statement in _COUNTS.items():
        for row in session.execute(text(statement)).mappings():
            labels = {key: str(value) for key, value in row.items() if key != "value"}
            yield name, labels, float(row["value"])
