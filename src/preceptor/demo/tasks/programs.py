"""The programs of the code tasks: what they are, what goes wrong, and running them.

Outputs shown in the tasks are not written by hand: the program shown, or the program that a mistaken reader has in
mind, is run. Only the texts in this file are run, never anything that comes from outside.
"""

# ruff: noqa: E501  (the long lines are sentences that people read; broken up they are hard to edit)

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """A program and a mistaken reading of it, written as the program that would behave as the reader believes.

    `M` and `N` in the sources are replaced by the numbers of a pair in `numbers`.
    """

    title: str
    source: str
    mistaken: str
    why: str
    why_mistaken: str
    numbers: tuple[tuple[int, int], ...]
    difficulty: float


@dataclass(frozen=True)
class Writing:
    """A function to be written, with a sound and a faulty version and examples that tell them apart."""

    title: str
    request: str
    examples: tuple[str, ...]
    sound: str
    faulty: str
    note: str
    faulty_note: str
    why: str
    difficulty: float


def run(source: str) -> str:
    """The text that a program prints."""
    lines: list[str] = []

    def collect(*values: object, sep: str = " ", end: str = "\n") -> None:
        lines.append(sep.join(map(str, values)) + end)

    exec(compile(source, "<demo program>", "exec"), {"print": collect})  # noqa: S102  (texts of this file only)
    return "".join(lines).rstrip("\n")


