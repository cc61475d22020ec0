"""Prepayment: who is on it, what is left, and alerts before nothing is.

Nothing is booked here, and no balance is stored: what is left is worked out of what is stored of
the customer whenever it is asked for. A loop looks at whom something has changed for, and at
everybody once a day, since days pass without readings too. What is stored decides, not what came,
so an event that is repeated raises nothing twice.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import structlog

from gridtally.billing.domain.prepayments import (
    DrawnDay,
    Position,
    Prepayment,
    Terms,
    drawn_days,
    ended,
    judged,
    kind_of,
    position,
    with_alert,
    with_terms,
)
from gridtally.billing.domain.reference_data import Key, ReferenceData
from gridtally.billing.events import prepayments as events
from gridtally.billing.store import budget_plans, reference_data
from gridtally.billing.store import prepayments as store
from gridtally.contracts.accounts import AccountChanged
from gridtally.contracts.prepayments import PrepaymentChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.transactions import is_transient
from gridtally.kernel.errors import Conflict, NotFound, Transient
from gridtally.kernel.periods import ONE_DAY, Period
from gridtally.kernel.resources import Cause
from gridtally.messaging import (
    OutgoingMessage,
    ReceivedMessage,
    enqueue,
    newest_events,
    resource_key,
)

log = structlog.get_logger()
LOOKED_AT_MAX = 200
"""In one transaction, as long as few days are theirs."""
STEP_CUSTOMERS = 20
"""Whose days are read at once."""
STEP_DAYS_MAX = 20_000
"""Days of meters after which a transaction takes no further step: half a second's work."""
LATELY = timedelta(days=45)
"""So far back days count for the average that have their invoice: two weeks, and a month in which
no readings came."""
PERIOD_DAYS_MAX = timedelta(days=400)
"""A billing period has a year at most, and is rated whole for what a day of it has of it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A customer's currency, how the prepayment stands, and of how many days of meters."""

    currency: str
    position: Position
    days: int


async def fetch_standings(
    read: ReadConnection, keys: Collection[Key], now: datetime
) -> dict[Key, Standing]:
    """How the prepayments of these customers stand, of those that exist; days are of UTC."""
    today = now.astimezone(UTC).date()
    accounts = await store.fetch_accounts(read, keys, today - LATELY)
    known = await _fetch_known(read, accounts, today)

    def standings() -> dict[Key, Standing]:
        return {
            (tenant_id, id_): Standing(
                account.currency,
                position(account.credit, drawn_days(tenant_id, account.days, known, now), today),
                len(account.days),
            )
            for (tenant_id, id_), account in accounts.items()
        }

    return await asyncio.to_thread(standings)


async def fetch_drawn_days(
    read: ReadConnection, key: Key, days: Period, now: datetime
) -> tuple[str, list[DrawnDay]]:
    """The currency of a customer, and what its days in a window cost; NotFound where the customer
    is not there."""
    accounts = await store.fetch_accounts(read, [key], days.start_on, days)
    if key not in accounts:
        raise _unknown(key[1])
    known = await _fetch_known(read, accounts, days.start_on)
    drawn = await asyncio.to_thread(drawn_days, key[0], accounts[key].days, known, now)
    return accounts[key].currency, drawn


async def _fetch_known(
    read: ReadConnection, accounts: Mapping[Key, store.Account], day: date
) -> ReferenceData:
    """What these customers' days are rated by."""
    days = [(key[0], own) for key, account in accounts.items() for own in account.days]
    dates = [own.day for _, own in days] or [day]
    return await reference_data.fetch_reference_data(
        read,
        {(tenant_id, own.agreement_id) for tenant_id, own in days},
        {(tenant_id, own.meter_id) for tenant_id, own in days},
        min(dates) - PERIOD_DAYS_MAX,
        max(dates) + PERIOD_DAYS_MAX,
    )


async def fetch_active(read: ReadConnection, tenant_id: str, customer_id: UUID) -> Prepayment:
    """The customer's prepayment; NotFound where it is on none."""
    key = (tenant_id, customer_id)
    prepayment = (await store.fetch_prepayments(read, [key])).get(key)
    if prepayment is None or not prepayment.is_active:
        raise _unknown(customer_id)
    return prepayment


async def fetch_standing(read: ReadConnection, key: Key, now: datetime) -> Standing:
    """How the prepayment of a customer stands; NotFound where the customer is not there, as where
    it was deleted just before a restore."""
    standings = await fetch_standings(read, [key], now)
    if key not in standings:
        raise _unknown(key[1])
    return standings[key]


def _unknown(customer_id: UUID) -> NotFound:
    return NotFound("prepayment_unknown", f"customer {customer_id} is not on prepayment")


