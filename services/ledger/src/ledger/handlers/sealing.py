"""Sealing: entries that are committed get their place in the tenant's chain, in batches.

Apart from the booking, so that writers do not wait for one another's hashes. An entry waits in a
queue that its own transaction put it into, and leaves it with the transaction that seals it.
"""

from database import WriteConnection
from kernel.chain import leaf_of, record_of
from ledger.domain.chain import chunk_root
from ledger.store import chain
from ledger.store.chain import Seal
from ledger.store.entries import fetch_entries

SEAL_ENTRIES_MAX = 1_000
"""In one transaction, which holds the head of one tenant."""


async def seal_waiting(tx: WriteConnection) -> int:
    """Seal what waits of one tenant, up to the limit; how many entries that were.

    Conflict where its chain was tampered with, so that it cannot go on.
    """
    state = await chain.claim_head(tx)
    if state is None:
        return 0
    tenant_id = state.tenant_id
    waiting = await chain.take_unsealed(tx, tenant_id, SEAL_ENTRIES_MAX)
    entries = await fetch_entries(tx, tenant_id, waiting)
    seals, chunks = [], []
    for kind, entry_id in waiting:
        # An entry that is gone already is sealed as such: the verifier will say so.
        content = entries.get((kind, entry_id))
        leaf = leaf_of(record_of(tenant_id, state.size + 1, kind, content))
        completed = chunk_root(state, leaf)
        state = state.extend(leaf)
        seals.append(Seal(state.size, kind, entry_id, leaf, state.head))
        if completed:
            chunks.append((state, completed))
    await chain.insert_seals(tx, tenant_id, seals)
    await chain.move_head(tx, state, chunks)
    return len(seals)
