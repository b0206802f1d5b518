"""Statistics in daily life: averages, base rates, percentage points, sampling error, misleading totals."""

# ruff: noqa: E501  (the long lines are sentences that people read; broken up they are hard to edit)

from __future__ import annotations

import random
from math import lcm, sqrt
from statistics import mean, median

from preceptor.demo.tasks.model import Answer, Draft, Plan, deal, number

_SERIES = (
    ("Commuting times of a small team, in minutes", "minutes"),
    ("Rain on the wet days of a month, in millimetres", "mm"),
    ("Prices of the used bicycles in a list, in euros", "euros"),
    ("Numbers of pages of the reports filed in a week", "pages"),
)


def middle(rng: random.Random) -> Draft:
    """Mean, median and range of a short list: three or four responses with more or fewer parts right."""
    label, unit = rng.choice(_SERIES)
    values = [rng.randint(12, 60) for _ in range(rng.choice([5, 7]))]
    values[rng.randrange(1, len(values) - 1)] = rng.randint(120, 190)
    while sum(values) % len(values) or values[len(values) // 2] == median(values):
        values[0] = rng.randint(12, 60)
        values[-1] = rng.randint(12, 60)
        values[len(values) // 2] = rng.choice([rng.randint(12, 60), rng.randint(120, 190)])
    average, centre, spread = number(mean(values)), number(median(values)), number(max(values) - min(values))
    unsorted, last = number(values[len(values) // 2]), number(max(values))

    def told(a: str, m: str, r: str, style: int) -> str:
        if style == 0:
            return f"- mean: **{a}**\n- median: **{m}**\n- range: **{r}**"
        if style == 1:
            return (
                f"Dividing the sum by {len(values)} gives a mean of **{a}**. The value in the middle, the median, is **{m}**. "
                f"The range is **{r}**."
            )
        return f"| measure | value ({unit}) |\n|---|---|\n| mean | **{a}** |\n| median | **{m}** |\n| range | **{r}** |"

    grades = [
        (3, (average, centre, spread)),
        (2, (average, unsorted, spread)),
        (1, (average, unsorted, last)),
        (0, (centre, average, last)),
    ]
    kept = [grades[0], *rng.sample(grades[1:], rng.choice([1, 2, 3]))]
    styles = deal(rng, [0, 1, 2], len(kept))
    check = "In order the values are " + ", ".join(map(str, sorted(values))) + "."
    return Draft(
        title="Mean, median and range",
        prompt=f"{label}: {', '.join(map(str, values))}. Give the mean, the median and the range.",
        answers=tuple(
            Answer(told(*parts, style), merit, check if merit == 3 else "")
            for (merit, parts), style in zip(kept, styles, strict=True)
        ),
        explanation=f"Sorted: {', '.join(map(str, sorted(values)))}. Mean {average}, median {centre}, range {spread}. A common slip "
        "is to take the middle of the unsorted list.",
        difficulty=0.45,
    )


_SCREENING = (
    ("A parasite is carried by {p}% of the sheep in a valley.", "carriers", "sheep"),
    ("In an archive {p}% of the photographs are forgeries.", "forgeries", "photographs"),
    ("In a delivery {p}% of the chips are faulty.", "faulty chips", "chips"),
    ("In a mailbox {p}% of the messages are dangerous.", "dangerous messages", "messages"),
)


def base_rate(rng: random.Random) -> Draft:
    story, cases, things = rng.choice(_SCREENING)
    p, hit, false = rng.choice([1, 2, 4, 5]), rng.choice([80, 90, 95]), rng.choice([5, 8, 10])
    true_alarms, false_alarms = 10_000 * p // 100 * hit // 100, 10_000 * (100 - p) // 100 * false // 100
    share = round(100 * true_alarms / (true_alarms + false_alarms))
    wrong = hit if rng.random() < 0.6 else 100 - false
    good = [
        f"Imagine 10,000 {things}: {100 * p} are {cases} and the test flags {true_alarms} of them. Of the other "
        f"{10_000 - 100 * p:,} it flags {false_alarms}. So {true_alarms} of {true_alarms + false_alarms:,} alarms are true, "
        f"**about {share}%**.",
        f"By Bayes' rule the probability is ${p / 100} \\times {hit / 100} / ({p / 100} \\times {hit / 100} + "
        f"{(100 - p) / 100} \\times {false / 100})$, that is **about {share}%**.",
    ]
    bad = (
        f"The test flags {hit}% of the {cases}. When it raises an alarm we can rely on it to that degree, so the probability "
        f"is **about {hit}%**; the {false}% of false alarms concern only the others."
        if wrong == hit
        else f"The test gives a false alarm in {false}% of cases, so an alarm is justified in the remaining {100 - false}%. The "
        f"probability we are looking for is **about {100 - false}%**, which makes it a good test."
    )
    return Draft(
        title="What an alarm means",
        prompt=f"{story.format(p=p)} A test flags {hit}% of the {cases}, but also {false}% of the rest. One of the {things} is "
        "picked at random and flagged. How probable is it that the alarm is true? Round to a whole per cent.",
        answers=(
            Answer(
                rng.choice(good),
                1,
                f"The low share is no contradiction: {cases} are rare, at {p}%, so false alarms weigh heavily.",
            ),
            Answer(bad, 0),
        ),
        explanation=f"Among 10,000, {true_alarms} alarms are true and {false_alarms} false: {share}%. The other response ignores "
        "how rare the condition is.",
        difficulty=0.55,
    )


_SHARES = (
    "The share of households with a heat pump",
    "The share of trains that arrived on time",
    "Turnout in the student elections",
    "The share of patients who kept their appointment",
)


def points(rng: random.Random) -> Draft:
    what = rng.choice(_SHARES)
    before = rng.choice([16, 20, 24, 25, 30, 40])
    rise = rng.choice([2, 4, 5, 6, 8, 10])
    after, relative = before + rise, number(100 * rise / before, 1)
    ask_relative = rng.random() < 0.5
    goal = (
        "By how many per cent did the share itself grow, relative to where it started?"
        if ask_relative
        else ("By how many percentage points did it rise?")
    )
    by_points = [
        f"The rise is the plain difference of the two shares: {after} − {before}, so **{rise}**.",
        f"Subtract the earlier share from the later one. From {before}% to {after}% it is a step of **{rise}**.",
    ]
    by_ratio = [
        f"Compare the rise with the starting value: ({after} − {before}) / {before} × 100, so **{relative}**.",
        f"Divide the later share by the earlier one: {after} / {before} = {after / before:.3f}, a rise of **{relative}**.",
    ]
    good, bad = (by_ratio, by_points) if ask_relative else (by_points, by_ratio)
    check = (
        f"{before}% × {after / before:.3f} gives {after}% again; in percentage points the same rise would read {rise}."
        if ask_relative
        else f"Relative to the start the same rise would be {relative}%, which is a different question."
    )
    unit = "per cent" if ask_relative else "percentage points"
    return Draft(
        title="Per cent or percentage points?",
        prompt=f"{what} went from {before}% to {after}%. {goal}",
        answers=(
            Answer(rng.choice(good)[:-1] + f" {unit}.", 1, check),
            Answer(rng.choice(bad)[:-1] + f" {unit}.", 0),
        ),
        explanation=f"From {before}% to {after}% is {rise} percentage points, or {relative}% of the starting value. The question asks "
        f"for {unit}.",
        difficulty=0.4,
    )


def average_speed(rng: random.Random) -> Draft:
    slow, fast = rng.choice(
        [(12, 20), (10, 15), (20, 30), (30, 60), (40, 60), (60, 90), (15, 30), (12, 24), (6, 12), (10, 40)]
    )
    distance = rng.choice([1, 2]) * lcm(slow, fast)
    hours = distance / slow + distance / fast
    right, wrong = number(2 * distance / hours, 1), number((slow + fast) / 2, 1)
    who = rng.choice(["Amira cycles", "A courier rides"] if fast <= 30 else ["A bus runs", "A van goes"])
    good = [
        f"Out: {distance} / {slow} = {number(distance / slow)} h. Back: {distance} / {fast} = {number(distance / fast)} h. In all "
        f"{2 * distance} km in {number(hours)} h, an average of **{right} km/h**.",
        f"Both ways are equally long, so the harmonic mean applies: $2 \\cdot {slow} \\cdot {fast} / ({slow} + {fast})$. "
        f"The average is **{right} km/h**.",
    ]
    bad = [
        f"There are two legs of equal length, one at {slow} km/h and one at {fast} km/h. The average of the two is "
        f"({slow} + {fast}) / 2, and so it comes to **{wrong} km/h**.",
        f"Both ways are equally long, so each speed has the same weight of one half: $({slow} + {fast}) / 2$. "
        f"The average is **{wrong} km/h**.",
    ]
    return Draft(
        title="Average speed there and back",
        prompt=f"{who} {distance} km at {slow} km/h and returns by the same way at {fast} km/h. What is the average speed of the whole "
        "trip? Ignore the stop in between.",
        answers=(
            Answer(rng.choice(good), 1, "It is nearer to the lower speed, since more time is spent at it."),
            Answer(rng.choice(bad), 0),
        ),
        explanation=f"Average speed is total distance over total time: {2 * distance} km in {number(hours)} h. More time is spent at "
        "the lower speed.",
        difficulty=0.4,
    )


def standard_error(rng: random.Random) -> Draft:
    sample, factor = rng.choice([100, 200, 225, 400, 500]), rng.choice([2, 3, 4, 5])
    right, wrong = sample * factor**2, sample * factor
    aim = rng.choice([1, 1.5, 2, 2.5])
    goal, margin = number(aim), number(aim * factor)
    good = [
        f"The margin shrinks with the square root of the sample. To divide it by {factor} we need {factor}² = {factor**2} times as "
        f"many people: **{number(right)}**.",
        f"Since the margin is proportional to $1/\\sqrt{{n}}$, we need $n = {sample} \\times ({margin} / {goal})^2$, "
        f"so **{number(right)}**.",
    ]
    bad = [
        f"The margin shrinks as the sample grows. To divide it by {factor} we need {factor} times as many people as in the first "
        f"survey, {factor} × {sample}: **{number(wrong)}**.",
        f"Since the margin is proportional to $1/n$, we need $n = {sample} \\times ({margin} / {goal})$, "
        f"so **{number(wrong)}**.",
    ]
    return Draft(
        title="How many people to ask",
        prompt=f"A survey of {sample} randomly chosen people has a margin of error of {margin} percentage points. About how many people "
        f"must be asked to bring it down to {goal} percentage points, all else equal?",
        answers=(
            Answer(
                rng.choice(good),
                1,
                f"For comparison: {number(wrong)} people would only reach {number(aim * factor / sqrt(factor), 2)} points.",
            ),
            Answer(rng.choice(bad), 0),
        ),
        explanation=f"The margin falls with the square root of the sample size, so a {factor} times smaller margin needs {factor**2} "
        "times the sample.",
        difficulty=0.5,
    )


_PLACES = (
    (
        "Two clinics treat a light and a severe form of an illness.",
        "Clinic",
        ("light", "severe"),
        "recovered",
    ),
    ("Two workshops restore young and old violins.", "Workshop", ("young", "old"), "sold within a year"),
    ("Two teams answer simple and hard support questions.", "Team", ("simple", "hard"), "solved"),
)


def reversal(rng: random.Random) -> Draft:
    """Simpson's paradox: better in both groups, worse in the total, because of the mix."""
    story, kind, groups, outcome = rng.choice(_PLACES)
    easy_a, hard_a = rng.choice([90, 92, 94]), rng.choice([60, 64, 66])
    easy_b, hard_b = easy_a - rng.choice([4, 6]), hard_a - rng.choice([6, 10])
    first, second = rng.sample(["North", "South", "East", "West"], 2)
    swap = rng.random() < 0.5
    few, many = 50, rng.choice([200, 250, 300])
    rows = {
        first: ((easy_a * few // 100, few), (hard_a * many // 100, many)),
        second: ((easy_b * many // 100, many), (hard_b * few // 100, few)),
    }
    totals = {name: (sum(g for g, _ in cells), sum(n for _, n in cells)) for name, cells in rows.items()}
    rates = {name: number(100 * good / n, 1) for name, (good, n) in totals.items()}
    order = [second, first] if swap else [first, second]
    table = f"| | {groups[0]} | {groups[1]} |\n|---|---|---|\n" + "\n".join(
        f"| {kind} {name} | {rows[name][0][0]} of {rows[name][0][1]} | {rows[name][1][0]} of {rows[name][1][1]} |"
        for name in order
    )

    def rate(name: str, group: int) -> str:
        good, n = rows[name][group]
        return number(100 * good / n, 1)

    right = (
        f"Compare like with like. {groups[0].capitalize()} cases: {rate(first, 0)}% at {first} and {rate(second, 0)}% at {second}. "
        f"{groups[1].capitalize()} cases: {rate(first, 1)}% and {rate(second, 1)}%. In both groups the better one is **{first}**; "
        f"its total looks lower only because it takes more {groups[1]} cases."
    )
    wrong = (
        f"Add up each row. {first} has {totals[first][0]} of {totals[first][1]}, that is {rates[first]}%, and {second} has "
        f"{totals[second][0]} of {totals[second][1]}, or {rates[second]}%. The larger share of all cases settles it, so the "
        f"better one is **{second}**, and by a clear margin."
    )
    return Draft(
        title="Which one does better?",
        prompt=f"{story} The table shows how many cases were {outcome}.\n\n{table}\n\nWhich one does better for a case whose kind is "
        "known? Give a reason.",
        answers=(
            Answer(right, 1, f"The mix differs: {first} has {many} {groups[1]} cases, {second} only {few}."),
            Answer(wrong, 0),
        ),
        explanation=f"{first} is better for both kinds of case. The totals mislead because {first} takes far more {groups[1]} cases.",
        difficulty=0.65,
    )


PLANS = (
    Plan("middle", middle, 9),
    Plan("baserate", base_rate, 7),
    Plan("points", points, 7),
    Plan("avgspeed", average_speed, 7),
    Plan("sample", standard_error, 6),
    Plan("reversal", reversal, 6),
)
