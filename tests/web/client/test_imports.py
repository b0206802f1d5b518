"""A client's imports: mapping by hand, and the report."""

import json

from sqlalchemy.orm import Session

from preceptor.kit.ids import read_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Import
from tests.factories import World
from tests.web.acting import Desk
from tests.web.client.material import base, run_job


def test_a_file_of_unknown_layout_is_mapped_by_hand(
    desk: Desk, runtime: Runtime, world: World, session: Session
) -> None:
    rows = [{"ask": f"Question {n}", "left": "yes, because", "right": "no, since"} for n in range(3)]
    sent = desk.upload(f"{base(world)}/imports", "odd.jsonl", "\n".join(map(json.dumps, rows)).encode())
    here = sent.json()["redirect"]
    run_job(runtime, "projects.run_import", import_id=str(read_id("import", here.rsplit("/", 1)[-1])))
    failed = desk.get(here).text
    assert "Nothing was imported" in failed
    assert '<option value="left"' in failed
    refused = desk.post(f"{here}/again", column_prompt="ask")
    assert refused.status_code == 422
    again = desk.post(f"{here}/again", column_prompt="ask", column_response_a="left", column_response_b="right")
    assert again.status_code == 303
    there = again.headers["location"]
    run_job(runtime, "projects.run_import", import_id=str(read_id("import", there.rsplit("/", 1)[-1])))
    assert "3 new tasks" in desk.get(there).text


def test_the_report_names_line_field_and_problem(desk: Desk, runtime: Runtime, world: World, session: Session) -> None:
    good = {"prompt": "Which?", "response_a": "a", "response_b": "b"}
    lines = [json.dumps(good), json.dumps({**good, "priority": 77}), "{broken"]
    sent = desk.upload(f"{base(world)}/imports", "bad.jsonl", "\n".join(lines).encode())
    here = sent.json()["redirect"]
    run_job(runtime, "projects.run_import", import_id=str(read_id("import", here.rsplit("/", 1)[-1])))
    page = desk.get(here).text
    found = session.get_one(Import, read_id("import", here.rsplit("/", 1)[-1]), populate_existing=True)
    assert [problem["line"] for problem in found.problems] == [2, 3]
    assert "priority" in page
    assert "2 problems" in page
