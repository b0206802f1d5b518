"""`preceptor judges`: AI judges from the command line."""

import json
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Column, Table
from sqlalchemy.orm import Session

import preceptor.work.jobs  # noqa: F401  a run defers a job, which has to be registered
from preceptor.api.judges import shown
from preceptor.cli.connect import console, installation, refusals
from preceptor.cli.endpoints import endpoint_named
from preceptor.endpoints import local
from preceptor.kit.db import transaction
from preceptor.kit.events import SYSTEM
from preceptor.kit.ids import read_id, show_id
from preceptor.projects import access
from preceptor.work.access_judging import judge_for_client
from preceptor.work.models_judging import AiJudge, JudgeScope, JudgmentOutcome
from preceptor.work.service import judges, judging
from preceptor.work.service.judges import JudgeIn, JudgeReport, RunIn
from preceptor.work.service.judging_progress import progress_of

app = typer.Typer(help="Models that judge like one more annotator.", no_args_is_help=True)


@app.command("add")
def add(
    project: Annotated[str, typer.Argument(help="The project's id (prj_...).")],
    title: Annotated[str, typer.Argument(help="What people call the judge.")],
    endpoint: Annotated[str, typer.Option(help="An endpoint's id (mep_...) or exact name.")],
    words: Annotated[str, typer.Option(help="What it is told beside the guidelines and the rubric.")] = "",
    critique: Annotated[bool, typer.Option("--critique", help="Criticise and revise each answer.")] = False,
    both_orders: Annotated[bool, typer.Option("--both-orders", help="Ask in both orders.")] = False,
) -> None:
    """Make a judge, prompted with the project's guidelines and rubric as they stand now."""
    with refusals(), installation() as runtime, transaction(runtime.sessions) as session:
        found = access.project_for_client(session, SYSTEM, read_id("project", project))
        asked = show_id("endpoint", endpoint_named(session, endpoint))
        given = JudgeIn(endpoint_id=asked, title=title, words=words, critique=critique, both_orders=both_orders)
        made = judges.make_judge(session, SYSTEM, found, given, now=runtime.clock.now())
        console.print(f"{show_id('judge', made.id)}  {made.title}")


@app.command("run")
def run(
    judge: Annotated[str, typer.Argument(help="The judge's id (jdg_...).")],
    every: Annotated[bool, typer.Option("--all", help="All tasks, not only those it can be measured by.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also where earlier runs brought no answer.")] = False,
    tasks: Annotated[int | None, typer.Option(help="At most so many tasks.")] = None,
    budget: Annotated[str, typer.Option(help="The most that the judge may ever cost.")] = "",
) -> None:
    """Ask a judge now, in this process, until the run is over; Ctrl-C stops it, and the next run goes on."""
    scope = JudgeScope.ALL if every else JudgeScope.JUDGED
    wanted = RunIn(scope=scope, again=again, tasks_max=tasks, budget=_amount(budget))
    with refusals(), installation() as runtime:
        judge_id = read_id("judge", judge)
        with transaction(runtime.sessions) as session:
            judges.request_run(session, SYSTEM, judge_id, wanted, now=runtime.clock.now())
        try:
            judging.run_judge(runtime, judge_id, seconds=float("inf"))
        finally:
            local.stop()
        with runtime.sessions() as session:
            _show(session, judge_id, runtime.clock.now())


@app.command("stop")
def stop(judge: Annotated[str, typer.Argument(help="The judge's id (jdg_...).")]) -> None:
    """Stop a run before its next task, whichever process it goes on in."""
    with refusals(), installation() as runtime, transaction(runtime.sessions) as session:
        stopped = judges.stop(session, SYSTEM, read_id("judge", judge), now=runtime.clock.now())
        console.print(f"{stopped.title} is not running.")


@app.command("show")
def show(
    judge: Annotated[str, typer.Argument(help="The judge's id (jdg_...), or a project's (prj_...).")],
    as_json: Annotated[bool, typer.Option("--json", help="As the API shows it.")] = False,
) -> None:
    """What a judge did, what it cost, and how well it judges."""
    with refusals(), installation() as runtime, runtime.sessions() as session:
        if as_json:
            now = runtime.clock.now()
            told = [shown(session, each, now).model_dump(mode="json") for each in _named(session, judge)]
            typer.echo(json.dumps(told if judge.startswith("prj_") else told[0], indent=2))
            return
        if not judge.startswith("prj_"):
            _show(session, read_id("judge", judge), runtime.clock.now())
            return
        # The id is what every other command wants: it is never cut.
        table = Table(Column("id", min_width=36), "title", "model", "state", "answers", "cost", "accuracy", box=None)
        for each in judges.reports(session, _named(session, judge)):
            table.add_row(
                show_id("judge", each.judge.id), each.judge.title, each.judge.model, each.judge.state.value,
                str(each.answered), _cost(each), _accuracy(each),
            )  # fmt: skip
        console.print(table)


def _named(session: Session, judge: str) -> list[AiJudge]:
    """One judge, or all of a project."""
    if not judge.startswith("prj_"):
        return [judge_for_client(session, SYSTEM, read_id("judge", judge))[0]]
    return judges.list_judges(session, access.project_for_client(session, SYSTEM, read_id("project", judge)).id)


def _show(session: Session, judge_id: UUID, now: datetime) -> None:
    judge, _ = judge_for_client(session, SYSTEM, judge_id)
    [report] = judges.reports(session, [judge])
    counts = ", ".join(f"{report.outcomes[each]} {each.value}" for each in JudgmentOutcome if report.outcomes[each])
    console.print(f"[bold]{judge.title}[/bold]  {', '.join(report.versions) or judge.model}")
    console.print(f"Judgments  {counts or 'none'}")
    console.print(f"Cost       {_cost(report)} for {report.input_tokens} + {report.output_tokens} tokens")
    if report.asked_twice:
        console.print(f"Orders     the same answer in both {report.consistent} times of {report.asked_twice}")
    console.print(f"Accuracy   {_accuracy(report)}")
    if report.skill is not None:
        console.print(f"Replaces   {replaces(report)}")
    going = progress_of(session, judge, now=now)
    console.print(f"Running    {going.done} of {going.total} tasks" if going else f"[dim]{judge.ended_because}[/dim]")


def _cost(report: JudgeReport) -> str:
    return f"{report.cost.normalize():f} {report.judge.currency}" if report.cost else f"0 {report.judge.currency}"


def _accuracy(report: JudgeReport) -> str:
    skill = report.skill
    if skill is None or skill.accuracy is None:
        return f"unknown: {skill.reason}" if skill else "not measured yet"
    return f"{skill.accuracy:.2f} ({skill.low or 0:.2f} to {skill.high or 1:.2f})"


def replaces(report: JudgeReport) -> str:
    """What the judge can take the place of, in a sentence."""
    found = report.skill.replacing if report.skill else {}
    k = found.get("k", {})
    if k.get("value") is None:
        return f"unknown: {k.get('reason', 'not measured yet')}"
    return f"{k['value']:.0f} ({k['low']:.0f} to {k['high']:.0f}) of {found['n']} people with it are as good as all"


def _amount(text: str) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is not an amount such as 2.50") from None
