"""Who may call what: one scope to read, one to write."""

from typing import Annotated

from fastapi import Depends

from serving.auth import Principal, require

Reader = Annotated[Principal, Depends(require("ingest:read"))]
Writer = Annotated[Principal, Depends(require("ingest:write"))]
