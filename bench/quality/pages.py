"""What is written into docs/quality.md: the output of its examples, and a table of the figures."""

import contextlib
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

EXAMPLE = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<says>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
BEGIN, END = "[//]: # (figures: begin)", "[//]: # (figures: end)"
DIGITS = 5


def outputs(text: str) -> Iterator[tuple[str, str | None, str]]:
    """(code, what the page says it prints, what it prints) of each example, run one after the other in one place: a
    page's examples go on from each other."""
    place: dict[str, object] = {"__name__": "__example__"}
    for found in EXAMPLE.finditer(text):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(found["code"], "the page's example", "exec"), place)  # noqa: S102  # our own page
        yield found["code"], found["says"], printed.getvalue()


def with_outputs(text: str) -> str:
    """The page with what its examples print now in the block below each."""
    made = iter(list(outputs(text)))

    def shown(found: re.Match[str]) -> str:
        code, _, printed = next(made)
        block = f"```python\n{code}```\n"
        return f"{block}\n```text\n{printed}```\n" if printed else block

    return EXAMPLE.sub(shown, text)


def with_table(text: str, kept: Mapping[str, Any]) -> str:
    """The page with the table of figures between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(kept)}\n{END}{after}" if after else text


def table(kept: Mapping[str, Any]) -> str:
    parts = [_sets(kept["accuracy"])] if "accuracy" in kept else []
    parts += [_overlap(kept["overlap"])] if "overlap" in kept else []
    parts += [_speed(kept["speed"])] if "speed" in kept else []
    return "\n".join(parts) or "Nothing was measured yet.\n"


def _sets(found: Mapping[str, Any]) -> str:
    rows = ["| set | majority | Dawid-Skene | automatic choice | best published |", "|---|---|---|---|---|"]
    for name, one in found.items():
        cells = [one["majority"], one["dawid-skene"], one["auto"], one["published"]]
        rows.append(f"| {name} | {' | '.join('–' if cell is None else f'{cell:.3f}' for cell in cells)} |")
    return "Accuracy by set (ties count in part):\n\n" + "\n".join(rows) + "\n"


def _overlap(found: Mapping[str, Any]) -> str:
    rows = ["| set | labels an item | used by the rules | accuracy | majority of all |", "|---|---|---|---|---|"]
    for name, one in found.items():
        used, reached = one["adaptive"][-1]
        rows.append(
            f"| {name} | {one['labels_per_item']:.1f} | {used:.1f} | {reached:.3f} "
            f"| {one['majority_of_everything']:.3f} |"
        )
    replays = max(one["replays"] for one in found.values())
    return f"Adaptive overlap, stopped by the rules alone (mean of {replays} replays):\n\n" + "\n".join(rows) + "\n"


def _speed(found: Mapping[str, Any]) -> str:
    rows = ["| judgments | CPU s | crowd-kit | times faster | memory beside crowd-kit |", "|---|---|---|---|---|"]
    for size in sorted(found, key=int):
        one = found[size]
        rows.append(
            f"| {int(size):,} | {one['preceptor']['cpu_seconds']:.2f} | {one['crowd-kit']['cpu_seconds']:.2f} "
            f"| {one['times_faster']:.1f} | {one['memory_share']:.0%} |"
        )
    return "Dawid-Skene, four classes, five judgments an item, a thousand people:\n\n" + "\n".join(rows) + "\n"


def rounded(value: Any) -> Any:
    """Figures with so many digits as anybody reads, which keeps the file and its changes small."""
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, Mapping):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value
