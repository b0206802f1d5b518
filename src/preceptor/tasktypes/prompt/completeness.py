"""When a written prompt is complete, and what to do where it is not. Mirrored in `frontend/src/lib/prompt.ts`.

That it repeats no other prompt can only be known where all of them are: the server refuses it at submission.
"""

from collections.abc import Iterator, Sequence

from preceptor.tasktypes.base import Problem
from preceptor.tasktypes.prompt.models import REASON_CHARACTERS_MIN, PromptAnswer, PromptConfig, PromptPayload, Run
from preceptor.tasktypes.writing.counting import characters, collapsed
from preceptor.tasktypes.writing.limits import counted, length_problems
from preceptor.tasktypes.writing.style import Finding, blocking, findings
from preceptor.tasktypes.writing.turns import key_of, order_problems


def asked_text(answer: PromptAnswer) -> str:
    """What the user says, turns parted by a blank line: the text that limits, rules and likeness are about."""
    return "\n\n".join(turn.content for turn in answer.messages if turn.role == "user")


def all_findings(payload: PromptPayload, answer: PromptAnswer, config: PromptConfig) -> list[Finding]:
    """Every broken rule of project and brief, warnings too."""
    return findings(asked_text(answer), [*config.rules, *payload.rules])


def current_runs(answer: PromptAnswer) -> list[Run]:
    """Runs of the prompt as it now stands."""
    key = key_of(answer.messages)
    return [run for run in answer.runs if run.prompt_key == key]


def judged_runs(answer: PromptAnswer) -> list[Run]:
    """Those of them that were judged."""
    return [run for run in current_runs(answer) if run.verdict]


def problems(payload: PromptPayload, answer: PromptAnswer, config: PromptConfig) -> Iterator[Problem]:
    """Everything that keeps the prompt from being submitted."""
    yield from _messages(answer, config)
    text = asked_text(answer)
    if collapsed(text):
        yield from (Problem("messages", message) for message in length_problems(text, config))
        yield from (Problem("messages", each.message) for each in blocking(all_findings(payload, answer, config)))
    yield from _constraints(payload, answer)
    yield from _claims(answer, config)
    yield from _notes(payload, answer, config)
    yield from _runs(answer, config)


def _messages(answer: PromptAnswer, config: PromptConfig) -> Iterator[Problem]:
    users = sum(turn.role == "user" for turn in answer.messages)
    if not users:
        yield Problem("messages", "Write the prompt.")
    for place, turn in enumerate(answer.messages):
        if not collapsed(turn.content):
            what = (
                "The prompt is empty. Write it."
                if users == 1 and turn.role == "user"
                else (f"Turn {place + 1} is empty. Fill it or remove it.")
            )
            yield Problem(f"messages.{place}.content", what)
    if users > config.user_turns_max:
        yield Problem(
            "messages", f"The user speaks at most {counted(config.user_turns_max, 'time')} here; {users} so far."
        )
    if config.system == "required" and not any(turn.role == "system" for turn in answer.messages):
        yield Problem("messages", "Add a system message.")
    allowed = config.system != "off"
    for path, message in order_problems(answer.messages, [], allow_system=allowed, last_word="user"):
        if users:
            yield Problem(f"messages.{path}".rstrip("."), message)


def _constraints(payload: PromptPayload, answer: PromptAnswer) -> Iterator[Problem]:
    open_ones = [place for place in range(len(payload.constraints)) if place not in answer.constraints_met]
    if open_ones:
        total = len(payload.constraints)
        yield Problem(
            "constraints_met", f"Tick off each constraint of the brief: {total - len(open_ones)} of {total} so far."
        )


def _claims(answer: PromptAnswer, config: PromptConfig) -> Iterator[Problem]:
    if config.difficulties and answer.difficulty not in config.difficulties:
        yield Problem("difficulty", f"Say how hard it is: {', '.join(config.difficulties)}.")
    if not config.difficulties and answer.difficulty:
        yield Problem("difficulty", "This project does not ask for a difficulty. Leave it out.")
    unknown = [tag for tag in answer.tags if tag not in config.tags]
    if unknown and not config.free_tags:
        yield Problem("tags", f"Choose tags from the list; “{unknown[0]}” is not in it.")
    if len(set(answer.tags)) < config.tags_min:
        yield Problem("tags", f"Give at least {counted(config.tags_min, 'tag')}.")


def _notes(payload: PromptPayload, answer: PromptAnswer, config: PromptConfig) -> Iterator[Problem]:
    wanted: Sequence[tuple[str, str, str, str]] = (
        ("reference", config.reference, answer.reference, "Write a reference answer."),
        ("grading", config.grading, answer.grading, "Write how to tell a right answer from a wrong one."),
        ("why_fails", config.why_fails, answer.why_fails, "Say why a model fails at it."),
    )
    for path, asked, text, message in wanted:
        required = asked == "required" or (path == "why_fails" and payload.must_fail and asked != "off")
        if required and not collapsed(text):
            yield Problem(path, message)


def _runs(answer: PromptAnswer, config: PromptConfig) -> Iterator[Problem]:
    for place, run in enumerate(answer.runs):
        if run.verdict == "fail" and characters(run.reason) < REASON_CHARACTERS_MIN:
            yield Problem(f"runs.{place}.reason", f"Run {place + 1}: say in what it fails.")
    if not config.runs or answer.runs_waived:
        return
    judged = judged_runs(answer)
    if len(judged) < config.runs:
        wanted = counted(config.runs, "answer")
        yield Problem("runs", f"Run the prompt as it now stands and judge {wanted}; {len(judged)} so far.")
    fails = sum(run.verdict == "fail" for run in judged)
    if len(judged) >= config.runs and fails < config.fails_min:
        wanted = f"at least {config.fails_min} of {counted(config.runs, 'run')}"
        yield Problem("runs", f"The model must fail in {wanted}; it failed in {fails}. Make it harder.")
