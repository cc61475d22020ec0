"""Users as rows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError

from database import ReadConnection, WriteConnection
from kernel.errors import Conflict, Fault, Rejected
from ledger.domain.registry import User
from ledger.domain.stored import Stored
from ledger.store.rows import Order, page, stored
from ledger.tables import registry_user

FIELDS = ("name", "email", "phone", "property_id", "default_meter_id")


def _of(row: RowMapping) -> Stored[User]:
    return stored(User(row["id"], *(row[name] for name in FIELDS)), row)


def _columns(user: User) -> dict[str, Any]:
    return {name: getattr(user, name) for name in FIELDS}


async def insert_user(tx: WriteConnection, tenant_id: str, user: User) -> Stored[User] | None:
    """Insert, or None where the id is taken.

    Conflict for an e-mail address that is taken, Rejected where it points to nothing.
    """
    statement = (
        insert(registry_user)
        .values(tenant_id=tenant_id, id=user.id, **_columns(user))
        .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
        .returning(registry_user)
    )
    try:
        rows = await tx.all(statement)
    except IntegrityError as failure:
        raise _refused(failure) from None
    return _of(rows[0]) if rows else None


async def fetch_user(
    read: ReadConnection, tenant_id: str, id_: UUID, *, lock: bool = False
) -> Stored[User] | None:
    """The user, if there is one; with `lock`, held until the transaction ends."""
    query = sa.select(registry_user).where(
        registry_user.c.tenant_id == tenant_id, registry_user.c.id == id_
    )
    row = await read.one_or_none(query.with_for_update() if lock else query)
    return _of(row) if row else None


async def list_users(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, Any],
    order: Order,
    limit: int,
) -> list[Stored[User]]:
    """A page of the tenant's users whose columns equal `filters`."""
    query = sa.select(registry_user).where(
        registry_user.c.tenant_id == tenant_id,
        *(registry_user.c[name] == value for name, value in filters.items()),
    )
    return [_of(row) for row in await read.all(page(query, registry_user, order, limit))]


async def update_user(tx: WriteConnection, tenant_id: str, changed: User) -> Stored[User]:
    """Store the new content as the next version; refused as in `insert_user`."""
    statement = (
        sa.update(registry_user)
        .where(registry_user.c.tenant_id == tenant_id, registry_user.c.id == changed.id)
        .values(
            _columns(changed)
            | {"version": registry_user.c.version + 1, "updated_at": sa.func.now()}
        )
        .returning(registry_user)
    )
    try:
        return _of((await tx.all(statement))[0])
    except IntegrityError as failure:
        raise _refused(failure) from None


def _refused(failure: IntegrityError) -> Rejected:
    told = str(failure.orig)
    if "registry_user_email" in told:
        return Conflict("email_taken", "another user has this e-mail address")
    if "registry_user_default_meter" in told:
        fault = Fault("/default_meter_id", "must be a meter of the user's property")
        return Rejected("foreign_meter", "the default meter is not the property's", (fault,))
    fault = Fault("/property_id", "must be a property that exists")
    return Rejected("unknown_property", "the property does not exist", (fault,))


async def delete_user(tx: WriteConnection, tenant_id: str, id_: UUID) -> None:
    """Remove the user."""
    await tx.execute(
        sa.delete(registry_user).where(
            registry_user.c.tenant_id == tenant_id, registry_user.c.id == id_
        )
    )
