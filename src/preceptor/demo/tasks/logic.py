"""Logic: puzzles and inferences small enough to be settled by going through all cases."""

# ruff: noqa: E501  (the long lines are sentences that people read; broken up they are hard to edit)

from __future__ import annotations

import random
from itertools import permutations, product

from preceptor.demo.tasks.model import Answer, Draft, Plan, deal

_NAMES = ("Ada", "Boris", "Chen", "Dalia", "Emeka", "Freya", "Goran", "Hana", "Ivo", "Juno", "Kofi", "Lena")


def knights(rng: random.Random) -> Draft:
    """Two or three islanders, each of whom speaks about another; exactly one reading is consistent."""
    while True:
        names = rng.sample(_NAMES, rng.choice([2, 3]))
        said = [_statement(rng, names, i) for i in range(len(names))]
        worlds = [
            w
            for w in product([True, False], repeat=len(names))
            if all(_holds(s, w) == w[i] for i, s in enumerate(said))
        ]
        if len(worlds) == 1:
            break
    truth = worlds[0]
    flip = rng.randrange(len(names))
    wrong = (
        tuple(value != (i == flip) for i, value in enumerate(truth))
        if rng.random() < 0.5
        else tuple(not v for v in truth)
    )
    clash = next(i for i, s in enumerate(said) if _holds(s, wrong) != wrong[i])
    spoken = "\n".join(f"- {name}: “{_say(s, names)}”" for name, s in zip(names, said, strict=True))
    styles = deal(rng, [0, 1], 2)

    def told(world: tuple[bool, ...], style: int) -> str:
        kinds = "**" + ", ".join(f"{n}: {'knight' if w else 'knave'}" for n, w in zip(names, world, strict=True)) + "**"
        lead = names[0]
        other = "knave" if world[0] else "knight"
        if style == 0:
            return (
                f"Suppose {lead} were a {other}. Then the statement of {lead} would have to be {'false' if world[0] else 'true'}, and "
                f"following the others leads to a contradiction. So {lead} is not a {other}, and the rest follows: {kinds}."
            )
        return f"Go through the {2 ** len(names)} possible cases and keep those in which every knight speaks the truth and every knave lies. Only one remains: {kinds}."

    proof = " ".join(
        f"What {n} says is {'true' if w else 'false'}, as it must be for a {'knight' if w else 'knave'}."
        for n, w in zip(names[:2], truth[:2], strict=True)
    )
    return Draft(
        title="Knights and knaves",
        prompt=f"On an island every inhabitant is either a knight, who always tells the truth, or a knave, who always lies. You meet "
        f"{', '.join(names[:-1])} and {names[-1]}.\n\n{spoken}\n\nWho is what?",
        answers=(Answer(told(truth, styles[0]), 1, proof), Answer(told(wrong, styles[1]), 0)),
        explanation=f"{proof} In the other response {names[clash]} would be a {'knight' if wrong[clash] else 'knave'} who says something "
        f"{'false' if wrong[clash] else 'true'}.",
        difficulty=0.6,
    )


_Claim = tuple[str, int, int]


def _statement(rng: random.Random, names: list[str], speaker: int) -> _Claim:
    other = rng.choice([i for i in range(len(names)) if i != speaker])
    return rng.choice(["knight", "knave", "same", "different"]), speaker, other


def _holds(claim: _Claim, world: tuple[bool, ...]) -> bool:
    kind, me, other = claim
    if kind in ("knight", "knave"):
        return world[other] == (kind == "knight")
    return (world[me] == world[other]) == (kind == "same")


def _say(claim: _Claim, names: list[str]) -> str:
    kind, _, other = claim
    return {
        "knight": f"{names[other]} is a knight.",
        "knave": f"{names[other]} is a knave.",
        "same": f"{names[other]} and I are of the same kind.",
        "different": f"{names[other]} and I are of different kinds.",
    }[kind]


_TERMS = (
    ("bakers", "cyclists", "early risers"),
    ("members", "sailors", "vegetarians"),
    ("poems in this book", "sonnets", "translations"),
    ("lamps in the shop", "antiques", "brass objects"),
    ("files on this disk", "backups", "encrypted files"),
    ("guests", "dancers", "doctors"),
)
_FORMS = (
    ("All {a} are {b}.", "All {b} are {c}.", "All {a} are {c}.", True),
    ("All {a} are {b}.", "Some {b} are {c}.", "Some {a} are {c}.", False),
    ("No {b} are {c}.", "Some {a} are {b}.", "Some {a} are not {c}.", True),
    ("All {a} are {b}.", "No {c} are {b}.", "No {a} are {c}.", True),
    ("All {a} are {b}.", "All {c} are {b}.", "Some {a} are {c}.", False),
    ("Some {a} are {b}.", "Some {b} are {c}.", "Some {a} are {c}.", False),
    ("Some {a} are not {b}.", "All {c} are {b}.", "Some {a} are not {c}.", True),
    ("All {a} are {b}.", "Some {a} are not {c}.", "Some {b} are not {c}.", True),
    ("No {a} are {b}.", "No {b} are {c}.", "No {a} are {c}.", False),
)


