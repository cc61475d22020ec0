"""Erasures as rows: what is to be erased of whom, texts that are emptied, and the trail of that."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import as_row, insert_rows
from gridtally.ledger.accounts.domain.transactions import ERASED_DIGEST, INVOICED_KINDS
from gridtally.ledger.audit import tables
from gridtally.ledger.audit.domain.entries import TEXT_FIELDS, EntryKind
from gridtally.ledger.audit.domain.erasures import Erasure, by_kind
from gridtally.ledger.audit.store.entries import ROW_TABLES, Entry

Customer = tuple[str, UUID]
"""A tenant and one of its customers."""
CHECK_EVERY = timedelta(days=1)
"""How often an erased customer is looked at again whose account does not change: a property of
theirs may have got another version, which frees the one before."""

# Something may have come since the last look: the version of the account counts its changes.
_CLAIM = """
SELECT e.tenant_id, e.customer_id, coalesce(c.version, 0) AS version
  FROM erased_customer e LEFT JOIN customer c ON (c.tenant_id, c.id) = (e.tenant_id, e.customer_id)
 WHERE e.checked_version IS DISTINCT FROM coalesce(c.version, 0) OR e.checked_at < $1
 ORDER BY e.checked_at NULLS FIRST LIMIT 1 FOR UPDATE OF e SKIP LOCKED
"""


async def claim_customer(tx: WriteConnection, now: datetime) -> tuple[Customer, int] | None:
    """An erased customer of whom something may be left, locked, and the version of the account."""
    row = await tx.raw.fetchrow(_CLAIM, now - CHECK_EVERY)
    return ((row["tenant_id"], row["customer_id"]), row["version"]) if row else None


_UPDATE_CHECKED = """
UPDATE erased_customer SET checked_version = $3, checked_at = $4
 WHERE tenant_id = $1 AND customer_id = $2
"""


async def update_checked(
    tx: WriteConnection, customer: Customer, version: int, now: datetime
) -> None:
    """Record that nothing is left of the customer as of this version of the account."""
    await tx.raw.execute(_UPDATE_CHECKED, *customer, version, now)


# Everything that is about the customer alone. Billing's documents have no text of people, unless a
# memo; the version that a property has now stays until it gets another.
_FIND = """
SELECT kind, id FROM (
    SELECT 'booking' AS kind, id FROM transaction
     WHERE tenant_id = $1 AND customer_id = $2 AND (kind <> ALL ($4::text[]) OR memo <> '')
    UNION ALL
    SELECT 'void_note', n.invoice_id FROM invoice_note n
      JOIN transaction t ON t.tenant_id = n.tenant_id AND t.document_id = n.invoice_id
     WHERE t.tenant_id = $1 AND t.customer_id = $2
    UNION ALL
    SELECT 'property', v.id FROM property_version v
     WHERE v.tenant_id = $1 AND v.customer_id = $2
       AND NOT EXISTS (SELECT FROM property p WHERE (p.tenant_id, p.id, p.created_at, p.version)
                                        = (v.tenant_id, v.property_id, v.created_at, v.version))
    UNION ALL
    SELECT 'property_end', r.id FROM removed_property r
     WHERE r.tenant_id = $1 AND r.property_id IN
           (SELECT property_id FROM property_version WHERE tenant_id = $1 AND customer_id = $2)
) AS entry
 WHERE NOT EXISTS (SELECT FROM erased_entry e WHERE e.tenant_id = $1 AND e.entry_id = entry.id)
 LIMIT $3
"""


async def find_entries(
    read: ReadConnection, customer: Customer, entries_max: int
) -> list[tuple[EntryKind, UUID]]:
    """Entries with texts of a customer that are not erased yet; a transaction as a booking."""
    rows = await read.raw.fetch(_FIND, *customer, entries_max, INVOICED_KINDS)
    return [(row["kind"], row["id"]) for row in rows]


_CURRENT = """
SELECT EXISTS (SELECT FROM {kind}_version v JOIN {kind} o
    ON (o.tenant_id, o.id, o.created_at, o.version)
     = (v.tenant_id, v.{kind}_id, v.created_at, v.version)
 WHERE v.tenant_id = $1 AND v.id = $2)
