"""Accounts over the API: scopes, operators, idempotency, refusals as problem documents."""

from collections.abc import Callable
from datetime import datetime

import pytest
from fastapi.testclient import TestClient

from preceptor.kit.clock import FixedClock
from preceptor.kit.events import SYSTEM
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.models import Person
from preceptor.people.service import accounts, keys, organizations

Headers = dict[str, str]
ALL = ("work", "read", "projects", "review", "operate")


@pytest.fixture
def now(clock: FixedClock) -> datetime:
    return clock.now()


@pytest.fixture
def key_of(runtime: Runtime, now: datetime) -> Callable[..., tuple[Person, Headers]]:
    """A new person with an API key."""

    def make(email: str, *scopes: str, **roles: bool) -> tuple[Person, Headers]:
        with runtime.sessions() as session, session.begin():
            person = accounts.create_person(
                session,
                SYSTEM,
                email=email,
                name="Somebody",
                password=None,
                passwords=None,
                confirmed=True,
                now=now,
                **roles,
            )
            _, secret = keys.create_key(
                session, SYSTEM, person_id=person.id, name="test", scopes=scopes or ALL, now=now
            )
        return person, {"authorization": f"Bearer {secret}"}

    return make


KeyOf = Callable[..., tuple[Person, Headers]]


def code(response: object) -> tuple[int, str]:
    status, body = response.status_code, response.json()  # type: ignore[attr-defined]
    return status, body["code"]


def test_me_says_who_and_what_for(client: TestClient, key_of: KeyOf) -> None:
    ada, headers = key_of("ada@example.org", "read", is_contributor=True)
    assert client.get("/api/v1/me", headers=headers).json() == {
        "id": show_id("person", ada.id),
        "name": "Somebody",
        "email": "ada@example.org",
        "roles": ["contributor"],
        "organizations": [],
        "scopes": ["read"],
    }
    assert code(client.get("/api/v1/me")) == (401, "not_signed_in")
    unknown = {"authorization": "Bearer pk_00000000_nothing"}
    assert code(client.get("/api/v1/me", headers=unknown)) == (401, "bad_api_key")


def test_a_key_does_only_what_its_scopes_say(
    client: TestClient, key_of: KeyOf, runtime: Runtime, now: datetime
) -> None:
    owner, reading = key_of("owner@lab.org", "read")
    with runtime.sessions() as session, session.begin():
        lab = organizations.create_organization(session, SYSTEM, name="Lab", owner_id=owner.id, now=now)
        _, changing = keys.create_key(session, SYSTEM, person_id=owner.id, name="c", scopes=["projects"], now=now)
    base = f"/api/v1/organizations/{show_id('organization', lab.id)}"
    body = {"email": "new@lab.org", "role": "viewer"}
    assert code(client.post(f"{base}/invitations", json=body, headers=reading)) == (403, "scope_missing")
    bearer = {"authorization": f"Bearer {changing}"}
    assert client.post(f"{base}/invitations", json=body, headers=bearer).status_code == 201
    assert code(client.get(f"{base}/members", headers=bearer)) == (403, "scope_missing")
    assert [row["role"] for row in client.get(f"{base}/members", headers=reading).json()["items"]] == ["owner"]


def test_a_leaked_key_cannot_make_itself_another(client: TestClient, key_of: KeyOf) -> None:
    _, headers = key_of("ada@example.org")
    body = {"name": "second", "scopes": ["read"]}
    assert code(client.post("/api/v1/keys", json=body, headers=headers)) == (403, "browser_needed")
    [row] = client.get("/api/v1/keys", headers=headers).json()["items"]
    assert "secret" not in row
    assert code(client.delete(f"/api/v1/keys/{row['id']}", headers=headers)) == (403, "browser_needed")


def test_nobody_reaches_anothers_key(client: TestClient, key_of: KeyOf) -> None:
    _, ada = key_of("ada@example.org")
    _, eve = key_of("eve@example.org")
    [row] = client.get("/api/v1/keys", headers=ada).json()["items"]
    assert code(client.delete(f"/api/v1/keys/{row['id']}", headers=eve)) == (404, "not_found")


