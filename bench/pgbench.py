"""The same statements by pgbench: what the database alone can do, without HTTP, sign-in, checks or Python."""

import json
import re
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.sql.elements import TextClause

from bench.world import ANSWER
from preceptor.cli.postgres import binaries
from preceptor.money.rules import BUSY_PARTS
from preceptor.work import queries

CLIENTS = 32
TYPES = {
    **dict.fromkeys(
        ("project_id", "person_id", "claim_id", "posting_id", "task_id", "escrow_id", "reserved_id", "org_id"), "uuid"
    ),
    **dict.fromkeys(("guidelines_version_id", "rubric_version_id"), "uuid"),
    **dict.fromkeys(("after", "until", "position", "rate_minor"), "bigint"),
    **dict.fromkeys(("leased_until", "decide_at", "now"), "timestamptz"),
    **dict.fromkeys(("currency", "actor_kind", "answer"), "text"),
    "spread": "int",
    "submission_id": "uuid",
    "worked_seconds": "int",
    "review_wanted": "boolean",
}


def _typed(statement: TextClause, **fixed: str) -> str:
    """The statement with every parameter cast, as pgbench sends text; `fixed` replaces parameters by SQL."""

    def cast(found: "re.Match[str]") -> str:
        name = found[1]
        return f"({fixed[name]})" if name in fixed else f":{name}::{TYPES[name]}"

    lines = [line for line in statement.text.strip().splitlines() if line.strip()]
    return re.sub(r"(?<![:\w]):(\w+)", cast, " ".join(line.strip() for line in lines))


def claim_script(project_id: UUID) -> str:
    """Lock, pick, take: one claim each for the people numbered by client and turn."""
    person = "person_number(:n)"
    lock = _typed(queries.LOCK_MEMBERSHIP, project_id=f"'{project_id}'::uuid", person_id=person)
    lock = lock.replace(
        "SELECT m.state",
        "SELECT m.person_id, now() AS now, now() + interval '1 day' AS leased_until, uuidv7() AS posting_id, "
        "claim_number(:n) AS claim_id, m.state",
        1,
    )
    no_version = {"guidelines_version_id": "NULL::uuid", "rubric_version_id": "NULL::uuid"}
    take = _typed(
        queries.TAKE_FREE,
        display_order="'{r1,r2}'::text[]",
        actor_kind="'api_key'",
        spread=f":n % {BUSY_PARTS}",
        task_id=":id::uuid",
        **no_version,
    )
    return "\n".join(
        [
            "\\set i :i + 1",
            "\\set n :client_id * :each + :i",
            "BEGIN;",
            lock + " \\gset",
            _typed(queries.PICK_FREE, after="-1", until="4611686018427387904") + " \\gset",
            take + " \\gset",
            "COMMIT;",
        ]
    )


def submit_script() -> str:
    """Lock the claim with its task, then write the submission."""
    find = _typed(queries.CLAIM_TO_SUBMIT, claim_id="claim_number(:n)", person_id="person_number(:n)")
    find = find.replace("SELECT c.id,", "SELECT uuidv7() AS submission_id, now() AS now, c.id,", 1)
    # pgbench takes a colon that a name follows for a variable, so every colon here is followed by a space.
    stored = json.dumps({**ANSWER, "ranks": {"r1": 1, "r2": 2}, "both_bad": False, "ratings": {}})
    give = _typed(
        queries.SUBMIT,
        claim_id=":id::uuid",
        answer=f"'{stored}'::text",
        actor_kind="'api_key'",
        worked_seconds="0",
        review_wanted="true",
        review_reason="'random'::text",
        review_chance="0.2::float8",
        to_score="false",
        decide_at=":now::timestamptz + interval '3 days'",
    )
    return "\n".join(
        ["\\set i :i + 1", "\\set n :client_id * :each + :i", "BEGIN;", find + " \\gset", give + " \\gset", "COMMIT;"]
    )


def rate(url: str, script: str, transactions: int) -> float:
    """Transactions per second of a script by 32 clients, `transactions` in all (rounded down to a multiple)."""
    where = urlsplit(url)
    each = transactions // CLIENTS
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "script.sql"
        file.write_text(script)
        done = subprocess.run(
            [
                *(str(binaries() / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2"),
                *("-t", str(each), "-D", "i=-1", "-D", f"each={each}", "-f", str(file)),
                *("-h", str(where.hostname), "-p", str(where.port), "-U", str(where.username), where.path[1:]),
            ],
            env={"PGPASSWORD": str(where.password), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode or found is None:
        raise RuntimeError(f"pgbench failed: {done.stdout}\n{done.stderr[-2000:]}")
    return float(found[1])
