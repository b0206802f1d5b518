"""Which annotation of a task goes into files that hold one: the known, the joint or the imported one."""

from collections.abc import Sequence

from preceptor.tasktypes.annotation.models import AnnotationAnswer, AnnotationPayload
from preceptor.tasktypes.base import Consensus, ReleasedJudgment, ReleasedTask

Task = ReleasedTask[AnnotationPayload, AnnotationAnswer]
Judgment = ReleasedJudgment[AnnotationAnswer]


def one_answer(task: Task, submissions: Sequence[Judgment], consensus: Consensus) -> AnnotationAnswer | None:
    """The answer that stands for a task; None where nobody answered, or the answers decide nothing together.

    With a single counted judgment that judgment stands as it is, with everything that has no joint form (texts about
    regions, relations).
    """
    counted = [judgment.answer for judgment in submissions if judgment.counted]
    if task.known_answer is not None:
        return task.known_answer
    if len(counted) == 1:
        return counted[0]
    if counted:
        return AnnotationAnswer.model_validate(consensus.answer) if consensus.answer is not None else None
    return task.imported_answer
