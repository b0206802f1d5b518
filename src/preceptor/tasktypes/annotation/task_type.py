"""The annotation kind of work, as the rest of the platform uses it."""

from collections.abc import Mapping, Sequence
from random import Random

from preceptor.tasktypes.annotation import agreeing, completeness, judged, release, showing, templates, units, words
from preceptor.tasktypes.annotation.agreement import whole
from preceptor.tasktypes.annotation.board import Board, bind
from preceptor.tasktypes.annotation.importing import LabelStudioImporter
from preceptor.tasktypes.annotation.models import AnnotationAnswer, AnnotationConfig, AnnotationPayload
from preceptor.tasktypes.annotation.reading import plan_of
from preceptor.tasktypes.annotation.scoring import score_against
from preceptor.tasktypes.base import (
    Consensus,
    Exporter,
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
from preceptor.tasktypes.generation import Turn
from preceptor.tasktypes.kind import Kind
from preceptor.tasktypes.suggesting import NEAR, Brought
from preceptor.tasktypes.view import Section, ViewNode

SEED_BITS = 48
PREDICTION = "prediction"
"""Origin of results that a model gave and that nobody has changed."""


def board_of(payload: AnnotationPayload, config: AnnotationConfig) -> Board:
    """The labeling config bound to a task's data."""
    return bind(plan_of(config.label_config), payload.data, payload.order_seed)


class AnnotationType(Kind[AnnotationPayload, AnnotationAnswer, AnnotationConfig]):
    """Task type `annotation`: Label Studio's labeling config and results as the platform's own language."""

    name = "annotation"
    title = "Annotation"
    summary = "Label text, images, audio, video, documents and tables with a config you compose or bring along."
    icon = "tags"
    element = "preceptor-annotation"
    payload_model = AnnotationPayload
    answer_model = AnnotationAnswer
    config_model = AnnotationConfig
    judgment_schema = release.JUDGMENT_SCHEMA
    tables = release.TABLES
    importer = LabelStudioImporter()

    def fits(self, payload: AnnotationPayload, config: AnnotationConfig) -> list[Problem]:
        """Fields of the data that the labeling config needs and that are missing or of another kind."""
        return list(board_of(payload, config).problems)

    def as_key(self, answer: AnnotationAnswer) -> AnnotationAnswer:
        """Results without where they came from: a known answer is not anybody's prediction."""
        results = [
            result.model_copy(update={"origin": None, "score": None}) if result.type != "relation" else result
            for result in answer.result
        ]
        return AnnotationAnswer(result=results)

    def check(self, payload: AnnotationPayload, answer: AnnotationAnswer, config: AnnotationConfig) -> list[Problem]:
        """Problems of required controls, limits and marks; paths are names of controls."""
        return completeness.problems(board_of(payload, config), answer, config)

    def score(
        self,
        payload: AnnotationPayload,
        answer: AnnotationAnswer,
        reference: AnnotationAnswer,
        config: AnnotationConfig,
    ) -> Score:
        """Mean agreement over the controls that the reference answers (see `scoring`)."""
        return score_against(board_of(payload, config), answer, reference, config)

    def aspects(self, config: AnnotationConfig) -> Mapping[str, str]:
        """Every control, and relations."""
        return whole.aspects(plan_of(config.label_config))

    def distance(
        self, payload: AnnotationPayload, a: AnnotationAnswer, b: AnnotationAnswer, config: AnnotationConfig
    ) -> Mapping[str, float]:
        """A distance for each control (see `agreement`)."""
        return whole.distances(board_of(payload, config), a, b, config)

    def labels(self, payload: AnnotationPayload, answer: AnnotationAnswer, config: AnnotationConfig) -> dict[str, str]:
        """Answers of categorical controls (see `units`)."""
        return units.labels(board_of(payload, config), answer)

    def unit_labels(self, payload: AnnotationPayload, config: AnnotationConfig) -> dict[str, tuple[str, ...]]:
        """Categorical controls with their possible answers."""
        return units.unit_labels(board_of(payload, config))

    def criteria(self, config: AnnotationConfig) -> Mapping[str, str]:
        """The Rating controls about the whole task."""
        controls = plan_of(config.label_config).controls
        return {
            name: name.replace("_", " ").capitalize()
            for name, control in controls.items()
            if control.spec.name == "Rating" and not control.flag("perRegion") and "{{" not in name
        }

    def ratings(self, answer: AnnotationAnswer) -> Mapping[str, Mapping[str, float]]:
        """Points by control and object (with its item)."""
        found: dict[str, dict[str, float]] = {}
        for region in answer.regions:
            points = region.value.get("rating")
            if region.type == "rating" and isinstance(points, int | float) and "x" not in region.value:
                thing = region.to_name if region.item_index is None else f"{region.to_name}[{region.item_index}]"
                found.setdefault(region.from_name, {})[thing] = float(points)
        return found

    def consensus(
        self, payload: AnnotationPayload, answers: Sequence[AnnotationAnswer], config: AnnotationConfig
    ) -> Consensus:
        """Majority by unit; joint marks where more than half of the people made them (see `agreeing`)."""
        board = board_of(payload, config)
        majorities = agreeing.votes(board, answers)
        joint = agreeing.joint_answer(board, answers, majorities, config)
        return Consensus(len(answers), majorities, to_json(joint) if joint is not None else None)

    def rows(
        self,
        task: ReleasedTask[AnnotationPayload, AnnotationAnswer],
        submissions: Sequence[ReleasedJudgment[AnnotationAnswer]],
        consensus: Consensus,
        config: AnnotationConfig,
    ) -> ReleaseRows:
        """Joint answers, marks and judgments."""
        return release.release_rows(task, submissions, consensus, board_of(task.payload, config))

    def exporters(self, config: AnnotationConfig) -> Mapping[str, Exporter[AnnotationPayload, AnnotationAnswer]]:
        """Label Studio JSON always; COCO, CoNLL, WebVTT and others where the config has such marks."""
        from preceptor.tasktypes.annotation.files import exporters_of

        return exporters_of(config)

    def display_order(self, payload: AnnotationPayload, rng: Random) -> list[str]:
        """A seed for the order of randomized choices."""
        return [f"{rng.getrandbits(SEED_BITS):x}"]

    def present(self, payload: AnnotationPayload, order: Sequence[str]) -> Row:
        """The payload with the seed of its order, without notes about it and without predictions (`suggested`)."""
        seed = order[0] if order else None
        shown = payload.model_copy(update={"meta": None, "predictions": [], "order_seed": seed})
        return to_json(shown)

    def view(self, shown: AnnotationPayload, config: AnnotationConfig) -> ViewNode:
        """The config as a tree with the material in it, and suggestions."""
        return showing.view_of(board_of(shown, config), shown, config)

    def material(self, payload: AnnotationPayload, config: AnnotationConfig) -> tuple[Section, ...]:
        """What every object shows."""
        return showing.sections(board_of(payload, config))

    def in_words(self, payload: AnnotationPayload, answer: AnnotationAnswer, config: AnnotationConfig) -> Words:
        """What was chosen and marked."""
        return words.in_words(board_of(payload, config), answer)

    def excerpt(self, payload: AnnotationPayload) -> str:
        """The first text of the data."""
        return showing.excerpt_of(payload.data)

    def judge_messages(
        self, shown: AnnotationPayload, config: AnnotationConfig, guidelines: str, rubric: str
    ) -> list[Turn]:
        """See `judging.Judgeable`."""
        return judged.messages(board_of(shown, config), guidelines, rubric)

    def judged_answer(
        self, text: str, shown: AnnotationPayload, config: AnnotationConfig
    ) -> AnnotationAnswer | list[Problem]:
        """See `judging.Judgeable`."""
        return judged.answer(text, board_of(shown, config), config)

    def suggested(self, payload: AnnotationPayload, config: AnnotationConfig) -> Brought | None:
        """The newest prediction, where the config shows predictions and knows its controls."""
        if not config.show_predictions or not payload.predictions:
            return None
        newest = payload.predictions[-1]
        results = showing.known_results(newest, board_of(payload, config))
        return Brought(AnnotationAnswer(result=results), newest.model_version or "") if results else None

    def as_suggestion(self, answer: AnnotationAnswer) -> AnnotationAnswer:
        """Results marked as predictions, which the person keeps, changes or deletes one by one."""
        results = [
            result.model_copy(update={"origin": PREDICTION}) if result.type != "relation" else result
            for result in answer.result
        ]
        return AnnotationAnswer(result=results)

    def says_the_same(
        self, payload: AnnotationPayload, a: AnnotationAnswer, b: AnnotationAnswer, config: AnnotationConfig
    ) -> bool:
        """Whether no control sets them apart, whatever ids and order their results have."""
        return all(each <= NEAR for each in self.distance(payload, a, b, config).values())

    def templates(self) -> tuple[Template, ...]:
        """Projects for text, language, images, sound, video, documents and surveys."""
        return templates.TEMPLATES


__all__ = ["AnnotationType", "board_of"]
