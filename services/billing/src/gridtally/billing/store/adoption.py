"""Storing what was published before a restore: versions as they were said, and what is unknown."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from gridtally.billing import tables
from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.customers import Customer
from gridtally.billing.domain.reference_data import Key
from gridtally.billing.store.agreements import IN_JSON, delete_agreements
from gridtally.billing.store.budget_plans import give_plans
from gridtally.billing.store.customers import insertable_row
from gridtally.billing.store.due_days import mark_days_of_agreements
from gridtally.billing.store.json_columns import as_texts
from gridtally.billing.store.read_cycles import dates_json
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of, insert_rows


class PublishedCustomer(NamedTuple):
    """A customer as it was published, in a version of it."""

    tenant_id: str
    customer: Customer
    version: int
    published_at: datetime


class PublishedAgreement(NamedTuple):
    """An agreement as it was published."""

    tenant_id: str
    agreement: Agreement
    published_at: datetime


# One that was made again under its id after that is another one.
_DELETE_ENDED = """
DELETE FROM customer c
 USING unnest($1::text[], $2::uuid[], $3::timestamptz[]) AS k (tenant_id, id, ended_at)
 WHERE (c.tenant_id, c.id) = (k.tenant_id, k.id) AND c.created_at <= k.ended_at
"""


async def delete_ended(tx: WriteConnection, ended: Mapping[Key, datetime]) -> None:
    """Delete the customers of these tenants and ids who had been deleted at these instants."""
    await tx.raw.execute(_DELETE_ENDED, *columns_of(list(ended), 2), list(ended.values()))


_ENDED_AGREEMENTS = """
SELECT a.tenant_id, a.id
  FROM unnest($1::text[], $2::uuid[], $3::timestamptz[]) AS k (tenant_id, id, ended_at)
  JOIN agreement a ON a.tenant_id = k.tenant_id AND a.{column} = k.id AND a.created_at <= k.ended_at
"""


async def delete_ended_agreements(
    tx: WriteConnection,
    ended: Mapping[Key, datetime],
    *,
    of: Literal["id", "customer_id"] = "id",
) -> None:
    """Delete the agreements that had been deleted at these instants; or those of customers who had
    been, since nobody is deleted before their agreements."""
    rows = await tx.raw.fetch(
        _ENDED_AGREEMENTS.format(column=of), *columns_of(list(ended), 2), list(ended.values())
    )
    keys = [(row["tenant_id"], row["id"]) for row in rows]
    await mark_days_of_agreements(tx, keys)
    await delete_agreements(tx, keys)


# A number may have gone from one customer to another: whoever was told to have it last has it.
_RELEASE = """
UPDATE customer c SET number = NULL
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[])
       AS k (tenant_id, id, number, told_at)
 WHERE c.tenant_id = k.tenant_id AND c.number = k.number AND c.id <> k.id
   AND c.updated_at < k.told_at
"""
_HELD = """
SELECT k.tenant_id, k.id
  FROM unnest($1::text[], $2::uuid[], $3::text[]) AS k (tenant_id, id, number)
  JOIN customer c ON c.tenant_id = k.tenant_id AND c.number = k.number AND c.id <> k.id
"""
_COLUMNS = [
    column.name
    for column in tables.customer.c
    if column.name not in ("tenant_id", "id", "created_at")
]
_UPSERT = f"""
ON CONFLICT (tenant_id, id) DO UPDATE
   SET {", ".join(f'"{name}" = excluded."{name}"' for name in _COLUMNS)}
 WHERE customer.version <= excluded.version
"""  # noqa: S608 - names of our own columns


async def adopt_customers(tx: WriteConnection, published: Sequence[PublishedCustomer]) -> None:
    """Store customers in their versions, unless a newer one is stored; the budget plans of who was
    merged are the survivor's."""
    numbered = [known for known in published if known.customer.number is not None]
    numbers = columns_of(
        [(known.tenant_id, known.customer.id, known.customer.number) for known in numbered], 3
    )
    await tx.raw.execute(_RELEASE, *numbers, [known.published_at for known in numbered])
    held = {(row["tenant_id"], row["id"]) for row in await tx.raw.fetch(_HELD, *numbers)}
    rows = [
        insertable_row(
            known.customer,
            tenant_id=known.tenant_id,
            created_at=known.published_at,
            updated_at=known.published_at,
            version=known.version,
            published=True,
        )
        for known in published
    ]
    for row in rows:
        if (row["tenant_id"], row["id"]) in held:
            row["number"] = None
    await insert_rows(tx, tables.customer, rows, _UPSERT)
    await give_plans(tx, {(known.tenant_id, known.customer.id) for known in published})


