"""The JSON that `<preceptor-workspace>` reads: one task with everything around it, for work, tests and practice.

Pure: it is made from what services returned. Nothing here holds response ids, sources or gold, because a task
comes only as its task type presents it. The other side of this contract is frontend/src/lib/workspace.ts.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, NotRequired, TypedDict
from uuid import UUID

from preceptor.assessments.service.attempts import QuestionView
from preceptor.assessments.service.practice import PracticeView
from preceptor.kit.ids import show_id
from preceptor.kit.markdown import Sign, render_markdown
from preceptor.kit.money import Money
from preceptor.people import content
from preceptor.projects.models import Project, Task
from preceptor.tasktypes.base import Row, task_type
from preceptor.tasktypes.working import working
from preceptor.web.rendering import addresses_in, render
from preceptor.work.models import Claim, ClaimState, Review
from preceptor.work.rules import FLAG_REASONS, SKIP_REASONS
from preceptor.work.service import Begun, ClaimedWork
from preceptor.work.service.history import HistoryLine, LastAnswer
from preceptor.work.service.practice import PracticeItem, PracticeProgress
from preceptor.work.service.suggesting import ShownSuggestion

EXCERPT_CHARACTERS = 140
DESK_SERVICES: Final = ("generate", "run", "similar")
"""Services of the desk that have an address under the claim."""
_MARKS = re.compile(r"\*\*|__|`+|^[#>]+\s|(?<=\n)[#>]+\s")
"""Marks of Markdown that are noise in a single line."""


class Workspace(TypedDict):
    """What the element reads; times are ISO 8601, money is "0.42 USD"."""

    project: dict[str, str]
    claim: dict[str, Any]
    task: dict[str, Any]
    guidelines_html: str
    rubric: list[Mapping[str, Any]]
    urls: dict[str, str]
    skip_reasons: list[dict[str, str]]
    flag_reasons: list[dict[str, str]]
    history: list[dict[str, str]]
    warnings: NotRequired[list[str]]
    """What the material may show; the task is covered until the person asks for it."""
    suggestion: NotRequired[dict[str, Any]]
    """A model's answer in shown names, which the person may begin with: {answer, words, model, used, url}."""
    words: NotRequired[dict[str, str]]
    """What the desk says of itself where it is used for something else than work and tests (`DeskWords`)."""


# --- A task for its element


def element_data(kind_name: str, shown: Row, config: Row, sign: Sign) -> Any:
    """What the task's own element takes, rendered, with addresses of files that open."""
    work = working(kind_name, config)
    return render(work.kind.view(work.payload(shown), work.config), sign)


def excerpt(
    project: Project, payload: Mapping[str, Any], otherwise: str | None = None, *, ratings: Collection[str] = ()
) -> str:
    """A few words by which a person recognises a task; the project's title where it has none of its own.

    Of material that not everybody wants to see (`ratings`), none of its own words but what it may show.
    """
    if ratings:
        return f"Covered: {', '.join(content.words(ratings)).lower()}"
    kind = task_type(project.task_type)
    words = " ".join(_MARKS.sub("", kind.excerpt(kind.payload_model.model_validate(payload))).split())
    if not words:
        return project.title if otherwise is None else otherwise
    return words if len(words) <= EXCERPT_CHARACTERS else words[:EXCERPT_CHARACTERS].rsplit(" ", 1)[0] + " …"


def ratings_of(project: Project, task: Task) -> tuple[str, ...]:
    """What a task may show, with what its project says."""
    return content.together(project.content_ratings, task.content_ratings)


# --- Around the task


def history_entries(lines: Sequence[HistoryLine]) -> list[dict[str, str]]:
    """The person's own list beside the task."""
    return [
        {
            "at": line.submission.created_at.isoformat(),
            "title": excerpt(line.project, line.payload, ratings=line.ratings),
            "state": line.standing.value,
            "href": f"/results/{show_id('submission', line.submission.id)}",
        }
        for line in lines
    ]


