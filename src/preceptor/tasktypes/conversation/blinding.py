"""Blind names: which model stands behind A, in a conversation or in one of its turns.

The order of a claim is a permutation of m1..m4 and a seed. Whoever knows both knows every name; people who work see
neither.
"""

from collections.abc import Sequence
from hashlib import sha256
from random import Random

from preceptor.tasktypes.base import UnknownLabel
from preceptor.tasktypes.conversation.models import MODELS_MAX, SHOWN_NAMES, TIE, ConversationAnswer, Node

PLACES = tuple(f"m{number}" for number in range(1, MODELS_MAX + 1))
SEED_MARK = "seed-"


def draw(rng: Random) -> list[str]:
    """An order for one claim."""
    order = list(PLACES)
    rng.shuffle(order)
    return [*order, f"{SEED_MARK}{rng.getrandbits(64):016x}"]


def places_behind(order: Sequence[str], models: int, turn: str | None) -> list[str]:
    """The places (m1 ...) behind A, B, ... in a turn; `turn` None where names stay the same."""
    shown = [place for place in order if place in PLACES[:models]]
    if turn is None:
        return shown
    # Each turn its own draw, repeatable by whoever has the seed.
    seed = sha256("|".join([*order, turn]).encode()).digest()
    Random(seed).shuffle(shown)
    return shown


def place_of(label: str, order: Sequence[str], models: int, turn: str | None) -> str:
    """UnknownLabel for a name that this task does not show."""
    shown = dict(zip(SHOWN_NAMES, places_behind(order, models, turn), strict=False))
    if label not in shown:
        raise UnknownLabel(f"no model is called {label} in this task")
    return shown[label]


def revealed(answer: ConversationAnswer, order: Sequence[str]) -> ConversationAnswer:
    """The answer with the model of every reply, and the winner by model instead of by name."""
    nodes = [
        node.model_copy(update={"model": place_of(node.label, order, answer.models, turn_of(node, answer))})
        if node.role == "assistant" and node.label is not None
        else node
        for node in answer.nodes
    ]
    winner = answer.verdict.winner
    if winner is not None and winner != TIE:
        winner = place_of(winner, order, answer.models, None)
    verdict = answer.verdict.model_copy(update={"winner": winner})
    return answer.model_copy(update={"nodes": nodes, "verdict": verdict})


def hidden(answer: ConversationAnswer, order: Sequence[str]) -> ConversationAnswer:
    """The inverse of `revealed`, without sources too: what the person saw."""
    nodes = [node.model_copy(update={"model": None, "source": None}) for node in answer.nodes]
    names = dict(zip(places_behind(order, answer.models, None), SHOWN_NAMES, strict=False))
    winner = answer.verdict.winner
    verdict = answer.verdict.model_copy(update={"winner": names.get(winner, winner) if winner else None})
    return answer.model_copy(update={"nodes": nodes, "verdict": verdict})


def turn_of(node: Node, answer: ConversationAnswer) -> str | None:
    """What names the turn of a reply: the message it replies to."""
    return node.parent if answer.labels == "turn" else None
