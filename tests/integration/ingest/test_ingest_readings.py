"""Recording on the real database: idempotence, corrections, quality, pending, quarantine."""

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from gridtally.contracts.envelope import Envelope
from gridtally.contracts.metering import ReadingsRejected, UsageRecorded
from gridtally.database import ALL_TENANTS, transaction
from gridtally.ingest.handlers.pending_blocks import drop_expired
from gridtally.kernel.errors import Poison, Transient
from gridtally.messaging import ReceivedMessage

METER = UUID(int=7)
DAY = date(2025, 5, 10)
MIDNIGHT = datetime(2025, 5, 9, 22, tzinfo=UTC)  # in Berlin
QUARTER = timedelta(minutes=15)


@pytest.fixture
async def known(ingest):
    await ingest.register(METER)
    return ingest


def one_day(values, quality=None):
    quality = quality or "".join("-" if value is None else "A" for value in values)
    return {(METER, "import", DAY): (values, quality)}


async def test_a_day_block_becomes_a_channel_day(known):
    await known.deliver(known.block(METER, MIDNIGHT, list(range(96))))
    assert await known.days() == one_day(list(range(96)))
    [row] = await known.rows("SELECT version, present, zone FROM channel_day")
    assert tuple(row.values()) == (1, 96, "Europe/Berlin")
    assert (await known.counts())["new"] == 96


async def test_single_readings_fill_a_day_and_missing_is_not_zero(known):
    await known.deliver(
        known.block(METER, MIDNIGHT, [0]), known.block(METER, MIDNIGHT + 3 * QUARTER, [3])
    )
    await known.deliver(known.block(METER, MIDNIGHT + QUARTER, [0, None]))
    assert await known.days() == one_day([0, 0, None, 3, *[None] * 92])
    [row] = await known.rows("SELECT version, present FROM channel_day")
    assert tuple(row.values()) == (2, 3)
    rows = await known.rows("SELECT start_at, energy_wh FROM reading ORDER BY start_at LIMIT 2")
    assert [tuple(row.values()) for row in rows] == [(MIDNIGHT, 0), (MIDNIGHT + QUARTER, 0)]


async def test_a_block_over_the_clock_change_is_cut_at_local_midnights(known):
    """30 March 2025 has 23 hours in Berlin."""
    begin = datetime(2025, 3, 28, 23, tzinfo=UTC)
    await known.deliver(known.block(METER, begin, list(range(96 + 92 + 5))))
    days = {day: values for (_, _, day), (values, _) in (await known.days()).items()}
    assert [len(values) for _, values in sorted(days.items())] == [96, 92, 96]
    assert days[date(2025, 3, 31)][:6] == [188, 189, 190, 191, 192, None]
    assert (await known.counts())["stored"] == 1


async def test_the_same_message_again_changes_nothing(known):
    sent = known.block(METER, MIDNIGHT, [1, 2, 3])
    await known.deliver(sent, sent)
    known.later(minutes=1)
    await known.deliver(sent)
    [row] = await known.rows("SELECT version, count(*) OVER () AS days FROM channel_day")
    assert tuple(row.values()) == (1, 1)
    assert len(await known.rows("SELECT * FROM reading_block")) == 1
    assert await known.counts() == {
        "received": 3, "stored": 1, "duplicates": 2, "quarantined": 0, "pending": 0,
        "dropped": 0, "new": 3, "corrected": 0, "unchanged": 6,
    }  # fmt: skip


async def test_the_same_value_in_another_message_is_stored_but_changes_nothing(known):
    await known.deliver(known.block(METER, MIDNIGHT, [1, 2, 3]))
    known.later(minutes=1)
    await known.publish_usage()
    await known.deliver(known.block(METER, MIDNIGHT, [1, 2, 3]))
    [row] = await known.rows("SELECT version FROM channel_day")
    assert row["version"] == 1
    assert len(await known.rows("SELECT * FROM reading_block")) == 2
    known.later(minutes=1)
    assert await known.publish_usage() == []


