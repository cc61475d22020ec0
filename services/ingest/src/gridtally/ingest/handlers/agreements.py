"""Copies of agreements, which billing publishes and ingest applies."""

from collections.abc import Sequence

from gridtally.contracts.commerce import AgreementChanged
from gridtally.database import WriteConnection
from gridtally.ingest.events.messages import agreement
from gridtally.ingest.store import agreements, periods
from gridtally.messaging import ReceivedMessage, newest_states


async def apply_agreements(
    tx: WriteConnection, batch: Sequence[ReceivedMessage[AgreementChanged]]
) -> None:
    """Store the newest state of each agreement; its open periods are planned again, and the closed
    ones of which it does not have all days any more.

    What is closed and lies within it stays closed. Of one that was deleted nothing was ever billed.
    """
    newest = newest_states(batch)
    present = [
        agreement(tenant_id, event) for (tenant_id, _), event in newest.items() if event is not None
    ]
    ended = [key for key, event in newest.items() if event is None]
    if present:
        changed = await agreements.upsert_agreements(tx, present)
        await periods.cancel_periods(tx, changed)
    if ended:
        await periods.delete_periods(tx, ended)
        await agreements.delete_agreements(tx, ended)