def revision_comments(review: Review | None, criteria: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What a reviewer wants changed: the comment on the whole, then each criterion that is not met."""
    if review is None:
        return []
    titles = {str(criterion["key"]): str(criterion["title"]) for criterion in criteria}
    comments = [{"comment": review.comment}] if review.comment else []
    for verdict in review.criteria:
        if verdict["verdict"] != "met":
            found = {
                "criterion": titles.get(verdict["key"], verdict["key"]),
                "comment": verdict.get("comment", ""),
                "quote": verdict.get("quote", ""),
            }
            comments.append({name: text for name, text in found.items() if text or name == "comment"})
    return comments


def work_title(project: Project) -> dict[str, str]:
    return {"title": project.title, "href": f"/board/{show_id('project', project.id)}"}


def claim_urls(project_id: UUID, claim_id: UUID, services: Collection[str] = ()) -> dict[str, str]:
    """Where the desk sends what. What the kind of work asks of its desk beside that (`services`) has an address here;
    a test or practice has none of those."""
    work = f"/work/{show_id('project', project_id)}"
    claim = f"{work}/{show_id('claim', claim_id)}"
    deeds = (
        "draft",
        "heartbeat",
        "skip",
        "flag",
        "release",
        "ahead",
        *(each for each in DESK_SERVICES if each in services),
    )
    upload = {"upload": f"/media/uploads?claim={show_id('claim', claim_id)}"} if "upload" in services else {}
    return {
        **{deed: f"{claim}/{deed}" for deed in deeds},
        **upload,
        "let_go": f"{claim}/let-go",
        "submit": f"{claim}/submission",
        "next": f"{work}/next",
        "board": f"/board/{show_id('project', project_id)}",
    }


def work_json(
    work: ClaimedWork,
    project: Project,
    *,
    guidelines: str,
    rubric: Sequence[Mapping[str, Any]],
    history: Sequence[HistoryLine],
    last: LastAnswer | None = None,
    services: Collection[str],
    sign: Sign,
    now: datetime,
) -> Workspace:
    """A claimed task. `last` is what a returned claim was answered with; its answer is where the revision starts.

    `guidelines` is Markdown, of the version that the claim was made under; `services` is what the desk can offer.
    """
    claim = work.claim
    revision = claim.state is ClaimState.RETURNED
    draft = claim.draft or (last.answer if last else None)
    lease_start = claim.created_at if not revision or last is None or last.review is None else last.review.created_at
    data: Workspace = {
        "project": work_title(project),
        "claim": {
            "id": show_id("claim", claim.id),
            "title": excerpt(project, work.shown, ratings=work.ratings),
            "leased_until": claim.leased_until.isoformat(),
            "server_now": now.isoformat(),
            "lease_seconds": max(1, round((claim.leased_until - lease_start).total_seconds())),
            "pay": str(Money(claim.rate_minor, claim.currency)),
            "kind": "revision" if revision else "work",
            "draft": draft,
            "media": addresses_in(draft, sign),
            "draft_number": claim.draft_number,
            "draft_saved_at": claim.draft_saved_at.isoformat() if claim.draft and claim.draft_saved_at else None,
            "worked_seconds": claim.worked_seconds,
            "revision_comments": revision_comments(last.review if last else None, rubric),
        },
        "task": _task(work.task_type, work.shown, work.config, sign),
        "guidelines_html": render_markdown(guidelines) if guidelines else "",
        "rubric": list(rubric),
        "urls": claim_urls(work.project_id, claim.id, services),
        "skip_reasons": reasons(SKIP_REASONS),
        "flag_reasons": reasons(FLAG_REASONS),
        "history": history_entries(history),
        "warnings": content.words(work.ratings),
    }
    # Who revises has an answer, and has been told what is wrong with it.
    if work.suggestion is not None and not revision:
        data["suggestion"] = _suggestion(work.suggestion, claim)
    return data


def begun_json(claim_id: str, begun: Begun, *, now: datetime) -> dict[str, Any]:
    """What changes about a task that the desk has fetched ahead, once it is begun: its times, and what it may show."""
    return {
        "claim": {
            "id": claim_id,
            "leased_until": begun.leased_until.isoformat(),
            "server_now": now.isoformat(),
            "lease_seconds": max(1, round((begun.leased_until - now).total_seconds())),
        },
        "warnings": content.words(begun.ratings),
    }


def _suggestion(shown: ShownSuggestion, claim: Claim) -> dict[str, Any]:
    work = f"/work/{show_id('project', claim.project_id)}/{show_id('claim', claim.id)}"
    return {**asdict(shown), "url": f"{work}/suggestion"}


def reasons(listed: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "label": label} for key, label in listed.items()]


def _task(kind_name: str, shown: Row, config: Row, sign: Sign) -> dict[str, Any]:
    return {"element": task_type(kind_name).element, "data": element_data(kind_name, shown, config, sign)}


# --- Tests and practice


def question_json(view: QuestionView, *, title: str, introduction: str, sign: Sign, now: datetime) -> Workspace:
    """One question of a running attempt. Its time is the attempt's; there is nothing to skip and no pay."""
    test = f"/tests/{show_id('assessment', view.attempt.assessment_id)}"
    attempt = f"{test}/attempts/{show_id('attempt', view.attempt.id)}"
    question = f"{attempt}/{show_id('question', view.item_id)}"
    lease = (view.attempt.deadline - view.attempt.started_at).total_seconds()
    claim = {
        "id": f"{show_id('attempt', view.attempt.id)}-{view.number}",
        "title": f"Question {view.number}",
        "leased_until": view.attempt.deadline.isoformat(),
        "lease_seconds": round(lease),
        "kind": "assessment",
        "draft": view.draft,
        "position": {"at": view.number, "of": view.of},
    }
    urls = {"draft": f"{question}/draft", "submit": f"{question}/answer", "heartbeat": f"{attempt}/heartbeat"}
    urls |= {"next": f"{attempt}/next", "board": attempt}
    task = _task(view.task_type, view.payload, view.config, sign)
    return _unpaid(title, claim, task, introduction, urls, now)


def practice_json(
    view: PracticeView, *, title: str, introduction: str, leased_until: datetime, sign: Sign, now: datetime
) -> Workspace:
    """One practice question. Nothing of it is kept or counted, so it has nowhere to save to."""
    test = f"/tests/{show_id('assessment', view.assessment.id)}"
    practice = f"{test}/practice/{view.number}?round={view.round}"
    claim = {
        "id": f"practice-{view.assessment.id.hex}-{view.number}-{view.round}",
        "title": f"Practice {view.number}",
        "leased_until": leased_until.isoformat(),
        "kind": "practice",
        "draft": None,
        "position": {"at": view.number, "of": view.of},
    }
    urls = {"submit": practice, "next": f"{test}/practice/{view.number + 1}/question?round={view.round}", "board": test}
    return _unpaid(title, claim, _task(view.task_type, view.payload, view.config, sign), introduction, urls, now)


def calibration_json(
    item: PracticeItem,
    progress: PracticeProgress,
    *,
    task: str,
    guidelines: str,
    leased_until: datetime,
    sign: Sign,
    now: datetime,
) -> Workspace:
    """One task of a project's calibration practice; `task` is its id as people who work see it."""
    base = f"/practice/{show_id('project', item.project.id)}"
    claim = {
        "id": f"calibration-{task}-{item.round}",
        "title": "You had this one wrong once" if item.own_mistake else "Practice",
        "leased_until": leased_until.isoformat(),
        "kind": "practice",
        "draft": None,
    }
    urls = {"submit": f"{base}/answer?task={task}&round={item.round}", "next": f"{base}/next", "board": base}
    data = _task(item.project.task_type, item.payload, item.config, sign)
    desk = _unpaid(f"{item.project.title}: practice, unpaid", claim, data, guidelines, urls, now)
    return {**desk, "words": PRACTICE_WORDS, "warnings": content.words(item.ratings)}


def key_json(
    project: Project, challenge: UUID, shown: Row, *, guidelines: str, leased_until: datetime, sign: Sign, now: datetime
) -> Workspace:
    """A task for the manager who corrects its known answer; the reason they give is the reason of the decision."""
    base = f"/projects/{show_id('project', project.id)}/challenges/{show_id('challenge', challenge)}"
    claim = {
        "id": f"key-{show_id('challenge', challenge)}",
        "title": "The right answer, and why",
        "leased_until": leased_until.isoformat(),
        "kind": "practice",
        "draft": None,
    }
    urls = {"submit": f"{base}/key", "next": base, "board": base}
    data = _task(project.task_type, shown, project.config, sign)
    desk = _unpaid(f"{project.title}: correct the known answer", claim, data, guidelines, urls, now)
    return {**desk, "words": KEY_WORDS}


PRACTICE_WORDS = {
    "kind": "Practice",
    "kept": "Counts for your practice only",
    "back": "Back to practice",
    "leave": "To practice",
}
KEY_WORDS = {
    "kind": "Known answer",
    "kept": "What you submit becomes the known answer",
    "back": "Back to the challenge",
    "leave": "To the challenge",
}


def _unpaid(
    title: str, claim: dict[str, Any], task: dict[str, Any], introduction: str, urls: dict[str, str], now: datetime
) -> Workspace:
    common: dict[str, Any] = {"server_now": now.isoformat(), "pay": "", "draft_saved_at": None, "revision_comments": []}
    nowhere = dict.fromkeys(("draft", "heartbeat", "skip", "flag", "release"), "")
    return {
        "project": {"title": title, "href": urls["board"]},
        "claim": common | claim,
        "task": task,
        "guidelines_html": render_markdown(introduction) if introduction else "",
        "rubric": [],
        "urls": nowhere | urls,
        "skip_reasons": [],
        "flag_reasons": [],
        "history": [],
    }
