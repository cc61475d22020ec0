"""The canonical content of the ledger's entries, and the chunks that their tree is kept in.

Owns which fields of a transaction and of a reading are sealed, and how each value is spelled. The
lists never change for entries that are sealed: a field that comes later makes a new kind of entry.
The hashes are `kernel.chain`'s.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from kernel.chain import Checkpoint
from kernel.merkle import Frontier

EntryKind = Literal["transaction", "reading"]
CHUNK_ENTRIES = 1_024
"""A power of two, so that the roots of whole chunks are nodes of the tree."""
TRANSACTION_FIELDS = (
    "id", "kind", "document_id", "reference", "memo", "reverses_id", "customer_id", "currency",
    "total", "occurred_at", "recorded_at", "correlation_id", "digest",
)  # fmt: skip
POSTING_FIELDS = ("line", "account", "amount")
ALLOCATION_FIELDS = ("line", "item_id", "source_id", "amount")
READING_FIELDS = (
    "id", "reading_id", "version", "supersedes_id", "meter_id", "property_id", "flow", "kind",
    "exchange_id", "value", "digits", "decimals", "multiplier", "quality", "note", "read_at",
    "created_at", "correlation_id",
)  # fmt: skip
Row = Mapping[str, Any]


def transaction_entry(
    head: Row, postings: Sequence[Row], allocations: Sequence[Row]
) -> dict[str, Any]:
    """A transaction with all its lines, as it is sealed."""
    return {
        **_spelled(head, TRANSACTION_FIELDS),
        "postings": [_spelled(line, POSTING_FIELDS) for line in postings],
        "allocations": [_spelled(line, ALLOCATION_FIELDS) for line in allocations],
    }


def reading_entry(row: Row) -> dict[str, Any]:
    """An entry of the reading ledger, as it is sealed."""
    return _spelled(row, READING_FIELDS)


def _spelled(row: Row, names: Sequence[str]) -> dict[str, Any]:
    return {name: _text(row[name]) for name in names}


def _text(value: object) -> str | int | None:
    """A stored value as JSON has it: exact, in one spelling."""
    match value:
        case None | int() | str():
            return value
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case UUID():
            return str(value)
        case bytes():
            return value.hex()
    raise TypeError(f"{type(value).__name__} has no canonical spelling")


def chunk_root(before: Checkpoint, leaf: bytes) -> bytes | None:
    """The root of the chunk that this leaf completes, or None where it completes none."""
    within = before.size % CHUNK_ENTRIES
    if within + 1 != CHUNK_ENTRIES:
        return None
    return Frontier(within, before.frontier.peaks[-within.bit_count() :]).append(leaf).root
