"""What suggestions do to people, from claims and answers to the report; and judges that are measured only where nobody
had seen what they say."""

from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

import preceptor.work.jobs  # noqa: F401  a job can be deferred once it is registered
from preceptor.kit.ids import new_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Task, TaskGold
from preceptor.work import queries_quality, queries_suggestions
from preceptor.work import service as work
from preceptor.work.models import Submission
from preceptor.work.models_judging import AiJudge, AiJudgeSkill, AiJudgment
from preceptor.work.models_suggestions import ClaimSuggestion, SuggestionOutcome, SuggestionPlan
from preceptor.work.service import fitting, suggesting, suggestions
from preceptor.work.service.judgments import read_judgments
from preceptor.work.service.suggestions import SuggestionReport
from tests.conftest import NOW
from tests.factories import User, World, join, make_world, pair_payload
from tests.work.suggested import add_judge, prefers, suggest
from tests.work.test_suggestions import annotation_world, chosen

TASKS = 90
WRONG_EVERY = 2
PEOPLE = 2


def suggested(number: int) -> str:
    """Wrong on every other task."""
    return "r2" if number % WRONG_EVERY == 0 else "r1"


def crowd(
    session: Session, runtime: Runtime, follows: float, *, known: bool = True, tasks: int = TASKS
) -> tuple[World, AiJudge]:
    """People who are right in four of five tasks, and follow a suggestion that they see with chance `follows`."""
    world = make_world(session, now=NOW, tasks=0, overlap=PEOPLE)
    # Ids and salt are fixed, and with them the draw of blind tasks.
    for number in range(tasks):
        task = Task(
            id=UUID(int=number + 1), project_id=world.project.id, external_id=f"sum-{number}",
            payload=pair_payload(number), position=number, wanted=PEOPLE, created_at=NOW,
        )  # fmt: skip
        world.tasks.append(task)
    session.add_all(world.tasks)
    session.flush()
    judge = add_judge(session, runtime, world, lambda number: prefers(suggested(number)))
    suggest(session, runtime, world, judge, blind=50)
    session.get_one(SuggestionPlan, world.project.id).salt = UUID(int=42)
    session.flush()
    rng = Random(11)
    if known:
        answer = {"ranks": {"r1": 1, "r2": 2}}
        session.add_all(TaskGold(task_id=task.id, project_id=world.project.id, answer=answer) for task in world.tasks)
    for person in join(session, world, now=NOW, people=PEOPLE):
        for number in range(tasks):
            judged(session, person, world, number, rng, follows)
    return world, judge


def judged(session: Session, person: User, world: World, number: int, rng: Random, follows: float) -> None:
    claimed = work.claim_task(session, person.actor, world.project.id, world.tasks[number].id, now=NOW)
    best = "r1" if rng.random() < 0.8 else "r2"
    if rng.random() < follows and claimed.suggestion is not None:
        best = suggested(number)
        suggesting.note_use(session, person.actor, claimed.claim.id, True, now=NOW)
    shown = dict(zip(claimed.claim.display_order, "AB", strict=True))
    worse = "r2" if best == "r1" else "r1"
    answer: dict[str, Any] = {
        "ranks": {shown[best]: 1, shown[worse]: 2}, "strength": 2,
        "justification": "This one adds up, the other does not.",
    }  # fmt: skip
    submission = work.submit(session, person.actor, claimed.claim.id, answer, now=NOW)
    seconds = 20 if claimed.suggestion is not None else 40
    session.get_one(Submission, submission.id).worked_seconds = seconds + rng.randrange(10)


def report_of(session: Session, world: World) -> SuggestionReport:
    session.flush()
    [found] = suggestions.reports(session, world.project)
    return found


def test_a_planted_bias_is_found_with_what_it_costs_and_what_it_saves(runtime: Runtime, session: Session) -> None:
    world, judge = crowd(session, runtime, follows=0.6)
    found = report_of(session, world)
    assert found.judge is judge
    assert found.shown + found.blind == TASKS * PEOPLE
    assert found.agreement.difference.low is not None
    assert found.agreement.difference.low > 0.05
    # Who sees a wrong suggestion is right less often; who sees a right one, no less often than the blind.
    assert found.wrong.difference.high is not None
    assert found.wrong.difference.high < 0
    assert found.wrong.shown.value < 0.6 < found.wrong.blind.value  # type: ignore[operator]
    assert found.right.difference.value > -0.05  # type: ignore[operator]
    assert found.seconds.difference.value == pytest.approx(-20, abs=3)
    assert found.seconds.difference.high < -10  # type: ignore[operator]
    counts = {outcome: count for outcome, (count, _) in found.outcomes.items()}
    assert sum(counts.values()) == found.shown
    assert counts[SuggestionOutcome.EDITED] == 0
    assert found.aspects["answer"].sides.difference.high < 0  # type: ignore[operator]


