"""Who may call what: one scope to read, one to write."""

from typing import Annotated

from gridtally.http.auth import Principal
from gridtally.http.callers import reader, writer

Reader = Annotated[Principal, reader("ingest")]
Writer = Annotated[Principal, writer("ingest")]
