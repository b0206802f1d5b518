"""`preceptor suggestions` on a real installation."""

import json
from collections.abc import Callable

import pytest
from tests.conftest import NOW
from tests.factories import make_world
from tests.work.suggested import add_judge, prefers
from typer.testing import CliRunner

from preceptor.cli.main import app
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime


def test_suggestions_are_set_and_read_from_the_command_line(
    open_runtime: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = open_runtime()
    with runtime.sessions.begin() as session:
        world = make_world(session, now=NOW, tasks=2)
        judge = add_judge(session, runtime, world, lambda number: prefers("r1"), title="Strict judge")
    project, key = show_id("project", world.project.id), show_id("judge", judge.id)
    monkeypatch.setenv("PRECEPTOR_DATABASE_URL", runtime.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PRECEPTOR_DATA_DIR", str(runtime.settings.data_dir))

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["suggestions", *words])
        return f"{done.exit_code} {done.output}"

    assert "Nothing is suggested." in run("show", project)
    assert run("set", project).startswith("2 ")
    assert run("set", project, "--judge", key, "--blind", "3").startswith("1 ")
    assert "nothing is shown on 25 % of the tasks" in run("set", project, "--judge", key, "--blind", "25")
    told = json.loads(run("show", project, "--json").removeprefix("0 "))
    assert told["setting"] == {
        "source": "judge", "judge_id": key, "blind_percent": 25, "decided": True, "on": True,
    }  # fmt: skip
    assert told["reports"] == []
    assert "Nothing is suggested." in run("set", project, "--off")
