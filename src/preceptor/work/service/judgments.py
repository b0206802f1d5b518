"""A project's judgments as arrays: read in pages of tasks, kept as a few numbers each.

A unit of judgment (`task/unit`) is an item; the place of a label among the unit's possible labels is its class, so that
names that differ from task to task mean the same. Only judgments that count (submitted or approved) are read.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row
from sqlalchemy.orm import Session, sessionmaker

from preceptor.projects.models import Project, TaskState
from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, Ints, Labels
from preceptor.tasktypes.working import Working
from preceptor.work import queries_judging, queries_quality, rules_quality

LABELS_RANKED_MAX = 256
PAGE_TASKS = 1_000
"""Tasks whose payloads and answers are in memory at a time."""
Units = tuple[tuple[str, tuple[str, ...]], ...]
"""A task's units with their possible labels."""


PLACE = "label "
"""Begins the name of a class that is only a place among the labels of its unit, where units have different ones."""


@dataclass(frozen=True)
class ProjectJudgments:
    """Arrays over items (units of tasks) and judgments; tasks are in the order of arrival.

    `first_item` (tasks + 1,): where each task's items begin. `given` (tasks,): answers that count. `gold`, `topic`
    (items,), UNKNOWN and -1 where there is none. `at` (n,) seconds since 1970 of the answer, `seconds` (n,) worked on
    it, `answer` (n,) a number for each answer (an answer to several units is several judgments), `places` (n, classes)
    the place at which each class was shown to this person; classes that are not shown (a tie) come after those that
    are. Equal to the class where the task type shows nothing in an order; (n, 0) with more than 256 classes.
    `shown` (n,) is how many of the unit's labels were shown in an order. `mixed` (items,) marks gold tasks mixed in,
    which far more people judge than anything else.

    All of this is of people. What AI judges said of the same items stands apart: `judged` are their labels, whose
    `person` is an index into `judges`. Left out are those on tasks where people were shown the judge's answer as a
    suggestion (`seen` tasks by judge, `seen_items` their items): there people and judge are not two voices.
    """

    labels: Labels
    gold: Ints
    mixed: NDArray[np.bool_]
    topic: Ints
    at: Floats
    seconds: Ints
    answer: Ints
    places: NDArray[np.uint8]
    shown: Ints
    tasks: Sequence[UUID]
    units: Sequence[Units]
    first_item: Ints
    given: Ints
    people: Sequence[UUID]
    topics: Sequence[str]
    newest: UUID | None
    judged: Labels
    judges: Sequence[UUID]
    seen: Sequence[int]
    seen_items: Sequence[Ints]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def sizes(self) -> Ints:
        """(items,) how many labels each unit can get."""
        sizes = [len(names) for units in self.units for _, names in units]
        return np.array(sizes, dtype=np.int64)

    @property
    def classes(self) -> list[str]:
        """Names of the classes: the labels themselves where all units have the same, else their places from 1 on."""
        named = {names for units in self.units for _, names in units}
        if len(named) == 1:
            return list(next(iter(named)))
        return [f"{PLACE}{place + 1}" for place in range(self.labels.classes)]


def read_judgments(sessions: sessionmaker[Session], project_id: UUID) -> ProjectJudgments:
    """All judgments of a project that count. Linear: about 80 microseconds and 100 bytes a judgment (comparisons,
    measured at 300,000), and up to a kilobyte a task; answers and payloads of one page are in memory at a time."""
    with sessions() as session:
        kind = session.get_one(Project, project_id).kind
    table = _Table(kind)
    after: UUID | None = None
    while True:
        with sessions() as session:
            tasks = session.execute(queries_quality.judged_tasks(project_id, after=after, limit=PAGE_TASKS)).all()
            if not tasks:
                return table.finished()
            ids = [task.id for task in tasks]
            answers = session.execute(queries_quality.counted_of_tasks(ids)).all()
            judged = session.execute(queries_judging.answered_of_tasks(ids)).all()
        table.add(tasks, answers, judged)
        after = tasks[-1].id


