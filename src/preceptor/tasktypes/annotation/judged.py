"""Choices, points and pairs of an annotation as a model gives them.

A model answers the controls about the whole task or its items whose answer is one of a few labels. A config that
requires anything else (marks on the material, texts) cannot be judged.
"""

from pydantic import JsonValue, ValidationError

from preceptor.tasktypes import judging
from preceptor.tasktypes.annotation import completeness, showing, units
from preceptor.tasktypes.annotation.board import Board, Node
from preceptor.tasktypes.annotation.models import AnnotationAnswer, AnnotationConfig
from preceptor.tasktypes.base import Problem, problems_of
from preceptor.tasktypes.generation import Turn

_TYPES = {"Choices": "choices", "Rating": "rating", "Pairwise": "pairwise"}


def messages(board: Board, guidelines: str, rubric: str) -> list[Turn]:
    """The material, and every control that can be answered, with its labels."""
    asked = _asked(board)
    if not asked:
        raise judging.CannotJudge("Nothing here is answered by choosing a label; judges do not mark or write.")
    material = judging.section_texts(showing.sections(board))
    form = ",\n ".join(f'"{name}": {_wanted(control)}' for name, control in asked.items())
    return [
        judging.opening(guidelines, rubric),
        judging.question(material, "Answer each question about the material.", f"{{{form}}}"),
    ]


def _asked(board: Board) -> dict[str, Node]:
    """Controls about the whole task by name."""
    answerable = {name.split(":")[0] for name in units.unit_labels(board)}
    found = {name: control for name, control in board.controls.items() if name in answerable}
    others = [name for name, control in board.controls.items() if name not in found and control.flag("required")]
    if others:
        raise judging.CannotJudge(f"{', '.join(others)} must be answered, which judges cannot: they choose labels.")
    return found


def _wanted(control: Node) -> str:
    match control.tag:
        case "Rating":
            return f"points from 1 to {int(control.number('maxRating') or 5)}"
        case "Pairwise":
            return '"left" or "right"'
    labels = " or ".join(f'"{value}"' for value in control.values)
    return labels if control.single else f"a list of any of {labels}"


def answer(text: str, board: Board, config: AnnotationConfig) -> AnnotationAnswer | list[Problem]:
    """The reply as results, or what is wrong with it."""
    found = judging.read_object(text)
    if isinstance(found, list):
        return found
    asked = _asked(board)
    problems = judging.unknown_keys(found, list(asked))
    results: list[dict[str, object]] = []
    for number, (name, control) in enumerate(asked.items()):
        if found.get(name) in (None, []):
            continue
        value = _value(control, found[name])
        if value is None:
            problems.append(Problem(name, f"{found[name]!r} is no answer to {name}: {_wanted(control)}."))
            continue
        region = {"id": f"judged{number}", "from_name": name, "to_name": control.to[0], "type": _TYPES[control.tag]}
        results.append({**region, "value": value})
    try:
        read = AnnotationAnswer.model_validate({"result": results})
    except ValidationError as error:
        return [*problems, *problems_of(error)]
    return problems + completeness.problems(board, read, config) or read


def _value(control: Node, said: JsonValue) -> dict[str, object] | None:
    match control.tag:
        case "Rating":
            most = int(control.number("maxRating") or 5)
            return {"rating": said} if type(said) is int and 1 <= said <= most else None
        case "Pairwise":
            return {"selected": said} if said in ("left", "right") else None
    chosen = [said] if control.single and isinstance(said, str) else said
    if not isinstance(chosen, list) or (control.single and len(chosen) != 1):
        return None
    known = all(isinstance(each, str) and each in control.values for each in chosen)
    return {"choices": chosen} if known and len({str(each) for each in chosen}) == len(chosen) else None
