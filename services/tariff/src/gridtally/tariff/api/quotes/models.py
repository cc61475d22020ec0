"""The bodies of quotes: a meter's usage with the prices for it, the tariffs, and the answers."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from uuid import UUID

import numpy as np
from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from gridtally.contracts.metering import Flow, Minutes
from gridtally.contracts.model import Code, Currency, Day, Instant, Zone
from gridtally.http.resources import AnswerModel, Body
from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.money import parse_decimal
from gridtally.kernel.periods import Period
from gridtally.rating import prices as rating
from gridtally.rating.quantity_steps import QuantityRounding
from gridtally.rating.state import State, read_state
from gridtally.rating.usage import Usage
from gridtally.tariff.api.models import NUMBER_MAX, Described
from gridtally.tariff.api.price_uploads import START_CHARS_MAX
from gridtally.tariff.api.tariff_versions import Document
from gridtally.tariff.documents import Name, Rate, model_of
from gridtally.tariff.domain import quotes as domain
from gridtally.tariff.domain.local_days import requested_period
from gridtally.tariff.domain.price_series import SeriesMinutes
from gridtally.tariff.domain.prices import DAYS_MAX, scaled
from gridtally.tariff.handlers.quotes import StoredPrices

SERIES_MAX = 10
Kwh = Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,9})?$")]
ConnectedKw = Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?$")]


class Dates(Body):
    """Local days from `from` up to, but without, `to`."""

    start_on: Annotated[Day, Field(alias="from")]
    """The first local date."""
    end_on: Annotated[Day, Field(alias="to")]
    """The local date after the last."""


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
    """When the first interval starts: an instant, or a local time of the meter's zone."""
    minutes: Minutes
    """The length of every interval, in minutes."""
    values: dict[
        Flow, Annotated[list[Kwh | None], Field(min_length=1, max_length=domain.VALUES_MAX)]
    ]
    """The energy of each interval in kWh, in order, by flow; null where there is no value."""


class InlinePrices(Body):
    """Prices per kWh from `start_at` on, one for every `minutes`; null where there is none."""

    currency: Currency
    """The currency of the prices (ISO 4217)."""
    start_at: Instant
    """When the first interval starts, in UTC."""
    minutes: SeriesMinutes
    """The length of every interval, in minutes."""
    prices: Annotated[list[Rate | None], Field(min_length=1, max_length=domain.VALUES_MAX)]
    """The price of each interval in `currency` per kWh, in order; null where there is none."""

    def to_domain(self, path: str) -> rating.PriceSeries:
        """The series; Rejected for prices that are too high or too fine."""
        try:
            numbers = [
                rating.PRICE_MISSING if price is None else scaled(price) for price in self.prices
            ]
        except ValueError as error:
            raise Rejected("invalid_prices", str(error), (Fault(path, str(error)),)) from None
        prices = np.array(numbers, np.int64)
        return rating.PriceSeries(self.currency, self.start_at, self.minutes, prices)


class NamedSeries(Body):
    """A stored price series, as known now or at an instant."""

    series_id: UUID
    """The stored price series."""
    as_of: Instant | None = None
    """The instant as known at which it is read, in UTC; null for now."""


class QuotedMeter(Body):
    """What a meter measured, how it is billed, and the prices that tariffs charge by.

    By the code that a tariff has for them, prices are those in `prices`, else of the series that
    `price_series` names, else of the stored series with that code. The zone, which cuts days and
    months, is the tariff's unless named.
    """

    usage: Intervals
    """What the meter measured."""
    zone: Zone | None = None
    """The meter's IANA time zone; null for the tariff's."""
    period: BilledPeriod = None
    """`month` for one bill a month, dates for one bill of these days; null for `month`."""
    connected_kw: ConnectedKw | None = None
    """The connected load (sanctioned load) in kW; null where no charge needs it."""
    prices: Annotated[dict[Name, InlinePrices], Field(max_length=SERIES_MAX, default_factory=dict)]
    """Prices in the request itself, by the code that a tariff has for them."""
    price_series: Annotated[
        dict[Name, NamedSeries], Field(max_length=SERIES_MAX, default_factory=dict)
    ]
    """Stored price series, by the code that a tariff has for them."""

    def intervals(self, tariff_zone: str) -> domain.MeteredIntervals:
        """The intervals; Rejected where they are none."""
        usage, zone = self.usage, self.zone or tariff_zone
        return domain.metered_intervals(zone, usage.start, usage.minutes, usage.values)

    def usages(self, intervals: domain.MeteredIntervals) -> list[Usage]:
        """The usage of each period to be billed; Rejected where the intervals lack any of it."""
        period: Period | Literal["month"] = "month"
        if self.period is not None:
            period = requested_period(
                self.period.start_on, self.period.end_on, DAYS_MAX, within="/period"
            )
        kw = None if self.connected_kw is None else parse_decimal(self.connected_kw)
        return intervals.usages(period, kw)

    def inline_prices(self) -> dict[str, rating.PriceSeries]:
        """The prices in the request itself, by code."""
        return {code: prices.to_domain(f"/prices/{code}") for code, prices in self.prices.items()}

    def stored_prices(self) -> dict[str, StoredPrices]:
        """The stored series that the request names, by code."""
        return {
            code: StoredPrices(series.series_id, series.as_of)
            for code, series in self.price_series.items()
        }


