"""What a project suggests, and what suggestions did to its people.

Everything is measured by the first answer to a task, whatever was decided about it later, and by the side that the task
was drawn to: whoever dismisses a suggestion has seen it. Shown and blind are compared within one stretch of one blind
share: across shares, the shown are of other days and other tasks than the blind.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import Row
from sqlalchemy.orm import Session

from preceptor.kit import events
from preceptor.kit.events import Actor
from preceptor.kit.ids import show_id
from preceptor.projects import access
from preceptor.projects.models import Project
from preceptor.quality.anchoring import Judged, Sides, compare_means, compare_medians, compare_shares
from preceptor.quality.differences import Bools, clustered_share
from preceptor.quality.intervals import Estimate, Floats
from preceptor.tasktypes import suggesting as forms
from preceptor.tasktypes.working import Working
from preceptor.work import queries_judging, queries_suggestions, rules_suggestions
from preceptor.work.errors_suggestions import BlindShareOutOfRange, JudgeNeeded, NoSuggestionsInFiles
from preceptor.work.models_judging import AiJudge, JudgeState
from preceptor.work.models_suggestions import SuggestionOutcome, SuggestionPlan, SuggestionSource

JUDGMENTS_MAX = 20_000
"""A report rests on the newest so many first answers of a source."""
KNOWN_MAX = 5_000
"""Of these, on tasks with a known answer."""
SOURCES_MAX = 10
JUDGES_MAX = 200
"""Sources are looked for among the newest so many judges of a project."""
COVERAGE_MAX = 10_000
"""Coverage is of the newest so many tasks of a project."""
SEED = 0
"""Equal data gives equal intervals."""


@dataclass(frozen=True)
class Setting:
    """What is suggested now. `decided`: somebody has set it; else what files bring along is shown to everybody."""

    source: SuggestionSource
    judge: AiJudge | None
    blind_percent: int
    decided: bool

    @property
    def on(self) -> bool:
        """Whether people may meet suggestions."""
        retired = self.judge is not None and self.judge.state is JudgeState.RETIRED
        return self.source is not SuggestionSource.OFF and not retired


@dataclass(frozen=True)
class Wanted:
    """A setting as it is asked for; `judge_id` only with the source `judge`."""

    source: SuggestionSource
    judge_id: UUID | None = None
    blind_percent: int = rules_suggestions.BLIND_PERCENT_DEFAULT


def can_come_with_tasks(project: Project) -> bool:
    """Whether tasks of this kind can bring a model's answer along."""
    return forms.brings_suggestions(project.kind)


def setting_of(session: Session, project: Project) -> Setting:
    """What a project suggests; the project came through an access function."""
    plan = session.scalar(queries_suggestions.plan(project.id))
    if plan is None:
        source = SuggestionSource.FILE if can_come_with_tasks(project) else SuggestionSource.OFF
        return Setting(source, None, 0, decided=False)
    judge = session.get_one(AiJudge, plan.judge_id) if plan.judge_id else None
    return Setting(plan.source, judge, plan.blind_percent, decided=True)


def set_suggestions(session: Session, actor: Actor, project_id: UUID, wanted: Wanted, *, now: datetime) -> Setting:
    """Say what is suggested from now on. Claims that are open keep what they were given."""
    project = access.project_for_client(session, actor, project_id, *access.MANAGERS, lock=True)
    _refuse(session, project, wanted)
    plan = session.scalar(queries_suggestions.plan(project.id, lock=True))
    if plan is None:
        plan = SuggestionPlan(project_id=project.id, salt=uuid4())
        session.add(plan)
    plan.source, plan.judge_id = wanted.source, wanted.judge_id
    plan.blind_percent, plan.changed_at = wanted.blind_percent, now
    session.flush()
    events.record(
        session,
        actor,
        "work.suggestions_changed",
        "project",
        project.id,
        at=now,
        org_id=project.org_id,
        project_id=project.id,
        data={
            "source": wanted.source.value,
            "blind_percent": wanted.blind_percent,
            **({"judge": show_id("judge", wanted.judge_id)} if wanted.judge_id else {}),
        },
    )
    return setting_of(session, project)


