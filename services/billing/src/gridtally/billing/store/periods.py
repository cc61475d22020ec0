"""Billed periods: the row under whose lock a period is billed, and what it carries forward."""

import json
from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

import asyncpg

from gridtally.billing import tables
from gridtally.billing.domain.periods import (
    BilledPeriod,
    ClosedPeriod,
    LiveInvoice,
    PeriodKey,
    Predecessor,
)
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import as_row, columns_of, insert_rows
from gridtally.rating.state import State, read_state, state_document

billed_period = tables.billed_period

# One statement that inserts, locks and compares: an event that came before, or is older than what
# came, updates nothing, so its key is not returned. Whoever bills the same period at the same time
# waits here for the row, and then finds the newer revision in it.
_IF_NEWER = """
ON CONFLICT (tenant_id, agreement_id, start_on) DO UPDATE
   SET end_on = excluded.end_on, revision = excluded.revision, energy_wh = excluded.energy_wh,
       unbilled = NULL
 WHERE billed_period.revision < excluded.revision
RETURNING tenant_id, agreement_id, start_on
"""


async def lock_newer(tx: WriteConnection, periods: Sequence[ClosedPeriod]) -> list[ClosedPeriod]:
    """Lock each period's row and move it to the revision that came.

    What came before, or is older than what came, is left out; the others stay in order. `periods`
    hold each agreement once; rows are locked in the order of their keys.
    """
    rows = [
        as_row(
            closed,
            billed_period,
            start_on=closed.period.start_on,
            end_on=closed.period.end_on,
            invoiced_revision=None,
            restatement=0,
            state="{}",
            energy_wh=closed.energy_wh,
            unbilled=None,
        )
        for closed in sorted(periods, key=lambda closed: closed.key)
    ]
    moved = {_key(row) for row in await insert_rows(tx, billed_period, rows, _IF_NEWER)}
    return [closed for closed in periods if closed.key in moved]


# The index of the primary key, read backwards from the period, ends at the first row.
_PREDECESSORS = """
SELECT k.tenant_id, k.agreement_id, k.start_on, b.end_on, b.state,
       b.unbilled IS NOT NULL
       OR b.invoiced_revision IS NOT DISTINCT FROM b.revision AS is_invoiced
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 CROSS JOIN LATERAL (
       SELECT * FROM billed_period p
        WHERE p.tenant_id = k.tenant_id AND p.agreement_id = k.agreement_id
          AND p.start_on < k.start_on
        ORDER BY p.start_on DESC LIMIT 1) AS b
"""


async def fetch_predecessors(
    read: ReadConnection, keys: Collection[PeriodKey]
) -> dict[PeriodKey, Predecessor]:
    """The last period before each of these, where its agreement has one."""
    rows = await read.raw.fetch(_PREDECESSORS, *columns_of(keys, 3)) if keys else []
    return {
        _key(row): Predecessor(row["end_on"], row["is_invoiced"], read_state(row["state"]))
        for row in rows
    }


# `restatement` is that of the live invoice, and of no use without one.
_LIVE_INVOICES = """
SELECT b.tenant_id, b.agreement_id, b.start_on, b.invoiced_revision, b.restatement
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
  JOIN billed_period b USING (tenant_id, agreement_id, start_on)
 WHERE b.invoiced_revision IS NOT NULL
"""


async def fetch_live_invoices(
    read: ReadConnection, keys: Collection[PeriodKey]
) -> dict[PeriodKey, LiveInvoice]:
    """The live invoice of each period that has one."""
    rows = await read.raw.fetch(_LIVE_INVOICES, *columns_of(keys, 3)) if keys else []
    return {_key(row): LiveInvoice(row["invoiced_revision"], row["restatement"]) for row in rows}


