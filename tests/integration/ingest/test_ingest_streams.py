"""Bodies that go on for ever, packed ones, and events as CloudEvents writes them, over HTTP."""

import gzip
import json
import zlib
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent

from gridtally.contracts.envelope import event_id_of
from gridtally.contracts.metering import ReadingsReceived
from gridtally.http.body_limits import STREAM_RATIO_MAX, zstd
from gridtally.kernel.errors import Transient

METER = UUID(int=7)
NDJSON = {"Content-Type": "application/x-ndjson"}
NOON = datetime(2025, 5, 11, 12, tzinfo=UTC)
GATEWAY = "https://meters.example/gateway/7"


@pytest.fixture
async def client(ingest, clients):
    await ingest.register(METER)
    return await clients()


def line(value, **change):
    plain = {"meter_id": str(METER), "flow": "import", "start_at": "2025-05-10T00:00:00+02:00",
             "minutes": 15, "values": [value]}  # fmt: skip
    return json.dumps(plain | change).encode() + b"\n"


def values_sent(ingest):
    return [ReadingsReceived.model_validate_json(sent.value).values for sent in ingest.sent]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
async def test_a_stream_may_have_more_items_than_a_batch(ingest, client, pack):
    count = 12_000
    bad = {5_000: line(-1), 11_999: line(1, minutes="?")}
    body = pack(b"".join(bad.get(number, line(number % 100)) for number in range(count)))

    async def pieces():
        for start in range(0, len(body), 50_000):
            yield body[start : start + 50_000]

    encoding = {gzip.compress: "gzip", zstd.compress: "zstd"}.get(pack, "identity")
    answer = await client.post(
        "/v1/readings", content=pieces(), headers=NDJSON | {"Content-Encoding": encoding}
    )
    assert answer.status_code == 202
    result = answer.json()
    assert (result["accepted"], result["refused"], len(result["items"])) == (count - 2, 2, count)
    assert [item["index"] for item in result["items"]] == list(range(count))
    reasons = {item["index"]: item["reason"] for item in result["items"] if item["reason"]}
    assert reasons == {5_000: "negative", 11_999: "malformed"}
    sent = [number % 100 for number in range(count) if number not in bad]
    assert [values for [values] in values_sent(ingest)] == sent
    ids = [sent.envelope.event_id for sent in ingest.sent]
    assert [item["event_id"] for item in result["items"] if item["event_id"]] == list(map(str, ids))
    assert ids == sorted(ids)  # in the order of arrival, over all batches: the last one counts


async def test_a_stream_may_be_longer_than_a_body(ingest, client):
    """Only a body that is read piece by piece gets through."""
    count = ingest.settings.body_bytes_max // 9_000 + 1
    body = line(1, start_at="2025-01-01T00:00:00+01:00", values=[10] * 3_000) * count
    assert len(body) > ingest.settings.body_bytes_max
    answer = await client.post("/v1/readings", content=body, headers=NDJSON)
    assert (answer.status_code, answer.json()["accepted"]) == (202, count)
    as_json = await client.post(
        "/v1/readings", content=body, headers={"Content-Type": "application/json"}
    )
    assert (as_json.status_code, as_json.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("body", "encoding", "status", "code"),
    [
        (b"", "identity", 422, "invalid_items"),
        (gzip.compress(line(1), mtime=0)[:-9], "gzip", 400, "broken_body"),
        (zlib.compress(line(1)), "gzip", 400, "broken_body"),
        (line(1), "br", 415, "unsupported_encoding"),
    ],
)
async def test_a_stream_that_breaks_off_says_how_far_it_came(client, body, encoding, status, code):
    headers = NDJSON | {"Content-Encoding": encoding}
    answer = await client.post("/v1/readings", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_bomb_in_a_stream_is_cut_off(ingest, client):
    bomb = gzip.compress(b"\n" * (ingest.settings.body_bytes_max * 2))
    assert len(bomb) * STREAM_RATIO_MAX < ingest.settings.body_bytes_max
    answer = await client.post(
        "/v1/readings", content=bomb, headers=NDJSON | {"Content-Encoding": "gzip"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert answer.json()["detail"].endswith("nothing has been taken in")


async def test_a_broker_that_goes_away_in_between_leaves_the_number_of_the_line(
    ingest, client, monkeypatch
):
    async def publish(messages):
        if len(ingest.sent) > 1:
            raise Transient("away")
        ingest.sent.extend(messages)

    monkeypatch.setattr(ingest.sent, "publish", publish)

    async def pieces():
        yield line(1) + b"\n" + line(2)
        yield line(3)

    answer = await client.post("/v1/readings", content=pieces(), headers=NDJSON)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "all lines up to line 3 have been taken in" in answer.json()["detail"]
    assert answer.headers["Retry-After"]
    assert values_sent(ingest) == [[1], [2]]


def event(id_, **attributes):
    data = json.loads(line(7, newer_field=1))
    plain = {"id": id_, "source": GATEWAY, "type": ReadingsReceived.TOPIC, "time": NOON}
    return CloudEvent(plain | {"datacontenttype": "application/json"} | attributes, data)


async def post(client, message):
    return await client.post("/v1/readings", content=message.body, headers=message.headers)


@pytest.mark.parametrize("mode", [http.to_structured_event, http.to_binary_event])
async def test_an_event_of_the_sdk_is_taken_in(ingest, client, mode):
    answer = await post(client, mode(event("day/1")))
    assert answer.status_code == 202, answer.text
    [item] = answer.json()["items"]
    assert item["event_id"] == str(event_id_of(GATEWAY, "day/1"))
    [sent] = ingest.sent
    assert (sent.envelope.source, sent.envelope.tenant_id) == (GATEWAY, "acme")
    assert values_sent(ingest) == [[7]]
    assert sent.key == f"acme:{METER}"


async def test_a_batch_of_events_is_answered_one_by_one(ingest, client):
    events = [
        event("1"),
        event("2", tenantid="other"),
        event("3", type="com.example.other"),
        event("4", source="gridtally/ingest/registers"),
        event(str(uuid4()), tenantid="acme"),
    ]
    documents = [json.loads(http.to_structured_event(event_).body) for event_ in events]
    del documents[0]["time"]
    body = json.dumps([*documents, {**documents[0], "specversion": "0.3"}, 5])
    headers = {"Content-Type": "application/cloudevents-batch+json; charset=utf-8"}
    answer = await client.post("/v1/readings", content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    statuses = [item["status"] for item in answer.json()["items"]]
    assert statuses == ["accepted", *["refused"] * 3, "accepted", *["refused"] * 2]
    details = [item["detail"] for item in answer.json()["items"]]
    for index, words in {1: "another tenant", 2: "readings.received.v1", 3: "Gridtally"}.items():
        assert words in details[index]
    assert ingest.sent[0].envelope.occurred_at == ingest.now
