"""Pages: every list is answered in pages, by an opaque cursor that names the last row seen.

Cursors hold a position, not an offset: rows that come or go meanwhile shift nothing. A handler
orders by a unique position, asks for one row more than a page holds, and cuts:

    rows = await read.all(select(t).where(tuple_(t.c.created_at, t.c.id) > after).limit(page.rows))
    return page.cut(rows, item=to_api, position=lambda row: (row["created_at"], row["id"]))
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

from gridtally.kernel.errors import Fault, Rejected

LIMIT_DEFAULT = 50
LIMIT_MAX = 500
CURSOR_CHARS_MAX = 8_192
"""Room for a name of 500 characters that a list is sorted by."""
INT8_MAX = 2**63 - 1

T = TypeVar("T")
Row = TypeVar("Row")


class Page(BaseModel, Generic[T]):
    """One page; `next_cursor` is null on the last."""

    items: list[T]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page a caller requests."""

    limit: int = LIMIT_DEFAULT
    cursor: str | None = None

    @property
    def rows(self) -> int:
        """The number of rows to fetch: one more than a page holds shows that there is a next."""
        return self.limit + 1

    def after(self, *kinds: Callable[[str], Any]) -> tuple[Any, ...] | None:
        """The position after which the page begins, each part read by its kind (`UUID`, `str`, …).

        None for the first page; Rejected for a cursor that was not made by `cut`.
        """
        if self.cursor is None:
            return None
        try:
            parts = json.loads(base64.b64decode(self.cursor, altchars=b"-_", validate=True))
            return tuple(
                _storable(kind(_text(part))) for kind, part in zip(kinds, parts, strict=True)
            )
        except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
            fault = Fault("/query/cursor", "must be a next_cursor of this very list")
            raise Rejected("invalid_cursor", "the cursor cannot be used here", (fault,)) from None

    def cut(
        self,
        rows: Sequence[Row],
        *,
        item: Callable[[Row], T],
        position: Callable[[Row], tuple[object, ...]],
    ) -> Page[T]:
        """A page of `rows`, of which there are at most `self.rows`."""
        on_page = rows[: self.limit]
        more = len(rows) > self.limit
        next_cursor = _cursor(position(on_page[-1])) if more else None
        return Page(items=[item(row) for row in on_page], next_cursor=next_cursor)


def _text(part: object) -> str:
    """A text that PostgreSQL can hold; names are sorted by, so it may have any other character."""
    if not isinstance(part, str) or "\0" in part:
        raise TypeError("a cursor holds texts")
    part.encode()  # a ValueError for half of a surrogate pair
    return part


def _storable(value: Any) -> Any:
    """The part as PostgreSQL takes it; ValueError or OverflowError for what no column can hold."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("an instant has a time zone")
        return value.astimezone(UTC)
    if isinstance(value, int) and abs(value) > INT8_MAX:
        raise ValueError("a number has at most eight bytes")
    return value


def _cursor(position: tuple[object, ...]) -> str:
    texts = [
        part.isoformat() if isinstance(part, date | datetime) else str(part) for part in position
    ]
    return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode()


async def page_request(
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Items per page")] = LIMIT_DEFAULT,
    cursor: Annotated[
        str | None, Query(max_length=CURSOR_CHARS_MAX, description="`next_cursor` of a page before")
    ] = None,
) -> PageRequest:
    """The page that a request names."""
    return PageRequest(limit, cursor)


Paging = Annotated[PageRequest, Depends(page_request)]
"""The dependency of a handler that answers pages."""
