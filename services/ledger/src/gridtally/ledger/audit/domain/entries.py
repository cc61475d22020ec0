"""Entries of the chain: which fields of each kind are sealed, and how each value is spelled.

docs/chain.md specifies it for whoever writes a verifier. The lists never change for entries that
are sealed: a field that comes later makes a new kind of entry. The hashes are
`gridtally.kernel.chain`'s.

Texts that may name people are not sealed themselves. A row has a salt of its own, and its entry
the commitment to the texts under it; an erasure takes texts and salt and leaves the commitment.
Rows from before salts were are sealed with their texts.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, Literal, get_args
from uuid import UUID

from gridtally.kernel.chain import commitment_of
from gridtally.ledger.accounts.domain.chart import OWNED_CLASSES
from gridtally.ledger.accounts.domain.transactions import ERASED_DIGEST, INVOICED_KINDS

TransactionEntryKind = Literal["transaction", "booking"]
"""A transaction: as a `booking` with the item that it opens; as it was sealed before that kind
existed, without it."""
RowKind = Literal["reading", "definition", "meter_end", "void_note", "property_end", "erasure"]
"""One row is the whole entry."""
VersionKind = Literal["property", "meter"]
"""A version of a property or meter; the newest is equal to what the registry itself has now."""
EntryKind = Literal[TransactionEntryKind, RowKind, VersionKind]
ENTRY_KINDS: tuple[EntryKind, ...] = get_args(EntryKind)
VERSION_KINDS: tuple[VersionKind, ...] = get_args(VersionKind)
TRANSACTION_FIELDS = (
    "id", "kind", "document_id", "reference", "memo", "reverses_id", "customer_id", "currency",
    "total", "occurred_at", "recorded_at", "correlation_id", "digest",
)  # fmt: skip
TRANSACTION_OPTIONAL_FIELDS = ("proof_root",)
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
    "erasure": ("id", "kind", "entry_id", "erased_at", "erased_by"),
    "meter": (
        "id", "meter_id", "version", "property_id", "type", "name", "channels", "channel_minutes",
        "channel_wh_max", "registers", "register_digits", "register_decimals",
        "register_multipliers", "created_at", "updated_at",
    ),
}  # fmt: skip
OPTIONAL_FIELDS: Mapping[RowKind | VersionKind, tuple[str, ...]] = {
    "reading": ("rollover_kwh",),
    "property": ("customer_id",),
    "meter": ("channel_starts_at", "channel_ends_at", "register_rollovers"),
    "erasure": ("seq", "leaf", "rest"),
}
"""Fields that came after the kind was first sealed, as those of transactions above. Each is sealed
where it has a value, so that an entry from before, which has none, is what it was, and a value that
is added or taken is found."""
TEXT_FIELDS: Mapping[EntryKind, tuple[str, ...]] = {
    "transaction": ("reference", "memo", "digest"),
    "booking": ("reference", "memo", "digest"),
    "reading": ("note",),
    "meter_end": ("name",),
    "void_note": ("reason",),
    "property_end": ("name",),
    "property": ("name", "address"),
    "meter": ("name",),
}
"""The fields of a kind that may name people. A transaction's digest is of its texts too, and the
number of an item that is no invoice is a text. Of billing's documents only the memo is one."""
COMMITMENT = "commitment"
"""Stands in an entry for its texts."""
COLUMNS: Mapping[str, str] = {"type": "meter_type"}
"""The columns that have another name since they were first sealed, by the name that is sealed."""
# The columns in which a line repeats its transaction.
POSTING_COPIES = ("currency", "occurred_at", "recorded_at")
ALLOCATION_COPIES = ("customer_id", "currency", "occurred_at", "recorded_at")
ITEM_COPIES = ("customer_id", "currency")
Row = Mapping[str, Any]


def transaction_entry(
    head: Row, postings: Sequence[Row], allocations: Sequence[Row]
) -> dict[str, Any]:
    """A transaction with all its lines, as it is sealed.

    A line repeats some columns of its transaction, and balances are sums over those copies. A line
    whose copy differs is left out, so that the entry is not what was sealed: tampering with a copy
    is found although only the transaction's own column is hashed.
    """
    posted = [
        line for line in _consistent(head, postings, POSTING_COPIES) if _is_on_its_account(line)
    ]
    allocated = _consistent(head, allocations, ALLOCATION_COPIES)
    entry = _spelled(head, (*TRANSACTION_FIELDS, *_with_value(head, TRANSACTION_OPTIONAL_FIELDS)))
    return {
        **_committed(head, entry, text_fields("booking", head)),
        "postings": [_spelled(line, POSTING_FIELDS) for line in posted],
        "allocations": [_spelled(line, ALLOCATION_FIELDS) for line in allocated],
    }


