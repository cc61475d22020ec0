"""Webhooks: endpoints, messages and attempts."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.billing.domain.webhooks import (
    GONE,
    Attempt,
    DueMessage,
    Endpoint,
    Endpoints,
    MessageState,
    NewMessage,
    outcomes_of_endpoints,
)
from gridtally.billing.tables.webhooks import webhook_attempt, webhook_endpoint, webhook_message
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import PagePosition, page_after, sorted_page
from gridtally.database.rows import Row, as_row, from_row, insert_rows, stored
from gridtally.kernel.resources import Stored


async def insert_endpoint(
    tx: WriteConnection, tenant_id: str, endpoint: Endpoint, now: datetime
) -> bool:
    """Store an endpoint; whether its id was free."""
    row = as_row(
        endpoint,
        webhook_endpoint,
        tenant_id=tenant_id,
        types=json.dumps(endpoint.types),
        created_at=now,
        updated_at=now,
    )
    added = await insert_rows(
        tx, webhook_endpoint, [row], "ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id"
    )
    return bool(added)


async def fetch_endpoint(
    read: ReadConnection, tenant_id: str, endpoint_id: UUID, *, locked: bool = False
) -> Stored[Endpoint] | None:
    """An endpoint, None where there is none; `locked` until the transaction ends."""
    query = sa.select(webhook_endpoint).where(
        webhook_endpoint.c.tenant_id == tenant_id, webhook_endpoint.c.id == endpoint_id
    )
    row = await read.one_or_none(query.with_for_update(key_share=True) if locked else query)
    return None if row is None else _endpoint(row)


def _endpoint(row: Row) -> Stored[Endpoint]:
    return stored(from_row(Endpoint, row, types=tuple(row["types"])), row)


async def list_endpoints(
    read: ReadConnection, tenant_id: str, position: PagePosition
) -> list[Stored[Endpoint]]:
    """Endpoints, the oldest first."""
    query = sa.select(webhook_endpoint).where(webhook_endpoint.c.tenant_id == tenant_id)
    return [
        _endpoint(row) for row in await read.all(sorted_page(query, webhook_endpoint, position))
    ]


async def update_endpoint(
    tx: WriteConnection, tenant_id: str, current: Stored[Endpoint], new: Endpoint, now: datetime
) -> Stored[Endpoint]:
    """Store a change of an endpoint that is locked."""
    version = current.version + 1
    row = as_row(new, webhook_endpoint, version=version, updated_at=now, types=list(new.types))
    await tx.execute(
        sa.update(webhook_endpoint)
        .where(webhook_endpoint.c.tenant_id == tenant_id, webhook_endpoint.c.id == new.id)
        .values({name: value for name, value in row.items() if name != "id"})
    )
    return replace(current, resource=new, version=version, updated_at=now)


async def delete_endpoint(tx: WriteConnection, tenant_id: str, endpoint_id: UUID) -> bool:
    """Delete an endpoint with its messages; whether there was one."""
    deleted = await tx.execute(
        sa.delete(webhook_endpoint).where(
            webhook_endpoint.c.tenant_id == tenant_id, webhook_endpoint.c.id == endpoint_id
        )
    )
    return deleted > 0


_OF_TENANTS = "SELECT * FROM webhook_endpoint WHERE tenant_id = ANY($1) AND state = 'active'"


async def fetch_endpoints(read: ReadConnection, tenants: Collection[str]) -> Endpoints:
    """The endpoints of these tenants that are active, and since when they are there."""
    rows = await read.raw.fetch(_OF_TENANTS, sorted(tenants))
    return [(row["tenant_id"], _endpoint(row).resource, row["created_at"]) for row in rows]


async def insert_messages(tx: WriteConnection, messages: Sequence[NewMessage]) -> None:
    """Store messages to be posted at once; those that are there already stay as they are."""
    rows = [
        as_row(
            message,
            webhook_message,
            state="pending",
            attempts=0,
            attempts_before=0,
            due_at=message.created_at,
        )
        for message in messages
    ]
    await insert_rows(tx, webhook_message, rows, "ON CONFLICT DO NOTHING")


# Each endpoint gives a few of its messages, so that one with thousands holds up no other. A claimed
# message is due again after the lease: that is what delivers it if this process is killed now.
_CLAIM = """
WITH due AS (
    SELECT m.tenant_id, m.id
      FROM (SELECT * FROM webhook_endpoint
             WHERE state = 'active'
               AND (tenant_id, id) NOT IN (SELECT * FROM unnest($4::text[], $6::uuid[]))
             ORDER BY random()) e
     CROSS JOIN LATERAL (
           SELECT tenant_id, id FROM webhook_message
            WHERE (tenant_id, endpoint_id) = (e.tenant_id, e.id)
              AND state = 'pending' AND due_at <= $1
            ORDER BY due_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED) m
     LIMIT $3)
