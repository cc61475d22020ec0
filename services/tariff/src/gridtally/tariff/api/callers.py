"""Who calls, and on whose behalf something changes."""

from typing import Annotated

from gridtally.http.auth import Principal
from gridtally.http.callers import reader, write_cause
from gridtally.kernel.resources import Cause

Reader = Annotated[Principal, reader("tariff")]
WriteCause = Annotated[Cause, write_cause("tariff")]
"""Whose change this is, for callers who may write."""
