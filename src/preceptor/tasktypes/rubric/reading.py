"""Shapes in which people keep rubrics, read as the one we keep."""


def draft_of(given: object) -> object:
    """Statements, HealthBench's `{criterion, points}`, a rating's criteria, or our own, as criteria with an id each."""
    if not isinstance(given, list):
        return given
    return [_criterion(each, f"c{number}") for number, each in enumerate(given, 1)]


def _criterion(given: object, name: str) -> object:
    if isinstance(given, str):
        return {"id": name, "statement": given}
    if not isinstance(given, dict):
        return given
    statement = next((given[key] for key in ("statement", "criterion", "title") if given.get(key)), "")
    worth = given["weight"] if given.get("weight") is not None else given.get("points")
    points = round(worth) if isinstance(worth, int | float) else 0
    return {
        "id": given.get("id") or given.get("key") or name,
        "statement": statement,
        "kind": given["kind"] if given.get("kind") in ("must", "should", "penalty") else _kind(points),
        "points": points,
        "rationale": given.get("rationale") or "",
        "fine": given.get("fine") or [],
    }


def _kind(points: float) -> str:
    return "penalty" if points < 0 else "must"
