"""One installation in which every operation of the API finds something: ids that exist, bodies that are right."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import psycopg
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.assessments.service import assessments, attempts
from preceptor.assessments.settings import AssessmentIn, ItemIn
from preceptor.cli.application import create_app
from preceptor.endpoints.chat import Ending, Outcome
from preceptor.endpoints.models import Purpose
from preceptor.endpoints.service import generating, keeping
from preceptor.endpoints.settings import EndpointIn
from preceptor.fairness.models import ReceiptKind
from preceptor.kit.events import SYSTEM
from preceptor.kit.ids import new_id, show_id
from preceptor.kit.runtime import Runtime, start_runtime
from preceptor.media.kinds import MediaKind
from preceptor.media.models import Media
from preceptor.media.rules import media_key
from preceptor.money import service as money
from preceptor.people.models import OrgRole, Person
from preceptor.people.service import organizations, sessions
from preceptor.people.service.keys import create_key
from preceptor.projects.models import Import, ImportState, Project
from preceptor.training import service as training
from preceptor.work import service as work
from preceptor.work.models import Claim, Submission
from preceptor.work.models_judging import AiJudgment, JudgmentOutcome
from preceptor.work.models_quality import Evidence, EvidenceKind, GoldChallenge
from preceptor.work.models_running import RunState, SandboxRun
from preceptor.work.service import appeals, fitting, judges, membership_decisions
from preceptor.work.service.judges import JudgeIn
from tests.conftest import at_database, make_settings
from tests.datasets.judged import Judged, make_judged
from tests.factories import PREFER_A, User, World, make_client, make_contributor, make_user, pair_payload, signed

SECRET = "Only for its own client 7c1f"
"""Stands in the project and its tasks: nobody else may ever read it."""
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass
class ApiWorld:
    """A client with one of everything, strangers of every kind, and a client to ask as any of them."""

    judged: Judged
    app: FastAPI
    http: TestClient
    owner: User
    viewer: User
    worker: User
    stranger_owner: User
    stranger_contributor: User
    stranger_reviewer: User
    keys: dict[str, dict[str, str]]
    """Headers with keys of the owner: "read", "work", "review" by their one scope, "bound" to another organization."""
    ids: dict[str, str]

    @property
    def world(self) -> World:
        return self.judged.world

    def operations(self) -> Iterator[tuple[str, str]]:
        """Method and path template of everything the OpenAPI document describes below /api."""
        for path, methods in self.app.openapi()["paths"].items():
            if path.startswith("/api/"):
                yield from ((method.upper(), path) for method in methods if method in METHODS)

    def ask(self, headers: dict[str, str], method: str, path: str) -> Any:
        """Call an operation with ids that exist and a body that is right."""
        sent = self.bodies().get((method, path))
        target = path.format(**self.ids, path="README.md", number=1)
        if isinstance(sent, bytes):
            return self.http.request(method, target, headers=headers, content=sent)
        return self.http.request(method, target, headers=headers, json=sent)

    def bodies(self) -> dict[tuple[str, str], Any]:
        api = "/api/v1"
        project, organization = f"{api}/projects/{{project_id}}", f"{api}/organizations/{{org_id}}"
        question = f"{api}/attempts/{{attempt_id}}/questions/{{question_id}}"
        pair = {"prompt": [], "response": [{"role": "assistant", "content": "x"}]}
        answer, reason = {"answer": PREFER_A}, {"reason": "Seen to answer without reading at all."}
        decision = {"decision": "return", "comment": "Say which of the two sums is right, and why."}
        criterion = {"key": "right", "title": "Right"}
        file = b'{"prompt": "Q", "chosen": "a", "rejected": "b"}\n'
        return {
            ("POST", f"{organization}/assessments"): assessment(),
            ("PUT", f"{question}/draft"): answer,
            ("POST", f"{question}/answer"): answer,
            ("POST", f"{api}/tests/{{assessment_id}}/practice/{{number}}"): answer,
            ("POST", f"{project}/tasks"): {"tasks": [{"external_id": "n-90", "payload": pair_payload(90)}]},
            ("POST", f"{project}/imports"): file,
            ("POST", f"{api}/releases/{{release_id}}/models"): {},
            ("POST", f"{api}/models/{{model_id}}/score"): {"items": [pair]},
            ("POST", f"{api}/models/{{model_id}}/evaluate"): file,
            ("POST", f"{organization}/top-ups"): {"money": {"amount": "5.00", "currency": "USD"}},
            ("POST", f"{project}/funds"): {"amount": "1.00", "currency": "USD"},
            ("POST", f"{api}/payout-batches"): {"currency": "USD"},
            ("PATCH", f"{api}/me"): {"name": "Somebody else"},
            ("POST", f"{api}/keys"): {"name": "more", "scopes": ["read"]},
            ("POST", f"{api}/organizations"): {"name": "Mine"},
            ("PATCH", organization): {"name": "Taken over"},
            ("POST", f"{organization}/members"): {"person_id": self.ids["person_id"], "role": "owner"},
            ("PATCH", f"{organization}/members/{{person_id}}"): {"role": "owner"},
            ("POST", f"{organization}/invitations"): {"email": "new@example.org", "role": "owner"},
            ("POST", f"{organization}/qualifications"): {"title": "Sums"},
            ("POST", f"{api}/qualifications/{{qualification_id}}/holders"): {"person_id": self.ids["person_id"]},
            ("POST", f"{api}/qualifications/{{qualification_id}}/holders/{{person_id}}/revoke"): reason,
            ("POST", f"{api}/people"): {"email": "other@example.org", "name": "Other", "is_operator": True},
            ("PUT", f"{api}/people/{{person_id}}/roles"): {
                "is_operator": True, "is_contributor": True, "is_reviewer": True, "reason": "Because I say so here.",
            },
            ("POST", f"{api}/people/{{person_id}}/suspend"): reason,
            ("POST", f"{api}/projects"): {"title": "Mine", "organization_id": self.ids["org_id"]},
            ("PATCH", project): {"title": "Taken over"},
            ("POST", f"{project}/moves"): {"to": "closing", "reason": "Taken over by somebody."},
            ("POST", f"{project}/guidelines"): {"body": "# Taken over"},
            ("POST", f"{project}/rubrics"): {"criteria": [criterion]},
            ("POST", f"{project}/tasks/{{task_id}}/moves"): {"state": "retired", "reason": "Taken over by somebody."},
            ("PUT", f"{project}/task-ratings"): {
                "task_ids": [self.ids["task_id"]], "content_ratings": ["violence"],
            },
            ("POST", f"{project}/reviewers"): {"person_id": self.ids["person_id"]},
            ("POST", f"{project}/releases"): {"title": "Mine"},
            ("POST", f"{project}/quality/gold-reviews"): {
                "submission_id": self.ids["submission_id"], "decision": "reject", "explanation": "Taken over.",
            },
            ("POST", f"{api}/submissions/{{submission_id}}/review"): decision,
            ("POST", f"{api}/submissions/{{submission_id}}/challenge"): {"words": "The known answer is wrong."},
            ("POST", f"{api}/challenges/{{challenge_id}}/decision"): {
                "outcome": "withdraw", "reason": "Taken over by somebody.",
            },
            ("PUT", f"{project}/tasks/{{task_id}}/gold/explanation"): {"explanation": "Taken over."},
            ("POST", f"{project}/tasks/{{task_id}}/gold/moves"): {"to": "practice"},
            ("POST", f"{project}/practice/answer"): {"task_id": self.ids["task_id"], "round": 0, **answer},
            ("POST", f"{api}/decisions/{{receipt_id}}/appeal"): {"words": "The sum was right as I gave it."},
            ("POST", f"{api}/appeals/{{appeal_id}}/decision"): {
                "outcome": "overturned", "reason": "Looked at again: it was right.",
            },
            **{
                ("POST", f"{project}/people/{{person_id}}/{act}"): {"rule": "guidelines", **reason}
                for act in ("pause", "retrain", "remove")
            },
            ("POST", f"{project}/people/{{person_id}}/reinstate"): reason,
            ("PUT", f"{api}/claims/{{claim_id}}/draft"): {"draft": {}, "number": 1},
            ("POST", f"{api}/claims/{{claim_id}}/submission"): answer,
            ("POST", f"{api}/claims/{{claim_id}}/run"): answer,
            ("POST", f"{api}/claims/{{claim_id}}/generate"): {
                "key": "question-1", "messages": [{"role": "user", "content": "Hello"}],
            },
            ("POST", f"{api}/endpoints"): {
                "org_id": self.ids["org_id"], "name": "Mine", "base_url": "https://models.example.com", "model": "m",
            },
            ("PATCH", f"{api}/endpoints/{{endpoint_id}}"): {"name": "Taken over"},
            ("PUT", f"{project}/endpoints"): {"endpoints": [{"endpoint_id": self.ids["endpoint_id"]}]},
            ("POST", f"{project}/judges"): {"endpoint_id": self.ids["endpoint_id"], "title": "Mine"},
            ("PUT", f"{project}/judges/inference"): {"included": True},
            ("PUT", f"{project}/suggestions"): {"source": "off"},
            ("PUT", f"{api}/claims/{{claim_id}}/suggestion"): {"used": True},
            ("POST", f"{api}/judges/{{judge_id}}/run"): {"scope": "all"},
            ("POST", f"{api}/claims/{{claim_id}}/skip"): {"reason": "unclear"},
            ("POST", f"{api}/claims/{{claim_id}}/flag"): {"reason": "broken"},
        }  # fmt: skip


@contextmanager
def open_api_world(server_url: str, template_database: str, folder: Path) -> Iterator[ApiWorld]:
    """A world in a database of its own; errors come back as answers, as they do to real clients."""
    name = f"api_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template_database}"')
        runtime = start_runtime(make_settings(folder), database_url=at_database(server_url, name))
        world = make_api_world(runtime)
        with world.http:
            yield world
        runtime.engine.dispose()
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def assessment() -> dict[str, Any]:
    items = [
        ItemIn(payload=pair_payload(n), answer={"ranks": {"r1": 1, "r2": 2}, "strength": 2}, explanation=SECRET,
               practice=n > 1)
        for n in range(4)
    ]  # fmt: skip
    made = AssessmentIn(
        title="Adding up", qualification_title="Sums checked", questions=2, items=items,
        config={"question": "Which?", "justification_min_chars": 0},
    )  # fmt: skip
    return made.model_dump(mode="json")


def make_api_world(runtime: Runtime) -> ApiWorld:
    """Build it all with real commits: some of it is made by jobs that open their own transactions."""
    app, now = create_app(runtime), runtime.clock.now()  # the application registers the jobs
    judged = make_judged(runtime, tasks=20, people=2, overlap=3, now=now)
    world, people = judged.world, judged.people
    for person in people:
        for _ in world.tasks[:-2]:
            judged.judge(person, "r1")
    judged.approve_all()
    release = judged.release(SECRET)
    judged.make_gold(world.tasks[-1])
    with runtime.sessions.begin() as session:
        batch = money.create_payout_batch(session, world.operator.actor, currency="USD", now=now)
        _mark(session, world)
        waiting = judged.now
        claim = work.claim_next(session, people[0].actor, judged.project_id, now=waiting).claim
        submission = work.submit(session, people[0].actor, claim.id, PREFER_A, now=waiting)
        submission.review_wanted = True
        held = work.claim_next(session, people[1].actor, judged.project_id, now=waiting).claim
        run = training.request_run(session, world.client.actor, release.id, now=now)
        ids = {
            "project_id": show_id("project", judged.project_id),
            "org_id": show_id("organization", world.organization.id),
            "task_id": show_id("task", world.tasks[-1].id), "release_id": show_id("release", release.id),
            "model_id": show_id("model", run.id), "claim_id": show_id("claim", held.id),
            "submission_id": show_id("submission", submission.id), "person_id": show_id("person", people[0].id),
            "batch_id": show_id("payout_batch", batch.id), "name": "comparison",
        } | _extras(session, runtime, world, people[0]) | _decided(session, world, people[0], judged.now)  # fmt: skip
        ids["media_id"] = _file(session, runtime, world)
        ids["run_id"] = _run(session, held, now)
        ids |= _challenged(session, world, people[0], judged.now)
        ids |= _generated(session, runtime, world, now)
        ids |= _found_out(session, world, people[0], judged.now)
        viewer = _member(session, runtime, world, OrgRole.VIEWER)
        other, stranger_owner = make_client(session, now=now)
        keys = {
            "read": key_of(session, world.client.person, runtime, ["read"]),
            "work": key_of(session, world.client.person, runtime, ["work"]),
            "review": key_of(session, world.client.person, runtime, ["review"]),
            "bound": _bound(session, runtime, world, other.id),
        }
        strangers = (make_contributor(session, now=now), make_user(session, now=now, is_reviewer=True))
    training.train_run(runtime, run.id)
    fitting.fit_project(runtime, judged.project_id, new_id(), method="majority")
    return ApiWorld(
        judged, app, _asking(app), world.client, viewer, people[1], stranger_owner, *strangers, keys=keys, ids=ids
    )


def _asking(app: FastAPI) -> TestClient:
    return TestClient(
        app, follow_redirects=False, raise_server_exceptions=False, headers={"sec-fetch-site": "same-origin"}
    )


def _mark(session: Session, world: World) -> None:
    project = session.merge(world.project)
    project.title, project.summary = SECRET, SECRET
    task = session.merge(world.tasks[-1])
    task.topic, task.external_id = SECRET, SECRET


def _decided(session: Session, world: World, person: User, now: datetime) -> dict[str, str]:
    """A decision against somebody, appealed and not yet looked at again."""
    receipt = membership_decisions.decide_about_member(
        session, world.client.actor, world.project.id, person.id, ReceiptKind.PAUSE, rule="fit", reason=SECRET, now=now
    )
    found = appeals.appeal(session, person.actor, receipt.id, f"Said to me was: {SECRET}", now=now)
    membership_decisions.reinstate(session, world.client.actor, world.project.id, person.id, now=now)
    return {"receipt_id": show_id("receipt", receipt.id), "appeal_id": show_id("appeal", found.id)}


def _file(session: Session, runtime: Runtime, world: World) -> str:
    """A file of the organization that nothing uses."""
    made = Media(
        org_id=world.organization.id, sha256="0" * 64, sent_sha256="0" * 64, size_bytes=len(SECRET),
        media_type="text/plain", kind=MediaKind.TEXT, name=SECRET, created_at=runtime.clock.now(),
    )  # fmt: skip
    session.add(made)
    session.flush()
    runtime.storage.put(media_key(made.org_id, made.id), SECRET.encode())
    return show_id("media", made.id)


def _challenged(session: Session, world: World, person: User, now: datetime) -> dict[str, str]:
    """Somebody's challenge to a known answer, not decided yet."""
    given = session.scalars(select(Submission).where(Submission.person_id == person.id).limit(1)).one()
    found = GoldChallenge(
        task_id=given.task_id, project_id=world.project.id, person_id=person.id, submission_id=given.id, words=SECRET,
        created_at=now,
    )  # fmt: skip
    session.add(found)
    session.flush()
    return {"challenge_id": show_id("challenge", found.id)}


