"""An annotation against a known answer."""

from statistics import mean

from preceptor.tasktypes.annotation.agreement.marks import paired
from preceptor.tasktypes.annotation.agreement.whole import RELATIONS, distances
from preceptor.tasktypes.annotation.board import Board, Node
from preceptor.tasktypes.annotation.completeness import says_something
from preceptor.tasktypes.annotation.models import AnnotationAnswer, AnnotationConfig
from preceptor.tasktypes.annotation.visibility import Sight
from preceptor.tasktypes.annotation.words import in_words
from preceptor.tasktypes.base import Score

SAME = 1e-9
REASONS_MAX = 30


def score_against(
    board: Board, answer: AnnotationAnswer, reference: AnnotationAnswer, config: AnnotationConfig
) -> Score:
    """1 less the mean distance over the controls that the reference answers.

    Controls that the reference leaves empty do not count, except those that mark regions when it marks none at all:
    then every mark is one too many. ValueError where the reference says nothing.
    """
    wanted = Sight(board, reference)
    keys = _answered(board, wanted)
    if not keys:
        raise ValueError("the reference answers nothing, so nothing can be scored against it")
    apart = distances(board, answer, reference, config)
    parts = {key: apart.get(key, 1.0) for key in keys}
    given = Sight(board, answer)
    reasons = [
        reason
        for key, distance in parts.items()
        if distance > SAME
        for reason in _reasons(board, key, distance, given, wanted, config)
    ]
    return Score(max(0.0, min(1.0, 1 - mean(parts.values()))), tuple(reasons[:REASONS_MAX]))


def _answered(board: Board, reference: Sight) -> list[str]:
    keys = [
        control.key
        for control in board.controls.values()
        if any(says_something(region) for region in reference.results.get(control.name, ()))
        or any(control.name in mark.labels for mark in reference.marks.values())
    ]
    if reference.answer.relations and board.relations is not None:
        keys.append(RELATIONS)
    if not reference.marks and keys == [] and not reference.answer.result:
        keys = [control.key for control in board.controls.values() if control.spec.shape]
    return list(dict.fromkeys(keys))


def _reasons(
    board: Board, key: str, distance: float, given: Sight, wanted: Sight, config: AnnotationConfig
) -> list[str]:
    if key == RELATIONS:
        return [f"Relations agree by {1 - distance:.0%} with the known ones."]
    found = []
    for control in board.controls.values():
        if control.key != key:
            continue
        if control.spec.shape:
            found.append(_of_marks(control, given, wanted, config))
        else:
            found.append(_of_answer(board, control, distance, given, wanted))
    return [reason for reason in found if reason]


def _of_marks(control: Node, given: Sight, wanted: Sight, config: AnnotationConfig) -> str:
    mine = [mark for mark in given.marks.values() if control.name in (mark.control, *mark.labels)]
    known = [mark for mark in wanted.marks.values() if control.name in (mark.control, *mark.labels)]
    pairing = paired(mine, known, control.name, config.span_match == "exact")
    hits = sum(weight >= config.match_at for _, _, weight in pairing.pairs)
    return f"{control.name}: {hits} of {len(known)} known marks found, {len(mine) - hits} further ones given."


def _of_answer(board: Board, control: Node, distance: float, given: Sight, wanted: Sight) -> str:
    def said(sight: Sight) -> str:
        own = [region for region in sight.results.get(control.name, ()) if says_something(region)]
        if not own:
            return "nothing"
        return in_words(board, AnnotationAnswer(result=list(own))).headline.removeprefix(f"{control.name}: ")

    mine, known = said(given), said(wanted)
    return (
        f"{control.name}: {mine} instead of {known}."
        if mine != known
        else f"{control.name}: differs by {distance:.0%}."
    )
