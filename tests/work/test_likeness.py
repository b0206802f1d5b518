"""Near duplicates among the prompts of a project: shown while writing, refused at submission."""

from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.errors import NotFound
from preceptor.projects.models import Project, Task
from preceptor.work import service
from preceptor.work.errors import Incomplete, TooAlike
from preceptor.work.models import Claim, ClaimState, Decision, Submission
from preceptor.work.models_texts import TextSignature
from preceptor.work.service import likeness
from tests.factories import User, World, join, make_world

CONFIG = {"difficulties": [], "warn_likeness": 0.5, "refuse_likeness": 0.8}
FIRST = "Explain to a child of five why the sky is blue, without using the word scattering, in three sentences."
NEAR = "Explain to a child of six why the sky is blue, without using the word scattering, in three sentences."
ALIKE = "Explain to a child of five why the sky is blue, without using the word light, in three short paragraphs."
OTHER = "My sourdough does not rise. I feed it twice a day and keep it at 20 degrees. What should I try first?"


def prompt(words: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": words}]}


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    made = make_world(session, now=clock.now(), tasks=4, overlap=3)
    made.project.task_type, made.project.config = "prompt", CONFIG
    for number, task in enumerate(made.tasks):
        task.payload = {"topic": f"Topic {number}"}
    session.flush()
    return made


@pytest.fixture
def people(session: Session, world: World, clock: FixedClock) -> list[User]:
    return join(session, world, now=clock.now(), people=2)


def claim(session: Session, world: World, user: User, clock: FixedClock) -> Claim:
    return service.claim_next(session, user.actor, world.project.id, now=clock.now()).claim


def write(session: Session, world: World, user: User, clock: FixedClock, words: str) -> Submission:
    held = claim(session, world, user, clock)
    return service.submit(session, user.actor, held.id, prompt(words), now=clock.now())


def similar(session: Session, user: User, held: Claim, words: str, clock: FixedClock) -> likeness.Likeness:
    return likeness.find_similar(session, user.actor, held.id, prompt(words), now=clock.now())


def test_one_sees_ones_own_texts_and_of_others_only_how_much_is_in_common(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    one, other = people
    write(session, world, one, clock, FIRST)
    mine = similar(session, one, claim(session, world, one, clock), NEAR, clock)
    theirs = similar(session, other, claim(session, world, other, clock), NEAR, clock)
    assert (mine.similar[0].whose, mine.similar[0].snippet) == ("yours", FIRST)
    assert (theirs.similar[0].whose, theirs.similar[0].snippet) == ("other", None)
    assert mine.similar[0].likeness == theirs.similar[0].likeness > 0.8
    assert mine.refused
    assert theirs.refused


def test_between_the_two_limits_one_is_warned_and_may_submit(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    write(session, world, people[0], clock, FIRST)
    found = similar(session, people[1], claim(session, world, people[1], clock), ALIKE, clock)
    assert 0.5 <= found.similar[0].likeness < 0.8
    assert not found.refused
    assert write(session, world, people[1], clock, ALIKE).id


def test_unlike_texts_are_not_mentioned(session: Session, world: World, people: list[User], clock: FixedClock) -> None:
    write(session, world, people[0], clock, FIRST)
    found = similar(session, people[1], claim(session, world, people[1], clock), OTHER, clock)
    assert found == likeness.Likeness((), False)


def test_a_repetition_is_refused_at_submission_whatever_its_case_and_marks(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    write(session, world, people[0], clock, FIRST)
    held = claim(session, world, people[1], clock)
    for words, share in ((FIRST.upper(), "is the same as"), (NEAR, "in common with")):
        with pytest.raises(TooAlike, match=f"{share} someone else's"):
            service.submit(session, people[1].actor, held.id, prompt(words), now=clock.now())
    assert service.submit(session, people[1].actor, held.id, prompt(OTHER), now=clock.now()).id


def test_submitting_again_is_no_repetition_and_a_revision_replaces_the_text(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    one, other = people
    held = claim(session, world, one, clock)
    first = service.submit(session, one.actor, held.id, prompt(FIRST), now=clock.now())
    assert service.submit(session, one.actor, held.id, prompt(FIRST), now=clock.now()).id == first.id
    reviewer = world.reviewer.actor
    service.decide(session, reviewer, first.id, Decision.RETURN, comment="Something new, please.", now=clock.now())
    service.submit(session, one.actor, held.id, prompt(OTHER), now=clock.now())
    assert write(session, world, other, clock, FIRST).id


def test_rejected_work_may_be_written_anew(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    rejected = write(session, world, people[0], clock, FIRST)
    session.get_one(Claim, rejected.claim_id).state = ClaimState.REJECTED
    session.flush()
    assert write(session, world, people[1], clock, FIRST).id


def test_texts_that_came_with_tasks_must_not_be_repeated_either(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    world.tasks[3].payload = {"topic": "Sky", "examples": [OTHER, FIRST], "existing": [ALIKE]}
    session.flush()
    held = claim(session, world, people[0], clock)
    found = similar(session, people[0], held, FIRST, clock)
    assert [(each.whose, each.snippet) for each in found.similar] == [("material", None)] * 2
    assert found.similar[0].likeness == 1
    with pytest.raises(TooAlike, match="one that came with the project"):
        service.submit(session, people[0].actor, held.id, prompt(FIRST), now=clock.now())


def test_tasks_that_come_later_are_met_by_the_next_search(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    held = claim(session, world, people[0], clock)
    assert similar(session, people[0], held, FIRST, clock).similar == ()
    late = Task(
        project_id=world.project.id, external_id="late", position=9, wanted=1, created_at=clock.now(),
        payload={"topic": "Sky", "examples": [FIRST]},
    )  # fmt: skip
    session.add(late)
    session.flush()
    assert similar(session, people[0], held, FIRST, clock).refused
    signed = session.scalar(select(func.count()).select_from(TextSignature).where(TextSignature.place == 0))
    assert signed == 5  # each task once, however often it is met


def test_another_project_may_have_the_same_text(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    write(session, world, people[0], clock, FIRST)
    elsewhere = make_world(session, now=clock.now(), tasks=1)
    elsewhere.project.task_type, elsewhere.project.config = "prompt", CONFIG
    elsewhere.tasks[0].payload = {"topic": "Sky"}
    session.flush()
    stranger = join(session, elsewhere, now=clock.now())[0]
    assert write(session, elsewhere, stranger, clock, FIRST).id


def test_a_search_speaks_only_of_ones_own_claim_and_of_drafts_of_the_right_shape(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    held = claim(session, world, people[0], clock)
    with pytest.raises(NotFound):
        similar(session, people[1], held, FIRST, clock)
    with pytest.raises(Incomplete):
        likeness.find_similar(session, people[0].actor, held.id, {"messages": "no list"}, now=clock.now())
    assert similar(session, people[0], held, "?!", clock) == likeness.Likeness((), False)


def test_kinds_that_compare_no_texts_sign_none(session: Session, clock: FixedClock) -> None:
    plain = make_world(session, now=clock.now())
    worker = join(session, plain, now=clock.now())[0]
    held = service.claim_next(session, worker.actor, plain.project.id, now=clock.now()).claim
    with pytest.raises(NotFound):
        likeness.find_similar(session, worker.actor, held.id, {}, now=clock.now())
    assert session.scalar(select(func.count()).select_from(TextSignature)) == 0


def test_a_search_goes_by_the_index(session: Session, world: World) -> None:
    session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = session.execute(text("EXPLAIN SELECT 1 FROM text_signature WHERE bands && ARRAY[1, 2]::bigint[]")).scalars()
    assert any("ix_text_signature_bands" in line for line in plan)
    assert session.get(Project, world.project.id) is not None
