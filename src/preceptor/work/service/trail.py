"""Following money and events to what they are about, for operators: ids become names and places to look."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.kit.events import Actor, Event
from preceptor.kit.ids import PREFIXES, show_id
from preceptor.money.models import Account, AccountKind, Payout
from preceptor.people.access import require_operator
from preceptor.people.models import Organization, Person
from preceptor.projects.models import Project
from preceptor.work.models import Claim

OWNER_KIND: Mapping[AccountKind, str] = {
    AccountKind.WALLET: "organization",
    AccountKind.ESCROW: "project",
    AccountKind.RESERVED: "project",
    AccountKind.CONTRIBUTOR: "person",
}
CLAIMED = ("claim", "appeal")
"""Kinds of postings whose source is a claim: what it reserved, earned or gave back, and what an appeal paid for it."""


@dataclass(frozen=True)
class Names:
    """Names by id; ids that are unknown (or of something else) are absent."""

    people: Mapping[UUID, str] = field(default_factory=dict)
    projects: Mapping[UUID, str] = field(default_factory=dict)
    organizations: Mapping[UUID, str] = field(default_factory=dict)

    def owner(self, account: Account) -> str | None:
        """Whose account it is; None for the installation's own."""
        if account.owner_id is None:
            return None
        found = {"organization": self.organizations, "project": self.projects, "person": self.people}
        kind = OWNER_KIND.get(account.kind)
        return None if kind is None else found[kind].get(account.owner_id)


def names(
    session: Session,
    actor: Actor,
    *,
    people: Collection[UUID] = (),
    projects: Collection[UUID] = (),
    organizations: Collection[UUID] = (),
) -> Names:
    """Names for these ids, for operators: at most one statement for each kind."""
    require_operator(actor)
    return Names(
        {row[0]: row[1] for row in session.execute(select(Person.id, Person.name).where(Person.id.in_(people)))}
        if people
        else {},
        {row[0]: row[1] for row in session.execute(select(Project.id, Project.title).where(Project.id.in_(projects)))}
        if projects
        else {},
        {
            row[0]: row[1]
            for row in session.execute(
                select(Organization.id, Organization.name).where(Organization.id.in_(organizations))
            )
        }
        if organizations
        else {},
    )


def names_of_accounts(session: Session, actor: Actor, accounts: Iterable[Account]) -> Names:
    """Whose accounts these are."""
    owners: dict[str, set[UUID]] = {"organization": set(), "project": set(), "person": set()}
    for account in accounts:
        kind = OWNER_KIND.get(account.kind)
        if kind is not None and account.owner_id is not None:
            owners[kind].add(account.owner_id)
    return names(
        session,
        actor,
        people=owners["person"],
        projects=owners["project"],
        organizations=owners["organization"],
    )


def names_of_events(session: Session, actor: Actor, events: Iterable[Event]) -> Names:
    """Names of the people, projects and organizations that events speak of."""
    rows = list(events)
    people = {each for event in rows for each in (event.person_id, event.actor_id) if each is not None}
    return names(
        session,
        actor,
        people=people,
        projects={event.project_id for event in rows if event.project_id is not None},
        organizations={event.org_id for event in rows if event.org_id is not None},
    )


@dataclass(frozen=True)
class Source:
    """What made a posting: the claim, payout or other thing behind `source_id`, in facts that lead on."""

    kind: str
    shown_id: str
    claim: Claim | None = None
    payout: Payout | None = None
    person: tuple[UUID, str] | None = None
    project: tuple[UUID, str] | None = None


def source_of(session: Session, actor: Actor, kind: str, source_id: UUID) -> Source:
    """Resolve what made a posting. Kinds without rows of their own (a top-up, a funding) keep their id alone."""
    require_operator(actor)
    shown = shown_source(kind, source_id)
    claim = session.get(Claim, source_id) if kind in CLAIMED else None
    payout = session.get(Payout, source_id) if kind == "payout" else None
    person_id = claim.person_id if claim else payout.person_id if payout else None
    known = names(
        session,
        actor,
        people=[person_id] if person_id else [],
        projects=[claim.project_id] if claim else [],
    )
    return Source(
        kind,
        shown,
        claim,
        payout,
        (person_id, known.people.get(person_id, "")) if person_id else None,
        (claim.project_id, known.projects.get(claim.project_id, "")) if claim else None,
    )


def shown_subject(event: Event) -> str | None:
    """The outside form of an event's subject, where its kind has one."""
    if event.subject_id is None or event.subject_kind not in PREFIXES:
        return None
    return show_id(event.subject_kind, event.subject_id)


def shown_source(kind: str, source_id: UUID) -> str:
    """The outside form of what made a posting; bare digits where its kind has no prefix (a top-up, a funding)."""
    kind = "claim" if kind in CLAIMED else kind
    return show_id(kind, source_id) if kind in PREFIXES else source_id.hex
