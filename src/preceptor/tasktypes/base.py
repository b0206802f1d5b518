"""What a kind of work is, and where installed kinds are found.

Everything that differs between kinds of work stands behind `TaskType`; nothing else in the code asks
"which kind is this?". A third party adds a kind as an installed package with an entry point in the
group `preceptor.task_types` whose value is a `TaskType` object or a class that makes one without arguments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from random import Random
from typing import Generic, Literal, Protocol, TypeVar, cast

import pyarrow as pa
from pydantic import BaseModel, JsonValue, ValidationError

from preceptor.quality.consensus import Majority
from preceptor.tasktypes.importing import Importer
from preceptor.tasktypes.view import Section, ViewNode

ENTRY_POINT_GROUP = "preceptor.task_types"

PayloadT = TypeVar("PayloadT", bound=BaseModel)
AnswerT = TypeVar("AnswerT", bound=BaseModel)
ConfigT = TypeVar("ConfigT", bound=BaseModel)

Row = dict[str, JsonValue]

EXAMPLE_FILE = "media:example/"
"""How a template's examples name a file of the template."""


@dataclass(frozen=True)
class Problem:
    """Something that keeps an answer or a payload from being complete.

    `path` is where (`ranks.B`, `justification`; empty for the whole), `message` says what is wrong and how to mend it.
    """

    path: str
    message: str


@dataclass(frozen=True)
class Score:
    """How well an answer agrees with a reference, from 0 (opposite) to 1 (the same), with reasons for the person."""

    value: float
    reasons: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 0.0 <= self.value <= 1.0:
            raise ValueError(f"a score lies in [0, 1], not {self.value}")


@dataclass(frozen=True)
class Posterior:
    """What the quality engine says of one task, as it was when a release was built.

    `units`: unit -> label -> chance that it is the right one. `soft`: unit -> label -> share of careful people who
    would give it, which is something else where people legitimately differ. Both add up to 1 within a unit.
    `ambiguity`: chance that they do, None where unknown. `source`: what the chances rest on, in a word.
    """

    units: Mapping[str, Mapping[str, float]]
    soft: Mapping[str, Mapping[str, float]]
    ambiguity: float | None
    source: str


@dataclass(frozen=True)
class Consensus:
    """What the counted answers of one task say together.

    `answer` has the shape of the task type's answer (partly filled), so that a person can be scored against
    it; it is None where the answers decide nothing. In a release that is decided by posterior the `label` of a unit
    is the likeliest one, None where it is not likely enough; `answer`, votes and shares are the majority's always.
    """

    answers: int
    units: Mapping[str, Majority]
    answer: Row | None
    posterior: Posterior | None = None


@dataclass(frozen=True)
class ReleasedTask(Generic[PayloadT, AnswerT]):
    """A task as a release sees it. `imported_answer` and `imported_votes` came with the file, not from our people.

    `gold`: it has a known answer and measures people. `known_answer` is that answer, in releases that want it.
    """

    task_id: str
    external_id: str | None
    payload: PayloadT
    imported_answer: AnswerT | None = None
    imported_votes: Mapping[str, int] = field(default_factory=dict)
    topic: str | None = None
    gold: bool = False
    known_answer: AnswerT | None = None


@dataclass(frozen=True)
class ReleasedJudgment(Generic[AnswerT]):
    """One submission as a release sees it: the person only by stable pseudonym.

    `seconds` is time worked, None where unknown. `counted` says whether the judgment took part in the
    consensus (a rejected one does not); rows of judgments hold all of them with their `state`.
    """

    submission_id: str
    person_pseudonym: str
    answer: AnswerT
    seconds: float | None
    state: str
    counted: bool = True
    guidelines_version: int | None = None
    submitted_at: datetime | None = None
    shown_order: tuple[str, ...] = ()


Shape = Literal["preference", "unpaired", "prompt_only", "sft", "stepwise", "plain"]
"""What a table is to a trainer, by TRL's names for dataset formats. It decides which providers' files lie beside it."""


@dataclass(frozen=True)
class Table:
    """A table of a dataset release: its Arrow schema, its shape, and in a sentence what one row is.

    `columns` explains columns that need it, as Markdown for the release's card.
    """

    schema: pa.Schema
    shape: Shape
    about: str
    columns: str = ""


@dataclass(frozen=True)
class ReleaseRows:
    """Rows of a dataset release for one task.

    `judgments`: one row per individual judgment. `tables`: rows of the type's own tables by name, which trainers
    read. `undecided`: how many units gave no row because people were split or called it a tie.
    """

    judgments: tuple[Row, ...]
    tables: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    undecided: int = 0


class Exporter(Protocol[PayloadT, AnswerT]):
    """Writes further files of a release (COCO, WebVTT, ...) while tasks stream by. One object serves one release."""

    def add(
        self,
        task: ReleasedTask[PayloadT, AnswerT],
        submissions: Sequence[ReleasedJudgment[AnswerT]],
        consensus: Consensus,
    ) -> None:
        """Take one task."""

    def close(self, folder: Path) -> None:
        """Write the files into the folder, which holds nothing else. Called once, at the end."""


