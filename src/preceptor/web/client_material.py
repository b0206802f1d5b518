"""What a task holds and what people answered, ready for the client's pages."""

from dataclasses import dataclass

from pydantic import BaseModel

from preceptor.kit.markdown import Sign
from preceptor.quality.consensus import Majority
from preceptor.tasktypes.base import Words
from preceptor.tasktypes.working import Working
from preceptor.web.rendering import RenderedSection, render_sections

UNREADABLE = Words("This answer does not fit the task type any more.")


def material_of(kind: Working, payload: BaseModel, sign: Sign) -> list[RenderedSection]:
    """The material of a task as safe HTML, with addresses of files that open."""
    return render_sections(kind.material(payload), sign)


def words_of(kind: Working, payload: BaseModel, answer: BaseModel | None) -> Words:
    """A judgment as a person would say it, in the task's own names."""
    return UNREADABLE if answer is None else kind.in_words(payload, answer)


@dataclass(frozen=True)
class VerdictView:
    """How far people agree on a task: its word, and the label with its share of `of` votes."""

    word: str
    tone: str
    label: str
    votes: int
    of: int


def verdict_view(verdict: Majority | None) -> VerdictView | None:
    """None where nobody has judged."""
    if verdict is None or verdict.share is None:
        return None
    of = sum(verdict.counts.values())
    votes = max(verdict.counts.values())
    if verdict.tie:
        return VerdictView("Split", "attention", "no majority", votes, of)
    word, tone = ("Unanimous", "good") if votes == of else ("Majority", "busy")
    return VerdictView(word if of > 1 else "One judgment", tone if of > 1 else "quiet", verdict.label or "", votes, of)
