"""Importing files: proposed, checked, run in the background, and replayed after a repair.

A run publishes its blocks to the topic that gateways publish to, a batch in each transaction of the
loop, under ids that follow from the import: whoever takes it up after a crash publishes some again,
and these change nothing.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from gridtally.database import Database, ReadConnection, WriteConnection, snapshot, transaction
from gridtally.database.rows import Row
from gridtally.ingest.domain.imports import (
    RefusedBlock,
    check_done,
    check_startable,
    kept,
)
from gridtally.ingest.domain.readings import sort_batch
from gridtally.ingest.domain.submissions import Submission, batch_of
from gridtally.ingest.domain.validation import Refusal
from gridtally.ingest.events.imports import REFUSALS, ImportRun, submissions_of
from gridtally.ingest.events.submissions import message_of
from gridtally.ingest.handlers.readings import Recorder
from gridtally.ingest.handlers.withdrawn_events import withdraw
from gridtally.ingest.store import imports
from gridtally.ingest.store.meters import fetch_meters
from gridtally.kernel.errors import Rejected
from gridtally.messaging import Publisher
from gridtally.meter_files.channels import FileError

BLOCKS_MAX = 500
"""Of one transaction: half a million values at most."""
NamedSubmission = tuple[str, Submission]


@dataclass(frozen=True, slots=True)
class Check:
    """What would become of an import's blocks."""

    blocks: int
    values: int
    refused: list[RefusedBlock]


async def check_import(
    database: Database, tenant_id: str, import_id: UUID, declaration: Any, now: datetime
) -> Check:
    """What would become of a file as declared, without importing it; Rejected where it cannot be
    read so, and for meters that are not known."""
    async with snapshot(database, tenant=tenant_id) as read:
        row = await imports.fetch_import(read, tenant_id, import_id)
        content = await imports.fetch_content(read, tenant_id, import_id)
    submissions = await _submissions(_run_of(row, content, declaration, now))
    refused: list[RefusedBlock] = []
    for first in range(0, len(submissions), BLOCKS_MAX):
        batch = submissions[first : first + BLOCKS_MAX]
        async with snapshot(database, tenant=tenant_id) as read:
            refused += (await _refusals(read, tenant_id, batch, now)).values()
    values = sum(len(submission.block.values) for _, submission in submissions)
    return Check(len(submissions), values, refused)


async def start_import(
    database: Database, tenant_id: str, import_id: UUID, declaration: Any, now: datetime
) -> None:
    """Confirm how a file is read, and have it published; Rejected as by `check_import`, Conflict
    where it is at work or done."""
    async with snapshot(database, tenant=tenant_id) as read:
        row = await imports.fetch_import(read, tenant_id, import_id)
        content = await imports.fetch_content(read, tenant_id, import_id)
    check_startable(row["status"])
    blocks = len(await _submissions(_run_of(row, content, declaration, now)))
    async with transaction(database, tenant=tenant_id) as tx:
        row = await imports.lock_import(tx, tenant_id, import_id)
        check_startable(row["status"])
        await imports.update_import(
            tx, tenant_id, import_id, now,
            status="running", declaration=declaration, run_at=now, runs=row["runs"] + 1,
            blocks=blocks, done=0, accepted=0, refusals=[],
        )  # fmt: skip


async def replay_import(database: Database, tenant_id: str, import_id: UUID, now: datetime) -> None:
    """Publish an import that is done again, after what was refused is repaired: blocks that are
    stored change nothing. Conflict where it is not done."""
    async with transaction(database, tenant=tenant_id) as tx:
        row = await imports.lock_import(tx, tenant_id, import_id)
        check_done(row["status"])
        await imports.update_import(
            tx, tenant_id, import_id, now, status="running", done=0, accepted=0, refusals=[]
        )


async def undo_import(database: Database, tenant_id: str, import_id: UUID, now: datetime) -> None:
    """Have an import that is done withdrawn; it can be run again later. Conflict where it is not
    done."""
    async with transaction(database, tenant=tenant_id) as tx:
        row = await imports.lock_import(tx, tenant_id, import_id)
        check_done(row["status"])
        await imports.update_import(
            tx, tenant_id, import_id, now, status="undoing", done=0, accepted=0, refusals=[]
        )


