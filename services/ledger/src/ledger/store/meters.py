"""Meters, their channels and registers as rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import ReadConnection, WriteConnection
from ledger.domain.registry import Channel, Meter
from ledger.domain.stored import Stored
from ledger.store.rows import Order, among, page, register_of, stored
from ledger.tables import channel, meter, register, registry_user, removed_meter

_INSERT_METERS = """
INSERT INTO meter (tenant_id, id, property_id, type, name)
SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[])
ON CONFLICT (tenant_id, id) DO NOTHING
RETURNING id, version, created_at, updated_at
"""
_INSERT_CHANNELS = """
INSERT INTO channel (tenant_id, meter_id, flow, minutes, interval_wh_max)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::smallint[], $5::integer[])
"""
_INSERT_REGISTERS = """
INSERT INTO register (tenant_id, meter_id, flow, digits, decimals, multiplier)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::smallint[], $5::smallint[], $6::numeric[])
"""


async def insert_meters(
    tx: WriteConnection, tenant_id: str, meters: Sequence[Meter]
) -> dict[UUID, Stored[Meter]]:
    """Insert those whose id is free, with channels and registers, and return them."""
    rows = await tx.raw.fetch(
        _INSERT_METERS,
        tenant_id,
        [one.id for one in meters],
        [one.property_id for one in meters],
        [one.type for one in meters],
        [one.name for one in meters],
    )
    by_id = {one.id: one for one in meters}
    inserted = {row["id"]: stored(by_id[row["id"]], row) for row in rows}
    new = [one.thing for one in inserted.values()]
    await _insert_channels(tx, tenant_id, new)
    await _insert_registers(tx, tenant_id, new)
    return inserted


async def _insert_channels(tx: WriteConnection, tenant_id: str, meters: Sequence[Meter]) -> None:
    channels = [(one.id, each) for one in meters for each in one.channels]
    await tx.raw.execute(
        _INSERT_CHANNELS,
        tenant_id,
        [meter_id for meter_id, _ in channels],
        [each.flow for _, each in channels],
        [each.minutes for _, each in channels],
        [each.interval_wh_max for _, each in channels],
    )


async def _insert_registers(tx: WriteConnection, tenant_id: str, meters: Sequence[Meter]) -> None:
    registers = [(one.id, each) for one in meters for each in one.registers]
    await tx.raw.execute(
        _INSERT_REGISTERS,
        tenant_id,
        [meter_id for meter_id, _ in registers],
        [each.flow for _, each in registers],
        [each.digits for _, each in registers],
        [each.decimals for _, each in registers],
        [each.multiplier for _, each in registers],
    )


async def fetch_meters(
    read: ReadConnection, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, Stored[Meter]]:
    """Those of `ids` that exist."""
    query = sa.select(meter).where(meter.c.tenant_id == tenant_id, among(meter.c.id, ids))
    found = await _whole(read, tenant_id, await read.all(query))
    return {one.thing.id: one for one in found}


async def fetch_meters_of(
    read: ReadConnection, tenant_id: str, property_ids: Sequence[UUID]
) -> dict[UUID, list[Stored[Meter]]]:
    """The meters of each of these properties, oldest first, its own four in their order."""
    query = (
        sa.select(meter)
        .where(meter.c.tenant_id == tenant_id, among(meter.c.property_id, property_ids))
        .order_by(meter.c.property_id, meter.c.created_at, meter.c.type, meter.c.id)
    )
    found = await _whole(read, tenant_id, await read.all(query))
    return {
        property_id: list(meters)
        for property_id, meters in groupby(found, lambda one: one.thing.property_id)
    }


async def list_meters(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, Any],
    order: Order,
    limit: int,
) -> list[Stored[Meter]]:
    """A page of the tenant's meters whose columns equal `filters`."""
    query = sa.select(meter).where(
        meter.c.tenant_id == tenant_id,
        *(meter.c[name] == value for name, value in filters.items()),
    )
    rows = await read.all(page(query, meter, order, limit))
    return await _whole(read, tenant_id, rows)


