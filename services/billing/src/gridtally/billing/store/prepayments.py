"""Who is on prepayment, and what is left of it is worked out of: balances, costs and invoices."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from gridtally.billing import tables
from gridtally.billing.domain.prepayments import MeterDay, Prepayment, RaisedAlert, Terms
from gridtally.billing.domain.reference_data import DayKey, Key
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import Row, columns_of, from_row, insert_rows
from gridtally.kernel.periods import Period

prepayment = tables.prepayment


@dataclass(slots=True)
class Account:
    """What a customer's prepayment is worked out of, as it is at one moment."""

    currency: str
    credit: Decimal
    days: list[MeterDay] = field(default_factory=list)


_FETCH = """
SELECT p.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, customer_id)
  JOIN prepayment p USING (tenant_id, customer_id)
"""


async def fetch_prepayments(read: ReadConnection, keys: Collection[Key]) -> dict[Key, Prepayment]:
    """The prepayments of these customers, those too that have ended."""
    rows = await read.raw.fetch(_FETCH, *columns_of(keys, 2))
    return {(row["tenant_id"], row["customer_id"]): _prepayment(row) for row in rows}


async def lock_prepayment(tx: WriteConnection, key: Key) -> Prepayment | None:
    """The prepayment of a customer, who is locked, as it is once nobody else changes it."""
    row = await tx.raw.fetchrow(f"{_FETCH} FOR UPDATE OF p", *columns_of([key], 2))
    return None if row is None else _prepayment(row)


_LIST = """
SELECT * FROM prepayment
 WHERE tenant_id = $1 AND is_active AND ($2::text IS NULL OR alert = $2)
   AND ($3::uuid IS NULL OR customer_id > $3)
 ORDER BY customer_id LIMIT $4
"""


async def list_prepayments(
    read: ReadConnection, tenant_id: str, alert: str | None, after: UUID | None, rows_max: int
) -> list[Prepayment]:
    """A page of a tenant's prepayments by customer; `alert` chooses those of which it is raised."""
    rows = await read.raw.fetch(_LIST, tenant_id, alert, after, rows_max)
    return [_prepayment(row) for row in rows]


# Only a higher version replaces what is there: what is adopted after a restore may be older than
# what is stored. All others have locked the row, so that theirs is always written.
_UPSERT = """
ON CONFLICT (tenant_id, customer_id) DO UPDATE
   SET is_active = excluded.is_active, alert_amount = excluded.alert_amount,
       alert_days = excluded.alert_days, alert = excluded.alert,
       alert_since = excluded.alert_since, alert_balance = excluded.alert_balance,
       version = excluded.version, look_at = excluded.look_at
 WHERE prepayment.version < excluded.version
RETURNING prepayment.tenant_id, prepayment.customer_id
"""


async def upsert_prepayments(
    tx: WriteConnection, changed: Sequence[tuple[str, Prepayment]], look_at: datetime
) -> set[Key]:
    """Store prepayments, whose tenants are named, to be looked at again at a moment. Returns those
    that were written: of which nothing newer is stored."""
    rows = [
        {
            "tenant_id": tenant_id,
            "customer_id": own.terms.customer_id,
            "is_active": own.is_active,
            "alert_amount": own.terms.alert_amount,
            "alert_days": own.terms.alert_days,
            "alert": None if own.alert is None else own.alert.kind,
            "alert_since": None if own.alert is None else own.alert.since,
            "alert_balance": None if own.alert is None else own.alert.balance,
            "version": own.version,
            "look_at": look_at,
        }
        for tenant_id, own in changed
    ]
    written = await insert_rows(tx, prepayment, rows, _UPSERT)
    return {(row["tenant_id"], row["customer_id"]) for row in written}


# SKIP LOCKED: whoever holds a row changes what its customer has, and has it looked at once more.
_CLAIM = """
SELECT * FROM prepayment WHERE is_active AND look_at <= $1
 ORDER BY look_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""


async def claim_to_look_at(
    tx: WriteConnection, now: datetime, rows_max: int
) -> dict[Key, Prepayment]:
    """Prepayments that are to be looked at, locked."""
    rows = await tx.raw.fetch(_CLAIM, now, rows_max)
    return {(row["tenant_id"], row["customer_id"]): _prepayment(row) for row in rows}


_LOOK_AT = """
UPDATE prepayment p
   SET look_at = $4, alert_balance = CASE WHEN p.alert IS NOT NULL
                                          THEN least(p.alert_balance, k.balance) END
  FROM unnest($1::text[], $2::uuid[], $3::numeric[]) AS k (tenant_id, customer_id, balance)
 WHERE (p.tenant_id, p.customer_id) = (k.tenant_id, k.customer_id)
"""


async def update_look_at(
    tx: WriteConnection, looked_at: Mapping[Key, Prepayment], look_at: datetime
) -> None:
    """Have these prepayments, which are locked, looked at again at a moment, with the least that
    was left since the alert was raised that they have."""
    rows = [(*key, own.alert and own.alert.balance) for key, own in looked_at.items()]
    await tx.raw.execute(_LOOK_AT, *columns_of(rows, 3), look_at)


# Rows are locked in the order of their keys, so that two who mark the same do not wait in a circle.
# The lock waits for whoever looks at one just now, and has what that wrote: no mark is lost. One
# that is to be looked at already is not written again.
_MARK = """
WITH marked AS (
    SELECT p.tenant_id, p.customer_id, p.look_at FROM prepayment p
     WHERE (p.tenant_id, p.customer_id) IN ({customers}) AND p.is_active
     ORDER BY p.tenant_id, p.customer_id FOR UPDATE)
UPDATE prepayment p SET look_at = $3 FROM marked m
 WHERE (p.tenant_id, p.customer_id) = (m.tenant_id, m.customer_id) AND m.look_at > $3
