"""The embedded reward model: what it learns, that it repeats itself, and what it refuses."""

import csv
import gzip
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preceptor.demo.simulation import Simulation, pairs_of
from preceptor.kit.errors import Invalid
from preceptor.training.reward import (
    Evaluation,
    Message,
    Pair,
    RewardConfig,
    RewardModel,
    evaluate,
    load,
    load_pairs,
    split_held_out,
    train,
)
from preceptor.training.reward.features import style

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
CAREFUL = ("However, the evidence is clear.", "For example, recycling saves energy.", "Therefore, we gain.")
CARELESS = ("lol u dont know", "its stupid!!!", "i dunno tho", "thats crap!!")
TEST_DEBATES = ("spouse", "father")
TWO_DEBATES = ("ban-plastic-water-bottles", "tv-is-better-than-books")
WITH_NGRAMS = RewardConfig(ngrams=200, ngram_prompts_min=1)


def says(text: str, role: str = "assistant") -> tuple[Message, ...]:
    return ({"role": role, "content": text},)


def made_pairs(count: int, seed: int = 0, topic: str = "") -> list[Pair]:
    """Careful against careless texts of the same spread of length: only style can tell them apart."""
    rng = np.random.default_rng(seed)

    def text(phrases: tuple[str, ...]) -> str:
        return " ".join(rng.choice(phrases, rng.integers(2, 7)))

    prompt = says("Should we recycle?", "user")
    return [Pair(prompt, says(text(CAREFUL)), says(text(CARELESS)), topic=topic) for _ in range(count)]


@pytest.fixture(scope="module")
def model() -> RewardModel:
    return train(made_pairs(150), WITH_NGRAMS, dataset_sha256="ab" * 32)


def test_it_learns_what_people_chose(model: RewardModel) -> None:
    result = evaluate(model, made_pairs(100, seed=1))
    assert result.pairs == 100
    assert result.accuracy is not None
    assert result.low is not None
    assert result.accuracy > 0.95
    assert result.low > 0.9
    prompt = says("Should we recycle?", "user")
    careful, careless = says("However, it saves energy."), says("lol its stupid!!!")
    assert model.score(prompt, careful) > model.score(prompt, careless)


def test_turning_all_pairs_round_turns_the_scores_round(model: RewardModel) -> None:
    turned = [replace(pair, chosen=pair.rejected, rejected=pair.chosen) for pair in made_pairs(150)]
    other = train(turned, WITH_NGRAMS)
    assert evaluate(other, made_pairs(100, seed=1)).accuracy == pytest.approx(
        1 - (evaluate(model, made_pairs(100, seed=1)).accuracy or 0), abs=1e-9
    )


def test_equal_configurations_give_equal_files(model: RewardModel, tmp_path: Path) -> None:
    again = train(made_pairs(150), WITH_NGRAMS, dataset_sha256="ab" * 32)
    model.save(tmp_path / "one")
    again.save(tmp_path / "two")
    for name in ("model.json", "weights.npz"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_saved_model_scores_as_before_and_says_where_it_comes_from(model: RewardModel, tmp_path: Path) -> None:
    measured = model.with_metrics(evaluate(model, made_pairs(30, seed=2)).as_metrics())
    measured.save(tmp_path)
    loaded = load(tmp_path)
    texts = [("p", "However, yes."), ("p", ""), ("p", "lol " * 40)]
    assert np.array_equal(loaded.score_texts(texts), model.score_texts(texts))
    described = json.loads((tmp_path / "model.json").read_text())
    assert described["dataset_sha256"] == "ab" * 32
    assert described["config"]["l2"] == RewardConfig().l2
    assert described["metrics"]["test_pairs"] == 30
    assert described["versions"]["numpy"] == np.__version__
    assert loaded.config == WITH_NGRAMS


def test_a_pickle_in_the_weights_is_never_opened(model: RewardModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    hostile = np.array([{"anything": 1}], dtype=object)
    np.savez(tmp_path / "weights.npz", mean=hostile)
    with pytest.raises(Invalid, match=r"weights\.npz"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"format": 99}, "format"),
        ({"pieces": ["x"]}, "fit"),
        ({"pieces": 3}, "pieces"),
        ({"style_features": []}, "style features"),
        ({"config": {"l2": "much"}}, "l2"),
        ({"config": {"surprise": 1}}, "surprise"),
        ({"offset": None}, "offset"),
    ],
)
def test_a_changed_description_is_refused(
    model: RewardModel, tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    model.save(tmp_path)
    described = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps({**described, **change}))
    with pytest.raises(Invalid, match=complaint):
        load(tmp_path)