def test_where_nobody_follows_no_bias_is_found(runtime: Runtime, session: Session) -> None:
    world, _ = crowd(session, runtime, follows=0.0)
    found = report_of(session, world)
    for sides in (found.agreement, found.wrong):
        assert sides.difference.low < 0 < sides.difference.high  # type: ignore[operator]


SHARES = 30


def test_only_answers_drawn_at_the_newest_share_are_compared(runtime: Runtime, session: Session) -> None:
    """Before there is a share everybody is shown it, on the easy tasks at the head of the queue; then the share
    changes. Only the last stretch is drawn evenly."""
    world = annotation_world(session, tasks=4 * SHARES + 40)
    worker = join(session, world, now=NOW)[0]

    def answered(count: int, label: str) -> list[ClaimSuggestion]:
        for _ in range(count):
            claim = work.claim_next(session, worker.actor, world.project.id, now=NOW).claim
            work.submit(session, worker.actor, claim.id, chosen(label), now=NOW)
        return list(session.scalars(select(ClaimSuggestion).order_by(ClaimSuggestion.claim_id.desc()).limit(count)))

    answered(SHARES, "Good")
    undrawn = report_of(session, world)
    assert undrawn.compared is None
    assert (undrawn.shown, undrawn.blind) == (SHARES, 0)
    assert undrawn.agreement.shown.value is None
    suggest(session, runtime, world, None, blind=20)
    session.get_one(SuggestionPlan, world.project.id).salt = UUID(int=42)
    assert {each.blind_percent for each in answered(SHARES, "Bad")} == {20}
    suggest(session, runtime, world, None, blind=50)
    last = answered(2 * SHARES + 40, "Good")
    found = report_of(session, world)
    assert found.compared is not None
    blind = sum(not each.shown for each in last)
    assert (found.compared.percent, found.compared.first) == (50, last[-1].claim_id)
    assert (found.compared.shown, found.compared.blind) == (len(last) - blind, blind)
    # Who answers the same at either side is not said to be swayed, whatever came before.
    assert (found.agreement.shown.value, found.agreement.blind.value) == (1.0, 1.0)
    assert found.agreement.difference.low <= 0 <= found.agreement.difference.high  # type: ignore[operator]
    # The others still count for what became of the suggestion.
    assert found.shown + found.blind == 4 * SHARES + 40
    assert found.outcomes[SuggestionOutcome.REJECTED][0] > 0
    assert sum(count for count, _ in found.outcomes.values()) == found.shown > found.compared.shown


def test_known_answers_before_the_newest_share_are_left_out_too(runtime: Runtime, session: Session) -> None:
    world, judge = crowd(session, runtime, follows=0.0, tasks=FEW)
    before = report_of(session, world)
    assert before.wrong.shown.n + before.wrong.blind.n == FEW
    suggest(session, runtime, world, judge, blind=60)
    task = Task(
        id=UUID(int=FEW + 1), project_id=world.project.id, external_id="later", payload=pair_payload(FEW),
        position=FEW, wanted=1, created_at=NOW,
    )  # fmt: skip
    session.add(task)
    session.flush()
    session.add(TaskGold(task_id=task.id, project_id=world.project.id, answer={"ranks": {"r1": 1, "r2": 2}}))
    session.add(
        AiJudgment(
            judge_id=judge.id, task_id=task.id, project_id=world.project.id, answer=prefers("r2"), passes=[],
            error="", outcome="answered", model_version="tiny-1", input_tokens=1, output_tokens=1,
            tokens_estimated=False, cost=0, currency="USD", latency_ms=1, run=1, created_at=NOW, updated_at=NOW,
        )
    )  # fmt: skip
    world.tasks.append(task)
    judged(session, join(session, world, now=NOW)[0], world, FEW, Random(1), 0.0)
    found = report_of(session, world)
    assert found.wrong.shown.n + found.wrong.blind.n == 1


