"""Contracts to domain values and back. Owns how evidence is packed and how events are encoded.

Invoices and costs are encoded by orjson from plain values, many times as quick as by their
models; a test holds the two equal.
"""

import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray

from billing.domain.agreements import Agreement
from billing.domain.days import CostDay, FlowKey, FlowUsage
from billing.domain.invoices import CreditNote, Invoice
from billing.domain.periods import ClosedPeriod
from contracts.accounts import AccountChanged
from contracts.catalogue import PricesPublished
from contracts.commerce import (
    AgreementChanged,
    CostRolledUp,
    CreditNoteIssued,
    InvoiceIssued,
    InvoiceVoided,
)
from contracts.metering import PeriodClosed, Series, UsageRecorded
from kernel.errors import Poison
from kernel.ids import derive_id
from kernel.money import plain
from kernel.periods import ONE_DAY, Period
from messaging import Outgoing, Received
from rating.lines import Item, Line
from rating.prices import check_price
from rating.usage import MISSING, slots_in

SOURCE = "gridtally/billing"
PACK_LEVEL = 1
"""zlib: 0.07 ms for a month of 15 minutes, to a third of its size."""

_KEPT = (
    "agreement_id",
    "meter_id",
    "zone",
    "start_on",
    "end_on",
    "revision",
    "closed_by",
    "expected_intervals",
    "present_intervals",
    "digest",
)
"""The fields of a closed period that an invoice and its evidence keep as they came."""


def closed_period(message: Received[PeriodClosed]) -> ClosedPeriod:
    """The closed period that a message carries; Poison where it contradicts itself."""
    event, value = message.event, message.value
    if event is None or value is None:
        raise Poison("a closed period cannot be deleted by a tombstone")
    return read_closed_period(
        event, value, message.envelope.tenant_id, message.envelope.correlation_id
    )


def read_closed_period(
    event: PeriodClosed, value: bytes, tenant_id: str, correlation_id: str
) -> ClosedPeriod:
    """The domain's view of the event; Poison where its series do not fill its period."""
    if event.start_on >= event.end_on:
        raise Poison("a period must begin (start_on) before it ends (end_on)")
    period = Period(event.start_on, event.end_on)
    for series in event.series:
        _check_filled(series, event.zone, period)
    if len({series.flow for series in event.series}) != len(event.series):
        raise Poison("a flow is there twice")
    return ClosedPeriod(
        tenant_id=tenant_id,
        agreement_id=event.agreement_id,
        meter_id=event.meter_id,
        zone=event.zone,
        period=period,
        revision=event.revision,
        closed_by=event.closed_by,
        minutes={series.flow: series.minutes for series in event.series},
        series={series.flow: energy_of(series.values) for series in event.series},
        expected_intervals=event.expected_intervals,
        present_intervals=event.present_intervals,
        digest=event.digest,
        usage_packed=pack_usage(event.series),
        correlation_id=correlation_id,
        event=value,
    )


def held_before(row: Any) -> ClosedPeriod:
    """A period that was held, from its row."""
    event = PeriodClosed.model_validate_json(row["event"])
    return read_closed_period(event, row["event"], row["tenant_id"], row["correlation_id"])


def closed_again(row: Mapping[str, Any], correlation_id: str) -> ClosedPeriod:
    """A period as it was closed, from the evidence of its invoice.

    When it was closed is not kept: it was before the invoice was issued.
    """
    event = PeriodClosed(
        **{name: row[name] for name in _KEPT},
        closed_at=row["issued_at"],
        series=unpack_usage(row["usage"]),
    )
    value = event.model_dump_json().encode()
    return read_closed_period(event, value, row["tenant_id"], correlation_id)


def _check_filled(series: Series, zone: str, period: Period) -> None:
    try:
        slots = slots_in(zone, period, series.minutes)
    except ValueError as impossible:
        raise Poison(str(impossible)) from None
    if not len(series.values) == len(series.quality) == slots:
        raise Poison(
            f"{series.flow}: {len(series.values)} values and {len(series.quality)} letters of "
            f"quality in a period of {slots} intervals"
        )