@dataclass
class _Table:
    """Judgments collected page by page."""

    kind: Working
    item: "array[int]" = field(default_factory=lambda: array("q"))
    person: "array[int]" = field(default_factory=lambda: array("i"))
    label: "array[int]" = field(default_factory=lambda: array("h"))
    places: list[bytes] = field(default_factory=list)
    shown: "array[int]" = field(default_factory=lambda: array("h"))
    answer: "array[int]" = field(default_factory=lambda: array("q"))
    at: "array[float]" = field(default_factory=lambda: array("d"))
    seconds: "array[int]" = field(default_factory=lambda: array("i"))
    gold: "array[int]" = field(default_factory=lambda: array("h"))
    mixed: "array[int]" = field(default_factory=lambda: array("b"))
    topic: "array[int]" = field(default_factory=lambda: array("i"))
    first_item: "array[int]" = field(default_factory=lambda: array("q", [0]))
    given: "array[int]" = field(default_factory=lambda: array("i"))
    tasks: list[UUID] = field(default_factory=list)
    units: list[Units] = field(default_factory=list)
    people: dict[UUID, int] = field(default_factory=dict)
    topics: dict[str, int] = field(default_factory=dict)
    ranks: dict[bytes, bytes] = field(default_factory=dict)
    same: dict[Units, Units] = field(default_factory=dict)
    judge_item: "array[int]" = field(default_factory=lambda: array("q"))
    judge_number: "array[int]" = field(default_factory=lambda: array("i"))
    judge_label: "array[int]" = field(default_factory=lambda: array("h"))
    judges: dict[UUID, int] = field(default_factory=dict)
    seen: "list[list[range]]" = field(default_factory=list)
    newest: UUID | None = None
    answers: int = 0

    def add(self, tasks: Sequence[Row[Any]], answers: Sequence[Row[Any]], judged: Sequence[Row[Any]]) -> None:
        by_task, of_judges = _by_task(answers), _by_task(judged)
        for task in tasks:
            if task.id in by_task:
                self._add_task(task, by_task[task.id], of_judges.get(task.id, ()))

    def _add_task(self, task: Row[Any], answers: Sequence[Row[Any]], judged: Sequence[Row[Any]]) -> None:
        payload = self.kind.payload(task.payload)
        possible = self.kind.unit_labels(payload)
        units = tuple((unit, tuple(names)) for unit, names in possible.items())
        start = self.first_item[-1]
        place = {unit: start + offset for offset, unit in enumerate(possible)}
        known = self._places(payload, possible, task.gold) if task.gold is not None else {}
        self.gold.extend(known.get(unit, UNKNOWN) for unit in possible)
        self.mixed.extend([task.state == TaskState.GOLD] * len(possible))
        number = self.topics.setdefault(task.topic, len(self.topics)) if task.topic is not None else -1
        self.topic.extend([number] * len(possible))
        for row in answers:
            self._add_answer(row, self._places(payload, possible, row.answer), place, possible)
        for row in judged:
            self._add_judged(row, self._places(payload, possible, row.answer), place)
        self.tasks.append(task.id)
        self.units.append(self.same.setdefault(units, units))
        self.given.append(len(answers))
        self.first_item.append(start + len(possible))

    def _places(self, payload: Any, possible: Mapping[str, Sequence[str]], answer: Any) -> dict[str, int]:
        labels = self.kind.labels(payload, self.kind.answer(answer))
        return rules_quality.places(labels, possible)

    def _add_answer(
        self, row: Row[Any], given: Mapping[str, int], place: Mapping[str, int], possible: Mapping[str, Sequence[str]]
    ) -> None:
        person = self.people.setdefault(row.person_id, len(self.people))
        shown = {name: place for place, name in enumerate(row.display_order)}
        for unit, label in given.items():
            self.item.append(place[unit])
            self.person.append(person)
            self.label.append(label)
            self.places.append(self._shown_places(shown, possible[unit]))
            self.shown.append(sum(name in shown for name in possible[unit]))
            self.answer.append(self.answers)
            self.at.append(row.created_at.timestamp())
            self.seconds.append(row.worked_seconds)
        self.answers += 1
        if self.newest is None or row.id > self.newest:
            self.newest = row.id

    def _add_judged(self, row: Row[Any], given: Mapping[str, int], place: Mapping[str, int]) -> None:
        judge = self.judges.setdefault(row.judge_id, len(self.judges))
        if judge == len(self.seen):
            self.seen.append([])
        if row.seen:
            first = self.first_item[-1]
            self.seen[judge].append(range(first, first + len(place)))
            return
        for unit, label in given.items():
            self.judge_item.append(place[unit])
            self.judge_number.append(judge)
            self.judge_label.append(label)

    def _shown_places(self, shown: Mapping[str, int], names: Sequence[str]) -> bytes:
        """The rank of each label by its place, those without a place last; one object for equal ones."""
        if len(names) > LABELS_RANKED_MAX:
            return b""
        key = [shown.get(name, len(shown) + number) for number, name in enumerate(names)]
        order = sorted(range(len(names)), key=key.__getitem__)
        ranks = bytes(order.index(number) for number in range(len(names)))
        return self.ranks.setdefault(ranks, ranks)

    def finished(self) -> ProjectJudgments:
        sizes = [len(names) for units in self.same for _, names in units]
        labels = Labels(
            _ints(self.item),
            _ints(self.person),
            _ints(self.label),
            self.first_item[-1],
            len(self.people),
            max(sizes, default=1),
        )
        return ProjectJudgments(
            labels=labels,
            gold=_ints(self.gold),
            mixed=np.array(self.mixed, dtype=np.bool_),
            topic=_ints(self.topic),
            at=np.array(self.at, dtype=np.float64),
            seconds=_ints(self.seconds),
            answer=_ints(self.answer),
            places=_places_table(self.places, labels.classes),
            shown=_ints(self.shown),
            tasks=self.tasks,
            units=self.units,
            first_item=_ints(self.first_item),
            given=_ints(self.given),
            people=list(self.people),
            topics=list(self.topics),
            newest=self.newest,
            judged=Labels(
                _ints(self.judge_item),
                _ints(self.judge_number),
                _ints(self.judge_label),
                labels.items,
                len(self.judges),
                labels.classes,
            ),
            judges=list(self.judges),
            seen=[len(tasks) for tasks in self.seen],
            seen_items=[np.array(list(chain.from_iterable(tasks)), dtype=np.int64) for tasks in self.seen],
        )


def _by_task(rows: Sequence[Row[Any]]) -> dict[UUID, list[Row[Any]]]:
    found: dict[UUID, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.task_id, []).append(row)
    return found


def _ints(column: "array[int]") -> Ints:
    return np.array(column, dtype=np.int64)


def _places_table(rows: Sequence[bytes], classes: int) -> NDArray[np.uint8]:
    if classes > LABELS_RANKED_MAX:
        return np.empty((len(rows), 0), dtype=np.uint8)
    rest = bytes(range(classes))
    packed = b"".join(row + rest[len(row) :] for row in rows)
    return np.frombuffer(packed, dtype=np.uint8).reshape(len(rows), classes)


def items_of_tasks(judgments: ProjectJudgments) -> list[range]:
    """The items of each task."""
    return [range(first, last) for first, last in pairwise(judgments.first_item.tolist())]
