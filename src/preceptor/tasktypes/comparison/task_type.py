"""The comparison kind of work, as the rest of the platform uses it."""

from collections.abc import Mapping, Sequence
from random import Random

import pyarrow as pa

from preceptor.tasktypes.base import (
    Consensus,
    Problem,
    ReleasedJudgment,
    ReleasedTask,
    ReleaseRows,
    Row,
    Score,
    Table,
    Template,
    UnknownLabel,
    Words,
    to_json,
)
from preceptor.tasktypes.comparison import completeness, judged, pairs, release, templates, words
from preceptor.tasktypes.comparison.importing import ComparisonImporter
from preceptor.tasktypes.comparison.models import (
    JUSTIFICATION_CHARACTERS_MAX,
    RESPONSES_MAX,
    TIE,
    ComparisonAnswer,
    ComparisonConfig,
    ComparisonPayload,
    Response,
)
from preceptor.tasktypes.generation import Turn
from preceptor.tasktypes.kind import WHOLE, Kind
from preceptor.tasktypes.view import Chat, Joined, Markdown, Section, ViewNode

SHOWN_NAMES = "ABCDEF"[:RESPONSES_MAX]


class ComparisonType(Kind[ComparisonPayload, ComparisonAnswer, ComparisonConfig]):
    """Task type `comparison`: see `preceptor.tasktypes.base.TaskType` for what each member promises."""

    name = "comparison"
    title = "Comparison of responses"
    summary = "People rank two to six responses to a prompt, rate them and say why."
    icon = "columns-2"
    element = "preceptor-comparison"
    payload_model = ComparisonPayload
    answer_model = ComparisonAnswer
    config_model = ComparisonConfig
    tables = {"pairs": Table(release.CONSENSUS_SCHEMA, "preference", release.ABOUT_PAIRS, release.COLUMNS_OF_PAIRS)}  # noqa: RUF012
    judgment_schema: pa.Schema = release.JUDGMENT_SCHEMA
    importer = ComparisonImporter()

    def as_key(self, answer: ComparisonAnswer) -> ComparisonAnswer:
        """The answer without its reason, which is its author's."""
        return answer.model_copy(update={"justification": ""})

    def check(self, payload: ComparisonPayload, answer: ComparisonAnswer, config: ComparisonConfig) -> list[Problem]:
        """Problems of ranking, strength, ratings and justification, in the names that the payload uses."""
        return list(completeness.problems(payload.ids, answer, config))

    def score(
        self,
        payload: ComparisonPayload,
        answer: ComparisonAnswer,
        reference: ComparisonAnswer,
        config: ComparisonConfig,
    ) -> Score:
        """Share of the reference's pairs that the answer orders alike, ties half right (see `pairs.score_against`)."""
        return pairs.score_against(payload.ids, answer, reference)

    def aspects(self, config: ComparisonConfig) -> Mapping[str, str]:
        """The ranking."""
        return {WHOLE: "Ranking"}

    def distance(
        self, payload: ComparisonPayload, a: ComparisonAnswer, b: ComparisonAnswer, config: ComparisonConfig
    ) -> Mapping[str, float]:
        """Kemeny's distance, normalised to [0, 1] (see `pairs.ranking_distance`)."""
        return {WHOLE: pairs.ranking_distance(a, b)}

    def labels(self, payload: ComparisonPayload, answer: ComparisonAnswer, config: ComparisonConfig) -> dict[str, str]:
        """One unit `r1|r2` per judged pair, labelled with the better response's id or `tie`."""
        return pairs.pair_labels(payload.ids, answer)

    def unit_labels(self, payload: ComparisonPayload, config: ComparisonConfig) -> dict[str, tuple[str, ...]]:
        """Every pair with its three possible labels."""
        return {pairs.unit_name(a, b): (a, b, TIE) for a, b in pairs.pairs_of(payload.ids)}

    def criteria(self, config: ComparisonConfig) -> Mapping[str, str]:
        """The dimensions that responses are rated on."""
        return {dimension.key: dimension.title for dimension in config.dimensions}

    def ratings(self, answer: ComparisonAnswer) -> Mapping[str, Mapping[str, float]]:
        """Ratings by dimension and response."""
        return answer.ratings

    def consensus(
        self, payload: ComparisonPayload, answers: Sequence[ComparisonAnswer], config: ComparisonConfig
    ) -> Consensus:
        """Majority within each pair; the joint ranking is Copeland's."""
        return pairs.pairwise_consensus(payload.ids, answers)

    def rows(
        self,
        task: ReleasedTask[ComparisonPayload, ComparisonAnswer],
        submissions: Sequence[ReleasedJudgment[ComparisonAnswer]],
        consensus: Consensus,
        config: ComparisonConfig,
    ) -> ReleaseRows:
        """Preference pairs for reward and DPO training, and every judgment by itself."""
        return release.release_rows(task, submissions, consensus)

    def display_order(self, payload: ComparisonPayload, rng: Random) -> list[str]:
        """The response ids in an order drawn from `rng`, each order equally likely."""
        order = list(payload.ids)
        rng.shuffle(order)
        return order

    def present(self, payload: ComparisonPayload, order: Sequence[str]) -> Row:
        """The payload with responses named A, B, ... in the order given, without sources."""
        messages = {response.id: response.messages for response in payload.responses}
        if sorted(order) != sorted(messages):
            raise UnknownLabel(f"the order {list(order)} does not hold exactly the responses {sorted(messages)}")
        responses = [
            Response(id=name, messages=messages[response_id])
            for name, response_id in zip(SHOWN_NAMES, order, strict=False)
        ]
        return to_json(ComparisonPayload(prompt=payload.prompt, responses=responses, context=payload.context))

    def canonical(self, answer: ComparisonAnswer, order: Sequence[str]) -> ComparisonAnswer:
        """A, B, ... turned back into response ids. UnknownLabel for a name that was not shown."""
        return _renamed(answer, dict(zip(SHOWN_NAMES, order, strict=False)))

    def as_shown(self, answer: ComparisonAnswer, order: Sequence[str]) -> ComparisonAnswer:
        """Response ids turned into A, B, ..., for a draft, a decision or a reason shown to its author."""
        return _renamed(answer, dict(zip(order, SHOWN_NAMES, strict=False)))

    def shown_label(self, label: str, order: Sequence[str]) -> str:
        """A, B, ... for a response; a tie stays a tie."""
        return dict(zip(order, SHOWN_NAMES, strict=False)).get(label, label)

    def view(self, shown: ComparisonPayload, config: ComparisonConfig) -> ViewNode:
        """Prompt, responses by letter, and settings; material for the judge that the model did not see comes first."""
        return {
            "context": Markdown(shown.context) if shown.context else None,
            "prompt": Chat(shown.prompt),
            "responses": [{"label": each.id, "body": Joined(each.messages)} for each in shown.responses],
            "config": {
                **config.model_dump(mode="json"),
                "justification_max_chars": JUSTIFICATION_CHARACTERS_MAX,
            },
        }

    def material(self, payload: ComparisonPayload, config: ComparisonConfig) -> tuple[Section, ...]:
        """Prompt, context, and the responses side by side by their stored ids, with their sources."""
        context = [Section("Context for the judge", Markdown(payload.context))] if payload.context else []
        responses = [
            Section(each.id, Chat(each.messages), note=each.source or "", group="responses")
            for each in payload.responses
        ]
        return (Section("Prompt", Chat(payload.prompt)), *context, *responses)

    def in_words(self, payload: ComparisonPayload, answer: ComparisonAnswer, config: ComparisonConfig) -> Words:
        """The choice, ratings by dimension, the reason."""
        return words.in_words(answer, config)

    def judge_messages(
        self, shown: ComparisonPayload, config: ComparisonConfig, guidelines: str, rubric: str
    ) -> list[Turn]:
        """See `judging.Judgeable`."""
        return judged.messages(shown, config, guidelines, rubric)

    def judged_answer(
        self, text: str, shown: ComparisonPayload, config: ComparisonConfig
    ) -> ComparisonAnswer | list[Problem]:
        """See `judging.Judgeable`."""
        return judged.answer(text, shown, config)

    def joined(
        self, first: ComparisonAnswer, second: ComparisonAnswer, config: ComparisonConfig
    ) -> tuple[ComparisonAnswer | None, bool]:
        """See `judging.JudgedInOrders`."""
        return judged.joined(first, second, config)

    def templates(self) -> tuple[Template, ...]:
        """A question with strength and reason; and one with several dimensions."""
        return templates.TEMPLATES


def _renamed(answer: ComparisonAnswer, names: Mapping[str, str]) -> ComparisonAnswer:
    def rename(values: Mapping[str, int]) -> dict[str, int]:
        try:
            return {names[name]: value for name, value in values.items()}
        except KeyError as unknown:
            raise UnknownLabel(f"there is no response {unknown.args[0]!r} in this task") from None

    ratings = {key: rename(given) for key, given in answer.ratings.items()}
    return answer.model_copy(update={"ranks": rename(answer.ranks), "ratings": ratings})
