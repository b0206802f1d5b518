"""Training runs: from a release or a file of preferences to a model that scores and is measured honestly."""

import gzip
import json
import random
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from fastapi.testclient import TestClient
from sqlalchemy import select
from typer.testing import CliRunner

import preceptor.training.jobs
from preceptor.cli import training as commands
from preceptor.cli.application import create_app
from preceptor.datasets import service as datasets
from preceptor.datasets.errors import ReleaseNotReady
from preceptor.kit.errors import Invalid
from preceptor.kit.events import Event
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Task
from preceptor.training import service
from preceptor.training.errors import ModelNotReady
from preceptor.training.models import RunState, TrainingRun
from preceptor.training.preferences import read_preferences
from preceptor.training.reward import Pair, RewardConfig
from preceptor.training.reward.files import text_of
from preceptor.training.runs import hold_out, train_and_test
from preceptor.training.service import Item
from tests import factories
from tests.conftest import NOW, needs_shared
from tests.datasets.judged import Judged, make_judged

OpenRuntime = Callable[..., Runtime]

CAREFUL = "Because the evidence points that way, the answer follows: {}. For example, each step can be checked."
SLOPPY = "dunno lol its {} i guess!!! whatever,who cares"


def pair(prompt: str, chosen: str, rejected: str, topic: str = "") -> Pair:
    return Pair(
        prompt=({"role": "user", "content": prompt},),
        chosen=({"role": "assistant", "content": chosen},),
        rejected=({"role": "assistant", "content": rejected},),
        topic=topic,
    )


def careful_pairs(prompts: int, each: int = 4, topics: int = 0) -> list[Pair]:
    """People prefer care to haste, whatever the length."""
    rng = random.Random(3)
    pairs = []
    for number in range(prompts):
        for _ in range(each):
            chosen = CAREFUL.format(rng.randrange(1000))
            rejected = SLOPPY.format(rng.randrange(1000)) + " so there" * rng.randrange(12)
            pairs.append(pair(f"Question {number}?", chosen, rejected, f"t{number % topics}" if topics else ""))
    return pairs


# --- What is held out


@pytest.mark.parametrize("topics", [0, 2, 7])
def test_no_prompt_is_on_both_sides(topics: int) -> None:
    split = hold_out(careful_pairs(30, topics=topics), RewardConfig())
    trained = {text_of(one.prompt) for one in split.train}
    tested = {text_of(one.prompt) for one in split.test}
    assert trained
    assert tested
    assert not trained & tested
    assert split.tested_on == ("held-out topics" if topics >= 5 else "held-out prompts")


def test_a_prompt_under_two_topics_does_not_leak() -> None:
    pairs = [pair("The same question?", f"a{n}", f"b{n}", f"t{n % 7}") for n in range(14)]
    pairs += [pair(f"Question {n}?", f"a{n}", f"b{n}", f"t{n % 7}") for n in range(70)]
    split = hold_out(pairs, RewardConfig())
    assert not {text_of(one.prompt) for one in split.train} & {text_of(one.prompt) for one in split.test}


def test_with_a_single_prompt_nothing_is_claimed() -> None:
    trained = train_and_test(careful_pairs(1, each=30))
    assert trained.evaluation is None
    assert "test_accuracy" not in trained.model.metrics
    assert "same prompt" in str(trained.model.metrics["tested_on"])


def test_a_model_is_measured_on_what_it_has_not_seen_beside_the_length_baseline() -> None:
    trained = train_and_test(careful_pairs(40))
    found = trained.evaluation
    assert found is not None
    assert found.accuracy is not None
    assert found.low is not None
    assert found.length_baseline_accuracy is not None
    assert found.low > found.length_baseline_accuracy
    assert trained.model.metrics["test_accuracy"] == found.accuracy
    assert trained.model.metrics["test_prompts_seen"] == 0


def test_test_prompts_that_were_trained_on_are_counted() -> None:
    pairs = careful_pairs(20)
    assert train_and_test(pairs, test_pairs=pairs[:5]).model.metrics["test_prompts_seen"] == 5


# --- Files that people bring


