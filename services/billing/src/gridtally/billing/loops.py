"""What billing does in the background: process what has become due."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from gridtally.billing.handlers import (
    billing_runs,
    collective_invoices,
    customers,
    daily_costs,
    periods,
    prepayments,
    read_cycles,
    seller,
    webhooks,
)
from gridtally.billing.settings import Settings
from gridtally.kernel.errors import Transient
from gridtally.messaging import Progress
from gridtally.messaging.retries import pause
from gridtally.service.idempotency import idempotency_key_expiry
from gridtally.service.polling import polling_loop
from gridtally.service.service import Loop, Process
from gridtally.webhooks.addresses import networks
from gridtally.webhooks.sender import Sender

PURGE_IDLE_S = 600.0
DELIVERY_IDLE_S = 0.25


def loops(process: Process[Settings]) -> list[Loop]:
    """One for each kind of work; messages are posted only where secrets can be made."""
    database, clock = process.database, process.clock
    own = [
        polling_loop(
            "billing.webhook_purge", webhooks.purge_messages, database, clock, idle_s=PURGE_IDLE_S
        )
    ]
    if process.settings.webhook_secret_key is not None:
        own.append(Loop("billing.webhooks", _delivery(process)))
    return [
        *own,
        polling_loop("billing.held_periods", periods.retry_held_periods, database, clock),
        polling_loop(
            "billing.collective_invoices",
            collective_invoices.issue_collective_invoices,
            database,
            clock,
        ),
        polling_loop("billing.runs", billing_runs.approve_due_runs, database, clock),
        polling_loop("billing.daily_costs", daily_costs.price_due_days, database, clock),
        polling_loop("billing.prepayments", prepayments.look_at_prepayments, database, clock),
        polling_loop("billing.read_cycles", read_cycles.spread_read_dates, database, clock),
        polling_loop("billing.sellers", seller.publish_sellers, database, clock),
        polling_loop("billing.customers", customers.publish_customers, database, clock),
        idempotency_key_expiry(process),
    ]


def _delivery(process: Process[Settings]) -> Callable[[Progress, asyncio.Event], Awaitable[None]]:
    """The loop that posts messages; what it has begun when it is asked to stop is finished."""
    settings = process.settings

    async def run(progress: Progress, stop: asyncio.Event) -> None:
        key = settings.webhook_secret_key
        assert key is not None  # noqa: S101 - there is no such loop without
        async with Sender(networks(settings.webhook_networks_allowed)) as sender:
            deliverer = webhooks.Deliverer(
                process.database, sender, key.get_secret_value().encode(), process.clock
            )
            while not stop.is_set():
                try:
                    begun = await deliverer.begin_due()
                    await deliverer.wait(DELIVERY_IDLE_S)
                except Transient:
                    begun = 0
                    progress.retries += 1
                progress.advance(begun, now_s=time.monotonic())
                if not begun:
                    await pause(stop, DELIVERY_IDLE_S)
            with suppress(Transient):  # what is not marked is posted again
                await deliverer.finish()

    return run
