"""Further files of a release, as a task type writes them: each kind of file in a folder of its own below `files/`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from preceptor.tasktypes.base import Consensus, Exporter, ReleasedJudgment, ReleasedTask

FOLDER: Final = "files"


class Exported:
    """All exporters of a release, fed with the same tasks."""

    def __init__(self, exporters: Mapping[str, Exporter[Any, Any]]) -> None:
        self._exporters = exporters

    def add(
        self, task: ReleasedTask[Any, Any], submissions: Sequence[ReleasedJudgment[Any]], consensus: Consensus
    ) -> None:
        """Take one task that is no gold task."""
        for exporter in self._exporters.values():
            exporter.add(task, submissions, consensus)

    def close(self, folder: Path) -> None:
        """Write everything below the release's folder."""
        for name, exporter in self._exporters.items():
            own = folder / FOLDER / name
            own.mkdir(parents=True)
            exporter.close(own)
