"""What nobody should send and somebody will: through HTTP, with an answer in words and nothing changed."""

import copy
import gzip
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from preceptor.http.limits import BodyLimit
from preceptor.kit import jobs
from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.money.models import AccountKind, Payout
from preceptor.people.models import Qualification
from preceptor.people.service.qualifications import grant
from preceptor.projects.models import ProjectReviewer, ProjectState, Task, TaskState
from preceptor.work import service as work
from preceptor.work.models import Claim, Submission
from tests.api_world import ApiWorld, open_api_world
from tests.factories import PREFER_A, User, World, join, make_world, pair_payload
from tests.web.acting import Seating

DEEP = 900
HOSTILE = (
    "<script>alert(1)</script><svg onload=alert(1)><a href='javascript:alert(1)'>x</a>\n\n"
    "[x](javascript:alert(1)) ![x](data:image/svg+xml;base64,PHN2Zz4=) `<img src=x onerror=alert(1)>`"
)


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now())


@pytest.fixture
def worker(session: Session, world: World, clock: FixedClock) -> User:
    return join(session, world, now=clock.now())[0]


def claim(client: TestClient, world: World, user: User) -> Any:
    return client.post(f"/api/v1/projects/{show_id('project', world.project.id)}/claims", headers=user.headers)


def submit(client: TestClient, claim_id: str, user: User, **headers: str) -> Any:
    return client.post(
        f"/api/v1/claims/{claim_id}/submission", headers={**user.headers, **headers}, json={"answer": PREFER_A}
    )


def count(session: Session, table: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# --- Whatever the API is sent


@pytest.fixture(scope="module")
def api(server_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with open_api_world(server_url, template_database, tmp_path_factory.mktemp("api")) as world:
        yield world


VALUES: list[Any] = [
    None, -1, 2**63, 10**30, float("nan"), "", "a\x00b", "\ud800", "1e999999999", {"\x00": "\ud800"}, "@deep",
]  # fmt: skip
QUERIES = ["", "%00", "9" * 30, "-1", "1" * 5_000, "%ED%A0%80", "0001-01-01T00:00:00%2B14:00", "prj_" + "f" * 32]
BODIES = [b"", b"\xff\xfe", b"[" * 100_000, b"1" * 5_000]
ENDS = ("/moves", "/skip", "/release", "/flag", "/suspend", "/roles", "/submission", "/finish", "/retire", "/revoke")
"""What would end the things that the others are tried on; tried last."""


def asked(api: ApiWorld) -> list[tuple[str, str, dict[str, str]]]:
    """Every operation with the headers of somebody for whom it goes deep."""
    found = sorted(api.operations(), key=lambda each: (each[1].endswith(ENDS), each[0] == "DELETE"))
    return [(method, path, who(api, path).headers) for method, path in found]


def who(api: ApiWorld, path: str) -> User:
    if "/claims" in path or path.endswith(("/membership", "/quality/me", "/board", "/me/statement")):
        return api.worker
    if "/tests" in path or "/attempts" in path:
        return api.judged.people[0]
    if "/people" in path or "/top-ups" in path or "/payout" in path or path == "/api/v1/events":
        return api.world.operator
    return api.world.reviewer if "/review" in path and "reviewers" not in path else api.owner


def bad_ids(good: str) -> list[str]:
    prefix = good.split("_")[0]
    shaped = [f"{prefix}_{tail}" for tail in ("g" * 32, "%00" * 32, quote("٠" * 32))]
    return [*shaped, "%00", "9" * 4_500, "%ED%A0%80", "..%2f..%2fetc%2fpasswd"]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    children = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*at, key))


def changed(body: Any, at: tuple[Any, ...], new: Any) -> bytes:
    """The body as JSON with one place of it replaced; also by what Python itself would not write as JSON."""
    if not at:
        body = new
    else:
        body = copy.deepcopy(body)
        inside = body
        for key in at[:-1]:
            inside = inside[key]
        inside[at[-1]] = new
    return json.dumps(body).replace('"@deep"', '{"a":' + "[" * DEEP + "]" * DEEP + "}").encode()


def faults(api: ApiWorld, requests: Iterator[tuple[str, str, dict[str, Any]]]) -> list[str]:
    """Those of the requests that were answered as if it were our fault."""
    answers = ((method, path, sent, api.http.request(method, path, **sent)) for method, path, sent in requests)
    return [
        f"{method} {path[:120]} {str(sent.get('content'))[:200]}: {answer.status_code}"
        for method, path, sent, answer in answers
        if answer.status_code >= 500
    ]


