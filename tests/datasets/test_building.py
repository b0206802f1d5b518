"""What a release holds, seen in its files."""

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from preceptor.datasets import service as datasets
from preceptor.datasets.models import Release, ReleaseState
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Task
from preceptor.training.reward import load_pairs
from preceptor.work.models import Decision
from tests.conftest import NOW
from tests.datasets.judged import GUIDELINES, Judged, make_judged
from tests.factories import pair_payload

OpenRuntime = Callable[..., Runtime]


@pytest.fixture
def judged(open_runtime: OpenRuntime) -> Judged:
    """Four tasks of three people: one unanimous, one by majority, one split three ways of two, one rejected vote."""
    world = make_judged(open_runtime(), tasks=4, people=3, overlap=3, now=NOW)
    first, second, third = world.people
    for votes in ([first, "r1"], [second, "r1"], [third, "r1"]):
        world.judge(votes[0], votes[1])  # type: ignore[arg-type]
    for person, better in ((first, "r1"), (second, "r1"), (third, "r2")):
        world.judge(person, better)
    for person, better in ((first, "r1"), (second, "r2"), (third, "tie")):
        world.judge(person, better)
    world.judge(first, "r2")
    world.decide(world.judge(second, "r1"), Decision.REJECT)
    world.approve_all()
    return world


def exported(judged: Judged, release: Release, folder: Path) -> Path:
    with judged.runtime.sessions.begin() as session:
        datasets.export_release(session, judged.world.client.actor, judged.runtime.storage, release.id, folder)
    return folder


def rows(folder: Path, config: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder / config).to_pylist()
    return found


def test_pairs_are_what_people_decided_in_the_trainers_columns(judged: Judged, tmp_path: Path) -> None:
    folder = exported(judged, judged.release(), tmp_path / "out")
    tasks = [show_id("task", task.id) for task in judged.world.tasks]
    pairs = sorted(rows(folder, "pairs"), key=lambda pair: tasks.index(pair["task_id"]))
    assert [(pair["task_id"], pair["chosen_id"], pair["votes_chosen"], pair["votes_rejected"]) for pair in pairs] == [
        (tasks[0], "r1", 3, 0),
        (tasks[1], "r1", 2, 1),
        (tasks[3], "r2", 1, 0),
    ]
    assert pairs[0]["prompt"] == [{"role": "user", "content": "What is 0 + 0?"}]
    assert pairs[0]["chosen"] == [{"role": "assistant", "content": "It is 0."}]
    assert all(isinstance(pair["margin"], float) for pair in pairs)
    assert len(load_pairs(folder)) == 3


def test_every_judgment_is_there_with_its_state_and_only_approved_ones_count(judged: Judged, tmp_path: Path) -> None:
    pending = judged.judge(judged.people[2], "r1")
    folder = exported(judged, judged.release(), tmp_path / "out")
    judgments = rows(folder, "judgments")
    assert sorted((row["state"], row["counted"]) for row in judgments) == [
        *[("approved", True)] * 10,
        ("rejected", False),
        ("submitted", False),
    ]
    assert show_id("submission", pending) in {row["submission_id"] for row in judgments}
    assert {row["guidelines_version"] for row in judgments} == {1}
    assert {row["seconds"] for row in judgments} == {20.0}


def test_no_personal_data_is_in_any_file(judged: Judged, tmp_path: Path) -> None:
    folder = exported(judged, judged.release(), tmp_path / "out")
    people = [*judged.people, judged.world.client, judged.world.reviewer]
    secrets = [text for user in people for text in (user.person.email, user.person.name, user.id.hex, str(user.id))]
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        text = gzip.decompress(content) if path.suffix == ".gz" else content
        if path.suffix == ".parquet":
            text = json.dumps(pq.read_table(path).to_pylist()).encode()
        assert not [secret for secret in secrets if secret.encode() in text], path


def test_pseudonyms_are_the_same_in_every_release_and_differ_between_people(judged: Judged, tmp_path: Path) -> None:
    one = rows(exported(judged, judged.release(), tmp_path / "one"), "judgments")
    two = rows(exported(judged, judged.release("Second"), tmp_path / "two"), "judgments")
    assert [row["person"] for row in one] == [row["person"] for row in two]
    assert len({row["person"] for row in one}) == 3


def test_building_the_same_release_twice_gives_the_same_digest(judged: Judged) -> None:
    release = judged.release()
    again = datasets.build_release(judged.runtime, release.id)
    assert (again.sha256, again.built_at) == (release.sha256, release.built_at)

    other = judged.release("Second")
    assert release.manifest is not None
    assert other.manifest is not None
    differing = {
        path for path, fact in other.manifest["files"].items() if fact != release.manifest["files"][path]
    }  # fmt: skip
    assert differing == {"README.md"}