@dataclass(slots=True)
class Importer:
    """Publishes imports that are to run, and withdraws those that are undone; one per process.
    `_read` is what the file at work became, since a large one takes many transactions."""

    publisher: Publisher
    recorder: Recorder
    _read: dict[tuple[UUID, int], list[NamedSubmission]] = field(default_factory=dict)

    async def work(self, tx: WriteConnection, now: datetime) -> int:
        """Do the next blocks of an import that is at work; how many they were."""
        row = await imports.lock_at_work(tx)
        if row is None:
            self._read.clear()
            return 0
        submissions = await self._submissions(tx, row)
        batch = submissions[row["done"] : row["done"] + BLOCKS_MAX]
        if row["status"] == "running":
            await self._publish(tx, row, batch, now)
        else:
            await self._withdraw(tx, row, batch, now)
        return max(1, len(batch))

    async def _withdraw(
        self, tx: WriteConnection, row: Row, batch: Sequence[NamedSubmission], now: datetime
    ) -> None:
        submissions = [submission for _, submission in batch]
        await withdraw(tx, self.recorder, row["tenant_id"], submissions, now)
        done = row["done"] + len(batch)
        status = "undone" if done == row["blocks"] else "undoing"
        await imports.update_import(tx, row["tenant_id"], row["id"], now, status=status, done=done)

    async def _publish(
        self, tx: WriteConnection, row: Row, batch: Sequence[NamedSubmission], now: datetime
    ) -> None:
        refused = await _refusals(tx, row["tenant_id"], batch, now)
        accepted = [batch[index][1] for index in range(len(batch)) if index not in refused]
        if accepted:
            await self.publisher.publish(
                [message_of(submission, row["tenant_id"], now) for submission in accepted]
            )
        before = REFUSALS.validate_python(row["refusals"])
        done = row["done"] + len(batch)
        await imports.update_import(
            tx, row["tenant_id"], row["id"], now,
            status="done" if done == row["blocks"] else "running",
            done=done, accepted=row["accepted"] + len(accepted),
            refusals=REFUSALS.dump_python(kept(before, list(refused.values())), mode="json"),
        )  # fmt: skip

    async def _submissions(self, tx: WriteConnection, row: Row) -> list[NamedSubmission]:
        key = row["id"], row["runs"]
        if key not in self._read:
            content = await imports.fetch_content(tx, row["tenant_id"], row["id"])
            run = _run_of(row, content, row["declaration"], row["run_at"], number=row["runs"])
            self._read = {key: await _submissions(run)}
        return self._read[key]


def _run_of(
    row: Row, content: bytes, declaration: Any, run_at: datetime, *, number: int = 0
) -> ImportRun:
    return ImportRun(row["id"], number, content, declaration, run_at, row["correlation_id"])


async def _submissions(run: ImportRun) -> list[NamedSubmission]:
    """The blocks of a file, read in a thread; Rejected where it is not as declared."""
    try:
        return await asyncio.to_thread(submissions_of, run)
    except FileError as error:
        raise Rejected("file_unreadable", str(error)) from None


async def _refusals(
    read: ReadConnection, tenant_id: str, batch: Sequence[NamedSubmission], now: datetime
) -> dict[int, RefusedBlock]:
    """The blocks of a batch that would go to quarantine, by index, and those of unknown meters."""
    blocks = batch_of(tenant_id, [submission for _, submission in batch], now)
    meters = await fetch_meters(read, blocks.meter_keys)
    sorted_batch = sort_batch(meters, blocks, now)
    unknown = Refusal("unknown_meter", "no meter of this id is registered: register it, and replay")
    refusals = sorted_batch.refused | dict.fromkeys(sorted_batch.pending, unknown)
    return {
        index: RefusedBlock(
            batch[index][0],
            batch[index][1].block.start_at,
            len(batch[index][1].block.values),
            refusal.reason,
            refusal.detail,
        )
        for index, refusal in sorted(refusals.items())
    }
