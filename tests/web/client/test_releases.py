"""A client's releases and models."""

import hashlib
import re

from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from tests.factories import World
from tests.web.acting import Desk
from tests.web.client.house import House
from tests.web.client.material import base, judged


def test_a_release_is_read_as_its_card_and_fetched_by_signed_links(house: House) -> None:
    here = f"{house.base}/releases/{house.ids['release_id']}"
    page = house.owner.get(here).text
    assert "pairs = load_dataset" in page
    assert "RewardTrainer" in page
    assert "first finished release" in page
    assert "---\n" not in page
    link = house.owner.get(f"{here}/file?path=manifest.json")
    assert link.status_code == 303
    assert link.headers["location"].startswith("/files/releases/")
    assert hashlib.sha256(house.owner.get(link.headers["location"]).content).hexdigest() in page
    assert house.owner.get(f"{here}/file?path=../../secret").status_code == 404


def test_a_second_release_says_what_changed(house: House) -> None:
    second = house.judged.release("Second")
    page = house.owner.get(f"{house.base}/releases/{show_id('release', second.id)}").text
    assert "0 added, 0 changed, 0 removed" in page


def test_a_release_of_nothing_is_refused_in_words(desk: Desk, world: World) -> None:
    answer = desk.post(f"{base(world)}/releases", title="Empty")
    assert answer.status_code == 422
    assert "no judgments" in answer.text


def test_a_release_in_the_making_shows_its_progress(
    desk: Desk, runtime: Runtime, world: World, session: Session, clock: FixedClock
) -> None:
    judged(session, world, clock)
    asked = desk.post(f"{base(world)}/releases", title="Soon")
    assert asked.status_code == 303, asked.text
    page = desk.get(asked.headers["location"])
    assert "Waiting for a worker" in page.text
    assert 'hx-trigger="every 1s"' in page.text


def test_a_model_is_shown_beside_the_length_baseline_and_scores(house: House) -> None:
    here = f"{house.base}/models/{house.ids['model_id']}"
    page = house.owner.get(here).text
    assert "Always the longer response" in page
    assert "Accuracy of the model" in page
    scored = house.owner.post(f"{here}/score", prompt="What is 2 + 2?", response_a="It is 4.", response_b="It is 4.")
    assert re.search(r"[+-]\d+\.\d{3}", scored.text)
    assert "It finds both equally good." in scored.text
    refused = house.owner.post(f"{here}/score", prompt="", response_a="")
    assert "Give a prompt" in refused.text
    assert house.ids["model_id"] in house.owner.get("/models").text
    assert house.ids["model_id"] not in house.stranger.get("/models").text