# Whoever changes a prepayment locks its customer first, and then its row, which is all that the
# loop locks: without the second the loop would raise an alert of what has ended meanwhile.
async def change_terms(
    tx: WriteConnection, cause: Cause, terms: Terms, now: datetime
) -> tuple[Prepayment, Standing]:
    """Have a customer, who is locked, be on prepayment by these terms; the same again changes
    nothing. An alert that is none by the new terms ends. Conflict where it pays by a budget
    plan."""
    key = (cause.tenant_id, terms.customer_id)
    before = await store.lock_prepayment(tx, key)
    changed = with_terms(before, terms)
    standing = await fetch_standing(tx, key, now)
    if changed == before:
        return changed, standing
    if await budget_plans.has_live_plan(tx, *key):
        raise Conflict(
            "budget_plan_running",
            "the customer pays by a budget plan; end it and settle it before prepayment begins",
        )
    await _put(tx, cause, changed, now)
    if changed.alert is not None and kind_of(terms, standing.position) is None:
        changed = with_alert(changed, None)
        await _store(tx, [(key[0], changed)], now)
        await enqueue(tx, [_alert_changed(key, changed, standing, now)])
    return changed, standing


async def end_prepayment(
    tx: WriteConnection, cause: Cause, customer_id: UUID, now: datetime
) -> None:
    """Have a customer, who is locked, be on prepayment no more; NotFound where it was not. What is
    left stays the customer's credit."""
    if not await end_of_deleted(tx, cause, customer_id, now):
        raise _unknown(customer_id)


async def end_of_deleted(
    tx: WriteConnection, cause: Cause, customer_id: UUID, now: datetime
) -> bool:
    """End the prepayment of a locked customer, as where it is deleted; whether it was on one."""
    before = await store.lock_prepayment(tx, (cause.tenant_id, customer_id))
    if before is None or not before.is_active:
        return False
    await _put(tx, cause, ended(before), now)
    return True


async def look_at_balances(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[AccountChanged]], now: datetime
) -> None:
    """Have those looked at whose balances have come: somebody has paid, or was invoiced."""
    keys = {resource_key(message) for message in messages if message.event is not None}
    await store.mark_customers(tx, sorted(keys), now)


async def look_at_prepayments(tx: WriteConnection, now: datetime) -> int:
    """Raise and end alerts, of those that are to be looked at. Returns how many that were."""
    claimed = list((await store.claim_to_look_at(tx, now, LOOKED_AT_MAX)).items())
    looked_at = days = 0
    while looked_at < len(claimed) and days < STEP_DAYS_MAX:
        step = claimed[looked_at : looked_at + STEP_CUSTOMERS]
        days += await _look_at_step(tx, dict(step), now)
        looked_at += len(step)
    return looked_at  # the others are as due as before


async def _look_at_step(
    tx: WriteConnection, claimed: Mapping[Key, Prepayment], now: datetime
) -> int:
    """Look at these, and where that fails at each alone: what one customer has must not keep all
    others from being looked at. Returns how many days of meters they have."""
    try:
        async with tx.savepoint():
            return await _look_at(tx, claimed, now)
    except Exception as error:
        if isinstance(error, Transient) or is_transient(error):
            raise
        if len(claimed) > 1:
            return sum([await _look_at_step(tx, {key: own}, now) for key, own in claimed.items()])
        [(tenant_id, customer_id)] = claimed
        log.exception("prepayment not looked at", tenant_id=tenant_id, customer_id=str(customer_id))
        await store.update_look_at(tx, claimed, _tomorrow(now))
        return 0


async def _look_at(tx: WriteConnection, claimed: Mapping[Key, Prepayment], now: datetime) -> int:
    standings = await fetch_standings(tx, list(claimed), now)
    judgements = {
        key: with_alert(own, judged(own, standings[key].position, now))
        for key, own in claimed.items()
        if key in standings
    }
    changed = {key: own for key, own in judgements.items() if own.version > claimed[key].version}
    await store.update_look_at(tx, dict(claimed) | judgements, _tomorrow(now))
    await _store(tx, [(key[0], own) for key, own in changed.items()], _tomorrow(now))
    await enqueue(
        tx, [_alert_changed(key, own, standings[key], now) for key, own in changed.items()]
    )
    return sum(standing.days for standing in standings.values())


def _tomorrow(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date() + ONE_DAY, time(), UTC)


def _alert_changed(key: Key, own: Prepayment, standing: Standing, now: datetime) -> OutgoingMessage:
    return events.alert_changed(key[0], own, standing.currency, standing.position, now)


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
    await _store(tx, [(cause.tenant_id, changed)], now)
    await enqueue(tx, [events.terms_changed(cause.tenant_id, changed, cause.correlation_id, now)])


async def _store(
    tx: WriteConnection, changed: Sequence[tuple[str, Prepayment]], look_at: datetime
) -> None:
    """Store prepayments that are about to be published: Transient, and so tried again, where
    something newer is there of one."""
    written = await store.upsert_prepayments(tx, changed, look_at)
    if len(written) != len(changed):
        raise Transient("a prepayment was changed meanwhile")
