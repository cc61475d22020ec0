"""Intake over HTTP: published to the topic that gateways publish to, so there is one way in.

What is wrong by the looks of the block and its meter is refused at once, item by item, and never
enters quarantine. A block of a meter that is not known yet is accepted, and is then pending. JSON
bodies are bounded; NDJSON goes on for as long as the sender likes, in constant memory.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import unquote
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel

from gridtally.files.formats import recognize
from gridtally.http.body_limits import NDJSON, BodyStream, media_type
from gridtally.http.context import Bodies, CorrelationId, Db, Exports, ProcessClock
from gridtally.http.exports import SpooledAnswer
from gridtally.http.json_bodies import Router, loads
from gridtally.http.ndjson import LINE_BYTES_MAX, Line, line_batches
from gridtally.http.problems import HttpRefusal, pointer
from gridtally.ingest.api.callers import Publishing, Writer
from gridtally.ingest.domain.submissions import Submission
from gridtally.ingest.domain.validation import Refusal
from gridtally.ingest.events.submissions import NewBlock, Sender, read_event, read_item
from gridtally.ingest.handlers.submissions import Intake
from gridtally.kernel.errors import Fault, Rejected, Transient
from gridtally.kernel.periods import Clock
from gridtally.messaging import NUL

router = Router(prefix="/v1/readings", tags=["readings"])

ITEMS_MAX = 10_000
JSON = "application/json"
EVENT, EVENTS = "application/cloudevents+json", "application/cloudevents-batch+json"
BINARY_MODE = "ce-"
"""How the headers of an event in binary mode begin; `ce-specversion` is always there."""
REFUSALS_SHOWN_MAX = 100
Reader = Callable[[Any, Sender, datetime], Submission | Refusal]


class ItemResult(BaseModel):
    """What became of one item."""

    index: int
    status: Literal["accepted", "refused"]
    event_id: UUID | None = None
    reason: str | None = None
    detail: str | None = None

    @classmethod
    def of(cls, index: int, outcome: UUID | Refusal) -> "ItemResult":
        """The outcome of the item at `index`."""
        if isinstance(outcome, UUID):
            return cls(index=index, status="accepted", event_id=outcome)
        reason, detail = outcome.reason, outcome.detail
        return cls(index=index, status="refused", reason=reason, detail=detail)


class IntakeResult(BaseModel):
    """What became of all items, in their order."""

    accepted: int
    refused: int
    items: list[ItemResult]


_ITEM = NewBlock.model_json_schema()
_ITEMS = {
    "type": "object",
    "title": "NewBlocks",
    "description": "Several blocks.",
    "properties": {
        "items": {"type": "array", "items": _ITEM, "minItems": 1, "maxItems": ITEMS_MAX}
    },
    "required": ["items"],
}
_EVENT = {
    "type": "object",
    "title": "ReadingsEvent",
    "description": "An event of CloudEvents 1.0 in structured mode, as on the topic "
    "`readings.received.v1`; `data` is a block. `tenantid` and `time` may be left out.",
    "properties": {
        "specversion": {"type": "string", "enum": ["1.0"]},
        "type": {"type": "string", "enum": [NewBlock.TOPIC]},
        "source": {"type": "string", "minLength": 1},
        "id": {"type": "string", "minLength": 1},
        "time": {"type": "string", "format": "date-time"},
        "data": {"type": "object"},
    },
    "required": ["specversion", "type", "source", "id", "data"],
}
_EVENTS = {"type": "array", "title": "ReadingsEvents", "items": _EVENT, "maxItems": ITEMS_MAX}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": {"anyOf": [_ITEMS, _ITEM]}},
            NDJSON: {
                "schema": {
                    "type": "string",
                    "description": "One item per line, as many as there are.",
                }
            },
            EVENT: {"schema": _EVENT},
            EVENTS: {"schema": _EVENTS},
        },
    }
}


@router.post("", status_code=202, response_model=IntakeResult, openapi_extra=_BODY)
async def submit_readings(
    request: Request,
    body: BodyStream,
    db: Db,
    caller: Writer,
    correlation_id: CorrelationId,
    clock: ProcessClock,
    exports: Exports,
    bodies: Bodies,
    publisher: Publishing,
) -> Response:
    """Take in blocks of readings: `{"items": […]}`, a single block, events of CloudEvents, or
    NDJSON of any length.

    202 once the broker has acknowledged what was accepted; 422 when nothing was. Of NDJSON each
    batch of lines is taken in as it comes; where a later one fails (the broker is away, the body
    breaks off), the problem says how many lines had been taken in.
    """
    kind = media_type(request.headers.get("content-type"))
    sender = Sender(caller.tenant_id, correlation_id)
    intake = Intake(db, publisher, caller.tenant_id)
    if kind == NDJSON:
        stream = _Stream(intake, sender, clock, SpooledAnswer(exports.scratch))
        async with stream.answer.unless_answered():
            await stream.take_in(body)
            return stream.result()
    whole, headers, now = await request.body(), request.headers, clock()
    items = await bodies.read(len(whole), lambda: _items_of(whole, kind, headers, sender, now))
    outcomes = await intake.take_in(items, now)
    accepted = sum(isinstance(outcome, UUID) for outcome in outcomes)
    if not accepted:
        raise nothing_accepted(dict(enumerate(outcomes)))
    result = IntakeResult(
        accepted=accepted,
        refused=len(items) - accepted,
        items=[ItemResult.of(index, outcome) for index, outcome in enumerate(outcomes)],
    )
    return Response(result.model_dump_json(), 202, media_type=JSON)


class _Stream:
    """The items of an NDJSON body: taken in as they come, and what became of them kept on disk."""

    def __init__(self, intake: Intake, sender: Sender, clock: Clock, answer: SpooledAnswer) -> None:
        self._intake = intake
        self._sender = sender
        self._clock = clock
        self._items = 0
        self._accepted = 0
        self._refusals: dict[int, UUID | Refusal] = {}
        self.answer = answer

    async def take_in(self, body: BodyStream) -> None:
        """Take in all lines; a failure says how many items had been taken in by then."""
        last_line = 0
        try:
            async for lines in line_batches(body):
                await self._take_in_lines(lines)
                last_line = lines[-1].number
        except HttpRefusal as refusal:
            detail = f"{refusal.detail}; {_done(last_line)}"
            raise HttpRefusal(refusal.status_code, refusal.code, detail, refusal.headers) from None
        except Transient as failure:
            if not last_line:
                raise
            detail = f"the broker or the database is away for now; {_done(last_line)}"
            raise HttpRefusal(503, "unavailable", detail, {"Retry-After": "2"}) from failure

    async def _take_in_lines(self, lines: Sequence[Line]) -> None:
        now = self._clock()
        if not self._items:
            _check_format(lines[0].text or b"")
        items = [self._read(line, now) for line in lines]
        outcomes = await self._intake.take_in(items, now)
        results = []
        for index, outcome in enumerate(outcomes, self._items):
            if isinstance(outcome, UUID):
                self._accepted += 1
            elif len(self._refusals) < REFUSALS_SHOWN_MAX:
                self._refusals[index] = outcome
            results.append(ItemResult.of(index, outcome).model_dump_json())
        separator = "," if self._items else ""
        await self.answer.write(f"{separator}{','.join(results)}".encode())
        self._items += len(outcomes)

    def _read(self, line: Line, now: datetime) -> Submission | Refusal:
        if line.text is None:
            return Refusal("malformed", f"line {line.number}: is over {LINE_BYTES_MAX} bytes long")
        if NUL in line.text:
            return Refusal("malformed", f"line {line.number}: holds a NUL character")
        try:
            return read_item(loads(line.text), self._sender, now)
        except Rejected as refusal:
            return Refusal("malformed", f"line {line.number}: {refusal.detail}")

    def result(self) -> Response:
        """The answer; Rejected where nothing was accepted."""
        if not self._items:
            raise Rejected("invalid_items", "the body holds no item")
        if not self._accepted:
            raise nothing_accepted(self._refusals)
        head = f'{{"accepted":{self._accepted},"refused":{self._items - self._accepted},"items":['
        return self.answer.response(202, JSON, head.encode(), b"]}")


def _done(last_line: int) -> str:
    if not last_line:
        return "nothing has been taken in"
    return f"all lines up to line {last_line} have been taken in: send those behind it again"


def _items_of(
    body: bytes, kind: str, headers: Mapping[str, str], sender: Sender, now: datetime
) -> list[Submission | Refusal]:
    """The items of a body; Rejected where it as a whole is of none of the forms, and HttpRefusal
    (415) where it is of another format, whatever it is declared as."""
    read, items = _reader_and_items(body, kind, headers)
    return [read(item, sender, now) for item in items]


def _reader_and_items(
    body: bytes, kind: str, headers: Mapping[str, str]
) -> tuple[Reader, list[Any]]:
    if kind not in (JSON, EVENT, EVENTS):
        raise _unsupported(body)
    _check_format(body)
    if NUL in body:
        raise Rejected("nul_character", "the body holds a NUL character, which cannot be stored")
    value = loads(body)
    if kind == EVENT:
        return read_event, [value]
    if kind == EVENTS:
        return read_event, counted(value)
    if f"{BINARY_MODE}specversion" in headers:
        return read_event, [_binary_event(value, headers)]
    return read_item, counted(items_of(value))


def counted(items: Any) -> list[Any]:
    """The items, where they are as many as may come; Rejected otherwise."""
    if not isinstance(items, list) or not 1 <= len(items) <= ITEMS_MAX:
        raise Rejected("invalid_items", f"send between 1 and {ITEMS_MAX} items")
    return items


def _binary_event(data: Any, headers: Mapping[str, str]) -> dict[str, Any]:
    """The event whose attributes are headers, as structured mode has it."""
    attributes = {
        name.removeprefix(BINARY_MODE): unquote(value)
        for name, value in headers.items()
        if name.startswith(BINARY_MODE)
    }
    return attributes | {"data": data}


def _check_format(head: bytes) -> None:
    """HttpRefusal (415) where a body begins like a file of another format."""
    if recognize(head, "json") is not None:
        raise _unsupported(head)


def _unsupported(body: bytes) -> HttpRefusal:
    known = recognize(body, "json")
    is_known = f"the body is {known.name}: files go to POST /v1/imports; " if known else ""
    detail = f"{is_known}send readings as {JSON} or {NDJSON}, events also as {EVENT} or {EVENTS}"
    return HttpRefusal(415, "unsupported_media_type", detail)


def items_of(value: Any) -> Any:
    """The items of a JSON body: of `{"items": […]}`, or the one that it is."""
    if not isinstance(value, dict) or "items" not in value:
        return [value]
    if others := [name for name in value if name != "items"]:
        faults = tuple(Fault(pointer([name]), "is not known beside `items`") for name in others)
        raise Rejected("invalid_items", "the body has more than `items`", faults)
    return value["items"]


def nothing_accepted(outcomes: Mapping[int, UUID | Refusal]) -> Rejected:
    faults = tuple(
        Fault(f"/items/{index}", f"{outcome.reason}: {outcome.detail}")
        for index, outcome in sorted(outcomes.items())
        if isinstance(outcome, Refusal)
    )
    return Rejected("nothing_accepted", "every item was refused", faults)
