"""Dead letters as they are stored: listed, looked at, resolved, counted and deleted.

Owns what becomes of a letter: it is open until it is replayed or discarded, which is noted with who
did it; then its value is no longer stored. Row-level security decides whose letters are seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.messaging.tables import dead_letter

Status = Literal["open", "replayed", "discarded"]
EXPIRED_LETTERS_MAX = 500
"""Deleted by one call of `delete_expired`."""

_SHOWN = [column for column in dead_letter.c if column.name not in ("key", "headers", "value")]


@dataclass(frozen=True, slots=True)
class LetterFilters:
    """Which letters a list shows; None for all. `reason` is a part of it, in any case."""

    topic: str | None = None
    reason: str | None = None
    status: Status | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """As conditions on the table."""
        column = dead_letter.c
        named: list[sa.ColumnElement[bool] | None] = [
            None if self.topic is None else column.topic == self.topic,
            None if self.reason is None else column.reason.icontains(self.reason, autoescape=True),
            None if self.status is None else column.status == self.status,
            None if self.from_at is None else column.dead_at >= self.from_at,
            None if self.to_at is None else column.dead_at < self.to_at,
        ]
        return [condition for condition in named if condition is not None]


async def list_letters(
    read: ReadConnection,
    filters: LetterFilters,
    after: tuple[datetime, UUID] | None,
    rows_max: int,
) -> Sequence[Any]:
    """Letters without their values, the newest first, those after the instant and id `after`."""
    query = sa.select(*_SHOWN).where(*filters.conditions())
    order = (dead_letter.c.dead_at, dead_letter.c.id)
    return await read.all(page_after(query, order, after=after, rows_max=rows_max, descending=True))


async def fetch_letter(read: ReadConnection, letter_id: UUID) -> Any | None:
    """A letter with all that it has."""
    return await read.one_or_none(sa.select(dead_letter).where(dead_letter.c.id == letter_id))


async def lock_letter(tx: WriteConnection, letter_id: UUID) -> Any | None:
    """The same, locked until the transaction ends."""
    query = sa.select(dead_letter).where(dead_letter.c.id == letter_id)
    return await tx.one_or_none(query.with_for_update())


async def resolve_letter(
    tx: WriteConnection,
    letter_id: UUID,
    *,
    status: Literal["replayed", "discarded"],
    by: str,
    now: datetime,
    because: str | None = None,
) -> None:
    """Note what became of a letter, by which key, and drop what it said."""
    await tx.execute(
        sa.update(dead_letter)
        .where(dead_letter.c.id == letter_id)
        .values(
            status=status,
            resolved_by=by,
            resolved_at=now,
            discarded_because=because,
            value=None,
            key=None,
            replays=dead_letter.c.replays + (1 if status == "replayed" else 0),
        )
    )


async def note_refusal(tx: WriteConnection, letter_id: UUID, reason: str) -> None:
    """Note that a replay has failed, and why."""
    await tx.execute(
        sa.update(dead_letter)
        .where(dead_letter.c.id == letter_id)
        .values(replays=dead_letter.c.replays + 1, refused_because=reason)
    )


_ERASE = """
UPDATE dead_letter
   SET value = NULL, key = NULL, headers = '[]', reason = 'erased', refused_because = NULL,
       resolved_at = CASE status WHEN 'open' THEN $3 ELSE resolved_at END,
       discarded_because = CASE status WHEN 'open' THEN 'erased' ELSE discarded_because END,
       status = CASE status WHEN 'open' THEN 'discarded' ELSE status END
 WHERE tenant_id = $1 AND (position($2::bytea IN value) > 0 OR position($2::bytea IN key) > 0)
"""


async def erase_letters(
    tx: WriteConnection, tenant_id: str, resource_id: UUID, now: datetime
) -> None:
    """Drop what letters of a tenant say that speak of a resource, whose names are erased, also why
    they were given up, since that may quote them; open ones are discarded."""
    await tx.raw.execute(_ERASE, tenant_id, str(resource_id).encode(), now)


# A tenant's open letters are bounded by its quota, and the index has all that is counted. What
# names no tenant is counted under `-`, which row-level security shows to the operator alone.
_COUNTS = """
SELECT tenant_id, topic, sum(open)::bigint AS open, sum(bytes)::bigint AS bytes,
       sum(dropped)::bigint AS dropped, sum(expired)::bigint AS expired
  FROM (SELECT coalesce(tenant_id, '-') AS tenant_id, topic, count(*) AS open,
               sum(value_bytes) AS bytes, 0 AS dropped, 0 AS expired
          FROM dead_letter WHERE status = 'open' GROUP BY 1, 2
         UNION ALL
        SELECT tenant_id, topic, 0, 0, dropped, expired FROM dead_letter_count) AS counted
 GROUP BY tenant_id, topic ORDER BY tenant_id, topic
"""


async def count_letters(read: ReadConnection) -> Sequence[Any]:
    """By tenant and topic: letters that are open, and their bytes, were dropped, or expired."""
    return await read.raw.fetch(_COUNTS)


# Expired unresolved letters are counted in the same statement, so that none goes without a trace.
_DELETE_EXPIRED = """
WITH old AS (
  SELECT id FROM dead_letter WHERE dead_at < $1 ORDER BY dead_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM dead_letter d USING old WHERE d.id = old.id
  RETURNING coalesce(d.tenant_id, '-') AS tenant_id, d.topic, d.status
), counted AS (
  INSERT INTO dead_letter_count (tenant_id, topic, expired)
  SELECT tenant_id, topic, count(*) FROM gone WHERE status = 'open' GROUP BY 1, 2 ORDER BY 1, 2
  ON CONFLICT (tenant_id, topic) DO UPDATE
     SET expired = dead_letter_count.expired + excluded.expired
)
SELECT count(*) FROM gone
"""


async def delete_expired(tx: WriteConnection, before: datetime) -> int:
    """Delete the oldest letters of all tenants that died before an instant, up to
    `EXPIRED_LETTERS_MAX`, and count those that nobody had resolved. Returns how many those were."""
    deleted: int = await tx.raw.fetchval(_DELETE_EXPIRED, before, EXPIRED_LETTERS_MAX)
    return deleted
