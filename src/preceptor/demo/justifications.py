"""Justifications for simulated judgments, put together from what the task itself says."""

from __future__ import annotations

import random
import re

from preceptor.demo.tasks.model import PLEASANTRIES, DemoTask

Phrases = tuple[str, ...]

_LENGTH_MIN = 20
_QUOTE_MAX = 90

_GOOD: Phrases = (
    "The best response ends at {chosen}, which I could confirm.",
    "I get {chosen} as well when I do it myself.",
    "{chosen} is right; I checked it.",
    "I worked it out on paper and also came to {chosen}.",
    "My own result is {chosen}, the same as in the response I put first.",
)
_POOR: Phrases = (
    "The other one says {other}, and that cannot be right.",
    "{other} does not fit the question.",
    "I do not see how one gets to {other}.",
    "The mistake in the other leads to {other}.",
)
_QUOTES: Phrases = (
    "What decides it for me is the sentence “{quote}”",
    "The step “{quote}” is sound.",
    "I followed the line “{quote}” and it holds.",
    "“{quote}” is the point that the other response misses.",
)
_GOOD_CODE: Phrases = (
    "The version with {chosen} meets all the examples.",
    "I went through the examples with both, and {chosen} is the line that makes the difference.",
    "With {chosen} every example comes out as it should.",
)
_POOR_CODE: Phrases = (
    "The one with {other} fails one of the examples.",
    "{other} goes wrong for at least one of the inputs asked for.",
)
_MISTAKEN_CODE: Phrases = (
    "The version with {chosen} is shorter to read and seems to do what is asked.",
    "{chosen} looks right to me.",
    "I find the version with {chosen} easier to follow.",
)
_MISTAKEN: Phrases = (
    "{chosen} looks right to me.",
    "The reasoning that leads to {chosen} is easier to follow.",
    "I would also have said {chosen}.",
    "The response with {chosen} answers the question more directly.",
)
_TIES: Phrases = (
    "I cannot find a difference that matters between the responses to “{title}”.",
    "Both ways of answering seem equally good to me: {chosen} and {other}.",
    "I am not sure about “{title}” and would call it a tie.",
)
_SHORT: Phrases = (
    "{chosen} is better I think.",
    "Going with {chosen}.",
    "I prefer {chosen} here.",
    "{chosen} seems right, ok.",
)


def justify(task: DemoTask, ranks: tuple[int, ...], care: float, rng: random.Random) -> str:
    """A justification of at least 20 characters. More care makes it longer and lets it cite the responses."""
    chosen = ranks.index(1)
    others = [i for i, rank in enumerate(ranks) if rank > 1]
    other = rng.choice(others) if others else len(ranks) - 1
    quote = _telling_sentence(task, chosen, rng)
    words = {
        "chosen": _upshot(task.responses[chosen], task.responses[other]),
        "other": _upshot(task.responses[other], task.responses[chosen]),
        "quote": quote,
        "title": task.title,
    }
    sentences = [
        _capital(rng.choice(choices).format(**words)) for choices in _outline(task, ranks, care, bool(quote), rng)
    ]
    if others and task.ranking[chosen] == 1 and rng.random() < care * 0.6:
        sentences.append(_first_sentence(task.explanation))
    text = " ".join(sentences)
    return text if len(text) >= _LENGTH_MIN else f"{text} This is my view of “{task.title}”."


def _outline(task: DemoTask, ranks: tuple[int, ...], care: float, quotable: bool, rng: random.Random) -> list[Phrases]:
    writes_code = "```python" in task.responses[0]
    good, poor, mistaken = (_GOOD_CODE, _POOR_CODE, _MISTAKEN_CODE) if writes_code else (_GOOD, _POOR, _MISTAKEN)
    if len(set(ranks)) == 1:
        return [_TIES]
    if rng.random() > care + 0.25:
        return [_SHORT]
    if task.ranking[ranks.index(1)] != 1:
        return [mistaken] if rng.random() < 0.5 else [mistaken, poor]
    parts = [good]
    if rng.random() < care:
        parts.append(_QUOTES if quotable and rng.random() < 0.5 else poor)
    rng.shuffle(parts)
    return parts


def _upshot(response: str, beside: str) -> str:
    """What a response comes to: its last bold phrase that the one beside it lacks, else its output or its code."""
    bold = [phrase for phrase in re.findall(r"\*\*(.+?)\*\*", response) if f"**{phrase}**" not in beside]
    if bold:
        return f"“{bold[-1].rstrip('.')}”"
    output = re.findall(r"```text\n(.*?)\n```", response, flags=re.DOTALL)
    if output:
        return f"`{' / '.join(output[-1].splitlines())}`"
    code = re.findall(r"```python\n(.*?)\n```", response, flags=re.DOTALL)
    own = [line.strip() for line in code[-1].splitlines() if line not in beside] if code else []
    return f"`{max(own, key=len)}`" if own else "this answer"


def _telling_sentence(task: DemoTask, chosen: int, rng: random.Random) -> str:
    """A short sentence that only the chosen response has; empty if there is none."""
    rest = " ".join(text for i, text in enumerate(task.responses) if i != chosen)
    own = [s for s in _sentences(task.responses[chosen]) if s not in rest]
    return rng.choice(own) if own else ""


def _sentences(text: str) -> list[str]:
    said = "\n\n".join(part for part in text.split("\n\n") if part not in PLEASANTRIES)
    plain = re.sub(r"```.*?```|\$\$.*?\$\$|^\|.*$", " ", said, flags=re.DOTALL | re.MULTILINE).replace("**", "")
    found = re.split(r"(?<=[.!?])\s+|\n+", plain)
    return [s.strip() for s in found if _LENGTH_MIN < len(s.strip()) <= _QUOTE_MAX and s.strip()[-1] in ".!?"]


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]
