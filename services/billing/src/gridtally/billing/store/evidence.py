"""Evidence: what invoices were computed from; append-only."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.billing import tables
from gridtally.billing.domain.periods import (
    BilledPeriod,
    ClosedPeriod,
    PeriodKey,
    Successor,
)
from gridtally.billing.domain.reference_data import read_version
from gridtally.billing.events.periods import (
    closed_period_of_evidence,
    unpack_usage,
)
from gridtally.billing.events.proofs import parts_document
from gridtally.billing.store.reference_data import price_day_of
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import as_row, columns_of, insert_rows
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.price_days import PriceDay, versioned_series
from gridtally.rating.prices import PriceSeries
from gridtally.rating.recalculation import InvoiceBasis
from gridtally.rating.recorded import doubtful_flows, metered
from gridtally.rating.state import read_state, state_document
from gridtally.rating.tariff import Part, TariffVersion

invoice_evidence = tables.invoice_evidence


async def insert_evidence(tx: WriteConnection, billed_periods: Sequence[BilledPeriod]) -> None:
    """Store what invoices were computed from, for ever."""
    rows = [
        as_row(
            billed.closed,
            invoice_evidence,
            invoice_id=billed.invoice_id,
            connected_kw=billed.billable.usage.connected_kw,
            usage=billed.closed.usage_packed,
            state_before=json.dumps(state_document(billed.state_before)),
            state_after=json.dumps(state_document(billed.state_after)),
            parts=json.dumps(parts_document(billed.billable.parts)),
            prices=json.dumps(_prices_document(billed)),
        )
        for billed in billed_periods
    ]
    await insert_rows(tx, invoice_evidence, rows)


def _prices_document(billed: BilledPeriod) -> dict[str, dict[str, int]]:
    """By series and local day, the version of the prices."""
    period = billed.closed.period
    return {
        code: versioned.versions_for(period) for code, versioned in billed.billable.prices.items()
    }


# A newer revision that is held will replace the invoice: it is left out, by `invoiced_revision`.
# Without the series, which are large and seldom needed.
_SUCCESSORS = """
SELECT b.tenant_id, b.agreement_id, b.start_on, e.state_before, e.state_after, b.state
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN invoice i USING (tenant_id, id)
  JOIN invoice_evidence e ON e.tenant_id = k.tenant_id AND e.invoice_id = k.id
  JOIN billed_period b ON (b.tenant_id, b.agreement_id, b.start_on)
                        = (i.tenant_id, i.agreement_id, i.start_on)
 WHERE b.invoiced_revision = b.revision
"""


async def fetch_successors(
    read: ReadConnection, invoices: Mapping[PeriodKey, UUID]
) -> dict[PeriodKey, Successor]:
    """What these live invoices were computed with, by period.

    Left out are those that a newer revision, which is held, will replace.
    """
    columns = [[key[0] for key in invoices], list(invoices.values())]
    rows = await read.raw.fetch(_SUCCESSORS, *columns) if invoices else []
    return {
        (row["tenant_id"], row["agreement_id"], row["start_on"]): Successor(
            state_before=read_state(row["state_before"]),
            state_after=read_state(row["state_after"]),
            carried=read_state(row["state"]),
        )
        for row in rows
    }


# What a closed period's event carried is spread over the invoice and its evidence.
_CLOSED_PERIODS = """
SELECT i.tenant_id, i.agreement_id, i.meter_id, i.start_on, i.end_on, i.revision, i.issued_at,
       e.zone, e.closed_by, e.expected_intervals, e.present_intervals, e.digest, e.usage
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN invoice i USING (tenant_id, id)
  JOIN invoice_evidence e ON e.tenant_id = k.tenant_id AND e.invoice_id = k.id
