"""Settling what payees are owed, undoing it, and taking both over again after a restore.

Each settlement locks the payee's account and is decided from what stands there. Refuses an id that
came with other content before; a repetition is answered with what is there.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from gridtally.contracts.accounts import SettlementRecorded
from gridtally.contracts.envelope import Envelope
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, Fault, Rejected, Transient
from gridtally.ledger.accounts import events
from gridtally.ledger.accounts.domain.payees import (
    Settlement,
    account_of,
    require_owed,
    settle,
)
from gridtally.ledger.accounts.domain.reversals import Reason, reverse_settlement
from gridtally.ledger.accounts.domain.transactions import (
    Transaction,
    is_repetition,
    transaction_id,
)
from gridtally.ledger.accounts.store import payees, transactions
from gridtally.messaging import ReceivedMessage, enqueue


async def post_settlement(tx: WriteConnection, settlement: Settlement, *, in_advance: bool) -> UUID:
    """Pay a payee. Returns the id of the transaction, which may have been there before.

    Rejected for more than is owed, unless it is paid `in_advance`, and where the settlement's id
    was posted with other content.
    """
    tenant_id = settlement.tenant_id
    payee_id = settlement.payee.id(tenant_id)
    await payees.lock_payee(tx, tenant_id, payee_id)
    id_ = transaction_id(tenant_id, settlement.id)
    digests = await transactions.fetch_digests(tx, [(tenant_id, id_)])
    if digests:
        if not is_repetition(digests[tenant_id, id_], settlement.digest):
            fault = Fault("/id", "must be a fresh one for something else")
            raise Rejected("id_taken", "this id was posted with other content", (fault,))
        return id_
    owed = await payees.fetch_owed(tx, tenant_id, payee_id)
    require_owed(settlement, owed, in_advance=in_advance)
    posted = settle(settlement)
    await _insert(tx, posted)
    await enqueue(tx, [events.settlement_recorded(posted)])
    return id_


async def reverse(tx: WriteConnection, original: Transaction, reason: Reason) -> UUID:
    """Reverse a settlement: the payee is owed again what was paid. Returns the reversal's id.

    Conflict where it was reversed before, or is a reversal itself.
    """
    tenant_id = original.tenant_id
    await payees.lock_payee(tx, tenant_id, account_of(original).id(tenant_id))
    if await transactions.is_reversed(tx, tenant_id, original.id):
        raise Conflict("already_reversed", "this transaction has been reversed")
    reversal = reverse_settlement(original, reason)
    await _insert(tx, reversal)
    await enqueue(tx, [events.settlement_recorded(reversal)])
    return reversal.id


async def _insert(tx: WriteConnection, posted: Transaction) -> None:
    """Insert what was not there while the payee's lock was held; Transient where it is there now:
    another payee, whom nobody locked, or a customer has the same id."""
    if not await transactions.insert_transactions(tx, [posted]):
        raise Transient("the same id is being posted for somebody else")


async def adopt_settlements(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[SettlementRecorded]]
) -> Sequence[ReceivedMessage[Any]]:
    """After a restore: settlements and their reversals as they were published. They rest on nothing
    else: what was owed then comes again from billing's documents. A reversal follows its
    settlement, on the same partition."""
    for message in messages:
        if message.event is not None:
            await _adopt(tx, message.envelope, message.event)
    return []


async def _adopt(tx: WriteConnection, envelope: Envelope, event: SettlementRecorded) -> None:
    tenant_id = envelope.tenant_id
    if event.reverses_id is None:
        settlement = events.settlement(event, envelope)
        posted = replace(settle(settlement), digest=bytes.fromhex(event.digest))
    else:
        original = await transactions.fetch_original(tx, tenant_id, event.reverses_id)
        if original is None:  # pragma: no cover - a log that begins after it is refused
            return
        reason = Reason(event.memo, event.occurred_at, envelope.correlation_id)
        posted = reverse_settlement(original, reason)
    await transactions.insert_transactions(tx, [posted])
