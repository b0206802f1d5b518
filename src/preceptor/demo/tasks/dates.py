"""Dates and calendars: counts that include or exclude an end, weekdays, working days, time zones, leap years."""

# ruff: noqa: E501  (the long lines are sentences that people read; broken up they are hard to edit)

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

from preceptor.demo.tasks.model import Answer, Draft, Plan, deal, nth

_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth"}


def day(value: date) -> str:
    """A date in words, such as 3 March 2025."""
    return f"{value.day} {value:%B %Y}"


def _some_day(rng: random.Random, first_year: int = 2019, last_year: int = 2029) -> date:
    return date(rng.randint(first_year, last_year), rng.randint(1, 12), rng.randint(1, 28))


def _month_end(value: date) -> date:
    following = value.replace(day=28) + timedelta(days=4)
    return following - timedelta(days=following.day)


_SPANS = (
    "An exhibition is open every day from {a} to {b}, both days included. On how many days is it open?",
    "A parking permit is valid from {a} through {b} inclusive. For how many days is it valid?",
    "Ines takes one tablet a day, the first on {a} and the last on {b}. How many tablets does she take?",
    "A tide gauge was read once every day, first on {a} and last on {b}. How many readings are there?",
)


def inclusive_days(rng: random.Random) -> Draft:
    start = _some_day(rng)
    end = start + timedelta(days=rng.randint(33, 130))
    gap = (end - start).days
    rest = (_month_end(start) - start).days
    by_difference = f"From {day(start)} to {day(end)} the dates advance by {gap} days."
    right = [
        f"{by_difference} Both the first and the last day count, so add one: **{gap + 1}**.",
        f"In {start:%B} there are {rest + 1} days from the {nth(start.day)} to the end of the month, counting the first. "
        f"Going on to {day(end)}, itself counted, adds {gap - rest}. In total **{gap + 1}**.",
    ]
    wrong = [
        f"{by_difference} Subtracting the earlier date from the later one is all that is needed: **{gap}**.",
        f"In {start:%B} there are {rest} days left after the {nth(start.day)}. Going on to {day(end)} "
        f"adds {gap - rest} more. Taking both together, the total comes to **{gap}**.",
    ]
    return Draft(
        title="Counting days, both ends included",
        prompt=rng.choice(_SPANS).format(a=day(start), b=day(end)),
        answers=(
            Answer(
                rng.choice(right),
                1,
                "A small case shows the rule: from the 1st to the 3rd inclusive there are 3 days, although 3 − 1 = 2.",
            ),
            Answer(rng.choice(wrong), 0),
        ),
        explanation=f"The dates are {gap} days apart, and both ends count, so the answer is {gap + 1}.",
        difficulty=0.4,
    )


def nights(rng: random.Random) -> Draft:
    arrive = _some_day(rng)
    leave = arrive + timedelta(days=rng.randint(5, 34))
    count = (leave - arrive).days
    price = rng.randrange(60, 150, 5)
    guest = rng.choice(["Marta", "The Okafor family", "A visiting lecturer", "Mr Lindqvist"])
    right = [
        f"Only nights are charged. The first is that of {day(arrive)} and the last that before {day(leave)}, which makes "
        f"{count} nights. The bill is {count} × €{price} = **€{count * price:,}**.",
        f"Nights are the difference between the two dates: {count}. At €{price} a night the room "
        f"costs **€{count * price:,}**.",
    ]
    wrong = [
        f"The stay runs from {day(arrive)} to {day(leave)}; counting both the day of arrival and the day of departure "
        f"that is {count + 1}. The bill is {count + 1} × €{price} = **€{(count + 1) * price:,}**.",
        f"Both dates belong to the stay, so we have {count} + 1 = {count + 1} to pay for. At €{price} each, the room "
        f"costs **€{(count + 1) * price:,}**.",
    ]
    return Draft(
        title="A hotel bill",
        prompt=f"{guest} checks into a hotel on {day(arrive)} and checks out on {day(leave)}. A night costs €{price}. "
        "What does the stay cost?",
        answers=(
            Answer(
                rng.choice(right),
                1,
                f"The day of departure brings no night of its own, so {count + 1} would be one too many.",
            ),
            Answer(rng.choice(wrong), 0),
        ),
        explanation=f"Between the two dates lie {count} nights. Counting the day of departure as well charges one too many.",
        difficulty=0.35,
    )


