"""Units and estimation: conversions, rates and orders of magnitude."""

# ruff: noqa: E501  (the long lines are sentences that people read; broken up they are hard to edit)

from __future__ import annotations

import random

from preceptor.demo.tasks.model import Answer, Draft, Plan, deal, euro, number

_TRAVEL = (
    ("A train passes a bridge at a steady {v} km/h.", "How many metres does it cover in {t} seconds?"),
    ("A cyclist's radar shows a car at {v} km/h.", "How far does the car travel in {t} seconds, in metres?"),
    (
        "A river current carries debris during a flood at {v} km/h.",
        "How many metres does it drift in {t} seconds?",
    ),
)


def speed(rng: random.Random) -> Draft:
    story, ask = rng.choice(_TRAVEL)
    v, t = 18 * rng.randint(2, 9), rng.choice([4, 5, 6, 8, 10, 12, 15, 20])
    right, times, skipped = v * t * 10 // 36, v * t * 36 / 10, v * t
    slip = rng.random() < 0.5
    good = [
        f"Divide by 3.6 to get metres per second: {v} / 3.6 = {v * 10 // 36} m/s. In {t} s that is **{number(right)} m**.",
        f"{v} km/h means {v},000 m in 3,600 s, or {v * 10 // 36} metres each second. Over {t} seconds "
        f"this adds up to **{number(right)} m**.",
    ]
    bad = (
        f"Multiply by 3.6 to get metres per second: {v} × 3.6 = {number(v * 3.6)} m/s. In {t} s that is **{number(times)} m**."
        if slip
        else f"Distance is speed times time. With a speed of {v} and a time of {t} seconds, "
        f"this adds up to {v} × {t}, that is **{number(skipped)} m**."
    )
    return Draft(
        title="Distance in a few seconds",
        prompt=f"{story.format(v=v)} {ask.format(t=t)}",
        answers=(
            Answer(
                rng.choice(good),
                1,
                f"Plausible: in a whole minute it would cover {number(v * 1000 / 60, 0)} m at {v} km/h.",
            ),
            Answer(bad, 0),
        ),
        explanation=f"{v} km/h = {v * 10 // 36} m/s, so {t} s give {number(right)} m. "
        + (
            "The other response multiplies by 3.6 instead of dividing."
            if slip
            else "The other response mixes km/h with seconds."
        ),
        difficulty=0.25,
    )


_SURFACES = (
    ("A wall tile measures {a} cm by {b} cm.", "tiles"),
    ("A paving slab measures {a} cm by {b} cm.", "slabs"),
    ("A cork panel measures {a} cm by {b} cm.", "panels"),
)


def area(rng: random.Random) -> Draft:
    story, things = rng.choice(_SURFACES)
    a, b, count = (
        rng.choice([20, 25, 30, 40, 50]),
        rng.choice([15, 20, 35, 45, 60]),
        rng.randrange(40, 240, 10),
    )
    square_cm = a * b * count
    right, wrong = square_cm / 10_000, square_cm / 100
    style = deal(rng, [0, 1], 2)
    good = [
        f"One covers {a} × {b} = {a * b} cm², and {count} of them {number(square_cm)} cm². A square metre has 100 × 100 = "
        f"10,000 cm², so the area is **{number(right)} m²**.",
        f"In metres the sides are {number(a / 100)} and {number(b / 100)}, which makes {number(a * b / 10_000, 4)} m² for "
        f"each one. All {count} together cover **{number(right)} m²**.",
    ]
    bad = [
        f"One covers {a} × {b} = {a * b} cm², and {count} of them {number(square_cm)} cm². A metre has 100 cm, so dividing by "
        f"100 the area is **{number(wrong)} m²**.",
        f"Each one has {a} × {b} = {a * b} cm², or {number(a * b / 100)} m² after moving the decimal point two places. All "
        f"{count} together cover **{number(wrong)} m²**.",
    ]
    return Draft(
        title=f"Area of {count} {things}",
        prompt=f"{story.format(a=a, b=b)} What area do {count} {things} cover, in square metres?",
        answers=(
            Answer(
                good[style[0]],
                1,
                f"For scale: a square metre takes about {number(10_000 / (a * b), 1)} {things}.",
            ),
            Answer(bad[style[1]], 0),
        ),
        explanation=f"1 m² = 10,000 cm², so {number(square_cm)} cm² are {number(right)} m². Dividing by 100 converts "
        "lengths, not areas.",
        difficulty=0.35,
    )


