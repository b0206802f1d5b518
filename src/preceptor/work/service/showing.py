"""What a task may show: the words of warning on every page that shows it, and what is counted when it is given."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.errors import AppError
from preceptor.people import content
from preceptor.people.content import Exposure
from preceptor.people.service.content import count_shown, exposure
from preceptor.work import queries_content
from preceptor.work.errors import ContentLimitReached, ContentNotChosen


def ratings_of(session: Session, task_id: UUID) -> tuple[str, ...]:
    """What a task and its project may show between them."""
    return content.together(*session.execute(queries_content.ratings_of(task_id)).one())


def rated(session: Session, task_ids: Sequence[UUID]) -> dict[UUID, tuple[str, ...]]:
    """What those of these tasks may show that are rated, by themselves or by their project. One statement."""
    rows = session.execute(queries_content.rated(task_ids)) if task_ids else ()
    return {task_id: content.together(project, task) for task_id, project, task in rows}


def refusal_of(ratings: Collection[str], chosen: Mapping[str, Exposure]) -> AppError | None:
    """Whether material shows what a person did not choose to see, or has seen enough of today."""
    missing = content.not_chosen(ratings, chosen)
    if missing:
        return ContentNotChosen(content.invitation(missing))
    used_up = content.used_up(ratings, chosen)
    return ContentLimitReached(content.enough(used_up)) if used_up else None


def left_over(kept: Iterable[Collection[str]], chosen: Mapping[str, Exposure]) -> AppError | None:
    """What is said when nothing is left but what these ratings keep from a person; None where they keep nothing."""
    ratings = {rating for each in kept for rating in each}
    missing, used_up = content.not_chosen(ratings, chosen), content.used_up(ratings, chosen)
    if not (missing or used_up):
        return None
    refusal = ContentNotChosen if missing else ContentLimitReached
    return refusal(content.left_over(missing, used_up))


def count(session: Session, person_id: UUID, ratings: Collection[str], *, now: datetime) -> bool:
    """Count material against a person's day; False, with nothing counted, where that is full by now."""
    if not ratings:
        return True
    with session.begin_nested() as savepoint:
        if count_shown(session, person_id, ratings, now=now):
            return True
        savepoint.rollback()
    return False


def give(session: Session, person_id: UUID, task_id: UUID, *, now: datetime) -> None:
    """Count a task that somebody is about to be shown; refused where they did not choose it or have seen enough."""
    ratings = ratings_of(session, task_id)
    if not ratings:
        return
    refusal = refusal_of(ratings, exposure(session, person_id, now=now))
    if refusal is not None:
        raise refusal
    if not count(session, person_id, ratings, now=now):
        raise ContentLimitReached
