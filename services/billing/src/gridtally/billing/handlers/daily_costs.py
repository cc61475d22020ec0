"""Usage becomes cost per meter and local day, and again when what the cost rests on changes."""

from collections.abc import Collection, Sequence
from datetime import datetime

from gridtally.billing.domain.daily_costs import newest_flows, price_days
from gridtally.billing.domain.reference_data import DayKey
from gridtally.billing.events.daily_costs import cost_rolled_up, flow_usage
from gridtally.billing.store import daily_costs, due_days, prepayments, reference_data
from gridtally.contracts.metering import UsageRecorded
from gridtally.database import WriteConnection
from gridtally.kernel.periods import ONE_DAY
from gridtally.messaging import ReceivedMessage, enqueue

RETRY_DAYS_MAX = 2_000
"""Days that are priced again in one transaction."""
SPREAD_AGREEMENTS_MAX = 50
"""Agreements whose days are marked in one transaction: some 20 000 days, where each has a year."""


async def apply_usage(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[UsageRecorded]], now: datetime
) -> None:
    """Store the newest usage, and price the days that it changes."""
    await reference_data.lock_reference_data_shared(tx)
    flows = newest_flows(flow_usage(message) for message in messages)
    await _price(tx, await daily_costs.upsert_usage(tx, flows), now)


# One poll does both steps of what a change makes due, each a bounded amount: agreements are spread
# over their days, and some due days, spread just now or before, are priced. So a tariff of many
# thousand agreements neither holds its own transaction nor keeps the loop from ending in time.
async def price_due_days(tx: WriteConnection, now: datetime) -> int:
    """Price some of the days that are due again; return how much there was to do, 0 for nothing."""
    await reference_data.lock_reference_data_shared(tx)
    agreements = await due_days.spread_due(tx, SPREAD_AGREEMENTS_MAX)
    days = await due_days.take_due(tx, RETRY_DAYS_MAX)
    await _price(tx, days, now)
    return max(agreements, len(days))


async def _price(tx: WriteConnection, days: Collection[DayKey], now: datetime) -> None:
    """Store and publish the cost of each day, and delete the cost of those that have none now."""
    if not days:
        return
    start_on = min(day for _, _, day in days)
    end_on = max(day for _, _, day in days) + ONE_DAY
    meters = {(tenant_id, meter_id) for tenant_id, meter_id, _ in days}
    known = await reference_data.fetch_reference_data_of_meters(tx, meters, start_on, end_on)
    known = await reference_data.with_prices(tx, known, start_on, end_on)
    usage = await daily_costs.fetch_usage(tx, days)
    costs = price_days(usage, known.agreements_on(days), known)
    await daily_costs.upsert_costs(tx, costs)
    priced = {cost.key for cost in costs}
    await daily_costs.delete_costs(tx, [of_day for of_day in usage if of_day.key not in priced])
    await enqueue(tx, [cost_rolled_up(cost, now) for cost in costs])
    await prepayments.mark_days(tx, days, now)
