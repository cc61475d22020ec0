"""Prepayment: who is on it, what is left, and alerts before nothing is.

Nothing is booked here, and no balance is stored: what is left is worked out of what is stored of
the customer whenever it is asked for. A loop looks at whom something has changed for, and at
everybody once a day, since days pass without readings too. What is stored decides, not what came,
so an event that is repeated raises nothing twice.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from gridtally.billing.domain.prepayments import (
    DrawnDay,
    Position,
    Prepayment,
    Terms,
    drawn_days,
    ended,
    judged,
    position,
    with_terms,
)
from gridtally.billing.domain.reference_data import Key
from gridtally.billing.events import prepayments as events
from gridtally.billing.store import budget_plans, reference_data
from gridtally.billing.store import prepayments as store
from gridtally.contracts.accounts import AccountChanged
from gridtally.contracts.prepayments import PrepaymentChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.errors import Conflict, NotFound
from gridtally.kernel.periods import ONE_DAY
from gridtally.kernel.resources import Cause
from gridtally.messaging import ReceivedMessage, enqueue, newest_events, resource_key

LOOKED_AT_MAX = 200
"""In one transaction: some ten thousand days of theirs."""
LATELY = timedelta(days=45)
"""So far back days count for the average that have their invoice: two weeks, and a month in which
no readings came."""
PERIOD_DAYS_MAX = timedelta(days=400)
"""A billing period has a year at most, and is rated whole for what a day of it has of it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A customer's currency, how the prepayment stands, and the days that are in it."""

    currency: str
    position: Position
    days: Sequence[DrawnDay]


async def fetch_standings(
    read: ReadConnection, keys: Collection[Key], now: datetime, lately: timedelta = LATELY
) -> dict[Key, Standing]:
    """How the prepayments of these customers stand, of those that exist; days are of UTC."""
    today = now.astimezone(UTC).date()
    accounts = await store.fetch_accounts(read, keys, today - lately)
    days = [(key[0], own) for key, account in accounts.items() for own in account.days]
    dates = [own.day for _, own in days] or [today]
    known = await reference_data.fetch_reference_data(
        read,
        {(tenant_id, own.agreement_id) for tenant_id, own in days},
        {(tenant_id, own.meter_id) for tenant_id, own in days},
        min(dates) - PERIOD_DAYS_MAX,
        max(dates) + PERIOD_DAYS_MAX,
    )
    standings = {}
    for key, account in accounts.items():
        drawn = drawn_days(key[0], account.days, known)
        standings[key] = Standing(account.currency, position(account.credit, drawn, today), drawn)
    return standings


async def fetch_active(read: ReadConnection, tenant_id: str, customer_id: UUID) -> Prepayment:
    """The customer's prepayment; NotFound where it is on none."""
    key = (tenant_id, customer_id)
    prepayment = (await store.fetch_prepayments(read, [key])).get(key)
    if prepayment is None or not prepayment.is_active:
        raise _unknown(customer_id)
    return prepayment


async def fetch_standing(
    read: ReadConnection, key: Key, now: datetime, lately: timedelta = LATELY
) -> Standing:
    """How the prepayment of a customer stands; NotFound where the customer is not there, as where
    it was deleted just before a restore."""
    standings = await fetch_standings(read, [key], now, lately)
    if key not in standings:
        raise _unknown(key[1])
    return standings[key]


def _unknown(customer_id: UUID) -> NotFound:
    return NotFound("prepayment_unknown", f"customer {customer_id} is not on prepayment")


async def change_terms(
    tx: WriteConnection, cause: Cause, terms: Terms, now: datetime
) -> Prepayment:
    """Have a customer, who is locked, be on prepayment by these terms; the same again changes
    nothing. Conflict where it pays by a budget plan."""
    key = (cause.tenant_id, terms.customer_id)
    before = (await store.fetch_prepayments(tx, [key])).get(key)
    changed = with_terms(before, terms)
    if changed == before:
        return changed
    if await budget_plans.has_live_plan(tx, *key):
        raise Conflict(
            "budget_plan_running",
            "the customer pays by a budget plan; end it and settle it before prepayment begins",
        )
    await _put(tx, cause, changed, now)
    return changed


async def end_prepayment(
    tx: WriteConnection, cause: Cause, customer_id: UUID, now: datetime
) -> None:
    """Have a customer, who is locked, be on prepayment no more; NotFound where it was not. What is
    left stays the customer's credit."""
    before = await fetch_active(tx, cause.tenant_id, customer_id)
    await _put(tx, cause, ended(before), now)


async def end_of_deleted(
    tx: WriteConnection, cause: Cause, customer_id: UUID, now: datetime
) -> None:
    """End the prepayment of a customer who is deleted, if it was on one."""
    key = (cause.tenant_id, customer_id)
    before = (await store.fetch_prepayments(tx, [key])).get(key)
    if before is not None and before.is_active:
        await _put(tx, cause, ended(before), now)


async def look_at_balances(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[AccountChanged]], now: datetime
) -> None:
    """Have those looked at whose balances have come: somebody has paid, or was invoiced."""
    keys = {resource_key(message) for message in messages if message.event is not None}
    await store.mark_customers(tx, sorted(keys), now)


async def look_at_prepayments(tx: WriteConnection, now: datetime) -> int:
    """Raise and end alerts, of those that are to be looked at. Returns how many that were."""
    claimed = await store.claim_to_look_at(tx, now, LOOKED_AT_MAX)
    if not claimed:
        return 0
    standings = await fetch_standings(tx, list(claimed), now)
    changed = _judged(claimed, standings, now)
    tomorrow = datetime.combine(now.astimezone(UTC).date() + ONE_DAY, time(), UTC)
    await store.update_look_at(tx, list(claimed), tomorrow)
    await store.upsert_prepayments(tx, [(key[0], own) for key, own in changed.items()], tomorrow)
    await enqueue(
        tx,
        [
            events.alert_changed(key[0], own, standings[key].currency, standings[key].position, now)
            for key, own in changed.items()
        ],
    )
    return len(claimed)


def _judged(
    claimed: Mapping[Key, Prepayment], standings: Mapping[Key, Standing], now: datetime
) -> dict[Key, Prepayment]:
    """Those whose alert is another now."""
    changed = {}
    for key, prepayment in claimed.items():
        if key in standings:
            alert = judged(prepayment, standings[key].position, now)
            if alert != prepayment.alert:
                changed[key] = replace(prepayment, alert=alert, version=prepayment.version + 1)
    return changed


async def adopt_prepayments(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[PrepaymentChanged]]
) -> Sequence[ReceivedMessage[PrepaymentChanged]]:
    """After a restore: prepayments as they were published, with their alerts, so that none is
    raised twice. What is left is looked at the next day, or when something has changed."""
    newest = newest_events(messages, lambda event: event.version)
    adopted = [
        (tenant_id, events.prepayment_of(event))
        for (tenant_id, _), event in sorted(newest.items(), key=lambda pair: pair[0])
    ]
    times = [message.envelope.occurred_at for message in messages]
    if adopted:
        await store.upsert_prepayments(tx, adopted, max(times) + ONE_DAY)
    return []


async def _put(tx: WriteConnection, cause: Cause, changed: Prepayment, now: datetime) -> None:
    """Store and publish a prepayment, which is looked at now."""
    await store.upsert_prepayments(tx, [(cause.tenant_id, changed)], now)
    await enqueue(tx, [events.terms_changed(cause.tenant_id, changed, cause.correlation_id, now)])