READINGS = (
    Reading(
        "A default list",
        "def add(item, basket=[]):\n    basket.append(item)\n    return basket\n\nadd(M)\nprint(add(N))",
        "def add(item, basket=None):\n    basket = [] if basket is None else basket\n    basket.append(item)\n    return basket\n\nadd(M)\nprint(add(N))",
        "The default list is created once, when the function is defined, so both calls share it and the second sees both items.",
        "Each call without a second argument starts with an empty basket, so the second call holds only its own item in the list.",
        ((3, 8), (10, 4)),
        0.5,
    ),
    Reading(
        "Division of a negative number",
        "print(-M // N, -M % N)",
        "print(-(M // N), -(M % N))",
        "Floor division rounds towards minus infinity, and the remainder takes the sign of the divisor.",
        "Integer division drops the fractional part, and the remainder keeps the sign of the dividend.",
        ((7, 2), (17, 5), (11, 4)),
        0.5,
    ),
    Reading(
        "Functions made in a loop",
        "steps = [lambda x: x + i for i in range(N)]\nprint([step(M) for step in steps])",
        "steps = [lambda x, i=i: x + i for i in range(N)]\nprint([step(M) for step in steps])",
        "The functions look up `i` when they are called. By then the loop is over and `i` has its last value for all of them.",
        "Each function is created with its own value of `i`, counting up from 0, and adds this number to the argument it gets.",
        ((10, 3), (5, 4)),
        0.65,
    ),
    Reading(
        "A grid of zeros",
        "grid = [[0] * N] * N\ngrid[0][1] = M\nfor row in grid:\n    print(row)",
        "grid = [[0] * N for _ in range(N)]\ngrid[0][1] = M\nfor row in grid:\n    print(row)",
        "`* N` on the outer list repeats a reference, so all rows are one and the same list and the change shows in each.",
        "The outer list has its rows, each a list of zeros. Only the row with index 0 is changed, at position 1 of this row.",
        ((5, 3), (7, 2)),
        0.5,
    ),
    Reading(
        "Where a range ends",
        "total = 0\nfor k in range(M, N):\n    total += k\nprint(total)",
        "total = 0\nfor k in range(M, N + 1):\n    total += k\nprint(total)",
        "`range(M, N)` stops before N, so the last number added is one less than N.",
        "`range(M, N)` runs through the numbers from M to N, so N is the last number added.",
        ((3, 8), (10, 15), (1, 12)),
        0.2,
    ),
    Reading(
        "A slice with a step",
        'word = "abcdefghijklm"\nprint(word[N:M:-2])',
        'word = "abcdefghijklm"\nprint(word[N:M - 1:-2] if M else word[N::-2])',
        "With a negative step the slice starts at N and moves down, and the stop index M itself is not included.",
        "With a negative step the slice starts at index N and moves down by two, to the index M where it ends.",
        ((3, 11), (2, 10), (4, 12)),
        0.45,
    ),
    Reading(
        "Rounding halves",
        "print([round(x + 0.5) for x in range(M, M + N)])",
        "print([x + 1 for x in range(M, M + N)])",
        "`round` sends halves to the nearest even integer, so they go up and down in turn.",
        "`round` sends a half up to the next integer, as everyone learns it at school.",
        ((0, 4), (2, 5)),
        0.6,
    ),
    Reading(
        "A generator used twice",
        "squares = (k * k for k in range(M, N))\nprint(sum(squares), sum(squares))",
        "squares = [k * k for k in range(M, N)]\nprint(sum(squares), sum(squares))",
        "A generator can be gone through once. The first sum uses it up, and the second finds nothing left.",
        "Both sums run over the same squares in the same range, so that the same number appears twice.",
        ((1, 4), (2, 6)),
        0.5,
    ),
    Reading(
        "A chained comparison",
        "print(M < N == True)",
        "print((M < N) == True)",
        "Comparisons chain: this means `M < N and N == True`, and the second part is false.",
        "The comparison `M < N` is evaluated first and gives `True`, which equals `True`.",
        ((2, 5), (3, 9)),
        0.65,
    ),
    Reading(
        "Return in finally",
        "def measure():\n    try:\n        return M\n    finally:\n        print(N)\n\nprint(measure())",
        "def measure():\n    return M\n\nprint(measure())",
        "The `finally` block runs before the function hands back its value, so its line is printed first.",
        "The function returns inside `try`, so what comes after the return is not reached any more.",
        ((1, 2), (4, 9)),
        0.45,
    ),
    Reading(
        "Zip with lists of unequal length",
        "first = list(range(M))\nsecond = list(range(N))\nprint(len(list(zip(first, second))))",
        "first = list(range(M))\nsecond = list(range(N))\nprint(max(len(first), len(second)))",
        "`zip` stops as soon as the shorter list runs out; the rest of the longer one is dropped.",
        "`zip` pairs the elements up and goes on until the longer list is used up completely.",
        ((4, 7), (9, 6)),
        0.3,
    ),
    Reading(
        "Loop with else",
        "for k in range(M, N):\n    if k % 7 == 0:\n        print(k)\n        break\nelse:\n    print('none')",
        "for k in range(M, N):\n    if k % 7 == 0:\n        print(k)\n        break\nprint('none')",
        "The `else` of a loop runs only if the loop was not left by `break`. Here a multiple of 7 is found.",
        "After the loop the `else` branch runs, since in the last round of the loop the condition is not met.",
        ((10, 20), (30, 40)),
        0.5,
    ),
    Reading(
        "Removing while looping",
        "numbers = [M, M, N, M]\nfor x in numbers:\n    if x == M:\n        numbers.remove(x)\nprint(numbers)",
        "numbers = [M, M, N, M]\nprint([x for x in numbers if x != M])",
        "Removing shifts the list under the loop, so the element after each removed one is skipped.",
        "The loop visits each of the elements and removes all those that are equal to the given one.",
        ((2, 5), (6, 1)),
        0.6,
    ),
    Reading(
        "Sorting text",
        'print(sorted(["M", "N", "10", "9"]))',
        'print(sorted(["M", "N", "10", "9"], key=int))',
        "The elements are strings, so they are compared character by character from the left.",
        "The list is sorted in ascending order, so that the smallest of the numbers comes first.",
        ((25, 3), (100, 20)),
        0.35,
    ),
    Reading(
        "A copy that is not one",
        "a = [M, N]\nb = a\nb.append(M + N)\nprint(len(a))",
        "a = [M, N]\nb = list(a)\nb.append(M + N)\nprint(len(a))",
        "`b = a` gives the same list a second name, so what is appended through one is seen through the other.",
        "`b` is a copy of the list, so appending to `b` leaves the original list `a` just as it was before.",
        ((1, 2), (5, 6)),
        0.3,
    ),
    Reading(
        "Counting down by recursion",
        "def f(n):\n    if n <= 1:\n        return 1\n    return f(n - 1) + f(n - 2)\n\nprint(f(N) + M)",
        "def f(n):\n    if n <= 1:\n        return n\n    return f(n - 1) + f(n - 2)\n\nprint(f(N) + M)",
        "Both f(0) and f(1) are 1 here, so the sequence goes 1, 1, 2, 3, 5 and is one place ahead of the usual one.",
        "These are the Fibonacci numbers, where f(0) is 0 and f(1) is 1, so the sequence goes on 1, 2, 3, 5 from there.",
        ((1, 6), (100, 8)),
        0.5,
    ),
)


