"""A contributor's results: verdicts, revisions, the export."""

import csv
import io
import re

from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.work import service
from preceptor.work.models import Decision
from preceptor.work.service import CriterionVerdict
from tests.factories import PREFER_A, World
from tests.web.acting import Desk
from tests.web.contributor.deeds import decide, only_submission, submit, words


def test_the_decision_shows_verdicts_quote_rule_and_money(
    desk: Desk, session: Session, world: World, clock: FixedClock
) -> None:
    submit(desk, world, {**PREFER_A, "justification": "A adds up, and <b>B</b> does not."})
    verdicts = [CriterionVerdict("right", "not_met", "B is right here.", quote="<b>B</b> does not")]
    given = decide(session, world, Decision.REJECT, clock, comment="Look at the sum again, please.", criteria=verdicts)
    page = desk.get(f"/results/{show_id('submission', given.id)}")
    text = words(page)
    assert "Rejected" in text
    assert "Look at the sum again, please." in text
    assert "Right Not met" in text
    assert "Drawn for review; a person read it and decided." in text
    assert "$0.42 that was set aside went back to the project" in text
    assert "<mark>&lt;b&gt;B&lt;/b&gt; does not</mark>" in page.text
    assert world.reviewer.person.name not in text


def test_an_approval_without_review_names_its_rule(
    desk: Desk, session: Session, world: World, clock: FixedClock
) -> None:
    world.project.review_percent = 0
    session.flush()
    submit(desk, world)
    service.approve_due(session, now=clock.now())
    page = words(desk.get(f"/results/{show_id('submission', only_submission(session).id)}"))
    assert "Not drawn for review, so approved as it is." in page
    assert "Decided by The rule alone" in page
    assert "$0.42 is in your balance" in page


def test_a_returned_answer_opens_as_revision_with_its_comments(
    desk: Desk, session: Session, world: World, clock: FixedClock
) -> None:
    submit(desk, world)
    verdicts = [CriterionVerdict("right", "unclear", "Which sum?", quote="A adds up")]
    given = decide(session, world, Decision.RETURN, clock, criteria=verdicts)
    page = desk.get(f"/results/{show_id('submission', given.id)}")
    path = re.search(r'href="(/work/prj_\w+/clm_\w+)"', page.text)
    assert path is not None
    claim = desk.workspace(path.group(1))["claim"]
    assert claim["kind"] == "revision"
    assert claim["draft"]["ranks"] == {"A": 1, "B": 2}
    assert {comment.get("criterion") for comment in claim["revision_comments"]} == {None, "Right"}
    better = {**PREFER_A, "justification": "A gives 0, and 0 + 0 is 0."}
    desk.send("POST", f"{path.group(1)}/submission", {"answer": better})
    old = words(desk.get(f"/results/{show_id('submission', given.id)}"))
    assert "Revised" in old
    assert "Revision 2" in old


def test_results_search_filter_page_and_export(
    desk: Desk, session: Session, runtime: Runtime, world: World, clock: FixedClock
) -> None:
    submit(desk, world)
    decide(session, world, Decision.APPROVE, clock)
    submit(desk, world)
    assert words(desk.get("/results")).count("What is") == 2
    assert "What is 0 + 0?" in words(desk.get("/results?q=0+%2B+0"))
    assert "What is 1 + 1?" not in words(desk.get("/results?q=0+%2B+0"))
    assert "What is 1 + 1?" not in words(desk.get("/results?state=approved"))
    assert "Nothing fits" in words(desk.get("/results?q=%25"))
    rows = list(csv.DictReader(io.StringIO(desk.get("/results.csv?state=approved").text)))
    assert [(row["task"], row["state"], row["pay"]) for row in rows] == [("What is 0 + 0?", "approved", "0.42")]


def test_a_formula_in_a_title_stays_text_in_the_export(desk: Desk, session: Session, world: World) -> None:
    world.project.title = "=HYPERLINK(1)"
    session.flush()
    submit(desk, world)
    rows = list(csv.DictReader(io.StringIO(desk.get("/results.csv").text)))
    assert rows[0]["project"] == "'=HYPERLINK(1)"
