"""Readings over a WebSocket: how callers are let in, and what closes them."""

import asyncio
import json
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus

from live_streams import SECRET, SocketStream, running, usage

ORIGIN = "https://meters.example"
UNKNOWN = f"gt_{'0' * 12}_{SECRET}"


@pytest.fixture
async def process(ingest_url, stack_servers):
    settings = {"WEBSOCKET_ORIGINS": f"https://other.example,{ORIGIN}"}
    async with running("api", ingest_url, stack_servers, settings, GREETING_LIMIT_S=1.0) as process:
        yield process
    failed = [line for line in process.lines if "Traceback" in line or '"error"' in line]
    assert not [line for line in failed if '"logger": "aiokafka.' not in line]  # a young broker


async def closed_after(socket, *messages):
    """How it is closed by the end, with all that was sent before."""
    for message in messages:
        await socket.send(message)
    return await SocketStream(socket).ended()


async def test_a_page_shows_its_key_in_the_first_message_and_goes_on_where_it_was(
    process, open_socket, key_of, sent, tenant
):
    headers = await key_of(tenant)
    key = headers["Authorization"].removeprefix("Bearer ")
    socket = await open_socket(process.url, {"Origin": ORIGIN})
    await socket.send(json.dumps({"key": key}))
    stream = await SocketStream(socket).begun()
    meter_id = uuid4()
    await sent(tenant, usage(meter_id, 1, [1] * 24))
    assert (await stream.next())[1]["version"] == 1
    await socket.close()
    await sent(tenant, usage(meter_id, 2, [2] * 24))
    again = await open_socket(process.url, {})
    await again.send(json.dumps({"key": key, "last_event_id": stream.last_id}))
    name, data = await SocketStream(again).next()
    assert (name, data["version"], data["values"]) == ("reading", 2, [2] * 24)


async def test_a_handshake_is_refused_as_a_request_is(process, open_socket, key_of, tenant):
    own, foreign = await key_of(tenant), await key_of(tenant, "billing:read")
    for headers, query, status, code in (
        ({"Authorization": f"Bearer {UNKNOWN}"}, {}, 401, "unauthorized"),
        ({"Authorization": "Basic eDp5"}, {}, 401, "unauthorized"),
        (foreign, {}, 403, "forbidden"),
        (own | {"Origin": "https://evil.example"}, {}, 403, "origin_refused"),
        ({"Origin": "null"}, {}, 403, "origin_refused"),
        (own, {"meter_id": str(uuid4())}, 404, "meter_unknown"),
        (own, {"meter_id": "7"}, 422, "invalid_request"),
        (own, {"meter": str(uuid4())}, 422, "invalid_request"),
        (own, {"last_event_id": "none"}, 422, "invalid_request"),
        (own | {"Last-Event-ID": "0" * 2_001}, {}, 422, "invalid_request"),
    ):
        with pytest.raises(InvalidStatus) as refused:
            await open_socket(process.url, headers, **query)
        answer = refused.value.response
        assert (answer.status_code, json.loads(answer.body)["code"]) == (status, code), query
        assert answer.headers["X-Correlation-Id"]


async def test_a_first_message_is_refused_by_a_close_with_the_status_and_the_code(
    process, open_socket, key_of, tenant
):
    foreign = await key_of(tenant, "billing:read")
    key = (await key_of(tenant))["Authorization"].removeprefix("Bearer ")
    lacking = foreign["Authorization"].removeprefix("Bearer ")
    for message, query, expected in (
        (json.dumps({"key": UNKNOWN}), {}, (4401, "unauthorized")),
        (json.dumps({"key": lacking}), {}, (4403, "forbidden")),
        (json.dumps({"key": key}), {"meter_id": str(uuid4())}, (4404, "meter_unknown")),
        (json.dumps({"key": key, "last_event_id": "none"}), {}, (4422, "invalid_request")),
        (json.dumps({"key": key, "more": 1}), {}, (4422, "invalid_request")),
        (json.dumps({"key": 7}), {}, (4422, "invalid_request")),
        (json.dumps({"key": key}).encode(), {}, (4422, "invalid_request")),
        ('{"key": "\\ud800"}', {}, (4422, "invalid_request")),
        ("[" * 8_000, {}, (4422, "invalid_request")),
        ("", {}, (4422, "invalid_request")),
        ("x" * 8_193, {}, (1009, None)),
    ):
        socket = await open_socket(process.url, {}, **query)
        code, reason = await closed_after(socket, message)
        assert code == expected[0], message[:50]
        assert expected[1] in (None, reason)
    silent = await open_socket(process.url, {})
    assert await closed_after(silent) == (4401, "unauthorized")


async def test_who_says_more_than_its_key_is_closed(process, open_socket, key_of, tenant):
    headers = await key_of(tenant)
    key = headers["Authorization"].removeprefix("Bearer ")
    for message in ("more", b"more", ""):
        socket = await open_socket(process.url, headers)
        await SocketStream(socket).begun()
        assert (await closed_after(socket, message))[0] == 1008
    greeted = await open_socket(process.url, {})
    assert (await closed_after(greeted, json.dumps({"key": key}), "more"))[0] == 1008


async def test_whoever_goes_away_leaves_its_place(ingest_url, stack_servers, open_socket, key_of):
    async with running("api", ingest_url, stack_servers, STREAMS_OF_TENANT_MAX=1) as process:
        headers = await key_of("crowded")
        key = headers["Authorization"].removeprefix("Bearer ")
        first = await open_socket(process.url, headers)
        await SocketStream(first).begun()
        with pytest.raises(InvalidStatus) as refused:
            await open_socket(process.url, headers)
        assert refused.value.response.status_code == 503
        assert refused.value.response.headers["Retry-After"]
        second = await open_socket(process.url, {})
        assert await closed_after(second, json.dumps({"key": key})) == (4503, "too_many_streams")
        await first.close()
        async with asyncio.timeout(30):
            while True:
                try:
                    third = await open_socket(process.url, headers)
                    break
                except InvalidStatus:
                    await asyncio.sleep(0.1)
        assert await SocketStream(third).begun()
