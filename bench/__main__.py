"""Measure: `python -m bench` (all), `--quick` (a tenth of it), `--only throughput`, `--json FILE`."""

import argparse
import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import drop, files, latency, pages, throughput
from bench.files import Bulk
from bench.latency import Latency
from bench.quality import sets
from bench.server import Server, running
from bench.throughput import RATIO_WANTED, Throughput
from bench.world import World

console = Console()
SIZES = (10_000, 100_000, 1_000_000)
QUICK_SIZES = (10_000, 100_000)
SERVED = ("throughput", "drop", "latency", "files", "pages")
"""Parts that need a running server ..."""
PURE = ("speed", "agreement", "accuracy", "adaptive", "incremental", "pairwise", "evidence")
"""... and those of the quality engine, each a module of `bench.quality` with `run(quick, console)`."""
NEED_SETS = frozenset({"accuracy", "adaptive", "incremental", "pairwise"})
PARTS = (*SERVED, *PURE)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the claims, no million tasks")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part (may be repeated)")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    given = parser.parse_args(argv)
    parts = given.only or list(PARTS)
    console.print(f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    figures = _measure_served([part for part in parts if part in SERVED], given.quick)
    for part in (part for part in parts if part in PURE):
        figures[part] = _measure_pure(part, given.quick)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2, default=dataclasses.asdict))
    return 0


def _measure_served(parts: Sequence[str], quick: bool) -> dict[str, object]:
    if not parts:
        return {}
    with tempfile.TemporaryDirectory(prefix="preceptor-bench-") as folder, running(Path(folder)) as server:
        world = World.made(server.engine)
        return {part: MEASURES[part](server, world, quick) for part in parts}


def _measure_pure(part: str, quick: bool) -> dict[str, object] | None:
    if part in NEED_SETS and not sets.there():
        console.print(f"[yellow]{part} is left out: the published sets are not in {sets.FOLDER}.[/yellow]")
        return None
    console.rule(part)
    run: Callable[[bool, Console], dict[str, object]] = import_module(f"bench.quality.{part}").run
    return run(quick, console)


def _throughput(server: Server, world: World, quick: bool) -> Throughput:
    found = throughput.measure(server, world, 2_000 if quick else 20_000)
    table = Table(title="Claim and submit: HTTP (32 clients, 2 web processes) beside pgbench (32 clients)")
    for column in ("", "HTTP/s", "pgbench/s", f"ratio (at most {RATIO_WANTED})", "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(column, justify="right")
    for name, side in (("claim", found.claim), ("submit", found.submit)):
        table.add_row(
            name,
            f"{side.http_per_second:,.0f}",
            f"{side.pgbench_per_second:,.0f}",
            f"1/{side.pgbench_is_faster_by:.1f}",
            *(f"{value:.1f}" for value in (side.p50_ms, side.p95_ms, side.p99_ms)),
        )
    console.print(table)
    console.print(
        f"Next + submit by 32 people: {found.pairs_per_second:,.0f} pairs/s, server CPU "
        f"[bold]{found.cpu_ms_per_pair:.2f} ms[/bold] a pair (web {found.cpu_ms_per_pair_web:.2f}, "
        f"database {found.cpu_ms_per_pair_database:.2f})"
    )
    console.print(
        f"{found.claims:,} claims: {found.doubles} doubles, {found.lost} lost, wrong: {found.wrong or 'nothing'}"
    )
    return found


def _drop(server: Server, world: World, quick: bool) -> drop.Drop:
    found = drop.measure(server, world)
    console.print(
        f"Drop: {found.people} people at once, {found.served} served with {found.different_tasks} different tasks; "
        f"median {found.median_seconds:.2f} s, the last after [bold]{found.last_has_work_after_seconds:.2f} s[/bold]"
    )
    return found


def _latency(server: Server, world: World, quick: bool) -> list[Latency]:
    found = latency.measure(server, QUICK_SIZES if quick else SIZES, 100 if quick else 300)
    table = Table(title="One claim (sign-in to commit) by length of the queue, median ms")
    for column in ("tasks", "anybody", "who did 10,000 of them", "by index"):
        table.add_column(column, justify="right")
    for line in found:
        table.add_row(
            f"{line.tasks:,}", f"{line.median_ms:.2f}", f"{line.veteran_ms:.2f}", "yes" if line.uses_index else "NO"
        )
    console.print(table)
    medians = [value for line in found for value in (line.median_ms, line.veteran_ms)]
    console.print(f"slowest / fastest median: [bold]{max(medians) / min(medians):.2f}[/bold] (at most 1.5)")
    return found


def _files(server: Server, world: World, quick: bool) -> dict[str, Bulk]:
    rows = 10_000 if quick else 100_000
    with tempfile.TemporaryDirectory(prefix="preceptor-bench-files-") as folder:
        found = files.measure(server, world, rows, Path(folder))
    table = Table(title="Files")
    for column in ("", "rows", "rows/s", "seconds", "peak MiB", "before the first row MiB"):
        table.add_column(column, justify="right")
    for name, bulk in found.items():
        table.add_row(
            name,
            f"{bulk.rows:,}",
            f"{bulk.rows_per_second:,.0f}",
            f"{bulk.seconds:.1f}",
            f"{bulk.peak_mib:.0f}",
            f"{bulk.before_mib:.0f}",
        )
    console.print(table)
    return found


def _pages(server: Server, world: World, quick: bool) -> list[pages.Line]:
    found = pages.measure(server, 1 if quick else pages.OPENINGS)
    table = Table(title=f"Desks: median of {1 if quick else pages.OPENINGS} openings with an empty cache")
    for column in ("kind", "template"):
        table.add_column(column, overflow="fold")
    for column in ("own gzip kB", "together gzip kB", "requests", "interactive ms", "next ms", "reply ms", "alone ms"):
        table.add_column(column, justify="right")
    for line in found:
        table.add_row(
            line.kind,
            line.template,
            f"{line.own_kb:.1f}",
            f"{line.together_kb:.1f}",
            str(line.requests),
            f"{line.interactive_ms:.0f}",
            f"{line.next_ms:.0f}",
            f"{line.reply_ms:.0f}",
            f"{line.alone_ms:.0f}",
        )
    console.print(table)
    return found


MEASURES: dict[str, Callable[[Server, World, bool], object]] = {
    "throughput": _throughput,
    "drop": _drop,
    "latency": _latency,
    "files": _files,
    "pages": _pages,
}

if __name__ == "__main__":
    raise SystemExit(main())
