"""Who may call: keys with billing's scopes."""

from typing import Annotated

from fastapi import Depends

from serving.auth import Principal, require

Reader = Annotated[Principal, Depends(require("billing:read"))]
Writer = Annotated[Principal, Depends(require("billing:write"))]
BATCH_MAX = 1_000
