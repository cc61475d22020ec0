"""Live streams of the whole process, on the real broker and database."""

import asyncio
import re
import signal
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from gridtally.database import ALL_TENANTS, transaction
from gridtally.http.keys import api_key
from gridtally.ingest.domain.live_readings import Gap, Wanted
from gridtally.ingest.handlers import live_readings
from gridtally.ingest.handlers.live_readings import REPLAYED_FOR, LiveReadings
from gridtally.kernel.errors import Transient
from gridtally.messaging import Progress
from live_streams import (
    LIMIT_S,
    PATH,
    SocketStream,
    known,
    meter,
    register,
    running,
    usage,
)

SLOW_DAYS = 2_000
GROWTH_KIB_MAX = 20_000
HANDSHAKE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
)


async def test_a_reading_over_http_is_an_event_of_its_tenant_and_nobody_elses(
    ingest_url, stack_servers, database, key_of, listen, sent, tenant
):
    meter_id, property_id = uuid4(), uuid4()
    async with running("serve", ingest_url, stack_servers) as process:
        await sent(tenant, meter(meter_id, property_id))
        await known(database, meter_id)
        own, foreign = await key_of(tenant), await key_of(f"{tenant}-other")
        streams = [
            await (await listen(process.url, own, **query)).begun()
            for query in ({}, {"meter_id": meter_id}, {"property_id": property_id})
        ]
        silent = [
            await (await listen(process.url, headers, **query)).begun()
            for headers, query in (
                (foreign, {}),
                (foreign, {"property_id": property_id}),
                (own, {"flow": "export"}),
                (own, {"property_id": uuid4()}),
            )
        ]
        async with httpx.AsyncClient(base_url=process.url, headers=own) as client:
            for hour in range(10):
                block = {
                    "meter_id": str(meter_id), "flow": "import", "minutes": 60,
                    "start_at": f"2025-03-01T{hour:02}:00:00Z", "values": [100 + hour],
                }  # fmt: skip
                answer = await client.post("/v1/readings", json=block)
                assert answer.status_code == 202
                for stream in streams:
                    name, data = await stream.next()
                    assert (name, data["meter_id"], data["flow"]) == (
                        "reading", str(meter_id), "import",
                    )  # fmt: skip
                    assert data["values"][hour] == 100 + hour
                    assert data["quality"] == "A" * (hour + 1) + "-" * (23 - hour)
                    assert (data["day"], data["version"]) == ("2025-03-01", hour + 1)
                    assert data["first_changed_slot"] == (hour or None)
            unknown = await client.get(PATH, params={"meter_id": str(uuid4())})
            assert (unknown.status_code, unknown.json()["code"]) == (404, "meter_unknown")
            both = await client.get(
                PATH, params={"meter_id": str(meter_id), "property_id": str(property_id)}
            )
            assert (both.status_code, both.json()["code"]) == (422, "invalid_request")
            theirs = await client.get(PATH, params={"meter_id": str(meter_id)}, headers=foreign)
            assert (theirs.status_code, theirs.json()["code"]) == (404, "meter_unknown")
        for stream in silent:
            with pytest.raises(TimeoutError):
                await stream.next(0.5)


async def test_a_register_reading_and_the_newest_version_of_what_came_meanwhile(
    ingest_url, stack_servers, key_of, listen, sent, tenant
):
    """Away for a while, through another process: each channel-day once, in its newest version."""
    meter_id, other_id = uuid4(), uuid4()
    async with (
        running("api", ingest_url, stack_servers) as first,
        running("api", ingest_url, stack_servers) as second,
    ):
        key = await key_of(tenant)
        stream = await (await listen(first.url, key)).begun()
        await sent(tenant, register(meter_id, 1, "12"))
        name, data = await stream.next()
        assert name == "register"
        assert (data["value"], data["unit"], data["version"]) == ("12", "kWh", 1)
        first.process.send_signal(signal.SIGKILL)
        with pytest.raises((EOFError, httpx.RemoteProtocolError)):
            await stream.next()
        for version in range(1, 4):
            await sent(tenant, usage(meter_id, version, [version] * 24))
        await sent(tenant, usage(other_id, 1, [5] * 24), register(meter_id, 2, "13"))
        await sent(f"{tenant}-other", usage(meter_id, 9, [9] * 24))
        again = await listen(second.url, key, stream.last_id)
        events = [await again.next() for _ in range(3)]
        assert sorted(
            (name, data["meter_id"], data["version"], data.get("first_changed_slot", "-"))
            for name, data in events
        ) == sorted(
            [
                ("reading", str(meter_id), 3, None),
                ("reading", str(other_id), 1, None),
                ("register", str(meter_id), 2, "-"),
            ]
        )
        await sent(tenant, usage(other_id, 2, [5] * 23 + [6]))
        name, data = await again.next()
        assert (name, data["version"], data["first_changed_slot"]) == ("reading", 2, None)
        await sent(tenant, usage(other_id, 3, [5] * 22 + [7, 6]))
        assert (await again.next())[1]["first_changed_slot"] == 22
        once_more = await listen(second.url, key, again.last_id)
        with pytest.raises(TimeoutError):
            await once_more.next(0.5)


