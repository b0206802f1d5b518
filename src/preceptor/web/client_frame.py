"""What the client's pages share: the frame around a project, forms as they were sent, and tables to download."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from preceptor.datasets.pseudonyms import Pseudonym, pseudonyms
from preceptor.kit.errors import Invalid
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.money import Money
from preceptor.people.identify import SignedIn
from preceptor.projects import access
from preceptor.projects.models import Project, ProjectState
from preceptor.web.pages import Pages

TABS: tuple[tuple[str, str, str], ...] = (
    ("overview", "", "Overview"),
    ("work", "/tasks", "Work"),
    ("people", "/people", "People"),
    ("quality", "/quality", "Quality"),
    ("money", "/money", "Money"),
    ("guidelines", "/guidelines", "Guidelines & rubric"),
    ("import", "/imports", "Import"),
    ("files", "/files", "Files"),
    ("releases", "/releases", "Releases"),
    ("models", "/models", "Models"),
)
SHORT_NAME_CHARACTERS = 10


@dataclass(frozen=True)
class Frame:
    """A project with what its header and tabs need."""

    project: Project
    key: str
    """The id as shown."""
    manages: bool
    tab: str

    @property
    def base(self) -> str:
        return f"/projects/{self.key}"

    @property
    def tabs(self) -> list[tuple[str, str, bool]]:
        return [(f"{self.base}{path}", label, name == self.tab) for name, path, label in TABS]

    @property
    def rate(self) -> Money:
        return Money(self.project.rate_minor, self.project.currency)

    @property
    def moves(self) -> tuple[str, ...]:
        """What a manager may do with the project's state now."""
        match self.project.state:
            case ProjectState.DRAFT:
                return ("open",)
            case ProjectState.OPEN:
                return ("pause", "close")
            case ProjectState.PAUSED:
                return ("resume", "close")
            case ProjectState.CLOSING | ProjectState.CLOSED:
                return ()


def frame(session: Session, signed_in: SignedIn, project_id: str, tab: str) -> Frame:
    """The asked project of the client's own organizations; strangers get `NotFound`."""
    return framed(signed_in, access.project_for_client(session, signed_in.actor, read_id("project", project_id)), tab)


def frame_to_change(session: Session, signed_in: SignedIn, project_id: str, tab: str) -> Frame:
    """The same for whoever may change it; a viewer gets `RoleTooSmall`."""
    found = read_id("project", project_id)
    return framed(signed_in, access.project_for_client(session, signed_in.actor, found, *access.MANAGERS), tab)


def framed(signed_in: SignedIn, project: Project, tab: str) -> Frame:
    manages = access.role_in(signed_in.actor, project.org_id) in access.MANAGERS
    return Frame(project, show_id("project", project.id), manages, tab)


# --- People by pseudonym


@dataclass(frozen=True)
class Names:
    """Contributors by the pseudonym that the organization's releases use, so that pages and data agree."""

    full: Pseudonym

    def short(self, person_id: UUID) -> str:
        """The beginning of the pseudonym, enough to tell people of one project apart."""
        return self.full(person_id)[:SHORT_NAME_CHARACTERS]


def names_in(page: Pages, org_id: UUID) -> Names:
    return Names(pseudonyms(page.runtime.settings.signing_key(), org_id))


# --- Forms


@dataclass(frozen=True)
class Fields:
    """The text fields of a form. Reading one never fails: what is missing is empty."""

    form: FormData

    def text(self, name: str) -> str:
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def written(self, name: str) -> str:
        """A text as it was written, with the line ends that it had before the browser sent it."""
        value = self.form.get(name, "")
        return value.replace("\r\n", "\n") if isinstance(value, str) else ""

    def all(self, name: str) -> list[str]:
        return [value.strip() for value in self.form.getlist(name) if isinstance(value, str)]

    def checked(self, name: str) -> bool:
        return bool(self.text(name))

    def whole(self, name: str, label: str, *, times: int = 1) -> int:
        """A whole number, or `Invalid` under the field's name. `times` turns hours into seconds."""
        text = self.text(name)
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise refusal(name, f"{label} must be a whole number.")
        return int(text) * times

    def rows(self, prefix: str, *names: str) -> Iterator[dict[str, str]]:
        """Fields repeated once for each row of a small table (`prefix_name`), empty rows left out."""
        columns = [self.all(f"{prefix}_{name}") for name in names]
        for values in zip(*columns, strict=False):
            row = dict(zip(names, values, strict=True))
            if any(row[name] for name in names[:2]):
                yield row

    def plain(self) -> dict[str, str]:
        """Every field as text, to show a refused form again; those sent several times joined by commas."""
        return {name: ",".join(self.all(name)) for name in self.form if self.all(name)}


async def read_fields(request: Request) -> Fields:
    return Fields(await request.form())


Sent = Annotated[Fields, Depends(read_fields, scope="function")]


def refusal(path: str, message: str) -> Invalid:
    return Invalid(message, [{"path": path, "message": message}])


def money_field(fields: Fields, name: str, currency: str) -> Money:
    """An amount such as "12.50", or `Invalid` under the field's name."""
    try:
        return Money.parse(fields.text(name), currency)
    except Invalid as error:
        raise refusal(name, error.message) from None


# --- Addresses and downloads


def address(path: str, **query: object) -> str:
    """A path with the query parameters that say something."""
    given = {name: str(value) for name, value in query.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(given)}" if given else path


def csv_download(filename: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingResponse:
    """A table as CSV, written as it is read."""
    return StreamingResponse(
        _csv_lines(header, rows),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{filename}"'},
    )


def _csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        if buffer.tell() > 64 * 1024:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _cell(value: object) -> object:
    # A spreadsheet runs a cell that begins like this as a formula (OWASP, CSV injection).
    if isinstance(value, str) and value[:1] in ("=", "+", "@", "\t", "\r"):
        return f"'{value}"
    if isinstance(value, str) and value[:1] == "-" and not value[1:].replace(".", "", 1).isdigit():
        return f"'{value}"
    return value
