"""What the ledger does in the background: seals, announcements, and a look at what is overdue."""

import asyncio
import time

import structlog

from database import ALL_TENANTS, Database, snapshot, transaction
from kernel.errors import Conflict
from ledger.handlers import announcing, sealing
from ledger.store import chain
from messaging import Progress
from messaging.retries import Stopped, pause, persist
from serving.passes import Clock, loop_of, repeated
from serving.service import Loop

SEAL_POLL_S = 0.25
LATE_POLL_S = 10.0
OVERDUE_POLL_S = 60.0

log = structlog.get_logger(__name__)


def loops(database: Database, clock: Clock) -> list[Loop]:
    """One that seals, one that watches it, one that announces, one that looks for what has fallen
    overdue."""
    return [
        _sealer(database),
        _watch(database),
        loop_of("ledger.accounts", announcing.announce_changed, database, clock),
        loop_of("ledger.overdue", announcing.tell_overdue, database, clock, idle_s=OVERDUE_POLL_S),
    ]


def _sealer(database: Database) -> Loop:
    """Its lag is how many entries wait for their seal, of all tenants. A chain that is broken holds
    up nobody else's: its entries wait until somebody has looked."""
    told = set[str]()

    async def seal() -> int:
        try:
            async with transaction(database, tenant=ALL_TENANTS) as tx:
                return await sealing.seal_waiting(tx)
        except Conflict as broken:
            if broken.detail not in told:
                told.add(broken.detail)
                log.critical("chain broken", reason=broken.detail)
            return 0

    async def count_unsealed() -> int:
        async with snapshot(database, tenant=ALL_TENANTS) as read:
            return await chain.count_unsealed(read)

    return repeated("ledger.sealer", seal, idle_s=SEAL_POLL_S, count_left=count_unsealed)


def _watch(database: Database) -> Loop:
    """Its lag is how many entries wait for their seal for too long, whatever keeps them; it moves
    with the chains, so that it stalls where nothing is sealed any more, also where somebody holds a
    chain's head, which the sealer passes over."""
    name = "ledger.unsealed"

    async def look() -> tuple[int, int]:
        async with snapshot(database, tenant=ALL_TENANTS) as read:
            return await chain.count_late(read)

    async def run(progress: Progress, stop: asyncio.Event) -> None:
        known: int | None = None
        while not stop.is_set():
            try:
                late, sealed = await persist(name, look, stop=stop)
            except Stopped:
                return
            progress.observe_lag(late, now_s=time.monotonic())
            if known is not None and sealed > known:
                progress.advance(sealed - known, now_s=time.monotonic())
            known = sealed
            await pause(stop, LATE_POLL_S)

    return Loop(name, run)
