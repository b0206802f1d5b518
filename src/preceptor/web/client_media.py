"""The files of a project: uploaded by drop, listed with what uses them, shown, deleted when nothing does."""

from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

import preceptor.media.jobs  # noqa: F401  deleting a file defers a job, which has to be registered
from preceptor.http.cursor import read_cursor
from preceptor.http.edge import Db, Now
from preceptor.kit.errors import NotFound
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.markdown import Sign
from preceptor.media import access as media_access
from preceptor.media import kinds, rules
from preceptor.media import service as media_service
from preceptor.media.errors import MediaInUse
from preceptor.media.kinds import MediaKind
from preceptor.media.models import Media
from preceptor.media.queries import SORTS
from preceptor.media.service import Used
from preceptor.people.identify import SignedIn
from preceptor.projects import access
from preceptor.web.client_frame import Frame, address, frame, frame_to_change
from preceptor.web.media import SMALL
from preceptor.web.pages import Client, Page, Pages, go

router = APIRouter()

LIST = "/projects/{project_id}/files"
PAGE_ROWS = 50
TASKS_SHOWN_MAX = 10
EVERYWHERE: Final = "organization"
KIND_WORDS: Final = {
    MediaKind.IMAGE: ("Images", "image"),
    MediaKind.AUDIO: ("Audio", "audio-lines"),
    MediaKind.VIDEO: ("Video", "film"),
    MediaKind.PDF: ("PDF", "file-type"),
    MediaKind.TEXT: ("Text", "file-text"),
}


@dataclass(frozen=True)
class FileRow:
    """A file as the list shows it."""

    media: Media
    key: str
    words: str
    icon: str
    used: Used
    small: str | None
    """Address of the small picture; None for what has none."""


@dataclass(frozen=True)
class Wanted:
    """What the list was asked for; it stands in the address."""

    q: str
    kind: str
    sort: str
    whose: str

    def href(self, here: str, **changed: str) -> str:
        asked = {"q": self.q, "kind": self.kind, "sort": self.sort, "whose": self.whose, **changed}
        return address(here, **{name: value for name, value in asked.items() if value != DEFAULTS[name]})


DEFAULTS: Final = {"q": "", "kind": "", "sort": "newest", "whose": ""}


@router.get(LIST)
def show_files(
    page: Page,
    session: Db,
    client: Client,
    now: Now,
    project_id: str,
    q: Annotated[str, Query(max_length=200)] = "",
    kind: Annotated[str, Query(pattern="^(image|audio|video|pdf|text)?$")] = "",
    sort: Annotated[str, Query(pattern="^(newest|name|largest)$")] = "newest",
    whose: Annotated[str, Query(pattern="^(organization)?$")] = "",
    cursor: str | None = None,
) -> HTMLResponse:
    """The project's files, or with `whose=organization` all that its organization has."""
    at = frame(session, client, project_id, "files")
    here, wanted = f"{at.base}/files", Wanted(q, kind, sort, whose)
    found = media_service.list_media(
        session,
        at.project.org_id,
        None if whose else at.project.id,
        search=q,
        kind=MediaKind(kind) if kind else None,
        sort=sort,
        after=read_cursor("media", cursor),
        limit=PAGE_ROWS,
    )
    sign = page.sign(at.project.org_id)
    after = show_id("media", found.next_after) if found.next_after else None
    return page.show(
        "client/files.html",
        at=at,
        here=here,
        rows=[file_row(media, used, sign) for media, used in found.items],
        wanted=wanted,
        chips=_chips(here, wanted),
        sorts=list(SORTS.items()),
        first_href=wanted.href(here) if cursor else None,
        next_href=_more(wanted.href(here), after) if after else None,
        filtered=wanted != Wanted("", "", sort, ""),
        live_href=_more(wanted.href(here), cursor) if cursor else wanted.href(here),
        endpoint=f"/media/uploads?{urlencode({'project': at.key})}",
        unfinished=_unfinished(session, client, at, now),
        quota=media_service.quota_of(session, at.project.org_id, page.runtime.settings.media_bytes_max),
        taken=kinds.TAKEN_IN_WORDS,
        limit_bytes=kinds.FILE_BYTES_MAX,
    )


