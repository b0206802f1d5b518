"""Claims and submits through HTTP beside the same statements by pgbench, on one server in one run."""

import json
from dataclasses import dataclass
from statistics import quantiles
from uuid import UUID

from sqlalchemy.orm import Session

from bench import load, pgbench
from bench.load import Ask
from bench.server import Server
from bench.world import ANSWER, World, key_of
from preceptor.kit.ids import show_id
from preceptor.money import service as money
from preceptor.work import service as work

CONNECTIONS = 32
OVERLAP = 4
RATIO_WANTED = 12


@dataclass(frozen=True)
class Side:
    """One verb: HTTP's rate, pgbench's, and how long a request took."""

    http_per_second: float
    pgbench_per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float

    @property
    def pgbench_is_faster_by(self) -> float:
        return self.pgbench_per_second / self.http_per_second


@dataclass(frozen=True)
class Throughput:
    claims: int
    claim: Side
    submit: Side
    pairs_per_second: float
    """Next and submit in turn by 32 people who go on working."""
    cpu_ms_per_pair: float
    cpu_ms_per_pair_web: float
    cpu_ms_per_pair_database: float
    doubles: int
    lost: int
    wrong: list[str]


def measure(server: Server, world: World, claims: int) -> Throughput:
    """So many claims and submits on either side (one per person), then pairs by people who go on."""
    claims = claims // CONNECTIONS * CONNECTIONS
    first = world.people
    world.add_people(claims)
    assert first == 0, "pgbench numbers people from 0"
    ours, theirs = (_filled(world, claims) for _ in range(2))
    world.settle()
    claimed, submitted = _through_http(server, ours, claims)
    claim_rate = pgbench.rate(server.url, pgbench.claim_script(theirs), claims)
    submit_rate = pgbench.rate(server.url, pgbench.submit_script(), claims)
    pairs_per_second, web, database, pairs = _pairs(server, world, claims // CONNECTIONS // 4)
    acknowledged = [answer for answer in (*submitted.answers, *pairs.then_answers) if answer[0] == 201]
    expected = len(claimed.answers) + len(pairs.answers)
    stored = server.count(
        "SELECT count(*) FROM submission s JOIN claim c ON c.id = s.claim_id AND c.state = 'submitted' "
        "WHERE s.project_id <> '" + str(theirs) + "'"
    )
    return Throughput(
        claims=expected,
        claim=_side(claimed, claim_rate),
        submit=_side(submitted, submit_rate),
        pairs_per_second=pairs_per_second,
        cpu_ms_per_pair=web + database,
        cpu_ms_per_pair_web=web,
        cpu_ms_per_pair_database=database,
        doubles=_doubles(server) + len(acknowledged) - len({identity for _, identity, _ in acknowledged}),
        lost=expected - min(stored, len(acknowledged)),
        wrong=_wrong(world),
    )


def _filled(world: World, claims: int) -> UUID:
    # pgbench neither waits for the last tasks nor gathers the last of the money: leave it some of both.
    project = world.add_project(claims=2 * claims)
    world.add_tasks(project, claims // OVERLAP + 2 * CONNECTIONS, wanted=OVERLAP)
    world.let_in(project, 0, claims - 1)
    return project


def _through_http(server: Server, project: UUID, claims: int) -> tuple[load.Seen, load.Seen]:
    path = f"/api/v1/projects/{show_id('project', project)}/claims"
    answer = json.dumps({"answer": ANSWER})
    claimed = load.run(server.port, CONNECTIONS, [Ask(path, key_of(n)) for n in range(claims)])
    asks = [
        Ask(f"/api/v1/claims/{claim_id}/submission", key_of(n), answer)
        for n, (_, claim_id, _) in enumerate(claimed.answers)
    ]
    return claimed, load.run(server.port, CONNECTIONS, asks)


def _pairs(server: Server, world: World, each: int) -> tuple[float, float, float, load.Seen]:
    """32 people work on and on: (pairs per second, web ms per pair, database ms per pair, what they saw)."""
    project = world.add_project(claims=each * CONNECTIONS)
    world.add_tasks(project, each, wanted=CONNECTIONS)
    world.let_in(project, 0, CONNECTIONS - 1)
    world.settle()
    path = f"/api/v1/projects/{show_id('project', project)}/claims"
    answer = json.dumps({"answer": ANSWER})
    asks = [
        Ask(path, key_of(n), then=Ask("/api/v1/claims/{id}/submission", key_of(n), answer))
        for _ in range(each)
        for n in range(CONNECTIONS)
    ]
    web_before, database_before = server.cpu_seconds()
    seen = load.run(server.port, CONNECTIONS, asks)
    web_after, database_after = server.cpu_seconds()
    pairs = len(seen.then_answers)
    return (
        pairs / seen.seconds,
        (web_after - web_before) / pairs * 1000,
        (database_after - database_before) / pairs * 1000,
        seen,
    )


def _side(seen: load.Seen, pgbench_rate: float) -> Side:
    cuts = quantiles(seen.latencies, n=100)
    return Side(len(seen.answers) / seen.seconds, pgbench_rate, cuts[49] * 1000, cuts[94] * 1000, cuts[98] * 1000)


def _doubles(server: Server) -> int:
    """Tasks with more than was wanted, people with two submissions to a task, claims with two submissions."""
    return server.count("""
        SELECT (SELECT count(*) FROM task WHERE taken > wanted)
             + (SELECT count(*) FROM (SELECT 1 FROM submission GROUP BY task_id, person_id HAVING count(*) > 1) AS a)
             + (SELECT count(*) FROM (SELECT 1 FROM submission GROUP BY claim_id HAVING count(*) > 1) AS b)
    """)


def _wrong(world: World) -> list[str]:
    with Session(world.engine) as session:
        return [*money.prove(session).wrong, *work.prove_work(session)[1]]
