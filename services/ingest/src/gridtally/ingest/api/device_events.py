"""Events of devices over HTTP: published to the topic that gateways publish to, and listed."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request

from gridtally.contracts.model import Instant
from gridtally.database import snapshot
from gridtally.http.body_limits import media_type
from gridtally.http.context import Bodies, CorrelationId, Db, Now
from gridtally.http.json_bodies import Router, loads
from gridtally.http.paging import Page, Paging
from gridtally.http.problems import HttpRefusal
from gridtally.http.resources import AnswerModel
from gridtally.ingest.api.callers import Publishing, Reader, Writer
from gridtally.ingest.api.readings import (
    ITEMS_MAX,
    JSON,
    IntakeResult,
    ItemResult,
    counted,
    items_of,
    nothing_accepted,
)
from gridtally.ingest.domain.device_events import DeviceEvent as StoredEvent
from gridtally.ingest.domain.validation import Refusal
from gridtally.ingest.events.device_events import NewDeviceEvent, read_item
from gridtally.ingest.events.submissions import Sender
from gridtally.ingest.handlers import device_events as handlers
from gridtally.ingest.store import device_events as store
from gridtally.kernel.device_events import DeviceEventKind, Severity
from gridtally.kernel.errors import Rejected
from gridtally.messaging import NUL

router = Router(prefix="/v1/device-events", tags=["device events"])

_ITEM = NewDeviceEvent.model_json_schema()
_ITEMS = {
    "type": "object",
    "title": "NewDeviceEvents",
    "description": "Several events.",
    "properties": {
        "items": {"type": "array", "items": _ITEM, "minItems": 1, "maxItems": ITEMS_MAX}
    },
    "required": ["items"],
}
_BODY = {
    "requestBody": {"required": True, "content": {JSON: {"schema": {"anyOf": [_ITEMS, _ITEM]}}}}
}


class DeviceEvent(AnswerModel):
    """What a meter noted of itself."""

    id: UUID
    """The event."""
    meter_id: UUID
    """The meter."""
    kind: DeviceEventKind
    """What it noted."""
    severity: Severity
    """Whether somebody was at the meter, somebody should look, or it is good to know."""
    happened_at: datetime
    """When, by the meter's clock, UTC."""
    detail: str
    """The device's own code or words."""
    source: str
    """Who sent it."""
    recorded_at: datetime
    """When it was stored, UTC."""


@router.post("", status_code=202, response_model=IntakeResult, openapi_extra=_BODY)
async def submit_device_events(
    request: Request,
    db: Db,
    caller: Writer,
    correlation_id: CorrelationId,
    now: Now,
    bodies: Bodies,
    publisher: Publishing,
) -> IntakeResult:
    """Take in events of devices: `{"items": […]}`, or a single one.

    202 once the broker has acknowledged what was accepted; 422 when nothing was. The same event
    again, by its id or by meter, kind and instant, changes nothing.
    """
    if media_type(request.headers.get("content-type")) != JSON:
        raise HttpRefusal(415, "unsupported_media_type", f"send events of devices as {JSON}")
    body, sender = await request.body(), Sender(caller.tenant_id, correlation_id)
    items = await bodies.read(len(body), lambda: _read(body, sender))
    outcomes = await handlers.take_in(db, publisher, caller.tenant_id, items, now)
    accepted = sum(isinstance(outcome, UUID) for outcome in outcomes)
    if not accepted:
        raise nothing_accepted(dict(enumerate(outcomes)))
    return IntakeResult(
        accepted=accepted,
        refused=len(items) - accepted,
        items=[ItemResult.of(index, outcome) for index, outcome in enumerate(outcomes)],
    )


def _read(body: bytes, sender: Sender) -> list[StoredEvent | Refusal]:
    if NUL in body:
        raise Rejected("nul_character", "the body holds a NUL character, which cannot be stored")
    return [read_item(item, sender) for item in counted(items_of(loads(body)))]


@router.get("")
async def list_device_events(
    db: Db,
    caller: Reader,
    paging: Paging,
    meter_id: UUID | None = None,
    kind: Annotated[DeviceEventKind | None, Query(description="Those of this kind")] = None,
    severity: Annotated[Severity | None, Query(description="Those that are so grave")] = None,
    from_at: Annotated[
        Instant | None, Query(alias="from", description="Those from this instant on")
    ] = None,
    before_at: Annotated[
        Instant | None, Query(alias="to", description="Those before this instant")
    ] = None,
) -> Page[DeviceEvent]:
    """What meters noted of themselves, the newest first."""
    wanted = store.DeviceEventFilter(meter_id, kind, severity, from_at, before_at)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_events(
            read,
            caller.tenant_id,
            wanted,
            after=paging.after(datetime.fromisoformat, UUID),
            rows_max=paging.rows,
        )
    return paging.cut(
        rows,
        item=DeviceEvent.model_validate,
        position=lambda row: (row["happened_at"], row["id"]),
    )
