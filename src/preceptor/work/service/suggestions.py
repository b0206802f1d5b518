"""What a project suggests, and what suggestions did to its people.

Everything is measured by the first answer to a task, whatever was decided about it later, and by the side that the task
was drawn to: whoever dismisses a suggestion has seen it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
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
from preceptor.quality.intervals import Estimate
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


def coverage(session: Session, project: Project, judge: AiJudge) -> tuple[int, int]:
    """How many tasks can still be judged, and how many of these the judge has answered."""
    row = session.execute(queries_suggestions.covered(project.id, judge.id)).one()
    return row.open, row.answered


# --- What they did


@dataclass(frozen=True)
class Aspect:
    """Distance to the suggestion on one aspect of the answer, 0 the same, 1 opposite. `edited`: where it was taken and
    changed; `sides`: of all judgments, shown and blind."""

    title: str
    edited: Estimate
    sides: Sides


@dataclass(frozen=True)
class SuggestionReport:
    """What one source of suggestions did. Shares of `outcomes` are of judgments that it was shown to.

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
    aspects: dict[str, Aspect]
    cut: bool
    """There are more judgments than were looked at."""


def reports(session: Session, project: Project) -> list[SuggestionReport]:
    """What suggestions did in a project that came through an access function, by source, the newest source first."""
    found = session.execute(queries_suggestions.sources(project.id)).all()[:SOURCES_MAX]
    return [_report(session, project, SuggestionSource(row.source), row.judge_id) for row in found]


def _report(session: Session, project: Project, source: SuggestionSource, judge_id: UUID | None) -> SuggestionReport:
    rows = session.execute(queries_suggestions.measured(project.id, source, judge_id, JUDGMENTS_MAX)).all()
    known = session.execute(queries_suggestions.on_known_answers(project.id, source, judge_id, KNOWN_MAX)).all()
    kind, judged = project.kind, _judged(rows)
    wrong, right = _on_known(kind, known)
    # Time worked of 0 means that nobody knows it: no heartbeat came.
    seconds = np.array([row.worked_seconds or np.nan for row in rows], dtype=np.float64)
    return SuggestionReport(
        source=source,
        judge=session.get_one(AiJudge, judge_id) if judge_id else None,
        shown=int(judged.shown.sum()),
        blind=int((~judged.shown).sum()),
        outcomes=_outcomes(rows, judged),
        agreement=compare_shares(judged, np.array([row.agrees for row in rows], dtype=np.bool_)),
        wrong=wrong,
        right=right,
        seconds=compare_medians(judged, seconds, np.random.default_rng(SEED)),
        aspects=_aspects(kind, rows, judged),
        cut=len(rows) == JUDGMENTS_MAX,
    )


def _judged(rows: Sequence[Row[Any]]) -> Judged:
    number: dict[UUID, int] = {}
    task = [number.setdefault(row.task_id, len(number)) for row in rows]
    return Judged(np.array(task, dtype=np.int64), np.array([row.shown for row in rows], dtype=np.bool_))


def _outcomes(rows: Sequence[Row[Any]], judged: Judged) -> dict[SuggestionOutcome, tuple[int, Estimate]]:
    counts = Counter(row.outcome for row in rows if row.shown)
    task = judged.task[judged.shown]
    return {
        each: (
            counts[each],
            clustered_share(np.array([row.outcome == each for row in rows if row.shown], dtype=np.bool_), task),
        )
        for each in SuggestionOutcome
    }


def _aspects(kind: Working, rows: Sequence[Row[Any]], judged: Judged) -> dict[str, Aspect]:
    edited = np.array([row.outcome == SuggestionOutcome.EDITED for row in rows], dtype=np.bool_)
    found = {}
    for key, title in kind.aspects().items():
        far = np.array([row.distances.get(key, np.nan) for row in rows], dtype=np.float64)
        if not np.isfinite(far).any():
            continue
        only = compare_means(judged, np.where(edited, far, np.nan)).shown
        found[key] = Aspect(title, only, compare_means(judged, far))
    return found


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