@pytest.mark.parametrize(("last_id", "expected"), [("0:0", "gap"), ("far", "gap"), ("x", 422)])
async def test_an_id_of_which_the_log_does_not_know_is_a_gap_or_refused(
    ingest_url, stack_servers, key_of, listen, sent, tenant, last_id, expected
):
    async with running("api", ingest_url, stack_servers) as process:
        key = await key_of(tenant)
        if expected == 422:
            async with httpx.AsyncClient(base_url=process.url, headers=key) as client:
                refused = await client.get(PATH, headers={"Last-Event-ID": last_id})
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
            return
        begin = await (await listen(process.url, key)).begun()
        far = re.sub(r":\d+", lambda at: f"{at[0]}999", begin.last_id)
        stream = await listen(process.url, key, far if last_id == "far" else last_id)
        assert await stream.next() == ("gap", {"reason": "too_old"})
        await sent(tenant, usage(uuid4(), 1, [1] * 24))
        assert (await stream.next())[0] == "reading"


@pytest.mark.parametrize(
    ("more", "status", "event"),
    [("", 200, b"event: %b"), (HANDSHAKE, 101, b'"event":"%b"')],
    ids=["sse", "socket"],
)
async def test_a_slow_reader_costs_little_memory_and_is_sent_a_gap(
    ingest_url, stack_servers, database, key_of, listen_sse, sent, tenant, more, status, event
):
    """It reads nothing while thousands of channel-days change; another stream goes on beside it."""
    marker_id = uuid4()
    async with running("serve", ingest_url, stack_servers) as process:
        await sent(tenant, meter(marker_id))
        await known(database, marker_id)
        key = await key_of(tenant)
        marked = await (await listen_sse(process.url, key, meter_id=marker_id)).begun()
        reader, writer = await asyncio.open_connection("127.0.0.1", process.port, limit=2**16)
        try:
            request = (
                f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {key['Authorization']}\r\n"
                f"{more}\r\n"
            )
            writer.write(request.encode())
            head = await asyncio.wait_for(reader.readuntil(b"id"), LIMIT_S)
            assert head.startswith(b"HTTP/1.1 %d " % status)
            used_kib = []
            for _ in range(3):
                await sent(tenant, *(usage(uuid4(), 1, [1_000] * 96) for _ in range(SLOW_DAYS)))
                await sent(tenant, usage(marker_id, len(used_kib) + 1, [1]))
                assert (await marked.next())[1]["version"] == len(used_kib) + 1
                used_kib.append(process.rss_kib())
            assert used_kib[2] - used_kib[0] < GROWTH_KIB_MAX
            got = await asyncio.wait_for(reader.readuntil(event % b"gap"), LIMIT_S)
            assert got.count(event % b"reading") < SLOW_DAYS // 2
            assert await asyncio.wait_for(reader.readuntil(b"slow_reader"), LIMIT_S)
        finally:
            writer.close()
            await writer.wait_closed()


async def test_a_process_that_is_asked_to_end_ends_its_streams_first(
    ingest_url, stack_servers, key_of, listen, tenant
):
    async with running("api", ingest_url, stack_servers) as process:
        key = await key_of(tenant)
        streams = [await (await listen(process.url, key)).begun() for _ in range(100)]
        process.process.send_signal(signal.SIGTERM)
        for stream in streams:
            with pytest.raises(EOFError):
                await stream.next()
        assert await asyncio.wait_for(process.process.wait(), LIMIT_S) == 0


