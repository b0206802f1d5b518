"""COCO instances: boxes, polygons, ellipses and masks of images, one file for each image object.

Format: https://cocodataset.org/#format-data (object detection). Coordinates are pixels; images whose size no mark
tells are left out, because without it percents cannot become pixels. `bbox` is x, y, width, height; a mask is an
uncompressed RLE (column by column, beginning with the number of zeros), everything else polygons.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from pydantic import JsonValue

from preceptor.tasktypes.annotation.agreement.outlines import areas
from preceptor.tasktypes.annotation.board import bind
from preceptor.tasktypes.annotation.brush import BrokenMask, Mask
from preceptor.tasktypes.annotation.files.answers import Judgment, Task, one_answer
from preceptor.tasktypes.annotation.material import Pages
from preceptor.tasktypes.annotation.models import AnnotationConfig
from preceptor.tasktypes.annotation.plan import Plan, Planned
from preceptor.tasktypes.annotation.reading import plan_of
from preceptor.tasktypes.annotation.rules import stored_value
from preceptor.tasktypes.annotation.shapes import Area, Mark, Painted, Spot, marks_of
from preceptor.tasktypes.base import Consensus

DIGITS = 2
_VISIBLE = 2


class CocoExporter:
    """Writes `instances.json`."""

    def __init__(self, config: AnnotationConfig) -> None:
        self._plan = plan_of(config.label_config)
        self._categories = categories(self._plan)
        self._images: list[JsonValue] = []
        self._annotations: list[JsonValue] = []

    def add(self, task: Task, submissions: Sequence[Judgment], consensus: Consensus) -> None:
        """Take one task."""
        answer = one_answer(task, submissions, consensus)
        if answer is None:
            return
        board = bind(self._plan, task.payload.data)
        marks = list(marks_of(answer, board).values())
        for node in board.objects.values():
            if isinstance(node.material, Pages):
                for page, url in enumerate(node.material.urls):
                    own = [mark for mark in marks if mark.object == node.name and mark.page == page]
                    self._add_image(task, url, own)

    def close(self, folder: Path) -> None:
        """Write the file."""
        content = {
            "info": {"description": "Joint annotations", "version": "1.0"},
            "licenses": [],
            "images": self._images,
            "annotations": self._annotations,
            "categories": [
                {"id": number, "name": name, "supercategory": ""} for name, number in self._categories.items()
            ],
        }
        (folder / "instances.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    def _add_image(self, task: Task, url: str, marks: Sequence[Mark]) -> None:
        sizes = [(m.result.original_width, m.result.original_height) for m in marks]
        width, height = next(((w, h) for w, h in sizes if w and h), (None, None))
        if width is None or height is None:
            return
        image = len(self._images) + 1
        name = url if not url.startswith("data:") else f"{task.external_id or task.task_id}"
        self._images.append(
            {
                "id": image,
                "width": int(width),
                "height": int(height),
                "file_name": name,
                "task_id": task.task_id,
                "external_id": task.external_id,
            }
        )
        for mark in marks:
            for label in sorted(mark.all_labels) or [mark.control]:
                found = instance(mark)
                if found is not None:
                    number = len(self._annotations) + 1
                    category = self._categories.setdefault(label, len(self._categories) + 1)
                    self._annotations.append(
                        {"id": number, "image_id": image, "category_id": category, "iscrowd": 0, **found}
                    )


def categories(plan: Plan) -> dict[str, int]:
    """Labels of shapes with their numbers: those that `category` gives, then the next free ones."""
    labels: list[tuple[str, str]] = []
    for control in plan.controls.values():
        if control.spec.labels_regions:
            labels += _labels(control)
        elif control.spec.shape:
            labels.append((control.name, ""))
    given = {name: int(category) for name, category in labels if category.isdecimal()}
    found: dict[str, int] = {}
    free = iter(
        number for number in range(1, len(labels) + max(given.values(), default=0) + 2) if number not in given.values()
    )
    for name, _ in labels:
        if name not in found:
            found[name] = given[name] if name in given else next(free)
    return found


def _labels(control: Planned) -> list[tuple[str, str]]:
    return [(stored_value(option), option.text("category")) for option in control.options]


def instance(mark: Mark) -> dict[str, JsonValue] | None:
    """`bbox`, `area` and `segmentation` (or key points) of a mark, in pixels; None for marks that are no areas."""
    match mark.shape:
        case Area():
            points = mark.shape.pixels
            xs, ys = [x for x, _ in points], [y for _, y in points]
            outline: list[JsonValue] = [round(value, DIGITS) for point in points for value in point]
            area = areas(points, points)[0]
            return {
                "bbox": _box(min(xs), min(ys), max(xs), max(ys)),
                "area": round(area, DIGITS),
                "segmentation": [outline],
            }
        case Painted():
            try:
                return _masked(mark.shape.mask)
            except BrokenMask:
                return None
        case Spot(x, y, width, height):
            at = (round(x * width / 100, DIGITS), round(y * height / 100, DIGITS))
            return {"keypoints": [*at, _VISIBLE], "num_keypoints": 1, "bbox": [*at, 0, 0], "area": 0}
        case _:
            return None


def _box(left: float, top: float, right: float, bottom: float) -> list[JsonValue]:
    return [round(side, DIGITS) for side in (left, top, right - left, bottom - top)]


def _masked(mask: Mask) -> dict[str, JsonValue] | None:
    rows, columns = np.nonzero(mask)
    if not rows.size:
        return None
    box = _box(float(columns.min()), float(rows.min()), float(columns.max()) + 1, float(rows.max()) + 1)
    size = cast("JsonValue", [int(side) for side in mask.shape])
    counts = cast("JsonValue", run_lengths(mask))
    return {"bbox": box, "area": int(mask.sum()), "segmentation": {"size": size, "counts": counts}}


def run_lengths(mask: Mask) -> list[int]:
    """COCO's uncompressed RLE: lengths of runs in column order, zeros first."""
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff(np.concatenate(([0], edges, [flat.size])))
    return [int(length) for length in (np.concatenate(([0], lengths)) if flat[0] else lengths)]
