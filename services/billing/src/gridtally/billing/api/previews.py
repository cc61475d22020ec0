"""Previews: `/v1/agreements/{id}/preview`, the bill so far and as it will probably be."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

import numpy as np
from fastapi import Query
from pydantic import Field, model_validator

from gridtally.billing.api.callers import CustomerReader
from gridtally.billing.domain import previews as domain
from gridtally.billing.domain.forecasts import METHOD, Method
from gridtally.billing.domain.recorded_usage import ReadingBlock
from gridtally.billing.handlers import previews as handlers
from gridtally.contracts.invoice_lines import InvoiceLine
from gridtally.contracts.metering import Flow, Minutes
from gridtally.contracts.model import Amount, Instant
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.problems import HttpRefusal
from gridtally.http.resources import AnswerModel, Body
from gridtally.kernel.energy import INTERVAL_WH_MAX
from gridtally.kernel.money import in_currency
from gridtally.kernel.periods import Period
from gridtally.rating.line_documents import line_document
from gridtally.rating.usage import MISSING

router = Router(prefix="/v1/agreements", tags=["previews"])
DAYS_MAX = 366
BLOCKS_MAX = 1_000
BLOCK_VALUES_MAX = 3_000
VALUES_MAX = 120_000
"""Values of one question: a leap year of 5-minute intervals."""
EARLIEST_ON, LATEST_ON = date(2000, 1, 1), date(9990, 1, 1)
IntervalWh = Annotated[int, Field(ge=0, le=INTERVAL_WH_MAX)]


class OtherReadings(Body):
    """Consecutive intervals of a flow, in the place of what was recorded."""

    flow: Flow = "import"
    """What is measured."""
    start_at: Instant
    """When the first interval starts, in UTC."""
    minutes: Minutes
    """The length of an interval, which must be that of the flow's recorded ones."""
    values: Annotated[list[IntervalWh | None], Field(min_length=1, max_length=BLOCK_VALUES_MAX)]
    """The energy of each interval in Wh (varh), in order; null takes a value away."""

    def block(self) -> ReadingBlock:
        """The domain's view of it."""
        values = [MISSING if value is None else value for value in self.values]
        return ReadingBlock(self.flow, self.start_at, self.minutes, np.array(values, np.int32))


class WhatIf(Body):
    """What shall be otherwise; what is left out is as it is."""

    start_on: date | None = None
    """The first local day, with `end_on`; without both it is the open period."""
    end_on: date | None = None
    """The local day after the last, at most 366 days later."""
    tariff_version_id: UUID | None = None
    """The published version that prices all of the days, whether it is in force on them or not."""
    readings: Annotated[list[OtherReadings], Field(max_length=BLOCKS_MAX)] = Field(
        default_factory=list
    )
    """Readings in the place of those that were recorded; later ones count."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if sum(len(block.values) for block in self.readings) > VALUES_MAX:
            raise ValueError(f"at most {VALUES_MAX} values at once")
        return self


class PreviewBill(AnswerModel):
    """A bill as an invoice would have it; it has no number, and nobody owes it."""

    lines: list[InvoiceLine]
    """The lines."""
    net: Amount
    """Before tax."""
    tax: Amount
    """The taxes."""
    total: Amount
    """With taxes."""
    energy_wh: dict[str, int]
    """The energy of each flow in Wh (varh)."""
    expected_intervals: int
    """How many intervals the flows have in the period."""
    present_intervals: int
    """How many of them have a value."""

    @classmethod
    def of(cls, made: domain.PreviewBill) -> Self:
        """The bill as the API shows it."""
        bill = made.bill
        return cls(
            lines=[InvoiceLine.model_validate(line_document(line)) for line in bill.lines],
            net=in_currency(bill.net, bill.currency),
            tax=in_currency(bill.tax, bill.currency),
            total=in_currency(bill.total, bill.currency),
            energy_wh=dict(made.energy_wh),
            expected_intervals=made.expected_intervals,
            present_intervals=made.present_intervals,
        )


class Spread(AnswerModel):
    """Between what the total would lie if use went on as in any of the reference weeks."""

    low: Amount
    """The least total."""
    high: Amount
    """The greatest total."""
    weeks: int
    """How many reference weeks have a level."""


class ForecastBill(PreviewBill):
    """The bill of the whole period, in which intervals without a value have what is expected."""

    method: Method
    """`weekday_and_time`: the mean of the same weekday and local time of day on the reference days,
    times the level of the last seven of them."""
    reference_start_on: date
    """The first reference day."""
    reference_end_on: date
    """The day after the last reference day, which is the last with a value."""
    level: dict[str, Amount]
    """What the last seven reference days carried over what their means say, by flow."""
    spread: Spread
    """How far off it may be."""
    expected_prices: list[str]
    """The price series whose prices are not published yet: the mean of the same weekday and time
    of day of the six weeks before is taken for them."""


class UnissuedPeriod(AnswerModel):
    """A period before the previewed one whose invoice is not issued yet."""

    start_on: date
    """The first local day."""
    end_on: date
    """The local day after the last."""


class PreviewPart(AnswerModel):
    """Days of the period, and the version that prices them."""

    start_on: date
    """The first local day."""
    end_on: date
    """The local day after the last."""
    tariff_version_id: UUID
    """The version."""


class Preview(AnswerModel):
    """What a period's bill comes to before it is issued: a preview, and no invoice."""

    kind: Literal["preview"]
    """Always `preview`: it has no number, is not posted, and may change with each reading."""
    agreement_id: UUID
    """The agreement."""
    customer_id: UUID
    """The customer."""
    meter_id: UUID
    """The meter."""
    start_on: date
    """The first local day of the period."""
    end_on: date
    """The local day after the last."""
    zone: str
    """The meter's time zone."""
    currency: str
    """The currency of all amounts."""
    made_at: datetime
    """When it was made, in UTC."""
    used_until: datetime | None
    """The end of the period's last interval with a value, in UTC; null where none has one."""
    parts: list[PreviewPart]
    """Which version prices which days."""
    so_far: PreviewBill
    """What the bill would be if nothing more were used: standing charges are those of the whole
    period, and what is missing counts as no energy."""
    forecast: ForecastBill
    """What the bill will probably be; the same once every interval has its value."""
    carries_on_from: list[UnissuedPeriod]
    """Where the tariff carries something from bill to bill: the periods that have no invoice yet,
    rated in turn to come to it."""
    invoice_id: UUID | None
    """The live invoice of the period that begins on the same day, if there is one."""

    @classmethod
    def of(cls, made: handlers.PreviewedBill, now: datetime) -> Self:
        """The preview as the API shows it."""
        preview, agreement = made.preview, made.agreement
        return cls(
            kind="preview",
            agreement_id=agreement.id,
            customer_id=agreement.customer_id,
            meter_id=agreement.meter_id,
            start_on=preview.period.start_on,
            end_on=preview.period.end_on,
            zone=made.zone,
            currency=preview.so_far.bill.currency,
            made_at=now,
            used_until=preview.used_until,
            parts=[
                PreviewPart(
                    start_on=part.period.start_on,
                    end_on=part.period.end_on,
                    tariff_version_id=part.version.id,
                )
                for part in preview.parts
            ],
            so_far=PreviewBill.of(preview.so_far),
            forecast=_forecast(made),
            carries_on_from=[
                UnissuedPeriod(start_on=period.start_on, end_on=period.end_on)
                for period in preview.unissued
            ],
            invoice_id=made.invoice_id,
        )


