"""A correction is previewed before it is made: nothing but the preview itself is stored."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from gridtally.billing.domain import corrections as domain
from gridtally.billing.domain.changed_documents import (
    ChangedDocument,
    IssuedDocument,
    changed_documents,
)
from gridtally.billing.domain.corrections import ChangedDay, ChangedInvoice, DayCost, IssuedInvoice
from gridtally.billing.domain.recorded_usage import ReadingBlock, recorded_usage
from gridtally.billing.domain.reference_data import ReferenceData
from gridtally.billing.handlers import previews
from gridtally.billing.handlers.derived_meters import MeterChange, derived_changes
from gridtally.billing.handlers.previews import Loaded, Question
from gridtally.billing.store import corrections as store
from gridtally.billing.store import fleet_costs
from gridtally.billing.store.corrections import CorrectedMeter
from gridtally.billing.store.previews import fetch_zone
from gridtally.billing.store.reference_data import (
    fetch_reference_data,
    fetch_reference_data_of_meters,
    with_prices,
)
from gridtally.database import Database, ReadConnection, snapshot
from gridtally.database.rows import Row
from gridtally.kernel.errors import Fault, NotFound, Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.usage import ACTIVE_FLOWS, REACTIVE_FLOWS

METERS_MAX = 50
OPEN_PERIODS_MAX = 100
_FLOWS = (*ACTIVE_FLOWS, *REACTIVE_FLOWS)
Blocks = Mapping[UUID, Sequence[tuple[int, ReadingBlock]]]
"""The readings of each meter, with the number of each in the request."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenPeriod:
    """A period without an invoice: its bill so far before and after, or why it has none."""

    agreement_id: UUID
    customer_id: UUID
    meter_id: UUID
    period: Period
    is_closed: bool
    currency: str | None
    before: Decimal | None
    after: Decimal | None
    refused: Rejected | None


