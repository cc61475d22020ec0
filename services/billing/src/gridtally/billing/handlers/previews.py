"""A period that is not closed yet is previewed, or one that was, with something else in it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from gridtally.billing.domain import previews as domain
from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.fleet_costs.costs import ChannelDays
from gridtally.billing.domain.forecasts import Forecast, forecast
from gridtally.billing.domain.periods import invoice_id
from gridtally.billing.domain.previews import Carried, Preview, PreviewBasis
from gridtally.billing.domain.recorded_usage import ReadingBlock, RecordedUsage, recorded_usage
from gridtally.billing.domain.reference_data import ReferenceData
from gridtally.billing.domain.tariffs import InForce
from gridtally.billing.store import agreements, calculated_bills, fleet_costs, periods, previews
from gridtally.billing.store.reference_data import fetch_reference_data, with_prices
from gridtally.database import Database, ReadConnection, snapshot
from gridtally.kernel.errors import Fault, NotFound, Rejected
from gridtally.kernel.periods import ONE_DAY, Period, local_date
from gridtally.rating.usage import ACTIVE_FLOWS, REACTIVE_FLOWS

LOOK_BACK = timedelta(days=56)
"""How far back the last usage is looked for, and the six weeks before it that a forecast needs."""
_FLOWS = (*ACTIVE_FLOWS, *REACTIVE_FLOWS)


@dataclass(frozen=True, slots=True)
class Question:
    """Which agreement's bill: of the period of the day `on` (today) or of the days `period`, by
    another version or with other readings where they are given."""

    tenant_id: str
    agreement_id: UUID
    on: date | None = None
    period: Period | None = None
    version_id: UUID | None = None
    readings: Sequence[ReadingBlock] = ()


@dataclass(frozen=True, slots=True)
class PreviewedBill:
    """A preview, whose it is, what its forecast rests on, and the period's live invoice."""

    agreement: Agreement
    zone: str
    preview: Preview
    forecast: Forecast
    invoice_id: UUID | None


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """What was read of the question, before anything is made of it; `days` are those whose usage
    the bill and its forecast rest on."""

    agreement: Agreement
    period: Period
    rated: Period
    days: Period
    zone: str
    usage: Sequence[ChannelDays]
    known: ReferenceData
    known_before: ReferenceData
    carried: Carried
    invoice_id: UUID | None


async def preview_bill(db: Database, question: Question, now: datetime) -> PreviewedBill:
    """The preview, made of what is stored now.

    Opens its own snapshot, which is over before the bill is made in a thread. NotFound where there
    is no such agreement or published version; Rejected where the agreement is not in force, nothing
    was recorded yet, other readings lie on other days, or the period could not be billed.
    """
    async with snapshot(db, tenant=question.tenant_id) as read:
        loaded = await load(read, question, now)
    _check_readings(question.readings, loaded)
    return await asyncio.to_thread(previewed, question, loaded)


def _check_readings(readings: Sequence[ReadingBlock], loaded: Loaded) -> None:
    """Rejected where some lie on days that the preview does not rest on: they would be passed
    over."""
    days = loaded.days
    faults = [
        Fault(
            f"/readings/{index}/start_at",
            f"all values must lie on days from {days.start_on} up to, but without, {days.end_on}",
        )
        for index, block in enumerate(readings)
        if local_date(loaded.zone, block.start_at) < days.start_on
        or local_date(loaded.zone, block.last_at) >= days.end_on
    ]
    if faults:
        raise Rejected(
            "readings_misfit", "readings lie outside what the preview rests on", tuple(faults)
        )


def previewed(question: Question, loaded: Loaded) -> PreviewedBill:
    """The preview of what was read; Rejected as `preview_bill` is."""
    usage = recorded_usage(loaded.usage, loaded.zone, loaded.rated).with_readings(question.readings)
    expected = _forecast(usage, loaded)
    basis = PreviewBasis(
        tenant_id=question.tenant_id,
        agreement=loaded.agreement,
        period=loaded.period,
        usage=usage,
        forecast=expected,
        known=loaded.known,
        known_before=loaded.known_before,
        carried=loaded.carried,
    )
    made = domain.preview(basis)
    return PreviewedBill(loaded.agreement, usage.zone, made, expected, loaded.invoice_id)


