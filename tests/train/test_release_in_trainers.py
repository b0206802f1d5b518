"""A release as it is, read by `datasets` and accepted by TRL's trainers.

Needs the `train` extra; its packages are imported inside the tests, so that the others can be collected without it.
"""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from preceptor.datasets import service as datasets_service
from preceptor.kit.runtime import Runtime
from tests.conftest import NOW
from tests.datasets.judged import make_judged
from tests.train.tiny import losses, settings, tiny_config, tiny_tokenizer

pytestmark = pytest.mark.train


@pytest.fixture
def release(open_runtime: Callable[..., Runtime], tmp_path: Path) -> Path:
    """A built and exported release of eight pairs."""
    judged = make_judged(open_runtime(), tasks=8, people=1, overlap=1, now=NOW)
    for number in range(8):
        judged.judge(judged.people[0], "r1" if number % 2 else "r2")
    judged.approve_all()
    built = judged.release()
    with judged.runtime.sessions.begin() as session:
        client, storage = judged.world.client.actor, judged.runtime.storage
        datasets_service.export_release(session, client, storage, built.id, tmp_path / "release")
    return tmp_path / "release"


def pairs_of(release: Path, hub: Path) -> Any:
    datasets = import_module("datasets")
    files = str(release / "pairs" / "*.parquet")
    return datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(hub))


def test_datasets_loads_each_file_of_a_config(release: Path, hub: Path) -> None:
    pairs = pairs_of(release, hub)
    assert len(pairs) == 8
    assert {"prompt", "chosen", "rejected", "margin"} <= set(pairs.column_names)
    assert [list(message) for message in pairs[0]["prompt"]] == [["role", "content"]]
    assert all(isinstance(margin, float) for margin in pairs["margin"])


def test_datasets_loads_the_folder_by_its_card(release: Path, hub: Path) -> None:
    datasets = import_module("datasets")
    assert sorted(datasets.get_dataset_config_names(str(release))) == ["judgments", "pairs"]
    for config in ("pairs", "judgments"):
        loaded = datasets.load_dataset(str(release), config, split="train", cache_dir=str(hub))
        assert len(loaded) == 8


def test_the_reward_trainer_takes_the_pairs_as_they_are(release: Path, hub: Path, tmp_path: Path) -> None:
    trl = import_module("trl")
    transformers = import_module("transformers")
    tokenizer = tiny_tokenizer()
    model = transformers.LlamaForSequenceClassification(tiny_config(tokenizer, num_labels=1))
    pairs = pairs_of(release, hub)
    trainer = trl.RewardTrainer(
        model=model,
        args=trl.RewardConfig(**settings(tmp_path / "reward")),
        train_dataset=pairs,
        processing_class=tokenizer,
    )
    assert len(trainer.train_dataset) == 8  # none was dropped as too long
    trainer.train()
    assert len(losses(trainer)) == 2
    assert all(0 < loss < 10 for loss in losses(trainer))


def test_the_dpo_trainer_takes_the_pairs_as_they_are(release: Path, hub: Path, tmp_path: Path) -> None:
    trl = import_module("trl")
    transformers = import_module("transformers")
    tokenizer = tiny_tokenizer()
    trainer = trl.DPOTrainer(
        model=transformers.LlamaForCausalLM(tiny_config(tokenizer)),
        ref_model=transformers.LlamaForCausalLM(tiny_config(tokenizer)),
        args=trl.DPOConfig(**settings(tmp_path / "dpo")),
        train_dataset=pairs_of(release, hub),
        processing_class=tokenizer,
    )
    trainer.train()
    assert len(losses(trainer)) == 2


def test_json_copies_are_no_config(release: Path, hub: Path) -> None:
    """`datasets` cannot load a folder whose configs mix formats, so the card must not name them."""
    header = (release / "README.md").read_text().split("---\n")[1]
    assert "jsonl" not in header
    assert json.loads((release / "manifest.json").read_text())["files"]["jsonl/pairs.jsonl.gz"]["rows"] == 8
