"""Registering properties, meters and users, and telling the other services about them.

Every change holds the row of its property, so that the events of a meter leave in their order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts.metering import MeterRegistered, PropertyChanged
from database import WriteConnection
from kernel.errors import Conflict, Fault, NotFound, Rejected
from ledger.domain.registry import METERS_MAX, Meter, Property, Register, User, own_meters
from ledger.domain.stored import Stored
from ledger.store import definitions, meters, properties, readings, users
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
    new = await properties.insert_properties(tx, cause.tenant_id, places)
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
        theirs = {meter.thing.id: meter.thing for meter in known.meters}
        if all(
            meter.id in theirs and set(theirs[meter.id].channels) == set(meter.channels)
            for meter in own
        ):
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
    if wanted.parent_id != current.thing.parent_id:
        await _move(tx, cause.tenant_id, wanted.id, wanted.parent_id)
    changed = await properties.update_property(tx, cause.tenant_id, wanted)
    messages = [property_changed(changed, cause)]
    if any(getattr(wanted, name) != getattr(current.thing, name) for name in INHERITED):
        touched = await meters.touch_meters(tx, cause.tenant_id, wanted.id)
        messages += [meter_registered(meter, wanted, cause) for meter in touched]
    await enqueue(tx, messages)
    return changed


async def _move(tx: WriteConnection, tenant_id: str, id_: UUID, parent_id: UUID | None) -> None:
    """See that a property can hang under another one, or under none.

    Conflict where a meter of it, or below it, is in a sum that counts today or later, of a property
    that it would be below no more: that is to be defined otherwise first. What such a sum was in
    the past stays.
    """
    await properties.lock_tree(tx, tenant_id)
    if parent_id is not None and await properties.is_above(tx, tenant_id, id_, parent_id):
        raise _circle()
    left = await definitions.find_sum_left(tx, tenant_id, id_, parent_id)
    if left is not None:
        raise Conflict("meter_in_use", f"the derived meter {left} is a sum of what would leave")


async def delete_property(tx: WriteConnection, cause: Cause, current: Stored[Property]) -> None:
    """Remove a locked property with its meters and users; Conflict where others hang under it, or
    are sums of its meters. What was read stays in the ledger, and counts no more."""
    place = current.thing
    found = await meters.fetch_meters_of(tx, cause.tenant_id, [place.id])
    own = [meter.thing for meter in found.get(place.id, [])]
    await _refuse_in_use(tx, cause.tenant_id, own)
    await meters.remove_meters(tx, cause.tenant_id, own)
    at = await properties.delete_property(tx, cause.tenant_id, place.id)
    await enqueue(
        tx,
        [
            ended(PropertyChanged, place.id, cause, at),
            *(ended(MeterRegistered, meter.id, cause, at) for meter in own),
        ],
    )


async def _refuse_in_use(tx: WriteConnection, tenant_id: str, own: Sequence[Meter]) -> None:
    user = await definitions.find_user(tx, tenant_id, [meter.id for meter in own])
    if user is not None:
        raise Conflict("meter_in_use", f"the derived meter {user} is a sum of what would go")


async def add_meter(tx: WriteConnection, cause: Cause, meter: Meter) -> tuple[Stored[Meter], bool]:
    """Add a meter to its property, and whether it is new; Conflict for an id of another meter."""
    place = await lock_property(tx, cause.tenant_id, meter.property_id)
    inserted = await meters.insert_meters(tx, cause.tenant_id, [meter])
    if meter.id in inserted:
        if await meters.count_meters(tx, cause.tenant_id, meter.property_id) > METERS_MAX:
            raise Rejected("too_many_meters", f"a property has at most {METERS_MAX} meters")
        await enqueue(tx, [meter_registered(inserted[meter.id], place.thing, cause)])
        return inserted[meter.id], True
    known = (await meters.fetch_meters(tx, cause.tenant_id, [meter.id])).get(meter.id)
    if known is None or _bare(known.thing) != _bare(meter):
        raise Conflict("meter_exists", f"another meter has the id {meter.id}")
    if not _same_parts(known.thing, meter):
        raise Conflict("meter_exists", f"the meter {meter.id} has other channels or registers")
    return known, False


async def initialize_meters(
    tx: WriteConnection, cause: Cause, place: Property
) -> tuple[list[Stored[Meter]], bool]:
    """See that a locked property has its own four meters: those that are missing are made anew.

    All its meters, and whether one was missing.
    """
    own = own_meters(cause.tenant_id, place.id, {})
    made = await meters.insert_meters(tx, cause.tenant_id, own)
    await enqueue(tx, [meter_registered(one, place, cause) for one in made.values()])
    found = await meters.fetch_meters_of(tx, cause.tenant_id, [place.id])
    return found[place.id], bool(made)


async def remove_meter(tx: WriteConnection, cause: Cause, current: Stored[Meter]) -> None:
    """Remove a meter whose property is locked; Conflict where a derived meter is a sum of it."""
    await _refuse_in_use(tx, cause.tenant_id, [current.thing])
    await meters.remove_meters(tx, cause.tenant_id, [current.thing])
    at = await meters.delete_meter(tx, cause.tenant_id, current.thing.id)
    await enqueue(tx, [ended(MeterRegistered, current.thing.id, cause, at)])


def _bare(meter: Meter) -> Meter:
    return replace(meter, channels=(), registers=())


def _same_parts(one: Meter, other: Meter) -> bool:
    return set(one.channels) == set(other.channels) and set(one.registers) == set(other.registers)


async def lock_meter(
    tx: WriteConnection, tenant_id: str, id_: UUID
) -> tuple[Stored[Meter], Property]:
    """The meter and its property, which is held until the transaction ends; NotFound."""
    found = (await meters.fetch_meters(tx, tenant_id, [id_])).get(id_)
    if found is None:
        raise unknown_meter()
    place = await lock_property(tx, tenant_id, found.thing.property_id)
    held = (await meters.fetch_meters(tx, tenant_id, [id_])).get(id_)
    if held is None:  # removed while its property was waited for
        raise unknown_meter()
    return held, place.thing


async def change_meter(
    tx: WriteConnection,
    cause: Cause,
    current: Stored[Meter],
    place: Property,
    changes: Mapping[str, Any],
) -> Stored[Meter]:
    """Change the name, channels or registers of a meter whose property is locked.

    Conflict for the dial of a register that was read: that changes with an exchange.
    """
    try:
        wanted = replace(current.thing, **changes)
    except ValueError as failure:
        raise Rejected("invalid_meter", str(failure)) from None
    if wanted == current.thing:
        return current
    gone = {
        before.flow
        for before in current.thing.registers
        if all(_dial(before) != _dial(after) for after in wanted.registers)
    }
    if gone and gone & await readings.fetch_flows_read(tx, cause.tenant_id, wanted.id):
        raise Conflict(
            "register_in_use",
            "a register with readings keeps its digits and multiplier until its meter is exchanged",
        )
    changed = await meters.update_meter(tx, cause.tenant_id, wanted)
    await enqueue(tx, [meter_registered(changed, place, cause)])
    return changed


async def set_register(
    tx: WriteConnection, cause: Cause, meter_id: UUID, register: Register
) -> None:
    """Make a register of a meter, whose property is locked, what it is after an exchange."""
    current, place = await lock_meter(tx, cause.tenant_id, meter_id)
    others = tuple(each for each in current.thing.registers if each.flow != register.flow)
    by_flow = sorted((*others, register), key=lambda each: each.flow)
    wanted = replace(current.thing, registers=tuple(by_flow))
    changed = await meters.update_meter(tx, cause.tenant_id, wanted)
    await enqueue(tx, [meter_registered(changed, place, cause)])


def _dial(register: Register) -> tuple[str, int, Decimal]:
    return register.flow, register.digits, register.multiplier


async def create_user(tx: WriteConnection, cause: Cause, user: User) -> tuple[Stored[User], bool]:
    """Create a user, and whether it is new; Conflict for an id or an e-mail of another."""
    created = await users.insert_user(tx, cause.tenant_id, user)
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
    return await users.update_user(tx, cause.tenant_id, wanted)


async def lock_user(tx: WriteConnection, tenant_id: str, id_: UUID) -> Stored[User]:
    """The user, held until the transaction ends; NotFound where there is none."""
    found = await users.fetch_user(tx, tenant_id, id_, lock=True)
    if found is None:
        raise unknown_user()
    return found


def unknown_property() -> NotFound:
    """There is no such property."""
    return NotFound("property_unknown", "no property has this id")


def unknown_meter() -> NotFound:
    """There is no such meter."""
    return NotFound("meter_unknown", "no meter has this id")


def unknown_user() -> NotFound:
    """There is no such user."""
    return NotFound("user_unknown", "no user has this id")


def _circle() -> Rejected:
    fault = Fault("/parent_id", "must not lie below the property itself")
    return Rejected("circular_tree", "properties form a tree, not a circle", (fault,))
