"""Notes are written by API, told to the broker, and heard again by this very service."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import sqlalchemy as sa
import structlog
from fastapi import Depends
from sqlalchemy.dialects.postgresql import insert

from gridtally.contracts.metering import ReadingsRejected
from gridtally.database import snapshot, transaction
from gridtally.http.auth import Principal, require
from gridtally.http.context import CorrelationId, Db
from gridtally.http.json_bodies import Router
from gridtally.kernel.ids import new_id
from gridtally.messaging import OutgoingMessage, Subscription, enqueue
from gridtally.service.service import Loop, Parts, Service
from gridtally.service.settings import ServiceSettings
from notes.tables import note

Reader = Annotated[Principal, Depends(require("notes:read"))]
Writer = Annotated[Principal, Depends(require("notes:write"))]
log = structlog.get_logger(__name__)


class Settings(ServiceSettings):
    """How this service is to go wrong."""

    consumer_crashes_on: str = ""
    """A note that it cannot bear to hear; others of earlier services are in the topic too."""
    loop_ignores_stop: bool = False


def note_written(text: str, tenant_id: str, correlation_id: str) -> OutgoingMessage:
    return OutgoingMessage.raw(
        ReadingsRejected.TOPIC,
        text,
        None,
        tenant_id=tenant_id,
        correlation_id=correlation_id,
        source="notes",
        event_id=new_id(),
        occurred_at=datetime(2025, 1, 1, tzinfo=UTC),
    )


def routes(stopping: asyncio.Event) -> Router:
    router = Router(prefix="/v1/notes")

    @router.post("/{text}", status_code=201)
    async def write(text: str, db: Db, caller: Writer, correlation_id: CorrelationId) -> None:
        async with transaction(db, tenant=caller.tenant_id) as tx:
            await tx.execute(
                insert(note).values(
                    tenant_id=caller.tenant_id, text=text, correlation_id=correlation_id
                )
            )
            await enqueue(tx, [note_written(text, caller.tenant_id, correlation_id)])

    @router.get("")
    async def read(db: Db, caller: Reader) -> list[tuple[str, str]]:
        async with snapshot(db, tenant=caller.tenant_id) as tx:
            rows = await tx.all(sa.select(note).order_by(note.c.text))
        return [(row["text"], row["correlation_id"]) for row in rows]

    @router.get("/slowly")
    async def slowly() -> str:
        log.info("asked slowly")
        await stopping.wait()
        await asyncio.sleep(0.1)
        return "done"

    return router


def build(process):
    settings = process.settings
    stopping = asyncio.Event()

    async def hear(tx, received):
        unbearable = settings.consumer_crashes_on
        if unbearable and any(message.key.endswith(f":{unbearable}") for message in received):
            raise MemoryError  # for which no message is to blame
        for message in received:
            envelope = message.envelope
            values = {
                "tenant_id": envelope.tenant_id,
                "text": f"heard {message.key}",
                "correlation_id": envelope.correlation_id,
            }
            await tx.execute(insert(note).values(values).on_conflict_do_nothing())

    async def tick(progress, stop):
        while settings.loop_ignores_stop or not stop.is_set():
            progress.handled += 1
            await asyncio.sleep(0.05)
        stopping.set()

    return Parts([routes(stopping)], [Subscription(ReadingsRejected, hear)], [Loop("tick", tick)])


SERVICE = Service("notes", __package__, Settings, build)
