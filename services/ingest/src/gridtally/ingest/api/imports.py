"""Imports: a file of readings comes in, is proposed, checked, run, and replayed after a repair."""

import asyncio
import hashlib
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import Field

from gridtally.contracts.model import Text, Zone
from gridtally.database import snapshot, transaction
from gridtally.http.body_limits import FILE, media_type
from gridtally.http.context import CorrelationId, Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.problems import HttpRefusal
from gridtally.http.resources import AnswerModel, Body
from gridtally.ingest.api.callers import Reader, Writer
from gridtally.ingest.domain.imports import Status
from gridtally.ingest.domain.meters import Flow
from gridtally.ingest.events.imports import LAYOUT, proposal_of
from gridtally.ingest.handlers import imports as handlers
from gridtally.ingest.store import imports as store
from gridtally.kernel.errors import Rejected
from gridtally.kernel.ids import new_id
from gridtally.meter_files.csv_layout import CsvLayout
from gridtally.meter_files.green_button import GreenButtonLayout
from gridtally.meter_files.nem import Nem12Layout

router = Router(prefix="/v1/imports", tags=["imports"])

TEXT_CSV = "text/csv"
CHECK_REFUSALS_MAX = 1_000
CHANNELS_MAX = 10_000
Layout = Annotated[CsvLayout | Nem12Layout | GreenButtonLayout, Field(discriminator="kind")]


class ChannelSummary(AnswerModel):
    """What the file has of one channel."""

    name: str
    """What the file calls it."""
    flow: Flow | None
    """What it measures, where the file says; the mapping says it otherwise."""
    minutes: int
    """The length of an interval, in minutes."""
    start_at: datetime | None
    """When its first interval starts, UTC; null where it has none."""
    end_at: datetime | None
    """When its last interval ends, UTC."""
    values: int
    """How many intervals have a value."""
    missing: int
    """How many intervals between the first and the last have none."""
    energy_wh: int
    """The sum of all values, in Wh (varh)."""


class ImportRefusal(AnswerModel):
    """A block of the file that was not published, and why."""

    channel: str
    """The channel of the file."""
    start_at: datetime
    """When the block's first interval starts, UTC."""
    values: int
    """How many values it has."""
    reason: str
    """Why it was refused, for programs."""
    detail: str
    """Why it was refused, for people."""


class MappedChannel(Body):
    """The meter and the flow that a channel of the file is."""

    meter_id: UUID
    """The meter."""
    flow: Flow | None = None
    """What it measures; null for the flow that the file says."""


class Declaration(Body):
    """How a file is read, confirmed by whoever sends it, and what its channels are."""

    layout: Layout
    """How the file is laid out: as it was proposed, or changed."""
    mapping: Annotated[dict[str, MappedChannel], Field(max_length=CHANNELS_MAX)]
    """The meter of each channel, by the file's name of it."""
    left_out: Annotated[tuple[str, ...], Field(max_length=CHANNELS_MAX)] = ()
    """Channels that are not imported."""


class Import(AnswerModel):
    """An import of a file, and how far it has come.

    `proposed`: the layout waits to be confirmed. `unreadable`: no layout is recognized, or the file
    contradicts it; `detail` says why, and one can be declared. `running`: blocks are published.
    `done`: all are, but those in `refusals`. `undoing`, `undone`: they are withdrawn.
    """

    id: UUID
    name: str
    """The file's name, for people."""
    zone: str
    """The IANA zone that its times were taken to be in, where it does not say."""
    sha256: str
    """SHA-256 of the file: the same file is the same import."""
    size_bytes: int
    """The file's size in bytes."""
    status: Status
    """The state of the import."""
    layout: Layout | None
    """How the file is read: as declared, else as proposed; null where nothing is recognized."""
    notes: list[str]
    """What was taken for granted, a sentence each."""
    channels: list[ChannelSummary]
    """The channels of the file, read by the proposed layout."""
    detail: str | None
    """Why the file could not be read by the proposed layout."""
    blocks: int
    """How many blocks of readings the file makes, once it runs."""
    done: int
    """How many of them are published or refused; of one that is undone, withdrawn."""
    accepted: int
    """How many of them the broker has acknowledged."""
    refusals: list[ImportRefusal]
    """The first blocks that were refused, at most 1 000."""
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Any) -> "Import":
        """The import in a row of the table."""
        names = cls.model_fields.keys() & set(row.keys())
        proposal = dict(row["proposal"])
        if row["declaration"] is not None:
            proposal["layout"] = row["declaration"]["layout"]
        return cls(**{name: row[name] for name in names}, **proposal)


