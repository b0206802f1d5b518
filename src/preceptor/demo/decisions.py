"""What follows from evidence in the demo, over the API as the people concerned: places, appeals, challenges, practice.

Everybody here but the visitor's four roles is openly simulated, and what they write says so.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from preceptor.demo.http import Api
from preceptor.demo.material import Answer
from preceptor.demo.replay import Given, Stage, Tally, as_sent, by_label, text_of
from preceptor.demo.simulation import Simulation
from preceptor.kit.ids import show_id

EVIDENCE_MAX = 20
PRACTICE_MAX = 60
PRACTICE_TASKS = 6
FOR_PRACTICE = "It has checked more people than the others; from now on people practise on it."
APPEAL_WRONGED = "Simulated: I worked this task out step by step, and the response I put first is right."
APPEAL_HOPEFUL = "Simulated: I still think that the response I put first is the better one."
STANDS = "Looked at again with the answer key: the response put first contains the error that the review names."
OVERTURNED = "Looked at again with the answer key: the response put first is right, and the review was wrong."
CHALLENGE_RIGHT = "Simulated: I worked it out twice. The known answer has the responses the wrong way round."
CHALLENGE_WRONG = "Simulated: I believe that the known answer is wrong, since the other response reads better."
UPHELD = "The challenge is right: the key was planted the wrong way round on purpose, to be found."
DISMISSED = "The explanation of the known answer holds step by step; the other response has the error it names."
NEW_EXPLANATION = "Corrected after a challenge. {explanation}"
RETRAIN = (
    "Known answers and the comparison with others show an accuracy below this project's standard. Please practise on "
    "explained tasks first; after that the work goes on. (Demo: the person concerned is simulated.)"
)
PAUSE = (
    "The evidence linked below shows the same place chosen again and again, whatever was shown there. Your place is "
    "paused until we have talked. (Demo: the person concerned is simulated.)"
)


@dataclass(frozen=True)
class Scene:
    """Who acts and where. `client` and `reviewer` are keys; raters' keys are in `place`."""

    base: str
    place: Stage
    simulation: Simulation
    client: str
    reviewer: str


# --- Places in the project


def retrain_the_weak(scene: Scene, rater: str) -> bool:
    """The client asks a person to practise, on everything that is on record; False where nothing is on record."""
    api = Api(scene.base, scene.client)
    found = _on_record(api, scene, rater)
    if found:
        _keep_for_practice(api, scene)
        _decide(api, scene, rater, "retrain", "below_standard", RETRAIN, [each["key"] for each in found])
    api.close()
    return bool(found)


def _keep_for_practice(api: Api, scene: Scene) -> None:
    """Take the gold tasks that have checked most people out of the mix, so that there is enough to practise on."""
    path = f"/projects/{scene.place.project}"
    lines = [line for line in api.get(f"{path}/gold?limit=200")["items"] if not line["open_challenges"]]
    for line in sorted(lines, key=lambda line: -line["passed"]["n"])[:PRACTICE_TASKS]:
        if line["state"] == "gold":
            api.post(f"{path}/tasks/{line['task_id']}/gold/moves", {"to": "practice", "reason": FOR_PRACTICE})


def pause_the_careless(scene: Scene, rater: str) -> bool:
    """The client pauses a person on findings about them; False where there is none."""
    api = Api(scene.base, scene.client)
    keys = [each["key"] for each in _on_record(api, scene, rater) if each["kind"] == "evidence"]
    if keys:
        _decide(api, scene, rater, "pause", "careless", PAUSE, keys)
    api.close()
    return bool(keys)


def _on_record(api: Api, scene: Scene, rater: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"{_person(scene, rater)}/evidence")["items"]
    return found


def _person(scene: Scene, rater: str) -> str:
    return f"/projects/{scene.place.project}/people/{show_id('person', scene.place.people[rater])}"


def _decide(api: Api, scene: Scene, rater: str, what: str, rule: str, reason: str, evidence: list[str]) -> None:
    api.post(f"{_person(scene, rater)}/{what}", {"rule": rule, "reason": reason, "evidence": evidence[:EVIDENCE_MAX]})


def practise(scene: Scene, rater: str, done: Callable[[], None]) -> bool:
    """The person practises until the retraining is passed: by their own skill first, then by what was explained."""
    api, names, learned = Api(scene.base, scene.place.keys[rater]), scene.place.names(), set[str]()
    path = f"/projects/{scene.place.project}/practice"
    for _ in range(PRACTICE_MAX):
        item = api.post(f"{path}/next")["item"]
        if item is None:
            break
        task = scene.simulation.task(names[item["task_id"]])
        shown = [task.responses.index(text_of(response)) for response in item["task"]["responses"]]
        answer, _ = scene.simulation.answer(rater, task.external_id, shown)
        if task.external_id in learned:
            answer = Answer(task.ranking, f"As explained last time. {task.explanation}", answer.strength)
        given = as_sent(by_label(item["task"], task.responses, answer), answer)
        told = api.post(f"{path}/answer", {"task_id": item["task_id"], "round": item["round"], "answer": given})
        learned.add(task.external_id)
        done()
        if told["progress"]["finished"]:
            api.close()
            return True
    api.close()
    return False


# --- Appeals


