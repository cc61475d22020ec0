"""`usage.recorded` as billing takes it, and `cost.rolled_up`."""

from datetime import datetime

from gridtally.billing.domain.daily_costs import DailyCost, FlowUsage
from gridtally.billing.events.json_form import SOURCE, encoded, fields_of
from gridtally.contracts.commerce import CostRolledUp
from gridtally.contracts.metering import UsageRecorded
from gridtally.kernel.errors import Poison
from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import ONE_DAY, Period
from gridtally.messaging import OutgoingMessage, ReceivedMessage
from gridtally.rating.recorded import energy_of
from gridtally.rating.usage import slots_in


def flow_usage(message: ReceivedMessage[UsageRecorded]) -> FlowUsage:
    """A flow of a meter's day; Poison where its values do not fill the local day."""
    event, envelope = message.event, message.envelope
    if event is None:
        raise Poison("usage cannot be deleted by a tombstone")
    _check_day(event)
    try:
        energy = energy_of(event.values)
    except OverflowError:
        raise Poison("an interval's energy does not fit into four bytes") from None
    return FlowUsage(
        tenant_id=envelope.tenant_id,
        meter_id=event.meter_id,
        day=event.day,
        flow=event.flow,
        zone=event.zone,
        minutes=event.minutes,
        version=event.version,
        energy=energy.astype("<i4").tobytes(),
        correlation_id=envelope.correlation_id,
    )


def _check_day(event: UsageRecorded) -> None:
    try:
        slots = slots_in(event.zone, Period(event.day, event.day + ONE_DAY), event.minutes)
    except (ValueError, OverflowError) as impossible:  # 9999-12-31 has no next day
        raise Poison(str(impossible)) from None
    if len(event.values) != slots:
        raise Poison(f"{len(event.values)} values in a day of {slots} intervals")


def cost_rolled_up(cost: DailyCost, now: datetime) -> OutgoingMessage:
    """What the day costs."""
    return OutgoingMessage.raw(
        CostRolledUp.TOPIC,
        str(cost.agreement_id),
        encoded(fields_of(CostRolledUp, cost)),
        tenant_id=cost.tenant_id,
        correlation_id=cost.correlation_id,
        source=SOURCE,
        event_id=derive_id(
            "cost.rolled_up",
            cost.tenant_id,
            cost.meter_id,
            cost.day,
            cost.usage_version,
            cost.agreement_id,
            cost.tariff_version_id,
            cost.prices_version,
        ),
        occurred_at=now,
    )