async def update_meter(tx: WriteConnection, tenant_id: str, changed: Meter) -> Stored[Meter]:
    """Store the new name, channels and registers as the next version."""
    for part in (channel, register):
        await tx.execute(
            sa.delete(part).where(part.c.tenant_id == tenant_id, part.c.meter_id == changed.id)
        )
    await _insert_channels(tx, tenant_id, [changed])
    await _insert_registers(tx, tenant_id, [changed])
    statement = (
        sa.update(meter)
        .where(meter.c.tenant_id == tenant_id, meter.c.id == changed.id)
        .values(name=changed.name, version=meter.c.version + 1, updated_at=sa.func.now())
        .returning(meter)
    )
    return stored(changed, (await tx.all(statement))[0])


async def touch_meters(
    tx: WriteConnection, tenant_id: str, property_id: UUID
) -> list[Stored[Meter]]:
    """Make the next version of a property's meters, because what they inherit has changed."""
    statement = (
        sa.update(meter)
        .where(meter.c.tenant_id == tenant_id, meter.c.property_id == property_id)
        .values(version=meter.c.version + 1, updated_at=sa.func.now())
        .returning(meter)
    )
    return await _whole(tx, tenant_id, await tx.all(statement))


async def remove_meters(tx: WriteConnection, tenant_id: str, meters: Sequence[Meter]) -> None:
    """Note the end of meters, so that their readings count no more; the rows go with `delete_`."""
    if not meters:
        return
    await tx.execute(
        sa.insert(removed_meter),
        [
            {
                "tenant_id": tenant_id,
                "meter_id": one.id,
                "property_id": one.property_id,
                "type": one.type,
                "name": one.name,
            }
            for one in meters
        ],
    )


async def delete_meter(tx: WriteConnection, tenant_id: str, id_: UUID) -> datetime:
    """Remove it with its channels and registers, and tell when; whoever has it as their default
    meter has none then."""
    await tx.execute(
        sa.update(registry_user)
        .where(registry_user.c.tenant_id == tenant_id, registry_user.c.default_meter_id == id_)
        .values(default_meter_id=None, version=registry_user.c.version + 1)
    )
    statement = (
        sa.delete(meter)
        .where(meter.c.tenant_id == tenant_id, meter.c.id == id_)
        .returning(sa.func.now())
    )
    at: datetime = await tx.scalar(statement)
    return at


async def count_meters(read: ReadConnection, tenant_id: str, property_id: UUID) -> int:
    """How many meters a property has."""
    query = sa.select(sa.func.count()).where(
        meter.c.tenant_id == tenant_id, meter.c.property_id == property_id
    )
    return int(await read.scalar(query))


async def _whole(
    read: ReadConnection, tenant_id: str, rows: Sequence[RowMapping]
) -> list[Stored[Meter]]:
    ids = [row["id"] for row in rows]
    channels = {
        meter_id: tuple(
            Channel(each["flow"], each["minutes"], each["interval_wh_max"]) for each in found
        )
        for meter_id, found in await _parts(read, tenant_id, channel, ids)
    }
    registers = {
        meter_id: tuple(register_of(each) for each in found)
        for meter_id, found in await _parts(read, tenant_id, register, ids)
    }
    return [
        stored(
            Meter(
                row["id"],
                row["property_id"],
                row["type"],
                row["name"],
                channels.get(row["id"], ()),
                registers.get(row["id"], ()),
            ),
            row,
        )
        for row in rows
    ]


async def _parts(
    read: ReadConnection, tenant_id: str, table: sa.Table, ids: Sequence[UUID]
) -> list[tuple[UUID, list[RowMapping]]]:
    query = (
        sa.select(table)
        .where(table.c.tenant_id == tenant_id, among(table.c.meter_id, ids))
        .order_by(table.c.meter_id, table.c.flow)
    )
    found = groupby(await read.all(query), lambda each: each["meter_id"])
    return [(meter_id, list(each)) for meter_id, each in found]
