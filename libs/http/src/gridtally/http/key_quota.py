"""How many answers to idempotency keys a tenant may have stored, and how many bytes of them.

Counted in the database and remembered for a while, in memory: a count for each request would read
as many rows as there are, and a counter that each request changes would make them wait for one
another. So processes that store at the same time may go beyond the quota, by what they store in
`RECOUNT_S`.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from gridtally.database import WriteConnection
from gridtally.http.problems import HttpRefusal

KEYS_MAX = 1_000_000
BYTES_MAX = 1024**3
RECOUNT_S = 30.0
TENANTS_MAX = 10_000
"""Whose count is remembered; the one that was asked for the longest ago is forgotten."""
RETRY_AFTER_S = 60

# A body that lies beside its row is not read: its length is in the row. What is beyond the quota is
# not counted.
_COUNT = """
SELECT count(*) AS keys, coalesce(sum(octet_length(body)), 0)::bigint AS bytes
  FROM (SELECT body FROM idempotency_key WHERE tenant_id = $1 LIMIT $2) stored
"""


@dataclass(slots=True)
class _Stored:
    keys: int
    bytes: int
    counted_at_s: float


class KeyQuota:
    """The quota of every tenant, as one process keeps it."""

    def __init__(
        self,
        keys_max: int = KEYS_MAX,
        bytes_max: int = BYTES_MAX,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys_max = keys_max
        self._bytes_max = bytes_max
        self._clock_s = clock_s
        self._tenants: OrderedDict[str, _Stored] = OrderedDict()

    async def take(self, tx: WriteConnection, tenant_id: str) -> None:
        """Count one key more; HttpRefusal 429 where the tenant has as many as it may."""
        stored = await self._stored(tx, tenant_id)
        if stored.keys >= self._keys_max or stored.bytes >= self._bytes_max:
            detail = (
                f"this tenant has the {self._keys_max} answers, or {self._bytes_max} bytes of "
                "them, that may be stored for Idempotency-Keys; send this without one, or later"
            )
            raise HttpRefusal(429, "too_many_requests", detail, {"Retry-After": str(RETRY_AFTER_S)})
        stored.keys += 1

    def add_bytes(self, tenant_id: str, count: int) -> None:
        """An answer of so many bytes is stored under a key that was taken."""
        if (stored := self._tenants.get(tenant_id)) is not None:
            stored.bytes += count

    async def _stored(self, tx: WriteConnection, tenant_id: str) -> _Stored:
        stored = self._remembered(tenant_id)
        if stored is None:
            [row] = await tx.raw.fetch(_COUNT, tenant_id, self._keys_max)
            # Others may have counted meanwhile, and taken keys of theirs since.
            stored = self._remembered(tenant_id)
            stored = stored or _Stored(row["keys"], row["bytes"], self._clock_s())
            self._tenants[tenant_id] = stored
        self._tenants.move_to_end(tenant_id)
        if len(self._tenants) > TENANTS_MAX:
            self._tenants.popitem(last=False)
        return stored

    def _remembered(self, tenant_id: str) -> _Stored | None:
        stored = self._tenants.get(tenant_id)
        is_recent = stored is not None and self._clock_s() - stored.counted_at_s < RECOUNT_S
        return stored if is_recent else None
