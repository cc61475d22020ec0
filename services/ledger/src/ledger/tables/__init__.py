"""The ledger's tables, as the migrations make them; the drift test compares the two.

Owns names and types for `store`. The rules that only SQL knows (row-level security, append-only,
the deferred balance) stand in the migrations.
"""

from ledger.tables.books import (
    account,
    account_part,
    allocation,
    chain_head,
    checkpoint,
    customer,
    entry_queue,
    invoice_note,
    open_item,
    payment_terms,
    posting,
    seal,
    transaction,
)
from ledger.tables.columns import METADATA
from ledger.tables.registry import (
    channel,
    definition,
    meter,
    meter_version,
    property_,
    property_version,
    reading_entry,
    register,
    registry_user,
    removed_meter,
    removed_property,
)

__all__ = [
    "METADATA",
    "account",
    "account_part",
    "allocation",
    "chain_head",
    "channel",
    "checkpoint",
    "customer",
    "definition",
    "entry_queue",
    "invoice_note",
    "meter",
    "meter_version",
    "open_item",
    "payment_terms",
    "posting",
    "property_",
    "property_version",
    "reading_entry",
    "register",
    "registry_user",
    "removed_meter",
    "removed_property",
    "seal",
    "transaction",
]
