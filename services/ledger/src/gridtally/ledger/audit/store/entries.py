"""Entries read for sealing and for proof: their content as it is stored now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from gridtally.database import ReadConnection
from gridtally.ledger.audit.domain.entries import (
    COLUMNS,
    OPTIONAL_FIELDS,
    ROW_FIELDS,
    VERSION_KINDS,
    EntryKind,
    RowKind,
    TransactionEntryKind,
    VersionKind,
    booking_entry,
    row_entry,
    transaction_entry,
)

Entry = tuple[EntryKind, UUID]
"""What names an entry: its kind, and the id that it has in its table."""
Contents = dict[Entry, dict[str, Any]]
"""What is sealed of each entry."""


async def fetch_entries(read: ReadConnection, tenant_id: str, wanted: Sequence[Entry]) -> Contents:
    """The content of these entries, of those that are there, as it is sealed.

    It is made from the rows as they are stored now, for sealing and for proof alike: what differs
    from what was sealed makes another leaf. One query per kind and table, however many entries.
    """
    by_kind: defaultdict[EntryKind, list[UUID]] = defaultdict(list)
    for kind, id_ in wanted:
        by_kind[kind].append(id_)
    contents: Contents = {}
    for kind, ids in by_kind.items():
        match kind:
            case "transaction" | "booking":
                contents |= await _fetch_transactions(read, tenant_id, kind, ids)
            case "property" | "meter":
                rows = await read.raw.fetch(_VERSIONS[kind], tenant_id, ids)
                contents |= {(kind, row["id"]): row_entry(kind, row) for row in rows}
            case _:
                contents |= await _fetch_rows(read, tenant_id, kind, ids)
    return contents


_TRANSACTIONS = "SELECT * FROM transaction WHERE tenant_id = $1 AND id = ANY($2::uuid[])"
# The account's own columns come too: what its code states is compared with them.
_POSTINGS = """
SELECT p.transaction_id, p.line, p.amount, p.currency, p.occurred_at, p.recorded_at,
       a.code AS account, a.class AS account_class, a.customer_id AS account_customer_id,
       a.currency AS account_currency
  FROM posting p JOIN account a ON a.tenant_id = p.tenant_id AND a.id = p.account_id
 WHERE p.tenant_id = $1 AND p.transaction_id = ANY($2::uuid[]) ORDER BY p.transaction_id, p.line
"""
_ALLOCATIONS = """
SELECT * FROM allocation
 WHERE tenant_id = $1 AND transaction_id = ANY($2::uuid[]) ORDER BY transaction_id, line
"""
# The item that a transaction opens has the id of the document. One that a merge has given to
# another customer is sealed as of the one for whom it was opened, who must be merged. Into whom
# does not count: the items of one who is merged anew stay with whoever has them.
_ITEMS = """
SELECT i.*, CASE WHEN c.id IS NULL THEN i.customer_id ELSE i.opened_for END AS sealed_customer_id
  FROM open_item i LEFT JOIN customer c
    ON (c.tenant_id, c.id) = (i.tenant_id, i.opened_for) AND c.merged_into IS NOT NULL
 WHERE i.tenant_id = $1 AND i.id = ANY($2::uuid[])
"""


async def _fetch_transactions(
    read: ReadConnection, tenant_id: str, kind: TransactionEntryKind, ids: Sequence[UUID]
) -> Contents:
    heads = await read.raw.fetch(_TRANSACTIONS, tenant_id, ids)
    postings = _by_transaction(await read.raw.fetch(_POSTINGS, tenant_id, ids))
    allocations = _by_transaction(await read.raw.fetch(_ALLOCATIONS, tenant_id, ids))
    if kind == "transaction":
        return {
            (kind, head["id"]): transaction_entry(
                head, postings[head["id"]], allocations[head["id"]]
            )
            for head in heads
        }
    opened = await read.raw.fetch(_ITEMS, tenant_id, [head["document_id"] for head in heads])
    items = {row["id"]: {**row, "customer_id": row["sealed_customer_id"]} for row in opened}
    return {
        (kind, head["id"]): booking_entry(
            head, postings[head["id"]], allocations[head["id"]], items.get(head["document_id"])
        )
        for head in heads
    }


def _by_transaction(lines: Iterable[Any]) -> defaultdict[UUID, list[Any]]:
    """The lines of each transaction, in the order that they come in."""
    by_id: defaultdict[UUID, list[Any]] = defaultdict(list)
    for line in lines:
        by_id[line["transaction_id"]].append(line)
    return by_id


ROW_TABLES: Mapping[EntryKind, tuple[str, str]] = {
    "reading": ("reading_entry", "id"),
    "definition": ("definition", "id"),
    "meter_end": ("removed_meter", "id"),
    "void_note": ("invoice_note", "invoice_id"),
    "property_end": ("removed_property", "id"),
    "erasure": ("erased_entry", "id"),
}
"""The table of each kind, and the column that an entry's id stands in."""


async def _fetch_rows(
    read: ReadConnection, tenant_id: str, kind: RowKind, ids: Sequence[UUID]
) -> Contents:
    table, id_column = ROW_TABLES[kind]
    query = f"SELECT * FROM {table} WHERE tenant_id = $1 AND {id_column} = ANY($2::uuid[])"  # noqa: S608 - constants
    rows = await read.raw.fetch(query, tenant_id, ids)
    return {(kind, row[id_column]): row_entry(kind, row) for row in rows}


# The newest version of a property or meter is equal to what the registry has, or the thing has
# ended since: of one that the registry contradicts there is no entry. `created_at` distinguishes
# those of one id.
_VERSION = """
SELECT v.* FROM {kind}_version v
 WHERE v.tenant_id = $1 AND v.id = ANY($2::uuid[])
   AND (EXISTS (SELECT FROM {kind}_version n
                 WHERE (n.tenant_id, n.{kind}_id) = (v.tenant_id, v.{kind}_id)
                   AND (n.created_at, n.version) > (v.created_at, v.version))
        OR EXISTS (SELECT FROM {kind}_now o
                    WHERE (o.tenant_id, o.{kind}_id) = (v.tenant_id, v.{kind}_id)
                      AND ({now}) IS NOT DISTINCT FROM ({then}))
        OR EXISTS (SELECT FROM removed_{kind} r
                    WHERE (r.tenant_id, r.{kind}_id) = (v.tenant_id, v.{kind}_id)
                      AND r.removed_at >= v.created_at)
           AND NOT EXISTS (SELECT FROM {kind} o
                            WHERE (o.tenant_id, o.id) = (v.tenant_id, v.{kind}_id)
                              AND o.created_at = v.created_at))
"""


def _columns(kind: VersionKind, table: str) -> str:
    """The columns that the registry and a version have in common; only a version has an entry's
    id."""
    fields = (*ROW_FIELDS[kind], *OPTIONAL_FIELDS.get(kind, ()))
    names = [COLUMNS.get(name, name) for name in fields if name != "id"]
    return ", ".join(f"{table}.{name}" for name in names)


_VERSIONS: Mapping[VersionKind, str] = {
    kind: _VERSION.format(kind=kind, now=_columns(kind, "o"), then=_columns(kind, "v"))
    for kind in VERSION_KINDS
}