async def test_a_correction_makes_a_version_and_the_old_value_stays(known, clients):
    await known.deliver(known.block(METER, MIDNIGHT, [1, 2, 3]))
    before = known.now
    known.later(hours=1)
    await known.deliver(known.block(METER, MIDNIGHT + QUARTER, [20]))
    assert (await known.days()) == one_day([1, 20, 3, *[None] * 93])
    [row] = await known.rows("SELECT version FROM channel_day")
    assert row["version"] == 2
    assert (await known.counts())["corrected"] == 1

    client = await clients()
    window = {"flow": "import", "from": MIDNIGHT.isoformat(), "resolution": "15",
              "to": (MIDNIGHT + 3 * QUARTER).isoformat()}  # fmt: skip
    path = f"/v1/meters/{METER}/series"
    now = (await client.get(path, params=window)).json()
    then = (await client.get(path, params=window | {"as_known_at": before.isoformat()})).json()
    assert (now["values_wh"], then["values_wh"]) == ([1, 20, 3], [1, 2, 3])


async def test_a_redelivery_after_a_correction_does_not_bring_the_old_value_back(known):
    first = known.block(METER, MIDNIGHT, [1])
    await known.deliver(first)
    known.later(hours=1)
    await known.deliver(known.block(METER, MIDNIGHT, [2]), first)
    await known.deliver(first)
    assert await known.days() == one_day([2, *[None] * 95])


async def test_an_estimate_never_replaces_what_was_measured(known):
    estimated = known.block(METER, MIDNIGHT, [9, 9, 9], quality="estimated")
    known.later(minutes=1)
    await known.deliver(estimated)
    assert await known.days() == one_day([9, 9, 9, *[None] * 93], "EEE" + "-" * 93)
    await known.deliver(known.block(METER, MIDNIGHT, [1, 9], at=known.now - timedelta(days=1)))
    assert await known.days() == one_day([1, 9, 9, *[None] * 93], "AAE" + "-" * 93)
    known.later(minutes=1)
    await known.deliver(known.block(METER, MIDNIGHT, [7, 7, 7], quality="estimated"))
    assert await known.days() == one_day([1, 9, 7, *[None] * 93], "AAE" + "-" * 93)


@pytest.mark.parametrize("seed", range(4))
async def test_order_and_repetition_change_nothing(ingest, seed):
    """The same messages in another order, some twice, in other batches: the same tables."""
    chance = random.Random(seed)
    await ingest.register(METER)
    sent = []
    for n in range(40):
        start = MIDNIGHT + chance.randrange(-40, 130) * QUARTER
        values = [chance.choice([None, 1, 2, 3]) for _ in range(chance.choice([1, 1, 4, 60]))]
        quality = chance.choice(["actual", "actual", "estimated", "substituted"])
        at = ingest.now - timedelta(minutes=chance.randrange(5))
        sent.append(
            ingest.block(METER, start, values, quality=quality, at=at, event_id=UUID(int=n + 1))
        )
    results = []
    for tenant in ("one", "two"):
        await ingest.register(METER, tenant=tenant)
        again = [*sent, *chance.choices(sent, k=20)] if tenant == "two" else [*sent]
        chance.shuffle(again)
        while again:
            size = chance.randrange(1, 15)
            batch = [of_tenant(message, tenant) for message in again[:size]]
            await ingest.deliver(*batch)
            del again[:size]
        results.append(await ingest.days(tenant))
    assert results[0] == results[1] != {}
    blocks = "SELECT count(*) AS n FROM reading_block GROUP BY tenant_id"
    assert len({row["n"] for row in await ingest.rows(blocks)}) == 1


