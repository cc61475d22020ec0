"""Live streams of whole processes of ingest: what starts them, opens them and publishes to them."""

import asyncio
import json
import os
import re
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from gridtally.contracts.metering import (
    Channel,
    MeterRegistered,
    ReadingRecorded,
    UsageRecorded,
)
from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.http.keys import api_key, sha256_hex
from gridtally.messaging import OutgoingMessage, ensure_topics

LIMIT_S = 120
SECRET = "s" * 43
PATH = "/v1/readings/stream"
WITH_LIMITS = """
import sys
from gridtally.ingest.api.live_readings import sockets, streams
for module in (sockets, streams):
    vars(module).update(%r)
from gridtally.ingest.app import SERVICE
from gridtally.service.process import main
main(SERVICE)
"""
"""A process whose minutes are shorter."""


class Process:
    """`python -m gridtally.ingest <mode>`, its lines and where it listens."""

    def __init__(self, process, lines, port):
        self.process, self.lines, self.port = process, lines, port

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def rss_kib(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


@asynccontextmanager
async def running(mode, url, servers, settings=None, **limits):
    """A process of ingest; `limits` are constants of its streams."""
    environment = os.environ | {
        "DATABASE_URL": url, "KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap, "HTTP_PORT": "0",
        "KAFKA_IDEMPOTENCE": str(servers.idempotence), "KEY_CACHE_TTL_S": "0",
        "ANNOUNCE_DELAY_S": "0",
    } | (settings or {})  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WITH_LIMITS % limits, mode, env=environment,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    lines, drained = [], None
    try:
        async with asyncio.timeout(LIMIT_S):
            while not (ready := re.search(r'"port": ?(\d+)', lines[-1] if lines else "")):
                line = await process.stderr.readline()
                assert line, lines
                lines.append(line.decode())
        drained = asyncio.create_task(drain(process.stderr, lines))
        yield Process(process, lines, int(ready[1]))
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
        if drained is not None:
            await drained


async def drain(stream, lines):
    while line := await stream.readline():
        lines.append(line.decode())


class Stream:
    """An open stream: its events as they come."""

    def __init__(self, answer):
        self._lines = answer.aiter_lines()
        self.last_id = None

    async def next(self, limit_s=LIMIT_S):
        """The next event, (name, data); pings are read over, but for their id."""
        name, data = None, None
        async with asyncio.timeout(limit_s):
            async for line in self._lines:
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    data = json.loads(value)
                elif field == "id":
                    self.last_id = value
                elif not line and name is not None:
                    return name, data
        raise EOFError

    async def begun(self):
        """Once it has said where it begins."""
        async with asyncio.timeout(LIMIT_S):
            async for line in self._lines:
                if line.startswith("id: "):
                    self.last_id = line.removeprefix("id: ")
                    break
        return self


@pytest.fixture
async def database(ingest_url):
    async with await Database.connect(ingest_url, application="test") as opened:
        yield opened


@pytest.fixture
async def key_of(database):
    """Makes keys: `headers = await key_of("acme")`."""

    async def make(tenant, *scopes):
        key_id = uuid4().hex[:12]
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            await tx.execute(
                sa.insert(api_key).values(
                    key_id=key_id, tenant_id=tenant, secret_sha256=sha256_hex(SECRET),
                    scopes=list(scopes or ("ingest:read", "ingest:write")), name="test",
                )
            )  # fmt: skip
        return {"Authorization": f"Bearer gt_{key_id}_{SECRET}"}

    return make


class SocketStream:
    """The same over a WebSocket."""

    def __init__(self, socket):
        self._socket = socket
        self.last_id = None

    async def next(self, limit_s=LIMIT_S):
        async with asyncio.timeout(limit_s):
            while (event := await self._received())["event"] == "ping":
                pass
        return event["event"], event["data"]

    async def begun(self):
        async with asyncio.timeout(LIMIT_S):
            await self._received()
        return self

    async def _received(self):
        try:
            event = json.loads(await self._socket.recv())
        except ConnectionClosed as closed:
            raise EOFError from closed
        self.last_id = event["id"] or self.last_id
        return event

    async def ended(self):
        """Code and reason with which it is closed."""
        async with asyncio.timeout(LIMIT_S):
            await self._socket.wait_closed()
        return self._socket.close_code, self._socket.close_reason


@pytest.fixture
async def listen_sse():
    """Opens streams: `stream = await listen_sse(url, headers, flow="import")`."""
    async with AsyncExitStack() as opened:

        async def open_stream(url, headers, last_id=None, **query):
            client = await opened.enter_async_context(httpx.AsyncClient(timeout=LIMIT_S))
            more = {} if last_id is None else {"Last-Event-ID": last_id}
            answer = await opened.enter_async_context(
                client.stream("GET", url + PATH, params=query, headers=headers | more)
            )
            assert answer.status_code == 200, await answer.aread()
            return Stream(answer)

        yield open_stream


@pytest.fixture
async def open_socket():
    """Opens WebSockets: `socket = await open_socket(url, headers, flow="import")`."""
    async with AsyncExitStack() as opened:

        async def open_at(url, headers, **query):
            address = httpx.URL(url.replace("http", "ws", 1) + PATH, params=query)
            socket = connect(str(address), additional_headers=headers, open_timeout=LIMIT_S)
            return await opened.enter_async_context(socket)

        yield open_at


@pytest.fixture
async def listen_socket(open_socket):
    """As `listen_sse`, over WebSockets."""

    async def open_stream(url, headers, last_id=None, **query):
        asked = query if last_id is None else query | {"last_event_id": last_id}
        return SocketStream(await open_socket(url, headers, **asked))

    return open_stream


@pytest.fixture(params=["sse", "socket"])
def listen(request, listen_sse, listen_socket):
    """Opens streams of both faces, one after the other."""
    return {"sse": listen_sse, "socket": listen_socket}[request.param]


@pytest.fixture
async def sent(publishing, kafka_bootstrap):
    """Publishes events of a tenant: `await sent("acme", event, …)`."""
    await ensure_topics(kafka_bootstrap)
    async with publishing() as publisher:

        async def send(tenant, *events):
            await publisher.publish(
                [
                    OutgoingMessage.of(
                        event, tenant_id=tenant, correlation_id="c", source="test",
                        event_id=uuid4(), occurred_at=datetime.now(UTC),
                    )
                    for event in events
                ]
            )  # fmt: skip

        yield send


@pytest.fixture
def tenant():
    return f"t-{uuid4().hex[:8]}"


def meter(meter_id, property_id=None, version=1):
    return MeterRegistered(
        meter_id=meter_id, property_id=property_id or uuid4(), meter_type="main", name="m",
        zone="UTC", version=version,
        channels=[Channel(flow="import", minutes=60, interval_wh_max=1_000)],
    )  # fmt: skip


def usage(meter_id, version, values, *, day=date(2025, 3, 1), flow="import"):
    return UsageRecorded(
        meter_id=meter_id, flow=flow, day=day, zone="UTC", minutes=60, version=version,
        values=values, quality="A" * len(values), recorded_at=datetime.now(UTC),
    )  # fmt: skip


def register(meter_id, version, value):
    return ReadingRecorded(
        entry_id=uuid4(), reading_id=meter_id, version=version, meter_id=meter_id,
        property_id=uuid4(), flow="import", kind="reading", value=value, digits=6, decimals=0,
        multiplier="1", quality="actual", read_at=datetime.now(UTC), recorded_at=datetime.now(UTC),
    )  # fmt: skip


async def known(database, meter_id):
    async with asyncio.timeout(LIMIT_S):
        while True:
            async with snapshot(database, tenant=ALL_TENANTS) as read:
                if await read.scalar(sa.text("SELECT count(*) FROM meter WHERE id = :id"),
                                     {"id": meter_id}):  # fmt: skip
                    return
            await asyncio.sleep(0.05)
