"""What the bodies of requests and answers have in common, where a resource is stored.

    class NewTariff(Body): …                      what a POST brings
    class TariffChange(Body):                     what a PATCH brings: what is left out stays
        name: Annotated[Text | None, NotNull] = None
    class Tariff(StoredModel): …                  what every answer shows

    return answer(response, stored, Tariff.of)

Owns that unknown fields are refused, and that an answer's ETag is the version of what it shows.
"""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from fastapi import Response
from pydantic import AfterValidator, BaseModel, ConfigDict

from gridtally.http.etags import tag
from gridtally.kernel.resources import Stored

T = TypeVar("T")
Model = TypeVar("Model")


class Body(BaseModel):
    """A request's body; it refuses fields that it does not know.

    The text below each field describes it in the OpenAPI document.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    def changes(self) -> dict[str, Any]:
        """The fields that the request names, those too that it sets to null."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def _not_null(value: T | None) -> T:
    if value is None:
        raise ValueError("may be left out, but not be null")
    return value


NotNull = AfterValidator(_not_null)
"""For a field of a change that may be left out, but always has a value."""


class AnswerModel(BaseModel):
    """A part of an answer; the text below each field describes it in the OpenAPI document."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class StoredModel(AnswerModel):
    """A stored resource in an answer; `version` is its ETag."""

    version: int
    created_at: datetime
    updated_at: datetime


def stamps(stored: Stored[Any]) -> dict[str, Any]:
    """The fields that every answer about a stored resource has, by name."""
    return {
        "version": stored.version,
        "created_at": stored.created_at,
        "updated_at": stored.updated_at,
    }


def fields(stored: Stored[Any]) -> dict[str, Any]:
    """The fields of the resource, which is a dataclass, and its stamps, by name."""
    resource = stored.resource
    names = [field.name for field in dataclasses.fields(resource)]
    return {name: getattr(resource, name) for name in names} | stamps(stored)


def answer(response: Response, stored: Stored[T], to_api: Callable[[Stored[T]], Model]) -> Model:
    """The resource as the API shows it; sets the answer's ETag to its version."""
    tag(response, stored.version)
    return to_api(stored)


def answer_created(
    response: Response,
    stored: Stored[T],
    to_api: Callable[[Stored[T]], Model],
    *,
    created: bool,
    location: str,
) -> Model:
    """As `answer`, to a POST: 201 for a new resource, 200 for one that existed.

    `location` is the path at which the resource can be read, for the `Location` of a 201.
    """
    say_created(response, location, created=created)
    return answer(response, stored, to_api)


def say_created(response: Response, location: str, *, created: bool) -> None:
    """Answer 201 with the path of the new resource, 200 where there was nothing to create."""
    response.status_code = 201 if created else 200
    if created:
        response.headers["Location"] = location


def location_of(path: str, *, created: bool) -> dict[str, str]:
    """The `Location` header of an answer that is stored, which only a new resource has."""
    return {"Location": path} if created else {}
