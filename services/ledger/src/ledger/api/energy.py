"""The bodies of requests and answers about energy: kWh as decimal strings."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.metering import Flow, MeterType
from ledger.api.models import Body
from ledger.api.registers import Energy
from ledger.domain import derived
from ledger.domain.curves import Quality
from ledger.domain.derived import TERMS_MAX
from ledger.domain.moments import EARLIEST_ON, LATEST_ON


class Term(Body):
    """A meter in a sum, added (`1`) or taken away (`-1`); without a `flow`, by its main register:
    the first that it has of import, load, generation and export."""

    meter_id: UUID
    sign: Literal[1, -1] = 1
    flow: Flow | None = None

    def to_domain(self) -> derived.Term:
        """As the domain knows it."""
        return derived.Term(self.meter_id, self.sign, self.flow)


class NewDefinition(Body):
    """What a derived meter is the sum of, from a local day of its property on."""

    from_on: Annotated[date, Field(ge=EARLIEST_ON, le=LATEST_ON)]
    terms: Annotated[list[Term], Field(min_length=1, max_length=TERMS_MAX)]


class Definition(BaseModel):
    """A version of a definition. Version 0 is what `unmetered` is unless defined otherwise, for
    ever; of two versions from one day the higher one counts. `entry_id` names the others in the
    chain of sealed entries."""

    version: int
    entry_id: UUID | None
    from_on: date | None
    terms: list[Term]

    @classmethod
    def of(cls, one: derived.Definition) -> Self:
        """A definition as the API shows it."""
        terms = [
            Term.model_construct(meter_id=each.meter_id, sign=each.sign, flow=each.flow)
            for each in one.terms
        ]
        return cls(version=one.version, entry_id=one.entry_id, from_on=one.from_on, terms=terms)


class Value(BaseModel):
    """What a meter shows at a moment, in kWh: its register times the multiplier, or the sum of its
    inputs. Null where an input was not read around that moment; `missing` names those."""

    meter_id: UUID
    at: datetime
    value: Energy | None
    quality: Quality
    missing: list[UUID]


class CurrentReading(BaseModel):
    """The last reading of a meter. That of a derived meter is the sum of its inputs' last values,
    as old as the oldest of them; `aligned` where all were taken at one moment."""

    meter_id: UUID
    type: MeterType
    name: str
    flow: Flow | None
    derived: bool
    value: Energy | None
    multiplier: Energy | None
    quality: Quality
    read_at: datetime | None
    reading_id: UUID | None
    aligned: bool
    missing: list[UUID]


class CurrentReadings(BaseModel):
    """The last readings of all meters of a property."""

    property_id: UUID
    as_of: datetime | None
    items: list[CurrentReading]


class Consumption(BaseModel):
    """What a register, or a derived meter, counted in a time, in kWh.

    Where readings cover a part of it only, `kwh` is for that part, from `known_from` to
    `known_to`, and it is not `complete`. `falls` are drops too small to be rollovers: most likely
    mistaken readings.
    """

    meter_id: UUID
    type: MeterType
    name: str
    flow: Flow | None
    derived: bool
    start_at: datetime
    end_at: datetime
    kwh: Energy | None
    quality: Quality
    complete: bool
    known_from: datetime | None
    known_to: datetime | None
    rollovers: int
    exchanges: int
    falls: int


class PropertyConsumption(BaseModel):
    """What each meter of a property counted in a time."""

    property_id: UUID
    zone: str
    from_at: datetime
    to_at: datetime
    as_of: datetime | None
    items: list[Consumption]


class ConsumptionTable(PropertyConsumption):
    """What each meter of a property counted on each local day or in each month."""

    by: Literal["day", "month"]


class SeriesRow(BaseModel):
    """A piece of a series: what was counted in it, and what the meter shows at its end."""

    start_at: datetime
    end_at: datetime
    kwh: Energy | None
    value: Energy | None
    quality: Quality
    complete: bool


class Series(BaseModel):
    """A meter through a time, piece by piece."""

    meter_id: UUID
    by: Literal["15min", "hour", "day", "month"]
    zone: str
    items: list[SeriesRow]


class Taken(BaseModel):
    """A value and its moment; that of a derived meter is no reading."""

    value: Energy
    read_at: datetime
    reading_id: UUID | None


class Stats(BaseModel):
    """The readings of a meter's register in a time: values as read, before the multiplier. `mean`
    has six decimals, rounded half to even."""

    meter_id: UUID
    flow: Flow | None
    count: int
    min: Energy | None
    max: Energy | None
    mean: Energy | None
    first: Taken | None
    last: Taken | None


class Part(BaseModel):
    """A register on one side of a conservation check, added or taken away."""

    meter_id: UUID
    property_id: UUID
    type: MeterType
    name: str
    flow: Flow
    sign: int
    kwh: Energy | None
    quality: Quality
    complete: bool


class Conservation(BaseModel):
    """Whether what was supplied went through the meters below: supplied = metered + unaccounted.

    `unaccounted` is losses, what nobody meters, and errors; null where a part is not completely
    known. `ok` where it is not negative and at most `loss_percent_max` of what was supplied.
    """

    property_id: UUID
    from_at: datetime
    to_at: datetime
    supplied: list[Part]
    metered: list[Part]
    supplied_kwh: Energy | None
    metered_kwh: Energy | None
    unaccounted_kwh: Energy | None
    unaccounted_percent: Energy | None
    quality: Quality
    ok: bool | None
