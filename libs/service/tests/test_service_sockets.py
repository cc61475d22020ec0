"""WebSockets of the server itself, on a socket: who gets one, and what ends it."""

import asyncio
import logging
import socket
from contextlib import suppress

import pytest
from websockets.asyncio.client import unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gridtally.service import connections, read_limit, sockets
from gridtally.service import server as server_module
from shop import TOKEN

ECHO = "ws://x/v1/echo"
KEY = {"Authorization": f"Bearer {TOKEN}"}
HANDSHAKE = (
    b"Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
)
LIMIT_S = 20


@pytest.fixture
async def path(app, tmp_path, caplog):
    """Where the application is served until the test ends; nothing of it may be a failure."""
    address, stop = str(tmp_path / "http"), asyncio.Event()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        server = server_module.Server(app, stop=stop, grace_s=1)
        serving = asyncio.create_task(server.serve([listening]))
        yield address
        stop.set()
        await serving
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def opened(path, uri=ECHO, **more):
    return unix_connect(path, uri, **more)


async def answer_to(path, request):
    """What comes until the server closes, or has nothing more to say for now."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(request)
    async with asyncio.timeout(LIMIT_S):
        answer = await reader.read(2**16)
    with suppress(TimeoutError):
        async with asyncio.timeout(0.1):
            while data := await reader.read(2**16):
                answer += data
    writer.close()
    return answer


async def test_a_message_comes_and_goes_whole_or_in_pieces_and_is_counted(path):
    async with opened(path) as connection:
        for sent, got in (("ab", "ab"), (["a", "", "b"], "ab"), ("", "")):
            await connection.send(sent)
            assert await connection.recv() == got
        assert connection.response.headers["X-Correlation-Id"]
        assert connection.response.headers.get("Sec-WebSocket-Extensions") is None
    metrics = await answer_to(path, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b'route="/v1/echo",status="101"' in metrics


@pytest.mark.parametrize(
    ("request_line", "more", "status"),
    [
        (b"GET /health/live HTTP/1.1", b"", b"200"),
        (b"GET /v1/fail/away HTTP/1.1", b"", b"503"),
        (b"GET /v1/echo/ HTTP/1.1", b"", b"404"),
        (b"POST /v1/echo HTTP/1.1", b"", b"404"),
        (b"GET /v1/echo HTTP/1.0", b"", b"404"),
        (b"GET /v1/echo HTTP/1.1", b"Content-Length: 0\r\n", b"404"),
        (b"GET /v1/echo HTTP/1.1", b"Transfer-Encoding: chunked\r\n", b"404"),
        (b"GET /v1/echo?wanted=%FF%00 HTTP/1.1", b"", b"101"),
        (b"GET /v1/echo?other=1 HTTP/1.1", b"", b"422"),
        (b"GET /v1/echo HTTP/1.1", b"Authorization: Bearer none\r\n", b"401"),
        (b"GET /v1/echo HTTP/1.1", b"Sec-WebSocket-Key: again\r\n", b"400"),
        (b"GET /v1/echo HTTP/1.1", b"Sec-WebSocket-Protocol: a,,b\r\n", b"101"),
        (b"GET /v1/echo HTTP/1.1", b"x: y\r\n" * 200, b"431"),
        (b"GET /v1/echo HTTP/1.1", b"x: " + b"y" * 9_000 + b"\r\n", b"431"),
        (b"GET /v1/echo HTTP/1.1", b"", b"101"),
    ],
)
async def test_who_asks_for_a_websocket_and_how_it_is_answered(path, request_line, more, status):
    answer = await answer_to(path, request_line + b"\r\n" + HANDSHAKE + more + b"\r\n")
    assert answer.split(b" ")[1] == status, answer[:200]


async def test_a_path_with_bytes_that_are_no_text_is_closed(path):
    answer = await answer_to(path, b"GET /v1/echo?\xff HTTP/1.1\r\n" + HANDSHAKE + b"\r\n")
    assert not answer.startswith(b"HTTP/1.1 101")


async def test_a_handshake_behind_a_request_without_an_answer_is_none(path):
    before = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = await answer_to(path, before + b"GET /v1/echo HTTP/1.1\r\n" + HANDSHAKE + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 404" in answer


async def test_a_handshake_has_no_room_beyond_the_bound(path, monkeypatch):
    monkeypatch.setattr(server_module, "CONNECTIONS_MAX", 0)
    with pytest.raises(InvalidStatus) as refused:
        await opened(path)
    assert refused.value.response.status_code == 404


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x81\0\0\0\0\xff", 1007),
        (b"\x81\x01a", 1002),
        (b"\x83\x80\0\0\0\0", 1002),
        (b"\x80\x80\0\0\0\0", 1002),
        (b"\xc1\x81\0\0\0\0a", 1002),
        (b"\x81\xff" + b"\x7f" + b"\xff" * 7 + b"\0" * 4, 1009),
        (b"\x81\xfe\x20\x01" + b"\0" * 4, 1009),
        (b"\x01\x80\0\0\0\0" + b"\x00\x80\0\0\0\0" * 200, 1009),
    ],
    ids=["text", "unmasked", "opcode", "continuation", "reserved", "endless", "long", "pieces"],
)
async def test_what_is_no_message_closes_with_the_reason(path, frame, code):
    async with opened(path) as connection:
        connection.transport.write(frame)
        async with asyncio.timeout(LIMIT_S):
            await connection.wait_closed()
        assert connection.close_code == code


async def test_a_failure_closes_and_says_nothing_of_itself(path):
    async with opened(path, f"{ECHO}?wanted=nothing") as connection:
        await connection.send("a")
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        assert (connection.close_code, connection.close_reason) == (1011, "")


async def test_a_caller_that_pings_and_reads_no_answer_is_cut_off(path, monkeypatch):
    monkeypatch.setattr(sockets, "UNSENT_BYTES_MAX", 4_096)
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"GET /v1/echo HTTP/1.1\r\n" + HANDSHAKE + b"\r\n")
    await reader.readuntil(b"\r\n\r\n")
    reader._transport.pause_reading()
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(LIMIT_S):
            while True:
                writer.write((b"\x89\xfd\0\0\0\0" + b"x" * 125) * 100)
                await writer.drain()


async def test_a_caller_that_reads_nothing_is_cut_off_and_what_is_sent_ends(
    path, monkeypatch, rows_ended
):
    monkeypatch.setattr(read_limit, "READ_LIMIT_S", 0.2)
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"GET /v1/rows HTTP/1.1\r\n" + HANDSHAKE + b"\r\n")
    await reader.readuntil(b"\r\n\r\n")
    reader._transport.pause_reading()
    async with asyncio.timeout(LIMIT_S):
        await rows_ended.wait()
    writer.close()


async def test_without_a_key_the_one_that_has_waited_longest_makes_room(path, monkeypatch):
    monkeypatch.setattr(connections, "OF_ADDRESS_MAX", 5)
    async with opened(path, additional_headers=KEY) as known:
        assert known.response.headers["RateLimit"]
        waiting = [await opened(path) for _ in range(10)]
        async with asyncio.timeout(LIMIT_S):
            await asyncio.gather(*(connection.wait_closed() for connection in waiting[:5]))
        for connection in (known, *waiting[6:]):
            await connection.send("a")
            assert await connection.recv() == "a"
        for connection in waiting:
            await connection.close()
