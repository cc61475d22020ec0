"""Copies of meters, which other services publish and ingest applies."""

from collections.abc import Sequence
from datetime import datetime

from gridtally.contracts.metering import MeterRegistered
from gridtally.database import WriteConnection
from gridtally.ingest.domain.derived_meters import MeterDefinitions
from gridtally.ingest.domain.device_events import needs_flags
from gridtally.ingest.domain.meters import MeterKey
from gridtally.ingest.events.messages import registration
from gridtally.ingest.handlers.alerts import mark_meters
from gridtally.ingest.handlers.derived_meters import refresh_sums
from gridtally.ingest.handlers.device_events import flag_meters
from gridtally.ingest.store import derived_meters as store
from gridtally.ingest.store import meters, periods
from gridtally.messaging import ReceivedMessage, newest_states
from gridtally.metering.derived_meters import BUILT_IN_TYPE, built_in


async def apply_meters(
    tx: WriteConnection, batch: Sequence[ReceivedMessage[MeterRegistered]], now: datetime
) -> None:
    """Store the newest state of each meter, and have the open periods of these meters checked; the
    closed ones too where its channels measure from or until another time than was known. All are
    looked at for alerts.

    Pending blocks of a new meter are recorded by a loop of their own.
    """
    newest = newest_states(batch)
    registered = {key: event for key, event in newest.items() if event is not None}
    ended = [key for key, event in newest.items() if event is None]
    unflagged: list[MeterKey] = []
    if registered:
        before = await meters.fetch_meters(tx, list(registered))
        registrations = [
            registration(tenant_id, event) for (tenant_id, _), event in registered.items()
        ]
        await meters.upsert_meters(tx, registrations)
        await periods.check_periods_of_meters(tx, list(registered), now)
        retimed = [
            new.key
            for new in registrations
            if new.key in before and new.meter.has_other_times_than(before[new.key])
        ]
        unflagged = [
            new.key for new in registrations if needs_flags(new.meter, before.get(new.key))
        ]
        if retimed:
            await periods.check_periods_of_meters(tx, retimed, now, state="closed")
        defined = [
            MeterDefinitions(tenant_id, event.meter_id, 0, built_in(tenant_id, event.property_id))
            for (tenant_id, _), event in registered.items()
            if event.meter_type == BUILT_IN_TYPE
        ]
        await store.insert_built_in(tx, defined)
        await refresh_sums(tx, list(registered), now)
    if ended:
        await meters.delete_meters(tx, ended)
    await flag_meters(tx, unflagged, now)
    await mark_meters(tx, list(newest), now)