"""


async def fetch_closed_periods(
    read: ReadConnection,
    invoices: Mapping[PeriodKey, UUID],
    correlation_ids: Mapping[PeriodKey, str],
) -> list[ClosedPeriod]:
    """The periods as they were closed for these invoices, to be billed again on behalf of
    `correlation_ids`."""
    columns = [[key[0] for key in invoices], list(invoices.values())]
    rows = await read.raw.fetch(_CLOSED_PERIODS, *columns) if invoices else []
    return [
        closed_period_of_evidence(
            row, correlation_ids[row["tenant_id"], row["agreement_id"], row["start_on"]]
        )
        for row in rows
    ]


async def find_evidence(
    read: ReadConnection, tenant_id: str, invoice_id: UUID
) -> RowMapping | None:
    """What an invoice was computed from; None where it was adopted after a restore and its period
    has not come again."""
    return await read.one_or_none(
        sa.select(invoice_evidence).where(
            invoice_evidence.c.tenant_id == tenant_id, invoice_evidence.c.invoice_id == invoice_id
        )
    )


async def fetch_evidence(read: ReadConnection, tenant_id: str, invoice_id: UUID) -> RowMapping:
    """The same; Rejected where there is none yet."""
    row = await find_evidence(read, tenant_id, invoice_id)
    if row is None and await _is_collective(read, tenant_id, invoice_id):
        raise Rejected(
            "invoice_collective", "each section of a collective invoice is asked for by its own id"
        )
    if row is None:
        raise Rejected("evidence_incomplete", "what the invoice was computed from is not stored")
    return row


_IS_COLLECTIVE = "SELECT is_collective FROM invoice WHERE tenant_id = $1 AND id = $2"


async def _is_collective(read: ReadConnection, tenant_id: str, invoice_id: UUID) -> bool:
    return bool(await read.raw.fetchval(_IS_COLLECTIVE, tenant_id, invoice_id))


async def fetch_basis(
    read: ReadConnection, tenant_id: str, period: Period, evidence: RowMapping
) -> InvoiceBasis:
    """All that the invoice for `period` was computed from: its `evidence`, and the versions of
    tariff and prices that this names.

    Rejected where one of them is not stored any more.
    """
    series = unpack_usage(evidence["usage"])
    return InvoiceBasis(
        zone=evidence["zone"],
        period=period,
        minutes={flow_series.flow: flow_series.minutes for flow_series in series},
        series={flow_series.flow: metered(flow_series) for flow_series in series},
        doubtful=doubtful_flows(series),
        connected_kw=evidence["connected_kw"],
        closed_by=evidence["closed_by"],
        parts=await _fetch_parts(read, tenant_id, evidence["parts"]),
        state_before=read_state(evidence["state_before"]),
        prices=await _fetch_prices(read, tenant_id, evidence["prices"]),
    )


# Withdrawn versions too: a document is stored for as long as an invoice rests on it.
_VERSIONS = """
SELECT id, document::text AS document FROM tariff_version WHERE tenant_id = $1 AND id = ANY($2)
"""


async def _fetch_parts(
    read: ReadConnection, tenant_id: str, parts: Sequence[Mapping[str, str]]
) -> list[Part]:
    documents = await fetch_documents(read, tenant_id, parts)
    versions = {
        str(version_id): read_version(version_id, text) for version_id, text in documents.items()
    }
    return [
        Part(
            Period(date.fromisoformat(part["start_on"]), date.fromisoformat(part["end_on"])),
            versions[part["tariff_version_id"]],
        )
        for part in parts
    ]


async def fetch_documents(
    read: ReadConnection, tenant_id: str, parts: Sequence[Mapping[str, str]]
) -> dict[UUID, str]:
    """The JSON of the tariff versions of these parts, by their ids in the order of the parts.

    Rejected where one of them is not stored any more.
    """
    ids = list(dict.fromkeys(UUID(part["tariff_version_id"]) for part in parts))
    rows = await read.raw.fetch(_VERSIONS, tenant_id, ids)
    documents = {row["id"]: row["document"] for row in rows}
    if not parts or not documents.keys() >= set(ids):
        raise Rejected("evidence_incomplete", "the tariff versions of the invoice are not stored")
    return {version_id: documents[version_id] for version_id in ids}


async def fetch_versions(
    read: ReadConnection, tenant_id: str, ids: Collection[UUID]
) -> dict[UUID, TariffVersion]:
    """These tariff versions, by id; Rejected where one of them is not stored any more."""
    parts = [{"tariff_version_id": str(version_id)} for version_id in ids]
    documents = await fetch_documents(read, tenant_id, parts) if parts else {}
    return {version_id: read_version(version_id, text) for version_id, text in documents.items()}


# The very versions that were billed, not the newest ones.
_PRICES = """
SELECT p.* FROM unnest($2::text[], $3::date[], $4::int[]) AS k (code, day, version)
  JOIN price_day p ON p.tenant_id = $1
   AND (p.code, p.day, p.version) = (k.code, k.day, k.version)
"""


async def _fetch_prices(
    read: ReadConnection, tenant_id: str, versions_used: Mapping[str, Mapping[str, int]]
) -> dict[str, PriceSeries]:
    """The series, by code, of which `versions_used` names the version of each day."""
    days_of = await fetch_price_days(read, tenant_id, versions_used)
    return {code: versioned_series(price_days).series for code, price_days in days_of.items()}


async def fetch_price_days(
    read: ReadConnection, tenant_id: str, versions_used: Mapping[str, Mapping[str, int]]
) -> dict[str, list[PriceDay]]:
    """The days of prices, by code, of which `versions_used` names the versions."""
    keys = [
        (code, date.fromisoformat(day), version)
        for code, versions in versions_used.items()
        for day, version in versions.items()
    ]
    days_of: defaultdict[str, list[PriceDay]] = defaultdict(list)
    for row in await read.raw.fetch(_PRICES, tenant_id, *columns_of(keys, 3)):
        days_of[row["code"]].append(price_day_of(row))
    return days_of
