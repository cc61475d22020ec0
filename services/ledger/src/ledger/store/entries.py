"""Entries as they are sealed: their content as it is stored now, read for sealing and for proof."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from database import ReadConnection
from ledger.domain.chain import (
    ROW_FIELDS,
    VERSION_KINDS,
    BookedKind,
    EntryKind,
    RowKind,
    VersionKind,
    booking_entry,
    row_entry,
    transaction_entry,
)

Entry = tuple[EntryKind, UUID]
Contents = dict[Entry, dict[str, Any]]

_TRANSACTIONS = "SELECT * FROM transaction WHERE tenant_id = $1 AND id = ANY($2::uuid[])"
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
_ITEMS = "SELECT * FROM open_item WHERE tenant_id = $1 AND id = ANY($2::uuid[])"
_ROWS: Mapping[RowKind, tuple[str, str]] = {
    "reading": ("reading_entry", "id"),
    "definition": ("definition", "id"),
    "meter_end": ("removed_meter", "id"),
    "void_note": ("invoice_note", "invoice_id"),
    "property_end": ("removed_property", "id"),
}
"""The table of each kind, and the column that an entry's id stands in."""
# The newest version of a thing is what the registry says, or the thing has ended since: of one that
# the registry contradicts there is no entry. `created_at` tells those of one id apart.
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
    """What the registry says of a thing itself; only its versions have an id of their own."""
    return ", ".join(f"{table}.{name}" for name in ROW_FIELDS[kind] if name != "id")


_VERSIONS: Mapping[VersionKind, str] = {
    kind: _VERSION.format(kind=kind, now=_columns(kind, "o"), then=_columns(kind, "v"))
    for kind in VERSION_KINDS
}


async def fetch_entries(read: ReadConnection, tenant_id: str, wanted: Sequence[Entry]) -> Contents:
    """The content of these entries, of those that are there, as it is sealed."""
    by_kind: defaultdict[EntryKind, list[UUID]] = defaultdict(list)
    for kind, id_ in wanted:
        by_kind[kind].append(id_)
    found: Contents = {}
    for kind, ids in by_kind.items():
        match kind:
            case "transaction" | "booking":
                found |= await _fetch_booked(read, tenant_id, kind, ids)
            case "property" | "meter":
                rows = await read.raw.fetch(_VERSIONS[kind], tenant_id, ids)
                found |= {(kind, row["id"]): row_entry(kind, row) for row in rows}
            case _:
                found |= await _fetch_rows(read, tenant_id, kind, ids)
    return found


async def _fetch_booked(
    read: ReadConnection, tenant_id: str, kind: BookedKind, ids: Sequence[UUID]
) -> Contents:
    heads = await read.raw.fetch(_TRANSACTIONS, tenant_id, ids)
    posted = _by_transaction(await read.raw.fetch(_POSTINGS, tenant_id, ids))
    settled = _by_transaction(await read.raw.fetch(_ALLOCATIONS, tenant_id, ids))
    if kind == "transaction":
        return {
            (kind, head["id"]): transaction_entry(head, posted[head["id"]], settled[head["id"]])
            for head in heads
        }
    opened = await read.raw.fetch(_ITEMS, tenant_id, [head["document_id"] for head in heads])
    items = {row["id"]: row for row in opened}
    return {
        (kind, head["id"]): booking_entry(
            head, posted[head["id"]], settled[head["id"]], items.get(head["document_id"])
        )
        for head in heads
    }


def _by_transaction(lines: Iterable[Any]) -> defaultdict[UUID, list[Any]]:
    found: defaultdict[UUID, list[Any]] = defaultdict(list)
    for line in lines:
        found[line["transaction_id"]].append(line)
    return found


async def _fetch_rows(
    read: ReadConnection, tenant_id: str, kind: RowKind, ids: Sequence[UUID]
) -> Contents:
    table, id_column = _ROWS[kind]
    query = f"SELECT * FROM {table} WHERE tenant_id = $1 AND {id_column} = ANY($2::uuid[])"  # noqa: S608 - constants
    rows = await read.raw.fetch(query, tenant_id, ids)
    return {(kind, row[id_column]): row_entry(kind, row) for row in rows}