def fuel(rng: random.Random) -> Draft:
    use, distance = rng.choice([4.5, 5.2, 5.8, 6.4, 7.1, 7.5]), rng.randrange(140, 920, 20)
    price = rng.choice([1.55, 1.62, 1.7, 1.78, 1.85])
    litres = use * distance / 100
    right = round(litres * price + 1e-9, 2)
    inverted = round(distance / use * price + 1e-9, 2)
    good = [
        f"The car burns {use} L per 100 km, so {distance} km take {use} × {number(distance / 100)} = {number(litres, 3)} L. "
        f"At {euro(price)} a litre that costs **{euro(right)}**.",
        f"Cost per 100 km: {use} L × {euro(price)} = €{number(use * price, 3)}. For {distance} km, multiply by "
        f"{number(distance / 100)}: **{euro(right)}**.",
    ]
    bad = (
        f"The car needs {distance} / {use} = {number(distance / use)} L for the trip. "
        f"Fuel is sold at {euro(price)} a litre, so the total comes to **{euro(inverted)}**."
    )
    return Draft(
        title="Fuel for a trip",
        prompt=f"A car uses {use} litres per 100 km. A trip is {distance} km long and fuel costs {euro(price)} per litre. What does "
        "the fuel for the trip cost, to the nearest cent?",
        answers=(
            Answer(
                rng.choice(good),
                1,
                f"In units: L/100 km × km × €/L leaves euros; {number(litres, 1)} L is a plausible amount.",
            ),
            Answer(bad, 0),
        ),
        explanation=f"{use} L per 100 km means multiplying by the distance in hundreds of kilometres: {number(litres, 3)} L. "
        "The other response divides as if the figure were kilometres per litre.",
        difficulty=0.3,
    )


_FILES = (
    "a recorded lecture",
    "a satellite image",
    "a backup archive",
    "a batch of scanned maps",
    "an open data set",
)


def download(rng: random.Random) -> Draft:
    thing = rng.choice(_FILES)
    rate, seconds = rng.choice([16, 20, 25, 40, 50, 80, 100]), rng.choice([12, 24, 30, 40, 60, 90, 120])
    while rate * seconds % 8:
        seconds = rng.choice([24, 40, 120])
    size = rate * seconds // 8
    naive = size / rate
    styles = deal(rng, [0, 1], 2)
    good = [
        f"A byte is 8 bits, so {size} MB are {size} × 8 = {number(size * 8)} Mbit. At {rate} Mbit/s this takes "
        f"**{number(seconds)} s**.",
        f"The line carries {rate} / 8 = {number(rate / 8, 3)} MB per second. Dividing, {size} / {number(rate / 8, 3)} gives "
        f"**{number(seconds)} s**.",
    ]
    bad = [
        f"The file has {size} MB and the line moves {rate} of these every second, so this takes {size} / {rate}, which is "
        f"**{number(naive)} s**.",
        f"Divide the size by the speed: {size} / {rate}. The prefix mega is the same in both, so it cancels and gives "
        f"**{number(naive)} s**.",
    ]
    return Draft(
        title="How long does the download take?",
        prompt=f"The file is {thing} of {size} MB (megabytes). The connection delivers a constant {rate} Mbit/s (megabits per "
        "second). How many seconds does the transfer take? Ignore overhead.",
        answers=(
            Answer(
                good[styles[0]],
                1,
                f"Check: {number(seconds)} s × {rate} Mbit/s = {number(rate * seconds)} Mbit = {size} MB.",
            ),
            Answer(bad[styles[1]], 0),
        ),
        explanation=f"Megabytes and megabits differ by a factor of 8: {size} MB = {number(size * 8)} Mbit.",
        difficulty=0.35,
    )