def right(api: ApiWorld, method: str, path: str) -> dict[str, Any]:
    body = api.bodies().get((method, path))
    return {"content": body if isinstance(body, bytes) else json.dumps(body).encode()} if body is not None else {}


def test_no_id_breaks_anything(api: ApiWorld) -> None:
    filled = {**api.ids, "path": "README.md", "number": "1"}

    def requests() -> Iterator[tuple[str, str, dict[str, Any]]]:
        for method, path, headers in asked(api):
            sent = {"headers": {**headers, "content-type": "application/json"}, **right(api, method, path)}
            for name in [name for name in filled if f"{{{name}}}" in path]:
                for bad in bad_ids(filled[name]):
                    yield method, path.format(**{**filled, name: bad}), sent

    assert faults(api, requests()) == []


def test_no_query_breaks_anything(api: ApiWorld) -> None:
    described = api.app.openapi()["paths"]

    def requests() -> Iterator[tuple[str, str, dict[str, Any]]]:
        for method, path, headers in asked(api):
            names = [
                each["name"] for each in described[path][method.lower()].get("parameters", []) if each["in"] == "query"
            ]
            target = path.format(**api.ids, path="README.md", number=1)
            sent = {"headers": {**headers, "content-type": "application/json"}, **right(api, method, path)}
            yield from ((method, f"{target}?{name}={bad}", sent) for name in names for bad in QUERIES)

    assert faults(api, requests()) == []


def test_no_body_breaks_anything(api: ApiWorld) -> None:
    def requests() -> Iterator[tuple[str, str, dict[str, Any]]]:
        for method, path, headers in asked(api):
            body = api.bodies().get((method, path))
            if body is None or isinstance(body, bytes):
                continue
            target = path.format(**api.ids, path="README.md", number=1)
            sent = {"headers": {**headers, "content-type": "application/json"}}
            raw = [*BODIES, *(changed(body, at, new) for at in places(body) for new in VALUES)]
            unknown = [changed(body, (*at, "\ud800\x00"), 1) for at in places(body) if _is_object(body, at)]
            yield from ((method, target, {**sent, "content": content}) for content in [*raw, *unknown])

    assert faults(api, requests()) == []


def _is_object(body: Any, at: tuple[Any, ...]) -> bool:
    for key in at:
        body = body[key]
    return isinstance(body, dict)


def test_no_header_breaks_anything(api: ApiWorld) -> None:
    def requests() -> Iterator[tuple[str, str, dict[str, Any]]]:
        file = f"/api/v1/releases/{api.ids['release_id']}/files/README.md"
        for wanted in (
            "bytes=-" + "9" * 5_000,
            "bytes=5-1",
            "bytes=" + "9" * 5_000 + "-",
            "lines=1-2",
            "bytes=0-0,2-3",
        ):
            yield "GET", file, {"headers": {**api.owner.headers, "range": wanted}}
        for key in (b"", b"x" * 300, b"\x7f", b"\xff"):
            path = f"/api/v1/organizations/{api.ids['org_id']}/qualifications"
            yield "POST", path, {"headers": {**api.owner.headers, "idempotency-key": key}, "json": {"title": "Sums"}}
        for secret in ("", "Bearer", "Bearer ", "Bearer \xe9", "Basic eDp5", "Bearer " + "x" * 10_000):
            yield "GET", "/api/v1/me", {"headers": {"authorization": secret.encode("latin-1")}}
        for link in ("a?until=1&sig=é", "a?until=99999999999999999999&sig=ff", "%2e%2e/secret?until=1&sig=ff", "a"):
            yield "GET", f"/files/{link}", {}

    assert faults(api, requests()) == []


def test_a_refusal_quotes_what_is_no_text_and_names_its_own_status(api: ApiWorld) -> None:
    path = f"/api/v1/organizations/{api.ids['org_id']}"
    headers = {**api.owner.headers, "content-type": "application/json"}
    for body in (b'{"name": "x", "\\ud800": 1}', b'{"name": "a\\u0000b"}'):
        answer = api.http.patch(path, headers=headers, content=body)
        assert (answer.status_code, answer.json()["status"]) == (422, 422)
    for method, large in (("PUT", b"{}"), ("PATCH", b"x" * 5_000_000)):
        answer = api.http.request(method, path, headers=headers, content=large)
        assert answer.status_code == answer.json()["status"] in (405, 413)


# --- Claims