@dataclass(frozen=True, slots=True, eq=False)
class CorrectionPreview:
    """All that the correction would change."""

    meters: Mapping[UUID, CorrectedMeter]
    derived: Sequence[CorrectedMeter]
    days: Sequence[ChangedDay]
    costs: Sequence[DayCost]
    invoices: Sequence[ChangedInvoice]
    documents: Sequence[ChangedDocument]
    open_periods: Sequence[OpenPeriod]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A period without an invoice, and what its previews need, or why there are none."""

    question: Question
    loaded: Loaded | Rejected
    period: Period
    is_closed: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    meters: Mapping[UUID, CorrectedMeter]
    derived: Sequence[CorrectedMeter]
    changes: Mapping[UUID, MeterChange]
    issued: Mapping[UUID, Sequence[IssuedInvoice]]
    documents: Mapping[UUID, IssuedDocument]
    known: ReferenceData
    waiting: Sequence[_Waiting]


async def preview_correction(
    db: Database, tenant_id: str, blocks: Blocks, now: datetime
) -> CorrectionPreview:
    """What these readings would change, made of what is stored now.

    Opens its own snapshot, which is over before bills are made in a thread. NotFound for a meter
    that is not known; Rejected where readings do not fit, and where there are too many meters.
    """
    if len(blocks) > METERS_MAX:
        raise Rejected("correction_too_large", f"at most {METERS_MAX} meters at once")
    async with snapshot(db, tenant=tenant_id) as read:
        loaded = await _load(read, tenant_id, blocks, now)
    return await asyncio.to_thread(_previewed, tenant_id, loaded)


async def _load(read: ReadConnection, tenant_id: str, blocks: Blocks, now: datetime) -> _Loaded:
    meters = await store.fetch_meters(read, tenant_id, list(blocks))
    _check_meters(meters, blocks)
    changes = {
        meter_id: await _meter_change(read, tenant_id, meter_id, own)
        for meter_id, own in blocks.items()
    }
    derived = await derived_changes(read, tenant_id, changes)
    changes |= derived
    meters |= await store.fetch_meters(read, tenant_id, list(derived))
    spans = {
        meter_id: (min(day.day for day in change.days), max(day.day for day in change.days))
        for meter_id, change in changes.items()
        if change.days
    }
    ids = await store.fetch_agreement_ids(
        read, tenant_id, {own: (first, _after(last)) for own, (first, last) in spans.items()}
    )
    first_on = min((first for first, _ in spans.values()), default=date.min)
    rows = await store.fetch_periods(read, tenant_id, ids, first_on)
    issued = await store.fetch_issued(read, tenant_id, rows)
    start_on = min([first_on, *(row["start_on"] for row in rows)])
    end_on = max([_after(first_on), *(row["end_on"] for row in rows)])
    known = await fetch_reference_data(
        read,
        agreements={(tenant_id, own) for own in ids},
        meters={(tenant_id, own) for own in meters},
        start_on=start_on,
        end_on=end_on,
    )
    return _Loaded(
        meters=meters,
        derived=[meters[meter_id] for meter_id in derived if changes[meter_id].days],
        changes=changes,
        issued=issued,
        documents=await store.fetch_documents(
            read, tenant_id, [own for of_agreement in issued.values() for own in of_agreement]
        ),
        known=await with_prices(read, known, start_on, end_on) if rows else known,
        waiting=await _waiting_periods(read, tenant_id, changes, rows, known, now),
    )


def _after(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)


def _check_meters(meters: Mapping[UUID, CorrectedMeter], blocks: Blocks) -> None:
    for meter_id, own in blocks.items():
        if meter_id not in meters:
            fault = Fault(f"/readings/{own[0][0]}/meter_id", "no meter has this id")
            raise NotFound("meter_unknown", f"there is no meter {meter_id}", (fault,))
        for index, block in own:
            if block.flow not in meters[meter_id].flows:
                fault = Fault(f"/readings/{index}/flow", "the meter does not measure this flow")
                raise Rejected("readings_misfit", "the readings do not fit the meter", (fault,))


async def _meter_change(
    read: ReadConnection,
    tenant_id: str,
    meter_id: UUID,
    numbered: Sequence[tuple[int, ReadingBlock]],
) -> MeterChange:
    blocks = [block for _, block in numbered]
    span = domain.span_of(blocks)
    usage = await fleet_costs.fetch_usage(read, tenant_id, [meter_id], span, _FLOWS)
    zone = await fetch_zone(read, tenant_id, meter_id)
    if zone is None:
        raise Rejected("no_usage_yet", f"nothing was recorded of meter {meter_id} yet")
    recorded = recorded_usage(usage, zone, span)
    try:
        corrected = recorded.with_readings(blocks)
    except Rejected as refused:
        raise _renumbered(refused, numbered) from None
    known = await fetch_reference_data_of_meters(
        read, {(tenant_id, meter_id)}, span.start_on, span.end_on
    )
    known = await with_prices(read, known, span.start_on, span.end_on)
    days = domain.changed_days(meter_id, recorded, corrected)
    return MeterChange(blocks, (recorded, corrected), known, days)


def _renumbered(refused: Rejected, numbered: Sequence[tuple[int, ReadingBlock]]) -> Rejected:
    """The refusal whose faults point at the readings of the request."""
    faults = []
    for fault in refused.faults:
        _, name, index, field = fault.path.split("/")
        faults.append(Fault(f"/{name}/{numbered[int(index)][0]}/{field}", fault.detail))
    return Rejected(refused.code, refused.detail, tuple(faults))


async def _waiting_periods(
    read: ReadConnection,
    tenant_id: str,
    changes: Mapping[UUID, MeterChange],
    rows: Sequence[Row],
    known: ReferenceData,
    now: datetime,
) -> list[_Waiting]:
    """The changed periods that have no invoice, closed or not, with what their previews need."""
    closed = {(row["agreement_id"], row["start_on"]): row for row in rows}
    wanted: dict[tuple[UUID, Period], Sequence[ReadingBlock]] = {}
    for (_, agreement_id), agreement in known.agreements.items():
        change = changes[agreement.meter_id]
        for changed in change.days:
            if changed.day in agreement:
                period = agreement.period_of(changed.day)
                row = closed.get((agreement_id, period.start_on))
                if row is None or row["id"] is None:
                    wanted[agreement_id, period] = change.blocks
    if len(wanted) > OPEN_PERIODS_MAX:
        raise Rejected(
            "correction_too_large", f"more than {OPEN_PERIODS_MAX} periods without an invoice"
        )
    waiting = []
    for (agreement_id, period), blocks in wanted.items():
        question = Question(tenant_id, agreement_id, period=period, readings=blocks)
        loaded: Loaded | Rejected
        try:
            loaded = await previews.load(read, question, now)
        except Rejected as refused:
            loaded = refused
        is_closed = (agreement_id, period.start_on) in closed
        waiting.append(_Waiting(question, loaded, period, is_closed))
    return waiting


def _previewed(tenant_id: str, loaded: _Loaded) -> CorrectionPreview:
    blocks = {meter_id: change.blocks for meter_id, change in loaded.changes.items()}
    costs: list[DayCost] = []
    for meter_id, change in loaded.changes.items():
        days = sorted({changed.day for changed in change.days})
        costs += domain.day_costs(tenant_id, meter_id, days, change.usages, change.known)
    invoices = [
        changed
        for issued in loaded.issued.values()
        for changed in domain.changed_invoices(issued, blocks, loaded.known)
    ]
    return CorrectionPreview(
        meters=loaded.meters,
        derived=loaded.derived,
        days=[changed for change in loaded.changes.values() for changed in change.days],
        costs=costs,
        invoices=invoices,
        documents=changed_documents(invoices, loaded.documents),
        open_periods=[_open_period(loaded, waiting) for waiting in loaded.waiting],
    )


def _open_period(loaded: _Loaded, waiting: _Waiting) -> OpenPeriod:
    question, read = waiting.question, waiting.loaded
    agreement = loaded.known.agreements[question.tenant_id, question.agreement_id]
    currency, before, after, refused = None, None, None, None
    try:
        if isinstance(read, Rejected):
            raise read
        corrected = previews.previewed(question, read).preview.so_far.bill
        currency, after = corrected.currency, corrected.total
        so_far = previews.previewed(replace(question, readings=()), read).preview.so_far.bill
        before = so_far.total
    except Rejected as why:
        refused = why
    return OpenPeriod(
        agreement.id,
        agreement.customer_id,
        agreement.meter_id,
        waiting.period,
        waiting.is_closed,
        currency,
        before,
        after,
        refused,
    )