def temperature_change(rng: random.Random) -> Draft:
    celsius = rng.choice([5, 10, 15, 20, 25, 30])
    right, wrong = celsius * 9 // 5, celsius * 9 // 5 + 32
    where = rng.choice(
        [
            "overnight in a greenhouse",
            "between noon and midnight",
            "within an hour when the front passed",
            "in a kiln that was cooling",
        ]
    )
    good = [
        f"A change converts with the factor 9/5 alone, because the offset of 32 cancels: {celsius} × 9/5 = **{right} °F**.",
        f"One Celsius degree is 1.8 Fahrenheit degrees wide. A fall of {celsius} of them is therefore {celsius} × 1.8, "
        f"or **{right} °F**.",
    ]
    bad = [
        f"The conversion is °F = °C × 9/5 + 32. Putting in {celsius} gives {celsius} × 9/5 + 32 = **{wrong} °F**.",
        f"Multiply by 1.8 and then add 32, as always when going from Celsius to Fahrenheit: {celsius} × 1.8 + 32, "
        f"or **{wrong} °F**.",
    ]
    start = rng.randint(31, 38)
    return Draft(
        title="A drop in temperature",
        prompt=f"The temperature fell by {celsius} degrees Celsius {where}, starting from {start} °C. "
        "By how many degrees Fahrenheit did it fall?",
        answers=(
            Answer(
                rng.choice(good),
                1,
                f"Check with both ends: {start} °C = {number(start * 1.8 + 32, 1)} °F and {start - celsius} °C = "
                f"{number((start - celsius) * 1.8 + 32, 1)} °F.",
            ),
            Answer(rng.choice(bad), 0),
        ),
        explanation=f"Differences convert without the offset: {celsius} × 1.8 = {right}. Adding 32 is for temperatures, not for "
        "changes.",
        difficulty=0.5,
    )


def dilution(rng: random.Random) -> Draft:
    parts, total_litres = rng.choice([4, 7, 9, 14, 19, 24]), rng.choice([5, 8, 10, 12, 15, 20])
    right = total_litres * 1000 / (parts + 1)
    wrong = total_litres * 1000 / parts
    product = rng.choice(["plant feed", "screen wash", "descaler", "soap concentrate"])
    good = [
        f"One part and {parts} parts make {parts + 1} parts in all. The concentrate is {total_litres * 1000:,} mL / "
        f"{parts + 1} = **{number(right, 0)} mL**.",
        f"Of every {parts + 1} mL in the bucket 1 mL is {product}. For {total_litres} L, that is {total_litres * 1000:,} mL, "
        f"we need **{number(right, 0)} mL**.",
    ]
    bad = [
        f"The ratio says that the concentrate is 1/{parts} of the mixture. So we need {total_litres * 1000:,} mL / "
        f"{parts} = **{number(wrong, 0)} mL**.",
        f"For {parts} mL one takes 1 mL of {product}. For {total_litres} L in the bucket, that is {total_litres * 1000:,} mL, "
        f"we need **{number(wrong, 0)} mL**.",
    ]
    return Draft(
        title=f"Mixing {product}",
        prompt=f"A bottle of {product} says: mix 1 part concentrate with {parts} parts water. How many millilitres of concentrate are "
        f"needed to make {total_litres} litres of ready mixture? Round to the nearest millilitre.",
        answers=(
            Answer(
                rng.choice(good),
                1,
                f"The water is then {number(total_litres * 1000 - right, 0)} mL, about {parts} times as much, as the label asks.",
            ),
            Answer(rng.choice(bad), 0),
        ),
        explanation=f"1 part to {parts} parts makes {parts + 1} parts, so the concentrate is 1/{parts + 1} of the mixture.",
        difficulty=0.4,
    )


_ESTIMATES = (
    (
        "A city of {n} million people: assume each person uses {u} litres of water a day.",
        "litres in a year",
        365,
        1_000_000,
    ),
    (
        "A network of {n} million phones: assume each sends {u} messages a day.",
        "messages in a year",
        365,
        1_000_000,
    ),
    (
        "A library with {n} thousand books: assume {u} pages a book and 300 words a page.",
        "words in all",
        300,
        1_000,
    ),
    (
        "A forest of {n} thousand trees: assume {u} kg of leaves a tree a year and 25 years.",
        "kilograms of leaves",
        25,
        1_000,
    ),
)


