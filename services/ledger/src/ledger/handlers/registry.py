"""Registering properties, meters and users, and telling the other services about them.

Every change holds the row of its property, so that the events of a meter leave in their order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.exc import IntegrityError

from contracts.metering import MeterRegistered, PropertyChanged
from database import WriteConnection
from kernel.errors import Conflict, Fault, NotFound, Rejected
from ledger.domain.registry import Meter, Property, User
from ledger.domain.stored import Stored
from ledger.store import meters, properties, users
from ledger.wire import Cause, ended, meter_registered, property_changed
from messaging import enqueue

INHERITED = frozenset({"zone", "region_id", "connected_kw"})
"""What a meter's event tells of its property."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A property with its meters; `created` unless it was there already."""

    property: Stored[Property]
    meters: list[Stored[Meter]]
    created: bool


async def create_properties(
    tx: WriteConnection, cause: Cause, asked: Sequence[tuple[Property, Sequence[Meter]]]
) -> list[Registered]:
    """Register properties with their own meters, all or nothing, in the order asked.

    The same id with the same content is what exists; with other content, Conflict.
    """
    places = [place for place, _ in asked]
    _check_among_themselves(places)
    try:
        new = await properties.insert_properties(tx, cause.tenant_id, places)
    except asyncpg.ForeignKeyViolationError:
        raise _unknown_parent() from None
    kept = [meter for place, own in asked if place.id in new for meter in own]
    new_meters = await meters.insert_meters(tx, cause.tenant_id, kept)
    known = await _fetch_known(tx, cause.tenant_id, [p.id for p in places if p.id not in new])
    answer = []
    for place, own in asked:
        if place.id in new:
            answer.append(
                Registered(new[place.id], [new_meters[meter.id] for meter in own], created=True)
            )
        else:
            answer.append(_same(known.get(place.id), place, own))
    await enqueue(
        tx,
        [
            message
            for one in answer
            if one.created
            for message in (
                property_changed(one.property, cause),
                *(meter_registered(meter, one.property.thing, cause) for meter in one.meters),
            )
        ],
    )
    return answer


def _check_among_themselves(places: Sequence[Property]) -> None:
    """Refuse ids that repeat and parents that go in a circle within one request."""
    parents = {place.id: place.parent_id for place in places}
    if len(parents) < len(places):
        raise Rejected("duplicate_id", "two of the properties have the same id")
    above: set[UUID] = set()
    for place in places:
        path: set[UUID] = set()
        node: UUID | None = place.id
        while node in parents and node not in above:
            if node in path:
                raise _circle()
            path.add(node)
            node = parents[node]
        above |= path


async def _fetch_known(
    tx: WriteConnection, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, Registered]:
    if not ids:
        return {}
    found = await properties.fetch_properties(tx, tenant_id, ids)
    their_meters = await meters.fetch_meters_of(tx, tenant_id, ids)
    return {
        id_: Registered(one, their_meters.get(id_, []), created=False) for id_, one in found.items()
    }


def _same(known: Registered | None, place: Property, own: Sequence[Meter]) -> Registered:
    if known is not None and known.property.thing == place:
        measured = {meter.thing.id: set(meter.thing.channels) for meter in known.meters}
        if all(measured.get(meter.id) == set(meter.channels) for meter in own):
            return known
    raise Conflict("property_exists", f"another property has the id {place.id}")


async def lock_property(tx: WriteConnection, tenant_id: str, id_: UUID) -> Stored[Property]:
    """The property, held until the transaction ends; NotFound where there is none."""
    found = await properties.fetch_properties(tx, tenant_id, [id_], lock=True)
    if id_ not in found:
        raise unknown_property()
    return found[id_]


async def change_property(
    tx: WriteConnection, cause: Cause, current: Stored[Property], changes: Mapping[str, Any]
) -> Stored[Property]:
    """Change a locked property; its meters follow where they inherit what has changed."""
    wanted = replace(current.thing, **changes)
    if wanted == current.thing:
        return current
    if wanted.parent_id is not None and wanted.parent_id != current.thing.parent_id:
        await properties.lock_tree(tx, cause.tenant_id)
        if await properties.is_above(tx, cause.tenant_id, wanted.id, wanted.parent_id):
            raise _circle()
    try:
        changed = await properties.update_property(tx, cause.tenant_id, wanted)
    except IntegrityError:
        raise _unknown_parent() from None
    messages = [property_changed(changed, cause)]
    if any(getattr(wanted, name) != getattr(current.thing, name) for name in INHERITED):
        touched = await meters.touch_meters(tx, cause.tenant_id, wanted.id)
        messages += [meter_registered(meter, wanted, cause) for meter in touched]
    await enqueue(tx, messages)
    return changed


