"""Counting, rules, edit scripts and likeness of written texts. The browser runs the same table of cases."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from preceptor.tasktypes.writing import counting, edits, likeness, style
from preceptor.tasktypes.writing.turns import Turn, key_of

CASES: dict[str, Any] = json.loads((Path(__file__).parent / "writing_cases.json").read_text())
RULES = [style.Rule.model_validate(rule) for rule in CASES["rules"]]
TEXTS = range(len(CASES["texts"]))
PAIRS = range(len(CASES["edits"]))

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
prose = st.lists(st.sampled_from(["the", "cat", "sat", "\n", " ", ". ", "on", "世", "é", "🙂", "\n\n", "- "])).map(
    "".join
)


# --- The table


@pytest.mark.parametrize("at", TEXTS)
def test_texts_of_the_table_are_counted_as_it_says(at: int) -> None:
    case = CASES["texts"][at]
    assert counting.words(case["text"]) == case["words"]
    assert counting.characters(case["text"]) == case["characters"]
    assert [asdict(block) for block in counting.blocks(case["text"])] == case["blocks"]
    assert [each for block in counting.blocks(case["text"]) for each in counting.sentences(block.text)] == case[
        "sentences"
    ]
    assert counting.reading_grade(case["text"]) == case["grade"]


@pytest.mark.parametrize("at", TEXTS)
def test_texts_of_the_table_break_the_rules_it_says(at: int) -> None:
    case = CASES["texts"][at]
    found = [
        {"rule": each.rule, "message": each.message, "found": list(each.found)}
        for each in style.findings(case["text"], RULES)
    ]
    assert found == case["findings"]


@pytest.mark.parametrize("at", PAIRS)
def test_pairs_of_the_table_have_the_script_it_says(at: int) -> None:
    case = CASES["edits"][at]
    script = edits.edit_script(case["before"], case["after"])
    assert [[edit.op, edit.text] for edit in script] == case["script"]
    assert asdict(edits.changes(script)) == case["changes"]


def test_the_table_has_every_kind_of_rule_kept_and_broken() -> None:
    broken = {CASES["rules"][found["rule"]]["kind"] for case in CASES["texts"] for found in case["findings"]}
    assert broken == set(style.RuleKind.__args__)  # type: ignore[attr-defined]
    for place in range(len(RULES)):
        kept = [case for case in CASES["texts"] if all(found["rule"] != place for found in case["findings"])]
        assert kept, f"rule {place} is never kept"


def test_the_browser_gets_word_lists_only_where_a_rule_asks_for_them() -> None:
    assert "common_words" in CASES["tables"]
    assert "common_words" not in style.browser_tables([style.Rule(kind="no_first_person")])
    assert style.browser_tables(RULES) == CASES["tables"]


# --- Counting


def test_words_are_what_people_count() -> None:
    assert counting.words("Well-known facts: 3 × 4 = 12, isn't it?") == 7
    assert counting.words("- **bold** item") == 2
    assert counting.words("你好，世界") == 4


def test_abbreviations_and_initials_end_no_sentence() -> None:
    assert counting.sentences("Dr. Berg met J. K. Rowling, e.g. in 1999. So did I. Why?") == [
        "Dr. Berg met J. K. Rowling, e.g. in 1999.",
        "So did I.",
        "Why?",
    ]


def test_the_reading_grade_is_flesch_kincaids() -> None:
    # 6 words, 6 syllables, one sentence: 0.39 * 6 + 11.8 * 1 - 15.59.
    assert counting.reading_grade("The cat sat on the mat.") == pytest.approx(-1.4, abs=0.06)
    assert counting.reading_grade("# Heading only") is None


@given(texts)
def test_counting_never_fails_and_blanks_at_the_ends_change_nothing(text: str) -> None:
    assert counting.words(f"  {text}\n\t") == counting.words(text)
    assert counting.characters(f"  {text}\n\t") == counting.characters(text)
    style.findings(text, RULES)


@given(prose)
def test_sentences_hold_all_words_of_their_block(text: str) -> None:
    for block in counting.blocks(text):
        joined = " ".join(counting.sentences(block.text))
        assert counting.words(joined) == counting.words(block.text)


# --- Rules


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "forbidden_phrases"},
        {"kind": "required_phrases", "phrases": ["  "]},
        {"kind": "sentence_words_max"},
        {"kind": "markup_forbidden"},
        {"kind": "language", "language": "xx"},
        {"kind": "no_such_rule"},
    ],
)
def test_a_rule_without_what_it_needs_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        style.Rule.model_validate(rule)


def test_code_is_not_searched_for_phrases() -> None:
    rule = style.Rule(kind="forbidden_phrases", phrases=["delve"])
    assert style.findings("```\ndelve\n```\nFine.", [rule]) == []
    assert style.findings("Let us delve.", [rule])[0].found == ("delve",)


def test_phrases_are_whole_words_in_any_case_and_with_any_apostrophe() -> None:
    rule = style.Rule(kind="forbidden_phrases", phrases=["don't", "art"])
    assert [each.found for each in style.findings("DON’T party.", [rule])] == [("don't",)]


def test_a_message_of_the_project_replaces_ours() -> None:
    rule = style.Rule(kind="sentence_words_max", limit=2, message="Shorter, please.", severity="block")
    [finding] = style.findings("One two three.", [rule])
    assert (finding.message, finding.severity) == ("Shorter, please.", "block")


# --- Edit scripts


@given(prose, prose)
def test_a_script_holds_both_texts(before: str, after: str) -> None:
    script = edits.edit_script(before, after)
    assert "".join(edit.text for edit in script if edit.op != "insert") == before
    assert "".join(edit.text for edit in script if edit.op != "delete") == after
    assert all(edit.text for edit in script)
    sums = edits.changes(script)
    assert 0 <= sums.share <= 1
    assert (sums.places == 0) == (before == after)


@given(prose)
def test_the_same_text_has_nothing_changed(text: str) -> None:
    assert edits.changes(edits.edit_script(text, text)).share == 0


def test_blanks_between_two_changed_words_belong_to_the_change() -> None:
    script = edits.edit_script("one two three four", "one 2 3 four")
    assert [(edit.op, edit.text) for edit in script] == [
        ("keep", "one "),
        ("delete", "two three"),
        ("insert", "2 3"),
        ("keep", " four"),
    ]


def test_long_texts_without_anything_in_common_are_called_replaced() -> None:
    before, after = (" ".join(f"{letter}{at}" for at in range(40_000)) for letter in "ab")
    assert [edit.op for edit in edits.edit_script(before, after)] == ["delete", "insert"]


@given(prose, prose)
def test_wording_distance_is_symmetric_and_zero_for_the_same_words(one: str, other: str) -> None:
    assert edits.wording_distance(one, other) == edits.wording_distance(other, one)
    assert 0 <= edits.wording_distance(one, other) <= 1
    assert edits.wording_distance(one, one) == 0


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_the_common_subsequence_is_as_long_as_the_textbook_says(a: list[str], b: list[str]) -> None:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, left in enumerate(a):
        for j, right in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if left == right else max(table[i][j + 1], table[i + 1][j])
    assert edits.common_words(a, b) == table[-1][-1]


# --- Likeness


def test_texts_that_differ_in_case_marks_and_blanks_are_the_same() -> None:
    one, other = (likeness.normal_form(text) for text in ("Why is\nthe SKY blue?", "“why is the sky — blue”"))
    assert one == other == "why is the sky blue"
    assert (likeness.signature(one) == likeness.signature(other)).all()


@given(prose, prose)
@settings(max_examples=50)
def test_likeness_is_symmetric_and_one_for_the_same(one: str, other: str) -> None:
    first, second = likeness.normal_form(one), likeness.normal_form(other)
    assert likeness.likeness(first, second) == likeness.likeness(second, first)
    assert not first or likeness.likeness(first, first) == 1


def test_signatures_estimate_the_jaccard_index() -> None:
    rng = np.random.default_rng(7)
    words = [f"word{at}" for at in range(200)]
    errors = []
    for kept in (20, 60, 100, 140, 180):
        one = " ".join(words)
        other = " ".join([*words[:kept], *(f"other{at}" for at in rng.integers(0, 9999, 200 - kept))])
        estimate = likeness.agreement(likeness.signature(one), likeness.signature(other))
        errors.append(estimate - likeness.likeness(one, other))
    assert max(map(abs, errors)) < 0.15
    assert abs(float(np.mean(errors))) < 0.06


def test_bands_of_two_projects_never_meet() -> None:
    signed = likeness.signature("why is the sky blue")
    assert not set(likeness.band_keys(signed, b"a" * 16)) & set(likeness.band_keys(signed, b"b" * 16))
    assert len(set(likeness.band_keys(signed, b"a" * 16))) == likeness.BANDS


def test_a_fingerprint_changes_with_every_character_and_role() -> None:
    keys = {
        key_of([Turn(role="user", content="a")]),
        key_of([Turn(role="assistant", content="a")]),
        key_of([Turn(role="user", content="b")]),
        key_of([Turn(role="user", content="a"), Turn(role="user", content="")]),
        key_of([]),
    }
    assert len(keys) == 5
    # As the browser computes it.
    assert key_of([Turn(role="user", content="Wie schön 🙂")]) == CASES["fingerprint"]
