"""Meters and their channels as rows."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import ReadConnection, WriteConnection
from ledger.domain.registry import Channel, Meter
from ledger.domain.stored import Stored
from ledger.store.rows import After, among, page, stored
from ledger.tables import channel, meter

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


async def insert_meters(
    tx: WriteConnection, tenant_id: str, meters: Sequence[Meter]
) -> dict[UUID, Stored[Meter]]:
    """Insert those whose id is free, with their channels, and return them."""
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
    await _insert_channels(tx, tenant_id, [one.thing for one in inserted.values()])
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


async def fetch_meters(
    read: ReadConnection, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, Stored[Meter]]:
    """Those of `ids` that exist."""
    query = sa.select(meter).where(meter.c.tenant_id == tenant_id, among(meter.c.id, ids))
    found = await _with_channels(read, tenant_id, await read.all(query))
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
    found = await _with_channels(read, tenant_id, await read.all(query))
    return {
        property_id: list(meters)
        for property_id, meters in groupby(found, lambda one: one.thing.property_id)
    }


async def list_meters(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, Any],
    after: After | None,
    limit: int,
) -> list[Stored[Meter]]:
    """A page of the tenant's meters whose columns equal `filters`."""
    query = sa.select(meter).where(
        meter.c.tenant_id == tenant_id,
        *(meter.c[name] == value for name, value in filters.items()),
    )
    rows = await read.all(page(query, meter, after, limit))
    return await _with_channels(read, tenant_id, rows)


async def update_meter(tx: WriteConnection, tenant_id: str, changed: Meter) -> Stored[Meter]:
    """Store the new name and channels as the next version."""
    await tx.execute(
        sa.delete(channel).where(channel.c.tenant_id == tenant_id, channel.c.meter_id == changed.id)
    )
    await _insert_channels(tx, tenant_id, [changed])
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
    return await _with_channels(tx, tenant_id, await tx.all(statement))


async def _with_channels(
    read: ReadConnection, tenant_id: str, rows: Sequence[RowMapping]
) -> list[Stored[Meter]]:
    query = (
        sa.select(channel)
        .where(
            channel.c.tenant_id == tenant_id,
            among(channel.c.meter_id, [row["id"] for row in rows]),
        )
        .order_by(channel.c.meter_id, channel.c.flow)
    )
    channels: dict[UUID, tuple[Channel, ...]] = {
        meter_id: tuple(
            Channel(each["flow"], each["minutes"], each["interval_wh_max"]) for each in found
        )
        for meter_id, found in groupby(await read.all(query), lambda each: each["meter_id"])
    }
    return [
        stored(
            Meter(
                row["id"],
                row["property_id"],
                row["type"],
                row["name"],
                channels.get(row["id"], ()),
            ),
            row,
        )
        for row in rows
    ]
