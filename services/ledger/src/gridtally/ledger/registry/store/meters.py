"""Meters, their channels and registers as rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import PagePosition, sorted_page
from gridtally.database.rows import Row, among, as_row, from_row, insert_rows, stored
from gridtally.kernel.resources import Stored
from gridtally.ledger.registry import tables
from gridtally.ledger.registry.domain.meters import Channel, Meter
from gridtally.ledger.registry.store.registers import register_of
from gridtally.ledger.registry.tables import meter, removed_meter


async def insert_meters(
    tx: WriteConnection, tenant_id: str, meters: Sequence[Meter]
) -> dict[UUID, Stored[Meter]]:
    """Insert those whose id is free, with channels and registers, and return them by id."""
    by_id = {new.id: new for new in meters}
    rows = await insert_rows(
        tx,
        meter,
        [as_row(new, meter, tenant_id=tenant_id) for new in meters],
        "ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id, version, created_at, updated_at",
    )
    inserted = {row["id"]: stored(by_id[row["id"]], row) for row in rows}
    await _insert_parts(tx, tenant_id, [new.resource for new in inserted.values()])
    return inserted


async def _insert_parts(tx: WriteConnection, tenant_id: str, meters: Sequence[Meter]) -> None:
    """Insert the channels and registers of meters that have none yet."""
    channels = [
        as_row(channel, tables.channel, tenant_id=tenant_id, meter_id=owner.id)
        for owner in meters
        for channel in owner.channels
    ]
    registers = [
        as_row(register, tables.register, tenant_id=tenant_id, meter_id=owner.id)
        for owner in meters
        for register in owner.registers
    ]
    await insert_rows(tx, tables.channel, channels)
    await insert_rows(tx, tables.register, registers)


async def fetch_meters(
    read: ReadConnection, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, Stored[Meter]]:
    """Those of `ids` that exist, by id."""
    query = sa.select(meter).where(meter.c.tenant_id == tenant_id, among(meter.c.id, ids))
    meters = await _with_parts(read, tenant_id, await read.all(query))
    return {stored_meter.resource.id: stored_meter for stored_meter in meters}


async def fetch_meters_of(
    read: ReadConnection, tenant_id: str, property_ids: Sequence[UUID]
) -> dict[UUID, list[Stored[Meter]]]:
    """The meters of each of these properties that has any, oldest first; those that were made
    together, as a property's own four, in the order of their types."""
    query = (
        sa.select(meter)
        .where(meter.c.tenant_id == tenant_id, among(meter.c.property_id, property_ids))
        .order_by(meter.c.property_id, meter.c.created_at, meter.c.meter_type, meter.c.id)
    )
    meters = await _with_parts(read, tenant_id, await read.all(query))
    by_property = groupby(meters, lambda stored_meter: stored_meter.resource.property_id)
    return {property_id: list(own) for property_id, own in by_property}


async def list_meters(
    read: ReadConnection, tenant_id: str, filters: Mapping[str, Any], position: PagePosition
) -> list[Stored[Meter]]:
    """A page of the tenant's meters whose columns equal `filters`."""
    query = sa.select(meter).where(
        meter.c.tenant_id == tenant_id,
        *(meter.c[name] == value for name, value in filters.items()),
    )
    rows = await read.all(sorted_page(query, meter, position))
    return await _with_parts(read, tenant_id, rows)


async def update_meter(tx: WriteConnection, tenant_id: str, changed: Meter) -> Stored[Meter]:
    """Store the new name, channels and registers as the next version."""
    for part in (tables.channel, tables.register):
        await tx.execute(
            sa.delete(part).where(part.c.tenant_id == tenant_id, part.c.meter_id == changed.id)
        )
    await _insert_parts(tx, tenant_id, [changed])
    statement = (
        sa.update(meter)
        .where(meter.c.tenant_id == tenant_id, meter.c.id == changed.id)
        .values(name=changed.name, version=meter.c.version + 1, updated_at=sa.func.now())
        .returning(meter)
    )
    [row] = await tx.all(statement)
    return stored(changed, row)


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
    return await _with_parts(tx, tenant_id, await tx.all(statement))


async def insert_removals(tx: WriteConnection, tenant_id: str, meters: Sequence[Meter]) -> None:
    """Record that meters are removed, after which their readings count no more."""
    rows = [
        {
            "tenant_id": tenant_id,
            "meter_id": removed.id,
            "property_id": removed.property_id,
            "meter_type": removed.meter_type,
            "name": removed.name,
        }
        for removed in meters
    ]
    await insert_rows(tx, removed_meter, rows)


async def delete_meter(tx: WriteConnection, tenant_id: str, id_: UUID) -> datetime:
    """Delete it with its channels and registers, and return when; no user may have it as the
    default meter."""
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


async def _with_parts(
    read: ReadConnection, tenant_id: str, rows: Sequence[RowMapping]
) -> list[Stored[Meter]]:
    """The meters of rows, in their order, with channels and registers by flow."""
    ids = [row["id"] for row in rows]
    channels = await _fetch_parts(read, tenant_id, tables.channel, ids)
    registers = await _fetch_parts(read, tenant_id, tables.register, ids)
    return [_meter(row, channels.get(row["id"], ()), registers.get(row["id"], ())) for row in rows]


def _meter(row: Row, channels: Sequence[Row], registers: Sequence[Row]) -> Stored[Meter]:
    read_meter = from_row(
        Meter,
        row,
        channels=tuple(from_row(Channel, channel) for channel in channels),
        registers=tuple(register_of(register) for register in registers),
    )
    return stored(read_meter, row)


async def _fetch_parts(
    read: ReadConnection, tenant_id: str, table: sa.Table, ids: Sequence[UUID]
) -> dict[UUID, list[RowMapping]]:
    """The channels or registers of meters, by meter, in the order of their flows."""
    query = (
        sa.select(table)
        .where(table.c.tenant_id == tenant_id, among(table.c.meter_id, ids))
        .order_by(table.c.meter_id, table.c.flow)
    )
    by_meter = groupby(await read.all(query), lambda row: row["meter_id"])
    return {meter_id: list(parts) for meter_id, parts in by_meter}
