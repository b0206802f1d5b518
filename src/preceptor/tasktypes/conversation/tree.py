"""The tree of a conversation: paths, turns, replies."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from preceptor.tasktypes.conversation.models import ConversationAnswer, ConversationPayload, Node
from preceptor.tasktypes.generation import Turn
from preceptor.tasktypes.messages import Message


class Tree:
    """An answer's nodes by their place. Broken trees (`faults`) answer as well as they can."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self.by_id: Mapping[str, Node] = {node.id: node for node in nodes}

    @cached_property
    def faults(self) -> list[str]:
        """What makes this no tree of turns; empty for every tree that the workspace makes."""
        found = []
        if len(self.by_id) < len(self.nodes):
            found.append("Two messages have the same id.")
        for node in self.nodes:
            parent = self.by_id.get(node.parent) if node.parent is not None else None
            if node.parent is not None and parent is None:
                found.append("A message follows one that is not there.")
            elif (parent.role if parent else "assistant") == node.role:
                found.append("Messages of the person and of models must take turns.")
        if any(self._loops(node) for node in self.nodes):
            found.append("A message follows itself.")
        return sorted(set(found))

    def _loops(self, node: Node) -> bool:
        seen: set[str] = set()
        at: Node | None = node
        while at is not None and at.parent is not None:
            if at.id in seen:
                return True
            seen.add(at.id)
            at = self.by_id.get(at.parent)
        return False

    def replies(self, prompt: Node) -> list[Node]:
        """Replies to a message of the person, by name."""
        found = [node for node in self.nodes if node.parent == prompt.id and node.role == "assistant"]
        return sorted(found, key=lambda node: node.label or "")

    @property
    def prompts(self) -> list[Node]:
        return [node for node in self.nodes if node.role == "user"]

    def path(self, node: Node) -> list[Node]:
        """From the first message to this one."""
        steps = [node]
        while steps[-1].parent is not None and len(steps) <= len(self.nodes):
            before = self.by_id.get(steps[-1].parent)
            if before is None:
                break
            steps.append(before)
        return steps[::-1]

    def turns(self, node: Node) -> int:
        """Messages of the person on the way to here."""
        return sum(step.role == "user" for step in self.path(node))

    def chosen_path(self) -> list[Node]:
        """The longest way along chosen replies; of equally long ones the last that was written."""
        best: list[Node] = []
        for node in self.nodes:
            if node.role != "assistant":
                continue
            path = self.path(node)
            on_the_way = all(step.chosen or step.role == "user" for step in path)
            if on_the_way and len(path) >= len(best):
                best = path
        return best


def opening_of(payload: ConversationPayload) -> list[Turn]:
    """What stands before the person's first message."""
    system: list[Turn] = [{"role": "system", "content": payload.system_prompt}] if payload.system_prompt else []
    return system + [_turn(message) for message in payload.opening]


def _turn(message: Message) -> Turn:
    assert isinstance(message.content, str)  # a rule of the payload
    return {"role": "assistant" if message.role == "assistant" else "user", "content": message.content}


def messages_to(payload: ConversationPayload, tree: Tree, node: Node) -> list[Turn]:
    """The whole conversation up to and with a message, as a model is sent it and a trainer reads it."""
    return opening_of(payload) + [{"role": step.role, "content": step.text} for step in tree.path(node)]


def tree_of(answer: ConversationAnswer) -> Tree:
    return Tree(answer.nodes)