class ImportCheck(AnswerModel):
    """What would become of the file, as declared."""

    blocks: int
    """How many blocks of readings it makes."""
    values: int
    """How many values these have."""
    refused: int
    """How many blocks would be refused."""
    refusals: list[ImportRefusal]
    """The first of those, at most 1 000."""


_FILE_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary", "description": "The file."}}
            for kind in (FILE, TEXT_CSV)
        },
    }
}


@router.post("", status_code=201, openapi_extra=_FILE_BODY)
async def create_import(
    request: Request,
    response: Response,
    db: Db,
    caller: Writer,
    correlation_id: CorrelationId,
    now: Now,
    name: Annotated[Text, Query(description="The file's name, for people")],
    zone: Annotated[Zone, Query(description="IANA zone of its times, where the file does not say")],
) -> Import:
    """Send a file (CSV, NEM12, Green Button) and see what it seems to be; nothing is imported yet.

    The same content again is the same import (200).
    """
    if media_type(request.headers.get("content-type")) not in (FILE, TEXT_CSV):
        raise HttpRefusal(415, "unsupported_media_type", f"send the file as {FILE} or {TEXT_CSV}")
    content = await request.body()
    if not content:
        raise Rejected("file_unreadable", "the body is empty: send the file as it is")
    proposal, is_readable = await asyncio.to_thread(proposal_of, content, zone)
    new = store.NewImport(
        caller.tenant_id, new_id(), name, zone, hashlib.sha256(content).hexdigest(), content,
        "proposed" if is_readable else "unreadable", proposal, correlation_id,
    )  # fmt: skip
    async with transaction(db, tenant=caller.tenant_id) as tx:
        is_new = await store.insert_import(tx, new, now)
        row = await store.fetch_by_content(tx, caller.tenant_id, new.sha256)
    response.status_code = 201 if is_new else 200
    response.headers["Location"] = f"/v1/imports/{row['id']}"
    return Import.of(row)


@router.get("")
async def list_imports(db: Db, caller: Reader, paging: Paging) -> Page[Import]:
    """All imports, oldest first."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_imports(
            read,
            caller.tenant_id,
            after=paging.after(datetime.fromisoformat, UUID),
            rows_max=paging.rows,
        )
    return paging.cut(rows, item=Import.of, position=lambda row: (row["created_at"], row["id"]))


@router.get("/{import_id}")
async def get_import(import_id: UUID, db: Db, caller: Reader) -> Import:
    """An import: what the file seems to be, how far it has come, what was refused."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        return Import.of(await store.fetch_import(read, caller.tenant_id, import_id))


@router.post("/{import_id}/check")
async def check_import(
    import_id: UUID, declaration: Declaration, db: Db, caller: Writer, now: Now
) -> ImportCheck:
    """Read the file as declared and check every block against its meter, without importing it."""
    check = await handlers.check_import(db, caller.tenant_id, import_id, _as_json(declaration), now)
    return ImportCheck(
        blocks=check.blocks,
        values=check.values,
        refused=len(check.refused),
        refusals=[
            ImportRefusal.model_validate(refusal, from_attributes=True)
            for refusal in check.refused[:CHECK_REFUSALS_MAX]
        ],
    )


@router.post("/{import_id}/run", status_code=202)
async def run_import(
    import_id: UUID, declaration: Declaration, db: Db, caller: Writer, now: Now
) -> Import:
    """Confirm how the file is read, and import it: its blocks are published as a gateway's are.

    202; `GET` shows how far it has come. What is refused is listed there, and can be replayed.
    """
    await handlers.start_import(db, caller.tenant_id, import_id, _as_json(declaration), now)
    return await get_import(import_id, db, caller)


@router.post("/{import_id}/replay", status_code=202)
async def replay_import(import_id: UUID, db: Db, caller: Writer, now: Now) -> Import:
    """Publish an import that is done again, once what was refused is repaired (a meter is
    registered, a limit raised); what is stored already changes nothing."""
    await handlers.replay_import(db, caller.tenant_id, import_id, now)
    return await get_import(import_id, db, caller)


@router.post("/{import_id}/undo", status_code=202)
async def undo_import(import_id: UUID, db: Db, caller: Writer, now: Now) -> Import:
    """Withdraw all that an import that is done has brought: what was known before it is known
    again, and usage, periods and bills follow. It can be run again afterwards."""
    await handlers.undo_import(db, caller.tenant_id, import_id, now)
    return await get_import(import_id, db, caller)


def _as_json(declaration: Declaration) -> dict[str, Any]:
    plain = declaration.model_dump(mode="json")
    return plain | {"layout": LAYOUT.dump_python(declaration.layout, mode="json")}
