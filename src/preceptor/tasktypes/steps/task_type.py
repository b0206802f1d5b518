"""The steps kind of work, as the rest of the platform uses it."""

from collections.abc import Mapping, Sequence

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
from preceptor.tasktypes.importing import Field, FieldsImporter, Way
from preceptor.tasktypes.kind import Kind
from preceptor.tasktypes.steps import agreement, completeness, release, templates
from preceptor.tasktypes.steps.models import (
    StepsAnswer,
    StepsConfig,
    StepsPayload,
    asked,
    first_wrong,
)
from preceptor.tasktypes.view import Chat, Markdown, Section, ViewNode

_FIELDS = (
    Field("prompt", "Prompt", aliases=("question", "problem", "instruction"), required=True, chat="user"),
    Field("response", "Whole response", aliases=("solution", "completion", "text"), text=True),
    Field("steps", "Response in steps", aliases=("completions", "sentences")),
    Field("cut", "How to cut the response", text=True),
    Field("joiner", "What stands between steps", text=True),
    Field("sources", "Sources", aliases=("documents", "passages", "evidence")),
    Field("final_answer", "Final answer", aliases=("final", "predicted_answer"), text=True),
    Field("reference", "Known solution", aliases=("ground_truth", "reference_answer", "expected"), text=True),
    Field("response_source", "Where the response comes from", aliases=("source", "model", "generator"), text=True),
)
_WAYS = (
    Way(
        name="A whole response",
        columns="prompt, response, and if you like cut, sources, final_answer, reference",
        description="`cut` is `steps` (lines; the default) or `sentences`. The response is cut once, on import.",
        example=(
            '{"prompt": "What is 3 + 4 · 2?", "response": "First 4 · 2 = 8.\\nThen 3 + 8 = 11.", "final_answer": "11"}'
        ),
    ),
    Way(
        name="Steps as given",
        columns="prompt, steps (or completions)",
        description="As in data for process rewards: a list of texts.",
        example='{"prompt": "What is 3 + 4 · 2?", "completions": ["4 · 2 = 8", "3 + 8 = 11"]}',
    ),
)


