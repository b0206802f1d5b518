"""A client's entry tests."""

import json

from sqlalchemy.orm import Session

from tests.factories import World
from tests.web.acting import Desk


def test_a_test_is_made_of_an_uploaded_file_and_retired(desk: Desk, world: World, session: Session) -> None:
    rows = [
        {
            "prompt": f"Which is even? {n}", "response_a": "2", "response_b": "3", "gold": "a",
            "gold_explanation": "Two is even.",
        }
        for n in range(6)
    ]  # fmt: skip
    fields = {
        "title": "Even numbers", "introduction": "Read.", "qualification_title": "Even", "questions": "4",
        "practice_items": "2", "pass_percent": "80", "time_minutes": "10", "attempts_max": "2", "cooldown_hours": "1",
    }  # fmt: skip
    made = desk.upload("/tests/manage", "items.jsonl", "\n".join(map(json.dumps, rows)).encode(), **fields)
    assert made.status_code == 303, made.text
    here = made.headers["location"]
    page = desk.get(here).text
    assert page.count("Two is even.") == 6
    assert page.count(">Practice<") == 2
    assert "Even numbers" in desk.get("/tests/manage").text
    assert "Even</option>" in desk.get("/projects/new?task_type=comparison").text
    assert desk.post(f"{here}/retire").status_code == 303
    assert "Retired" in desk.get(here).text


def test_a_test_of_too_few_items_says_so_and_keeps_the_form(desk: Desk) -> None:
    answer = desk.post("/tests/manage", title="Short", questions="4", practice_items="0", pass_percent="80",
                       time_minutes="10", attempts_max="2", cooldown_hours="1")  # fmt: skip
    assert answer.status_code == 422
    assert "Upload a file of items" in answer.text
    assert 'value="Short"' in answer.text
