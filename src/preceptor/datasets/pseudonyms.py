"""Stable names for people who must not be known by the readers of a dataset."""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from uuid import UUID

Pseudonym = Callable[[UUID], str]


def pseudonyms(signing_key: bytes, org_id: UUID) -> Pseudonym:
    """Names people by HMAC-SHA-256 (96 bits) under a key of this installation and organization.

    The same person has the same name in every release of one organization and another one elsewhere, so that
    two clients cannot put their data together. Without the installation's secret a name cannot be turned back,
    not even by who knows all person ids. A new secret gives new names.
    """
    key = hmac.new(signing_key, b"pseudonym\n" + org_id.bytes, hashlib.sha256).digest()

    def name(person_id: UUID) -> str:
        return "p_" + hmac.new(key, person_id.bytes, hashlib.sha256).hexdigest()[:24]

    return name


def person_behind(named: Pseudonym, text: str, people: Iterable[UUID]) -> UUID | None:
    """Who of these people has this name. The installation can tell, since it can name them all; nobody else can."""
    return next((person_id for person_id in people if hmac.compare_digest(named(person_id), text)), None)
