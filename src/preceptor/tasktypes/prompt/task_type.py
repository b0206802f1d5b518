"""The prompt kind of work, as the rest of the platform uses it."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from preceptor.tasktypes.base import (
    Consensus,
    Problem,
    ReleasedJudgment,
    ReleasedTask,
    ReleaseRows,
    Score,
    Service,
    Template,
    Words,
)
from preceptor.tasktypes.kind import Kind
from preceptor.tasktypes.prompt import agreement, completeness, release, templates
from preceptor.tasktypes.prompt.agreement import FAILS, NO, YES
from preceptor.tasktypes.prompt.importing import PromptImporter
from preceptor.tasktypes.prompt.models import MODEL_NAMES, PromptAnswer, PromptConfig, PromptPayload
from preceptor.tasktypes.view import Markdown, ViewNode
from preceptor.tasktypes.writing import counting, style
from preceptor.tasktypes.writing.turns import AskedTurn


class PromptType(Kind[PromptPayload, PromptAnswer, PromptConfig]):
    """Task type `prompt`: see `preceptor.tasktypes.base.TaskType` for what each member promises.

    Two people who answer one brief write two prompts: both count, and nothing is decided between them. The only label
    is whether models fail at it. That prompts do not repeat each other is kept by the service `similar`
    (`preceptor.tasktypes.writing.likeness.ComparesTexts`).
    """

    name = "prompt"
    title = "Prompt writing"
    summary = "People write new prompts to a brief, check them for repetition and try them on your models."
    icon = "message-square-plus"
    element = "preceptor-prompt"
    payload_model = PromptPayload
    answer_model = PromptAnswer
    config_model = PromptConfig
    tables = release.TABLES
    judgment_schema: pa.Schema = release.JUDGMENT_SCHEMA
    importer = PromptImporter()
    services: frozenset[Service] = frozenset({"similar", "generate"})
    hidden = frozenset({"existing"})

    def compared_text(self, answer: PromptAnswer) -> str:
        """What the user says."""
        return completeness.asked_text(answer)

    def known_texts(self, payload: PromptPayload) -> Sequence[str]:
        """Examples of the brief and prompts that the client has already."""
        return (*payload.examples, *payload.existing)

    def similarity_limits(self, config: PromptConfig) -> tuple[float, float]:
        """As the project sets them."""
        return config.warn_likeness, config.refuse_likeness

    def model_place(
        self, shown_as: str, turn: str, order: Sequence[str], payload: PromptPayload, config: PromptConfig
    ) -> int | None:
        """A is the project's first model, B the second, as many as are run here."""
        place = MODEL_NAMES.find(shown_as) if len(shown_as) == 1 else -1
        return place if config.runs and 0 <= place < config.models else None

    def model_messages(
        self, messages: Sequence[AskedTurn], payload: PromptPayload, config: PromptConfig
    ) -> list[AskedTurn]:
        """The prompt as it is written."""
        return list(messages)

    def asked_of(
        self, payload: PromptPayload, answer: PromptAnswer, config: PromptConfig
    ) -> Mapping[str, tuple[str, str, list[AskedTurn]]]:
        """Runs that count must have been asked with exactly the prompt that is submitted."""
        asked: list[AskedTurn] = [{"role": turn.role, "content": turn.content} for turn in answer.messages]
        runs = [run for run in completeness.current_runs(answer) if run.generation]
        return {str(run.generation): (run.shown_as, "", asked) for run in runs}

    def check(self, payload: PromptPayload, answer: PromptAnswer, config: PromptConfig) -> list[Problem]:
        """Problems of messages, length, blocking rules, constraints, claims, notes and runs."""
        return list(completeness.problems(payload, answer, config))

    def score(
        self, payload: PromptPayload, answer: PromptAnswer, reference: PromptAnswer, config: PromptConfig
    ) -> Score:
        """Claims, outcomes and rules, not wording (see `agreement.score_against`)."""
        return agreement.score_against(payload, answer, reference, config)

    def aspects(self, config: PromptConfig) -> Mapping[str, str]:
        """Wording, claimed difficulty, tags, whether models fail."""
        return agreement.aspects(config)

    def distance(
        self, payload: PromptPayload, a: PromptAnswer, b: PromptAnswer, config: PromptConfig
    ) -> Mapping[str, float]:
        """See `agreement.distances`."""
        return agreement.distances(a, b, config)

    def labels(self, payload: PromptPayload, answer: PromptAnswer, config: PromptConfig) -> dict[str, str]:
        """Whether models fail at the prompt, where runs were judged."""
        found = agreement.fails(answer, config)
        return {} if found is None else {FAILS: YES if found else NO}

    def unit_labels(self, payload: PromptPayload, config: PromptConfig) -> dict[str, tuple[str, ...]]:
        """One unit with yes and no, where the project asks for runs."""
        return {FAILS: (YES, NO)} if config.runs else {}

    def rows(
        self,
        task: ReleasedTask[PromptPayload, PromptAnswer],
        submissions: Sequence[ReleasedJudgment[PromptAnswer]],
        consensus: Consensus,
        config: PromptConfig,
    ) -> ReleaseRows:
        """Prompts, judged answers of models, and every submission by itself."""
        return release.release_rows(task, submissions, config)

    def view(self, shown: PromptPayload, config: PromptConfig) -> ViewNode:
        """The brief rendered, settings, and the word lists that rules ask for."""
        rules = [*config.rules, *shown.rules]
        return {
            "topic": shown.topic,
            "difficulty": shown.difficulty,
            "brief": Markdown(shown.brief) if shown.brief.strip() else None,
            "constraints": list(shown.constraints),
            "examples": [Markdown(example) for example in shown.examples],
            "must_fail": shown.must_fail,
            "fails_because": Markdown(shown.fails_because) if shown.fails_because.strip() else None,
            "config": {**config.model_dump(mode="json"), "rules": [rule.model_dump(mode="json") for rule in rules]},
            "tables": style.browser_tables(rules),
        }

    def in_words(self, payload: PromptPayload, answer: PromptAnswer, config: PromptConfig) -> Words:
        """The prompt with its claims and what models made of it."""
        judged = completeness.judged_runs(answer)
        failed = sum(run.verdict == "fail" for run in judged)
        parts = [f"{counting.words(completeness.asked_text(answer)):,} words", answer.difficulty]
        parts += [f"{failed} of {len(judged)} runs fail"] if judged else ["no model was offered"] * answer.runs_waived
        details = [(turn.role.capitalize(), turn.content) for turn in answer.messages]
        details += [("Tags", ", ".join(answer.tags))] if answer.tags else []
        details += [("Reference answer", answer.reference)] if answer.reference else []
        details += [("Grading", answer.grading)] if answer.grading else []
        details += [
            (f"{run.source or f'Model {run.shown_as}'}: {run.verdict}", run.reason or run.text) for run in judged
        ]
        return Words(" · ".join(part for part in parts if part), tuple(details), answer.why_fails)

    def excerpt(self, payload: PromptPayload) -> str:
        """Topic and brief."""
        return ": ".join(part for part in (payload.topic, payload.brief) if part.strip())

    def templates(self) -> tuple[Template, ...]:
        """Hard prompts, prompts for a topic."""
        return (templates.TOPIC_PROMPTS, templates.HARD_PROMPTS)
