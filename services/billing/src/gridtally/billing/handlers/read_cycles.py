"""Read cycles get dates, and the agreements on them, too."""

from dataclasses import replace
from datetime import datetime

from gridtally.billing.domain.read_cycles import ReadCycle
from gridtally.billing.events.agreements import agreement_changed
from gridtally.billing.store import agreements
from gridtally.billing.store import read_cycles as store
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict
from gridtally.kernel.ids import derive_id
from gridtally.kernel.resources import Cause, Stored
from gridtally.messaging import enqueue

AGREEMENTS_MAX = 500
"""Agreements that get the dates of their cycle in one transaction."""


async def replace_read_cycle(
    tx: WriteConnection,
    tenant_id: str,
    current: Stored[ReadCycle] | None,
    cycle: ReadCycle,
    now: datetime,
) -> Stored[ReadCycle]:
    """The cycle, of which `current` is locked, with these dates; the same again changes nothing.

    Conflict where another one made it first.
    """
    if current is not None:
        if current.resource == cycle:
            return current
        return await store.update_read_cycle(tx, tenant_id, cycle, now)
    if not await store.insert_read_cycle(tx, tenant_id, cycle, now):
        raise Conflict("read_cycle_moved", "the read cycle was made just now; read it again")
    return Stored(cycle, 1, now, now)


# A cycle may have more agreements than one transaction should change and publish, so they follow
# its dates a bounded number at a time, each with a version of its own. Ingest plans their open
# periods again around those that are closed.
async def spread_read_dates(tx: WriteConnection, now: datetime) -> int:
    """Give agreements on a changed cycle its dates, and publish them; return how many, or 1 where
    a cycle was found to have none left."""
    claimed = await store.claim_unspread(tx)
    if claimed is None:
        return 0
    tenant_id, cycle = claimed
    outdated = await store.lock_outdated(tx, tenant_id, cycle, AGREEMENTS_MAX)
    messages = []
    for agreement in outdated:
        calendar = replace(agreement.billing_calendar, read_dates=cycle.dates)
        changed = replace(agreement, billing_calendar=calendar, version=agreement.version + 1)
        await agreements.update_agreement(tx, tenant_id, changed, now)
        event_id = derive_id("read_cycle", tenant_id, agreement.id, changed.version)
        messages.append(agreement_changed(changed, Cause(tenant_id, "", str(event_id)), now))
    await enqueue(tx, messages)
    if len(outdated) < AGREEMENTS_MAX:
        await store.update_spread(tx, tenant_id, cycle.name)
    return max(len(outdated), 1)
