"""What the desk offers people who write: previews and near duplicates."""

from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.tasktypes.messages import MESSAGE_CHARACTERS_MAX
from preceptor.web.preview import PREVIEWS_PER_PERSON
from tests.factories import World, join, make_world
from tests.web.acting import Seating

HOSTILE = "**bold** <script>alert(1)</script> [x](javascript:alert(1)) $x^2$\nnext line"


def world_of(session: Session, clock: FixedClock, kind: str) -> World:
    world = make_world(session, now=clock.now())
    world.project.task_type, world.project.config = kind, {"difficulties": []} if kind == "prompt" else {}
    for task in world.tasks:
        task.payload = {"topic": "Heat"} if kind == "prompt" else {"prompt": [{"role": "user", "content": "Why?"}]}
    session.flush()
    return world


def test_a_preview_is_what_readers_get(seat: Seating, session: Session, clock: FixedClock) -> None:
    worker = join(session, make_world(session, now=clock.now()), now=clock.now())[0]
    shown = seat(worker).send("POST", "/preview", {"text": HOSTILE})
    assert shown.status_code == 200
    html = shown.json()["html"]
    assert "<strong>bold</strong>" in html
    assert "<math" in html
    assert "<br>" in html
    assert "<script" not in html
    assert "href" not in html


def test_a_preview_has_limits_of_size_and_number(seat: Seating, session: Session, clock: FixedClock) -> None:
    worker = join(session, make_world(session, now=clock.now()), now=clock.now())[0]
    desk = seat(worker)
    assert desk.send("POST", "/preview", {"text": "x" * (MESSAGE_CHARACTERS_MAX + 1)}).status_code == 422
    codes = {desk.send("POST", "/preview", {"text": "x"}).status_code for _ in range(PREVIEWS_PER_PERSON.maximum)}
    assert codes == {200}
    assert desk.send("POST", "/preview", {"text": "x"}).status_code == 429


def test_a_preview_is_for_people_who_are_signed_in(seat: Seating) -> None:
    assert seat.client.post("/preview", json={"text": "x"}).status_code in (401, 403)


def test_the_desk_offers_a_search_only_where_texts_are_compared(
    seat: Seating, session: Session, clock: FixedClock
) -> None:
    for kind, offered in (("prompt", True), ("demonstration", False)):
        world = world_of(session, clock, kind)
        desk = seat(join(session, world, now=clock.now())[0])
        path = desk.post(f"/work/{show_id('project', world.project.id)}").headers["location"]
        urls = desk.workspace(path)["urls"]
        assert ("similar" in urls) == offered
        answer = {"messages": [{"role": "user", "content": "Why is steam hot?"}]}
        found = desk.send("POST", f"{path}/similar", {"answer": answer})
        assert found.status_code == (200 if offered else 404)
        assert not offered or found.json() == {"similar": [], "refused": False}
