"""A contributor's home and board."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.events import Event
from preceptor.kit.ids import show_id
from preceptor.projects.models import Task
from preceptor.work import service
from preceptor.work.models import Claim, Decision
from preceptor.work.service import CriterionVerdict
from tests.factories import PREFER_A, World, join, make_contributor, make_world, pair_payload
from tests.web.acting import Desk, Seating
from tests.web.contributor.deeds import decide, make_test, start, submit, words


def test_home_says_what_to_do_and_what_it_pays(desk: Desk, world: World) -> None:
    text = words(desk.get("/home"))
    assert "Sums" in text
    assert "$0.42 a task, about $8.40 an hour" in text  # 0.42 in the 180 s that the client expects
    assert "3 tasks for you" in text
    assert "Open to every contributor, and you have joined" in text


def test_hourly_pay_rests_on_measured_times_once_there_are_enough(
    desk: Desk, session: Session, world: World, clock: FixedClock
) -> None:
    for number in range(12):
        _add_worked(session, world, number, 90, clock)
    text = words(desk.get(f"/board/{show_id('project', world.project.id)}"))
    assert "$0.42 a task, about $16.80 an hour" in text
    assert "1 min 30 s a task, measured on the last 12" in text


def _add_worked(session: Session, world: World, number: int, seconds: int, clock: FixedClock) -> None:
    payload = pair_payload(number)
    task = Task(
        project_id=world.project.id, external_id=f"more-{number}", payload=payload, position=100 + number, wanted=1,
        created_at=clock.now(),
    )  # fmt: skip
    session.add(task)
    session.flush()
    person = join(session, world, now=clock.now())[0]
    work = service.claim_task(session, person.actor, world.project.id, task.id, now=clock.now())
    given = service.submit(session, person.actor, work.claim.id, PREFER_A, now=clock.now())
    given.worked_seconds = seconds
    session.flush()


def test_money_that_is_earned_pending_and_held_is_told_apart(
    desk: Desk, session: Session, world: World, clock: FixedClock
) -> None:
    submit(desk, world)
    decide(session, world, Decision.APPROVE, clock)
    submit(desk, world)
    text = words(desk.get("/home"))
    assert "Earned this week $0.42 1 approved task since Monday" in text
    assert "Pending $0.42 1 task, decided by" in text
    assert "Balance $0.42" in text


def test_unread_feedback_leads_and_goes_once_opened(
    desk: Desk, session: Session, world: World, clock: FixedClock
) -> None:
    submit(desk, world)
    verdicts = [CriterionVerdict("right", "not_met", "The sum is wrong.")]
    given = decide(session, world, Decision.REJECT, clock, criteria=verdicts)
    assert "Feedback for you" in words(desk.get("/home"))
    desk.get(f"/results/{show_id('submission', given.id)}")
    desk.get(f"/results/{show_id('submission', given.id)}")
    assert "Feedback for you" not in words(desk.get("/home"))
    read = select(func.count()).where(Event.kind == "work.decision_read", Event.subject_id == given.id)
    assert session.scalar(read) == 1


def test_returned_work_stays_on_home_until_it_is_revised(
    desk: Desk, session: Session, world: World, clock: FixedClock
) -> None:
    submit(desk, world)
    given = decide(session, world, Decision.RETURN, clock)
    desk.get(f"/results/{show_id('submission', given.id)}")
    assert "Returned to you" in words(desk.get("/home"))
    claim = session.get_one(Claim, given.claim_id)
    path = f"/work/{show_id('project', claim.project_id)}/{show_id('claim', claim.id)}"
    assert desk.send("POST", f"{path}/submission", {"answer": PREFER_A}).json()["redirect"].startswith("/results/")
    assert "Returned to you" not in words(desk.get("/home"))


def test_what_would_open_more_work_names_the_test(
    desk: Desk, session: Session, world: World, clock: FixedClock
) -> None:
    test_id = make_test(session, world, clock)
    for page in ("/home", "/board"):
        answer = desk.get(page)
        assert "This project needs “Sums checked”. Pass its test to get it." in words(answer)
        assert f'href="/tests/{test_id}"' in answer.text


def test_board_filters_live_in_the_url(desk: Desk, session: Session, world: World, clock: FixedClock) -> None:
    other = make_world(session, now=clock.now())
    other.project.title = "Debates about water"
    session.flush()
    assert "Sums" not in words(desk.get("/board?q=water+debates"))
    joined = words(desk.get("/board?show=joined"))
    assert "Sums" in joined
    assert "water" not in joined
    assert "No project fits" in words(desk.get("/board?q=nothing+like+this"))
    assert desk.get("/board?show=nonsense").status_code == 422


def test_join_and_leave(seat: Seating, session: Session, world: World, clock: FixedClock) -> None:
    newcomer = seat(make_contributor(session, now=clock.now()))
    href = f"/board/{show_id('project', world.project.id)}"
    assert "Join and start" in words(newcomer.get(href))
    assert newcomer.post(f"{href}/join").headers["location"] == href
    assert "Leave the project" in words(newcomer.get(href))
    newcomer.post(f"{href}/leave")
    assert "Join and start" in words(newcomer.get(href))


def test_starting_joins_first(seat: Seating, session: Session, world: World, clock: FixedClock) -> None:
    newcomer = seat(make_contributor(session, now=clock.now()))
    assert start(newcomer, world).startswith(f"/work/{show_id('project', world.project.id)}/clm_")