WRITINGS = (
    Writing(
        "Leap years",
        "Write `is_leap(year)` for the Gregorian calendar.",
        ("is_leap(2024) is True", "is_leap(2000) is True", "is_leap(1900) is False"),
        "def is_leap(year):\n    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)",
        "def is_leap(year):\n    if year % 400 == 0:\n        return True\n    return year % 4 == 0",
        "Centuries are leap years only when 400 divides them.",
        "Centuries are treated separately from the other years.",
        "The faulty version accepts 1900.",
        0.35,
    ),
    Writing(
        "Median",
        "Write `median(values)` for a non-empty list of numbers in any order. With an even count, return the mean of the two middle values.",
        ("median([9, 1, 5]) == 5", "median([4, 1, 3, 2]) == 2.5"),
        "def median(values):\n    ordered = sorted(values)\n    half = len(ordered) // 2\n    if len(ordered) % 2:\n        return ordered[half]\n    return (ordered[half - 1] + ordered[half]) / 2",
        "def median(values):\n    half = len(values) // 2\n    if len(values) % 2:\n        return values[half]\n    lower, upper = values[half - 1], values[half]\n    return (lower + upper) / 2",
        "The list is sorted first, without changing the caller's list.",
        "Odd and even counts are handled in separate branches.",
        "The faulty version never sorts the values.",
        0.35,
    ),
    Writing(
        "Rotate a list",
        "Write `rotate(items, k)` that returns a new list with the last `k` items moved to the front. `k` may be larger than the list.",
        (
            "rotate([1, 2, 3, 4], 1) == [4, 1, 2, 3]",
            "rotate([1, 2, 3], 5) == [2, 3, 1]",
            "rotate([], 2) == []",
        ),
        "def rotate(items, k):\n    if not items:\n        return []\n    k %= len(items)\n    return items[-k:] + items[:-k] if k else list(items)",
        "def rotate(items, k):\n    if not items:\n        return []\n    moved = items[-k:]\n    kept = items[:-k]\n    return moved + kept if k else list(items)",
        "Taking `k` modulo the length handles the large values.",
        "Slicing from the end handles every value of `k` at once.",
        "The faulty version leaves the list unchanged when k exceeds the length.",
        0.5,
    ),
    Writing(
        "Merge intervals",
        "Write `merge(spans)` that merges overlapping or touching `(start, end)` pairs and returns them in order.",
        (
            "merge([(1, 3), (2, 6)]) == [(1, 6)]",
            "merge([(1, 9), (2, 4)]) == [(1, 9)]",
            "merge([(5, 6), (1, 2)]) == [(1, 2), (5, 6)]",
        ),
        "def merge(spans):\n    merged = []\n    for start, end in sorted(spans):\n        if merged and start <= merged[-1][1]:\n            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))\n        else:\n            merged.append((start, end))\n    return merged",
        "def merge(spans):\n    merged = []\n    for start, end in sorted(spans):\n        if merged and start <= merged[-1][1]:\n            # Extend the interval found last.\n            merged[-1] = (merged[-1][0], end)\n        else:\n            merged.append((start, end))\n    return merged",
        "The later of the two ends is kept when one interval lies inside the other.",
        "Sorting first means that each interval has to be compared with the last one only.",
        "The faulty version shortens an interval that contains the next one.",
        0.6,
    ),
    Writing(
        "Digit sum",
        "Write `digit_sum(n)` that returns the sum of the decimal digits of an integer, ignoring its sign.",
        ("digit_sum(2047) == 13", "digit_sum(-305) == 8", "digit_sum(0) == 0"),
        "def digit_sum(n):\n    return sum(int(digit) for digit in str(abs(n)))",
        "def digit_sum(n):\n    total = 0\n    while n > 0:\n        total += n % 10\n        n //= 10\n    return total",
        "`abs` takes care of the sign.",
        "The loop takes off one digit at a time.",
        "The faulty version returns 0 for negative numbers.",
        0.35,
    ),
    Writing(
        "Palindromes",
        "Write `is_palindrome(text)` that ignores case, spaces and punctuation.",
        (
            'is_palindrome("Never odd or even") is True',
            'is_palindrome("Was it a car, or a cat?") is False',
            'is_palindrome("Step on no pets!") is True',
        ),
        "def is_palindrome(text):\n    letters = [c for c in text.lower() if c.isalnum()]\n    return letters == letters[::-1]",
        'def is_palindrome(text):\n    letters = text.lower().replace(" ", "")\n    backwards = "".join(reversed(letters))\n    return letters == backwards',
        "Only letters and digits are compared.",
        "Case and spaces are removed before comparing.",
        "The faulty version keeps punctuation.",
        0.35,
    ),
    Writing(
        "Chunks",
        "Write `chunks(items, size)` that splits a list into consecutive pieces of `size`; the last piece may be shorter.",
        ("chunks([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]", "chunks([1, 2], 2) == [[1, 2]]"),
        "def chunks(items, size):\n    return [items[i : i + size] for i in range(0, len(items), size)]",
        "def chunks(items, size):\n    count = len(items) // size\n    return [items[i * size : (i + 1) * size] for i in range(count)]",
        "The slice at the end simply comes out shorter.",
        "The number of pieces is computed first, then each is cut out.",
        "The faulty version loses the last, shorter piece.",
        0.3,
    ),
    Writing(
        "Word counts",
        "Write `word_counts(text)` that returns a dict from lower-case words to counts. Punctuation at the edges of a word does not belong to it.",
        ('word_counts("Tea, tea and cake.") == {"tea": 2, "and": 1, "cake": 1}',),
        'def word_counts(text):\n    counts = {}\n    for word in text.lower().split():\n        word = word.strip(".,;:!?")\n        if word:\n            counts[word] = counts.get(word, 0) + 1\n    return counts',
        "def word_counts(text):\n    counts = {}\n    for word in text.lower().split():\n        if word not in counts:\n            counts[word] = 0\n        counts[word] += 1\n    return counts",
        "Words are lower-cased and stripped before they are counted.",
        "Words are lower-cased so that capitals make no difference.",
        "The faulty version counts “tea,” and “tea” as different words.",
        0.35,
    ),
    Writing(
        "Prime numbers",
        "Write `primes(limit)` that lists all primes up to and including `limit`.",
        ("primes(10) == [2, 3, 5, 7]", "primes(13) == [2, 3, 5, 7, 11, 13]", "primes(1) == []"),
        "def primes(limit):\n    found = []\n    for n in range(2, limit + 1):\n        if all(n % p for p in found):\n            found.append(n)\n    return found",
        "def primes(limit):\n    found = []\n    for n in range(2, limit):\n        if all(n % p for p in found):\n            found.append(n)\n    return found",
        "It is enough to divide by the primes found so far, and the limit itself is tested too.",
        "It is enough to divide by the primes found so far, which keeps the loop short.",
        "The faulty version leaves out a limit that is prime.",
        0.45,
    ),
    Writing(
        "Caesar cipher",
        "Write `shift(text, k)` that moves each letter `k` places on in the alphabet, wrapping around. Case and other characters stay as they are.",
        ('shift("abc", 2) == "cde"', 'shift("xyz", 3) == "abc"', 'shift("Hi, Zoe!", 1) == "Ij, Apf!"'),
        'def shift(text, k):\n    result = ""\n    for c in text:\n        if c.isalpha():\n            base = ord("A") if c.isupper() else ord("a")\n            c = chr((ord(c) - base + k) % 26 + base)\n        result += c\n    return result',
        'def shift(text, k):\n    result = ""\n    for c in text:\n        if c.isalpha():\n            base = ord("a")\n            c = chr((ord(c.lower()) - base + k) % 26 + base)\n        result += c\n    return result',
        "Capital letters are shifted within their own range.",
        "The modulus makes the alphabet wrap around after z.",
        "The faulty version turns capitals into small letters.",
        0.45,
    ),
    Writing(
        "Unique items in order",
        "Write `unique(items)` that drops repeated items and keeps the first of each, in the original order.",
        ("unique([3, 1, 3, 2, 1]) == [3, 1, 2]", 'unique(["b", "a", "b"]) == ["b", "a"]'),
        "def unique(items):\n    return list(dict.fromkeys(items))",
        "def unique(items):\n    return sorted(set(items))",
        "A dict keeps its keys in the order in which they were first added.",
        "A set holds every item once, and sorting gives a stable order.",
        "The faulty version sorts the items and loses their order.",
        0.25,
    ),
    Writing(
        "Clock format",
        "Write `clock(seconds)` that formats a whole number of seconds as `h:mm:ss`.",
        ('clock(3725) == "1:02:05"', 'clock(59) == "0:00:59"', 'clock(36000) == "10:00:00"'),
        'def clock(seconds):\n    minutes, s = divmod(seconds, 60)\n    h, m = divmod(minutes, 60)\n    return f"{h}:{m:02d}:{s:02d}"',
        'def clock(seconds):\n    h = seconds // 3600\n    m = seconds // 60\n    s = seconds % 60\n    return f"{h}:{m:02d}:{s:02d}"',
        "Minutes and seconds are padded to two digits.",
        "Hours, minutes and seconds are computed one by one.",
        "The faulty version does not take the hours off the minutes.",
        0.4,
    ),
    Writing(
        "Balanced brackets",
        "Write `balanced(text)` that says whether the brackets `()[]` in a text are properly nested.",
        ('balanced("(a[b])") is True', 'balanced("([)]") is False', 'balanced("(()") is False'),
        'def balanced(text):\n    open_ones = []\n    for c in text:\n        if c in "([":\n            open_ones.append(c)\n        elif c in ")]":\n            if not open_ones or open_ones.pop() + c not in ("()", "[]"):\n                return False\n    return not open_ones',
        'def balanced(text):\n    round_depth = square_depth = 0\n    for c in text:\n        round_depth += (c == "(") - (c == ")")\n        square_depth += (c == "[") - (c == "]")\n        if round_depth < 0 or square_depth < 0:\n            return False\n    return round_depth == square_depth == 0',
        "A stack remembers which bracket has to be closed next.",
        "Two counters keep track of how deep we are in each kind of bracket.",
        "The faulty version accepts brackets that cross, such as “([)]”.",
        0.55,
    ),
    Writing(
        "Moving average",
        "Write `moving_average(values, width)` that returns the mean of every full window of `width` neighbouring values.",
        ("moving_average([1, 2, 3, 4], 2) == [1.5, 2.5, 3.5]", "moving_average([5, 7, 9], 3) == [7.0]"),
        "def moving_average(values, width):\n    return [\n        sum(values[i : i + width]) / width\n        for i in range(len(values) - width + 1)\n    ]",
        "def moving_average(values, width):\n    averages = []\n    for i in range(len(values) - width):\n        averages.append(sum(values[i : i + width]) / width)\n    return averages",
        "There are `len(values) - width + 1` full windows.",
        "Each window starts one place after the one before it.",
        "The faulty version leaves out the last window.",
        0.4,
    ),
    Writing(
        "Binary search",
        "Write `first_at_least(values, x)`: the index of the first element of a sorted list that is at least `x`, or the length of the list.",
        (
            "first_at_least([1, 3, 3, 7], 3) == 1",
            "first_at_least([1, 3, 3, 7], 4) == 3",
            "first_at_least([1, 3], 9) == 2",
        ),
        "def first_at_least(values, x):\n    low, high = 0, len(values)\n    while low < high:\n        middle = (low + high) // 2\n        if values[middle] < x:\n            low = middle + 1\n        else:\n            high = middle\n    return low",
        "def first_at_least(values, x):\n    low, high = 0, len(values)\n    while low < high:\n        middle = (low + high) // 2\n        if values[middle] <= x:\n            low = middle + 1\n        else:\n            high = middle\n    return low",
        "Elements equal to `x` stay in the searched half, so that the first one is found.",
        "The searched half shrinks in every round, so the loop always comes to an end.",
        "The faulty version steps over elements equal to x.",
        0.65,
    ),
    Writing(
        "Flatten",
        "Write `flatten(items)` that turns lists nested to any depth into one flat list.",
        ("flatten([1, [2, 3]]) == [1, 2, 3]", "flatten([1, [2, [3, [4]]]]) == [1, 2, 3, 4]"),
        "def flatten(items):\n    flat = []\n    for item in items:\n        if isinstance(item, list):\n            flat.extend(flatten(item))\n        else:\n            flat.append(item)\n    return flat",
        "def flatten(items):\n    flat = []\n    for item in items:\n        if isinstance(item, list):\n            flat.extend(item)\n        else:\n            flat.append(item)\n    return flat",
        "The function calls itself for each inner list.",
        "Inner lists are added element by element, the rest as it is.",
        "The faulty version opens only one level.",
        0.35,
    ),
    Writing(
        "Roman numerals",
        "Write `roman(n)` for whole numbers from 1 to 399.",
        ('roman(14) == "XIV"', 'roman(49) == "XLIX"', 'roman(388) == "CCCLXXXVIII"'),
        'def roman(n):\n    text = ""\n    for value, sign in ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")):\n        while n >= value:\n            text, n = text + sign, n - value\n    return text',
        'def roman(n):\n    text = ""\n    signs = ((100, "C"), (50, "L"), (10, "X"), (5, "V"), (1, "I"))\n    for value, sign in signs:\n        text += sign * (n // value)\n        n %= value\n    return text',
        "The subtractive pairs such as IV and XC are entries of the table.",
        "The signs are used from the largest down to the smallest.",
        "The faulty version writes 4 as IIII.",
        0.4,
    ),
    Writing(
        "Second largest",
        "Write `runner_up(values)`: the second largest of the different values in a list, or `None` if there is none.",
        ("runner_up([4, 9, 2]) == 4", "runner_up([5, 5, 3]) == 3", "runner_up([7, 7]) is None"),
        "def runner_up(values):\n    different = sorted(set(values))\n    return different[-2] if len(different) > 1 else None",
        "def runner_up(values):\n    if len(values) < 2:\n        return None\n    ordered = sorted(values, reverse=True)\n    return ordered[1]",
        "Repeated values are dropped before sorting.",
        "Sorting in reverse puts the runner-up at index 1.",
        "The faulty version returns the largest value again when it occurs twice.",
        0.4,
    ),
)