# Only what may change of an agreement. Ends come first, since they make room for others. A merge
# has given it to another customer, who was published before.
_UPDATE_AGREEMENTS = """
UPDATE agreement a
   SET customer_id = coalesce((SELECT c.id FROM customer c
                                WHERE (c.tenant_id, c.id) = (k.tenant_id, k.customer_id)),
                              a.customer_id),
       end_on = k.end_on, closing = k.closing, grace_hours = k.grace_hours, version = k.version,
       back_billing_months = k.back_billing_months, billing_calendar = k.billing_calendar,
       earlier_calendars = k.earlier_calendars, updated_at = k.published_at
  FROM unnest($1::text[], $2::uuid[], $3::date[], $4::text[], $5::int[], $6::int[], $7::int[],
              $8::jsonb[], $9::jsonb[], $10::timestamptz[], $11::uuid[])
       AS k (tenant_id, id, end_on, closing, grace_hours, back_billing_months, version,
             billing_calendar, earlier_calendars, published_at, customer_id)
 WHERE (a.tenant_id, a.id) = (k.tenant_id, k.id) AND a.version < k.version
"""
_INSERT_AGREEMENTS = """
INSERT INTO agreement (tenant_id, id, customer_id, meter_id, tariff_id, start_on, end_on, closing,
                       grace_hours, back_billing_months, version, billing_calendar,
                       earlier_calendars, created_at, updated_at, billing_starts_on)
SELECT k.tenant_id, k.id, k.customer_id, k.meter_id, k.tariff_id, k.start_on, k.end_on, k.closing,
       k.grace_hours, k.back_billing_months, k.version, k.billing_calendar, k.earlier_calendars,
       k.published_at, k.published_at, k.billing_starts_on
  FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::date[], $7::date[],
              $8::text[], $9::int[], $10::int[], $11::int[], $12::jsonb[], $13::jsonb[],
              $14::timestamptz[], $15::date[])
       AS k (tenant_id, id, customer_id, meter_id, tariff_id, start_on, end_on, closing,
             grace_hours, back_billing_months, version, billing_calendar, earlier_calendars,
             published_at, billing_starts_on)
 WHERE EXISTS (SELECT FROM customer c WHERE (c.tenant_id, c.id) = (k.tenant_id, k.customer_id))
   AND NOT EXISTS (
       SELECT FROM agreement a
        WHERE a.tenant_id = k.tenant_id AND a.meter_id = k.meter_id AND a.id <> k.id
          AND daterange(a.start_on, a.end_on) && daterange(k.start_on, k.end_on))
ON CONFLICT (tenant_id, id) DO NOTHING
"""


async def adopt_agreements(
    tx: WriteConnection, published: Sequence[PublishedAgreement]
) -> Collection[Key]:
    """Store agreements in their versions, unless a newer one is stored; return those that could
    not be, since another one has some of their days or their customer is not there."""
    changeable = [
        (
            *(tenant_id, a.id, a.end_on, a.closing, a.grace_hours, a.back_billing_months),
            a.version,
            *as_texts(a, IN_JSON).values(),
            at,
        )
        for tenant_id, a, at in published
    ]
    owners = [a.customer_id for _, a, _ in published]
    await tx.raw.execute(_UPDATE_AGREEMENTS, *columns_of(changeable, 10), owners)
    whole = [
        (
            *(tenant_id, a.id, a.customer_id, a.meter_id, a.tariff_id, a.start_on),
            *(*changed[2:], a.billing_starts_on),
        )
        for (tenant_id, a, _), changed in zip(published, changeable, strict=True)
    ]
    await tx.raw.execute(_INSERT_AGREEMENTS, *columns_of(whole, 15))
    await _adopt_read_dates(tx, published)
    return await fetch_unknown(
        tx, "agreement", [(known.tenant_id, known.agreement.id) for known in published]
    )


# The dates of a cycle are published with its agreements alone: the longest list was said last.
_READ_CYCLES = """
INSERT INTO read_cycle AS c (tenant_id, name, dates, spread, created_at, updated_at)
SELECT DISTINCT ON (k.tenant_id, k.name) k.tenant_id, k.name, k.dates, false, k.said_at, k.said_at
  FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::timestamptz[])
       AS k (tenant_id, name, dates, said_at)
 ORDER BY k.tenant_id, k.name, jsonb_array_length(k.dates) DESC, k.said_at DESC
ON CONFLICT (tenant_id, name) DO UPDATE
   SET dates = excluded.dates, version = c.version + 1, spread = false,
       updated_at = excluded.updated_at
 WHERE jsonb_array_length(c.dates) < jsonb_array_length(excluded.dates)
"""


async def _adopt_read_dates(tx: WriteConnection, published: Sequence[PublishedAgreement]) -> None:
    """Read cycles with the dates that agreements were published with, unless they have more."""
    said = [
        (tenant_id, calendar.read_cycle, dates_json(calendar.read_dates), published_at)
        for tenant_id, agreement, published_at in published
        if (calendar := agreement.billing_calendar).read_cycle is not None
    ]
    await tx.raw.execute(_READ_CYCLES, *columns_of(said, 4))


_UNKNOWN = """
SELECT k.tenant_id, k.id FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  LEFT JOIN LATERAL (
       SELECT true AS is_known FROM {table} t WHERE (t.tenant_id, t.id) = (k.tenant_id, k.id)
        LIMIT 1) AS known ON true
 WHERE is_known IS NULL
"""


async def fetch_unknown(
    read: ReadConnection,
    table: Literal["agreement", "invoice", "credit_note"],
    keys: Collection[Key],
) -> list[Key]:
    """Those of these tenants and ids that are not stored."""
    if not keys:
        return []
    rows = await read.raw.fetch(_UNKNOWN.format(table=table), *columns_of(list(keys), 2))
    return [(row["tenant_id"], row["id"]) for row in rows]
