"""YOLO detection files: boxes of images as `class x_center y_center width height`, all from 0 to 1.

Format: one text file for each image under `labels/`, `classes.txt` with the names in order. Turned boxes and outlines
are given by the box around them.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from preceptor.tasktypes.annotation.board import bind
from preceptor.tasktypes.annotation.files.answers import Judgment, Task, one_answer
from preceptor.tasktypes.annotation.files.coco import categories
from preceptor.tasktypes.annotation.material import Pages
from preceptor.tasktypes.annotation.models import AnnotationConfig
from preceptor.tasktypes.annotation.reading import plan_of
from preceptor.tasktypes.annotation.shapes import Area, Mark, marks_of
from preceptor.tasktypes.base import Consensus

DIGITS = 6


class YoloExporter:
    """Writes `labels/NAME.txt`, `images.txt` (name and address of each image) and `classes.txt`."""

    def __init__(self, config: AnnotationConfig) -> None:
        self._plan = plan_of(config.label_config)
        self._classes = list(categories(self._plan))
        self._files: dict[str, str] = {}
        self._images: list[str] = []

    def add(self, task: Task, submissions: Sequence[Judgment], consensus: Consensus) -> None:
        """Take one task."""
        answer = one_answer(task, submissions, consensus)
        if answer is None:
            return
        board = bind(self._plan, task.payload.data)
        marks = list(marks_of(answer, board).values())
        for node in board.objects.values():
            if not isinstance(node.material, Pages):
                continue
            for page, url in enumerate(node.material.urls):
                own = [mark for mark in marks if mark.object == node.name and mark.page == page]
                name = self._name(task, node.name, page)
                self._files[name] = "".join(line for mark in own for line in self._lines(mark))
                self._images.append(f"{name} {url if not url.startswith('data:') else '-'}")

    def close(self, folder: Path) -> None:
        """Write the files."""
        (folder / "labels").mkdir()
        for name, content in self._files.items():
            (folder / "labels" / f"{name}.txt").write_text(content, encoding="utf-8")
        (folder / "images.txt").write_text("".join(f"{line}\n" for line in self._images), encoding="utf-8")
        (folder / "classes.txt").write_text("".join(f"{name}\n" for name in self._classes), encoding="utf-8")

    def _name(self, task: Task, object_name: str, page: int) -> str:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "_", f"{task.external_id or task.task_id}_{object_name}_{page}")[:100]
        name, number = stem, 2
        while name in self._files:
            name, number = f"{stem}-{number}", number + 1
        return name

    def _lines(self, mark: Mark) -> list[str]:
        if not isinstance(mark.shape, Area):
            return []
        xs, ys = [x / 100 for x, _ in mark.shape.corners], [y / 100 for _, y in mark.shape.corners]
        left, right = max(0.0, min(xs)), min(1.0, max(xs))
        top, bottom = max(0.0, min(ys)), min(1.0, max(ys))
        box = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
        numbers = " ".join(f"{value:.{DIGITS}f}" for value in box)
        lines = []
        for label in sorted(mark.all_labels) or [mark.control]:
            if label not in self._classes:
                self._classes.append(label)
            lines.append(f"{self._classes.index(label)} {numbers}\n")
        return lines
