"""Files in a real browser: dropped, paused, resumed after a reload, refused in words, listed, played, deleted."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect
from sqlalchemy import select

from preceptor.kit.ids import show_id
from preceptor.media.models import Media, MediaUpload
from preceptor.media.rules import media_url
from tests.browser.conftest import DESK, PHONE, Live, Scheme, check_axe, shoot, sign_in
from tests.factories import World, make_world
from tests.media import files
from tests.media.making import add_file

pytestmark = pytest.mark.browser


@pytest.fixture
def world(live: Live) -> World:
    with live.runtime.sessions.begin() as session:
        return make_world(session, now=live.clock.now(), tasks=0)


def files_page(live: Live, world: World) -> str:
    return f"{live.url}/projects/{show_id('project', world.project.id)}/files"


def throttle(page: Page, bytes_a_second: int) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second},
    )


def test_files_are_dropped_checked_listed_and_deleted(page: Page, live: Live, world: World, tmp_path: Path) -> None:
    picture, sound, hostile = tmp_path / "street.png", tmp_path / "speech.wav", tmp_path / "cat.jpg"
    picture.write_bytes(files.picture("JPEG", size=(800, 500)))
    sound.write_bytes(files.wav(3))
    hostile.write_bytes(files.picture("JPEG") + files.archive())
    sign_in(page, live, world.client, role="client")
    page.goto(files_page(live, world))
    expect(page.get_by_text("No files yet")).to_be_visible()
    check_axe(page)
    page.locator('preceptor-media-upload input[type="file"]').set_input_files([picture, sound, hostile])
    uploads = page.get_by_role("list", name="Uploads")
    expect(uploads.locator('[data-state="kept"]')).to_have_count(2)
    refused = uploads.locator('[data-state="failed"]')
    expect(refused).to_contain_text("at the same time a ZIP archive")
    expect(uploads).to_contain_text("The name ends in .png, but this is a JPEG image")
    listed = page.get_by_role("table", name="Files")
    expect(listed.get_by_role("row")).to_have_count(3)
    expect(listed.locator("img")).to_have_js_property("naturalWidth", 320)
    shoot(page, "media-uploaded")
    check_axe(page)

    listed.get_by_role("link", name="speech.wav").click()
    player = page.locator("audio")
    expect(player).to_have_js_property("readyState", 4)
    assert round(player.evaluate("player => player.duration")) == 3
    check_axe(page)
    shoot(page, "media-file")
    page.get_by_role("button", name="Delete file").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("speech.wav is deleted.")).to_be_visible()
    expect(page.get_by_role("table", name="Files").get_by_role("row")).to_have_count(2)


def test_a_dropped_file_goes_by_keyboard_alone_too(page: Page, live: Live, world: World, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("A few words.")
    sign_in(page, live, world.client, role="client")
    # Told beforehand: asked for together with the key, the browser sometimes gets the key first and opens nothing.
    page.on("filechooser", lambda _: None)
    page.goto(files_page(live, world))
    choose = page.get_by_role("button", name="Choose files")
    choose.focus()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(tmp_path / "notes.txt")
    expect(page.get_by_role("table", name="Files")).to_contain_text("notes.txt")


def test_an_upload_is_paused_and_goes_on_after_a_reload(page: Page, live: Live, world: World, tmp_path: Path) -> None:
    size = 24_000_000
    long = tmp_path / "interview.wav"
    long.write_bytes(files.wav(size / 8000))
    sign_in(page, live, world.client, role="client")
    page.goto(files_page(live, world))
    throttle(page, 6_000_000)
    page.locator('preceptor-media-upload input[type="file"]').set_input_files(long)
    line = page.locator(".upload-line")
    expect(line.get_by_role("progressbar")).to_be_visible()
    # Not before a part has been acknowledged.
    expect(line).to_contain_text(re.compile(r"[4-9]\d %"))
    shoot(page, "media-sending")
    line.get_by_role("button", name="Pause").click()
    expect(line).to_contain_text("Paused")
    check_axe(page)
    page.reload()
    note = page.get_by_text("Unfinished uploads.")
    expect(note).to_be_visible()
    expect(page.locator("preceptor-media-upload")).to_contain_text("interview.wav")
    shoot(page, "media-unfinished")
    check_axe(page)

    offsets: list[int] = []

    def note_part(request: Request) -> None:
        if request.method == "PATCH":
            offsets.append(int(request.headers["upload-offset"]))

    page.on("request", note_part)
    throttle(page, -1)
    page.locator('preceptor-media-upload input[type="file"]').set_input_files(long)
    expect(page.locator('.upload-line[data-state="kept"]')).to_be_visible()
    assert offsets[0] >= 8 * 1024**2, "it went on where it had stopped"
    with live.runtime.sessions() as session:
        kept = session.scalars(select(Media)).one()
        assert session.scalars(select(MediaUpload)).one().media_id == kept.id
    assert (kept.size_bytes, kept.duration_ms) == (long.stat().st_size, 3_000_000)


@pytest.mark.parametrize(("scheme", "viewport"), [("light", DESK), ("dark", DESK), ("light", PHONE)],
                         ids=["light", "dark", "phone"])  # fmt: skip
def test_lists_of_files(
    open_page: Callable[..., Page], live: Live, world: World, scheme: Scheme, viewport: dict[str, int]
) -> None:
    kinds = [
        (files.picture("PNG", size=(600, 400)), "A street in the rain.png"), (files.photo(), "portrait.jpg"),
        (files.wav(65), "Interview 3, second part.wav"), (files.mp4(90), "screen recording.mp4"),
        (files.pdf(), "Annual report.pdf"), (files.values(), "words.csv"),
    ]  # fmt: skip
    for data, name in kinds:
        add_file(live.runtime, world.client.actor, world.organization.id, data, name, project_id=world.project.id)
    page = open_page(scheme, viewport)
    sign_in(page, live, world.client, role="client")
    page.goto(files_page(live, world))
    expect(page.get_by_role("row" if viewport is DESK else "link").filter(has_text="Annual report")).to_be_visible()
    shoot(page, f"media-list-{scheme}-{viewport['width']}")
    check_axe(page)
    page.get_by_role("link", name="A street in the rain.png").click()
    expect(page.locator(".media-preview img")).to_have_js_property("naturalWidth", 600)
    shoot(page, f"media-picture-{scheme}-{viewport['width']}")
    check_axe(page)
    page.go_back()
    page.get_by_role("link", name="Audio", exact=True).click()
    expect(page.get_by_text("Annual report.pdf")).to_have_count(0)


def test_a_task_shows_and_plays_its_files(page: Page, live: Live, world: World) -> None:
    actor, org = world.client.actor, world.organization.id
    picture = add_file(live.runtime, actor, org, files.picture("PNG", size=(600, 300)), "street.png")
    sound = add_file(live.runtime, actor, org, files.wav(4), "speech.wav")
    report = add_file(live.runtime, actor, org, files.pdf(), "report.pdf")
    parts = [
        {"type": "text", "text": "Which description fits **both**?"},
        {"type": "image_url", "image_url": {"url": media_url(picture.id), "alt": "A street"}},
        {"type": "audio_url", "audio_url": {"url": media_url(sound.id), "title": "What the person says"}},
        {"type": "file", "file": {"file_url": media_url(report.id), "filename": "report.pdf"}},
    ]
    payload = {
        "prompt": [{"role": "user", "content": parts}],
        "responses": [
            {"id": "r1", "messages": [{"role": "assistant", "content": "A street in the rain."}]},
            {"id": "r2", "messages": [{"role": "assistant", "content": "A forest."}]},
        ],
    }
    project = show_id("project", world.project.id)
    sign_in(page, live, world.client, role="client")
    sent = page.request.post(
        f"{live.url}/api/v1/projects/{project}/tasks",
        data={"tasks": [{"external_id": "one", "payload": payload}]},
        headers=world.client.headers,
    )
    assert sent.ok, sent.text()
    page.goto(f"{live.url}/projects/{project}/tasks")
    page.get_by_role("link", name="Which description fits both?").click()
    expect(page.locator('img[alt="A street"]')).to_have_js_property("naturalWidth", 600)
    expect(page.locator("audio")).to_have_js_property("readyState", 4)
    with page.expect_download() as download:
        page.get_by_role("link", name="report.pdf").click()
    assert download.value.suggested_filename == "report.pdf"
    shoot(page, "media-task")
    check_axe(page)
    page.goto(files_page(live, world))
    expect(page.get_by_role("table", name="Files")).to_contain_text("1 task")
