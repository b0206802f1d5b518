"""What a client sets in an endpoint, with limits."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from preceptor.endpoints.models import EndpointKind, EndpointState
from preceptor.kit.money import CURRENCIES

NAME_CHARACTERS_MAX = 100
MODEL_CHARACTERS_MAX = 200
KEY_CHARACTERS_MAX = 1_000
SYSTEM_PROMPT_CHARACTERS_MAX = 20_000
TOKENS_PER_ANSWER_MAX = 32_768
QUOTA_TOKENS_MAX = 1_000_000_000
QUOTA_TURNS_MAX = 1_000_000
MODELS_PER_ROLE_MAX = 16


def _storable(text: str) -> str:
    if "\0" in text or (not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)):
        raise ValueError("holds a character that cannot be stored")
    return text


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text.strip()


def _known_currency(currency: str) -> str:
    if currency not in CURRENCIES:
        raise ValueError(f"use one of {', '.join(sorted(CURRENCIES))}")
    return currency


Line = Annotated[str, AfterValidator(_storable), AfterValidator(_filled)]
Price = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=13, decimal_places=6)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Parameters(_Shape):
    """What is asked of the model with every request; what is not set is the server's own default."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=TOKENS_PER_ANSWER_MAX)] = 1_024
    """The longest answer."""
    system_prompt: Annotated[str, Field(max_length=SYSTEM_PROMPT_CHARACTERS_MAX), AfterValidator(_storable)] = ""
    """Stands before every conversation that brings no system prompt of its own."""

    def options(self) -> dict[str, float | int | str]:
        """As fields of a Chat Completions request."""
        return self.model_dump(exclude={"system_prompt"}, exclude_none=True)


class EndpointIn(_Shape):
    """A new endpoint. `local` ones need neither address nor key."""

    name: Annotated[Line, Field(max_length=NAME_CHARACTERS_MAX)]
    kind: EndpointKind = EndpointKind.OPENAI
    base_url: str = ""
    model: Annotated[str, Field(max_length=MODEL_CHARACTERS_MAX), AfterValidator(_storable)] = ""
    api_key: Annotated[SecretStr, Field(max_length=KEY_CHARACTERS_MAX)] | None = None
    parameters: Parameters = Parameters()
    price_input: Price = Decimal(0)
    """Per million tokens."""
    price_output: Price = Decimal(0)
    currency: Annotated[str, AfterValidator(_known_currency)] = "USD"
    requests_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 60
    concurrency: Annotated[int, Field(ge=1, le=1_000)] = 4

    @model_validator(mode="after")
    def _enough_to_ask(self) -> Self:
        if self.kind is EndpointKind.OPENAI and not self.model.strip():
            raise ValueError("name the model to ask for")
        return self


class EndpointChanges(_Shape):
    """The fields to change; what is not set stays. An empty `api_key` takes the key away."""

    name: Annotated[Line, Field(max_length=NAME_CHARACTERS_MAX)] | None = None
    base_url: str | None = None
    model: Annotated[Line, Field(max_length=MODEL_CHARACTERS_MAX)] | None = None
    api_key: Annotated[SecretStr, Field(max_length=KEY_CHARACTERS_MAX)] | None = None
    parameters: Parameters | None = None
    price_input: Price | None = None
    price_output: Price | None = None
    currency: Annotated[str, AfterValidator(_known_currency)] | None = None
    requests_per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=1_000)] | None = None
    state: EndpointState | None = None


class Choice(_Shape):
    """An endpoint that a project uses, with what one contributor may use of it."""

    endpoint_id: str
    tokens_max: Annotated[int, Field(ge=1, le=QUOTA_TOKENS_MAX)] | None = None
    turns_max: Annotated[int, Field(ge=1, le=QUOTA_TURNS_MAX)] | None = None
