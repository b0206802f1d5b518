"""A contributor at work in a real browser."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from preceptor.assessments.service.assessments import create_assessment
from preceptor.assessments.settings import AssessmentIn, ItemIn
from preceptor.kit.ids import show_id
from preceptor.projects.models import GuidelinesVersion, RubricVersion
from preceptor.work import service
from preceptor.work.models import Claim, Decision
from preceptor.work.service import CriterionVerdict
from tests.browser.conftest import PHONE, Live, Scheme, by_mouse_and_by_finger, check_axe, shoot, sign_in
from tests.browser.writing import submissions
from tests.factories import PREFER_A, User, World, join, make_world, pair_payload

pytestmark = pytest.mark.browser

WHY = "A names its source, and B only asserts."
GUIDELINES = """\
# What to judge

1. Judge the argument, not your own opinion.
2. Read both to the end before you choose.
3. A reason that could be checked counts more than a saying.

## When they are equal

Choose **the same**. It is a real answer, and an honest tie helps more than a coin that was thrown.
"""
CRITERIA = [
    {
        "key": "right",
        "title": "The choice follows from the texts",
        "description": "Somebody who reads both would agree.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 2,
        "anchors": {"1": "contradicts them", "5": "plain to see"},
    },
    {
        "key": "reason",
        "title": "The reason names a place",
        "description": "It says where in the text the difference is.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 1,
        "anchors": {},
    },
]
PROMPT = (
    "“Should physical education be mandatory in schools?” Both argue **for** it. Which argument is more convincing?"
)
GOOD = (
    "Yes. Habits that are formed early last. A child who learns to enjoy moving, to play in a team and to lose "
    "without bitterness carries this into adult life, and no advice at forty replaces it. Schools reach every child, "
    "also those whose parents have neither time nor money for a club.\n\nThere is a second reason: attention. "
    "Children who move for an hour a day concentrate better in the lessons that follow."
)
WEAK = (
    "I think it should be mandatory since obesity is a growing problem everywhere. Kids sit in front of computers all "
    "day and they need exercise.\n\nAlso it is fun and a good break from sitting. Everyone I know liked it."
)


def debate(number: int) -> dict[str, Any]:
    first, second = (GOOD, WEAK) if number % 2 else (WEAK, GOOD)
    return {
        "prompt": [{"role": "user", "content": f"{PROMPT}\n\nPair {number}"}],
        "responses": [
            {"id": "r1", "messages": [{"role": "assistant", "content": first}]},
            {"id": "r2", "messages": [{"role": "assistant", "content": second}]},
        ],
    }


@pytest.fixture
def world(live: Live) -> World:
    """An open project of debates with guidelines and a rubric."""
    now = live.clock.now()
    with live.runtime.sessions.begin() as session:
        made = make_world(session, now=now, tasks=6, review_percent=100, lease_seconds=1800)
        made.project.title = "Debates: which argument is more convincing?"
        made.project.summary = "Two people argue for the same side. Say which argument would convince more, and why."
        made.project.opened_at = now
        made.project.expected_seconds = 130
        for number, task in enumerate(made.tasks, start=1):
            task.payload = debate(number)
        guidelines = GuidelinesVersion(project_id=made.project.id, number=1, body=GUIDELINES, created_at=now)
        rubric = RubricVersion(project_id=made.project.id, number=2, criteria=CRITERIA, created_at=now)
        session.add_all([guidelines, rubric])
        session.flush()
        made.project.guidelines_version_id, made.project.rubric_version_id = guidelines.id, rubric.id
        made.project.config = {"question": "Which argument is more convincing?"}
    return made


@pytest.fixture
def worker(live: Live, world: World) -> User:
    with live.runtime.sessions.begin() as session:
        return join(session, world, now=live.clock.now())[0]


@pytest.fixture
def desk(page: Page, live: Live, world: World, worker: User) -> Page:
    """A page with a task on the desk."""
    sign_in(page, live, worker)
    open_desk(page, live, world)
    return page


def open_desk(page: Page, live: Live, world: World) -> None:
    page.goto(f"{live.url}/board/{show_id('project', world.project.id)}")
    page.get_by_role("button", name="Start").or_(page.get_by_role("link", name="Go on with your task")).first.click()
    expect(page.get_by_role("radiogroup")).to_be_visible()


def why(page: Page) -> Any:
    return page.get_by_label("Why?")


def saved(page: Page) -> None:
    expect(page.get_by_text("Saved ", exact=False).first).to_be_visible()


# --- A whole comparison


@by_mouse_and_by_finger
def test_one_comparison_by_mouse(page: Page, live: Live, world: World, worker: User) -> None:
    sign_in(page, live, worker)
    page.goto(f"{live.url}/home")
    page.get_by_role("button", name="Start working").click()
    expect(page.get_by_text("Pair 1")).to_be_visible()
    page.get_by_role("radio", name="A better", exact=True).click()
    why(page).click()
    why(page).fill(WHY)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Pair 2")).to_be_visible()
    expect(why(page)).to_have_value("")
    [given] = submissions(live)
    with live.runtime.sessions.begin() as session:
        order = session.get_one(Claim, given.claim_id).display_order
    assert given.answer["ranks"] == {order[0]: 1, order[1]: 2}
    assert given.answer["strength"] == 2
    page.goto(f"{live.url}/results")
    page.get_by_role("link", name="Pair 1").click()
    expect(page.get_by_text(WHY)).to_be_visible()


def test_one_comparison_by_keyboard_alone(page: Page, live: Live, world: World, worker: User) -> None:
    sign_in(page, live, worker)
    page.goto(f"{live.url}/board/{show_id('project', world.project.id)}")
    tab_to(page, "Start")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Pair 1")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("7")
    expect(page.get_by_role("radio", name="B much better")).to_be_checked()
    tab_to(page, "Why?")
    page.keyboard.type(WHY)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Pair 2")).to_be_visible()
    page.keyboard.press("4")
    tab_to(page, "Why?")
    page.keyboard.type("Both say the same in other words.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Pair 3")).to_be_visible()
    assert [given.answer["strength"] for given in submissions(live)] == [3, 0]


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the element with this label or text has the focus."""
    held = "(document.activeElement.labels?.[0]?.innerText ?? document.activeElement.innerText ?? '').trim()"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(held) == name:
            return
    pytest.fail(f"{name!r} cannot be reached by Tab")