UPDATE webhook_message m SET due_at = $5
  FROM due, webhook_endpoint e
 WHERE (m.tenant_id, m.id) = (due.tenant_id, due.id)
   AND (e.tenant_id, e.id) = (m.tenant_id, m.endpoint_id)
RETURNING m.tenant_id, m.id AS message_id, m.body, m.attempts, m.attempts_before, e.id, e.url,
          e.types, e.description, e.state, e.disabled_reason, e.secret_number,
          e.earlier_secret_until, e.failing_since
"""


async def claim_messages(
    tx: WriteConnection,
    now: datetime,
    leased_until: datetime,
    *,
    of_endpoint_max: int,
    messages_max: int,
    busy: Collection[tuple[str, UUID]],
) -> list[DueMessage]:
    """Messages of all tenants that are due, of endpoints that are not `busy`."""
    rows = await tx.raw.fetch(
        _CLAIM,
        now,
        of_endpoint_max,
        messages_max,
        [tenant_id for tenant_id, _ in busy],
        leased_until,
        [endpoint_id for _, endpoint_id in busy],
    )
    return [
        DueMessage(
            row["tenant_id"],
            row["message_id"],
            from_row(Endpoint, row, types=tuple(row["types"])),
            row["body"],
            row["attempts"],
            row["attempts_before"],
        )
        for row in rows
    ]


# The numbers of attempts decide: what another process has recorded, or a deleted endpoint took
# along, is left out, and of one that was claimed twice, as a clock jumped, one is recorded.
_RECORD = """
WITH made AS (
    SELECT DISTINCT ON (tenant_id, message_id, number) *
      FROM unnest($1::text[], $2::uuid[], $3::int[], $4::text[], $5::timestamptz[],
                  $6::int[], $7::text[], $8::text[], $9::int[], $10::timestamptz[])
             AS made (tenant_id, message_id, number, state, due_at,
                      status, error, answer, took_ms, attempted_at)),
marked AS (
    UPDATE webhook_message m SET state = made.state, due_at = made.due_at, attempts = made.number
      FROM made
     WHERE (m.tenant_id, m.id) = (made.tenant_id, made.message_id) AND m.attempts < made.number
    RETURNING m.tenant_id, m.id, made.number)
INSERT INTO webhook_attempt (tenant_id, message_id, number,
                             status, error, answer, took_ms, attempted_at)
SELECT made.tenant_id, made.message_id, made.number,
       made.status, made.error, made.answer, made.took_ms, made.attempted_at
  FROM made JOIN marked ON (marked.tenant_id, marked.id, marked.number)
                         = (made.tenant_id, made.message_id, made.number)
RETURNING tenant_id, message_id, number
"""
_SUCCEEDED = """
UPDATE webhook_endpoint e SET failing_since = NULL
  FROM unnest($1::text[], $2::uuid[]) AS took (tenant_id, id)
 WHERE (e.tenant_id, e.id) = (took.tenant_id, took.id) AND e.failing_since IS NOT NULL
"""
# An endpoint that has taken something since the attempt began is not given up for its time.
_FAILED = """
WITH given_up AS (
    SELECT CASE WHEN $5::timestamptz IS NULL OR failing_since = $5 THEN $4::text END AS reason
      FROM webhook_endpoint WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE)
UPDATE webhook_endpoint
   SET failing_since = coalesce(failing_since, $3),
       state = CASE WHEN reason IS NULL THEN state ELSE 'disabled' END,
       disabled_reason = CASE WHEN state = 'active' THEN reason ELSE disabled_reason END,
       version = version + (reason IS NOT NULL)::int
  FROM given_up
 WHERE tenant_id = $1 AND id = $2 AND (failing_since IS NULL OR reason IS NOT NULL)
