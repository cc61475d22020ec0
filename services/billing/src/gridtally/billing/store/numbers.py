"""Numbers of invoices and credit notes: one counter per tenant and series, without gaps."""

from collections import Counter
from collections.abc import Mapping, Sequence

from gridtally.billing import tables
from gridtally.billing.domain.invoices import numbered
from gridtally.database import WriteConnection
from gridtally.database.rows import insert_rows

# A sequence would leave gaps where a transaction fails; a row that is locked until its end leaves
# none. The price is that two transactions of a tenant wait for each other from here on: so this
# comes after all other locks and all rating, and a batch takes its numbers in one statement.
# Tenants are sorted, so that two batches lock them in the same order.
_COUNT = """
ON CONFLICT (tenant_id, series) DO UPDATE SET issued = number_series.issued + excluded.issued
RETURNING tenant_id, issued
"""


# The counter goes on after the highest number that was ever given.
_RAISE = """
ON CONFLICT (tenant_id, series) DO UPDATE SET issued = excluded.issued
 WHERE number_series.issued < excluded.issued
"""


async def raise_counters(tx: WriteConnection, serials: Mapping[tuple[str, str], int]) -> None:
    """The counters of these series, by tenant and series, go on after these serials at least."""
    rows = [
        {"tenant_id": tenant_id, "series": series, "issued": serial}
        for (tenant_id, series), serial in sorted(serials.items())
    ]
    await insert_rows(tx, tables.number_series, rows, _RAISE)


async def take_numbers(tx: WriteConnection, series: str, tenants: Sequence[str]) -> list[str]:
    """The next number of the series for each entry of `tenants`, in order and without gaps.

    The counters stay locked until the transaction ends, so call it after all other locks.
    """
    counts = Counter(tenants)
    rows = [
        {"tenant_id": tenant_id, "series": series, "issued": counts[tenant_id]}
        for tenant_id in sorted(counts)
    ]
    counters = await insert_rows(tx, tables.number_series, rows, _COUNT)
    last = {row["tenant_id"]: row["issued"] for row in counters}
    serials = {
        tenant_id: iter(range(last[tenant_id] - count + 1, last[tenant_id] + 1))
        for tenant_id, count in counts.items()
    }
    return [numbered(series, next(serials[tenant_id])) for tenant_id in tenants]
