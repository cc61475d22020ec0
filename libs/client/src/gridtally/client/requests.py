"""A request as it is sent: pure, the same for both kinds of client."""

from collections.abc import AsyncIterable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from pydantic import BaseModel

Content = bytes | Iterable[bytes] | AsyncIterable[bytes]
"""A body that is sent as it is. A stream is sent once: it cannot be repeated."""

IDEMPOTENCY_KEY = "Idempotency-Key"
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class Request:
    """One call of an operation."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    content: Content | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again when nobody knows what became of it: what it does is done
        once, however often it comes."""
        known = self.method in _REPEATABLE or IDEMPOTENCY_KEY in self.headers
        return known and not self.is_stream

    @property
    def is_stream(self) -> bool:
        """Whether its body can be read but once."""
        return self.content is not None and not isinstance(self.content, bytes)


def request_of(
    method: str,
    path: str,
    parts: Mapping[str, object] = MappingProxyType({}),
    *,
    query: Mapping[str, object] = MappingProxyType({}),
    body: BaseModel | Content | None = None,
    content_type: str = "application/json",
    once: bool = False,
    idempotency_key: str | None = None,
    if_match: int | str | None = None,
    accept: str | None = None,
) -> Request:
    """The request of an operation.

    `parts` fill the names in the path's braces. Of `query` what is None is left out. `once` says
    that the operation takes an idempotency key: one is made where none is given. `if_match` is the
    version that was read.
    """
    headers: dict[str, str] = {}
    content: Content | None = None
    if body is not None:
        # what nobody has set stays out, so that the service's own default holds
        content = (
            body.model_dump_json(by_alias=True, exclude_unset=True).encode()
            if isinstance(body, BaseModel)
            else body
        )
        headers["Content-Type"] = content_type
    if once:
        headers[IDEMPOTENCY_KEY] = idempotency_key or str(uuid4())
    if if_match is not None:
        headers["If-Match"] = f'"{if_match}"' if isinstance(if_match, int) else if_match
    if accept is not None:
        headers["Accept"] = accept
    filled = path.format_map({name: quote(_text(part), safe="") for name, part in parts.items()})
    pairs = [
        (name, _text(value))
        for name, given in query.items()
        for value in (given if isinstance(given, list | tuple) else [given])
        if value is not None
    ]
    return Request(method, filled, tuple(pairs), headers, content)


def _text(value: Any) -> str:
    """A value as services read it in a path or a query. ValueError for an instant without zone."""
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            if value.tzinfo is None:
                raise ValueError(f"{value.isoformat()} has no zone: which instant is it?")
            return value.isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case str() | int() | UUID():
            return str(value)
    raise TypeError(f"{value!r} cannot be sent in an address")
