"""Intake and reading back over HTTP."""

import gzip
import json
from datetime import date
from uuid import UUID, uuid4

import pytest

from gridtally.contracts.metering import ReadingsReceived
from gridtally.ingest.events.blocks import read_block
from gridtally.kernel.periods import midnight_utc
from gridtally.messaging import ReceivedMessage

METER = UUID(int=7)
ZONE = "Europe/Berlin"
DAY = date(2025, 5, 10)
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def client(ingest, clients):
    await ingest.register(METER)
    return await clients()


def item(**change):
    plain = {"meter_id": str(METER), "flow": "import", "start_at": "2025-05-10T00:00:00+02:00",
             "minutes": 15, "values": [1, 2]}  # fmt: skip
    return plain | change


async def deliver_what_was_sent(ingest):
    """What the broker would hand to the consumer."""
    batch = [
        ReceivedMessage(
            read_block(sent.value), sent.envelope, sent.topic, 0, 0, sent.key, sent.value
        )
        for sent in ingest.sent
    ]
    ingest.sent.clear()
    await ingest.deliver(*batch)


async def test_each_item_gets_its_answer(ingest, client):
    event_id = str(uuid4())
    items = [
        item(),
        item(values=[-5]),
        item(start_at="2025-05-10T00:01:00+02:00"),
        item(meter_id=str(uuid4())),
        item(values="many"),
        item(event_id=event_id, values=[7]),
        "nonsense",
    ]
    answer = await client.post("/v1/readings", json={"items": items})
    assert answer.status_code == 202
    result = answer.json()
    assert (result["accepted"], result["refused"]) == (3, 4)
    reasons = [item["reason"] for item in result["items"]]
    assert reasons == [None, "negative", "misaligned", None, "malformed", None, "malformed"]
    assert result["items"][5]["event_id"] == event_id
    assert [ReadingsReceived.model_validate_json(sent.value).values for sent in ingest.sent] == [
        [1, 2], [1, 2], [7]
    ]  # fmt: skip
    assert {sent.key for sent in ingest.sent} >= {f"acme:{METER}"}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (json.dumps(item()).encode(), {"Content-Type": "application/json; charset=utf-8"}),
        (b"\n".join(json.dumps(item(values=[n])).encode() for n in range(2)),
         {"Content-Type": "application/x-ndjson"}),
        (gzip.compress(json.dumps({"items": [item()]}).encode(), mtime=0),
         JSON | {"Content-Encoding": "gzip"}),
    ],
)  # fmt: skip
async def test_bodies_may_be_single_lines_or_compressed(client, body, headers):
    answer = await client.post("/v1/readings", content=body, headers=headers)
    assert answer.status_code == 202
    assert answer.json()["refused"] == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid_json"),
        (b'{"items": []}', "invalid_items"),
        (b'{"items": 5}', "invalid_items"),
        (b"7", "nothing_accepted"),
        (json.dumps(item(source="a\0")).encode(), "nul_character"),
        (b'{"items": [{"minutes": 15, "minutes": 30}]}', "duplicate_key"),
        (json.dumps(item(start_at="9999-12-31T23:59:00Z")).encode(), "nothing_accepted"),
        (json.dumps(item(start_at="0001-01-01T00:00:00+14:00")).encode(), "nothing_accepted"),
        (json.dumps(item(unit="MWh")).encode(), "nothing_accepted"),
        (json.dumps({"items": [item()] * 10_001}).encode(), "invalid_items"),
        (json.dumps({"items": [item()], "tenant": "a"}).encode(), "invalid_items"),
        (json.dumps(item(qualty="estimated")).encode(), "nothing_accepted"),
    ],
)
async def test_a_body_of_nothing_usable_is_refused(client, body, code):
    answer = await client.post("/v1/readings", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


NEM12 = b"100,NEM12,202501010000,X,Y\n200,1,E1,1,E1,N1,1,kWh,30,\n900\n"


@pytest.mark.parametrize(
    ("body", "content_type", "detail"),
    [
        # patrickvorgers/Home-Assistant-Import-Energy-Data#68, SEED-platform/seed#1912
        (
            NEM12,
            "text/csv",
            "is a NEM12 or NEM13 file (Australian meter data): files go to POST /v1/imports; send",
        ),
        (NEM12, "application/json", "the body is a NEM12 or NEM13 file"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'/>", "application/xml", "is an XML document"),
        (b"start_utc,minutes,import_kwh\n", "application/x-ndjson", "the body is a table (CSV)"),
        (json.dumps(item()).encode(), "text/csv", "send readings as application/json or"),
        (json.dumps(item()).encode(), None, "send readings as application/json or"),
        (b"", "text/plain", "send readings as application/json or application/x-ndjson"),
    ],
)
async def test_a_body_of_another_format_is_named(client, body, content_type, detail):
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await client.post("/v1/readings", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert detail in answer.json()["detail"]


async def test_a_broken_line_is_named(client):
    lines = b"\n".join([json.dumps(item()).encode(), b"", b'{"minutes": 15'])
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await client.post("/v1/readings", content=lines, headers=headers)
    assert answer.status_code == 202
    first, second = answer.json()["items"]
    assert (first["status"], second["status"], second["reason"]) == (
        "accepted", "refused", "malformed",
    )  # fmt: skip
    assert second["detail"].startswith("line 3: ")
    answer = await client.post("/v1/readings", content=b"{\n", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "nothing_accepted")


async def test_scopes_guard_the_api(clients):
    reader = await clients("acme", "ingest:read")
    assert (await reader.post("/v1/readings", json=item())).status_code == 403
    assert (await reader.get(f"/v1/meters/{METER}")).status_code == 404


async def test_series_at_each_resolution(ingest, client):
    """The last days of March 2025 in Berlin; the 30th has 23 hours."""
    begin = midnight_utc(ZONE, date(2025, 3, 29))
    await ingest.deliver(
        ingest.block(METER, begin, [1] * 96 + [2] * 92),
        ingest.block(METER, midnight_utc(ZONE, date(2025, 3, 31)), [3, None], quality="estimated"),
    )

    async def ask(resolution, start="2025-03-29", end="2025-04-01"):
        params = {"flow": "import", "from": start, "to": end, "resolution": resolution}
        answer = await client.get(f"/v1/meters/{METER}/series", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    native = await ask("native")
    assert native["values_wh"] == [1] * 96 + [2] * 92 + [3] + [None] * 95
    assert native["quality"] == "A" * 188 + "E" + "-" * 95
    assert native["starts_at"][96] == "2025-03-29T23:00:00Z"
    hours = await ask("60")
    assert hours["values_wh"] == [4] * 24 + [8] * 23 + [3] + [None] * 23
    assert hours["missing"][47:49] == [3, 4]
    days = await ask("1440")
    assert (days["values_wh"], days["missing"]) == ([96, 184, 3], [0, 0, 95])
    assert (days["starts_at"], days["quality"]) == (
        ["2025-03-28T23:00:00Z", "2025-03-29T23:00:00Z", "2025-03-30T22:00:00Z"], "AAE"
    )  # fmt: skip
    months = await ask("month", "2025-03-29", "2025-04-02")
    assert (months["values_wh"], months["missing"]) == ([283, None], [95, 96])
    hour = await ask("native", "2025-03-29T01:00:00Z", "2025-03-29T02:00:00Z")
    assert hour["values_wh"] == [1] * 4


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"from": "2025-03-29", "to": "2025-03-29"}, 422),
        ({"from": "2020-01-01", "to": "2025-03-29"}, 422),
        ({"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"}, 422),
        ({"from": "2025-03-29T01:00:00", "to": "2025-03-30"}, 422),
        ({"from": "2025-03-29", "to": "2025-03-30", "resolution": "5"}, 422),
        ({"from": "2025-03-29", "to": "2025-03-30", "flow": "export"}, 404),
        ({"from": "2025-03-29"}, 422),
        ({"from": "2025-03-29", "to": "9999-12-31"}, 422),
        ({"from": "2025-03-29", "to": "2025-03-30", "as_known_at": "9998-12-31T23:59:59Z"}, 200),
        ({"from": "2025-03-29", "to": "2025-03-30", "as_known_at": "9999-12-31T23:59-14:00"}, 422),
        ({"from": "2025-03-29", "to": "9999-12-31T23:59:59-14:00"}, 422),
        ({"from": "0001-01-01T00:00:00+14:00", "to": "2025-03-30"}, 422),
    ],
)
async def test_windows_are_bounded(client, query, status):
    answer = await client.get(f"/v1/meters/{METER}/series", params={"flow": "import"} | query)
    assert answer.status_code == status, answer.text


async def test_completeness_per_day_and_flow(ingest, client):
    await ingest.deliver(ingest.block(METER, midnight_utc(ZONE, date(2025, 3, 30)), [1] * 90))
    answer = await client.get(
        f"/v1/meters/{METER}/completeness", params={"from": "2025-03-29", "to": "2025-03-31"}
    )
    days = [(day["day"], day["expected"], day["present"]) for day in answer.json()["days"]]
    assert days == [("2025-03-29", 96, 0), ("2025-03-30", 92, 90)]


async def test_the_meter_as_ingest_knows_it(client):
    meter = (await client.get(f"/v1/meters/{METER}")).json()
    assert (meter["zone"], meter["meter_type"]) == (ZONE, "main")
    assert meter["channels"] == [
        {"flow": "import", "minutes": 15, "interval_wh_max": 10_000, "start_at": None,
         "end_at": None},
    ]  # fmt: skip
