"""The page of the quality library: its examples run and print what it says, its table is what was measured."""

import json
import re
from pathlib import Path

import pytest
from bench.quality import pages

from preceptor import quality

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "quality.md").read_text()
KEPT = json.loads((DOCS / "images" / "quality-data.json").read_text())
NUMBER = re.compile(r"\d+\.\d+|\d+")


def test_every_example_prints_what_the_page_says() -> None:
    examples = list(pages.outputs(PAGE))
    assert len(examples) > 15
    for code, says, prints in examples:
        # Words to the letter; numbers but for the last digit, in which processors may differ.
        assert NUMBER.sub("#", says or "") == NUMBER.sub("#", prints), f"run scripts/draw-quality-plots:\n{code}"
        mine, theirs = (NUMBER.findall(text) for text in (says or "", prints))
        for said, printed in zip(mine, theirs, strict=True):
            last = 10.0 ** -len(said.partition(".")[2])
            assert float(printed) == pytest.approx(float(said), abs=1.5 * last), (
                f"run scripts/draw-quality-plots:\n{code}"
            )


def test_the_table_is_that_of_the_figures_kept() -> None:
    assert pages.with_table(PAGE, KEPT) == PAGE, "run scripts/draw-quality-plots --redraw"


def test_each_plot_has_its_figures_and_is_shown() -> None:
    drawn = {path.stem.removeprefix("quality-") for path in (DOCS / "images").glob("quality-*.svg")}
    assert drawn == set(KEPT)
    assert all(f"(images/quality-{name}.svg)" in PAGE for name in drawn)


def test_plots_are_small_keep_their_text_and_need_no_inline_styles() -> None:
    # The manual's content security policy forbids inline styles, and would leave such a picture black.
    for path in (DOCS / "images").glob("quality-*.svg"):
        drawn = path.read_text()
        assert "<text" in drawn
        assert 'style="' not in drawn
        assert len(drawn) < 60_000


def test_the_names_that_the_page_calls_are_there() -> None:
    called = set(
        re.findall(r"\bquality\.([A-Za-z_]\w*)", "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)))
    )
    modules = {"difficulty", "distances", "adaptive", "incremental", "truth"}
    assert called - modules <= set(quality.__all__)


def test_an_example_that_prints_something_else_is_noticed() -> None:
    page = "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n"
    ((_, says, prints),) = pages.outputs(page)
    assert (says, prints) == ("3\n", "2\n")
    assert pages.with_outputs(page) == page.replace("3", "2")
