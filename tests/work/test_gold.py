"""Gold in the mix: who gets which task, what is counted, how answers are scored, when a leaked answer is noticed."""

import json
import random
import re
from datetime import timedelta
from itertools import pairwise
from math import sqrt
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.events import Event
from preceptor.kit.ids import new_id, show_id, unveil, veil
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import GOLD_CAPACITY, OverlapMode, Task, TaskGold, TaskState
from preceptor.projects.queries import task_counts
from preceptor.projects.service import adding, tasks
from preceptor.work import queries, queries_gold, rules_gold, service
from preceptor.work.errors import NoWorkLeft, TaskTaken
from preceptor.work.models import Claim, Decision, Submission
from preceptor.work.models_quality import GoldResult, TaskQuality
from preceptor.work.service import claims, fitting, gold
from tests.factories import User, World, join, make_world
from tests.web.acting import statements
from tests.work.golden import answer_gold, golden_world, know, mix, prefer, submit_and_sweep


class Drawn:
    """Draws that a test decides: below the rate gives gold."""

    def __init__(self, *draws: float) -> None:
        self._draws = iter(draws)

    def random(self) -> float:
        return next(self._draws, 0.99)


GOLD, ORDINARY = 0.0, 0.99


def draws(monkeypatch: pytest.MonkeyPatch, *values: float) -> None:
    monkeypatch.setattr(claims, "_DRAWS", Drawn(*values))


def claim(session: Session, world: World, person: User, clock: FixedClock) -> Claim:
    return service.claim_next(session, person.actor, world.project.id, now=clock.now()).claim


finish = submit_and_sweep


# --- Moving in and out of the mix


def test_mixing_takes_known_tasks_out_of_the_queue_and_back_to_what_they_wanted(
    session: Session, clock: FixedClock
) -> None:
    world = golden_world(session, clock, tasks=5, gold=2, overlap=3)
    assert [task.state for task in world.tasks] == ["gold", "gold", "open", "open", "open"]
    assert [task.overlap for task in world.tasks] == [3] * 5
    mix(session, world, 0, clock)
    assert [(task.state, task.wanted) for task in world.tasks] == [("open", 3)] * 5


