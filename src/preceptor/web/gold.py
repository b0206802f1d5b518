"""Gold tasks of a project, challenges to their answers, and the contributor's challenge."""

import random
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from preceptor.http.cursor import read_cursor
from preceptor.http.edge import Ask, Db, Now
from preceptor.kit.errors import Invalid
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.people import content
from preceptor.people.identify import SignedIn
from preceptor.projects import access as projects
from preceptor.projects.models import Project, Task
from preceptor.quality.evidence.result import odds
from preceptor.tasktypes.base import Words
from preceptor.web.client_frame import Frame, Sent, address, frame_to_change, names_in
from preceptor.web.client_material import material_of, words_of
from preceptor.web.desk import AnswerIn
from preceptor.web.pages import AskPage, Client, Contributor, Page, Pages, go
from preceptor.web.rendering import RenderedSection
from preceptor.web.results import result_page
from preceptor.web.workspace import excerpt, key_json, ratings_of
from preceptor.work import rules_gold
from preceptor.work.errors import Incomplete
from preceptor.work.models_quality import ChallengeState
from preceptor.work.service import challenges, gold
from preceptor.work.service.challenges import Outcome
from preceptor.work.service.gold import GoldLine

router = APIRouter()

PAGE_ROWS = 50
KEY_LASTS = timedelta(hours=12)
After = Annotated[str | None, Query(max_length=100)]


# --- The client: gold tasks


@router.get("/projects/{project_id}/gold")
def show_gold(page: Page, session: Db, client: Client, project_id: str, cursor: After = None) -> Response:
    """How the known answers do: who passes, what was to be expected, what seems to have become known."""
    at = frame_to_change(session, client, project_id, "quality")
    after = read_cursor("task", cursor)
    found = gold.gold_page(session, client.actor, at.project.id, after=after, limit=PAGE_ROWS)
    here = f"{at.base}/gold"
    following = show_id("task", found.next_after) if found.next_after else None
    return page.show(
        "client/gold.html",
        at=at,
        rows=[
            (
                line,
                show_id("task", line.task.id),
                excerpt(at.project, line.task.payload, ratings=ratings_of(at.project, line.task)),
                said_of(line),
            )
            for line in found.lines
        ],
        summary=gold.gold_summary(session, client.actor, at.project.id),
        needed=rules_gold.PRACTICE_WINDOW,
        first_href=here if cursor else None,
        next_href=address(here, cursor=following) if following else None,
    )


def said_of(line: GoldLine) -> str:
    """The evidence of a leak in words."""
    if line.gold.leak is None or line.gold.leak.get("easier") is None:
        return f"not before {rules_gold.LEAK_BASELINE} answers"
    return odds(line.gold.leak_log_e)


@router.get("/projects/{project_id}/gold/{task_id}")
def show_gold_task(page: Page, session: Db, client: Client, project_id: str, task_id: str) -> Response:
    return _gold_task(page, session, client, frame_to_change(session, client, project_id, "quality"), task_id)


def _gold_task(
    page: Pages, session: Session, client: SignedIn, at: Frame, task_id: str, error: Invalid | None = None
) -> HTMLResponse:
    line = gold.gold_line(session, client.actor, at.project.id, read_id("task", task_id))
    material, known = shown_key(page, at.project, line.task, line.gold.answer)
    return page.show(
        "client/gold_task.html",
        status=200 if error is None else 422,
        at=at,
        line=line,
        key=task_id,
        title=excerpt(at.project, line.task.payload, ratings=ratings_of(at.project, line.task)),
        material=material,
        warnings=content.words(ratings_of(at.project, line.task)),
        known=known,
        leak=said_of(line),
        error=error.message if error else None,
        explanation_max=rules_gold.EXPLANATION_CHARS_MAX,
    )


def shown_key(page: Pages, project: Project, task: Task, answer: dict[str, Any]) -> tuple[list[RenderedSection], Words]:
    """A task and its known answer as the client reads them."""
    kind = project.kind
    payload = kind.payload(task.payload)
    return material_of(kind, payload, page.sign(project.org_id)), words_of(kind, payload, kind.answer(answer))


@router.post("/projects/{project_id}/gold/{task_id}")
def explain_gold(
    page: Page, session: Db, client: Client, now: Now, project_id: str, task_id: str, fields: Sent
) -> Response:
    at = frame_to_change(session, client, project_id, "quality")
    try:
        gold.explain_gold(
            session, client.actor, at.project.id, read_id("task", task_id), fields.text("explanation"), now=now
        )
    except Invalid as error:
        return _gold_task(page, session, client, at, task_id, error)
    return go(f"{at.base}/gold/{task_id}", "The explanation is kept. People read it with their result.")


