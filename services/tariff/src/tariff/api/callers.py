"""Who calls, and on whose behalf something changes."""

from typing import Annotated

from fastapi import Depends

from serving.auth import Principal, require
from serving.context import CorrelationId
from tariff.wire import Cause

Reader = Annotated[Principal, Depends(require("tariff:read"))]
Writer = Annotated[Principal, Depends(require("tariff:write"))]


def _cause(caller: Writer, correlation_id: CorrelationId) -> Cause:
    return Cause(caller.tenant_id, caller.key_id, correlation_id)


WriteCause = Annotated[Cause, Depends(_cause)]
"""Whose change this is, for callers who may write."""
