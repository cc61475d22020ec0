"""Invoices, their lines and evidence, credit notes, and the counters behind their numbers."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.engine import RowMapping

from billing.domain.facts import Key
from billing.domain.invoices import Account, CreditNote, Invoice, numbered
from billing.domain.periods import Billed, PeriodKey
from billing.store.rows import columns_of, insert_rows
from billing.tables import (
    credit_note,
    invoice,
    invoice_evidence,
    invoice_line,
    number_series,
)
from database import ReadConnection, WriteConnection
from kernel.periods import Period
from rating.lines import Item, Line
from rating.state import state_document

_INVOICES = """
SELECT i.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN invoice i USING (tenant_id, id)
"""
_LINES = """
SELECT l.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, invoice_id)
  JOIN invoice_line l USING (tenant_id, invoice_id)
 ORDER BY l.tenant_id, l.invoice_id, l.position
"""
_EVIDENCE = """
SELECT i.tenant_id, i.agreement_id, i.meter_id, i.start_on, i.end_on, i.revision, i.issued_at,
       e.zone, e.closed_by, e.expected_intervals, e.present_intervals, e.digest, e.usage,
       e.state_before, e.state_after, b.state
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN invoice i USING (tenant_id, id)
  JOIN invoice_evidence e ON e.tenant_id = k.tenant_id AND e.invoice_id = k.id
  JOIN billed_period b ON (b.tenant_id, b.agreement_id, b.start_on)
                        = (i.tenant_id, i.agreement_id, i.start_on)
 WHERE b.invoiced_revision = b.revision
