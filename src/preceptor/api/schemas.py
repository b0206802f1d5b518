"""Shapes that several routers share."""

from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from preceptor.kit.money import Money


class Out(BaseModel):
    """An answer; unknown fields never slip in."""

    model_config = ConfigDict(extra="forbid")


class In(BaseModel):
    """A request body; a misspelt field is refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")


class MoneyOut(Out):
    amount: str = Field(examples=["12.50"])
    currency: str = Field(examples=["USD"])


class MoneyIn(In):
    amount: str = Field(examples=["250.00"], max_length=20)
    currency: str = Field(examples=["USD"], min_length=3, max_length=3)

    def money(self) -> Money:
        return Money.parse(self.amount, self.currency)


def money_out(value: Money) -> MoneyOut:
    return MoneyOut(amount=value.amount, currency=value.currency)


PAGE_MAX = 200
PageSize = Annotated[int, Field(ge=1, le=PAGE_MAX, description=f"Rows to return, at most {PAGE_MAX}.")]


def json_answer(body: Out, status: int = 200) -> Response:
    """A finished answer, so that it is not taken apart and checked a second time on its way out."""
    return Response(body.model_dump_json(), status, media_type="application/json")
