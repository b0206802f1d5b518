"""Judging over HTTP, as each person: claim, heartbeat, draft, submit."""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from preceptor.demo.http import Api, Refused
from preceptor.demo.material import Answer, Material, Vote
from preceptor.demo.simulation import Simulation

CLIENTS = 12
FAST_MOTION = 2000.0
PAUSE_SECONDS_MAX = 0.25


@dataclass(frozen=True)
class Given:
    """A judgment that the server has acknowledged: who gave it, on what, and whether it is that of the key."""

    submission_id: str
    rater: str
    external_id: str
    right: bool | None


@dataclass
class Tally:
    """What the clients did, counted under a lock; `given` holds every submission that was answered."""

    claims: int = 0
    given: list[Given] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count_claim(self) -> None:
        with self.lock:
            self.claims += 1

    def count_submission(self, given: Given) -> None:
        with self.lock:
            self.given.append(given)

    def count_refusal(self, code: str) -> None:
        with self.lock:
            self.refused[code] = self.refused.get(code, 0) + 1


@dataclass(frozen=True)
class Stage:
    """Where the judging happens: server, project, keys and people by rater, task ids by external id."""

    base: str
    project: str
    keys: Mapping[str, str]
    task_ids: Mapping[str, str]
    people: Mapping[str, UUID] = field(default_factory=dict)

    def names(self) -> dict[str, str]:
        """External ids by task id."""
        return {task_id: external_id for external_id, task_id in self.task_ids.items()}


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
                submission = give(api, claim, by_label(claim["task"], texts, vote.answer), vote.answer)
                tally.count_submission(Given(submission, rater, vote.external_id, None))
            except Refused as refusal:
                tally.count_refusal(refusal.code)
            done()

    _side_by_side(stage.base, sorted(by_rater, key=lambda rater: -len(by_rater[rater])), one_person, clients)


def simulate_votes(
    stage: Stage, material: Material, simulation: Simulation, tally: Tally, done: Callable[[], None]
) -> None:
    """Let every simulated contributor claim and judge until no work is left for them.

    Who copies somebody follows them: takes the same task right after them if it is free, else whatever comes next.
    """
    names = stage.names()

    def claim_of(api: Api, rater: str, task_id: str | None = None) -> dict[str, Any] | None:
        api.as_person(stage.keys[rater])
        return claim_next(api, stage.project, tally, task_id)

    def judge_as(api: Api, rater: str, claim: Mapping[str, Any]) -> None:
        api.as_person(stage.keys[rater])
        judge_claim(api, claim, names, simulation, rater, tally)
        done()

    def one_person(api: Api, rater: str) -> None:
        if follower := simulation.follower_of(rater):
            a_pair(api, rater, follower)
        while claim := claim_of(api, rater):
            judge_as(api, rater, claim)
        while follower and (claim := claim_of(api, follower)):
            judge_as(api, follower, claim)

    def a_pair(api: Api, rater: str, follower: str) -> None:
        beside = Api(stage.base, "")
        with ThreadPoolExecutor(1, thread_name_prefix="follower") as hands:
            while claim := claim_of(api, rater):
                followed = claim_of(beside, follower, claim["task_id"]) or claim_of(beside, follower)
                second = hands.submit(judge_as, beside, follower, followed) if followed else None
                judge_as(api, rater, claim)
                if second is not None:
                    second.result()
        beside.close()

    raters = [rater.key for rater in material.raters if not simulation.person(rater.key).copies]
    _side_by_side(stage.base, raters, one_person, len(raters))


def claim_next(api: Api, project: str, tally: Tally, task_id: str | None = None) -> dict[str, Any] | None:
    """Claim the task named, or whatever comes next; None when that is not free or nothing is left."""
    try:
        claim = api.post(f"/projects/{project}/claims", {"task_id": task_id} if task_id else None)
    except Refused as refusal:
        if refusal.code != "no_work_left":
            tally.count_refusal(refusal.code)
        return None
    tally.count_claim()
    return claim


def judge_claim(
    api: Api, claim: Mapping[str, Any], names: Mapping[str, str], simulation: Simulation, rater: str, tally: Tally
) -> None:
    """Judge a claimed task as this simulated contributor."""
    external_id = names[claim["task_id"]]
    texts = simulation.texts(external_id)
    shown = [texts.index(text_of(response)) for response in claim["task"]["responses"]]
    answer, seconds = simulation.answer(rater, external_id, shown)
    # Fast motion, in proportion: quick people do more of the work, as they would.
    time.sleep(min(seconds / FAST_MOTION, PAUSE_SECONDS_MAX))
    submission = give(api, claim, by_label(claim["task"], texts, answer), answer)
    tally.count_submission(Given(submission, rater, external_id, simulation.is_right(external_id, answer.ranks)))


def give(api: Api, claim: Mapping[str, Any], ranks: Mapping[str, int], answer: Answer) -> str:
    """Work on a claim as a browser would: a sign of life, a saved draft, then the answer. Returns the submission."""
    path = f"/claims/{claim['id']}"
    given = as_sent(ranks, answer)
    api.post(f"{path}/heartbeat")
    api.put(f"{path}/draft", {"draft": given, "number": 1})
    submission: str = api.post(f"{path}/submission", {"answer": given})["id"]
    return submission


def as_sent(ranks: Mapping[str, int], answer: Answer) -> dict[str, Any]:
    """An answer as the API takes it."""
    given: dict[str, Any] = {"ranks": dict(ranks), "justification": answer.justification}
    if answer.strength is not None:
        given["strength"] = answer.strength
    return given


def by_label(task: Mapping[str, Any], texts: Sequence[str], answer: Answer) -> dict[str, int]:
    """Ranks under the labels A, B, ... that a task is shown with, recognised by what stands there."""
    return dict(zip(stored_order(task, texts), answer.ranks, strict=True))


def stored_order(task: Mapping[str, Any], texts: Sequence[str]) -> list[str]:
    """The label that each of these responses is shown under."""
    left = list(task["responses"])
    labels = []
    for text in texts:
        shown = next(response for response in left if text_of(response) == text)
        left.remove(shown)
        labels.append(str(shown["id"]))
    return labels


def text_of(response: Mapping[str, Any]) -> str:
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
