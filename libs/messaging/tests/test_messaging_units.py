import asyncio
import gc
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from gridtally.contracts.envelope import Envelope, event_id_of, read_envelope
from gridtally.contracts.metering import ReadingsReceived
from gridtally.contracts.topics import NO_TENANT
from gridtally.kernel.errors import NoRoom, Poison, Transient, Unreadable
from gridtally.messaging.broker import BrokerMismatch, check_bounds
from gridtally.messaging.dead_letters import tenant_of
from gridtally.messaging.floods import Floods, PartitionFlooded
from gridtally.messaging.garbage_collection import GarbageCollectionPause
from gridtally.messaging.outbox import shard_of
from gridtally.messaging.outgoing_messages import OutgoingMessage
from gridtally.messaging.progress import Heartbeat, Progress
from gridtally.messaging.publisher import partition_for
from gridtally.messaging.received_messages import batches, decode_record
from gridtally.messaging.retries import Stopped, retry_transient
from gridtally.messaging.tables import OUTBOX_SHARDS

AN_ID = UUID("11111111-1111-4111-8111-111111111111")
ENVELOPE = Envelope(
    AN_ID, "readings.received.v1", "gateway/1", datetime(2025, 10, 1, tzinfo=UTC), "acme", "c-1"
)
VALUE = b"""{"meter_id": "11111111-1111-4111-8111-111111111111", "flow": "import",
 "start_at": "2025-10-01T00:00:00Z", "minutes": 15, "values": [1, null], "new_field": true}"""


def record(value=VALUE, headers=None, key=b"acme:1"):
    return SimpleNamespace(
        topic="readings.received.v1",
        partition=0,
        offset=7,
        key=key,
        value=value,
        headers=ENVELOPE.headers() if headers is None else headers,
    )


def without(name):
    return [header for header in ENVELOPE.headers() if header[0] != name]


def replaced(name, value):
    return [*without(name), (name, value)]


def test_a_message_is_decoded_and_unknown_fields_are_ignored():
    received = decode_record(record(), ReadingsReceived)
    assert received.event.values == [1, None]
    assert received.envelope == ENVELOPE
    assert (received.key, received.offset) == ("acme:1", 7)


def structured(data):
    """A message whose value is the whole event, of a producer whose ids are no UUIDs."""
    event = {
        "specversion": "1.0", "id": "r-7", "source": "gateway/1", "type": "readings.received.v1",
        "time": "2025-10-01T00:00:00Z", "tenantid": "acme", "data": data,
    }  # fmt: skip
    headers = [("content-type", b"application/cloudevents+json")]
    return record(value=json.dumps(event).encode(), headers=headers)


def test_an_event_in_structured_mode_is_decoded_the_same():
    received = decode_record(structured(json.loads(VALUE)), ReadingsReceived)
    assert received.event == decode_record(record(), ReadingsReceived).event
    assert received.envelope.event_id == event_id_of("gateway/1", "r-7")
    assert received.envelope.correlation_id == "r-7"
    assert json.loads(received.value) == json.loads(VALUE)


def test_nul_characters_are_poison_in_structured_mode_too():
    with pytest.raises(Poison, match="NUL"):
        decode_record(structured({"meter_id": "a\0b"}), ReadingsReceived)


