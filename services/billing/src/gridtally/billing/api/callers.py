"""Who may call: keys with billing's scopes; and how many resources a batch has, and where."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from gridtally.http.auth import Principal
from gridtally.http.callers import customer_reader, customer_write_cause, reader, write_cause
from gridtally.kernel.errors import Rejected
from gridtally.kernel.resources import Cause

Reader = Annotated[Principal, reader("billing")]
CustomerReader = Annotated[Principal, customer_reader("billing")]
WriteCause = Annotated[Cause, write_cause("billing")]
CustomerWriteCause = Annotated[Cause, customer_write_cause("billing")]
"""Whose change this is, also of a caller who is bound to a customer and changes its own."""
BATCH_MAX = 1_000


@contextmanager
def pointing(*, batch: bool) -> Iterator[None]:
    """Point faults at the caller's own fields.

    Handlers number the resources that they are handed, `/0/id`: a caller sent that as
    `/items/0/id` of a batch, or as the `/id` of a single one.
    """
    try:
        yield
    except Rejected as refused:
        raise (refused.relocated("", "/items") if batch else refused.relocated("/0", "")) from None