"""


async def take_numbers(tx: WriteConnection, series: str, tenants: Sequence[str]) -> list[str]:
    """The next number of the series for each entry of `tenants`, in order and without gaps.

    The counters stay locked until the transaction ends, so call it after all other locks.
    """
    wanted = Counter(tenants)
    rows = await insert_rows(
        tx,
        number_series,
        [(tenant_id, series, wanted[tenant_id]) for tenant_id in sorted(wanted)],
        "ON CONFLICT (tenant_id, series) DO UPDATE "
        "SET issued = number_series.issued + excluded.issued RETURNING tenant_id, issued",
    )
    last = {row["tenant_id"]: row["issued"] for row in rows}
    serials = {
        tenant_id: iter(range(last[tenant_id] - count + 1, last[tenant_id] + 1))
        for tenant_id, count in wanted.items()
    }
    return [numbered(series, next(serials[tenant_id])) for tenant_id in tenants]


async def insert_invoices(tx: WriteConnection, invoices: Sequence[Invoice]) -> None:
    """Store invoices, for ever."""
    await insert_rows(
        tx,
        invoice,
        [
            (
                one.tenant_id,
                one.id,
                one.number,
                one.customer_id,
                one.agreement_id,
                one.meter_id,
                one.period.start_on,
                one.period.end_on,
                one.revision,
                one.restatement,
                one.currency,
                one.net,
                one.tax,
                one.total,
                one.issued_at,
                one.correlation_id,
                one.account.balance,
                one.account.arrears,
            )
            for one in invoices
        ],
    )


async def insert_lines(tx: WriteConnection, lines: Mapping[Key, Sequence[Line]]) -> None:
    """Store the lines of invoices, for ever."""
    await insert_rows(
        tx,
        invoice_line,
        [
            (tenant_id, invoice_id, position, *_line_row(line))
            for (tenant_id, invoice_id), several in lines.items()
            for position, line in enumerate(several, start=1)
        ],
    )


def _line_row(line: Line) -> tuple[Any, ...]:
    item = line.item
    return (
        item.component_id,
        item.kind,
        item.band,
        item.flow,
        line.quantity,
        item.unit,
        item.rate,
        line.amount_exact,
        line.amount,
        item.tariff_version_id,
        item.part.start_on,
        item.part.end_on,
        item.payee,
        item.tax_class,
    )


async def insert_evidence(tx: WriteConnection, billed: Sequence[Billed]) -> None:
    """Store what invoices were computed from, for ever."""
    await insert_rows(
        tx,
        invoice_evidence,
        [
            (
                *one.invoice_key,
                one.closed.zone,
                one.billable.usage.connected_kw,
                one.closed.closed_by,
                one.closed.expected_intervals,
                one.closed.present_intervals,
                one.closed.digest,
                one.closed.usage_packed,
                json.dumps(state_document(one.state_before)),
                json.dumps(state_document(one.state_after)),
                json.dumps(_parts_document(one)),
                json.dumps(_prices_document(one)),
            )
            for one in billed
        ],
    )


def _parts_document(one: Billed) -> list[dict[str, str]]:
    """Which tariff version applied on which days."""
    return [
        {
            "start_on": part.period.start_on.isoformat(),
            "end_on": part.period.end_on.isoformat(),
            "tariff_version_id": str(part.version.id),
        }
        for part in one.billable.parts
    ]


def _prices_document(one: Billed) -> dict[str, dict[str, int]]:
    """By series and local day, the version of the prices."""
    period = one.closed.period
    return {name: copied.versions_for(period) for name, copied in one.billable.prices.items()}


async def insert_credit_notes(tx: WriteConnection, notes: Sequence[CreditNote]) -> None:
    """Store credit notes, for ever; their invoices are void from now on."""
    await insert_rows(
        tx,
        credit_note,
        [
            (
                note.tenant_id,
                note.id,
                note.number,
                note.invoice_id,
                note.customer_id,
                note.agreement_id,
                note.currency,
                note.net,
                note.tax,
                note.total,
                note.reason,
                note.issued_at,
                note.correlation_id,
            )
            for note in notes
        ],
    )


async def fetch_invoices(read: ReadConnection, keys: Sequence[Key]) -> dict[Key, Invoice]:
    """The invoices with their lines."""
    if not keys:
        return {}
    columns = columns_of(keys, 2)
    lines: defaultdict[Key, list[Line]] = defaultdict(list)
    for row in await read.raw.fetch(_LINES, *columns):
        lines[row["tenant_id"], row["invoice_id"]].append(line_of(row))
    rows = await read.raw.fetch(_INVOICES, *columns)
    return {
        (row["tenant_id"], row["id"]): _invoice_of(row, lines[row["tenant_id"], row["id"]])
        for row in rows
    }


async def fetch_evidence(
    read: ReadConnection, invoices: Mapping[PeriodKey, UUID]
) -> dict[PeriodKey, Any]:
    """What these live invoices were computed from, and the `state` that their periods hand on by
    now; left out are those that a newer revision, which is held, will replace."""
    columns = [[key[0] for key in invoices], list(invoices.values())]
    rows = await read.raw.fetch(_EVIDENCE, *columns) if invoices else []
    return {(row["tenant_id"], row["agreement_id"], row["start_on"]): row for row in rows}


def _invoice_of(row: Mapping[str, Any], lines: Sequence[Line]) -> Invoice:
    return Invoice(
        tenant_id=row["tenant_id"],
        id=row["id"],
        number=row["number"],
        customer_id=row["customer_id"],
        agreement_id=row["agreement_id"],
        meter_id=row["meter_id"],
        period=Period(row["start_on"], row["end_on"]),
        revision=row["revision"],
        restatement=row["restatement"],
        currency=row["currency"],
        lines=lines,
        net=row["net"],
        tax=row["tax"],
        total=row["total"],
        issued_at=row["issued_at"],
        correlation_id=row["correlation_id"],
        account=Account(row["brought_forward"], row["arrears"]),
    )


def line_of(row: RowMapping | Mapping[str, Any]) -> Line:
    """A line from its row."""
    item = Item(
        component_id=row["component_id"],
        kind=row["kind"],
        band=row["band"],
        flow=row["flow"],
        unit=row["unit"],
        rate=row["rate"],
        tariff_version_id=row["tariff_version_id"],
        part=Period(row["start_on"], row["end_on"]),
        payee=row["payee"],
        tax_class=row["tax_class"],
    )
    return Line(item, row["quantity"], row["amount_exact"], row["amount"])
