"""The HTTP server itself, on a socket: bounds on heads and bodies that do not end."""

import asyncio
import json
import socket

import pytest

from gridtally.http import body_limits
from gridtally.service import connections, read_limit
from gridtally.service import server as server_module
from shop import TOKEN

HEALTH = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
ORDER = b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"


@pytest.fixture
async def connect(app, tmp_path):
    """Opens connections to the application, which is served until the test ends."""
    path, stop = str(tmp_path / "http"), asyncio.Event()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        server = server_module.Server(app, stop=stop, grace_s=1)
        serving = asyncio.create_task(server.serve([listening]))
        opened = []

        async def open_connection():
            reader, writer = await asyncio.open_unix_connection(path)
            opened.append(writer)
            return reader, writer

        yield open_connection
        for writer in opened:
            writer.close()
        stop.set()
        await serving


async def answer_of(reader):
    """Status and body of the next answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


async def test_a_connection_serves_request_after_request(connect):
    reader, writer = await connect()
    for _ in range(3):
        writer.write(HEALTH + b"\r\n")
        assert (await answer_of(reader))[0] == 200


async def test_a_head_has_no_body_and_ends_what_makes_one(connect, rows_ended):
    reader, writer = await connect()
    for _ in range(2):  # on one connection: what is no body is not left lying in the way
        writer.write(b"HEAD /v1/rows HTTP/1.1\r\nHost: x\r\n\r\n")
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert head.startswith("http/1.1 200")
        assert "transfer-encoding" not in head
        await rows_ended.wait()
        rows_ended.clear()
    writer.write(HEALTH + b"\r\n")
    assert (await answer_of(reader))[0] == 200


async def test_a_head_without_end_is_refused(connect):
    reader, writer = await connect()
    writer.write(HEALTH)
    for _ in range(3):
        writer.write(b"x: " + b"y" * 30_000 + b"\r\n")
        await writer.drain()
    status, body = await answer_of(reader)
    assert (status, body) == (400, b"The request's head is too long.")
    assert await reader.read() == b""


@pytest.mark.parametrize("served_before", [0, 1])
@pytest.mark.parametrize("sent", [b"GET /hea", HEALTH])
async def test_who_never_ends_a_head_is_left(connect, monkeypatch, served_before, sent):
    reader, writer = await connect()
    for _ in range(served_before):
        writer.write(HEALTH + b"\r\n")
        assert (await answer_of(reader))[0] == 200
    monkeypatch.setattr(server_module, "HEAD_LIMIT_S", 0.2)
    writer.write(sent)
    assert await reader.read() == b""


async def test_who_says_nothing_is_left(connect, monkeypatch):
    monkeypatch.setattr(server_module, "HEAD_LIMIT_S", 0.2)
    reader, _ = await connect()
    assert await reader.read() == b""


@pytest.mark.parametrize("sent", [b"", b"{"])
async def test_a_client_that_never_ends_a_body_gets_an_answer_and_is_left(
    connect, monkeypatch, sent
):
    monkeypatch.setattr(body_limits, "ANONYMOUS_LIMIT_S", 0.2)
    reader, writer = await connect()
    writer.write(ORDER + sent)
    status, body = await answer_of(reader)
    assert (status, json.loads(body)["code"]) == (408, "body_too_slow")
    assert await reader.read() == b""


async def test_a_caller_that_reads_nothing_of_an_answer_is_cut_off_and_what_makes_it_ends(
    connect, monkeypatch, rows_ended
):
    monkeypatch.setattr(read_limit, "READ_LIMIT_S", 0.2)
    reader, writer = await connect()
    reader._transport.pause_reading()
    writer.write(b"GET /v1/rows HTTP/1.1\r\nHost: x\r\n\r\n")
    await rows_ended.wait()


async def test_who_goes_away_with_a_request_behind_an_answer_ends_what_makes_it(
    connect, rows_ended
):
    reader, writer = await connect()
    writer.write(b"GET /v1/rows HTTP/1.1\r\nHost: x\r\n\r\n" + HEALTH + b"\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    writer.close()
    async with asyncio.timeout(20):
        await rows_ended.wait()


@pytest.mark.parametrize(
    "rest", [b"Content-Length: 4000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"]
)
async def test_who_never_ends_a_body_that_nobody_reads_is_left(connect, monkeypatch, rest):
    monkeypatch.setattr(server_module, "REST_LIMIT_S", 0.2)
    reader, writer = await connect()
    writer.write(HEALTH + rest)
    assert (await answer_of(reader))[0] == 200
    with pytest.raises(ConnectionError):
        while True:  # each byte puts off what uvicorn does with a connection that is silent
            writer.write(b"1\r\nx\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)


async def test_a_body_that_nobody_reads_may_end_after_the_answer(connect):
    reader, writer = await connect()
    writer.write(HEALTH + b"Content-Length: 9\r\n\r\n")
    assert (await answer_of(reader))[0] == 200
    writer.write(b"x" * 9 + HEALTH + b"\r\n")
    assert (await answer_of(reader))[0] == 200


class Transport:
    """One to whom nothing is written, and who takes so many bytes each time anybody looks."""

    def __init__(self, waiting_bytes, taken_bytes):
        self.waiting_bytes = waiting_bytes
        self.taken_bytes = taken_bytes
        self.looks, self.aborted = 0, False

    def get_write_buffer_size(self):
        left = max(self.waiting_bytes - self.looks * self.taken_bytes, 0)
        self.looks += 1
        return left

    def abort(self):
        self.aborted = True


class Loop:
    """Time that only goes on when it is told to."""

    def __init__(self):
        self.due = []

    def call_later(self, _limit_s, call, *arguments):
        self.due.append((call, arguments))

    def run_due(self):
        due, self.due = self.due, []
        for call, arguments in due:
            call(*arguments)


@pytest.mark.parametrize(
    ("read_bytes", "aborted"),
    [(0, True), (read_limit.READ_BYTES_MIN - 1, True), (read_limit.READ_BYTES_MIN, False)],
)
def test_a_caller_that_reads_an_answer_slowly_is_waited_for(read_bytes, aborted):
    loop, transport = Loop(), Transport(10**6, read_bytes)
    read_limit.ReadLimit(transport, loop).begin()
    for _ in range(3):
        loop.run_due()
    assert (transport.aborted, bool(loop.due)) == (aborted, not aborted)


@pytest.mark.parametrize("sent", [b"", HEALTH, ORDER + b"{", HEALTH + b"\r\n"])
async def test_of_callers_without_a_key_the_one_that_waits_longest_makes_room(
    connect, monkeypatch, sent
):
    monkeypatch.setattr(connections, "OF_ADDRESS_MAX", 20)
    opened = []
    for _ in range(40):
        reader, writer = await connect()
        writer.write(sent)
        opened.append(reader)
    reader, writer = await connect()
    writer.write(HEALTH + b"\r\n")
    assert (await answer_of(reader))[0] == 200
    async with asyncio.timeout(5):
        await asyncio.gather(*(reader.read() for reader in opened[:20]), return_exceptions=True)
    assert all(reader.at_eof() or reader.exception() for reader in opened[:20])
    assert not any(reader.at_eof() or reader.exception() for reader in opened[22:])


async def test_a_connection_on_which_a_key_was_shown_stays(connect, monkeypatch):
    monkeypatch.setattr(connections, "OF_ADDRESS_MAX", 5)
    key = f"Authorization: Bearer {TOKEN}\r\n\r\n".encode()
    reader, writer = await connect()
    writer.write(b"GET /v1/orders HTTP/1.1\r\nHost: x\r\n" + key)
    assert (await answer_of(reader))[0] == 200
    slow_reader, slow_writer = await connect()
    slow_writer.write(ORDER[:-2] + key + b"{")
    await asyncio.sleep(0.1)
    for _ in range(20):
        await connect()
    slow_writer.write(b"       }")
    writer.write(HEALTH + b"\r\n")
    assert (await answer_of(reader))[0] == 200
    assert (await answer_of(slow_reader))[0] == 415  # its kind is not said, but it was read


def test_no_address_takes_the_room_of_all(monkeypatch):
    """Of 6 in all, and 4 of each address: a fourth of `c` ends one of `a`, which has the most."""
    monkeypatch.setattr(connections, "OF_ADDRESS_MAX", 4)
    monkeypatch.setattr(connections, "ALL_MAX", 6)
    closed, anonymous = [], connections.AnonymousConnections()
    for name in ("a1", "a2", "a3", "a4", "a5", "b1", "c1", "c2"):
        anonymous.add(name[0], name, lambda name=name: closed.append(name))
    assert closed == ["a1", "a2"]
    anonymous.discard("a", "a3")
    anonymous.discard("a", "unknown")
    anonymous.add("c", "c3", lambda: closed.append("c3"))
    assert closed == ["a1", "a2"]


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ],
)
def test_what_counts_as_one_address(host, network):
    assert connections.network_of(host) == network
