"""Projects: what must be there before one opens, what may change when, versions, and who sees them."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from preceptor.api.projects import project_out
from preceptor.http.idempotency import KEPT_FOR, OnceGate, forget_old_keys
from preceptor.kit.errors import AppError, Invalid, NotFound
from preceptor.kit.events import Event
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.people.service.organizations import add_member
from preceptor.people.service.qualifications import create_qualification, grant
from preceptor.projects import access, rules
from preceptor.projects.errors import FieldFixed, MoveRefused, NotReady
from preceptor.projects.models import Project, ProjectState, Task
from preceptor.projects.service import imports, members, projects, tasks
from preceptor.projects.service.checklist import checklist
from preceptor.projects.settings import ProjectChanges
from tests.conftest import NOW
from tests.factories import make_client, make_contributor, make_user, signed
from tests.projects.conftest import CRITERION, Lab, fund, make_ready, new_task, settings


def missing(session: Session, project: Project) -> set[str]:
    return {item.key for item in checklist(session, project) if not item.done}


class TestChecklist:
    def test_a_new_draft_lacks_everything_but_what_has_defaults(self, session: Session, lab: Lab) -> None:
        assert missing(session, lab.project) == {"guidelines", "rubric", "tasks", "funds"}

    def test_opening_names_what_is_missing(self, session: Session, lab: Lab) -> None:
        with pytest.raises(NotReady, match="Guidelines, Rubric, Tasks, Budget"):
            projects.open_project(session, lab.owner.actor, lab.project.id, now=NOW)
        assert lab.project.state is ProjectState.DRAFT

    def test_a_complete_project_opens(self, session: Session, lab: Lab) -> None:
        make_ready(session, lab)
        found = projects.open_project(session, lab.owner.actor, lab.project.id, now=NOW)
        assert (found.state, found.opened_at) == (ProjectState.OPEN, NOW)

    def test_the_budget_must_hold_one_whole_task(self, session: Session, lab: Lab) -> None:
        fund(session, lab, 99)
        assert "funds" in missing(session, lab.project)
        fund(session, lab, 1)
        assert "funds" not in missing(session, lab.project)

    def test_no_rate_and_no_money_is_not_ready(self, session: Session, lab: Lab) -> None:
        projects.update_project(session, lab.owner.actor, lab.project.id, ProjectChanges(rate_minor=0), now=NOW)
        assert {"rate", "funds"} <= missing(session, lab.project)

    def test_a_required_qualification_must_be_earnable_or_held(self, session: Session, lab: Lab) -> None:
        qualification = create_qualification(session, lab.owner.actor, lab.organization.id, "Sums", "", now=NOW)
        changes = ProjectChanges(qualification_id=qualification.id)
        projects.update_project(session, lab.owner.actor, lab.project.id, changes, now=NOW)
        assert "qualification" in missing(session, lab.project)
        person = make_contributor(session, now=NOW)
        grant(session, lab.owner.actor, person_id=person.id, qualification_id=qualification.id, now=NOW)
        assert "qualification" not in missing(session, lab.project)

    def test_settings_that_no_longer_fit_the_task_type_are_named(self, session: Session, lab: Lab) -> None:
        lab.project.config = {"question": 5}
        assert "config" in missing(session, lab.project)


class TestMoves:
    def test_every_move_outside_the_table_is_refused(self, session: Session, opened: Project, lab: Lab) -> None:
        for start in ProjectState:
            for end in ProjectState:
                opened.state = start
                if end is start or end in rules.MOVES[start]:
                    continue
                with pytest.raises(MoveRefused):
                    projects.move(session, opened, end, actor=lab.owner.actor, now=NOW)

    def test_pause_and_resume(self, session: Session, opened: Project, lab: Lab) -> None:
        paused = projects.pause_project(session, lab.owner.actor, opened.id, now=NOW, reason="holiday").state
        resumed = projects.resume_project(session, lab.owner.actor, opened.id, now=NOW).state
        assert (paused, resumed) == (ProjectState.PAUSED, ProjectState.OPEN)

    def test_each_move_leaves_one_event(self, session: Session, opened: Project, lab: Lab) -> None:
        projects.pause_project(session, lab.owner.actor, opened.id, now=NOW, reason="holiday")
        projects.pause_project(session, lab.owner.actor, opened.id, now=NOW)
        kinds = session.scalars(
            select(Event.kind).where(Event.project_id == opened.id, Event.kind.like("project.%")).order_by(Event.id)
        ).all()
        assert kinds[-2:] == ["project.opened", "project.paused"]

    def test_closing_returns_the_free_escrow_when_it_ends(self, session: Session, opened: Project, lab: Lab) -> None:
        projects.close_project(session, lab.owner.actor, opened.id, now=NOW)
        projects.finish_closing(session, opened.id, now=NOW)
        assert (opened.state, opened.closed_at) == (ProjectState.CLOSED, NOW)
        assert money.project_funds(session, opened.id, "USD").escrow.minor == 0
        assert money.wallet_balance(session, lab.organization.id, "USD").minor == 1_000

    def test_finishing_a_project_that_is_not_closing_does_nothing(self, session: Session, opened: Project) -> None:
        projects.finish_closing(session, opened.id, now=NOW)
        assert opened.state is ProjectState.OPEN


class TestChanges:
    def test_the_rate_of_an_open_project_may_change(self, session: Session, opened: Project, lab: Lab) -> None:
        projects.update_project(session, lab.owner.actor, opened.id, ProjectChanges(rate_minor=75), now=NOW)
        assert opened.rate_minor == 75

    @pytest.mark.parametrize(
        "changes", [{"config": {"question": "Else?"}}, {"blind_review": False}, {"currency": "EUR"}]
    )
    def test_the_work_itself_stays_once_open(
        self, session: Session, opened: Project, lab: Lab, changes: dict[str, object]
    ) -> None:
        with pytest.raises(FieldFixed):
            projects.update_project(
                session, lab.owner.actor, opened.id, ProjectChanges.model_validate(changes), now=NOW
            )

    def test_funded_drafts_keep_their_currency(self, session: Session, lab: Lab) -> None:
        fund(session, lab, 100)
        with pytest.raises(FieldFixed):
            projects.update_project(session, lab.owner.actor, lab.project.id, ProjectChanges(currency="EUR"), now=NOW)

    def test_a_drafts_overlap_reaches_the_tasks_that_had_the_old_one(self, session: Session, lab: Lab) -> None:
        given = [new_task(1), new_task(2, overlap=7)]
        imports.import_tasks_now(session, lab.owner.actor, lab.project.id, given, now=NOW)
        projects.update_project(session, lab.owner.actor, lab.project.id, ProjectChanges(overlap=3), now=NOW)
        wanted = session.scalars(select(Task.wanted).where(Task.project_id == lab.project.id).order_by(Task.id)).all()
        assert wanted == [3, 7]

    def test_settings_that_the_task_type_refuses_are_named(self, session: Session, lab: Lab) -> None:
        with pytest.raises(Invalid) as refusal:
            projects.create_project(
                session, lab.owner.actor, lab.organization.id, settings(config={"ranking": "sideways"}), now=NOW
            )
        assert refusal.value.problems[0]["path"] == "config.ranking"

    def test_another_organizations_qualification_does_not_exist(self, session: Session, lab: Lab) -> None:
        org_id = next(iter(lab.stranger.actor.org_roles))
        theirs = create_qualification(session, lab.stranger.actor, org_id, "Theirs", "", now=NOW)
        changes = ProjectChanges(qualification_id=theirs.id)
        with pytest.raises(NotFound):
            projects.update_project(session, lab.owner.actor, lab.project.id, changes, now=NOW)


class TestVersions:
    def test_numbers_count_up_and_the_same_text_publishes_nothing(self, session: Session, lab: Lab) -> None:
        actor, project_id = lab.owner.actor, lab.project.id
        numbers = [
            projects.publish_guidelines(session, actor, project_id, body, now=NOW).number
            for body in ("one", "two", "two", "one")
        ]
        assert numbers == [1, 2, 2, 3]
        current = access.current_guidelines(session, lab.project)
        assert current is not None
        assert current.body == "one"

    @pytest.mark.parametrize("table", ["guidelines_version", "rubric_version"])
    @pytest.mark.parametrize("statement", ["UPDATE {} SET number = 9", "DELETE FROM {}"])
    def test_the_database_refuses_to_change_a_version(
        self, session: Session, lab: Lab, table: str, statement: str
    ) -> None:
        make_ready(session, lab)
        with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
            session.execute(text(statement.format(table)))

    def test_two_criteria_of_one_key_are_refused(self, session: Session, lab: Lab) -> None:
        with pytest.raises(Invalid, match="same key"):
            projects.publish_rubric(session, lab.owner.actor, lab.project.id, [CRITERION, CRITERION], now=NOW)

    def test_blank_guidelines_are_refused(self, session: Session, lab: Lab) -> None:
        with pytest.raises(Invalid):
            projects.publish_guidelines(session, lab.owner.actor, lab.project.id, "  \n ", now=NOW)


class TestEligibility:
    def reasons(self, session: Session, person: object, project: Project) -> list[str]:
        found = members.eligibility(session, person.id, project)  # type: ignore[attr-defined]
        return [reason.code for reason in found.reasons]

    def test_a_contributor_may_join_an_open_project(self, session: Session, opened: Project) -> None:
        person = make_contributor(session, now=NOW)
        assert self.reasons(session, person, opened) == []
        first = members.join(session, person.actor, opened.id, now=NOW)
        again = members.join(session, person.actor, opened.id, now=NOW)
        assert first is again

    def test_every_reason_is_named(self, session: Session, lab: Lab, opened: Project) -> None:
        qualification = create_qualification(session, lab.owner.actor, lab.organization.id, "Sums", "", now=NOW)
        opened.qualification_id = qualification.id
        opened.state = ProjectState.PAUSED
        person = make_user(session, now=NOW).person
        person.email_confirmed_at = None
        add_member(
            session, lab.owner_in_browser, org_id=lab.organization.id, person_id=person.id, role="viewer", now=NOW
        )
        session.flush()
        assert self.reasons(session, person, opened) == [
            "not_a_contributor",
            "email_not_confirmed",
            "project_not_open",
            "own_organization",
            "qualification_missing",
        ]

    def test_the_refusal_to_join_says_why(
        self, session: Session, lab: Lab, opened: Project, client: TestClient
    ) -> None:
        qualification = create_qualification(session, lab.owner.actor, lab.organization.id, "Sums", "", now=NOW)
        opened.qualification_id = qualification.id
        session.flush()
        person = make_contributor(session, now=NOW)
        answer = client.post(f"{lab.path}/membership", headers=person.headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_eligible")
        assert "“Sums”" in answer.json()["detail"]
        grant(session, lab.owner.actor, person_id=person.id, qualification_id=qualification.id, now=NOW)
        session.flush()
        assert client.post(f"{lab.path}/membership", headers=person.headers).status_code == 201

    def test_whoever_comes_back_starts_at_the_front_again(self, session: Session, opened: Project) -> None:
        person = make_contributor(session, now=NOW)
        members.join(session, person.actor, opened.id, now=NOW).cursor = 99
        members.leave(session, person.actor, opened.id, now=NOW)
        assert members.join(session, person.actor, opened.id, now=NOW).cursor == -1

    def test_the_board_shows_open_projects_with_reasons_in_three_statements(
        self, session: Session, opened: Project, lab: Lab, count_statements: Callable[[], int]
    ) -> None:
        person = make_contributor(session, now=NOW)
        projects.create_project(session, lab.owner.actor, lab.organization.id, settings(title="Draft"), now=NOW)
        session.flush()
        before = count_statements()
        entries = access.board(session, person.actor)
        assert count_statements() - before <= 3
        mine = [entry for entry in entries if entry.project.org_id == lab.organization.id]
        assert [(entry.project.id, entry.has_work, entry.joined) for entry in mine] == [(opened.id, True, False)]

    def test_drafts_do_not_exist_for_contributors(self, session: Session, lab: Lab) -> None:
        person = make_contributor(session, now=NOW)
        with pytest.raises(NotFound):
            access.project_for_contributor(session, person.actor, lab.project.id)


class TestStrangers:
    READS = ("", "/checklist", "/guidelines", "/rubrics", "/tasks", "/task-counts", "/reviewers", "/imports")

    @pytest.mark.parametrize("part", READS)
    def test_another_organization_sees_nothing(self, client: TestClient, lab: Lab, session: Session, part: str) -> None:
        session.flush()
        assert client.get(lab.path + part, headers=lab.owner.headers).status_code == 200
        answer = client.get(lab.path + part, headers=lab.stranger.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_the_refusal_is_the_same_as_for_what_never_was(self, client: TestClient, lab: Lab) -> None:
        nowhere = client.get(f"/api/v1/projects/prj_{'0' * 32}", headers=lab.stranger.headers)
        theirs = client.get(lab.path, headers=lab.stranger.headers)
        assert nowhere.json() == theirs.json()

    def test_another_organization_changes_nothing(self, client: TestClient, lab: Lab) -> None:
        tries = [
            client.patch(lab.path, headers=lab.stranger.headers, json={"title": "Mine"}),
            client.post(f"{lab.path}/moves", headers=lab.stranger.headers, json={"to": "open"}),
            client.post(f"{lab.path}/guidelines", headers=lab.stranger.headers, json={"body": "x"}),
            client.post(f"{lab.path}/tasks", headers=lab.stranger.headers, json={"tasks": []}),
            client.post(f"{lab.path}/imports?filename=a.jsonl", headers=lab.stranger.headers, content=b"{}"),
        ]
        assert [answer.status_code for answer in tries] == [404] * 5

    def test_lists_hold_only_ones_own(self, client: TestClient, lab: Lab) -> None:
        mine = client.get("/api/v1/projects", headers=lab.owner.headers).json()["items"]
        theirs = client.get("/api/v1/projects", headers=lab.stranger.headers).json()["items"]
        assert [item["id"] for item in mine] == [show_id("project", lab.project.id)]
        assert theirs == []

    def test_viewers_look_and_do_not_touch(self, client: TestClient, session: Session, lab: Lab) -> None:
        viewer = make_user(session, now=NOW)
        add_member(
            session, lab.owner_in_browser, org_id=lab.organization.id, person_id=viewer.id, role="viewer", now=NOW
        )
        viewer = signed(session, viewer.person, now=NOW)
        assert client.get(lab.path, headers=viewer.headers).status_code == 200
        answer = client.patch(lab.path, headers=viewer.headers, json={"title": "Mine"})
        assert (answer.status_code, answer.json()["code"]) == (403, "role_too_small")

    def test_gold_has_its_own_door(self, session: Session, lab: Lab, client: TestClient) -> None:
        gold = {"ranks": {"r1": 1, "r2": 2}}
        imports.import_tasks_now(session, lab.owner.actor, lab.project.id, [new_task(1, gold=gold)], now=NOW)
        task = session.scalars(select(Task).where(Task.project_id == lab.project.id)).one()
        path = f"{lab.path}/tasks/{show_id('task', task.id)}"
        viewer = make_user(session, now=NOW)
        add_member(
            session, lab.owner_in_browser, org_id=lab.organization.id, person_id=viewer.id, role="viewer", now=NOW
        )
        viewer = signed(session, viewer.person, now=NOW)
        assert client.get(f"{path}/gold", headers=lab.owner.headers).json()["answer"]["ranks"] == {"r1": 1, "r2": 2}
        assert client.get(f"{path}/gold", headers=viewer.headers).status_code == 403
        assert client.get(f"{path}/gold", headers=lab.stranger.headers).status_code == 404
        assert client.get(path, headers=viewer.headers).json()["gold"] is None
        assert client.get(path, headers=lab.owner.headers).json()["gold"] is True
        for contributor in (make_contributor(session, now=NOW),):
            with pytest.raises(AppError):
                access.gold_of(session, contributor.actor, lab.project.id, task.id)

    def test_a_key_bound_to_another_organization_sees_nothing(self, session: Session, lab: Lab) -> None:
        from dataclasses import replace

        bound = replace(lab.owner.actor, org_id=next(iter(lab.stranger.actor.org_roles)))
        with pytest.raises(NotFound):
            access.project_for_client(session, bound, lab.project.id)
        assert session.scalars(access.visible_to_client(bound)).all() == []


class TestApi:
    def test_a_project_from_creation_to_open(self, client: TestClient, session: Session, lab: Lab) -> None:
        body = {
            "organization_id": show_id("organization", lab.organization.id),
            "title": "Products",
            "rate": {"amount": "0.40", "currency": "USD"},
        }
        made = client.post("/api/v1/projects", headers=lab.owner.headers, json=body)
        assert made.status_code == 201
        assert made.json()["rate"] == {"amount": "0.40", "currency": "USD"}
        path = f"/api/v1/projects/{made.json()['id']}"
        assert client.get(f"{path}/checklist", headers=lab.owner.headers).json()["ready"] is False
        refused = client.post(f"{path}/moves", headers=lab.owner.headers, json={"to": "open"})
        assert (refused.status_code, refused.json()["code"]) == (409, "project_not_ready")

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"titel": "x"}, "invalid"),
            ({"rate": {"amount": "-1", "currency": "USD"}}, "invalid"),
            ({"rate": {"amount": "1.005", "currency": "USD"}}, "invalid"),
            ({"rate": {"amount": "1", "currency": "XXX"}}, "invalid"),
            ({"rate": {"amount": "99999999999", "currency": "USD"}}, "invalid"),
            ({"overlap": 0}, "invalid"),
            ({"title": "   "}, "invalid"),
            ({"title": "a\u0000b"}, "invalid"),
        ],
    )
    def test_bad_changes_are_refused(self, client: TestClient, lab: Lab, change: dict[str, object], code: str) -> None:
        answer = client.patch(lab.path, headers=lab.owner.headers, json=change)
        assert (answer.status_code, answer.json()["code"]) == (422, code)

    def test_tasks_are_paged_by_cursor(self, client: TestClient, session: Session, lab: Lab) -> None:
        given = [new_task(number) for number in range(5)]
        imports.import_tasks_now(session, lab.owner.actor, lab.project.id, given, now=NOW)
        seen: list[str] = []
        cursor = ""
        while True:
            page = client.get(f"{lab.path}/tasks?limit=2{cursor}", headers=lab.owner.headers).json()
            seen += [item["external_id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert seen == [f"sum-{number}" for number in range(5)]

    def test_search_takes_percent_signs_literally(self, session: Session, lab: Lab) -> None:
        given = [new_task(1, external_id="50%"), new_task(2, external_id="500")]
        imports.import_tasks_now(session, lab.owner.actor, lab.project.id, given, now=NOW)
        found = tasks.list_tasks(session, lab.owner.actor, lab.project.id, search="50%").tasks
        assert [task.external_id for task in found] == ["50%"]
        found = tasks.list_tasks(session, lab.owner.actor, lab.project.id, search="2 + 2").tasks
        assert [task.external_id for task in found] == ["500"]

    def test_a_retired_task_is_put_back(self, client: TestClient, session: Session, lab: Lab) -> None:
        imports.import_tasks_now(session, lab.owner.actor, lab.project.id, [new_task(1)], now=NOW)
        task = session.scalars(select(Task).where(Task.project_id == lab.project.id)).one()
        path = f"{lab.path}/tasks/{show_id('task', task.id)}/moves"
        assert client.post(path, headers=lab.owner.headers, json={"state": "retired"}).json()["state"] == "retired"
        assert client.post(path, headers=lab.owner.headers, json={"state": "open"}).json()["state"] == "open"

    def test_only_reviewers_can_be_made_reviewers(self, client: TestClient, session: Session, lab: Lab) -> None:
        reviewer, other = make_user(session, now=NOW, is_reviewer=True), make_contributor(session, now=NOW)
        path = f"{lab.path}/reviewers"
        add = {"person_id": show_id("person", reviewer.id)}
        assert client.post(path, headers=lab.owner.headers, json=add).json()["items"][0]["name"] == reviewer.person.name
        refused = client.post(path, headers=lab.owner.headers, json={"person_id": show_id("person", other.id)})
        assert (refused.status_code, refused.json()["code"]) == (422, "not_a_reviewer")
        assert client.delete(f"{path}/{add['person_id']}", headers=lab.owner.headers).status_code == 204
        assert client.get(path, headers=lab.owner.headers).json()["items"] == []


class TestIdempotencyKey:
    def body(self, lab: Lab, title: str = "Once") -> dict[str, object]:
        return {"organization_id": show_id("organization", lab.organization.id), "title": title}

    def count(self, session: Session, title: str) -> int:
        return session.scalar(select(func.count()).select_from(Project).where(Project.title == title)) or 0

    def test_a_repeat_gets_the_first_answer_and_creates_nothing(
        self, client: TestClient, session: Session, lab: Lab
    ) -> None:
        headers = {**lab.owner.headers, "idempotency-key": "k1"}
        first = client.post("/api/v1/projects", headers=headers, json=self.body(lab))
        again = client.post("/api/v1/projects", headers=headers, json=self.body(lab))
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["idempotency-replayed"] == "true"
        assert self.count(session, "Once") == 1

    def test_a_key_with_another_body_is_refused(self, client: TestClient, lab: Lab) -> None:
        headers = {**lab.owner.headers, "idempotency-key": "k1"}
        client.post("/api/v1/projects", headers=headers, json=self.body(lab))
        answer = client.post("/api/v1/projects", headers=headers, json=self.body(lab, "Other"))
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")

    def test_a_refused_request_may_be_tried_again_with_its_key(
        self, client: TestClient, session: Session, lab: Lab
    ) -> None:
        headers = {**lab.owner.headers, "idempotency-key": "k2"}
        bad = {**self.body(lab), "config": {"ranking": "sideways"}}
        assert client.post("/api/v1/projects", headers=headers, json=bad).status_code == 422
        assert client.post("/api/v1/projects", headers=headers, json=self.body(lab)).status_code == 201

    def test_keys_belong_to_their_person(self, client: TestClient, session: Session, lab: Lab) -> None:
        client.post("/api/v1/projects", headers={**lab.owner.headers, "idempotency-key": "k3"}, json=self.body(lab))
        answer = client.post(
            "/api/v1/projects", headers={**lab.stranger.headers, "idempotency-key": "k3"}, json=self.body(lab)
        )
        assert answer.status_code == 404

    def test_an_empty_or_endless_key_is_refused(self, client: TestClient, lab: Lab) -> None:
        for key in ("", "x" * 300):
            headers = {**lab.owner.headers, "idempotency-key": key}
            assert client.post("/api/v1/projects", headers=headers, json=self.body(lab)).status_code == 422

    def test_two_requests_with_one_key_at_once_create_one(self, open_runtime: Callable[..., Runtime]) -> None:
        runtime = open_runtime()
        with runtime.sessions.begin() as session:
            organization, owner = make_client(session, now=NOW)
        begun = threading.Barrier(5)
        answers: list[tuple[str, bool]] = []

        def ask() -> None:
            begun.wait()
            with runtime.sessions.begin() as session:
                gate = OnceGate(session, owner.id, "k", b"digest", NOW)
                answer = gate.answer(
                    lambda: project_out(
                        projects.create_project(session, owner.actor, organization.id, settings(), now=NOW)
                    )
                )
            answers.append((json.loads(bytes(answer.body))["id"], "idempotency-replayed" in answer.headers))

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({made for made, _ in answers}) == 1
        assert sorted(replayed for _, replayed in answers) == [False, True, True, True, True]
        with runtime.sessions.begin() as session:
            assert session.scalar(select(func.count()).select_from(Project)) == 1

    def test_old_keys_are_forgotten(self, session: Session, lab: Lab, client: TestClient) -> None:
        headers = {**lab.owner.headers, "idempotency-key": "k5"}
        client.post("/api/v1/projects", headers=headers, json=self.body(lab))
        forget_old_keys(session, now=NOW + KEPT_FOR - timedelta(seconds=1))
        again = client.post("/api/v1/projects", headers=headers, json=self.body(lab))
        assert "idempotency-replayed" in again.headers
        forget_old_keys(session, now=NOW + KEPT_FOR + timedelta(seconds=1))
        fresh = client.post("/api/v1/projects", headers=headers, json=self.body(lab))
        assert "idempotency-replayed" not in fresh.headers
