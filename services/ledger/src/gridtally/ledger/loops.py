"""What the ledger does in the background: seals, announcements, and a look at what is overdue."""

import asyncio
import time

import structlog

from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.kernel.errors import Conflict
from gridtally.ledger.accounts.handlers import (
    adopted_payments,
    balances,
    budget_plans,
    credit,
    dunning,
    payment_plans,
)
from gridtally.ledger.audit.handlers import erasures, seals
from gridtally.ledger.audit.store import status
from gridtally.ledger.settings import Settings
from gridtally.messaging import Progress
from gridtally.messaging.retries import Stopped, pause, retry_transient
from gridtally.service.idempotency import idempotency_key_expiry
from gridtally.service.polling import polling_loop, repeating_loop
from gridtally.service.service import Loop, Process

SEAL_POLL_S = 0.25
LATE_POLL_S = 10.0
OVERDUE_POLL_S = 60.0
ERASURE_POLL_S = 5.0

log = structlog.get_logger(__name__)


def loops(process: Process[Settings]) -> list[Loop]:
    """One that seals, one that watches it, one that publishes balances, one that applies credit
    where that has become due, two that look for what has fallen overdue, of items and of plans,
    one that asks for what budget plans agree and settles them, one that duns, one that begins the
    runs of each day, one that erases what
    the books say of erased customers, one that deletes what was answered to idempotency keys that
    have expired."""
    database, clock = process.database, process.clock
    return [
        _sealer(database),
        _watch(database),
        polling_loop("ledger.balances", balances.publish_changed_balances, database, clock),
        polling_loop(
            "ledger.adopted_payments", adopted_payments.post_adopted_payments, database, clock
        ),
        polling_loop("ledger.credit", credit.apply_due_credits, database, clock),
        polling_loop(
            "ledger.overdue", balances.report_overdue, database, clock, idle_s=OVERDUE_POLL_S
        ),
        polling_loop(
            "ledger.payment_plans",
            payment_plans.report_late,
            database,
            clock,
            idle_s=OVERDUE_POLL_S,
        ),
        polling_loop(
            "ledger.budget_plans",
            budget_plans.advance_plans,
            database,
            clock,
            idle_s=OVERDUE_POLL_S,
        ),
        polling_loop("ledger.dunning", dunning.advance_run, database, clock),
        polling_loop(
            "ledger.daily_dunning",
            dunning.start_daily_runs,
            database,
            clock,
            idle_s=OVERDUE_POLL_S,
        ),
        polling_loop(
            "ledger.erasures", erasures.erase_customers, database, clock, idle_s=ERASURE_POLL_S
        ),
        idempotency_key_expiry(process),
    ]


def _sealer(database: Database) -> Loop:
    """Its lag is how many entries wait for their seal, of all tenants. A chain that is broken holds
    up nobody else's: its entries wait until somebody has looked."""
    logged = set[str]()

    async def seal() -> int:
        try:
            async with transaction(database, tenant=ALL_TENANTS) as tx:
                return await seals.seal_queued(tx)
        except Conflict as broken:
            if broken.detail not in logged:
                logged.add(broken.detail)
                log.critical("chain broken", reason=broken.detail)
            return 0

    async def count_unsealed() -> int:
        async with snapshot(database, tenant=ALL_TENANTS) as read:
            return await status.count_unsealed(read)

    return repeating_loop("ledger.seals", seal, idle_s=SEAL_POLL_S, count_pending=count_unsealed)


def _watch(database: Database) -> Loop:
    """Its lag is how many entries wait for their seal for too long, whatever keeps them; it moves
    with the chains, so that it stalls where nothing is sealed any more, also where somebody holds a
    chain's head, which the sealer passes over."""
    name = "ledger.late_seals"

    async def look() -> tuple[int, int]:
        async with snapshot(database, tenant=ALL_TENANTS) as read:
            return await status.count_late(read)

    async def run(progress: Progress, stop: asyncio.Event) -> None:
        known: int | None = None
        while not stop.is_set():
            try:
                late, sealed = await retry_transient(name, look, stop=stop)
            except Stopped:
                return
            progress.observe_lag(late, now_s=time.monotonic())
            if known is not None and sealed > known:
                progress.advance(sealed - known, now_s=time.monotonic())
            known = sealed
            await pause(stop, LATE_POLL_S)

    return Loop(name, run)
