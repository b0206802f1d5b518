"""How an answer came about, without watching anybody: saved states of the answer, and pastes into its fields.

The idea and its limits are those of keystroke-free process data: only what happens to the answer itself, said before
the work starts, and shown to the person in full. No screen, no clipboard, nothing outside the answer's own fields.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from preceptor.kit.ids import new_id
from preceptor.work.models import Claim, ClaimStep, StepKind

STEPS_MAX: Final = 400
"""Of one claim; later ones are not kept."""
SAVED_EVERY_SECONDS: Final = 15
ANSWER_BYTES_MAX: Final = 32 * 1024
"""Of a state that is kept whole."""
FIELD_CHARACTERS_MAX: Final = 80
PASTES_AT_ONCE_MAX: Final = 50

# One statement, so that saving a draft costs one more at most; states that follow each other quickly are one.
_KEEP: Final = text("""
    INSERT INTO claim_step (id, claim_id, kind, at, field, size, answer)
    SELECT :id, :claim_id, 'saved', :now, '', :size, CAST(:answer AS jsonb)
    WHERE NOT EXISTS (
        SELECT 1 FROM claim_step s WHERE s.claim_id = :claim_id AND s.kind = 'saved'
        AND s.at > :now - make_interval(secs => :apart))
    AND (SELECT count(*) FROM claim_step s WHERE s.claim_id = :claim_id) < :most
""")


@dataclass(frozen=True)
class Paste:
    """Text that was pasted into a field of the answer: how much, and into which; not what."""

    field: str
    size: int


def note_saved(session: Session, claim_id: UUID, packed: bytes, *, now: datetime) -> None:
    """Keep a saved state, at most one in `SAVED_EVERY_SECONDS`."""
    answer = packed.decode() if len(packed) <= ANSWER_BYTES_MAX else None
    values = {"id": new_id(), "claim_id": claim_id, "now": now, "size": len(packed), "answer": answer}
    session.execute(_KEEP, {**values, "apart": SAVED_EVERY_SECONDS, "most": STEPS_MAX})


def note_pastes(session: Session, claim_id: UUID, pastes: Sequence[Paste], *, now: datetime) -> None:
    """Keep pastes as far as there is room."""
    kept = session.scalar(select(func.count()).where(ClaimStep.claim_id == claim_id)) or 0
    session.add_all(
        ClaimStep(
            claim_id=claim_id,
            kind=StepKind.PASTED,
            at=now,
            field=paste.field[:FIELD_CHARACTERS_MAX].replace("\0", ""),
            size=max(0, paste.size),
        )
        for paste in pastes[: min(PASTES_AT_ONCE_MAX, max(0, STEPS_MAX - kept))]
    )
    session.flush()


@dataclass(frozen=True)
class Process:
    """Everything that is kept of how an answer came about. `active_seconds` is the union of heartbeats."""

    started_at: datetime
    active_seconds: int
    steps: tuple[ClaimStep, ...]

    @property
    def saved(self) -> list[ClaimStep]:
        return [step for step in self.steps if step.kind is StepKind.SAVED]

    @property
    def pastes(self) -> list[ClaimStep]:
        return [step for step in self.steps if step.kind is StepKind.PASTED]

    @property
    def pasted_characters(self) -> int:
        return sum(step.size for step in self.pastes)

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "started_at": self.started_at.isoformat(),
            "active_seconds": self.active_seconds,
            "steps": [
                {
                    "kind": step.kind.value,
                    "at": step.at.isoformat(),
                    "field": step.field,
                    "size": step.size,
                    "answer": step.answer,
                }
                for step in self.steps
            ],
        }


def process_of(session: Session, claim: Claim) -> Process:
    """How the answer of a claim came about; the caller has made sure that the reader may know."""
    steps = session.scalars(select(ClaimStep).where(ClaimStep.claim_id == claim.id).order_by(ClaimStep.id))
    return Process(claim.created_at, claim.worked_seconds, tuple(steps))
