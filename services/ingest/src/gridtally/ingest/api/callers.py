"""Who may call what, one scope to read, one to write; the archive, which readers are given,
and the publisher."""

from typing import Annotated

from fastapi import Depends, Request

from gridtally.http.auth import Principal
from gridtally.http.callers import reader, writer
from gridtally.ingest.store.archive.archive import Archive
from gridtally.messaging import Publisher

Reader = Annotated[Principal, reader("ingest")]
Writer = Annotated[Principal, writer("ingest")]


async def _archive(request: Request) -> Archive:
    archive: Archive = request.app.state.archive
    return archive


async def _publisher(request: Request) -> Publisher:
    publisher: Publisher = request.app.state.publisher
    return publisher


Publishing = Annotated[Publisher, Depends(_publisher)]
"""What takes messages to the broker."""
Archived = Annotated[Archive, Depends(_archive)]
"""What has left the database."""
