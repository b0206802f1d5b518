"""Training runs on releases, and what their models say about new responses."""

import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preceptor.datasets import service as datasets
from preceptor.kit import events
from preceptor.kit.db import transaction
from preceptor.kit.errors import AppError, Invalid
from preceptor.kit.events import SYSTEM, Actor
from preceptor.kit.ids import new_id
from preceptor.kit.jobs import defer
from preceptor.kit.locks import only_one
from preceptor.kit.runtime import Runtime
from preceptor.kit.storage import Storage
from preceptor.projects.access import MANAGERS, project_for_client
from preceptor.tasktypes.base import problems_of
from preceptor.training import access
from preceptor.training.access import run_for_client
from preceptor.training.models import RunState, TrainingRun
from preceptor.training.reward import (
    Evaluation,
    Message,
    Pair,
    RewardConfig,
    RewardModel,
    evaluate,
    load,
    load_pairs,
)
from preceptor.training.reward.files import text_of
from preceptor.training.runs import Trained, train_and_test

__all__ = [
    "Item",
    "evaluate_model",
    "list_runs",
    "read_config",
    "request_run",
    "run_for_client",
    "score",
    "train_run",
]

RUN_JOB = "training.run"
KIND_REWARD = "reward"
ITEMS_MAX = 1_000
LIMITS = {"pairs_max": 100_000, "ngrams": 20_000, "iterations_max": 5_000}
"""So that nobody's settings can keep a worker busy for an hour."""
UNFORESEEN = "Training stopped unexpectedly. Train again; if that fails too, ask the operator."
PERCENT_STEP = 5
MODELS_KEPT = 8

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Item:
    """A response to score, with the prompt that it answers."""

    prompt: Sequence[Message]
    response: Sequence[Message]


def read_config(given: Mapping[str, object]) -> RewardConfig:
    """Settings as they come from outside. `Invalid` names what is unknown, of the wrong type or too large."""
    known = {field.name for field in fields(RewardConfig)}
    unknown = sorted(given.keys() - known)
    if unknown:
        raise Invalid(f"There is no setting {unknown[0]!r}. The settings are {', '.join(sorted(known))}.")
    try:
        config = TypeAdapter(RewardConfig).validate_python(dict(given))
    except ValidationError as error:
        problems = [{"path": found.path, "message": found.message} for found in problems_of(error)]
        raise Invalid(f"{problems[0]['path']}: {problems[0]['message']}", problems) from None
    for name, most in LIMITS.items():
        if getattr(config, name) > most:
            raise Invalid(f"{name} can be at most {most:,} here.")
    return config


def request_run(
    session: Session, actor: Actor, release_id: UUID, config: Mapping[str, object] | None = None, *, now: datetime
) -> TrainingRun:
    """Have a reward model trained on a finished release. Managers only."""
    settings = read_config(config or {})
    release = datasets.finished_release(session, actor, release_id, *MANAGERS)
    run_id = new_id()
    run = TrainingRun(
        id=run_id,
        project_id=release.project_id,
        release_id=release_id,
        kind=KIND_REWARD,
        config=asdict(settings),
        folder=f"models/{run_id.hex}",
        created_by=actor.person_id,
        created_at=now,
    )
    session.add(run)
    session.flush()
    _tell(session, actor, run, "training.requested", now)
    defer(session, RUN_JOB, lock=f"training:{run_id.hex}", run_id=str(run_id))
    return run


