"""`preceptor quality fit`: figures, files, and refusals that name the place."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from preceptor.cli.main import app

TASKS, PEOPLE, PER_TASK = 120, 12, 5
Row = tuple[object, ...]


def crowd(seed: int = 1) -> tuple[list[Row], dict[str, str]]:
    """Judgments by people of very different skill, two of whom mostly say the opposite; and the truth."""
    rng = np.random.default_rng(seed)
    skill = np.linspace(0.6, 0.97, PEOPLE)
    skill[:2] = 0.15
    truth = {f"t{task}": str(rng.choice(["no", "yes"])) for task in range(TASKS)}
    rows: list[Row] = []
    for task, answer in truth.items():
        for person in rng.choice(PEOPLE, size=PER_TASK, replace=False):
            wrong = "no" if answer == "yes" else "yes"
            rows.append((task, f"w{person}", answer if rng.random() < skill[person] else wrong))
    return rows, truth


def write(path: Path, header: Sequence[str], rows: Iterable[Row]) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    packed = text.getvalue().encode()
    path.write_bytes(gzip.compress(packed) if path.suffix == ".gz" else packed)
    return path


def labels_file(folder: Path, rows: Iterable[Row], name: str = "labels.csv") -> Path:
    return write(folder / name, ("task_id", "worker_id", "label"), rows)


def gold_file(folder: Path, gold: dict[str, str], name: str = "gold.csv") -> Path:
    return write(folder / name, ("task_id", "gold"), gold.items())


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["quality", "fit", *map(str, arguments)])


def refused(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    return " ".join(result.output.split())


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], Path, str]:
    folder = tmp_path_factory.mktemp("fit")
    rows, truth = crowd()
    labels, gold = labels_file(folder, rows, "labels.csv.gz"), gold_file(folder, truth)
    result = run(labels, "--evaluate", gold, "--json", folder / "fit.json", "--out", folder / "fit.parquet")
    assert result.exit_code == 0, result.output
    return json.loads((folder / "fit.json").read_text()), folder / "fit.parquet", result.output


def test_the_figures_have_what_other_programs_read(fitted: tuple[dict[str, object], Path, str]) -> None:
    figures = fitted[0]
    assert (figures["tasks"], figures["workers"], figures["labels"]) == (TASKS, PEOPLE, TASKS * PER_TASK)
    wanted = {"method", "alpha", "accuracy", "ece", "majority_accuracy", "cpu_seconds"}
    assert wanted <= figures.keys()
    assert all(figures[name] is not None for name in wanted)


def test_weighing_people_beats_the_majority_where_some_say_the_opposite(
    fitted: tuple[dict[str, object], Path, str],
) -> None:
    figures = fitted[0]
    assert isinstance(figures["accuracy"], float)
    assert isinstance(figures["majority_accuracy"], float)
    assert figures["accuracy"] > figures["majority_accuracy"]


def test_the_accuracy_is_that_of_the_consensus_file(fitted: tuple[dict[str, object], Path, str]) -> None:
    table = pq.read_table(fitted[1]).to_pylist()
    truth = crowd()[1]
    assert len(table) == TASKS
    met = sum(row["label"] == truth[row["task_id"]] for row in table) / TASKS
    assert met == pytest.approx(fitted[0]["accuracy"], abs=1e-9)
    for row in table:
        assert row["p_no"] + row["p_yes"] == pytest.approx(1)
        assert row["soft_no"] + row["soft_yes"] == pytest.approx(1)


def test_people_are_printed_with_their_interval(fitted: tuple[dict[str, object], Path, str]) -> None:
    assert "Skills" in fitted[2]
    assert "Krippendorff's alpha" in fitted[2]


def test_answers_to_evaluate_by_change_nothing_in_the_fit(tmp_path: Path) -> None:
    rows, truth = crowd()
    labels = labels_file(tmp_path, rows)
    turned = {task: "no" if answer == "yes" else "yes" for task, answer in truth.items()}
    run(labels, "--evaluate", gold_file(tmp_path, truth), "--out", tmp_path / "one.parquet")
    run(labels, "--evaluate", gold_file(tmp_path, turned), "--out", tmp_path / "two.parquet")
    assert pq.read_table(tmp_path / "one.parquet").equals(pq.read_table(tmp_path / "two.parquet"))


def test_gold_is_evidence(tmp_path: Path) -> None:
    rows, truth = crowd()
    some = dict(list(truth.items())[:40])
    result = run(labels_file(tmp_path, rows), "--gold", gold_file(tmp_path, some), "--out", tmp_path / "out.parquet")
    assert result.exit_code == 0, result.output
    found = {row["task_id"]: row for row in pq.read_table(tmp_path / "out.parquet").to_pylist()}
    assert all(found[task]["label"] == answer for task, answer in some.items())


def test_parquet_with_numbers_reads_like_csv(tmp_path: Path) -> None:
    rows, truth = crowd()
    number = {"no": 0.0, "yes": 1.0}
    path = tmp_path / "labels.parquet"
    columns = zip(*[(task, person, number[str(label)]) for task, person, label in rows], strict=True)
    pq.write_table(pa.table(dict(zip(("task_id", "worker_id", "label"), map(list, columns), strict=True))), path)
    gold = gold_file(tmp_path, {task: "1" if answer == "yes" else "0" for task, answer in truth.items()})
    result = run(path, "--evaluate", gold, "--json", tmp_path / "fit.json", "--method", "dawid-skene")
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "fit.json").read_text())["classes"] == ["0", "1"]


def test_repeats_count_once_unless_all_are_asked_for(tmp_path: Path) -> None:
    rows, _ = crowd()
    labels = labels_file(tmp_path, [*rows, rows[0]])
    for repeats, counted in (("last", len(rows)), ("all", len(rows) + 1)):
        run(labels, "--repeats", repeats, "--method", "majority", "--json", tmp_path / "fit.json")
        assert json.loads((tmp_path / "fit.json").read_text())["labels"] == counted


def test_one_person_and_one_class_are_unknown_not_zero(tmp_path: Path) -> None:
    one_person = labels_file(tmp_path, [(f"t{task}", "w", "yes" if task % 2 else "no") for task in range(40)])
    result = run(one_person, "--json", tmp_path / "fit.json")
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "fit.json").read_text())
    assert figures["alpha"] is None
    assert figures["alpha_reason"]
    one_class = labels_file(tmp_path, [(f"t{task}", f"w{person}", "yes") for task in range(20) for person in range(3)])
    assert run(one_class).exit_code == 0


def test_a_label_of_a_thousand_million_is_a_label_like_others(tmp_path: Path) -> None:
    labels = labels_file(tmp_path, [(f"t{i}", f"w{w}", 10**9 if i % 2 else 0) for i in range(30) for w in range(3)])
    result = run(labels, "--json", tmp_path / "fit.json")
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "fit.json").read_text())["classes"] == ["0", "1000000000"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "cannot be read"),
        ("task_id,worker_id,label\n", "no row"),
        ("task,worker_id,label\na,b,c\n", "lacks the column task_id"),
        ("task_id,worker_id,label\na,b,c\na,c,\n", "row 2: label is missing"),
        ("task_id,worker_id,label\na,b,NaN\n", "row 1: label is missing"),
        ("task_id,worker_id,label\na,b\n", "cannot be read"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    assert told in refused(path)


def test_known_answers_that_fit_nothing_are_refused(tmp_path: Path) -> None:
    rows, truth = crowd()
    labels = labels_file(tmp_path, rows)
    assert "Do both files name tasks alike?" in refused(labels, "--gold", gold_file(tmp_path, {"other": "yes"}))
    twice = write(tmp_path / "twice.csv", ("task_id", "gold"), [("t0", "yes"), ("t0", "no")])
    assert "second, different answer" in refused(labels, "--evaluate", twice)
    assert "does not exist" in refused(labels, "--gold", tmp_path / "nowhere.csv")
    assert "--method" in refused(labels, "--method", "guess")
    assert truth


def test_ratings_by_the_thousand_are_no_classes(tmp_path: Path) -> None:
    labels = labels_file(tmp_path, [(f"t{i}", "w", i / 7) for i in range(1_500)])
    assert "at most 1,000 classes" in refused(labels)
