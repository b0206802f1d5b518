"""What a desk fetches: the scripts of its own kind of work and no other's."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest
from playwright.sync_api import Page, expect

from preceptor.kit.ids import show_id
from preceptor.tasktypes.base import task_type, task_types
from preceptor.web.assets import DIST_DIR, manifest
from preceptor.work import service as work
from tests.browser.conftest import Live, sign_in
from tests.factories import join
from tests.kind_world import template_world

pytestmark = pytest.mark.browser

KINDS = sorted(task_types())
_IMPORT = re.compile(r"""(?:from|import)\s*["'`]\./([^"'`]+\.js)["'`]""")


def static_imports(name: str) -> set[str]:
    """The script with all that it fetches before it runs."""
    found, ahead = {name}, [name]
    while ahead:
        new = set(_IMPORT.findall((DIST_DIR / ahead.pop()).read_text())) - found
        found |= new
        ahead += new
    return found


def own_scripts() -> dict[str, set[str]]:
    """By kind, the scripts that only this kind's element fetches."""
    needed = {kind: static_imports(manifest()[f"{_element(kind)}.js"]) for kind in KINDS}
    frame = static_imports(manifest()["app.js"]) | static_imports(manifest()["workspace.js"])
    return {
        kind: files - frame - {name for other, theirs in needed.items() if other != kind for name in theirs}
        for kind, files in needed.items()
    }


def _element(kind: str) -> str:
    return task_type(kind).element.removeprefix("preceptor-")


def fetched(page: Page) -> Iterator[str]:
    entries = page.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
    return (PurePosixPath(name).name for name in entries if name.endswith(".js"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_desk_fetches_no_script_of_another_kind(page: Page, live: Live, kind: str) -> None:
    now = live.clock.now()
    with live.runtime.sessions.begin() as session:
        world = template_world(session, kind=kind, key=task_type(kind).templates()[0].key, now=now)
        person = join(session, world, now=now)[0]
        claim = work.claim_next(session, person.actor, world.project.id, now=now).claim
    sign_in(page, live, person)
    page.goto(f"{live.url}/work/{show_id('project', world.project.id)}/{show_id('claim', claim.id)}")
    expect(page.locator(f"{task_type(kind).element} > *").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    own, seen = own_scripts(), set(fetched(page))
    assert own[kind]
    assert own[kind] <= seen
    for other in KINDS:
        if other != kind:
            assert not own[other] & seen, other