def list_runs(
    session: Session,
    actor: Actor,
    *,
    project_id: UUID | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[TrainingRun]:
    """Runs that the actor may see, newest first; of one project where it is named."""
    wanted = access.runs_visible_to(actor).limit(limit)
    if project_id is not None:
        project_for_client(session, actor, project_id)
        wanted = wanted.where(TrainingRun.project_id == project_id)
    return list(session.scalars(wanted if before is None else wanted.where(TrainingRun.id < before)))


# --- Training


def train_run(runtime: Runtime, run_id: UUID, progress: Progress | None = None) -> TrainingRun:
    """Train, store the model, and only then call the run ready. Run again after that, it changes nothing."""
    with only_one(runtime.engine, run_id):
        if _start(runtime, run_id):
            with _failure_noted(runtime, run_id), tempfile.TemporaryDirectory() as place:
                _train(runtime, run_id, Path(place), progress or _silent)
    with transaction(runtime.sessions) as session:
        return session.get_one(TrainingRun, run_id)


def _start(runtime: Runtime, run_id: UUID) -> bool:
    with transaction(runtime.sessions) as session:
        run = session.scalars(select(TrainingRun).where(TrainingRun.id == run_id).with_for_update()).one()
        if run.state is RunState.READY:
            return False
        run.state, run.failure, run.progress_percent = RunState.RUNNING, None, 0
    return True


def _train(runtime: Runtime, run_id: UUID, place: Path, progress: Progress) -> None:
    with transaction(runtime.sessions) as session:
        run = session.get_one(TrainingRun, run_id)
        release = datasets.finished_release(session, SYSTEM, run.release_id)
        files = [path for path in datasets.file_names(release) if path.startswith("pairs/")]
    for path in files:
        target = place / "release" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        runtime.storage.download(f"{release.folder}/{path}", target)
    trained = train_and_test(
        load_pairs(place / "release"),
        RewardConfig(**run.config),
        dataset_sha256=release.sha256 or "",
        progress=_noting(runtime, run_id, progress),
    )
    trained.model.save(place / "model")
    datasets.store(runtime.storage, place / "model", run.folder)
    _finish(runtime, run_id, trained)


def _noting(runtime: Runtime, run_id: UUID, progress: Progress) -> Progress:
    """Passes progress on, and writes it to the run every few per cent."""
    noted = 0

    def note(share: float, what: str) -> None:
        nonlocal noted
        progress(share, what)
        percent = min(99, int(share * 100))
        if percent >= noted + PERCENT_STEP:
            noted = percent
            with transaction(runtime.sessions) as session:
                session.execute(update(TrainingRun).where(TrainingRun.id == run_id).values(progress_percent=percent))

    return note


def _finish(runtime: Runtime, run_id: UUID, trained: Trained) -> None:
    now = runtime.clock.now()
    with transaction(runtime.sessions) as session:
        run = session.get_one(TrainingRun, run_id)
        run.state, run.finished_at, run.progress_percent = RunState.READY, now, 100
        run.metrics = dict(trained.model.metrics)
        _tell(session, SYSTEM, run, "training.finished", now)


@contextmanager
def _failure_noted(runtime: Runtime, run_id: UUID) -> Iterator[None]:
    """A run that stops for whatever reason does not say "running" for ever; the error goes on its way."""
    try:
        yield
    except BaseException as error:
        why = error.message if isinstance(error, AppError) else UNFORESEEN
        now = runtime.clock.now()
        with transaction(runtime.sessions) as session:
            run = session.get_one(TrainingRun, run_id)
            run.state, run.failure, run.finished_at = RunState.FAILED, why, now
            _tell(session, SYSTEM, run, "training.failed", now)
        raise


def _tell(session: Session, actor: Actor, run: TrainingRun, kind: str, now: datetime) -> None:
    org_id = project_for_client(session, SYSTEM, run.project_id).org_id
    data = {"release": str(run.release_id), "failure": run.failure}
    events.record(session, actor, kind, "model", run.id, at=now, org_id=org_id, project_id=run.project_id, data=data)


def _silent(share: float, what: str) -> None:
    """Progress that nobody watches."""


# --- Using a model


def score(session: Session, actor: Actor, storage: Storage, run_id: UUID, items: Sequence[Item]) -> list[float]:
    """How good the model finds each response: higher is better, 0 is the average response of its training pairs."""
    if len(items) > ITEMS_MAX:
        raise Invalid(f"At most {ITEMS_MAX:,} items at once.")
    model = _model(storage, access.finished_run(session, actor, run_id))
    scores: list[float] = model.score_texts([(text_of(item.prompt), text_of(item.response)) for item in items]).tolist()
    return scores


def evaluate_model(session: Session, actor: Actor, storage: Storage, run_id: UUID, pairs: Sequence[Pair]) -> Evaluation:
    """How often the model agrees with these pairs, beside "the longer one wins"."""
    return evaluate(_model(storage, access.finished_run(session, actor, run_id)), pairs)


_models: OrderedDict[UUID, RewardModel] = OrderedDict()


def _model(storage: Storage, run: TrainingRun) -> RewardModel:
    """The model of a finished run, from memory where it was used lately; it never changes."""
    model = _models.pop(run.id, None) or _fetch(storage, run)
    _models[run.id] = model
    while len(_models) > MODELS_KEPT:
        _models.popitem(last=False)
    return model


def _fetch(storage: Storage, run: TrainingRun) -> RewardModel:
    with tempfile.TemporaryDirectory() as folder:
        for key in storage.list(run.folder):
            storage.download(key, Path(folder) / key.rsplit("/", 1)[-1])
        return load(Path(folder))
