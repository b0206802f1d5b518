"""`preceptor demo`: the main job once in front of the user, then everything keeps running to be clicked through."""

import json
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from preceptor.cli.connect import console, errors
from preceptor.cli.local_model import KeptModel, kept_model
from preceptor.cli.postgres import PostgresError
from preceptor.cli.processes import ProcessError
from preceptor.cli.serve import served
from preceptor.demo.extras import add_extras
from preceptor.demo.kinds import add_kinds
from preceptor.demo.material import Material
from preceptor.demo.recorded import NotAReplay, is_replay, read_recorded
from preceptor.demo.run import Run
from preceptor.demo.simulation import Simulation
from preceptor.demo.summary import Summary
from preceptor.demo.waiting import Bar, DemoFailed
from preceptor.endpoints import local
from preceptor.kit.runtime import start_runtime
from preceptor.kit.settings import Settings

DEFAULT_REPLAY = Path("..") / "shared" / "data" / "ukp_convarg"
MARKER = "demo-summary.json"


def demo(
    once: Annotated[bool, typer.Option("--once", help="Run the main job and end, without serving.")] = False,
    summary_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the summary as JSON.")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Folder with recorded judgments (UKPConvArg1 columns).", exists=True)
    ] = None,
    simulated: Annotated[bool, typer.Option("--simulated", help="Use simulated contributors in any case.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Forget an earlier demo and start anew.")] = False,
    port: Annotated[int | None, typer.Option(help="Port to listen on (PRECEPTOR_PORT, 8000).")] = None,
) -> None:
    """Run the whole main job with progress bars, show its numbers, then serve it with one-click sign-in.

    Judgments are real recorded ones where a folder of them is at hand, else openly simulated; the summary says which.
    """
    settings = _settings(once, port)
    try:
        material, simulation = _material(replay, simulated)
        raise typer.Exit(_run(settings, material, simulation, once=once, summary_file=summary_file, reset=reset))
    except (PostgresError, ProcessError, NotAReplay, DemoFailed) as error:
        errors.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from error


def _settings(once: bool, port: int | None) -> Settings:
    """Demo mode on the demo's own data folder; a run without serving uses any free port and a folder of its own."""
    given = Settings()
    folder = given.data_dir / ("demo-once" if once else "demo")
    number = port if port is not None else 0 if once else given.port
    return given.model_copy(
        update={"mode": "demo", "data_dir": folder, "port": number, "web_processes": 2, "sweep_seconds": 1}
    )


def _material(replay: Path | None, simulated: bool) -> tuple[Material, Simulation | None]:
    folder = replay or DEFAULT_REPLAY
    if not simulated and (replay is not None or is_replay(folder)):
        return read_recorded(folder), None
    simulation = Simulation()
    return simulation.material(), simulation


def _run(
    settings: Settings,
    material: Material,
    simulation: Simulation | None,
    *,
    once: bool,
    summary_file: Path | None,
    reset: bool,
) -> int:
    marker = settings.data_dir / MARKER
    if once or reset or not marker.exists() or _wants_reset():
        # Without the marker an earlier run did not come to its end: nothing of it can be shown.
        shutil.rmtree(settings.data_dir, ignore_errors=True)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with kept_model(settings) as model, served(_told(settings, model)) as (supervisor, url, base):
        if supervisor.stopping:
            return 0
        if model is not None:
            supervisor.keep("local model", model.restart_if_dead)
        if not marker.exists():
            runtime = start_runtime(_told(settings, model), database_url=url)
            with _bars() as progress:
                run = Run(runtime, base, material, simulation, _opener(progress))
                result = run.run()
                add_extras(runtime, run.cast, base, _opener(progress))
                result.models = add_kinds(runtime, run.cast, _opener(progress))
            runtime.engine.dispose()
            marker.write_text(json.dumps(result.as_json(), indent=2))
        found = json.loads(marker.read_text())
        if summary_file is not None:
            summary_file.write_text(json.dumps(found, indent=2) + "\n")
        _show(found)
        _say_model(found)
        if once:
            return 0 if _is_sound(found) else 1
        console.print(f"\nOpen [bold]{base}[/bold] and choose who to be. Ctrl-C stops everything.")
        return supervisor.run()


def _told(settings: Settings, model: KeptModel | None) -> Settings:
    return settings if model is None else model.told(settings)


def _say_model(found: dict[str, Any]) -> None:
    """One line where nobody can talk to a model here: what is missing, and how it comes."""
    if found.get("models"):
        return
    lacking = local.missing()
    if lacking is not None:
        words = f"No model to talk to: {lacking} is missing. `make local-model`, then `make demo RESET=1`, brings it."
    else:
        words = "This demo was made without a model to talk to. `make demo RESET=1` makes one with it."
    console.print(words, style="yellow", markup=False)


def _wants_reset() -> bool:
    """Offer to start over; a script, or no answer, keeps the demo as it is."""
    if not sys.stdin.isatty():
        console.print("An earlier demo is there and is served again. `make demo RESET=1` starts a new one.")
        return False
    return typer.confirm("An earlier demo is there. Start over from nothing?", default=False)