def _more(href: str, cursor: str) -> str:
    return f"{href}{'&' if '?' in href else '?'}{urlencode({'cursor': cursor})}"


def _chips(here: str, wanted: Wanted) -> list[tuple[str, str, bool, None]]:
    every = [("All", wanted.href(here, kind=""), not wanted.kind, None)]
    some = [(KIND_WORDS[kind][0], wanted.href(here, kind=kind), wanted.kind == kind, None) for kind in MediaKind]
    everywhere = "" if wanted.whose else EVERYWHERE
    return [*every, *some, ("All of the organization", wanted.href(here, whose=everywhere), bool(wanted.whose), None)]


def file_row(media: Media, used: Used, sign: Sign) -> FileRow:
    found = kinds.type_named(media.media_type)
    small = sign(rules.media_url(media.id)).replace("/file?", f"/{SMALL}?")
    return FileRow(
        media,
        show_id("media", media.id),
        found.words[0].upper() + found.words[1:],
        KIND_WORDS[media.kind][1],
        used,
        small if media.kind is MediaKind.IMAGE else None,
    )


def _unfinished(session: Session, client: SignedIn, at: Frame, now: Now) -> list[dict[str, object]]:
    if not at.manages:
        return []
    found = media_service.unfinished_uploads(session, client.actor, at.project.org_id, now=now)
    return [
        {
            "address": f"/media/uploads/{show_id('media_upload', upload.id)}",
            "name": upload.name,
            "offset": upload.offset_bytes,
            "length": upload.length_bytes,
        }
        for upload in found
        if upload.project_id == at.project.id and upload.offset_bytes < upload.length_bytes
    ]


@router.get(f"{LIST}/{{media_id}}")
def show_file(page: Page, session: Db, client: Client, project_id: str, media_id: str) -> HTMLResponse:
    """One file: as people see it, what it is, and what uses it."""
    return _file(page, session, client, frame(session, client, project_id, "files"), media_id)


def _file(
    page: Pages, session: Session, client: SignedIn, at: Frame, media_id: str, error: str | None = None
) -> HTMLResponse:
    media = _media(session, client, at, media_id)
    used = media_service.used_by(session, [media.id])[media.id]
    sign = page.sign(at.project.org_id)
    tasks = [
        access.task_for_client(session, client.actor, at.project.id, task_id)
        for task_id in media_service.tasks_using(session, media.id, at.project.id, limit=TASKS_SHOWN_MAX)
    ]
    return page.show(
        "client/file.html",
        status=200 if error is None else 409,
        at=at,
        here=f"{at.base}/files",
        row=file_row(media, used, sign),
        url=rules.media_url(media.id),
        open_href=sign(rules.media_url(media.id)),
        seconds=None if media.duration_ms is None else media.duration_ms / 1000,
        tasks=[(task.external_id, f"{at.base}/tasks/{show_id('task', task.id)}") for task in tasks],
        error=error,
    )


def _media(session: Session, client: SignedIn, at: Frame, media_id: str) -> Media:
    media = media_access.media_for_client(session, client.actor, read_id("media", media_id))
    if media.org_id != at.project.org_id:
        raise NotFound("file")
    return media


@router.post(f"{LIST}/{{media_id}}/delete")
def delete_file(page: Page, session: Db, client: Client, now: Now, project_id: str, media_id: str) -> Response:
    at = frame_to_change(session, client, project_id, "files")
    media = _media(session, client, at, media_id)
    try:
        media_service.delete_media(session, client.actor, media.id, now=now)
    except MediaInUse as error:
        return _file(page, session, client, at, media_id, error.message)
    return go(f"{at.base}/files", f"{media.name} is deleted.")
