"""What uses a file: found by the `media:` addresses in a payload or answer, and kept so that it is not deleted."""

import re
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from preceptor.kit.ids import show_id
from preceptor.media import queries
from preceptor.media.errors import MediaUnknown
from preceptor.media.models import Placed

_WITHIN = re.compile(r"media:med_([0-9a-f]{32})(?![0-9a-f])")
UNKNOWN_TOLD_MAX = 5

_ANY_STAGED = text("SELECT EXISTS (SELECT 1 FROM task_staging WHERE payload::text LIKE '%media:med\\_%')")
_USED_BY_STAGED = text("""
    CREATE TEMP TABLE media_staging ON COMMIT DROP AS
    SELECT DISTINCT s.id AS task_id, found[1]::uuid AS media_id
    FROM task_staging s, regexp_matches(s.payload::text, 'media:med_([0-9a-f]{32})(?![0-9a-f])', 'g') AS found
    WHERE s.payload::text LIKE '%media:med\\_%'
""")
_KNOWN = text("""
    SELECT m.id FROM media m WHERE m.org_id = :org_id AND m.state = 'ready'
      AND m.id IN (SELECT media_id FROM media_staging)
    FOR KEY SHARE
""")
_UNKNOWN = text("""
    SELECT DISTINCT s.media_id FROM media_staging s
    WHERE NOT EXISTS (SELECT 1 FROM media m WHERE m.id = s.media_id AND m.org_id = :org_id AND m.state = 'ready')
    LIMIT :limit
""")
_PLACE = text("""
    INSERT INTO media_place (media_id, placed, subject_id, project_id)
    SELECT s.media_id, 'task', s.task_id, :project_id FROM media_staging s JOIN task t ON t.id = s.task_id
    ON CONFLICT DO NOTHING
""")


def urls_in(content: str) -> set[UUID]:
    """The files that a text (JSON, Markdown) names by `media:` addresses."""
    return {UUID(hex=digits) for digits in _WITHIN.findall(content)} if "media:med_" in content else set()


def place_media(
    session: Session, media_ids: Iterable[UUID], placed: Placed, subject_id: UUID, project_id: UUID
) -> None:
    """Note that a subject uses these files. Noting it again changes nothing."""
    rows = [
        {"media_id": each, "placed": placed, "subject_id": subject_id, "project_id": project_id}
        for each in sorted(media_ids)
    ]
    if rows:
        session.execute(queries.place(rows))


def find_staged(session: Session, org_id: UUID) -> bool:
    """Whether staged tasks name files, which are then held. `MediaUnknown` where the organization lacks one.

    The rows are locked against deletion until the tasks stand.
    """
    if not session.scalar(_ANY_STAGED):
        return False
    session.execute(_USED_BY_STAGED)
    session.execute(_KNOWN, {"org_id": org_id}).all()
    missing = session.scalars(_UNKNOWN, {"org_id": org_id, "limit": UNKNOWN_TOLD_MAX}).all()
    if missing:
        listed = ", ".join(f"media:{show_id('media', each)}" for each in missing)
        raise MediaUnknown(f"Your organization has no such file: {listed}. Upload it first.")
    return True


def place_in_tasks(session: Session, project_id: UUID) -> None:
    """Note which of the tasks that now stand use which files."""
    session.execute(_PLACE, {"project_id": project_id})
    session.execute(text("DROP TABLE media_staging"))


def place_in_answer(session: Session, org_id: UUID, project_id: UUID, submission_id: UUID, answer: str) -> None:
    """Note which files an answer (as JSON) uses. `MediaUnknown` where one is not the organization's."""
    named = urls_in(answer)
    if not named:
        return
    known = set(session.scalars(queries.known(org_id, sorted(named))))
    if named - known:
        raise MediaUnknown("Your answer names a file that is not there any more. Upload it again.")
    place_media(session, known, Placed.ANSWER, submission_id, project_id)
