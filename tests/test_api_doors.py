"""Every operation of the API, asked by everybody who has no business there."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from preceptor.kit.events import Event
from preceptor.projects.models import ProjectReviewer
from tests.api_world import SECRET, ApiWorld, key_of, open_api_world
from tests.factories import User

ABOUT_ONESELF = {
    "/api/v1/me", "/api/v1/keys", "/api/v1/sessions", "/api/v1/sessions/revoke-others", "/api/v1/organizations",
    "/api/v1/projects", "/api/v1/models", "/api/v1/board", "/api/v1/tests", "/api/v1/submissions",
    "/api/v1/me/statement", "/api/v1/me/decisions",
    "/api/v1/appeals", "/api/v1/reviews/next", "/api/v1/people", "/api/v1/events", "/api/v1/payout-batches",
    "/api/v1/me/skills", "/api/v1/evidence", "/api/v1/media",
    "/api/v1/endpoints", "/api/v1/task-types", "/api/v1/task-types/{name}",
}  # fmt: skip
"""Operations that name nothing of anybody: they answer about whoever asks, or are for operators."""
FOR_EVERY_CONTRIBUTOR = {
    "/api/v1/tests/{assessment_id}", "/api/v1/tests/{assessment_id}/attempts",
    "/api/v1/tests/{assessment_id}/practice/{number}", "/api/v1/projects/{project_id}/membership",
    "/api/v1/projects/{project_id}/eligibility", "/api/v1/projects/{project_id}/quality/me",
}  # fmt: skip
"""Tests and open projects are there for every contributor."""
OF_CLIENTS = {"projects", "models", "organizations", "endpoints", "judges"}
READING = ("/score", "/evaluate")
REFUSED = {401, 403, 404}


@pytest.fixture(scope="module")
def api(server_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    """One world for all: whoever is refused leaves it as it was, which each test looks at by its events."""
    with open_api_world(server_url, template_database, tmp_path_factory.mktemp("doors")) as world:
        yield world


def events(api: ApiWorld) -> int:
    with api.judged.runtime.sessions() as session:
        return session.scalar(select(func.max(Event.id))) or 0


def foreign(api: ApiWorld) -> list[tuple[str, str]]:
    return [each for each in api.operations() if each[1] not in ABOUT_ONESELF]


def said(method: str, path: str, answer: Any) -> str:
    return f"{method} {path}: {answer.status_code} {answer.text[:160]}"


def not_refused(
    api: ApiWorld, headers: dict[str, str], operations: Iterable[tuple[str, str]], refusals: set[int] = REFUSED
) -> list[str]:
    """What answered otherwise than with a refusal, or showed what it must not."""
    asked = [(method, path, api.ask(headers, method, path)) for method, path in operations]
    return [
        said(method, path, answer)
        for method, path, answer in asked
        if answer.status_code not in refusals or SECRET in answer.text
    ]


def changing(operations: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that change something; scoring and evaluating only read, though they take a body."""
    return [(method, path) for method, path in operations if method != "GET" and not path.endswith(READING)]


def test_the_owner_reaches_what_the_others_are_refused(api: ApiWorld) -> None:
    """Else a refusal below could mean that the ids or bodies were wrong."""
    of_others = (
        "/api/v1/people", "/api/v1/attempts", "/api/v1/tests", "/api/v1/claims", "/api/v1/decisions",
        "/api/v1/submissions",
        *FOR_EVERY_CONTRIBUTOR,
    )  # fmt: skip
    reading = [each for each in foreign(api) if each[0] == "GET" and not each[1].startswith(of_others)]
    answers = [(method, path, api.ask(api.owner.headers, method, path)) for method, path in reading]
    assert [said(*each) for each in answers if each[2].status_code != 200] == []
    assert any(SECRET in answer.text for _, _, answer in answers)
    assert len(foreign(api)) > 60


def test_without_a_key_nothing_answers(api: ApiWorld) -> None:
    before = events(api)
    assert not_refused(api, {}, api.operations(), {401}) == []
    assert events(api) == before


