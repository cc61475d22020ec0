"""What the ledger does in the background: seals, announcements, and a look at what is overdue."""

from database import ALL_TENANTS, Database, snapshot, transaction
from ledger.handlers import announcing, sealing
from ledger.store import chain
from serving.passes import Clock, loop_of, repeated
from serving.service import Loop

SEAL_POLL_S = 0.25
OVERDUE_POLL_S = 60.0


def loops(database: Database, clock: Clock) -> list[Loop]:
    """One that seals, one that announces, one that looks for what has fallen overdue."""
    return [
        _sealer(database),
        loop_of("ledger.accounts", announcing.announce_changed, database, clock),
        loop_of("ledger.overdue", announcing.tell_overdue, database, clock, idle_s=OVERDUE_POLL_S),
    ]


def _sealer(database: Database) -> Loop:
    """Its lag is how many entries wait for their seal, of all tenants."""

    async def seal() -> int:
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            return await sealing.seal_waiting(tx)

    async def count_unsealed() -> int:
        async with snapshot(database, tenant=ALL_TENANTS) as read:
            return await chain.count_unsealed(read)

    return repeated("ledger.sealer", seal, idle_s=SEAL_POLL_S, count_left=count_unsealed)
