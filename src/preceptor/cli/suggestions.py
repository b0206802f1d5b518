"""`preceptor suggestions`: models' answers that people may begin with, from the command line."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy.orm import Session

from preceptor.cli.connect import console, installation, refusals
from preceptor.kit.db import transaction
from preceptor.kit.events import SYSTEM
from preceptor.kit.ids import read_id, show_id
from preceptor.projects import access
from preceptor.quality.anchoring import Sides
from preceptor.quality.intervals import Estimate
from preceptor.work import rules_suggestions
from preceptor.work.models_suggestions import SuggestionSource
from preceptor.work.service import suggestions
from preceptor.work.service.suggestions import Setting, Stretch, SuggestionReport, Wanted

app = typer.Typer(
    help="Answers of models that people may begin with, and what they do to people.", no_args_is_help=True
)
ProjectId = Annotated[str, typer.Argument(help="The project's id (prj_...).")]


@app.command("set")
def set_suggestions(
    project: ProjectId,
    judge: Annotated[str, typer.Option(help="The AI judge that suggests (jdg_...).")] = "",
    file: Annotated[bool, typer.Option("--file", help="What the tasks' file brought along.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Suggest nothing.")] = False,
    blind: Annotated[int, typer.Option(help="Percent of tasks on which nothing is shown.")] = (
        rules_suggestions.BLIND_PERCENT_DEFAULT
    ),
) -> None:
    """Say what is suggested from now on; open claims keep what they were given."""
    if [bool(judge), file, off].count(True) != 1:
        raise typer.BadParameter("give one of --judge, --file and --off")
    source = SuggestionSource.JUDGE if judge else SuggestionSource.FILE if file else SuggestionSource.OFF
    with refusals(), installation() as runtime, transaction(runtime.sessions) as session:
        wanted = Wanted(source, read_id("judge", judge) if judge else None, blind)
        found = suggestions.set_suggestions(
            session, SYSTEM, read_id("project", project), wanted, now=runtime.clock.now()
        )
        console.print(in_words(found))


@app.command("show")
def show(
    project: ProjectId, as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False
) -> None:
    """What a project suggests, what people do with it, and how far it sways them."""
    with refusals(), installation() as runtime, runtime.sessions() as session:
        found = access.project_for_client(session, SYSTEM, read_id("project", project))
        setting, reports = suggestions.setting_of(session, found), suggestions.reports(session, found)
        if as_json:
            console.print_json(data={"setting": _setting_json(setting), "reports": [_json(each) for each in reports]})
            return
        console.print(in_words(setting))
        for each in reports:
            _show(session, each)


def in_words(setting: Setting) -> str:
    """A setting in a sentence."""
    blind = f"nothing is shown on {setting.blind_percent} % of the tasks"
    match setting.source:
        case SuggestionSource.OFF:
            return "Nothing is suggested."
        case SuggestionSource.FILE if not setting.decided:
            return "What files bring along is suggested to everybody: nobody has set a blind share."
        case SuggestionSource.FILE:
            return f"What files bring along is suggested; {blind}."
        case SuggestionSource.JUDGE:
            assert setting.judge is not None
            retired = "" if setting.on else " The judge is retired, so nothing is suggested."
            return f"“{setting.judge.title}” suggests; {blind}.{retired}"


def _show(session: Session, report: SuggestionReport) -> None:
    title = report.judge.title if report.judge else "from files"
    console.print(f"\n[bold]{title}[/bold]  {report.shown} answers with it in sight, {report.blind} blind")
    for outcome, (count, share) in report.outcomes.items():
        console.print(f"{outcome.value.capitalize():10} {count}  {_share(share)}")
    if report.compared is None:
        console.print("Nothing to compare: nobody had set a blind share when these were given.")
        return
    compared = report.compared
    console.print(
        f"Compared: {compared.shown} shown and {compared.blind} blind since {compared.since:%Y-%m-%d}, "
        f"all drawn at a blind share of {compared.percent} %."
    )
    table = Table("", "shown", "blind", "difference", box=None)
    for name, sides, tell in (
        ("Agree with it", report.agreement, _share),
        ("Right where it is wrong", report.wrong, _share),
        ("Right where it is right", report.right, _share),
        ("Seconds, median", report.seconds, _number),
    ):
        table.add_row(name, tell(sides.shown), tell(sides.blind), tell(sides.difference))
    console.print(table)


def _share(found: Estimate) -> str:
    if found.value is None:
        return f"unknown: {found.reason}"
    if found.low is None or found.high is None:
        return f"{found.value:.2f}"
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def _number(found: Estimate) -> str:
    if found.value is None:
        return f"unknown: {found.reason}"
    if found.low is None or found.high is None:
        return f"{found.value:.0f}"
    return f"{found.value:.0f} ({found.low:.0f} to {found.high:.0f})"


def _setting_json(setting: Setting) -> dict[str, object]:
    return {
        "source": setting.source.value,
        "judge_id": show_id("judge", setting.judge.id) if setting.judge else None,
        "blind_percent": setting.blind_percent,
        "decided": setting.decided,
        "on": setting.on,
    }


def _json(report: SuggestionReport) -> dict[str, object]:
    sides: dict[str, Sides] = {
        "agreement": report.agreement,
        "right_where_suggestion_wrong": report.wrong,
        "right_where_suggestion_right": report.right,
        "median_seconds": report.seconds,
    }
    return {
        "source": report.source.value,
        "judge_id": show_id("judge", report.judge.id) if report.judge else None,
        "shown": report.shown,
        "blind": report.blind,
        "outcomes": {
            each.value: {"count": count, "share": asdict(share)} for each, (count, share) in report.outcomes.items()
        },
        "compared": _compared_json(report.compared) if report.compared else None,
        **{name: asdict(each) for name, each in sides.items()},
        "aspects": {key: asdict(each) for key, each in report.aspects.items()},
        "cut": report.cut,
    }


def _compared_json(found: Stretch) -> dict[str, object]:
    return {
        "blind_percent": found.percent,
        "since": found.since.isoformat(),
        "shown": found.shown,
        "blind": found.blind,
    }
