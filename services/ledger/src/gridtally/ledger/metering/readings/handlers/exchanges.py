"""Exchanging meters: the closing reading of the old one and the opening reading of the new one."""

from dataclasses import replace
from datetime import datetime

from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, Rejected
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Cause
from gridtally.ledger.metering.readings.domain.readings import (
    Entry,
    ReadingContent,
    RecordedEntry,
    check_value,
    reading_exists,
    register_then,
)
from gridtally.ledger.metering.readings.handlers.readings import (
    ReadingRequest,
    check_readings,
    record_entries,
)
from gridtally.ledger.registry.domain.meters import Register
from gridtally.ledger.registry.handlers.meters import lock_meter, set_register


async def exchange_meter(
    tx: WriteConnection,
    cause: Cause,
    closing: ReadingRequest,
    initial: ReadingContent,
    new_register: Register,
    now: datetime,
) -> tuple[RecordedEntry, RecordedEntry]:
    """Close a register with its last reading and open that of the new meter, at one moment.

    Returns the closing and the opening entry. Conflict where something was read at that moment, or
    later and the new register is another one.
    """
    meter, _ = await lock_meter(tx, cause.tenant_id, closing.meter_id)
    [checked] = await check_readings(tx, cause.tenant_id, [closing], now)
    if isinstance(checked, Rejected):
        raise checked
    around = checked.around
    old_register = register_then(checked.register, around.closing)
    check_value(closing.content.value, old_register)
    check_value(initial.value, new_register)
    if around.same is not None:
        raise reading_exists(around.same.entry)
    is_read_later = around.last is not None and around.last.entry.read_at > closing.content.read_at
    if is_read_later and new_register != old_register:
        raise Conflict(
            "readings_after_exchange",
            "readings of the old register were taken later; withdraw them first",
        )
    # Lists order readings of one moment by their ids: the closing one gets the smaller of two.
    closing_id, opening_id = sorted((new_id(), new_id()))
    pair_id = new_id()
    closing_entry = Entry.first(closing_id, checked.meter, old_register, closing.content)
    opening_entry = Entry.first(opening_id, checked.meter, new_register, initial)
    final, first = await record_entries(
        tx,
        cause,
        [
            replace(closing_entry, kind="exchange_final", exchange_id=pair_id),
            replace(opening_entry, kind="exchange_initial", exchange_id=pair_id),
        ],
    )
    if new_register != old_register:
        await set_register(tx, cause, meter.resource.id, new_register)
    return final, first
