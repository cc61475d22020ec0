"""What the catalogue's requests and answers have in common beside `gridtally.http.resources`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Depends, Path, Query
from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue

from gridtally.http.paging import Paging
from gridtally.http.resources import AnswerModel
from gridtally.http.sorting import SortedPage
from gridtally.tariff.domain import versions as domain

NUMBER_MAX = 2**31 - 1
TEXT_CHARS_MAX = 100
Number = Annotated[int, Path(ge=1, le=NUMBER_MAX)]
"""The number of a version, in a path."""
Sort = Literal["created_at", "-created_at", "code", "-code", "name", "-name"]
SearchText = Annotated[
    str | None,
    Query(min_length=1, max_length=TEXT_CHARS_MAX, description="Found in the code or name"),
]


class VersionStep(AnswerModel):
    """A step in a version's life: when, and by which API key."""

    at: datetime
    """When it was taken, in UTC."""
    key_id: str
    """The API key that it was taken with."""

    @classmethod
    def of(cls, step: domain.VersionStep | None) -> Self | None:
        """The step as the API shows it, if it was taken."""
        return cls(at=step.at, key_id=step.key_id) if step is not None else None


@dataclass(frozen=True)
class Described:
    """Shows a field in the API's document as `model`, whose faults have texts of our own."""

    model: type[BaseModel]

    def __get_pydantic_json_schema__(
        self, _schema: Any, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The model's schema."""
        return handler(self.model.__pydantic_core_schema__)


def number_in(text: str) -> int:
    """A version's number from a cursor; ValueError for what is none."""
    number = int(text)
    if not 1 <= number <= NUMBER_MAX:
        raise ValueError("no version has this number")
    return number


async def _sorted_page(
    paging: Paging,
    sort: Annotated[Sort, Query(description="The order; `-` turns it round")] = "created_at",
) -> SortedPage:
    return SortedPage(paging, sort)


Sorted = Annotated[SortedPage, Depends(_sorted_page)]
"""The dependency of a handler that answers pages of resources with a code and a name."""