def energy_of(values: Sequence[int | None]) -> NDArray[np.int32]:
    """Whole Wh per interval, `MISSING` for None; Poison for what no interval can carry."""
    if None in values:
        values = [MISSING if value is None else value for value in values]
    try:
        return np.array(values, dtype=np.int32)
    except OverflowError:
        raise Poison("an interval's energy does not fit into four bytes") from None


def pack_usage(series: Sequence[Series]) -> bytes:
    """The series as evidence keeps them: zlib over the JSON of the event's field."""
    fields = [
        {"flow": s.flow, "minutes": s.minutes, "values": s.values, "quality": s.quality}
        for s in series
    ]
    return zlib.compress(orjson.dumps(fields), PACK_LEVEL)


def unpack_usage(packed: bytes) -> list[Series]:
    """What `pack_usage` packed."""
    return [Series.model_validate(series) for series in orjson.loads(zlib.decompress(packed))]


def newest_usage(
    messages: Sequence[Received[UsageRecorded]],
) -> dict[FlowKey, FlowUsage]:
    """The newest of each channel-day; Poison where the values do not fill the local day."""
    newest: dict[FlowKey, FlowUsage] = {}
    for message in messages:
        event, envelope = message.event, message.envelope
        if event is None:
            raise Poison("usage cannot be deleted by a tombstone")
        _check_day(event)
        key = (envelope.tenant_id, event.meter_id, event.day, event.flow)
        if key not in newest or newest[key].version < event.version:
            newest[key] = FlowUsage(
                zone=event.zone,
                minutes=event.minutes,
                version=event.version,
                energy=energy_of(event.values).astype("<i4").tobytes(),
                correlation_id=envelope.correlation_id,
            )
    return newest


def _check_day(event: UsageRecorded) -> None:
    try:
        slots = slots_in(event.zone, Period(event.day, event.day + ONE_DAY), event.minutes)
    except (ValueError, OverflowError) as impossible:  # 9999-12-31 has no next day
        raise Poison(str(impossible)) from None
    if len(event.values) != slots:
        raise Poison(f"{len(event.values)} values in a day of {slots} intervals")


def check_prices(event: PricesPublished) -> None:
    """Poison where the prices do not fill their local day, or are more than rating can take."""
    try:
        slots = slots_in(event.zone, Period(event.day, event.day + ONE_DAY), event.minutes)
        for price in event.prices:
            if price is not None:
                check_price(price)
    except (ValueError, OverflowError) as impossible:  # 9999-12-31 has no next day
        raise Poison(str(impossible)) from None
    if len(event.prices) != slots:
        raise Poison(f"{len(event.prices)} prices for a day of {slots} intervals")


def check_accounts(event: AccountChanged) -> None:
    """Poison where a currency appears twice."""
    if len({one.currency for one in event.accounts}) != len(event.accounts):
        raise Poison("a currency appears twice in the customer's accounts")


def agreement_changed(
    agreement: Agreement, *, tenant_id: str, correlation_id: str, now: datetime
) -> Outgoing:
    """The agreement as it is now."""
    return Outgoing.of(
        AgreementChanged(
            agreement_id=agreement.id,
            customer_id=agreement.customer_id,
            meter_id=agreement.meter_id,
            tariff_id=agreement.tariff_id,
            start_on=agreement.start_on,
            end_on=agreement.end_on,
            closing=agreement.closing,
            grace_hours=agreement.grace_hours,
            version=agreement.version,
        ),
        tenant_id=tenant_id,
        correlation_id=correlation_id,
        source=SOURCE,
        event_id=derive_id("agreement.changed", tenant_id, agreement.id, agreement.version),
        occurred_at=now,
    )


def invoice_issued(invoice: Invoice) -> Outgoing:
    """The invoice with all its lines."""
    value = {
        "invoice_id": invoice.id,
        "number": invoice.number,
        "customer_id": invoice.customer_id,
        "agreement_id": invoice.agreement_id,
        "meter_id": invoice.meter_id,
        "start_on": invoice.period.start_on,
        "end_on": invoice.period.end_on,
        "revision": invoice.revision,
        "restatement": invoice.restatement,
        "currency": invoice.currency,
        "lines": [line_document(line) for line in invoice.lines],
        "net": plain(invoice.net),
        "tax": plain(invoice.tax),
        "total": plain(invoice.total),
        "issued_at": _instant(invoice.issued_at),
        "due_on": None,  # by the ledger's payment terms
        "brought_forward": plain(invoice.account.balance),
        "arrears": plain(invoice.account.arrears),
        "amount_due": plain(invoice.amount_due),
    }
    return _outgoing(InvoiceIssued.TOPIC, invoice.agreement_id, invoice.id, invoice, value)


