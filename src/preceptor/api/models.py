"""Reward models over the API: train on a release, score responses, evaluate on preferences of your own."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

import preceptor.training.jobs  # noqa: F401  asking for a run defers a job, which has to be registered
from preceptor.api.imports import FILE_BODY
from preceptor.api.schemas import In, Out, PageSize
from preceptor.http.cursor import read_cursor
from preceptor.http.edge import Ask, CurrentActor, CurrentRuntime, Db, Now
from preceptor.http.idempotency import Once
from preceptor.http.uploads import received
from preceptor.kit.ids import read_id, show_id
from preceptor.people.identify import require_scope
from preceptor.training import service
from preceptor.training.models import RunState, TrainingRun
from preceptor.training.preferences import read_preferences
from preceptor.training.reward import Evaluation
from preceptor.training.service import ITEMS_MAX, Item

router = APIRouter(prefix="/api/v1", tags=["models"])

TEXT_CHARACTERS_MAX = 200_000
MESSAGES_MAX = 200


class TrainIn(In):
    config: dict[str, Any] = Field(
        default={},
        description="Settings of the reward model, such as `seed`, `l2`, `ngrams`, `votes`, `margins`.",
        examples=[{"seed": 1, "votes": "shares"}],
    )


class ModelOut(Out):
    id: str = Field(examples=["mdl_0192f0c1a2b37c0d8e9f0a1b2c3d4e5f"])
    project_id: str
    release_id: str
    kind: str
    state: RunState
    progress_percent: int
    config: dict[str, Any]
    metrics: dict[str, Any] | None = Field(
        description="`test_accuracy` with `test_low` and `test_high` (95 %) on held-out pairs, beside "
        "`test_length_baseline_accuracy`: how often the longer response was the chosen one."
    )
    failure: str | None
    created_at: datetime
    finished_at: datetime | None


class ModelsOut(Out):
    items: list[ModelOut]
    next_cursor: str | None


class MessageIn(In):
    role: str = Field(min_length=1, max_length=20, examples=["user"])
    content: str = Field(max_length=TEXT_CHARACTERS_MAX, examples=["Name a prime."])


class ItemIn(In):
    prompt: list[MessageIn] = Field(max_length=MESSAGES_MAX)
    response: list[MessageIn] = Field(min_length=1, max_length=MESSAGES_MAX)


class ScoreIn(In):
    items: list[ItemIn] = Field(min_length=1, max_length=ITEMS_MAX)


class ScoresOut(Out):
    scores: list[float] = Field(description="Higher is better; the difference of two is a log odds.", examples=[[0.42]])


class EvaluationOut(Out):
    pairs: int
    accuracy: float | None
    low: float | None
    high: float | None
    length_baseline_accuracy: float | None
    length_low: float | None
    length_high: float | None
    lead: float | None
    lead_low: float | None
    lead_high: float | None
    resampled: str


@router.get("/models", response_model=ModelsOut)
def list_models(
    session: Db,
    actor: CurrentActor,
    project_id: str | None = None,
    cursor: str | None = None,
    limit: Annotated[PageSize, Query()] = 50,
) -> ModelsOut:
    """Models of your projects, newest first; of one project where it is named."""
    require_scope(actor, "read")
    project = read_id("project", project_id) if project_id else None
    before = read_cursor("model", cursor)
    found = service.list_runs(session, actor, project_id=project, before=before, limit=limit)
    next_cursor = show_id("model", found[-1].id) if len(found) == limit else None
    return ModelsOut(items=[model_out(run) for run in found], next_cursor=next_cursor)


@router.post("/releases/{release_id}/models", status_code=201, response_model=ModelOut)
def train(release_id: str, body: TrainIn, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
    """Have a reward model trained on a finished release. Look at it again until its state is `ready`."""
    require_scope(actor, "projects")
    release = read_id("release", release_id)
    return once.answer(lambda: model_out(service.request_run(session, actor, release, body.config, now=now)))


@router.get("/models/{model_id}", response_model=ModelOut)
def get_model(model_id: str, session: Db, actor: CurrentActor) -> ModelOut:
    """One model, or how far its training has come."""
    require_scope(actor, "read")
    return model_out(service.run_for_client(session, actor, read_id("model", model_id)))


@router.post("/models/{model_id}/score", response_model=ScoresOut)
def score(model_id: str, body: ScoreIn, session: Db, actor: CurrentActor, runtime: CurrentRuntime) -> ScoresOut:
    """Score up to 1,000 responses, in the order given."""
    require_scope(actor, "read")
    items = [
        Item([message.model_dump() for message in item.prompt], [message.model_dump() for message in item.response])
        for item in body.items
    ]
    return ScoresOut(scores=service.score(session, actor, runtime.storage, read_id("model", model_id), items))


@router.post("/models/{model_id}/evaluate", response_model=EvaluationOut, openapi_extra=FILE_BODY)
async def evaluate(
    model_id: str,
    request: Request,
    runtime: CurrentRuntime,
    ask: Ask,
    filename: Annotated[str, Query(max_length=500, examples=["test.jsonl"])] = "preferences.jsonl",
) -> EvaluationOut:
    """How often the model agrees with a file: `prompt/chosen/rejected`, or `prompt/response_a/response_b/choice`."""
    model = read_id("model", model_id)

    def refuse_strangers() -> None:
        ask.do("read", lambda session, actor, now: service.run_for_client(session, actor, model))

    await run_in_threadpool(refuse_strangers)
    async with received(request, runtime, filename=filename) as upload:

        def measure() -> Evaluation:
            pairs = read_preferences(upload.path, upload.filename)
            return ask.do(
                "read",
                lambda session, actor, now: service.evaluate_model(session, actor, runtime.storage, model, pairs),
            )

        return evaluation_out(await run_in_threadpool(measure))


def model_out(run: TrainingRun) -> ModelOut:
    return ModelOut(
        id=show_id("model", run.id),
        project_id=show_id("project", run.project_id),
        release_id=show_id("release", run.release_id),
        kind=run.kind,
        state=run.state,
        progress_percent=run.progress_percent,
        config=run.config,
        metrics=run.metrics,
        failure=run.failure,
        created_at=run.created_at,
        finished_at=run.finished_at,
    )


def evaluation_out(found: Evaluation) -> EvaluationOut:
    return EvaluationOut(
        pairs=found.pairs,
        accuracy=found.accuracy,
        low=found.low,
        high=found.high,
        length_baseline_accuracy=found.length_baseline_accuracy,
        length_low=found.length_low,
        length_high=found.length_high,
        lead=found.lead,
        lead_low=found.lead_low,
        lead_high=found.lead_high,
        resampled=found.resampled,
    )
