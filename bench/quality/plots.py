"""The plots of docs/quality.md, drawn from `figures` with Matplotlib: quiet, labelled directly, and small.

A picture cannot know which theme a page has. So each stands on a card of its own, and carries a style sheet that turns
card and ink dark where the reader's system is dark. Colours are given as attributes, which a page's content security
policy leaves alone; lines differ in shape too, so that nothing is lost in grey.
"""

import re
from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

Drawn = dict[str, Any]

CARD, INK, MUTED, LINE = "#ffffff", "#1b1f24", "#5b6470", "#e4e1da"
MAIN, OTHER, THIRD = "#1e7a64", "#1f3a5f", "#b7791f"
DARK = {CARD: "#1a2028", INK: "#e8e6e1", MUTED: "#a3adb9", LINE: "#333b46"}
DARK |= {MAIN: "#58c2a5", OTHER: "#8fb3de", THIRD: "#e0ab57"}
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "preceptor",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "figure.facecolor": CARD,
    "axes.facecolor": CARD,
    "lines.linewidth": 1.6,
}
# What readers have, in place of the font that the layout was measured with; both are a little narrower.
FONTS = "Inter, system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def accuracy(found: Drawn) -> Figure:
    """A row per set: majority, Dawid-Skene, automatic choice, best published."""
    figure, axes = _figure(4.0)
    names = list(found)[::-1]
    marks: list[tuple[str, str, str, str]] = [
        ("majority", "majority", "o", MUTED),
        ("dawid-skene", "Dawid-Skene", "s", OTHER),
        ("published", "best published", "|", INK),
        ("auto", "automatic choice", "D", MAIN),
    ]
    for row, name in enumerate(names):
        values = [found[name][key] for key, *_ in marks if found[name][key] is not None]
        axes.plot([min(values), max(values)], [row, row], color=LINE, linewidth=3, zorder=1)
    for key, label, shape, colour in marks:
        rows = [row for row, name in enumerate(names) if found[name][key] is not None]
        values = [found[names[row]][key] for row in rows]
        filled = CARD if shape in "os" else colour
        size = 11 if shape == "|" else 6
        axes.plot(values, rows, shape, color=colour, markerfacecolor=filled, markersize=size, label=label, zorder=3)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlabel("share of known answers met")
    axes.grid(axis="y", visible=False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=4, frameon=False, handletextpad=0.3)
    return figure


def calibration(found: Drawn) -> Figure:
    """Two reliability curves beside the diagonal."""
    figure, axes = _figure(3.6, width=4.6)
    axes.plot([0.2, 1], [0.2, 1], color=MUTED, linewidth=0.8, linestyle=(0, (2, 3)))
    for key, colour, shape, words in (
        ("before", THIRD, "o", "as fitted"),
        ("after", MAIN, "D", "calibrated"),
    ):
        points = [point for point in found[key]["points"] if point["items"] >= 30]
        x, y = [p["confidence"] for p in points], [p["accuracy"] for p in points]
        spans = [[p["accuracy"] - p["low"] for p in points], [p["high"] - p["accuracy"] for p in points]]
        axes.errorbar(x, y, yerr=spans, color=colour, marker=shape, markersize=4, linewidth=1.4, elinewidth=0.8)
        at, side = ((0.5, 0.76), "right") if key == "after" else ((1.0, 0.42), "right")
        axes.text(*at, f"{words}: error {found[key]['ece']:.3f}", color=colour, ha=side)
    axes.set_xlabel("stated chance of being right")
    axes.set_ylabel("share that was right")
    axes.set_xlim(0.2, 1.02)
    axes.set_ylim(0.2, 1.02)
    return figure


