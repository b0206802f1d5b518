"""Reviews directed by risk, and what they say about a project's error rate."""

import random
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.orm import Session

from preceptor.kit.ids import new_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import OverlapMode, ReviewMode
from preceptor.quality import Estimate
from preceptor.work import rules_quality, service
from preceptor.work.models import Claim, Decision, Submission
from preceptor.work.models_quality import PersonSkill, QualityFit, TaskQuality
from preceptor.work.service import CriterionVerdict, risk, submitting
from preceptor.work.service.risk import DrawnReview
from tests.conftest import NOW
from tests.factories import User, join
from tests.work.adaptive import A, Asking, B, make_asking, shown

NEW = "risk: new person"


@pytest.fixture
def project(session: Session) -> Asking:
    """Half of the answers are reviewed by risk and none at random, with a fit that knows what people are like."""
    made = make_asking(
        session,
        now=NOW,
        tasks=3,
        overlap_mode=OverlapMode.FIXED,
        review_mode=ReviewMode.RISK,
        review_percent=0,
        risk_percent=50,
    )
    session.add(
        QualityFit(
            id=new_id(),
            project_id=made.project_id,
            method="dawid-skene",
            why="It was asked for.",
            labels=100,
            tasks=20,
            people=5,
            classes=[A, B, "tie"],
            prior=[0.45, 0.45, 0.1],
            pooled=[[0.8, 0.15, 0.05], [0.15, 0.8, 0.05], [0.2, 0.2, 0.6]],
            diagnostics={"shrinkage": 4.0, "risk_mean": 0.5},
            cpu_seconds=0.1,
            created_at=NOW,
        )
    )
    for task in made.world.tasks:
        session.add(
            TaskQuality(
                task_id=task.id,
                project_id=made.project_id,
                judgments=4,
                units={"r1|r2": {A: 0.97, B: 0.02, "tie": 0.01}},
                confidence=0.97,
                updated_at=NOW,
            )
        )
    session.flush()
    return made


def known(project: Asking, *, judgments: int = 200, low: float = 0.78, high: float = 0.84) -> User:
    """Somebody about whom something is known."""
    user = join(project.session, project.world, now=NOW)[0]
    project.session.add(
        PersonSkill(
            project_id=project.project_id,
            person_id=user.id,
            judgments=judgments,
            counts=[[70, 15, 5], [15, 70, 5], [4, 4, 12]],
            accuracy=0.8,
            low=low,
            high=high,
            updated_at=NOW,
        )
    )
    project.session.flush()
    return user


