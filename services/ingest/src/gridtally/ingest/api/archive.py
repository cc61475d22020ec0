"""The archive over HTTP: for how long readings stay in the database, and what has left it."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import Field

from gridtally.database import snapshot, transaction
from gridtally.http.context import Db
from gridtally.http.etags import OptionalMatch, tag
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel, Body
from gridtally.ingest.api.callers import Archived, Reader, Writer
from gridtally.ingest.domain import archive as domain
from gridtally.ingest.store.archive import shards as store
from gridtally.kernel.errors import Conflict

router = Router(prefix="/v1", tags=["archive"])


class ArchiveSettings(AnswerModel):
    """How long a tenant's readings stay in the database."""

    version: int
    """The ETag: how often they were changed."""
    months: int | None
    """So many whole months before the current one stay; null for ever."""


class NewArchiveSettings(Body):
    """How long readings stay in the database from now on."""

    months: Annotated[int, Field(ge=domain.MONTHS_MIN, le=domain.MONTHS_MAX)] | None
    """So many whole months before the current one stay, the older ones go to the archive; null to
    archive no more. What is archived stays there and is answered as before."""


class ArchivedFile(AnswerModel):
    """A file of the archive, as it was written and must be."""

    name: str
    """Where it lies below the archive's directory."""
    rows: int
    """How many channel-days, or pieces of blocks, it has."""
    bytes: int
    """Its size in bytes."""
    sha256: str
    """The SHA-256 of its bytes, in hex."""


class ArchivedEnergy(AnswerModel):
    """What the channel-days of a flow come to."""

    flow: str
    """What was measured."""
    present: int
    """How many intervals have a value."""
    energy_wh: int
    """Their energy in Wh (varh of a reactive flow)."""


class ArchivedShard(AnswerModel):
    """A part of a month that has left the database: some meters' channel-days and blocks."""

    month_on: date
    """The first day of the month."""
    shard: int
    """Its number within the month."""
    meter_from: UUID
    """The first meter id that belongs to it."""
    meter_to: UUID
    """The last one."""
    generation: int
    """How often it was written: anew when something of it was recalled and archived again."""
    archived_at: datetime
    """When that was."""
    events: int
    """How many events of readings its blocks are of."""
    energy: list[ArchivedEnergy]
    """What its channel-days come to, by flow."""
    files: list[ArchivedFile]
    """Its channel-days and its blocks."""

    @classmethod
    def of(cls, own: domain.ArchivedShard) -> "ArchivedShard":
        """The domain's shard."""
        return cls(
            month_on=own.shard.month_on,
            shard=own.shard.number,
            meter_from=own.shard.meter_from,
            meter_to=own.shard.meter_to,
            generation=own.generation,
            archived_at=own.archived_at,
            events=own.events,
            energy=[
                ArchivedEnergy(flow=flow, present=total.present, energy_wh=total.energy_wh)
                for flow, total in sorted(own.energy.items())
            ],
            files=[
                ArchivedFile(
                    name=f"{own.folder}/{name}.parquet",
                    rows=facts.rows,
                    bytes=facts.bytes,
                    sha256=facts.sha256,
                )
                for name, facts in own.files.items()
            ],
        )


def _settings(response: Response, settings: domain.ArchiveSettings) -> ArchiveSettings:
    tag(response, settings.version)
    return ArchiveSettings.model_validate(settings, from_attributes=True)


@router.get("/archive-settings")
async def get_archive_settings(response: Response, db: Db, caller: Reader) -> ArchiveSettings:
    """How long the tenant's readings stay in the database."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        settings = await store.fetch_settings(read, caller.tenant_id)
    return _settings(response, settings)


@router.put("/archive-settings")
async def put_archive_settings(
    body: NewArchiveSettings,
    response: Response,
    db: Db,
    archive: Archived,
    caller: Writer,
    if_match: OptionalMatch,
) -> ArchiveSettings:
    """Archive months from some age on. Answers stay the same, series, exports and what was known
    at an instant included; 409 where the installation has no archive."""
    if body.months is not None and archive.folders.directory is None:
        raise Conflict("archive_off", "nothing is archived here: ARCHIVE_DIRECTORY names nothing")
    async with transaction(db, tenant=caller.tenant_id) as tx:
        before = await store.lock_settings(tx, caller.tenant_id)
        if_match.check(before.version)
        settings = domain.ArchiveSettings(body.months, before.version + 1)
        await store.upsert_settings(tx, caller.tenant_id, settings)
    return _settings(response, settings)


@router.get("/archived-shards")
async def list_archived_shards(db: Db, caller: Reader, paging: Paging) -> Page[ArchivedShard]:
    """What has left the database, oldest month first: the files with their counts and SHA-256."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_shards(
            read,
            caller.tenant_id,
            after=paging.after(date.fromisoformat, int),
            rows_max=paging.rows,
        )
    return paging.cut(
        rows, item=ArchivedShard.of, position=lambda own: (own.shard.month_on, own.shard.number)
    )
