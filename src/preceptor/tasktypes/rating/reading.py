"""Shapes in which people keep responses and criteria, read as the ones we keep."""

from typing import cast

SOURCE_KEYS = ("source", "model", "model_name", "generator")
TEXT_KEYS = ("text", "content", "response", "completion", "output")
YES_NO_KEYS = frozenset({"criterion", "points", "tags"})


def responses_of(given: object) -> object:
    """Texts, messages, conversations or objects as responses with an id each; anything else is left to the model."""
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, list):
        return given
    return [_response(each, f"r{number}") for number, each in enumerate(given, 1)]


def _response(given: object, name: str) -> object:
    if isinstance(given, str):
        return {"id": name, "messages": [{"role": "assistant", "content": given}]}
    if isinstance(given, list):
        return {"id": name, "messages": given}
    if not isinstance(given, dict) or ("id" in given and "messages" in given):
        return given
    source = next((given[key] for key in SOURCE_KEYS if isinstance(given.get(key), str)), None)
    found: dict[str, object] = {"id": given.get("id", name), **({"source": source} if source else {})}
    if "role" in given:
        return {**found, "messages": [{key: given[key] for key in ("role", "content") if key in given}]}
    if "messages" in given:
        return {**found, "messages": given["messages"]}
    text = next((given[key] for key in TEXT_KEYS if isinstance(given.get(key), str)), None)
    return {**found, "messages": [{"role": "assistant", "content": text}]} if text is not None else given


def criteria_of_rows(given: object) -> object:
    """Statements, HealthBench's `{criterion, points}` and criteria without a key as criteria with one each."""
    if not isinstance(given, list):
        return given
    return [_criterion(each, f"c{number}") for number, each in enumerate(given, 1)]


def _criterion(given: object, key: str) -> object:
    if isinstance(given, str):
        return {"key": key, "title": given, "kind": "check"}
    if not isinstance(given, dict):
        return given
    if "criterion" in given and given.keys() <= YES_NO_KEYS:
        return yes_no(key, cast("str", given["criterion"]), cast("float", given.get("points") or 1))
    # Columnar files hold every field of any criterion, as null.
    return {"key": key, **{name: value for name, value in given.items() if value is not None}}


def yes_no(key: str, statement: str, weight: float) -> dict[str, object]:
    """A statement that is met or not. What is met is shown by a quote: a fault as much as a merit."""
    return {"key": key, "title": statement, "kind": "check", "weight": weight, "evidence": "required_if_yes"}


def anchors_of(given: object) -> object:
    """A list of `{at, words}`, as releases keep anchors, as a mapping."""
    if not isinstance(given, list):
        return given
    return {
        str(each["at"]): each["words"] for each in given if isinstance(each, dict) and {"at", "words"} <= each.keys()
    }
