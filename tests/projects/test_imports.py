"""Imports: all or nothing, once per digest and external id, with a report for every bad row."""

import io
import json
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from preceptor.kit import jobs
from preceptor.kit.errors import Invalid
from preceptor.kit.events import Event
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects import rules
from preceptor.projects.errors import ImportRefused, ProjectFinished
from preceptor.projects.jobs import carry_out
from preceptor.projects.models import Import, ImportState, Membership, Project, ProjectState, Task, TaskGold
from preceptor.projects.service import imports, members, projects
from tests.conftest import NOW
from tests.factories import make_client, make_contributor
from tests.projects.conftest import Lab, new_task, settings


def rows(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [
        {"id": f"row-{number}", "prompt": f"What is {number} + 1?", "response_a": f"{number + 1}", "response_b": "no"}
        for number in range(start, start + count)
    ]


def jsonl(items: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(item) + "\n" for item in items).encode()


def upload(client: TestClient, lab: Lab, data: bytes, query: str = "filename=a.jsonl", **headers: str) -> Any:
    return client.post(f"{lab.path}/imports?{query}", headers={**lab.owner.headers, **headers}, content=data)


def run(runtime: Runtime, answer: Any) -> None:
    """Do what the worker would do, by the name that was deferred."""
    jobs.registered["projects.run_import"](runtime, import_id=str(read_id("import", answer.json()["id"])))


def status(client: TestClient, lab: Lab, answer: Any) -> Any:
    return client.get(f"{lab.path}/imports/{answer.json()['id']}", headers=lab.owner.headers).json()


def count(session: Session, lab: Lab) -> int:
    return session.scalar(select(func.count()).select_from(Task).where(Task.project_id == lab.project.id)) or 0


def in_order(session: Session, lab: Lab, by: Any) -> list[str]:
    return list(session.scalars(select(Task.external_id).where(Task.project_id == lab.project.id).order_by(by)))


class TestFiles:
    def test_a_file_becomes_tasks_in_its_order(
        self, client: TestClient, runtime: Runtime, session: Session, lab: Lab
    ) -> None:
        answer = upload(client, lab, jsonl(rows(2_500)))
        assert (answer.status_code, answer.json()["state"]) == (202, "queued")
        run(runtime, answer)
        found = status(client, lab, answer)
        assert (found["state"], found["rows_read"], found["created"]) == ("done", 2_500, 2_500)
        names = in_order(session, lab, Task.position)
        assert names == [f"row-{number}" for number in range(2_500)]
        by_id = session.scalars(
            select(Task.external_id).where(Task.project_id == lab.project.id).order_by(Task.id)
        ).all()
        assert by_id == names

    def test_one_bad_row_stops_the_whole_file(
        self, client: TestClient, runtime: Runtime, session: Session, lab: Lab
    ) -> None:
        bad = rows(3)
        bad[1]["response_b"] = None
        bad[2]["overlap"] = 0
        answer = upload(client, lab, jsonl(bad))
        run(runtime, answer)
        found = status(client, lab, answer)
        assert (found["state"], found["created"], found["problem_count"]) == ("failed", 0, 2)
        assert [(one["line"], one["field"]) for one in found["problems"]] == [(2, "response_b"), (3, "overlap")]
        assert count(session, lab) == 0

    def test_of_many_problems_the_first_thousand_are_kept(self, client: TestClient, runtime: Runtime, lab: Lab) -> None:
        answer = upload(client, lab, jsonl([{**row, "response_b": None} for row in rows(1_200)]))
        run(runtime, answer)
        found = status(client, lab, answer)
        assert (found["problem_count"], len(found["problems"])) == (1_200, 1_000)

    def test_the_same_file_is_imported_once(
        self, client: TestClient, runtime: Runtime, session: Session, lab: Lab
    ) -> None:
        first = upload(client, lab, jsonl(rows(3)))
        run(runtime, first)
        again = upload(client, lab, jsonl(rows(3)), "filename=other-name.jsonl")
        assert again.json()["id"] == first.json()["id"]
        assert count(session, lab) == 3

    def test_a_failed_file_may_be_sent_again(self, client: TestClient, runtime: Runtime, lab: Lab) -> None:
        data = jsonl([{"q": "?", "x": "1", "y": "2"}])
        first = upload(client, lab, data)
        run(runtime, first)
        assert status(client, lab, first)["state"] == "failed"
        mapping = json.dumps({"prompt": "q", "response_a": "x", "response_b": "y"})
        again = upload(client, lab, data, f"filename=a.jsonl&mapping={mapping}")
        run(runtime, again)
        assert (status(client, lab, again)["state"], status(client, lab, again)["created"]) == ("done", 1)

    def test_known_external_ids_are_left_as_they_are(
        self, client: TestClient, runtime: Runtime, session: Session, lab: Lab
    ) -> None:
        run(runtime, upload(client, lab, jsonl(rows(3))))
        changed = [{**row, "prompt": "Changed?"} for row in rows(5)]
        answer = upload(client, lab, jsonl(changed))
        run(runtime, answer)
        found = status(client, lab, answer)
        assert (found["created"], found["already_there"]) == (2, 3)
        payload = session.scalars(select(Task.payload).where(Task.external_id == "row-0")).one()
        assert payload["prompt"][0]["content"] == "What is 0 + 1?"

    def test_running_the_job_twice_changes_nothing(
        self, client: TestClient, runtime: Runtime, session: Session, lab: Lab
    ) -> None:
        answer = upload(client, lab, jsonl(rows(3)))
        run(runtime, answer)
        run(runtime, answer)
        finished = select(func.count()).select_from(Event).where(Event.kind == "import.finished")
        assert (count(session, lab), session.scalar(finished)) == (3, 1)

    def test_a_run_that_broke_off_is_taken_up_again(
        self, client: TestClient, runtime: Runtime, session: Session, lab: Lab
    ) -> None:
        answer = upload(client, lab, jsonl(rows(3)))
        with runtime.sessions.begin() as other:
            imports.begin(other, read_id("import", answer.json()["id"]))
        run(runtime, answer)
        assert status(client, lab, answer)["state"] == "done"

    def test_gold_votes_priority_and_overlap_arrive(
        self, client: TestClient, runtime: Runtime, session: Session, lab: Lab
    ) -> None:
        extra = {"gold": "a", "gold_explanation": "It adds up.", "priority": 2, "overlap": 5, "topic": "sums"}
        answer = upload(client, lab, jsonl([{**rows(1)[0], **extra, "choice": "b", "votes_a": 1, "votes_b": 3}]))
        run(runtime, answer)
        task = session.scalars(select(Task).where(Task.project_id == lab.project.id)).one()
        gold = session.get_one(TaskGold, task.id)
        assert (gold.answer["ranks"], gold.explanation) == ({"r1": 1, "r2": 2}, "It adds up.")
        assert (task.priority, task.wanted, task.topic) == (2, 5, "sums")
        assert (task.imported_answer or {})["ranks"] == {"r1": 2, "r2": 1}
        assert task.imported_votes == {"r1": 1, "r2": 3}
        assert "gold" not in json.dumps(task.payload)

    def test_parquet_and_multipart(self, client: TestClient, runtime: Runtime, lab: Lab) -> None:
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows(10)), buffer)
        answer = client.post(
            f"{lab.path}/imports", headers=lab.owner.headers, files={"file": ("a.parquet", buffer.getvalue())}
        )
        assert (answer.status_code, answer.json()["filename"]) == (202, "a.parquet")
        assert answer.json()["digest"] == sha256(buffer.getvalue()).hexdigest()
        run(runtime, answer)
        assert status(client, lab, answer)["created"] == 10

    @pytest.mark.parametrize(
        "data",
        [
            b"\x00" * 1_000,
            b"PK\x03\x04 not a table",
            b"PAR1 cut off",
            b"\x1f\x8b\x08 damaged",
            b"\xff\xfe[\x00",
            b'{"prompt": "caf\xe9"}\n',
            b'{"prompt": "a", "response_a": "b", "respo',
            b"[" * 100_000,
            b"   \n\n",
        ],
    )
    def test_hostile_files_fail_with_a_report(
        self, client: TestClient, runtime: Runtime, session: Session, lab: Lab, data: bytes
    ) -> None:
        answer = upload(client, lab, data)
        run(runtime, answer)
        found = status(client, lab, answer)
        assert (found["state"], found["created"]) == ("failed", 0)
        assert found["problems"][0]["problem"]
        assert count(session, lab) == 0

    def test_a_file_over_the_limit_is_refused_and_leaves_nothing(
        self, session: Session, lab: Lab, runtime: Runtime, client: TestClient
    ) -> None:
        small = runtime.settings.model_copy(update={"upload_bytes_max": 1_000})
        object.__setattr__(runtime, "settings", small)
        announced = upload(client, lab, b"x" * 1_001)

        def chunks() -> Any:
            yield from (b"x" * 600, b"y" * 600)

        streamed = client.post(f"{lab.path}/imports", headers=lab.owner.headers, content=chunks())
        for answer in (announced, streamed):
            assert (answer.status_code, answer.json()["code"]) == (422, "upload_too_large")
        assert list((runtime.settings.data_dir / "incoming").iterdir()) == []

    def test_an_empty_body_is_refused(self, client: TestClient, lab: Lab) -> None:
        assert upload(client, lab, b"").json()["code"] == "upload_missing"

    def test_a_mapping_that_cannot_work_is_refused_at_once(self, client: TestClient, lab: Lab) -> None:
        answer = upload(client, lab, b"{}", 'mapping={"promt":"q"}')
        assert (answer.status_code, answer.json()["code"]) == (422, "import_refused")

    def test_file_names_cannot_carry_folders(self) -> None:
        assert imports.shown_name("../../etc/passwd\n") == "passwd"
        assert imports.shown_name("C:\\data\\a.csv") == "a.csv"
        assert imports.shown_name("\x00") == "upload"

    def test_a_repeated_upload_with_a_key_is_replayed_and_another_file_refused(
        self, client: TestClient, lab: Lab
    ) -> None:
        first = upload(client, lab, jsonl(rows(1)), **{"idempotency-key": "u1"})
        again = upload(client, lab, jsonl(rows(1)), **{"idempotency-key": "u1"})
        other = upload(client, lab, jsonl(rows(2)), **{"idempotency-key": "u1"})
        assert again.json() == first.json()
        assert again.headers["idempotency-replayed"] == "true"
        assert other.json()["code"] == "idempotency_key_reused"

    def test_a_closing_project_takes_no_files(self, client: TestClient, session: Session, lab: Lab) -> None:
        lab.project.state = ProjectState.CLOSING
        session.flush()
        assert upload(client, lab, jsonl(rows(1))).json()["code"] == "project_finished"

    def test_a_project_that_closes_while_a_file_waits_fails_it(
        self, client: TestClient, runtime: Runtime, session: Session, lab: Lab
    ) -> None:
        answer = upload(client, lab, jsonl(rows(1)))
        lab.project.state = ProjectState.CLOSING
        session.flush()
        run(runtime, answer)
        assert (status(client, lab, answer)["state"], count(session, lab)) == ("failed", 0)


