"""The rating kind of work, as the rest of the platform uses it."""

from collections.abc import Mapping, Sequence
from random import Random

from preceptor.tasktypes.base import (
    Consensus,
    Problem,
    ReleasedJudgment,
    ReleasedTask,
    ReleaseRows,
    Row,
    Score,
    Template,
    UnknownLabel,
    Words,
    to_json,
)
from preceptor.tasktypes.generation import Turn
from preceptor.tasktypes.importing import Field, FieldsImporter, Way
from preceptor.tasktypes.kind import Kind
from preceptor.tasktypes.rating import agreement, completeness, judged, release, templates
from preceptor.tasktypes.rating.models import (
    COMMENT_CHARACTERS_MAX,
    RESPONSES_MAX,
    Mark,
    RatedResponse,
    RatingAnswer,
    RatingConfig,
    RatingPayload,
    by_key,
    criteria_of,
)
from preceptor.tasktypes.spans import renamed
from preceptor.tasktypes.view import Chat, Markdown, Section, ViewNode

TITLE_CHARACTERS = 40
"""Of a criterion, where it heads a line in a list."""
SHOWN_NAMES = "ABCDEF"[:RESPONSES_MAX]

_FIELDS = (
    Field("prompt", "Prompt", aliases=("question", "instruction", "messages"), required=True, chat="user"),
    Field(
        "responses",
        "Responses",
        aliases=("answers", "completions", "candidates", "response", "completion", "answer_text"),
        required=True,
    ),
    Field("reference", "Reference answer", aliases=("reference_answer", "ideal", "target"), text=True),
    Field("context", "Context for the judge", aliases=("background",), text=True),
    Field("criteria", "Criteria of this task", aliases=("rubric", "rubrics")),
)
_WAYS = (
    Way(
        name="One row per prompt",
        columns="prompt, responses",
        description="`responses` is a list of texts, or of objects with id, messages and source. Up to six.",
        example='{"prompt": "Why is the sky blue?", "responses": ["Rayleigh scattering …", "It mirrors the sea."]}',
    ),
    Way(
        name="With criteria and a reference",
        columns="prompt, responses, reference, criteria",
        description=(
            "`criteria` are those of this one prompt: objects with title, weight and kind, or HealthBench's "
            "criterion and points. `reference` is a good answer as Markdown."
        ),
        example=(
            '{"prompt": "Is 91 prime?", "responses": ["Yes."], "reference": "No: 91 = 7 · 13.", '
            '"criteria": [{"criterion": "Says that 91 is not prime", "points": 5}]}'
        ),
    ),
)


