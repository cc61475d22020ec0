"""Who may call what, one scope to read, one to write; and the archive, which readers are given."""

from typing import Annotated

from fastapi import Depends, Request

from gridtally.http.auth import Principal
from gridtally.http.callers import reader, writer
from gridtally.ingest.store.archive.archive import Archive

Reader = Annotated[Principal, reader("ingest")]
Writer = Annotated[Principal, writer("ingest")]


async def _archive(request: Request) -> Archive:
    archive: Archive = request.app.state.archive
    return archive


Archived = Annotated[Archive, Depends(_archive)]
"""What has left the database."""
