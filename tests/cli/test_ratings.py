"""`preceptor rate`: tasks by either id, from a file, all or none."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.factories import World, make_world
from typer.testing import CliRunner, Result

from preceptor.cli.main import app
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Task


@pytest.fixture
def runtime(open_runtime: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Runtime:
    made = open_runtime()
    url = made.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    monkeypatch.setenv("PRECEPTOR_DATABASE_URL", url)
    monkeypatch.setenv("PRECEPTOR_DATA_DIR", str(tmp_path))
    return made


@pytest.fixture
def world(runtime: Runtime) -> World:
    with runtime.sessions.begin() as session:
        return make_world(session, now=runtime.clock.now(), tasks=3)


def rate(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["rate", "--project", "Sums", *arguments])


def ratings(runtime: Runtime) -> list[list[str]]:
    with runtime.sessions() as session:
        return list(session.scalars(select(Task.content_ratings).order_by(Task.position)))


def test_tasks_are_rated_by_either_id_and_from_a_file(runtime: Runtime, world: World, tmp_path: Path) -> None:
    more = tmp_path / "more.txt"
    more.write_text("sum-2\n\n")
    own = show_id("task", world.tasks[0].id)
    done = rate(own, "--file", str(more), "--rating", "hate", "--rating", "violence")
    assert done.exit_code == 0, done.output
    assert "2 tasks: violence and injury, hate and harassment." in " ".join(done.output.split())
    assert ratings(runtime) == [["violence", "hate"], [], ["violence", "hate"]]
    assert rate("sum-2", "--clear").exit_code == 0
    assert ratings(runtime) == [["violence", "hate"], [], []]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sum-0", "no", "--rating", "hate"], "no task 'no'"),
        (["sum-0", "--rating", "spiders"], "no content rating 'spiders'"),
        (["sum-0"], "at least one rating"),
        (["sum-0", "--rating", "hate", "--clear"], "at least one rating"),
        (["--rating", "hate"], "at least one task"),
    ],
    ids=["unknown task", "unknown rating", "nothing said", "both said", "no task"],
)
def test_what_is_wrong_is_named_and_nothing_changes(
    runtime: Runtime, world: World, arguments: list[str], words: str
) -> None:
    refused = rate(*arguments)
    assert refused.exit_code != 0
    assert words in " ".join(refused.output.split())
    assert ratings(runtime) == [[], [], []]
