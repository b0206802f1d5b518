"""Reviews in the demo: the demo's reviewer and, beside simulated contributors, an openly simulated colleague who errs.

Both work side by side, so that blind second reviews and reviews with a known decision come up as in a real team.
"""

import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from preceptor.demo.http import Api, Refused
from preceptor.demo.material import Answer
from preceptor.demo.replay import Given, Stage, Tally, as_sent, by_label, stored_order
from preceptor.demo.simulation import REVIEWER_ERRS_EVERY, Simulation

RETURNED_SHARE = 0.35
"""Of wrong judgments: sent back to be revised rather than rejected."""
GOLD_AFTER = 16
"""After so many decisions the client says of some what the right decision is."""
GOLD_REVIEWS = 6
APPROVE: Mapping[str, Any] = {"decision": "approve", "comment": "", "worked_seconds": 20}
FIRST_IS_WRONG = "The response put first contains an error that checking the last step would have shown."
LOOK_AGAIN = "The response put first contains an error. Work the last step out yourself, then rank again."
SLIP = "Simulated slip: I take the response put first to be wrong, without having worked it out."


@dataclass
class Desk:
    """Reviews of one project. `decided` holds every submission looked at with the decision that the key asks for."""

    base: str
    place: Stage
    keys: list[str]
    """Of the reviewer and, where there is one, of the simulated colleague."""
    simulation: Simulation | None
    decided: list[tuple[str, str]] = field(default_factory=list)
    gold_set: bool = False
    asked_at: int = 0
    seen_by_colleague: int = 0

    def review_all(self, done: Callable[[], None], client: Api) -> None:
        """Decide what waits, side by side, until nobody finds anything."""
        names = self.place.names()

        def one_reviewer(number: int) -> None:
            api = Api(self.base, self.keys[number])
            while self._decide_next(api, names, colleague=number == 1):
                done()
                if number == 0 and self._knows_enough():
                    self._set_known_decisions(client)
            api.close()

        with ThreadPoolExecutor(len(self.keys), thread_name_prefix="reviewer") as pool:
            for outcome in [pool.submit(one_reviewer, number) for number in range(len(self.keys))]:
                outcome.result()

    def _knows_enough(self) -> bool:
        return self.simulation is not None and not self.gold_set and len(self.decided) >= GOLD_AFTER

    def has_returned(self) -> bool:
        """Whether something was sent back since this was asked last."""
        since, self.asked_at = self.asked_at, len(self.decided)
        return any(decision == "return" for _, decision in self.decided[since:])

    def _decide_next(self, api: Api, names: Mapping[str, str], *, colleague: bool) -> bool:
        try:
            item = api.post(f"/reviews/next?project_id={self.place.project}")
        except Refused as refusal:
            if refusal.code == "nothing_to_review":
                return False
            raise
        submission = item["submission"]
        right = self.decision(item, names[submission["task_id"]])
        self.decided.append((submission["id"], right["decision"]))
        api.post(f"/submissions/{submission['id']}/review", self._slip(item, right) if colleague else right)
        return True

    def decision(self, item: Mapping[str, Any], external_id: str) -> dict[str, Any]:
        """Recorded judgments are approved: they are people's honest opinions. Simulated ones are held to the key."""
        ranks = item["answer"].get("ranks", {})
        if self.simulation is None:
            return dict(APPROVE)
        names = stored_order(item["task"], self.simulation.texts(external_id))
        if not self.simulation.is_wrong(external_id, [ranks.get(name, 99) for name in names]):
            return dict(APPROVE)
        draw = random.Random(f"{external_id}/{item['submission']['claim_id']}").random()
        if item["submission"]["revision"] == 1 and draw < RETURNED_SHARE:
            return {"decision": "return", "comment": LOOK_AGAIN, "worked_seconds": 30}
        return _rejection(item, FIRST_IS_WRONG)

    def _slip(self, item: Mapping[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        """What the simulated colleague decides: every so many-th time the opposite."""
        self.seen_by_colleague += 1
        if self.seen_by_colleague % REVIEWER_ERRS_EVERY:
            return right
        return _rejection(item, SLIP) if right["decision"] == "approve" else dict(APPROVE)

    def _set_known_decisions(self, client: Api) -> None:
        """The client says of a few decided submissions what is right, by the key; reviewers are measured by them."""
        wrong = [one for one in self.decided if one[1] != "approve"][: GOLD_REVIEWS // 2]
        right = [one for one in self.decided if one[1] == "approve"][: GOLD_REVIEWS - len(wrong)]
        for submission, decision in [*wrong, *right]:
            client.post(
                f"/projects/{self.place.project}/quality/gold-reviews",
                {
                    "submission_id": submission,
                    "decision": decision,
                    "explanation": "By the answer key of the demo, which is known by construction.",
                },
            )
        self.gold_set = True


def _rejection(item: Mapping[str, Any], comment: str) -> dict[str, Any]:
    verdict = {"key": item["rubric"][0]["key"], "verdict": "not_met", "comment": comment}
    return {"decision": "reject", "comment": comment, "criteria": [verdict], "worked_seconds": 40}


def revise_returned(base: str, place: Stage, simulation: Simulation, tally: Tally, done: Callable[[], None]) -> None:
    """Everybody whose work was returned looks again, finds the error and sends the right ranking."""
    names = place.names()
    api = Api(base, "")
    for rater, key in place.keys.items():
        api.as_person(key)
        for submission in api.get(f"/submissions?project_id={place.project}&state=returned&limit=100")["items"]:
            claim = api.get(f"/claims/{submission['claim_id']}")
            if claim["state"] != "returned":
                continue
            external_id = names[claim["task_id"]]
            task = simulation.task(external_id)
            words = f"After the review I worked it out again. {task.explanation}"
            answer = Answer(task.ranking, words, 2 if len(task.responses) == 2 else None)
            ranks = by_label(claim["task"], task.responses, answer)
            sent = api.post(f"/claims/{claim['id']}/submission", {"answer": as_sent(ranks, answer)})
            tally.count_submission(Given(sent["id"], rater, external_id, True))
            done()
    api.close()