def magnitude(rng: random.Random) -> Draft:
    story, what, factor, scale = rng.choice(_ESTIMATES)
    n, u = rng.randint(2, 9), rng.choice([40, 60, 120, 150, 240])
    value = n * scale * u * factor
    off = value * 1000 if rng.random() < 0.5 else value // 100

    def shown(v: int) -> str:
        exponent = len(str(v)) - 1
        return f"**about ${v / 10**exponent:.1f} \\times 10^{{{exponent}}}$**"

    styles = deal(rng, [0, 1], 2)

    def words(v: int, style: int) -> str:
        product = f"{n} × {scale:,} × {u} × {factor}"
        if style == 0:
            return f"Multiply the assumptions: {product}. In scientific notation this is {shown(v)} {what}."
        return f"Take the factors one by one: {n * scale:,}, then times {u}, then times {factor}. The result is {shown(v)} {what}."

    return Draft(
        title=f"Estimate: {what}",
        prompt=story.format(n=n, u=u) + f" Estimate the number of {what}, in scientific notation with one decimal.",
        answers=(
            Answer(words(value, styles[0]), 1, f"Written out, the product is {value:,}."),
            Answer(words(off, styles[1]), 0),
        ),
        explanation=f"The product is {value:,}. The other response is off by a factor of {1000 if off > value else 100}.",
        difficulty=0.6,
    )


def parcel(rng: random.Random) -> Draft:
    """Three parts: volume, mass and whether it may be sent; responses differ in how many are right."""
    a, b, c = rng.choice([20, 30, 40]), rng.choice([15, 25, 30]), rng.choice([10, 20])
    density, limit = rng.choice([0.6, 0.8, 1.2, 1.5]), rng.choice([8, 10, 12])
    volume = a * b * c / 1000
    mass = volume * density
    while abs(mass - limit) < 0.5:
        limit += 2
        # A mass close to the limit would make the verdict hang on rounding.

    def told(litres: float, kilograms: float, style: int) -> str:
        verdict = "**yes**" if kilograms <= limit else "**no**"
        if style == 0:
            return f"- Volume: **{number(litres, 1)} L**\n- Mass: **{number(kilograms, 2)} kg**\n- May it be sent? {verdict}"
        if style == 1:
            return (
                f"{a} × {b} × {c} cm is a volume of **{number(litres, 1)} L**. With {density} kg per litre the contents weigh "
                f"**{number(kilograms, 2)} kg**. Compared with {limit} kg, the answer to the last question is {verdict}."
            )
        return (
            f"The box holds **{number(litres, 1)} L**, so its contents have a mass of **{number(kilograms, 2)} kg**. "
            f"Is it within the limit of {limit} kg? {verdict}."
        )

    def merit(litres: float, kilograms: float) -> int:
        right = [number(litres, 1) == number(volume, 1), number(kilograms, 2) == number(mass, 2)]
        return sum(right) + ((kilograms <= limit) == (mass <= limit))

    choices = [
        (volume, volume / density),
        (volume * 10, mass * 10),
        (volume, mass * 10),
        (volume / 10, volume / 10 * density),
    ]
    wrong = rng.sample(choices, 2)
    styles = deal(rng, [0, 1, 2], 3)
    check = f"Check: {a * b * c:,} cm³ = {number(volume, 1)} L, since a litre is 1,000 cm³."
    return Draft(
        title="Can the parcel be sent?",
        prompt=f"A box of {a} cm × {b} cm × {c} cm is filled with a powder of {density} kg per litre. Ignore the box itself. Give the "
        f"volume in litres, the mass in kilograms, and say whether it may be sent if the limit is {limit} kg.",
        answers=(
            Answer(told(volume, mass, styles[0]), 3, check),
            *(Answer(told(*w, s), merit(*w)) for w, s in zip(wrong, styles[1:], strict=True)),
        ),
        explanation=f"Volume {number(volume, 1)} L, mass {number(mass, 2)} kg, so {'yes' if mass <= limit else 'no'}. The responses "
        "are ranked by how many of the three parts are right.",
        difficulty=0.5,
    )


PLANS = (
    Plan("speed", speed, 7),
    Plan("area", area, 7),
    Plan("fuel", fuel, 7),
    Plan("download", download, 7),
    Plan("change", temperature_change, 6),
    Plan("dilution", dilution, 7),
    Plan("magnitude", magnitude, 6),
    Plan("parcel", parcel, 7),
)