def syllogism(rng: random.Random) -> Draft:
    first, second, conclusion, valid = rng.choice(_FORMS)
    a, b, c = rng.choice(_TERMS)
    lines = [text.format(a=a, b=b, c=c) for text in (first, second, conclusion)]
    follows = [
        f"The first premise says how the {a} and the {b} are related, the second brings in the {c}. Together they leave no case in which "
        f"the premises hold and the conclusion fails. It **follows**.",
        f"Draw a circle for each group. Once both premises are drawn, the statement “{lines[2]}” can be read off the picture, whatever "
        f"else is the case. It **follows**.",
    ]
    not_follows = [
        f"Draw a circle for each group. Both premises can be drawn in such a way that “{lines[2]}” is false in the picture. "
        f"It **does not follow**.",
        f"The premises link the {a}, the {b} and the {c} only loosely: there is a case in which both hold and the conclusion fails. "
        f"It **does not follow**.",
    ]
    good, bad = (follows, not_follows) if valid else (not_follows, follows)
    check = (
        f"Trying to build a counterexample fails: a single exception to “{lines[2]}” would break one of the premises."
        if valid
        else f"For a counterexample, a single overlap between the {a} and the {c} is enough."
        if conclusion.startswith("No")
        else f"For a counterexample it is enough that the {c} in question lie outside the {a}."
    )
    return Draft(
        title="Does it follow?",
        prompt=f"1. {lines[0]}\n2. {lines[1]}\n\nDoes it follow with certainty that **{lines[2][0].lower() + lines[2][1:-1]}**? Assume that "
        "each of the three groups has at least one member.",
        answers=(Answer(rng.choice(good), 1, check), Answer(rng.choice(bad), 0)),
        explanation=f"Going through all ways in which the three groups can overlap shows that it {'follows' if valid else 'does not follow'}.",
        difficulty=0.55,
    )


def seating(rng: random.Random) -> Draft:
    """Four people in a row; clues are added until a single order remains."""
    names = rng.sample(_NAMES, 4)
    orders = list(permutations(sorted(names)))
    truth = tuple(names)
    clues: list[str] = []
    while len(orders) > 1:
        text, kept = _clue(rng, truth, orders)
        if len(kept) < len(orders):
            clues.append(text)
            orders = kept
    near = list(truth)
    i = rng.randrange(3)
    near[i], near[i + 1] = near[i + 1], near[i]
    far = list(truth[::-1])
    styles = deal(rng, [0, 1, 2], 3)

    def told(order: tuple[str, ...], style: int) -> str:
        row = "**" + ", ".join(order) + "**"
        if style == 0:
            return f"Start from the clue that leaves the fewest places and fit the others in turn. With {order[0]} in the first chair, only this order is left: {row}."
        if style == 1:
            return f"Trying {order[-1]} in the last chair settles the remaining ones one after another. From left to right they sit as follows: {row}."
        return f"From left to right: {row}. Each of the clues can be ticked off against this order, and moving anyone breaks one of them."

    answers = [
        Answer(told(truth, styles[0]), 1, f"For instance, clue 1 (“{clues[0]}”) holds, and so do the others."),
        Answer(told(tuple(near), styles[1]), 0),
    ]
    if rng.random() < 0.5:
        answers.append(Answer(told(tuple(far), styles[2]), 0))
    listed = "\n".join(f"{n}. {clue}" for n, clue in enumerate(clues, 1))
    return Draft(
        title="Four in a row",
        prompt=f"{', '.join(sorted(names)[:-1])} and {sorted(names)[-1]} sit on four chairs in a row.\n\n{listed}\n\nIn which order do they "
        "sit, from left to right?",
        answers=tuple(answers),
        explanation=f"Only {', '.join(truth)} satisfies all {len(clues)} clues.",
        difficulty=0.5,
    )


_Order = tuple[str, ...]