@pytest.mark.parametrize("path", ["/api/v1/people", "/api/v1/people/{id}"])
def test_people_are_for_operators_with_the_scope(client: TestClient, key_of: KeyOf, path: str) -> None:
    boss, _ = key_of("boss@example.org", "read", is_operator=True)
    path = path.format(id=show_id("person", boss.id))
    _, contributor = key_of("ada@example.org", is_contributor=True)
    _, reading = key_of("boss2@example.org", "read", is_operator=True)
    _, operating = key_of("boss3@example.org", "operate", is_operator=True)
    assert code(client.get(path, headers=contributor)) == (403, "forbidden")
    assert code(client.get(path, headers=reading)) == (403, "scope_missing")
    assert client.get(path, headers=operating).status_code == 200


def test_operators_page_through_people(client: TestClient, key_of: KeyOf) -> None:
    _, boss = key_of("boss@example.org", is_operator=True)
    made = {key_of(f"c{number}@example.org", is_contributor=True)[0].email for number in range(5)}
    seen: list[str] = []
    cursor = None
    while True:
        query = {"filter": "contributors", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = client.get("/api/v1/people", params=query, headers=boss).json()
        assert len(page["items"]) <= 2
        seen += [row["email"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(made)
    found = client.get("/api/v1/people", params={"search": "c3 example"}, headers=boss).json()["items"]
    assert [row["email"] for row in found] == ["c3@example.org"]
    assert client.get("/api/v1/people", params={"search": "%"}, headers=boss).json()["items"] == []
    assert code(client.get("/api/v1/people", params={"cursor": "x"}, headers=boss)) == (422, "invalid")


def test_an_account_is_made_once_for_one_idempotency_key(client: TestClient, key_of: KeyOf) -> None:
    _, boss = key_of("boss@example.org", is_operator=True)
    body = {"email": "new@example.org", "name": "New", "is_contributor": True}
    headers = boss | {"idempotency-key": "make-new"}
    first, again = (client.post("/api/v1/people", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert code(client.post("/api/v1/people", json=body, headers=boss)) == (409, "email_taken")


def test_suspending_over_the_api_stops_the_key_at_once(client: TestClient, key_of: KeyOf) -> None:
    _, boss = key_of("boss@example.org", is_operator=True)
    ada, headers = key_of("ada@example.org", is_contributor=True)
    path = f"/api/v1/people/{show_id('person', ada.id)}"
    assert code(client.post(f"{path}/suspend", json={"reason": "x"}, headers=boss)) == (422, "reason_needed")
    assert client.post(f"{path}/suspend", json={"reason": "Shares the account."}, headers=boss).status_code == 200
    assert code(client.get("/api/v1/me", headers=headers)) == (401, "bad_api_key")
    client.post(f"{path}/unsuspend", headers=boss)
    assert client.get("/api/v1/me", headers=headers).status_code == 200


def test_qualifications_over_the_api(client: TestClient, key_of: KeyOf, runtime: Runtime, now: datetime) -> None:
    owner, headers = key_of("owner@lab.org")
    ada, _ = key_of("ada@example.org", is_contributor=True)
    with runtime.sessions() as session, session.begin():
        lab = organizations.create_organization(session, SYSTEM, name="Lab", owner_id=owner.id, now=now)
    base = f"/api/v1/organizations/{show_id('organization', lab.id)}/qualifications"
    made = client.post(base, json={"title": "Reading"}, headers=headers)
    assert made.status_code == 201
    holders = f"/api/v1/qualifications/{made.json()['id']}/holders"
    person_id = show_id("person", ada.id)
    assert client.post(holders, json={"person_id": person_id}, headers=headers).json()["source"] == "operator"
    gone = client.post(f"{holders}/{person_id}/revoke", json={"reason": "Test was shared."}, headers=headers)
    assert gone.status_code == 204
    again = client.post(f"{holders}/{person_id}/revoke", json={"reason": "Test was shared."}, headers=headers)
    assert code(again) == (404, "not_found")