"""


async def is_current(read: ReadConnection, tenant_id: str, entry: Entry) -> bool:
    """Whether an entry is the version that a property or meter has now."""
    kind, id_ = entry
    if kind not in ("property", "meter"):
        return False
    return bool(await read.raw.fetchval(_CURRENT.format(kind=kind), tenant_id, id_))


_FETCH_ERASED = """
SELECT erased_at, erased_by FROM erased_entry WHERE tenant_id = $1 AND kind = $2 AND entry_id = $3
"""


async def fetch_erased(
    read: ReadConnection, tenant_id: str, entry: Entry
) -> tuple[datetime, str] | None:
    """When the texts of an entry were erased, and by which key or event; None where they are
    not."""
    row = await read.raw.fetchrow(_FETCH_ERASED, tenant_id, *entry)
    return (row["erased_at"], row["erased_by"]) if row else None


async def insert_erasures(
    tx: WriteConnection, tenant_id: str, erasures: Sequence[Erasure], by: str, now: datetime
) -> list[Erasure]:
    """Note erasures; those of them that are new, since of two at once one waits for the other."""
    rows = [
        as_row(erasure, tables.erased_entry, tenant_id=tenant_id, erased_at=now, erased_by=by)
        for erasure in sorted(erasures, key=lambda erasure: (erasure.kind, erasure.entry_id))
    ]
    noted = await insert_rows(
        tx, tables.erased_entry, rows, "ON CONFLICT DO NOTHING RETURNING kind, entry_id"
    )
    new = {(row["kind"], row["entry_id"]) for row in noted}
    return [erasure for erasure in erasures if (erasure.kind, erasure.entry_id) in new]


_EMPTY = """
UPDATE {table} t SET {texts}, salt = NULL, commitment = k.commitment
  FROM unnest($2::uuid[], $3::bytea[]) AS k (id, commitment)
 WHERE t.tenant_id = $1 AND t.{id_column} = k.id
"""
_OF_INVOICED = "CASE WHEN kind = ANY ('{{{kinds}}}') THEN t.{name} ELSE {empty} END"
# An item that a command has opened is called by the command's reference.
_EMPTY_NUMBERS = """
UPDATE open_item i SET number = '' FROM transaction t
 WHERE t.tenant_id = $1 AND t.id = ANY ($2::uuid[]) AND t.kind <> ALL ($3::text[])
   AND i.tenant_id = $1 AND i.id = t.document_id
"""


async def empty_texts(tx: WriteConnection, tenant_id: str, erasures: Sequence[Erasure]) -> None:
    """Take the texts of entries, and their salts, from the rows that hold them."""
    for kind, of_kind in by_kind(erasures).items():
        ids = [erasure.entry_id for erasure in of_kind]
        commitments = [erasure.commitment for erasure in of_kind]
        await tx.raw.execute(_EMPTY_OF_KIND[kind], tenant_id, ids, commitments)
        if kind in ("transaction", "booking"):
            await tx.raw.execute(_EMPTY_NUMBERS, tenant_id, ids, INVOICED_KINDS)


def _emptying(kind: EntryKind) -> str:
    """The statement that empties the texts of a kind; billing's documents keep all but the memo."""
    table, id_column = _TABLES[kind]
    texts = []
    for name in TEXT_FIELDS[kind]:
        empty = f"'\\x{ERASED_DIGEST.hex()}'::bytea" if name == "digest" else "''"
        if table == "transaction" and name != "memo":
            kinds = ",".join(INVOICED_KINDS)
            empty = _OF_INVOICED.format(kinds=kinds, name=name, empty=empty)
        texts.append(f"{name} = {empty}")
    return _EMPTY.format(table=table, texts=", ".join(texts), id_column=id_column)


_TABLES: Mapping[EntryKind, tuple[str, str]] = {
    **ROW_TABLES,
    "transaction": ("transaction", "id"),
    "booking": ("transaction", "id"),
    "property": ("property_version", "id"),
    "meter": ("meter_version", "id"),
}
_EMPTY_OF_KIND = {kind: _emptying(kind) for kind in TEXT_FIELDS}
