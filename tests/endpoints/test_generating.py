"""Asking a model from the desk: recorded before and after, within limits, at no cost when it breaks."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from preceptor.cli.application import create_app
from preceptor.endpoints import asking as carrying
from preceptor.endpoints.chat import Outcome
from preceptor.endpoints.models import Purpose
from preceptor.endpoints.service import generating
from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.work import service as work
from preceptor.work.models import Claim
from tests.endpoints.asking import KEY, done, events_of, generations, make_endpoint, make_local, use
from tests.endpoints.servers import Behaviour, Server, begins_and_hangs_up, says, serving, status
from tests.factories import User, World, join, make_world


@pytest.fixture
def near(runtime: Runtime) -> Runtime:
    """An installation whose endpoints may be on this machine."""
    return replace(runtime, settings=runtime.settings.model_copy(update={"outgoing_reach": "loopback"}))


@pytest.fixture
def client(near: Runtime) -> Iterator[TestClient]:
    with TestClient(create_app(near), headers={"sec-fetch-site": "same-origin"}) as client:
        yield client


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now())


@pytest.fixture
def worker(session: Session, world: World, clock: FixedClock) -> User:
    return join(session, world, now=clock.now())[0]


@pytest.fixture
def claim(session: Session, world: World, worker: User, clock: FixedClock) -> Claim:
    made = work.claim_next(session, worker.actor, world.project.id, now=clock.now()).claim
    session.flush()
    return made


@pytest.fixture
def served(session: Session, near: Runtime, world: World, clock: FixedClock) -> Iterator[Callable[..., Server]]:
    """Starts a server that behaves so, and lets the project ask it."""
    with ExitStack() as stack:

        def start(*behaviours: Behaviour, quota: dict[str, int] | None = None, **given: Any) -> Server:
            server = stack.enter_context(serving(*behaviours))
            endpoint = make_endpoint(session, near, world, server.url, **given)
            use(
                session,
                world,
                clock,
                endpoint,
                tokens_max=(quota or {}).get("tokens_max"),
                turns_max=(quota or {}).get("turns_max"),
            )
            session.flush()
            return server

        yield start


def ask(client: TestClient, worker: User, claim: Claim, key: str = "first-one", words: str = "Say hello.") -> Any:
    body = {"key": key, "messages": [{"role": "user", "content": words}]}
    path = f"/api/v1/claims/{show_id('claim', claim.id)}/generate"
    return client.post(path, json=body, headers=worker.headers)


def test_an_answer_streams_and_is_recorded_with_tokens_cost_and_version(
    client: TestClient, session: Session, worker: User, claim: Claim, served: Callable[..., Server]
) -> None:
    served(says("Hel", "lo **you**."), price_input="10", price_output="30")
    answer = ask(client, worker, claim)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = events_of(answer.text)
    assert events[0][0] == "start"
    assert "".join(data["text"] for name, data in events if name == "") == "Hello **you**."
    last = done(answer.text)
    assert (last["outcome"], last["text"]) == ("finished", "Hello **you**.")
    assert "<strong>you</strong>" in last["html"]
    found = generations(session)[0]
    assert show_id("generation", found.id) == last["generation"] == events[0][1]["generation"]
    assert (found.outcome, found.input_tokens, found.output_tokens) == (Outcome.FINISHED, 7, 5)
    assert (str(found.cost.normalize()), found.model_version, found.claim_id) == ("0.00022", "tiny-1", claim.id)


def test_neither_key_address_nor_model_reach_the_person(
    client: TestClient, worker: User, claim: Claim, served: Callable[..., Server]
) -> None:
    server = served(says("Hello"), name="Secret name", model="secret-model")
    answer = ask(client, worker, claim)
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    for word in (KEY, str(server.port), "Secret name", "secret-model", "tiny-1"):
        assert word not in answer.text
        assert word not in str(answer.headers)


def test_the_same_key_gives_the_same_generation_and_asks_once(
    client: TestClient, session: Session, worker: User, claim: Claim, served: Callable[..., Server]
) -> None:
    server = served(says("one"), says("two"))
    first, again = done(ask(client, worker, claim).text), done(ask(client, worker, claim).text)
    assert first == again
    assert len(server.asked) == len(generations(session)) == 1
    other = ask(client, worker, claim, words="Something else.")
    assert (other.status_code, other.json()["code"]) == (409, "generation_key_reused")


def test_what_breaks_is_told_kept_and_counts_for_nothing(
    client: TestClient, session: Session, worker: User, claim: Claim, served: Callable[..., Server]
) -> None:
    served(status(400), begins_and_hangs_up, says("fine"), quota={"turns_max": 1})
    failed = done(ask(client, worker, claim, "key-one").text)
    cut = done(ask(client, worker, claim, "key-two").text)
    fine = done(ask(client, worker, claim, "key-three").text)
    assert [failed["outcome"], cut["outcome"], fine["outcome"]] == ["failed", "cut", "finished"]
    assert (failed["text"], cut["text"], fine["text"]) == ("", "Once upon", "fine")
    assert failed["error"]
    over = ask(client, worker, claim, "key-four")
    assert (over.status_code, over.json()["code"]) == (429, "endpoint_quota_used")
    found = generations(session)
    assert (found[0].outcome, float(found[0].cost), found[0].input_tokens) == (Outcome.FAILED, 0.0, 0)


def test_a_quota_of_tokens_counts_the_longest_answer_in_advance(
    client: TestClient, worker: User, claim: Claim, served: Callable[..., Server]
) -> None:
    server = served(says("fine"), quota={"tokens_max": 500}, parameters={"max_tokens": 300})
    assert ask(client, worker, claim, "key-one").status_code == 200
    assert ask(client, worker, claim, "key-two").status_code == 200
    third = ask(client, worker, claim, "key-three", "Long. " * 400)
    assert (third.status_code, third.json()["code"]) == (429, "endpoint_quota_used")
    assert len(server.asked) == 2


def test_quotas_are_each_persons_own(
    client: TestClient, session: Session, world: World, clock: FixedClock, worker: User, claim: Claim,
    served: Callable[..., Server],
) -> None:  # fmt: skip
    served(says("fine"), quota={"turns_max": 1})
    other = join(session, world, now=clock.now())[0]
    theirs = work.claim_next(session, other.actor, world.project.id, now=clock.now()).claim
    session.flush()
    assert ask(client, worker, claim, "key-one").status_code == 200
    assert ask(client, worker, claim, "key-two").status_code == 429
    assert ask(client, other, theirs, "key-one").status_code == 200


def test_requests_per_minute_hold_across_people(
    client: TestClient, worker: User, claim: Claim, served: Callable[..., Server], clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(carrying, "BUSY_SECONDS_MAX", 0.0)
    served(says("fine"), requests_per_minute=2)
    codes = [ask(client, worker, claim, f"key-number-{number}").status_code for number in range(3)]
    assert codes == [200, 200, 429]
    clock.at += timedelta(seconds=61)
    assert ask(client, worker, claim, "key-number-3").status_code == 200


def test_an_endpoint_that_asks_for_patience_is_left_alone_by_everybody(
    client: TestClient, worker: User, claim: Claim, served: Callable[..., Server], clock: FixedClock
) -> None:
    server = served(status(429, Retry_After="90"), says("fine"))
    limited = done(ask(client, worker, claim, "key-one").text)
    assert (limited["outcome"], limited["retry_after_seconds"]) == ("limited", 90)
    refused = ask(client, worker, claim, "key-two")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "90")
    assert len(server.asked) == 1
    clock.at += timedelta(seconds=91)
    assert done(ask(client, worker, claim, "key-three").text)["outcome"] == "finished"


def test_without_a_claim_lease_or_model_nothing_is_asked(
    client: TestClient, session: Session, world: World, clock: FixedClock, worker: User, claim: Claim,
    served: Callable[..., Server],
) -> None:  # fmt: skip
    none = ask(client, worker, claim)
    assert (none.status_code, none.json()["code"]) == (409, "no_endpoint")
    server = served(says("fine"))
    stranger = join(session, world, now=clock.now())[0]
    session.flush()
    assert ask(client, stranger, claim).status_code == 404
    clock.at += timedelta(seconds=world.project.lease_seconds + 61)
    late = ask(client, worker, claim)
    assert (late.status_code, late.json()["code"]) == (410, "lease_over")
    assert server.asked == []


def test_an_endpoint_that_is_off_is_not_asked(
    client: TestClient, session: Session, near: Runtime, worker: User, claim: Claim, served: Callable[..., Server]
) -> None:
    server = served(says("fine"))
    session.execute(text("UPDATE model_endpoint SET state = 'off'"))
    session.flush()
    answer = ask(client, worker, claim)
    assert (answer.status_code, answer.json()["code"], server.asked) == (409, "endpoint_off", [])


def test_an_address_inside_is_refused_in_words_and_recorded(
    runtime: Runtime, session: Session, worker: User, claim: Claim, served: Callable[..., Server]
) -> None:
    server = served(says("inside"))
    with TestClient(create_app(runtime)) as strict:
        last = done(ask(strict, worker, claim).text)
    assert (last["outcome"], server.asked) == ("failed", [])
    assert "own network" in last["error"]
    assert generations(session)[0].outcome is Outcome.FAILED


def test_a_generation_that_ended_never_changes(
    client: TestClient, session: Session, worker: User, claim: Claim, served: Callable[..., Server]
) -> None:
    served(says("fine"))
    ask(client, worker, claim)
    with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
        session.execute(text("UPDATE generation SET text = 'other'"))


def test_what_a_dead_process_left_is_given_up_and_frees_its_place(
    session: Session, near: Runtime, world: World, worker: User, claim: Claim, clock: FixedClock
) -> None:
    endpoint = make_endpoint(session, near, world, "https://models.example.com/v1", concurrency=1)
    used = use(session, world, clock, endpoint)[0][0]
    asker = generating.Asker(Purpose.GENERATE, "left-behind", worker.id, world.project.id, claim.id, claim.task_id, "A")
    begun = generating.begin(
        session, endpoint.id, [{"role": "user", "content": "Hi"}], asker, quota=used, now=clock.now()
    )
    assert begun.fresh
    assert generating.give_up_lost(session, now=clock.now()) == 0
    clock.at += generating.LOST_AFTER + timedelta(seconds=1)
    assert generating.give_up_lost(session, now=clock.now()) == 1
    found = generations(session)[0]
    assert (found.outcome, float(found.cost), found.input_tokens) == (Outcome.FAILED, 0.0, 0)
    assert "stopped" in found.error


@pytest.mark.local_model
def test_the_local_model_answers_from_a_child_of_this_process(
    client: TestClient, session: Session, runtime: Runtime, world: World, worker: User, claim: Claim, clock: FixedClock
) -> None:
    from preceptor.endpoints import local

    lacking = local.missing()
    if lacking is not None:
        pytest.skip(f"the local model is not installed: {lacking} is missing; `make local-model` installs it")
    endpoint = make_local(session, runtime, world)
    use(session, world, clock, endpoint)
    session.flush()
    try:
        last = done(ask(client, worker, claim, words="What is the capital of France?").text)
        assert last["outcome"] == "finished", last
        assert len(last["text"]) > 10
        found = generations(session)[0]
        assert found.output_tokens > 0
        assert found.model_version is not None
        assert "SmolLM2" in found.model_version
    finally:
        local.stop()


def test_what_a_model_writes_as_html_is_inert(
    client: TestClient, session: Session, worker: User, claim: Claim, served: Callable[..., Server]
) -> None:
    hostile = "<script>alert(1)</script> <img src=x onerror=alert(1)> [go](javascript:alert(1)) **bold**"
    served(says(hostile))
    last = done(ask(client, worker, claim).text)
    assert last["text"] == hostile
    assert "<strong>bold</strong>" in last["html"]
    for word in ("<script", "<img", 'href="javascript'):
        assert word not in last["html"]
