"""Every table of a release that has a trainer's shape: read by `datasets`, taken by TRL's trainers as it is.

TRL has no trainer of process rewards any more; stepwise tables are checked against the columns that it had.
"""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from preceptor.kit.runtime import Runtime
from preceptor.tasktypes.base import task_type, task_types
from tests.datasets.kind_work import exported, worked
from tests.train.tiny import losses, settings, tiny_config, tiny_tokenizer

pytestmark = pytest.mark.train

RELEASES: dict[tuple[str, str], tuple[str, ...]] = {
    ("annotation", "classification"): (),
    ("code", "compare"): ("pairs",),
    ("code", "write"): ("solutions",),
    ("comparison", "which-is-better"): ("pairs",),
    ("conversation", "live-preference"): ("preference", "sft"),
    ("conversation", "red-team"): ("sft", "unpaired"),
    ("demonstration", "conversation"): ("sft",),
    ("demonstration", "correct-draft"): ("sft", "preference"),
    ("demonstration", "ideal-answer"): ("sft",),
    ("prompt", "hard-prompts"): ("prompt_only", "unpaired"),
    ("prompt", "topic-prompts"): ("prompt_only",),
    ("rating", "rubric"): ("pairs", "unpaired"),
    ("rubric", "author"): (),
    ("steps", "facts"): ("stepwise", "corrections", "corrected"),
    ("steps", "solution"): ("stepwise", "corrections", "corrected"),
}
"""Kind and template -> the tables for trainers that its release fills."""
CASES = [pytest.param(*key, tables, id=f"{key[0]}-{key[1]}") for key, tables in RELEASES.items()]


def test_every_table_with_a_trainers_shape_is_among_these() -> None:
    shaped = {
        (kind, name)
        for kind in task_types()
        for name, table in task_type(kind).tables.items()
        if table.shape != "plain"
    }
    assert {(kind, name) for (kind, _), tables in RELEASES.items() for name in tables} == shaped
    assert {kind for kind, _ in RELEASES} == set(task_types())


@pytest.mark.parametrize(("kind", "key", "tables"), CASES)
def test_one_folder_loads_and_its_tables_are_trained_on(
    open_runtime: Callable[..., Runtime], hub: Path, tmp_path: Path, kind: str, key: str, tables: tuple[str, ...]
) -> None:
    runtime = open_runtime()
    release = exported(runtime, worked(runtime, kind, key), tmp_path / "release")
    loaded = loads_whole(release, hub)
    assert {"judgments", *tables} <= loaded.keys()
    for name in tables:
        shape = task_type(kind).tables[name].shape
        assert len(loaded[name]) > 0, name
        CHECKS[shape](loaded[name], tmp_path / name)


def loads_whole(release: Path, hub: Path) -> dict[str, Any]:
    """Every config of the folder, by its card and by its files: the same tables. Tables without rows are none."""
    datasets = import_module("datasets")
    found = {}
    for name in datasets.get_dataset_config_names(str(release)):
        files = str(release / name / "*.parquet")
        found[name] = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(hub))
        by_card = datasets.load_dataset(str(release), name, split="train", cache_dir=str(hub))
        assert by_card.features == found[name].features
        assert by_card.to_list() == found[name].to_list()
    rows = json.loads((release / "manifest.json").read_text())["rows"]
    assert {name: len(table) for name, table in found.items()} == {name: count for name, count in rows.items() if count}
    return found


# --- What each shape has to be


def are_messages(value: list[dict[str, str]]) -> bool:
    return bool(value) and all(set(each) == {"role", "content"} and each["content"] for each in value)


def is_preference(table: Any, folder: Path) -> None:
    for row in table:
        assert all(are_messages(row[name]) for name in ("prompt", "chosen", "rejected")), row
    if "margin" in table.column_names:
        assert table.features["margin"].dtype == "float64"
        assert all(isinstance(margin, float) and margin > 0 for margin in table["margin"])
    trl, tokenizer = import_module("trl"), tiny_tokenizer()
    args = trl.RewardConfig(**settings(folder / "reward", max_length=None))
    trained(trl.RewardTrainer(scoring(tokenizer), args, train_dataset=table, processing_class=tokenizer), table)
    args = trl.DPOConfig(**settings(folder / "dpo", max_length=None))
    models = {"model": speaking(tokenizer), "ref_model": speaking(tokenizer)}
    trained(trl.DPOTrainer(**models, args=args, train_dataset=table, processing_class=tokenizer), table)


def is_unpaired(table: Any, folder: Path) -> None:
    assert table.features["label"].dtype == "bool"
    assert set(table["label"]) <= {True, False}
    assert all(are_messages(row["prompt"]) and are_messages(row["completion"]) for row in table)
    trl, tokenizer = import_module("trl"), tiny_tokenizer()
    args = trl.KTOConfig(**settings(folder, max_length=None))
    models = {"model": speaking(tokenizer), "ref_model": speaking(tokenizer)}
    trained(trl.KTOTrainer(**models, args=args, train_dataset=table, processing_class=tokenizer), table)


def is_sft(table: Any, folder: Path) -> None:
    """As it is, and where it has them, by `prompt` and `completion` alone."""
    assert all(are_messages(messages) and messages[-1]["role"] == "assistant" for messages in table["messages"])
    parted = {"prompt", "completion"} <= set(table.column_names)
    for given in (table, table.select_columns(["prompt", "completion"])) if parted else (table,):
        trl, tokenizer = import_module("trl"), tiny_tokenizer()
        args = trl.SFTConfig(**settings(folder, max_length=None))
        trained(trl.SFTTrainer(speaking(tokenizer), args, train_dataset=given, processing_class=tokenizer), table)


def is_prompt_only(table: Any, folder: Path) -> None:
    """GRPO asks for answers to the prompts; reward functions get the columns beside them."""
    assert all(are_messages(prompt) and prompt[-1]["role"] == "user" for prompt in table["prompt"])
    trl, tokenizer, seen = import_module("trl"), tiny_tokenizer(), []

    def reward(completions: list[Any], reference: list[str], **_: Any) -> list[float]:
        seen.extend(reference)
        return [float(len(str(each))) for each in completions]

    given = {name: value for name, value in settings(folder).items() if name != "max_length"}
    args = trl.GRPOConfig(**given, num_generations=2, max_completion_length=4)
    trained(trl.GRPOTrainer(speaking(tokenizer), reward, args, train_dataset=table, processing_class=tokenizer), table)
    assert set(seen) == set(table["reference"])


def is_stepwise(table: Any, folder: Path) -> None:
    assert table.features["prompt"].dtype == "string"
    assert table.features["labels"].feature.dtype == "bool"
    for row in table:
        assert row["prompt"]
        assert all(row["completions"])
        assert len(row["completions"]) == len(row["labels"]) > 0
    assert {label for row in table for label in row["labels"]} == {True, False}


CHECKS: dict[str, Callable[[Any, Path], None]] = {
    "preference": is_preference,
    "unpaired": is_unpaired,
    "sft": is_sft,
    "prompt_only": is_prompt_only,
    "stepwise": is_stepwise,
}


# --- Trainers


def speaking(tokenizer: Any) -> Any:
    return import_module("transformers").LlamaForCausalLM(tiny_config(tokenizer))


def scoring(tokenizer: Any) -> Any:
    return import_module("transformers").LlamaForSequenceClassification(tiny_config(tokenizer, num_labels=1))


def trained(trainer: Any, table: Any) -> None:
    """No row was left out, and a step can be taken."""
    assert len(trainer.train_dataset) == len(table)
    trainer.train()
    assert len(losses(trainer)) == trainer.args.max_steps
