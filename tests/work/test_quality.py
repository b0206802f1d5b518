"""Quality and progress of a project, as its client and its people see them."""

from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, select

from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.quality import alpha
from preceptor.quality.tally import AgreementTally, by_position
from preceptor.work import service as work
from preceptor.work.models import Decision, Submission
from preceptor.work.service import quality as quality_module
from preceptor.work.service.overview import forecast_of, rate_of, series_of
from tests import factories
from tests.conftest import NOW
from tests.datasets.judged import Judged, make_judged

VOTES = (("r1", "r1", "r1"), ("r1", "r1", "r2"), ("r1", "r2", "tie"), ("r2", "r2", "r2"))


@pytest.fixture
def judged(runtime: Runtime) -> Judged:
    """Four tasks of three people: two unanimous, one decided, one split."""
    world = make_judged(runtime, tasks=4, people=3, overlap=3, now=NOW)
    for votes in VOTES:
        for person, better in zip(world.people, votes, strict=True):
            world.judge(person, better)
    return world


def measured(judged: Judged) -> work.ProjectQuality:
    with judged.runtime.sessions.begin() as session:
        return work.project_quality(session, judged.project_id)


def test_agreement_is_alpha_over_all_pairs_with_two_judgments(judged: Judged) -> None:
    found = measured(judged)
    counts = [{vote: votes.count(vote) for vote in votes} for votes in VOTES]
    assert found.agreement.alpha.value == pytest.approx(alpha(counts).value)
    assert (found.agreement.units, found.agreement.unanimous, found.agreement.decided, found.agreement.split) == (
        4, 2, 1, 1,
    )  # fmt: skip
    assert (found.judgments, found.judgments_total, found.partial) == (12, 12, False)


def test_people_are_measured_against_the_others(judged: Judged) -> None:
    people = {person.person_id: person for person in measured(judged).people}
    first, second, third = (people[user.id] for user in judged.people)
    # Agreement with a majority of the other two; where those are split, by lot: 1/2 or nothing.
    assert first.peers.value == pytest.approx((1 + 0.5 + 0 + 1) / 4)
    assert second.peers.value == pytest.approx((1 + 0.5 + 0 + 1) / 4)
    assert third.peers.value == pytest.approx((1 + 0 + 0 + 1) / 4)
    assert first.peers.n == 4
    assert first.peers.low is not None
    assert first.median_seconds == 20


def test_gold_counts_only_where_an_answer_is_known(judged: Judged) -> None:
    assert all(person.gold.value is None and person.gold.reason for person in measured(judged).people)
    judged.make_gold(judged.world.tasks[0])  # r1 is right
    judged.make_gold(judged.world.tasks[3])  # here r1 is right too, and all three said r2
    quality_module._results.clear()  # marking gold by hand leaves no event behind
    assert [(person.gold.value, person.gold.n) for person in measured(judged).people] == [(0.5, 2)] * 3


def test_rejected_work_lowers_the_approval_rate_and_leaves_agreement(judged: Judged) -> None:
    third = Submission.person_id == judged.people[2].id
    with judged.runtime.sessions.begin() as session:
        outlier = session.scalars(select(Submission.id).where(third).order_by(Submission.id.desc()).limit(1)).one()
    judged.decide(outlier, Decision.REJECT)
    judged.approve_all()
    found = measured(judged)
    people = {person.person_id: person.approval for person in found.people}
    assert [people[user.id].value for user in judged.people] == [1.0, 1.0, 0.75]
    assert found.agreement.units == 4
    assert sum(label.count for label in found.labels) == 11


def test_labels_are_shares_of_what_was_said(judged: Judged) -> None:
    found = {label.label: (label.count, label.share) for label in measured(judged).labels}
    assert found == {"r1": (6, 0.5), "r2": (5, pytest.approx(5 / 12)), "tie": (1, pytest.approx(1 / 12))}


def test_an_answer_is_kept_until_something_happens(judged: Judged) -> None:
    first = measured(judged)
    assert measured(judged) is first
    judged.approve_all()
    assert measured(judged) is not first


def test_only_the_tasks_judged_last_are_read_and_the_result_says_so(
    judged: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality_module, "JUDGMENTS_MAX", 1)
    found = measured(judged)
    assert (found.judgments, found.judgments_total, found.partial) == (3, 12, True)
    assert (found.agreement.units, found.agreement.unanimous) == (1, 1)


