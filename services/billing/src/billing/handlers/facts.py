"""Facts that others publish are copied, and what waited for them becomes due.

Owns no billing: due periods and days are processed by `periods.retry_held_periods` and
`days.price_due_days`, a bounded number per transaction.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from billing import wire
from billing.domain.facts import Key
from billing.store import days, facts, periods
from billing.store.accounts import upsert_accounts
from contracts.accounts import AccountChanged
from contracts.catalogue import PricesPublished
from contracts.commerce import AgreementChanged, TariffPublished
from contracts.metering import MeterRegistered
from contracts.model import Event
from database import WriteConnection
from messaging import Received

E = TypeVar("E", bound=Event)


async def copy_tariffs(tx: WriteConnection, messages: Sequence[Received[TariffPublished]]) -> None:
    """Keep tariff versions; periods and days that they apply to become due."""
    await facts.lock_facts_to_change(tx)
    changed = await facts.upsert_versions(tx, _newest(messages, _withdrawal))
    await periods.mark_due_by_tariff(tx, changed)
    await days.mark_due_by_tariff(tx, changed)


async def copy_meters(tx: WriteConnection, messages: Sequence[Received[MeterRegistered]]) -> None:
    """Keep meters; held periods of theirs become due.

    A tombstone changes nothing: the meter's last periods are still to be billed.
    """
    await facts.lock_facts_to_change(tx)
    changed = await facts.upsert_meters(tx, _newest(messages, _version))
    await periods.mark_due_by_meter(tx, changed)


async def take_up_agreements(
    tx: WriteConnection, messages: Sequence[Received[AgreementChanged]]
) -> None:
    """Agreements are billing's own; their periods and days that waited become due.

    Done here and not where an agreement is stored, so that no API caller waits for it.
    """
    changed = sorted(_newest(messages, _version))
    await facts.lock_facts_to_change(tx)
    await periods.mark_due_by_agreement(tx, changed)
    await days.mark_due_by_agreement(tx, changed)


async def copy_prices(tx: WriteConnection, messages: Sequence[Received[PricesPublished]]) -> None:
    """Keep prices by local day; periods held for want of them, and days, become due.

    A tombstone deletes nothing: invoices rest on what was published.
    """
    published: dict[facts.PriceKey, PricesPublished] = {}
    for message in messages:
        event = message.event
        if event is not None:
            wire.check_prices(event)
            tenant_id = message.envelope.tenant_id
            published[tenant_id, event.code, event.day, event.version] = event
    await facts.lock_facts_to_change(tx)
    changed = await facts.insert_prices(tx, published)
    await periods.mark_due_by_prices(tx, [(tenant_id, day) for tenant_id, _, day in changed])
    await days.mark_due_by_prices(tx, changed)


async def copy_accounts(tx: WriteConnection, messages: Sequence[Received[AccountChanged]]) -> None:
    """Keep what customers owe, for the invoices that come next."""
    newest = _newest(messages, _version)
    for event in newest.values():
        wire.check_accounts(event)
    await upsert_accounts(tx, newest)


def _newest(messages: Sequence[Received[E]], rank: Callable[[E], Any]) -> dict[Key, E]:
    """The event of each thing that ranks highest, whatever the order in which they came."""
    newest: dict[Key, E] = {}
    for message in messages:
        event = message.event
        if event is None:
            continue
        key = (message.envelope.tenant_id, UUID(event.key()))
        if key not in newest or rank(newest[key]) <= rank(event):
            newest[key] = event
    return newest


def _version(event: AccountChanged | AgreementChanged | MeterRegistered) -> int:
    return event.version


def _withdrawal(event: TariffPublished) -> bool:
    """Whether the version is withdrawn, which it stays: it is published once and withdrawn once."""
    return event.status == "withdrawn" or event.withdrawn_from is not None