def test_an_answer_sent_again_after_the_decision_is_still_the_same_once(
    client: TestClient, session: Session, world: World, worker: User, clock: FixedClock
) -> None:
    held = claim(client, world, worker).json()["id"]
    first = submit(client, held, worker)
    work.approve_due(session, now=clock.now() + timedelta(days=30))
    again = submit(client, held, worker)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert count(session, Submission) == 1
    assert money.balance(session, AccountKind.CONTRIBUTOR, worker.id, "USD").minor == 42


def test_an_expired_claim_takes_no_answer_and_pays_nothing(
    client: TestClient, session: Session, world: World, worker: User, clock: FixedClock
) -> None:
    held = claim(client, world, worker).json()["id"]
    clock.at += timedelta(days=1)
    for late in (submit(client, held, worker), submit(client, held, worker)):
        assert late.json()["code"] == "lease_over"
    work.expire_overdue(session, now=clock.now())
    assert submit(client, held, worker).json()["code"] == "lease_over"
    assert count(session, Submission) == 0
    funds = money.project_funds(session, world.project.id, "USD")
    assert (funds.escrow.minor, funds.reserved.minor) == (100_000, 0)


def test_a_second_tab_cannot_write_into_what_the_first_has_sent(
    client: TestClient, session: Session, world: World, worker: User
) -> None:
    held = claim(client, world, worker).json()["id"]
    submit(client, held, worker)
    draft = {"draft": {"justification": "typed in the other tab"}, "number": 9}
    late = client.put(f"/api/v1/claims/{held}/draft", headers=worker.headers, json=draft)
    assert late.status_code in (409, 410)
    assert session.get_one(Claim, read_id("claim", held), populate_existing=True).draft is None
    assert client.post(f"/api/v1/claims/{held}/release", headers=worker.headers).status_code in (409, 410)


def test_the_clock_of_a_client_is_never_asked(
    client: TestClient, session: Session, world: World, worker: User, clock: FixedClock
) -> None:
    held = claim(client, world, worker).json()["id"]
    for date in ("Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"):
        beat = client.post(f"/api/v1/claims/{held}/heartbeat", headers={**worker.headers, "date": date}).json()
        assert (beat["worked_seconds"], beat["now"]) == (0, clock.now().isoformat().replace("+00:00", "Z"))
    path = f"/api/v1/claims/{held}/submission"
    claimed = {"answer": PREFER_A, "worked_seconds": 86_400}
    assert client.post(path, headers=worker.headers, json=claimed).status_code == 422
    assert submit(client, held, worker, date="Thu, 01 Jan 1970 00:00:00 GMT").status_code == 201
    assert session.scalars(select(Submission.worked_seconds)).one() == 0


def test_a_server_whose_clock_runs_behind_takes_no_lease_away(
    client: TestClient, world: World, worker: User, clock: FixedClock
) -> None:
    held = claim(client, world, worker).json()
    clock.at -= timedelta(hours=3)
    beat = client.post(f"/api/v1/claims/{held['id']}/heartbeat", headers=worker.headers).json()
    assert (beat["leased_until"], beat["worked_seconds"]) == (held["leased_until"], 0)
    assert submit(client, held["id"], worker).status_code == 201


def test_a_qualification_taken_away_leaves_the_live_claim(
    client: TestClient, session: Session, world: World, worker: User, clock: FixedClock
) -> None:
    now = clock.now()
    wanted = Qualification(org_id=world.organization.id, title="Sums", description="", created_at=now)
    session.add(wanted)
    session.flush()
    world.project.qualification_id = wanted.id
    grant(session, world.client.actor, person_id=worker.id, qualification_id=wanted.id, now=now)
    held = claim(client, world, worker).json()["id"]
    path = f"/api/v1/qualifications/{show_id('qualification', wanted.id)}/holders/{show_id('person', worker.id)}/revoke"
    reason = {"reason": "The test was taken by somebody else."}
    assert client.post(path, headers=world.client.headers, json=reason).status_code == 204
    assert claim(client, world, worker).json()["id"] == held
    assert submit(client, held, worker).status_code == 201
    assert claim(client, world, worker).json()["code"] == "not_qualified"
    work.approve_due(session, now=now + timedelta(days=30))
    assert money.balance(session, AccountKind.CONTRIBUTOR, worker.id, "USD").minor == 42


