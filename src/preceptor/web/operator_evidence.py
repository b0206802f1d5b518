"""The evidence board: who shows what a person at the standard would hardly show, with the path of each e-value."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import Response

from preceptor.http.edge import Db, Now
from preceptor.kit.errors import NotFound
from preceptor.kit.ids import read_id
from preceptor.web.pages import Operator, Page, go
from preceptor.work.models_quality import EvidenceKind, EvidenceState
from preceptor.work.service import evidence_board
from preceptor.work.service.evidence_board import Finding

router = APIRouter(prefix="/operator/evidence")

LIST = "/operator/evidence"
KINDS = {
    EvidenceKind.ACCURACY: "Below the standard",
    EvidenceKind.DRIFT: "Has fallen off",
    EvidenceKind.SPEED: "Too fast",
    EvidenceKind.COPYING: "Shared errors",
    EvidenceKind.HABIT: "Same answer again and again",
}


@router.get("")
def show_board(
    page: Page,
    session: Db,
    operator: Operator,
    kind: EvidenceKind | None = None,
    state: EvidenceState = EvidenceState.OPEN,
) -> Response:
    """All evidence of the installation, the strongest first."""
    found = evidence_board.findings(session, operator.actor, kind=kind, state=state)
    counts = evidence_board.counts_by_kind(session, operator.actor, state)
    return page.show(
        "operator/evidence.html",
        findings=found,
        kinds=KINDS,
        state=state.value,
        chips=[
            ("All", _url(None, state), kind is None, sum(counts.values())),
            *((label, _url(each, state), kind is each, counts[each]) for each, label in KINDS.items()),
        ],
        other_state=EvidenceState.SEEN.value if state is EvidenceState.OPEN else EvidenceState.OPEN.value,
        other_href=_url(kind, EvidenceState.SEEN if state is EvidenceState.OPEN else EvidenceState.OPEN),
        limit=evidence_board.PAGE_MAX,
    )


def _url(kind: EvidenceKind | None, state: EvidenceState) -> str:
    given = [f"kind={kind.value}"] if kind else []
    given += [f"state={state.value}"] if state is not EvidenceState.OPEN else []
    return LIST + ("?" + "&".join(given) if given else "")


@router.get("/{person_id}")
def show_person_evidence(page: Page, session: Db, operator: Operator, person_id: str) -> Response:
    """Everything found about one person, with the path of each e-value."""
    return _person(page, session, operator, read_id("person", person_id))


def _person(page: Page, session: Db, operator: Operator, person_id: UUID) -> Response:
    found = evidence_board.findings(session, operator.actor, person_id=person_id)
    if not found:
        raise NotFound("evidence")
    return page.show(
        "operator/evidence_person.html",
        person=found[0].person,
        findings=found,
        kinds=KINDS,
        paths={each.evidence.id: path_chart(each) for each in found},
    )


@router.post("/{evidence_id}/seen")
def see(
    session: Db, operator: Operator, now: Now, evidence_id: str, back: Annotated[str, Form(max_length=200)] = LIST
) -> Response:
    """Nothing is to be done about this one."""
    evidence_board.mark_seen(session, operator.actor, read_id("evidence", evidence_id), now=now)
    return go(back if back.startswith(LIST) else LIST, "Marked as seen. It opens again only with stronger evidence.")


def path_chart(finding: Finding) -> dict[str, object]:
    """Log e-value against judgments, with the level that the false-alarm rate asks for."""
    points: Sequence[Sequence[float]] = finding.evidence.path
    return {
        "kind": "line",
        "x_kind": "number",
        "x": [point[0] for point in points],
        "series": [
            {"label": "Evidence (ln e)", "values": [round(float(point[1]), 3) for point in points]},
            {
                "label": f"Speaks from here (false alarms at most {100 * finding.evidence.false_alarms:g} %)",
                "values": [round(finding.threshold, 3)] * len(points),
            },
        ],
    }
