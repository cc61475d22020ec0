"""What others publish is stored, and what lacked it becomes due.

Bills nothing: due periods and days are processed by `periods.retry_held_periods` and
`daily_costs.price_due_days`, a bounded number per transaction.
"""

from collections.abc import Sequence

from gridtally.billing.events.reference_data import check_balances, check_prices
from gridtally.billing.store import (
    balances,
    due_days,
    held_periods,
    reference_data,
    tenant_defaults,
)
from gridtally.contracts.accounts import AccountChanged
from gridtally.contracts.catalogue import PricesPublished
from gridtally.contracts.commerce import AgreementChanged, TariffPublished
from gridtally.contracts.metering import MeterRegistered
from gridtally.contracts.registry import TenantDefaultsChanged
from gridtally.database import WriteConnection
from gridtally.messaging import ReceivedMessage, newest_events


async def apply_tariffs(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[TariffPublished]]
) -> None:
    """Store tariff versions; periods and days that they apply to become due."""
    newest = newest_events(messages, _is_withdrawal)
    await reference_data.lock_reference_data_exclusive(tx)
    changed = await reference_data.upsert_versions(tx, newest)
    await held_periods.mark_due_by_tariff(tx, changed)
    await due_days.mark_due_by_tariff(tx, changed)


def _is_withdrawal(event: TariffPublished) -> bool:
    """Whether the version is withdrawn, which it stays: it is published once and withdrawn once."""
    return event.status == "withdrawn" or event.withdrawn_from is not None


async def apply_meters(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[MeterRegistered]]
) -> None:
    """Store meters; held periods of theirs become due.

    A tombstone changes nothing: the meter's last periods are still to be billed.
    """
    newest = newest_events(messages, _version)
    await reference_data.lock_reference_data_exclusive(tx)
    changed = await reference_data.upsert_meters(tx, newest)
    await held_periods.mark_due_by_meter(tx, changed)


async def apply_agreements(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[AgreementChanged]]
) -> None:
    """Make periods and days due that lacked these agreements, which are billing's own.

    Done here and not where an agreement is stored, so that no API caller waits for it.
    """
    changed = sorted(newest_events(messages, _version))
    await reference_data.lock_reference_data_exclusive(tx)
    await held_periods.mark_due_by_agreement(tx, changed)
    await due_days.mark_due_by_agreement(tx, changed)


async def apply_prices(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[PricesPublished]]
) -> None:
    """Store prices by local day; periods held for want of them, and days, become due.

    A tombstone deletes nothing: invoices rest on what was published.
    """
    published: dict[reference_data.PriceKey, PricesPublished] = {}
    for message in messages:
        event = message.event
        if event is not None:
            check_prices(event)
            tenant_id = message.envelope.tenant_id
            published[tenant_id, event.code, event.day, event.version] = event
    await reference_data.lock_reference_data_exclusive(tx)
    changed = await reference_data.insert_prices(tx, published)
    days = [(tenant_id, day) for tenant_id, _, day in changed]
    await held_periods.mark_due_by_prices(tx, days)
    await due_days.mark_due_by_prices(tx, changed)


async def apply_balances(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[AccountChanged]]
) -> None:
    """Store what customers owe, for the invoices that come next."""
    newest = newest_events(messages, _version)
    for event in newest.values():
        check_balances(event)
    await balances.upsert_balances(tx, newest)


async def apply_defaults(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[TenantDefaultsChanged]]
) -> None:
    """Store what tenants' new customers have; customers that there are stay as they are."""
    newest: dict[str, TenantDefaultsChanged] = {}
    for message in messages:
        tenant_id, event = message.envelope.tenant_id, message.event
        if event is not None:
            known = newest.get(tenant_id)
            if known is None or known.version <= event.version:
                newest[tenant_id] = event
    await tenant_defaults.upsert_defaults(tx, newest)


def _version(event: AccountChanged | AgreementChanged | MeterRegistered) -> int:
    return event.version
