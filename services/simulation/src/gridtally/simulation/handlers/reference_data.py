"""Copies of properties and meters follow their events."""

from collections.abc import Sequence

from gridtally.contracts.metering import MeterRegistered, PropertyChanged
from gridtally.database import WriteConnection
from gridtally.messaging import ReceivedMessage, newest_states
from gridtally.simulation.events import meter_rows, property_rows
from gridtally.simulation.store import reference_data


async def apply_properties(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[PropertyChanged]]
) -> None:
    """Store the newest of each property; a tombstone deletes it."""
    states = newest_states(messages)
    changed = {key: event for key, event in states.items() if event is not None}
    await reference_data.upsert_properties(tx, property_rows(changed))
    await reference_data.delete_properties(tx, [key for key in states if key not in changed])


async def apply_meters(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[MeterRegistered]]
) -> None:
    """Store the newest of each meter; a tombstone deletes it."""
    states = newest_states(messages)
    registered = {key: event for key, event in states.items() if event is not None}
    await reference_data.upsert_meters(tx, meter_rows(registered))
    await reference_data.delete_meters(tx, [key for key in states if key not in registered])