@dataclass(frozen=True)
class Template:
    """Where a new project starts: settings, guidelines (Markdown), a rubric, and a few tasks to try it with."""

    key: str
    title: str
    summary: str
    config: Row
    guidelines: str
    rubric: tuple[Row, ...] = ()
    """Criteria as projects keep them: key, title, description, scale_min, scale_max, weight, anchors."""
    examples: tuple[Row, ...] = ()
    """Payloads."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """What the examples show besides text, by name: where a payload says `media:example/NAME`, a project that starts
    with the examples gets this file, uploaded like any other. Installed with the kind; ours are made by a script."""


@dataclass(frozen=True)
class Words:
    """An answer in words, for lists: what was chosen in one line, further (title, text) lines, and the reason given."""

    headline: str
    details: tuple[tuple[str, str], ...] = ()
    reason: str = ""


class UnknownLabel(ValueError):
    """An answer names a response that was not shown."""


Service = Literal["generate", "run", "similar", "upload"]
"""What a desk can do for an element while somebody works: run model endpoints, run code, look for near duplicates,
take files."""


class TaskType(Protocol[PayloadT, AnswerT, ConfigT]):
    """One kind of work. All methods are pure and safe to call from any thread.

    Subclass `preceptor.tasktypes.kind.Kind`, which answers everything that a simple kind does not care about.
    """

    @property
    def name(self) -> str:
        """Stable identifier, as stored with projects and in releases (`comparison`)."""

    @property
    def title(self) -> str:
        """Name that people read."""

    @property
    def summary(self) -> str:
        """One sentence for the page where a client chooses."""

    @property
    def icon(self) -> str:
        """Name of a Lucide icon."""

    @property
    def element(self) -> str:
        """Tag of the workspace's custom element; it takes `view` as data, and the draft, and emits an answer."""

    @property
    def script(self) -> Path | None:
        """A JavaScript module that defines `element`, where the kind comes in a package of its own. Bundled: it may
        import nothing but addresses that it brings itself. None for kinds whose element the pages' build has."""

    @property
    def payload_model(self) -> type[PayloadT]:
        """What a task holds; its JSON Schema is published."""

    @property
    def answer_model(self) -> type[AnswerT]:
        """What a person gives. Accepts every draft that the element can make; `check` says what is missing."""

    @property
    def config_model(self) -> type[ConfigT]:
        """Settings of a project of this kind. All fields have defaults."""

    @property
    def tables(self) -> Mapping[str, Table]:
        """Tables of a release beside `judgments`, the main one first. May be empty."""

    @property
    def judgment_schema(self) -> pa.Schema:
        """Arrow schema of `ReleaseRows.judgments`, so that every file of a release has the same types."""

    @property
    def importer(self) -> Importer:
        """How a row of a file becomes a payload, and what columns mean."""

    @property
    def services(self) -> frozenset[Service]:
        """What the element needs of its desk."""

    def fits(self, payload: PayloadT, config: ConfigT) -> list[Problem]:
        """What keeps a valid payload from being worked on under these settings; asked when tasks are added."""

    def as_key(self, answer: AnswerT) -> AnswerT:
        """The answer as it becomes a known answer: without what its author wrote beside it for themselves."""

    def check(self, payload: PayloadT, answer: AnswerT, config: ConfigT) -> list[Problem]:
        """What still keeps the answer from being submitted; empty when it is complete.

        Works in whatever names the payload uses: give the payload as shown (`present`) together with the
        answer as given, and the problems speak of A and B.
        """

    def score(self, payload: PayloadT, answer: AnswerT, reference: AnswerT, config: ConfigT) -> Score:
        """Agreement with a known answer. Evidence for people, never a decision by itself.

        ValueError where the reference says nothing that could be scored.
        """

    def aspects(self, config: ConfigT) -> Mapping[str, str]:
        """Title by key of everything on which agreement is measured: the whole answer, a criterion, a control."""

    def distance(self, payload: PayloadT, a: AnswerT, b: AnswerT, config: ConfigT) -> Mapping[str, float]:
        """Aspect -> how far two answers to one task are apart: 0 the same, 1 opposite, symmetric.

        An aspect on which the two cannot be compared is absent.
        """

    def labels(self, payload: PayloadT, answer: AnswerT, config: ConfigT) -> dict[str, str]:
        """Unit of judgment -> label, for agreement and truth inference. Units the answer is silent on are absent."""

    def unit_labels(self, payload: PayloadT, config: ConfigT) -> dict[str, tuple[str, ...]]:
        """Every unit of a task with all labels it can get, whether or not somebody gave them; empty where answers are
        not labels (a written text)."""

    def criteria(self, config: ConfigT) -> Mapping[str, str]:
        """Title by key of everything that is rated on a scale; empty where nothing is."""

    def ratings(self, answer: AnswerT) -> Mapping[str, Mapping[str, float]]:
        """Criterion -> thing rated (a response, the whole) -> rating, for how alike people read each criterion."""

    def consensus(self, payload: PayloadT, answers: Sequence[AnswerT], config: ConfigT) -> Consensus:
        """What the answers say together, by majority within each unit."""

    def rows(
        self,
        task: ReleasedTask[PayloadT, AnswerT],
        submissions: Sequence[ReleasedJudgment[AnswerT]],
        consensus: Consensus,
        config: ConfigT,
    ) -> ReleaseRows:
        """What a dataset release writes for one task."""

    def exporters(self, config: ConfigT) -> Mapping[str, Exporter[PayloadT, AnswerT]]:
        """Writers of further files, by the name of the folder that each fills; made anew for each release."""

    def display_order(self, payload: PayloadT, rng: Random) -> list[str]:
        """An order in which to show the parts of a task, drawn anew for each claim and recorded with it."""

    def present(self, payload: PayloadT, order: Sequence[str]) -> Row:
        """The payload as a contributor sees it: no original ids, positions or sources. Fits `payload_model`."""

    def canonical(self, answer: AnswerT, order: Sequence[str]) -> AnswerT:
        """An answer in shown names turned into stored names. UnknownLabel where it names what was not shown."""

    def as_shown(self, answer: AnswerT, order: Sequence[str]) -> AnswerT:
        """The inverse of `canonical`: a stored draft or answer in the names that the person saw."""

    def shown_label(self, label: str, order: Sequence[str]) -> str:
        """A label of `labels` in the names that the person saw."""

    def view(self, shown: PayloadT, config: ConfigT) -> ViewNode:
        """What the element gets as `data`, with leaves that the pages render (see `preceptor.tasktypes.view`)."""

    def material(self, payload: PayloadT, config: ConfigT) -> tuple[Section, ...]:
        """The task as its client reads it, in stored names and with sources; never shown to who works on it."""

    def in_words(self, payload: PayloadT, answer: AnswerT, config: ConfigT) -> Words:
        """An answer as lists of judgments show it."""

    def excerpt(self, payload: PayloadT) -> str:
        """Text by which a person recognises the task; its beginning is shown. Empty where there is none."""

    def templates(self) -> tuple[Template, ...]:
        """What a new project can start from, the usual one first; at least one."""


