"""Pages of gold: health and challenges for the client, the known answer and practice for contributors."""

import json
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.datasets.pseudonyms import pseudonyms
from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import TaskGold
from preceptor.work import service
from preceptor.work.models_quality import GoldChallenge, GoldResult
from preceptor.work.service import claims, gold
from tests.factories import User, World, join
from tests.web.acting import Answer, Desk, Seating, statements
from tests.work.golden import answer_gold, golden_world, prefer

WORDS = "Both add up here; the second one even says why."
REASON = "We looked again, and the second answer is the right one."
QUERIES_PER_PAGE = 18
Seat = Callable[..., Desk]


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return golden_world(session, clock, tasks=40, gold=7, overlap=50)


@pytest.fixture
def person(session: Session, world: World, clock: FixedClock) -> User:
    return join(session, world, now=clock.now())[0]


@pytest.fixture
def seat(client: TestClient, runtime: Runtime, session: Session, clock: FixedClock) -> Seat:
    return Seating(client, runtime, session, clock)


@pytest.fixture
def manager(seat: Seat, world: World) -> Desk:
    return seat(world.client)


@pytest.fixture
def desk(seat: Seat, person: User) -> Desk:
    return seat(person)


def base(world: World) -> str:
    return f"/projects/{show_id('project', world.project.id)}"


def without_words(page: Answer) -> list[str]:
    """The tags of a page in order, without what is particular to a claim."""
    body = re.sub(r"<script.*?</script>", "<script>", page.text, flags=re.S)
    return [re.sub(r'"[^"]*"', '""', tag) for tag in re.findall(r"<[^>]+>", body)]


# --- Nobody can tell


class Drawn:
    def __init__(self, draw: float) -> None:
        self.draw = draw

    def random(self) -> float:
        return self.draw


