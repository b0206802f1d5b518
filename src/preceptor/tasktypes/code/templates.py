"""What a code project can start from."""

from typing import Final

from preceptor.tasktypes.base import Row, Template, to_json
from preceptor.tasktypes.code.models import CodeConfig, Criterion

WRITE_GUIDELINES = """\
# What to write

Read the problem to its end, then the starter files and the tests that you can see. Write code that solves the problem
for every input it allows, not only for the tests shown: others are run when you submit.

## What counts, most important first

1. **Correct**: all tests pass, also at the edges (empty input, one element, the largest allowed).
2. **Clear**: names say what things are; somebody else can follow it without you.
3. **Fast enough**: the limits of the problem are met with room to spare.

## How to work

- Run the tests as often as you like; what you submit must have been run as it stands.
- Only the standard library is there, and there is no network.
- In the explanation say how it works, and what it costs in time and memory.
"""
COMPARE_GUIDELINES = """\
# What to judge

Both patches are meant to solve the problem above. Read them against the files as they were, and run the tests on each.

## What counts, most important first

1. **Correct**: it solves the problem for every input, and breaks nothing else.
2. **Root cause**: it changes what was wrong, and not only what showed.
3. **Fits**: it reads like the code around it, and is no larger than it has to be.

## Root cause or symptom?

- *Root cause*: with the patch the wrong state cannot come about any more.
- *Symptom*: the wrong state still comes about and is caught, hidden or worked around.
- *Unclear*: the files do not show it. Say what you would have to know.

Passing tests are evidence, not a verdict: say what the tests leave out.
"""
REVIEW_GUIDELINES = """\
# What to mark

Mark each defect on the lines that would have to change, once. Say what goes wrong and for which input, not what you
would have written.

## How severe

- *Critical*: wrong results, lost data or an open door, in use that is to be expected.
- *Major*: wrong in cases that will come up, or much harder to maintain than needed.
- *Minor*: works, and could be better.

## What is no defect

Taste, formatting, and what the problem does not ask for. If you find nothing, say so: that is a result.
"""
EXPLAIN: Final[tuple[Row, ...]] = (
    {
        "key": "correct",
        "title": "Correct",
        "description": "The code does what the problem asks, or the judgment about it is right.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 3,
        "anchors": {"1": "wrong", "3": "right in the usual cases", "5": "right at the edges too"},
    },
    {
        "key": "reason",
        "title": "The reason can be checked",
        "description": "It names lines, inputs or tests.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 1,
        "anchors": {"1": "asserted only", "5": "anybody can follow it"},
    },
)

_MERGE = """\
# Merge overlapping bookings

Read bookings of one room, one per line as `start end` (whole minutes, `start < end`). Print the times at which the
room is taken, merged and in order, one per line. Bookings that touch (`10 20` and `20 30`) are one.
"""
_VOWELS = """\
# Longest word without a repeated letter

Read one line of words. Print the longest word in which no letter comes twice; the first one where several are equally
long, and an empty line where there is none. Upper and lower case are the same letter.
"""
_MERGE_START = '''\
"""Merge bookings of a room."""

import sys


def merge(bookings: list[tuple[int, int]]) -> list[tuple[int, int]]:
    raise NotImplementedError


for start, end in merge([tuple(map(int, line.split())) for line in sys.stdin if line.strip()]):
    print(start, end)
'''
WRITE_EXAMPLES: Final[tuple[Row, ...]] = (
    {
        "problem": _MERGE,
        "language": "python",
        "files": {"main.py": _MERGE_START},
        "tests": [
            {"name": "two that overlap", "stdin": "10 30\n20 40\n", "expected": "10 40\n"},
            {"name": "two apart", "stdin": "50 60\n10 20\n", "expected": "10 20\n50 60\n"},
            {"name": "no bookings", "stdin": "", "expected": ""},
            {"name": "touching", "stdin": "10 20\n20 30\n", "expected": "10 30\n", "hidden": True},
            {"name": "one inside another", "stdin": "10 90\n20 30\n40 50\n", "expected": "10 90\n", "hidden": True},
            {"name": "chain", "stdin": "5 8\n1 3\n2 6\n9 10\n", "expected": "1 8\n9 10\n", "hidden": True},
        ],
    },
    {
        "problem": _VOWELS,
        "language": "python",
        "files": {"main.py": "words = input().split()\n"},
        "tests": [
            {"name": "plain", "stdin": "a letter comes twice\n", "expected": "comes\n"},
            {"name": "first of equals", "stdin": "cat dog\n", "expected": "cat\n", "hidden": True},
            {"name": "case", "stdin": "Anna Otto it\n", "expected": "it\n", "hidden": True},
            {"name": "none", "stdin": "Anna Otto\n", "expected": "\n", "hidden": True},
        ],
    },
)

