"""What makes an entry test, with limits; the shape that pages, API and demo fill in."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from preceptor.tasktypes.base import Row
from preceptor.tasktypes.messages import Text

ITEMS_MAX = 500


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ItemIn(_Shape):
    """A question with its known answer, in the payload's own ids. Practice items never come up in an attempt."""

    payload: Row
    answer: Row
    explanation: Annotated[Text, Field(min_length=1, max_length=5_000)]
    practice: bool = False


class AssessmentIn(_Shape):
    """A test that grants a qualification: an existing one by id, or a new one of that title."""

    title: Annotated[Text, Field(min_length=1, max_length=200)]
    introduction: Annotated[Text, Field(max_length=20_000)] = ""
    qualification_id: UUID | None = None
    qualification_title: Annotated[Text, Field(min_length=1, max_length=100)] | None = None
    task_type: str = "comparison"
    config: Row | None = None
    pass_percent: Annotated[int, Field(ge=1, le=100)] = 80
    time_limit_seconds: Annotated[int, Field(ge=60, le=86_400)] = 1_800
    attempts_max: Annotated[int, Field(ge=1, le=100)] = 3
    cooldown_seconds: Annotated[int, Field(ge=0, le=90 * 86_400)] = 86_400
    questions: Annotated[int, Field(ge=1, le=100)]
    items: Annotated[list[ItemIn], Field(min_length=1, max_length=ITEMS_MAX)]

    @model_validator(mode="after")
    def _enough_questions(self) -> Self:
        scored = sum(not item.practice for item in self.items)
        if scored < self.questions:
            raise ValueError(f"an attempt draws {self.questions} questions, but only {scored} are not for practice")
        if (self.qualification_id is None) == (self.qualification_title is None):
            raise ValueError("give either qualification_id or qualification_title")
        return self