def _forecast(usage: RecordedUsage, loaded: Loaded) -> Forecast:
    """What the meter will use, judged by days that are the agreement's own."""
    own = Period(min(loaded.agreement.start_on, loaded.period.start_on), loaded.period.end_on)
    expected = forecast(usage, own)
    if expected is None:
        raise Rejected("no_usage_yet", "nothing was recorded of the agreement's meter by then")
    return expected


async def load(read: ReadConnection, question: Question, now: datetime) -> Loaded:
    """What the question needs; NotFound and Rejected as `preview_bill` is."""
    tenant_id, agreement_id = question.tenant_id, question.agreement_id
    agreement = (await agreements.fetch_agreements(read, tenant_id, [agreement_id])).get(
        agreement_id
    )
    if agreement is None:
        raise NotFound("agreement_unknown", f"there is no agreement {agreement_id}")
    zone = await previews.fetch_zone(read, tenant_id, agreement.meter_id) or previews.UTC_ZONE
    today = local_date(zone, now)
    period = await _period(read, question, agreement, today)
    carried = await previews.fetch_last_invoiced(read, tenant_id, agreement_id, period.start_on)
    carried = carried or Carried(agreement.billed_from_on, {})
    back_on = min(period.start_on, max(carried.end_on, period.start_on - _DAYS_BEFORE))
    known_before = await fetch_reference_data(
        read,
        agreements={(tenant_id, agreement_id)},
        meters={(tenant_id, agreement.meter_id)},
        start_on=back_on,
        end_on=period.end_on,
    )
    known = await _priced_by(read, question, agreement, known_before)
    rated = period
    if domain.carries_on(known, tenant_id, agreement, period):
        rated = Period(back_on, period.end_on)
    reference_on = min(period.end_on, today + ONE_DAY) - LOOK_BACK
    days = Period(min(rated.start_on, reference_on), period.end_on)
    key = (tenant_id, agreement_id, period.start_on)
    live = (await periods.fetch_live_invoices(read, [key])).get(key)
    return Loaded(
        agreement=agreement,
        period=period,
        rated=rated,
        days=days,
        zone=zone,
        usage=await fleet_costs.fetch_usage(read, tenant_id, [agreement.meter_id], days, _FLOWS),
        known=await with_prices(read, known, days.start_on, days.end_on),
        known_before=await with_prices(read, known_before, days.start_on, days.end_on),
        carried=carried,
        invoice_id=None if live is None else invoice_id(key, live.revision, live.restatement),
    )


_DAYS_BEFORE = timedelta(days=domain.CARRIED_DAYS_MAX)


async def _period(
    read: ReadConnection, question: Question, agreement: Agreement, today: date
) -> Period:
    """The days that are asked for; Rejected where the agreement is not in force on them."""
    if question.period is not None:
        agreement.period_of(question.period.start_on)
        agreement.period_of(question.period.end_on - ONE_DAY)
        return question.period
    if question.on is not None:
        return agreement.expected_period_of(question.on)
    day = domain.last_day(agreement, today)
    period = agreement.expected_period_of(day)
    key = (question.tenant_id, agreement.id, period.start_on)
    if day < today and await periods.fetch_live_invoices(read, [key]):
        agreement.period_of(today)
    return period


async def _priced_by(
    read: ReadConnection, question: Question, agreement: Agreement, known: ReferenceData
) -> ReferenceData:
    """The same reference data, in which the version that is asked for is the agreement's."""
    tenant_id, version_id = question.tenant_id, question.version_id
    if version_id is None:
        return known
    stored = await calculated_bills.fetch_version(read, tenant_id, version_id)
    if stored is None:
        raise NotFound(
            "tariff_version_unknown", f"there is no published tariff version {version_id}"
        )
    _, document = stored
    always = InForce(version_id, 1, date.min, None)
    return replace(
        known,
        versions={(tenant_id, agreement.tariff_id): [always]},
        documents={(tenant_id, version_id): document},
    )
