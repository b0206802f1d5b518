"""`preceptor quality`: consensus, skills and diagnostics out of a file of judgments, or of a project."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import typer
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from preceptor.cli.connect import console, errors, installation, refusals
from preceptor.cli.label_files import known_answers, read_gold, read_labels
from preceptor.kit.errors import Invalid
from preceptor.kit.events import SYSTEM
from preceptor.kit.ids import new_id, read_id, show_id
from preceptor.projects import access
from preceptor.quality.agreement import Metric
from preceptor.quality.intervals import Estimate, Floats
from preceptor.quality.labels import BadLabels, Ints, NamedLabels
from preceptor.quality.report import Evaluation, Report, analyse, evaluate
from preceptor.quality.truth.choice import AUTO, METHODS
from preceptor.work.models_quality import QualityFit
from preceptor.work.service import fitting

app = typer.Typer(help="Judgments as numbers: agreement, consensus, skills.", no_args_is_help=True)

SHOWN_PEOPLE = 10
SHOWN_TASKS = 5
SCALES = ("nominal", "ordinal", "interval")


@app.callback()
def quality() -> None:
    """Judgments as numbers: agreement, consensus, skills."""


@app.command("fit")
def fit(
    labels: Annotated[Path, typer.Argument(help="CSV(.gz) or Parquet with the columns task_id, worker_id, label.")],
    gold: Annotated[
        Path | None, typer.Option(help="Known answers (task_id, gold) that are evidence for the fit.")
    ] = None,
    evaluate_: Annotated[
        Path | None,
        typer.Option("--evaluate", help="Known answers (task_id, gold) that are looked at only after the fit."),
    ] = None,
    method: Annotated[str, typer.Option(help=f"{AUTO}, or one of: {', '.join(METHODS)}.")] = AUTO,
    scale: Annotated[
        str, typer.Option(help="What labels are, for agreement: nominal, ordinal or interval.")
    ] = "nominal",
    repeats: Annotated[
        str, typer.Option(help="A person who judged a task more than once: the last counts, the first, or all.")
    ] = "last",
    json_: Annotated[Path | None, typer.Option("--json", help="File to write the figures to.")] = None,
    out: Annotated[Path | None, typer.Option(help="Parquet file for the consensus, a row for each task.")] = None,
    seed: Annotated[int, typer.Option(help="Decides folds, starts and resamples.")] = 0,
) -> None:
    """Turn judgments that disagree into answers with honest confidence, and say who judges how well."""
    with refusals():
        _refuse_unknown(method, scale, repeats)
        known = read_gold(gold) if gold else {}
        asked = read_gold(evaluate_) if evaluate_ else {}
        named = read_labels(labels, repeats=repeats, known=sorted({*known.values(), *asked.values()}))  # type: ignore[arg-type]  # checked above
        evidence = known_answers(named, known, gold) if gold else None
        truth = known_answers(named, asked, evaluate_) if evaluate_ else None
        report = _analysed(named, evidence, method, scale, seed)
        found = evaluate(report, truth) if truth is not None else None
        if json_ is not None:
            _write(json_, json.dumps(figures(named, report, found), indent=2) + "\n")
        if out is not None:
            _write_consensus(out, named, report)
        _print(named, report, found)


@app.command("project")
def project(
    project_id: Annotated[str, typer.Argument(help="A project's id (prj_...).")],
    method: Annotated[str, typer.Option(help=f"{AUTO}, or one of: {', '.join(METHODS)}.")] = AUTO,
    json_: Annotated[Path | None, typer.Option("--json", help="File to write the figures to.")] = None,
) -> None:
    """Weigh all judgments of a project of this installation anew, as the worker does by itself."""
    with refusals(), installation() as runtime:
        _refuse_unknown(method, "nominal", "last")
        found = read_id("project", project_id)
        with runtime.sessions() as session:
            access.project_for_client(session, SYSTEM, found)
        with _bar() as (bar, line):
            fitted = fitting.fit_project(
                runtime,
                found,
                new_id(),
                method=method,
                progress=lambda what: bar.update(line, total=None, description=what.capitalize()),
            )
        if fitted is None:
            raise fitting.NothingToFit
    if json_ is not None:
        _write(json_, json.dumps(_project_figures(fitted), indent=2) + "\n")
    console.print(f"{fitted.labels:,} labels on {fitted.tasks:,} tasks by {fitted.people:,} people")
    console.print(f"[bold]Method[/bold]     {fitted.why}")
    console.print(f"[bold]Agreement[/bold]  Krippendorff's alpha {_number(fitted.alpha)}")
    console.print(
        f"[bold]Accuracy[/bold]   {_number(fitted.accuracy)} on known answers that it was not shown; majority "
        f"{_number(fitted.majority_accuracy)}; calibration error {_number(fitted.ece)}"
    )
    console.print(f"{fitted.cpu_seconds:.1f} CPU seconds")


def _project_figures(fitted: QualityFit) -> dict[str, object]:
    return {
        "id": show_id("fit", fitted.id),
        "method": fitted.method,
        "why": fitted.why,
        "tasks": fitted.tasks,
        "workers": fitted.people,
        "labels": fitted.labels,
        "alpha": fitted.alpha,
        "accuracy": fitted.accuracy,
        "majority_accuracy": fitted.majority_accuracy,
        "ece": fitted.ece,
        "cpu_seconds": fitted.cpu_seconds,
    }


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


@contextmanager
def _bar() -> Iterator[tuple[Progress, TaskID]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        yield bar, bar.add_task("Weighing judgments", total=1.0)


def _refuse_unknown(method: str, scale: str, repeats: str) -> None:
    choices = {"--method": (method, (AUTO, *METHODS)), "--scale": (scale, SCALES)}
    choices["--repeats"] = (repeats, ("last", "first", "all"))
    for option, (given, known) in choices.items():
        if given not in known:
            raise Invalid(f"{option} {given} is not known. Use one of {', '.join(known)}.")


def _analysed(named: NamedLabels[str], gold: Ints | None, method: str, scale: str, seed: int) -> Report:
    metric: Metric = scale  # type: ignore[assignment]  # checked before
    with _bar() as (bar, line):
        try:
            return analyse(
                named.labels,
                gold=gold,
                method=method,
                metric=metric,
                rng=np.random.default_rng(seed),
                progress=lambda share, what: bar.update(line, completed=share, description=what.capitalize()),
            )
        except BadLabels as error:
            raise Invalid(str(error)) from error


def figures(named: NamedLabels[str], report: Report, found: Evaluation | None) -> dict[str, object]:
    """The figures as JSON values; what is unknown is null, with the reason beside it where there is one."""
    alpha, labels = report.alpha, named.labels
    return {
        "method": report.picked.name,
        "why": report.picked.why,
        "tasks": labels.items,
        "workers": labels.people,
        "labels": len(labels),
        "repeats_dropped": named.dropped,
        "classes": list(named.classes),
        "alpha": alpha.value,
        "alpha_low": alpha.low,
        "alpha_high": alpha.high,
        "alpha_reason": alpha.reason,
        "evaluated": found.known if found else None,
        "accuracy": found.accuracy.value if found else None,
        "accuracy_low": found.accuracy.low if found else None,
        "accuracy_high": found.accuracy.high if found else None,
        "majority_accuracy": found.majority_accuracy.value if found else None,
        "ece": found.reliability.ece.value if found else None,
        "brier": found.reliability.brier.value if found else None,
        "calibration": report.calibration.way.way if report.calibration else None,
        "tied_tasks": int((report.fit.tied > 1).sum()),
        "iterations": report.fit.iterations,
        "converged": report.fit.converged,
        "candidates": [dict(score) for score in report.picked.scores],
        "skills": [_skill(named, report, person) for person in range(labels.people)],
        "cpu_seconds": report.cpu_seconds,
    }


def _skill(named: NamedLabels[str], report: Report, person: int) -> dict[str, object]:
    accuracy = report.skills.of(person).accuracy
    return {
        "worker_id": named.people[person],
        "labels": accuracy.n,
        "accuracy": accuracy.value,
        "low": accuracy.low,
        "high": accuracy.high,
        "reason": accuracy.reason,
    }


def _write_consensus(path: Path, named: NamedLabels[str], report: Report) -> None:
    """A row for each task: label, probability, tied, number of labels, majority, ambiguity (chance that two answers
    are right), error_rate, the posterior as p_CLASS and the answers of a careful crowd as soft_CLASS."""
    posterior, answers = report.posterior, report.fit.answers
    columns: dict[str, object] = {
        "task_id": list(named.items),
        "label": [named.classes[answer] for answer in answers],
        "probability": posterior[np.arange(len(answers)), answers],
        "tied": report.fit.tied > 1,
        "labels": np.bincount(named.labels.item, minlength=named.labels.items),
        "ambiguity": _known(report.difficulty.ambiguous),
        "error_rate": _known(report.difficulty.error_rate),
        "majority": [named.classes[answer] for answer in report.majority.answers],
    }
    columns |= {f"p_{name}": posterior[:, index] for index, name in enumerate(named.classes)}
    soft = report.difficulty.soft_label
    columns |= {f"soft_{name}": soft[:, index] for index, name in enumerate(named.classes)}
    try:
        pq.write_table(pa.table(columns), path)
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror or error}.") from error


def _known(values: Floats) -> pa.Array:
    """NaN, which stands for "too few labels to say", as null."""
    return pa.array(values, from_pandas=True)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror or error}.") from error


def _print(named: NamedLabels[str], report: Report, found: Evaluation | None) -> None:
    labels = named.labels
    dropped = f"; {named.dropped:,} repeats left out" if named.dropped else ""
    console.print(
        f"{len(labels):,} labels of {labels.items:,} tasks by {labels.people:,} people, "
        f"{labels.classes} classes{dropped}"
    )
    console.print(f"[bold]Method[/bold]     {report.picked.why}")
    console.print(f"[bold]Agreement[/bold]  Krippendorff's alpha {_words(report.alpha)}")
    console.print(f"[bold]Sure[/bold]       {_sureness(report)}")
    if found is not None:
        console.print(
            f"[bold]Accuracy[/bold]   {_words(found.accuracy)} on {found.known:,} known answers; majority "
            f"{_words(found.majority_accuracy)}"
        )
        console.print(
            f"[bold]Confidence[/bold] calibration error (ECE) {_words(found.reliability.ece)}; "
            f"Brier {_words(found.reliability.brier)}"
        )
    console.print(_people_table(named, report))
    ambiguous = report.difficulty.most_ambiguous(SHOWN_TASKS)
    if len(ambiguous):
        names = ", ".join(str(named.items[item]) for item in ambiguous)
        console.print(f"Tasks on which people seem to differ rightly: {names}")
    console.print(f"{report.cpu_seconds:.1f} CPU seconds")


def _sureness(report: Report) -> str:
    sure = report.posterior.max(axis=1)
    parts = [f"{float((sure >= level).mean()):.0%} of tasks at {level:.0%} or more" for level in (0.99, 0.95, 0.8)]
    return ", ".join(parts)


def _people_table(named: NamedLabels[str], report: Report) -> Table:
    given = np.bincount(named.labels.person, minlength=named.labels.people)
    busiest = np.argsort(-given, kind="stable")[:SHOWN_PEOPLE]
    more = len(given) - len(busiest)
    table = Table(title="Skills" + (f" (the {len(busiest)} with most labels; {more} more in --json)" if more else ""))
    for column in ("worker", "labels", "accuracy", "95 % interval"):
        table.add_column(column, justify="left" if column == "worker" else "right")
    for person in busiest:
        accuracy = report.skills.of(int(person)).accuracy
        interval = "" if accuracy.low is None else f"{accuracy.low:.3f} to {accuracy.high:.3f}"
        value = accuracy.reason or "unknown" if accuracy.value is None else f"{accuracy.value:.3f}"
        table.add_row(str(named.people[person]), f"{given[person]:,}", value, interval)
    return table


def _words(estimate: Estimate) -> str:
    if estimate.value is None:
        return f"unknown: {estimate.reason}"
    if estimate.low is None:
        return f"{estimate.value:.3f} (no interval: {estimate.reason})"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
