"""Refusals about money."""

from preceptor.kit.errors import AppError, Invalid, Kind


class NotEnoughMoney(AppError):
    """There is not enough money for this."""

    code = "not_enough_money"


class AlreadyPosted(AppError):
    """This has been booked before; nothing was booked twice."""

    code = "already_posted"


class BadAmount(Invalid):
    """The amount must be more than zero."""

    code = "bad_amount"


class NothingToPay(AppError):
    """Nobody has a balance that reaches the smallest payout."""

    code = "nothing_to_pay"


class PayoutNotOpen(AppError):
    """This payout has been settled already."""

    code = "payout_not_open"
    kind: Kind = "conflict"


class FailureReasonNeeded(Invalid):
    """Say why the payout failed: the person is told, and the money goes back to their balance."""

    code = "failure_reason_needed"
