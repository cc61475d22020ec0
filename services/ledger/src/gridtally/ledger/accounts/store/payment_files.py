"""The invoices that payments of a bank may be for: by their number, or by what is open of them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from gridtally.database import ReadConnection
from gridtally.database.rows import columns_of, from_row
from gridtally.ledger.accounts.domain.payment_files.matches import NamedInvoice

SAME_AMOUNT_MAX = 20
"""Invoices with one amount open that are looked at."""
Amount = tuple[str, Decimal]
"""A currency, and what is open in it."""

# The expression is that of the index open_item_by_number_key.
_NAMED = """
SELECT id, customer_id, number, currency,
       upper(regexp_replace(number, '[^0-9A-Za-z]', '', 'g')) AS key,
       CASE WHEN voided OR total < allocated THEN 0 ELSE total - allocated END AS open
  FROM open_item
 WHERE tenant_id = $1
   AND upper(regexp_replace(number, '[^0-9A-Za-z]', '', 'g')) = ANY($2::text[])
   AND kind = 'invoice' AND issued_at IS NOT NULL
"""


async def fetch_named(
    read: ReadConnection, tenant_id: str, keys: Collection[str]
) -> Mapping[str, Sequence[NamedInvoice]]:
    """The invoices with one of these keys, by currency; of a void one nothing is open."""
    by_currency: dict[str, list[NamedInvoice]] = defaultdict(list)
    for row in await read.raw.fetch(_NAMED, tenant_id, list(keys)):
        by_currency[row["currency"]].append(from_row(NamedInvoice, row))
    return by_currency


_SAME_AMOUNT = """
SELECT k.amount, i.*
  FROM unnest($2::text[], $3::numeric[]) AS k (currency, amount)
 CROSS JOIN LATERAL (
       SELECT id, customer_id, number, currency,
              upper(regexp_replace(number, '[^0-9A-Za-z]', '', 'g')) AS key,
              total - allocated AS open
         FROM open_item
        WHERE tenant_id = $1 AND currency = k.currency AND total - allocated = k.amount
          AND total > allocated AND kind = 'invoice' AND issued_at IS NOT NULL
        ORDER BY due_on, id
        LIMIT $4) AS i
"""


async def fetch_same_amount(
    read: ReadConnection, tenant_id: str, amounts: Collection[Amount]
) -> Mapping[Amount, Sequence[NamedInvoice]]:
    """Invoices with just such an amount open, the oldest due first."""
    by_amount: dict[Amount, list[NamedInvoice]] = defaultdict(list)
    rows = await read.raw.fetch(
        _SAME_AMOUNT, tenant_id, *columns_of(list(amounts), 2), SAME_AMOUNT_MAX
    )
    for row in rows:
        by_amount[row["currency"], row["amount"]].append(from_row(NamedInvoice, row))
    return by_amount
