"""The canonical content of the ledger's entries, and the chunks that their tree is kept in.

Owns which fields of each kind of entry are sealed, and how each value is spelled; docs/chain.md
tells it to whoever writes a verifier. The lists never change for entries that are sealed: a field
that comes later makes a new kind of entry. The hashes are `kernel.chain`'s.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, Literal, get_args
from uuid import UUID

from kernel.chain import Checkpoint
from kernel.merkle import Frontier
from ledger.domain.accounts import CUSTOMERS

BookedKind = Literal["transaction", "booking"]
"""A transaction: with the item that it opens since there are bookings, without it before."""
RowKind = Literal["reading", "definition", "meter_end", "void_note", "property_end"]
"""What one row is the whole of."""
VersionKind = Literal["property", "meter"]
"""A version of a thing of the registry; the newest is what the registry itself says now."""
EntryKind = Literal[BookedKind, RowKind, VersionKind]
ENTRY_KINDS: tuple[EntryKind, ...] = get_args(EntryKind)
VERSION_KINDS: tuple[VersionKind, ...] = get_args(VersionKind)
SEALED_WITHIN_S = 60
"""An entry that has waited longer for its seal is late: somebody has to see why."""
CHUNK_ENTRIES = 1_024
"""A power of two, so that the roots of whole chunks are nodes of the tree."""
TRANSACTION_FIELDS = (
    "id", "kind", "document_id", "reference", "memo", "reverses_id", "customer_id", "currency",
    "total", "occurred_at", "recorded_at", "correlation_id", "digest",
)  # fmt: skip
POSTING_FIELDS = ("line", "account", "amount")
ALLOCATION_FIELDS = ("line", "item_id", "source_id", "amount")
ITEM_FIELDS = ("id", "kind", "number", "total", "issued_at", "due_on")
READING_FIELDS = (
    "id", "reading_id", "version", "supersedes_id", "meter_id", "property_id", "flow", "kind",
    "exchange_id", "value", "digits", "decimals", "multiplier", "quality", "note", "read_at",
    "created_at", "correlation_id",
)  # fmt: skip
ROW_FIELDS: Mapping[RowKind | VersionKind, tuple[str, ...]] = {
    "reading": READING_FIELDS,
    "definition": (
        "id", "meter_id", "version", "from_on", "meter_ids", "flows", "signs", "created_at",
    ),
    "meter_end": ("id", "meter_id", "property_id", "type", "name", "removed_at"),
    "void_note": (
        "invoice_id", "credit_note_id", "reference", "reason", "voided_at", "recorded_at",
    ),
    "property_end": ("id", "property_id", "name", "removed_at"),
    "property": (
        "id", "property_id", "version", "name", "address", "zone", "region_id", "connected_kw",
        "parent_id", "created_at", "updated_at",
    ),
    "meter": (
        "id", "meter_id", "version", "property_id", "type", "name", "channels", "channel_minutes",
        "channel_wh_max", "registers", "register_digits", "register_decimals",
        "register_multipliers", "created_at", "updated_at",
    ),
}  # fmt: skip
POSTING_COPIES = ("currency", "occurred_at", "recorded_at")
ALLOCATION_COPIES = ("customer_id", "currency", "occurred_at", "recorded_at")
ITEM_COPIES = ("customer_id", "currency")
Row = Mapping[str, Any]


def transaction_entry(
    head: Row, postings: Sequence[Row], allocations: Sequence[Row]
) -> dict[str, Any]:
    """A transaction with all its lines, as it is sealed.

    A line repeats some of its transaction, and sums are made of those copies: one that says
    something else is left out, so that the entry is not what was sealed.
    """
    posted = [line for line in _faithful(head, postings, POSTING_COPIES) if _named(line)]
    settled = _faithful(head, allocations, ALLOCATION_COPIES)
    return {
        **_spelled(head, TRANSACTION_FIELDS),
        "postings": [_spelled(line, POSTING_FIELDS) for line in posted],
        "allocations": [_spelled(line, ALLOCATION_FIELDS) for line in settled],
    }


def booking_entry(
    head: Row, postings: Sequence[Row], allocations: Sequence[Row], item: Row | None
) -> dict[str, Any]:
    """A transaction with all its lines and the item that it opens, if any, as it is sealed."""
    opened = _faithful(head, [item] if item is not None else [], ITEM_COPIES)
    return {
        **transaction_entry(head, postings, allocations),
        "opens": _spelled(opened[0], ITEM_FIELDS) if opened else None,
    }


def row_entry(kind: RowKind | VersionKind, row: Row) -> dict[str, Any]:
    """An entry of one row, as it is sealed."""
    return _spelled(row, ROW_FIELDS[kind])


def _faithful(head: Row, lines: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """The lines whose copies of their transaction are what it says itself."""
    copies = itemgetter(*names)
    said = copies(head)
    return [line for line in lines if copies(line) == said]


def _named(posting: Row) -> bool:
    """Whether its account is of the currency, the class and the customer that its name says."""
    account_class, _, rest = posting["account"].partition(":")
    customer_id = posting["account_customer_id"]
    return (
        posting["account_currency"] == posting["currency"]
        and posting["account_class"] == account_class
        and (customer_id and str(customer_id)) == (rest if account_class in CUSTOMERS else None)
    )


def _spelled(row: Row, names: Sequence[str]) -> dict[str, Any]:
    return {name: _text(row[name]) for name in names}


def _text(value: object) -> str | int | list[Any] | None:
    """A stored value as JSON has it: exact, in one spelling."""
    match value:
        case None | int() | str():
            return value
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case bytes():
            return value.hex()
        case list():
            return [_text(each) for each in value]
    raise TypeError(f"{type(value).__name__} has no canonical spelling")


def chunk_root(before: Checkpoint, leaf: bytes) -> bytes | None:
    """The root of the chunk that this leaf completes, or None where it completes none."""
    within = before.size % CHUNK_ENTRIES
    if within + 1 != CHUNK_ENTRIES:
        return None
    return Frontier(within, before.frontier.peaks[-within.bit_count() :]).append(leaf).root