def test_the_manifest_describes_every_file(judged: Judged, tmp_path: Path) -> None:
    release = judged.release()
    folder = exported(judged, release, tmp_path / "out")
    content = (folder / "manifest.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == release.sha256
    files = json.loads(content)["files"]
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {*files, "manifest.json"}
    for path, fact in files.items():
        assert hashlib.sha256((folder / path).read_bytes()).hexdigest() == fact["sha256"]
        assert (folder / path).stat().st_size == fact["bytes"]
    assert files["pairs/train-00000.parquet"]["rows"] == files["jsonl/pairs.jsonl.gz"]["rows"] == 3
    assert (folder / "guidelines" / "v1.md").read_text() == GUIDELINES


def test_json_copies_hold_the_same_rows(judged: Judged, tmp_path: Path) -> None:
    folder = exported(judged, judged.release(), tmp_path / "out")
    for config in ("pairs", "judgments"):
        lines = gzip.decompress((folder / "jsonl" / f"{config}.jsonl.gz").read_bytes()).splitlines()
        assert [json.loads(line) for line in lines] == rows(folder, config)


def test_provenance_leads_from_a_pair_to_submissions_reviews_and_pay(judged: Judged, tmp_path: Path) -> None:
    folder = exported(judged, judged.release(), tmp_path / "out")
    found = {row["task_id"]: row for row in pq.read_table(folder / "provenance.parquet").to_pylist()}
    split = found[show_id("task", judged.world.tasks[3].id)]
    approved, rejected = split["judgments"]
    assert (approved["state"], approved["paid"], approved["review_id"]) == ("approved", True, None)
    assert (rejected["state"], rejected["paid"], rejected["review_decision"]) == ("rejected", False, "reject")
    assert (approved["rate_amount"], approved["rate_currency"]) == ("0.42", "USD")
    lines = gzip.decompress((folder / "jsonl" / "pairs.jsonl.gz").read_bytes()).splitlines(keepends=True)
    digests = [hashlib.sha256(line).hexdigest()[:16] for line in lines]
    assert [digest for row in found.values() for digest in row["pair_digests"]] == digests


def test_gold_tasks_give_no_pairs_but_their_judgments_stay(judged: Judged, tmp_path: Path) -> None:
    judged.make_gold(judged.world.tasks[0])
    folder = exported(judged, judged.release(), tmp_path / "out")
    gold = show_id("task", judged.world.tasks[0].id)
    assert gold not in {row["task_id"] for row in rows(folder, "pairs")}
    assert sum(row["task_id"] == gold for row in rows(folder, "judgments")) == 3
    marked = pq.read_table(folder / "provenance.parquet").to_pylist()
    assert [row["task_id"] for row in marked if row["gold"]] == [gold]
    assert "It adds up." not in (folder / "README.md").read_text()


def test_imported_answers_are_used_only_where_nobody_judged(judged: Judged, tmp_path: Path) -> None:
    unjudged = _further_task(judged, 10)
    with judged.runtime.sessions.begin() as session:
        session.add_all([unjudged, _further_task(judged, 11)])
    judged.give_imported_answer(judged.world.tasks[0], "r2", {"r2": 9})
    judged.give_imported_answer(unjudged, "r2", {"r1": 1, "r2": 3})
    pairs = rows(exported(judged, judged.release(), tmp_path / "out"), "pairs")
    assert sorted((pair["label_source"], pair["chosen_id"]) for pair in pairs) == [
        ("imported", "r2"),
        ("judgments", "r1"),
        ("judgments", "r1"),
        ("judgments", "r2"),
    ]
    imported = next(pair for pair in pairs if pair["label_source"] == "imported")
    assert (imported["votes_chosen"], imported["votes_rejected"], imported["margin"]) == (3, 1, 0.5)


def _further_task(judged: Judged, number: int) -> Task:
    return Task(
        project_id=judged.project_id, external_id=f"sum-{number}", payload=pair_payload(number),
        position=number, wanted=3, created_at=NOW,
    )  # fmt: skip


def test_the_card_says_what_the_data_says(judged: Judged, tmp_path: Path) -> None:
    release = judged.release('Spring | "pilot"\n---\nlicense: mit')
    card = (exported(judged, release, tmp_path / "out") / "README.md").read_text()
    header = card.split("---\n")[1]
    assert "license: unknown" in header
    assert "path: pairs/train-*.parquet" in header
    assert header.count("license:") == 2  # the one in the title is inside its quotes
    assert "**3 rows of `pairs`** out of **11 individual judgments** on 4 tasks" in card
    assert "People: 3." in card
    assert "0.42 USD (11)" in card
    assert "Paid for approved judgments: 4.20 USD" in card
    assert "alpha (nominal)" in card
    assert "> The right sum is better. <b>Really.</b>" in card
    assert "| Right | The choice is right. | 1 to 7 | 1 |" in card
    assert "from 2026-03-02 to 2026-03-02" in card


def test_a_release_is_a_cut_through_one_moment(judged: Judged, tmp_path: Path) -> None:
    """Decisions made while pages are being written must not show in some rows and not in others."""
    pending = judged.judge(judged.people[2], "r1")
    with judged.runtime.sessions.begin() as session:
        asked = datasets.request_release(session, judged.world.client.actor, judged.project_id, "Cut", now=judged.now)
    release = datasets.build_release(judged.runtime, asked.id, lambda done, total: judged.approve_all())
    states = {
        row["submission_id"]: row["state"] for row in rows(exported(judged, release, tmp_path / "o"), "judgments")
    }
    assert states[show_id("submission", pending)] == "submitted"


def test_progress_ends_at_the_number_of_tasks(judged: Judged) -> None:
    release = judged.release()
    assert (release.state, release.rows_done, release.rows_total) == (ReleaseState.READY, 4, 4)
    assert (release.pairs, release.judgments) == (3, 11)
