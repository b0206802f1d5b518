"""When a demonstration is complete, and what to do where it is not. Mirrored in `frontend/src/lib/demonstration.ts`."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from preceptor.tasktypes.base import Problem
from preceptor.tasktypes.demonstration.models import (
    DemonstrationAnswer,
    DemonstrationConfig,
    DemonstrationPayload,
    Source,
)
from preceptor.tasktypes.writing.counting import collapsed
from preceptor.tasktypes.writing.limits import counted, length_problems
from preceptor.tasktypes.writing.style import Finding, blocking, findings
from preceptor.tasktypes.writing.turns import Turn, order_problems

_ADDRESS: Final = re.compile(r"https?://[^\s\"'<>\\]+\.[^\s\"'<>\\]+\Z", re.IGNORECASE)


def texts(answer: DemonstrationAnswer, config: DemonstrationConfig) -> list[tuple[str, str, str]]:
    """What limits and rules hold for: (path, how to name it, text)."""
    if config.mode != "conversation":
        return [("text", "", answer.text)]
    return [
        (f"turns.{place}.content", f"Turn {place + 1}: ", turn.content)
        for place, turn in enumerate(answer.turns)
        if turn.role == "assistant"
    ]


def all_findings(answer: DemonstrationAnswer, config: DemonstrationConfig) -> list[tuple[str, Finding]]:
    """Every broken rule, warnings too, with the name of the text that breaks it."""
    return [(name, each) for _, name, text in texts(answer, config) for each in findings(text, config.rules)]


def problems(
    payload: DemonstrationPayload, answer: DemonstrationAnswer, config: DemonstrationConfig
) -> Iterator[Problem]:
    """Everything that keeps the answer from being submitted."""
    if config.mode == "conversation":
        yield from _turns(payload, answer.turns, config)
    else:
        yield from _text(payload, answer, config)
    for path, name, text in texts(answer, config):
        if collapsed(text):
            yield from (Problem(path, name + message) for message in length_problems(text, config))
            yield from (Problem(path, name + each.message) for each in blocking(findings(text, config.rules)))
    yield from _sources(answer.sources, config)
    if config.note == "required" and not collapsed(answer.note):
        yield Problem("note", "Leave a remark for the reviewers.")
    if config.note == "off" and answer.note:
        yield Problem("note", "This project takes no remarks. Remove it.")


def _text(payload: DemonstrationPayload, answer: DemonstrationAnswer, config: DemonstrationConfig) -> Iterator[Problem]:
    if answer.turns:
        yield Problem("turns", "This project wants one text, not a conversation. Remove the turns.")
    if not collapsed(answer.text):
        yield Problem(
            "text", "Write the answer." if config.mode == "answer" else "The text is empty. Restore the draft."
        )
    elif config.mode == "edit" and not config.allow_unchanged and answer.text == (payload.draft or ""):
        yield Problem("text", "Nothing is changed yet. Correct the draft.")


def _turns(payload: DemonstrationPayload, turns: Sequence[Turn], config: DemonstrationConfig) -> Iterator[Problem]:
    if len(turns) < config.turns_min:
        yield Problem("turns", f"Write at least {counted(config.turns_min, 'turn')}; {len(turns)} so far.")
    if len(turns) > config.turns_max:
        yield Problem("turns", f"Write at most {counted(config.turns_max, 'turn')}; {len(turns)} so far.")
    for place, turn in enumerate(turns):
        if not collapsed(turn.content):
            yield Problem(f"turns.{place}.content", f"Turn {place + 1} is empty. Fill it or remove it.")
    before = [message.role for message in payload.messages]
    for path, message in order_problems(turns, before, allow_system=config.allow_system, last_word="assistant"):
        yield Problem(f"turns.{path}".rstrip("."), message)


def _sources(sources: Sequence[Source], config: DemonstrationConfig) -> Iterator[Problem]:
    if len(sources) < config.sources_min:
        wanted = counted(config.sources_min, "source")
        yield Problem("sources", f"Give at least {wanted}; {len(sources)} so far.")
    for place, source in enumerate(sources):
        if not _ADDRESS.match(source.url):
            yield Problem(f"sources.{place}.url", f"Source {place + 1}: give its full address, with https://.")
        if not collapsed(source.title):
            yield Problem(f"sources.{place}.title", f"Source {place + 1}: say what it is.")
        if config.sources_quote and not collapsed(source.quote):
            yield Problem(f"sources.{place}.quote", f"Source {place + 1}: quote the words that support the answer.")