"""
_MARK_CUSTOMERS = _MARK.format(customers="SELECT * FROM unnest($1::text[], $2::uuid[])")
_MARK_METERS = _MARK.format(
    customers="""
        SELECT a.tenant_id, a.customer_id FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
          JOIN agreement a ON a.tenant_id = k.tenant_id AND a.meter_id = k.id"""
)


async def mark_customers(tx: WriteConnection, keys: Collection[Key], now: datetime) -> None:
    """Have the prepayments of these customers looked at."""
    await tx.raw.execute(_MARK_CUSTOMERS, *columns_of(keys, 2), now)


async def mark_days(tx: WriteConnection, days: Collection[DayKey], now: datetime) -> None:
    """Have the prepayments of whoever these meters' days are billed to looked at."""
    meters = sorted({(tenant_id, meter_id) for tenant_id, meter_id, _ in days})
    await tx.raw.execute(_MARK_METERS, *columns_of(meters, 2), now)


# In one statement, and so as of one moment: an invoice takes its days and adds to what was issued
# in one transaction, and seen half of that would be twice its amount. A day is drawn while no
# invoice that is live has it: none of its agreement's periods that are invoiced, or that somebody
# wants never billed; after a restore, an invoice that was published may come before its period.
# What of the ledger's balance are invoices is replaced by what was issued, as for what is brought
# forward, so that it does not matter how much of it the ledger has posted.
_ACCOUNTS = """
WITH own AS (
    SELECT c.tenant_id, c.id AS customer_id, c.currency
      FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
      JOIN customer c USING (tenant_id, id)),
agreed AS (
    SELECT a.tenant_id, a.id, a.meter_id, o.customer_id, o.currency,
           datemultirange(daterange(greatest(a.start_on, a.billing_starts_on), a.end_on))
           - coalesce((SELECT range_agg(daterange(b.start_on, b.end_on)) FROM billed_period b
                        WHERE b.tenant_id = a.tenant_id AND b.agreement_id = a.id
                          AND (b.invoiced_revision IS NOT NULL OR b.unbilled = 'dismissed')), '{}')
           - coalesce((SELECT range_agg(daterange(i.start_on, i.end_on)) FROM adopted_invoice d
                         JOIN invoice i ON i.tenant_id = d.tenant_id AND i.id = d.invoice_id
                        WHERE d.tenant_id = a.tenant_id AND d.agreement_id = a.id
                          AND NOT EXISTS (SELECT FROM credit_note n
                                           WHERE n.tenant_id = i.tenant_id AND n.extent <> 'part'
                                             AND n.invoice_id = coalesce(i.collective_id, i.id))),
                      '{}') AS unbilled
      FROM own o
      JOIN agreement a ON a.tenant_id = o.tenant_id AND a.customer_id = o.customer_id
       AND (a.billing_starts_on IS NULL OR a.end_on IS NULL OR a.billing_starts_on < a.end_on))
SELECT o.tenant_id, o.customer_id, o.currency, NULL::uuid AS agreement_id, NULL::uuid AS meter_id,
       NULL::date AS day, NULL::boolean AS is_drawn,
       CASE WHEN b.balance IS NULL THEN 0
            ELSE coalesce(b.invoiced_total, i.total, 0) - b.balance END
       - coalesce(i.total, 0) AS amount
  FROM own o
  LEFT JOIN customer_balance b USING (tenant_id, customer_id, currency)
  LEFT JOIN issued_total i USING (tenant_id, customer_id, currency)
UNION ALL
SELECT a.tenant_id, a.customer_id, a.currency, a.id, a.meter_id, c.day, true, c.gross
  FROM agreed a CROSS JOIN unnest(a.unbilled) AS u (days)
  JOIN daily_cost c ON c.tenant_id = a.tenant_id AND c.meter_id = a.meter_id
   AND c.day >= greatest(lower(u.days), $4::date)
   AND c.day < least(upper(u.days), $5::date, 'infinity')
   AND c.agreement_id = a.id AND c.currency = a.currency
UNION ALL
SELECT a.tenant_id, a.customer_id, a.currency, a.id, a.meter_id, c.day, false, c.gross
  FROM agreed a
  JOIN daily_cost c ON c.tenant_id = a.tenant_id AND c.meter_id = a.meter_id
   AND c.day >= $3 AND c.day < coalesce($5::date, 'infinity') AND NOT a.unbilled @> c.day
   AND c.agreement_id = a.id AND c.currency = a.currency
"""


async def fetch_accounts(
    read: ReadConnection, keys: Collection[Key], since_on: date, window: Period | None = None
) -> dict[Key, Account]:
    """What these customers' prepayments are worked out of: their credit, all days that no invoice
    has, and others from a day on; of both those in a window alone, if there is one."""
    bounds = (None, None) if window is None else (window.start_on, window.end_on)
    accounts: dict[Key, Account] = {}
    days: defaultdict[Key, list[MeterDay]] = defaultdict(list)
    for row in await read.raw.fetch(_ACCOUNTS, *columns_of(keys, 2), since_on, *bounds):
        key = (row["tenant_id"], row["customer_id"])
        if row["day"] is None:
            accounts[key] = Account(row["currency"], row["amount"])
        else:
            days[key].append(from_row(MeterDay, row, usage=row["amount"]))
    for key, account in accounts.items():
        account.days = days[key]
    return accounts


def _prepayment(row: Row) -> Prepayment:
    alert = None
    if row["alert"] is not None:
        alert = RaisedAlert(row["alert"], row["alert_since"], row["alert_balance"])
    return from_row(Prepayment, row, terms=from_row(Terms, row), alert=alert)
