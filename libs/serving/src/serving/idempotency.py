"""`Idempotency-Key`: a POST that comes again gets the answer of the first time, and does nothing.

    async with transaction(db, tenant=caller.tenant_id) as tx:
        if (told := await once.recall(tx)) is not None:
            return told
        made = await make(tx, …)
        return await once.keep(tx, 201, made)

Owns the table `idempotency_key`. The answer is stored by the transaction that does the work, so
there is no moment at which one exists without the other, and a crash leaves nothing to clear up.
Only answers of success are kept: what was refused is judged anew. Source of the rules:
https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import JSONB

from database import WriteConnection
from kernel.errors import Conflict, Fault, Rejected

REPLAYED_HEADER = "Idempotency-Replayed"
KEY_CHARS_MAX = 255
KEPT_HOURS = 48
"""After so long a key is free again."""
FORGOTTEN_AT_ONCE_MAX = 100
"""Each kept answer takes up to so many expired ones of its tenant away, so they never pile up."""

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
    sa.Index("idempotency_key_by_age", "tenant_id", "created_at"),
)
_EXPIRED = sa.text(f"now() - interval '{KEPT_HOURS} hours'")
_IN_FLIGHT = sa.text(
    "SELECT pg_try_advisory_xact_lock(hashtextextended(:tenant_id || chr(31) || :key, :seed))"
)
_LOCK_SEED = 7_104_311
"""Sets these locks apart from others that are named by a hash."""


def create(bind: sa.Connection) -> None:
    """Create the table, from a service's migration, which also isolates its tenants."""
    METADATA.create_all(bind, checkfirst=False)


@dataclass(frozen=True, slots=True)
class Once:
    """One request that may have come before; without a key it never has."""

    key: str | None
    digest: bytes

    async def recall(self, tx: WriteConnection) -> Response | None:
        """The stored answer; None where the work is to be done now.

        Conflict while the same key is at work, Rejected where it came with another request.
        """
        if self.key is None:
            return None
        tenant_id = await _tenant(tx)
        parameters = {"tenant_id": tenant_id, "key": self.key, "seed": _LOCK_SEED}
        if not await tx.scalar(_IN_FLIGHT, parameters):
            raise Conflict("request_in_flight", "a request with this Idempotency-Key is at work")
        row = await tx.one_or_none(
            sa.select(idempotency_key, (idempotency_key.c.created_at < _EXPIRED).label("expired"))
            .where(idempotency_key.c.tenant_id == tenant_id, idempotency_key.c.key == self.key)
        )  # fmt: skip
        if row is None:
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
        headers = {**row["headers"], REPLAYED_HEADER: "true"}
        return Response(row["body"], row["status"], headers, "application/json")

    async def keep(
        self,
        tx: WriteConnection,
        status: int,
        answer: BaseModel,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The answer to send, stored under the key, if there is one, with the transaction."""
        body = answer.model_dump_json(by_alias=True).encode()
        told = dict(headers or {})
        if self.key is not None:
            tenant_id = await _tenant(tx)
            await self._forget(tx, tenant_id)
            await tx.execute(
                sa.insert(idempotency_key).values(
                    tenant_id=tenant_id,
                    key=self.key,
                    digest=self.digest,
                    status=status,
                    headers=told,
                    body=body,
                )
            )
        return Response(body, status, told, "application/json")

    async def _forget(self, tx: WriteConnection, tenant_id: str) -> None:
        old = (
            sa.select(idempotency_key.c.key)
            .where(
                idempotency_key.c.tenant_id == tenant_id, idempotency_key.c.created_at < _EXPIRED
            )
            .order_by(idempotency_key.c.created_at)
            .limit(FORGOTTEN_AT_ONCE_MAX)
            .with_for_update(skip_locked=True)
        )
        await tx.execute(
            sa.delete(idempotency_key).where(
                idempotency_key.c.tenant_id == tenant_id, idempotency_key.c.key.in_(old)
            )
        )


async def _tenant(tx: WriteConnection) -> str:
    """Whose transaction this is, as row-level security sees it."""
    tenant_id: str = await tx.scalar(sa.text("SELECT current_setting('gridtally.tenant')"))
    return tenant_id


async def _once(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=KEY_CHARS_MAX,
            pattern=r"^[\x20-\x7e]+$",
            description=f"The same key with the same request is answered once, for {KEPT_HOURS} h",
        ),
    ] = None,
) -> Once:
    head = f"{request.method} {request.url.path}?{request.url.query}\n"
    return Once(idempotency_key, hashlib.sha256(head.encode() + await request.body()).digest())


Idempotent = Annotated[Once, Depends(_once)]
"""The dependency of a handler that makes something."""