def booking_entry(
    head: Row, postings: Sequence[Row], allocations: Sequence[Row], item: Row | None
) -> dict[str, Any]:
    """A transaction with all its lines and the item that it opens, if any, as it is sealed."""
    opened = _consistent(head, [item] if item is not None else [], ITEM_COPIES)
    fields: tuple[str, ...] = ITEM_FIELDS
    if _is_beside(head) and "reference" in text_fields("booking", head):
        fields = tuple(name for name in ITEM_FIELDS if name != "number")
        opened = [item for item in opened if item["number"] == head["reference"]]
    return {
        **transaction_entry(head, postings, allocations),
        "opens": _spelled(opened[0], fields) if opened else None,
    }


def row_entry(kind: RowKind | VersionKind, row: Row) -> dict[str, Any]:
    """An entry of one row, as it is sealed."""
    entry = _spelled(row, (*ROW_FIELDS[kind], *_with_value(row, OPTIONAL_FIELDS.get(kind, ()))))
    return _committed(row, entry, text_fields(kind, row))


def text_fields(kind: EntryKind, row: Row) -> tuple[str, ...]:
    """The fields of a row, or of its entry, that may name people."""
    if kind in get_args(TransactionEntryKind) and row["kind"] in INVOICED_KINDS:
        return ("memo",)
    return TEXT_FIELDS.get(kind, ())


def without_texts(kind: EntryKind, entry: Row) -> dict[str, Any]:
    """An entry that was sealed with its texts, as it is once they are erased."""
    names = text_fields(kind, entry)
    erased: dict[str, Any] = {
        name: ERASED_DIGEST.hex() if name == "digest" else "" for name in names
    }
    opened = entry.get("opens")
    if opened and "reference" in names:
        erased["opens"] = {**opened, "number": ""}
    return {**entry, **erased}


def _is_beside(row: Row) -> bool:
    """Whether a row's texts lie beside the chain."""
    return row.get("salt") is not None or row.get(COMMITMENT) is not None


def _committed(row: Row, entry: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """An entry with the commitment in place of its texts, where they lie beside the chain.

    Where a row has both a salt and what an erasure leaves, or texts without either, the commitment
    is null, which it never is when it is sealed.
    """
    if not names or not _is_beside(row):
        return entry
    texts = {name: entry[name] for name in names}
    salt, left = row.get("salt"), row.get(COMMITMENT)
    sealed: bytes | None = None
    if salt is not None and left is None:
        sealed = commitment_of(salt, texts)
    elif salt is None and all(text in _ERASED for text in texts.values()):
        sealed = left
    rest = {name: value for name, value in entry.items() if name not in texts}
    return {**rest, COMMITMENT: sealed and sealed.hex()}


_ERASED = ("", ERASED_DIGEST.hex())


def _with_value(row: Row, names: Sequence[str]) -> list[str]:
    return [name for name in names if row.get(name) is not None]


def _consistent(head: Row, lines: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """The lines whose columns `names` are equal to those of their transaction."""
    copies = itemgetter(*names)
    own = copies(head)
    return [line for line in lines if copies(line) == own]


def _is_on_its_account(posting: Row) -> bool:
    """Whether its account has the posting's currency, and the class and customer of its code: only
    the code is hashed."""
    account_class, _, rest = posting["account"].partition(":")
    customer_id = posting["account_customer_id"]
    owner = rest.partition(":")[0]  # a customer's budget plans have an account each
    return (
        posting["account_currency"] == posting["currency"]
        and posting["account_class"] == account_class
        and (customer_id and str(customer_id))
        == (owner if account_class in OWNED_CLASSES else None)
    )


def _spelled(row: Row, names: Sequence[str]) -> dict[str, Any]:
    return {name: _text(row[COLUMNS.get(name, name)]) for name in names}


def _text(value: object) -> str | int | list[Any] | None:
    """A stored value in JSON: exact, in one spelling."""
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
            return [_text(element) for element in value]
    raise TypeError(f"{type(value).__name__} has no canonical spelling")
