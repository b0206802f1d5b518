"""Judging over HTTP, as each person: claim, heartbeat, draft, submit."""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from preceptor.demo.http import Api, Refused
from preceptor.demo.material import Answer, Material, Vote
from preceptor.demo.simulation import Simulation

CLIENTS = 12
FAST_MOTION = 2000.0
PAUSE_SECONDS_MAX = 0.25


@dataclass
class Tally:
    """What the clients did, counted under a lock; `acknowledged` holds the id of every submission that was answered."""

    claims: int = 0
    acknowledged: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count_claim(self) -> None:
        with self.lock:
            self.claims += 1

    def count_submission(self, submission_id: str) -> None:
        with self.lock:
            self.acknowledged.append(submission_id)

    def count_refusal(self, code: str) -> None:
        with self.lock:
            self.refused[code] = self.refused.get(code, 0) + 1


@dataclass(frozen=True)
class Stage:
    """Where the judging happens: server, project, keys by rater, task ids by external id."""

    base: str
    project: str
    keys: Mapping[str, str]
    task_ids: Mapping[str, str]


def replay_votes(
    stage: Stage, material: Material, tally: Tally, done: Callable[[], None], *, clients: int = CLIENTS
) -> None:
    """Give every recorded vote as its rater. One person's votes go one after another, people side by side."""
    by_rater: dict[str, list[Vote]] = {}
    for vote in material.votes:
        by_rater.setdefault(vote.rater, []).append(vote)

    def one_person(api: Api, rater: str) -> None:
        api.as_person(stage.keys[rater])
        for vote in by_rater[rater]:
            try:
                claim = api.post(f"/projects/{stage.project}/claims", {"task_id": stage.task_ids[vote.external_id]})
                tally.count_claim()
                texts = material.reads[vote.external_id]
                give(api, claim, _by_label(claim, texts, vote.answer), vote.answer, tally)
            except Refused as refusal:
                tally.count_refusal(refusal.code)
            done()

    _side_by_side(stage.base, sorted(by_rater, key=lambda rater: -len(by_rater[rater])), one_person, clients)


def simulate_votes(
    stage: Stage, material: Material, simulation: Simulation, tally: Tally, done: Callable[[], None]
) -> None:
    """Let every simulated contributor claim and judge until no work is left for them."""
    names = {task_id: external_id for external_id, task_id in stage.task_ids.items()}

    def one_person(api: Api, rater: str) -> None:
        api.as_person(stage.keys[rater])
        while judge_next(api, stage.project, names, simulation, rater, tally):
            done()

    raters = [rater.key for rater in material.raters]
    _side_by_side(stage.base, raters, one_person, len(raters))


def judge_next(
    api: Api, project: str, names: Mapping[str, str], simulation: Simulation, rater: str, tally: Tally
) -> bool:
    """Claim whatever comes next and judge it as this simulated contributor; False when nothing is left."""
    try:
        claim = api.post(f"/projects/{project}/claims")
    except Refused as refusal:
        if refusal.code != "no_work_left":
            tally.count_refusal(refusal.code)
        return False
    tally.count_claim()
    external_id = names[claim["task_id"]]
    texts = simulation.texts(external_id)
    shown = [texts.index(_text(response)) for response in claim["task"]["responses"]]
    answer, seconds = simulation.answer(rater, external_id, shown)
    # Fast motion, in proportion: quick people do more of the work, as they would.
    time.sleep(min(seconds / FAST_MOTION, PAUSE_SECONDS_MAX))
    give(api, claim, _by_label(claim, texts, answer), answer, tally)
    return True


def give(api: Api, claim: Mapping[str, Any], ranks: Mapping[str, int], answer: Answer, tally: Tally) -> None:
    """Work on a claim as a browser would: a sign of life, a saved draft, then the answer."""
    path = f"/claims/{claim['id']}"
    given: dict[str, Any] = {"ranks": dict(ranks), "justification": answer.justification}
    if answer.strength is not None:
        given["strength"] = answer.strength
    api.post(f"{path}/heartbeat")
    api.put(f"{path}/draft", {"draft": given, "number": 1})
    tally.count_submission(api.post(f"{path}/submission", {"answer": given})["id"])


def _by_label(claim: Mapping[str, Any], texts: Sequence[str], answer: Answer) -> dict[str, int]:
    """Ranks under the labels A, B, ... that this claim shows, recognised by what stands there."""
    left = list(enumerate(texts))
    ranks = {}
    for response in claim["task"]["responses"]:
        shown = _text(response)
        position = next(place for place, text in left if text == shown)
        left = [(place, text) for place, text in left if place != position]
        ranks[response["id"]] = answer.ranks[position]
    return ranks


def _text(response: Mapping[str, Any]) -> str:
    content: str = response["messages"][-1]["content"]
    return content


def _side_by_side(base: str, people: Sequence[str], one_person: Callable[[Api, str], None], clients: int) -> None:
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for person in people:
        waiting.put(person)

    def client() -> None:
        api = Api(base, "")
        try:
            while True:
                one_person(api, waiting.get_nowait())
        except queue.Empty:
            return
        finally:
            api.close()

    with ThreadPoolExecutor(clients, thread_name_prefix="client") as pool:
        for outcome in [pool.submit(client) for _ in range(clients)]:
            outcome.result()