class RatingType(Kind[RatingPayload, RatingAnswer, RatingConfig]):
    """Task type `rating`: see `preceptor.tasktypes.base.TaskType` for what each member promises."""

    name = "rating"
    title = "Rating against a rubric"
    summary = "Score responses on weighted criteria and quote what supports each score."
    icon = "gauge"
    element = "preceptor-rating"
    payload_model = RatingPayload
    answer_model = RatingAnswer
    config_model = RatingConfig
    judgment_schema = release.JUDGMENT_SCHEMA
    tables = release.TABLES
    importer = FieldsImporter(RatingPayload, RatingAnswer, _FIELDS, ways=_WAYS)

    def check(self, payload: RatingPayload, answer: RatingAnswer, config: RatingConfig) -> list[Problem]:
        """Problems of scores, quotes, comments and overall scores, in the names that the payload uses."""
        return list(completeness.problems(payload, answer, config))

    def score(
        self, payload: RatingPayload, answer: RatingAnswer, reference: RatingAnswer, config: RatingConfig
    ) -> Score:
        """Closeness per criterion, by weight (see `agreement.score_against`)."""
        return agreement.score_against(payload, answer, reference, config)

    def aspects(self, config: RatingConfig) -> Mapping[str, str]:
        """Each criterion of the project."""
        return agreement.aspects(config)

    def distance(
        self, payload: RatingPayload, a: RatingAnswer, b: RatingAnswer, config: RatingConfig
    ) -> Mapping[str, float]:
        """Normalised difference per criterion."""
        return agreement.distance(payload, a, b, config)

    def labels(self, payload: RatingPayload, answer: RatingAnswer, config: RatingConfig) -> dict[str, str]:
        """One unit `response|criterion` per score: points, yes or no, a band of twenty, or n/a."""
        return agreement.labels(payload, answer, config)

    def unit_labels(self, payload: RatingPayload, config: RatingConfig) -> dict[str, tuple[str, ...]]:
        """Every response on every criterion."""
        return agreement.unit_labels(payload, config)

    def criteria(self, config: RatingConfig) -> Mapping[str, str]:
        """The project's criteria."""
        return {criterion.key: criterion.title for criterion in config.criteria}

    def ratings(self, answer: RatingAnswer) -> Mapping[str, Mapping[str, float]]:
        """Values by criterion and response; "not applicable" is no value."""
        found: dict[str, dict[str, float]] = {}
        for name, marks in answer.scores.items():
            for key, mark in marks.items():
                if mark.value is not None:
                    found.setdefault(key, {})[name] = float(mark.value)
        return found

    def consensus(self, payload: RatingPayload, answers: Sequence[RatingAnswer], config: RatingConfig) -> Consensus:
        """Majority of labels per unit; the joint answer holds medians."""
        return agreement.consensus(payload, answers, config)

    def rows(
        self,
        task: ReleasedTask[RatingPayload, RatingAnswer],
        submissions: Sequence[ReleasedJudgment[RatingAnswer]],
        consensus: Consensus,
        config: RatingConfig,
    ) -> ReleaseRows:
        """Scores per response, pairs and single labels for training, and every judgment by itself."""
        return release.release_rows(task, submissions, consensus, config)

    def display_order(self, payload: RatingPayload, rng: Random) -> list[str]:
        """The response ids in an order drawn from `rng`, each order equally likely."""
        order = list(payload.ids)
        rng.shuffle(order)
        return order

    def present(self, payload: RatingPayload, order: Sequence[str]) -> Row:
        """The payload with responses named A, B, ... in the order given, without sources."""
        messages = {response.id: response.messages for response in payload.responses}
        if sorted(order) != sorted(messages):
            raise UnknownLabel(f"the order {list(order)} does not hold exactly the responses {sorted(messages)}")
        responses = [
            RatedResponse(id=name, messages=messages[response_id])
            for name, response_id in zip(SHOWN_NAMES, order, strict=False)
        ]
        return to_json(payload.model_copy(update={"responses": responses}))

    def canonical(self, answer: RatingAnswer, order: Sequence[str]) -> RatingAnswer:
        """A, B, ... turned back into response ids. UnknownLabel for a name that was not shown."""
        return _renamed(answer, dict(zip(SHOWN_NAMES, order, strict=False)))

    def as_shown(self, answer: RatingAnswer, order: Sequence[str]) -> RatingAnswer:
        """Response ids turned into A, B, ..., for a draft, a decision or a reason shown to its author."""
        return _renamed(answer, dict(zip(order, SHOWN_NAMES, strict=False)))

    def view(self, shown: RatingPayload, config: RatingConfig) -> ViewNode:
        """Prompt, responses by letter, reference, and the criteria that hold for this task."""
        return {
            "prompt": Chat(shown.prompt),
            "context": Markdown(shown.context) if shown.context else None,
            "responses": [{"label": each.id, "messages": Chat(each.messages)} for each in shown.responses],
            "reference": Markdown(shown.reference) if shown.reference is not None else None,
            "config": {
                **config.model_dump(mode="json", exclude={"criteria"}),
                "criteria": [criterion.model_dump(mode="json") for criterion in criteria_of(shown, config)],
                "comment_max_chars": COMMENT_CHARACTERS_MAX,
            },
        }

    def material(self, payload: RatingPayload, config: RatingConfig) -> tuple[Section, ...]:
        """Prompt, context, reference, and the responses side by side by their stored ids, with their sources."""
        found = [Section("Prompt", Chat(payload.prompt))]
        if payload.context:
            found.append(Section("Context for the judge", Markdown(payload.context)))
        if payload.reference is not None:
            found.append(Section("Reference answer", Markdown(payload.reference)))
        if payload.criteria is not None:
            told = [f"- **{each.title}** ({each.kind}, weight {each.weight:g})" for each in payload.criteria]
            found.append(Section("Criteria of this task", Markdown("\n".join(told))))
        responses = [
            Section(each.id, Chat(each.messages), note=each.source or "", group="responses")
            for each in payload.responses
        ]
        return (*found, *responses)

    def in_words(self, payload: RatingPayload, answer: RatingAnswer, config: RatingConfig) -> Words:
        """Weighted scores in one line; each score with its comment below."""
        return _in_words(payload, answer, config)

    def judge_messages(self, shown: RatingPayload, config: RatingConfig, guidelines: str, rubric: str) -> list[Turn]:
        """See `judging.Judgeable`."""
        return judged.messages(shown, config, guidelines, rubric)

    def judged_answer(self, text: str, shown: RatingPayload, config: RatingConfig) -> RatingAnswer | list[Problem]:
        """See `judging.Judgeable`."""
        return judged.answer(text, shown, config)

    def as_suggestion(self, answer: RatingAnswer) -> RatingAnswer:
        """Points and quotes without comments, which are their author's."""
        scores = {
            name: {key: mark.model_copy(update={"comment": ""}) for key, mark in marks.items()}
            for name, marks in answer.scores.items()
        }
        return RatingAnswer(scores=scores, overall=answer.overall)

    def templates(self) -> tuple[Template, ...]:
        """Likert scores, checks with evidence, grades against a reference."""
        return templates.TEMPLATES