# --- What is read


def test_sources_and_coverage_are_read_without_reading_all_claims_and_tasks(runtime: Runtime, session: Session) -> None:
    world, judge = crowd(session, runtime, follows=0.0, known=False, tasks=FEW)
    quiet = add_judge(session, runtime, world, lambda number: None, title="Never suggested")
    rows = session.execute(queries_suggestions.sources(world.project.id, 10, 10)).all()
    assert [(row.source, row.judge_id) for row in rows] == [("judge", judge.id)]
    many_more_claims(session)
    session.execute(text("ANALYZE claim_suggestion, task, ai_judgment, ai_judge"))
    session.execute(text("SET LOCAL enable_seqscan = off"))
    for wanted in (
        queries_suggestions.sources(world.project.id, 10, 10),
        queries_suggestions.covered(world.project.id, judge.id, 7),
    ):
        assert claims_and_tasks_read(session, wanted) <= 7
    row = session.execute(queries_suggestions.covered(world.project.id, judge.id, 7)).one()
    assert (row.looked_at, row.open, row.answered) == (7, 7, 7)
    assert session.execute(queries_suggestions.covered(world.project.id, quiet.id, 7)).one().answered == 0


def many_more_claims(session: Session) -> None:
    """Fifty expired claims with a suggestion for each that there is."""
    session.execute(
        text("""
            INSERT INTO claim
            SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(), 'state', 'expired'))).*
            FROM claim c, generate_series(1, 50)
        """)
    )
    session.execute(
        text("""
            INSERT INTO claim_suggestion
            SELECT (jsonb_populate_record(g, jsonb_build_object(
                'claim_id', c.id, 'submission_id', NULL, 'agrees', NULL, 'distances', NULL, 'outcome', NULL))).*
            FROM claim c, claim_suggestion g
            WHERE c.state = 'expired' AND g.claim_id = (SELECT claim_id FROM claim_suggestion LIMIT 1)
        """)
    )


def claims_and_tasks_read(session: Session, wanted: Any) -> int:
    """The most rows of claims' suggestions, tasks or judgments that one node of the plan has read in all."""
    compiled = wanted.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    [[plan]] = session.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}".replace(":", "\\:"))).scalars()
    nodes, most = [plan["Plan"]], 0
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node.get("Relation Name") in ("claim_suggestion", "task", "ai_judgment"):
            removed = node.get("Rows Removed by Filter", 0)
            most = max(most, round(node["Actual Loops"] * (node["Actual Rows"] + removed)))
    return most


FEW = 40


def test_a_judge_is_measured_and_heard_only_on_tasks_where_nobody_saw_what_it_says(
    runtime: Runtime, session: Session
) -> None:
    world, judge = crowd(session, runtime, follows=0.6, known=False, tasks=FEW)
    kept = session.scalars(select(ClaimSuggestion)).all()
    blind = {each.task_id for each in kept if not each.shown}
    assert len(blind) == FEW // 2
    read = read_judgments(runtime.sessions, world.project.id)
    assert (read.judges, read.seen, len(read)) == ([judge.id], [FEW - len(blind)], FEW * PEOPLE)
    assert {read.tasks[item] for item in read.judged.item} == blind
    world.project.judges_in_inference = True
    session.flush()
    fitting.fit_project(runtime, world.project.id, new_id(), method="majority")
    skill = session.get_one(AiJudgeSkill, judge.id)
    assert (skill.judgments, skill.replacing["seen"]) == (len(blind), FEW - len(blind))
    # Deciding whether to ask one more person hears it on the same tasks.
    rows = session.execute(queries_quality.STANDING, {"task_ids": [task.id for task in world.tasks]}).all()
    assert {row.id: len(row.answers) for row in rows} == {each.task_id: PEOPLE + (not each.shown) for each in kept}

    # As if the blind share had been nothing at all.
    for each in kept:
        each.shown, each.outcome = True, SuggestionOutcome.REJECTED
    for included in (False, True):
        world.project.judges_in_inference = included
        session.flush()
        fitting.fit_project(runtime, world.project.id, new_id(), method="majority")
        skill = session.get_one(AiJudgeSkill, judge.id, populate_existing=True)
        assert (skill.judgments, skill.accuracy, skill.replacing["k"]["value"]) == (0, None, None)