def _found_out(session: Session, world: World, person: User, now: datetime) -> dict[str, str]:
    """Evidence about somebody."""
    found = Evidence(
        project_id=world.project.id, person_id=person.id, kind=EvidenceKind.SPEED, log_e=3.5, log_e_max=3.5,
        false_alarms=0.05, n=18, path=[], statement=SECRET, created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(found)
    session.flush()
    return {"evidence_id": show_id("evidence", found.id)}


def _run(session: Session, claim: Claim, now: datetime) -> str:
    """A run of code for somebody's claim; that this kind of work runs none does not matter to its doors."""
    run = SandboxRun(
        claim_id=claim.id, project_id=claim.project_id, person_id=claim.person_id, state=RunState.REFUSED, answer={},
        answer_digest="d" * 64, files_digest="d" * 64, lane=0, isolation=[], limits={}, result={"refused": SECRET},
        created_at=now, finished_at=now,
    )  # fmt: skip
    session.add(run)
    session.flush()
    return show_id("run", run.id)


def _generated(session: Session, runtime: Runtime, world: World, now: datetime) -> dict[str, str]:
    """A model endpoint, and what it wrote."""
    given = EndpointIn(name=SECRET, base_url="https://nowhere.invalid/v1", model=SECRET, requests_per_minute=5)
    secret = runtime.settings.signing_key()
    endpoint = keeping.create_endpoint(
        session, world.client.actor, world.organization.id, given, secret=secret, now=now
    )
    asker = generating.Asker(Purpose.TEST, "test-1", person_id=world.client.id)
    begun = generating.begin(session, endpoint.id, [{"role": "user", "content": SECRET}], asker, now=now)
    generating.finish(session, begun.generation.id, SECRET, Ending(Outcome.FINISHED), now=now)
    wanted = JudgeIn(endpoint_id=show_id("endpoint", endpoint.id), title=SECRET)
    judge = judges.make_judge(session, world.client.actor, session.get_one(Project, world.project.id), wanted, now=now)
    session.add(
        AiJudgment(
            judge_id=judge.id, task_id=world.tasks[-1].id, project_id=world.project.id, outcome=JudgmentOutcome.FAILED,
            passes=[], error=SECRET, input_tokens=0, output_tokens=0, tokens_estimated=False, cost=0, currency="USD",
            latency_ms=0, run=1, created_at=now, updated_at=now,
        )
    )  # fmt: skip
    return {
        "judge_id": show_id("judge", judge.id),
        "endpoint_id": show_id("endpoint", endpoint.id),
        "generation_id": show_id("generation", begun.generation.id),
    }


def _extras(session: Session, runtime: Runtime, world: World, taker: User) -> dict[str, str]:
    now = runtime.clock.now()
    wanted = AssessmentIn.model_validate(assessment())
    made = assessments.create_assessment(session, world.client.actor, world.organization.id, wanted, now=now)
    attempt = attempts.start_attempt(session, taker.actor, made.id, now=now, rng=Random(1))
    question = attempts.current_question(session, taker.actor, attempt.id, now=now, rng=Random(1))
    found = Import(
        project_id=world.project.id, filename=SECRET, file_key="none", digest="d" * 64, size_bytes=4,
        state=ImportState.FAILED, problem_count=1, problems=[{"line": 1, "field": None, "problem": SECRET}],
        created_at=now, finished_at=now,
    )  # fmt: skip
    session.add(found)
    invitation = organizations.invite(
        session, world.client.actor, org_id=world.organization.id, email="asked@example.org", role=OrgRole.VIEWER,
        base_url="http://testserver", now=now,
    )  # fmt: skip
    sessions.start_session(session, world.client.id, user_agent="test", address=None, active_role=None, now=now)
    [row] = sessions.list_sessions(session, world.client.actor, world.client.id, now=now)
    key, _ = create_key(session, SYSTEM, person_id=world.client.id, name="spare", scopes=["read"], now=now)
    session.flush()
    assert question is not None
    return {
        "assessment_id": show_id("assessment", made.id), "attempt_id": show_id("attempt", attempt.id),
        "question_id": show_id("question", question.item_id), "import_id": show_id("import", found.id),
        "invitation_id": show_id("invitation", invitation.id), "session_id": show_id("session", row.id),
        "key_id": show_id("api_key", key.id), "qualification_id": show_id("qualification", made.qualification_id),
    }  # fmt: skip


def _member(session: Session, runtime: Runtime, world: World, role: OrgRole) -> User:
    user = make_user(session, now=runtime.clock.now())
    organizations.add_member(
        session, SYSTEM, org_id=world.organization.id, person_id=user.id, role=role, now=runtime.clock.now()
    )
    session.flush()
    return signed(session, user.person, now=runtime.clock.now())


def key_of(session: Session, person: Person, runtime: Runtime, scopes: list[str], **bound: Any) -> dict[str, str]:
    _, secret = create_key(
        session, SYSTEM, person_id=person.id, name="narrow", scopes=scopes, now=runtime.clock.now(), **bound
    )
    return {"authorization": f"Bearer {secret}"}


def _bound(session: Session, runtime: Runtime, world: World, org_id: UUID) -> dict[str, str]:
    """A key of the client's owner that was made for another organization of theirs."""
    now, owner = runtime.clock.now(), world.client.person
    organizations.add_member(session, SYSTEM, org_id=org_id, person_id=owner.id, role=OrgRole.OWNER, now=now)
    session.flush()
    return key_of(session, owner, runtime, ["work", "read", "projects", "review"], org_id=org_id)