@pytest.mark.parametrize("who", ["stranger_owner", "stranger_reviewer"])
def test_strangers_find_nothing(api: ApiWorld, who: str) -> None:
    user: User = getattr(api, who)
    before = events(api)
    assert not_refused(api, user.headers, foreign(api)) == []
    assert events(api) == before


def test_a_contributor_finds_open_projects_and_tests_and_nothing_else(api: ApiWorld) -> None:
    before = events(api)
    closed = [each for each in foreign(api) if each[1] not in FOR_EVERY_CONTRIBUTOR]
    # To claim in an open project one has to join it first, which is said by a conflict.
    assert not_refused(api, api.stranger_contributor.headers, closed, REFUSED | {409}) == []
    assert events(api) == before


def test_a_colleague_meets_no_work_of_another(api: ApiWorld) -> None:
    """The other contributor of the same project: neither their attempt nor the client's side."""
    theirs = [
        each
        for each in foreign(api)
        if each[1] not in FOR_EVERY_CONTRIBUTOR
        and "{claim_id}" not in each[1]
        and not each[1].endswith("/claims")
        and "/practice/" not in each[1]
    ]
    assert not_refused(api, api.worker.headers, theirs) == []


def test_a_key_that_reads_changes_nothing(api: ApiWorld) -> None:
    before = events(api)
    assert not_refused(api, api.keys["read"], changing(api.operations()), {403, 404}) == []
    assert events(api) == before


@pytest.mark.parametrize("scope", ["work", "review"])
def test_a_key_without_the_scope_reads_nothing_of_the_client(api: ApiWorld, scope: str) -> None:
    of_the_person = {
        "/api/v1/me", "/api/v1/me/statement", "/api/v1/me/decisions", "/api/v1/me/skills",
        "/api/v1/submissions", "/api/v1/board", "/api/v1/tests",
        "/api/v1/task-types", "/api/v1/task-types/{name}",
    }  # fmt: skip
    of_the_person |= {"/api/v1/appeals", "/api/v1/appeals/{appeal_id}"}  # what a reviewer decides, as reviews/next
    reading = [each for each in api.operations() if each[0] == "GET" and each[1] not in of_the_person]
    assert not_refused(api, api.keys[scope], reading, {403, 404}) == []


def test_a_key_bound_to_one_organization_sees_no_other(api: ApiWorld) -> None:
    before = events(api)
    assert not_refused(api, api.keys["bound"], foreign(api)) == []
    lists = [("GET", path) for path in sorted(ABOUT_ONESELF) if path.rsplit("/", 1)[1] in OF_CLIENTS]
    assert not_refused(api, api.keys["bound"], lists, {200}) == []
    assert events(api) == before


def test_a_viewer_changes_nothing_and_meets_no_gold(api: ApiWorld) -> None:
    before = events(api)
    assert [
        each for each in changing(foreign(api)) if api.ask(api.viewer.headers, *each).status_code not in (403, 404)
    ] == []
    project = "/api/v1/projects/{project_id}"
    for path in (
        f"{project}/tasks/{{task_id}}/gold", f"{project}/gold", f"{project}/challenges",
        "/api/v1/assessments/{assessment_id}/items",
    ):  # fmt: skip
        assert api.ask(api.viewer.headers, "GET", path).status_code == 403
    assert events(api) == before


def test_an_operators_key_is_an_operator_only_with_the_scope(api: ApiWorld) -> None:
    runtime = api.judged.runtime
    with runtime.sessions.begin() as session:
        headers = key_of(session, api.world.operator.person, runtime, ["read", "projects", "work", "review"])
    before = events(api)
    assert not_refused(api, headers, foreign(api)) == []
    assert events(api) == before


def test_a_reviewer_who_lost_the_role_reviews_no_more(api: ApiWorld) -> None:
    review = ("POST", "/api/v1/submissions/{submission_id}/review")
    stranger, runtime = api.stranger_contributor, api.judged.runtime
    with runtime.sessions.begin() as session:
        named = ProjectReviewer(project_id=api.judged.project_id, person_id=stranger.id, created_at=runtime.clock.now())
        session.add(named)
    both = [review, ("POST", "/api/v1/reviews/next")]
    assert not_refused(api, stranger.headers, both, {404}) == []
    assert api.ask(api.world.reviewer.headers, *review).status_code == 201
