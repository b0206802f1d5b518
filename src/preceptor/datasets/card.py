"""The dataset card: README.md with the YAML header that dataset hubs and `datasets` read.

Numbers come from the data, sentences about method from how the platform works.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from preceptor.datasets.options import DecidedBy, ReleaseOptions
from preceptor.datasets.posteriors import AMBIGUOUS_MIN
from preceptor.datasets.suggested import BLIND
from preceptor.datasets.tally import ReleaseTally
from preceptor.kit.ids import show_id
from preceptor.kit.money import Money
from preceptor.projects.models import GuidelinesVersion, Project, RubricVersion
from preceptor.quality import Estimate, wilson
from preceptor.tasktypes.base import AnyTaskType
from preceptor.work.models_quality import QualityFit

GUIDELINES_CHARACTERS_MAX = 20_000
"""Longer guidelines are only linked."""
_SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
_SIZE_NAMES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "n>10M")


@dataclass(frozen=True)
class CardFacts:
    """Everything the card is made of."""

    project: Project
    title: str
    number: int
    kind: AnyTaskType
    rows: Mapping[str, int]
    """Rows by table, the main one first, judgments last."""
    left_out: Mapping[str, int]
    """Rows that a provider's format has no place for, by file."""
    tally: ReleaseTally
    guidelines: Sequence[GuidelinesVersion]
    """Versions that somebody worked under, oldest first."""
    rubric: RubricVersion | None
    options: ReleaseOptions
    fits: Sequence[QualityFit]
    """Fits that the chances of some rows come from, oldest first."""

    @property
    def main(self) -> str:
        """Name of the table that trainers read first."""
        return next(iter(self.rows))

    @property
    def filled(self) -> Sequence[str]:
        """Tables that are named as configs: `datasets` refuses to load one without rows."""
        return [name for name, rows in self.rows.items() if rows] or list(self.rows)


