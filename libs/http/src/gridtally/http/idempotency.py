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
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import JSONB

from gridtally.database import WriteConnection
from gridtally.database.rows import Row, columns_of
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


# Whose transaction this is, as row-level security sees it, and of which keys it has the lock; it
# never waits for another's.
_TRY_LOCKS = """
SELECT tenant_id, key, pg_try_advisory_xact_lock(hashtextextended(tenant_id || chr(31) || key, $1))
       AS is_locked
  FROM (SELECT current_setting('gridtally.tenant') AS tenant_id, unnest($2::text[]) AS key
       OFFSET 0) AS asked
"""
# A statement of its own: begun with the locks, it would not see what was committed before them.
_FETCH = """
SELECT key, digest, status, headers::text, body, created_at < now() - $3::interval AS is_expired
  FROM idempotency_key WHERE tenant_id = $1 AND key = ANY($2::text[])
"""
_DELETE = "DELETE FROM idempotency_key WHERE tenant_id = $1 AND key = $2"
_INSERT = """
INSERT INTO idempotency_key (tenant_id, key, digest, status, headers, body)
SELECT current_setting('gridtally.tenant'), key, digest, status, headers::jsonb, body
  FROM unnest($1::text[], $2::bytea[], $3::smallint[], $4::text[], $5::bytea[])
       AS n (key, digest, status, headers, body)
RETURNING tenant_id
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered where it succeeds."""

    status: int
    body: BaseModel
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request that may have come before; without a key it never has."""

    key: str | None
    digest: bytes
    kept_for: timedelta = timedelta(hours=RETENTION_HOURS)
    quota: KeyQuota = field(default_factory=KeyQuota)

    async def fetch_answer(self, tx: WriteConnection) -> Response | None:
        """The stored answer; None where the work is to be done now.

        Conflict while the same key is at work, Rejected where it came with another request,
        HttpRefusal 410 where the answer was erased, 429 for a fresh key where the tenant has as
        many as it may.
        """
        [answer] = await fetch_answers(tx, [self])
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def store_answer(
        self,
        tx: WriteConnection,
        status: int,
        answer: BaseModel,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The answer to send; stored under the key, if there is one, within the transaction."""
        [response] = await store_answers(tx, [(self, Answer(status, answer, headers or {}))])
        return response

    def _stored_answer(self, row: Row) -> Response | Exception:
        """What a row that is not expired says of this request."""
        if row["digest"] != self.digest:
            fault = Fault("/header/Idempotency-Key", "must be a fresh one for another request")
            detail = "this Idempotency-Key came with another request"
            return Rejected("idempotency_key_reused", detail, (fault,))
        if row["status"] == GONE:
            return HttpRefusal(GONE, "erased", "what this request was answered was erased since")
        headers = {**json.loads(row["headers"]), REPLAYED_HEADER: "true"}
        return Response(row["body"], row["status"], headers, "application/json")


# The locks are held until the transaction ends, so of two requests under one key the second is
# refused at once, and after a crash nothing is locked. The plain way, a row that is inserted
# first, would make it wait for as long as the first one works, with a connection in its hand.
async def fetch_answers(
    tx: WriteConnection, requests: Sequence[IdempotentRequest]
) -> list[Response | Exception | None]:
    """The stored answer to each request of a tenant, or what it is refused with, as
    `IdempotentRequest.fetch_answer` raises it; None where its work is to be done now."""
    outcomes: list[Response | Exception | None] = [None] * len(requests)
    first_of: dict[str, int] = {}
    for index, request in enumerate(requests):
        if request.key is not None and first_of.setdefault(request.key, index) != index:
            outcomes[index] = _in_flight()
    if not first_of:
        return outcomes
    locks = await tx.raw.fetch(_TRY_LOCKS, _LOCK_SEED, list(first_of))
    tenant_id = locks[0]["tenant_id"]
    locked = [row["key"] for row in locks if row["is_locked"]]
    kept_for = requests[0].kept_for
    rows = {row["key"]: row for row in await tx.raw.fetch(_FETCH, tenant_id, locked, kept_for)}
    for key, index in first_of.items():
        request, row = requests[index], rows.get(key)
        if key not in locked:
            outcomes[index] = _in_flight()
        elif row is None:
            try:
                await request.quota.take(tx, tenant_id)
            except HttpRefusal as refusal:
                outcomes[index] = refusal
        elif row["is_expired"]:
            await tx.raw.execute(_DELETE, tenant_id, key)
        else:
            outcomes[index] = request._stored_answer(row)  # noqa: SLF001 - of this module
    return outcomes


async def store_answers(
    tx: WriteConnection, answered: Sequence[tuple[IdempotentRequest, Answer]]
) -> list[Response]:
    """The answers to send, each stored under its request's key, if there is one."""
    bodies = [answer.body.model_dump_json(by_alias=True).encode() for _, answer in answered]
    rows = [
        (request.key, request.digest, answer.status, json.dumps(dict(answer.headers)), body)
        for (request, answer), body in zip(answered, bodies, strict=True)
        if request.key is not None
    ]
    if rows:
        inserted = await tx.raw.fetch(_INSERT, *columns_of(rows, 5))
        for (request, _), body in zip(answered, bodies, strict=True):
            if request.key is not None:
                request.quota.add_bytes(inserted[0]["tenant_id"], len(body))
    return [
        Response(body, answer.status, dict(answer.headers), "application/json")
        for (_, answer), body in zip(answered, bodies, strict=True)
    ]


def _in_flight() -> Conflict:
    return Conflict("request_in_flight", "a request with this Idempotency-Key is at work")


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
