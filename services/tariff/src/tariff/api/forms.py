"""What the bodies of the catalogue's requests and answers have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from fastapi import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from serving.etags import tag
from tariff.domain.stored import Stored
from tariff.domain.versions import Step

T = TypeVar("T")
Item = TypeVar("Item")
NUMBER_MAX = 2**31 - 1


class Body(BaseModel):
    """A request's body; it refuses fields that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def changes(self) -> dict[str, Any]:
        """The fields that were named."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Shown(BaseModel):
    """A stored thing; `revision` is its ETag."""

    revision: int
    created_at: datetime
    updated_at: datetime


class Done(BaseModel):
    """A step in a version's life: when, and by which API key."""

    at: datetime
    key_id: str


def _not_null(value: T | None) -> T:
    if value is None:
        raise ValueError("may be left out, but not be null")
    return value


NotNull = AfterValidator(_not_null)
"""For a field of a change that may be left out, but always has a value."""


@dataclass(frozen=True)
class Described:
    """Shows a field in the API's document as `model`, whose faults are told in our own words."""

    model: type[BaseModel]

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The model's schema."""
        return handler(self.model.__pydantic_core_schema__)


def fields(one: Stored[Any]) -> dict[str, Any]:
    """A thing's own fields and its stamps."""
    content = {name: getattr(one.thing, name) for name in one.thing.__slots__}
    stamps = {name: getattr(one, name) for name in ("revision", "created_at", "updated_at")}
    return content | stamps


def answered(response: Response, one: Stored[T], shown: Callable[[Stored[T]], Item]) -> Item:
    """The thing as the API shows it, with its revision as the answer's ETag."""
    tag(response, one.revision)
    return shown(one)


def created_or_known(
    response: Response, told: tuple[Stored[T], bool], shown: Callable[[Stored[T]], Item]
) -> Item:
    """The thing that was to be created: 201 where it is new, 200 where it was there already."""
    one, created = told
    response.status_code = 201 if created else 200
    return answered(response, one, shown)


def shown_step(step: Step | None) -> Done | None:
    """A step as the API shows it."""
    return Done(at=step.at, key_id=step.key_id) if step is not None else None


def number_in(text: str) -> int:
    """A version's number from a cursor; ValueError for what is none."""
    number = int(text)
    if not 1 <= number <= NUMBER_MAX:
        raise ValueError("no version has this number")
    return number


def instant_in(text: str) -> datetime:
    """An instant from a cursor; ValueError where it names no zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant has a time zone")
    return at