def of_tenant(sent, tenant):
    old = sent.envelope
    envelope = Envelope(old.event_id, old.event_type, old.source, old.occurred_at, tenant, "c")
    return ReceivedMessage(
        sent.event, envelope, sent.topic, sent.partition, sent.offset, sent.key, sent.value
    )


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("future", {"start_at": datetime(2025, 6, 1, 12, tzinfo=UTC)}),
        ("future", {"at": datetime(2025, 6, 2, tzinfo=UTC)}),
        ("future", {"start_at": datetime(9998, 12, 31, 23, 59, tzinfo=UTC)}),
        ("future", {"read_at": datetime(9998, 12, 31, 23, 59, tzinfo=UTC)}),
        ("negative", {"values": [1, -1, 1]}),
        ("negative", {"values": [-(2**70)]}),
        ("over_maximum", {"values": [10_001]}),
        ("over_maximum", {"values": [None, 2**64]}),
        ("misaligned", {"start_at": MIDNIGHT + timedelta(minutes=1)}),
        ("wrong_unit", {"unit": "kWh"}),
        ("wrong_resolution", {"minutes": 30}),
        ("wrong_resolution", {"minutes": 7}),
        ("wrong_flow", {"flow": "export"}),
        ("too_old", {"start_at": datetime(1999, 1, 1, tzinfo=UTC)}),
    ],
)
async def test_what_is_wrong_goes_to_quarantine_with_its_reason(known, reason, change):
    wrong = known.block(**({"meter_id": METER, "start_at": MIDNIGHT, "values": [1]} | change))
    await known.deliver(wrong, known.block(METER, MIDNIGHT, [5]), wrong)
    await known.deliver(wrong)
    [row] = await known.rows("SELECT reason, event_id FROM quarantine")
    assert (row["reason"], row["event_id"]) == (reason, wrong.envelope.event_id)
    [event] = await known.outbox("readings.rejected.v1")
    assert ReadingsRejected.model_validate(event).reason == reason
    assert await known.days() == one_day([5, *[None] * 95])
    counts = await known.counts()
    assert (counts["quarantined"], counts["duplicates"], counts["stored"]) == (1, 2, 1)


async def test_a_derived_meter_takes_no_readings(ingest):
    await ingest.register(METER, kind="unmetered", channels=())
    await ingest.deliver(ingest.block(METER, MIDNIGHT, [1]))
    [row] = await ingest.rows("SELECT reason FROM quarantine")
    assert row["reason"] == "derived_meter"


async def test_hours_do_not_fill_a_day_of_23_and_a_half(ingest):
    """Lord Howe Island shifts its clocks by half an hour."""
    hourly = ({"flow": "import", "minutes": 60, "interval_wh_max": 10_000},)
    await ingest.register(METER, zone="Australia/Lord_Howe", channels=hourly)
    await ingest.deliver(
        ingest.block(METER, datetime(2024, 10, 5, 14, tzinfo=UTC), [1], minutes=60),
        ingest.block(METER, datetime(2024, 10, 6, 13, tzinfo=UTC), [1], minutes=60),
    )
    [row] = await ingest.rows("SELECT reason FROM quarantine")
    assert row["reason"] == "misaligned"
    assert [day for _, _, day in await ingest.days()] == [date(2024, 10, 7)]


async def test_quarantine_is_replayed_after_repair(known, clients):
    client = await clients()
    await known.deliver(known.block(METER, MIDNIGHT, [10_500]))
    [item] = (await client.get("/v1/quarantine")).json()["items"]
    path = f"/v1/quarantine/{item['id']}/replay"
    refused = await client.post(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "still_refused")
    wider = ({"flow": "import", "minutes": 15, "interval_wh_max": 20_000},)
    await known.register(METER, channels=wider, version=2)
    assert (await client.post(path)).status_code == 200
    assert await known.days() == one_day([10_500, *[None] * 95])
    assert (await client.post(path)).json()["code"] == "already_replayed"
    assert (await client.get("/v1/quarantine")).json()["items"] == []
    counts = await known.counts()
    assert (counts["received"], counts["stored"], counts["quarantined"]) == (1, 1, 0)