_CART = '''\
"""Prices of a shopping cart, in cents."""

from dataclasses import dataclass


@dataclass
class Item:
    name: str
    cents: int
    count: int = 1


def subtotal(items: list[Item]) -> int:
    return sum(item.cents * item.count for item in items)


def discounted(items: list[Item], percent: int) -> int:
    """The subtotal less a discount, rounded to the nearest cent."""
    return int(subtotal(items) * (1 - percent / 100))


def total(items: list[Item], percent: int = 0, shipping: int = 0) -> int:
    return discounted(items, percent) + shipping
'''
_CART_TEST = """\
from cart import Item, discounted, total


def test_discount() -> None:
    assert discounted([Item("tea", 115)], 10) == 104  # 103.5 is rounded up
    assert discounted([Item("cup", 2900)], 10) == 2610


def test_total() -> None:
    assert total([Item("tea", 250, 2)], shipping=390) == 890


test_discount()
test_total()
"""
_CART_ISSUE = """\
# Discounts are a cent too low

A customer with a tenth off a tea for 1.15 is charged 1.03 instead of 1.04. The documentation of `discounted` promises
the nearest cent, half a cent upwards.
"""
_ROOT = """\
--- a/cart.py
+++ b/cart.py
@@ -18,7 +18,7 @@

 def discounted(items: list[Item], percent: int) -> int:
     \"\"\"The subtotal less a discount, rounded to the nearest cent.\"\"\"
-    return int(subtotal(items) * (1 - percent / 100))
+    return (subtotal(items) * (100 - percent) + 50) // 100


 def total(items: list[Item], percent: int = 0, shipping: int = 0) -> int:
"""
_SYMPTOM = """\
--- a/cart.py
+++ b/cart.py
@@ -18,7 +18,10 @@

 def discounted(items: list[Item], percent: int) -> int:
     \"\"\"The subtotal less a discount, rounded to the nearest cent.\"\"\"
-    return int(subtotal(items) * (1 - percent / 100))
+    price = int(subtotal(items) * (1 - percent / 100))
+    if percent and subtotal(items) % 10:
+        price += 1  # make up for the lost cent
+    return price


 def total(items: list[Item], percent: int = 0, shipping: int = 0) -> int:
"""
COMPARE_EXAMPLES: Final[tuple[Row, ...]] = (
    {
        "problem": _CART_ISSUE,
        "language": "python",
        "files": {"cart.py": _CART},
        "tests": [
            {"name": "unit tests", "command": ["test_cart.py"], "files": {"test_cart.py": _CART_TEST}},
            {
                "name": "half off",
                "command": ["more.py"],
                "files": {"more.py": "from cart import *\nassert discounted([Item('pen', 104)], 50) == 52\n"},
                "hidden": True,
            },
        ],
        "patches": [{"id": "p1", "diff": _ROOT}, {"id": "p2", "diff": _SYMPTOM}],
    },
)

_CACHE = '''\
"""A cache of answers that forgets the oldest."""

import time


class Cache:
    def __init__(self, size, seconds=60, kept={}):
        self.size = size
        self.seconds = seconds
        self.kept = kept

    def get(self, key):
        if key in self.kept:
            value, at = self.kept[key]
            if time.time() - at < self.seconds:
                return value
        return None

    def put(self, key, value):
        if len(self.kept) > self.size:
            oldest = min(self.kept, key=lambda each: self.kept[each][1])
            del self.kept[oldest]
        self.kept[key] = (value, time.time())


def cached(cache, key, make):
    value = cache.get(key)
    if not value:
        value = make()
        cache.put(key, value)
    return value
'''
REVIEW_EXAMPLES: Final[tuple[Row, ...]] = (
    {
        "problem": "# Review `Cache`\n\nIt is used in one process by several requests. `size` is the largest number of "
        "entries, and any value may be cached, also an empty one.",
        "language": "python",
        "files": {"cache.py": _CACHE},
    },
    {
        "problem": "# Review this change\n\nIt is meant to make discounts exact to the cent.",
        "language": "python",
        "files": {"cart.py": _CART},
        "patches": [{"id": "p1", "diff": _SYMPTOM}],
        "tests": [{"name": "unit tests", "command": ["test_cart.py"], "files": {"test_cart.py": _CART_TEST}}],
    },
)

TEMPLATES: Final = (
    Template(
        key="write",
        title="Write code that passes tests",
        summary="A problem with starter files; visible tests run in the workspace, hidden ones decide.",
        config=to_json(CodeConfig()),
        guidelines=WRITE_GUIDELINES,
        rubric=EXPLAIN,
        examples=WRITE_EXAMPLES,
    ),
    Template(
        key="compare",
        title="Which patch is better?",
        summary="Two patches to the same files, blind, with tests run on each: choice, root cause, criteria.",
        config=to_json(
            CodeConfig(
                mode="compare",
                question="Which patch is better?",
                criteria=[
                    Criterion(key="correct", title="Correct", help="For every input, and breaking nothing else."),
                    Criterion(key="fits", title="Fits the code", help="No larger than needed, in the style around it."),
                ],
            )
        ),
        guidelines=COMPARE_GUIDELINES,
        rubric=EXPLAIN,
        examples=COMPARE_EXAMPLES,
    ),
    Template(
        key="review",
        title="Find the defects",
        summary="Code or a patch is read line by line: each defect marked with severity, kind and a suggested mend.",
        config=to_json(CodeConfig(mode="review", question="Mark every defect on its lines.", explanation_min_chars=0)),
        guidelines=REVIEW_GUIDELINES,
        rubric=EXPLAIN,
        examples=REVIEW_EXAMPLES,
    ),
)