class TestBatches:
    def add(self, session: Session, lab: Lab, *given: Any) -> tuple[int, int]:
        added = imports.import_tasks_now(session, lab.owner.actor, lab.project.id, given, now=NOW)
        return added.created, added.already_there

    def test_twice_is_the_same_as_once(self, session: Session, lab: Lab) -> None:
        assert self.add(session, lab, new_task(1), new_task(2)) == (2, 0)
        assert self.add(session, lab, new_task(2), new_task(3)) == (1, 1)
        assert count(session, lab) == 3

    def test_one_bad_task_refuses_all_with_its_place(self, client: TestClient, session: Session, lab: Lab) -> None:
        good = new_task(1).model_dump(exclude_none=True)
        bad = {**good, "external_id": "bad", "payload": {"prompt": good["payload"]["prompt"], "responses": []}}
        answer = client.post(f"{lab.path}/tasks", headers=lab.owner.headers, json={"tasks": [good, bad]})
        assert (answer.status_code, answer.json()["code"]) == (422, "import_refused")
        assert answer.json()["problems"][0]["path"].startswith("tasks.1.payload.responses")
        assert count(session, lab) == 0

    def test_gold_that_judges_nothing_is_refused(self, session: Session, lab: Lab) -> None:
        with pytest.raises(ImportRefused) as refusal:
            self.add(session, lab, new_task(1, gold={"ranks": {"r1": 1}}))
        assert refusal.value.problems[0]["path"] == "tasks.0.gold"

    def test_two_tasks_of_one_id_are_refused_unless_the_same(self, session: Session, lab: Lab) -> None:
        assert self.add(session, lab, new_task(1), new_task(1)) == (1, 0)
        with pytest.raises(ImportRefused, match="another task"):
            self.add(session, lab, new_task(2), new_task(3, external_id="sum-2"))

    def test_more_than_a_thousand_are_refused(self, session: Session, lab: Lab) -> None:
        with pytest.raises(Invalid, match="1,000"):
            self.add(session, lab, *[new_task(number) for number in range(1_001)])

    def test_closed_projects_take_none(self, session: Session, lab: Lab) -> None:
        lab.project.state = ProjectState.CLOSED
        with pytest.raises(ProjectFinished):
            self.add(session, lab, new_task(1))