def _refuse(session: Session, project: Project, wanted: Wanted) -> None:
    if not rules_suggestions.BLIND_PERCENT_MIN <= wanted.blind_percent <= rules_suggestions.BLIND_PERCENT_MAX:
        raise BlindShareOutOfRange(problems=[{"path": "blind_percent", "message": str(BlindShareOutOfRange.__doc__)}])
    if wanted.source is SuggestionSource.FILE and not can_come_with_tasks(project):
        raise NoSuggestionsInFiles(problems=[{"path": "source", "message": str(NoSuggestionsInFiles.__doc__)}])
    judge = session.scalar(queries_judging.judge(wanted.judge_id)) if wanted.judge_id else None
    own = judge is not None and judge.project_id == project.id and judge.state is not JudgeState.RETIRED
    if (wanted.source is SuggestionSource.JUDGE) is not own or (wanted.judge_id and not own):
        raise JudgeNeeded(problems=[{"path": "judge_id", "message": str(JudgeNeeded.__doc__)}])


@dataclass(frozen=True)
class Coverage:
    """How many tasks can be judged, and how many of these a judge has answered, among the newest `COVERAGE_MAX`."""

    open: int
    answered: int
    cut: bool
    """There are more tasks than were looked at."""


def coverage(session: Session, project: Project, judge: AiJudge) -> Coverage:
    """Of how many tasks a judge has something to suggest. The project came through an access function."""
    row = session.execute(queries_suggestions.covered(project.id, judge.id, COVERAGE_MAX)).one()
    return Coverage(row.open, row.answered, row.looked_at == COVERAGE_MAX)


# --- What they did


@dataclass(frozen=True)
class Aspect:
    """Distance to the suggestion on one aspect of the answer, 0 the same, 1 opposite. `edited`: where it was taken and
    changed; `sides`: of all judgments, shown and blind."""

    title: str
    edited: Estimate
    sides: Sides


@dataclass(frozen=True)
class Stretch:
    """The newest answers that were drawn at one and the same blind share: what is compared."""

    percent: int
    since: datetime
    """When the first of them was claimed."""
    first: UUID
    """Its claim."""
    shown: int
    blind: int


@dataclass(frozen=True)
class SuggestionReport:
    """What one source of suggestions did. Shares of `outcomes` are of all judgments that it was shown to, and so is
    what aspects say of edited ones; shown and blind are compared within `compared`, None where nothing was drawn.

    `agreement`: how often people give the suggestion's labels. `wrong`, `right`: how often they give the known answer
    where the suggestion is wrong, and where it is right. `seconds`: median of time worked.
    """

    source: SuggestionSource
    judge: AiJudge | None
    shown: int
    blind: int
    outcomes: dict[SuggestionOutcome, tuple[int, Estimate]]
    agreement: Sides
    wrong: Sides
    right: Sides
    seconds: Sides
    compared: Stretch | None
    aspects: dict[str, Aspect]
    cut: bool
    """There are more judgments than were looked at."""


def reports(session: Session, project: Project) -> list[SuggestionReport]:
    """What suggestions did in a project that came through an access function, by source, the newest source first."""
    found = session.execute(queries_suggestions.sources(project.id, JUDGES_MAX, SOURCES_MAX)).all()
    return [_report(session, project, SuggestionSource(row.source), row.judge_id) for row in found]


