"""Creating, changing and removing users, and publishing it: for a ledger that is restored."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from gridtally.contracts.registry import UserChanged
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, NotFound
from gridtally.kernel.resources import Cause, Stored
from gridtally.ledger.registry.domain.users import User
from gridtally.ledger.registry.events import tombstone, user_changed
from gridtally.ledger.registry.store import users
from gridtally.messaging import enqueue


async def create_user(tx: WriteConnection, cause: Cause, user: User) -> tuple[Stored[User], bool]:
    """Create a user; return it and whether it is new. Conflict for an id or e-mail of another."""
    created = await users.insert_user(tx, cause.tenant_id, user)
    if created is not None:
        await enqueue(tx, [user_changed(created, cause)])
        return created, True
    existing = await users.fetch_user(tx, cause.tenant_id, user.id)
    if existing is None or existing.resource != user:
        raise Conflict("user_exists", f"another user has the id {user.id}")
    return existing, False


async def change_user(
    tx: WriteConnection, cause: Cause, current: Stored[User], changes: Mapping[str, Any]
) -> Stored[User]:
    """Change a locked user; return it as it is then."""
    wanted = replace(current.resource, **changes)
    if wanted == current.resource:
        return current
    changed = await users.update_user(tx, cause.tenant_id, wanted)
    await enqueue(tx, [user_changed(changed, cause)])
    return changed


async def remove_user(tx: WriteConnection, cause: Cause, id_: UUID) -> None:
    """Remove a locked user."""
    at = await users.delete_user(tx, cause.tenant_id, id_)
    await enqueue(tx, [tombstone(UserChanged, id_, cause, at)])


async def lock_user(tx: WriteConnection, tenant_id: str, id_: UUID) -> Stored[User]:
    """The user, locked until the transaction ends; NotFound where there is none."""
    user = await users.fetch_user(tx, tenant_id, id_, lock=True)
    if user is None:
        raise unknown_user()
    return user


def unknown_user() -> NotFound:
    """There is no such user."""
    return NotFound("user_unknown", "no user has this id")