def test_missing_and_broken_files_are_refused(model: RewardModel, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="missing"):
        load(tmp_path / "nowhere")
    model.save(tmp_path)
    (tmp_path / "weights.npz").write_bytes((tmp_path / "weights.npz").read_bytes()[:300])
    with pytest.raises(Invalid, match=r"weights\.npz"):
        load(tmp_path)


def test_equal_scores_count_half() -> None:
    trained = train(made_pairs(60))
    same = [Pair(says("p", "user"), says("Same text."), says("Same text.")) for _ in range(4)]
    result = evaluate(trained, same)
    assert (result.accuracy, result.length_baseline_accuracy) == (0.5, 0.5)


def test_without_test_pairs_nothing_is_known(model: RewardModel) -> None:
    result = evaluate(model, [])
    assert result.pairs == 0
    assert (result.accuracy, result.low, result.lead, result.length_baseline_accuracy) == (None,) * 4


def test_every_text_gets_a_finite_score(model: RewardModel) -> None:
    texts = ["", " ", "\n" * 5000, "." * 60_000 + "x", "\x00\ud83d", "日本語です", "-" * 1000, "A" * 200_000]
    scores = model.score_texts([("p", text) for text in texts])
    assert np.isfinite(scores).all()
    assert all(np.isfinite(list(style(text).values())).all() for text in texts)


def test_votes_pull_less_when_they_are_split() -> None:
    clear = [replace(pair, votes_chosen=5, votes_rejected=0) for pair in made_pairs(80)]
    split = [replace(pair, votes_chosen=3, votes_rejected=2) for pair in made_pairs(80)]
    texts = [("p", CAREFUL[0]), ("p", CARELESS[1])]
    gaps = [float(np.ptp(train(pairs).score_texts(texts))) for pairs in (clear, split)]
    assert gaps[1] < gaps[0] / 2
    by_majority = RewardConfig(votes="majority")
    assert np.array_equal(train(clear, by_majority).score_texts(texts), train(split, by_majority).score_texts(texts))


def test_margins_are_all_or_nothing() -> None:
    pairs = made_pairs(40)
    with_margin = [replace(pair, margin=2.0) for pair in pairs]
    asking = RewardConfig(margins=True)
    with pytest.raises(Invalid, match="margin"):
        train([*with_margin, pairs[0]], asking)
    texts = [("p", CAREFUL[0]), ("p", CARELESS[1])]
    gaps = [float(np.ptp(train(with_margin, config).score_texts(texts))) for config in (asking, RewardConfig())]
    assert gaps[0] > gaps[1]


def test_too_few_pairs_and_senseless_settings_are_refused() -> None:
    with pytest.raises(Invalid, match="10 pairs"):
        train(made_pairs(9))
    with pytest.raises(Invalid, match="l2"):
        RewardConfig(l2=0)
    with pytest.raises(Invalid, match="length_prior"):
        RewardConfig(length_prior=1.5)


def test_word_pieces_are_used_only_with_prompts_enough() -> None:
    pairs = made_pairs(60)
    prompts = [says(f"Question {number % 20}", "user") for number in range(60)]
    many = [replace(pair, prompt=prompt) for pair, prompt in zip(pairs, prompts, strict=True)]
    assert (train(pairs).pieces, train(pairs).metrics["train_prompts"]) == ((), 1)
    assert train(many).metrics["train_prompts"] == 20
    assert train(many).metrics["ngrams_used"] == len(train(many).pieces) > 100