def appeal_rejections(scene: Scene, done: Callable[[], None]) -> str | None:
    """Everybody whose right answer was rejected appeals, and two others too; returns the one left for the visitor."""
    hopeful: list[str] = []
    api = Api(scene.base, "")
    for rater, decision, was_right in _rejections(scene, api):
        if not was_right and len(hopeful) == 2:
            continue
        api.as_person(scene.place.keys[rater])
        words = APPEAL_WRONGED if was_right else APPEAL_HOPEFUL
        made = api.post(f"/decisions/{decision['id']}/appeal", {"words": words})
        if not was_right:
            hopeful.append(made["id"])
        done()
    api.close()
    return hopeful[1] if len(hopeful) == 2 else None


def _rejections(scene: Scene, api: Api) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """(rater, the decision in full, whether the answer was right) of every rejection that nobody appealed."""
    names = scene.place.names()
    for rater, key in scene.place.keys.items():
        api.as_person(key)
        found = api.get(f"/submissions?project_id={scene.place.project}&state=rejected&limit=100")["items"]
        tasks = {submission["id"]: names[submission["task_id"]] for submission in found}
        for line in api.get("/me/decisions?outcome=not_appealed&limit=100")["items"] if tasks else []:
            if line["submission_id"] in tasks and line["kind"] == "reject":
                decision = api.get(f"/decisions/{line['id']}")
                yield rater, decision, _is_right(scene, tasks[line["submission_id"]], decision["work"])


def _is_right(scene: Scene, external_id: str, work: Mapping[str, Any]) -> bool:
    """Whether decided work, as its author saw it, puts a best response first."""
    texts = scene.simulation.texts(external_id)
    ranks = [99] * len(texts)
    for response in work["task"]["responses"]:
        ranks[texts.index(text_of(response))] = work["answer"]["ranks"][response["id"]]
    return not scene.simulation.is_wrong(external_id, ranks)


def decide_appeals(scene: Scene, left_open: str | None, done: Callable[[], None]) -> None:
    """Somebody who did not decide first looks again: the reviewer, or a manager of the client."""
    by_text = {scene.simulation.task(name).prompt: name for name in scene.place.task_ids}
    for key in (scene.reviewer, scene.client):
        api = Api(scene.base, key)
        for queued in api.get("/appeals?limit=100")["items"]:
            appeal_id = queued["appeal"]["id"]
            if queued["you_decided_first"] or appeal_id == left_open:
                continue
            sheet = api.get(f"/appeals/{appeal_id}")
            external_id = by_text[sheet["work"]["task"]["prompt"][0]["content"]]
            right = _is_right(scene, external_id, sheet["work"])
            outcome = (
                {"outcome": "overturned", "reason": OVERTURNED} if right else {"outcome": "stands", "reason": STANDS}
            )
            api.post(f"/appeals/{appeal_id}/decision", outcome)
            done()
        api.close()


# --- Challenges to known answers


def challenge_known_answers(scene: Scene, tally: Tally, done: Callable[[], None]) -> None:
    """Somebody finds the key that was planted wrong, and the client corrects it; two others challenge right keys.

    Of those two one is dismissed, and one is left for the visitor to decide.
    """
    client = Api(scene.base, scene.client)
    wrong = scene.simulation.wrong_key
    for given in _checked(scene, tally, lambda each: each.external_id == wrong and each.right is True, 1):
        _decide_challenge(client, _challenge(scene, given, CHALLENGE_RIGHT), "theirs", UPHELD)
        _explain(client, scene, wrong)
        done()
    others = list(_checked(scene, tally, lambda each: each.external_id != wrong and each.right is False, 2))
    for place, given in enumerate(others):
        made = _challenge(scene, given, CHALLENGE_WRONG)
        if place == 0:
            _decide_challenge(client, made, "dismiss", DISMISSED)
        done()
    client.close()


def _checked(scene: Scene, tally: Tally, wanted: Callable[[Given], bool], most: int) -> Iterator[Given]:
    """Judgments of this kind that failed a known answer and are decided, as their author sees it; of `most` people."""
    api, people = Api(scene.base, ""), set[str]()
    known = scene.simulation.gold
    for given in [each for each in tally.given if each.external_id in known and wanted(each)]:
        if given.rater in people:
            continue
        api.as_person(scene.place.keys[given.rater])
        seen = api.get(f"/submissions/{given.submission_id}/gold")
        if seen and not seen["passed"] and seen["challenge"] is None:
            people.add(given.rater)
            yield given
        if len(people) == most:
            break
    api.close()


def _challenge(scene: Scene, given: Given, words: str) -> str:
    api = Api(scene.base, scene.place.keys[given.rater])
    made: str = api.post(f"/submissions/{given.submission_id}/challenge", {"words": words})["id"]
    api.close()
    return made


def _decide_challenge(client: Api, challenge_id: str, outcome: str, reason: str) -> None:
    client.post(f"/challenges/{challenge_id}/decision", {"outcome": outcome, "reason": reason})


def _explain(client: Api, scene: Scene, external_id: str) -> None:
    """Say why the corrected key is right: the old explanation fell with the old key."""
    lines = client.get(f"/projects/{scene.place.project}/gold?limit=200")["items"]
    task = next(line["task_id"] for line in lines if line["external_id"] == external_id)
    words = NEW_EXPLANATION.format(explanation=scene.simulation.task(external_id).explanation)
    client.put(f"/projects/{scene.place.project}/tasks/{task}/gold/explanation", {"explanation": words})