def _clue(rng: random.Random, truth: _Order, orders: list[_Order]) -> tuple[str, list[_Order]]:
    x, y = rng.sample(range(4), 2)
    p, q = truth[x], truth[y]
    kind = rng.choice(["left", "next", "apart", "end"])
    if kind == "left":
        left, right = (p, q) if x < y else (q, p)
        return f"{left} sits somewhere to the left of {right}.", [o for o in orders if o.index(left) < o.index(right)]
    if kind == "end":
        at_end = x in (0, 3)
        text = f"{p} sits at one end." if at_end else f"{p} does not sit at an end."
        return text, [o for o in orders if (o.index(p) in (0, 3)) == at_end]
    close = abs(x - y) == 1
    text = f"{p} and {q} sit next to each other." if close else f"{p} and {q} do not sit next to each other."
    return text, [o for o in orders if (abs(o.index(p) - o.index(q)) == 1) == close]


_CARDS = (
    (
        "If a card has a vowel on one side, it has an even number on the other.",
        ("E", "K", "4", "7"),
        "E and 7",
    ),
    (
        "If a parcel is marked fragile, a signature is required.",
        ("fragile", "not fragile", "signature", "no signature"),
        "fragile and no signature",
    ),
    (
        "If someone drinks wine, they are over 18.",
        ("wine", "juice", "aged 32", "aged 16"),
        "wine and aged 16",
    ),
    (
        "If a crate comes from the north field, it is tagged blue.",
        ("north", "south", "blue", "green"),
        "north and green",
    ),
    (
        "If a lamp is on, the door is shut.",
        ("lamp on", "lamp off", "door shut", "door open"),
        "lamp on and door open",
    ),
)


def cards(rng: random.Random) -> Draft:
    rule, faces, right = rng.choice(_CARDS)
    p, not_p, q, not_q = faces
    shown = rng.sample(faces, 4)
    wrong = rng.choice([f"{p} and {q}", f"only {p}", f"{q} and {not_q}"])
    good = (
        f"The rule is broken only by a case that has “{p}” together with the opposite of “{q}”. So one must turn the cards that could "
        f"hide such a case: **{right}**. What is behind “{q}” and “{not_p}” cannot break the rule."
    )
    reasons = {
        f"{p} and {q}": f"The rule speaks of “{p}” and of “{q}”, so these are the two cards that can confirm it",
        f"only {p}": f"The rule says something about “{p}” and nothing about the rest, so a single card is enough",
        f"{q} and {not_q}": f"The rule is about what follows, so we look at both cards “{q}” and “{not_q}” that show the second part",
    }
    bad = f"{reasons[wrong]}. Turn **{wrong}**, and if what is behind agrees with the rule, we know that it holds for all four of the cards. The ones that are left tell us nothing new about the rule, so it would be a waste to turn them."
    return Draft(
        title="Which cards must be turned?",
        prompt=f"Each of four cards describes one case: one part of the rule on each side. You see: {', '.join(f'“{s}”' for s in shown)}. "
        f"The rule is: *{rule}* Which cards must be turned over to find out whether the rule is broken?",
        answers=(
            Answer(
                good,
                1,
                f"In particular “{q}” may be left alone: the rule does not say that only such cases have it.",
            ),
            Answer(bad, 0),
        ),
        explanation=f"Only “{p}” and “{not_q}” can show a case that breaks the rule: {right}.",
        difficulty=0.6,
    )


_SCENES = (
    ("student", "passed", "course"),
    ("valve", "closes", "test"),
    ("guest", "tasted", "dish"),
    ("editor", "approved", "draft"),
    ("sensor", "missed", "signal"),
)