def test_nobody_reviews_their_own_over_the_api(
    client: TestClient, session: Session, world: World, worker: User, clock: FixedClock
) -> None:
    worker.person.is_reviewer = True
    session.add(ProjectReviewer(project_id=world.project.id, person_id=worker.id, created_at=clock.now()))
    sent = submit(client, claim(client, world, worker).json()["id"], worker).json()["id"]
    session.get_one(Submission, read_id("submission", sent)).review_wanted = True
    session.flush()
    assert client.post("/api/v1/reviews/next", headers=worker.headers).json()["code"] == "nothing_to_review"
    own = client.post(
        f"/api/v1/submissions/{sent}/review", headers=worker.headers, json={"decision": "approve", "comment": "Fine."}
    )
    assert code(own) == (403, "own_work")
    assert client.post("/api/v1/reviews/next", headers=world.reviewer.headers).status_code == 200


# --- Money


@pytest.mark.parametrize(
    "amount", ["0", "-5", "0.001", "1e999999999", "1e-999999999", "NaN", "Infinity", "", "12,5,0.0x"]
)
def test_senseless_amounts_move_nothing(client: TestClient, session: Session, world: World, amount: str) -> None:
    sent = {"amount": amount, "currency": "USD"}
    fund = client.post(
        f"/api/v1/projects/{show_id('project', world.project.id)}/funds", headers=world.client.headers, json=sent
    )
    paid_in = client.post(
        f"/api/v1/organizations/{show_id('organization', world.organization.id)}/top-ups",
        headers=world.operator.headers,
        json={"money": sent},
    )
    assert {fund.status_code, paid_in.status_code} <= {409, 422}
    assert money.project_funds(session, world.project.id, "USD").escrow.minor == 100_000
    assert money.wallet_balance(session, world.organization.id, "USD").minor == 0


def test_money_goes_neither_to_nobody_nor_into_another_currency(
    client: TestClient, session: Session, world: World
) -> None:
    yen = {"amount": "500", "currency": "JPY"}
    nobody = f"/api/v1/organizations/org_{'0' * 32}/top-ups"
    assert client.post(nobody, headers=world.operator.headers, json={"money": yen}).status_code == 404
    known = f"/api/v1/organizations/{show_id('organization', world.organization.id)}/top-ups"
    assert client.post(known, headers=world.operator.headers, json={"money": yen}).status_code == 201
    fund = f"/api/v1/projects/{show_id('project', world.project.id)}/funds"
    assert code(client.post(fund, headers=world.client.headers, json=yen)) == (422, "invalid")
    assert money.wallet_balance(session, world.organization.id, "JPY").minor == 500


def test_a_project_without_budget_does_not_open(client: TestClient, session: Session, clock: FixedClock) -> None:
    world = make_world(session, now=clock.now(), budget_minor=0)
    [worker] = join(session, world, now=clock.now())
    assert claim(client, world, worker).json()["code"] == "not_funded"
    world.project.state = ProjectState.DRAFT
    session.flush()
    path = f"/api/v1/projects/{show_id('project', world.project.id)}/moves"
    assert client.post(path, headers=world.client.headers, json={"to": "open"}).status_code == 409
    assert world.project.state is ProjectState.DRAFT


def test_a_payout_that_failed_before_it_was_sent_is_not_sent(
    client: TestClient, runtime: Runtime, session: Session, world: World, clock: FixedClock
) -> None:
    now = clock.now()
    for worker in join(session, world, now=now, people=2):
        submit(client, claim(client, world, worker).json()["id"], worker)
    work.approve_due(session, now=now + timedelta(days=30))
    batch = money.create_payout_batch(session, world.operator.actor, currency="USD", now=now)
    failed, sent = session.scalars(select(Payout).where(Payout.batch_id == batch.id).order_by(Payout.id)).all()
    money.settle_payout(session, world.operator.actor, failed, paid=False, failure="The account is closed.", now=now)
    path = f"/api/v1/payout-batches/{show_id('payout_batch', batch.id)}/send"
    assert client.post(path, headers=world.operator.headers).status_code == 200
    written = runtime.storage.get(f"payouts/{batch.id.hex}.csv").decode()
    assert show_id("payout", sent.id) in written
    assert show_id("payout", failed.id) not in written


# --- Files


def bomb() -> bytes:
    return gzip.compress(b"\x00" * 300_000_000, 9)


