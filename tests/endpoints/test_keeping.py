"""Endpoints of an organization: who may keep them, and where their keys never appear."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from preceptor.endpoints.guard import Reach
from preceptor.endpoints.models import ModelEndpoint
from preceptor.endpoints.sealing import KeyUnreadable, seal, unseal
from preceptor.endpoints.service import keeping
from preceptor.kit.clock import FixedClock
from preceptor.kit.events import SYSTEM, Event
from preceptor.kit.ids import new_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.models import OrgRole
from preceptor.people.service.organizations import add_member
from tests.endpoints.asking import KEY, make_endpoint
from tests.factories import User, World, make_client, make_contributor, make_user, make_world, signed

URL = "https://models.example.com/v1"
BODY = {"name": "Ours", "base_url": URL, "model": "our-7b", "api_key": KEY, "price_input": "0.075"}


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    made = make_world(session, now=clock.now())
    session.flush()
    return made


def created(client: TestClient, world: World, **changes: object) -> dict[str, object]:
    body = {**BODY, "org_id": show_id("organization", world.organization.id), **changes}
    answer = client.post("/api/v1/endpoints", json=body, headers=world.client.headers)
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made


def test_an_endpoint_is_kept_and_listed_without_its_key(client: TestClient, session: Session, world: World) -> None:
    made = created(client, world)
    assert (made["has_key"], made["price_input"]) == (True, {"amount": "0.075", "currency": "USD"})
    listed = client.get("/api/v1/endpoints", headers=world.client.headers)
    one = client.get(f"/api/v1/endpoints/{made['id']}", headers=world.client.headers)
    assert [item["id"] for item in listed.json()["items"]] == [made["id"]]
    assert KEY not in listed.text + one.text + json.dumps(made)


def test_the_key_is_sealed_in_the_database_and_absent_from_events(
    client: TestClient, session: Session, world: World, runtime: Runtime
) -> None:
    created(client, world)
    row = session.scalars(select(ModelEndpoint)).one()
    assert row.sealed_key is not None
    assert KEY.encode() not in row.sealed_key
    events = [
        json.dumps(event.data) for event in session.scalars(select(Event).where(Event.subject_kind == "endpoint"))
    ]
    assert len(events) == 1
    assert KEY not in "".join(events)
    target = keeping.target_of(row, secret=runtime.settings.signing_key(), reach=Reach.PUBLIC)
    assert target.api_key == KEY


def test_a_sealed_key_opens_only_with_its_row_and_secret() -> None:
    mine, other = new_id(), new_id()
    sealed = seal(KEY, mine, b"secret")
    assert unseal(sealed, mine, b"secret") == KEY
    assert seal(KEY, mine, b"secret") != sealed
    for row, secret in ((other, b"secret"), (mine, b"another")):
        with pytest.raises(KeyUnreadable):
            unseal(sealed, row, secret)


def test_a_new_address_takes_the_key_away(client: TestClient, session: Session, world: World) -> None:
    made = created(client, world)
    path, headers = f"/api/v1/endpoints/{made['id']}", world.client.headers
    same = client.patch(path, json={"model": "our-8b", "base_url": URL + "/"}, headers=headers).json()
    assert (same["has_key"], same["model"]) == (True, "our-8b")
    moved = client.patch(path, json={"base_url": "https://elsewhere.example.com/v1"}, headers=headers).json()
    assert moved["has_key"] is False
    again = client.patch(path, json={"api_key": KEY}, headers=headers).json()
    assert again["has_key"] is True
    emptied = client.patch(path, json={"api_key": ""}, headers=headers).json()
    assert emptied["has_key"] is False


def test_a_deleted_endpoint_loses_its_key_and_frees_its_name(
    client: TestClient, session: Session, world: World
) -> None:
    made = created(client, world)
    path = f"/api/v1/endpoints/{made['id']}"
    assert client.delete(path, headers=world.client.headers).status_code == 204
    assert client.get(path, headers=world.client.headers).status_code == 404
    session.expire_all()
    assert session.scalars(select(ModelEndpoint.sealed_key)).all() == [None]
    created(client, world)


def test_two_endpoints_of_one_name_are_refused(client: TestClient, world: World) -> None:
    created(client, world)
    body = {**BODY, "org_id": show_id("organization", world.organization.id)}
    answer = client.post("/api/v1/endpoints", json=body, headers=world.client.headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "endpoint_name_taken")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", "http://models.example.com/v1"),
        ("base_url", "https://user:word@models.example.com"),
        ("model", ""),
        ("name", "  "),
        ("price_input", "0.0000001"),
        ("price_input", "-1"),
        ("currency", "XXX"),
        ("concurrency", 0),
        ("api_key", "two words"),
        ("parameters", {"temperature": 9}),
    ],
    ids=lambda value: str(value)[:20] or "empty",
)
def test_what_cannot_be_an_endpoint_is_refused(client: TestClient, world: World, field: str, value: object) -> None:
    body = {**BODY, "org_id": show_id("organization", world.organization.id), field: value}
    answer = client.post("/api/v1/endpoints", json=body, headers=world.client.headers)
    assert answer.status_code == 422, answer.text
    assert KEY not in answer.text
    assert "two words" not in answer.text


def test_only_managers_of_the_organization_keep_endpoints(
    client: TestClient, session: Session, world: World, clock: FixedClock
) -> None:
    made = created(client, world)
    now = clock.now()
    _, stranger = make_client(session, now=now)
    contributor = make_contributor(session, now=now)
    person = make_user(session, now=now)
    add_member(session, SYSTEM, org_id=world.organization.id, person_id=person.id, role=OrgRole.VIEWER, now=now)
    viewer = signed(session, person.person, now=now)
    session.flush()
    path = f"/api/v1/endpoints/{made['id']}"

    def statuses(user: User) -> list[int]:
        headers = user.headers
        return [
            client.get(path, headers=headers).status_code,
            client.patch(path, json={"name": "x"}, headers=headers).status_code,
            client.post(f"{path}/test", headers=headers).status_code,
            client.delete(path, headers=headers).status_code,
        ]

    assert statuses(stranger) == [404, 404, 404, 404]
    assert statuses(contributor) == [404, 404, 404, 404]
    assert statuses(viewer) == [200, 403, 403, 403]
    assert client.get("/api/v1/endpoints", headers=stranger.headers).json()["items"] == []


def test_a_project_uses_endpoints_of_its_own_organization_only(
    client: TestClient, session: Session, world: World, clock: FixedClock
) -> None:
    made = created(client, world)
    other = make_world(session, now=clock.now())
    session.flush()
    path = f"/api/v1/projects/{show_id('project', other.project.id)}/endpoints"
    body = {"endpoints": [{"endpoint_id": made["id"]}]}
    assert client.put(path, json=body, headers=other.client.headers).status_code == 404
    own = f"/api/v1/projects/{show_id('project', world.project.id)}/endpoints"
    body = {"endpoints": [{"endpoint_id": made["id"], "tokens_max": 1000, "turns_max": 5}]}
    answer = client.put(own, json=body, headers=world.client.headers)
    assert answer.json()["generate"] == [
        {"endpoint_id": made["id"], "name": "Ours", "tokens_max": 1000, "turns_max": 5}
    ]
    assert client.get(own, headers=other.client.headers).status_code == 404


def test_costs_are_exact(session: Session, runtime: Runtime, world: World) -> None:
    from preceptor.endpoints.service.generating import cost_of

    endpoint = make_endpoint(session, runtime, world, URL, price_input="0.075", price_output="0.3")
    assert cost_of(endpoint, 1, 0) == Decimal("0.000000075")
    assert cost_of(endpoint, 1_000_000, 2_000_000) == Decimal("0.675")
    assert cost_of(endpoint, 333, 333) == Decimal("0.000124875")


def test_the_table_refuses_a_deleted_endpoint_with_a_key(session: Session, runtime: Runtime, world: World) -> None:
    make_endpoint(session, runtime, world, URL)
    with pytest.raises(DBAPIError, match="retired_without_key"), session.begin_nested():
        session.execute(text("UPDATE model_endpoint SET state = 'retired'"))


def test_settings_without_the_secret_cannot_read_the_key(session: Session, runtime: Runtime, world: World) -> None:
    endpoint = make_endpoint(session, runtime, world, URL)
    other = replace(runtime, settings=runtime.settings.model_copy(update={"secret_key": None}))
    assert other.settings.signing_key() != runtime.settings.signing_key()
    with pytest.raises(KeyUnreadable):
        keeping.target_of(endpoint, secret=other.settings.signing_key(), reach=Reach.PUBLIC)


def test_a_name_that_another_endpoint_has_cannot_be_taken_later(client: TestClient, world: World) -> None:
    created(client, world)
    other = created(client, world, name="Other")
    answer = client.patch(f"/api/v1/endpoints/{other['id']}", json={"name": "Ours"}, headers=world.client.headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "endpoint_name_taken")
    again = client.get(f"/api/v1/endpoints/{other['id']}", headers=world.client.headers)
    assert again.json()["name"] == "Other"
