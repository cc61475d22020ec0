"""Profiles of houses as rows and as JSON, decimals as texts."""

from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import Row
from gridtally.kernel.money import plain
from gridtally.simulation.domain.houses import PROFILE_FIELDS, HouseProfile
from gridtally.simulation.tables import house_profile, property_


def profile_of(values: Row) -> HouseProfile:
    """The profile in a row, or in its JSON form."""
    return HouseProfile(
        **{
            name: None if (value := values.get(name)) is None else Decimal(value)
            for name in PROFILE_FIELDS
        }
    )


def profile_json(profile: HouseProfile) -> dict[str, str | None]:
    """The profile's JSON form."""
    return {
        name: None if (value := getattr(profile, name)) is None else plain(value)
        for name in PROFILE_FIELDS
    }


async def fetch_profile(
    read: ReadConnection, tenant_id: str, house_id: UUID
) -> HouseProfile | None:
    """The house's own profile, if it has one."""
    row = await read.one_or_none(
        sa.select(house_profile).where(
            house_profile.c.tenant_id == tenant_id, house_profile.c.house_node_id == house_id
        )
    )
    return None if row is None else profile_of(row)


async def is_property(read: ReadConnection, tenant_id: str, house_id: UUID) -> bool:
    """Whether the registry has published a property of this id."""
    query = sa.select(property_.c.id).where(
        property_.c.tenant_id == tenant_id, property_.c.id == house_id
    )
    return await read.scalar(query) is not None


async def upsert_profile(
    tx: WriteConnection, tenant_id: str, house_id: UUID, profile: HouseProfile
) -> None:
    """Store the house's own profile in the place of the one before."""
    values = {name: getattr(profile, name) for name in PROFILE_FIELDS}
    await tx.execute(
        insert(house_profile)
        .values(tenant_id=tenant_id, house_node_id=house_id, **values)
        .on_conflict_do_update(index_elements=["tenant_id", "house_node_id"], set_=values)
    )


async def delete_profile(tx: WriteConnection, tenant_id: str, house_id: UUID) -> bool:
    """Delete the house's own profile; whether there was one."""
    return bool(
        await tx.execute(
            sa.delete(house_profile).where(
                house_profile.c.tenant_id == tenant_id, house_profile.c.house_node_id == house_id
            )
        )
    )