class StepsType(Kind[StepsPayload, StepsAnswer, StepsConfig]):
    """Task type `steps`: see `preceptor.tasktypes.base.TaskType` for what each member promises."""

    name = "steps"
    title = "Step by step"
    summary = "Mark each step or sentence of a response: right, wrong or unsupported, with corrections and sources."
    icon = "list-checks"
    element = "preceptor-steps"
    payload_model = StepsPayload
    answer_model = StepsAnswer
    config_model = StepsConfig
    judgment_schema = release.JUDGMENT_SCHEMA
    tables = release.TABLES
    importer = FieldsImporter(StepsPayload, StepsAnswer, _FIELDS, ways=_WAYS)
    hidden = frozenset({"response_source"})

    def check(self, payload: StepsPayload, answer: StepsAnswer, config: StepsConfig) -> list[Problem]:
        """Problems of marks, corrections, evidence and the final answer."""
        return list(completeness.problems(payload, answer, config))

    def score(self, payload: StepsPayload, answer: StepsAnswer, reference: StepsAnswer, config: StepsConfig) -> Score:
        """Marks, place of the first error, final answer (see `agreement.score_against`)."""
        return agreement.score_against(payload, answer, reference, config)

    def aspects(self, config: StepsConfig) -> Mapping[str, str]:
        """Marks, place of the first error, kind of error, final answer."""
        return agreement.aspects(config)

    def distance(
        self, payload: StepsPayload, a: StepsAnswer, b: StepsAnswer, config: StepsConfig
    ) -> Mapping[str, float]:
        """See `agreement.distance`."""
        return agreement.distance(payload, a, b, config)

    def labels(self, payload: StepsPayload, answer: StepsAnswer, config: StepsConfig) -> dict[str, str]:
        """One unit per marked step (`step 1`), and `final`."""
        return agreement.labels(payload, answer, config)

    def unit_labels(self, payload: StepsPayload, config: StepsConfig) -> dict[str, tuple[str, ...]]:
        """Every step, and the final answer where it is asked about."""
        return agreement.unit_labels(payload, config)

    def consensus(self, payload: StepsPayload, answers: Sequence[StepsAnswer], config: StepsConfig) -> Consensus:
        """Majority per step."""
        return agreement.consensus(payload, answers, config)

    def rows(
        self,
        task: ReleasedTask[StepsPayload, StepsAnswer],
        submissions: Sequence[ReleasedJudgment[StepsAnswer]],
        consensus: Consensus,
        config: StepsConfig,
    ) -> ReleaseRows:
        """Process rewards, corrected steps, and every judgment by itself."""
        return release.release_rows(task, submissions, consensus, config)

    def view(self, shown: StepsPayload, config: StepsConfig) -> ViewNode:
        """Prompt, steps, sources, final answer, known solution, settings."""
        return {
            "prompt": Chat(shown.prompt),
            "steps": [Markdown(step.strip()) for step in shown.steps],
            "sources": [
                {"id": each.id, "title": each.title or each.id, "body": Markdown(each.text), "url": each.url}
                for each in shown.sources
            ],
            "final_answer": Markdown(shown.final_answer) if shown.final_answer is not None else None,
            "reference": Markdown(shown.reference) if shown.reference is not None else None,
            "prose": shown.cut == "sentences",
            "config": config.model_dump(mode="json"),
        }

    def material(self, payload: StepsPayload, config: StepsConfig) -> tuple[Section, ...]:
        """Prompt, numbered steps, final answer, known solution, sources."""
        steps = [Section(f"Step {at}", Markdown(step.strip())) for at, step in enumerate(payload.steps, 1)]
        found = [Section("Prompt", Chat(payload.prompt)), *steps]
        if payload.final_answer is not None:
            found.append(Section("Final answer", Markdown(payload.final_answer), payload.response_source or ""))
        if payload.reference is not None:
            found.append(Section("Known solution", Markdown(payload.reference)))
        return (
            *found,
            *(Section(each.title or each.id, Markdown(each.text), each.url or "") for each in payload.sources),
        )

    def in_words(self, payload: StepsPayload, answer: StepsAnswer, config: StepsConfig) -> Words:
        """Where the first error is and how many steps got which mark; faults in detail."""
        return _in_words(payload, answer, config)

    def templates(self) -> tuple[Template, ...]:
        """Solutions, and facts."""
        return templates.TEMPLATES


def _in_words(payload: StepsPayload, answer: StepsAnswer, config: StepsConfig) -> Words:
    wrong = first_wrong(answer)
    said = [mark.verdict for at in asked(payload, answer, config) if (mark := answer.marks.get(at)) is not None]
    counts = [f"{said.count(verdict)} {verdict}" for verdict in config.verdicts if verdict in said]
    parts = [f"first error in step {wrong + 1}" if wrong is not None else "no error", *counts]
    if answer.final_correct is not None:
        parts.append("final answer right" if answer.final_correct else "final answer wrong")
    titles = {category.key: category.title for category in config.categories}
    details = []
    for at, mark in sorted(answer.marks.items()):
        if at < len(payload.steps) and (mark.verdict in ("wrong", "unsupported") or mark.comment or mark.quotes):
            kind = titles.get(mark.category or "", "")
            fixed = f"Should read: {mark.correction}" if mark.correction else ""
            quoted = " ".join(f"“{span.text}”" for span in mark.quotes)
            told = [mark.verdict or "", kind, mark.comment, fixed, quoted, " ".join(mark.urls)]
            details.append((f"Step {at + 1}", " · ".join(part for part in told if part)))
    return Words(" · ".join(parts), tuple(details), answer.comment)
