"""A complete answer to any example task of any kind of work, in the names that the person is shown."""

from collections.abc import Callable
from typing import Any, Protocol

from preceptor.tasktypes.writing.turns import Turn, key_of

Answer = dict[str, Any]


def _quote(where: str, text: str) -> dict[str, Any]:
    return {"where": where, "message": 0, "start": 0, "end": 4, "text": text[:4]}


def rating(payload: dict[str, Any], config: dict[str, Any], better: str = "A") -> Answer:
    """The response `better` gets the best of every criterion with a quote, the others the worst."""
    criteria = payload.get("criteria") or config["criteria"]
    scores = {
        response["id"]: {each["key"]: _mark(each, response, best=response["id"] == better) for each in criteria}
        for response in payload["responses"]
    }
    return {"scores": scores, "comment": "Read twice.", "reference_opened": "reference" in payload}


def _mark(criterion: dict[str, Any], response: dict[str, Any], *, best: bool) -> dict[str, Any]:
    kind = criterion["kind"]
    top = {"likert": criterion.get("points", 5), "check": 1, "scale": 100}[kind]
    good = best == (criterion["weight"] > 0)
    text = response["messages"][0]["content"]
    quoted = criterion["evidence"] != "none" and good
    return {
        "value": top if good else (0 if kind == "check" else 1),
        "quotes": [_quote(response["id"], text)] if quoted else [],
        "comment": "Plain to see." if good else "",
    }


def rubric(payload: dict[str, Any], config: dict[str, Any]) -> Answer:
    """Three criteria, or a verdict on each."""
    if config["mode"] == "author":
        written = (("Closes the main valve first", "must", 5), ("Names a safe way to warm it", "should", 2))
        fault = ("Recommends an open flame", "penalty", -4)
        return {
            "criteria": [
                {"id": f"k{at}", "statement": text, "kind": kind, "points": points, "rationale": "Known."}
                for at, (text, kind, points) in enumerate((*written, fault))
            ]
        }
    yes = dict.fromkeys(("self_contained", "checkable", "correct", "important"), True)
    verdicts = {each["id"]: {**yes, "decision": "keep"} for each in payload["draft"]}
    last = payload["draft"][-1]["id"]
    verdicts[last] = {**yes, "correct": False, "decision": "mend", "proposal": "Warns of boiling water in the tap"}
    return {"verdicts": verdicts, "missing": ["Warns that the pipe may have burst"]}


def steps(payload: dict[str, Any], config: dict[str, Any], wrong_at: int = 1) -> Answer:
    """One step is wrong and corrected; the ones before it (and after it, where all are asked) are correct."""
    count = len(payload["steps"]) if config["mode"] == "all" else wrong_at + 1
    marks: dict[str, dict[str, Any]] = {str(at): {"verdict": "correct"} for at in range(count)}
    marks[str(wrong_at)] = {
        "verdict": "wrong",
        "category": config["categories"][0]["key"],
        "correction": "This is how it should read.",
        "comment": "It says otherwise.",
    }
    if config["evidence"] != "none":
        source = payload["sources"][0]
        for mark in marks.values():
            mark["quotes"] = [_quote(source["id"], source["text"])]
    return {"marks": marks, **({"final_correct": False} if config["ask_final"] else {})}


def comparison(payload: dict[str, Any], config: dict[str, Any]) -> Answer:
    """The first response shown is clearly better."""
    names = [response["id"] for response in payload["responses"]]
    ratings = {each["key"]: {name: 7 - place for place, name in enumerate(names)} for each in config["dimensions"]}
    ranks = {name: place for place, name in enumerate(names, start=1)}
    return {"ranks": ranks, "strength": 2, "ratings": ratings, "justification": "It does what was asked, kindly."}


WRITTEN = "Cold makes the starch in bread harden again, and that is quickest a little above freezing. "


def demonstration(payload: dict[str, Any], config: dict[str, Any]) -> Answer:
    """A text, a conversation of as many turns as are wanted, or the draft with a word before it."""
    if config["mode"] == "edit":
        return {"text": "Corrected. " + payload["draft"]}
    if config["mode"] == "answer":
        return {"text": WRITTEN * 2}
    turns = [{"role": ("user", "assistant")[at % 2], "content": WRITTEN} for at in range(config["turns_min"])]
    return {"turns": turns}


def annotation(payload: dict[str, Any], config: dict[str, Any]) -> Answer:
    """A topic, as the template of classified messages asks for it."""
    topic = {"id": "t", "from_name": "topic", "to_name": "text", "type": "choices", "value": {"choices": ["Payment"]}}
    return {"result": [topic]}


