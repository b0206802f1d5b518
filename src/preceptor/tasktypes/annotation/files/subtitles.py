"""Stretches of recordings with their transcripts: WebVTT and Praat TextGrid, one file of each for a task.

WebVTT: https://www.w3.org/TR/webvtt1/ - the label is the cue's voice, the transcript its text. TextGrid: an interval
tier for each label, as Praat writes it in its long text form; gaps are empty intervals.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from preceptor.tasktypes.annotation import values
from preceptor.tasktypes.annotation.board import bind
from preceptor.tasktypes.annotation.files.answers import Judgment, Task, one_answer
from preceptor.tasktypes.annotation.models import AnnotationConfig
from preceptor.tasktypes.annotation.reading import plan_of
from preceptor.tasktypes.annotation.shapes import Mark, Times, marks_of
from preceptor.tasktypes.base import Consensus

Cue = tuple[float, float, str, str]
"""Start, end (seconds), label, transcript."""


class SubtitleExporter:
    """Writes `NAME.vtt` and `NAME.TextGrid` for every task with stretches of audio; NAME is the task's id."""

    def __init__(self, config: AnnotationConfig) -> None:
        self._plan = plan_of(config.label_config)
        self._files: dict[str, str] = {}

    def add(self, task: Task, submissions: Sequence[Judgment], consensus: Consensus) -> None:
        """Take one task."""
        answer = one_answer(task, submissions, consensus)
        if answer is None:
            return
        board = bind(self._plan, task.payload.data)
        for node in board.objects.values():
            if node.tag != "Audio":
                continue
            marks = [mark for mark in marks_of(answer, board).values() if mark.object == node.name]
            cues = sorted(cue for mark in marks for cue in cues_of(mark))
            length = max((mark.result.original_length or 0.0 for mark in marks), default=0.0)
            if cues:
                name = re.sub(r"[^A-Za-z0-9._-]+", "_", f"{task.external_id or task.task_id}")[:80] or task.task_id
                several = sum(other.tag == "Audio" for other in board.objects.values()) > 1
                stem = _free(f"{name}.{node.name}" if several else name, self._files)
                self._files[f"{stem}.vtt"] = webvtt(cues)
                self._files[f"{stem}.TextGrid"] = textgrid(cues, length)

    def close(self, folder: Path) -> None:
        """Write the files."""
        for name, content in self._files.items():
            (folder / name).write_text(content, encoding="utf-8")


def _free(stem: str, taken: dict[str, str]) -> str:
    name, number = stem, 2
    while f"{name}.vtt" in taken:
        name, number = f"{stem}-{number}", number + 1
    return name


def cues_of(mark: Mark) -> list[Cue]:
    """The stretch of a mark with each of its labels; the transcript is what its per-region text says."""
    if not isinstance(mark.shape, Times):
        return []
    said = []
    for region in mark.answers:
        text = region.value.get("text")
        if region.type == "textarea":
            said += [entry for entry in values.TextAreaValue.model_validate({"text": text}).text if entry.strip()]
    return [(mark.shape.start, mark.shape.end, label, "\n".join(said)) for label in sorted(mark.all_labels) or [""]]


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def webvtt(cues: Sequence[Cue]) -> str:
    """A WebVTT file. Blank lines within a transcript, which would end its cue, are left out."""
    blocks = ["WEBVTT"]
    for number, (start, end, label, text) in enumerate(cues, 1):
        lines = [_escaped(line) for line in text.splitlines() if line.strip()] or [""]
        voice = f"<v {_escaped(label)}>" if label else ""
        spoken = voice + "\n".join(lines) if (voice or lines != [""]) else "-"
        blocks.append(f"{number}\n{_clock(start)} --> {_clock(end)}\n{spoken}")
    return "\n\n".join(blocks) + "\n"


def textgrid(cues: Sequence[Cue], length: float) -> str:
    """A TextGrid. Stretches of one label that overlap begin where the earlier one ends: tiers hold no overlaps."""
    end = max([length, *(cue[1] for cue in cues)])
    labels = list(dict.fromkeys(cue[2] or "marks" for cue in cues))
    head = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end:.6f}"]
    lines = [*head, "tiers? <exists>", f"size = {len(labels)}", "item []:"]
    for number, label in enumerate(labels, 1):
        intervals = _filled([(s, e, text or label) for s, e, own, text in cues if (own or "marks") == label], end)
        lines += [
            f"    item [{number}]:",
            '        class = "IntervalTier"',
            f'        name = "{_doubled(label)}"',
            "        xmin = 0",
            f"        xmax = {end:.6f}",
            f"        intervals: size = {len(intervals)}",
        ]
        for index, (start, stop, text) in enumerate(intervals, 1):
            lines += [
                f"        intervals [{index}]:",
                f"            xmin = {start:.6f}",
                f"            xmax = {stop:.6f}",
                f'            text = "{_doubled(text)}"',
            ]
    return "\n".join(lines) + "\n"


def _doubled(text: str) -> str:
    return text.replace('"', '""').replace("\n", " ")


def _filled(stretches: Sequence[tuple[float, float, str]], end: float) -> list[tuple[float, float, str]]:
    """Stretches without overlaps and with the gaps between them."""
    found: list[tuple[float, float, str]] = []
    at = 0.0
    for start, stop, text in sorted(stretches):
        begin = max(start, at)
        if begin > at:
            found.append((at, begin, ""))
        if stop > begin:
            found.append((begin, stop, text))
            at = stop
    if at < end:
        found.append((at, end, ""))
    return found