def render_card(facts: CardFacts) -> str:
    """The whole README.md."""
    sections = [
        _header(facts),
        f"# {_line(facts.project.title)}: {_line(facts.title)}",
        _summary(facts),
        "## What is in it",
        _contents(facts),
        "## How it was collected",
        _collection(facts),
        "## People and pay",
        _people(facts),
        "## Agreement",
        _agreement(facts),
        *_suggestions(facts),
        "## How sure the answers are",
        _certainty(facts),
        *_columns(facts),
        *_guidelines(facts),
        *_rubric(facts),
        "## Provenance",
        PROVENANCE,
        "## Known limits",
        _limits(facts),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def size_category(rows: int) -> str:
    """The hub's size bucket for a number of rows."""
    return _SIZE_NAMES[sum(rows >= limit for limit in _SIZES)]


def _header(facts: CardFacts) -> str:
    # JSON strings are YAML strings, whatever a title holds.
    shapes = dict.fromkeys(table.shape for table in facts.kind.tables.values() if table.shape != "plain")
    tags = [facts.project.task_type, "human-feedback", *shapes, facts.project.data_source or "people"]
    lines = [
        "---",
        f"pretty_name: {json.dumps(f'{facts.project.title}: {facts.title}', ensure_ascii=False)}",
        "# Choose a licence before you publish this: nobody has chosen one yet.",
        "license: unknown",
        "size_categories:",
        f"- {size_category(facts.rows[facts.main])}",
        f"tags: {json.dumps(tags, ensure_ascii=False)}",
        "configs:",
        *(line for name in facts.filled for line in _config(name, default=name == facts.filled[0])),
        "---",
    ]
    return "\n".join(lines)


def _config(name: str, *, default: bool = False) -> list[str]:
    lines = [f"- config_name: {name}"]
    if default:
        lines.append("  default: true")
    return [*lines, "  data_files:", "  - split: train", f"    path: {name}/train-*.parquet"]


def _summary(facts: CardFacts) -> str:
    return (
        f"Release {facts.number} of the project “{_line(facts.project.title)}”, kind of work: "
        f"{facts.kind.title.lower()}. {_made(facts)}**{facts.rows['judgments']:,} individual "
        f"judgments** on {facts.tally.tasks:,} tasks. {_origin(facts)}"
        + (f"\n\n{facts.project.summary}" if facts.project.summary else "")
    )


def _origin(facts: CardFacts) -> str:
    match facts.project.data_source:
        case "simulated":
            return "**The judgments are simulated: no human gave them.**"
        case "recorded":
            return "The judgments were given by real people elsewhere, recorded there, and replayed on this platform."
    simulated, people = len(facts.tally.simulated), len(facts.tally.people)
    if simulated:
        return f"**{simulated} of the {people} people are simulated.**"
    return "The judgments were given by people on this platform." if people else "All labels were imported."


def _made(facts: CardFacts) -> str:
    made = [f"**{rows:,} rows of `{name}`**" for name, rows in facts.rows.items() if name in facts.kind.tables]
    return f"{', '.join(made)} out of " if made else ""


def _contents(facts: CardFacts) -> str:
    tables = [
        f"| `{name}` (Parquet) | {facts.rows[name]:,} | {table.about} |" for name, table in facts.kind.tables.items()
    ]
    listed = "\n".join(tables) + "\n" if tables else ""
    return f"""\
| part | rows | what a row is |
|---|---|---|
{listed}| `judgments` (Parquet) | {facts.rows["judgments"]:,} | one person's judgment, under a pseudonym, \
with its state |
| `provenance.parquet` | {facts.tally.tasks:,} | one task: its submissions, reviews, pay, guidelines version |
| `jsonl/` | | the same rows as JSON Lines |
| `providers/` | | the same rows as providers of fine-tuning read them, where there are any |
| `files/` | | other formats of the task type, where there are any |
| `guidelines/` | {len(facts.guidelines)} | every version that somebody worked under |
{_left_out(facts)}
```python
from datasets import load_dataset
{facts.filled[0]} = load_dataset("parquet", data_files="{facts.filled[0]}/*.parquet", split="train")
```"""


def _left_out(facts: CardFacts) -> str:
    if not facts.left_out:
        return ""
    listed = ", ".join(f"{rows:,} of `{path}`" for path, rows in sorted(facts.left_out.items()))
    return f"\nLeft out of providers' files because the format has no place for them, in rows: {listed}.\n"


def _columns(facts: CardFacts) -> list[str]:
    return [table.columns for table in facts.kind.tables.values() if table.columns]


def _collection(facts: CardFacts) -> str:
    tally, project = facts.tally, facts.project
    when = f"from {_day(tally.first)} to {_day(tally.last)}" if tally.first and tally.last else "never"
    seconds = tally.median_seconds()
    lines = [
        f"- Judged {when}. Each task asks {project.overlap} people by default; nobody judges a task twice. What "
        "could give a source away is not shown; orders are drawn anew for each person and recorded (`shown_order`).",
        f"- States of the judgments: {_counted(tally.states)}. **Only approved judgments count** for `{facts.main}`: "
        "submitted ones that nobody has decided about yet, returned, lapsed and rejected ones are in `judgments` "
        "with their `state` and `counted = false`.",
        f"- {project.review_percent} % of submissions are drawn for review; decisions so far: "
        f"{_counted(tally.decisions)}. What is not drawn is approved without being looked at.",
        f"- Rows of `{facts.main}` that came with the imported file: {tally.imported_pairs:,} "
        "(`label_source = imported`); they are used only where nobody here judged.",
        f"- Answers are decided by {_rule(facts.options)}. Units without a row, because {_undecided(facts)}: "
        f"{tally.undecided:,}.",
        f"- Gold tasks (known answers that measure people): {tally.gold_tasks:,}. {_gold(facts)} Judgments on them are "
        "in `judgments`, marked `gold`: many people judge the same few tasks, so leave these rows out where each row "
        "is to weigh the same, and do not publish them while the gold tasks are in use.",
        "- Median working time of a judgment: "
        + ("not measured." if seconds is None else f"{seconds:,.0f} seconds, idle time left out."),
    ]
    return "\n".join(lines)


def _rule(options: ReleaseOptions) -> str:
    if options.decided_by is DecidedBy.POSTERIOR:
        return f"posterior: the likeliest label, where its probability is at least {options.least}"
    return "majority: the label with most votes"


def _undecided(facts: CardFacts) -> str:
    if facts.options.decided_by is DecidedBy.POSTERIOR:
        return "no label is likely enough, or a tie is likeliest"
    return "people were split or called it a tie"


def _gold(facts: CardFacts) -> str:
    if facts.options.gold:
        return (
            f"They give {facts.tally.gold_pairs:,} rows with the known answer, one for a unit however many "
            "people were measured with it (`label_source = gold`)."
        )
    return "They give no rows, because their answers test people and were not judged by them."


def _people(facts: CardFacts) -> str:
    tally = facts.tally
    rates = ", ".join(
        f"{Money(minor, currency)} ({times:,})" for (minor, currency), times in sorted(tally.rates.items())
    )
    paid = ", ".join(str(amount) for amount in tally.pay()) or "nothing yet"
    lines = [
        f"- People: {len(tally.people):,}"
        + (f", of whom {len(tally.simulated):,} are simulated or replayed accounts." if tally.simulated else "."),
        f"- Pay for one judgment (judgments at that rate): {rates or 'none'}. Paid for approved judgments: {paid}.",
        "- People are named by pseudonyms (keyed hashes): the same person has the same name in all releases of this "
        "organization, and the names cannot be turned back. Names, addresses and profiles are not in the data.",
    ]
    return "\n".join(lines)


def _agreement(facts: CardFacts) -> str:
    found, units = facts.tally.agreement, facts.tally.agreement.units
    if units == 0:
        return "No unit has labels of two people that count, so agreement is unknown."
    return (
        f"Krippendorff's alpha (nominal): **{_estimate(facts.tally.alpha())}** over {units:,} units with at "
        f"least two counted judgments. Unanimous: {_share(found.unanimous, units)}; decided by majority: "
        f"{_share(found.decided, units)}; split evenly: {_share(found.split, units)}. "
        f"Ties by vote: {facts.tally.tied:,}."
    )


def _certainty(facts: CardFacts) -> str:
    tally = facts.tally
    weighed = tally.fits.total() + tally.assumed
    if weighed == 0:
        return "Nobody's judgments were weighed here, so there is nothing to say beyond what was imported or written."
    lines = [_fit(fit, tally.fits[fit.id]) for fit in reversed(facts.fits)]
    if tally.weighed_anew:
        lines.append(
            f"- {tally.weighed_anew:,} of these tasks were judged since: they are weighed by what the fit knows of "
            "people, without its calibration."
        )
    if tally.assumed:
        lines.append(
            f"- {tally.assumed:,} tasks rest on no fit (`probability_source = assumed`): people are taken to be right "
            f"in {100 * facts.project.standard:.0f} % of judgments, which is the project's standard, and nobody is "
            "better than others. Read these as votes on another scale."
        )
    lines += [
        f"- Units in which the likeliest label is not the one with most votes: {tally.overruled:,}.",
        _ambiguity(tally),
    ]
    return "\n".join(lines)


def _fit(fit: QualityFit, tasks: int) -> str:
    return (
        f"- {tasks:,} tasks by fit `{show_id('fit', fit.id)}` of {_day(fit.created_at)}: {_line(fit.method)}, on "
        f"{fit.labels:,} judgments of {fit.people:,} people. {_sentence(fit.why)} {_calibration(fit)}"
    )


def _calibration(fit: QualityFit) -> str:
    known = int(fit.diagnostics.get("gold") or 0)
    if known == 0:
        return "No known answer was judged, so **nobody has checked whether the chances are right**."
    told = f"On {known:,} known answers, which it was not shown for this"
    if fit.accuracy is not None:
        told += f", it is right in {_estimate(wilson(min(known, fit.accuracy * known), known))}"
        if fit.majority_accuracy is not None:
            told += f" (majority: {fit.majority_accuracy:.3f})"
    if fit.ece is None:
        return f"{told}; too few to say how well its chances are calibrated."
    return f"{told}; expected calibration error (ECE): **{fit.ece:.3f}**."


def _ambiguity(tally: ReleaseTally) -> str:
    if tally.readable == 0:
        return "- Whether people err or legitimately differ is not known: it takes a fit and two judgments of a task."
    share = wilson(tally.ambiguous, tally.readable)
    return (
        f"- Tasks on which people legitimately differ rather than err (`ambiguity` of at least {AMBIGUOUS_MIN}): "
        f"{tally.ambiguous:,} of {tally.readable:,} that can be told, a share of {_estimate(share)}."
    )


def _sentence(text: str) -> str:
    line = _line(text)
    return line if not line or line[-1] in ".!?" else f"{line}."


def _suggestions(facts: CardFacts) -> list[str]:
    found = facts.tally.suggestions
    if not found:
        return []
    shown = found.total() - found[BLIND]
    became = {name: count for name, count in found.items() if name != BLIND}
    text = (
        f"Of {found.total():,} judgments a model's suggestion existed. {shown:,} were given with it in sight "
        f"({_counted(became)}), {found[BLIND]:,} on tasks that were drawn to be judged without it. "
        "`suggestion` says so for each row of `judgments` (empty where there was none), `suggestion_model` which model "
        "it was. Accepted means that the answer is the suggestion, edited that the person began with it and changed "
        "it, rejected that they did not take it."
    )
    return ["## Suggestions of a model", text]


def _guidelines(facts: CardFacts) -> list[str]:
    if not facts.guidelines:
        return []
    listed = "\n".join(
        f"- [version {version.number}](guidelines/v{version.number}.md), {_day(version.created_at)}: "
        f"{facts.tally.guidelines[version.number]:,} judgments"
        for version in facts.guidelines
    )
    newest = facts.guidelines[-1]
    if len(newest.body) > GUIDELINES_CHARACTERS_MAX:
        return ["## Guidelines", listed]
    return ["## Guidelines", listed, f"Version {newest.number} in full:", _quoted(newest.body)]


def _rubric(facts: CardFacts) -> list[str]:
    if facts.rubric is None or not facts.rubric.criteria:
        return []
    rows = [
        f"| {_cell(criterion.get('title', criterion.get('key', '')))} | {_cell(criterion.get('description', ''))} "
        f"| {criterion.get('scale_min', '')} to {criterion.get('scale_max', '')} | {criterion.get('weight', '')} |"
        for criterion in facts.rubric.criteria
    ]
    table = "\n".join(["| criterion | what it means | scale | weight |", "|---|---|---|---|", *rows])
    return [f"## Rubric (version {facts.rubric.number})", table]


PROVENANCE = """\
Every row carries `task_id`; `provenance.parquet` leads from there to the guidelines and rubric versions, the fit \
and its chances, the submissions, the reviews and the pay (the ledger names each payment by `claim_id`). \
`manifest.json` names the fits, and holds size, rows and SHA-256 of every file; its own SHA-256 identifies the \
release, which never changes once built."""


def _limits(facts: CardFacts) -> str:
    limits = [
        "- Agreement is not truth: people can be wrong together. The interval takes units as independent, which units "
        "that share a task or a person are not quite.",
        "- Texts that people wrote are free text. Nobody has searched them for personal data.",
        "- Most people of this release may share a language, a country or a taste; profiles are not in the data.",
    ]
    if facts.tally.suggestions.total() > facts.tally.suggestions[BLIND]:
        limits.append(
            "- People who saw a model's suggestion judge nearer to it than they would have. Agreement among them, and "
            "chances that rest on them, are the greater for it; blind judgments are not."
        )
    if facts.tally.imported_pairs:
        limits.append("- Imported labels were not checked here; how they came about is not known.")
    if facts.tally.simulated or facts.project.data_source == "simulated":
        limits.append("- Simulated or replayed judgments say nothing about how people work on this platform.")
    return "\n".join(limits)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items())) or "none"


def _estimate(estimate: Estimate) -> str:
    if estimate.value is None:
        return f"unknown ({estimate.reason})"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f} (interval unknown: {estimate.reason})"
    return f"{estimate.value:.3f} (95 % interval {estimate.low:.3f} to {estimate.high:.3f})"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")


def _line(text: str) -> str:
    """Text that must stay on its line."""
    return " ".join(text.split())


def _cell(text: object) -> str:
    return _line(str(text)).replace("|", "\\|")


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
