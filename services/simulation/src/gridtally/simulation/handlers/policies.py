"""Policies: creating, loading and changing them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.errors import Conflict, NotFound
from gridtally.kernel.resources import Stored
from gridtally.simulation.domain.policies import NamedPolicy
from gridtally.simulation.store import policies


async def load(
    read: ReadConnection, tenant_id: str, policy_id: UUID, *, lock: bool = False
) -> Stored[NamedPolicy]:
    """The policy of that id, locked where asked for; NotFound where there is none."""
    stored = await policies.fetch_policy(read, tenant_id, policy_id, lock=lock)
    if stored is None:
        raise NotFound("policy_unknown", "no simulation policy has this id")
    return stored


async def create(
    tx: WriteConnection, tenant_id: str, new: NamedPolicy, now: datetime
) -> tuple[Stored[NamedPolicy], bool]:
    """The policy, and whether it is new; Conflict for the id of another."""
    created = await policies.insert_policy(tx, tenant_id, new, now)
    if created is not None:
        return created, True
    known = await load(tx, tenant_id, new.id)
    if known.resource != new:
        raise Conflict("policy_exists", f"another policy has the id {new.id}")
    return known, False


async def change(
    tx: WriteConnection,
    tenant_id: str,
    current: Stored[NamedPolicy],
    changes: Mapping[str, Any],
    now: datetime,
) -> Stored[NamedPolicy]:
    """Change a locked policy; its version stays where it is so already."""
    if replace(current.resource, **changes) == current.resource:
        return current
    return await policies.update_policy(tx, tenant_id, current.resource.id, changes, now)