def test_with_a_strong_penalty_length_alone_decides() -> None:
    rng = np.random.default_rng(3)
    lengths = [sorted(rng.choice(np.arange(1, 60), 2, replace=False).tolist()) for _ in range(80)]
    pairs = [Pair(says("p", "user"), says("word " * more), says("word " * less)) for less, more in lengths]
    texts = [("p", "word " * 40), ("p", "Other words, in capitals! " * 2), ("p", "short")]
    scores = train(pairs, RewardConfig(l2=1e4, length_prior=1)).score_texts(texts)
    assert scores[0] > scores[1] > scores[2]
    assert np.ptp(train(pairs, RewardConfig(l2=1e4, length_prior=0)).score_texts(texts)) < np.ptp(scores)


def test_progress_goes_from_start_to_end() -> None:
    seen: list[float] = []
    train(made_pairs(30), progress=lambda share, what: seen.append(share))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_held_out_subjects_are_not_in_training() -> None:
    pairs = [pair for topic in "abcde" for pair in made_pairs(20, topic=topic)]
    rest, held_out = split_held_out(pairs, 0.3, seed=1)
    assert {pair.topic for pair in rest}.isdisjoint(pair.topic for pair in held_out)
    assert len(rest) + len(held_out) == 100
    assert len(held_out) == 40
    assert split_held_out(pairs[:20], 0.3, seed=1)[1] == []


