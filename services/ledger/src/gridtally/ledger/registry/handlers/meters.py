"""Adding, changing and removing meters, and publishing what has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from gridtally.contracts.metering import MeterRegistered
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, Fault, NotFound, Rejected
from gridtally.kernel.periods import local_date
from gridtally.kernel.resources import Cause, Stored
from gridtally.ledger.registry.domain.agreements import require_unbilled
from gridtally.ledger.registry.domain.meters import METERS_MAX, Meter, Register, own_meters
from gridtally.ledger.registry.domain.properties import Property
from gridtally.ledger.registry.events import meter_registered, tombstone, user_changed
from gridtally.ledger.registry.handlers.properties import lock_property
from gridtally.ledger.registry.store import agreements, meters, users
from gridtally.ledger.registry.store.meter_uses import MeterUses
from gridtally.messaging import enqueue


async def add_meter(tx: WriteConnection, cause: Cause, meter: Meter) -> tuple[Stored[Meter], bool]:
    """Add a meter to its property; return it and whether it is new.

    Conflict for the id of another meter, Rejected for more meters than a property may have.
    """
    property_ = await lock_property(tx, cause.tenant_id, meter.property_id)
    inserted = await meters.insert_meters(tx, cause.tenant_id, [meter])
    if meter.id in inserted:
        if await meters.count_meters(tx, cause.tenant_id, meter.property_id) > METERS_MAX:
            raise Rejected("too_many_meters", f"a property has at most {METERS_MAX} meters")
        await enqueue(tx, [meter_registered(inserted[meter.id], property_.resource, cause)])
        return inserted[meter.id], True
    existing = (await meters.fetch_meters(tx, cause.tenant_id, [meter.id])).get(meter.id)
    if existing is None or _without_parts(existing.resource) != _without_parts(meter):
        raise Conflict("meter_exists", f"another meter has the id {meter.id}")
    if not _has_same_parts(existing.resource, meter):
        raise Conflict("meter_exists", f"the meter {meter.id} has other channels or registers")
    return existing, False


async def add_meters(
    tx: WriteConnection, cause: Cause, requested: Sequence[Meter]
) -> list[tuple[Stored[Meter], bool]]:
    """Add meters to their properties, all or nothing; each, and whether it is new, in the order
    requested. Properties are locked in the order of their ids; refusals name the item."""
    added: dict[int, tuple[Stored[Meter], bool]] = {}
    in_order = sorted(enumerate(requested), key=lambda entry: (entry[1].property_id, entry[0]))
    for index, meter in in_order:
        try:
            added[index] = await add_meter(tx, cause, meter)
        except (Conflict, NotFound, Rejected) as refused:
            fault = Fault(f"/items/{index}", refused.detail)
            raise type(refused)(refused.code, refused.detail, (fault,)) from None
    return [added[index] for index in range(len(requested))]


def _without_parts(meter: Meter) -> Meter:
    return replace(meter, channels=(), registers=())


def _has_same_parts(meter: Meter, other: Meter) -> bool:
    return set(meter.channels) == set(other.channels) and set(meter.registers) == set(
        other.registers
    )


async def initialize_meters(
    tx: WriteConnection, cause: Cause, property_: Property
) -> tuple[list[Stored[Meter]], bool]:
    """Create those of a locked property's own four meters that are missing.

    Returns all its meters, and whether one was missing.
    """
    own = own_meters(cause.tenant_id, property_.id, {})
    created = await meters.insert_meters(tx, cause.tenant_id, own)
    await enqueue(tx, [meter_registered(meter, property_, cause) for meter in created.values()])
    by_property = await meters.fetch_meters_of(tx, cause.tenant_id, [property_.id])
    return by_property[property_.id], bool(created)


async def lock_meter(
    tx: WriteConnection, tenant_id: str, id_: UUID
) -> tuple[Stored[Meter], Property]:
    """The meter and its property, which is locked until the transaction ends; NotFound."""
    seen = (await meters.fetch_meters(tx, tenant_id, [id_])).get(id_)
    if seen is None:
        raise unknown_meter()
    property_ = await lock_property(tx, tenant_id, seen.resource.property_id)
    # Read again: it may have been changed or removed while its property was waited for.
    meter = (await meters.fetch_meters(tx, tenant_id, [id_])).get(id_)
    if meter is None:
        raise unknown_meter()
    return meter, property_.resource


async def change_meter(
    tx: WriteConnection,
    cause: Cause,
    current: Stored[Meter],
    property_: Property,
    changes: Mapping[str, Any],
    uses: MeterUses,
) -> Stored[Meter]:
    """Change the name, channels or registers of a meter whose property is locked; return it.

    Conflict for another register in place of one that was read: that takes an exchange.
    """
    try:
        wanted = replace(current.resource, **changes)
    except ValueError as failure:
        raise Rejected("invalid_meter", str(failure)) from None
    if wanted == current.resource:
        return current
    replaced_flows = {
        before.flow
        for before in current.resource.registers
        if all(_counts_as(before) != _counts_as(after) for after in wanted.registers)
    }
    if replaced_flows and replaced_flows & await uses.fetch_flows_read(
        tx, cause.tenant_id, wanted.id
    ):
        raise Conflict(
            "register_in_use",
            "a register with readings keeps its range and multiplier until its meter is exchanged",
        )
    changed = await meters.update_meter(tx, cause.tenant_id, wanted)
    await enqueue(tx, [meter_registered(changed, property_, cause)])
    return changed


def _counts_as(register: Register) -> tuple[str, Decimal, Decimal]:
    """What energy between two readings depends on; decimals only say how finely it is shown."""
    return register.flow, register.range_kwh, register.multiplier


async def set_register(
    tx: WriteConnection, cause: Cause, meter_id: UUID, register: Register
) -> None:
    """Put a register in place of the one that a meter has for its flow, because the meter was
    exchanged; the meter's property must be locked."""
    current, property_ = await lock_meter(tx, cause.tenant_id, meter_id)
    others = [other for other in current.resource.registers if other.flow != register.flow]
    by_flow = sorted((*others, register), key=lambda register: register.flow)
    wanted = replace(current.resource, registers=tuple(by_flow))
    changed = await meters.update_meter(tx, cause.tenant_id, wanted)
    await enqueue(tx, [meter_registered(changed, property_, cause)])


async def remove_meter(
    tx: WriteConnection,
    cause: Cause,
    current: Stored[Meter],
    property_: Property,
    uses: MeterUses,
    now: datetime,
) -> None:
    """Remove a meter whose property is locked; Conflict where a derived meter is a sum of it, or a
    live agreement bills it."""
    await uses.require_removable(tx, cause.tenant_id, [current.resource.id])
    billing = await agreements.fetch_agreements_of(tx, cause.tenant_id, [current.resource.id])
    require_unbilled(billing, local_date(property_.zone, now))
    await meters.insert_removals(tx, cause.tenant_id, [current.resource])
    without_default = await users.clear_default_meter(tx, cause.tenant_id, current.resource.id)
    at = await meters.delete_meter(tx, cause.tenant_id, current.resource.id)
    await enqueue(
        tx,
        [
            tombstone(MeterRegistered, current.resource.id, cause, at),
            *(user_changed(user, cause) for user in without_default),
        ],
    )


def unknown_meter() -> NotFound:
    """There is no such meter."""
    return NotFound("meter_unknown", "no meter has this id")
