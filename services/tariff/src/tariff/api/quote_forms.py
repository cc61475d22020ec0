"""The bodies of quotes: a meter's usage with the prices for it, the tariffs, and the answers."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from uuid import UUID

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from contracts.metering import Flow, Minutes
from contracts.model import Code, Currency, Day, Instant, Zone
from contracts.tariff import Name, Rate
from kernel.errors import Fault, Rejected
from kernel.money import parse_decimal
from kernel.periods import Period
from rating.prices import PRICE_MISSING, PriceSeries
from rating.state import State, read_state
from rating.usage import Usage
from tariff.api.days import asked_period
from tariff.api.forms import NUMBER_MAX, Body
from tariff.api.price_uploads import START_CHARS_MAX
from tariff.api.versions import Document
from tariff.domain.catalogue import SeriesMinutes
from tariff.domain.prices import DAYS_MAX, scaled
from tariff.domain.quotes import TARIFFS_MAX, VALUES_MAX, Measured, measured
from tariff.handlers.quotes import StoredPrices

SERIES_MAX = 10
Kwh = Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,9})?$")]
ConnectedKw = Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?$")]


class Dates(Body):
    """Local days from `from` up to, but without, `to`."""

    start_on: Annotated[Day, Field(alias="from")]
    end_on: Annotated[Day, Field(alias="to")]


def _months(value: object) -> object:
    return None if value == "month" else value


BilledPeriod = Annotated[
    Dates | None,
    BeforeValidator(_months, json_schema_input_type=Literal["month"] | Dates | None),
]
"""`month`, or dates."""


class Intervals(Body):
    """One meter's consecutive intervals, as many in every flow; null where there is no value.

    `start` is an instant, or, without an offset, a local time of the meter's zone. `load` with or
    without `generation` makes import and export, interval by interval.
    """

    start: Annotated[str, Field(max_length=START_CHARS_MAX)]
    minutes: Minutes
    values: dict[Flow, Annotated[list[Kwh | None], Field(min_length=1, max_length=VALUES_MAX)]]


class GivenPrices(Body):
    """Prices per kWh from `start_at` on, one for every `minutes`; null where there is none."""

    currency: Currency
    start_at: Instant
    minutes: SeriesMinutes
    prices: Annotated[list[Rate | None], Field(min_length=1, max_length=VALUES_MAX)]

    def to_domain(self, path: str) -> PriceSeries:
        """The series; Rejected for prices that are too high or too fine."""
        try:
            numbers = [PRICE_MISSING if one is None else scaled(one) for one in self.prices]
        except ValueError as error:
            raise Rejected("invalid_prices", str(error), (Fault(path, str(error)),)) from None
        return PriceSeries(self.currency, self.start_at, self.minutes, np.array(numbers, np.int64))


class NamedSeries(Body):
    """A stored price series, as known now or at an instant."""

    series_id: UUID
    as_of: Instant | None = None


class Meter(Body):
    """What a meter measured, how it is billed, and the prices that tariffs ask for by name.

    Prices are those given, else those of the series named for them, else those of the stored
    series with that code. The zone, which cuts days and months, is the tariff's unless named.
    """

    usage: Intervals
    zone: Zone | None = None
    period: BilledPeriod = None
    connected_kw: ConnectedKw | None = None
    prices: Annotated[dict[Name, GivenPrices], Field(max_length=SERIES_MAX, default_factory=dict)]
    price_series: Annotated[
        dict[Name, NamedSeries], Field(max_length=SERIES_MAX, default_factory=dict)
    ]

    def measured(self, tariff_zone: str) -> Measured:
        """The intervals; Rejected where they are none."""
        usage = self.usage
        return measured(self.zone or tariff_zone, usage.start, usage.minutes, usage.values)

    def usages(self, of: Measured) -> list[Usage]:
        """The usage of each period to be billed; Rejected where the intervals lack any of it."""
        period: Period | Literal["month"] = "month"
        if self.period is not None:
            period = asked_period(
                self.period.start_on, self.period.end_on, DAYS_MAX, within="/period"
            )
        kw = None if self.connected_kw is None else parse_decimal(self.connected_kw)
        return of.usages(period, kw)

    def given_prices(self) -> dict[str, PriceSeries]:
        """The prices in the body itself, by name."""
        return {name: one.to_domain(f"/prices/{name}") for name, one in self.prices.items()}

    def stored_prices(self) -> dict[str, StoredPrices]:
        """The stored series that are named for prices."""
        return {
            name: StoredPrices(one.series_id, one.as_of) for name, one in self.price_series.items()
        }


class VersionQuoteRequest(Meter):
    """A meter, and the state that its last bill left: `state` of a quote's last period."""

    state: Annotated[dict[Name, Any], Field(default_factory=dict)]

    def state_before(self) -> State:
        """The state; Rejected, with the path of every fault, for what is none."""
        try:
            return read_state(self.state)
        except Rejected as refused:
            faults = tuple(Fault(f"/state{each.path}", each.detail) for each in refused.faults)
            raise Rejected(refused.code, refused.detail, faults) from None


class ChosenTariff(Body):
    """A stored version of a tariff, of whatever status, or a document that is stored nowhere."""

    tariff_id: UUID | None = None
    number: Annotated[int, Field(ge=1, le=NUMBER_MAX)] | None = None
    document: Document | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        stored = (self.tariff_id is not None, self.number is not None)
        if stored != ((True, True) if self.document is None else (False, False)):
            raise ValueError("must have tariff_id and number, or else a document")
        return self


class QuoteRequest(VersionQuoteRequest):
    """A meter and a tariff."""

    tariff: ChosenTariff


class ComparedTariff(ChosenTariff):
    """One of several tariffs. Unless it is given, its name is the tariff's code and the version's
    number, or else its place among the tariffs."""

    name: Code | None = None


class ComparisonRequest(Meter):
    """A meter and several tariffs."""

    tariffs: Annotated[list[ComparedTariff], Field(min_length=1, max_length=TARIFFS_MAX)]


class Answer(BaseModel):
    """What the engine says, all of it; decimals are strings."""

    model_config = ConfigDict(extra="allow")


class QuotedLine(Answer):
    """One charge."""

    component_id: str
    kind: str
    band: str | None
    quantity: str
    unit: str
    rate: str
    amount_exact: str
    amount: str


class QuotedPeriod(Answer):
    """The bill of a period; `state` is what it hands to the next one."""

    start: Day
    end: Day
    lines: list[QuotedLine]
    totals_exact: Mapping[str, str]
    totals: Mapping[str, str]
    peak_kw: str | None
    state: Mapping[str, Any]


class Quote(Answer):
    """What a tariff would charge, period by period."""

    currency: str
    periods: list[QuotedPeriod]


class ComparedRow(Answer):
    """What one tariff would charge; `difference` is to the cheapest one."""

    name: str
    totals_exact: Mapping[str, str]
    totals: Mapping[str, str]
    difference: str


class Comparison(Answer):
    """What each tariff would charge, the cheapest first."""

    currency: str
    start: Day
    end: Day
    tariffs: list[ComparedRow]
