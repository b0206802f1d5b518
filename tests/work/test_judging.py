"""AI judges: asked through a real server, recorded to the last token, and never one of the people."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, text

import preceptor.work.jobs  # noqa: F401  a job can be deferred once it is registered
from preceptor.endpoints import local
from preceptor.endpoints.models import Generation, ModelEndpoint, Purpose
from preceptor.kit.errors import NotFound
from preceptor.kit.events import Event
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.models import OrgRole
from preceptor.people.service.organizations import add_member
from preceptor.projects.models import GuidelinesVersion, Project, Task, TaskGold, TaskState
from preceptor.work import service as work
from preceptor.work.errors_judging import JudgeRetired, JudgeTitleTaken, NotJudgeable, OneOrder
from preceptor.work.models import Submission
from preceptor.work.models_judging import AiJudge, AiJudgment, JudgeScope, JudgeState, JudgmentOutcome
from preceptor.work.service import judges, judging
from preceptor.work.service.judges import JudgeIn, RunIn
from tests.endpoints.asking import make_endpoint, make_local
from tests.endpoints.servers import Behaviour, Connection, Server, begins_and_hangs_up, says, serving, status
from tests.factories import World, join, make_client, make_contributor, make_world, signed

REASON = "This one adds up, the other does not."
PRICES = {"price_input": "0.15", "price_output": "0.6"}
USAGE = (7, 5)
COST = Decimal("0.15") * 7 / 1_000_000 + Decimal("0.6") * 5 / 1_000_000


def reply(better: str = "A", **more: Any) -> str:
    return json.dumps({"justification": REASON, "better": better, "strength": 2, **more})


def critical(better: str) -> str:
    return json.dumps({"critique": "It looked at the form alone.", "answer": json.loads(reply(better))})


def truthful(to: Connection) -> None:
    """Chooses the response whose sum is right, wherever it stands."""
    asked = to.asked.body["messages"][1]["content"]
    number = int(asked.split("What is ")[1].split(" ")[0])
    right = asked.index(f"It is {2 * number}.") < asked.index(f"It is {2 * number + 1}.")
    says(reply("A" if right else "B"), usage=USAGE)(to)


@dataclass
class Court:
    """A project with an endpoint that judges it."""

    runtime: Runtime
    world: World

    def judge(self, server: Server, **given: Any) -> AiJudge:
        more: dict[str, Any] = {
            key: given.pop(key) for key in ("concurrency", "requests_per_minute", "parameters") if key in given
        }
        with self.runtime.sessions.begin() as session:
            settings: dict[str, Any] = {"name": f"Judge {server.port}", "concurrency": 1, **PRICES, **more}
            endpoint = make_endpoint(session, self.runtime, self.world, server.url, **settings)
        return self.made(endpoint, **given)

    def made(self, endpoint: ModelEndpoint, **given: Any) -> AiJudge:
        wanted = {"title": f"Judge {given}", **given, "endpoint_id": show_id("endpoint", endpoint.id)}
        with self.runtime.sessions.begin() as session:
            project = session.get_one(Project, self.world.project.id)
            actor, now = self.world.client.actor, self.runtime.clock.now()
            return judges.make_judge(session, actor, project, JudgeIn.model_validate(wanted), now=now)

    def run(self, judge: AiJudge, *, seconds: float = 300, **wanted: Any) -> AiJudge:
        given = RunIn.model_validate({"scope": "all", **wanted})
        with self.runtime.sessions.begin() as session:
            judges.request_run(session, self.world.client.actor, judge.id, given, now=self.runtime.clock.now())
        judging.run_judge(self.runtime, judge.id, seconds=seconds)
        return self.now(judge)

    def now(self, judge: AiJudge) -> AiJudge:
        with self.runtime.sessions() as session:
            return session.get_one(AiJudge, judge.id)

    def judgments(self, judge: AiJudge) -> list[AiJudgment]:
        with self.runtime.sessions() as session:
            wanted = select(AiJudgment).where(AiJudgment.judge_id == judge.id).order_by(AiJudgment.task_id)
            return list(session.scalars(wanted))

    def generations(self) -> list[Generation]:
        with self.runtime.sessions() as session:
            return list(session.scalars(select(Generation).order_by(Generation.id)))


@pytest.fixture
def court(open_runtime: Callable[..., Runtime]) -> Court:
    runtime = open_runtime(outgoing_reach="loopback")
    with runtime.sessions.begin() as session:
        world = make_world(session, now=runtime.clock.now(), tasks=3)
        version = GuidelinesVersion(
            project_id=world.project.id, number=1, body="Add it up.", created_at=runtime.clock.now()
        )
        session.add(version)
        session.flush()
        world.project.guidelines_version_id = version.id
    return Court(runtime, world)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(truthful) as made:
        yield made


# --- What is recorded


def test_each_task_is_asked_once_and_recorded_with_its_exact_cost(court: Court, server: Server) -> None:
    judge = court.run(court.judge(server))
    assert judge.state is JudgeState.IDLE
    assert judge.ended_because == judging.DONE
    found = court.judgments(judge)
    assert [each.outcome for each in found] == [JudgmentOutcome.ANSWERED] * 3
    assert [each.answer["ranks"] for each in found if each.answer] == [{"r1": 1, "r2": 2}] * 3
    assert [(each.input_tokens, each.output_tokens, each.cost) for each in found] == [(*USAGE, COST)] * 3
    assert {each.model_version for each in found} == {"tiny-1"}
    assert all(each.latency_ms >= 0 and not each.tokens_estimated for each in found)
    assert all(each.passes[0]["text"] == court.generations()[0].text or each.passes[0]["text"] for each in found)
    assert {generation.purpose for generation in court.generations()} == {Purpose.JUDGE}
    assert len(server.asked) == 3


def test_the_judge_is_asked_with_the_guidelines_and_the_rubric_and_by_blind_names(court: Court, server: Server) -> None:
    court.run(court.judge(server, words="Be strict."))
    system, user = (turn["content"] for turn in server.asked[0].body["messages"])
    assert "Add it up." in system
    assert "Be strict." in system
    assert "The choice is right." in system
    assert "r1" not in user
    orders = {tuple(each.passes[0]["order"]) for each in court.judgments(court.now(_newest(court)))}
    assert orders <= {("r1", "r2"), ("r2", "r1")}


def _newest(court: Court) -> AiJudge:
    with court.runtime.sessions() as session:
        return judges.list_judges(session, court.world.project.id)[0]


def test_nobody_is_paid_no_task_counts_it_and_no_money_moves(court: Court, server: Server) -> None:
    books = text("SELECT (SELECT count(*) FROM posting), (SELECT sum(abs(balance_minor)) FROM account_part)")
    with court.runtime.sessions() as session:
        before = session.execute(books).one()
    court.run(court.judge(server))
    with court.runtime.sessions() as session:
        assert session.execute(books).one() == before
        tasks = session.scalars(select(Task).where(Task.project_id == court.world.project.id)).all()
        assert {(task.taken, task.done, task.wanted) for task in tasks} == {(0, 0, 2)}
        assert session.scalar(select(func.count()).select_from(Submission)) == 0


def test_unreadable_replies_are_kept_as_they_are_and_never_guessed(court: Court) -> None:
    with serving(says("A is better."), says(reply("C")), says(reply("A", justification="Short."))) as server:
        judge = court.run(court.judge(server))
    found = court.judgments(judge)
    assert {each.outcome for each in found} == {JudgmentOutcome.UNREADABLE}
    assert all(each.answer is None and each.error and each.passes[0]["problems"] for each in found)
    assert "A is better." in {each.passes[0]["text"] for each in found}
    assert all(each.cost == COST for each in found)


def test_a_critique_and_a_revision_are_kept_beside_the_first_answer(court: Court) -> None:
    with serving(says(reply("A")), says(critical("B"))) as server:
        judge = court.run(court.judge(server, critique=True), tasks_max=1)
        asked = [turn["role"] for turn in server.asked[1].body["messages"]]
    [found] = court.judgments(judge)
    [once] = found.passes
    assert asked == ["system", "user", "assistant", "user"]
    assert once["critique"] == "It looked at the form alone."
    assert once["first"]["ranks"] == {once["order"][0]: 1, once["order"][1]: 2}
    assert once["answer"]["ranks"] == {once["order"][0]: 2, once["order"][1]: 1}
    assert found.answer == once["answer"]
    assert len(once["generations"]) == 2
    assert found.cost == 2 * COST
    assert judge.ended_because == judging.ENOUGH


def test_in_both_orders_one_that_always_takes_the_first_gives_a_tie(court: Court, server: Server) -> None:
    with serving(says(reply("A"))) as biased:
        judge = court.run(court.judge(biased, both_orders=True))
    found = court.judgments(judge)
    assert [each.consistent for each in found] == [False] * 3
    assert all(each.answer and each.answer["ranks"] == {"r1": 1, "r2": 1} for each in found)
    assert all(each.passes[0]["order"] == each.passes[1]["order"][::-1] for each in found)
    steady = court.run(court.judge(server, title="Steady", both_orders=True))
    assert [each.consistent for each in court.judgments(steady)] == [True] * 3
    with court.runtime.sessions() as session:
        report = judges.reports(session, [steady])[0]
    assert (report.consistent, report.asked_twice, report.cost) == (3, 3, 6 * COST)


# --- How a run goes on and ends


def test_asked_again_nothing_is_asked_twice(court: Court, server: Server) -> None:
    judge = court.run(court.judge(server))
    court.run(judge)
    assert len(server.asked) == 3
    assert len(court.judgments(judge)) == 3


def test_a_run_goes_on_where_its_time_ended(court: Court, server: Server) -> None:
    judge = court.run(court.judge(server), seconds=0)
    assert judge.state is JudgeState.RUNNING
    assert court.judgments(judge) == []
    judging.run_judge(court.runtime, judge.id)
    assert court.now(judge).state is JudgeState.IDLE
    assert len(court.judgments(judge)) == 3


def test_a_reply_that_came_before_the_run_was_cut_off_is_taken_and_not_bought_again(
    court: Court, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> Decimal:
        raise KeyError("the process ends here")

    judge = court.judge(server)
    with monkeypatch.context() as cutting:
        cutting.setattr(judging, "keep", cut)
        with pytest.raises(ExceptionGroup):
            court.run(judge, tasks_max=1)
    assert len(server.asked) == 1
    judging.run_judge(court.runtime, judge.id)
    assert len(server.asked) == 1
    [found] = court.judgments(judge)
    assert found.outcome is JudgmentOutcome.ANSWERED
    assert found.cost == COST


def test_a_run_stops_before_the_budget_is_passed(court: Court, server: Server) -> None:
    judge = court.judge(server, parameters={"max_tokens": 5})
    with court.runtime.sessions.begin() as session:
        endpoint = session.get_one(ModelEndpoint, judge.endpoint_id)
        endpoint.price_input, endpoint.price_output = Decimal(0), Decimal(1_000)
    # Five tokens at most are 0.005 each time: two fit into 0.0125, a third does not.
    ended = court.run(judge, budget="0.0125")
    assert ended.ended_because == judging.SPENT
    assert [each.cost for each in court.judgments(judge)] == [Decimal("0.005")] * 2
    assert court.run(judge, budget="0").ended_because == judging.SPENT
    assert court.run(judge, budget="0.015").ended_because == judging.DONE


def test_an_endpoint_that_keeps_failing_ends_the_run_and_can_be_asked_again(court: Court) -> None:
    behaviours: list[Behaviour] = [status(400, '{"error": {"message": "no"}}')] * 2 + [begins_and_hangs_up, truthful]
    with serving(*behaviours) as server:
        judge = court.run(court.judge(server))
        assert [each.outcome for each in court.judgments(judge)] == [JudgmentOutcome.FAILED] * 3
        assert all(each.error for each in court.judgments(judge))
        court.run(judge)
        assert len(server.asked) == 3
        court.run(judge, again=True)
    assert [each.outcome for each in court.judgments(judge)] == [JudgmentOutcome.ANSWERED] * 3
    with court.runtime.sessions() as session:
        cost, asked = session.execute(select(func.sum(Generation.cost), func.count())).one()
    assert asked == 6
    assert sum(each.cost for each in court.judgments(judge)) == cost


def test_five_failures_in_a_row_are_enough(court: Court) -> None:
    with court.runtime.sessions.begin() as session:
        for number in range(5):
            task = Task(
                project_id=court.world.project.id, external_id=f"more-{number}", position=10 + number, wanted=1,
                payload=court.world.tasks[0].payload, created_at=court.runtime.clock.now(),
            )  # fmt: skip
            session.add(task)
    with serving(status(401)) as server:
        judge = court.run(court.judge(server))
        assert len(server.asked) == judging.FAILURES_MAX
    assert "does not accept its key" in judge.ended_because


def test_questions_at_a_time_keep_to_the_endpoints_limit(court: Court, server: Server) -> None:
    court.run(court.judge(server, concurrency=2))
    assert server.most_at_once <= 2
    assert len(server.asked) == 3


def test_measuring_first_asks_only_what_people_judged_or_what_is_known(court: Court, server: Server) -> None:
    world, runtime = court.world, court.runtime
    with runtime.sessions.begin() as session:
        [user] = join(session, world, now=runtime.clock.now())
        claim = work.claim_task(session, user.actor, world.project.id, world.tasks[1].id, now=runtime.clock.now()).claim
        answer = {"ranks": {"A": 1, "B": 2}, "strength": 1, "justification": REASON}
        work.submit(session, user.actor, claim.id, answer, now=runtime.clock.now())
        session.add(
            TaskGold(task_id=world.tasks[2].id, project_id=world.project.id, answer={"ranks": {"r1": 1, "r2": 2}})
        )
    judge = court.run(court.judge(server), scope=JudgeScope.JUDGED)
    assert {each.task_id for each in court.judgments(judge)} == {world.tasks[1].id, world.tasks[2].id}


def test_what_a_model_cannot_read_is_unfit_and_costs_nothing(court: Court, server: Server) -> None:
    with court.runtime.sessions.begin() as session:
        task = session.get_one(Task, court.world.tasks[0].id)
        picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
        task.payload = {**task.payload, "prompt": [{"role": "user", "content": [picture]}]}
        session.get_one(Task, court.world.tasks[1].id).state = TaskState.RETIRED
    found = court.judgments(court.run(court.judge(server)))
    assert [each.outcome for each in found] == [JudgmentOutcome.UNFIT, JudgmentOutcome.ANSWERED]
    assert found[0].cost == 0
    assert len(server.asked) == 1


# --- Whose they are


def test_only_managers_make_and_run_judges_and_others_do_not_find_them(court: Court, server: Server) -> None:
    judge = court.judge(server)
    runtime, world = court.runtime, court.world
    with runtime.sessions.begin() as session:
        _, stranger = make_client(session, now=runtime.clock.now())
        contributor = make_contributor(session, now=runtime.clock.now())
        viewer = make_contributor(session, now=runtime.clock.now())
        add_member(
            session, world.client.actor, org_id=world.organization.id, person_id=viewer.id, role=OrgRole.VIEWER,
            now=runtime.clock.now(),
        )  # fmt: skip
        viewer = signed(session, viewer.person, now=runtime.clock.now())
    for user in (stranger, contributor):
        with runtime.sessions() as session, pytest.raises(NotFound):
            judges.request_run(session, user.actor, judge.id, RunIn(), now=runtime.clock.now())
    with runtime.sessions() as session, pytest.raises(Exception, match="only lets you look"):
        judges.request_run(session, viewer.actor, judge.id, RunIn(), now=runtime.clock.now())


def test_what_cannot_be_is_refused_by_name(court: Court, server: Server) -> None:
    judge = court.judge(server, title="One")
    with court.runtime.sessions() as session:
        endpoint = session.get_one(ModelEndpoint, judge.endpoint_id)
    with pytest.raises(JudgeTitleTaken):
        court.made(endpoint, title="One")
    with court.runtime.sessions.begin() as session:
        judges.retire(session, court.world.client.actor, judge.id, now=court.runtime.clock.now())
    court.made(endpoint, title="One")
    with pytest.raises(JudgeRetired):
        court.run(judge)
    for kind, refusal, given in (("rating", OneOrder, {"both_orders": True}), ("prompt", NotJudgeable, {})):
        with court.runtime.sessions.begin() as session:
            project = session.get_one(Project, court.world.project.id)
            project.task_type, project.config = kind, {}
        with pytest.raises(refusal):
            court.made(endpoint, title=kind, **given)


def test_every_step_leaves_an_event(court: Court, server: Server) -> None:
    judge = court.run(court.judge(server), tasks_max=1)
    with court.runtime.sessions() as session:
        kinds = list(session.scalars(select(Event.kind).where(Event.subject_id == judge.id).order_by(Event.id)))
        judged = session.scalar(select(func.count()).where(Event.kind == "work.ai_judged"))
    assert kinds == ["work.judge_made", "work.judge_run_wanted", "work.judge_run_ended"]
    assert judged == 1


# --- The real local model


@pytest.mark.local_model
def test_the_real_local_model_is_asked_recorded_and_read_or_refused(court: Court) -> None:
    lacking = local.missing()
    if lacking is not None:
        pytest.skip(f"the local model is not installed: {lacking} is missing; `make local-model` installs it")
    with court.runtime.sessions.begin() as session:
        endpoint = make_local(session, court.runtime, court.world, **PRICES)
    judge = court.run(court.made(endpoint, title="Small", critique=True))
    found = court.judgments(judge)
    local.stop()
    assert len(found) == 3
    assert {each.outcome for each in found} <= {JudgmentOutcome.ANSWERED, JudgmentOutcome.UNREADABLE}
    for each in found:
        assert each.passes[0]["text"]
        assert each.model_version
        assert "SmolLM2" in each.model_version
        assert each.input_tokens > 100
        assert each.output_tokens > 0
        priced = Decimal("0.15") * each.input_tokens + Decimal("0.6") * each.output_tokens
        assert each.cost == priced / 1_000_000
        assert (each.answer is None) == (each.outcome is JudgmentOutcome.UNREADABLE)
