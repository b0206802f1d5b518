"""The rubric kind of work, as the rest of the platform uses it."""

from collections.abc import Mapping, Sequence

from preceptor.tasktypes.base import (
    Consensus,
    Problem,
    ReleasedJudgment,
    ReleasedTask,
    ReleaseRows,
    Row,
    Score,
    Template,
    Words,
    to_json,
)
from preceptor.tasktypes.importing import Field, FieldsImporter, Way
from preceptor.tasktypes.kind import Kind
from preceptor.tasktypes.rubric import agreement, completeness, release, templates
from preceptor.tasktypes.rubric.models import (
    QUESTIONS,
    CriterionVerdict,
    RubricAnswer,
    RubricConfig,
    RubricCriterion,
    RubricPayload,
    written,
)
from preceptor.tasktypes.view import Chat, Markdown, Section, ViewNode

_FIELDS = (
    Field("prompt", "Prompt", aliases=("question", "instruction", "messages"), required=True, chat="user"),
    Field("context", "Context", aliases=("background",), text=True),
    Field("responses", "Sample responses", aliases=("samples", "answers")),
    Field("draft", "Criteria to start from or to judge", aliases=("criteria", "rubric", "rubrics")),
)
_WAYS = (
    Way(
        name="One row per prompt",
        columns="prompt, and if you like context, responses, draft",
        description="`draft` is a list of criteria: where authors start, and what validators judge.",
        example=(
            '{"prompt": "My pipe is frozen. What do I do?", '
            '"draft": [{"statement": "Closes the main valve first", "points": 5}]}'
        ),
    ),
    Way(
        name="HealthBench",
        columns="prompt_id, prompt, rubrics",
        description="`rubrics` is a list of `criterion` and `points`; points below zero become penalties.",
        example=(
            '{"prompt": [{"role": "user", "content": "My arm is numb."}], '
            '"rubrics": [{"criterion": "Advises to see a doctor", "points": 7}]}'
        ),
    ),
)


