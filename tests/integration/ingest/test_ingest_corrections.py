"""Which of several blocks for an interval counts: corrections, repetitions and redelivery (ING-3).

Sources: ChronoAIProject/fkst-packages#383 and watt-mind/factory#1432, where a correction back to
the first values was dropped as a repetition of the first message.
"""

from datetime import date
from uuid import UUID, uuid4

import pytest

from gridtally.ingest.events.blocks import read_block
from gridtally.kernel.errors import Transient
from gridtally.messaging import ReceivedMessage

METER = UUID(int=7)
DAY = date(2025, 5, 10)
START_AT = "2025-05-10T00:00:00+02:00"
EARLY, LATE = "2025-05-11T00:05:00Z", "2025-05-11T06:00:00Z"


@pytest.fixture
async def send(ingest, clients):
    """Posts blocks of `values` in one request, and delivers what it published; the messages."""
    await ingest.register(METER)
    client = await clients()

    async def send(*values, **more):
        ingest.later(seconds=1)
        ingest.sent.clear()
        plain = {"meter_id": str(METER), "flow": "import", "start_at": START_AT, "minutes": 15}
        items = [plain | {"values": list(some)} | more for some in values]
        answer = await client.post("/v1/readings", json={"items": items})
        assert (answer.status_code, answer.json()["accepted"]) == (202, len(items)), answer.text
        messages = [
            ReceivedMessage(read_block(m.value), m.envelope, m.topic, 0, 0, m.key, m.value)
            for m in ingest.sent
        ]
        await ingest.deliver(*messages)
        return messages

    return send


async def in_force(ingest):
    values, _ = (await ingest.days())[METER, "import", DAY]
    return [value for value in values if value is not None]


async def counted(ingest):
    counts = await ingest.counts()
    return tuple(counts[name] for name in ("stored", "duplicates", "quarantined"))


FIRST, SECOND = (1, 2), (0, 0)


async def test_a_correction_back_to_the_first_values_counts(ingest, send):
    """No read_at, no event_id (S22): 1, 2; corrected to 0, 0; corrected back."""
    for values in (FIRST, SECOND, FIRST, SECOND, FIRST):
        await send(values)
        assert await in_force(ingest) == list(values)
    counts = await ingest.counts()
    assert (counts["new"], counts["corrected"]) == (2, 8)
    assert await counted(ingest) == (5, 0, 0)


async def test_so_does_one_with_the_read_at_of_the_first(ingest, send):
    for values in (FIRST, SECOND, FIRST):
        await send(values, read_at=EARLY)
        assert await in_force(ingest) == list(values)


async def test_of_blocks_in_one_request_the_last_counts(ingest, send):
    await send(FIRST, SECOND, FIRST)
    assert await in_force(ingest) == list(FIRST)
    await send(SECOND, FIRST, SECOND)
    assert await in_force(ingest) == list(SECOND)


@pytest.mark.parametrize("more", [{}, {"read_at": EARLY}])
async def test_what_is_in_force_already_is_a_counted_duplicate(ingest, send, more):
    await send(FIRST, FIRST, **more)
    await send(FIRST, **more)
    await send(FIRST[:1], **more) if not more else None
    assert await counted(ingest) == (1, 2 if more else 3, 0)
    [blocks] = await ingest.rows("SELECT count(*) AS count FROM reading_block")
    assert blocks["count"] == 1


async def test_a_later_reading_of_the_same_values_still_ranks(ingest, send):
    """Read at 00:05 and again at 06:00; a block read between the two comes last and loses."""
    await send(FIRST, read_at=EARLY)
    await send(FIRST, read_at=LATE)
    await send(SECOND, read_at="2025-05-11T03:00:00Z")
    assert await in_force(ingest) == list(FIRST)


async def test_a_message_that_is_delivered_again_undoes_no_correction(ingest, send):
    """Everything comes again from the broker, in any order; also a request that is sent again
    under its event_id."""
    named = str(uuid4())
    sent = await send(FIRST, event_id=named)
    sent += await send(SECOND)
    for _ in range(2):
        await ingest.deliver(*reversed(sent))
        await ingest.deliver(*sent)
    await send(FIRST, event_id=named)
    assert await in_force(ingest) == list(SECOND)
    assert await counted(ingest) == (2, 9, 0)


async def test_older_readings_that_come_late_change_nothing(ingest, send):
    await send(SECOND, read_at=LATE)
    await send(FIRST, read_at=EARLY)
    assert await in_force(ingest) == list(SECOND)


async def test_a_gateway_corrects_back_under_an_id_of_its_own(ingest):
    """On Kafka the event's id names the message: the first one again is a redelivery."""
    await ingest.register(METER)
    first = ingest.block(METER, START_AT, list(FIRST))
    ingest.later(seconds=1)
    second = ingest.block(METER, START_AT, list(SECOND))
    await ingest.deliver(first, second, first)
    assert await in_force(ingest) == list(SECOND)
    ingest.later(seconds=1)
    await ingest.deliver(ingest.block(METER, START_AT, list(FIRST)))
    assert await in_force(ingest) == list(FIRST)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    ("first", "second"),
    [([1, 2], [0, 0]), ([1, None], [None, 2]), ([1, 2], [1, 2, 3])],
    ids=["other values", "other intervals", "more values"],
)
async def test_an_event_id_names_one_message(ingest, first, second, together):
    """Other content under the id of a stored block goes to quarantine, where it is seen; it once
    was counted as a duplicate, or made the batch fail for ever."""
    await ingest.register(METER)
    event_id = uuid4()
    messages = [
        ingest.block(METER, START_AT, values, event_id=event_id) for values in (first, second)
    ]
    for batch in [messages] if together else [[message] for message in messages]:
        try:
            await ingest.deliver(*batch)
        except Transient:  # the consumer tries again
            await ingest.deliver(*batch)
    assert await in_force(ingest) == [value for value in first if value is not None]
    assert await counted(ingest) == (1, 0, 1)
    [quarantined] = await ingest.rows("SELECT reason, detail FROM quarantine")
    assert quarantined["reason"] == "event_id_reused"
    assert not ingest.recorder.suspects
