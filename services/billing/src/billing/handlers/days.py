"""Usage becomes cost per meter and local day, and again when an agreement or tariff changes."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from billing import wire
from billing.domain.agreements import Agreement
from billing.domain.days import DayKey, price_days
from billing.domain.facts import Facts, Key
from billing.store import days, facts
from contracts.metering import UsageRecorded
from database import WriteConnection
from messaging import Received, enqueue

RETRY_DAYS_MAX = 2_000
"""Days that are priced again in one transaction."""
SPREAD_AGREEMENTS_MAX = 50
"""Agreements whose days are marked in one transaction: some 20 000 days, where each has a year."""


async def roll_up_usage(
    tx: WriteConnection, messages: Sequence[Received[UsageRecorded]], now: datetime
) -> None:
    """Keep the newest usage, and price the days that it changes."""
    await facts.lock_facts_to_read(tx)
    await _price(tx, await days.upsert_usage(tx, wire.newest_usage(messages)), now)


async def price_due_days(tx: WriteConnection, now: datetime) -> int:
    """Price some of the days that are due again; how much there was to do, 0 when nothing."""
    await facts.lock_facts_to_read(tx)
    agreements = await days.spread_due(tx, SPREAD_AGREEMENTS_MAX)
    due = await days.take_due(tx, RETRY_DAYS_MAX)
    await _price(tx, due, now)
    return max(agreements, len(due))


async def _price(tx: WriteConnection, keys: Collection[DayKey], now: datetime) -> None:
    if not keys:
        return
    start_on = min(day for _, _, day in keys)
    end_on = max(day for _, _, day in keys) + timedelta(days=1)
    known = await facts.fetch_facts_of_meters(
        tx, {(tenant_id, meter_id) for tenant_id, meter_id, _ in keys}, start_on, end_on
    )
    known = await facts.with_prices(tx, known, start_on, end_on)
    usage = await days.fetch_usage(tx, keys)
    costs = price_days(usage, _agreements_on(keys, known), known)
    await days.upsert_costs(tx, costs)
    priced = {cost.usage.key for cost in costs}
    await days.delete_costs(tx, [one for one in usage if one.key not in priced])
    await enqueue(tx, [wire.cost_rolled_up(cost, now) for cost in costs])


def _agreements_on(keys: Collection[DayKey], known: Facts) -> dict[DayKey, Agreement]:
    """The one agreement in force on each meter's day, where there is one."""
    of_meter: dict[Key, list[Agreement]] = {}
    for (tenant_id, _), agreement in known.agreements.items():
        of_meter.setdefault((tenant_id, agreement.meter_id), []).append(agreement)
    return {
        key: agreement
        for key in keys
        for agreement in of_meter.get(key[:2], ())
        if key[2] in agreement
    }
