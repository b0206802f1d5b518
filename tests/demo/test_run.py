"""The main job end to end, on a real installation: own PostgreSQL, two web processes, a worker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import needs_shared

from preceptor.cli.serve import served
from preceptor.demo.material import Material
from preceptor.demo.recorded import DEBATES, NotAReplay, read_recorded
from preceptor.demo.run import Run
from preceptor.demo.simulation import Simulation
from preceptor.demo.summary import Summary
from preceptor.kit.runtime import start_runtime
from preceptor.kit.settings import Settings

pytestmark = pytest.mark.xdist_group("installation")


def no_bar(_title: str, _total: int | None) -> Callable[[], None]:
    return lambda: None


@contextmanager
def finished(folder: Path, material: Material, simulation: Simulation | None) -> Iterator[Summary]:
    settings = Settings(mode="demo", data_dir=folder, port=0, web_processes=2, sweep_seconds=1)
    with served(settings) as (_, url, base):
        runtime = start_runtime(settings, database_url=url)
        yield Run(runtime, base, material, simulation, no_bar).run()
        runtime.engine.dispose()


def assert_sound(summary: Summary) -> None:
    assert summary.submissions == summary.expected_submissions
    assert (summary.duplicates, summary.lost) == (0, 0)
    assert (summary.ledger_imbalance_minor, summary.ledger_wrong) == (0, 0)
    returned = summary.quality["receipts"].get("return", 0)
    assert summary.approved + summary.rejected + returned >= summary.submissions >= summary.approved + summary.rejected
    assert summary.earned_minor == summary.paid_minor == summary.approved * 12
    assert summary.release_sha256 is not None
    assert len(summary.release_sha256) == 64


def test_simulated_contributors_go_the_whole_way(tmp_path: Path) -> None:
    simulation = Simulation()
    material = simulation.material()
    some = replace(material, tasks=material.tasks[:100])
    with finished(tmp_path, some, simulation) as summary:
        assert_sound(summary)
        assert summary.source == "simulated"
        assert summary.tasks == 100
        assert summary.alpha is not None
        assert 0.2 < summary.alpha < 0.9
        assert summary.consensus_accuracy is not None
        assert summary.consensus_accuracy > 0.75
        assert summary.posterior_accuracy is not None
        assert summary.posterior_accuracy > 0.75
        assert_quality_was_kept(summary.quality)


def assert_quality_was_kept(found: dict[str, Any]) -> None:
    """What the quality engine is there for has happened, and the numbers hang together."""
    assert found["fits"] >= 3
    assert found["adaptive"]
    assert 3 <= found["judgments_per_task"] < found["cap"] == 7
    assert found["saved_minor"] == found["saved_judgments"] * 12 > 0
    assert found["gold_judgments"] > 0
    assert found["receipts"]["reject"] > 0
    # So few tasks may leave nothing on record about the one who would be asked to practise.
    assert found["receipts"].get("retrain", 0) == found["retrainings_passed"]
    assert found["appealed"] >= found["appeals_decided"] >= found["appeals_overturned"]
    assert found["appealed"] > 0
    assert (found["challenges_upheld"], found["challenges_dismissed"]) == (1, 1)
    assert found["rescored"] > 1
    assert found["planted"] + found["honest"] == found["people"] == 20
    assert found["false_alarms"] <= 1


def test_recorded_judgments_all_arrive_as_they_were_given(tmp_path: Path) -> None:
    folder = needs_shared("data/ukp_convarg")
    material = read_recorded(folder)
    side = {task["external_id"] for task in material.tasks if str(task["external_id"]).startswith(f"{DEBATES[1]}_book")}
    votes = [vote for vote in material.votes if vote.external_id in side]
    raters = {vote.rater for vote in votes}
    one_side = replace(
        material,
        tasks=[task for task in material.tasks if task["external_id"] in side],
        votes=votes,
        raters=[rater for rater in material.raters if rater.key in raters],
        more_preferences=None,
    )
    with finished(tmp_path, one_side, None) as summary:
        assert_sound(summary)
        assert summary.source == "recorded"
        assert summary.submissions == len(votes) == 1753
        assert summary.rejected == 0
        assert summary.consensus_accuracy is not None
        assert summary.consensus_accuracy > 0.9
        assert summary.posterior_accuracy is not None
        assert summary.posterior_accuracy > 0.9
        assert summary.quality["fits"] >= 3
        assert summary.quality["receipts"] == {}
        assert summary.quality["planted"] is None
        assert summary.reward_test_pairs == 500


def test_the_replay_leaves_out_the_debates_of_the_test(tmp_path: Path) -> None:
    material = read_recorded(needs_shared("data/ukp_convarg"))
    tested = {str(pair.prompt[0]["content"]) for pair in material.reward_test}
    judged = {str(task["prompt"]) for task in material.tasks}
    assert tested
    assert tested.isdisjoint(judged)


def test_a_folder_that_is_no_replay_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NotAReplay, match=r"arguments\.jsonl\.gz"):
        read_recorded(tmp_path)