@router.post("/projects/{project_id}/gold/{task_id}/retire")
def retire_gold(session: Db, client: Client, now: Now, project_id: str, task_id: str, fields: Sent) -> Response:
    at = frame_to_change(session, client, project_id, "quality")
    task = read_id("task", task_id)
    gold.retire_gold(session, client.actor, at.project.id, task, fields.text("reason"), now=now)
    return go(f"{at.base}/gold/{task_id}", "It checks nobody any more. People practise on it now.")


@router.post("/projects/{project_id}/gold/{task_id}/restore")
def restore_gold(session: Db, client: Client, now: Now, project_id: str, task_id: str) -> Response:
    at = frame_to_change(session, client, project_id, "quality")
    gold.restore_gold(session, client.actor, at.project.id, read_id("task", task_id), now=now)
    return go(f"{at.base}/gold/{task_id}", "It is gold again; the watch for a leak begins anew.")


# --- The client: challenges


@router.get("/projects/{project_id}/challenges")
def show_challenges(
    page: Page, session: Db, client: Client, project_id: str, show: str = "open", cursor: After = None
) -> Response:
    at = frame_to_change(session, client, project_id, "quality")
    open_only = show != "all"
    found = challenges.list_challenges(
        session,
        client.actor,
        at.project.id,
        open_only=open_only,
        after=read_cursor("challenge", cursor),
        limit=PAGE_ROWS + 1,
    )
    here = f"{at.base}/challenges"
    last = show_id("challenge", found[PAGE_ROWS - 1][0].id) if len(found) > PAGE_ROWS else None
    names = names_in(page, at.project.org_id)
    return page.show(
        "client/challenges.html",
        at=at,
        rows=[
            (
                each,
                show_id("challenge", each.id),
                excerpt(at.project, task.payload, ratings=ratings_of(at.project, task)),
                names.short(each.person_id),
            )
            for each, task, _ in found[:PAGE_ROWS]
        ],
        chips=[("Open", here, open_only, None), ("All", f"{here}?show=all", not open_only, None)],
        open_only=open_only,
        next_href=address(here, show="" if open_only else "all", cursor=last) if last else None,
        first_href=address(here, show="" if open_only else "all") if cursor else None,
    )


@router.get("/projects/{project_id}/challenges/{challenge_id}")
def show_challenge(page: Page, session: Db, client: Client, project_id: str, challenge_id: str) -> Response:
    return _challenge(page, session, client, frame_to_change(session, client, project_id, "quality"), challenge_id)


def _challenge(
    page: Pages,
    session: Session,
    client: SignedIn,
    at: Frame,
    challenge_id: str,
    error: Invalid | None = None,
    sent: dict[str, str] | None = None,
) -> HTMLResponse:
    case = challenges.challenge_case(session, client.actor, read_id("challenge", challenge_id))
    material, known = shown_key(page, at.project, case.task, case.known)
    _, theirs = shown_key(page, at.project, case.task, case.theirs)
    return page.show(
        "client/challenge.html",
        status=200 if error is None else 422,
        at=at,
        case=case,
        key=challenge_id,
        task_key=show_id("task", case.task.id),
        title=excerpt(at.project, case.task.payload, ratings=ratings_of(at.project, case.task)),
        who=names_in(page, at.project.org_id).short(case.challenge.person_id),
        material=material,
        warnings=content.words(ratings_of(at.project, case.task)),
        known=known,
        theirs=theirs,
        answers=[
            (shown_key(page, at.project, case.task, given)[1], count, passed) for given, count, passed in case.answers
        ],
        asked=sum(count for _, count, _ in case.answers),
        open=case.challenge.state is ChallengeState.OPEN,
        error=error.message if error else None,
        sent=sent or {},
    )