def test_an_incomplete_answer_says_what_is_missing(desk: Page, live: Live) -> None:
    desk.keyboard.press("2")
    desk.keyboard.press("Control+Enter")
    expect(desk.get_by_text("Not complete yet.")).to_be_visible()
    assert submissions(live) == []


# --- Nothing is lost


def test_a_draft_survives_a_killed_page(desk: Page, live: Live, world: World) -> None:
    desk.keyboard.press("6")
    why(desk).fill(WHY)
    saved(desk)
    again = desk.context.new_page()
    desk.close(run_before_unload=False)
    open_desk(again, live, world)
    expect(why(again)).to_have_value(WHY)
    expect(again.get_by_role("radio", name="B better", exact=True)).to_be_checked()


def test_a_draft_is_on_the_server_and_not_only_in_this_browser(
    desk: Page, open_page: Callable[..., Page], live: Live, world: World, worker: User
) -> None:
    why(desk).fill(WHY)
    saved(desk)
    elsewhere = open_page()
    sign_in(elsewhere, live, worker)
    open_desk(elsewhere, live, world)
    expect(why(elsewhere)).to_have_value(WHY)


def test_a_lease_that_has_ended_keeps_the_words_and_says_so(desk: Page, live: Live) -> None:
    why(desk).fill("Kept words, whatever happens.")
    saved(desk)
    live.clock.ahead = timedelta(hours=2)
    with live.runtime.sessions.begin() as session:
        assert service.expire_overdue(session, now=live.clock.now()) == 1
    why(desk).press_sequentially(" More.")
    panel = desk.get_by_role("alert").filter(has_text="Take the next task")
    expect(panel).to_be_visible()
    expect(panel).to_contain_text("draft")
    expect(why(desk)).to_have_value("Kept words, whatever happens. More.")
    shoot(desk, "desk-lease-over", full=False)
    panel.get_by_role("button", name="Take the next task").click()
    expect(panel).to_be_hidden()