def test_a_tombstone_has_no_event():
    assert decode_record(record(value=None), ReadingsReceived).event is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"value": b"{"}, "not a readings.received.v1"),
        ({"value": b'{"meter_id": 5}'}, "meter_id"),
        ({"value": VALUE.replace(b"true", b'"a\\u0000b"')}, "NUL"),
        ({"value": VALUE.replace(b"[1, null]", b"[]")}, "values"),
        ({"value": VALUE.replace(b"[1, null]", b"[1.5]")}, "values"),
        ({"value": VALUE.replace(b"import", b"sideways")}, "flow"),
        ({"value": VALUE.replace(b"2025-10-01T00:00:00Z", b"0001-01-01T00:00:00+14:00")}, "UTC"),
        ({"headers": []}, "no ce_specversion"),
        ({"headers": without("ce_id")}, "no ce_id"),
        ({"headers": replaced("ce_specversion", b"0.3")}, "only CloudEvents 1.0"),
        ({"headers": without("ce_tenantid")}, "no ce_tenantid"),
        ({"headers": replaced("ce_tenantid", b"")}, "ce_tenantid"),
        ({"headers": replaced("ce_id", b"")}, "ce_id is empty"),
        ({"headers": replaced("ce_id", None)}, "malformed"),
        ({"headers": replaced("ce_correlationid", b"a\0b")}, "NUL"),
        ({"headers": replaced("ce_tenantid", b"a\0b")}, "must match"),
        ({"headers": replaced("ce_correlationid", b"x" * 300)}, "at most"),
        ({"headers": replaced("ce_tenantid", b"x" * 64)}, "must match"),
        ({"headers": replaced("ce_time", b"2025-10-01T00:00:00")}, "no time zone"),
        ({"headers": replaced("ce_source", b"x" * 300)}, "at most"),
        ({"headers": replaced("ce_type", b"readings.received.v2")}, "readings.received.v2"),
        ({"headers": replaced("ce_source", b"\xff")}, "malformed"),
        ({"key": b"\xff"}, "UTF-8"),
    ],
)
def test_what_cannot_be_understood_is_poison_with_its_reason(changed, reason):
    with pytest.raises(Poison, match=reason):
        decode_record(record(**changed), ReadingsReceived)


@pytest.mark.parametrize(
    ("sizes", "cut"),
    [
        ([], []),
        ([3, 3, 4], [[3, 3, 4]]),
        ([3, 3, 5], [[3, 3], [5]]),
        ([50, 1, 50], [[50], [1], [50]]),
        ([None, 10, None], [[None, 10, None]]),
    ],
)
def test_a_batch_takes_so_many_bytes_and_always_one_message(sizes, cut):
    records = [record(value=None if size is None else b"x" * size) for size in sizes]
    lengths = [
        [record_.value and len(record_.value) for record_ in batch]
        for batch in batches(records, 10)
    ]
    assert lengths == cut


def test_the_correlation_falls_back_to_the_event_itself():
    assert read_envelope(without("ce_correlationid")).correlation_id == str(AN_ID)


def test_an_event_becomes_a_message_under_its_tenant_and_resource():
    event = ReadingsReceived.model_validate_json(VALUE)
    sent = OutgoingMessage.of(
        event,
        tenant_id="acme",
        correlation_id="c-1",
        source="gateway/1",
        event_id=AN_ID,
        occurred_at=ENVELOPE.occurred_at,
    )
    assert sent.key == f"acme:{AN_ID}"
    assert sent.envelope == ENVELOPE
    assert decode_record(record(value=sent.value), ReadingsReceived).event == event


def test_the_collector_pauses_for_the_first_who_asked_or_until_the_end_is_called():
    first, second = GarbageCollectionPause(), GarbageCollectionPause()
    with first:
        with second:
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with first:
        first.end()
        assert gc.isenabled()
    first.end()
    assert gc.isenabled()


def flooded(floods, partition, messages, blame="data"):
    """The pauses that so many poisoned messages in a row bring."""
    pauses = []
    for _ in range(messages):
        try:
            floods.bad(partition, blame)
        except PartitionFlooded as flood:
            pauses.append(flood.pause_s)
    return pauses


def test_each_hundred_poisoned_in_a_row_pause_their_partition_for_longer():
    assert flooded(Floods(), ("t", 0), 99) == []
    assert flooded(Floods(), ("t", 0), 650) == [1, 2, 4, 8, 10, 10]
    assert flooded(Floods(), ("t", 0), 650, "defect") == [60, 120, 240, 480, 600, 600]


def test_a_message_that_is_understood_ends_the_flood_of_its_partition_alone():
    floods = Floods()
    assert flooded(floods, ("t", 0), 299) == [1, 2]
    assert flooded(floods, ("t", 1), 99) == []
    floods.good([("t", 0)])
    assert flooded(floods, ("t", 0), 99) == []
    assert flooded(floods, ("t", 1), 1) == [1]