class TestQueue:
    def order(self, session: Session, project: Project) -> list[str]:
        found = select(Task.external_id).where(Task.project_id == project.id).order_by(Task.position)
        return list(session.scalars(found))

    def test_priority_comes_before_arrival(self, session: Session, lab: Lab) -> None:
        actor, project = lab.owner.actor, lab.project
        imports.import_tasks_now(session, actor, project.id, [new_task(1), new_task(2, priority=9)], now=NOW)
        imports.import_tasks_now(session, actor, project.id, [new_task(3), new_task(4, priority=1)], now=NOW)
        assert self.order(session, project) == ["sum-4", "sum-1", "sum-3", "sum-2"]

    def test_more_urgent_tasks_send_cursors_back(self, session: Session, lab: Lab, opened: Project) -> None:
        actor = lab.owner.actor
        behind, before = (make_contributor(session, now=NOW) for _ in range(2))
        last = rules.position(5, 0)
        members.join(session, behind.actor, opened.id, now=NOW).cursor = last
        members.join(session, before.actor, opened.id, now=NOW)
        session.flush()
        imports.import_tasks_now(session, actor, opened.id, [new_task(7)], now=NOW)
        assert self.cursor(session, opened, behind.id) == last
        imports.import_tasks_now(session, actor, opened.id, [new_task(8, priority=1)], now=NOW)
        urgent = session.scalars(select(Task.position).where(Task.external_id == "sum-8")).one()
        assert self.cursor(session, opened, behind.id) == urgent - 1
        assert self.cursor(session, opened, before.id) == -1

    def cursor(self, session: Session, project: Project, person_id: object) -> int:
        found = select(Membership.cursor).where(Membership.project_id == project.id, Membership.person_id == person_id)
        return session.scalars(found).one()

    def test_positions_are_distinct_when_batches_race(self, open_runtime: Callable[..., Runtime]) -> None:
        runtime = open_runtime()
        with runtime.sessions.begin() as session:
            organization, owner = make_client(session, now=NOW)
            project = projects.create_project(session, owner.actor, organization.id, settings(), now=NOW)
        begun = threading.Barrier(4)

        def add(worker: int) -> None:
            begun.wait()
            for batch in range(5):
                given = [new_task(number, external_id=f"{worker}-{batch}-{number}") for number in range(20)]
                with runtime.sessions.begin() as session:
                    imports.import_tasks_now(session, owner.actor, project.id, given, now=NOW)

        threads = [threading.Thread(target=add, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with runtime.sessions.begin() as session:
            found = session.scalars(select(Task.position).where(Task.project_id == project.id)).all()
        assert (len(found), len(set(found))) == (400, 400)

    def test_a_claim_under_way_cannot_slip_past_more_urgent_tasks(self, open_runtime: Callable[..., Runtime]) -> None:
        # The claim has looked at the queue before the urgent task came, and moves its cursor after.
        runtime = open_runtime()
        with runtime.sessions.begin() as session:
            organization, owner = make_client(session, now=NOW)
            project = projects.create_project(session, owner.actor, organization.id, settings(), now=NOW)
            imports.import_tasks_now(session, owner.actor, project.id, [new_task(1)], now=NOW)
            person = make_contributor(session, now=NOW)
            session.add(Membership(project_id=project.id, person_id=person.id, joined_at=NOW))
        added = threading.Event()

        def add() -> None:
            with runtime.sessions.begin() as session:
                urgent = new_task(2, priority=1)
                imports.import_tasks_now(session, owner.actor, project.id, [urgent], now=NOW)
            added.set()

        adding = threading.Thread(target=add)
        with runtime.sessions.begin() as claiming:
            mine = claiming.get_one(Membership, (project.id, person.id), with_for_update=True)
            adding.start()
            assert not added.wait(0.5)
            mine.cursor = rules.position(5, 0)
        adding.join()
        with runtime.sessions.begin() as session:
            assert self.cursor(session, project, person.id) == rules.position(1, 1) - 1

    def test_the_same_file_accepted_twice_at_once_is_one_import(self, open_runtime: Callable[..., Runtime]) -> None:
        runtime = open_runtime()
        with runtime.sessions.begin() as session:
            organization, owner = make_client(session, now=NOW)
            project = projects.create_project(session, owner.actor, organization.id, settings(), now=NOW)
        data = jsonl(rows(3_000))
        digest = sha256(data).hexdigest()
        key = imports.file_key(project.id, digest)
        runtime.storage.put(key, data)
        seen: list[object] = []
        begun = threading.Barrier(3)

        def bring() -> None:
            begun.wait()
            with runtime.sessions.begin() as session:
                found = imports.accept_file(
                    session, owner.actor, project.id, filename="a.jsonl", stored_key=key, digest=digest,
                    size=len(data), mapping=None, now=NOW,
                )  # fmt: skip
            carry_out(runtime, found.id)
            seen.append(found.id)

        threads = [threading.Thread(target=bring) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with runtime.sessions.begin() as session:
            found = session.scalars(select(Import).where(Import.project_id == project.id)).one()
            total = session.scalar(select(func.count()).select_from(Task).where(Task.project_id == project.id))
        assert (len(seen), len(set(seen)), total) == (3, 1, 3_000)
        assert (found.state, found.created) == (ImportState.DONE, 3_000)


class TestCommandLine:
    @pytest.fixture
    def shell(self, open_runtime: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch) -> Runtime:
        runtime = open_runtime()
        url = runtime.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        monkeypatch.setenv("PRECEPTOR_DATABASE_URL", url)
        monkeypatch.setenv("PRECEPTOR_DATA_DIR", str(runtime.settings.data_dir))
        monkeypatch.setenv("PRECEPTOR_SECRET_KEY", "test-secret")
        with runtime.sessions.begin() as session:
            organization, owner = make_client(session, now=NOW)
            projects.create_project(session, owner.actor, organization.id, settings(), now=NOW)
        return runtime

    def say(self, *arguments: str) -> tuple[int, str]:
        import typer

        from preceptor.cli.imports import import_file

        app = typer.Typer()
        app.command()(import_file)
        result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
        return result.exit_code, result.output

    def test_a_file_is_imported_by_the_projects_title(self, shell: Runtime, tmp_path: Path) -> None:
        file = tmp_path / "a.jsonl"
        file.write_bytes(jsonl(rows(5)))
        code, said = self.say(str(file), "--project", "Sums")
        assert code == 0, said
        assert "Imported 5 tasks" in said

    def test_a_dry_run_writes_nothing_and_needs_no_project(self, shell: Runtime, tmp_path: Path) -> None:
        file = tmp_path / "a.csv"
        file.write_text("q,x,y\nWhy?,a,b\n")
        code, said = self.say(
            str(file), "--dry-run", "--map", "prompt=q", "--map", "response_a=x", "--map", "response_b=y"
        )
        assert (code, "1 tasks" in said) == (0, True)
        with shell.sessions() as session:
            assert session.scalar(select(func.count()).select_from(Import)) == 0

    def test_problems_are_printed_with_their_line(self, shell: Runtime, tmp_path: Path) -> None:
        file = tmp_path / "a.jsonl"
        bad = rows(2)
        bad[1]["response_b"] = None
        file.write_bytes(jsonl(bad))
        for more in ([], ["--dry-run"]):
            code, said = self.say(str(file), "--project", "Sums", *more)
            assert code == 1
            assert "response_b" in said
            assert "nothing was imported" in said

    def test_an_unknown_project_is_a_refusal(self, shell: Runtime, tmp_path: Path) -> None:
        file = tmp_path / "a.jsonl"
        file.write_bytes(jsonl(rows(1)))
        code, said = self.say(str(file), "--project", f"prj_{'0' * 32}")
        assert (code, "does not exist" in said) == (1, True)


def test_import_status_of_another_project_does_not_exist(client: TestClient, session: Session, lab: Lab) -> None:
    answer = upload(client, lab, jsonl(rows(1)))
    other = projects.create_project(session, lab.owner.actor, lab.organization.id, settings(title="Other"), now=NOW)
    path = f"/api/v1/projects/{show_id('project', other.id)}/imports/{answer.json()['id']}"
    assert client.get(path, headers=lab.owner.headers).status_code == 404