def weekday_later(rng: random.Random) -> Draft:
    start = _some_day(rng)
    ahead = rng.choice([30, 45, 60, 75, 100, 120, 150, 200, 250])
    end = start + timedelta(days=ahead)
    off = end + timedelta(days=rng.choice([-1, 1]))
    weeks, rest = divmod(ahead, 7)
    late = off > end

    def words(shown: date, slip: bool, style: int) -> str:
        step = rest if not slip else rest + (1 if late else -1)
        if style == 0:
            return (
                f"{ahead} days are {weeks} weeks and {step} day{'' if step == 1 else 's'}. Whole weeks do not change the weekday, so count {step} on "
                f"from {start:%A}. That lands on a **{shown:%A}**."
            )
        return (
            f"Reduce {ahead} modulo 7: the remainder is {step}. {start:%A} plus {step} day{'' if step == 1 else 's'} of the week "
            f"is **{shown:%A}**, since full weeks bring us back to {start:%A} each time."
        )

    styles = deal(rng, [0, 1], 2)
    return Draft(
        title=f"The weekday {ahead} days on",
        prompt=f"{day(start)} is a {start:%A}. "
        + rng.choice(
            [
                f"What day of the week is it {ahead} days later?",
                f"A warranty ends {ahead} days after that date. On what day of the week does it end?",
            ]
        ),
        answers=(
            Answer(
                words(end, False, styles[0]),
                1,
                f"Check: {weeks} × 7 + {rest} = {ahead}, and the date is {day(end)}.",
            ),
            Answer(words(off, True, styles[1]), 0),
        ),
        explanation=f"{ahead} = {weeks} × 7 + {rest}, and {rest} day{'s' if rest > 1 else ''} after a {start:%A} comes a {end:%A}. "
        "The other response has the wrong remainder.",
        difficulty=0.45,
    )


def _after_working_days(start: date, count: int) -> date:
    current = start
    while count:
        current += timedelta(days=1)
        count -= current.weekday() < 5
    return current


def working_days(rng: random.Random) -> Draft:
    start = _some_day(rng)
    while start.weekday() > 4:
        start += timedelta(days=1)
    count = rng.randint(7, 18)
    right = _after_working_days(start, count)
    counts_start = rng.random() < 0.5
    wrong = _after_working_days(start, count - 1) if counts_start else start + timedelta(days=count)
    weekends = ((right - start).days - count) // 2
    good = [
        f"Day 1 is the first working day after {day(start)}, and Saturdays and Sundays are skipped. {weekends} "
        f"weekend{'s' if weekends != 1 else ''} fall in between, so {count} working days take {(right - start).days} calendar "
        f"days. The deadline is **{day(right)}**.",
        f"Five working days are a calendar week. Counting {count} working days from the day after {start:%A} {day(start)} "
        f"and jumping over each weekend ends on {right:%A}, **{day(right)}**.",
    ]
    bad = (
        f"Working day 1 is {start:%A} {day(start)} itself. Counting on from there, without Saturdays and Sundays, number "
        f"{count} is reached on {wrong:%A}. The deadline is **{day(wrong)}**."
        if counts_start
        else f"Start from {start:%A} {day(start)} and add {count} days: {start.day} + {count} moves the date forward to "
        f"{wrong:%A}. The documents are therefore due on **{day(wrong)}**."
    )
    return Draft(
        title="A deadline in working days",
        prompt=f"A notice is dated {start:%A}, {day(start)}. Documents must arrive within {count} working days (Monday to Friday; "
        "there are no public holidays). The day of the notice is not counted. What is the last day?",
        answers=(
            Answer(
                rng.choice(good),
                1,
                f"Counting back: from {day(right)} to {day(start)} there are {(right - start).days} calendar days, "
                f"{2 * weekends} of them on weekends, which leaves {count}.",
            ),
            Answer(bad, 0),
        ),
        explanation=f"Counting {count} Mondays to Fridays after {day(start)} ends on {day(right)}. The other response "
        + ("counts the day of the notice." if counts_start else "counts weekends as working days."),
        difficulty=0.5,
    )


