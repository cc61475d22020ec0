"""Who calls the ledger's API, on whose behalf something changes, and what its lists are asked."""

from datetime import datetime
from typing import Annotated

from pydantic import TypeAdapter

from gridtally.contracts.model import Instant
from gridtally.http.auth import Principal
from gridtally.http.callers import (
    customer_reader,
    customer_write_cause,
    reader,
    write_cause,
    writer,
)
from gridtally.kernel.resources import Cause

_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)

Reader = Annotated[Principal, reader("ledger")]
CustomerReader = Annotated[Principal, customer_reader("ledger")]
"""A caller who may be bound to a customer."""
Writer = Annotated[Principal, writer("ledger")]
WriteCause = Annotated[Cause, write_cause("ledger")]
"""Whose change this is, for callers who may write."""
CustomerWriteCause = Annotated[Cause, customer_write_cause("ledger")]
"""Whose change this is, also of a caller who is bound to a customer and changes its own."""


def instant(text: str) -> datetime:
    """An instant from a cursor; ValueError where it names no zone, or no moment in UTC."""
    return _INSTANT.validate_python(datetime.fromisoformat(text))


def named_filters(**filters: object) -> dict[str, object]:
    """The filters that the caller has named."""
    return {name: value for name, value in filters.items() if value is not None}
