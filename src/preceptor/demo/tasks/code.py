"""Code that was run: what a short program prints, and functions that pass or fail the examples of the request."""

from __future__ import annotations

import random
import re

from preceptor.demo.tasks.model import Answer, Draft, Plan
from preceptor.demo.tasks.programs import READINGS, WRITINGS, Reading, Writing, run

_ASKED = (
    "What does this program print?",
    "Read this Python 3 program. What is its output?",
    "What is the output, and why?",
)
_TRACED = (
    "Traced line by line, the program leads to just this output.",
    "You can see it by adding a line that prints the values in between.",
    "Python's documentation describes exactly this behaviour.",
)
_LEADS = ("The output is", "It prints", "Running it shows", "So the program prints")


def _filled(text: str, pair: tuple[int, int]) -> str:
    figures = {"M": str(pair[0]), "N": str(pair[1])}
    return re.sub(r"\b[MN]\b", lambda found: figures[found.group()], text)


def _fence(text: str, language: str) -> str:
    return f"```{language}\n{text}\n```"


def printed(reading: Reading, pair: tuple[int, int], rng: random.Random) -> Draft:
    """Two accounts of a program; the outputs of the sound and of the mistaken one are both computed."""
    source = _filled(reading.source, pair)
    right, wrong = run(source), run(_filled(reading.mistaken, pair))
    if right == wrong:
        raise ValueError(f"the mistaken reading of {reading.title!r} prints the same with {pair}")
    leads = rng.sample(_LEADS, 2)
    first_reason = rng.random() < 0.5

    def told(why: str, output: str, lead: str) -> str:
        block = f"{lead}\n\n{_fence(output, 'text')}"
        return f"{_filled(why, pair)}\n\n{block}" if first_reason else f"{block}\n\n{_filled(why, pair)}"

    return Draft(
        title=reading.title,
        prompt=f"{rng.choice(_ASKED)}\n\n{_fence(source, 'python')}",
        answers=(
            Answer(
                told(reading.why, right, leads[0]),
                1,
                rng.choice(_TRACED),
            ),
            Answer(told(reading.why_mistaken, wrong, leads[1]), 0),
        ),
        explanation=f"{_filled(reading.why, pair)} The program was run.",
        difficulty=reading.difficulty,
    )


def written(writing: Writing, rng: random.Random) -> Draft:
    """Two implementations, of which one passes all examples and the other does not."""
    examples = _fence("\n".join(f"assert {example}" for example in writing.examples), "python")

    def told(code: str, note: str) -> str:
        block = _fence(code, "python")
        return f"{note}\n\n{block}" if rng.random() < 0.5 else f"{block}\n\n{note}"

    tried = rng.choice(writing.examples)
    return Draft(
        title=writing.title,
        prompt=f"{writing.request} These must hold:\n\n{examples}",
        answers=(
            Answer(
                told(writing.sound, writing.note),
                1,
                f"Going through an example by hand, `{tried}` holds.",
            ),
            Answer(told(writing.faulty, writing.faulty_note), 0),
        ),
        explanation=f"{writing.why} Both versions were run against the examples.",
        difficulty=writing.difficulty,
    )


def _print_plan(index: int, reading: Reading) -> Plan:
    def family(rng: random.Random) -> Draft:
        return printed(reading, rng.choice(reading.numbers), rng)

    return Plan(f"print{index:02d}", family, min(2, len(reading.numbers)))


def _write_plan(index: int, writing: Writing) -> Plan:
    return Plan(f"write{index:02d}", lambda rng: written(writing, rng), 1)


PLANS = tuple(_print_plan(i, r) for i, r in enumerate(READINGS, 1)) + tuple(
    _write_plan(i, w) for i, w in enumerate(WRITINGS, 1)
)
