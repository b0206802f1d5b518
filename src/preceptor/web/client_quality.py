"""A project's quality for its client: agreement over time, answers that are sure, what to rewrite, who judges how."""

from collections.abc import Callable, Sequence
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from preceptor.http.edge import Db, Now
from preceptor.kit.ids import read_id
from preceptor.web.client_frame import frame, frame_to_change, names_in
from preceptor.web.operator_evidence import KINDS
from preceptor.web.pages import Client, Page, go
from preceptor.web.workspace import excerpt, ratings_of
from preceptor.work.models_quality import EvidenceState, PersonSkill, QualityFit
from preceptor.work.service import (
    aspects,
    evidence_board,
    fitting,
    forecast,
    gold,
    insight,
    judges,
    review_checks,
    risk,
)
from preceptor.work.service.quality import ProjectQuality, project_quality

router = APIRouter()

PEOPLE_DRAWN = 40
CURVE_POINTS_MIN = 3
"""Fewer make no curve."""


@router.get("/projects/{project_id}/quality")
def show_quality(page: Page, session: Db, client: Client, project_id: str) -> Response:
    at = frame(session, client, project_id, "quality")
    quality = project_quality(session, at.project.id)
    fits = insight.fits_over_time(session, at.project.id)
    skills = insight.skills_in(session, at.project.id)
    names = names_in(page, at.project.org_id)
    return page.show(
        "client/quality.html",
        at=at,
        quality=quality,
        fit=fits[-1] if fits else None,
        charts=_charts(quality, fits, skills, names.short),
        states=insight.answer_states(session, at.project.id),
        ambiguous=[
            (each, excerpt(at.project, each.task.payload, ratings=ratings_of(at.project, each.task)))
            for each in insight.ambiguous_tasks(session, at.project.id, known=at.manages)
        ],
        escalated=[
            (each, excerpt(at.project, each.task.payload, ratings=ratings_of(at.project, each.task)))
            for each in insight.escalated_tasks(session, at.project.id)
        ],
        criteria=insight.criteria_readings(session, at.project),
        aspects=aspects.aspect_agreement(session, at.project),
        skills=[(names.short(skill.person_id), skill) for skill in skills[:PEOPLE_DRAWN]],
        people=len(skills),
        evidence=evidence_board.findings(
            session, client.actor, project_id=at.project.id, state=EvidenceState.OPEN, limit=50
        ),
        names=names,
        kinds=KINDS,
        judges=[each for each in judges.reports(session, judges.list_judges(session, at.project.id)) if each.skill],
        forecast=forecast.forecast(session, at.project.id),
        errors=risk.error_rate(session, at.project.id),
        reviewers=review_checks.reviewer_quality(session, at.project.id),
        gold=gold.gold_summary(session, client.actor, at.project.id) if at.manages else None,
    )


@router.post("/projects/{project_id}/quality/fit")
def fit_now(session: Db, client: Client, project_id: str) -> Response:
    """Fit all judgments anew, in the background."""
    at = frame_to_change(session, client, project_id, "quality")
    fitting.request_fit(session, at.project)
    return go(f"{at.base}/quality", "All judgments are being weighed anew. Reload in a moment.", tone="info")


@router.post("/projects/{project_id}/evidence/{evidence_id}/seen")
def see_evidence(session: Db, client: Client, now: Now, project_id: str, evidence_id: str) -> Response:
    at = frame_to_change(session, client, project_id, "quality")
    evidence_board.mark_seen(session, client.actor, read_id("evidence", evidence_id), now=now)
    return go(f"{at.base}/quality#evidence", "Marked as seen. It opens again only with stronger evidence.")


def _charts(
    quality: ProjectQuality, fits: Sequence[QualityFit], skills: Sequence[PersonSkill], short: Callable[[UUID], str]
) -> dict[str, object]:
    """Data of the larger plots; each carries its table."""
    return {
        "labels": {
            "kind": "bar",
            "x_kind": "category",
            "x": [each.label for each in quality.labels],
            "series": [{"label": "Judgments", "values": [each.count for each in quality.labels]}],
        },
        "agreement": {
            "kind": "line",
            "x_kind": "time",
            "x": [each.created_at.timestamp() for each in fits],
            "series": [
                {
                    "label": "Alpha",
                    "values": [each.alpha for each in fits],
                    "low": [each.alpha_low for each in fits],
                    "high": [each.alpha_high for each in fits],
                }
            ],
            "y_max": 1,
        },
        "reliability": _reliability(fits[-1].calibration if fits else None),
    }


def _reliability(calibration: dict[str, object] | None) -> dict[str, object] | None:
    """Share of right answers by how sure the posterior was, beside what would be perfect."""
    curve = (calibration or {}).get("curve")
    if not isinstance(curve, list) or len(curve) < CURVE_POINTS_MIN:
        return None
    said = [float(point["confidence"]) for point in curve]
    return {
        "kind": "line",
        "x_kind": "number",
        "x": said,
        "series": [
            {
                "label": "Right on known answers",
                "values": [point["accuracy"]["value"] for point in curve],
                "low": [point["accuracy"]["low"] for point in curve],
                "high": [point["accuracy"]["high"] for point in curve],
            },
            {"label": "Perfectly calibrated", "values": said},
        ],
        "y_min": 0,
        "y_max": 1,
    }