def unpacking_line() -> bytes:
    return gzip.compress(b'{"prompt": "' + b"a" * 30_000_000)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("bomb.jsonl.gz", bomb), ("line.jsonl.gz", unpacking_line), ("bomb.csv.gz", bomb), ("bomb.parquet.gz", bomb),
        ("cut.jsonl.gz", lambda: gzip.compress(b'{"prompt": "a"}\n' * 1_000)[:-40]),
        ("cut.parquet", lambda: b"PAR1" + b"\xff" * 100 + b"\xff\xff\xff\x7fPAR1"),
        ("utf16.csv", lambda: "prompt,response_a,response_b\nä,b,c\n".encode("utf-16")),
        ("latin1.csv", lambda: "prompt,response_a,response_b\nä,b,c\n".encode("latin-1")),
        ("deep.jsonl", lambda: b'{"prompt": ' + b"[" * 5_000 + b"]" * 5_000 + b"}\n"),
        ("number.jsonl", lambda: b'{"prompt": ' + b"9" * 5_000 + b"}\n"),
        ("../../../etc/passwd\x00.jsonl", lambda: b"{}\n"),
    ],
)  # fmt: skip
def test_hostile_files_are_answered_with_a_report(
    client: TestClient, runtime: Runtime, session: Session, world: World, name: str, data: Any
) -> None:
    before = count(session, Task)
    path = f"/api/v1/projects/{show_id('project', world.project.id)}/imports"
    answer = client.post(path, params={"filename": name}, headers=world.client.headers, content=data())
    assert answer.status_code == 202, answer.text
    jobs.registered["projects.run_import"](runtime, import_id=str(read_id("import", answer.json()["id"])))
    found = client.get(f"{path}/{answer.json()['id']}", headers=world.client.headers).json()
    assert (found["state"], found["created"]) == ("failed", 0)
    assert found["problems"][0]["problem"]
    assert "/" not in found["filename"]
    assert count(session, Task) == before


def test_an_announced_giant_is_refused_before_it_comes(client: TestClient, world: World) -> None:
    path = f"/api/v1/projects/{show_id('project', world.project.id)}/imports"
    form = {"content-type": "multipart/form-data; boundary=x"}
    for kind in ({}, form):
        headers = {**world.client.headers, **kind, "content-length": str(10**13)}
        answer = client.post(path, headers=headers, content=b"x")
        assert answer.status_code in (413, 422)
        assert answer.json()["code"] in ("upload_too_large", "request_too_large")


def test_a_form_from_nobody_fills_no_disk(runtime: Runtime, client: TestClient, world: World) -> None:
    """A cookie that is worth nothing makes the form be read for its token: only up to the limit."""
    small = runtime.settings.model_copy(update={"upload_bytes_max": 1_000})
    limited = TestClient(BodyLimit(client.app, small), headers={"sec-fetch-site": "same-origin"})

    def endless() -> Iterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
        yield from (b"y" * 1_000_000 for _ in range(3))

    headers = {"content-type": "multipart/form-data; boundary=x", "cookie": "preceptor_session=nobody"}
    path = f"/api/v1/projects/{show_id('project', world.project.id)}/imports"
    assert code(limited.post(path, headers=headers, content=endless())) == (413, "request_too_large")


# --- Words that want to be run


def htmls(value: Any) -> Iterator[str]:
    """Everything in a page's data that its script will put in as HTML."""
    for key, child in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else []):
        if isinstance(child, str) and "html" in str(key):
            yield child
        yield from htmls(child)


def test_hostile_prompts_reach_the_desk_as_harmless_text(
    client: TestClient, session: Session, world: World, worker: User, clock: FixedClock, runtime: Runtime
) -> None:
    payload = pair_payload(1)
    payload["prompt"][0]["content"] = HOSTILE
    for response in payload["responses"]:
        response["messages"][0]["content"] = HOSTILE
    session.execute(update(Task).values(state=TaskState.RETIRED))
    sent = {"tasks": [{"external_id": HOSTILE[:100], "payload": payload}]}
    path = f"/api/v1/projects/{show_id('project', world.project.id)}/tasks"
    assert client.post(path, headers=world.client.headers, json=sent).status_code == 201
    desk = Seating(client, runtime, session, clock)(worker)
    started = desk.post(f"/work/{show_id('project', world.project.id)}")
    page = desk.get(str(started.headers["location"]))
    assert page.status_code == 200
    assert "<svg onload" not in page.text
    embedded = re.findall(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page.text, re.DOTALL)
    rendered = [html for each in embedded for html in htmls(json.loads(each))]
    assert len(rendered) >= 3
    for harm in ("<script", "<svg", "<img", "<a "):
        assert not [html for html in rendered if harm in html], harm
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
