"""Storing properties, meters and users that were published before a restore, one at a time.

Each function returns whether what was published is stored, or something newer is; where it is not,
something else of the topic must come first.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from gridtally.contracts.metering import MeterRegistered, PropertyChanged
from gridtally.contracts.registry import UserChanged
from gridtally.database import WriteConnection
from gridtally.database.rows import insert_rows
from gridtally.ledger.registry import tables
from gridtally.ledger.registry.domain.meters import DERIVED_TYPES, Channel, default_registers

# A resource that was removed and made again under its id has versions from 1 again: what is stored
# from before its tombstone is gone by then.
_PROPERTY = """
INSERT INTO property AS p (tenant_id, id, name, address, zone, region_id, connected_kw, parent_id,
                           customer_id, version, created_at, updated_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8::uuid, $9, $10, $11, $11
 WHERE $8::uuid IS NULL OR EXISTS (SELECT FROM property a WHERE a.tenant_id = $1 AND a.id = $8)
ON CONFLICT (tenant_id, id) DO UPDATE
   SET name = excluded.name, address = excluded.address, zone = excluded.zone,
       region_id = excluded.region_id, connected_kw = excluded.connected_kw,
       parent_id = excluded.parent_id, customer_id = excluded.customer_id,
       version = excluded.version, updated_at = excluded.updated_at
 WHERE p.version < excluded.version
"""
_HAS_PROPERTY = "SELECT true FROM property WHERE tenant_id = $1 AND id = $2 AND version >= $3"


async def adopt_property(
    tx: WriteConnection, tenant_id: str, event: PropertyChanged, at: datetime
) -> bool:
    """A property in a version of it."""
    await tx.raw.execute(
        _PROPERTY,
        tenant_id,
        event.property_id,
        event.name,
        event.address,
        event.zone,
        event.region_id,
        event.connected_kw,
        event.parent_id,
        event.customer_id,
        event.version,
        at,
    )
    return bool(await tx.raw.fetchval(_HAS_PROPERTY, tenant_id, event.property_id, event.version))


_REMOVED_METERS = """
INSERT INTO removed_meter (tenant_id, meter_id, removed_at, property_id, meter_type, name)
SELECT tenant_id, id, $3, property_id, meter_type, name FROM meter
 WHERE tenant_id = $1 AND {column} = $2 AND created_at <= $3
ON CONFLICT DO NOTHING
"""
_END_PROPERTY = """
DELETE FROM property p WHERE tenant_id = $1 AND id = $2 AND created_at <= $3
   AND NOT EXISTS (SELECT FROM property b WHERE b.tenant_id = $1 AND b.parent_id = $2)
"""
_IS_ENDED = """
SELECT NOT EXISTS (SELECT FROM {table} WHERE tenant_id = $1 AND id = $2 AND created_at <= $3)
"""


async def end_property(tx: WriteConnection, tenant_id: str, id_: UUID, at: datetime) -> bool:
    """A property that was removed, with its meters."""
    await tx.raw.execute(_REMOVED_METERS.format(column="property_id"), tenant_id, id_, at)
    await tx.raw.execute(_END_PROPERTY, tenant_id, id_, at)
    return bool(await tx.raw.fetchval(_IS_ENDED.format(table="property"), tenant_id, id_, at))


_METER = """
INSERT INTO meter AS m (tenant_id, id, property_id, meter_type, name, version, created_at,
                        updated_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $7
 WHERE EXISTS (SELECT FROM property p WHERE p.tenant_id = $1 AND p.id = $3)
ON CONFLICT (tenant_id, id) DO UPDATE
   SET name = excluded.name, version = excluded.version, updated_at = excluded.updated_at
 WHERE m.version < excluded.version
RETURNING true
"""
_HAS_METER = "SELECT true FROM meter WHERE tenant_id = $1 AND id = $2 AND version >= $3"


async def adopt_meter(
    tx: WriteConnection, tenant_id: str, event: MeterRegistered, at: datetime
) -> bool:
    """A meter in a version of it, with its channels and registers."""
    key = tenant_id, event.meter_id
    is_new = await tx.raw.fetchval(
        _METER, *key, event.property_id, event.meter_type, event.name, event.version, at
    )
    if is_new:
        await _replace_parts(tx, tenant_id, event)
    return bool(await tx.raw.fetchval(_HAS_METER, *key, event.version))


async def _replace_parts(tx: WriteConnection, tenant_id: str, event: MeterRegistered) -> None:
    owner = {"tenant_id": tenant_id, "meter_id": event.meter_id}
    channels = [dict(channel) for channel in event.channels]
    registers = [dict(register) for register in event.registers or ()]
    if event.registers is None and event.meter_type not in DERIVED_TYPES:
        declared = tuple(Channel(**channel) for channel in channels)
        registers = [
            {name: getattr(register, name) for name in register.__slots__}
            for register in default_registers(event.meter_type, declared)
        ]
    for part, rows in ((tables.channel, channels), (tables.register, registers)):
        if part is tables.register and event.registers is None and await _has_registers(tx, owner):
            continue
        await tx.execute(
            sa.delete(part).where(part.c.tenant_id == tenant_id, part.c.meter_id == event.meter_id)
        )
        await insert_rows(tx, part, [row | owner for row in rows])


async def _has_registers(tx: WriteConnection, owner: dict[str, object]) -> bool:
    known = "SELECT EXISTS (SELECT FROM register WHERE tenant_id = $1 AND meter_id = $2)"
    return bool(await tx.raw.fetchval(known, *owner.values()))


_NO_DEFAULT = """
UPDATE registry_user SET default_meter_id = NULL, version = version + 1
 WHERE tenant_id = $1 AND default_meter_id = $2
   AND EXISTS (SELECT FROM meter WHERE tenant_id = $1 AND id = $2 AND created_at <= $3)
"""
_END_METER = "DELETE FROM meter WHERE tenant_id = $1 AND id = $2 AND created_at <= $3"


async def end_meter(tx: WriteConnection, tenant_id: str, id_: UUID, at: datetime) -> bool:
    """A meter that was removed; its readings count no more from then on."""
    await tx.raw.execute(_REMOVED_METERS.format(column="id"), tenant_id, id_, at)
    await tx.raw.execute(_NO_DEFAULT, tenant_id, id_, at)
    await tx.raw.execute(_END_METER, tenant_id, id_, at)
    return True


_USER = """
INSERT INTO registry_user AS u (tenant_id, id, name, email, phone_number, property_id,
                                default_meter_id, version, created_at, updated_at)
SELECT $1, $2, $3, $4, $5, $6, $7::uuid, $8, $9, $9
 WHERE EXISTS (SELECT FROM property p WHERE p.tenant_id = $1 AND p.id = $6)
   AND ($7::uuid IS NULL OR EXISTS (
       SELECT FROM meter m WHERE m.tenant_id = $1 AND m.property_id = $6 AND m.id = $7))
   AND NOT EXISTS (
       SELECT FROM registry_user o WHERE o.tenant_id = $1 AND o.email = $4 AND o.id <> $2)
ON CONFLICT (tenant_id, id) DO UPDATE
   SET name = excluded.name, email = excluded.email, phone_number = excluded.phone_number,
       property_id = excluded.property_id, default_meter_id = excluded.default_meter_id,
       version = excluded.version, updated_at = excluded.updated_at
 WHERE u.version < excluded.version
"""
_HAS_USER = "SELECT true FROM registry_user WHERE tenant_id = $1 AND id = $2 AND version >= $3"
_END_USER = "DELETE FROM registry_user WHERE tenant_id = $1 AND id = $2 AND created_at <= $3"


async def adopt_user(tx: WriteConnection, tenant_id: str, event: UserChanged, at: datetime) -> bool:
    """A user in a version of them."""
    await tx.raw.execute(
        _USER,
        tenant_id,
        event.user_id,
        event.name,
        event.email,
        event.phone_number,
        event.property_id,
        event.default_meter_id,
        event.version,
        at,
    )
    return bool(await tx.raw.fetchval(_HAS_USER, tenant_id, event.user_id, event.version))


async def end_user(tx: WriteConnection, tenant_id: str, id_: UUID, at: datetime) -> bool:
    """A user who was removed."""
    await tx.raw.execute(_END_USER, tenant_id, id_, at)
    return True