def test_the_desk_of_a_gold_task_is_the_same_page(
    session: Session, runtime: Runtime, world: World, seat: Seat, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages, works, counts = [], [], []
    for person, draw in zip(join(session, world, now=clock.now(), people=2), (0.0, 0.99), strict=True):
        monkeypatch.setattr(claims, "_DRAWS", Drawn(draw))
        at = seat(person)
        with statements(runtime) as seen:
            path = at.post(f"/work/{show_id('project', world.project.id)}").headers["location"]
            pages.append(at.get(path))
        counts.append(len(seen))
        works.append(at.workspace(path))
    assert without_words(pages[0]) == without_words(pages[1])
    assert [sorted(page.headers) for page in pages[:1]] == [sorted(page.headers) for page in pages[1:]]
    assert counts[0] == counts[1]
    assert [sorted(work) for work in works[:1]] == [sorted(work) for work in works[1:]]
    for part in ("claim", "task", "urls"):
        assert works[0][part].keys() == works[1][part].keys()
    ids = {show_id("task", task.id) for task in world.tasks} | {task.external_id for task in world.tasks}
    assert not any(each in json.dumps(works) + pages[0].text for each in ids if len(each) > 6)


def test_own_numbers_do_not_move_with_an_undecided_gold_task(
    session: Session, client: TestClient, world: World, person: User, clock: FixedClock
) -> None:
    path = f"/api/v1/projects/{show_id('project', world.project.id)}/quality/me"
    answer_gold(session, world, person, clock, decided=False)
    assert client.get(path, headers=person.headers).json()["gold"]["n"] == 0


# --- The client


def test_an_empty_gold_page_says_how_to_fill_it(session: Session, seat: Seat, clock: FixedClock) -> None:
    bare = golden_world(session, clock, gold=0, percent=0)
    page = seat(bare.client).get(f"{base(bare)}/gold")
    assert page.status_code == 200
    assert "No known answers" in page.text
    assert "/imports" in page.text


def test_the_gold_page_shows_passing_beside_what_was_expected(
    session: Session, runtime: Runtime, world: World, manager: Desk, person: User, clock: FixedClock
) -> None:
    answer_gold(session, world, person, clock)
    with statements(runtime) as seen:
        page = manager.get(f"{base(world)}/gold")
    assert page.status_code == 200, page.text
    assert "plot-goal" in page.text
    assert "Retraining needs practice" in page.text
    assert len(seen) <= QUERIES_PER_PAGE
    assert show_id("person", person.id) not in page.text


def test_a_manager_explains_retires_and_restores(session: Session, world: World, manager: Desk) -> None:
    task = world.tasks[0]
    path = f"{base(world)}/gold/{show_id('task', task.id)}"
    assert "It adds up." in manager.get(path).text
    assert manager.post(path, explanation="Twice the number.").status_code == 303
    assert manager.post(f"{path}/retire").status_code == 303
    session.refresh(task)
    known = session.get_one(TaskGold, task.id, populate_existing=True)
    assert (task.state, known.explanation, known.retired_because) == (
        "retired", "Twice the number.", "retired by the client",
    )  # fmt: skip
    assert "Mix it in again" in manager.get(path).text
    manager.post(f"{path}/restore")
    session.refresh(task)
    assert task.state == "gold"


def test_too_long_an_explanation_is_refused_and_kept_in_the_form(world: World, manager: Desk) -> None:
    path = f"{base(world)}/gold/{show_id('task', world.tasks[0].id)}"
    page = manager.post(path, explanation="x" * 5_001)
    assert page.status_code == 422
    assert "5,000" in page.text


@pytest.mark.parametrize("who", ["person", "reviewer"])
def test_nobody_else_sees_gold_pages(world: World, seat: Seat, person: User, who: str) -> None:
    at = seat(person if who == "person" else world.reviewer)
    for path in ("/gold", f"/gold/{show_id('task', world.tasks[0].id)}", "/challenges"):
        assert at.get(f"{base(world)}{path}").status_code in (403, 404)


# --- From the result to the outcome


def test_a_result_shows_the_known_answer_only_when_decided(
    session: Session, world: World, person: User, desk: Desk, clock: FixedClock
) -> None:
    waiting = answer_gold(session, world, person, clock, "r2", decided=False)
    assert "The answer to this task was known" not in desk.get(f"/results/{show_id('submission', waiting.id)}").text
    decided = answer_gold(session, world, person, clock, "r2")
    page = desk.get(f"/results/{show_id('submission', decided.id)}")
    assert "The answer to this task was known" in page.text
    assert "It adds up." in page.text
    assert "This known answer is wrong" in page.text


def test_a_challenge_that_says_too_little_comes_back_with_its_words(
    session: Session, world: World, person: User, desk: Desk, clock: FixedClock
) -> None:
    given = answer_gold(session, world, person, clock, "r2")
    page = desk.post(f"/results/{show_id('submission', given.id)}/challenge", words="Not so.")
    assert page.status_code == 422
    assert "Not so." in page.text
    assert "at least 20 characters" in page.text


def challenged(session: Session, world: World, person: User, desk: Desk, clock: FixedClock) -> str:
    given = answer_gold(session, world, person, clock, "r2")
    sent = desk.post(f"/results/{show_id('submission', given.id)}/challenge", words=WORDS)
    assert sent.status_code == 303, sent.text
    found = session.scalars(select(GoldChallenge)).one()
    return f"{base(world)}/challenges/{show_id('challenge', found.id)}"


def test_a_challenge_is_decided_on_its_page(
    session: Session, world: World, person: User, desk: Desk, manager: Desk, clock: FixedClock
) -> None:
    path = challenged(session, world, person, desk, clock)
    assert WORDS in manager.get(f"{base(world)}/challenges").text
    page = manager.get(path)
    assert page.status_code == 200, page.text
    assert all(text in page.text for text in (WORDS, "r1 &gt; r2", "r2 &gt; r1"))
    assert person.person.name not in page.text
    short = manager.post(path, outcome="theirs", reason="Yes.")
    assert short.status_code == 422
    assert manager.post(path, outcome="", reason=REASON).status_code == 422
    assert manager.post(path, outcome="theirs", reason=REASON).status_code == 303
    assert session.scalars(select(GoldResult.passed)).all() == [True]
    assert REASON in manager.get(path).text
    given = session.scalars(select(GoldChallenge.submission_id)).one()
    assert "You were right" in desk.get(f"/results/{show_id('submission', given)}").text


def test_another_answer_is_given_on_the_real_desk(
    session: Session, world: World, person: User, desk: Desk, manager: Desk, clock: FixedClock
) -> None:
    path = challenged(session, world, person, desk, clock)
    assert manager.post(path, outcome="correct").headers["location"] == f"{path}/key"
    workspace = manager.workspace(f"{path}/key")
    assert workspace["task"]["element"] == "preceptor-comparison"
    assert workspace["words"]["kept"] == "What you submit becomes the known answer"
    assert workspace["words"]["back"] == "Back to the challenge"
    answer = {"ranks": {"A": 1, "B": 1}, "strength": 0, "justification": "short"}
    refused = manager.send("POST", workspace["urls"]["submit"], {"answer": answer})
    assert refused.status_code == 422
    sent = manager.send("POST", workspace["urls"]["submit"], {"answer": {**answer, "justification": REASON}})
    assert sent.json()["redirect"].endswith("/challenges"), sent.text
    known = session.scalars(select(TaskGold).where(TaskGold.version == 2)).one()
    assert known.answer["ranks"] == {"r1": 1, "r2": 1}
    assert "justification" not in known.answer or not known.answer["justification"]


def test_withdrawn_and_dismissed_challenges_still_have_their_page(
    session: Session, world: World, person: User, desk: Desk, manager: Desk, clock: FixedClock
) -> None:
    path = challenged(session, world, person, desk, clock)
    assert manager.post(path, outcome="withdraw", reason=REASON).status_code == 303
    page = manager.get(path)
    assert page.status_code == 200
    assert "withdrawn as gold" in page.text


# --- On the page of quality


def test_the_quality_page_says_how_gold_does_and_leads_there(
    session: Session, world: World, person: User, desk: Desk, manager: Desk, clock: FixedClock
) -> None:
    challenged(session, world, person, desk, clock)
    page = manager.get(f"{base(world)}/quality").text
    card = page[page.index("Gold health") :]
    assert f'href="{base(world)}/gold"' in card
    assert "50 % of claims get one" in card
    assert f'href="{base(world)}/challenges">1 to decide' in card


def test_practice_is_not_asked_for_where_there_is_none(
    session: Session, runtime: Runtime, world: World, person: User, manager: Desk
) -> None:
    name = pseudonyms(runtime.settings.signing_key(), world.organization.id)(person.id)
    fields = {"kind": "retrain", "rule": "below_standard", "reason": REASON}
    for more in ({}, {"confirmed": "1"}):
        page = manager.post(f"{base(world)}/people/{name}/decide", **fields, **more)
        assert page.status_code == 422
        assert "Too few gold tasks are out of the mix" in page.text


# --- Practice


def test_practice_uses_the_real_workspace_and_explains_at_once(
    session: Session, world: World, person: User, desk: Desk, clock: FixedClock
) -> None:
    for task in world.tasks[1:6]:
        gold.retire_gold(session, world.client.actor, world.project.id, task.id, now=clock.now())
    path = f"/practice/{show_id('project', world.project.id)}"
    page = desk.get(path)
    assert "Unpaid" in page.text
    assert desk.post(path).headers["location"] == f"{path}/desk"
    workspace = desk.workspace(f"{path}/desk")
    assert (workspace["claim"]["kind"], workspace["claim"]["pay"]) == ("practice", "")
    assert workspace["words"]["back"] == "Back to practice"
    answer = {"ranks": {"A": 1, "B": 2}, "strength": 1, "justification": "The first one seems right to me."}
    told = desk.send("POST", workspace["urls"]["submit"], {"answer": answer}).json()
    assert "It adds up." in told["explanation"]["html"]
    assert "of your last 1 different tasks" in told["explanation"]["html"]
    assert told["next"]["urls"]["submit"] != workspace["urls"]["submit"]
    assert show_id("task", world.tasks[1].id) not in json.dumps(told)


def test_a_project_without_material_says_so_and_tells_the_client(world: World, desk: Desk, manager: Desk) -> None:
    path = f"/practice/{show_id('project', world.project.id)}"
    assert "Nothing to practise on yet" in desk.get(path).text
    assert desk.post(path).headers["location"] == path
    assert desk.send("POST", f"{path}/next").json()["code"] == "no_practice_material"
    assert "People want to practise" in manager.get(f"{base(world)}/gold").text


def test_an_answer_on_the_desk_can_still_be_given_while_practice_goes_on(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    held = service.claim_next(session, person.actor, world.project.id, now=clock.now()).claim
    service.submit(session, person.actor, held.id, prefer(held), now=clock.now())
    assert service.prove_work(session)[1] == []
