"""Cursors of paged lists: the outside id of the last row seen."""

from uuid import UUID

from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.ids import PREFIXES, read_id


def read_cursor(kind: str, cursor: str | None) -> UUID | None:
    """A cursor is the id of the last row seen; anything else is refused by name."""
    if cursor is None:
        return None
    try:
        return read_id(kind, cursor)
    except NotFound:
        raise Invalid(f"{cursor!r} is not a cursor. Pass `next_cursor` as it was ({PREFIXES[kind]}_...).") from None
