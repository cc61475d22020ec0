"""Knowing billing's letterheads, so that documents of accounts have the same as invoices."""

from collections.abc import Sequence

from gridtally.contracts.sellers import SellerChanged
from gridtally.database import WriteConnection
from gridtally.ledger.accounts.store.sellers import insert_sellers
from gridtally.messaging import ReceivedMessage


async def apply_sellers(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[SellerChanged]]
) -> None:
    """Store the versions; a tombstone takes none away, since documents may have it."""
    await insert_sellers(
        tx,
        [
            (message.envelope.tenant_id, message.event, message.envelope.occurred_at)
            for message in messages
            if message.event is not None
        ],
    )
