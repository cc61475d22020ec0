"""`gridtally follow readings`: what is shown of a stream, and how it is come back to."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from typer.testing import CliRunner

from gridtally.cli import installation, live_readings
from gridtally.cli.app import app
from gridtally.cli.errors import CommandError, ServiceAway
from gridtally.client import ServerEvent

METER = "0190d9c0-0000-7000-8000-000000000001"
DAY = {
    "meter_id": METER, "flow": "import", "day": "2025-03-01", "version": 2,
    "values": [100, None, 1_150, 0], "quality": "A-EA", "recorded_at": "2025-03-01T10:00:00Z",
}  # fmt: skip
READING = ServerEvent("reading", DAY, "0:7")
REGISTER = ServerEvent(
    "register",
    {"meter_id": METER, "flow": "import", "kind": "regular", "value": "2050.25",
     "quality": "actual", "read_at": "2025-03-01T10:05:00Z"},
    "0:7,1:3",
)  # fmt: skip
GAP = ServerEvent("gap", {"reason": "broker_away"}, "0:9")


class Ingest:
    """An installation whose stream is cut where it is told to be."""

    def __init__(self, *parts):
        self.parts, self.asked = list(parts), []

    def as_tenant(self):
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    @asynccontextmanager
    async def download(self, _service, path, **query):
        self.asked.append((path, query))
        yield Stream(self.parts.pop(0))


class Stream:
    """What is sent until it is cut; a text is a ping with that id, None is silence."""

    def __init__(self, sent):
        self.sent, self.last_event_id = sent, None

    async def events(self):
        for event in self.sent:
            match event:
                case None:
                    await asyncio.Event().wait()
                case BaseException():
                    raise event
                case str():
                    self.last_event_id = event
                case _:
                    self.last_event_id = event.id
                    yield event


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(live_readings, "RECONNECT_S", 0)

    def follow(ingest, *words):
        monkeypatch.setattr(installation, "find_installation", lambda *_: ingest)
        return CliRunner().invoke(app, ["follow", "readings", *words])

    return follow


def test_a_line_says_when_whose_and_how_much(run):
    ran = run(Ingest([READING, REGISTER, GAP]), "--rows", "3")
    amount = "3 of 4 intervals, 1.250 kWh, actual, estimated"
    assert ran.exit_code == 0
    assert ran.stdout.splitlines() == [
        f"2025-03-01T10:00:00Z  {METER}  import on 2025-03-01: {amount}, version 2",
        f"2025-03-01T10:05:00Z  {METER}  import register: 2050.25 kWh, actual",
        "some events were left out (broker_away): read again what you show",
    ]


def test_a_stream_that_ends_or_is_cut_is_come_back_to_where_it_was(run):
    away = ServiceAway("ingest does not answer")
    ingest = Ingest(["0:5"], [READING], [away], [REGISTER, away], [GAP])
    ran = run(ingest, "--rows", "3", "--json")
    assert [json.loads(line) for line in ran.stdout.splitlines()] == [
        {"event": event.name, "id": event.id, "data": event.data}
        for event in (READING, REGISTER, GAP)
    ]
    assert [query["last_event_id"] for _, query in ingest.asked] == [
        None, "0:5", "0:7", "0:7", "0:7,1:3",
    ]  # fmt: skip
    assert ran.stderr == "ingest does not answer; trying again\n" * 2


def test_what_is_asked_of_the_stream(run):
    ingest = Ingest([READING])
    run(ingest, "--rows", "1", "--meter", METER.upper(), "--flow", "import")
    assert ingest.asked == [
        (
            "/v1/readings/stream",
            {"meter_id": METER, "property_id": None, "flow": "import", "last_event_id": None},
        )
    ]


def test_a_refusal_ends_it(run):
    ran = run(Ingest([CommandError("ingest refused GET /v1/readings/stream: no such meter")]))
    assert isinstance(ran.exception, CommandError)
    assert isinstance(run(Ingest(), "--meter", "five").exception, CommandError)


def test_an_interruption_is_the_way_to_end_it(run):
    ran = run(Ingest([READING, KeyboardInterrupt()]))
    assert (ran.exit_code, len(ran.stdout.splitlines())) == (0, 1)


def test_its_time_may_be_bounded(run):
    ran = run(Ingest([READING, None]), "--for", "1")
    assert (ran.exit_code, len(ran.stdout.splitlines())) == (0, 1)