ANSWERS = {
    "annotation": annotation,
    "comparison": comparison,
    "demonstration": demonstration,
    "rating": rating,
    "rubric": rubric,
    "steps": steps,
}


class Services(Protocol):
    """What a desk offers beside the task."""

    def ask(self, messages: list[dict[str, str]], shown_as: str, turn: str = "") -> dict[str, Any]:
        """What a model says: `text` and `generation`."""

    def run(self, answer: dict[str, Any]) -> str:
        """The id of a run of this answer's code."""


def prompt(payload: dict[str, Any], config: dict[str, Any], desk: Services) -> Answer:
    """A prompt, asked of a model as often as is wanted; the first answer fails."""
    asked = [{"role": "user", "content": f"{payload['topic']}: what happens to it when nobody looks, and why so?"}]
    said = [desk.ask(asked, "A") for _ in range(config["runs"])]
    key = key_of([Turn.model_validate(each) for each in asked])
    verdicts = [("fail", "It says back what it was asked."), *[("ok", "")] * len(said)]
    runs = [
        {"generation": each["generation"], "text": each["text"], "prompt_key": key, "verdict": verdict, "reason": why}
        for each, (verdict, why) in zip(said, verdicts, strict=False)
    ]
    notes = {"reference": "Nothing.", "grading": "It says: nothing.", "why_fails": "It echoes."}
    level = {"difficulty": config["difficulties"][-1], "tags": ["physics"]}
    met = list(range(len(payload["constraints"])))
    return {"messages": asked, "runs": runs, "constraints_met": met, **level, **notes}


def conversation(payload: dict[str, Any], config: dict[str, Any], desk: Services) -> Answer:
    """As many turns as are wanted, going on from A; a single model fails where the scenario names a harm."""
    said: list[dict[str, str]] = [{"role": m["role"], "content": m["content"]} for m in payload.get("opening", [])]
    nodes: list[dict[str, Any]] = []
    failed = config["ask_failed"] and payload.get("max_turns") is None
    names, parent = "AB"[: config["models"]], None
    for number in range(1, config["min_turns"] + 1):
        words, place = f"Tell me about it, part {number}.", f"u{number}"
        said.append({"role": "user", "content": words})
        judged = {"preference": 2} if config["judge"] == "scale" else {}
        nodes.append({"id": place, "parent": parent, "role": "user", "text": words, **judged})
        for name in names:
            found = desk.ask(said, name, place)
            reply = {"id": f"r{name}{number}", "parent": place, "role": "assistant", "text": found["text"]}
            marks = [_failure(config)] if failed else []
            nodes.append(
                {**reply, "label": name, "generation": found["generation"], "chosen": name == "A", "marks": marks}
            )
        parent = f"rA{number}"
        said.append({"role": "assistant", "content": next(each["text"] for each in nodes if each["id"] == parent)})
    verdict = {"failed": failed} if config["ask_failed"] else {}
    verdict |= {"winner": "A"} if config["ask_winner"] else {}
    return {"models": config["models"], "labels": config["labels"], "nodes": nodes, "verdict": verdict}


def _failure(config: dict[str, Any]) -> dict[str, Any]:
    return {"category": config["categories"][0]["key"], "severity": 2, "technique": config["techniques"][0]["key"]}


MERGE = """\
import sys

taken = []
for start, end in sorted(tuple(map(int, line.split())) for line in sys.stdin if line.strip()):
    if taken and start <= taken[-1][1]:
        taken[-1][1] = max(taken[-1][1], end)
    else:
        taken.append([start, end])
for start, end in taken:
    print(start, end)
"""
LONGEST = """\
words = [word for word in input().split() if len(set(word.lower())) == len(word)]
print(max(words, key=len, default=""))
"""


def code(payload: dict[str, Any], config: dict[str, Any], desk: Services) -> Answer:
    """Code that passes, run in the sandbox; or the first patch is better; or nothing is wrong."""
    given: Answer = {"explanation": "It is sorted first and then read once."}
    if config["mode"] == "write":
        given["files"] = {"main.py": MERGE if "Merge" in payload["problem"] else LONGEST}
        return {**given, "run": desk.run(given)}
    if config["mode"] == "review":
        return {**given, "no_defects": True, "verdict": "approve"}
    first, second = (patch["id"] for patch in payload["patches"])
    ratings = {each["key"]: {first: 7, second: 2} for each in config["criteria"]}
    return {
        **given,
        "preferred": first,
        "strength": 2,
        "causes": {first: "root", second: "symptom"},
        "ratings": ratings,
    }


SERVED: dict[str, Callable[[dict[str, Any], dict[str, Any], Services], Answer]] = {
    "code": code,
    "conversation": conversation,
    "prompt": prompt,
}
"""Answers that take what the desk offers: models, or runs of code."""
