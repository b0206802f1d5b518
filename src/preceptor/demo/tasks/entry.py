"""Ten gold comparisons for an entry test, written by hand and apart from the generated tasks."""

# ruff: noqa: E501  (the long lines are sentences that people read; broken up they are hard to edit)

from __future__ import annotations

from preceptor.demo.tasks.model import DemoTask, dense_ranks


def entry_test_items() -> list[DemoTask]:
    """The gold items in the order in which a test asks them, from plain to hard. They are the same in every run."""
    return [
        _item(
            1,
            "mathematics",
            "A recipe for more people",
            "A soup for 4 people takes 600 g of leeks. How many grams are needed for 10 people?",
            (
                (1, "One person needs 600 / 4 = 150 g, so ten people need 10 × 150 g, which is **1,500 g**."),
                (0, "There are 6 people more than in the recipe. Adding 6 × 100 g to the 600 g gives **1,200 g**."),
            ),
            "The amount is proportional to the number of people: 600 × 10 / 4 = 1,500 g.",
            0.1,
        ),
        _item(
            2,
            "reading",
            "Opening hours",
            "> The reading room is open Tuesday to Friday from 10 to 18 and on Saturdays from 10 to 14. On the first Saturday of the month it stays closed.\n\n"
            "**Question:** Can one always use the reading room on a Saturday at noon?",
            (
                (
                    0,
                    "**Yes.** Noon lies between 10 and 14, and the text says that the room is open on Saturdays at these times.",
                ),
                (
                    1,
                    "**No.** It is usually open at that time, but “on the first Saturday of the month it stays closed”.",
                ),
            ),
            "The last sentence names an exception, so “always” is wrong. The better answer quotes it.",
            0.15,
        ),
        _item(
            3,
            "units",
            "Minutes and hours",
            "A pump fills a basin at 12 litres per minute. How many litres does it deliver in 2.25 hours?",
            (
                (1, "2.25 h are 2.25 × 60 = 135 minutes. In that time the pump delivers 135 × 12 L = **1,620 L**."),
                (
                    0,
                    "2.25 h are 2 hours and 25 minutes, that is 145 minutes. The pump delivers 145 × 12 L = **1,740 L**.",
                ),
            ),
            "A quarter of an hour is 15 minutes, so 2.25 h = 135 min. The other response reads the decimals as minutes.",
            0.25,
        ),
        _item(
            4,
            "dates",
            "Fence posts in time",
            "A newsletter appears every Monday. The first issue came out on Monday, 3 February 2025, and the last on Monday, 31 March 2025. How many issues were there?",
            (
                (
                    0,
                    "From 3 February to 31 March there are 56 days. Divided by 7 that makes 8 weeks, so there were **8** issues in all.",
                ),
                (
                    1,
                    "From 3 February to 31 March there are 56 days, or 8 weeks. The first issue is counted too, so there were **9**.",
                ),
            ),
            "Eight weeks lie between nine Mondays: 3, 10, 17, 24 February and 3, 10, 17, 24, 31 March.",
            0.35,
        ),
        _item(
            5,
            "code",
            "What is printed?",
            "What does this Python program print?\n\n```python\nwords = ['a', 'b', 'c']\nprint(words[1:] + words[:1])\n```",
            (
                (
                    1,
                    "`words[1:]` is everything from index 1 on and `words[:1]` the first item alone.\n\n```text\n['b', 'c', 'a']\n```",
                ),
                (
                    0,
                    "`words[1:]` leaves out index 1 and `words[:1]` ends with the item at index 1.\n\n```text\n['a', 'c', 'a', 'b']\n```",
                ),
            ),
            "A slice starts with its first index and stops before its second one. The program was run.",
            0.3,
        ),
        _item(
            6,
            "logic",
            "Only if",
            "A sign says: “You may enter only if you have a ticket.” Edda has a ticket. Does it follow from the sign that she may enter?",
            (
                (
                    0,
                    "**Yes.** The sign makes the ticket the condition for entering. Edda meets the condition, so she may enter.",
                ),
                (
                    1,
                    "**No.** The sign says that a ticket is necessary. It does not say that nothing else is required, such as a reservation.",
                ),
            ),
            "“Only if” states a necessary condition, not a sufficient one.",
            0.5,
        ),
        _item(
            7,
            "statistics",
            "An average of averages",
            "Class A has 10 pupils with an average of 60 points, class B has 30 pupils with an average of 80. What is the average of all 40 pupils?",
            (
                (
                    1,
                    "Class A has 600 points in all and class B 2,400. That makes 3,000 points for 40 pupils, an average of **75**.",
                ),
                (
                    0,
                    "The two averages are 60 and 80. The average of all the pupils lies exactly halfway between them, so it is **70**.",
                ),
            ),
            "Class B is three times as large and counts three times as much: (600 + 2,400) / 40 = 75.",
            0.35,
        ),
        _item(
            8,
            "mathematics",
            "Two parts, three answers",
            "A rectangle is 8 cm long and has an area of 40 cm². Give (1) its width and (2) its perimeter.",
            (
                (
                    1,
                    "(1) The width is 40 / 8 = **5 cm**. (2) The perimeter is 8 + 5 = **13 cm**, the sum of both sides.",
                ),
                (2, "(1) The width is 40 / 8 = **5 cm**. (2) The perimeter is 2 × (8 + 5) = **26 cm**."),
                (0, "(1) The width is 40 − 8 = **32 cm**. (2) The perimeter is 2 × (8 + 32) = **80 cm**."),
            ),
            "Both parts are right in one response, only the width in another, and none in the third. Rank them in this order.",
            0.3,
        ),
        _item(
            9,
            "reading",
            "Said and not said",
            "> Since the crossing was rebuilt, accidents there have fallen from eleven to six a year. In the same period traffic on the road fell by half, because the bypass was opened.\n\n"
            "**Question:** Does the text show that rebuilding the crossing made it safer?",
            (
                (
                    0,
                    "**Yes.** Accidents have fallen from eleven to six a year since the crossing was rebuilt, so the new layout works as it was meant to.",
                ),
                (
                    1,
                    "**No.** Accidents fell, but traffic fell by half at the same time. The text does not separate the two, so the fall has another possible cause.",
                ),
            ),
            "With half the traffic one would expect about half the accidents in any case; the text leaves the cause open.",
            0.6,
        ),
        _item(
            10,
            "logic",
            "Same answer, same merit",
            "All members of a choir can read music. Bela is a member of the choir. Can Bela read music?",
            (
                (1, "**Yes.** Bela belongs to the choir, and every member of it can read music."),
                (
                    0,
                    "**This cannot be known.** Not everyone who reads music is in the choir, so Bela may or may not be able to.",
                ),
                (1, "**Yes, certainly.** What holds for all members holds for Bela as well."),
            ),
            "Two responses draw the right conclusion with a sound reason: they share the first rank. The third turns the rule round.",
            0.45,
        ),
    ]


def _item(
    position: int,
    subject: str,
    title: str,
    prompt: str,
    graded: tuple[tuple[int, str], ...],
    explanation: str,
    difficulty: float,
) -> DemoTask:
    ranking = dense_ranks([merit for merit, _ in graded])
    return DemoTask(
        external_id=f"entry-{position:02d}",
        subject=subject,
        title=title,
        prompt=prompt,
        responses=tuple(text for _, text in graded),
        better=tuple(i for i, rank in enumerate(ranking) if rank == 1),
        ranking=ranking,
        explanation=explanation,
        difficulty=difficulty,
    )
