"""The conversation kind of work, as the rest of the platform uses it."""

from collections.abc import Mapping, Sequence
from random import Random

import pyarrow as pa
from pydantic import BaseModel

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
from preceptor.tasktypes.conversation import agreement, blinding, completeness, release, templates, words
from preceptor.tasktypes.conversation.models import (
    SHOWN_NAMES,
    ConversationAnswer,
    ConversationConfig,
    ConversationPayload,
    models_shown,
    turns_wanted,
)
from preceptor.tasktypes.conversation.tree import messages_to, opening_of, tree_of
from preceptor.tasktypes.generation import Turn
from preceptor.tasktypes.importing import Field, FieldsImporter, Way
from preceptor.tasktypes.kind import Kind
from preceptor.tasktypes.view import Chat, Markdown, Section, ViewNode

TABLES: Mapping[str, Table] = {
    "preference": Table(
        release.PREFERENCE_SCHEMA,
        "preference",
        "One row for each judged turn: what was said so far, the better and the worse reply. `margin` is the steps of "
        "the seven-point scale (1 to 3), the difference of ratings, or 1 where the best was only chosen.",
    ),
    "sft": Table(
        release.SFT_SCHEMA,
        "sft",
        "One row for each conversation along its chosen replies, where nothing on the way was marked as failed.",
    ),
    "unpaired": Table(
        release.UNPAIRED_SCHEMA,
        "unpaired",
        "One row for each reply: `label` is false where it was marked as failed, with category and severity.",
    ),
}
_FIELDS = (
    Field("brief", "What to try", aliases=("scenario", "instruction", "task", "goal"), required=True, text=True),
    Field("harm", "Category of harm", aliases=("category", "hazard", "harm_category"), text=True),
    Field("persona", "Persona", aliases=("role", "character"), text=True),
    Field("system_prompt", "System prompt", aliases=("system",), text=True),
    Field("show_system_prompt", "Show the system prompt"),
    Field("opening", "Messages so far", aliases=("messages", "history", "conversation"), chat="user"),
    Field("models", "Models that answer"),
    Field("min_turns", "Turns at least"),
    Field("max_turns", "Turns at most"),
)
_WAYS = (
    Way(
        "Scenarios",
        "brief, harm, persona",
        "One scenario in each row; only `brief` is needed.",
        '{"brief": "Press the model for sources until it invents one.", "harm": "fabricated"}',
    ),
    Way(
        "Conversations to go on with",
        "brief, opening, system_prompt",
        "`opening` holds the messages so far and ends with the assistant's.",
        '{"brief": "Go on politely.", "opening": [{"role": "user", "content": "Hello"}, '
        '{"role": "assistant", "content": "Hello! How can I help?"}]}',
    ),
)


