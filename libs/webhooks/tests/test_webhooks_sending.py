"""Signatures by the library of others, and requests that never lead inside."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks

from gridtally.webhooks import sender as sending
from gridtally.webhooks.addresses import AddressRefused, checked_address, networks
from gridtally.webhooks.sender import Sender
from gridtally.webhooks.signature import InvalidSignature, secret_text, signed_headers, verify

SECRET, OLD = b"s" * 32, b"o" * 32
BODY = b'{"type":"invoice.issued.v1"}'
pytestmark = pytest.mark.usefixtures("socket_enabled")  # servers on this machine
LOCAL = networks("127.0.0.0/8, ::1/128")


def test_the_library_of_others_takes_our_signatures_and_we_take_its():
    now = datetime.now(UTC)
    headers = signed_headers([SECRET, OLD], "msg", now, BODY)
    for secret in (SECRET, OLD):  # while a secret is replaced, both open it
        other = standardwebhooks.Webhook(secret_text(secret))
        assert other.verify(BODY, headers) == {"type": "invoice.issued.v1"}
        verify(secret_text(secret), headers, BODY, now)
    signed = standardwebhooks.Webhook(secret_text(SECRET)).sign("msg", now, BODY.decode())
    verify(secret_text(SECRET), headers | {"webhook-signature": signed}, BODY, now)


NOW = datetime(2025, 5, 1, tzinfo=UTC)
FORGED = [
    ({}, BODY + b" ", NOW),
    ({"webhook-id": "other"}, BODY, NOW),
    ({"webhook-signature": "v1,AAAA v2,x"}, BODY, NOW),
    ({"webhook-signature": ""}, BODY, NOW),
    ({"webhook-timestamp": "soon"}, BODY, NOW),
    ({"webhook-timestamp": "9" * 30}, BODY, NOW),
    ({}, BODY, NOW + timedelta(minutes=6)),
    ({}, BODY, NOW - timedelta(minutes=6)),
]


@pytest.mark.parametrize(("changes", "body", "now"), FORGED)
def test_what_was_changed_or_is_old_is_refused(changes, body, now):
    headers = signed_headers([SECRET], "msg", NOW, BODY)
    verify(secret_text(SECRET), headers, BODY, NOW)
    with pytest.raises(InvalidSignature):
        verify(secret_text(SECRET), headers | changes, body, now)


INSIDE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0",  # noqa: S104 - an address, not bound to
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "2002:a00:1::1", "ff02::1", "2001:db8::1", "2001:0:7f00:1::",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_is_reached(address):
    for addresses in ([address], ["93.184.215.14", address]):
        with pytest.raises(AddressRefused):
            checked_address(addresses, 443, (), is_secure=True)


def test_public_addresses_are_reached_by_https_alone():
    assert checked_address(["93.184.215.14"], 443, (), is_secure=True) == "93.184.215.14"
    for port, is_secure in ((80, False), (8443, True), (443, False)):
        with pytest.raises(AddressRefused):
            checked_address(["93.184.215.14"], port, LOCAL, is_secure=is_secure)
    assert checked_address(["127.0.0.1"], 9, LOCAL, is_secure=False) == "127.0.0.1"
    with pytest.raises(AddressRefused):
        checked_address([], 443, (), is_secure=True)


def _pieces(answer, pause_s):
    """The answer at once, or byte by byte where there are pauses."""
    return [answer[index : index + 1] for index in range(len(answer))] if pause_s else [answer]


@asynccontextmanager
async def receiver(answer=b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", pause_s=0.0):
    """A server that gives one answer to whoever connects; its port, and what it was sent."""
    received = []

    async def handle(reader, writer):
        try:
            received.append(await reader.readuntil(b"\r\n\r\n"))
            for byte in (
                (answer,) if not pause_s else (answer[i : i + 1] for i in range(len(answer)))
            ):
                writer.write(byte)
                await writer.drain()
                await asyncio.sleep(pause_s)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], received


async def test_a_message_is_posted():
    async with receiver() as (port, received), Sender(LOCAL) as sender:
        outcome = await sender.post(f"http://127.0.0.1:{port}/a?b=1", {"webhook-id": "1"}, BODY)
    assert (outcome.status, outcome.error, outcome.answer) == (200, None, "ok")
    assert outcome.is_delivered
    (request,) = received
    assert request.startswith(b"POST /a?b=1 HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{port}\r\n".encode() in request.lower()


async def test_a_name_that_changes_its_address_leads_nowhere():
    """At the first look the name is public, and at the second it is this machine."""
    addresses = [["93.184.215.14"], ["127.0.0.1"]]

    async def rebinding(_host, _port):
        return addresses.pop(0)

    await rebinding("rebind.example", 443)  # as at the creation of an endpoint
    async with receiver() as (port, received), Sender(resolve=rebinding) as sender:
        outcome = await sender.post(f"https://rebind.example:{port}/", {}, BODY)
    assert (outcome.status, received) == (None, [])
    assert outcome.error == "the name leads to an address that is not public"


async def test_redirects_are_not_followed():
    moved = b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
    async with receiver(moved) as (port, received), Sender(LOCAL) as sender:
        outcome = await sender.post(f"http://127.0.0.1:{port}/", {}, BODY)
    assert (outcome.status, outcome.is_delivered, len(received)) == (302, False, 1)
    assert "not followed" in outcome.error


async def test_a_slow_receiver_costs_no_more_than_its_time():
    async with receiver(pause_s=0.2) as (port, _), Sender(LOCAL, timeout_s=0.5) as sender:
        outcome = await sender.post(f"http://127.0.0.1:{port}/", {}, BODY)
    assert (outcome.status, outcome.error) == (None, "no answer within 0.5 s")
    assert outcome.took_ms < 2000


async def test_no_more_of_an_answer_is_read_than_is_shown():
    endless = (
        b"HTTP/1.1 500 No\r\nretry-after: 7\r\ncontent-length: 900000\r\n\r\n" + b"\0x" * 400_000
    )
    async with receiver(endless) as (port, _), Sender(LOCAL) as sender:
        outcome = await sender.post(f"http://127.0.0.1:{port}/", {}, BODY)
    assert (outcome.status, outcome.retry_after_s, len(outcome.answer)) == (500, 7, 1024)
    assert "\0" not in outcome.answer


async def test_whatever_is_wrong_is_an_outcome():
    async with receiver(b"nonsense\r\n\r\n") as (port, _), Sender(LOCAL) as sender:
        for url in (f"http://127.0.0.1:{port}/", "http://127.0.0.1:1/", "ftp://x/", "http://"):
            outcome = await sender.post(url, {}, BODY)
            assert outcome.status is None
            assert outcome.error


async def test_connections_of_addresses_not_posted_to_are_closed(monkeypatch):
    """So many stay, and none for longer than its time, while those in use are left alone."""
    monkeypatch.setattr(sending, "ADDRESSES_MAX", 2)
    async with receiver(pause_s=0.01) as (slow, _), Sender(LOCAL) as sender:
        under_way = asyncio.create_task(sender.post(f"http://127.0.0.1:{slow}/", {}, BODY))
        await asyncio.sleep(0)
        async with receiver() as (port, received):
            for path in ("a", "b", "c", "a"):
                await sender.post(f"http://127.0.0.1:{port}/{path}", {}, BODY)
            assert sender.addresses == [
                f"http://127.0.0.1:{end}" for end in (f"{slow}/", f"{port}/a")
            ]
            assert len(received) == 4
            monkeypatch.setattr(sending, "KEPT_ALIVE_S", -1.0)
            await sender.post(f"http://127.0.0.1:{port}/d", {}, BODY)
            assert sender.addresses == [
                f"http://127.0.0.1:{end}" for end in (f"{slow}/", f"{port}/d")
            ]
        assert (await under_way).is_delivered