async def test_a_stream_ends_with_its_key_and_with_its_time(
    ingest_url, stack_servers, database, key_of, listen, sent, tenant
):
    async with running(
        "api", ingest_url, stack_servers, CHECK_EVERY_S=0.2, STREAM_LIMIT_S=6.0
    ) as process:
        kept, revoked = await key_of(tenant), await key_of(tenant)
        streams = [await (await listen(process.url, key)).begun() for key in (kept, revoked)]
        await sent(tenant, usage(uuid4(), 1, [1] * 24))
        for stream in streams:
            assert (await stream.next())[0] == "reading"
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            await tx.execute(
                sa.update(api_key)
                .where(api_key.c.key_id == revoked["Authorization"].split("_")[1])
                .values(revoked_at=sa.func.now())
            )
        with pytest.raises(EOFError):
            await streams[1].next(4)
        await sent(tenant, usage(uuid4(), 1, [1] * 24))
        assert (await streams[0].next())[0] == "reading"
        with pytest.raises(EOFError):
            await streams[0].next()
        if isinstance(streams[0], SocketStream):
            assert [(await stream.ended())[0] for stream in streams] == [1000, 4401]


async def test_a_stream_of_a_property_has_the_meters_that_come_to_it(
    ingest_url, stack_servers, database, key_of, listen, sent, tenant
):
    async with running("serve", ingest_url, stack_servers, CHECK_EVERY_S=0.2) as process:
        meter_id, property_id, key = uuid4(), uuid4(), await key_of(tenant)
        stream = await (await listen(process.url, key, property_id=property_id)).begun()
        await sent(tenant, meter(meter_id, property_id))
        await known(database, meter_id)
        await asyncio.sleep(1)
        await sent(tenant, usage(uuid4(), 1, [1] * 24), usage(meter_id, 1, [1] * 24))
        assert (await stream.next())[1]["meter_id"] == str(meter_id)


async def test_where_nothing_comes_a_ping_says_where_the_stream_is(
    ingest_url, stack_servers, key_of, listen, sent, tenant
):
    async with running("api", ingest_url, stack_servers, PING_EVERY_S=0.2) as process:
        stream = await (await listen(process.url, await key_of(tenant))).begun()
        begun_id = stream.last_id
        await sent(f"{tenant}-other", usage(uuid4(), 1, [1] * 24))
        async with asyncio.timeout(LIMIT_S):
            while stream.last_id == begun_id:
                await stream.begun()


async def test_what_is_older_than_ten_minutes_is_a_gap(kafka_bootstrap, sent, tenant):
    now = datetime.now(UTC)
    async with following(kafka_bootstrap, lambda: now) as live:
        wanted = Wanted(tenant)
        async with live.listening(wanted, None) as listener:
            begun_id = live.position
            await sent(tenant, usage(uuid4(), 1, [1] * 24))
            assert await listener.wait(LIMIT_S)
        async with live.listening(wanted, begun_id) as listener:
            assert listener.take().name == "reading"
        now += REPLAYED_FOR + timedelta(minutes=1)
        async with live.listening(wanted, begun_id) as listener:
            assert listener.take() == Gap("too_old", live.position)


async def test_who_listens_while_the_broker_is_away_hears_of_it_and_goes_on(
    kafka_bootstrap, sent, tenant, monkeypatch
):
    is_away = asyncio.Event()

    class Leaving(live_readings.Tail):
        """A broker that is gone for once."""

        async def batch(self):
            if is_away.is_set():
                is_away.clear()
                raise Transient("gone")
            return await super().batch()

    monkeypatch.setattr(live_readings, "Tail", Leaving)
    async with (
        following(kafka_bootstrap, lambda: datetime.now(UTC)) as live,
        live.listening(Wanted(tenant), None) as listener,
    ):
        is_away.set()
        assert await listener.wait(LIMIT_S)
        gap = listener.take()
        assert (gap.name, gap.reason) == ("gap", "broker_away")
        await sent(tenant, usage(uuid4(), 1, [1] * 24))
        assert await listener.wait(LIMIT_S)
        assert listener.take().name == "reading"


@asynccontextmanager
async def following(bootstrap, clock):
    """The live readings of a process, which follow the topics."""
    stop = asyncio.Event()
    live = LiveReadings(bootstrap, clock, stop)
    running_on = asyncio.create_task(live.run(Progress("live"), stop))
    try:
        yield live
    finally:
        stop.set()
        await running_on
