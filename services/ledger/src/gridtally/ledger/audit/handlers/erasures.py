"""Erasing: texts that may name people are taken from beside the chain, which stays as it is.

What is erased, when and by whom is an entry of the chain itself. An entry that is not what was
sealed is left alone, so that an erasure never hides a change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, NotFound
from gridtally.ledger.audit.domain.erasures import erase, has_texts
from gridtally.ledger.audit.domain.seals import Seal
from gridtally.ledger.audit.store import erasures, seals
from gridtally.ledger.audit.store.entries import Entry, fetch_entries

ERASED_MAX = 500
"""Entries in one transaction."""
BY_EVENT = "customer.changed"


@dataclass(frozen=True, slots=True)
class ErasedEntry:
    """A sealed entry whose texts are erased: when, and by which key or event."""

    seal: Seal
    erased_at: datetime
    erased_by: str


async def erase_customers(tx: WriteConnection, now: datetime) -> int:
    """Erase what is left of a customer who was erased in billing, up to the limit. Returns how many
    entries that were.

    The customer's account may go on changing: a later change makes this look again.
    """
    claimed = await erasures.claim_customer(tx, now)
    if claimed is None:
        return 0
    customer, version = claimed
    entries = await erasures.find_entries(tx, customer, ERASED_MAX)
    count = await _erase(tx, customer[0], entries, BY_EVENT, now)
    if count < ERASED_MAX:
        await erasures.update_checked(tx, customer, version, now)
    return count


async def erase_entry(
    tx: WriteConnection, tenant_id: str, seq: int, by: str, now: datetime
) -> ErasedEntry:
    """Erase the texts of the sealed entry at a place; the second time changes nothing.

    NotFound where no entry has this place; Conflict where it has no texts, is what a property or
    meter is called now, or is not what was sealed.
    """
    at_place = await seals.fetch_seals(tx, tenant_id, seq - 1, seq, 1)
    if not at_place:
        raise NotFound("entry_unknown", "no sealed entry has this place")
    [seal] = at_place
    entry = (seal.kind, seal.entry_id)
    if known := await erasures.fetch_erased(tx, tenant_id, entry):
        return ErasedEntry(seal, *known)
    if await erasures.is_current(tx, tenant_id, entry):
        raise Conflict("entry_current", f"the {seal.kind} has this name now: change it first")
    content = (await fetch_entries(tx, tenant_id, [entry])).get(entry)
    if content is not None and not has_texts(seal.kind, content):
        raise Conflict("entry_without_texts", f"a {seal.kind} like this has no texts of people")
    if content is None or not await _erase(tx, tenant_id, [entry], by, now):
        raise Conflict("chain_broken", "the entry is not what was sealed")
    return ErasedEntry(seal, now, by)


async def _erase(
    tx: WriteConnection, tenant_id: str, wanted: Sequence[Entry], by: str, now: datetime
) -> int:
    """Erase entries that are what was sealed, or wait for their seal; how many are new."""
    sealed = await seals.fetch_seals_of(tx, tenant_id, [id_ for _, id_ in wanted])
    # A transaction from before bookings were is sealed under its older kind.
    entries: list[Entry] = [
        (sealed[id_].kind if id_ in sealed else kind, id_) for kind, id_ in wanted
    ]
    contents = await fetch_entries(tx, tenant_id, entries)
    decided = [
        erase(tenant_id, kind, id_, contents[kind, id_], sealed.get(id_))
        for kind, id_ in entries
        if (kind, id_) in contents
    ]
    new = await erasures.insert_erasures(
        tx, tenant_id, [erasure for erasure in decided if erasure], by, now
    )
    await erasures.empty_texts(tx, tenant_id, new)
    return len(new)