def test_only_one_of_two_tabs_can_change_a_task(desk: Page, live: Live, world: World) -> None:
    why(desk).fill("Typed in the first tab.")
    saved(desk)
    second = desk.context.new_page()
    open_desk(second, live, world)
    expect(desk.get_by_text("You are working on this task in another tab.")).to_be_visible()
    expect(why(second)).to_have_value("Typed in the first tab.")
    shoot(desk, "desk-two-tabs", full=False)
    desk.get_by_role("button", name="Go on here").click()
    expect(second.get_by_text("You are working on this task in another tab.")).to_be_visible()


# --- Hostile material


HOSTILE = """\
<script>window.pwned = 1</script> <img src=x onerror="window.pwned = 2">
<svg onload="window.pwned = 3"><script>window.pwned = 4</script></svg>
[click](javascript:window.pwned=5) ![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+)
<style>body{display:none}</style> <iframe srcdoc="<script>parent.pwned=6</script>"></iframe>
</script><script>window.pwned = 7</script>
"""


def test_markup_in_a_task_stays_inert(page: Page, live: Live, world: World, worker: User) -> None:
    with live.runtime.sessions.begin() as session:
        for task in world.tasks:
            session.merge(task).payload = {
                "prompt": [{"role": "user", "content": HOSTILE}],
                "responses": [
                    {"id": name, "messages": [{"role": "assistant", "content": HOSTILE}]} for name in ("r1", "r2")
                ],
            }
        session.merge(world.project).title = "</script><script>window.pwned = 8</script>"
    sign_in(page, live, worker)
    for path in ("/home", "/board"):
        page.goto(live.url + path)
    open_desk(page, live, world)
    page.keyboard.press("1")
    why(page).fill(HOSTILE)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Submitted", exact=False).first).to_be_visible()
    page.goto(f"{live.url}/results/{show_id('submission', submissions(live)[0].id)}")
    expect(page.get_by_role("heading", name="Decision", exact=True)).to_be_visible()
    assert page.evaluate("window.pwned") is None
    assert page.locator("iframe, .reading script, .reading svg, .reading style, [onerror], [onload]").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert page.locator(".reading").first.is_visible()


# --- Every page, readable by everybody


def a_history(live: Live, world: World, worker: User) -> dict[str, str]:
    """One submission of each standing; returns paths worth a look."""
    paths = {}
    verdict = CriterionVerdict("reason", "not_met", "Which sentence?", quote="B only asserts")
    met = CriterionVerdict("right", "met", "Yes, A is stronger.")
    comment = "Say which sentence decided it: “A names its source” could stand under every pair."
    steps = [(Decision.APPROVE, ""), (Decision.REJECT, comment), (Decision.RETURN, comment), (None, "")]
    for decision, said in steps:
        now = live.clock.now()
        with live.runtime.sessions.begin() as session:
            work = service.claim_next(session, worker.actor, world.project.id, now=now)
            service.save_draft(session, worker.actor, work.claim.id, {"justification": WHY}, 1, now=now)
            answer = {**PREFER_A, "justification": WHY}
            given = service.submit(session, worker.actor, work.claim.id, answer, now=now)
            given.worked_seconds = 134
            session.flush()
            name = decision.value if decision else "waiting"
            paths[name] = f"/results/{show_id('submission', given.id)}"
            if decision is not None:
                criteria = [met, verdict] if decision is not Decision.APPROVE else [met]
                service.decide(
                    session, world.reviewer.actor, given.id, decision, comment=said, criteria=criteria, now=now
                )
    return paths


def a_test(live: Live, world: World) -> str:
    with live.runtime.sessions.begin() as session:
        items = [
            ItemIn(
                payload=pair_payload(number), answer={"ranks": {"r1": 1, "r2": 2}, "strength": 3},
                explanation=f"{number} + {number} is **{2 * number}**; the other is one too many.", practice=number > 3,
            )
            for number in range(6)
        ]  # fmt: skip
        wanted = AssessmentIn(
            title="Adding up with care", introduction="Each question shows a sum and two results. **One is right.**",
            qualification_title="Careful adder", questions=3, items=items,
            config={"question": "Which result is right?", "justification_min_chars": 0},
        )  # fmt: skip
        now = live.clock.now()
        made = create_assessment(session, world.client.actor, world.organization.id, wanted, now=now)
        other = make_world(session, now=now, rate_minor=180)
        other.project.title = "Sums for accountants"
        other.project.summary = "Two results of one calculation. Say which is right."
        other.project.opened_at = now
        other.project.qualification_id = made.qualification_id
        return f"/tests/{show_id('assessment', made.id)}"