def given_by(project: Asking, user: User, better: str) -> Submission:
    claim = service.claim_next(project.session, user.actor, project.project_id, now=NOW).claim
    return service.submit(project.session, user.actor, claim.id, shown(claim.display_order, better), now=NOW)


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest of all draws: whatever can be drawn is drawn."""

    class Least(random.Random):
        def random(self) -> float:
            return 0.0

    monkeypatch.setattr(submitting, "_DRAWS", Least())


# --- What is risky


def test_an_answer_against_the_others_is_riskier_than_one_with_them(project: Asking) -> None:
    with_them, against = given_by(project, known(project), A), given_by(project, known(project), B)
    assert with_them.review_chance is not None
    assert against.review_chance is not None
    assert against.review_chance > 3 * with_them.review_chance


@pytest.mark.usefixtures("always")
def test_the_reason_names_what_speaks_for_a_review(project: Asking) -> None:
    assert given_by(project, known(project), B).review_reason == "risk: unexpected answer"
    assert given_by(project, known(project, low=0.3, high=0.9), A).review_reason == (
        "risk: little is known about the person"
    )
    assert given_by(project, join(project.session, project.world, now=NOW)[0], A).review_reason == NEW


@pytest.mark.usefixtures("always")
def test_the_random_share_comes_first_and_stays_what_it_is(project: Asking) -> None:
    project.world.project.review_percent = 20
    project.session.flush()
    found = given_by(project, known(project), B)
    assert (found.review_reason, found.review_wanted) == ("random", True)
    assert found.review_chance is not None
    assert found.review_chance > 0.2


def test_who_is_not_drawn_keeps_the_chance_and_is_approved_by_the_next_sweep(project: Asking) -> None:
    project.world.project.risk_percent = 0
    project.session.flush()
    found = given_by(project, known(project), B)
    assert (found.review_wanted, found.review_reason, found.review_chance) == (False, None, 0.0)
    assert found.decide_at == NOW


def test_a_revision_is_always_reviewed(project: Asking) -> None:
    project.world.project.review_percent = 100
    project.session.flush()
    user = known(project)
    first = given_by(project, user, A)
    decide(project, first.id, Decision.RETURN)
    claim = project.session.get_one(Claim, first.claim_id)
    again = service.submit(
        project.session, user.actor, claim.id, shown(claim.display_order, B), now=NOW + timedelta(minutes=1)
    )
    assert (again.revision, again.review_reason, again.review_chance) == (2, "revision", 1.0)


def test_risk_costs_no_statement(runtime: Runtime, project: Asking) -> None:
    usual = make_asking(project.session, now=NOW, overlap_mode=OverlapMode.FIXED)
    counts = []
    for each in (usual, project):
        user = join(each.session, each.world, now=NOW)[0]
        claim = service.claim_next(each.session, user.actor, each.project_id, now=NOW).claim
        each.session.flush()
        statements: list[str] = []

        def note(*arguments: Any, kept: list[str] = statements) -> None:
            kept.append(str(arguments[2]))

        event.listen(runtime.engine, "before_cursor_execute", note)
        service.submit(each.session, user.actor, claim.id, shown(claim.display_order, A), now=NOW)
        event.remove(runtime.engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts == [2, 2]


# --- The rule


@given(
    wrong=st.floats(0, 1),
    expected=st.booleans(),
    judgments=st.integers(0, 1000),
    low=st.floats(0, 1),
    width=st.floats(0, 1),
)
def test_a_risk_is_a_share_and_has_a_reason(
    wrong: float, expected: bool, judgments: int, low: float, width: float
) -> None:
    found = rules_quality.risk_of(wrong, expected=expected, judgments=judgments, low=low, high=min(1.0, low + width))
    assert 0 <= found.score <= 1
    assert found.score >= wrong
    assert found.reason.startswith("risk: ")


def test_the_budget_is_kept_on_average() -> None:
    draws = random.Random(3)
    risks = [draws.random() ** 2 for _ in range(4_000)]
    mean = sum(risks) / len(risks)
    reviewed = [
        rules_quality.draw_review(
            10,
            rules_quality.Risk(score, "risk: new person"),
            rules_quality.risk_chance(score, 15, mean),
            (draws.random(), draws.random()),
        )
        for score in risks
    ]
    share = sum(draw.wanted for draw in reviewed) / len(reviewed)
    assert share == pytest.approx(0.1 + 0.9 * 0.15, abs=0.015)
    assert sum(draw.reason == "random" for draw in reviewed) / len(reviewed) == pytest.approx(0.1, abs=0.015)
    by_risk = [score for score, draw in zip(risks, reviewed, strict=True) if (draw.reason or "").startswith("risk")]
    assert sum(by_risk) / len(by_risk) > 1.5 * mean


# --- The error rate


def decide(project: Asking, submission_id: Any, decision: Decision) -> None:
    verdicts = [CriterionVerdict(key="right", verdict="not_met", comment="It is not right.")]
    service.decide(
        project.session,
        project.world.reviewer.actor,
        submission_id,
        decision,
        comment="The sum is wrong, and the reason does not mention it at all.",
        criteria=verdicts if decision is Decision.REJECT else [],
        now=project.now,
    )


def test_risky_reviews_are_weighed_back_to_the_whole() -> None:
    """One in ten is wrong, and risk finds those four times as often: a plain share says much more."""
    draws, drawn = random.Random(5), []
    for number in range(2_000):
        wrong = number % 10 == 0
        chance = 0.4 if wrong else 0.1
        draw = rules_quality.draw_review(10, rules_quality.Risk(1.0, NEW), chance, (draws.random(), draws.random()))
        if draw.reason is not None:
            drawn.append(DrawnReview(draw.reason, draw.chance, decided=True, wrong=wrong))
    found = risk.rates_of(drawn)
    assert sum(review.wrong for review in drawn) / len(drawn) > 0.18
    for rate in (found.random, found.weighted):
        assert rate.low is not None
        assert rate.high is not None
        assert rate.low < 0.1 < rate.high
    assert width(found.weighted) < width(found.random)
    assert [reason for reason, _ in found.by_reason] == ["random", NEW]


def width(rate: Estimate) -> float:
    assert rate.low is not None
    assert rate.high is not None
    return rate.high - rate.low


def test_the_error_rate_rests_on_decided_first_answers(client: TestClient, project: Asking) -> None:
    project.world.project.review_percent = 100
    project.session.flush()
    good, bad, _ = (given_by(project, known(project), A) for _ in range(3))
    decide(project, good.id, Decision.APPROVE)
    decide(project, bad.id, Decision.REJECT)
    path = f"/api/v1/projects/{show_id('project', project.project_id)}/quality/errors"
    found = client.get(path, headers=project.world.client.headers).json()
    assert (found["random"]["value"], found["random"]["n"], found["waiting"]) == (0.5, 2, 1)
    assert found["weighted"]["value"] == 0.5
    assert [one["reason"] for one in found["by_reason"]] == ["random"]


def test_without_reviews_the_error_rate_is_unknown() -> None:
    found = risk.rates_of([])
    assert (found.random.value, found.weighted.value, found.by_reason) == (None, None, ())
    assert found.random.reason