def overlap(found: Drawn) -> Figure:
    """Accuracy by labels per item, a panel for each set."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    panels = figure.subplots(1, len(found))
    for axes, (name, one) in zip(np.atleast_1d(panels), found.items(), strict=True):
        asked, fixed = np.array(one["adaptive"]), np.array(one["fixed"])
        axes.axhline(one["majority_of_everything"], color=MUTED, linewidth=0.8, linestyle=(0, (2, 3)))
        axes.plot(fixed[:, 0], fixed[:, 1], color=OTHER, marker="o", markersize=3.5, markerfacecolor=CARD)
        axes.plot(asked[:, 0], asked[:, 1], color=MAIN, marker="D", markersize=3)
        axes.annotate("adaptive", asked[len(asked) // 2], (0, 9), textcoords="offset points", color=MAIN, ha="right")
        middle = fixed[min(len(fixed) - 1, round(0.45 * len(fixed)))]
        axes.annotate("fixed, majority", middle, (6, -12), textcoords="offset points", color=OTHER)
        axes.set_title(f"{name}; dotted: majority of all {one['labels_per_item']:.0f} labels")
        axes.set_xlabel("labels used per item")
        low = fixed[fixed[:, 0] >= 2, 1].min() if len(fixed) > 2 else fixed[:, 1].min()
        axes.set_ylim(low - 0.01, max(asked[:, 1].max(), fixed[:, 1].max()) + 0.018)
        axes.set_xlim(1.5, one["labels_per_item"] * 1.03)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    np.atleast_1d(panels)[0].set_ylabel("accuracy")
    return figure


def paths(found: Drawn) -> Figure:
    """Courses of the evidence of three people, with the threshold."""
    figure, axes = _figure(3.4)
    threshold = found["guesser"]["log_threshold"]
    axes.axhline(threshold, color=INK, linewidth=0.9, linestyle=(0, (5, 3)))
    odds = round(float(np.exp(threshold)))
    axes.text(115, threshold + 0.25, f"threshold {odds} to 1", color=INK)
    looks = np.arange(1, len(found["able"]["log_e"]) + 1)
    top = threshold + 3.5
    lines = (
        ("guesser", THIRD, "-", "guesses between two (.50)"),
        ("falls", OTHER, (0, (4, 1.5)), "falls from .90 to .50 after 150"),
        ("able", MAIN, "-", "right in 85 of 100"),
    )
    for name, colour, dashes, words in lines:
        course = np.array(found[name]["log_e"])
        shown = course <= top
        stop = len(course) if shown.all() else int(np.argmin(shown)) + 1
        axes.plot(looks[:stop], course[:stop], color=colour, linestyle=dashes)
        at = {"guesser": (40, top - 1.0), "falls": (110, -4.6), "able": (222, -1.9)}[name]
        axes.text(*at, words, color=colour)
        if found[name]["reached_at"]:
            axes.plot(found[name]["reached_at"], threshold, "o", color=colour, markersize=5)
    axes.set_ylim(-5.2, top)
    axes.set_xlim(0, len(looks))
    axes.set_xlabel(f"answers looked at (standard {found['standard']:.0%})")
    axes.set_ylabel("evidence, log e-value")
    return figure


def alarms(found: Drawn) -> Figure:
    """Share of honest people ever flagged, by looks."""
    figure, axes = _figure(3.2)
    looks = found["looks"]
    axes.axhline(found["rate"], color=MUTED, linewidth=0.8, linestyle=(0, (2, 3)))
    axes.text(40, found["rate"] + 0.008, f"stated rate {found['rate']:.0%}", color=MUTED)
    for key, colour, words in (
        ("naive", THIRD, "a usual test at every look"),
        ("watch", MAIN, "AccuracyWatch"),
    ):
        axes.plot(looks, found[key], color=colour, linestyle="-" if key == "watch" else (0, (4, 1.5)))
        above = max(found[key][-1], found["rate"])
        said = f"{words}: {found[key][-1]:.1%}"
        axes.annotate(said, (looks[-1], above), (0, 6), textcoords="offset points", color=colour, ha="right")
    axes.set_xscale("log")
    axes.set_ylim(0, max(found["naive"]) * 1.2)
    axes.set_xlabel("looks (answers, each looked at)")
    axes.set_ylabel("honest people ever flagged")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    return figure


def shrinkage(found: Drawn) -> Figure:
    """Plain shares and estimates with intervals by number of judgments."""
    figure, axes = _figure(3.6)
    given = np.array(found["judgments"], dtype=float)
    value, low, high = (np.array(found[key]) for key in ("value", "low", "high"))
    axes.axhline(found["crowd"], color=MUTED, linewidth=0.8, linestyle=(0, (2, 3)))
    axes.text(640, found["crowd"] + 0.012, "crowd", color=MUTED, ha="left")
    axes.vlines(given, low, high, color=MAIN, linewidth=0.9, alpha=1.0)
    axes.vlines(given, found["share"], value, color=LINE, linewidth=2.5, zorder=1)
    axes.plot(given, found["share"], "o", color=THIRD, markerfacecolor=CARD, markersize=5, label="share right")
    axes.plot(given, value, "D", color=MAIN, markersize=4, label="estimate, 95 % interval")
    axes.plot(given, found["true"], "_", color=INK, markersize=9, label="true accuracy")
    axes.set_xscale("log")
    axes.set_xlim(3.4, 900)
    axes.set_ylim(max(0.0, min(found["share"]) - 0.06), 1.04)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("judgments of the person")
    axes.set_ylabel("accuracy")
    axes.legend(loc="lower right", frameon=False, handletextpad=0.3)
    return figure


def speed(found: Drawn) -> Figure:
    """CPU seconds and memory by judgments, on logarithmic axes."""
    figure = Figure(figsize=(7.2, 3.0), layout="constrained")
    sizes = sorted(found, key=int)
    x = np.array([int(size) for size in sizes])
    for axes, measure, words in zip(
        figure.subplots(1, 2), ("cpu_seconds", "peak_mib"), ("CPU seconds of the fit", "peak memory, MiB"), strict=True
    ):
        for side, colour, shape in (("crowd-kit", THIRD, "o"), ("preceptor", MAIN, "D")):
            y = np.array([found[size][side][measure] for size in sizes])
            axes.plot(x, y, color=colour, marker=shape, markersize=4)
            above = side == "crowd-kit"
            offset, place = ((-14, 8), "right") if above else ((0, -18), "right")
            axes.annotate(side, (x[-1], y[-1]), offset, textcoords="offset points", color=colour, ha=place)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_title(words)
        axes.set_xlabel("judgments")
        axes.margins(x=0.12, y=0.22)
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if measure == "peak_mib" else (1.0,)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    return figure


DRAWN: Mapping[str, Callable[[Drawn], Figure]] = {
    "accuracy": accuracy,
    "calibration": calibration,
    "overlap": overlap,
    "paths": paths,
    "alarms": alarms,
    "shrinkage": shrinkage,
    "speed": speed,
}


def svg(name: str, found: Drawn) -> str:
    """A plot as a small SVG file."""
    with mpl.rc_context(STYLE):
        text = StringIO()
        DRAWN[name](found).savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return _tidied(text.getvalue())


def _figure(height: float, width: float = 7.2) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _tidied(text: str) -> str:
    text = re.sub(r"<\?xml.*?\?>\s*|<!DOCTYPE.*?>\s*|<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    # The style sheet that Matplotlib writes has one line, for strokes.
    text = re.sub(r"<style[^>]*>.*?</style>", _sheet(), text, count=1, flags=re.DOTALL)
    text = re.sub(r' style="([^"]*)"', _attributes, text)
    return re.sub(r"\n\s+", "\n", text)


def _attributes(found: re.Match[str]) -> str:
    """A style attribute as the attributes that SVG has for the same things."""
    pairs = [part.split(":", 1) for part in found.group(1).split(";") if ":" in part]
    made = []
    for name, value in ((name.strip(), value.strip()) for name, value in pairs):
        if name == "font":
            size = re.search(r"([\d.]+)px", value)
            made.append(f'font-size="{size.group(1) if size else 9}"')
        else:
            made.append(f'{name}="{value}"')
    return "".join(f" {one}" for one in made)


def _sheet() -> str:
    dark = "".join(f'[{side}="{light}"]{{{side}:{to}}}' for light, to in DARK.items() for side in ("fill", "stroke"))
    plain = f"*{{stroke-linejoin:round;stroke-linecap:butt}}text{{font-family:{FONTS}}}"
    return f"<style>{plain}@media(prefers-color-scheme:dark){{text{{fill:{DARK[INK]}}}{dark}}}</style>"
