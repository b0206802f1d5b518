"""Proof over all rows that work and money agree, for `preceptor doctor --ledger` and the operators' page."""

from dataclasses import dataclass

from psycopg.errors import QueryCanceled
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from preceptor.kit.errors import AppError, Kind
from preceptor.kit.events import Actor
from preceptor.money import service as money
from preceptor.people.access import require_operator

_CHECKS: dict[str, str] = {
    "every claim reserved its rate exactly once": """
        SELECT count(*) FROM claim c LEFT JOIN posting p
          ON p.source_id = c.id AND p.source_kind = 'claim' AND p.purpose = 'reserve'
        WHERE p.id IS NULL OR p.amount_minor <> c.rate_minor OR p.currency <> c.currency""",
    "every approved claim, and no other, was paid its rate": """
        SELECT count(*) FROM (
            SELECT c.state, c.rate_minor, count(p.id) AS paid, coalesce(sum(p.amount_minor), 0) AS amount
            FROM claim c LEFT JOIN posting p
              ON p.source_id = c.id AND p.source_kind IN ('claim', 'appeal') AND p.purpose = 'earn'
            GROUP BY c.id) AS pay
        WHERE paid <> CASE state WHEN 'approved' THEN 1 ELSE 0 END OR amount <> paid * rate_minor""",
    "every claim that ended without pay, or was paid by an appeal, and no other, gave its money back": """
        SELECT count(*) FROM claim c
        LEFT JOIN posting p ON p.source_id = c.id AND p.source_kind = 'claim' AND p.purpose = 'return'
        LEFT JOIN posting a ON a.source_id = c.id AND a.source_kind = 'appeal' AND a.purpose = 'earn'
        WHERE (c.state IN ('rejected', 'expired', 'released', 'skipped') OR a.id IS NOT NULL) <> (p.id IS NOT NULL)
           OR p.amount_minor <> c.rate_minor""",
    "every pay after an appeal was paid out of the project's escrow, as much as came in for it": """
        SELECT count(*) FROM posting p LEFT JOIN posting e
          ON e.source_id = p.source_id AND e.source_kind = 'appeal' AND e.purpose = 'earn'
        WHERE p.source_kind = 'appeal' AND p.purpose <> 'earn'
          AND (e.id IS NULL OR e.from_account_id <> p.to_account_id OR e.amount_minor <> p.amount_minor)""",
    "every decision against a person has its receipt, and nobody decided about themselves": """
        SELECT (SELECT count(*) FROM submission s WHERE s.state IN ('rejected', 'returned') AND NOT EXISTS (
                    SELECT 1 FROM decision_receipt r WHERE r.submission_id = s.id AND r.person_id = s.person_id))
             + (SELECT count(*) FROM membership m WHERE m.state IN ('paused', 'retraining', 'removed') AND NOT EXISTS (
                    SELECT 1 FROM decision_receipt r WHERE r.id = m.receipt_id AND r.person_id = m.person_id))
             + (SELECT count(*) FROM person p WHERE p.state = 'suspended' AND NOT EXISTS (
                    SELECT 1 FROM decision_receipt r WHERE r.id = p.receipt_id AND r.person_id = p.id))
             + (SELECT count(*) FROM appeal a WHERE a.decided_by = a.person_id
                    OR (a.origin = 'person' AND a.decided_by = a.first_decider_id))""",
    "reserved money is exactly the rates of live claims": """
        SELECT count(*) FROM (
            SELECT a.owner_id, a.currency, sum(x.balance_minor) AS held,
                   (SELECT coalesce(sum(c.rate_minor), 0) FROM claim c
                    WHERE c.project_id = a.owner_id AND c.currency = a.currency
                      AND c.state IN ('ahead', 'open', 'submitted', 'returned')) AS live
            FROM account a JOIN account_part x ON x.account_id = a.id
            WHERE a.kind = 'reserved' GROUP BY a.id) AS reserved WHERE held <> live""",
    "every task counts its live claims and judgments right, within its overlap": """
        SELECT count(*) FROM task t
        LEFT JOIN (SELECT task_id,
                          count(*) FILTER (
                              WHERE state IN ('ahead', 'open', 'submitted', 'returned', 'approved')) AS taken,
                          count(*) FILTER (WHERE state IN ('submitted', 'approved')) AS done
                   FROM claim GROUP BY task_id) c ON c.task_id = t.id
        WHERE t.taken <> coalesce(c.taken, 0) OR t.done <> coalesce(c.done, 0) OR t.taken > t.wanted""",
    "nobody judged a task twice": """
        SELECT count(*) FROM (
            SELECT 1 FROM claim WHERE state IN ('submitted', 'returned', 'approved', 'rejected')
            GROUP BY task_id, person_id HAVING count(*) > 1) AS doubled""",
    "nobody reviewed their own work": """
        SELECT count(*) FROM review r JOIN submission s ON s.id = r.submission_id
        WHERE r.reviewer_id = s.person_id""",
}


def prove_work(session: Session) -> tuple[list[str], list[str]]:
    """(what holds, what is wrong) in words; one pass over claims, tasks and their postings each."""
    held, wrong = [], []
    for promise, count in _CHECKS.items():
        broken = int(session.scalar(text(count)) or 0)
        if broken:
            wrong.append(f"broken {broken} times: {promise}")
        else:
            held.append(promise)
    return held, wrong


class ProofTooLong(AppError):
    """There are too many rows to check while a page waits. Run `preceptor doctor --ledger` on the server instead."""

    code = "proof_too_long"
    kind: Kind = "unavailable"


@dataclass(frozen=True)
class Proof:
    """What was checked over all rows: `wrong` is empty when everything holds."""

    accounts: int
    postings: int
    held: list[str]
    wrong: list[str]

    @property
    def ok(self) -> bool:
        return not self.wrong


def prove_everything(session: Session, actor: Actor, *, seconds_max: int) -> Proof:
    """Both proofs for an operator who waits. A check that takes longer than `seconds_max` raises `ProofTooLong`.

    Each check is one statement and so sees one moment; work that goes on meanwhile cannot make it fail.
    """
    require_operator(actor)
    try:
        with session.begin_nested():
            session.execute(text("SELECT set_config('statement_timeout', :limit, true)"), {"limit": f"{seconds_max}s"})
            ledger = money.prove(session)
            held, wrong = prove_work(session)
            session.execute(text("SELECT set_config('statement_timeout', '0', true)"))
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            raise ProofTooLong from error
        raise
    return Proof(ledger.accounts, ledger.postings, [*ledger.held, *held], [*ledger.wrong, *wrong])
