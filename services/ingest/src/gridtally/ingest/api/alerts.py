"""Alerts over HTTP: what is wrong with meters, since when, and who has seen it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query

from gridtally.contracts.model import Amount, Instant, Text
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel, Body
from gridtally.ingest.api.callers import Reader, Writer
from gridtally.ingest.domain.alert_rules import KINDS, AlertKind, AlertUnit
from gridtally.ingest.domain.alerts import Clearing
from gridtally.ingest.domain.meters import Flow
from gridtally.ingest.handlers import alerts as handlers
from gridtally.ingest.store import alerts as store
from gridtally.kernel.errors import NotFound

router = Router(prefix="/v1/alerts", tags=["alerts"])


class Alert(AnswerModel):
    """Something that is, or was, wrong with the readings of a meter."""

    id: UUID
    """The alert."""
    kind: AlertKind
    """What is wrong."""
    meter_id: UUID
    """The meter."""
    meter_name: str | None
    """What people call the meter; null of one that is there no more."""
    flow: Flow | None
    """The channel's flow; null where it is about all channels of the meter."""
    number: int
    """Which alert of its kind it is of this channel (or meter), from 1."""
    since_at: datetime
    """Since when it is so, UTC."""
    day: date | None
    """The last local day that it was seen on; null where readings do not come."""
    value: Amount
    """What was measured last, in `unit`."""
    worst_value: Amount
    """The highest that was measured while it lasts, in `unit`."""
    limit: Amount
    """The limit that it has reached, in `unit`."""
    unit: AlertUnit
    """What `value`, `worst_value` and `limit` are in."""
    raised_at: datetime
    """When it was raised, UTC."""
    seen_at: datetime
    """When it was last seen to be so, UTC."""
    cleared_at: datetime | None
    """When it was cleared, UTC; null while it is open."""
    reason: Clearing | None
    """Why it was cleared: it is so no more, its rule is off, or the meter or its channel is there
    no more; null while it is open."""
    acknowledged_at: datetime | None
    """When somebody said that they have seen it, UTC."""
    acknowledged_by: str | None
    """Whose key that was."""
    note: str | None
    """What they noted."""


class Acknowledgement(Body):
    """That somebody has seen an alert."""

    note: Text
    """What they know of it or do about it, for others."""


def _answer(row: Any) -> Alert:
    return Alert.model_validate(
        dict(row) | {"flow": row["flow"] or None, "unit": KINDS[row["kind"]].unit}
    )


@router.get("")
async def list_alerts(
    db: Db,
    caller: Reader,
    paging: Paging,
    state: Annotated[
        Literal["open", "cleared", "all"], Query(description="Those that are open, or were cleared")
    ] = "open",
    kind: Annotated[AlertKind | None, Query(description="Those of this kind")] = None,
    meter_id: UUID | None = None,
    raised_from: Annotated[
        Instant | None, Query(alias="since", description="Those raised from this instant on")
    ] = None,
    acknowledged: Annotated[
        bool | None, Query(description="Those that somebody has seen, or nobody")
    ] = None,
) -> Page[Alert]:
    """Alerts, the newest first."""
    is_open = None if state == "all" else state == "open"
    wanted = store.AlertFilter(is_open, kind, meter_id, raised_from, acknowledged)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_alerts(
            read,
            caller.tenant_id,
            wanted,
            after=paging.after(datetime.fromisoformat, UUID),
            rows_max=paging.rows,
        )
    return paging.cut(rows, item=_answer, position=lambda row: (row["raised_at"], row["id"]))


@router.get("/{alert_id}")
async def get_alert(alert_id: UUID, db: Db, caller: Reader) -> Alert:
    """An alert."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        row = await store.fetch_alert(read, caller.tenant_id, alert_id)
    if row is None:
        raise NotFound("alert_unknown", "no alert has this id")
    return _answer(row)


@router.post("/{alert_id}/acknowledge", status_code=204)
async def acknowledge_alert(
    alert_id: UUID, body: Acknowledgement, db: Db, caller: Writer, now: Now
) -> None:
    """Say that somebody has seen the alert, with a note. It stays open until it ends."""
    async with transaction(db, tenant=caller.tenant_id) as tx:
        await handlers.acknowledge(tx, caller.tenant_id, alert_id, caller.key_id, body.note, now)
