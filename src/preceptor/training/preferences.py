"""Preference pairs out of files that people bring: the layouts that an import of tasks understands."""

from collections.abc import Iterator
from pathlib import Path

from preceptor.kit.errors import Invalid
from preceptor.projects.importing import ImportedTask, RowProblem, read_tasks
from preceptor.tasktypes.comparison.importing import ComparisonImporter
from preceptor.tasktypes.comparison.models import TIE, ComparisonAnswer, ComparisonPayload
from preceptor.tasktypes.comparison.pairs import label_of_pair, pairs_of
from preceptor.tasktypes.messages import trainer_messages
from preceptor.training.reward import Pair

PAIRS_MAX = 1_000_000
PROBLEMS_MAX = 20


def read_preferences(path: Path, filename: str | None = None) -> list[Pair]:
    """The decided pairs of a JSONL, CSV or Parquet file, also gzipped.

    Understands `prompt/chosen/rejected` and `prompt/response_a/response_b/choice` (with `votes_a`, `votes_b`).
    Ties and rows without a choice are left out. `Invalid`, naming the first bad lines, for anything else.
    """
    pairs: list[Pair] = []
    problems: list[dict[str, str]] = []
    with path.open("rb") as file:
        for item in read_tasks(file, filename or path.name, ComparisonImporter()):
            if isinstance(item, RowProblem):
                problems.append({"path": f"line {item.line}, {item.field or 'row'}", "message": item.problem})
                if len(problems) == PROBLEMS_MAX:
                    break
                continue
            pairs.extend(_pairs(item))
            if len(pairs) > PAIRS_MAX:
                raise Invalid(f"The file has more than {PAIRS_MAX:,} pairs. Take a part of it.")
    if problems:
        first = problems[0]
        raise Invalid(f"{filename or path.name}, {first['path']}: {first['message']}", problems)
    if not pairs:
        raise Invalid(f"{filename or path.name} has no row with a choice.")
    return pairs


def _pairs(task: ImportedTask) -> Iterator[Pair]:
    payload, answer = task.payload, task.imported_answer
    if not isinstance(payload, ComparisonPayload) or not isinstance(answer, ComparisonAnswer):
        return
    messages = {response.id: tuple(trainer_messages(response.messages)) for response in payload.responses}
    for first, second in pairs_of(payload.ids):
        chosen = label_of_pair(answer, first, second)
        if chosen is None or chosen == TIE:
            continue
        rejected = second if chosen == first else first
        votes = task.imported_votes
        yield Pair(
            prompt=tuple(trainer_messages(payload.prompt)),
            chosen=messages[chosen],
            rejected=messages[rejected],
            votes_chosen=votes.get(chosen, 0) if votes else None,
            votes_rejected=votes.get(rejected, 0) if votes else None,
            topic=task.topic or "",
        )