def credit_note_issued(note: CreditNote) -> list[Outgoing]:
    """The credit note, and that its invoice is void."""
    value = {
        "credit_note_id": note.id,
        "number": note.number,
        "invoice_id": note.invoice_id,
        "invoice_number": note.invoice_number,
        "customer_id": note.customer_id,
        "agreement_id": note.agreement_id,
        "currency": note.currency,
        "lines": [line_document(line) for line in note.lines],
        "net": plain(note.net),
        "tax": plain(note.tax),
        "total": plain(note.total),
        "reason": note.reason,
        "issued_at": _instant(note.issued_at),
    }
    voided = {
        "invoice_id": note.invoice_id,
        "number": note.invoice_number,
        "agreement_id": note.agreement_id,
        "credit_note_id": note.id,
        "reason": note.reason,
        "voided_at": _instant(note.issued_at),
    }
    return [
        _outgoing(CreditNoteIssued.TOPIC, note.agreement_id, note.id, note, value),
        _outgoing(InvoiceVoided.TOPIC, note.agreement_id, note.invoice_id, note, voided),
    ]


def cost_rolled_up(cost: CostDay, now: datetime) -> Outgoing:
    """What the day costs."""
    usage = cost.usage
    value = {
        "agreement_id": cost.agreement_id,
        "meter_id": usage.meter_id,
        "day": usage.day,
        "usage_version": usage.version,
        "tariff_version_id": cost.tariff_version_id,
        "import_wh": cost.import_wh,
        "export_wh": cost.export_wh,
        "currency": cost.currency,
        "net": plain(cost.net),
        "tax": plain(cost.tax),
        "gross": plain(cost.gross),
    }
    return Outgoing.raw(
        CostRolledUp.TOPIC,
        str(cost.agreement_id),
        _encoded(value),
        tenant_id=usage.tenant_id,
        correlation_id=usage.correlation_id,
        source=SOURCE,
        event_id=derive_id(
            "cost.rolled_up",
            usage.tenant_id,
            usage.meter_id,
            usage.day,
            usage.version,
            cost.agreement_id,
            cost.tariff_version_id,
            cost.prices_version,
        ),
        occurred_at=now,
    )


def _outgoing(
    topic: str, agreement_id: UUID, about: UUID, document: Invoice | CreditNote, value: Any
) -> Outgoing:
    return Outgoing.raw(
        topic,
        str(agreement_id),
        _encoded(value),
        tenant_id=document.tenant_id,
        correlation_id=document.correlation_id,
        source=SOURCE,
        event_id=derive_id(topic, document.tenant_id, about),
        occurred_at=document.issued_at,
    )


def line_document(line: Line) -> dict[str, Any]:
    """A line as the wire has it."""
    return _item(line.item) | {
        "quantity": plain(line.quantity),
        "amount_exact": plain(line.amount_exact),
        "amount": plain(line.amount),
    }


@lru_cache(maxsize=4096)
def _item(item: Item) -> dict[str, Any]:
    """What a line says about every meter alike; the caller copies it."""
    return {
        "component_id": item.component_id,
        "kind": item.kind,
        "band": item.band,
        "flow": item.flow,
        "unit": item.unit,
        "rate": plain(item.rate),
        "tariff_version_id": item.tariff_version_id,
        "start_on": item.part.start_on,
        "end_on": item.part.end_on,
        "payee": item.payee,
        "tax_class": item.tax_class,
    }


def _encoded(value: Any) -> bytes:
    return orjson.dumps(value, default=_uuid)


def _uuid(value: Any) -> str:
    """asyncpg's own kind of UUID, which orjson does not take for one."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value)} has no place in an event")


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
