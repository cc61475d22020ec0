"""Registering, changing and removing properties, and publishing what has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gridtally.contracts.metering import MeterRegistered, PropertyChanged
from gridtally.contracts.registry import UserChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.errors import Conflict, Fault, NotFound, Rejected
from gridtally.kernel.periods import local_date
from gridtally.kernel.resources import Cause, Stored
from gridtally.ledger.registry.domain.agreements import require_unbilled
from gridtally.ledger.registry.domain.meters import Meter
from gridtally.ledger.registry.domain.properties import Property
from gridtally.ledger.registry.events import meter_registered, property_changed, tombstone
from gridtally.ledger.registry.store import agreements, meters, properties, users
from gridtally.ledger.registry.store.meter_uses import MeterUses
from gridtally.messaging import enqueue

INHERITED = frozenset({"zone", "region_id", "connected_kw"})
"""The fields of a property that its meters' events repeat."""


@dataclass(frozen=True, slots=True)
class RegisteredProperty:
    """A property with its meters; `created` unless it existed already."""

    property: Stored[Property]
    meters: list[Stored[Meter]]
    created: bool


async def create_properties(
    tx: WriteConnection, cause: Cause, requested: Sequence[tuple[Property, Sequence[Meter]]]
) -> list[RegisteredProperty]:
    """Register properties with their own meters, all or nothing; in the order requested.

    The same id with the same content is the property that exists; with other content, Conflict.
    """
    wanted = [property_ for property_, _ in requested]
    _check_among_themselves(wanted)
    new = await properties.insert_properties(tx, cause.tenant_id, wanted)
    own_meters = [meter for property_, own in requested if property_.id in new for meter in own]
    new_meters = await meters.insert_meters(tx, cause.tenant_id, own_meters)
    others = [property_.id for property_ in wanted if property_.id not in new]
    existing = await _fetch_existing(tx, cause.tenant_id, others)
    registered = []
    for property_, own in requested:
        if property_.id in new:
            stored_meters = [new_meters[meter.id] for meter in own]
            registered.append(RegisteredProperty(new[property_.id], stored_meters, created=True))
        else:
            registered.append(_require_same(existing.get(property_.id), property_, own))
    await enqueue(
        tx,
        [
            message
            for entry in registered
            if entry.created
            for message in (
                property_changed(entry.property, cause),
                *(meter_registered(own, entry.property.resource, cause) for own in entry.meters),
            )
        ],
    )
    return registered


def _check_among_themselves(requested: Sequence[Property]) -> None:
    """Refuse ids that repeat and parents that go in a circle within one request."""
    parents = {property_.id: property_.parent_id for property_ in requested}
    if len(parents) < len(requested):
        raise Rejected("duplicate_id", "two of the properties have the same id")
    # Whatever leads to a property that was walked from before leads to a root, too: each property
    # is passed once, so a chain of a thousand takes a thousand steps.
    walked: set[UUID] = set()
    for property_ in requested:
        path: set[UUID] = set()
        node: UUID | None = property_.id
        while node in parents and node not in walked:
            if node in path:
                raise _circle()
            path.add(node)
            node = parents[node]
        walked |= path


async def _fetch_existing(
    tx: WriteConnection, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, RegisteredProperty]:
    if not ids:
        return {}
    stored = await properties.fetch_properties(tx, tenant_id, ids)
    own = await meters.fetch_meters_of(tx, tenant_id, ids)
    return {
        id_: RegisteredProperty(property_, own.get(id_, []), created=False)
        for id_, property_ in stored.items()
    }


def _require_same(
    existing: RegisteredProperty | None, property_: Property, own: Sequence[Meter]
) -> RegisteredProperty:
    """What exists under the property's id, if that is the same property; else Conflict."""
    if existing is not None and existing.property.resource == property_:
        by_id = {meter.resource.id: meter.resource for meter in existing.meters}
        if all(
            meter.id in by_id and set(by_id[meter.id].channels) == set(meter.channels)
            for meter in own
        ):
            return existing
    raise Conflict("property_exists", f"another property has the id {property_.id}")


