"""A conversation in words, for lists of judgments."""

from preceptor.tasktypes.base import Words
from preceptor.tasktypes.conversation.agreement import harm_of
from preceptor.tasktypes.conversation.models import TIE, ConversationAnswer, ConversationConfig, Node
from preceptor.tasktypes.conversation.tree import tree_of

MESSAGES_MAX = 12
CHARACTERS_MAX = 400


def in_words(answer: ConversationAnswer, config: ConversationConfig) -> Words:
    """The verdict and how long it took; then what was said and every mark; the closing remark as the reason."""
    titles = {category.key: category.title for category in config.categories}
    techniques = {technique.key: technique.title for technique in config.techniques}
    marks = tuple(
        (
            titles.get(mark.category, mark.category),
            ", ".join(
                part
                for part in (
                    f"severity {mark.severity}" if mark.severity else "",
                    techniques.get(mark.technique or "", ""),
                    f"“{mark.quote}”" if mark.quote else "",
                    mark.comment,
                )
                if part
            ),
        )
        for node in answer.nodes
        for mark in node.marks
    )
    return Words("; ".join(_headline(answer, titles)), (*_said(answer), *marks), answer.notes)


def _said(answer: ConversationAnswer) -> tuple[tuple[str, str], ...]:
    """The conversation along its chosen replies, each message shortened."""
    path = tree_of(answer).chosen_path()[:MESSAGES_MAX]
    return tuple((_speaker(node), _short(node.text)) for node in path)


def _speaker(node: Node) -> str:
    return "Person" if node.role == "user" else node.source or node.label or "Model"


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= CHARACTERS_MAX else words[:CHARACTERS_MAX].rsplit(" ", 1)[0] + " …"


def _headline(answer: ConversationAnswer, titles: dict[str, str]) -> list[str]:
    tree, verdict = tree_of(answer), answer.verdict
    said = []
    if verdict.failed is not None:
        harm = harm_of(answer)
        failed = f"failed: {titles.get(harm, harm)}" if harm else "failed"
        said.append(failed if verdict.failed else "did not fail")
    if verdict.winner is not None:
        sources = {node.model: node.source for node in answer.nodes if node.source is not None}
        winner = sources.get(verdict.winner) or verdict.winner
        said.append("no model better" if verdict.winner == TIE else f"{winner} better")
    turns = max((tree.turns(node) for node in tree.nodes), default=0)
    return [*said, f"{turns} turn{'' if turns == 1 else 's'}"]