def _report(session: Session, project: Project, source: SuggestionSource, judge_id: UUID | None) -> SuggestionReport:
    rows = session.execute(queries_suggestions.measured(project.id, source, judge_id, JUDGMENTS_MAX)).all()
    drawn = newest_stretch(rows)
    compared, judged = _stretch(drawn), _judged(drawn)
    wrong, right = _on_known(project.kind, _known(session, project.id, source, judge_id, compared))
    # Time worked of 0 means that nobody knows it: no heartbeat came.
    seconds = np.array([row.worked_seconds or np.nan for row in drawn], dtype=np.float64)
    return SuggestionReport(
        source=source,
        judge=session.get_one(AiJudge, judge_id) if judge_id else None,
        shown=sum(row.shown for row in rows),
        blind=sum(not row.shown for row in rows),
        outcomes=_outcomes([row for row in rows if row.shown]),
        agreement=compare_shares(judged, _bools([row.agrees for row in drawn])),
        wrong=wrong,
        right=right,
        seconds=compare_medians(judged, seconds, np.random.default_rng(SEED)),
        compared=compared,
        aspects=_aspects(project.kind, rows, drawn),
        cut=len(rows) == JUDGMENTS_MAX,
    )


def newest_stretch(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """The newest drawn ones of these rows, which are the newest first, back to where the blind share was another."""
    drawn = [row for row in rows if row.blind_percent is not None]
    return list(takewhile(lambda row: row.blind_percent == drawn[0].blind_percent, drawn))


def _stretch(drawn: Sequence[Row[Any]]) -> Stretch | None:
    if not drawn:
        return None
    first, shown = drawn[-1], sum(row.shown for row in drawn)
    return Stretch(first.blind_percent, first.created_at, first.claim_id, shown, len(drawn) - shown)


def _known(
    session: Session, project_id: UUID, source: SuggestionSource, judge_id: UUID | None, compared: Stretch | None
) -> Sequence[Row[Any]]:
    if compared is None:
        return []
    wanted = queries_suggestions.on_known_answers(
        project_id, source, judge_id, compared.first, compared.percent, KNOWN_MAX
    )
    return session.execute(wanted).all()


def _judged(rows: Sequence[Row[Any]]) -> Judged:
    number: dict[UUID, int] = {}
    task = [number.setdefault(row.task_id, len(number)) for row in rows]
    return Judged(np.array(task, dtype=np.int64), np.array([row.shown for row in rows], dtype=np.bool_))


def _outcomes(shown: Sequence[Row[Any]]) -> dict[SuggestionOutcome, tuple[int, Estimate]]:
    counts, task = Counter(row.outcome for row in shown), _judged(shown).task
    return {
        each: (counts[each], clustered_share(_bools([row.outcome == each for row in shown]), task))
        for each in SuggestionOutcome
    }


def _aspects(kind: Working, rows: Sequence[Row[Any]], drawn: Sequence[Row[Any]]) -> dict[str, Aspect]:
    edited = [row for row in rows if row.outcome == SuggestionOutcome.EDITED]
    found = {}
    for key, title in kind.aspects().items():
        if any(key in row.distances for row in rows):
            only = compare_means(_judged(edited), _far(edited, key)).shown
            found[key] = Aspect(title, only, compare_means(_judged(drawn), _far(drawn, key)))
    return found


def _far(rows: Sequence[Row[Any]], key: str) -> Floats:
    """Distances on one aspect, NaN where the two answers cannot be compared on it."""
    return np.array([row.distances.get(key, np.nan) for row in rows], dtype=np.float64)


def _on_known(kind: Working, rows: Sequence[Row[Any]]) -> tuple[Sides, Sides]:
    """Who gives the known answer, where the suggestion is wrong and where it is right."""
    suggested: list[bool] = []
    given: list[bool] = []
    for row in rows:
        payload, known = kind.payload(row.payload), kind.answer(row.known)
        suggested.append(forms.agrees(kind, payload, known, kind.answer(row.suggested)))
        given.append(forms.agrees(kind, payload, known, kind.answer(row.given)))
    judged, correct, good = _judged(rows), _bools(given), _bools(suggested)
    return compare_shares(judged, correct, ~good), compare_shares(judged, correct, good)


def _bools(values: Sequence[bool]) -> Bools:
    return np.array(values, dtype=np.bool_)