AnyTaskType = TaskType[BaseModel, BaseModel, BaseModel]


class UnknownTaskType(LookupError):
    """No installed package offers a task type of this name."""


def _own_types() -> tuple[AnyTaskType, ...]:
    # Imported here because the kinds themselves import this module.
    from preceptor.tasktypes.annotation import AnnotationType
    from preceptor.tasktypes.code import CodeType
    from preceptor.tasktypes.comparison import ComparisonType
    from preceptor.tasktypes.conversation import ConversationType
    from preceptor.tasktypes.demonstration import DemonstrationType
    from preceptor.tasktypes.prompt import PromptType
    from preceptor.tasktypes.rating import RatingType
    from preceptor.tasktypes.rubric import RubricType
    from preceptor.tasktypes.steps import StepsType

    # A registry of many kinds can only promise the common bound. Callers parse with the type's
    # own models and hand those back to it, so the narrower types always meet.
    own = (
        ComparisonType(),
        AnnotationType(),
        CodeType(),
        ConversationType(),
        DemonstrationType(),
        PromptType(),
        RatingType(),
        RubricType(),
        StepsType(),
    )
    return tuple(cast("AnyTaskType", kind) for kind in own)


def _load(entry_point: EntryPoint) -> AnyTaskType:
    found = entry_point.load()
    return cast("AnyTaskType", found() if isinstance(found, type) else found)


@cache
def task_types() -> Mapping[str, AnyTaskType]:
    """All installed task types by name, ours first.

    Two packages that offer the same name are a mistake of the installation: ValueError names both.
    """
    found = {task_type.name: task_type for task_type in _own_types()}
    for entry_point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        task_type = _load(entry_point)
        if task_type.name in found:
            raise ValueError(f"task type {task_type.name!r} is offered twice; uninstall {entry_point.value}")
        found[task_type.name] = task_type
    return found


def task_type(name: str) -> AnyTaskType:
    """The task type of that name; UnknownTaskType where none is installed."""
    try:
        return task_types()[name]
    except KeyError:
        raise UnknownTaskType(name) from None


def problems_of(error: ValidationError, limit: int = 50) -> list[Problem]:
    """A pydantic error as problems with a dotted path and a sentence."""
    return [
        Problem(
            path=".".join(str(step) for step in detail["loc"]),
            message=detail["msg"].removeprefix("Value error, "),
        )
        for detail in error.errors(include_url=False, include_input=False, include_context=False)[:limit]
    ]


def to_json(model: BaseModel) -> Row:
    """A payload, answer or config as it is stored and sent: JSON values, absent fields left out."""
    return cast("Row", model.model_dump(mode="json", exclude_none=True))
