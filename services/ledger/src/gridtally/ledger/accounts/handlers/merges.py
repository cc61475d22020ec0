"""Merging a duplicate into the customer who is the same, and keeping its accounts empty.

Billing's documents name whom they were issued to, for ever: those of a duplicate are posted on its
accounts, and what they put there moves on in the same transaction. Payments and commands that name
a duplicate are posted for the survivor from the start. So in whatever order all of it comes, as
after a restore, it ends on the survivor's accounts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts import events
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.domain.merges import Merge, move_balances
from gridtally.ledger.accounts.domain.transactions import Transaction
from gridtally.ledger.accounts.events.dunning import dunning_stop_changed
from gridtally.ledger.accounts.events.mandates import mandate_changed, mandate_ended, message_of
from gridtally.ledger.accounts.handlers.credit import apply_credits, causes_of
from gridtally.ledger.accounts.store import customers, dunning_rules, mandates, transactions
from gridtally.ledger.accounts.store import merges as store
from gridtally.ledger.accounts.store.customers import Key
from gridtally.messaging import enqueue


def given_to_survivor(tenant_id: str, command: Command, merged: Mapping[Key, UUID]) -> Command:
    """The command, or the same for the survivor where it names a duplicate."""
    survivor_id = merged.get((tenant_id, command.customer_id))
    return command if survivor_id is None else command.given_to(survivor_id)


async def require_unmerged(tx: WriteConnection, tenant_id: str, customer_id: UUID) -> None:
    """Conflict where nothing is agreed with a customer, who is locked, since it was merged."""
    survivor_id = await store.fetch_survivor(tx, tenant_id, customer_id)
    if survivor_id is not None:
        raise Conflict("customer_merged", f"the customer was merged into {survivor_id}: name that")


async def merge_customer(
    tx: WriteConnection, key: Key, into_id: UUID, at: datetime, correlation_id: str
) -> None:
    """Have a customer be another one, as billing has published; the same again changes nothing.

    Locks both. What stands on the duplicate's accounts moves, with the open items and what was
    agreed about paying them; credit then pays what is open, as the tenant's terms say.
    """
    tenant_id, duplicate_id = key
    survivor_id = await store.fetch_survivor(tx, tenant_id, into_id) or into_id
    if survivor_id == duplicate_id:
        return  # an older message: it was the other way round
    await customers.lock_customers(tx, [key, (tenant_id, survivor_id)])
    number = await store.fetch_number(tx, key)
    merge = Merge(tenant_id, duplicate_id, survivor_id, number, at, correlation_id)
    await store.update_survivor(tx, merge)
    await _give_mandate(tx, merge)  # before the debits, which say what it was used for
    await _give_stop(tx, merge)
    await store.update_agreed(tx, merge)
    await apply_credits(tx, causes_of(await _move(tx, merge)))


async def _give_mandate(tx: WriteConnection, merge: Merge) -> None:
    """The survivor is debited by the duplicate's mandate, unless its own stands. The duplicate has
    none any more, and all others hear so: else a restore would bring it back beside the other."""
    cause = Cause(merge.tenant_id, "merge", merge.correlation_id)
    given = await mandates.fetch_mandate(tx, merge.tenant_id, merge.duplicate_id)
    if given is None:
        return
    mandate, version = given
    own = await mandates.fetch_mandate(tx, merge.tenant_id, merge.survivor_id)
    await mandates.delete_mandate(tx, merge.tenant_id, merge.duplicate_id)
    on = merge.occurred_at.date()
    if own is None or (mandate.stands(on) and not own[0].stands(on)):
        newer = max(version, own[1] if own else 0) + 1
        event = mandate_changed(merge.survivor_id, mandate, newer)
        await mandates.put_mandate(tx, merge.tenant_id, event)
        await enqueue(tx, [message_of(event, cause, newer, merge.occurred_at)])
    await enqueue(tx, [mandate_ended(merge.duplicate_id, version, cause, merge.occurred_at)])


async def _give_stop(tx: WriteConnection, merge: Merge) -> None:
    """The survivor is not dunned for as long as the duplicate was not to be, unless its own stop
    is in force. That of the duplicate has ended, so that it is not given once more."""
    cause = Cause(merge.tenant_id, "merge", merge.correlation_id)
    given = await dunning_rules.fetch_stop(tx, merge.tenant_id, merge.duplicate_id)
    ended = await dunning_rules.end_stop(tx, merge.tenant_id, merge.duplicate_id)
    if given is None or ended is None:
        return
    at = merge.occurred_at
    own = await dunning_rules.fetch_stop(tx, merge.tenant_id, merge.survivor_id)
    is_stopped = own is not None and own.is_in_force(at.date())
    if given.is_in_force(at.date()) and not is_stopped:
        stop = replace(given, customer_id=merge.survivor_id)
        version = await dunning_rules.upsert_stop(tx, merge.tenant_id, stop)
        await enqueue(tx, [dunning_stop_changed(stop.customer_id, stop, version, cause, at)])
    await enqueue(tx, [dunning_stop_changed(merge.duplicate_id, None, ended, cause, at)])


async def collect_posted(
    tx: WriteConnection, posted: Sequence[Transaction], merged: Mapping[Key, UUID]
) -> list[Transaction]:
    """Move what these documents have put on the accounts of duplicates; all customers are locked.
    Returns the documents with those named who owe them now."""
    if not merged:
        return list(posted)
    newest = {(own.tenant_id, own.owner_id): own for own in posted}
    for key in sorted(newest.keys() & merged.keys()):
        cause = newest[key]
        number = await store.fetch_number(tx, key)
        await _move(tx, Merge(*key, merged[key], number, cause.occurred_at, cause.correlation_id))
    return [
        replace(own, customer_id=merged.get((own.tenant_id, own.owner_id), own.owner_id))
        for own in posted
    ]


async def _move(tx: WriteConnection, merge: Merge) -> list[Transaction]:
    """Empty the duplicate's accounts, and publish what moved."""
    key = (merge.tenant_id, merge.duplicate_id)
    await store.update_items(tx, merge)
    balances, last_at = await store.fetch_balances(tx, *key)
    if last_at is None:
        return []
    version = await store.fetch_version(tx, key)
    moves = move_balances(merge, balances, version, last_at)
    await transactions.insert_transactions(tx, moves)
    await enqueue(tx, [events.customer_merged(move, merge.duplicate_id) for move in moves])
    return moves
