"""What the tests of a client's pages fill in, and how they judge and read."""

import csv
import io

from sqlalchemy.orm import Session

from preceptor.kit import jobs
from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.work import service as work
from tests.factories import User, World, join
from tests.web.acting import Answer, judge

HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'
TERMS = {
    "title": "Debates", "summary": "Which argument convinces?", "task_type": "comparison",
    "config.question": "Which is more convincing?", "config.ranking": "full",
    "config.allow_ties": "true", "config.scale_strength": "true",
    "config.justification_min_chars": "20", "overlap": "3", "lease_minutes": "30", "expected_seconds": "130",
    "review_percent": "20", "review_hours": "72", "revision_hours": "48", "blind_review": "true", "rate": "0.42",
    "currency": "USD", "qualification_id": "", "budget": "",
}  # fmt: skip
CRITERION = {
    "criterion_title": "Sound", "criterion_description": "It follows.", "criterion_key": "sound",
    "criterion_scale_min": "1", "criterion_scale_max": "5", "criterion_weight": "1.5",
    "criterion_anchors": "1 = no\n5 = yes",
}  # fmt: skip


def base(world: World) -> str:
    return f"/projects/{show_id('project', world.project.id)}"


def judged(session: Session, world: World, clock: FixedClock, *, why: str = "") -> list[User]:
    """Two people judge every task; what is due is approved."""
    people = join(session, world, now=clock.now(), people=2)
    for person in people:
        for _ in world.tasks:
            judge(session, person, world, clock, why=why)
    work.approve_due(session, now=clock.now())
    session.flush()
    return people


def run_job(runtime: Runtime, name: str, **ids: str) -> None:
    jobs.registered[name](runtime, **ids)


def rows_of(answer: Answer) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))
