"""The lock that says that a database is being brought up to date with what it had published.

A lock of the server, held by a connection: it ends with the process that holds it, however that
ends. Owns its number, and how whoever writes asks for it.
"""

from sqlalchemy import text

from gridtally.database.engine import Database
from gridtally.database.transactions import ALL_TENANTS, snapshot, transaction

ADOPTION_LOCK = 6_021_023
GATE_TTL_S = 0.25
"""How long an answer of `is_adopting` holds for whoever asks."""

_LOCK = "SELECT pg_advisory_lock($1)"
_IS_FREE = text("SELECT pg_try_advisory_xact_lock_shared(:lock)")


async def lock_for_adoption(locking: Database) -> None:
    """Take the lock for as long as the one connection of `locking` is open; waits for others."""
    async with transaction(locking, tenant=ALL_TENANTS) as tx:
        await tx.raw.execute(_LOCK, ADOPTION_LOCK)


async def is_adopting(database: Database) -> bool:
    """Whether somebody holds the lock; Transient when the database is away."""
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        return not await read.scalar(_IS_FREE, {"lock": ADOPTION_LOCK})
