"""Worked mathematics: each question has one value, reached by a right and by a plausible wrong way."""

# ruff: noqa: E501  (the long lines are sentences that people read; broken up they are hard to edit)

from __future__ import annotations

import random
from fractions import Fraction
from math import comb, perm

from preceptor.demo.tasks.model import Answer, Draft, Plan, deal, euro, number


def _term(coefficient: int, power: int, first: bool) -> str:
    sign = "-" if coefficient < 0 else ("" if first else "+")
    size = abs(coefficient)
    letter = "" if power == 0 else ("x" if power == 1 else f"x^{power}")
    figure = "" if size == 1 and power else str(size)
    return f"{sign}{figure}{letter}" if first else f" {sign} {figure}{letter}"


def polynomial(*coefficients: int) -> str:
    """LaTeX for a polynomial in x, highest power first."""
    degree = len(coefficients) - 1
    text = ""
    for position, coefficient in enumerate(coefficients):
        if coefficient:
            text += _term(coefficient, degree - position, first=not text)
    return text or "0"


def _factor(root: int) -> str:
    return f"(x {'-' if root > 0 else '+'} {abs(root)})"


def _two_roots(one: int, other: int) -> str:
    low, high = sorted((one, other))
    return f"**$x = {low}$ or $x = {high}$**"


def _distinct_roots(rng: random.Random) -> tuple[int, int]:
    p, q = rng.sample([n for n in range(-9, 10) if n], 2)
    while p == -q:
        p, q = rng.sample([n for n in range(-9, 10) if n], 2)
    return p, q


def _by_factoring(p: int, q: int, shown: tuple[int, int]) -> str:
    return (
        f"Look for two numbers with product ${p * q}$ and sum ${p + q}$: these are ${p}$ and ${q}$. Therefore\n\n"
        f"$${polynomial(1, -(p + q), p * q)} = {_factor(p)}{_factor(q)} = 0.$$\n\n"
        f"A product is zero only when one of its factors is zero, so {_two_roots(*shown)}."
    )


def _by_formula(p: int, q: int, halve: bool) -> str:
    b, c = -(p + q), p * q
    gap = abs(p - q)
    fraction = rf"\frac{{{-b} \pm {gap}}}{{2}}" if halve else rf"{-b} \pm {gap}"
    shown = (p, q) if halve else (-b - gap, -b + gap)
    return (
        f"Use the quadratic formula with $a = 1$, $b = {b}$, $c = {c}$. The discriminant is "
        rf"$b^2 - 4ac = {b * b} - ({4 * c}) = {gap * gap}$, whose square root is ${gap}$." + "\n\n"
        f"$$x = {fraction}$$\n\nThis gives {_two_roots(*shown)}."
    )


def quadratic(rng: random.Random) -> Draft:
    p, q = _distinct_roots(rng)
    right = rng.choice([_by_factoring(p, q, (p, q)), _by_formula(p, q, halve=True)])
    flipped = rng.random() < 0.6
    wrong = _by_factoring(p, q, (-p, -q)) if flipped else _by_formula(p, q, halve=False)
    slip = "reads the roots off the factors with the wrong sign" if flipped else "forgets to divide by $2a$"
    ask = rng.choice(["Solve", "Find all real solutions of", "For which real numbers $x$ does this hold?"])
    check = (
        f"Check with Vieta: the sum of the roots is ${p} + ({q}) = {p + q}$ and their product "
        f"is ${p * q}$, as the equation demands."
    )
    return Draft(
        title="A quadratic equation",
        prompt=f"{ask}\n\n$${polynomial(1, -(p + q), p * q)} = 0$$",
        answers=(Answer(right, 1, check), Answer(wrong, 0)),
        explanation=f"Substituting ${p}$ and ${q}$ gives zero. The other response {slip}.",
        difficulty=0.3,
    )


_PRICED = (
    ("A pair of hiking boots", "The shop"),
    ("A monthly rail pass", "The operator"),
    ("A second-hand cello bow", "The dealer"),
    ("A desk lamp", "The store"),
    ("An annual museum membership", "The museum"),
    ("A crate of seed potatoes", "The nursery"),
)