class RubricType(Kind[RubricPayload, RubricAnswer, RubricConfig]):
    """Task type `rubric`: see `preceptor.tasktypes.base.TaskType` for what each member promises."""

    name = "rubric"
    title = "Rubric writing"
    summary = "Experts write the criteria by which answers to a prompt are judged; others validate them."
    icon = "clipboard-list"
    element = "preceptor-rubric"
    payload_model = RubricPayload
    answer_model = RubricAnswer
    config_model = RubricConfig
    judgment_schema = release.JUDGMENT_SCHEMA
    tables = release.TABLES
    importer = FieldsImporter(RubricPayload, RubricAnswer, _FIELDS, ways=_WAYS)

    def fits(self, payload: RubricPayload, config: RubricConfig) -> list[Problem]:
        """Validators need criteria to judge."""
        if config.mode == "validate" and not payload.draft:
            return [Problem("draft", "There are no criteria to judge. Give them in a column named draft.")]
        return []

    def check(self, payload: RubricPayload, answer: RubricAnswer, config: RubricConfig) -> list[Problem]:
        """Problems of the rubric written, or of the verdicts on one."""
        return list(completeness.problems(payload, answer, config))

    def score(
        self, payload: RubricPayload, answer: RubricAnswer, reference: RubricAnswer, config: RubricConfig
    ) -> Score:
        """Verdicts met, or points of a known rubric that were covered (see `agreement.score_against`)."""
        return agreement.score_against(payload, answer, reference, config)

    def aspects(self, config: RubricConfig) -> Mapping[str, str]:
        """Validators: each question. Authors: wording and points."""
        return agreement.aspects(config)

    def distance(
        self, payload: RubricPayload, a: RubricAnswer, b: RubricAnswer, config: RubricConfig
    ) -> Mapping[str, float]:
        """See `agreement.distance`."""
        return agreement.distance(payload, a, b, config)

    def labels(self, payload: RubricPayload, answer: RubricAnswer, config: RubricConfig) -> dict[str, str]:
        """One unit `criterion|question` per verdict."""
        return agreement.labels(payload, answer, config)

    def unit_labels(self, payload: RubricPayload, config: RubricConfig) -> dict[str, tuple[str, ...]]:
        """Every question about every criterion."""
        return agreement.unit_labels(payload, config)

    def consensus(self, payload: RubricPayload, answers: Sequence[RubricAnswer], config: RubricConfig) -> Consensus:
        """Majority per question; rubrics themselves are not merged."""
        return agreement.consensus(payload, answers, config)

    def rows(
        self,
        task: ReleasedTask[RubricPayload, RubricAnswer],
        submissions: Sequence[ReleasedJudgment[RubricAnswer]],
        consensus: Consensus,
        config: RubricConfig,
    ) -> ReleaseRows:
        """Rubrics as rating projects take them, shares per criterion, and every judgment by itself."""
        return release.release_rows(task, submissions, consensus, config)

    def present(self, payload: RubricPayload, order: Sequence[str]) -> Row:
        """The payload without the sources of its sample responses."""
        samples = [each.model_copy(update={"source": None}) for each in payload.responses]
        return to_json(payload.model_copy(update={"responses": samples}))

    def view(self, shown: RubricPayload, config: RubricConfig) -> ViewNode:
        """Prompt, context, samples, and the criteria to start from or to judge."""
        return {
            "prompt": Chat(shown.prompt),
            "context": Markdown(shown.context) if shown.context else None,
            "responses": [
                {"label": str(number), "messages": Chat(each.messages)}
                for number, each in enumerate(shown.responses, 1)
            ],
            "draft": [each.model_dump(mode="json") for each in shown.draft],
            "config": config.model_dump(mode="json"),
        }

    def material(self, payload: RubricPayload, config: RubricConfig) -> tuple[Section, ...]:
        """Prompt, context, criteria, and samples side by side."""
        found = [Section("Prompt", Chat(payload.prompt))]
        if payload.context:
            found.append(Section("Context", Markdown(payload.context)))
        if payload.draft:
            found.append(Section("Criteria", Markdown("\n".join(f"- {_line(each)}" for each in payload.draft))))
        samples = [Section(each.id, Chat(each.messages), each.source or "", "responses") for each in payload.responses]
        return (*found, *samples)

    def in_words(self, payload: RubricPayload, answer: RubricAnswer, config: RubricConfig) -> Words:
        """The criteria with their points, or the verdict on each."""
        if config.mode == "author":
            criteria = written(payload, answer)
            total = sum(each.points for each in criteria if each.points > 0)
            details = tuple((f"{each.points:+d} {each.kind}", _with_reason(each)) for each in criteria)
            return Words(f"{len(criteria)} criteria, {total} points", details, answer.comment)
        return _verdicts_in_words(payload, answer)

    def templates(self) -> tuple[Template, ...]:
        """Writing, and validating."""
        return templates.TEMPLATES


def _line(criterion: RubricCriterion) -> str:
    return f"**{criterion.points:+d}** {criterion.statement}"


def _with_reason(criterion: RubricCriterion) -> str:
    return f"{criterion.statement} ({criterion.rationale})" if criterion.rationale else criterion.statement


def _verdicts_in_words(payload: RubricPayload, answer: RubricAnswer) -> Words:
    counts = dict.fromkeys(("keep", "mend", "drop"), 0)
    details = []
    for number, criterion in enumerate(payload.draft, 1):
        verdict = answer.verdicts.get(criterion.id, CriterionVerdict())
        if verdict.decision is not None:
            counts[verdict.decision] += 1
        faults = [question.replace("_", "-") for question in QUESTIONS if getattr(verdict, question) is False]
        said = [verdict.decision or "undecided", *(f"not {fault}" for fault in faults)]
        told = [", ".join(said), verdict.proposal, verdict.comment]
        judged = " · ".join(part for part in told if part)
        details.append((f"Criterion {number}", f"{criterion.statement} · {judged}"))
    details += [("Missing", statement) for statement in answer.missing]
    headline = " · ".join(f"{decision} {count}" for decision, count in counts.items())
    return Words(headline, tuple(details), answer.comment)