def negation(rng: random.Random) -> Draft:
    """The negation of a statement with two quantifiers; the wrong one swaps only part of it."""
    who, verb, what = rng.choice(_SCENES)
    base = {
        "passed": "pass",
        "closes": "close in",
        "tasted": "taste",
        "approved": "approve",
        "missed": "miss",
    }[verb]
    link = f"{verb} in" if verb == "closes" else verb
    aux = "does" if verb == "closes" else "did"
    forms = [
        (
            f"Every {who} {link} at least one {what}.",
            f"Some {who} {link} no {what}.",
            f"No {who} {link} any {what}.",
        ),
        (
            f"Some {who} {link} every {what}.",
            f"For every {who} there is a {what} that the {who} {aux} not {base}.",
            f"Every {who} {link} no {what} at all.",
        ),
        (
            f"No {who} {link} every {what}.",
            f"At least one {who} {link} every {what}.",
            f"Every {who} {link} at least one {what}.",
        ),
        (
            f"Every {who} {link} every {what}.",
            f"For some {who} there is a {what} that the {who} {aux} not {base}.",
            f"No {who} {link} any {what}.",
        ),
    ]
    if verb == "closes":
        forms[1] = (
            forms[1][0],
            f"For every {who} there is a {what} in which it does not close.",
            forms[1][2],
        )
        forms[3] = (forms[3][0], f"For some {who} there is a {what} in which it does not close.", forms[3][2])
    said, right, wrong = rng.choice(forms)
    good = [
        f"A negation is true exactly when the statement is false. One case against it is enough here, no more is claimed: **{right}**",
        f"Negating turns “every” into “some … not” and the other way round, from the outside inwards. The result is **{right}**",
    ]
    bad = [
        f"The negation says the contrary of the statement. Turning each of its parts into its contrary gives the result: **{wrong}**",
        f"Negating means putting the strongest denial in place of the claim, so that nothing of it is left over. It is **{wrong}**",
    ]
    return Draft(
        title="The exact negation",
        prompt=f"Write the logical negation of this statement as a plain English sentence (true exactly when the statement is false):\n\n> {said}",
        answers=(
            Answer(
                rng.choice(good),
                1,
                "The two can be neither both true nor both false, as a negation requires.",
            ),
            Answer(rng.choice(bad), 0),
        ),
        explanation=f"“{right}” is true exactly when the statement is false. “{wrong}” and the statement can have the same truth value.",
        difficulty=0.55,
    )


_FEATURES = (
    (
        "A grant goes to applicants who",
        ("live in the district", "are under 30", "have a permit", "have had a grant before"),
    ),
    (
        "The night bus is free for passengers who",
        ("hold a season ticket", "are over 65", "work at the hospital", "carry a bicycle"),
    ),
    ("A locker may be hired by members who", ("come daily", "row in a team", "have paid", "live next door")),
)


def rule_cases(rng: random.Random) -> Draft:
    """(A or B) and C, unless D, applied to three people."""
    lead, (a, b, c, d) = rng.choice(_FEATURES)
    people = rng.sample(_NAMES, 3)
    worlds = [tuple(rng.random() < odds for odds in (0.5, 0.5, 0.75, 0.3)) for _ in people]

    def meant(w: tuple[bool, ...]) -> bool:
        return (w[0] or w[1]) and w[2] and not w[3]

    def misread(w: tuple[bool, ...], kind: int) -> bool:
        return (w[0] or (w[1] and w[2])) and not w[3] if kind == 0 else (w[0] or w[1]) and w[2]

    truth = [n for n, w in zip(people, worlds, strict=True) if meant(w)]
    kinds = [k for k in (0, 1) if [n for n, w in zip(people, worlds, strict=True) if misread(w, k)] != truth]
    if not kinds:
        return rule_cases(rng)
    kind = rng.choice(kinds)
    wrong = [n for n, w in zip(people, worlds, strict=True) if misread(w, kind)]
    rows = "\n".join(
        f"| {n} | " + " | ".join("yes" if v else "no" for v in w) + " |" for n, w in zip(people, worlds, strict=True)
    )
    styles = deal(rng, [0, 1], 2)

    def told(chosen: list[str], style: int) -> str:
        listed = ", ".join(chosen) or "nobody"
        out = [n for n in people if n not in chosen]
        if style == 0:
            return f"Going down the table and applying the rule to each row, the ones who qualify are: **{listed}**. The rest miss at least one of the conditions."
        return f"The rule has three parts, and each person has to meet them all. Ruled out: {', '.join(out) or 'nobody'}. That leaves **{listed}** as the answer."

    return Draft(
        title="Who qualifies?",
        prompt=f"{lead} ({a} or {b}) and {c}, unless they {d}.\n\n| | {a} | {b} | {c} | {d} |\n|---|---|---|---|---|\n{rows}\n\n"
        "Who qualifies?",
        answers=(
            Answer(
                told(truth, styles[0]),
                1,
                f"Note that “{c}” is required of everyone, and “{d}” rules a person out in every case.",
            ),
            Answer(told(wrong, styles[1]), 0),
        ),
        explanation=f"By the rule: {', '.join(truth) or 'nobody'}. The other response "
        + (f"requires “{c}” only together with “{b}”." if kind == 0 else f"overlooks the exception “{d}”."),
        difficulty=0.45,
    )


PLANS = (
    Plan("knights", knights, 9),
    Plan("syllogism", syllogism, 9),
    Plan("seating", seating, 9),
    Plan("cards", cards, 5),
    Plan("negation", negation, 8),
    Plan("rule", rule_cases, 9),
)