def leap_days(rng: random.Random) -> Draft:
    first = rng.randint(1880, 1899)
    last = rng.choice([rng.randint(1905, 1960), rng.randint(1990, 2020)])
    years = [y for y in range(first, last + 1) if y % 4 == 0 and (y % 100 or y % 400 == 0)]
    fours = [y for y in range(first, last + 1) if y % 4 == 0]
    multiples = (
        f"The multiples of 4 from {first} to {last} run from {fours[0]} to {fours[-1]}: "
        f"({fours[-1]} − {fours[0]}) / 4 + 1 = {len(fours)}."
    )
    good = [
        f"{multiples} Of these, 1900 is a century that 400 does not divide, so it was a common year. "
        f"That leaves **{len(years)}**.",
        f"The rule: divisible by 4, except centuries not divisible by 400. There are {len(fours)} multiples of 4 in the "
        f"range, and only 1900 drops out. February had 29 days **{len(years)}** times.",
    ]
    bad = [
        f"{multiples} Each of these is a leap year, since a year is a leap year when 4 divides it. "
        f"That makes **{len(fours)}**.",
        f"The rule: a leap year comes every four years. The first in the range is {fours[0]} and the last {fours[-1]}, so "
        f"February had 29 days **{len(fours)}** times.",
    ]
    return Draft(
        title="Counting leap years across 1900",
        prompt=f"How many leap years of the Gregorian calendar are there from {first} to {last}, both years included?",
        answers=(
            Answer(rng.choice(good), 1, "By contrast 2000, divisible by 400, would count as a leap year."),
            Answer(rng.choice(bad), 0),
        ),
        explanation=f"1900 was not a leap year, because 400 does not divide it. The count is {len(years)}.",
        difficulty=0.5,
    )


_CITIES = (
    ("Lima", -5),
    ("Auckland", 12),
    ("Nairobi", 3),
    ("Reykjavík", 0),
    ("Tokyo", 9),
    ("Denver", -7),
    ("Karachi", 5),
    ("Honolulu", -10),
    ("Brisbane", 10),
)


def _zone(hours: int) -> str:
    return f"UTC{'+' if hours >= 0 else '−'}{abs(hours)}"


def time_zones(rng: random.Random) -> Draft:
    (here, from_utc), (there, to_utc) = rng.sample(_CITIES, 2)
    while abs(from_utc - to_utc) < 4:
        (here, from_utc), (there, to_utc) = rng.sample(_CITIES, 2)
    start = datetime(
        2026, rng.randint(1, 12), rng.randint(2, 27), rng.randint(0, 23), rng.choice([0, 15, 30]), tzinfo=UTC
    )
    shift = timedelta(hours=to_utc - from_utc)
    right = start + shift
    wrong = start - shift if rng.random() < 0.5 else right + timedelta(days=1 if shift < timedelta(0) else -1)
    hours = to_utc - from_utc

    def told(moment: datetime, style: int) -> str:
        clock, when = f"{moment:%H:%M}", day(moment.date())
        relation = f"{abs(hours)} hours {'ahead of' if hours > 0 else 'behind'} {here}"
        if style == 0:
            return f"{there} is {relation}. Starting from {start:%H:%M} on {day(start.date())}, the call begins there at **{clock} on {when}**."
        return f"From {_zone(from_utc)} to {_zone(to_utc)} the clock differs by {abs(hours)} hours. In {there} it is then **{clock} on {when}**."

    styles = deal(rng, [0, 1], 2)
    utc = start - timedelta(hours=from_utc)
    return Draft(
        title=f"From {here} to {there}",
        prompt=f"A video call starts at {start:%H:%M} on {day(start.date())} in {here} ({_zone(from_utc)}). What are the local "
        f"time and date in {there} ({_zone(to_utc)})? Ignore daylight saving time.",
        answers=(
            Answer(
                told(right, styles[0]),
                1,
                f"Via UTC: it is {utc:%H:%M} on {day(utc.date())} there, which agrees.",
            ),
            Answer(told(wrong, styles[1]), 0),
        ),
        explanation=f"{there} is {abs(hours)} hours {'ahead' if hours > 0 else 'behind'}, so it is {right:%H:%M} on "
        f"{day(right.date())}.",
        difficulty=0.45,
    )