def _forecast(made: handlers.PreviewedBill) -> ForecastBill:
    preview, forecast = made.preview, made.forecast
    currency = preview.expected.bill.currency

    def shown(amount: Decimal) -> Decimal:
        return in_currency(amount, currency)

    return ForecastBill(
        **dict(PreviewBill.of(preview.expected)),
        method=METHOD,
        reference_start_on=forecast.reference.start_on,
        reference_end_on=forecast.reference.end_on,
        level=forecast.levels(),
        spread=Spread(low=shown(preview.low), high=shown(preview.high), weeks=len(forecast.weeks)),
        expected_prices=list(preview.expected_prices),
    )


@router.get("/{agreement_id}/preview")
async def preview_bill(
    agreement_id: UUID,
    db: Db,
    caller: CustomerReader,
    now: Now,
    on: Annotated[
        date | None,
        Query(
            description="A local day of the period; without it the open one",
            ge=EARLIEST_ON,
            lt=LATEST_ON,
        ),
    ] = None,
) -> Preview:
    """The open period's bill so far, and a forecast of the whole period.

    Made by the function that makes invoices, from the newest readings; nothing is stored.
    """
    question = handlers.Question(caller.tenant_id, agreement_id, on)
    return Preview.of(await handlers.preview_bill(db, question, now), now)


@router.post("/{agreement_id}/preview")
async def preview_what_if(
    agreement_id: UUID, what_if: WhatIf, db: Db, caller: CustomerReader, now: Now
) -> Preview:
    """The same with another tariff version, other readings or other days; nothing is stored."""
    question = handlers.Question(
        caller.tenant_id,
        agreement_id,
        period=_period(what_if),
        version_id=what_if.tariff_version_id,
        readings=[block.block() for block in what_if.readings],
    )
    return Preview.of(await handlers.preview_bill(db, question, now), now)


def _period(what_if: WhatIf) -> Period | None:
    """The days that are asked for, if any; HttpRefusal 400 where they cannot be answered."""
    start_on, end_on = what_if.start_on, what_if.end_on
    if start_on is None and end_on is None:
        return None
    if (
        start_on is None
        or end_on is None
        or not EARLIEST_ON <= start_on < end_on <= LATEST_ON
        or (end_on - start_on).days > DAYS_MAX
    ):
        detail = (
            f"`start_on` and `end_on` come together: `end_on` lies after `start_on`, at most "
            f"{DAYS_MAX} days, both from 2000 on"
        )
        raise HttpRefusal(400, "invalid_window", detail)
    return Period(start_on, end_on)
