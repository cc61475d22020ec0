"""Taking over what other services own: meters and agreements, kept as copies."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from contracts.commerce import AgreementChanged
from contracts.metering import MeterRegistered
from database import WriteConnection
from ingest.store import meters, periods
from kernel.errors import Poison
from messaging import Received


async def take_over_meters(
    tx: WriteConnection, batch: Sequence[Received[MeterRegistered]], now: datetime
) -> None:
    """Keep the newest of each meter; blocks that wait for one are taken up by their own loop."""
    newest = {(one.envelope.tenant_id, _thing(one)): one.event for one in batch}
    present = [(key[0], event) for key, event in newest.items() if event is not None]
    gone = [key for key, event in newest.items() if event is None]
    if present:
        await meters.upsert_meters(tx, present)
        await periods.check_meters(tx, [(t, event.meter_id) for t, event in present], now)
    if gone:
        await meters.delete_meters(tx, gone)


async def take_over_agreements(
    tx: WriteConnection, batch: Sequence[Received[AgreementChanged]]
) -> None:
    """Keep the newest of each agreement; its open periods are planned anew."""
    newest = {(one.envelope.tenant_id, _thing(one)): one.event for one in batch}
    present = [(key[0], event) for key, event in newest.items() if event is not None]
    gone = [key for key, event in newest.items() if event is None]
    if present:
        await periods.upsert_agreements(tx, present)
    if gone:
        await periods.delete_agreements(tx, gone)


def _thing(message: Received[MeterRegistered] | Received[AgreementChanged]) -> UUID:
    """The thing that the key names; Poison where it names another tenant's, or no thing."""
    tenant_id, _, thing = message.key.rpartition(":")
    try:
        thing_id = UUID(thing)
    except ValueError:
        raise Poison(f"the key {message.key!r} names no thing") from None
    if tenant_id != message.envelope.tenant_id:
        raise Poison(f"the key {message.key!r} is not of tenant {message.envelope.tenant_id}")
    if message.event is not None and message.event.key() != str(thing_id):
        raise Poison(f"the key {message.key!r} is not that of its event")
    return thing_id
