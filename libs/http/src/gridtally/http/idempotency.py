"""`Idempotency-Key`: a POST that comes again gets the answer of the first time, and does nothing.

    async with transaction(db, tenant=caller.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        customer = await create_customer(tx, …)
        return await request.store_answer(tx, 201, customer)

Owns the table `idempotency_key`. The answer is stored by the transaction that does the work, so
there is no moment at which one exists without the other, and a crash leaves nothing to clear up.
Only answers of success are stored: what was refused is tried again. Source of the rules:
https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import JSONB

from gridtally.database import WriteConnection
from gridtally.http.key_quota import KeyQuota
from gridtally.http.problems import HttpRefusal
from gridtally.kernel.errors import Conflict, Fault, Rejected

GONE = 410
REPLAYED_HEADER = "Idempotency-Replayed"
KEY_CHARS_MAX = 255
RETENTION_HOURS = 48
"""After so long a key is free again, unless a service's settings say otherwise."""
PURGED_KEYS_MAX = 1_000
"""The expired keys that one call of `purge_expired` deletes at most."""

METADATA = sa.MetaData()
idempotency_key = sa.Table(
    "idempotency_key",
    METADATA,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=False),
    sa.Column("headers", JSONB, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column(
        "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
    ),
    sa.Index("idempotency_key_by_age", "created_at"),
)
_LOCK_SEED = 7_104_311
"""Sets these locks apart from others that are named by a hash."""


def create(bind: sa.Connection) -> None:
    """Create the table, from a service's migration, which also isolates its tenants."""
    METADATA.create_all(bind, checkfirst=False)


# Whether this transaction has the lock of a tenant's key; it never waits for another's.
_TRY_LOCK = sa.text(
    "SELECT pg_try_advisory_xact_lock(hashtextextended(:tenant_id || chr(31) || :key, :seed))"
)


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request that may have come before; without a key it never has."""

    key: str | None
    digest: bytes
    kept_for: timedelta = timedelta(hours=RETENTION_HOURS)
    quota: KeyQuota = field(default_factory=KeyQuota)

    # The lock is held until the transaction ends, so of two requests under one key the second is
    # refused at once, and after a crash nothing is locked. The plain way, a row that is inserted
    # first, would make it wait for as long as the first one works, with a connection in its hand.
    async def fetch_answer(self, tx: WriteConnection) -> Response | None:
        """The stored answer; None where the work is to be done now.

        Conflict while the same key is at work, Rejected where it came with another request,
        HttpRefusal 410 where the answer was erased, 429 for a fresh key where the tenant has as
        many as it may.
        """
        if self.key is None:
            return None
        tenant_id = await _tenant(tx)
        parameters = {"tenant_id": tenant_id, "key": self.key, "seed": _LOCK_SEED}
        if not await tx.scalar(_TRY_LOCK, parameters):
            raise Conflict("request_in_flight", "a request with this Idempotency-Key is at work")
        row = await tx.one_or_none(
            sa.select(idempotency_key, _is_older(self.kept_for).label("expired"))
            .where(idempotency_key.c.tenant_id == tenant_id, idempotency_key.c.key == self.key)
        )  # fmt: skip
        if row is None:
            await self.quota.take(tx, tenant_id)
            return None
        if row["expired"]:
            await tx.execute(
                sa.delete(idempotency_key).where(
                    idempotency_key.c.tenant_id == tenant_id, idempotency_key.c.key == self.key
                )
            )
            return None
        if row["digest"] != self.digest:
            fault = Fault("/header/Idempotency-Key", "must be a fresh one for another request")
            raise Rejected(
                "idempotency_key_reused", "this Idempotency-Key came with another request", (fault,)
            )
        if row["status"] == GONE:
            raise HttpRefusal(GONE, "erased", "what this request was answered was erased since")
        headers = {**row["headers"], REPLAYED_HEADER: "true"}
        return Response(row["body"], row["status"], headers, "application/json")

    async def store_answer(
        self,
        tx: WriteConnection,
        status: int,
        answer: BaseModel,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The answer to send; stored under the key, if there is one, within the transaction."""
        body = answer.model_dump_json(by_alias=True).encode()
        sent = dict(headers or {})
        if self.key is not None:
            tenant_id = await _tenant(tx)
            self.quota.add_bytes(tenant_id, len(body))
            await tx.execute(
                sa.insert(idempotency_key).values(
                    tenant_id=tenant_id,
                    key=self.key,
                    digest=self.digest,
                    status=status,
                    headers=sent,
                    body=body,
                )
            )
        return Response(body, status, sent, "application/json")


# The key stays, so that a request that is repeated makes nothing anew; its answer is gone.
_ERASE = """
UPDATE idempotency_key SET status = 410, headers = '{}', body = ''
 WHERE tenant_id = $1 AND position($2::bytea IN body) > 0
"""


async def erase_answers(tx: WriteConnection, tenant_id: str, resource_id: UUID) -> None:
    """Replace the stored answers of a tenant that speak of a resource, whose names are erased, by
    410 `erased`; among them those of batches that it was in."""
    await tx.raw.execute(_ERASE, tenant_id, str(resource_id).encode())


def _is_older(kept_for: timedelta) -> sa.ColumnElement[bool]:
    return idempotency_key.c.created_at < sa.func.now() - kept_for


async def purge_expired(
    tx: WriteConnection, kept_for: timedelta = timedelta(hours=RETENTION_HOURS)
) -> int:
    """Delete the oldest expired keys of all tenants, with the answers, which hold personal data.
    Returns how many those were. `tx` is of all tenants.

    Time alone decides, not whether a tenant ever calls again. A key that another request is at, or
    another process deletes, is skipped.
    """
    expired = (
        sa.select(idempotency_key.c.tenant_id, idempotency_key.c.key)
        .where(_is_older(kept_for))
        .order_by(idempotency_key.c.created_at)
        .limit(PURGED_KEYS_MAX)
        .with_for_update(skip_locked=True)
    )
    return await tx.execute(
        sa.delete(idempotency_key).where(
            sa.tuple_(idempotency_key.c.tenant_id, idempotency_key.c.key).in_(expired)
        )
    )


async def _tenant(tx: WriteConnection) -> str:
    """Whose transaction this is, as row-level security sees it."""
    tenant_id: str = await tx.scalar(sa.text("SELECT current_setting('gridtally.tenant')"))
    return tenant_id


async def idempotent_request(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=KEY_CHARS_MAX,
            pattern=r"^[\x20-\x7e]+$",
            description=f"The same key and request are answered once, for {RETENTION_HOURS} h",
        ),
    ] = None,
) -> IdempotentRequest:
    """The request, and the key that it may carry."""
    head = f"{request.method} {request.url.path}?{request.url.query}\n"
    return IdempotentRequest(
        idempotency_key,
        hashlib.sha256(head.encode() + await request.body()).digest(),
        timedelta(hours=request.app.state.idempotency_key_hours),
        request.app.state.key_quota,
    )


Idempotent = Annotated[IdempotentRequest, Depends(idempotent_request)]
"""The dependency of a handler that creates something."""