def test_a_task_that_checked_more_people_than_its_overlap_comes_back_full(
    session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = golden_world(session, clock, tasks=3, gold=1, overlap=1)
    for person in join(session, world, now=clock.now(), people=2):
        draws(monkeypatch, GOLD)
        finish(session, person, claim(session, world, person, clock), clock)
    mix(session, world, 0, clock)
    back = world.tasks[0]
    assert (back.state, back.taken, back.wanted) == ("open", 2, 2)


def test_changing_the_rate_between_two_shares_moves_nothing(session: Session, clock: FixedClock) -> None:
    world = golden_world(session, clock, percent=10)
    before = [(task.state, task.wanted) for task in world.tasks]
    mix(session, world, 30, clock)
    assert [(task.state, task.wanted) for task in world.tasks] == before


def test_gold_added_while_mixing_goes_straight_into_the_mix(session: Session, clock: FixedClock) -> None:
    world = golden_world(session, clock)
    payload = json.dumps(world.tasks[0].payload)
    new = [
        adding.NewTask(1, "known", payload, gold='{"ranks": {"r1": 1, "r2": 2}}'),
        adding.NewTask(2, "ordinary", payload),
    ]
    staged = adding.stage(session, new)
    adding.place(session, world.project.id, staged, import_id=None, now=clock.now())
    found = {
        task.external_id: task
        for task in session.scalars(select(Task).where(Task.external_id.in_(["known", "ordinary"])))
    }
    assert (found["known"].state, found["known"].wanted) == (TaskState.GOLD, GOLD_CAPACITY + 2)
    assert (found["ordinary"].state, found["ordinary"].wanted) == (TaskState.OPEN, 2)


def test_a_reported_gold_task_is_hidden_and_comes_back_into_the_mix(
    session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = golden_world(session, clock, gold=1)
    for person in join(session, world, now=clock.now(), people=2):
        draws(monkeypatch, GOLD)
        service.flag_task(session, person.actor, claim(session, world, person, clock).id, "broken", "", now=clock.now())
    task = world.tasks[0]
    session.refresh(task)
    assert (task.state, task.wanted) == ("flagged", 2)
    service.resolve_flags(session, world.client.actor, task, keep=True, now=clock.now())
    assert (task.state, task.overlap) == ("gold", 2)


def test_retiring_and_restoring_by_the_list_of_tasks_respects_the_mix(session: Session, clock: FixedClock) -> None:
    world = golden_world(session, clock)
    project, task = world.project.id, world.tasks[0]
    tasks.retire_task(session, world.client.actor, project, task.id, now=clock.now())
    assert (task.state, task.wanted) == ("retired", 2)
    tasks.restore_task(session, world.client.actor, project, task.id, now=clock.now())
    assert (task.state, task.wanted) == ("gold", GOLD_CAPACITY + 2)


# --- Who gets what


def test_a_draw_below_the_rate_gives_a_gold_task_and_leaves_the_place_in_the_queue(
    session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = golden_world(session, clock, tasks=6, gold=2)
    person = join(session, world, now=clock.now())[0]
    served = []
    for draw in (ORDINARY, GOLD, ORDINARY, GOLD, ORDINARY):
        draws(monkeypatch, draw)
        held = claim(session, world, person, clock)
        served.append(held.task_id)
        finish(session, person, held, clock)
    assert served[0::2] == [task.id for task in world.tasks[2:5]]
    assert set(served[1::2]) == {task.id for task in world.tasks[:2]}


def test_nobody_gets_the_same_gold_task_twice_whatever_became_of_the_first_time(
    session: Session, runtime: Runtime, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = golden_world(session, clock, tasks=9, gold=4)
    person = join(session, world, now=clock.now())[0]
    known = {task.id for task in world.tasks[:4]}
    seen = []
    for end in ("submit", "skip", "release", "expire"):
        draws(monkeypatch, GOLD)
        held = claim(session, world, person, clock)
        seen.append(held.task_id)
        match end:
            case "submit":
                finish(session, person, held, clock)
            case "skip":
                service.skip_claim(session, person.actor, held.id, "unclear", now=clock.now())
            case "release":
                service.release_claim(session, person.actor, held.id, now=clock.now())
            case _:
                clock.at = held.leased_until + timedelta(minutes=5)
                service.expire_overdue(session, now=clock.now())
    assert set(seen) == known
    draws(monkeypatch, GOLD)
    assert claim(session, world, person, clock).task_id not in known


def test_an_empty_queue_gives_no_checks_either(
    session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = golden_world(session, clock, tasks=3, gold=2)
    person = join(session, world, now=clock.now())[0]
    draws(monkeypatch, ORDINARY)
    finish(session, person, claim(session, world, person, clock), clock)
    draws(monkeypatch, GOLD)
    with pytest.raises(NoWorkLeft):
        claim(session, world, person, clock)


def test_gold_cannot_be_claimed_by_name(session: Session, clock: FixedClock) -> None:
    world = golden_world(session, clock)
    person = join(session, world, now=clock.now())[0]
    with pytest.raises(TaskTaken):
        service.claim_task(session, person.actor, world.project.id, world.tasks[0].id, now=clock.now())


def test_retired_gold_is_not_given_out(session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    world = golden_world(session, clock, tasks=4, gold=1)
    person = join(session, world, now=clock.now())[0]
    gold.retire_gold(session, world.client.actor, world.project.id, world.tasks[0].id, now=clock.now())
    draws(monkeypatch, GOLD)
    assert claim(session, world, person, clock).task_id == world.tasks[1].id


def test_the_share_of_gold_is_the_rate_that_was_set(session: Session, clock: FixedClock) -> None:
    """2,000 draws as they are made at a claim, by the system's entropy; five standard errors around 10 %."""
    world = golden_world(session, clock, tasks=20, gold=10, percent=10)
    person = join(session, world, now=clock.now())[0]
    who = {"project_id": world.project.id, "person_id": person.id, "allowed": []}
    terms = session.execute(queries.LOCK_MEMBERSHIP, who).one()
    known, wanted = {task.id for task in world.tasks[:10]}, 2_000
    picked = [claims._pick_drawn(session, who, terms) for _ in range(wanted)]
    gold_share = sum(row is not None and row.id in known for row in picked) / wanted
    assert abs(gold_share - 0.1) < 5 * sqrt(0.1 * 0.9 / wanted)


def test_gold_tasks_with_few_answers_are_asked_first(
    session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """60 people get one of ten each: even spreading gives 6 each; blind draws would leave some far behind."""
    world = golden_world(session, clock, tasks=12, gold=10, overlap=100)
    session.execute(text("SELECT setseed(0.5)"))
    for person in join(session, world, now=clock.now(), people=60):
        draws(monkeypatch, GOLD)
        claim(session, world, person, clock)
    taken = session.scalars(select(Task.taken).where(Task.state == "gold")).all()
    assert sum(taken) == 60
    assert max(taken) - min(taken) <= 6


# --- Nobody can tell


@pytest.fixture
def two_claims(
    session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, client: TestClient
) -> tuple[World, list[User]]:
    world = golden_world(session, clock, tasks=6, gold=2, overlap=5)
    return world, join(session, world, now=clock.now(), people=2)


def shape(value: object) -> object:
    """What a JSON value looks like, without what it says."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


def test_claims_of_gold_look_and_cost_like_others_over_the_api(
    runtime: Runtime,
    client: TestClient,
    two_claims: tuple[World, list[User]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, people = two_claims
    path = f"/api/v1/projects/{show_id('project', world.project.id)}/claims"
    answers = []
    for person, draw in zip(people, (GOLD, ORDINARY), strict=True):
        draws(monkeypatch, draw)
        with statements(runtime) as seen:
            answer = client.post(path, headers=person.headers)
        answers.append((answer, [statement.split("FROM")[0] for statement in seen]))
    (gold_answer, gold_seen), (other_answer, other_seen) = answers
    assert gold_answer.status_code == other_answer.status_code == 201
    assert shape(gold_answer.json()) == shape(other_answer.json())
    assert gold_answer.headers.keys() == other_answer.headers.keys()
    assert len(gold_seen) == len(other_seen)


def test_a_claims_task_id_says_nothing_about_time_or_order(
    runtime: Runtime, client: TestClient, two_claims: tuple[World, list[User]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, people = two_claims
    path = f"/api/v1/projects/{show_id('project', world.project.id)}/claims"
    draws(monkeypatch, GOLD)
    shown = client.post(path, headers=people[0].headers).json()["task_id"]
    own = {show_id("task", task.id) for task in world.tasks}
    assert shown not in own
    assert all(shown[4:16] != known[4:16] for known in own)


def test_veiled_ids_are_one_to_one_and_in_no_order() -> None:
    ids = sorted(new_id() for _ in range(500))
    veiled = [veil(value, b"key") for value in ids]
    assert [unveil(value, b"key") for value in veiled] == ids
    assert len(set(veiled)) == 500
    rising = sum(a < b for a, b in pairwise(veiled))
    assert abs(rising - 249.5) < 5 * sqrt(500 / 12)
    assert veil(ids[0], b"other") != veiled[0]


def test_mixing_costs_an_ordinary_claim_no_further_statement(
    session: Session, runtime: Runtime, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    for percent in (0, 50):
        world = golden_world(session, clock, percent=percent)
        person = join(session, world, now=clock.now())[0]
        draws(monkeypatch, ORDINARY)
        with statements(runtime) as seen:
            claim(session, world, person, clock)
        counts.append(len(seen))
    assert counts[0] == counts[1]


# --- What is counted


def test_gold_is_no_work_wanted(session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    world = golden_world(session, clock, tasks=5, gold=2, percent=20)
    person = join(session, world, now=clock.now())[0]
    for draw in (GOLD, ORDINARY):
        draws(monkeypatch, draw)
        finish(session, person, claim(session, world, person, clock), clock)
    counts = session.execute(task_counts(world.project.id)).one()
    assert (counts.total, counts.open, counts.gold) == (5, 3, 2)
    assert (counts.judgments_wanted, counts.judgments_taken, counts.judgments_done) == (6, 1, 1)
    progress = service.project_progress(session, world.project.id, now=clock.now())
    assert (progress.tasks_total, progress.tasks_gold, progress.wanted, progress.given) == (3, 2, 6, 1)


def test_what_is_still_needed_allows_for_the_gold_between(session: Session, clock: FixedClock) -> None:
    from preceptor.work.service.live import project_live

    world = golden_world(session, clock, tasks=12, gold=2, percent=20)
    live = project_live(session, world.project, now=clock.now())
    # 20 judgments are wanted; at 20 % gold that takes 25 claims of 0.42.
    assert live.still_needed.minor == 25 * 42


def test_agreement_is_that_on_ordinary_work_and_gold_measures_each_person(
    session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody meets the one gold task, and half of them miss it; about ordinary work they agree."""
    world = golden_world(session, clock, tasks=5, gold=1, overlap=6)
    people = join(session, world, now=clock.now(), people=6)
    for place, person in enumerate(people):
        draws(monkeypatch, GOLD, *[ORDINARY] * 4)
        finish(session, person, claim(session, world, person, clock), clock, "r1" if place % 2 else "r2")
        for number in range(4):
            finish(session, person, claim(session, world, person, clock), clock, "r1" if number % 2 else "r2")
    found = service.project_quality(session, world.project.id)
    assert (found.agreement.units, found.agreement.unanimous, found.agreement.alpha.value) == (4, 4, 1.0)
    assert [each.agreement.units for each in found.topics] == [4]
    gold_right = {each.person_id: each.gold.value for each in found.people}
    assert [gold_right[person.id] for person in people] == [0.0, 1.0] * 3
    assert found.judgments == 30


# --- Scoring


def submit(session: Session, person: User, held: Claim, clock: FixedClock, better: str = "r1") -> Submission:
    return service.submit(session, person.actor, held.id, prefer(held, better), now=clock.now())


def scored(session: Session) -> list[UUID]:
    return list(session.scalars(select(GoldResult.submission_id).order_by(GoldResult.submission_id)))


def test_answers_to_gold_are_scored_when_the_sweep_comes_by(
    session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = golden_world(session, clock)
    right, wrong = join(session, world, now=clock.now(), people=2)
    for person, better in ((right, "r1"), (wrong, "r2")):
        draws(monkeypatch, GOLD)
        submit(session, person, claim(session, world, person, clock), clock, better)
    assert scored(session) == []
    assert gold.score_waiting(session, now=clock.now()) == 2
    results = {row.person_id: row for row in session.scalars(select(GoldResult))}
    assert (results[right.id].score, results[right.id].passed) == (1.0, True)
    assert (results[wrong.id].score, results[wrong.id].passed) == (0.0, False)
    assert results[right.id].version == 1
    assert gold.score_waiting(session, now=clock.now()) == 0


def test_one_sweep_scores_before_it_approves(
    session: Session, runtime: Runtime, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = golden_world(session, clock)
    person = join(session, world, now=clock.now())[0]
    draws(monkeypatch, GOLD)
    given = submit(session, person, claim(session, world, person, clock), clock)
    assert service.sweep(runtime.sessions, now=clock.now()) == 2
    session.refresh(given)
    assert (given.state, given.to_score) == ("approved", False)
    assert scored(session) == [given.id]


@pytest.mark.parametrize("decision", list(Decision))
def test_whoever_decides_before_the_sweep_finds_the_answer_scored_with_it(
    session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, decision: Decision
) -> None:
    world = golden_world(session, clock)
    person = join(session, world, now=clock.now())[0]
    draws(monkeypatch, GOLD)
    given = submit(session, person, claim(session, world, person, clock), clock, "r2")
    given.review_wanted = True
    criteria = [service.CriterionVerdict("right", "not_met")] if decision is Decision.REJECT else []
    service.decide(
        session, world.reviewer.actor, given.id, decision, comment=COMMENT, criteria=criteria, now=clock.now()
    )
    assert scored(session) == [given.id]
    assert gold.score_waiting(session, now=clock.now()) == 0


COMMENT = "The first answer is the right one, as the sum shows."


def test_a_revision_is_not_scored(session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who revises has been told what is wrong."""
    world = golden_world(session, clock)
    person = join(session, world, now=clock.now())[0]
    draws(monkeypatch, GOLD)
    held = claim(session, world, person, clock)
    first = finish(session, person, held, clock, "r2")
    service.decide(session, world.reviewer.actor, first.id, Decision.RETURN, comment=COMMENT, now=clock.now())
    second = finish(session, person, held, clock, "r1")
    assert (second.revision, scored(session)) == (2, [first.id])


def test_an_answer_whose_task_is_gold_no_more_is_looked_at_once_and_not_scored(
    session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = golden_world(session, clock)
    person = join(session, world, now=clock.now())[0]
    draws(monkeypatch, GOLD)
    given = submit(session, person, claim(session, world, person, clock), clock)
    session.delete(session.get_one(TaskGold, given.task_id))
    session.flush()
    assert [gold.score_waiting(session, now=clock.now()) for _ in range(2)] == [1, 0]
    assert scored(session) == []


def test_what_waits_to_be_scored_is_found_by_an_index_that_holds_nothing_else(
    session: Session, clock: FixedClock
) -> None:
    golden_world(session, clock)
    # A small table is read whole whatever indexes there are.
    session.execute(text("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"))
    asked = queries_gold.to_score(gold.SCORE_BATCH).compile(
        dialect=session.get_bind().dialect, compile_kwargs={"literal_binds": True}
    )
    planned = "\n".join(session.scalars(text(f"EXPLAIN {asked}")))
    assert "Index Scan using ix_submission_to_score" in planned
    assert "Sort" not in planned


@pytest.mark.parametrize("mode", list(OverlapMode))
@pytest.mark.parametrize("fitted", [False, True])
def test_submitting_gold_sends_the_statements_that_submitting_ordinary_work_sends(
    session: Session,
    runtime: Runtime,
    client: TestClient,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
    mode: OverlapMode,
    fitted: bool,
) -> None:
    world = golden_world(session, clock, tasks=6, gold=2, overlap=5)
    world.project.overlap_mode = mode
    people = join(session, world, now=clock.now(), people=6)
    if fitted:
        for person in people[2:]:
            draws(monkeypatch, GOLD)
            finish(session, person, claim(session, world, person, clock), clock)
            finish(session, person, claim(session, world, person, clock), clock)
        fitting.fit_project(runtime, world.project.id, new_id())
    sent = []
    for person, draw in zip(people, (GOLD, ORDINARY), strict=False):
        draws(monkeypatch, draw)
        held = claim(session, world, person, clock)
        path = f"/api/v1/claims/{show_id('claim', held.id)}/submission"
        with statements(runtime) as seen:
            answer = client.post(path, headers=person.headers, json={"answer": prefer(held)})
        assert answer.status_code == 201, answer.text
        sent.append([alike(statement) for statement in seen])
    assert sent[0] == sent[1]
    assert len(sent[0]) > 3


def alike(statement: str) -> str:
    """What a statement does, to which tables; not what an ON CONFLICT keeps, nor how many rows it reads."""
    return " ".join(re.findall(r"(?:FROM|JOIN|UPDATE|INTO) (?!SET)(\w+)", statement))


def test_gold_in_an_adaptive_project_is_answered_without_anything_being_decided(
    session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = golden_world(session, clock, gold=1)
    world.project.overlap_mode = OverlapMode.ADAPTIVE
    for person in join(session, world, now=clock.now(), people=9):
        draws(monkeypatch, GOLD)
        submit(session, person, claim(session, world, person, clock), clock)
    task = world.tasks[0]
    session.refresh(task)
    kept = session.get_one(TaskQuality, task.id, populate_existing=True)
    assert (task.state, task.overlap, task.done) == ("gold", 2, 9)
    assert (kept.state, kept.judgments) == ("resolved", 9)
    told = select(func.count()).where(Event.subject_id == task.id, Event.kind.startswith("work.answer"))
    assert session.scalar(told) == 0


def test_ordinary_answers_are_not_scored(session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    world = golden_world(session, clock)
    person = join(session, world, now=clock.now())[0]
    draws(monkeypatch, ORDINARY)
    finish(session, person, claim(session, world, person, clock), clock)
    assert session.scalar(select(func.count()).select_from(GoldResult)) == 0


def test_what_was_to_be_expected_follows_the_persons_other_results() -> None:
    newcomer = rules_gold.expected_pass(0, 0, 0, 0, 0.7)
    assert newcomer == pytest.approx(0.7)
    assert rules_gold.expected_pass(20, 20, 0, 0, 0.7) > 0.9
    assert rules_gold.expected_pass(0, 20, 0, 0, 0.7) < 0.2
    assert rules_gold.expected_pass(0, 0, 190, 200, 0.7) > 0.9
    assert 0 < rules_gold.expected_pass(0, 10_000, 0, 200, 0.001) < 1


# --- Leaks


def simulate(rng: random.Random, chances: list[float], expected: list[float]) -> tuple[int | None, float]:
    """After how many answers a task is noticed (None: never), and the evidence at the end."""
    stored, log_e = None, 0.0
    for place, (chance, usual) in enumerate(zip(chances, expected, strict=True)):
        seen = rules_gold.watch_for_leak(stored, rng.random() < chance, usual)
        stored, log_e = json.loads(json.dumps(seen.stored)), seen.log_e
        if seen.leaked:
            return place + 1, log_e
    return None, log_e


def test_honest_people_of_any_skill_never_look_like_a_leak() -> None:
    """150 tasks met by 200 people each, skills from .5 to .98, some tasks much easier: next to no alarm."""
    rng, alarms = random.Random(3), 0
    for number in range(150):
        skills = [rng.uniform(0.5, 0.98) for _ in range(200)]
        easier = rng.choice([0.0, 0.0, 1.0, 2.0]) if number % 2 else 0.0
        odds = [skill / (1 - skill) * 2.718**easier for skill in skills]
        alarms += simulate(rng, [each / (1 + each) for each in odds], skills)[0] is not None
    assert alarms <= 1


def test_a_leaked_answer_is_noticed() -> None:
    """Fifty honest answers, then everybody knows: most of 20 runs notice within 200 more, half within 120."""
    rng, delays = random.Random(4), []
    for _ in range(20):
        skills = [rng.uniform(0.5, 0.9) for _ in range(250)]
        noticed, _ = simulate(rng, skills[:50] + [0.99] * 200, skills)
        delays.append(1_000 if noticed is None else noticed - 50)
    assert min(delays) > 0
    assert sorted(delays)[10] < 120
    assert sum(delay < 1_000 for delay in delays) >= 17


def test_a_state_of_another_version_begins_anew() -> None:
    stored = {"seen": 30, "passed": 21, "expected": 21.0, "easier": 0.0, "watch": {"looks": 3, "log_wealth": [0.0]}}
    seen = rules_gold.watch_for_leak(stored, True, 0.7)
    assert not seen.leaked
    assert seen.stored["watch"]["looks"] == 1  # type: ignore[index]


def test_a_leaked_gold_task_is_retired_and_becomes_practice(
    session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = golden_world(session, clock, tasks=3, gold=1, overlap=100)
    known = session.get_one(TaskGold, world.tasks[0].id)
    rng = random.Random(5)
    for skill in [0.5] * 30:
        seen = rules_gold.watch_for_leak(known.leak, rng.random() < skill, 0.5)
        known.leak, known.leak_log_e = seen.stored, seen.log_e
    session.flush()
    people = iter(join(session, world, now=clock.now(), people=80))
    while world.tasks[0].state == "gold":
        person = next(people)
        draws(monkeypatch, GOLD)
        finish(session, person, claim(session, world, person, clock), clock)
        session.refresh(world.tasks[0])
    assert world.tasks[0].state == "retired"
    assert world.tasks[0].wanted < GOLD_CAPACITY
    assert known.retired_because is not None
    assert known.retired_because.startswith("leaked")
    told = session.scalars(select(Event).where(Event.kind == "work.gold_leaked")).one()
    assert (told.subject_id, told.actor_kind) == (world.tasks[0].id, "system")


def test_projects_without_gold_never_draw(session: Session, clock: FixedClock) -> None:
    world = make_world(session, now=clock.now())
    know(session, world.tasks[0])
    person = join(session, world, now=clock.now())[0]
    assert claim(session, world, person, clock).task_id == world.tasks[0].id
    assert not rules_gold.is_drawn(0, 0.0)


def test_answering_gold_leaves_the_ledger_and_counts_in_order(session: Session, clock: FixedClock) -> None:
    world = golden_world(session, clock)
    person = join(session, world, now=clock.now())[0]
    answer_gold(session, world, person, clock)
    assert service.prove_work(session)[1] == []
