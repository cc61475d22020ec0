"""Who may call: keys with billing's scopes; and how many things a batch has, and where."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends

from kernel.errors import Rejected
from serving.auth import Principal, require

Reader = Annotated[Principal, Depends(require("billing:read"))]
Writer = Annotated[Principal, Depends(require("billing:write"))]
BATCH_MAX = 1_000


@contextmanager
def pointing(*, batch: bool) -> Iterator[None]:
    """Handlers number the things that they are handed, `/0/id`: a caller sent that as `/items/0/id`
    of a batch, or as the `/id` of a single thing."""
    try:
        yield
    except Rejected as refused:
        raise (refused.moved("", "/items") if batch else refused.moved("/0", "")) from None
