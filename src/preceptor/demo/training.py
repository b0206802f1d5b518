"""The demo's last step: a reward model on the release just built, tested on pairs that nobody judged here."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from preceptor.datasets.service import export_release
from preceptor.demo.http import Api
from preceptor.demo.material import Material
from preceptor.demo.stage import Cast
from preceptor.demo.summary import Summary
from preceptor.kit.db import transaction
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.service.projects import create_project, publish_guidelines
from preceptor.projects.settings import ProjectSettings
from preceptor.training.reward import Evaluation, Pair, evaluate, load_pairs, split_held_out, train

HELD_OUT_SHARE = 0.2
Bar = Callable[[str, int | None], Callable[[], None]]
Build = Callable[..., dict[str, Any]]


def release_pairs(runtime: Runtime, cast: Cast, release_id: str) -> list[Pair]:
    """The pairs of a release, out of its exported files."""
    with tempfile.TemporaryDirectory() as folder, transaction(runtime.sessions) as session:
        target = Path(folder) / "release"
        export_release(session, cast.actors["client"], runtime.storage, read_id("release", release_id), target)
        return load_pairs(target)


def test_model(pairs: Sequence[Pair], test: Sequence[Pair]) -> Evaluation:
    """Train on pairs and test; without test pairs a held-out share of the pairs is the test."""
    if not test:
        pairs, test = split_held_out(pairs, HELD_OUT_SHARE, seed=0)
    return evaluate(train(pairs), test)


def note(summary: Summary, found: Evaluation, what: str) -> None:
    summary.reward_test_pairs = found.pairs
    summary.reward_test_note = what or "a held-out share of the release"
    summary.reward_accuracy, summary.reward_accuracy_low = found.accuracy, found.low
    summary.reward_accuracy_high = found.high
    summary.length_baseline_accuracy = found.length_baseline_accuracy


def imported_project(runtime: Runtime, cast: Cast, title: str) -> str:
    """A project that holds preferences judged elsewhere: nothing to work on, only to release and train on."""
    now = runtime.clock.now()
    with transaction(runtime.sessions) as session:
        settings = ProjectSettings(
            title=title, summary="Judged elsewhere, imported to train on.", data_source="recorded"
        )
        project = create_project(session, cast.actors["client"], cast.org_id, settings, now=now)
        publish_guidelines(session, cast.actors["client"], project.id, "Imported preferences.", now=now)
        return show_id("project", project.id)


def train_and_test(
    runtime: Runtime,
    cast: Cast,
    material: Material,
    release_id: str,
    summary: Summary,
    base: str,
    bar: Bar,
    upload: Build,
    build_release: Build,
) -> None:
    """Start the training run that the model page shows, and test what the release teaches; once more with imports."""
    client = Api(base, cast.keys["client"])
    done = bar("Reward model", 3 if material.more_preferences else 2)
    client.post(f"/releases/{release_id}/models", {})
    done()
    pairs = release_pairs(runtime, cast, release_id)
    note(summary, test_model(pairs, material.reward_test), material.reward_test_note)
    done()
    if material.more_preferences is not None and material.reward_test:
        project = imported_project(runtime, cast, "Imported preferences")
        data = material.more_preferences.read_bytes()
        upload(client, project, material.more_preferences.name, data, None, bar)
        more = release_pairs(runtime, cast, build_release(client, project, "Imported", bar)["id"])
        found = test_model([*pairs, *more], material.reward_test)
        summary.more_train_pairs = len(pairs) + len(more)
        summary.more_reward_accuracy, summary.more_reward_accuracy_low = found.accuracy, found.low
        done()
    client.close()