async def test_blocks_of_an_unknown_meter_are_pending_until_it_is_registered(ingest, clients):
    sent = [ingest.block(METER, MIDNIGHT + n * QUARTER, [n]) for n in range(3)]
    await ingest.deliver(*sent, sent[0])
    client = await clients()
    [pending] = (await client.get("/v1/pending-blocks")).json()["items"]
    assert (pending["meter_id"], pending["blocks"]) == (str(METER), 3)
    assert await ingest.record_pending() == 0
    await ingest.register(METER, tenant="other")
    assert await ingest.record_pending() == 0, "another tenant's meter is not this one"
    await ingest.register(METER)
    assert await ingest.record_pending() == 3
    assert await ingest.days() == one_day([0, 1, 2, *[None] * 93])
    assert (await client.get("/v1/pending-blocks")).json()["items"] == []
    counts = await ingest.counts()
    assert [counts[name] for name in ("received", "stored", "duplicates", "pending")] == [
        4, 3, 1, 0
    ]  # fmt: skip
    await ingest.deliver(*sent)
    assert (await ingest.counts())["duplicates"] == 4


async def test_beyond_its_quota_a_tenants_blocks_are_dropped_and_counted(ingest, clients):
    """Two may be pending: of five in one batch the last three are dropped; another tenant has its
    own quota. What was dropped is stored when it comes again, once the meter is known."""
    object.__setattr__(ingest.recorder, "pending_blocks_max", 2)
    sent = [ingest.block(METER, MIDNIGHT + n * QUARTER, [n]) for n in range(5)]
    await ingest.deliver(*sent, ingest.block(METER, MIDNIGHT, [9], tenant="umbra"))
    names = ("received", "stored", "duplicates", "pending", "dropped")
    assert [(await ingest.counts())[name] for name in names] == [5, 0, 0, 2, 3]
    assert (await ingest.counts("umbra"))["pending"] == 1
    await ingest.deliver(sent[0], sent[4])
    assert [(await ingest.counts())[name] for name in names] == [7, 0, 1, 2, 4]
    client = await clients()
    assert (await client.get("/v1/pending-blocks")).json()["items"][0]["blocks"] == 2
    assert (await client.get("/v1/reconciliation")).json()["holds"] is True

    object.__setattr__(ingest.recorder, "pending_blocks_max", 1)  # those that wait keep waiting
    await ingest.register(METER)
    assert await ingest.record_pending() == 2
    await ingest.deliver(sent[4])
    assert [(await ingest.counts())[name] for name in names] == [8, 3, 1, 0, 4]
    assert await ingest.days() == one_day([0, 1, None, None, 4, *[None] * 91])


async def test_a_block_that_waits_too_long_is_dropped_and_counted(ingest, clients, monkeypatch):
    monkeypatch.setattr("gridtally.ingest.handlers.pending_blocks.PENDING_BLOCKS_MAX", 2)
    await ingest.deliver(*(ingest.block(METER, MIDNIGHT + n * QUARTER, [n]) for n in range(3)))
    came_at = ingest.now
    ingest.later(hours=1)
    await ingest.deliver(ingest.block(METER, MIDNIGHT + 3 * QUARTER, [3]))
    assert await ingest.poll(drop_expired, came_at) == 0
    later = [await ingest.poll(drop_expired, came_at + QUARTER) for _ in range(3)]
    assert later == [2, 1, 0]
    counts = await ingest.counts()
    assert (counts["received"], counts["pending"], counts["dropped"]) == (4, 1, 3)
    client = await clients()
    assert (await client.get("/v1/reconciliation")).json()["holds"] is True


async def test_tenants_with_the_same_meter_id_do_not_meet(ingest, clients):
    for n, tenant in enumerate(("acme", "umbra")):
        await ingest.register(METER, tenant=tenant)
        await ingest.deliver(ingest.block(METER, MIDNIGHT, [n + 1], tenant=tenant))
    assert await ingest.days("acme") == one_day([1, *[None] * 95])
    assert await ingest.days("umbra") == one_day([2, *[None] * 95])
    third = await clients("third")
    path = f"/v1/meters/{METER}"
    assert (await third.get(path)).status_code == 404
    window = {"from": "2025-05-10", "to": "2025-05-11"}
    assert (await third.get(f"{path}/completeness", params=window)).status_code == 404
    for listing in ("quarantine", "pending-blocks", "periods"):
        assert (await third.get(f"/v1/{listing}")).json()["items"] == []
    assert (await third.get("/v1/reconciliation")).json()["counted"]["received"] == 0


