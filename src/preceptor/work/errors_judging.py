"""Refusals about AI judges."""

from preceptor.kit.errors import AppError, Invalid, Kind


class NotJudgeable(AppError):
    """Models cannot judge this kind of work here. Comparisons, ratings and choices of an annotation can be judged."""

    code = "not_judgeable"
    kind: Kind = "invalid"


class JudgeTitleTaken(Invalid):
    """The project has a judge of this title already. Give it another one, or retire the other."""

    code = "judge_title_taken"


class JudgeRetired(AppError):
    """This judge is retired. Make a new one to go on."""

    code = "judge_retired"


class OneOrder(Invalid):
    """In this kind of work nothing is shown in an order, so both orders cannot be asked."""

    code = "judge_one_order"