class VersionQuoteRequest(QuotedMeter):
    """A meter, and the state that its last bill left: `state` of a quote's last period."""

    state: Annotated[dict[Name, Any], Field(default_factory=dict)]
    """What the last bill carries forward, by component."""

    def state_before(self) -> State:
        """The state; Rejected, with the path of every fault, for what is none."""
        try:
            return read_state(self.state)
        except Rejected as refused:
            faults = tuple(Fault(f"/state{fault.path}", fault.detail) for fault in refused.faults)
            raise Rejected(refused.code, refused.detail, faults) from None


class ChosenTariff(Body):
    """A stored version of a tariff, of whatever status, or a document that is stored nowhere."""

    tariff_id: UUID | None = None
    """The tariff."""
    number: Annotated[int, Field(ge=1, le=NUMBER_MAX)] | None = None
    """The number of its version."""
    document: Document | None = None
    """A document, in place of a stored version."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        stored = (self.tariff_id is not None, self.number is not None)
        if stored != ((True, True) if self.document is None else (False, False)):
            raise ValueError("must have tariff_id and number, or else a document")
        return self


class QuoteRequest(VersionQuoteRequest):
    """A meter and a tariff."""

    tariff: ChosenTariff
    """What the meter is billed by."""


class ComparedTariff(ChosenTariff):
    """One of several tariffs. Unless it is given, its name is the tariff's code and the version's
    number, or else its position among the tariffs."""

    name: Code | None = None
    """What its row is called in the answer."""


class ComparisonRequest(QuotedMeter):
    """A meter and several tariffs."""

    tariffs: Annotated[list[ComparedTariff], Field(min_length=1, max_length=domain.TARIFFS_MAX)]
    """The tariffs to compare."""


class Answer(AnswerModel):
    """What the engine says, all of it; decimals are strings."""

    model_config = ConfigDict(extra="allow")


class QuotedLine(Answer):
    """One charge."""

    component_id: str
    """The component that charges this."""
    kind: str
    """What sort of charge it is."""
    band: str | None
    """The band whose energy or demand it is for; null for all."""
    start: Day
    """The first local date that it is for: a season, tax or version may begin in the period."""
    end: Day
    """The local date after the last that it is for."""
    quantity: str
    """How much is charged, in `unit`."""
    unit: str
    """The unit of the quantity, such as kWh, kW or month."""
    quantity_rounding: Annotated[dict[str, Any], Described(model_of(QuantityRounding))] | None
    """How each interval's kWh are rounded before they are added up; null for not at all."""
    rate: str
    """The price of one `unit`, in the quote's currency."""
    payee: str | None
    """Who receives the money, where it is not the supplier."""
    amount_exact: str
    """Quantity × rate before rounding, in the quote's currency."""
    amount: str
    """The rounded amount, in the quote's currency."""


class QuotedPeriod(Answer):
    """The bill of a period; `state` is what it carries forward to the next one."""

    start: Day
    """The period's first local date."""
    end: Day
    """The local date after the period's last."""
    lines: list[QuotedLine]
    """The charges and credits."""
    totals_exact: Mapping[str, str]
    """The totals by kind of line before rounding, in the quote's currency."""
    totals: Mapping[str, str]
    """The rounded totals by kind of line, in the quote's currency."""
    payees: Mapping[str, str]
    """What is for each payee that components name, in the quote's currency; the rest is the
    supplier's."""
    peak_kw: str | None
    """The highest mean import of an interval, in kW; null where there is none."""
    state: Mapping[str, Any]
    """What the next period's quote needs of this one, by component."""


class Quote(Answer):
    """What a tariff would charge, period by period."""

    currency: str
    """The currency of all amounts (ISO 4217)."""
    periods: list[QuotedPeriod]
    """The bills, in order."""


class ComparedRow(Answer):
    """What one tariff would charge; `difference` is to the cheapest one."""

    name: str
    """What the tariff is called in the request."""
    totals_exact: Mapping[str, str]
    """The totals by kind of line before rounding, in the currency."""
    totals: Mapping[str, str]
    """The rounded totals by kind of line, in the currency."""
    difference: str
    """How much more it charges than the cheapest one, in the currency."""


class Comparison(Answer):
    """What each tariff would charge, the cheapest first."""

    currency: str
    """The currency of all amounts (ISO 4217)."""
    start: Day
    """The first local date that is rated."""
    end: Day
    """The local date after the last that is rated."""
    tariffs: list[ComparedRow]
    """The tariffs, the cheapest first."""
