"""Releases carry what the quality engine says, decide by it where asked, and tell which fit it was."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from preceptor.cli import releases as commands
from preceptor.cli.application import create_app
from preceptor.datasets import service as datasets
from preceptor.datasets.errors import NotFitted
from preceptor.datasets.files import fact_of
from preceptor.datasets.models import Release, ReleaseState
from preceptor.datasets.options import DecidedBy, ReleaseOptions
from preceptor.datasets.posteriors import assumed_chances, likeliest, soft_label
from preceptor.kit.errors import Invalid
from preceptor.kit.ids import new_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.identify import csrf_token
from preceptor.people.service.sessions import start_session
from preceptor.projects.models import Task, TaskGold
from preceptor.training.reward import load_pairs
from preceptor.work import queries_quality
from preceptor.work.models import Decision
from preceptor.work.models_quality import QualityFit, TaskQuality
from preceptor.work.service.fitting import fit_project
from preceptor.work.service.overlap import weigh
from tests.conftest import NOW
from tests.datasets.judged import Judged, make_judged
from tests.factories import pair_payload
from tests.web.acting import Desk

OpenRuntime = Callable[..., Runtime]

CAREFUL, CARELESS = 3, 2
TASKS = 9
QUALITY_COLUMNS = (
    "probability", "soft_chosen", "soft_rejected", "soft_tie", "ambiguity", "probability_source", "gold",
)  # fmt: skip
POSTERIOR = ReleaseOptions(DecidedBy.POSTERIOR)
MAJORITY = ReleaseOptions(DecidedBy.MAJORITY)


@pytest.fixture
def judged(open_runtime: OpenRuntime) -> Judged:
    """Three people who always see r1 as better, except on the last task, which they see as the opposite; two who say
    the opposite of what the three say on every third task."""
    world = make_judged(open_runtime(), tasks=TASKS, people=CAREFUL + CARELESS, overlap=5, now=NOW)
    for number, person in enumerate(world.people):
        for task in range(TASKS):
            right = "r2" if task == TASKS - 1 else "r1"
            wrong = "r1" if right == "r2" else "r2"
            world.judge(person, wrong if number >= CAREFUL and task % 3 == number - CAREFUL else right)
    world.approve_all()
    return world


def fitted(judged: Judged) -> UUID:
    fit = fit_project(judged.runtime, judged.project_id, new_id())
    assert fit is not None
    return fit.id


def released(judged: Judged, options: ReleaseOptions | None = None, title: str = "First") -> Release:
    with judged.runtime.sessions.begin() as session:
        asked = datasets.request_release(
            session, judged.world.client.actor, judged.project_id, title, options=options, now=judged.now
        )
    return datasets.build_release(judged.runtime, asked.id)


def exported(judged: Judged, release: Release, folder: Path) -> Path:
    with judged.runtime.sessions.begin() as session:
        datasets.export_release(session, judged.world.client.actor, judged.runtime.storage, release.id, folder)
    return folder


def pairs(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder / "pairs").to_pylist()
    return found


def kept(judged: Judged) -> dict[str, TaskQuality]:
    with judged.runtime.sessions() as session:
        return {show_id("task", row.task_id): row for row in session.query(TaskQuality)}


def change_posterior(judged: Judged, number: int, chances: dict[str, float], ambiguity: float = 0.0) -> str:
    """As a later fit would write it."""
    with judged.runtime.sessions.begin() as session:
        row = session.get_one(TaskQuality, judged.world.tasks[number].id)
        row.units, row.ambiguity = {"r1|r2": chances}, ambiguity
    return show_id("task", judged.world.tasks[number].id)


def _further_task(judged: Judged, number: int) -> Task:
    return Task(
        project_id=judged.project_id, external_id=f"sum-{number}", payload=pair_payload(number),
        position=number, wanted=3, created_at=NOW,
    )  # fmt: skip


# --- Columns


def test_probabilities_are_those_of_the_fit_and_filled_in_every_row(judged: Judged, tmp_path: Path) -> None:
    fitted(judged)
    rows, posteriors = pairs(exported(judged, released(judged), tmp_path / "out")), kept(judged)
    assert len(rows) == TASKS
    for row in rows:
        chance = posteriors[row["task_id"]].units["r1|r2"][row["chosen_id"]]
        assert row["probability"] == pytest.approx(chance, abs=1e-4)
        assert row["soft_chosen"] + row["soft_rejected"] + row["soft_tie"] == pytest.approx(1, abs=2e-4)
        assert (row["probability_source"], row["gold"]) == ("fit", False)
        assert row["ambiguity"] is not None


def test_without_a_fit_probabilities_rest_on_the_projects_standard_and_say_so(judged: Judged, tmp_path: Path) -> None:
    release = released(judged)
    rows = pairs(exported(judged, release, tmp_path / "out"))
    assert {row["probability_source"] for row in rows} == {"assumed"}
    with judged.runtime.sessions() as session:
        ids = [task.id for task in judged.world.tasks]
        # As adaptive overlap weighs them at submit, before anything is known about people.
        at_submit = {
            show_id("task", row.id): weigh(row).units["r1|r2"]
            for row in session.execute(queries_quality.STANDING, {"task_ids": ids})
        }
    for row in rows:
        assert row["probability"] == pytest.approx(at_submit[row["task_id"]][row["chosen_id"]], abs=1e-4)
    assert {row["ambiguity"] for row in rows} == {None}
    assert release.manifest is not None
    assert (release.manifest["quality"]["fits"], release.manifest["quality"]["assumed_tasks"]) == ([], TASKS)
    card = (tmp_path / "out" / "README.md").read_text()
    assert f"{TASKS} tasks rest on no fit" in card
    assert "right in 70 % of judgments" in card


def test_types_are_the_same_with_and_without_a_fit(judged: Judged, tmp_path: Path) -> None:
    without = exported(judged, released(judged), tmp_path / "without")
    fitted(judged)
    with_fit = exported(judged, released(judged), tmp_path / "with")
    schemas = [pq.read_schema(folder / "pairs" / "train-00000.parquet") for folder in (without, with_fit)]
    assert schemas[0] == schemas[1]
    for name in ("probability", "soft_chosen", "soft_rejected", "soft_tie", "ambiguity", "margin"):
        assert schemas[0].field(name).type == pa.float64()
    assert {"prompt", "chosen", "rejected", "margin", "votes_chosen", "votes_rejected"} <= set(schemas[0].names)


def test_margins_and_votes_do_not_change_with_the_rule(judged: Judged, tmp_path: Path) -> None:
    fitted(judged)
    found = [
        {row["task_id"]: (row["chosen_id"], row["margin"], row["votes_chosen"]) for row in pairs(folder)}
        for folder in (
            exported(judged, released(judged, MAJORITY), tmp_path / "majority"),
            exported(judged, released(judged, POSTERIOR), tmp_path / "posterior"),
        )
    ]
    assert found[0] == found[1]


def test_soft_labels_follow_the_votes_where_people_legitimately_differ(judged: Judged, tmp_path: Path) -> None:
    fitted(judged)
    task = change_posterior(judged, 0, {"r1": 0.99, "r2": 0.01, "tie": 0.0}, ambiguity=1.0)
    (row,) = [row for row in pairs(exported(judged, released(judged), tmp_path / "out")) if row["task_id"] == task]
    assert (row["votes_chosen"], row["votes_rejected"], row["probability"]) == (4, 1, 0.99)
    assert (row["soft_chosen"], row["soft_rejected"]) == (
        pytest.approx(6 / 9, abs=1e-4),
        pytest.approx(3 / 9, abs=1e-4),
    )


def test_imported_labels_have_the_probability_of_their_votes(judged: Judged, tmp_path: Path) -> None:
    task = _further_task(judged, 99)
    with judged.runtime.sessions.begin() as session:
        session.add(task)
    judged.give_imported_answer(task, "r2", {"r1": 1, "r2": 3})
    fitted(judged)
    rows = pairs(exported(judged, released(judged, POSTERIOR), tmp_path / "out"))
    (row,) = [row for row in rows if row["label_source"] == "imported"]
    expected = assumed_chances(("r1", "r2", "tie"), {"r1": 1, "r2": 3}, 0.7)["r2"]
    assert (row["chosen_id"], row["probability"], row["probability_source"]) == ("r2", round(expected, 4), "assumed")


def test_judgments_that_came_after_the_fit_are_weighed_by_what_it_knows_of_people(
    judged: Judged, tmp_path: Path
) -> None:
    fit_id = fitted(judged)
    with judged.runtime.sessions.begin() as session:
        session.add(_further_task(judged, 99))
    for person, better in zip(judged.people[2:], ("r1", "r2", "r2"), strict=True):
        judged.judge(person, better)
    judged.approve_all()
    release = released(judged, MAJORITY)
    folder = exported(judged, release, tmp_path / "out")
    (row,) = [row for row in pairs(folder) if row["external_id"] == "sum-99"]
    (source,) = [
        row for row in pq.read_table(folder / "provenance.parquet").to_pylist() if row["external_id"] == "sum-99"
    ]
    assert (source["fit_id"], source["weighed_judgments"], source["weighed_at"]) == (show_id("fit", fit_id), 3, None)
    assert (row["chosen_id"], row["votes_chosen"], row["probability_source"]) == ("r2", 2, "fit")
    assert release.manifest is not None
    assert release.manifest["quality"]["weighed_anew_tasks"] == 1
    # The careful one of the three counts for more than under the assumption that all are alike.
    assert row["probability"] < assumed_chances(("r1", "r2", "tie"), {"r1": 1, "r2": 2}, 0.7)["r2"]
    assert "1 of these tasks were judged since" in (folder / "README.md").read_text()

    fitted(judged)
    newer = released(judged, MAJORITY)
    assert newer.manifest is not None
    assert newer.manifest["quality"]["weighed_anew_tasks"] == 0


def test_a_judgment_that_was_rejected_since_the_fit_is_not_in_the_chances(judged: Judged, tmp_path: Path) -> None:
    with judged.runtime.sessions.begin() as session:
        session.add(_further_task(judged, 99))
    submissions = [judged.judge(person, "r1") for person in judged.people[:3]]
    fitted(judged)
    judged.decide(submissions[0], Decision.REJECT)
    folder = exported(judged, released(judged), tmp_path / "out")
    (source,) = [
        row for row in pq.read_table(folder / "provenance.parquet").to_pylist() if row["external_id"] == "sum-99"
    ]
    assert (source["weighed_judgments"], source["weighed_at"]) == (2, None)


# --- Who decides


def test_the_posterior_decides_where_asked_and_only_from_its_threshold_on(judged: Judged, tmp_path: Path) -> None:
    fitted(judged)
    overruled = change_posterior(judged, 0, {"r1": 0.2, "r2": 0.79, "tie": 0.01})
    unsure = change_posterior(judged, 1, {"r1": 0.4, "r2": 0.3, "tie": 0.3})
    tied = change_posterior(judged, 2, {"r1": 0.02, "r2": 0.01, "tie": 0.97})
    rows = {row["task_id"]: row for row in pairs(exported(judged, released(judged, POSTERIOR), tmp_path / "low"))}
    assert (rows[overruled]["chosen_id"], rows[overruled]["votes_chosen"], rows[overruled]["margin"]) == ("r2", 1, 0.0)
    assert not {unsure, tied} & set(rows)
    strict = ReleaseOptions(DecidedBy.POSTERIOR, threshold=0.8)
    release = released(judged, strict)
    folder = exported(judged, release, tmp_path / "high")
    assert overruled not in {row["task_id"] for row in pairs(folder)}
    assert all(row["probability"] >= 0.8 for row in pairs(folder))
    assert release.manifest is not None
    assert release.manifest["consensus"] == {"decided_by": "posterior", "threshold": 0.8, "gold": False}
    assert "its probability is at least 0.8" in (folder / "README.md").read_text()
    by_votes = {
        row["task_id"]: row["chosen_id"] for row in pairs(exported(judged, released(judged, MAJORITY), tmp_path / "m"))
    }
    assert (by_votes[overruled], by_votes[unsure], by_votes[tied]) == ("r1", "r1", "r1")


def change_fit(judged: Judged, fit_id: UUID, *, known: int, accuracy: float | None) -> None:
    """As a fit with so many known answers would say; the majority is right in 0.9 of them."""
    with judged.runtime.sessions.begin() as session:
        fit = session.get_one(QualityFit, fit_id)
        fit.diagnostics = {**fit.diagnostics, "gold": known}
        fit.accuracy, fit.majority_accuracy = accuracy, 0.9 if known else None


def test_left_open_votes_decide_until_known_answers_show_that_the_fit_is_no_worse(judged: Judged) -> None:
    def rule(title: str) -> tuple[DecidedBy | None, float | None]:
        options = datasets.options_of(released(judged, title=title))
        return options.decided_by, options.least

    assert rule("never fitted") == (DecidedBy.MAJORITY, None)
    fit_id = fitted(judged)
    assert rule("nothing known") == (DecidedBy.MAJORITY, None)
    change_fit(judged, fit_id, known=19, accuracy=0.9)
    assert rule("too little known") == (DecidedBy.MAJORITY, None)
    change_fit(judged, fit_id, known=20, accuracy=0.89)
    assert rule("worse") == (DecidedBy.MAJORITY, None)
    change_fit(judged, fit_id, known=20, accuracy=0.9)
    assert rule("no worse") == (DecidedBy.POSTERIOR, 0.5)


def test_a_posterior_is_not_asked_of_a_project_that_was_never_fitted(judged: Judged) -> None:
    with pytest.raises(NotFitted):
        released(judged, POSTERIOR)


@pytest.mark.parametrize("threshold", [0.49, 1.0, -1.0, float("nan"), float("inf")])
def test_a_threshold_that_decides_nothing_is_refused(threshold: float) -> None:
    with pytest.raises(Invalid, match="threshold"):
        ReleaseOptions(DecidedBy.POSTERIOR, threshold).settled(DecidedBy.MAJORITY)


def test_two_labels_with_the_same_chance_decide_nothing() -> None:
    assert likeliest({"r1": 0.5, "r2": 0.5, "tie": 0.0}, 0.5) is None
    assert likeliest({"r1": 0.5, "r2": 0.3, "tie": 0.2}, 0.5) == "r1"
    assert likeliest({}, 0.5) is None


# --- Chances before a fit, and soft labels


def test_votes_multiply_the_odds() -> None:
    chances = assumed_chances(("r1", "r2", "tie"), {"r1": 2, "r2": 1}, 0.7)
    assert chances["r1"] / chances["r2"] == pytest.approx(0.7 / 0.15)
    assert chances["r2"] / chances["tie"] == pytest.approx(0.7 / 0.15)
    assert sum(chances.values()) == pytest.approx(1)


def test_no_votes_leave_all_labels_alike_and_a_million_stay_finite() -> None:
    assert set(assumed_chances(("r1", "r2"), {}, 0.7).values()) == {0.5}
    assert assumed_chances(("r1", "r2"), {"r1": 10**6}, 0.7) == {"r1": 1.0, "r2": 0.0}
    assert assumed_chances(("only",), {"only": 3}, 0.7) == {"only": 1.0}


def test_a_soft_label_is_the_posterior_where_nobody_differs_or_nothing_is_known() -> None:
    chances = {"r1": 0.9, "r2": 0.1}
    assert soft_label(chances, {"r1": 5}, 1.0) == chances
    assert soft_label(chances, {"r1": 3, "r2": 2}, 0.0) == chances
    assert soft_label(chances, {"r1": 3, "r2": 2}, None) == chances
    half = soft_label(chances, {"r1": 3, "r2": 3}, 0.5)
    assert half == {"r1": pytest.approx(0.7), "r2": pytest.approx(0.3)}


# --- Which fit it was


def test_the_manifest_and_provenance_lead_from_a_row_to_its_fit(judged: Judged, tmp_path: Path) -> None:
    fit_id = fitted(judged)
    release = released(judged)
    folder = exported(judged, release, tmp_path / "out")
    manifest = json.loads((folder / "manifest.json").read_text())
    (fit,) = manifest["quality"]["fits"]
    assert (fit["id"], fit["tasks"], fit["labels"], fit["people"]) == (show_id("fit", fit_id), TASKS, TASKS * 5, 5)
    assert fit["method"]
    assert fit["why"]
    assert fit["at"]
    row = pairs(folder)[0]
    found = {row["task_id"]: row for row in pq.read_table(folder / "provenance.parquet").to_pylist()}[row["task_id"]]
    assert (found["fit_id"], found["weighed_judgments"], len(found["judgments"])) == (show_id("fit", fit_id), 5, 5)
    chances = {part["label"]: part["probability"] for part in found["posterior"]}
    assert chances == kept(judged)[row["task_id"]].units["r1|r2"]
    assert round(chances[row["chosen_id"]], 4) == row["probability"]


def test_equal_states_give_equal_files_and_a_release_keeps_its_numbers_after_a_new_fit(
    judged: Judged, tmp_path: Path
) -> None:
    fitted(judged)
    first, second = released(judged), released(judged, title="Second")
    assert first.manifest is not None
    assert second.manifest is not None
    differing = {path for path, fact in second.manifest["files"].items() if fact != first.manifest["files"][path]}
    assert differing == {"README.md"}
    assert second.manifest["quality"] == first.manifest["quality"]
    before = pairs(exported(judged, first, tmp_path / "before"))
    task = change_posterior(judged, 0, {"r1": 0.6, "r2": 0.3, "tie": 0.1})
    assert pairs(exported(judged, first, tmp_path / "again")) == before
    later = pairs(exported(judged, released(judged, title="Third"), tmp_path / "later"))
    assert [row["probability"] for row in later if row["task_id"] == task] == [0.6]


def test_a_build_that_broke_off_ends_as_it_was_asked(judged: Judged) -> None:
    fitted(judged)
    with judged.runtime.sessions.begin() as session:
        asked = datasets.request_release(
            session, judged.world.client.actor, judged.project_id, "Twice",
            options=ReleaseOptions(DecidedBy.POSTERIOR, 0.9, gold=True), now=judged.now,
        )  # fmt: skip

    def full_disk(done: int, total: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        datasets.build_release(judged.runtime, asked.id, full_disk)
    built = datasets.build_release(judged.runtime, asked.id)
    assert built.manifest is not None
    assert built.manifest["consensus"] == {"decided_by": "posterior", "threshold": 0.9, "gold": True}


# --- Gold


def test_a_gold_task_gives_one_pair_with_the_known_answer_where_asked(judged: Judged, tmp_path: Path) -> None:
    gold = judged.world.tasks[TASKS - 1]
    judged.make_gold(gold)  # r1 is right, whatever most people say
    fitted(judged)
    without = exported(judged, released(judged), tmp_path / "without")
    assert show_id("task", gold.id) not in {row["task_id"] for row in pairs(without)}
    folder = exported(judged, released(judged, ReleaseOptions(DecidedBy.MAJORITY, gold=True)), tmp_path / "with")
    (row,) = [row for row in pairs(folder) if row["task_id"] == show_id("task", gold.id)]
    assert (row["chosen_id"], row["label_source"], row["gold"], row["votes_chosen"]) == ("r1", "gold", True, 0)
    assert (row["probability"], row["soft_chosen"], row["probability_source"]) == (1.0, 1.0, "gold")
    assert len(pairs(folder)) == TASKS
    assert "1 rows with the known answer" in (folder / "README.md").read_text()


def test_judgments_on_gold_tasks_are_marked_and_the_known_answer_is_in_no_other_file(
    judged: Judged, tmp_path: Path
) -> None:
    gold = judged.world.tasks[0]
    judged.make_gold(gold)
    fitted(judged)
    folder = exported(judged, released(judged), tmp_path / "out")
    judgments = pq.read_table(folder / "judgments").to_pylist()
    assert {row["task_id"] for row in judgments if row["gold"]} == {show_id("task", gold.id)}
    assert sum(row["gold"] for row in judgments) == 5
    found = {row["task_id"]: row for row in pq.read_table(folder / "provenance.parquet").to_pylist()}
    marked = found[show_id("task", gold.id)]
    assert (marked["gold"], marked["posterior"], marked["difficulty"], marked["fit_id"]) == (True, [], None, None)


def test_a_key_that_was_withdrawn_gives_no_pair(judged: Judged, tmp_path: Path) -> None:
    gold = judged.world.tasks[0]
    judged.make_gold(gold)
    with judged.runtime.sessions.begin() as session:
        session.get_one(TaskGold, gold.id).retired_because = "The key was wrong."
    folder = exported(judged, released(judged, ReleaseOptions(gold=True)), tmp_path / "out")
    assert show_id("task", gold.id) not in {row["task_id"] for row in pairs(folder)}


# --- The card


def test_the_card_shows_calibration_agreement_and_ambiguity(judged: Judged, tmp_path: Path) -> None:
    for task in judged.world.tasks[:6]:
        judged.make_gold(task)
    fit_id = fitted(judged)
    folder = exported(judged, released(judged), tmp_path / "out")
    card, fit = (folder / "README.md").read_text(), json.loads((folder / "manifest.json").read_text())["quality"]
    assert show_id("fit", fit_id) in card
    assert fit["fits"][0]["known_answers"] == 6
    assert "On 6 known answers" in card
    assert "95 % interval" in card
    assert f"{fit['ambiguous_tasks']} of {fit['ambiguity_known_tasks']} that can be told" in card
    for column in QUALITY_COLUMNS[:-1]:
        assert f"`{column}`" in card


def test_a_card_without_known_answers_says_that_nobody_checked(judged: Judged, tmp_path: Path) -> None:
    fitted(judged)
    card = (exported(judged, released(judged), tmp_path / "out") / "README.md").read_text()
    assert "nobody has checked whether the chances are right" in card


# --- Releases from before there were posteriors


def as_before(judged: Judged, folder: Path) -> UUID:
    """A finished release as it was stored when pairs had no chances: fewer columns, and nothing about quality."""
    old = {"pairs/train-00000.parquet": QUALITY_COLUMNS, "judgments/train-00000.parquet": ("gold",),
           "provenance.parquet": ("fit_id", "weighed_judgments", "weighed_at", "difficulty", "posterior")}  # fmt: skip
    for path, new_columns in old.items():
        pq.write_table(pq.read_table(folder / path).drop_columns(list(new_columns)), folder / path)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").unlink()
    for path in manifest["files"]:
        manifest["files"][path] = fact_of(folder / path, manifest["files"][path]["rows"]).as_json()
    del manifest["consensus"], manifest["quality"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    release_id = new_id()
    datasets.store(judged.runtime.storage, folder, f"releases/{release_id.hex}")
    with judged.runtime.sessions.begin() as session:
        session.add(
            Release(
                id=release_id, project_id=judged.project_id, number=9, title="Old", state=ReleaseState.READY,
                folder=f"releases/{release_id.hex}", sha256=fact_of(folder / "manifest.json", None).sha256,
                manifest=manifest, pairs=TASKS, judgments=TASKS * 5, created_at=NOW, built_at=NOW,
            )
        )  # fmt: skip
    return release_id


def test_an_old_release_is_read_exported_and_compared_as_ever(judged: Judged, http: TestClient, tmp_path: Path) -> None:
    old_id = as_before(judged, exported(judged, released(judged), tmp_path / "made"))
    with judged.runtime.sessions() as session:
        old = session.get_one(Release, old_id)
    folder = exported(judged, old, tmp_path / "old")
    assert "probability" not in pairs(folder)[0]
    assert len(load_pairs(folder)) == TASKS
    shown = http.get(f"/api/v1/releases/{show_id('release', old_id)}", headers=judged.world.client.headers).json()
    assert shown["consensus"] == {"decided_by": "majority", "threshold": None, "gold": False}
    fitted(judged)
    new = released(judged, title="New")
    assert new.number == 10
    with judged.runtime.sessions.begin() as session:
        client, storage = judged.world.client.actor, judged.runtime.storage
        changes = datasets.changes_since_last(session, client, storage, new.id)
    assert changes is not None
    assert (changes.pairs.added, changes.pairs.removed, changes.judgments.changed) == (0, 0, 0)
    assert changes.pairs.changed == TASKS  # their chances come from a fit now


# --- Doors


@pytest.fixture
def http(judged: Judged) -> Iterator[TestClient]:
    with TestClient(create_app(judged.runtime), headers={"sec-fetch-site": "same-origin"}) as client:
        yield client


def test_the_api_takes_and_tells_how_answers_are_decided(judged: Judged, http: TestClient) -> None:
    headers = judged.world.client.headers
    url = f"/api/v1/projects/{show_id('project', judged.project_id)}/releases"
    early = http.post(url, json={"title": "Early", "decided_by": "posterior"}, headers=headers)
    assert (early.status_code, early.json()["code"]) == (409, "not_fitted")
    fitted(judged)
    body = {"title": "Strict", "decided_by": "posterior", "threshold": 0.9, "gold": True}
    asked = http.post(url, json=body, headers=headers)
    assert asked.status_code == 201, asked.text
    assert asked.json()["consensus"] == {"decided_by": "posterior", "threshold": 0.9, "gold": True}
    left_open = http.post(url, json={"title": "Open"}, headers=headers).json()["consensus"]
    assert left_open == {"decided_by": "majority", "threshold": None, "gold": False}
    for wrong in ({"decided_by": "dice"}, {"threshold": 0.2}, {"threshold": 1}):
        assert http.post(url, json={"title": "Wrong", **wrong}, headers=headers).status_code == 422


def test_the_page_offers_the_posterior_once_the_project_is_fitted(judged: Judged, http: TestClient) -> None:
    client = TestClient(http.app, follow_redirects=False, headers={"sec-fetch-site": "same-origin"})
    now, owner = judged.runtime.clock.now(), judged.world.client.id
    with judged.runtime.sessions.begin() as session:
        secret = start_session(session, owner, user_agent="test", address=None, active_role="client", now=now)
    desk = Desk(client, secret, csrf_token(secret, judged.runtime.settings.signing_key()))
    here = f"/projects/{show_id('project', judged.project_id)}/releases"
    assert "the posterior can decide" in desk.get(here).text
    fitted(judged)
    assert 'name="threshold"' in desk.get(here).text
    refused = desk.post(here, title="Loose", decided_by="posterior", threshold="0.2")
    assert (refused.status_code, "Give a threshold from 0.5" in refused.text) == (422, True)
    assert desk.post(here, title="Odd", decided_by="posterior", threshold="much").status_code == 422
    assert desk.post(here, title="Strict", decided_by="posterior", threshold="0.9").status_code == 303
    with judged.runtime.sessions.begin() as session:
        [asked] = datasets.list_releases(session, judged.world.client.actor, judged.project_id)
    assert datasets.options_of(asked) == ReleaseOptions(DecidedBy.POSTERIOR, 0.9, gold=False)
    built = datasets.build_release(judged.runtime, asked.id)
    assert "posterior, from 0.9" in desk.get(f"{here}/{show_id('release', built.id)}").text


def test_the_command_passes_the_rule_on(judged: Judged) -> None:
    fitted(judged)
    built = commands.build_now(
        judged.runtime, judged.world.project.title, "Strict", ReleaseOptions(DecidedBy.POSTERIOR, 0.8)
    )
    assert datasets.options_of(built).least == 0.8
