"""A project with everything a client can have, committed, for those who have no business there too."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

import preceptor.training.jobs  # noqa: F401  a job can be deferred once it is registered
from preceptor.assessments.service.assessments import create_assessment
from preceptor.assessments.settings import AssessmentIn, ItemIn
from preceptor.cli.application import create_app
from preceptor.datasets.pseudonyms import pseudonyms
from preceptor.endpoints.service import keeping
from preceptor.endpoints.settings import EndpointIn
from preceptor.kit.events import SYSTEM
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.identify import csrf_token
from preceptor.people.models import OrgRole
from preceptor.people.service.organizations import add_member
from preceptor.people.service.sessions import start_session
from preceptor.projects.models import Import, ImportState
from preceptor.projects.service import imports
from preceptor.training import service as training
from preceptor.work.models_quality import Evidence, EvidenceKind
from tests.datasets.judged import Judged, make_judged
from tests.factories import User, World, make_client, make_user, signed
from tests.web.acting import Desk
from tests.web.client.material import HOSTILE


@dataclass
class House:
    """A project with everything a client can have, committed, and the desks of who looks at it."""

    judged: Judged
    owner: Desk
    viewer: Desk
    stranger: Desk
    ids: dict[str, str]

    @property
    def base(self) -> str:
        return f"/projects/{self.ids['project_id']}"


@contextmanager
def open_house(runtime: Runtime) -> Iterator[House]:
    now = runtime.clock.now()
    judged = make_judged(runtime, tasks=20, people=2, overlap=2, now=now)
    for person in judged.people:
        for _ in judged.world.tasks:
            judged.judge(person, "r1")
    judged.approve_all()
    release = judged.release(HOSTILE)
    owner = judged.world.client
    with runtime.sessions.begin() as session:
        run = training.request_run(session, owner.actor, release.id, now=now)
        found = _failed_import(session, runtime, judged.world, now)
        made = create_assessment(session, owner.actor, judged.world.organization.id, _assessment(judged), now=now)
        viewer = _viewer(session, judged.world, now)
        _, stranger = make_client(session, now=now)
        endpoint = keeping.create_endpoint(
            session, owner.actor, judged.world.organization.id,
            EndpointIn(name=HOSTILE[:100], base_url="https://models.example.com/v1", model=HOSTILE[:200]),
            secret=runtime.settings.signing_key(), now=now,
        )  # fmt: skip
        secrets = [signed_in(session, user, now) for user in (owner, viewer, stranger)]
        evidence = _evidence(session, judged, now)
    training.train_run(runtime, run.id)
    ids = {
        "project_id": show_id("project", judged.project_id), "task_id": show_id("task", judged.world.tasks[0].id),
        "person_id": show_id("person", judged.world.reviewer.id), "release_id": show_id("release", release.id),
        "model_id": show_id("model", run.id), "import_id": show_id("import", found.id),
        "assessment_id": show_id("assessment", made.id), "evidence_id": show_id("evidence", evidence.id),
        "endpoint_id": show_id("endpoint", endpoint.id),
        "name": pseudonyms(runtime.settings.signing_key(), judged.world.organization.id)(judged.people[0].id),
    }  # fmt: skip
    app = create_app(runtime)
    with TestClient(app, follow_redirects=False, headers={"sec-fetch-site": "same-origin"}) as client:
        key = runtime.settings.signing_key()
        desks = [Desk(client, secret, csrf_token(secret, key)) for secret in secrets]
        yield House(judged, owner=desks[0], viewer=desks[1], stranger=desks[2], ids=ids)


def _evidence(session: Session, judged: Judged, now: datetime) -> Evidence:
    found = Evidence(
        project_id=judged.project_id, person_id=judged.people[0].id, kind=EvidenceKind.SPEED, log_e=3.5, log_e_max=3.5,
        false_alarms=0.05, n=20, path=[[1, 0.2], [20, 3.5]], statement="Answers came very fast.", created_at=now,
        updated_at=now,
    )  # fmt: skip
    session.add(found)
    session.flush()
    return found


def signed_in(session: Session, user: User, now: datetime) -> str:
    return start_session(session, user.id, user_agent="test", address=None, active_role="client", now=now)


def _viewer(session: Session, world: World, now: datetime) -> User:
    person = make_user(session, now=now)
    add_member(session, SYSTEM, org_id=world.organization.id, person_id=person.id, role=OrgRole.VIEWER, now=now)
    session.flush()
    return signed(session, person.person, now=now)


def _failed_import(session: Session, runtime: Runtime, world: World, now: datetime) -> Import:
    key = imports.file_key(world.project.id, "d" * 64)
    runtime.storage.put(key, b'{"ask": "?", "left": "a", "right": "b"}\n')
    found = Import(
        project_id=world.project.id, filename="odd.jsonl", file_key=key, digest="d" * 64, size_bytes=40,
        state=ImportState.FAILED, problem_count=1, problems=[{"line": 1, "field": None, "problem": HOSTILE}],
        created_at=now, finished_at=now,
    )  # fmt: skip
    session.add(found)
    session.flush()
    return found


def _assessment(judged: Judged) -> AssessmentIn:
    item = ItemIn(payload=judged.world.tasks[0].payload, answer={"ranks": {"r1": 1, "r2": 2}}, explanation=HOSTILE)
    return AssessmentIn(title=HOSTILE, qualification_title="Sums", questions=1, items=[item])
