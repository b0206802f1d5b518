"""Refusals about model endpoints."""

from preceptor.kit.errors import AppError, Invalid, Kind, Limited


class BadAddress(Invalid):
    """This address cannot be used for a model endpoint."""

    code = "endpoint_address"


class EndpointOff(AppError):
    """This model endpoint is switched off. The people who run the project can switch it on again."""

    code = "endpoint_off"


class NoEndpoint(AppError):
    """This project has no model to ask yet. The people who run it have to choose one under Settings."""

    code = "no_endpoint"


class NameTaken(Invalid):
    """The organization has an endpoint of this name already."""

    code = "endpoint_name_taken"


class EndpointBusy(Limited):
    """The model answers as many people as it may at the moment. Your text is kept; ask again in a few seconds."""

    code = "endpoint_busy"


class QuotaUsed(AppError):
    """You have used what this project lets one person ask of its models. Finish with the answers that you have."""

    code = "endpoint_quota_used"
    kind: Kind = "limited"


class LocalModelMissing(AppError):
    """The local model is not installed on this machine. Install it with `make local-model`, then try again."""

    code = "local_model_missing"
    kind: Kind = "unavailable"


class LocalModelFailed(AppError):
    """The local model did not start. The server's log says why."""

    code = "local_model_failed"
    kind: Kind = "unavailable"


class RequestReused(AppError):
    """This request was made before with another text. Send the changed text as a new request."""

    code = "generation_key_reused"


class NotGenerated(Invalid):
    """A text of a model in this answer is not what the model wrote. Models' texts cannot be edited."""

    code = "not_generated"