@router.post("/projects/{project_id}/challenges/{challenge_id}")
def decide_challenge(asked: AskPage, project_id: str, challenge_id: str, fields: Sent) -> Response:
    """Dismiss, uphold with the challenger's answer, withdraw; another answer is given on its own page."""

    def decide(session: Session, page: Pages, client: SignedIn, now: datetime) -> Response:
        at = frame_to_change(session, client, project_id, "quality")
        wanted = fields.text("outcome")
        if wanted == Outcome.CORRECT:
            return RedirectResponse(f"{at.base}/challenges/{challenge_id}/key", status_code=303)
        try:
            if wanted not in {Outcome.DISMISS, Outcome.THEIRS, Outcome.WITHDRAW}:
                raise Invalid("Choose what you found.")
            found, reason = read_id("challenge", challenge_id), fields.text("reason")
            with session.begin_nested():
                challenges.decide_challenge(session, client.actor, found, Outcome(wanted), reason, now=now)
        except Invalid as error:
            return _challenge(page, session, client, at, challenge_id, error, fields.plain())
        return go(f"{at.base}/challenges", DECIDED[Outcome(wanted)])

    return asked.do("client", "projects", decide)


DECIDED = {
    Outcome.DISMISS: "The known answer stands. The person has been told why.",
    Outcome.THEIRS: "The known answer is corrected, and everybody has been compared anew.",
    Outcome.CORRECT: "The known answer is corrected, and everybody has been compared anew.",
    Outcome.WITHDRAW: "The task measures nobody any more. It is ordinary work again.",
}


@router.get("/projects/{project_id}/challenges/{challenge_id}/key")
def show_key_desk(page: Page, session: Db, client: Client, now: Now, project_id: str, challenge_id: str) -> Response:
    """The task on the real desk, for the answer that is right."""
    at = frame_to_change(session, client, project_id, "quality")
    case = challenges.challenge_case(session, client.actor, read_id("challenge", challenge_id))
    if case.challenge.state is not ChallengeState.OPEN:
        return RedirectResponse(f"{at.base}/challenges/{challenge_id}", status_code=303)
    kind = at.project.kind
    payload = kind.payload(case.task.payload)
    guidelines = projects.current_guidelines(session, at.project)
    return page.show(
        "contributor/desk.html",
        workspace=key_json(
            at.project,
            case.challenge.id,
            kind.present(payload, _order(at.project, case.task, challenge_id)),
            guidelines=guidelines.body if guidelines is not None else "",
            leased_until=now + KEY_LASTS,
            sign=page.sign(at.project.org_id),
            now=now,
        ),
    )


def _order(project: Project, task: Task, challenge_id: str) -> list[str]:
    # Nothing is stored: the same challenge is shown in the same order when the answer comes back.
    kind = project.kind
    return kind.display_order(kind.payload(task.payload), random.Random(challenge_id))


@router.post("/projects/{project_id}/challenges/{challenge_id}/key")
def correct_key(project_id: str, challenge_id: str, body: AnswerIn, ask: Ask) -> dict[str, Any]:
    """Uphold a challenge with an answer given on the desk, in shown names; what is said with it is the reason."""

    def correct(session: Session, actor: Actor, now: datetime) -> None:
        project = projects.project_for_client(session, actor, read_id("project", project_id), *projects.MANAGERS)
        case = challenges.challenge_case(session, actor, read_id("challenge", challenge_id))
        challenges.decide_challenge(
            session,
            actor,
            case.challenge.id,
            Outcome.CORRECT,
            str(body.answer.get("justification") or "Another answer is right."),
            answer=_stored(project, case.task, challenge_id, body.answer),
            now=now,
        )

    ask.do("projects", correct)
    back = f"/projects/{project_id}/challenges"
    return {"message": DECIDED[Outcome.CORRECT], "redirect": back}


def _stored(project: Project, task: Task, challenge_id: str, answer: dict[str, Any]) -> dict[str, Any]:
    """An answer from the desk in stored names."""
    kind = project.kind
    try:
        key = kind.canonical(kind.answer(answer), _order(project, task, challenge_id))
    except ValueError as error:
        raise Incomplete("This answer does not fit the task.") from error
    stored: dict[str, Any] = key.model_dump(mode="json", exclude_none=True)
    return stored


# --- The contributor


@router.post("/results/{submission_id}/challenge")
def challenge_gold(page: Page, session: Db, known: Contributor, now: Now, submission_id: str, fields: Sent) -> Response:
    words = fields.text("words")
    try:
        challenges.challenge_gold(session, known.actor, read_id("submission", submission_id), words, now=now)
    except Invalid as error:
        told = error.message
        return result_page(page, session, known, submission_id, now, challenge_error=told, challenge_words=words)
    return go(f"/results/{submission_id}#gold", "Your challenge is on its way. You get a mail when it is decided.")
