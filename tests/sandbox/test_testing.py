"""Test cases: what counts as passed, and how a case that is not passed is told."""

import pytest

from preceptor.sandbox.programs import Limits
from preceptor.sandbox.testing import Case, Compare, Outcome, run_tests, same_output

ARGV = ("main.py",)
DOUBLE = {"main.py": "print(int(input()) * 2)"}


def case(stdin: str, expected: str, compare: Compare = Compare.LINES) -> Case:
    return Case(f"{stdin} gives {expected}", ARGV, stdin, expected, compare)


def test_each_case_is_told_by_itself() -> None:
    results = run_tests("python", DOUBLE, [case("2", "4"), case("3", "7"), case("x", "0")])
    assert [each.outcome for each in results] == [Outcome.PASSED, Outcome.FAILED, Outcome.ERROR]
    assert "invalid literal" in results[2].stderr
    assert results[1].stdout == "6\n"


def test_limits_are_told_as_what_they_are() -> None:
    slow = {"main.py": "while True: pass"}
    loud = {"main.py": "while True: print('x' * 1000)"}
    limits = Limits(cpu_seconds=1, wall_seconds=2.0)
    assert run_tests("python", slow, [case("", "")], limits)[0].outcome is Outcome.TIMEOUT
    assert run_tests("python", loud, [case("", "")], limits)[0].message == "It wrote more than 64 KiB."


def test_a_command_passes_by_its_exit_status() -> None:
    test = "import unittest, solution\nclass T(unittest.TestCase):\n    def test(self): assert solution.f(2) == 4\n"
    command = Case("unit tests", ("-m", "unittest", "-q", "checks"), files={"checks.py": test})
    right, wrong = ({"solution.py": f"def f(x): return x {sign} 2"} for sign in ("*", "-"))
    assert run_tests("python", right, [command])[0].outcome is Outcome.PASSED
    failed = run_tests("python", wrong, [command])[0]
    assert (failed.outcome, failed.message) == (Outcome.FAILED, "Ended with exit status 1.")


def test_submitted_code_cannot_replace_a_test() -> None:
    cheat = {"solution.py": "def f(x): return 0", "checks.py": ""}
    command = Case("t", ("checks.py",), files={"checks.py": "import solution\nassert solution.f(2) == 4\n"})
    assert run_tests("python", cheat, [command])[0].outcome is Outcome.FAILED


def test_a_case_sees_nothing_that_another_left() -> None:
    keeps = {"main.py": "import os\nprint(os.path.exists('seen'))\nopen('seen', 'w').close()"}
    results = run_tests("python", keeps, [case("", "False"), case("", "False")])
    assert {each.outcome for each in results} == {Outcome.PASSED}


@pytest.mark.parametrize(
    ("given", "expected", "compare", "same"),
    [
        ("a  \nb\n\n", "a\nb", Compare.LINES, True),
        ("a\r\nb\r\n", "a\nb\n", Compare.LINES, True),
        ("a\n\nb", "a\nb", Compare.LINES, False),
        (" a", "a", Compare.LINES, False),
        ("a\n", "a", Compare.EXACT, False),
        (" a \n b ", "a b", Compare.WORDS, True),
        ("0.3000000001 x", "0.3 x", Compare.NUMBERS, True),
        ("0.31", "0.3", Compare.NUMBERS, False),
        ("1 2", "1", Compare.NUMBERS, False),
        ("nan", "nan", Compare.NUMBERS, True),
    ],
    ids=["ends", "line_ends", "empty_line", "indent", "exact", "words", "near", "far", "more", "nan"],
)
def test_outputs_are_held_against_each_other(given: str, expected: str, compare: Compare, same: bool) -> None:
    assert same_output(given, expected, compare) is same
