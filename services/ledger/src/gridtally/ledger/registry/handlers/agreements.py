"""Knowing billing's agreements, so that no meter is removed that is billed."""

from collections.abc import Sequence

from gridtally.contracts.commerce import AgreementChanged
from gridtally.database import WriteConnection
from gridtally.ledger.registry.store import agreements
from gridtally.messaging import ReceivedMessage, newest_states


async def apply_agreements(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[AgreementChanged]]
) -> None:
    """Store the newest state of each agreement; those that were deleted are forgotten."""
    newest = newest_states(messages)
    ended = [key for key, event in newest.items() if event is None]
    await agreements.delete_agreements(tx, ended)
    await agreements.upsert_agreements(
        tx, {key: event for key, event in newest.items() if event is not None}
    )