def night_shift(rng: random.Random) -> Draft:
    start = 60 * rng.randint(18, 22) + rng.choice([0, 10, 20, 30, 45, 50])
    length = rng.randint(370, 560)
    end, pause = (start + length) % 1440, rng.choice([25, 30, 40, 45, 50])

    def clock(minutes: int) -> str:
        return f"{minutes // 60:02d}:{minutes % 60:02d}"

    def span(minutes: int) -> str:
        return f"{minutes // 60} h {minutes % 60:02d} min"

    before = 1440 - start
    paid = length - pause
    wrong = length + pause if rng.random() < 0.5 else paid - 60
    good = [
        f"Up to midnight it is {span(before)}, after midnight {span(end)}, together {span(length)}. Taking off the "
        f"{pause}-minute break leaves **{span(paid)}**.",
        f"The shift spans {span(length)} on the clock ({clock(start)} to {clock(end)} the next day). Minus {pause} minutes "
        f"that is **{span(paid)}**.",
    ]
    bad = (
        f"Up to midnight it is {span(before)}, after midnight {span(end)}. Together with the {pause}-minute break "
        f"the working time is **{span(wrong)}**."
        if wrong > paid
        else f"From {clock(start)} to {clock(end)} the next day is {span(length - 60)} on the clock. Subtracting the "
        f"break of {pause} minutes, the working time is **{span(wrong)}**."
    )
    return Draft(
        title="Hours of a night shift",
        prompt=f"A nurse starts at {clock(start)} and finishes at {clock(end)} the next morning, with an unpaid break of {pause} "
        "minutes. How long is the paid working time?",
        answers=(
            Answer(
                rng.choice(good),
                1,
                f"Check: {clock(start)} plus {span(paid)} plus {pause} min is {clock(end)}.",
            ),
            Answer(bad, 0),
        ),
        explanation=f"The shift lasts {span(length)}; without the {pause}-minute break {span(paid)} are paid.",
        difficulty=0.35,
    )


def nth_weekday(rng: random.Random) -> Draft:
    """Three responses: the date, the week after, and one that misjudges the first weekday of the month."""
    first = date(rng.randint(2024, 2031), rng.randint(1, 12), 1)
    n, weekday = rng.randint(2, 4), rng.randint(0, 6)
    ahead = (weekday - first.weekday()) % 7
    opening = first + timedelta(days=ahead)
    right = opening + timedelta(weeks=n - 1)
    name, ordinal = f"{right:%A}", _ORDINALS[n]
    later = right + timedelta(weeks=1 if n < 4 and ahead < 7 else -1)
    offset = right + timedelta(days=1 if right.day < 28 else -1)
    good = (
        f"{day(first)} is a {first:%A}, so the first {name} of the month is the {nth(opening.day)}. "
        f"Adding {n - 1} week{'s' if n > 2 else ''} gives **{day(right)}**."
    )
    off_by_week = (
        f"The month begins on a {first:%A}. The {name}s fall seven days apart, and the {ordinal} of them "
        f"is **{day(later)}**, which settles the date of the meeting."
    )
    off_by_day = (
        f"If the month starts on a {first:%A}, the first {name} is the {nth((offset - timedelta(weeks=n - 1)).day)}. "
        f"The {ordinal} one comes {n - 1} week{'s' if n > 2 else ''} later, on **{day(offset)}**."
    )
    answers = [
        Answer(
            good,
            1,
            f"Its number {right.day} lies between {7 * n - 6} and {7 * n}, where every {ordinal} weekday of a month must lie.",
        )
    ]
    answers += [Answer(off_by_week, 0), Answer(off_by_day, 0)]
    return Draft(
        title=f"The {ordinal} {name} of a month",
        prompt=f"A council meets on the {ordinal} {name} of every month. {day(first)} is a {first:%A}. On which date does it meet in "
        f"{first:%B %Y}?",
        answers=tuple(answers if rng.random() < 0.5 else [answers[0], rng.choice(answers[1:])]),
        explanation=f"The first {name} is {day(opening)}, so the {ordinal} is {day(right)}.",
        difficulty=0.4,
    )


PLANS = (
    Plan("inclusive", inclusive_days, 9),
    Plan("nights", nights, 7),
    Plan("weekday", weekday_later, 8),
    Plan("working", working_days, 8),
    Plan("leap", leap_days, 5),
    Plan("zones", time_zones, 8),
    Plan("shift", night_shift, 6),
    Plan("nth", nth_weekday, 8),
)
