"""Where meters are, whose sites and in which regions, and what derived ones add up. Nothing is
billed by it, so that nothing becomes due: fleet costs read it when they are asked for."""

from collections.abc import Sequence

from gridtally.billing.store import derived_meters, sites
from gridtally.contracts.catalogue import RegionChanged
from gridtally.contracts.metering import MeterDefined, PropertyChanged
from gridtally.database import WriteConnection
from gridtally.messaging import ReceivedMessage, newest_events, newest_states


async def apply_sites(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[PropertyChanged]]
) -> None:
    """Store sites. A tombstone changes nothing: what was used there still costs something."""
    await sites.upsert_sites(tx, newest_events(messages, lambda event: event.version))


async def apply_regions(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[RegionChanged]]
) -> None:
    """Store regions; a tombstone deletes one."""
    await sites.replace_regions(tx, newest_states(messages))


async def apply_definitions(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[MeterDefined]]
) -> None:
    """Store what derived meters are the sum of."""
    newest = newest_events(messages, lambda event: event.version)
    await derived_meters.upsert_definitions(tx, newest)