async def test_usage_is_published_once_per_changed_day_in_its_newest_version(known):
    await known.deliver(known.block(METER, MIDNIGHT, [1], correlation_id="first"))
    assert await known.publish_usage() == [], "an incomplete day is gathered for a while"
    await known.deliver(known.block(METER, MIDNIGHT + QUARTER, [2], correlation_id="second"))
    known.later(seconds=2)
    [event] = await known.publish_usage()
    UsageRecorded.model_validate(event)
    assert (event["version"], event["values"][:3]) == (2, [1, 2, None])
    assert known.sent[0].envelope.correlation_id == "second"
    await known.deliver(known.block(METER, MIDNIGHT + 2 * QUARTER, [0] * 94))
    [event] = await known.publish_usage()
    assert (event["version"], event["quality"]) == (3, "A" * 96), "a complete day goes at once"
    assert await known.publish_usage() == []


async def test_a_broker_that_is_away_delays_usage(known):
    await known.deliver(known.block(METER, MIDNIGHT, [1] * 96))

    async def away(_messages):
        raise Transient("away")

    known.sent.publish = away
    with pytest.raises(Transient):
        await known.publish_usage()
    del known.sent.publish
    assert len(await known.publish_usage()) == 1


async def test_two_writers_of_one_day_do_not_lose_each_others_values(known):
    """Gateways may key as they like, so two consumers may meet in one channel-day."""

    async def deliver_until_done(sent):
        while True:
            try:
                return await known.deliver(sent)
            except Transient:
                await asyncio.sleep(0)

    sent = [known.block(METER, MIDNIGHT + n * QUARTER, [n]) for n in range(8)]
    await asyncio.gather(*(deliver_until_done(block) for block in [*sent, *sent]))
    assert await known.days() == one_day([*range(8), *[None] * 88])
    assert len(await known.rows("SELECT * FROM reading_block")) == 8


async def test_a_crash_in_the_middle_of_a_batch_leaves_nothing(known):
    with pytest.raises(RuntimeError):
        async with transaction(known.database, tenant=ALL_TENANTS) as tx:
            await known.handle["readings"](tx, [known.block(METER, MIDNIGHT, [1])])
            raise RuntimeError("killed")
    assert await known.days() == {}
    assert await known.rows("SELECT 1 FROM reading_block") == []
    assert await known.rows("SELECT 1 FROM changed_day") == []
    assert (await known.counts())["received"] is None


async def test_readings_have_no_tombstones(known):
    good = known.block(METER, MIDNIGHT, [1])
    tombstone = ReceivedMessage(None, good.envelope, good.topic, 0, 0, good.key, None)
    with pytest.raises(Poison, match="no tombstones"):
        await known.deliver(good, tombstone)
    assert await known.days() == {}


async def test_blocks_are_append_only(known):
    await known.deliver(known.block(METER, MIDNIGHT, [1]))
    for change in ("UPDATE reading_block SET slot = 1", "DELETE FROM reading_block"):
        with pytest.raises(asyncpg.PostgresError, match=r"append-only|permission denied"):
            async with transaction(known.database, tenant=ALL_TENANTS) as tx:
                await tx.raw.execute(change)


async def test_the_reconciliation_holds_and_notices_a_loss(known, clients):
    client = await clients()
    await known.deliver(
        known.block(METER, MIDNIGHT, [1] * 96),
        known.block(uuid4(), MIDNIGHT, [1]),
        known.block(METER, MIDNIGHT, [-1]),
    )
    figures = (await client.get("/v1/reconciliation")).json()
    assert figures["holds"] is True
    assert figures["counted"] == figures["found"] == {
        "received": 3, "stored": 1, "duplicates": 0, "quarantined": 1, "pending": 1, "dropped": 0,
    }  # fmt: skip
    assert figures["energy"] == [{"flow": "import", "stored_wh": 96, "closed_wh": 0, "open_wh": 96}]
    async with transaction(known.database, tenant=ALL_TENANTS) as tx:
        await tx.raw.execute("DELETE FROM pending_block")
    assert (await client.get("/v1/reconciliation")).json()["holds"] is False