def test_preferences_are_read_in_both_layouts(tmp_path: Path) -> None:
    lettered = tmp_path / "lettered.jsonl.gz"
    rows: list[dict[str, object]] = [
        {"id": "1", "prompt": "Name a prime.", "response_a": "7", "response_b": "9", "choice": "a", "votes_a": 4,
         "votes_b": 1},
        {"id": "2", "prompt": "Name a prime.", "response_a": "8", "response_b": "5", "choice": "b"},
        {"id": "3", "prompt": "Name a prime.", "response_a": "3", "response_b": "5", "choice": "tie"},
    ]  # fmt: skip
    lettered.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    chosen = tmp_path / "chosen.jsonl"
    chosen.write_text(json.dumps({"prompt": "Name a prime.", "chosen": "7", "rejected": "9"}))

    first, second = read_preferences(lettered)
    assert (first.prompt, first.chosen, first.rejected) == (
        ({"role": "user", "content": "Name a prime."},),
        ({"role": "assistant", "content": "7"},),
        ({"role": "assistant", "content": "9"},),
    )
    assert (first.votes_chosen, first.votes_rejected) == (4, 1)
    assert second.chosen[0]["content"] == "5"
    [only] = read_preferences(chosen)
    assert (only.chosen[0]["content"], only.votes_chosen) == ("7", None)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"prompt": "p", "response_a": "a", "response_b": "b", "choice": "c"}\n', "line 1"),
        (b'{"prompt": "p", "chosen": "a", "rejected": "b"}\n{"prompt": \n', "line 2"),
        (b'{"prompt": "p", "chosen": "a", "rejected": "b"}\n\xff\xfe\n', "line 2"),
        (b'{"prompt": "p", "response_a": "a", "response_b": "b"}\n', "no row with a choice"),
        (b"", "row"),
        (gzip.compress(b'{"prompt": "p", "chosen": "a", "rejected": "b"}\n' * 500)[:-20], "line"),
    ],
)
def test_bad_files_are_refused_by_line(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    with pytest.raises(Invalid, match=says):
        read_preferences(path)


def test_recorded_preferences_are_all_read() -> None:
    assert len(read_preferences(needs_shared("data/ukp_preference/train.jsonl.gz"))) == 3000


# --- Runs on releases


@pytest.fixture
def judged(open_runtime: OpenRuntime) -> Judged:
    """Thirty tasks with a careful and a sloppy response; one person judged all of them."""
    world = make_judged(open_runtime(), tasks=0, people=1, overlap=1, now=NOW)
    with world.runtime.sessions.begin() as session:
        for number in range(30):
            texts = (CAREFUL.format(number), SLOPPY.format(number))
            payload = {
                "prompt": [{"role": "user", "content": f"Question {number}?"}],
                "responses": [
                    {"id": f"r{place}", "messages": [{"role": "assistant", "content": text}]}
                    for place, text in enumerate(texts, start=1)
                ],
            }
            session.add(
                Task(project_id=world.project_id, external_id=str(number), payload=payload, position=number,
                     wanted=1, created_at=NOW)
            )  # fmt: skip
    for _ in range(30):
        world.judge(world.people[0], "r1", seconds=5)
    world.approve_all()
    return world


def requested(judged: Judged, **config: object) -> TrainingRun:
    release = judged.release()
    with judged.runtime.sessions.begin() as session:
        return service.request_run(session, judged.world.client.actor, release.id, config, now=NOW)


def test_a_run_trains_stores_and_reports(judged: Judged) -> None:
    run = service.train_run(judged.runtime, requested(judged, seed=3).id)
    assert (run.state, run.progress_percent, run.failure) == (RunState.READY, 100, None)
    assert run.metrics is not None
    assert run.metrics["test_accuracy"] == 1.0
    assert run.metrics["test_low"] < 1.0
    assert run.metrics["test_length_baseline_accuracy"] is not None
    assert run.config["seed"] == 3
    assert sorted(key.rsplit("/", 1)[-1] for key in judged.runtime.storage.list(run.folder)) == [
        "model.json",
        "weights.npz",
    ]
    again = service.train_run(judged.runtime, run.id)
    assert again.finished_at == run.finished_at


def test_two_workers_train_a_run_once(judged: Judged) -> None:
    run = requested(judged)
    threads = [threading.Thread(target=service.train_run, args=(judged.runtime, run.id)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with judged.runtime.sessions.begin() as session:
        finished = select(Event).where(Event.kind == "training.finished", Event.subject_id == run.id)
        assert len(session.scalars(finished).all()) == 1


def test_a_model_scores_and_is_evaluated(judged: Judged) -> None:
    run = service.train_run(judged.runtime, requested(judged).id)
    client, storage = judged.world.client.actor, judged.runtime.storage
    prompt = [{"role": "user", "content": "Another?"}]
    items = [Item(prompt, [{"role": "assistant", "content": text.format(5)}]) for text in (CAREFUL, SLOPPY)]
    with judged.runtime.sessions.begin() as session:
        careful, sloppy = service.score(session, client, storage, run.id, items)
        found = service.evaluate_model(session, client, storage, run.id, careful_pairs(20))
    assert careful > sloppy
    assert found.accuracy is not None
    assert found.accuracy > 0.9


def test_too_few_pairs_fail_with_words_for_people(open_runtime: OpenRuntime) -> None:
    few = make_judged(open_runtime(), tasks=2, people=1, overlap=1, now=NOW)
    few.judge(few.people[0], "r1")
    few.approve_all()
    run = requested(few)
    with pytest.raises(Invalid, match="needs 10 pairs"):
        service.train_run(few.runtime, run.id)
    with few.runtime.sessions.begin() as session:
        failed = service.run_for_client(session, few.world.client.actor, run.id)
        assert (failed.state, failed.failure) == (
            RunState.FAILED,
            "A reward model needs 10 pairs with a preference; there are 1.",
        )
        with pytest.raises(ModelNotReady):
            service.score(session, few.world.client.actor, few.runtime.storage, run.id, [])
    preceptor.training.jobs.train_run(few.runtime, str(run.id))  # the job does not ask to be tried again


@pytest.mark.parametrize(
    "config",
    [{"sed": 1}, {"l2": -1}, {"ngrams": "many"}, {"pairs_max": 10**9}, {"votes": "none"}, {"iterations_max": 0}],
)
def test_settings_that_make_no_sense_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        service.read_config(config)


def test_an_unfinished_release_cannot_be_trained_on(judged: Judged) -> None:
    with judged.runtime.sessions.begin() as session:
        asked = datasets.request_release(session, judged.world.client.actor, judged.project_id, "Later", now=NOW)
        with pytest.raises(ReleaseNotReady):
            service.request_run(session, judged.world.client.actor, asked.id, now=NOW)


# --- Over HTTP


@pytest.fixture
def http(judged: Judged) -> Iterator[TestClient]:
    with TestClient(create_app(judged.runtime), headers={"sec-fetch-site": "same-origin"}) as client:
        yield client


def test_training_scoring_and_evaluating_over_the_api(judged: Judged, http: TestClient) -> None:
    headers = judged.world.client.headers
    release = show_id("release", judged.release().id)
    asked = http.post(f"/api/v1/releases/{release}/models", json={"config": {"seed": 2}}, headers=headers)
    assert asked.status_code == 201, asked.text
    url = f"/api/v1/models/{asked.json()['id']}"
    item = {"prompt": [], "response": [{"role": "assistant", "content": "x"}]}
    early = http.post(f"{url}/score", json={"items": [item]}, headers=headers)
    assert (early.status_code, early.json()["code"]) == (409, "model_not_ready")

    with judged.runtime.sessions.begin() as session:
        [run] = service.list_runs(session, judged.world.client.actor)
    service.train_run(judged.runtime, run.id)
    ready = http.get(url, headers=headers).json()
    assert (ready["state"], ready["metrics"]["test_accuracy"]) == ("ready", 1.0)
    assert [model["id"] for model in http.get("/api/v1/models", headers=headers).json()["items"]] == [ready["id"]]
    scores = http.post(f"{url}/score", json={"items": [item, item]}, headers=headers).json()["scores"]
    assert len(scores) == 2
    assert scores[0] == scores[1]
    rows = [{"prompt": f"Q{n}", "chosen": CAREFUL.format(n), "rejected": SLOPPY.format(n)} for n in range(9)]
    lines = [json.dumps(row) for row in rows]
    found = http.post(f"{url}/evaluate", content="\n".join(lines).encode(), headers=headers)
    assert (found.json()["pairs"], found.json()["accuracy"]) == (9, 1.0)
    bad = http.post(f"{url}/evaluate", content=b'{"prompt": 1', headers=headers)
    assert (bad.status_code, bad.json()["code"]) == (422, "invalid")


def test_strangers_find_no_model(judged: Judged, http: TestClient) -> None:
    run = service.train_run(judged.runtime, requested(judged).id)
    with judged.runtime.sessions.begin() as session:
        _, stranger = factories.make_client(session, now=NOW + timedelta(seconds=1))
    url = f"/api/v1/models/{show_id('model', run.id)}"
    for headers in (stranger.headers, judged.people[0].headers):
        item = {"prompt": [], "response": [{"role": "assistant", "content": "x"}]}
        assert http.get(url, headers=headers).status_code == 404
        assert http.post(f"{url}/score", json={"items": [item]}, headers=headers).status_code == 404
        assert http.post(f"{url}/evaluate", content=b"{}", headers=headers).status_code == 404
        assert http.get("/api/v1/models", headers=headers).json()["items"] == []


# --- On the command line


def test_train_and_score_on_the_command_line(judged: Judged, tmp_path: Path) -> None:
    release = judged.release()
    with judged.runtime.sessions.begin() as session:
        client = judged.world.client.actor
        datasets.export_release(session, client, judged.runtime.storage, release.id, tmp_path / "release")
    more = tmp_path / "more.jsonl.gz"
    rows = [{"prompt": f"M{n}", "chosen": CAREFUL.format(n), "rejected": SLOPPY.format(n)} for n in range(12)]
    more.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    figures = tmp_path / "figures.json"
    commands.train(str(tmp_path / "release"), add=[more], test=more, out=tmp_path / "model", json_=figures, seed=0)
    metrics = json.loads(figures.read_text())
    assert (metrics["train_pairs"], metrics["test_pairs"], metrics["test_accuracy"]) == (42, 12, 1.0)
    assert metrics["test_prompts_seen"] == 12
    assert json.loads((tmp_path / "model" / "model.json").read_text())["dataset_sha256"] == release.sha256

    app = typer.Typer()
    app.command()(commands.score)
    lines = tmp_path / "lines.jsonl"
    lines.write_text("\n".join(json.dumps({"prompt": "Q", "response": text}) for text in (CAREFUL, SLOPPY)))
    result = CliRunner().invoke(app, [str(tmp_path / "model"), str(lines)])
    assert result.exit_code == 0, result.output
    first, second = (json.loads(line)["score"] for line in result.output.splitlines())
    assert first > second
    lines.write_text('{"prompt": "no response"}')
    assert CliRunner().invoke(app, [str(tmp_path / "model"), str(lines)]).exit_code == 1
