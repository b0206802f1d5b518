"""The demonstration kind of work, as the rest of the platform uses it."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from preceptor.tasktypes.base import (
    Consensus,
    Problem,
    ReleasedJudgment,
    ReleasedTask,
    ReleaseRows,
    Score,
    Template,
    Words,
)
from preceptor.tasktypes.demonstration import agreement, completeness, release, templates
from preceptor.tasktypes.demonstration.importing import DemonstrationImporter
from preceptor.tasktypes.demonstration.models import DemonstrationAnswer, DemonstrationConfig, DemonstrationPayload
from preceptor.tasktypes.kind import Kind
from preceptor.tasktypes.messages import plain_content
from preceptor.tasktypes.view import Chat, Markdown, ViewNode
from preceptor.tasktypes.writing import counting, edits, style

INSTRUCTIONS = {
    "answer": "Write the ideal answer",
    "conversation": "Write the conversation",
    "edit": "Correct the draft",
}


class DemonstrationType(Kind[DemonstrationPayload, DemonstrationAnswer, DemonstrationConfig]):
    """Task type `demonstration`: see `preceptor.tasktypes.base.TaskType` for what each member promises.

    There are no labels, no units and no consensus: two good answers to one prompt are both good. What a release
    trains on is decided by review (`release.release_rows`).
    """

    name = "demonstration"
    title = "Demonstration"
    summary = "People write the ideal answer or a whole conversation, or correct a model's draft."
    icon = "pen-line"
    element = "preceptor-demonstration"
    payload_model = DemonstrationPayload
    answer_model = DemonstrationAnswer
    config_model = DemonstrationConfig
    tables = release.TABLES
    judgment_schema: pa.Schema = release.JUDGMENT_SCHEMA
    importer = DemonstrationImporter()
    hidden = frozenset({"draft_source", "reference"})

    def fits(self, payload: DemonstrationPayload, config: DemonstrationConfig) -> list[Problem]:
        """Answers need a prompt to answer, corrections a draft besides."""
        found = []
        if config.mode != "conversation" and (not payload.prompt or payload.prompt[-1].role != "user"):
            found.append(
                Problem("prompt", "This project answers prompts: the prompt must end with a message of the user.")
            )
        if config.mode == "edit" and not (payload.draft or "").strip():
            found.append(Problem("draft", "This project corrects drafts, and this task has none."))
        return found

    def check(
        self, payload: DemonstrationPayload, answer: DemonstrationAnswer, config: DemonstrationConfig
    ) -> list[Problem]:
        """Problems of text, turns, length, blocking rules, sources and remark."""
        return list(completeness.problems(payload, answer, config))

    def score(
        self,
        payload: DemonstrationPayload,
        answer: DemonstrationAnswer,
        reference: DemonstrationAnswer,
        config: DemonstrationConfig,
    ) -> Score:
        """Rules kept and likeness of words: weak evidence (see `agreement.score_against`)."""
        return agreement.score_against(answer, reference, config)

    def aspects(self, config: DemonstrationConfig) -> Mapping[str, str]:
        """Length, words used, wording; turns of conversations; sources where they are required."""
        return agreement.aspects(config)

    def distance(
        self,
        payload: DemonstrationPayload,
        a: DemonstrationAnswer,
        b: DemonstrationAnswer,
        config: DemonstrationConfig,
    ) -> Mapping[str, float]:
        """See `agreement.distances`."""
        return agreement.distances(a, b, config)

    def consensus(
        self, payload: DemonstrationPayload, answers: Sequence[DemonstrationAnswer], config: DemonstrationConfig
    ) -> Consensus:
        """None: texts are not voted on."""
        return Consensus(len(answers), {}, None)

    def rows(
        self,
        task: ReleasedTask[DemonstrationPayload, DemonstrationAnswer],
        submissions: Sequence[ReleasedJudgment[DemonstrationAnswer]],
        consensus: Consensus,
        config: DemonstrationConfig,
    ) -> ReleaseRows:
        """SFT rows, pairs of corrected drafts, and every demonstration by itself."""
        return release.release_rows(task, submissions, config)

    def view(self, shown: DemonstrationPayload, config: DemonstrationConfig) -> ViewNode:
        """Prompt and brief rendered, the draft as source, settings, and the word lists that rules ask for."""
        return {
            "prompt": Chat(shown.messages),
            "brief": Markdown(shown.brief) if shown.brief.strip() else None,
            "draft": shown.draft if config.mode == "edit" else None,
            "config": {
                **config.model_dump(mode="json"),
                "instruction": config.instruction or INSTRUCTIONS[config.mode],
            },
            "tables": style.browser_tables(config.rules),
        }

    def in_words(
        self, payload: DemonstrationPayload, answer: DemonstrationAnswer, config: DemonstrationConfig
    ) -> Words:
        """How long it is, what was changed, the text, its sources."""
        text = agreement.whole_text(answer)
        headline = f"{counting.words(text):,} words"
        if answer.turns:
            headline = f"{len(answer.turns)} turns, {headline}"
        details = [("Text", text)]
        if config.mode == "edit" and payload.draft:
            sums = edits.changes(edits.edit_script(payload.draft, answer.text))
            headline = f"{sums.share:.0%} changed: {sums.words_inserted} words added, {sums.words_deleted} removed"
        details += [("Source", f"{source.title} {source.url}".strip()) for source in answer.sources]
        broken = completeness.all_findings(answer, config)
        details += [("Style", name + each.message) for name, each in broken]
        return Words(headline, tuple(details), answer.note)

    def excerpt(self, payload: DemonstrationPayload) -> str:
        """The last thing asked, or the brief."""
        return plain_content(payload.prompt[-1]) if payload.prompt else payload.brief or payload.draft or ""

    def templates(self) -> tuple[Template, ...]:
        """Ideal answer, conversation, corrected draft."""
        return (templates.WRITE_ANSWER, templates.WRITE_CONVERSATION, templates.CORRECT_DRAFT)
