"""Sealing: entries that are committed get their place in the tenant's chain, in batches.

Apart from posting, so that writers do not wait for one another's hashes. An entry waits in a queue
that a trigger of its own transaction put it into, and leaves it with the transaction that seals it:
none is passed over, in whatever order transactions commit.
"""

from gridtally.database import WriteConnection
from gridtally.kernel.chain import leaf_of, record_of
from gridtally.ledger.audit.domain.checkpoints import chunk_root
from gridtally.ledger.audit.domain.seals import Seal
from gridtally.ledger.audit.store import checkpoints, seals
from gridtally.ledger.audit.store.entries import fetch_entries

SEAL_ENTRIES_MAX = 1_000
"""In one transaction, which holds the head of one tenant."""


async def seal_queued(tx: WriteConnection) -> int:
    """Seal what waits of one tenant, up to the limit. Returns how many entries that were; 0 where
    nothing waits, or others seal all that does.

    The head's row is locked from the first statement on, so two sealers never extend one chain.
    Each entry is read as it is stored now, its leaf is hashed, and the state moves on by it: head
    and frontier are extended in memory, and written once. Conflict where the chain was tampered
    with, so that it cannot go on.
    """
    state = await checkpoints.claim_head(tx)
    if state is None:
        return 0
    tenant_id = state.tenant_id
    queued = await seals.take_queued(tx, tenant_id, SEAL_ENTRIES_MAX)
    entries = await fetch_entries(tx, tenant_id, queued)
    sealed, chunks = [], []
    for kind, entry_id in queued:
        # An entry that is gone already is sealed as such: the verifier will say so.
        content = entries.get((kind, entry_id))
        leaf = leaf_of(record_of(tenant_id, state.size + 1, kind, content))
        completed = chunk_root(state, leaf)
        state = state.extend(leaf)
        sealed.append(Seal(state.size, kind, entry_id, leaf, state.head))
        if completed:
            chunks.append((state, completed))
    await seals.insert_seals(tx, tenant_id, sealed)
    await checkpoints.move_head(tx, state, chunks)
    return len(sealed)
