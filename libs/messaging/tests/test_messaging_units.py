import asyncio
import gc
import itertools
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

import pytest
from aiokafka.partitioner import DefaultPartitioner

from contracts.envelope import Envelope, read_envelope
from contracts.metering import ReadingsReceived
from kernel.errors import Poison, Transient
from messaging.broker import BrokerMismatch, check_bounds
from messaging.consumer import CollectorRest
from messaging.dead_letters import (
    NO_TENANT,
    SENDERS_MAX,
    Budget,
    TooManyDeadLetters,
    tenant_of,
)
from messaging.decoding import batches, decode_record
from messaging.outbox import shard_of
from messaging.outgoing import Outgoing
from messaging.progress import Progress
from messaging.publisher import partition_for
from messaging.retries import Stopped, persist
from messaging.tables import OUTBOX_SHARDS

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
        ({"headers": []}, "no ce_id"),
        ({"headers": without("ce_tenantid")}, "no ce_tenantid"),
        ({"headers": replaced("ce_tenantid", b"")}, "ce_tenantid"),
        ({"headers": replaced("ce_id", b"7")}, "malformed"),
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
def test_what_cannot_be_understood_is_poison_and_says_why(changed, reason):
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
    found = [[one.value and len(one.value) for one in batch] for batch in batches(records, 10)]
    assert found == cut


def test_the_correlation_falls_back_to_the_event_itself():
    assert read_envelope(without("ce_correlationid")).correlation_id == str(AN_ID)


def test_an_event_becomes_a_message_under_its_tenant_and_thing():
    event = ReadingsReceived.model_validate_json(VALUE)
    sent = Outgoing.of(
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


def test_the_collector_rests_for_a_block_of_the_first_who_asked_or_until_told():
    first, second = CollectorRest(), CollectorRest()
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


def test_a_hundred_poisoned_in_a_row_are_borne_and_one_more_is_not():
    budget = Budget()
    for _ in range(100):
        budget.bad("acme")
    with pytest.raises(TooManyDeadLetters, match="in a row"):
        budget.bad("acme")


def test_more_than_one_in_a_hundred_is_too_many():
    budget = Budget()
    for _ in range(10):
        budget.good({"acme": 99})
        budget.bad("acme")
    with pytest.raises(TooManyDeadLetters, match="11 of 1001"):
        budget.bad("acme")


@pytest.mark.parametrize("flooding", ["hostile", NO_TENANT])
def test_one_tenants_flood_does_not_stop_the_others(flooding):
    budget = Budget()
    for _ in range(20):
        budget.good({"acme": 500, "zeta": 1})
        for _ in range(1_000):
            budget.bad(flooding)
        budget.bad("acme")  # one of its 500, as may happen


def test_a_flood_hides_nothing_that_others_meet_in_a_row():
    budget = Budget()
    budget.good({"zeta": 1})
    for _ in range(100):
        budget.bad("hostile")
        budget.bad("hostile")
        budget.bad("acme")
    with pytest.raises(TooManyDeadLetters, match="in a row"):
        budget.bad("acme")


def test_a_flood_hides_nothing_that_others_meet_among_good_messages():
    budget = Budget()
    for _ in range(10):
        budget.bad("hostile")
        budget.bad("hostile")
        budget.good({"acme": 50, "zeta": 49})
        budget.bad("zeta")
    with pytest.raises(TooManyDeadLetters, match="11 of 1001"):
        budget.bad("acme")


def test_what_no_tenant_is_understood_of_stops_the_consumer():
    """As after a wrong deployment: everybody's messages in turn."""
    budget = Budget()
    tenants = itertools.cycle(f"t-{number}" for number in range(50))
    with pytest.raises(TooManyDeadLetters, match="in a row"):
        for _, tenant_id in zip(range(150), tenants, strict=False):
            budget.bad(tenant_id)


def test_tenants_that_are_counted_are_bounded():
    budget = Budget()
    for number in range(SENDERS_MAX + 50):
        budget.good({f"t-{number}": 1})
    assert len(budget._senders) <= SENDERS_MAX + 1


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


def test_a_consumer_stalls_only_when_messages_wait():
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


@pytest.mark.parametrize(("stored", "fits"), [(5, True), (9, True), (4, False), (10, False)])
def test_stored_offsets_must_lie_in_the_log(stored, fits):
    place = ("readings.received.v1", 0)
    if fits:
        check_bounds({place: stored}, {place: 5}, {place: 9})
    else:
        with pytest.raises(BrokerMismatch, match="holds 5 to 9"):
            check_bounds({place: stored}, {place: 5}, {place: 9})


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
    assert await persist("x", attempt, stop=stop, on_retry=lambda: retries.append(1)) == "done"
    assert len(retries) == 2


async def test_a_retry_ends_when_the_process_stops():
    stop = asyncio.Event()

    async def attempt():
        stop.set()
        raise Transient("away")

    with pytest.raises(Stopped):
        await persist("x", attempt, stop=stop)