def test_pages_of_tasks_add_up_to_the_whole(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measured(judged)
    quality_module._results.clear()
    monkeypatch.setattr(quality_module, "PAGE_TASKS", 1)
    assert measured(judged) == whole


def test_a_person_sees_their_own_numbers_only(judged: Judged) -> None:
    with judged.runtime.sessions.begin() as session:
        mine = work.person_quality(session, judged.people[2].id, judged.project_id)
        nobody = work.person_quality(session, uuid4(), judged.project_id)
    everyone = {person.person_id: person for person in measured(judged).people}
    assert mine == everyone[judged.people[2].id]
    assert (nobody.judgments, nobody.peers.value, nobody.gold.value) == (0, None, None)


def test_places_make_differently_named_responses_comparable() -> None:
    """Names that are new in every task would make agreement by chance look impossible, and alpha too good."""
    named, placed = AgreementTally(), AgreementTally()
    for task in range(40):
        labels = [f"m{task}-1", f"m{task}-2"] if task % 2 else [f"m{task}-2", f"m{task}-2"]
        possible = {"u": (f"m{task}-1", f"m{task}-2")}
        places = [by_position({"u": label}, possible)["u"] for label in labels]
        named.add({label: labels.count(label) for label in labels})
        placed.add({place: places.count(place) for place in places})
    assert named.units == placed.units == 40
    assert set(places) <= {"0", "1"}
    assert alpha([{"0": 1, "1": 1}, {"1": 2}] * 20).value == pytest.approx(_tally_alpha(placed))
    assert _tally_alpha(named) > _tally_alpha(placed)


def _tally_alpha(tally: AgreementTally) -> float:
    value = tally.alpha(np.random.default_rng(0)).value
    assert value is not None
    return value


# --- Progress


def test_progress_counts_tasks_judgments_and_money(runtime: Runtime) -> None:
    judged = make_judged(runtime, tasks=3, people=3, overlap=2, now=NOW)
    first, second, third = judged.people
    judged.judge(first, "r1")
    rejected = judged.judge(second, "r1")
    judged.approve_all()
    kept = judged.judge(third, "r2")
    assert kept != rejected
    with runtime.sessions.begin() as session:
        work.claim_next(session, first.actor, judged.project_id, now=judged.now)
    with runtime.sessions.begin() as session:
        found = work.project_progress(session, judged.project_id, now=judged.now)
    assert (found.tasks_total, found.tasks_done, found.tasks_in_work, found.tasks_waiting) == (3, 1, 1, 1)
    assert (found.wanted, found.given, found.remaining) == (6, 3, 3)
    assert (found.approved, found.under_review, found.open_claims) == (2, 1, 1)
    assert (str(found.cost), str(found.committed)) == ("0.84 USD", "0.84 USD")
    assert (found.rate.per_hour, found.rate.reason is not None) == (None, True)
    assert found.forecast.reason == found.rate.reason


def test_a_rate_has_the_exact_poisson_interval() -> None:
    moments = [(NOW - timedelta(hours=2), 10), (NOW - timedelta(hours=1), 10), (NOW - timedelta(days=3), 900)]
    rate = rate_of(sorted(moments), NOW)
    assert (rate.per_hour, rate.judgments, rate.window) == (10.0, 20, timedelta(hours=2))
    # Garwood's limits for a count of 20 are 12.217 and 30.888 (his table).
    assert rate.low == pytest.approx(12.217 / 2, abs=1e-3)
    assert rate.high == pytest.approx(30.888 / 2, abs=1e-3)
    forecast = forecast_of(rate, 100, NOW)
    assert forecast.at == NOW + timedelta(hours=10)
    assert forecast.earliest is not None
    assert forecast.latest is not None
    assert forecast.earliest < forecast.at < forecast.latest


def test_nothing_is_forecast_when_nothing_remains_or_nobody_works() -> None:
    assert forecast_of(rate_of([(NOW - timedelta(hours=1), 50)], NOW), 0, NOW).at is None
    idle = rate_of([(NOW - timedelta(days=2), 500)], NOW)
    assert (idle.per_hour, forecast_of(idle, 10, NOW).at) == (None, None)


def test_the_series_has_every_bucket_and_every_judgment() -> None:
    moments = [(NOW - timedelta(hours=5), 3), (NOW - timedelta(hours=1), 4), (NOW, 1)]
    bucket, series = series_of(moments)
    assert sum(point.judgments for point in series) == 8
    assert {later.at - earlier.at for earlier, later in pairwise(series)} == {timedelta(seconds=bucket)}
    assert len(series) <= 121


def test_quality_and_progress_take_a_fixed_number_of_statements(judged: Judged) -> None:
    statements: list[str] = []

    def note(*arguments: object) -> None:
        if str(arguments[2]).startswith("SELECT"):
            statements.append(str(arguments[2]))

    with judged.runtime.sessions.begin() as session:
        event.listen(judged.runtime.engine, "before_cursor_execute", note)
        try:
            work.project_progress(session, judged.project_id, now=judged.now)
            assert len(statements) <= 4
            quality_module._results.clear()
            work.project_quality(session, judged.project_id)
            assert len(statements) <= 4 + 6
        finally:
            event.remove(judged.runtime.engine, "before_cursor_execute", note)


# --- Over HTTP


@pytest.mark.parametrize("path", ["quality", "progress"])
def test_clients_see_their_own_projects_only(judged: Judged, client: TestClient, path: str) -> None:
    with judged.runtime.sessions.begin() as session:
        _, stranger = factories.make_client(session, now=NOW)
    url = f"/api/v1/projects/{show_id('project', judged.project_id)}/{path}"
    assert client.get(url, headers=judged.world.client.headers).status_code == 200
    assert client.get(url, headers=stranger.headers).status_code == 404
    assert client.get(url, headers=judged.people[0].headers).status_code == 404


def test_a_contributor_asks_for_their_own_quality(judged: Judged, client: TestClient) -> None:
    url = f"/api/v1/projects/{show_id('project', judged.project_id)}/quality/me"
    mine = client.get(url, headers=judged.people[2].headers).json()
    assert (mine["person_id"], mine["judgments"]) == (show_id("person", judged.people[2].id), 4)
    assert client.get(url, headers=judged.world.client.headers).status_code == 404
