"""Unified diffs: what git and diff write is applied exactly, and what does not fit is refused by its place."""

import difflib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preceptor.tasktypes.code.diffs import BadDiff, apply, parse

OLD = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n"
LINES = st.lists(st.sampled_from(["a", "b", "", "  c", "-d", "+e", "@@ f"]), max_size=30)


def diff(old: str, new: str, path: str = "f.txt") -> str:
    before, after = (text.splitlines(keepends=True) for text in (old, new))
    lines = difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def test_a_change_is_applied() -> None:
    new = OLD.replace("two", "2").replace("eight", "8\n8b")
    assert apply({"f.txt": OLD, "g.txt": "g"}, diff(OLD, new)) == {"f.txt": new, "g.txt": "g"}


@settings(max_examples=200, deadline=None)
@given(LINES, LINES, st.booleans(), st.booleans())
def test_applying_a_diff_of_two_texts_to_one_gives_the_other(
    a: list[str], b: list[str], end_a: bool, end_b: bool
) -> None:
    old, new = ("\n".join(lines) + "\n" * end for lines, end in ((a, end_a), (b, end_b)))
    if old != new:
        assert apply({"f.txt": old}, diff(old, new)) == {"f.txt": new}


def test_what_git_writes_is_applied(tmp_path: Path) -> None:
    """Made, removed, renamed and changed files, and one without a last line end, as `git diff` tells them."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    before = {"keep.py": OLD, "gone.py": "x\n", "old.py": OLD * 3, "end.py": "no end"}
    after = {"keep.py": OLD.replace("five", "5"), "new.py": "n\n", "moved.py": OLD * 3, "end.py": "an end\n"}

    def git(*words: str) -> str:
        told = subprocess.run(["git", *words], cwd=tmp_path, capture_output=True, text=True, check=True)
        return told.stdout

    git("init", "-q")
    for name, text in before.items():
        (tmp_path / name).write_text(text)
    git("add", ".")
    git("-c", "user.name=Test", "-c", "user.email=test@example.org", "commit", "-qm", "before")
    for name in before:
        (tmp_path / name).unlink()
    for name, text in after.items():
        (tmp_path / name).write_text(text)
    git("add", "-A")
    assert apply(before, git("diff", "--cached", "-M")) == after


def test_a_hunk_that_moved_is_found_where_its_lines_stand() -> None:
    moved = "zero\nhalf\n" + OLD
    assert apply({"f.txt": moved}, diff(OLD, OLD.replace("five", "5")))["f.txt"] == moved.replace("five", "5")


def test_a_hunk_that_does_not_fit_is_named_with_its_line() -> None:
    wrong = OLD.replace("five", "FIVE")
    message = r"f\.txt, hunk 1 \(@@ -2,7 \+2,7 @@\) does not fit: line 5 is “FIVE”, and the patch expects “five”"
    with pytest.raises(BadDiff, match=message):
        apply({"f.txt": wrong}, diff(OLD, OLD.replace("five", "5")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("just words", "no unified diff"),
        ("@@ -1 +1 @@\n-a\n+b\n", "Line 1: a hunk without the file"),
        ("--- a/f\n", "must be followed by"),
        ("--- a/f\n+++ b/f\n", "no hunks"),
        ("--- a/f\n+++ b/f\n@@ nonsense\n", "hunk 1: `@@ nonsense` is not"),
        ("--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n", "ends 2 lines too early"),
        ("--- a/f\n+++ b/f\n@@ -1 +1 @@\n?a\n", "line 4 must begin with"),
        ("--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n-a\n-b\n", "more lines than its header says"),
        ("diff --git a/f b/f\nBinary files a/f and b/f differ\n", "binary file"),
    ],
    ids=["words", "no_file", "no_plus", "no_hunks", "header", "short", "sign", "long", "binary"],
)
def test_what_is_no_diff_is_refused_by_its_line(text: str, message: str) -> None:
    with pytest.raises(BadDiff, match=message):
        parse(text)


def test_files_that_are_missing_or_in_the_way_are_named() -> None:
    with pytest.raises(BadDiff, match=r"f\.txt: the patch changes a file that is not there\. Files: g\.txt"):
        apply({"g.txt": ""}, diff(OLD, OLD + "ten\n"))
    made = "--- /dev/null\n+++ b/f.txt\n@@ -0,0 +1 @@\n+x\n"
    assert apply({}, made) == {"f.txt": "x\n"}
    with pytest.raises(BadDiff, match="is there already"):
        apply({"f.txt": ""}, made)
    removed = "--- a/f.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    assert apply({"f.txt": "x\n"}, removed) == {}
    with pytest.raises(BadDiff, match="leaves lines of it"):
        apply({"f.txt": "x\ny\n"}, removed)
