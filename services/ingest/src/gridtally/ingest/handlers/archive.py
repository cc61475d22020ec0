"""Moving a tenant's oldest month into the archive, a shard at a time.

Read → write and read back → record and delete. The folder is on disk before the transaction that
names it and deletes the rows commits: whoever is cut off in between leaves the rows, and a folder
that nothing names, which the next run replaces. Nobody writes days of the tenant while the rows are
counted again and deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from gridtally.database import WriteConnection, copy
from gridtally.ingest.domain.archive import (
    BLOCKS,
    DAYS,
    ArchivedShard,
    FileFacts,
    FlowTotal,
    Shard,
    archived_until,
    divide,
)
from gridtally.ingest.domain.local_days import OLDEST_ON
from gridtally.ingest.store.archive import folders, rows, shards
from gridtally.ingest.store.archive.archive import Archive
from gridtally.ingest.store.archive.folders import Folders
from gridtally.kernel.errors import NoRoom, Transient, Unreadable
from gridtally.kernel.periods import Period, month_of

if TYPE_CHECKING:
    import pyarrow as pa

KEPT_FOR = timedelta(days=30)
"""How long files stay that others took the place of: longer than a reader is at them, and as long
as a copy of the database is likely to be restored that still names them."""
_NONE = FileFacts(0, 0, "")
log = structlog.get_logger(__name__)


class Overtaken(Exception):
    """A writer came in between; the transaction must be rolled back."""


@dataclass(frozen=True, slots=True)
class _Leaving:
    """What of a shard is in the database and may leave, and what had left before."""

    shard: Shard
    days: Sequence[Any]
    blocks: Sequence[Any]
    before: ArchivedShard | None
    recalled: set[tuple[UUID, str, int, date]]


async def archive_oldest(tx: WriteConnection, archive: Archive, now: datetime) -> int:
    """Move one shard of a month that is older than its tenant keeps; how many channel-days and
    blocks that were.

    Overtaken where a writer came in between, NoRoom where the directory takes no more, Unreadable
    where earlier files of the shard cannot be read: nothing has changed then.
    """
    if archive.folders.directory is None:
        return 0
    unreadable: Unreadable | None = None
    for tenant_id, settings in sorted((await shards.fetch_limits(tx)).items()):
        until_on = archived_until(settings, now)
        if until_on is None or not await shards.begin_archiving(tx, tenant_id):
            continue
        silent = await rows.fetch_silent(tx, tenant_id, until_on)
        month = await _oldest_month(tx, tenant_id, until_on, silent)
        try:
            if month is not None:
                return await _archive_month(tx, archive, tenant_id, month, silent, now)
        except Unreadable as failure:  # before anything is written; other tenants go on
            unreadable = failure
    if unreadable is not None:
        raise unreadable
    return 0


async def _oldest_month(
    tx: WriteConnection, tenant_id: str, until_on: date, silent: rows.Silent
) -> Period | None:
    """The first month before `until_on` of which something may leave now."""
    begin_on = OLDEST_ON
    while begin_on < until_on:
        oldest_on = await rows.fetch_oldest(tx, tenant_id, Period(begin_on, until_on), silent)
        if oldest_on is None:
            break
        month = month_of(oldest_on)
        if not await rows.is_undecided(tx, tenant_id, month):
            return month
        begin_on = month.end_on
    return None


async def remove_replaced(tx: WriteConnection, archive: Archive, now: datetime) -> int:
    """Remove the files that others took the place of a while ago; how many shards' worth."""
    if archive.folders.directory is None:
        return 0
    replaced = await shards.fetch_replaced(tx, now - KEPT_FOR)
    removed = [await archive.folders.run(archive.folders.remove_older, shard) for shard in replaced]
    return sum(removed)


