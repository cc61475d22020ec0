"""What corrected readings make of the derived meters that they are parts of: by the rules by which
ingest would add those up once more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from gridtally.billing.domain.corrections import ChangedDay, changed_days
from gridtally.billing.domain.fleet_costs.costs import ChannelDays
from gridtally.billing.domain.recorded_usage import ReadingBlock, RecordedUsage, recorded_usage
from gridtally.billing.domain.reference_data import ReferenceData
from gridtally.billing.domain.summed_usage import changed_sums
from gridtally.billing.store import derived_meters, fleet_costs
from gridtally.billing.store.reference_data import fetch_reference_data_of_meters, with_prices
from gridtally.database import ReadConnection
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import ONE_DAY, Period, local_date
from gridtally.metering.derived_meters import Network

DERIVED_METERS_MAX = 100
"""Derived meters that a correction may change."""


@dataclass(frozen=True, slots=True, eq=False)
class MeterChange:
    """A meter's readings, what is recorded and what would be, and what prices its days."""

    blocks: Sequence[ReadingBlock]
    usages: tuple[RecordedUsage, RecordedUsage]
    known: ReferenceData
    days: list[ChangedDay]


async def derived_changes(
    read: ReadConnection, tenant_id: str, changes: Mapping[UUID, MeterChange]
) -> dict[UUID, MeterChange]:
    """What becomes of the derived meters that these are parts of; Rejected where they are too
    many."""
    changed = [meter_id for meter_id, change in changes.items() if change.days]
    sums = await derived_meters.fetch_sums(read, tenant_id, changed)
    if len(sums) > DERIVED_METERS_MAX:
        raise Rejected("correction_too_large", f"more than {DERIVED_METERS_MAX} derived meters")
    network = await derived_meters.fetch_network(read, tenant_id, sums)
    derived = {}
    for meter_id in sorted(sums):
        change = await _derived_change(read, tenant_id, meter_id, network, changes)
        if change is not None:
            derived[meter_id] = change
    return derived


async def _derived_change(
    read: ReadConnection,
    tenant_id: str,
    meter_id: UUID,
    network: Network,
    changes: Mapping[UUID, MeterChange],
) -> MeterChange | None:
    """None where none of its days is another one."""
    parts = network.inputs(meter_id) & network.flows.keys()
    days = {changed.day for part in parts & changes.keys() for changed in changes[part].days}
    span = Period(min(days) - ONE_DAY, max(days) + 2 * ONE_DAY)
    wider = Period(span.start_on - ONE_DAY, span.end_on + ONE_DAY)
    blocks = await fleet_costs.fetch_usage(read, tenant_id, [meter_id, *parts], wider)
    before = {part: own for part in parts if (own := _recorded(part, blocks, changes)) is not None}
    after = {
        part: own.with_readings(changes[part].blocks) if part in changes else own
        for part, own in before.items()
    }
    corrected = min(parts & changes.keys())
    recorded = recorded_usage(
        [block for block in blocks if block.meter_id == meter_id],
        changes[corrected].usages[0].zone,
        None,
    )
    minutes = recorded.minutes.get("import", 1)
    sums = changed_sums(recorded.zone, minutes, network.parts(meter_id, span), before, after)
    if not sums:
        return None
    unknown = [
        old
        for old, _ in sums
        if local_date(recorded.zone, old.start_at) not in recorded.days.get(old.flow, {})
    ]
    recorded = recorded.with_readings(unknown)
    readings = [new for _, new in sums]
    usages = recorded, recorded.with_readings(readings)
    known = await fetch_reference_data_of_meters(
        read, {(tenant_id, meter_id)}, span.start_on, span.end_on
    )
    known = await with_prices(read, known, span.start_on, span.end_on)
    return MeterChange(readings, usages, known, changed_days(meter_id, *usages))


def _recorded(
    part: UUID, blocks: Sequence[ChannelDays], changes: Mapping[UUID, MeterChange]
) -> RecordedUsage | None:
    """What is recorded of a part; None where nothing is, nor would be. One that is corrected has
    its flows, since what is not there yet may come."""
    own = [block for block in blocks if block.meter_id == part]
    if part not in changes:
        return recorded_usage(own, own[0].zone, None) if own else None
    corrected = changes[part].usages[1]
    recorded = recorded_usage(own, corrected.zone, None)
    return RecordedUsage(recorded.zone, dict(corrected.minutes), recorded.days)
