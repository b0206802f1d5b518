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
    Template,
    UnknownLabel,
    to_json,
)
from preceptor.tasktypes.comparison import completeness, pairs, release
from preceptor.tasktypes.comparison.models import (
    RESPONSES_MAX,
    TIE,
    ComparisonAnswer,
    ComparisonConfig,
    ComparisonPayload,
    Response,
)

SHOWN_NAMES = "ABCDEF"[:RESPONSES_MAX]

GUIDELINES = """\
# What to judge

Read the prompt, then every response to its end. Judge what is written, not what you would have liked to read.

## What counts, most important first

1. **Correct**: nothing stated is false, nothing needed is missing.
2. **Helpful**: it does what was asked, in the form that was asked for.
3. **Clear**: easy to follow, as long as it has to be and no longer.

## How sure to be

- *Much better*: no sensible reader would choose the other one.
- *Better*: most would choose this one, for a reason you can name.
- *Slightly better*: it decides between two close responses.
- *Same*: you looked for a difference and found none that counts.

## Your reason

Say what decided it, with the place in the response that shows it. Length alone is no reason.

## Difficult cases

Describe here the cases that people will ask about, each with its answer.
"""


class ComparisonType:
    """Task type `comparison`: see `preceptor.tasktypes.base.TaskType` for what each member promises."""

    name = "comparison"
    title = "Comparison of responses"
    element = "preceptor-comparison"
    payload_model = ComparisonPayload
    answer_model = ComparisonAnswer
    config_model = ComparisonConfig
    consensus_schema: pa.Schema = release.CONSENSUS_SCHEMA
    judgment_schema: pa.Schema = release.JUDGMENT_SCHEMA

    def check(self, payload: ComparisonPayload, answer: ComparisonAnswer, config: ComparisonConfig) -> list[Problem]:
        """Problems of ranking, strength, ratings and justification, in the names that the payload uses."""
        return list(completeness.problems(payload.ids, answer, config))

    def score(self, payload: ComparisonPayload, answer: ComparisonAnswer, reference: ComparisonAnswer) -> Score:
        """Share of the reference's pairs that the answer orders alike, ties half right (see `pairs.score_against`)."""
        return pairs.score_against(payload.ids, answer, reference)

    def distance(self, a: ComparisonAnswer, b: ComparisonAnswer) -> float:
        """Kemeny's distance, normalised to [0, 1] (see `pairs.ranking_distance`)."""
        return pairs.ranking_distance(a, b)

    def labels(self, payload: ComparisonPayload, answer: ComparisonAnswer) -> dict[str, str]:
        """One unit `r1|r2` per judged pair, labelled with the better response's id or `tie`."""
        return pairs.pair_labels(payload.ids, answer)

    def unit_labels(self, payload: ComparisonPayload) -> dict[str, tuple[str, ...]]:
        """Every pair with its three possible labels."""
        return {pairs.unit_name(a, b): (a, b, TIE) for a, b in pairs.pairs_of(payload.ids)}

    def criteria(self, config: ComparisonConfig) -> Mapping[str, str]:
        """The dimensions that responses are rated on."""
        return {dimension.key: dimension.title for dimension in config.dimensions}

    def ratings(self, answer: ComparisonAnswer) -> Mapping[str, Mapping[str, float]]:
        """Ratings by dimension and response."""
        return answer.ratings

    def consensus(self, payload: ComparisonPayload, answers: Sequence[ComparisonAnswer]) -> Consensus:
        """Majority within each pair; the joint ranking is Copeland's."""
        return pairs.pairwise_consensus(payload.ids, answers)

    def rows(
        self,
        task: ReleasedTask[ComparisonPayload, ComparisonAnswer],
        submissions: Sequence[ReleasedJudgment[ComparisonAnswer]],
        consensus: Consensus,
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

    def template(self) -> Template:
        """Two-way question with strength and reason, and guidelines to fill in."""
        return Template(config=to_json(ComparisonConfig()), guidelines=GUIDELINES)


def _renamed(answer: ComparisonAnswer, names: Mapping[str, str]) -> ComparisonAnswer:
    def rename(values: Mapping[str, int]) -> dict[str, int]:
        try:
            return {names[name]: value for name, value in values.items()}
        except KeyError as unknown:
            raise UnknownLabel(f"there is no response {unknown.args[0]!r} in this task") from None

    ratings = {key: rename(given) for key, given in answer.ratings.items()}
    return answer.model_copy(update={"ranks": rename(answer.ranks), "ratings": ratings})
