"""AI judges beside people: measured by every fit, heard only where the project says so, never counted."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import preceptor.work.jobs  # noqa: F401  a job can be deferred once it is registered
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import OverlapMode, Project, Task
from preceptor.work.models_judging import AiJudge, AiJudgeSkill, AiJudgment, JudgeState, JudgmentOutcome
from preceptor.work.models_quality import PersonSkill, QualityFit, TaskQuality
from preceptor.work.service import judges, overlap
from tests.conftest import NOW
from tests.endpoints.asking import make_endpoint
from tests.work.adaptive import A, B
from tests.work.test_fitting import Crowd, make_crowd, right, wrong


@pytest.fixture
def crowd(runtime: Runtime, session: Session) -> Crowd:
    """Sixty tasks by three people, the third of whom is often wrong."""
    made = make_crowd(runtime, session, tasks=60, people=3)
    return made.judged(lambda person, number, _: wrong(number) if person == 2 and number % 3 else right(number))


def make_judge(crowd: Crowd, title: str = "Judge", wrong_every: int = 10) -> AiJudge:
    """A judge with a judgment of every task, wrong each tenth time."""
    session, world = crowd.session, crowd.world
    endpoint = make_endpoint(session, crowd.runtime, world, "https://models.example.com/v1", name=title)
    judge = AiJudge(
        project_id=crowd.project_id, endpoint_id=endpoint.id, title=title, guidelines="", rubric="", words="",
        critique=False, both_orders=False, model="tiny", price_input=0, price_output=0, currency="USD",
        ended_because="", created_at=NOW, changed_at=NOW,
    )  # fmt: skip
    session.add(judge)
    session.flush()
    for number, task in enumerate(world.tasks):
        best = right(number) if number % wrong_every else wrong(number)
        answer = {"ranks": {best: 1, (B if best == A else A): 2}, "strength": 1, "justification": ""}
        session.add(
            AiJudgment(
                judge_id=judge.id, task_id=task.id, project_id=crowd.project_id, answer=answer, passes=[], error="",
                outcome=JudgmentOutcome.ANSWERED, input_tokens=1, output_tokens=1, tokens_estimated=False, cost=0,
                currency="USD", latency_ms=1, run=1, created_at=NOW, updated_at=NOW,
            )
        )  # fmt: skip
    session.flush()
    return judge


def project_of(crowd: Crowd) -> Project:
    return crowd.session.get_one(Project, crowd.project_id)


def written(crowd: Crowd, fit: QualityFit) -> list[Any]:
    """Everything that a fit has written about tasks, people and itself."""
    crowd.session.expire_all()
    tasks = crowd.session.scalars(select(TaskQuality).order_by(TaskQuality.task_id))
    people = crowd.session.scalars(select(PersonSkill).order_by(PersonSkill.person_id))
    return [
        [(each.task_id, each.judgments, each.units, each.confidence, each.ambiguity, each.state) for each in tasks],
        [(each.person_id, each.counts, each.accuracy, each.low, each.high, each.watch) for each in people],
        (fit.labels, fit.people, fit.alpha, fit.alpha_low, fit.prior, fit.pooled, fit.accuracy, fit.method),
    ]


def skill(crowd: Crowd, judge: AiJudge) -> AiJudgeSkill:
    return crowd.session.get_one(AiJudgeSkill, judge.id, populate_existing=True)


def test_a_judge_that_is_not_heard_changes_nothing_and_is_measured_all_the_same(crowd: Crowd) -> None:
    before = written(crowd, crowd.fit())
    judge = make_judge(crowd)
    assert written(crowd, crowd.fit()) == before
    found = skill(crowd, judge)
    assert not found.included
    assert found.judgments == 60
    assert found.accuracy is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.9 < found.high
    assert found.replacing["n"] == 2
    assert found.replacing["by"] == "the people who were not drawn"


def test_a_judge_that_is_heard_is_one_more_annotator_and_no_person(crowd: Crowd) -> None:
    without = crowd.fit()
    judge = make_judge(crowd)
    project_of(crowd).judges_in_inference = True
    fit = crowd.fit()
    found = skill(crowd, judge)
    assert found.included
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.9 < found.high
    assert (fit.labels, fit.people, fit.alpha) == (without.labels, without.people, without.alpha)
    assert {quality.judgments for quality in crowd.session.scalars(select(TaskQuality))} == {3}
    assert len(list(crowd.session.scalars(select(PersonSkill)))) == 3
    # Where the judge agrees with two of three, they are surer with it than without.
    assert crowd.quality(1).confidence > 0.9


def test_a_retired_judge_is_neither_measured_nor_heard(crowd: Crowd) -> None:
    before = written(crowd, crowd.fit())
    judge = make_judge(crowd)
    project_of(crowd).judges_in_inference = True
    judge.state = JudgeState.RETIRED
    assert written(crowd, crowd.fit()) == before
    assert crowd.session.get(AiJudgeSkill, judge.id) is None


def standing(crowd: Crowd, task_id: UUID) -> tuple[dict[str, dict[str, float]], int]:
    from preceptor.work import queries_quality

    row = crowd.session.execute(queries_quality.STANDING, {"task_ids": [task_id]}).one()
    return overlap.weigh(row).units, row.done


def test_adaptive_overlap_hears_only_measured_judges_and_only_where_they_count(crowd: Crowd) -> None:
    project = project_of(crowd)
    project.overlap_mode, project.overlap_floor, project.overlap_cap = OverlapMode.ADAPTIVE, 2, 5
    crowd.fit()
    task = crowd.world.tasks[1]
    alone = standing(crowd, task.id)
    judge = make_judge(crowd)
    assert standing(crowd, task.id) == alone
    project.judges_in_inference = True
    crowd.session.flush()
    assert standing(crowd, task.id) == alone, "not measured yet"
    crowd.fit()
    heard, done = standing(crowd, task.id)
    assert done == alone[1]
    assert heard != alone[0]
    project.judges_in_inference = False
    crowd.fit()
    assert standing(crowd, task.id) == alone
    assert judge.state is JudgeState.IDLE


def test_a_task_that_no_person_has_judged_is_nobodys_to_settle(crowd: Crowd) -> None:
    session = crowd.session
    fresh = Task(
        project_id=crowd.project_id, external_id="fresh", payload=crowd.world.tasks[0].payload, position=99, wanted=3,
        created_at=NOW,
    )  # fmt: skip
    session.add(fresh)
    crowd.world.tasks.append(fresh)
    session.flush()
    make_judge(crowd)
    project_of(crowd).judges_in_inference = True
    crowd.fit()
    assert session.get(TaskQuality, fresh.id) is None
    units, done = standing(crowd, fresh.id)
    assert done == 0
    # Nothing but the prior: the judge has no voice before a person has spoken.
    session.query(AiJudgment).filter(AiJudgment.task_id == fresh.id).delete()
    assert standing(crowd, fresh.id)[0] == units
    assert session.get_one(Task, fresh.id, populate_existing=True).wanted == 3


def test_letting_judges_count_is_the_managers_and_weighs_anew(crowd: Crowd) -> None:
    make_judge(crowd)
    actor = crowd.world.client.actor
    found = judges.set_inference(crowd.session, actor, crowd.project_id, True, now=NOW)
    assert found.judges_in_inference
    with pytest.raises(Exception, match="not yours to see"):
        judges.set_inference(crowd.session, crowd.people[0].actor, crowd.project_id, False, now=NOW)
