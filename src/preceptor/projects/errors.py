"""Refusals of projects, imports and memberships, in domain words."""

from preceptor.kit.errors import AppError, Forbidden, Invalid


class MoveRefused(AppError):
    """A project cannot go from its present state to that one."""

    code = "project_move_refused"


class NotReady(AppError):
    """Something is still missing before this project can open. See its checklist."""

    code = "project_not_ready"

    def __init__(self, missing: list[str]) -> None:
        super().__init__(
            f"Still missing before this project can open: {', '.join(missing)}.", missing=", ".join(missing)
        )


class FieldFixed(AppError):
    """This can no longer be changed in the project's present state."""

    code = "project_field_fixed"

    def __init__(self, fields: list[str], state: str) -> None:
        super().__init__(
            f"A project that is {state} keeps its {', '.join(fields)}. Make a new project to change that.",
            fields=", ".join(fields),
        )


class NotEligible(Forbidden):
    """You cannot join this project yet."""

    code = "not_eligible"


class ProjectFinished(AppError):
    """This project is closing or closed, so no tasks can be added. Make a new project for them."""

    code = "project_finished"


class ImportRefused(Invalid):
    """These tasks cannot be imported as they are. Nothing was imported; see the problems."""

    code = "import_refused"


class BatchTooLarge(Invalid):
    """Too many tasks in one request. Send them in several, or import a file."""

    code = "batch_too_large"


class NotAReviewer(Invalid):
    """Only an active account with the reviewer role can review. Ask an operator to give it."""

    code = "not_a_reviewer"


class UnknownTemplate(Invalid):
    """This task type has no such template."""

    code = "unknown_template"


class UnknownKind(Invalid):
    """No installed package offers this task type."""

    code = "unknown_task_type"
