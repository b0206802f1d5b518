"""Models: trained on a release, shown with what they are worth, and asked about new responses."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

import preceptor.training.jobs  # noqa: F401  asking for a training defers a job, which has to be registered
from preceptor.datasets import service as datasets
from preceptor.datasets.models import Release, ReleaseState
from preceptor.http.cursor import read_cursor
from preceptor.http.edge import CurrentRuntime, Db, Now
from preceptor.kit.errors import AppError, NotFound
from preceptor.kit.ids import read_id, show_id
from preceptor.people.identify import SignedIn
from preceptor.projects import access
from preceptor.training import service as training
from preceptor.training.models import RunState, TrainingRun
from preceptor.training.service import Item
from preceptor.web.client_frame import Fields, Frame, Sent, address, frame, frame_to_change, refusal
from preceptor.web.pages import Client, Page, Pages, go

router = APIRouter()

PAGE_ROWS = 50
TRAINING = (RunState.QUEUED, RunState.RUNNING)
TEXT_CHARACTERS_MAX = 50_000


@dataclass(frozen=True)
class Measured:
    """A share with its interval, as a plot wants it."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Result:
    """What a model is worth on pairs it has not seen, beside always choosing the longer response."""

    pairs: int
    accuracy: Measured
    length: Measured
    lead: Measured
    tested_on: str
    prompts_seen: int


def result_of(run: TrainingRun) -> Result | None:
    """The figures of a finished run; None where nothing was measured."""
    figures = run.metrics or {}
    if figures.get("test_accuracy") is None:
        return None

    def measured(value: str, low: str, high: str) -> Measured:
        return Measured(figures.get(value), figures.get(low), figures.get(high))

    return Result(
        pairs=int(figures["test_pairs"]),
        accuracy=measured("test_accuracy", "test_low", "test_high"),
        length=measured("test_length_baseline_accuracy", "test_length_low", "test_length_high"),
        lead=measured("test_lead", "test_lead_low", "test_lead_high"),
        tested_on=str(figures.get("tested_on", "")),
        prompts_seen=int(figures.get("test_prompts_seen") or 0),
    )


@dataclass(frozen=True)
class ModelRow:
    run: TrainingRun
    key: str
    result: Result | None


def _row(run: TrainingRun) -> ModelRow:
    return ModelRow(run, show_id("model", run.id), result_of(run) if run.state is RunState.READY else None)


@router.get("/models")
def list_models(page: Page, session: Db, client: Client, cursor: str | None = None) -> Response:
    """Models of all projects of the client's organizations."""
    before = read_cursor("model", cursor)
    found = training.list_runs(session, client.actor, before=before, limit=PAGE_ROWS + 1)
    shown, more = found[:PAGE_ROWS], len(found) > PAGE_ROWS
    projects = access.projects_for_client(session, client.actor, {run.project_id for run in shown})
    return page.show(
        "client/models.html",
        rows=[_row(run) for run in shown],
        projects={key: (project, show_id("project", key)) for key, project in projects.items()},
        next_href=address("/models", cursor=show_id("model", shown[-1].id)) if more else None,
        first_href="/models" if cursor else None,
    )


@router.get("/projects/{project_id}/models")
def list_project_models(page: Page, session: Db, client: Client, project_id: str) -> Response:
    at = frame(session, client, project_id, "models")
    releases = _finished(session, client, at)
    runs = training.list_runs(session, client.actor, project_id=at.project.id)
    return page.show(
        "client/project_models.html",
        at=at,
        rows=[_row(run) for run in runs],
        releases=[(show_id("release", each.id), f"Release {each.number}: {each.title}") for each in releases],
        numbers={each.id: each.number for each in releases},
    )


def _finished(session: Session, client: SignedIn, at: Frame) -> list[Release]:
    found = datasets.list_releases(session, client.actor, at.project.id)
    return [release for release in found if release.state is ReleaseState.READY]


@router.post("/projects/{project_id}/models")
def train(session: Db, client: Client, now: Now, project_id: str, fields: Sent) -> Response:
    """Have a reward model trained on a release of this project."""
    at = frame_to_change(session, client, project_id, "models")
    release = datasets.release_for_client(session, client.actor, read_id("release", fields.text("release")))
    if release.project_id != at.project.id:
        raise NotFound("release")
    run = training.request_run(session, client.actor, release.id, now=now)
    return go(f"{at.base}/models/{show_id('model', run.id)}")


@router.get("/projects/{project_id}/models/{model_id}")
def show_model(page: Page, session: Db, client: Client, project_id: str, model_id: str) -> Response:
    at = frame(session, client, project_id, "models")
    return _model(page, session, client, at, _run(session, client, at, model_id))


def _run(session: Session, client: SignedIn, at: Frame, model_id: str) -> TrainingRun:
    run = training.run_for_client(session, client.actor, read_id("model", model_id))
    if run.project_id != at.project.id:
        raise NotFound("model")
    return run


def _model(page: Pages, session: Session, client: SignedIn, at: Frame, run: TrainingRun) -> HTMLResponse:
    live = "hx-request" in page.request.headers and run.state is not RunState.READY
    release = datasets.release_for_client(session, client.actor, run.release_id)
    response = page.show(
        "client/model_live.html" if live else "client/model.html",
        at=at,
        row=_row(run),
        run=run,
        release=release,
        release_id=show_id("release", release.id),
        training=run.state in TRAINING,
    )
    if "hx-request" in page.request.headers and run.state is RunState.READY:
        response.headers["HX-Refresh"] = "true"
    return response


@router.post("/projects/{project_id}/models/{model_id}/score")
def score(
    page: Page, session: Db, client: Client, runtime: CurrentRuntime, project_id: str, model_id: str, fields: Sent
) -> Response:
    """What the model says about one or two responses to a prompt, as a part of its page."""
    at = frame(session, client, project_id, "models")
    run = _run(session, client, at, model_id)
    try:
        items = _items(fields)
        scores = training.score(session, client.actor, runtime.storage, run.id, items)
    except AppError as error:
        return page.show("client/scores.html", scores=[], error=error.message)
    return page.show("client/scores.html", scores=scores, error=None)


def _items(fields: Fields) -> list[Item]:
    prompt, texts = fields.text("prompt"), [fields.text("response_a"), fields.text("response_b")]
    if not prompt or not texts[0]:
        raise refusal("prompt", "Give a prompt and at least one response.")
    if max(map(len, (prompt, *texts))) > TEXT_CHARACTERS_MAX:
        raise refusal("prompt", f"A text can have at most {TEXT_CHARACTERS_MAX:,} characters here.")
    asked = [{"role": "user", "content": prompt}]
    return [Item(asked, [{"role": "assistant", "content": text}]) for text in texts if text]
