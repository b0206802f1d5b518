"""Files that annotations become, beside the tables of a release."""

from collections.abc import Mapping

from preceptor.tasktypes.annotation.files.coco import CocoExporter
from preceptor.tasktypes.annotation.files.label_studio import LabelStudioExporter
from preceptor.tasktypes.annotation.files.spans import SpanExporter
from preceptor.tasktypes.annotation.files.subtitles import SubtitleExporter
from preceptor.tasktypes.annotation.files.yolo import YoloExporter
from preceptor.tasktypes.annotation.models import AnnotationAnswer, AnnotationConfig, AnnotationPayload
from preceptor.tasktypes.annotation.reading import plan_of
from preceptor.tasktypes.base import Exporter

_OUTLINES = frozenset({"rectangle", "polygon", "ellipse", "brush", "keypoint"})
_BOXES = frozenset({"rectangle", "polygon", "ellipse"})


def exporters_of(config: AnnotationConfig) -> Mapping[str, Exporter[AnnotationPayload, AnnotationAnswer]]:
    """Label Studio's files always; COCO, YOLO, CoNLL/spaCy and subtitles where the config asks for such marks."""
    plan = plan_of(config.label_config)
    shapes = {control.spec.shape for control in plan.controls.values()}
    marked = {
        plan.objects[name].spec.name
        for control in plan.controls.values()
        if control.spec.shape == "span"
        for name in control.to
        if name in plan.objects
    }
    found: dict[str, Exporter[AnnotationPayload, AnnotationAnswer]] = {"label_studio": LabelStudioExporter(config)}
    if shapes & _OUTLINES:
        found["coco"] = CocoExporter(config)
    if shapes & _BOXES:
        found["yolo"] = YoloExporter(config)
    if marked & {"Text", "HyperText", "Paragraphs"}:
        found["spans"] = SpanExporter(config)
    if "Audio" in marked:
        found["subtitles"] = SubtitleExporter(config)
    return found