# The row is at the revision that is billed, since `lock_newer` or the lock of a held period.
_INVOICED = """
UPDATE billed_period b
   SET invoiced_revision = b.revision, restatement = k.restatement, state = k.state
  FROM unnest($1::text[], $2::uuid[], $3::date[], $4::int[], $5::jsonb[])
       AS k (tenant_id, agreement_id, start_on, restatement, state)
 WHERE (b.tenant_id, b.agreement_id, b.start_on) = (k.tenant_id, k.agreement_id, k.start_on)
"""


async def update_invoiced(tx: WriteConnection, billed_periods: Sequence[BilledPeriod]) -> None:
    """The newest revision of these periods has its invoice."""
    await tx.raw.execute(
        _INVOICED,
        *_columns_of(billed_periods),
        [billed.restatement for billed in billed_periods],
        _states_of(billed_periods),
    )


# For a bill that repeats the lines of the live invoice but rests on another state.
_STATES = """
UPDATE billed_period b SET state = k.state
  FROM unnest($1::text[], $2::uuid[], $3::date[], $4::jsonb[])
       AS k (tenant_id, agreement_id, start_on, state)
 WHERE (b.tenant_id, b.agreement_id, b.start_on) = (k.tenant_id, k.agreement_id, k.start_on)
"""


async def update_states(tx: WriteConnection, billed_periods: Sequence[BilledPeriod]) -> None:
    """What these periods carry forward has changed, and nothing else."""
    await tx.raw.execute(_STATES, *_columns_of(billed_periods), _states_of(billed_periods))


_WITHDRAW = """
UPDATE billed_period b SET unbilled = 'withdrawn', invoiced_revision = NULL
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 WHERE (b.tenant_id, b.agreement_id, b.start_on) = (k.tenant_id, k.agreement_id, k.start_on)
"""


async def withdraw(tx: WriteConnection, keys: Collection[PeriodKey]) -> None:
    """Nothing is billed of these periods, whose agreements do not have all their days any more;
    an invoice of theirs is void."""
    if keys:
        await tx.raw.execute(_WITHDRAW, *columns_of(keys, 3))


# What a period carries forward that is never billed is what the one before it did; but where an
# older revision of it has its invoice, what that does.
_UNBILLED = """
UPDATE billed_period
   SET unbilled = $4, state = CASE WHEN invoiced_revision IS NULL THEN $5::jsonb ELSE state END
 WHERE tenant_id = $1 AND agreement_id = $2 AND start_on = $3
"""


async def update_dismissed(tx: WriteConnection, key: PeriodKey, state: State) -> None:
    """Nothing is billed of the newest revision of a period, which passes on this state."""
    document = json.dumps(state_document(state))
    await tx.raw.execute(_UNBILLED, *key, "dismissed", document)


async def update_undismissed(tx: WriteConnection, key: PeriodKey) -> None:
    """The newest revision of a period is to be billed after all."""
    await tx.raw.execute(_UNBILLED, *key, None, "{}")


_AFTER = """
SELECT tenant_id, agreement_id, start_on FROM billed_period
 WHERE tenant_id = $1 AND agreement_id = $2 AND end_on > $3
   AND unbilled IS DISTINCT FROM 'withdrawn'
 ORDER BY start_on
"""


async def fetch_periods_after(
    read: ReadConnection, tenant_id: str, agreement_id: UUID, end_on: date
) -> list[PeriodKey]:
    """The periods that came of an agreement and have days from a day on."""
    return [_key(row) for row in await read.raw.fetch(_AFTER, tenant_id, agreement_id, end_on)]


def _columns_of(billed_periods: Sequence[BilledPeriod]) -> list[list[object]]:
    return columns_of([billed.key for billed in billed_periods], 3)


def _states_of(billed_periods: Sequence[BilledPeriod]) -> list[str]:
    return [json.dumps(state_document(billed.state_after)) for billed in billed_periods]


def _key(row: asyncpg.Record) -> PeriodKey:
    return row["tenant_id"], row["agreement_id"], row["start_on"]