def test_a_pause_ends_by_itself():
    class Kafka:
        def __init__(self):
            self.calls = []

        def assignment(self):
            return {TopicPartition("t", 0), TopicPartition("t", 1)}

        def pause(self, tp):
            self.calls.append(("pause", tp.partition))

        def resume(self, tp):
            self.calls.append(("resume", tp.partition))

    kafka, floods = Kafka(), Floods()
    floods.pause(PartitionFlooded(("t", 1), 2.0), now_s=100.0)
    assert [floods.apply(kafka, now_s=at) for at in (101.0, 101.9, 102.1, 103.0)] == [1, 1, 0, 0]
    assert kafka.calls == [("pause", 1), ("pause", 1), ("resume", 1)]


@pytest.mark.parametrize(
    ("headers", "tenant_id"),
    [
        ([("ce_tenantid", b"acme")], "acme"),
        ([], NO_TENANT),
        ([("ce_tenantid", b"not a tenant")], NO_TENANT),
        ([("ce_tenantid", b"\xff")], NO_TENANT),
        ([("ce_tenantid", None)], NO_TENANT),
    ],
)
def test_a_letter_is_of_the_tenant_it_names_if_any(headers, tenant_id):
    assert tenant_of(record(headers=headers)) == tenant_id


def test_a_consumer_stalls_only_when_messages_are_pending():
    progress = Progress("billing.period.closed.v1")
    assert not progress.stalled(now_s=1_000)
    progress.observe_lag(5, now_s=1_000)
    assert not progress.stalled(now_s=1_059)
    assert progress.stalled(now_s=1_061)
    progress.advance(1, now_s=1_061)
    progress.observe_lag(4, now_s=1_061)
    assert not progress.stalled(now_s=1_120)
    progress.observe_lag(0, now_s=1_200)
    assert not progress.stalled(now_s=9_999)


@pytest.mark.parametrize(
    ("failure", "stalls"),
    [(Transient("away"), True), (NoRoom("full"), False), (Unreadable("gone", "a file"), False)],
)
def test_whoever_waits_for_room_on_a_disk_does_not_stall(failure, stalls):
    progress = Progress("relay")
    for now_s in range(1_000, 1_100, 10):
        progress.retry(failure, now_s=now_s)
    assert (progress.retries, progress.lag) == (10, 1)
    assert progress.stalled(now_s=1_100) == stalls


def test_a_handler_that_takes_long_stalls_only_when_its_heart_does():
    heartbeat = Heartbeat()
    progress = Progress("simulation.simulation.chunk_requested.v1", heartbeat=heartbeat)
    heartbeat.beat(now_s=900)
    progress.observe_lag(1, now_s=1_000)
    assert progress.stalled(now_s=1_061)  # that was the batch before
    for now_s in range(1_050, 1_400, 50):
        heartbeat.beat(now_s=now_s)
        assert not progress.stalled(now_s=now_s + 59)
    assert progress.stalled(now_s=1_350 + 61)


@pytest.mark.parametrize(("stored", "fits"), [(5, True), (9, True), (4, False), (10, False)])
def test_stored_offsets_must_lie_in_the_log(stored, fits):
    partition = ("readings.received.v1", 0)
    if fits:
        check_bounds({partition: stored}, {partition: 5}, {partition: 9})
    else:
        with pytest.raises(BrokerMismatch, match="holds 5 to 9"):
            check_bounds({partition: stored}, {partition: 5}, {partition: 9})


def test_a_key_always_falls_into_the_same_shard():
    shards = {shard_of(f"acme:{number}") for number in range(1_000)}
    assert shards == set(range(OUTBOX_SHARDS))
    assert shard_of("acme:1") == shard_of("acme:1")


def test_keys_go_where_kafkas_own_partitioner_sends_them():
    partitions = list(range(8))
    for number in range(500):
        key = f"acme:{number}".encode()
        expected = DefaultPartitioner()(key, partitions, partitions)
        assert partition_for(key, partitions, partitions) == expected


async def test_transient_failures_are_retried_and_others_pass():
    outcomes = iter([Transient("away"), Transient("away"), None])
    retries = []

    async def attempt():
        if (failure := next(outcomes)) is not None:
            raise failure
        return "done"

    stop = asyncio.Event()
    assert await retry_transient("x", attempt, stop=stop, on_retry=retries.append) == "done"
    assert len(retries) == 2


async def test_a_retry_ends_when_the_process_stops():
    stop = asyncio.Event()

    async def attempt():
        stop.set()
        raise Transient("away")

    with pytest.raises(Stopped):
        await retry_transient("x", attempt, stop=stop)
