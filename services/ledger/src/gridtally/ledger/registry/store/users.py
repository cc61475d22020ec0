"""Users as rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.constraints import rejecting
from gridtally.database.pages import PagePosition, sorted_page
from gridtally.database.rows import Row, as_row, from_row, stored
from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.resources import Stored
from gridtally.ledger.registry.domain.users import User
from gridtally.ledger.registry.tables import registry_user


def _user(row: Row) -> Stored[User]:
    return stored(from_row(User, row), row)


async def insert_user(tx: WriteConnection, tenant_id: str, user: User) -> Stored[User] | None:
    """Insert the user and return it; None where the id is taken.

    Conflict for an e-mail address that is taken, Rejected where it points to nothing.
    """
    statement = (
        insert(registry_user)
        .values(as_row(user, registry_user, tenant_id=tenant_id))
        .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
        .returning(registry_user)
    )
    with rejecting(_refusals()):
        rows = await tx.all(statement)
    return _user(rows[0]) if rows else None


async def fetch_user(
    read: ReadConnection, tenant_id: str, id_: UUID, *, lock: bool = False
) -> Stored[User] | None:
    """The user, if there is one; with `lock`, locked until the transaction ends."""
    query = sa.select(registry_user).where(
        registry_user.c.tenant_id == tenant_id, registry_user.c.id == id_
    )
    row = await read.one_or_none(query.with_for_update() if lock else query)
    return _user(row) if row else None


async def list_users(
    read: ReadConnection, tenant_id: str, filters: Mapping[str, Any], position: PagePosition
) -> list[Stored[User]]:
    """A page of the tenant's users whose columns equal `filters`."""
    query = sa.select(registry_user).where(
        registry_user.c.tenant_id == tenant_id,
        *(registry_user.c[name] == value for name, value in filters.items()),
    )
    return [_user(row) for row in await read.all(sorted_page(query, registry_user, position))]


async def update_user(tx: WriteConnection, tenant_id: str, changed: User) -> Stored[User]:
    """Store the new content as the next version; refused as in `insert_user`."""
    statement = (
        sa.update(registry_user)
        .where(registry_user.c.tenant_id == tenant_id, registry_user.c.id == changed.id)
        .values(
            as_row(
                changed,
                registry_user,
                version=registry_user.c.version + 1,
                updated_at=sa.func.now(),
            )
        )
        .returning(registry_user)
    )
    with rejecting(_refusals()):
        [row] = await tx.all(statement)
    return _user(row)


def _refusals() -> dict[str, Rejected]:
    """What the caller is answered, by the constraint that the row broke."""
    foreign = Fault("/default_meter_id", "must be a meter of the user's property")
    unknown = Fault("/property_id", "must be a property that exists")
    return {
        "registry_user_email": Conflict("email_taken", "another user has this e-mail address"),
        "registry_user_default_meter": Rejected(
            "foreign_meter", "the default meter is not the property's", (foreign,)
        ),
        "registry_user_tenant_id_property_id_fkey": Rejected(
            "unknown_property", "the property does not exist", (unknown,)
        ),
    }


async def delete_user(tx: WriteConnection, tenant_id: str, id_: UUID) -> datetime:
    """Delete a locked user; return when."""
    statement = (
        sa.delete(registry_user)
        .where(registry_user.c.tenant_id == tenant_id, registry_user.c.id == id_)
        .returning(sa.func.now())
    )
    at: datetime = await tx.scalar(statement)
    return at


async def fetch_ids_at(read: ReadConnection, tenant_id: str, property_id: UUID) -> list[UUID]:
    """The users of a property."""
    query = sa.select(registry_user.c.id).where(
        registry_user.c.tenant_id == tenant_id, registry_user.c.property_id == property_id
    )
    return [row["id"] for row in await read.all(query)]


async def clear_default_meter(
    tx: WriteConnection, tenant_id: str, meter_id: UUID
) -> list[Stored[User]]:
    """The users whose default meter it was, who have none now."""
    statement = (
        sa.update(registry_user)
        .where(registry_user.c.tenant_id == tenant_id, registry_user.c.default_meter_id == meter_id)
        .values(
            default_meter_id=None, version=registry_user.c.version + 1, updated_at=sa.func.now()
        )
        .returning(registry_user)
    )
    return [_user(row) for row in await tx.all(statement)]
