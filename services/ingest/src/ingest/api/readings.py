"""Intake over HTTP: published to the topic that gateways publish to, so there is one way in.

What can be told to be wrong by looking at the block and its meter is refused at once, item by
item, and never enters quarantine. A block of a meter that is not known yet is accepted and waits.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ValidationError

from contracts.metering import ReadingsReceived
from database import snapshot
from ingest.api.callers import Writer
from ingest.domain.checks import Refusal
from ingest.domain.intake import Batch, channels_of, sort_out
from ingest.domain.merge import LETTERS
from ingest.store.meters import fetch_meters
from ingest.wire import SOURCE
from ingest.wire.blocks import block_of
from kernel.errors import Fault, Rejected
from kernel.ids import derive_id
from messaging import NUL, Outgoing, Publisher
from serving.context import CorrelationId, Db
from serving.strict import loads

ITEMS_MAX = 10_000
FAULTS_SHOWN_MAX = 3
NDJSON = "application/x-ndjson"


class Item(ReadingsReceived):
    """A block of consecutive interval readings.

    `event_id` makes sending it again harmless. Without one it is derived from the content, so
    that going back to an earlier value needs another `read_at` or an `event_id`.
    """

    event_id: UUID | None = None


class Outcome(BaseModel):
    """What became of one item."""

    index: int
    status: Literal["accepted", "refused"]
    event_id: UUID | None = None
    reason: str | None = None
    detail: str | None = None


class Answer(BaseModel):
    """What became of all items, in their order."""

    accepted: int
    refused: int
    items: list[Outcome]


_ITEM = Item.model_json_schema()
_ITEMS = {
    "type": "object",
    "title": "Items",
    "description": "Several blocks.",
    "properties": {
        "items": {"type": "array", "items": _ITEM, "minItems": 1, "maxItems": ITEMS_MAX}
    },
    "required": ["items"],
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"anyOf": [_ITEMS, _ITEM]}},
            NDJSON: {"schema": {"type": "string", "description": "One item per line."}},
        },
    }
}


def router(publisher: Publisher, clock: Callable[[], datetime]) -> APIRouter:
    """`POST /v1/readings`."""
    api = APIRouter(prefix="/v1/readings", tags=["readings"])

    @api.post("", status_code=202, openapi_extra=_BODY)
    async def submit_readings(
        request: Request, db: Db, caller: Writer, correlation_id: CorrelationId
    ) -> Answer:
        """Take in blocks of readings: `{"items": […]}`, a single block, or NDJSON.

        202 once the broker has acknowledged what was accepted; 422 when nothing was.
        """
        now = clock()
        given = _items_of(await request.body(), request.headers.get("content-type", ""))
        parsed = [_parse(one) for one in given]
        items = {n: item for n, item in enumerate(parsed) if isinstance(item, Item)}
        refusals = {n: item for n, item in enumerate(parsed) if isinstance(item, Refusal)}
        async with snapshot(db, tenant=caller.tenant_id) as read:
            keys = {(caller.tenant_id, item.meter_id) for item in items.values()}
            meters = await fetch_meters(read, keys)
        blocks = [block_of(item) for item in items.values()]
        channels = channels_of([caller.tenant_id] * len(blocks), blocks)
        batch = Batch(
            channels,
            [meters.get(key[:2]) for key in channels.keys],
            [block.read_at or now for block in blocks],
            [LETTERS[block.quality] for block in blocks],
            blocks,
        )
        places = list(items)
        refusals |= {places[n]: why for n, why in sort_out(batch, now).refused.items()}
        accepted = {
            n: _message(item, caller.tenant_id, correlation_id, now)
            for n, item in items.items()
            if n not in refusals
        }
        if not accepted:
            raise _nothing_accepted(refusals)
        await publisher.publish(list(accepted.values()))
        return _answer(len(given), accepted, refusals)

    return api


def _items_of(body: bytes, content_type: str) -> list[Any]:
    """The items as they were given; Rejected where the body as a whole is no such thing."""
    if NUL in body:
        raise Rejected("nul_character", "the body holds a NUL character, which cannot be stored")
    items: Any
    if content_type.partition(";")[0].strip().lower() == NDJSON:
        items = [loads(line) for line in body.splitlines() if line.strip()]
    else:
        whole: Any = loads(body)
        items = whole["items"] if isinstance(whole, dict) and "items" in whole else [whole]
    if not isinstance(items, list) or not 1 <= len(items) <= ITEMS_MAX:
        raise Rejected("invalid_items", f"send between 1 and {ITEMS_MAX} items")
    return items


def _parse(given: Any) -> Item | Refusal:
    try:
        return Item.model_validate(given)
    except ValidationError as invalid:
        faults = invalid.errors(include_url=False, include_input=False)[:FAULTS_SHOWN_MAX]
        detail = "; ".join(f"{'/'.join(map(str, f['loc']))}: {f['msg']}" for f in faults)
        return Refusal("malformed", detail)


def _message(item: Item, tenant_id: str, correlation_id: str, now: datetime) -> Outgoing:
    value = item.model_dump_json(exclude={"event_id"}).encode()
    event_id = item.event_id or derive_id(
        "readings.received", tenant_id, hashlib.sha256(value).hexdigest()
    )
    return Outgoing.raw(
        item.TOPIC,
        item.key(),
        value,
        tenant_id=tenant_id,
        correlation_id=correlation_id,
        source=SOURCE,
        event_id=event_id,
        occurred_at=now,
    )


def _nothing_accepted(refusals: dict[int, Refusal]) -> Rejected:
    faults = tuple(
        Fault(f"/items/{n}", f"{why.reason}: {why.detail}") for n, why in sorted(refusals.items())
    )
    return Rejected("nothing_accepted", "every item was refused", faults)


def _answer(count: int, accepted: dict[int, Outgoing], refusals: dict[int, Refusal]) -> Answer:
    items: list[Outcome] = []
    for n in range(count):
        if n in accepted:
            event_id = accepted[n].envelope.event_id
            items.append(Outcome(index=n, status="accepted", event_id=event_id))
        else:
            why = refusals[n]
            items.append(Outcome(index=n, status="refused", reason=why.reason, detail=why.detail))
    return Answer(accepted=len(accepted), refused=count - len(accepted), items=items)