async def fetch_property(
    read: ReadConnection, tenant_id: str, property_id: UUID
) -> tuple[Property, list[Meter]]:
    """A property and its meters; NotFound."""
    stored = await properties.fetch_properties(read, tenant_id, [property_id])
    if property_id not in stored:
        raise unknown_property()
    own = await meters.fetch_meters_of(read, tenant_id, [property_id])
    return stored[property_id].resource, [meter.resource for meter in own.get(property_id, [])]


async def lock_property(tx: WriteConnection, tenant_id: str, id_: UUID) -> Stored[Property]:
    """The property, locked until the transaction ends; NotFound where there is none."""
    stored = await properties.fetch_properties(tx, tenant_id, [id_], lock=True)
    if id_ not in stored:
        raise unknown_property()
    return stored[id_]


async def change_property(
    tx: WriteConnection,
    cause: Cause,
    current: Stored[Property],
    changes: Mapping[str, Any],
    uses: MeterUses,
) -> Stored[Property]:
    """Change a locked property and return it; its meters follow where they inherit the change."""
    wanted = replace(current.resource, **changes)
    if wanted == current.resource:
        return current
    if wanted.parent_id != current.resource.parent_id:
        await _require_movable(tx, cause.tenant_id, wanted.id, wanted.parent_id, uses)
    changed = await properties.update_property(tx, cause.tenant_id, wanted)
    messages = [property_changed(changed, cause)]
    if any(getattr(wanted, name) != getattr(current.resource, name) for name in INHERITED):
        touched = await meters.touch_meters(tx, cause.tenant_id, wanted.id)
        messages += [meter_registered(meter, wanted, cause) for meter in touched]
    await enqueue(tx, messages)
    return changed


async def _require_movable(
    tx: WriteConnection, tenant_id: str, id_: UUID, parent_id: UUID | None, uses: MeterUses
) -> None:
    """Refuse to move a property below itself, or out of a sum that needs it.

    Conflict where a meter of it, or below it, is in a sum that counts today or later, of a property
    that it would no longer be below: that sum has to be redefined first. Past definitions stay.
    """
    await properties.lock_tree(tx, tenant_id)
    if parent_id is not None and await properties.is_above(tx, tenant_id, id_, parent_id):
        raise _circle()
    sum_left = await uses.find_sum_left(tx, tenant_id, id_, parent_id)
    if sum_left is not None:
        raise Conflict("meter_in_use", f"the derived meter {sum_left} is a sum of what would leave")


async def delete_property(
    tx: WriteConnection, cause: Cause, current: Stored[Property], uses: MeterUses, now: datetime
) -> None:
    """Remove a locked property with its meters and users. Its readings stay, and count no more.

    Conflict where other properties are below it, where sums are made of its meters, or where live
    agreements bill them.
    """
    property_ = current.resource
    stored_meters = await meters.fetch_meters_of(tx, cause.tenant_id, [property_.id])
    own = [meter.resource for meter in stored_meters.get(property_.id, [])]
    meter_ids = [meter.id for meter in own]
    await uses.require_removable(tx, cause.tenant_id, meter_ids)
    billing = await agreements.fetch_agreements_of(tx, cause.tenant_id, meter_ids)
    require_unbilled(billing, local_date(property_.zone, now))
    await meters.insert_removals(tx, cause.tenant_id, own)
    user_ids = await users.fetch_ids_at(tx, cause.tenant_id, property_.id)
    at = await properties.delete_property(tx, cause.tenant_id, property_.id)
    await enqueue(
        tx,
        [
            tombstone(PropertyChanged, property_.id, cause, at),
            *(tombstone(MeterRegistered, meter.id, cause, at) for meter in own),
            *(tombstone(UserChanged, user_id, cause, at) for user_id in user_ids),
        ],
    )


def unknown_property() -> NotFound:
    """There is no such property."""
    return NotFound("property_unknown", "no property has this id")


def _circle() -> Rejected:
    fault = Fault("/parent_id", "must not lie below the property itself")
    return Rejected("circular_tree", "properties form a tree, not a circle", (fault,))