def percent_twice(rng: random.Random) -> Draft:
    thing, seller = rng.choice(_PRICED)
    price, up, down = rng.randrange(40, 420, 20), rng.randrange(10, 45, 5), rng.randrange(10, 45, 5)
    raised = Fraction(price * (100 + up), 100)
    final = raised * (100 - down) / 100
    naive = Fraction(price * (100 + up - down), 100)
    rate = up - down
    change = "the price is back where it started" if rate == 0 else f"overall that is a change of {rate:+d}%"
    right = [
        f"After the rise the price is ${price} \\times {1 + up / 100:.2f} = {float(raised):.2f}$. The reduction is "
        f"taken from that new price: ${float(raised):.2f} \\times {1 - down / 100:.2f} = {float(final):.2f}$. "
        f"It now costs **{euro(float(final))}**.",
        f"- Start: {euro(price)}\n- After +{up}%: {euro(float(raised))}\n- The {down}% reduction is worth "
        f"{euro(float(raised - final))}, because it applies to {euro(float(raised))}\n\n"
        f"So the price is now **{euro(float(final))}**.",
    ]
    wrong = [
        f"A rise of {up}% followed by a reduction of {down}% can be combined: ${up} - {down} = {rate}$, so {change}. "
        f"The new price is ${price} \\times {1 + rate / 100:.2f}$, that is **{euro(float(naive))}**.",
        f"- Start: {euro(price)}\n- The rise adds {up}% of {euro(price)}, which is {euro(price * up / 100)}\n"
        f"- The reduction takes off {down}% of {euro(price)}, which is {euro(price * down / 100)}\n\n"
        f"So the price is now **{euro(float(naive))}**.",
    ]
    return Draft(
        title="Two percentage changes in a row",
        prompt=f"{thing} costs {euro(price)}. {seller} first raises the price by {up}% and later reduces the new "
        f"price by {down}%. {rng.choice(['What does it cost now?', 'What is the price after both changes?'])}",
        answers=(
            Answer(
                rng.choice(right),
                1,
                f"As one factor: $1.{up} \\times 0.{100 - down} = {(100 + up) * (100 - down) / 10000:.4f}$, and "
                f"{euro(price)} times that is {euro(float(final))}.",
            ),
            Answer(rng.choice(wrong), 0),
        ),
        explanation=f"The second percentage applies to the raised price {euro(float(raised))}, so the two rates cannot "
        f"simply be added. The right price is {euro(float(final))}.",
        difficulty=0.25,
    )


def chain_rule(rng: random.Random) -> Draft:
    a, b, n, x = (
        rng.randint(2, 5),
        rng.choice([-3, -2, -1, 1, 2, 3]),
        rng.randint(3, 4),
        rng.choice([0, 1, 2]),
    )
    inner = a * x + b
    while inner == 0:
        b += 4
        inner = a * x + b
    outer = n * inner ** (n - 1)
    shape = polynomial(a, b)
    right = [
        f"By the chain rule $f'(x) = {n}({shape})^{n - 1} \\cdot {a} = {a * n}({shape})^{n - 1}$.\n\n"
        f"At $x = {x}$ the bracket equals ${inner}$, so $f'({x}) = {a * n} \\cdot ({inner})^{n - 1}$, "
        f"which is **{a * outer}**.",
        f"Write $u = {shape}$, so that $f = u^{n}$ and $u' = {a}$. Then $f' = {n}u^{n - 1} \\cdot u'$. With $x = {x}$ "
        f"we get $u = {inner}$, and the slope is **{a * outer}**.",
    ]
    wrong = [
        f"By the power rule $f'(x) = {n}({shape})^{n - 1}$.\n\nAt $x = {x}$ the bracket equals ${inner}$, so "
        f"$f'({x}) = {n} \\cdot ({inner})^{n - 1}$, which is **{outer}**.",
        f"Write $u = {shape}$, so that $f = u^{n}$. Bring the exponent down and lower it by one: $f' = {n}u^{n - 1}$. "
        f"With $x = {x}$ we get $u = {inner}$, and the slope is **{outer}**.",
    ]
    return Draft(
        title="Slope of a power of a linear function",
        prompt=rng.choice(
            [
                f"Let $f(x) = ({shape})^{n}$. Compute $f'({x})$ and show the rule you use.",
                f"What is the slope of the curve $y = ({shape})^{n}$ at $x = {x}$?",
            ]
        ),
        answers=(
            Answer(
                rng.choice(right),
                1,
                f"The factor ${a}$ is the inner derivative; without it the slope would be that of "
                f"$u^{n}$ with respect to $u$, not $x$.",
            ),
            Answer(rng.choice(wrong), 0),
        ),
        explanation=f"The inner derivative ${a}$ must be multiplied in. Leaving it out gives {outer} "
        f"instead of {a * outer}.",
        difficulty=0.4,
    )


