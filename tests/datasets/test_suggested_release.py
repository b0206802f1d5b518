"""Releases say of every judgment whether a model's suggestion was shown, and what became of it."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pyarrow.parquet as pq

from preceptor.datasets import service as datasets
from preceptor.kit.runtime import Runtime
from preceptor.work.models_suggestions import SuggestionPlan
from tests.conftest import NOW
from tests.datasets.judged import Judged, make_judged
from tests.work.suggested import add_judge, prefers, suggest


def share(world: Judged, percent: int) -> None:
    with world.runtime.sessions.begin() as session:
        session.get_one(SuggestionPlan, world.project_id).blind_percent = percent


def test_each_judgment_says_what_became_of_the_suggestion_and_the_card_counts_them(
    open_runtime: Callable[..., Runtime], tmp_path: Path
) -> None:
    world = make_judged(open_runtime(), tasks=3, people=1, overlap=1, now=NOW)
    [person] = world.people
    before = world.judge(person, "r1")
    with world.runtime.sessions.begin() as session:
        judge = add_judge(session, world.runtime, world.world, lambda number: prefers("r1"))
        suggest(session, world.runtime, world.world, judge)
    share(world, 0)
    shown: UUID = world.judge(person, "r2")
    share(world, 100)
    blind: UUID = world.judge(person, "r1")
    world.approve_all()
    release = world.release()
    folder = tmp_path / "out"
    with world.runtime.sessions() as session:
        actor, storage = world.world.client.actor, world.runtime.storage
        datasets.export_release(session, actor, storage, release.id, folder)
    rows = pq.read_table(folder / "judgments" / "train-00000.parquet").to_pylist()
    said = {row["submission_id"][4:]: (row["suggestion"], row["suggestion_model"]) for row in rows}
    assert said == {
        before.hex: (None, None), shown.hex: ("rejected", "tiny-1"), blind.hex: ("blind", "tiny-1"),
    }  # fmt: skip
    card = (folder / "README.md").read_text()
    assert "1 were given with it in sight (1 rejected), 1 on tasks that were drawn" in card
    assert "People who saw a model's suggestion judge nearer to it" in card
