"""What ingest does in the background: what was left for later, and what time makes due."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from gridtally.database import ALL_TENANTS, WriteConnection, transaction
from gridtally.ingest.handlers.alerts import check_due_meters
from gridtally.ingest.handlers.archive import Overtaken, archive_oldest, remove_replaced
from gridtally.ingest.handlers.derived_meters import add_up_due_days
from gridtally.ingest.handlers.device_events import delete_expired
from gridtally.ingest.handlers.estimates import estimate_due_periods
from gridtally.ingest.handlers.imports import Importer
from gridtally.ingest.handlers.pending_blocks import drop_expired, record_pending
from gridtally.ingest.handlers.periods import close_due_periods, plan_periods
from gridtally.ingest.handlers.readings import Recorder
from gridtally.ingest.handlers.register_sums import check_registers
from gridtally.ingest.handlers.registers import convert_due_registers
from gridtally.ingest.handlers.usage import publish_usage
from gridtally.ingest.settings import Settings
from gridtally.ingest.store.intake_counts import fetch_dropped
from gridtally.messaging import Progress
from gridtally.messaging.polling import run_polling
from gridtally.service.polling import polling_loop, repeating_loop
from gridtally.service.service import Loop, Process

IDLE_POLL_S = 0.2
EXPIRY_POLL_S = 60.0
ARCHIVE_POLL_S = 600.0
"""A month is old enough once in a month; what was recalled goes back as soon as this."""


def loops(process: Process[Settings], recorder: Recorder) -> list[Loop]:
    """Publishing usage, planning and closing periods, estimating what they lack, recording pending
    blocks, dropping those that have waited too long, turning registers into intervals, adding up
    derived meters, holding sums against registers, imports, alerts, deleting old events of devices,
    and moving old months into the archive."""
    database, clock = process.database, process.clock
    importer = Importer(process.publisher, recorder)

    async def usage(tx: WriteConnection, now: datetime) -> int:
        return await publish_usage(tx, process.publisher, now)

    async def periods() -> int:
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            planned = await plan_periods(tx, recorder.archive, clock())
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            return planned + await close_due_periods(
                tx, recorder.archive, clock(), process.settings.revision_delay
            )

    async def pending(tx: WriteConnection, now: datetime) -> int:
        return await record_pending(tx, recorder, now)

    async def estimates(tx: WriteConnection, now: datetime) -> int:
        return await estimate_due_periods(tx, recorder, now)

    async def registers(tx: WriteConnection, now: datetime) -> int:
        return await convert_due_registers(tx, recorder, now)

    async def sums(tx: WriteConnection, now: datetime) -> int:
        return await add_up_due_days(tx, recorder, now)

    async def old_events(tx: WriteConnection, now: datetime) -> int:
        return await delete_expired(tx, now - timedelta(days=process.settings.device_event_days))

    async def register_sums(tx: WriteConnection, now: datetime) -> int:
        return await check_registers(tx, recorder.archive, now)

    async def archive() -> int:
        archived = 0
        with suppress(Overtaken):  # the next time
            async with transaction(database, tenant=ALL_TENANTS) as tx:
                archived = await archive_oldest(tx, recorder.archive, clock())
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            return archived + await remove_replaced(tx, recorder.archive, clock())

    return [
        polling_loop("ingest.usage", usage, database, clock, idle_s=IDLE_POLL_S),
        repeating_loop("ingest.periods", periods, idle_s=IDLE_POLL_S),
        polling_loop("ingest.pending_blocks", pending, database, clock, idle_s=IDLE_POLL_S),
        polling_loop("ingest.estimates", estimates, database, clock),
        polling_loop("ingest.registers", registers, database, clock, idle_s=IDLE_POLL_S),
        polling_loop("ingest.sums", sums, database, clock, idle_s=IDLE_POLL_S),
        polling_loop("ingest.register_sums", register_sums, database, clock),
        polling_loop("ingest.imports", importer.work, database, clock),
        polling_loop("ingest.alerts", check_due_meters, database, clock),
        repeating_loop("ingest.archive", archive, idle_s=ARCHIVE_POLL_S),
        polling_loop(
            "ingest.device_event_expiry", old_events, database, clock, idle_s=EXPIRY_POLL_S
        ),
        _expiry(process),
    ]


def _expiry(process: Process[Settings]) -> Loop:
    """Its progress shows how many blocks were dropped since its start, for their age or for want of
    room: the stored counts say so, whichever process dropped them."""
    name, kept_for = (
        "ingest.pending_block_expiry",
        timedelta(days=process.settings.pending_block_days),
    )

    async def run(progress: Progress, stop: asyncio.Event) -> None:
        before: int | None = None

        async def drop() -> int:
            nonlocal before
            async with transaction(process.database, tenant=ALL_TENANTS) as tx:
                expired = await drop_expired(tx, process.clock() - kept_for)
                dropped = await fetch_dropped(tx)
            before = dropped - expired if before is None else before
            progress.dropped = dropped - before
            return expired

        await run_polling(name, drop, progress, stop, idle_s=EXPIRY_POLL_S)

    return Loop(name, run)
