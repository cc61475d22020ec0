"""Events of a stream, out of its lines."""

import httpx

from gridtally.client.downloads import AsyncDownload, Download, ServerEvent

TEXT = """retry: 2000

: ping
id: 0:1

event: reading
data: {"values":[1,null],
data: "version":2}
id: 0:2

event: gap
data: {"reason":"slow_reader"}

: ping
id: 0:4

event: reading
data: {"cut":"off"}
"""
EXPECTED = [
    ServerEvent("reading", {"values": [1, None], "version": 2}, "0:2"),
    ServerEvent("gap", {"reason": "slow_reader"}, "0:2"),
]


def test_events_are_read_as_they_end():
    download = Download(httpx.Response(200, text=TEXT))
    assert download.last_event_id is None
    assert list(download.events()) == EXPECTED
    assert download.last_event_id == "0:4"


async def test_events_are_read_by_an_event_loop():
    download = AsyncDownload(httpx.Response(200, text=TEXT))
    assert [event async for event in download.events()] == EXPECTED
    assert download.last_event_id == "0:4"
