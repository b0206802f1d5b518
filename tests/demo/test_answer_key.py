"""The answer key of the shipped tasks, found again from the text of each prompt by other means than the generators.

For each family a solver reads the prompt as a person would and returns what a right response must show in bold, part
by part. A response earns a point for each part; the ranking of the task must be the one that these points give.
"""

import calendar
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import combinations, pairwise, permutations, product
from statistics import mean, median

import numpy as np
import pytest

from preceptor.demo.tasks import DemoTask, entry_test_items, generate_tasks

Solver = Callable[[str], list[str]]
World = tuple[tuple[bool, ...], ...]
SEEDS = (7, 11, 2026)
SOLVERS: dict[str, Solver] = {}


def solves(family: str) -> Callable[[Solver], Solver]:
    def register(solver: Solver) -> Solver:
        SOLVERS[family] = solver
        return solver

    return register


def family_of(task: DemoTask) -> str:
    return task.external_id.rsplit("-", 1)[0]


def numbers(text: str) -> list[Decimal]:
    return [Decimal(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def integers(text: str) -> list[int]:
    return [int(value) for value in numbers(text)]


def plain(value: Decimal | Fraction | float, decimals: int = 2) -> str:
    rounded = Decimal(str(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def euros(value: Decimal) -> str:
    return f"€{value.quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def table_of(prompt: str) -> list[list[str]]:
    rows = [line.strip("| ").split(" | ") for line in prompt.splitlines() if line.startswith("|")]
    return [rows[0], *rows[2:]]


def function_of(latex: str) -> Callable[[Fraction], Fraction]:
    """A LaTeX polynomial in x as a function."""
    source = re.sub(r"(\d)\s*(x|\()", r"\1*\2", latex).replace("^", "**").replace("{", "").replace("}", "")
    code = compile(source, "<polynomial>", "eval")
    return lambda x: Fraction(eval(code, {}, {"x": x}))  # noqa: S307  (a polynomial from our own prompt)


# Mathematics


@solves("mathematics-quadratic")
def _(prompt: str) -> list[str]:
    left = function_of(re.findall(r"\$\$(.+?) = 0\$\$", prompt)[0])
    low, high = [x for x in range(-40, 41) if left(Fraction(x)) == 0]
    return [f"$x = {low}$ or $x = {high}$"]


@solves("mathematics-percent")
def _(prompt: str) -> list[str]:
    price, up, down = numbers(prompt)
    price += price * up / 100
    price -= price * down / 100
    return [euros(price)]


@solves("mathematics-chain")
def _(prompt: str) -> list[str]:
    f = function_of(re.findall(r"\([^()]*x[^()]+\)\^\d", prompt)[0])
    at = Fraction(re.findall(r"(?:f'\(|x = )(\d)", prompt)[0])
    step = Fraction(1, 10**6)
    return [str(round((f(at + step) - f(at - step)) / (2 * step)))]


@solves("mathematics-integral")
def _(prompt: str) -> list[str]:
    low, high = (Fraction(b) for b in re.findall(r"_\{(\d)\}\^\{(\d)\}", prompt)[0])
    f = function_of(re.findall(r"\\left\((.+?)\\right\)", prompt)[0])
    # Simpson's rule is exact for polynomials of this degree.
    return [str((high - low) / 6 * (f(low) + 4 * f((low + high) / 2) + f(high)))]


@solves("mathematics-tickets")
def _(prompt: str) -> list[str]:
    count, dear, cheap, total = integers(prompt)
    return [str(x) for x in range(count + 1) if dear * x + cheap * (count - x) == total]


@solves("mathematics-draws")
def _(prompt: str) -> list[str]:
    wanted, other = integers(prompt)[:2]
    pairs = list(permutations([True] * wanted + [False] * other, 2))
    return [str(Fraction(sum(a and b for a, b in pairs), len(pairs)))]


@solves("mathematics-interest")
def _(prompt: str) -> list[str]:
    balance, rate, years = numbers(prompt)
    for _year in range(int(years)):
        balance *= 1 + rate / 100
    return [euros(balance)]


@solves("mathematics-count")
def _(prompt: str) -> list[str]:
    ordered = "order of the set matters" in prompt or "medals" in prompt
    figures = integers(prompt)
    items, taken = range(figures[0]), figures[-1]
    ways = permutations(items, taken) if ordered else combinations(items, taken)
    return [f"{sum(1 for _way in ways):,}"]


@solves("mathematics-parabola")
def _(prompt: str) -> list[str]:
    f = function_of(re.findall(r"f\(x\) = (.+?)\$", prompt)[0])
    points = range(-60, 61)
    lowest = min(points, key=lambda x: f(Fraction(x)))
    zeros = [x for x in points if f(Fraction(x)) == 0]
    return [f"$x = {lowest}$", f"${f(Fraction(lowest))}$", f"$x = {zeros[0]}$ and $x = {zeros[1]}$"]


@solves("mathematics-lastdigit")
def _(prompt: str) -> list[str]:
    base, power = re.findall(r"\$(\d)\^\{(\d+)\}", prompt)[0]
    return [str(int(base) ** int(power))[-1]]


# Dates


def dates_in(text: str) -> list[date]:
    months = "|".join(calendar.month_name[1:])
    found = re.findall(rf"(\d+) ({months}) (\d{{4}})", text)
    return [date(int(y), list(calendar.month_name).index(m), int(d)) for d, m, y in found]


def in_words(day: date) -> str:
    return f"{day.day} {calendar.month_name[day.month]} {day.year}"


def days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


@solves("dates-inclusive")
def _(prompt: str) -> list[str]:
    return [str(len(list(days(*dates_in(prompt)))))]


@solves("dates-nights")
def _(prompt: str) -> list[str]:
    stay = list(days(*dates_in(prompt)))
    price = integers(prompt.split("€")[1])[0]
    return [f"€{sum(price for _evening, _morning in pairwise(stay)):,}"]


@solves("dates-weekday")
def _(prompt: str) -> list[str]:
    start = dates_in(prompt)[0]
    ahead = int(re.findall(r"(\d+) days (?:later|after)", prompt)[0])
    assert calendar.day_name[start.weekday()] in prompt
    return [calendar.day_name[(start + timedelta(days=ahead)).weekday()]]


@solves("dates-working")
def _(prompt: str) -> list[str]:
    start = dates_in(prompt)[0]
    count = int(re.findall(r"within (\d+) working days", prompt)[0])
    return [in_words(np.busday_offset(np.datetime64(start), count).astype(date))]


@solves("dates-leap")
def _(prompt: str) -> list[str]:
    first, last = integers(prompt)
    return [str(calendar.leapdays(first, last + 1))]


@solves("dates-zones")
def _(prompt: str) -> list[str]:
    hour, minute = map(int, re.findall(r"(\d\d):(\d\d)", prompt)[0])
    here, there = (
        timezone(timedelta(hours=int(shift.replace("−", "-")))) for shift in re.findall(r"UTC([+−]\d+)", prompt)
    )
    start = datetime.combine(dates_in(prompt)[0], datetime.min.time(), here).replace(hour=hour, minute=minute)
    local = start.astimezone(there)
    return [f"{local:%H:%M} on {in_words(local.date())}"]


@solves("dates-shift")
def _(prompt: str) -> list[str]:
    start, end = (datetime.strptime(t, "%H:%M").replace(tzinfo=UTC) for t in re.findall(r"\d\d:\d\d", prompt))
    pause = int(re.findall(r"(\d+) minutes", prompt)[0])
    paid = (end + timedelta(days=1) - start - timedelta(minutes=pause)).seconds // 60
    return [f"{paid // 60} h {paid % 60:02d} min"]


@solves("dates-nth")
def _(prompt: str) -> list[str]:
    first = dates_in(prompt)[0]
    position = ["first", "second", "third", "fourth"].index(prompt.split("on the ")[1].split()[0])
    weekday = list(calendar.day_name).index(prompt.split("on the ")[1].split()[1])
    weeks = calendar.monthcalendar(first.year, first.month)
    return [in_words(first.replace(day=[week[weekday] for week in weeks if week[weekday]][position]))]


# Units


@solves("units-speed")
def _(prompt: str) -> list[str]:
    speed, seconds = integers(prompt)
    return [f"{plain(Fraction(speed * 1000 * seconds, 3600))} m"]


@solves("units-area")
def _(prompt: str) -> list[str]:
    width, height, count = integers(prompt)
    return [f"{plain(Fraction(width, 100) * Fraction(height, 100) * count)} m²"]


@solves("units-fuel")
def _(prompt: str) -> list[str]:
    use, hundred, distance, price = numbers(prompt)
    return [euros(use / hundred * distance * price)]


@solves("units-download")
def _(prompt: str) -> list[str]:
    size, rate = integers(prompt)
    return [f"{plain(Fraction(size * 8_000_000, rate * 1_000_000))} s"]


@solves("units-change")
def _(prompt: str) -> list[str]:
    fall, start = integers(prompt)
    fahrenheit = [Fraction(c * 9, 5) + 32 for c in (start, start - fall)]
    return [f"{fahrenheit[0] - fahrenheit[1]} °F"]


@solves("units-dilution")
def _(prompt: str) -> list[str]:
    concentrate, water, litres = integers(prompt)
    return [f"{plain(Fraction(litres * 1000 * concentrate, concentrate + water), 0)} mL"]


@solves("units-magnitude")
def _(prompt: str) -> list[str]:
    figures = integers(prompt.split(" Estimate the number")[0])
    scale = 10**6 if "million" in prompt else 1000
    value = figures[0] * scale * figures[1] * (figures[2] if len(figures) > 2 else 365)
    mantissa, exponent = f"{value:.1e}".split("e")
    return [f"about ${mantissa} \\times 10^{{{int(exponent)}}}$"]


@solves("units-parcel")
def _(prompt: str) -> list[str]:
    width, height, depth, density, limit = numbers(prompt)
    litres = width * height * depth / 1000
    mass = litres * density
    return [f"{plain(litres, 1)} L", f"{plain(mass)} kg", "yes" if mass <= limit else "no"]


# Statistics


@solves("statistics-middle")
def _(prompt: str) -> list[str]:
    values = integers(prompt)
    return [plain(mean(values)), plain(median(values)), plain(max(values) - min(values))]


@solves("statistics-baserate")
def _(prompt: str) -> list[str]:
    share, hit, false = (Fraction(value) / 100 for value in integers(prompt))
    alarm = share * hit + (1 - share) * false
    return [f"about {round(100 * share * hit / alarm)}%"]


@solves("statistics-points")
def _(prompt: str) -> list[str]:
    before, after = integers(prompt)
    relative = "relative to where it started" in prompt
    return [plain(Fraction(100 * (after - before), before), 1) if relative else str(after - before)]


@solves("statistics-avgspeed")
def _(prompt: str) -> list[str]:
    distance, out, back = integers(prompt)
    return [f"{plain(Fraction(2 * distance) / (Fraction(distance, out) + Fraction(distance, back)), 1)} km/h"]


@solves("statistics-sample")
def _(prompt: str) -> list[str]:
    sample, margin, goal = numbers(prompt)
    return [plain(sample * (margin / goal) ** 2)]


@solves("statistics-reversal")
def _(prompt: str) -> list[str]:
    rates = {}
    for name, *cells in table_of(prompt)[1:]:
        counts = [integers(cell) for cell in cells]
        rates[name.split()[-1]] = [Fraction(good, total) for good, total in counts]
    (one, ones), (other, others) = rates.items()
    assert [a > b for a, b in zip(ones, others, strict=True)] in ([True, True], [False, False])
    return [one if ones > others else other]


# Logic


@solves("logic-knights")
def _(prompt: str) -> list[str]:
    said = re.findall(r"- (\w+): “(.+?)”", prompt)
    names = [name for name, _ in said]

    def truth(speaker: str, text: str, kinds: dict[str, bool]) -> bool:
        about = kinds[text.split()[0]]
        if "same kind" in text or "different kinds" in text:
            return (about == kinds[speaker]) == ("same" in text)
        return about == ("a knight" in text)

    worlds = [dict(zip(names, kinds, strict=True)) for kinds in product([True, False], repeat=len(names))]
    fitting = [w for w in worlds if all(truth(name, text, w) == w[name] for name, text in said)]
    assert len(fitting) == 1
    return [", ".join(f"{name}: {'knight' if fitting[0][name] else 'knave'}" for name in names)]


@solves("logic-syllogism")
def _(prompt: str) -> list[str]:
    lines = [*re.findall(r"^\d\. (.+)\.$", prompt, flags=re.MULTILINE)]
    lines.append(re.findall(r"that \*\*(.+?)\*\*\?", prompt)[0])
    read = [re.fullmatch(r"(?i)(all|no|some) (.+?) are (not )?(.+)", line) for line in lines]
    assert all(read)
    claims = [(m[1].lower(), m[2].lower(), bool(m[3]), m[4].lower()) for m in read if m]
    groups = sorted({group for _, a, _, b in claims for group in (a, b)})
    assert len(groups) == 3

    def holds(claim: tuple[str, str, bool, str], people: list[tuple[bool, ...]]) -> bool:
        kind, a, negated, b = claim
        hits = [p[groups.index(b)] != negated for p in people if p[groups.index(a)]]
        return {"all": all(hits), "no": not any(hits), "some": any(hits)}[kind]

    regions = list(product([True, False], repeat=3))
    models = [[r for r, used in zip(regions, mask, strict=True) if used] for mask in product([True, False], repeat=8)]
    models = [m for m in models if all(any(person[i] for person in m) for i in range(3))]
    follows = all(holds(claims[2], m) for m in models if holds(claims[0], m) and holds(claims[1], m))
    return ["follows" if follows else "does not follow"]


@solves("logic-seating")
def _(prompt: str) -> list[str]:
    head = prompt.split(" sit on")[0]
    names = re.split(r", | and ", head)
    clues = re.findall(r"^\d\. (.+)\.$", prompt, flags=re.MULTILINE)

    def fits(order: tuple[str, ...], clue: str) -> bool:
        seats = [order.index(name) for name in re.findall(r"\b[A-Z]\w+", clue)]
        if "to the left of" in clue:
            return seats[0] < seats[1]
        met = seats[0] in (0, 3) if "end" in clue else abs(seats[0] - seats[1]) == 1
        return met != ("not" in clue)

    fitting = [order for order in permutations(names) if all(fits(order, clue) for clue in clues)]
    assert len(fitting) == 1
    return [", ".join(fitting[0])]


CARDS = {
    "vowel": "E and 7",
    "fragile": "fragile and no signature",
    "wine": "wine and aged 16",
    "north": "north and green",
    "lamp": "lamp on and door open",
}


@solves("logic-cards")
def _(prompt: str) -> list[str]:
    rule = prompt.split("The rule is")[1]
    return [answer for word, answer in CARDS.items() if word in rule]


@solves("logic-rule")
def _(prompt: str) -> list[str]:
    rows = table_of(prompt)[1:]
    lives = [(name, *(cell == "yes" for cell in cells)) for name, *cells in rows]
    return [", ".join(str(name) for name, a, b, c, d in lives if c and not d and (a or b)) or "nobody"]


@solves("reading-table")
def _(prompt: str) -> list[str]:
    rows = {name: [int(cell) for cell in cells] for name, *cells in table_of(prompt)[1:]}
    largest = max(rows, key=lambda name: sum(rows[name]))
    grown = max(rows, key=lambda name: rows[name][2] - rows[name][0])
    return [largest, grown, f"{sum(row[1] for row in rows.values()):,}"]


def scores(task: DemoTask, wanted: list[str]) -> list[int]:
    found = [[bold.rstrip(".") for bold in re.findall(r"\*\*(.+?)\*\*", text)] for text in task.responses]
    assert all(len(shown) == len(wanted) for shown in found), task.external_id
    return [sum(a == b for a, b in zip(shown, wanted, strict=True)) for shown in found]


def check_ranking(task: DemoTask, points: list[int], full: int) -> None:
    order = sorted(set(points), reverse=True)
    assert max(points) == full, (task.external_id, task.prompt, points)
    assert task.ranking == tuple(order.index(p) + 1 for p in points), (task.external_id, task.prompt, points)


@pytest.mark.parametrize("seed", SEEDS)
def test_solving_each_prompt_again_gives_the_same_ranking(seed: int) -> None:
    solved = set()
    for task in generate_tasks(seed):
        solver = SOLVERS.get(family_of(task))
        if solver is not None:
            wanted = solver(task.prompt)
            check_ranking(task, scores(task, wanted), len(wanted))
            solved.add(family_of(task))
    assert solved == set(SOLVERS)


def test_no_task_is_left_without_an_independent_check() -> None:
    checked = ("code-print", "code-write", "reading-passage", "logic-negation")
    for task in generate_tasks():
        assert family_of(task) in SOLVERS or family_of(task).startswith(checked), task.external_id


# Negations: compared over all small worlds


def none(cells: Iterable[bool]) -> bool:
    return not any(cells)


def meaning(sentence: str) -> Callable[[World], bool]:
    """What a sentence says about a table of people (rows) and things (columns)."""
    start, rest = sentence.split(" ", 1)
    if sentence.startswith("For "):
        each = all if rest.startswith("every") else any
        return lambda world: each(not all(row) for row in world)
    if re.search(r" no \w+( at all)?\.$", sentence):
        inner: Callable[[Iterable[bool]], bool] = none
    else:
        inner = all if re.search(r" every \w+\.$", sentence) else any
    if start == "No":
        return lambda world: not any(inner(row) for row in world)
    outer = all if start == "Every" else any
    return lambda world: outer(inner(row) for row in world)


def small_worlds() -> Iterator[World]:
    for people, things in product((1, 2, 3), repeat=2):
        yield from product(product([True, False], repeat=things), repeat=people)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_better_negation_is_true_exactly_where_the_statement_is_false(seed: int) -> None:
    worlds = list(small_worlds())
    for task in generate_tasks(seed):
        if family_of(task) != "logic-negation":
            continue
        statement = meaning(re.findall(r"^> (.+)$", task.prompt, flags=re.MULTILINE)[0])
        offered = [meaning(re.findall(r"\*\*(.+?)\*\*", text)[0]) for text in task.responses]
        points = [int(all(said(w) != statement(w) for w in worlds)) for said in offered]
        check_ranking(task, points, 1)


# Code: run in another process


def run_all(programs: list[str]) -> list[tuple[bool, str]]:
    """Whether each program ends without an error, and what it prints."""
    runner = (
        "import contextlib, io, json, sys\n"
        "results = []\n"
        "for source in json.load(sys.stdin):\n"
        "    out, ok = io.StringIO(), True\n"
        "    with contextlib.redirect_stdout(out):\n"
        "        try:\n"
        "            exec(source, {'__name__': 'program'})\n"
        "        except Exception:\n"
        "            ok = False\n"
        "    results.append((ok, out.getvalue().strip()))\n"
        "json.dump(results, sys.stdout)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", runner], input=json.dumps(programs), capture_output=True, text=True, check=True
    )
    return [(ok, printed) for ok, printed in json.loads(done.stdout)]


def fenced(text: str, language: str) -> str:
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)\n```", text, flags=re.DOTALL)
    return blocks[-1]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_output_ranked_first_is_what_the_program_prints(seed: int) -> None:
    tasks = [task for task in generate_tasks(seed) if family_of(task).startswith("code-print")]
    for task, (ok, printed) in zip(tasks, run_all([fenced(t.prompt, "python") for t in tasks]), strict=True):
        assert ok, task.prompt
        check_ranking(task, [int(fenced(text, "text") == printed) for text in task.responses], 1)


def test_the_function_ranked_first_passes_the_examples_and_the_other_fails() -> None:
    tasks = [task for task in generate_tasks() if family_of(task).startswith("code-write")]
    programs = [f"{fenced(r, 'python')}\n{fenced(t.prompt, 'python')}" for t in tasks for r in t.responses]
    passed = iter(run_all(programs))
    for task in tasks:
        check_ranking(task, [int(next(passed)[0]) for _ in task.responses], 1)


# Reading: the answers were found a second time by hand, the evidence is looked up in the passage

READ = {
    "How many people survived the wreck": "Seven",
    "In which year was the *Margaret* wrecked?": "1801",
    "Why, according to the passage, did the coal fire": "its use of coal",
    "What killed the two colonies?": "not known",
    "Does the sale of honey pay for everything": "No",
    "Why does the museum not keep four hives": "a second staircase",
    "How many more buses an hour": "one more",
    "Will bus 14 run more often on Saturday": "No",
    "Has the company agreed to reopen": "Not yet",
    "Did the programme improve understanding": "no effect was found",
    "How many pupils used the programme?": "120",
    "Did the pupils with the usual lessons read no faster": "wrong",
    "How much must the parish raise itself?": "£21,500",
    "Who carved the case, and where?": "Jonah, in the church",
    "How many pipes are not original?": "52",
    "Has the number of foxes at Sandy Bank grown?": "unknown",
    "How many sightings were there per person": "3",
    "Does the passage say why foxes are seen": "not stated",
    "Noor returns one drill thirteen days late": "€20",
    "What is the longest time for which a tool": "14 days",
    "May a member without the safety course": "Only the saw",
    "What evidence speaks against the date of 1834": "the watermark of the paper",
    "On what point do Dr Solberg and Mr Brandt agree?": "signature matches",
    "Why does Dr Solberg think that an older drawing": "the old course of the river",
    "Do the results show that the effect holds for older": "No",
    "Did the skin of those who expected pain cool": "No",
    "What does the passage say about the effect in men?": "too small to be certain",
    "Why was the motion on bicycles not carried": "too few",
    "Did every member present vote": "No",
    "What did the meeting decide about the roof?": "no decision",
    "How many children do the Petersens": "three",
    "Does Olav believe that the boat": "rather not",
    "What did people do for bread": "baked with oat meal",
    "Would one expect to hear the hum clearly at a wind of 40": "No",
    "How many bars were plugged in the trial?": "800",
    "Do all residents want the hum to be removed?": "No",
}


def test_the_better_reading_gives_the_answer_found_by_hand() -> None:
    asked = [task for task in generate_tasks() if family_of(task).startswith("reading-passage")]
    assert len(asked) == len(READ)
    for task in asked:
        question = task.prompt.split("**Question:** ")[1]
        (wanted,) = [answer for start, answer in READ.items() if question.startswith(start)]
        check_ranking(task, scores(task, [wanted]), 1)


def test_evidence_quoted_by_a_better_reading_stands_in_the_passage() -> None:
    quoted = 0
    for seed in SEEDS:
        for task in generate_tasks(seed):
            if family_of(task).startswith("reading-passage"):
                passage = task.prompt.split("**Question:**")[0]
                quotes = re.findall(r"“([^“”]+)”", task.responses[task.better[0]])
                quoted += len(quotes)
                assert all(quote.rstrip(".") in passage for quote in quotes), task.external_id
    assert quoted > 30


# What correct responses claim on the way


def test_every_equation_shown_by_a_best_response_holds() -> None:
    checked = 0
    for seed in SEEDS:
        for task in generate_tasks(seed):
            for position in task.better:
                for left, right in equations(task.responses[position]):
                    checked += 1
                    assert close(left, right), (task.external_id, left, right)
    assert checked > 200


TERM = r"\(?-?\d[\d,]*(?:\.\d+)?\)?"


def equations(text: str) -> Iterator[tuple[str, str]]:
    plain_text = text.replace(r"\times", "×").replace(r"\cdot", "×").replace("$", "").replace("**", "")
    pattern = rf"(?<![/×+−*^)=-] )(?<![\w.,/×+−*^)=€-])({TERM}(?: [×/+−-] {TERM})+) = ({TERM})(?! ?[×/+^\d])"
    yield from re.findall(pattern, plain_text)


def close(left: str, right: str) -> bool:
    source = left.replace(",", "").replace("×", "*").replace("−", "-")
    value = float(eval(source))  # noqa: S307  (figures from our own text)
    return abs(value - float(right.strip("()").replace(",", ""))) <= 0.006 * max(1.0, abs(value) / 100)


# The entry test

ENTRY = {
    1: f"{600 * 10 // 4:,} g",
    2: "No",
    3: f"{int(2.25 * 60) * 12:,} L",
    4: str(sum(d.weekday() == 0 for d in days(date(2025, 2, 3), date(2025, 3, 31)))),
    6: "No",
    7: str((10 * 60 + 30 * 80) // 40),
    9: "No",
}


def test_entry_items_have_the_answers_found_again() -> None:
    items = entry_test_items()
    for position, answer in ENTRY.items():
        check_ranking(items[position - 1], scores(items[position - 1], [answer]), 1)
    check_ranking(items[7], scores(items[7], [f"{40 // 8} cm", f"{2 * (8 + 40 // 8)} cm"]), 2)
    ((_, printed),) = run_all([fenced(items[4].prompt, "python")])
    check_ranking(items[4], [int(fenced(text, "text") == printed) for text in items[4].responses], 1)
    assert items[9].ranking == (1, 2, 1)
