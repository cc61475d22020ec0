"""A tiny shop, an application to try the HTTP edge with: no servers, and keys kept by hand."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import Depends, FastAPI, Response, WebSocket
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from gridtally.database import Database
from gridtally.database.engine import engine_of
from gridtally.http.api import build_app
from gridtally.http.auth import Principal, let_in, require
from gridtally.http.context import CorrelationId
from gridtally.http.etags import RequiredMatch, tag
from gridtally.http.json_bodies import Router
from gridtally.http.keys import StoredKey, sha256_hex
from gridtally.http.paging import Page, Paging
from gridtally.http.windows import OptionalUtcFrom, known_instant_of
from gridtally.kernel.errors import Conflict, Fault, NotFound, Rejected, Transient
from gridtally.observability.health import Health
from gridtally.observability.metrics import Metrics
from gridtally.service.settings import ServiceSettings

SECRET = "s" * 43
TOKEN = f"gt_abcdefgh_{SECRET}"
OPERATOR = "operator"
BODY_BYTES_MAX = 4096
BODIES_BYTES_MAX = 64 * 1024 * 1024
FAILURES = {
    "rejected": Rejected("tariff_gap", "no price", (Fault("/components/3/rate", "is missing"),)),
    "missing": NotFound("meter_unknown", "no such meter"),
    "conflict": Conflict("meter_exists", "another meter has this id"),
    "away": Transient("connection to 10.0.0.7 refused"),
    "at_length": Rejected("odd", "x" * 10**6, (Fault("/" + "y" * 10**6, "z" * 10**6),) * 1000),
    "half": Rejected("odd", "\ud800 is unknown", (Fault("/\udfff", "\ud800"),)),
    "defect": ZeroDivisionError("a secret detail"),
}


class Item(BaseModel):
    amount: int


class Order(BaseModel):
    items: list[Item] = Field(max_length=100)
    by_name: dict[str, Item] = Field(default_factory=dict)


async def endless(ended: asyncio.Event) -> AsyncIterator[bytes]:
    """Rows for as long as somebody wants them."""
    try:
        while True:
            yield b"row\n"
            await asyncio.sleep(0)
    finally:
        ended.set()


Reader = Annotated[Principal, Depends(require("shop:read"))]


def shop(rows_ended: asyncio.Event) -> Router:
    router = Router()

    @router.post("/v1/orders")
    async def order(order: Order, correlation_id: CorrelationId) -> dict[str, str | int]:
        return {"correlation_id": correlation_id, "items": len(order.items)}

    @router.get("/v1/orders", dependencies=[Depends(require("shop:read"))])
    async def orders(
        paging: Paging, status: str | None = None, since: OptionalUtcFrom = None
    ) -> Page[str]:
        known = "" if since is None else f" since {known_instant_of(since)}"
        return Page(items=[f"{status} {paging.limit}{known}"])

    @router.post("/v1/items")
    async def keep(item: Item, caller: Reader) -> str:
        return f"{caller.tenant_id}:{item.amount}"

    @router.get("/v1/rows/first")
    async def first_rows(caller: Reader) -> StreamingResponse:
        return StreamingResponse(iter([caller.tenant_id, ":1"]))

    @router.get("/v1/rows")
    async def rows() -> StreamingResponse:
        return StreamingResponse(endless(rows_ended))

    @router.get("/v1/fail/{how}")
    async def fail(how: str) -> None:
        raise FAILURES[how]

    @router.get("/v1/orders/{order_id}")
    async def one(order_id: UUID, caller: Reader) -> str:
        return f"{caller.tenant_id}:{order_id}"

    @router.put("/v1/orders/{order_id}")
    async def change(order_id: UUID, match: RequiredMatch, response: Response) -> None:
        assert order_id
        match.check(7)
        tag(response, 8)

    return router


def sockets(rows_ended: asyncio.Event) -> Router:
    router = Router()

    @router.websocket("/v1/echo")
    async def echo(socket: WebSocket, wanted: str = "text") -> None:
        if authorization := socket.headers.get("authorization"):
            await let_in(socket, authorization, "shop:read")
        await socket.accept()
        while (message := await socket.receive())["type"] == "websocket.receive":
            await socket.send_text(message[wanted])

    @router.websocket("/v1/rows")
    async def rows(socket: WebSocket) -> None:
        await socket.accept()
        async for row in endless(rows_ended):
            await socket.send_bytes(row)

    return router


@dataclass
class Keyring:
    """What `gridtally.http.keys.Keyring` does, from memory."""

    keys: dict[str, StoredKey] = field(default_factory=dict)

    async def find(self, key_id: str) -> StoredKey | None:
        return self.keys.get(key_id)


@pytest.fixture
def body_bytes_max() -> int:
    return BODY_BYTES_MAX


@pytest.fixture
def rows_ended() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
def app(body_bytes_max: int, rows_ended: asyncio.Event) -> FastAPI:
    settings = ServiceSettings.model_construct(
        body_bytes_max=body_bytes_max,
        bodies_bytes_max=BODIES_BYTES_MAX,
        export_scratch_bytes_max=1,
        rate_limit_per_s=0.5,
        calculations_of_tenant_max=2,
        operator_token_sha256=sha256_hex(OPERATOR),
    )
    app = build_app(
        title="Shop",
        version="1",
        routers=[shop(rows_ended), sockets(rows_ended)],
        database=Database(engine_of("postgresql://nowhere/none")),
        health=Health(),
        metrics=Metrics("shop"),
        settings=settings,
    )
    key = StoredKey("north", "abcdefgh", sha256_hex(SECRET), frozenset({"shop:read"}))
    app.state.keyring = Keyring({key.key_id: key})
    return app


@pytest.fixture
async def client(app):
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


@pytest.fixture
def headers():
    return {"authorization": f"Bearer {TOKEN}"}
