"""Near duplicates among the texts of a project: looked for while somebody writes, refused when they submit.

Texts that came with tasks are signed when a search first meets them, so that imports need to know nothing of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import numpy as np
from pydantic import BaseModel, ValidationError
from sqlalchemy import Row
from sqlalchemy.orm import Session

from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.kit.ids import new_id
from preceptor.projects.models import Project
from preceptor.tasktypes.base import problems_of
from preceptor.tasktypes.working import Working, working
from preceptor.tasktypes.writing import likeness
from preceptor.tasktypes.writing.likeness import ComparesTexts
from preceptor.work import access, queries_texts
from preceptor.work.errors import Incomplete, TooAlike

SERVICE: Final = "similar"
COMPARED_MAX: Final = 20
"""Candidates whose texts are read and compared exactly."""
SHOWN_MAX: Final = 5
SLACK: Final = 0.15
"""A signature estimates within about 0.04; nobody who is over a limit is lost by four times that."""
SNIPPET_CHARACTERS: Final = 160
TASKS_PER_SEARCH_MAX: Final = 1_000
"""Tasks signed in passing; a search after a great import signs them in several goes."""
LATE_COMMIT_MILLISECONDS: Final = 3600 * 1000
"""An import may commit after tasks with later ids: how far back a search looks for them."""


@dataclass(frozen=True)
class Similar:
    """A text like the one compared. `snippet` only of what the person may see: their own."""

    likeness: float
    whose: Literal["yours", "other", "material"]
    snippet: str | None


@dataclass(frozen=True)
class Likeness:
    """The most similar texts, most alike first, and whether the likeness is one that a submission is refused for."""

    similar: tuple[Similar, ...]
    refused: bool


def find_similar(
    session: Session, actor: Actor, claim_id: UUID, answer: Mapping[str, Any], *, now: datetime
) -> Likeness:
    """Texts of the project like the draft of one's own claim. Incomplete where the draft has not the answer's shape."""
    claim = access.own_claim(session, actor, claim_id)
    project = session.get_one(Project, claim.project_id)
    used = working(project.task_type, project.config)
    if not isinstance(used.kind, ComparesTexts):
        raise NotFound("page")
    try:
        given = used.answer(answer)
    except ValidationError as error:
        listed = [{"path": each.path, "message": each.message} for each in problems_of(error)]
        raise Incomplete(listed[0]["message"], listed) from error
    _sign_tasks(session, used, claim.project_id, now)
    return _compared(session, used, used.kind.compared_text(given), claim.project_id, claim.id, claim.person_id)


def keep_apart(session: Session, used: Working, row: Row[Any], answer: BaseModel, *, now: datetime) -> None:
    """Refuse an answer that repeats another text (`TooAlike`), and sign it for those who come after.

    Two people who submit the same at once are told apart by a lock on the project's texts, taken after the claim and
    held to the end of the transaction. Kinds of work that compare no texts are let through.
    """
    if SERVICE not in used.kind.services or not isinstance(used.kind, ComparesTexts):
        return
    session.execute(queries_texts.LOCK_TEXTS, {"key": _lock_key(row.project_id)})
    _sign_tasks(session, used, row.project_id, now)
    written = used.kind.compared_text(answer)
    found = _compared(session, used, written, row.project_id, row.id, row.person_id)
    if found.refused:
        raise TooAlike(round(found.similar[0].likeness * 100), found.similar[0].whose)
    signed = _signed(written, row.project_id)
    values = {"task_id": row.task_id, "claim_id": row.id, "person_id": row.person_id}
    session.execute(queries_texts.SIGN_CLAIM, signed | values | {"now": now})


def _lock_key(project_id: UUID) -> int:
    # The project itself is locked elsewhere by its own key; texts are another subject.
    return int.from_bytes(project_id.bytes[:8], signed=True) ^ 0x7E8750


def _signed(written: str, project_id: UUID) -> dict[str, Any]:
    normal = likeness.normal_form(written)
    made = likeness.signature(normal)
    bands = likeness.band_keys(made, project_id.bytes) if normal else []
    return {"id": new_id(), "project_id": project_id, "bands": bands, "signature": made.tobytes()}


def _compared(
    session: Session, used: Working, written: str, project_id: UUID, claim_id: UUID, person_id: UUID
) -> Likeness:
    assert isinstance(used.kind, ComparesTexts)
    warn, refuse = used.kind.similarity_limits(used.config)
    normal = likeness.normal_form(written)
    if not normal:
        return Likeness((), False)
    likely = _candidates(session, normal, project_id, claim_id, warn - SLACK)
    found = [
        (likeness.likeness(normal, other), row, text)
        for row, text in _texts_of(session, used, likely)
        if (other := likeness.normal_form(text))
    ]
    alike = sorted((each for each in found if each[0] >= warn), key=lambda each: -each[0])
    similar = tuple(_shown(share, row, text, person_id) for share, row, text in alike[:SHOWN_MAX])
    return Likeness(similar, bool(similar) and similar[0].likeness >= refuse)


def _candidates(session: Session, normal: str, project_id: UUID, claim_id: UUID, least: float) -> list[Row[Any]]:
    """Rows whose signatures promise enough likeness, the most promising first."""
    ours = likeness.signature(normal)
    values = {
        "bands": likeness.band_keys(ours, project_id.bytes),
        "project_id": project_id,
        "claim_id": claim_id,
        "most": queries_texts.CANDIDATES_MAX,
    }
    rows = session.execute(queries_texts.CANDIDATES, values).all()
    if not rows:
        return []
    theirs = np.frombuffer(b"".join(row.signature for row in rows), dtype=np.uint32).reshape(len(rows), -1)
    shares = (theirs == ours).mean(axis=1)
    best = np.argsort(-shares, kind="stable")[:COMPARED_MAX]
    return [rows[at] for at in best if shares[at] >= least]


def _texts_of(session: Session, used: Working, rows: Sequence[Row[Any]]) -> list[tuple[Row[Any], str]]:
    assert isinstance(used.kind, ComparesTexts)
    claims = [row.claim_id for row in rows if row.claim_id is not None]
    tasks = [row.task_id for row in rows if row.claim_id is None]
    submitted = session.execute(queries_texts.SUBMITTED_TEXTS, {"claim_ids": claims}).tuples().all() if claims else ()
    answers = dict(submitted)
    payloads = dict(session.execute(queries_texts.TASK_PAYLOADS, {"task_ids": tasks}).tuples().all() if tasks else ())
    found: list[tuple[Row[Any], str]] = []
    for row in rows:
        if row.claim_id is None:
            known = used.kind.known_texts(used.payload(payloads[row.task_id]))
            found += [(row, known[row.place])] if row.place < len(known) else []
        elif row.claim_id in answers:
            found.append((row, used.kind.compared_text(used.answer(answers[row.claim_id]))))
    return found


def _shown(share: float, row: Row[Any], text: str, person_id: UUID) -> Similar:
    if row.claim_id is None:
        return Similar(share, "material", None)
    if row.person_id != person_id:
        return Similar(share, "other", None)
    flat = " ".join(text.split())
    return Similar(share, "yours", flat if len(flat) <= SNIPPET_CHARACTERS else flat[: SNIPPET_CHARACTERS - 1] + "…")


# --- Texts that came with tasks


def _sign_tasks(session: Session, used: Working, project_id: UUID, now: datetime) -> None:
    """Sign the texts of tasks that no search has met yet."""
    assert isinstance(used.kind, ComparesTexts)
    newest = session.scalar(queries_texts.NEWEST_TASK, {"project_id": project_id})
    values = {"project_id": project_id, "after": _earlier(newest), "most": TASKS_PER_SEARCH_MAX}
    rows = [
        _signed(text, project_id) | {"task_id": task_id, "place": place, "now": now}
        for task_id, payload in session.execute(queries_texts.TASKS_TO_SIGN, values).tuples().all()
        for place, text in enumerate(used.kind.known_texts(used.payload(payload)) or ("",))
    ]
    if rows:
        session.execute(queries_texts.SIGN_TASK, rows)


def _earlier(newest: UUID | None) -> UUID:
    """Ids begin with their time: the smallest id of the time before which all tasks have surely been met."""
    if newest is None:
        return UUID(int=0)
    milliseconds = max(0, (newest.int >> 80) - LATE_COMMIT_MILLISECONDS)
    return UUID(int=milliseconds << 80)
