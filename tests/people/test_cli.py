"""`preceptor user`, as an administrator types it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from preceptor.cli.users import app
from preceptor.http.edge import COOKIE
from preceptor.kit.runtime import Runtime
from preceptor.people import identify
from tests.people.test_pages import Browser

Run = Callable[..., str]


@pytest.fixture
def run(open_runtime: Callable[..., Runtime], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    runtime = open_runtime()
    url = runtime.engine.url.render_as_string(hide_password=False).replace("postgresql+psycopg", "postgresql")
    monkeypatch.setenv("PRECEPTOR_DATABASE_URL", url)
    monkeypatch.setenv("PRECEPTOR_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PRECEPTOR_ARGON2_MEMORY_KIB", "8")
    monkeypatch.setenv("PRECEPTOR_PUBLIC_URL", "http://testserver")

    def invoke(*words: str, stdin: str = "", status: int = 0) -> str:
        result = CliRunner().invoke(app, list(words), input=stdin)
        assert result.exit_code == status, result.output
        return result.output

    return invoke


def test_the_first_operator_is_made_and_signs_in(run: Run, open_runtime: Callable[..., Runtime]) -> None:
    run("create", "boss@example.org", "--operator", "--password-stdin", stdin="quiet lantern orbit\n")
    browser = Browser(open_runtime())
    browser.sign_in("boss@example.org")
    assert COOKIE in browser.http.cookies
    assert "boss@example.org" in browser.get("/operator/people")
    assert "boss@example.org" in run("list", "--only", "operators")
    assert "uses this e-mail address" in run("create", "Boss@example.org", status=1)


def test_without_a_password_a_link_sets_it(run: Run, open_runtime: Callable[..., Runtime]) -> None:
    output = run("create", "ada@example.org", "--contributor")
    link = next(word for word in output.split() if "/reset/" in word)
    browser = Browser(open_runtime())
    browser.post(link.removeprefix("http://testserver"), password="quiet lantern orbit")
    browser.sign_in("ada@example.org")
    assert run("reset-password", "ada@example.org").startswith("http://testserver/reset/")
    assert "does not exist" in run("reset-password", "nobody@example.org", status=1)


def test_a_key_is_printed_alone(run: Run, open_runtime: Callable[..., Runtime]) -> None:
    run("create", "ada@example.org")
    run("role", "ada@example.org", "reviewer")
    secret = run("key", "ada@example.org", "--scope", "read", "--scope", "review").strip()
    runtime = open_runtime()
    with runtime.sessions() as session:
        actor = identify.by_api_key(session, secret, now=runtime.clock.now()).actor
    assert (actor.roles, actor.scopes) == (frozenset({"reviewer"}), frozenset({"read", "review"}))