def _bars() -> Progress:
    """Fits into 80 columns."""
    return Progress(
        TextColumn("{task.description:<40}"),
        BarColumn(bar_width=12),
        TextColumn("{task.fields[count]:>11}"),
        TextColumn("{task.fields[rate]:>8}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=console,
    )


def _opener(progress: Progress) -> Bar:
    def open_bar(title: str, foreseen: int | None) -> Callable[[], None]:
        # Nothing to do is done at once; an unknown amount is a bar that is full as soon as it moves.
        task = progress.add_task(title[:40], total=1 if foreseen is None else foreseen, rate="", count="")
        lock = threading.Lock()

        def step() -> None:
            # Twelve clients move one bar.
            with lock:
                progress.advance(task)
                shown = progress.tasks[task]
                done = int(shown.completed)
                # Adaptive overlap may ask, and reviews may be drawn, beyond what was foreseen: the whole grows with it.
                total = max(foreseen or 1, done)
                # Over the whole time so far: steps that come in a burst would show a rate that nothing has.
                speed = done / shown.elapsed if shown.elapsed else 0
                progress.update(
                    task,
                    total=total,
                    rate=f"{speed:,.0f}/s" if speed >= 1 else "",
                    count=f"{done:,}/{total:,}" if foreseen else f"{done:,}",
                )

        return step

    return open_bar


def _is_sound(found: dict[str, Any]) -> bool:
    exact = found["submissions"] == found["expected_submissions"]
    nothing_wrong = not any(found[name] for name in ("duplicates", "lost", "ledger_imbalance_minor", "ledger_wrong"))
    return exact and nothing_wrong


def _show(found: dict[str, Any]) -> None:
    shown = Summary(**found)
    source = "recorded judgments of real people" if shown.source == "recorded" else "SIMULATED contributors"
    table = Table(title=f"The main job, on {source}", show_header=False, title_justify="left")
    table.add_column(ratio=1)
    table.add_column(ratio=1)
    for name, value in _lines(shown):
        table.add_row(name, value)
    console.print(table)


def _lines(shown: Summary) -> list[tuple[str, str]]:
    lines = [
        ("Tasks", f"{shown.tasks:,}"),
        ("Claims", f"{shown.claims:,}"),
        ("Judgments", f"{shown.submissions:,} of {shown.expected_submissions:,} expected"),
        ("Lost / twice", f"{shown.lost} / {shown.duplicates}"),
        ("Approved / rejected", f"{shown.approved:,} / {shown.rejected:,}"),
        ("Earned / paid out", f"{_usd(shown.earned_minor)} / {_usd(shown.paid_minor)}"),
        ("Ledger", "balances to the cent" if not shown.ledger_imbalance_minor and not shown.ledger_wrong else "WRONG"),
        ("Agreement (Krippendorff's alpha)", _estimate(shown.alpha, shown.alpha_low, shown.alpha_high)),
        (
            f"Right, against {shown.consensus_note}",
            f"most probable answer {_share(shown.posterior_accuracy)}, majority {_share(shown.consensus_accuracy)}"
            f"\nof {shown.consensus_compared:,} tasks",
        ),
        *_quality_lines(shown.quality),
        ("Models to talk to", f"{shown.models}, on this machine" if shown.models else "none"),
        ("Release", f"{shown.release_pairs:,} pairs, sha256 {(shown.release_sha256 or '')[:16]}..."),
        (
            f"Reward model on {shown.reward_test_pairs} pairs: {shown.reward_test_note}",
            f"{_estimate(shown.reward_accuracy, shown.reward_accuracy_low, shown.reward_accuracy_high)}"
            f"\nthe longer one wins: {_share(shown.length_baseline_accuracy)}",
        ),
    ]
    if shown.more_reward_accuracy is not None:
        lines.append(
            (
                f"... trained on {shown.more_train_pairs:,} pairs, with imported preferences",
                _estimate(shown.more_reward_accuracy, shown.more_reward_accuracy_low, None),
            )
        )
    lines.append(("Seconds", ", ".join(f"{name} {value:.0f}" for name, value in shown.seconds.items())))
    return lines


def _quality_lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    """What the quality engine did; nothing where a summary of an earlier version says nothing about it."""
    if not found:
        return []
    lines = [("Fits / last method", f"{found['fits']} / {found['method']}")]
    if found["adaptive"]:
        gold = f"{found['gold_judgments']:,} checks by known answers cost {_usd(found['gold_cost_minor'])}"
        per_task = found["judgments_per_task"]
        lines += [
            (
                "Judgments per settled task",
                f"{'unknown' if per_task is None else f'{per_task:.2f}'} instead of {found['cap']}, "
                f"{found['escalated']} of {found['settled']} tasks escalated, {found['still_asking']} still asking",
            ),
            (f"Saved against {found['cap']} for every task", f"{_usd(found['saved_minor'])}\n{gold}"),
            ("Receipts", ", ".join(f"{count} {kind}" for kind, count in found["receipts"].items()) or "none"),
            (
                "Appeals",
                f"{found['appealed']} made, {found['appeals_overturned']} of {found['appeals_decided']} decided "
                "overturned and paid",
            ),
            (
                "Challenges to known answers",
                f"{found['challenges_upheld']} upheld ({found['rescored']} people rescored), "
                f"{found['challenges_dismissed']} dismissed, {found['challenges_open']} open",
            ),
            ("Retrained and passed", f"{found['retrainings_passed']} of {found['receipts'].get('retrain', 0)}"),
            ("Second / known reviews", f"{found['double_reviews']} / {found['gold_reviews']}"),
        ]
    evidence = ", ".join(f"{count} {kind}" for kind, count in found["evidence"].items()) or "none"
    lines.append((f"Findings (e-values), on {found['people']:,} people", evidence))
    if found["planted"] is not None:
        lines.append(
            (
                "Planted people found / false alarms",
                f"{found['planted_found']} of {found['planted']} / {found['false_alarms']} of {found['honest']} honest",
            )
        )
    return lines


def _usd(minor: int) -> str:
    return f"{minor // 100:,}.{minor % 100:02d} USD"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _estimate(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "unknown"
    interval = f"  (95 %: {_share(low)} to {_share(high)})" if high is not None else f"  (95 %: from {_share(low)})"
    return f"{value:.3f}{interval if low is not None else ''}"
