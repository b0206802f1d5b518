"""`preceptor task-types` as a person or a program types it."""

import json

from typer.testing import CliRunner

from preceptor.cli.main import app
from preceptor.tasktypes.base import task_types


def test_it_lists_every_type_with_its_schemas_as_json() -> None:
    done = CliRunner().invoke(app, ["task-types", "--json"])
    assert done.exit_code == 0
    told = {kind["name"]: kind for kind in json.loads(done.stdout)}
    assert set(told) == set(task_types())
    assert set(told["comparison"]["schemas"]) == {"payload", "answer", "config"}
    assert "responses" in told["comparison"]["schemas"]["payload"]["properties"]
    assert told["comparison"]["tables"]["pairs"]["shape"] == "preference"


def test_one_type_by_name_and_a_wrong_name_says_which_there_are() -> None:
    assert "comparison" in CliRunner().invoke(app, ["task-types", "comparison"]).stdout
    wrong = CliRunner().invoke(app, ["task-types", "nothing"])
    assert wrong.exit_code == 1
    assert "comparison" in wrong.output
