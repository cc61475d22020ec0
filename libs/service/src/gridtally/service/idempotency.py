"""The loop of a service that answers idempotency keys: it deletes those that have expired."""

from datetime import datetime, timedelta
from typing import TypeVar

from gridtally.database import WriteConnection
from gridtally.http.idempotency import purge_expired
from gridtally.service.polling import polling_loop
from gridtally.service.service import Loop, Process
from gridtally.service.settings import ServiceSettings

S = TypeVar("S", bound=ServiceSettings)
EXPIRY_POLL_S = 60.0


def idempotency_key_expiry(process: Process[S]) -> Loop:
    """Deletes, a batch a transaction, the answers that are older than `IDEMPOTENCY_KEY_HOURS`."""
    kept_for = timedelta(hours=process.settings.idempotency_key_hours)

    async def purge(tx: WriteConnection, _now: datetime) -> int:
        return await purge_expired(tx, kept_for)

    return polling_loop(
        f"{process.service}.idempotency_keys",
        purge,
        process.database,
        process.clock,
        idle_s=EXPIRY_POLL_S,
    )
