"""Reading of a given passage or table: an answer must follow from what is given and from nothing else."""

# ruff: noqa: E501  (the long lines are sentences that people read; broken up they are hard to edit)

from __future__ import annotations

import random

from preceptor.demo.tasks.model import Answer, Draft, Plan, deal
from preceptor.demo.tasks.passages import PASSAGES, Passage, Question

_ASKED = (
    "Read the passage and answer the question from it alone.",
    "Answer only from the text below.",
    "Use nothing but this text for your answer.",
)
_QUOTED = (
    "The passage says: “{quote}”.",
    "The evidence is this: “{quote}”.",
    "In the words of the text, “{quote}”.",
)


def asked(passage: Passage, question: Question, rng: random.Random) -> Draft:
    quoted = rng.choice(_QUOTED).format(quote=question.quote.rstrip("."))
    return Draft(
        title=passage.title,
        prompt=f"{rng.choice(_ASKED)}\n\n> {passage.text}\n\n**Question:** {question.ask}",
        answers=(Answer(question.sound, 1, quoted), Answer(question.unsupported, 0)),
        explanation=question.why,
        difficulty=question.difficulty,
    )


_MARKETS = (
    ("visitors of the swimming pools", ("Nordbad", "Lakeside", "Old Baths", "Kastell")),
    ("boxes of apples picked", ("Lower Field", "Mill Hill", "Station Road", "Beech Wood")),
    ("books lent by the branches", ("Harbour", "Castle Street", "Westend", "Park")),
    ("permits issued by the offices", ("North", "Riverside", "Market Hall", "University")),
)
_MONTHS = ("April", "May", "June")


def table(rng: random.Random) -> Draft:
    """Three lookups in a table; two or three responses with more or fewer of them right."""
    what, places = rng.choice(_MARKETS)
    counts = {place: rng.sample(range(120, 980, 7), 3) for place in places}
    totals = {place: sum(row) for place, row in counts.items()}
    growth = {place: row[2] - row[0] for place, row in counts.items()}
    by_total, by_growth = sorted(places, key=totals.__getitem__), sorted(places, key=growth.__getitem__)
    if (
        len(set(totals.values())) < 4
        or len(set(growth.values())) < 4
        or growth[by_growth[-1]] <= 0
        or by_total[-1] == by_growth[-1]
    ):
        return table(rng)
    may = sum(row[1] for row in counts.values())
    truth = (by_total[-1], by_growth[-1], f"{may:,}")
    slips = [
        (2, (by_total[-1], by_growth[-1], f"{sum(row[2] for row in counts.values()):,}")),
        (2, (by_total[-1], max(places, key=lambda p: counts[p][2] if p != by_growth[-1] else 0), f"{may:,}")),
        (1, (by_total[-2], by_growth[-1], f"{may - 100:,}")),
        (0, (by_growth[-1], by_total[-1], f"{may + 10:,}")),
    ]
    kept = [(3, truth), *rng.sample(slips, rng.choice([1, 2]))]
    styles = deal(rng, [0, 1, 2], len(kept))

    def told(parts: tuple[str, str, str], style: int) -> str:
        total, grown, middle = parts
        if style == 0:
            return f"1. The largest total belongs to **{total}**.\n2. The largest increase from April to June is that of **{grown}**.\n3. In May it was **{middle}** in all."
        if style == 1:
            return f"Adding up the rows puts **{total}** first. Comparing June with April, **{grown}** grew most. The column for May adds up to **{middle}**."
        return f"- Most over the three months: **{total}**\n- Largest rise, April to June: **{grown}**\n- Sum for May: **{middle}**"

    rows = "\n".join(f"| {p} | " + " | ".join(map(str, counts[p])) + " |" for p in places)
    return Draft(
        title=f"A table of {what}",
        prompt=f"The table shows the number of {what}.\n\n| | {' | '.join(_MONTHS)} |\n|---|---|---|---|\n{rows}\n\n(1) Which row has the largest total? "
        "(2) Which grew most from April to June, in numbers? (3) What is the sum for May?",
        answers=tuple(
            Answer(
                told(parts, style),
                merit,
                f"{truth[0]} has {totals[truth[0]]:,} in all, and {truth[1]} rose by {growth[truth[1]]}."
                if merit == 3
                else "",
            )
            for (merit, parts), style in zip(kept, styles, strict=True)
        ),
        explanation=f"Largest total: {truth[0]} ({totals[truth[0]]:,}). Largest increase: {truth[1]} (+{growth[truth[1]]}). Sum for May: {truth[2]}. "
        "Responses are ranked by how many of the three are right.",
        difficulty=0.5,
    )


def _plan(number: int, passage: Passage, question: Question) -> Plan:
    return Plan(f"passage{number:02d}", lambda rng: asked(passage, question, rng), 1)


_PAIRS = [(passage, question) for passage in PASSAGES for question in passage.questions]
PLANS = (
    *(_plan(n, passage, question) for n, (passage, question) in enumerate(_PAIRS, 1)),
    Plan("table", table, 10),
)