async def delete_property(tx: WriteConnection, cause: Cause, current: Stored[Property]) -> None:
    """Remove a locked property with its meters and users; Conflict where others hang under it."""
    place = current.thing
    their_meters = await meters.fetch_meters_of(tx, cause.tenant_id, [place.id])
    try:
        at = await properties.delete_property(tx, cause.tenant_id, place.id)
    except IntegrityError:
        raise Conflict("has_children", "other properties hang under this one") from None
    await enqueue(
        tx,
        [
            ended(PropertyChanged, place.id, cause, at),
            *(
                ended(MeterRegistered, meter.thing.id, cause, at)
                for meter in their_meters.get(place.id, [])
            ),
        ],
    )


async def add_meter(tx: WriteConnection, cause: Cause, meter: Meter) -> tuple[Stored[Meter], bool]:
    """Add a meter to its property, and whether it is new; Conflict for an id of another meter."""
    place = await lock_property(tx, cause.tenant_id, meter.property_id)
    inserted = await meters.insert_meters(tx, cause.tenant_id, [meter])
    if meter.id in inserted:
        await enqueue(tx, [meter_registered(inserted[meter.id], place.thing, cause)])
        return inserted[meter.id], True
    known = (await meters.fetch_meters(tx, cause.tenant_id, [meter.id])).get(meter.id)
    if known is None or replace(known.thing, channels=()) != replace(meter, channels=()):
        raise Conflict("meter_exists", f"another meter has the id {meter.id}")
    if set(known.thing.channels) != set(meter.channels):
        raise Conflict("meter_exists", f"the meter {meter.id} has other channels")
    return known, False


async def lock_meter(
    tx: WriteConnection, tenant_id: str, id_: UUID
) -> tuple[Stored[Meter], Property]:
    """The meter and its property, which is held until the transaction ends; NotFound."""
    found = (await meters.fetch_meters(tx, tenant_id, [id_])).get(id_)
    if found is None:
        raise unknown_meter()
    place = await lock_property(tx, tenant_id, found.thing.property_id)
    return (await meters.fetch_meters(tx, tenant_id, [id_]))[id_], place.thing


async def change_meter(
    tx: WriteConnection,
    cause: Cause,
    current: Stored[Meter],
    place: Property,
    changes: Mapping[str, Any],
) -> Stored[Meter]:
    """Change the name or channels of a meter whose property is locked."""
    try:
        wanted = replace(current.thing, **changes)
    except ValueError as failure:
        raise Rejected("invalid_meter", str(failure)) from None
    if wanted == current.thing:
        return current
    changed = await meters.update_meter(tx, cause.tenant_id, wanted)
    await enqueue(tx, [meter_registered(changed, place, cause)])
    return changed


async def create_user(tx: WriteConnection, cause: Cause, user: User) -> tuple[Stored[User], bool]:
    """Create a user, and whether it is new; Conflict for an id or an e-mail of another."""
    try:
        created = await users.insert_user(tx, cause.tenant_id, user)
    except IntegrityError as failure:
        raise _user_refused(failure) from None
    if created is not None:
        return created, True
    known = await users.fetch_user(tx, cause.tenant_id, user.id)
    if known is None or known.thing != user:
        raise Conflict("user_exists", f"another user has the id {user.id}")
    return known, False


async def change_user(
    tx: WriteConnection, cause: Cause, current: Stored[User], changes: Mapping[str, Any]
) -> Stored[User]:
    """Change a locked user."""
    wanted = replace(current.thing, **changes)
    if wanted == current.thing:
        return current
    try:
        return await users.update_user(tx, cause.tenant_id, wanted)
    except IntegrityError as failure:
        raise _user_refused(failure) from None


def _user_refused(failure: IntegrityError) -> Rejected:
    told = str(failure.orig)
    if "registry_user_email" in told:
        return Conflict("email_taken", "another user has this e-mail address")
    if "registry_user_default_meter" in told:
        fault = Fault("/default_meter_id", "must be a meter of the user's property")
        return Rejected("foreign_meter", "the default meter is not the property's", (fault,))
    fault = Fault("/property_id", "must be a property that exists")
    return Rejected("unknown_property", "the property does not exist", (fault,))


def unknown_property() -> NotFound:
    """There is no such property."""
    return NotFound("property_unknown", "no property has this id")


def unknown_meter() -> NotFound:
    """There is no such meter."""
    return NotFound("meter_unknown", "no meter has this id")


def unknown_user() -> NotFound:
    """There is no such user."""
    return NotFound("user_unknown", "no user has this id")


def _unknown_parent() -> Rejected:
    fault = Fault("/parent_id", "must be a property that exists")
    return Rejected("unknown_parent", "the parent does not exist", (fault,))


def _circle() -> Rejected:
    fault = Fault("/parent_id", "must not lie below the property itself")
    return Rejected("circular_tree", "properties form a tree, not a circle", (fault,))