def integral(rng: random.Random) -> Draft:
    a, b, c = 3 * rng.randint(1, 3), 2 * rng.choice([-3, -2, -1, 1, 2, 3]), rng.randint(1, 7)
    low, high = rng.randint(1, 2), rng.randint(3, 4)

    def primitive(x: int) -> int:
        return a // 3 * x**3 + b // 2 * x**2 + c * x

    value, at_high, at_low = primitive(high) - primitive(low), primitive(high), primitive(low)
    added = at_high + at_low
    shape = polynomial(a // 3, b // 2, c, 0)
    forgot = rng.random() < 0.5
    wrong_value = at_high if forgot else added
    wrong_step = (
        f"Putting in the upper bound gives $F({high}) = {at_high}$. The integral is therefore **{at_high}**."
        if forgot
        else f"The bounds give $F({high}) = {at_high}$ and $F({low}) = {at_low}$. Together the integral is **{added}**."
    )
    opening = deal(rng, [f"An antiderivative is $F(x) = {shape}$.", f"Integrate term by term: $F(x) = {shape}$."], 2)
    right = f"{opening[0]} Then $F({high}) - F({low}) = {at_high} - {at_low} = {value}$, so the value is **{value}**."
    return Draft(
        title="A definite integral",
        prompt=f"Evaluate\n\n$$\\int_{{{low}}}^{{{high}}} \\left({polynomial(a, b, c)}\\right)\\,dx.$$",
        answers=(
            Answer(right, 1, f"Differentiating $F$ gives back ${polynomial(a, b, c)}$."),
            Answer(f"{opening[1]} {wrong_step}", 0),
        ),
        explanation=f"The value is $F({high}) - F({low}) = {value}$. The other response "
        f"{'forgets to subtract' if forgot else 'adds'} the lower bound and gets {wrong_value}.",
        difficulty=0.35,
    )


_TICKETS = (
    (
        "A school play sold {n} tickets. Adults paid €{a} and children €{b}, and the box office took €{t}.",
        "How many adult tickets were sold?",
    ),
    (
        "A ferry carried {n} passengers. The full fare is €{a}, the reduced fare €{b}, and the fares came to €{t}.",
        "How many passengers paid the full fare?",
    ),
    (
        "A choir sold {n} calendars. A large one costs €{a}, a small one €{b}, and the choir earned €{t}.",
        "How many large calendars were sold?",
    ),
    (
        "A shop hired out {n} bikes. An e-bike costs €{a} a day, a plain bike €{b}, and the day brought in €{t}.",
        "How many e-bikes were hired out?",
    ),
)


def tickets(rng: random.Random) -> Draft:
    story, question = rng.choice(_TICKETS)
    x, y = rng.sample(range(12, 80), 2)
    b = rng.randint(4, 9)
    a = b + rng.randint(2, 7)
    n, total = x + y, a * x + b * y
    extra = total - b * n
    swapped = rng.random() < 0.6
    all_cheap = f"If all {n} were of the cheaper kind, the sum would be ${n} \\times {b} = {n * b}$."
    right = [
        f"Let $x$ be the number at €{a}. The others number ${n} - x$, so ${a}x + {b}({n} - x) = {total}$. "
        f"That is ${a - b}x = {extra}$, and the answer is **{x}**.",
        f"{all_cheap} The missing ${total} - {n * b} = {extra}$ euros come from the dearer ones, which bring {a - b} euros "
        f"more each. Dividing gives **{x}**.",
    ]
    wrong = (
        f"{all_cheap} The difference to {total} is {extra} euros, and at {a - b} euros each that makes {x}. "
        f"Taking these away from {n} leaves **{y}**."
        if swapped
        else f"{all_cheap} The remaining ${total} - {n * b} = {extra}$ euros come from the dearer ones, which cost {a} euros "
        f"each. Dividing and rounding to a whole number gives **{round(extra / a)}**."
    )
    return Draft(
        title="Two prices, one total",
        prompt=story.format(n=n, a=a, b=b, t=total) + f" {question} Show your working.",
        answers=(
            Answer(rng.choice(right), 1, f"Check: ${a} \\times {x} + {b} \\times {y} = {total}$."),
            Answer(wrong, 0),
        ),
        explanation=f"With {x} at €{a} and {y} at €{b} the money is {a} × {x} + {b} × {y} = {total}. The other response "
        + ("reports the other kind." if swapped else f"divides by {a}, although each dearer one adds only {a - b}."),
        difficulty=0.45 if swapped else 0.35,
    )


_BAGS = (
    ("marbles", "red", "blue"),
    ("cards", "picture", "number"),
    ("socks", "grey", "striped"),
    ("tiles", "vowel", "consonant"),
)


def without_replacement(rng: random.Random) -> Draft:
    things, one, other = rng.choice(_BAGS)
    r, b = rng.randint(3, 8), rng.randint(3, 8)
    n = r + b
    right, wrong = Fraction(r * (r - 1), n * (n - 1)), Fraction(r * r, n * n)
    styles = deal(rng, [0, 1], 2)
    good = [
        f"The first draw is {one} with probability $\\frac{{{r}}}{{{n}}}$. One {one} is then gone, so the second is "
        f"{one} with probability $\\frac{{{r - 1}}}{{{n - 1}}}$. The product is **{right}**.",
        f"Count pairs: there are $\\binom{{{n}}}{{2}} = {comb(n, 2)}$ ways to take two {things} and "
        f"$\\binom{{{r}}}{{2}} = {comb(r, 2)}$ of them are both {one}. That gives **{right}**.",
    ]
    bad = [
        f"Each draw is {one} with probability $\\frac{{{r}}}{{{n}}}$. Both draws must succeed, so multiply: "
        f"$\\left(\\frac{{{r}}}{{{n}}}\\right)^2$, which is **{wrong}**.",
        f"Count pairs: for each of the two draws there are {n} possible {things}, ${n} \\times {n} = {n * n}$ pairs in "
        f"all, and ${r} \\times {r} = {r * r}$ of these are both {one}. That gives **{wrong}**.",
    ]
    return Draft(
        title=f"Two {things} from a bag",
        prompt=f"A bag holds {r} {one} and {b} {other} {things}. Two are taken out one after the other, "
        f"{rng.choice(['without putting the first back', 'and neither is put back'])}. What is the probability that "
        f"both are {one}? Give a fraction in lowest terms.",
        answers=(
            Answer(
                good[styles[0]],
                1,
                f"Sanity check: this is a little less than {wrong}, the value with replacement, as it should be.",
            ),
            Answer(bad[styles[1]], 0),
        ),
        explanation=f"After the first {one} one there are only {r - 1} left among {n - 1}. The other response computes as "
        "if the first had been put back.",
        difficulty=0.35,
    )


def compound_interest(rng: random.Random) -> Draft:
    principal, rate, years = rng.randrange(1000, 9000, 500), rng.randint(2, 7), rng.randint(3, 6)
    compound = principal * (1 + rate / 100) ** years
    simple = principal * (1 + rate * years / 100)
    table = "\n".join(f"| {year} | {euro(principal * (1 + rate / 100) ** year)} |" for year in (0, 1, 2, years))
    right = [
        f"Each year multiplies the balance by ${1 + rate / 100:.2f}$, so after {years} years it is "
        f"${principal} \\times {1 + rate / 100:.2f}^{years}$. Rounded to the cent: **{euro(compound)}**.",
        f"The balance grows like this:\n\n| year | balance |\n|---|---|\n{table}\n\n"
        f"The balance is **{euro(compound)}**.",
    ]
    yearly = principal * rate / 100
    table = "\n".join(f"| {year} | {euro(principal + yearly * year)} |" for year in (0, 1, 2, years))
    wrong = [
        f"Interest for one year is ${principal} \\times {rate / 100:.2f} = {yearly:.2f}$, so {years} years bring "
        f"{euro(yearly * years)}. Added to the deposit that makes **{euro(simple)}**.",
        f"The balance grows like this:\n\n| year | balance |\n|---|---|\n{table}\n\nThe balance is **{euro(simple)}**.",
    ]
    return Draft(
        title="A savings account",
        prompt=f"{euro(principal)} is paid into an account that earns {rate}% interest a year. Interest is added at the end of "
        f"each year and then earns interest itself. What is the balance after {years} years, to the nearest cent?",
        answers=(
            Answer(
                rng.choice(right),
                1,
                f"Simple interest alone would give {euro(simple)}; the extra {euro(compound - simple)} is interest on "
                "interest.",
            ),
            Answer(rng.choice(wrong), 0),
        ),
        explanation=f"Interest is compounded, so the balance is {euro(compound)}; {euro(simple)} would be simple interest.",
        difficulty=0.3,
    )


_GROUPS = (
    ("A chess club of {n} members picks {k} of them to travel to a match; all places are equal.", False),
    ("From {n} volunteers a clinic chooses a committee of {k}, with no offices in it.", False),
    ("A band with {n} songs on its list plays {k} of them, and the order of the set matters.", True),
    ("Among {n} runners, medals for places 1 to {k} are given; no two finish together.", True),
)


def choose_or_arrange(rng: random.Random) -> Draft:
    story, ordered = rng.choice(_GROUPS)
    n, k = rng.randint(7, 12), rng.randint(3, 4)
    right, wrong = (perm(n, k), comb(n, k)) if ordered else (comb(n, k), perm(n, k))
    falling = " \\times ".join(str(n - i) for i in range(k))
    factorial = " \\times ".join(str(k - i) for i in range(k))
    arranged = [
        f"There are {n} choices for the first place, {n - 1} for the next and so on: ${falling} = {perm(n, k)}$. "
        f"So there are **{number(perm(n, k))}** ways.",
        f"The order counts, so this is a number of arrangements: $\\frac{{{n}!}}{{{n - k}!}} = {falling}$, "
        f"or **{number(perm(n, k))}**.",
    ]
    chosen = [
        f"The order does not count, so this is $\\binom{{{n}}}{{{k}}} = \\frac{{{falling}}}{{{factorial}}}$, "
        f"or **{number(comb(n, k))}**.",
        f"Picking one after another gives ${falling} = {perm(n, k)}$ lists, but each group appears in "
        f"${factorial} = {perm(k, k)}$ orders. Dividing leaves **{number(comb(n, k))}**.",
    ]
    good, bad = (arranged, chosen) if ordered else (chosen, arranged)
    reason = "the order matters" if ordered else "the order does not matter"
    return Draft(
        title="How many ways?",
        prompt=f"{story.format(n=n, k=k)} In how many ways can this be done?",
        answers=(
            Answer(rng.choice(good), 1, f"The deciding words in the question are that {reason} here."),
            Answer(rng.choice(bad), 0),
        ),
        explanation=f"In this question {reason}, so the count is {number(right)}, not {number(wrong)}.",
        difficulty=0.4,
    )


def parabola(rng: random.Random) -> Draft:
    """Three parts, three or four responses with three, two, one or no parts right."""
    h, reach = rng.choice([-4, -3, -2, -1, 1, 2, 3, 4]), rng.randint(1, 5)
    while reach == abs(h):
        reach = rng.randint(1, 5)
    k = -(reach**2)
    b, c = -2 * h, h * h + k

    def answer(axis: int, least: int, roots: tuple[int, int], style: int) -> str:
        low, high = sorted(roots)
        values = (f"**$x = {axis}$**", f"**${least}$**", f"**$x = {low}$ and $x = {high}$**")
        if style == 0:
            return f"1. The axis of symmetry is {values[0]}.\n2. The smallest value is {values[1]}.\n3. The zeros are {values[2]}."
        if style == 1:
            square = f"(x {'-' if axis > 0 else '+'} {abs(axis)})^2"
            return (
                f"Completing the square gives ${square} {'-' if least < 0 else '+'} {abs(least)}$. The axis is {values[0]} "
                f"and the minimum is {values[1]}. Setting the function to zero gives {values[2]}."
            )
        return (
            f"| part | answer |\n|---|---|\n| axis | {values[0]} |\n| minimum | {values[1]} |\n| zeros | {values[2]} |"
        )

    roots, flipped = (h - reach, h + reach), (-h - reach, -h + reach)
    grades = [
        (3, (h, k, roots)),
        (2, (h, k, flipped)) if rng.random() < 0.5 else (2, (h, -k, roots)),
        (1, (h, -k, flipped)),
        (0, (-h, -k, flipped)),
    ]
    kept = [grades[0], *rng.sample(grades[1:], rng.choice([2, 3]))]
    styles = deal(rng, [0, 1, 2], len(kept))
    check = f"The zeros ${roots[0]}$ and ${roots[1]}$ lie at equal distance {reach} from the axis, as they must."
    return Draft(
        title="Three facts about a parabola",
        prompt=f"For $f(x) = {polynomial(1, b, c)}$ give (1) the axis of symmetry, (2) the smallest value of $f$ and "
        "(3) both zeros.",
        answers=tuple(
            Answer(answer(*values, style), merit, check if merit == 3 else "")
            for (merit, values), style in zip(kept, styles, strict=True)
        ),
        explanation=f"$f(x) = {_factor(h)}^2 - {reach**2}$: axis $x = {h}$, minimum ${k}$, zeros ${roots[0]}$ and "
        f"${roots[1]}$. The responses are ranked by how many of the three parts are right.",
        difficulty=0.5,
    )


def last_digit(rng: random.Random) -> Draft:
    base, power = rng.choice([2, 3, 7, 8]), rng.randint(21, 98)
    while power % 4 == 0:
        power += 1
    cycle = [base**i % 10 for i in range(1, 5)]
    listed = ", ".join(map(str, cycle))
    right, slipped = pow(base, power, 10), cycle[power % 4]
    good = (
        f"The last digits of the powers of {base} repeat with period 4: {listed}. Since ${power} = 4 \\times {power // 4} + "
        f"{power % 4}$, we need number {power % 4} in the cycle, so the last digit is **{right}**."
    )
    bad = (
        f"The last digits of the powers of {base} repeat in the cycle {listed}. Dividing, ${power} = 4 \\times {power // 4} "
        f"+ {power % 4}$, so we move {power % 4} on from the start of the cycle and land on **{slipped}**."
    )
    return Draft(
        title=f"Last digit of a power of {base}",
        prompt=f"What is the last digit of ${base}^{{{power}}}$? Explain without writing the number out.",
        answers=(
            Answer(
                good,
                1,
                f"For comparison, ${base}^{power % 4} = {base ** (power % 4)}$ ends in the same digit.",
            ),
            Answer(bad, 0),
        ),
        explanation=f"Position {power % 4} of the cycle {listed} is {right}. The other response counts from zero and "
        f"lands one place too far.",
        difficulty=0.65,
    )


PLANS = (
    Plan("quadratic", quadratic, 8),
    Plan("percent", percent_twice, 8),
    Plan("chain", chain_rule, 6),
    Plan("integral", integral, 6),
    Plan("tickets", tickets, 8),
    Plan("draws", without_replacement, 7),
    Plan("interest", compound_interest, 6),
    Plan("count", choose_or_arrange, 7),
    Plan("parabola", parabola, 7),
    Plan("lastdigit", last_digit, 5),
)