class ConversationType(Kind[ConversationPayload, ConversationAnswer, ConversationConfig]):
    """Task type `conversation`: see `preceptor.tasktypes.base.TaskType` for what each member promises.

    Implements `preceptor.tasktypes.generation.DirectsModels` as well.
    """

    name = "conversation"
    title = "Conversation with models"
    summary = "People talk to one or several models under blind names: red-teaming, and live preference at each turn."
    icon = "messages-square"
    element = "preceptor-conversation"
    payload_model = ConversationPayload
    answer_model = ConversationAnswer
    config_model = ConversationConfig
    tables = TABLES
    judgment_schema: pa.Schema = release.JUDGMENT_SCHEMA
    importer = FieldsImporter(ConversationPayload, ConversationAnswer, _FIELDS, _WAYS)
    services = frozenset({"generate"})

    def fits(self, payload: ConversationPayload, config: ConversationConfig) -> list[Problem]:
        """The category is one of the project's, and a scale has no third model."""
        found = []
        if payload.harm is not None and payload.harm not in {each.key for each in config.categories}:
            known = ", ".join(each.key for each in config.categories)
            found.append(Problem("harm", f"{payload.harm!r} is no kind of failure of this project: {known}."))
        if (payload.models or 1) > 2 and config.judge == "scale":
            found.append(Problem("models", "The project judges on a scale between two models; this task wants more."))
        return found

    def as_key(self, answer: ConversationAnswer) -> ConversationAnswer:
        """The verdict alone: nobody else leads the same conversation."""
        worst = agreement.harm_of(answer)
        verdict = answer.verdict.model_copy(update={"harm": worst if answer.verdict.failed else None})
        return ConversationAnswer(models=answer.models, labels=answer.labels, verdict=verdict)

    def check(
        self, payload: ConversationPayload, answer: ConversationAnswer, config: ConversationConfig
    ) -> list[Problem]:
        """Problems of the tree, of each turn's judgment, of marks and of the verdict."""
        return list(completeness.problems(payload, answer, config))

    def score(
        self,
        payload: ConversationPayload,
        answer: ConversationAnswer,
        reference: ConversationAnswer,
        config: ConversationConfig,
    ) -> Score:
        """Closeness in what the reference says about failure, its kind and the better model."""
        return agreement.score(answer, reference, config)

    def aspects(self, config: ConversationConfig) -> Mapping[str, str]:
        """Whether it failed, how, how severely, who was better: what the project asks."""
        return agreement.aspects(config)

    def distance(
        self, payload: ConversationPayload, a: ConversationAnswer, b: ConversationAnswer, config: ConversationConfig
    ) -> Mapping[str, float]:
        """By aspect (see `agreement.distance`)."""
        return agreement.distance(a, b, config)

    def labels(
        self, payload: ConversationPayload, answer: ConversationAnswer, config: ConversationConfig
    ) -> dict[str, str]:
        """Units `failed`, `harm` and `winner` (by model, not by blind name)."""
        return agreement.labels(answer, config)

    def unit_labels(self, payload: ConversationPayload, config: ConversationConfig) -> dict[str, tuple[str, ...]]:
        """Those that the project asks."""
        return agreement.unit_labels(payload, config)

    def rows(
        self,
        task: ReleasedTask[ConversationPayload, ConversationAnswer],
        submissions: Sequence[ReleasedJudgment[ConversationAnswer]],
        consensus: Consensus,
        config: ConversationConfig,
    ) -> ReleaseRows:
        """Preferences, chosen conversations, marked replies, and every tree."""
        return release.release_rows(task, submissions)

    def display_order(self, payload: ConversationPayload, rng: Random) -> list[str]:
        """Which model is A, with a seed for names that change with each turn."""
        return blinding.draw(rng)

    def present(self, payload: ConversationPayload, order: Sequence[str]) -> Row:
        """The scenario, without a system prompt that people may not read."""
        shown = payload if payload.show_system_prompt else payload.model_copy(update={"system_prompt": None})
        return to_json(shown)

    def canonical(self, answer: ConversationAnswer, order: Sequence[str]) -> ConversationAnswer:
        """Each reply with the model behind its name; the winner by model."""
        return blinding.revealed(answer, order)

    def as_shown(self, answer: ConversationAnswer, order: Sequence[str]) -> ConversationAnswer:
        """Blind names again, and no sources."""
        return blinding.hidden(answer, order)

    def shown_label(self, label: str, order: Sequence[str]) -> str:
        """Models by their blind names where these do not depend on how many were shown; other labels as they are."""
        if label not in blinding.PLACES:
            return label
        counts = range(max(2, blinding.PLACES.index(label) + 1), len(blinding.PLACES) + 1)
        names = {SHOWN_NAMES[blinding.places_behind(order, count, None).index(label)] for count in counts}
        return names.pop() if len(names) == 1 else "one of the models"

    def view(self, shown: ConversationPayload, config: ConversationConfig) -> ViewNode:
        """The scenario rendered, how many models answer, and the project's settings."""
        least, most = turns_wanted(shown, config)
        categories = {each.key: each.title for each in config.categories}
        return {
            "brief": Markdown(shown.brief),
            "harm": categories.get(shown.harm or "", shown.harm),
            "persona": shown.persona,
            "system_prompt": shown.system_prompt,
            "opening": Chat(shown.opening),
            "models": models_shown(shown, config),
            "min_turns": least,
            "max_turns": most,
            "config": {**config.model_dump(mode="json"), "ask_winner": config.winner_asked},
        }

    def material(self, payload: ConversationPayload, config: ConversationConfig) -> tuple[Section, ...]:
        """The scenario, the system prompt, and how the conversation begins."""
        titles = {each.key: each.title for each in config.categories}
        found = [Section("What to try", Markdown(payload.brief), note=titles.get(payload.harm or "", ""))]
        if payload.persona:
            found.append(Section("Persona", Markdown(payload.persona)))
        if payload.system_prompt:
            note = "shown to people" if payload.show_system_prompt else "not shown to people"
            found.append(Section("System prompt", Markdown(payload.system_prompt), note=note))
        if payload.opening:
            found.append(Section("Messages so far", Chat(payload.opening)))
        return tuple(found)

    def in_words(self, payload: ConversationPayload, answer: ConversationAnswer, config: ConversationConfig) -> Words:
        """Verdict, marks, closing remark."""
        return words.in_words(answer, config)

    def excerpt(self, payload: ConversationPayload) -> str:
        """The scenario."""
        return payload.brief

    def templates(self) -> tuple[Template, ...]:
        """Red-teaming with one model; live preference with two."""
        return templates.TEMPLATES

    # --- Models (`DirectsModels`)

    def model_place(
        self, shown_as: str, turn: str, order: Sequence[str], payload: BaseModel, config: BaseModel
    ) -> int | None:
        """The place behind a blind name, in this turn where names change."""
        assert isinstance(payload, ConversationPayload)
        assert isinstance(config, ConversationConfig)
        named = turn if config.labels == "turn" else None
        try:
            place = blinding.place_of(shown_as, order, models_shown(payload, config), named)
        except UnknownLabel:
            return None
        return blinding.PLACES.index(place)

    def model_messages(self, messages: Sequence[Turn], payload: BaseModel, config: BaseModel) -> list[Turn]:
        """System prompt and opening first, then what the person and the models said."""
        assert isinstance(payload, ConversationPayload)
        return [*opening_of(payload), *messages]

    def asked_of(
        self, payload: BaseModel, answer: BaseModel, config: BaseModel
    ) -> Mapping[str, tuple[str, str, list[Turn]]]:
        """Every reply must have been given to the messages that it stands under."""
        assert isinstance(payload, ConversationPayload)
        assert isinstance(answer, ConversationAnswer)
        tree = tree_of(answer)
        return {
            node.generation: (node.label or "", node.parent or "", messages_to(payload, tree, node)[:-1])
            for node in tree.nodes
            if node.role == "assistant" and node.generation is not None
        }