def written(folder: Path, columns: dict[str, list[object]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / "part-0.parquet")
    return folder


def columns_of(pairs: list[Pair]) -> dict[str, list[object]]:
    return {
        "prompt": [list(pair.prompt) for pair in pairs],
        "chosen": [list(pair.chosen) for pair in pairs],
        "rejected": [list(pair.rejected) for pair in pairs],
    }


def test_pairs_are_read_from_a_release_folder(tmp_path: Path) -> None:
    pairs = made_pairs(5)
    votes: dict[str, list[object]] = {"votes_chosen": [3] * 5, "votes_rejected": [2] * 5, "margin": [0.2] * 5}
    written(tmp_path / "pairs", {**columns_of(pairs), **votes, "unknown": [None] * 5})
    written(tmp_path / "judgments", {"label": ["a"]})
    expected = [replace(pair, votes_chosen=3, votes_rejected=2, margin=0.2) for pair in pairs]
    assert load_pairs(tmp_path) == expected
    assert load_pairs(tmp_path / "pairs" / "part-0.parquet") == expected


def test_bad_files_are_refused_with_place_and_reason(tmp_path: Path) -> None:
    good = columns_of(made_pairs(2))
    with pytest.raises(Invalid, match="no Parquet files"):
        load_pairs(tmp_path)
    with pytest.raises(Invalid, match="lacks the column rejected"):
        load_pairs(written(tmp_path / "a" / "pairs", {"prompt": good["prompt"], "chosen": good["chosen"]}))
    nothing_said: list[object] = [good["chosen"][0], [{"role": "assistant", "content": None}]]
    with pytest.raises(Invalid, match="row 2, chosen"):
        load_pairs(written(tmp_path / "b" / "pairs", {**good, "chosen": nothing_said}))
    with pytest.raises(Invalid, match="row 1, margin"):
        load_pairs(written(tmp_path / "c" / "pairs", {**good, "margin": [float("nan"), 1.0]}))
    (tmp_path / "pairs.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(Invalid, match="not a readable Parquet file"):
        load_pairs(tmp_path / "pairs.parquet")


def real(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"needs {path}, which is not part of the project")
    return path


def recorded_majorities() -> list[Pair]:
    """Pairs of real arguments with a majority of recorded votes, without the test debates."""
    with gzip.open(real("ukp_convarg/arguments.jsonl.gz"), "rt") as file:
        arguments = {item["item_id"]: item for item in map(json.loads, file)}
    votes: dict[str, Counter[str]] = {}
    with gzip.open(real("ukp_convarg/comparisons.csv.gz"), "rt", newline="") as file:
        for row in csv.DictReader(file):
            votes.setdefault(row["task_id"], Counter())[row["winner"]] += 1
    pairs = []
    with gzip.open(real("ukp_convarg/pairs.csv.gz"), "rt", newline="") as file:
        for row in csv.DictReader(file):
            if any(debate in row["topic"] for debate in TEST_DEBATES):
                continue
            count = votes[row["task_id"]]
            for one, other in ((row["left"], row["right"]), (row["right"], row["left"])):
                if count[one] > max(count[other], count["tie"]):
                    about = arguments[one]
                    prompt = f"Debate: {about['title']}\nWrite a convincing argument for: {about['stance']}"
                    debate = row["topic"].split("_")[0]
                    chosen, rejected = says(about["text"]), says(arguments[other]["text"])
                    prompted = says(prompt, "user")
                    pairs.append(Pair(prompted, chosen, rejected, None, count[one], count[other], topic=debate))
    return pairs


def unseen_debates() -> list[Pair]:
    with gzip.open(real("ukp_preference/test.jsonl.gz"), "rt") as file:
        rows = [json.loads(line) for line in file]
    return [
        Pair(
            says(row["prompt"], "user"),
            says(row[f"response_{row['choice']}"]),
            says(row["response_b" if row["choice"] == "a" else "response_a"]),
            topic=row["id"].split("_")[0],
        )
        for row in rows
    ]


def told(name: str, result: Evaluation) -> str:
    return f"{name}: {result.accuracy} [{result.low}, {result.high}], length {result.length_baseline_accuracy}"


def test_on_real_arguments_it_leads_over_length_on_most_debates_left_out() -> None:
    """Ahead by 0.02 or more on the mean of six debates and on five of them; on no debate clearly behind."""
    pairs = recorded_majorities()
    debates = sorted({pair.topic for pair in pairs})
    assert len(debates) == 6
    leads = []
    for debate in debates:
        trained = train([pair for pair in pairs if pair.topic != debate])
        result = evaluate(trained, [pair for pair in pairs if pair.topic == debate])
        print(told(debate, result))
        assert result.lead is not None
        assert result.lead_high is not None
        assert result.lead_high > 0, told(debate, result)
        leads.append(result.lead)
    assert np.mean(leads) > 0.02
    assert sum(lead > 0 for lead in leads) >= 5


def preference_pair(row: dict[str, str]) -> Pair:
    other = "b" if row["choice"] == "a" else "a"
    prompt, chosen = says(row["prompt"], "user"), says(row[f"response_{row['choice']}"])
    return Pair(prompt, chosen, says(row[f"response_{other}"]))


def imported_preferences() -> list[Pair]:
    with gzip.open(real("ukp_preference/train.jsonl.gz"), "rt") as file:
        return [preference_pair(json.loads(line)) for line in file]


@pytest.mark.parametrize("trained_on", ["two debates", "imported preferences"])
def test_on_real_debates_left_out_of_training_it_is_ahead_of_length(trained_on: str) -> None:
    """Ahead on these 500 pairs. The interval of the lead contains 0, and the model was chosen knowing this test."""
    if trained_on == "two debates":
        pairs = [pair for pair in recorded_majorities() if pair.topic in TWO_DEBATES]
        assert {pair.topic for pair in pairs} == set(TWO_DEBATES)
    else:
        pairs = imported_preferences()
        assert len(pairs) == 3_000
    result = evaluate(train(pairs), unseen_debates())
    print(told(trained_on, result))
    assert result.pairs == 500
    assert result.length_baseline_accuracy == pytest.approx(0.744)
    assert result.lead is not None
    assert result.lead > 0, told(trained_on, result)


@pytest.mark.parametrize("seed", [7, 11])
def test_on_demo_tasks_nobody_judged_it_is_clearly_ahead_of_length(seed: int) -> None:
    simulation = Simulation(seed)
    judged = [pair for task in simulation.judged for pair in pairs_of(task)]
    result = evaluate(train(judged), [pair for task in simulation.held_out for pair in pairs_of(task)])
    assert result.lead_low is not None
    assert result.lead_low > 0.05, told("held-out demo tasks", result)