def _renamed(answer: RatingAnswer, names: Mapping[str, str]) -> RatingAnswer:
    def name_of(name: str) -> str:
        if name not in names:
            raise UnknownLabel(f"there is no response {name!r} in this task")
        return names[name]

    def mark_of(mark: Mark) -> Mark:
        return mark.model_copy(update={"quotes": [renamed(span, names) for span in mark.quotes]})

    scores = {
        name_of(name): {key: mark_of(mark) for key, mark in marks.items()} for name, marks in answer.scores.items()
    }
    overall = {name_of(name): value for name, value in answer.overall.items()}
    return answer.model_copy(update={"scores": scores, "overall": overall})


def _short(title: str) -> str:
    return title if len(title) <= TITLE_CHARACTERS else f"{title[: TITLE_CHARACTERS - 1]}…"


def _in_words(payload: RatingPayload, answer: RatingAnswer, config: RatingConfig) -> Words:
    criteria = by_key(payload, config)
    totals, details = [], []
    for name in payload.ids:
        marks = answer.scores.get(name, {})
        total = agreement.weighted_score(criteria_of(payload, config), marks)
        totals.append(f"{name} {'not scored' if total is None else f'{100 * total:.0f} %'}")
        for key, mark in marks.items():
            if key in criteria and agreement.given(mark):
                said = "not applicable" if mark.value is None else criteria[key].said(mark.value)
                quoted = " ".join(f"“{span.text}”" for span in mark.quotes)
                details.append(
                    (
                        f"{name}: {_short(criteria[key].title)}",
                        " · ".join(part for part in (said, mark.comment, quoted) if part),
                    )
                )
    details += [(f"{name}: overall", f"{value} of {config.overall_points}") for name, value in answer.overall.items()]
    return Words(" · ".join(totals), tuple(details), answer.comment)
