"""An installation of the first release is upgraded: decisions of its past get the receipts they would have today."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text

from preceptor.kit.db import make_engine
from preceptor.migrations import current_revision, head_revision, upgrade
from tests.conftest import NOW, at_database, drop_database

FIRST = "0001"
PEOPLE = ("worker", "reviewer", "operator", "shut_out", "owner")
INSERTS: dict[str, str] = {
    "organization": "INSERT INTO organization (id, name, created_at) VALUES (:org, 'Lab', :now)",
    "project": """
        INSERT INTO project (id, org_id, title, summary, task_type, config, state, overlap, lease_seconds,
            expected_seconds, review_percent, review_seconds, revision_seconds, blind_review, rate_minor, currency,
            created_at)
        VALUES (:project, :org, 'Sums', '', 'comparison', '{}', 'open', 3, 600, 180, 100, 600, 600, true, 42, 'USD',
            :now)""",
    "rubric": """
        INSERT INTO rubric_version (id, project_id, number, criteria, created_at)
        VALUES (:rubric, :project, 3, '[{"key": "right", "title": "Right"}]', :now)""",
    "task": """
        INSERT INTO task (id, project_id, external_id, payload, priority, position, wanted, taken, done, state,
            created_at)
        VALUES (:task, :project, 'one', '{}', 5, 0, 3, 0, 0, 'open', :now)""",
    "member": "INSERT INTO membership (project_id, person_id, state, cursor, joined_at)"
    " VALUES (:project, :worker, 'active', -1, :now)",
}


@pytest.fixture
def old(server_url: str) -> Iterator[Engine]:
    """A database at the first revision, with rows in it."""
    name = f"old_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        engine = make_engine(at_database(server_url, name))
        upgrade(engine, FIRST)
        yield engine
        engine.dispose()
        drop_database(admin, name)


def fill(engine: Engine) -> dict[str, UUID]:
    """A rejected and a returned submission, an approved one, and a suspended person, as they were once written."""
    names = (*PEOPLE, "org", "project", "rubric", "task", "rejected", "returned", "approved")
    ids = {name: uuid4() for name in names}
    given = {**ids, "now": NOW}
    with engine.begin() as connection:
        for name in PEOPLE:
            connection.execute(
                text(
                    "INSERT INTO person (id, email, name, state, is_operator, is_contributor, is_reviewer, simulated,"
                    " created_at) VALUES (:id, :email, :name, :state, false, true, false, false, :now)"
                ),
                {
                    "id": ids[name],
                    "email": f"{name}@example.org",
                    "name": name,
                    "state": "suspended" if name == "shut_out" else "active",
                    "now": NOW,
                },
            )
        for statement in INSERTS.values():
            connection.execute(text(statement), given)
        for state, decision in (("rejected", "reject"), ("returned", "return"), ("approved", "approve")):
            judge(connection, ids, state, decision)
        connection.execute(
            text(
                "INSERT INTO event (at, kind, actor_kind, actor_id, person_id, subject_kind, subject_id, data) VALUES"
                " (:now, 'people.suspended', 'person', :operator, :shut_out, 'person', :shut_out,"
                ' \'{"rule": "operator_decision", "reason": "Shares the account with others."}\')'
            ),
            given,
        )
    return ids


def judge(connection: Connection, ids: dict[str, UUID], state: str, decision: str) -> None:
    person = {"rejected": "worker", "returned": "owner", "approved": "operator"}[state]
    given = {**ids, "id": ids[state], "claim": uuid4(), "state": state, "person": ids[person], "now": NOW}
    connection.execute(
        text(
            "INSERT INTO claim (id, task_id, project_id, person_id, state, leased_until, rate_minor, currency,"
            " money_part, display_order, rubric_version_id, draft_number, worked_seconds, created_at)"
            " VALUES (:claim, :task, :project, :person, :state, :now, 42, 'USD', 0, '{r1,r2}', :rubric, 0, 0, :now)"
        ),
        given,
    )
    connection.execute(
        text(
            "INSERT INTO submission (id, claim_id, task_id, project_id, person_id, revision, answer, state,"
            " worked_seconds, review_wanted, decide_at, created_at)"
            " VALUES (:id, :claim, :task, :project, :person, 1, '{}', :state, 1, true, :now, :now)"
        ),
        given,
    )
    connection.execute(
        text(
            "INSERT INTO review (id, submission_id, project_id, reviewer_id, decision, comment, criteria,"
            " rubric_version_id, worked_seconds, created_at)"
            " VALUES (:review, :id, :project, :reviewer, :decision, 'Not what was asked.', '[]', :rubric, 1, :now)"
        ),
        {**given, "review": uuid4(), "decision": decision},
    )


def test_decisions_of_the_past_have_receipts_after_the_upgrade(old: Engine) -> None:
    ids = fill(old)
    upgrade(old)
    assert current_revision(old) == head_revision()
    with old.connect() as connection:
        rows = connection.execute(text("SELECT * FROM decision_receipt ORDER BY kind")).mappings().all()
        linked = connection.execute(text("SELECT receipt_id FROM person WHERE id = :shut_out"), ids).scalar_one()
    assert [(row["kind"], row["submission_id"]) for row in rows] == [
        ("reject", ids["rejected"]),
        ("return", ids["returned"]),
        ("suspend", None),
    ]
    rejected, _, suspended = rows
    assert (rejected["person_id"], rejected["decided_by"]) == (ids["worker"], ids["reviewer"])
    assert (rejected["rule"], rejected["rule_version"]) == ("review", "rubric 3")
    assert rejected["statement"] == "Not what was asked."
    assert rejected["evidence"][0]["kind"] == "review"
    assert rejected["appeal_until"] - rejected["decided_at"] == timedelta(days=14)
    assert (suspended["person_id"], suspended["decided_by"]) == (ids["shut_out"], ids["operator"])
    assert suspended["statement"] == "Shares the account with others."
    assert linked == suspended["id"]


def test_what_was_decided_before_the_upgrade_is_kept_and_can_be_touched(old: Engine) -> None:
    """The triggers take the old rows as they are, and still refuse new ones without a receipt."""
    ids = fill(old)
    upgrade(old)
    with old.begin() as connection:
        connection.execute(text("UPDATE submission SET state = state"))
        connection.execute(text("UPDATE person SET state = state"))
    with pytest.raises(Exception, match="without a decision receipt"), old.begin() as connection:
        connection.execute(text("UPDATE submission SET state = 'rejected' WHERE id = :approved"), ids)
