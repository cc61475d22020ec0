"""The bodies of the catalogue's requests and answers. Requests refuse fields they do not know."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from fastapi import Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from contracts.model import Code, Currency, Text, Zone
from contracts.tariff import TariffDocument
from kernel.ids import new_id
from serving.auth import Principal, require
from serving.context import CorrelationId
from tariff.domain import catalogue
from tariff.domain.stored import Stored
from tariff.wire import Cause

T = TypeVar("T")
Reader = Annotated[Principal, Depends(require("tariff:read"))]
Writer = Annotated[Principal, Depends(require("tariff:write"))]


def _cause(caller: Writer, correlation_id: CorrelationId) -> Cause:
    return Cause(caller.tenant_id, correlation_id)


WriteCause = Annotated[Cause, Depends(_cause)]
"""Whose change this is, for callers who may write."""


def _not_null(value: T | None) -> T:
    if value is None:
        raise ValueError("may be left out, but not be null")
    return value


NotNull = AfterValidator(_not_null)
"""For a field of a change that may be left out, but always has a value."""


@dataclass(frozen=True)
class _Described:
    """Shows a field in the API's document as `model`, whose faults are told in our own words."""

    model: type[BaseModel]

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(self.model.__pydantic_core_schema__)


Document = Annotated[dict[str, Any], _Described(TariffDocument)]


class Body(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NewRegion(Body):
    """A municipality or grid area."""

    id: UUID | None = None
    code: Code
    name: Text
    zone: Zone

    def to_domain(self) -> catalogue.Region:
        """The region."""
        return catalogue.Region(self.id or new_id(), self.code, self.name, self.zone)


class RegionChange(Body):
    """What is to be different; what is left out stays."""

    code: Annotated[Code | None, NotNull] = None
    name: Annotated[Text | None, NotNull] = None
    zone: Annotated[Zone | None, NotNull] = None


class Region(BaseModel):
    """A region; `revision` is its ETag."""

    id: UUID
    code: str
    name: str
    zone: str
    revision: int
    created_at: datetime
    updated_at: datetime


class NewTariff(Body):
    """A tariff. Its code, currency and zone stay; every version has its currency and zone."""

    id: UUID | None = None
    code: Code
    name: Text
    currency: Currency
    zone: Zone
    region_id: UUID | None = None

    def to_domain(self) -> catalogue.Tariff:
        """The tariff."""
        return catalogue.Tariff(
            self.id or new_id(), self.code, self.name, self.currency, self.zone, self.region_id
        )


class TariffChange(Body):
    """What is to be different; what is left out stays. Versions that were published before keep
    the name and region that they were published with."""

    name: Annotated[Text | None, NotNull] = None
    region_id: UUID | None = None


class Tariff(BaseModel):
    """A tariff; `revision` is its ETag."""

    id: UUID
    code: str
    name: str
    currency: str
    zone: str
    region_id: UUID | None
    revision: int
    created_at: datetime
    updated_at: datetime


class VersionTerms(Body):
    """What a version says, in force on local dates from `effective_from` up to, but without,
    `effective_to`, as long as no later version has begun."""

    effective_from: date
    effective_to: date | None = None
    document: Document

    def to_domain(self) -> catalogue.Terms:
        """The terms; Rejected for an empty period."""
        return catalogue.Terms(self.effective_from, self.effective_to, self.document)


class NewVersion(VersionTerms):
    """A draft of a new version."""

    id: UUID | None = None


class Version(BaseModel):
    """A version of a tariff; `revision` is its ETag."""

    id: UUID
    tariff_id: UUID
    number: int
    status: Literal["draft", "published", "withdrawn"]
    effective_from: date
    effective_to: date | None
    document: Document
    revision: int
    created_at: datetime
    updated_at: datetime


def shown_region(one: Stored[catalogue.Region]) -> Region:
    """A region as the API shows it."""
    return Region(**_fields(one))


def shown_tariff(one: Stored[catalogue.Tariff]) -> Tariff:
    """A tariff as the API shows it."""
    return Tariff(**_fields(one))


def shown_version(one: Stored[catalogue.Version]) -> Version:
    """A version as the API shows it."""
    terms = one.thing.terms
    return Version(
        **{name: value for name, value in _fields(one).items() if name != "terms"},
        effective_from=terms.effective_from,
        effective_to=terms.effective_to,
        document=dict(terms.document),
    )


def _fields(one: Stored[Any]) -> dict[str, Any]:
    content = {name: getattr(one.thing, name) for name in one.thing.__slots__}
    stamps = {name: getattr(one, name) for name in ("revision", "created_at", "updated_at")}
    return content | stamps


def instant(text: str) -> datetime:
    """An instant from a cursor; ValueError where it names no zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant has a time zone")
    return at


def position(one: Stored[Any]) -> tuple[object, ...]:
    """Where a thing stands in a list by age."""
    return one.created_at, one.thing.id


def given(**filters: object) -> dict[str, object]:
    """The filters that the caller has named."""
    return {name: value for name, value in filters.items() if value is not None}