@pytest.mark.parametrize(
    ("look", "scheme", "viewport"),
    [("light", "light", None), ("dark", "dark", None), ("phone", "light", PHONE), ("phone-dark", "dark", PHONE)],
)
def test_every_page_passes_axe_and_fits(
    open_page: Callable[..., Page], live: Live, world: World, worker: User, look: str, scheme: Scheme, viewport: Any
) -> None:
    results = a_history(live, world, worker)
    test = a_test(live, world)
    page = open_page(scheme, viewport) if viewport else open_page(scheme)
    sign_in(page, live, worker)
    paths = {
        "home": "/home", "board": "/board", "project": f"/board/{show_id('project', world.project.id)}",
        "results": "/results", "result-rejected": results["reject"], "result-returned": results["return"],
        "result-approved": results["approve"], "earnings": "/earnings", "tests": "/tests", "test": test,
        "practice": f"{test}/practice",
    }  # fmt: skip
    for name, path in paths.items():
        page.goto(live.url + path)
        page.wait_for_load_state("networkidle")
        check_axe(page)
        shoot(page, f"contributor-{name}-{look}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the screen"
    open_desk(page, live, world)
    page.keyboard.press("2")
    why(page).fill(WHY)
    saved(page)
    check_axe(page)
    shoot(page, f"contributor-desk-{look}", full=False)
    page.goto(live.url + results["return"])
    page.get_by_role("link", name="Revise it").click()
    expect(page.get_by_role("radiogroup")).to_be_visible()
    shoot(page, f"contributor-revision-{look}", full=False)


def test_everything_works_at_360_pixels(open_page: Callable[..., Page], live: Live, world: World, worker: User) -> None:
    results = a_history(live, world, worker)
    page = open_page("light", {"width": 360, "height": 740})
    sign_in(page, live, worker)
    for path in ("/home", "/board", "/results", results["reject"], "/earnings", "/tests"):
        page.goto(live.url + path)
        assert page.evaluate("document.documentElement.scrollWidth <= 360"), path
    open_desk(page, live, world)
    page.get_by_role("tab", name="B").first.click()
    page.get_by_role("radio", name="B slightly better").check(force=True)
    why(page).fill(WHY)
    before = len(submissions(live))
    page.get_by_role("button", name="Submit").click()
    expect(why(page)).to_have_value("")
    assert len(submissions(live)) == before + 1
    assert page.evaluate("document.documentElement.scrollWidth <= 360")


# --- Tests and practice


def test_practice_explains_and_the_test_is_passed(page: Page, live: Live, world: World, worker: User) -> None:
    test = a_test(live, world)
    sign_in(page, live, worker)
    page.goto(f"{live.url}{test}")
    page.get_by_role("link", name="Practise").click()
    expect(page.get_by_role("radiogroup")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("one too many")).to_be_visible()
    shoot(page, "contributor-practice-explained", full=False)
    page.goto(f"{live.url}{test}")
    page.get_by_role("button", name="Start …").click()
    page.get_by_role("button", name="Start the clock").click()
    for number in range(1, 4):
        expect(page.get_by_text(f"{number} of 3")).to_be_visible()
        choose_the_true_sum(page)
        page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="You have passed")).to_be_visible()
    check_axe(page)
    shoot(page, "contributor-passed")
    page.goto(f"{live.url}/board?show=ready")
    expect(page.get_by_role("link", name="Sums for accountants")).to_be_visible()


def choose_the_true_sum(page: Page) -> None:
    asked = page.locator(".cmp-prompt-body").inner_text()
    number = int(asked.split("What is")[1].split("+")[0])
    first = page.locator(".cmp-text").first.inner_text()
    page.keyboard.press("1" if f"is {2 * number}." in first else "7")
