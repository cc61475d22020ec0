"""To whom documents are addressed: names, postal addresses and languages of billing's customers."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of, from_row, insert_rows
from gridtally.documents.facts import Address, Buyer
from gridtally.ledger.accounts.store.customers import Key
from gridtally.ledger.accounts.tables import addressee

# A newer version takes the place of all that an older one said, so that an erased customer is
# named no more.
_KEEP_NEWEST = """
ON CONFLICT (tenant_id, customer_id) DO UPDATE
   SET name = excluded.name, number = excluded.number, street = excluded.street,
       postcode = excluded.postcode, city = excluded.city, country = excluded.country,
       language = excluded.language, version = excluded.version
 WHERE addressee.version < excluded.version
"""


async def upsert_addressees(tx: WriteConnection, newest: Mapping[Key, tuple[Buyer, int]]) -> None:
    """Have customers addressed so from now on, each in a version, unless a newer one is stored."""
    rows = [
        {
            "tenant_id": tenant_id,
            "customer_id": customer_id,
            "name": buyer.name,
            "number": buyer.number,
            "language": buyer.language,
            "version": version,
            **asdict(buyer.address),
        }
        for (tenant_id, customer_id), (buyer, version) in sorted(newest.items())
    ]
    await insert_rows(tx, addressee, rows, _KEEP_NEWEST)


_DELETE = """
DELETE FROM addressee a USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, customer_id)
 WHERE (a.tenant_id, a.customer_id) = (k.tenant_id, k.customer_id)
"""


async def delete_addressees(tx: WriteConnection, keys: Collection[Key]) -> None:
    """Forget customers who were deleted."""
    await tx.raw.execute(_DELETE, *columns_of(sorted(keys), 2))


_FETCH = """
SELECT customer_id, name, number, street, postcode, city, country, language FROM addressee
 WHERE tenant_id = $1 AND customer_id = ANY($2::uuid[])
"""


async def fetch_addressees(
    read: ReadConnection, tenant_id: str, customers: Collection[UUID]
) -> dict[UUID, Buyer]:
    """Those of these customers whose names are known, without tax numbers and e-mail addresses."""
    rows = await read.raw.fetch(_FETCH, tenant_id, list(customers))
    return {
        row["customer_id"]: Buyer(
            row["name"], row["number"], from_row(Address, row), language=row["language"]
        )
        for row in rows
    }