async def _archive_month(
    tx: WriteConnection,
    archive: Archive,
    tenant_id: str,
    month: Period,
    silent: rows.Silent,
    now: datetime,
) -> int:
    known = {own.shard: own for own in await shards.fetch_month(tx, tenant_id, month.start_on)}
    counted = await rows.count_days(tx, tenant_id, month, silent)
    planned = list(known) or divide(tenant_id, month.start_on, counted)
    first_id = counted[0][0]
    shard = next(own for own in planned if own.meter_from <= first_id <= own.meter_to)
    leaving = _Leaving(
        shard,
        await rows.fetch_days(tx, shard, silent),
        await rows.fetch_blocks(tx, shard, silent),
        known.get(shard),
        await shards.fetch_recalled_of(tx, shard),
    )
    archived = await archive.folders.run(_write, archive.folders, leaving, now)
    await shards.lock_tenant(tx, tenant_id)
    if not await _is_unchanged(tx, leaving, silent):
        raise Overtaken(f"days of {tenant_id} changed while they were archived")
    await shards.upsert_shard(tx, archived)
    deleted = await rows.delete_rows(tx, shard, silent)
    if deleted != (len(leaving.days), len(leaving.blocks)):
        raise Overtaken(f"other days of {tenant_id} would be deleted than were archived")
    log.info(
        "archived", tenant_id=tenant_id, folder=archived.folder, channel_days=archived.days.rows,
        blocks=archived.blocks.rows, bytes=archived.days.bytes + archived.blocks.bytes,
    )  # fmt: skip
    return sum(deleted)


async def _is_unchanged(tx: WriteConnection, leaving: _Leaving, silent: rows.Silent) -> bool:
    """Whether the rows come to what was read, by the server's own count; called under the lock."""
    values, lengths = copy.joined_int4_arrays(b"".join(row["sent"] for row in leaving.days))
    totals: dict[str, FlowTotal] = {}
    end = 0
    for row, length in zip(leaving.days, lengths, strict=True):
        of_day = values[end : end + length]
        end += length
        so_far = totals.get(row["flow"], FlowTotal(0, 0))
        energy = int(of_day[of_day >= 0].sum(dtype="int64"))
        totals[row["flow"]] = FlowTotal(so_far.present + row["present"], so_far.energy_wh + energy)
    read = rows.Count(
        len(leaving.days),
        sum(row["version"] for row in leaving.days),
        totals,
        len(leaving.blocks),
        sum(row["piece"] == 0 for row in leaving.blocks),
    )
    is_same = await rows.count_rows(tx, leaving.shard, silent) == read
    recalled = await shards.fetch_recalled_of(tx, leaving.shard)
    return is_same and recalled == leaving.recalled


def _write(archive_folders: Folders, leaving: _Leaving, now: datetime) -> ArchivedShard:
    """Write what leaves, and what had left before and was not recalled, as the shard's next
    generation; read back, it is what was written.

    NoRoom where the directory takes it not.
    """
    # Here and not above: Arrow takes tens of megabytes.
    from gridtally.ingest.store.archive import parquet

    tables = {
        DAYS: [_table(parquet.DAYS, leaving.days)],
        BLOCKS: [_table(parquet.BLOCKS, leaving.blocks)],
    }
    generation = 1
    if leaving.before is not None:
        generation = leaving.before.generation + 1
        for name, own in tables.items():
            with archive_folders.opened(leaving.before, name) as file:
                own.append(parquet.without(file.whole(), leaving.recalled))
    unwritten = ArchivedShard(leaving.shard, generation, _NONE, _NONE, 0, {}, now)

    def fill(folder: Path) -> ArchivedShard:
        written = {
            name: parquet.write(folder / f"{name}.parquet", name, own)
            for name, own in tables.items()
        }
        made = replace(
            unwritten,
            days=folders.facts_of(folder / f"{DAYS}.parquet", len(written[DAYS])),
            blocks=folders.facts_of(folder / f"{BLOCKS}.parquet", len(written[BLOCKS])),
            events=parquet.events_in(written[BLOCKS]),
            energy=parquet.totals(written[DAYS]),
        )
        folders.write_manifest(folder, made)
        for name, table in written.items():
            if not parquet.OpenFile(folder / f"{name}.parquet").whole().equals(table):
                raise Transient(f"{made.folder}/{name} is read back otherwise than written")
        return made

    try:
        made = archive_folders.put(unwritten, fill)
    except OSError as failure:
        raise NoRoom(f"the archive's directory takes nothing: {failure}") from failure
    for name in tables:  # by its name now, from the disk, against its SHA-256
        with archive_folders.opened(made, name):
            pass
    return made


def _table(schema: "pa.Schema", found: Sequence[Any]) -> "pa.Table":
    from gridtally.ingest.store.archive import parquet

    values, lengths = copy.joined_int4_arrays(b"".join(row["sent"] for row in found))
    return parquet.table_of(schema, found, values, lengths)
