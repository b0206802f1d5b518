"""What still keeps a conversation from being submitted."""

from collections.abc import Iterator

from preceptor.tasktypes.base import Problem
from preceptor.tasktypes.conversation.models import (
    MIDDLE,
    SHOWN_NAMES,
    TIE,
    ConversationAnswer,
    ConversationConfig,
    ConversationPayload,
    Mark,
    Node,
    models_shown,
    turns_wanted,
)
from preceptor.tasktypes.conversation.tree import Tree, tree_of


def problems(payload: ConversationPayload, answer: ConversationAnswer, config: ConversationConfig) -> Iterator[Problem]:
    """Problems of the tree, of each judgment, of marks and of the verdict, in that order."""
    shown = models_shown(payload, config)
    if answer.nodes and (answer.models, answer.labels) != (shown, config.labels):
        yield Problem("", "The project's settings have changed since this was begun. Reload the page.")
        return
    tree = tree_of(answer)
    if tree.faults:
        yield from (Problem("nodes", fault) for fault in tree.faults)
        return
    yield from _length(payload, config, tree)
    yield from _replies(tree, shown)
    yield from _judgments(tree, config, shown)
    for node in answer.nodes:
        for mark in node.marks:
            yield from _mark(node, mark, config)
    yield from _verdict(answer, config, shown)


def _length(payload: ConversationPayload, config: ConversationConfig, tree: Tree) -> Iterator[Problem]:
    least, most = turns_wanted(payload, config)
    answered = [tree.turns(node) for node in tree.nodes if node.role == "assistant"]
    longest = max(answered, default=0)
    if longest < least:
        missing = least - longest
        yield Problem("nodes", f"{missing} more turn{'' if missing == 1 else 's'} to go.")
    if any(tree.turns(prompt) > most for prompt in tree.prompts):
        yield Problem("nodes", f"A conversation here has at most {most} turns.")


def _replies(tree: Tree, shown: int) -> Iterator[Problem]:
    for node in tree.nodes:
        if node.role == "user" and (node.generation or node.label or node.marks or node.rating):
            yield Problem(f"nodes.{node.id}", "Only replies of models have a name, marks or a rating.")
        if node.role == "assistant":
            if node.generation is None:
                yield Problem(f"nodes.{node.id}", "A reply must come from a model.")
            if node.label is None or node.label not in SHOWN_NAMES[:shown]:
                yield Problem(f"nodes.{node.id}", "A reply has the name of a model of this task.")
    for prompt in tree.prompts:
        labels = [reply.label for reply in tree.replies(prompt)]
        if len(set(labels)) < len(labels):
            yield Problem(f"nodes.{prompt.id}", "A model replies to a message once.")


def _judgments(tree: Tree, config: ConversationConfig, shown: int) -> Iterator[Problem]:
    for number, prompt in enumerate(tree.prompts, start=1):
        replies = tree.replies(prompt)
        if sum(reply.chosen for reply in replies) > 1:
            yield Problem(f"nodes.{prompt.id}", "Only one reply can be chosen in a turn.")
        if len(replies) < 2 or config.judge == "none" or shown < 2:
            continue
        where = f"in message {number}" if len(tree.prompts) > 1 else "which reply is better"
        if config.judge == "scale":
            yield from _scale(prompt, replies, where)
        elif config.judge == "choose" and not any(reply.chosen for reply in replies):
            yield Problem(f"nodes.{prompt.id}", f"Choose the best reply: {where}.")
        elif config.judge == "rate" and any(reply.rating is None for reply in replies):
            yield Problem(f"nodes.{prompt.id}", f"Rate every reply: {where}.")


def _scale(prompt: Node, replies: list[Node], where: str) -> Iterator[Problem]:
    if prompt.preference is None:
        yield Problem(f"nodes.{prompt.id}", f"Say which reply is better: {where}.")
        return
    better = replies[0] if prompt.preference < MIDDLE else replies[1]
    if prompt.preference != MIDDLE and any(reply.chosen and reply is not better for reply in replies):
        yield Problem(f"nodes.{prompt.id}", "The chosen reply is not the one that the scale prefers.")


def _mark(node: Node, mark: Mark, config: ConversationConfig) -> Iterator[Problem]:
    where = f"nodes.{node.id}.marks"
    title = {category.key: category.title for category in config.categories}.get(mark.category)
    if title is None:
        yield Problem(where, "A mark names a kind of failure that this project does not know.")
        return
    if mark.technique is not None and mark.technique not in {each.key for each in config.techniques}:
        yield Problem(where, "A mark names a technique that this project does not know.")
    if config.severity_required and mark.severity is None:
        yield Problem(where, f"How severe is “{title}”?")
    if config.technique_required and mark.technique is None:
        yield Problem(where, f"Which technique brought about “{title}”?")
    if mark.quote and (mark.start is None or node.text[mark.start : mark.start + len(mark.quote)] != mark.quote):
        yield Problem(where, "A mark quotes words that are not in the reply.")


def _verdict(answer: ConversationAnswer, config: ConversationConfig, shown: int) -> Iterator[Problem]:
    verdict, marks = answer.verdict, [mark for node in answer.nodes for mark in node.marks]
    if config.ask_failed and verdict.failed is None:
        yield Problem("verdict.failed", "Say whether the model failed.")
    if verdict.failed and config.marks == "when_failed" and not marks:
        yield Problem("nodes", "Mark at least one reply that failed (m).")
    if marks and config.marks == "off":
        yield Problem("nodes", "This project takes no marks.")
    if verdict.harm is not None and verdict.harm not in {each.key for each in config.categories}:
        yield Problem("verdict.harm", "The verdict names a kind of failure that this project does not know.")
    if config.winner_asked and shown > 1:
        if verdict.winner is None:
            yield Problem("verdict.winner", "Say which model was better overall.")
        elif verdict.winner != TIE and verdict.winner not in SHOWN_NAMES[:shown]:
            yield Problem("verdict.winner", "The winner is a model of this task.")
    missing = config.notes_min_chars - len(" ".join(answer.notes.split()))
    if missing > 0:
        yield Problem("notes", f"Closing remark: {missing} more character{'' if missing == 1 else 's'}.")