"""


async def record_attempts(tx: WriteConnection, attempts: Sequence[Attempt]) -> None:
    """Store attempts in the order they ended, and what becomes of messages and endpoints; nothing
    of one whose endpoint was deleted meanwhile, or that another process has recorded."""
    rows = await tx.raw.fetch(
        _RECORD,
        [attempt.message.tenant_id for attempt in attempts],
        [attempt.message.id for attempt in attempts],
        [attempt.number for attempt in attempts],
        [attempt.state for attempt in attempts],
        [attempt.due_at for attempt in attempts],
        [attempt.status for attempt in attempts],
        [attempt.error for attempt in attempts],
        [attempt.answer for attempt in attempts],
        [attempt.took_ms for attempt in attempts],
        [attempt.attempted_at for attempt in attempts],
    )
    recorded = {(row["tenant_id"], row["message_id"], row["number"]) for row in rows}
    marked = [
        attempt
        for attempt in attempts
        if (attempt.message.tenant_id, attempt.message.id, attempt.number) in recorded
    ]
    delivered, failures = outcomes_of_endpoints(marked)
    if delivered:
        await tx.raw.execute(
            _SUCCEEDED, [tenant for tenant, _ in delivered], [endpoint for _, endpoint in delivered]
        )
    for attempt in failures:
        since = None if attempt.status == GONE else attempt.message.endpoint.failing_since
        await tx.raw.execute(
            _FAILED, *attempt.message.key, attempt.attempted_at, attempt.disabled_reason, since
        )


_AGAIN = """
UPDATE webhook_message SET state = 'pending', due_at = $1, attempts_before = attempts
 WHERE tenant_id = $2
"""


async def redeliver_message(
    tx: WriteConnection, tenant_id: str, message_id: UUID, now: datetime
) -> bool:
    """Make a message due now, whatever became of it; whether there is one."""
    changed = await tx.raw.execute(f"{_AGAIN} AND id = $3", now, tenant_id, message_id)
    return str(changed) == "UPDATE 1"


async def replay_messages(
    tx: WriteConnection, tenant_id: str, endpoint_id: UUID, since: datetime, now: datetime
) -> int:
    """Make all messages of an endpoint due that came since an instant; how many."""
    changed = await tx.raw.execute(
        f"{_AGAIN} AND endpoint_id = $3 AND created_at >= $4", now, tenant_id, endpoint_id, since
    )
    return int(str(changed).rpartition(" ")[2])


async def list_messages(
    read: ReadConnection,
    tenant_id: str,
    endpoint_id: UUID | None,
    state: MessageState | None,
    after: tuple[Any, ...] | None,
    rows_max: int,
) -> Sequence[RowMapping]:
    """Messages, the newest first."""
    query = sa.select(webhook_message).where(webhook_message.c.tenant_id == tenant_id)
    if endpoint_id is not None:
        query = query.where(webhook_message.c.endpoint_id == endpoint_id)
    if state is not None:
        query = query.where(webhook_message.c.state == state)
    newest = (webhook_message.c.created_at, webhook_message.c.id)
    return await read.all(
        page_after(query, newest, after=after, rows_max=rows_max, descending=True)
    )


async def fetch_attempts(
    read: ReadConnection, tenant_id: str, message_id: UUID
) -> Sequence[RowMapping] | None:
    """The attempts of a message in their order; None where there is no such message."""
    known = await read.one_or_none(
        sa.select(webhook_message.c.id).where(
            webhook_message.c.tenant_id == tenant_id, webhook_message.c.id == message_id
        )
    )
    if known is None:
        return None
    return await read.all(
        sa.select(webhook_attempt)
        .where(webhook_attempt.c.tenant_id == tenant_id, webhook_attempt.c.message_id == message_id)
        .order_by(webhook_attempt.c.number)
    )


_PURGE = """
DELETE FROM webhook_message WHERE (tenant_id, id) IN (
    SELECT tenant_id, id FROM webhook_message WHERE created_at < $1
     ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
"""


async def purge_messages(tx: WriteConnection, before: datetime, messages_max: int) -> int:
    """Delete messages that are older, a bounded number of them; how many."""
    return int(str(await tx.raw.execute(_PURGE, before, messages_max)).rpartition(" ")[2])
