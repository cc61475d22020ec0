"""Measures the ledger of readings: register readings checked, entered and put into the outbox.

Run by `make bench ARGS="--only enter_readings"`; README.md here says what a benchmark is given. One
by one by several writers and a thousand at a time, with a million entries present, and how quickly
they are read then.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median
from time import perf_counter
from uuid import UUID

from script import Clock, Rate, arguments, own_database, peak_memory_mb, sized, tell

from gridtally.database import Database, ReadConnection, WriteConnection, snapshot, transaction
from gridtally.database.group_commit import GroupCommit
from gridtally.kernel.errors import Rejected
from gridtally.kernel.resources import Cause
from gridtally.ledger.metering.analytics.domain.consumption import sources_of
from gridtally.ledger.metering.analytics.handlers.consumption import count, fetch_register_data
from gridtally.ledger.metering.readings.domain.readings import ReadingContent
from gridtally.ledger.metering.readings.handlers.readings import (
    AcceptedReading,
    ReadingRequest,
    record_caused_readings,
    record_readings,
)
from gridtally.ledger.metering.readings.store import readings
from gridtally.ledger.metering.readings.store.readings import Selection
from gridtally.ledger.registry.domain.meters import own_meters
from gridtally.ledger.registry.domain.properties import Property
from gridtally.ledger.registry.handlers.properties import create_properties, fetch_property

PROPERTIES = sized(1_000)
ENTRIES_PRESENT = sized(1_000_000)
FILL_ENTRIES = sized(50_000)
ROUNDS = 3
ROUND_SINGLES = sized(2_000)
ROUND_BULKS = 10
BULK_READINGS = 1_000
WRITERS = 8
READS = 9
TENANT = "bench"
CAUSE = Cause(TENANT, "bench", "bench")
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
NOW = datetime(2030, 1, 1, tzinfo=UTC)
"""The instant that handlers are given; entries lie far before it."""

# What the handler would make, without its checks and events: the past, entered long ago.
_FILL = """
INSERT INTO reading_entry (tenant_id, id, reading_id, version, meter_id, property_id, flow, kind,
                           value, digits, decimals, multiplier, quality, note, read_at,
                           correlation_id)
SELECT $1, id, id, 1, meter_id, property_id, 'import', 'reading', n, 9, 3, 1, 'actual', '',
       $2::timestamptz + n * interval '1 hour', 'bench'
  FROM (SELECT meter_id, property_id, n, gen_random_uuid() AS id
          FROM unnest($3::uuid[], $4::uuid[]) AS m (meter_id, property_id)
         CROSS JOIN generate_series($5::int, $6::int - 1) AS n) AS made
"""


def property_of(n: int) -> Property:
    """The n-th property."""
    return Property(UUID(int=n + 1), f"Home {n}", "", "Europe/Berlin", None, None, None)


def meter_id(n: int) -> UUID:
    """The main meter of the n-th property."""
    return own_meters(TENANT, property_of(n).id, {})[2].id


async def register(database: Database) -> None:
    """Make the properties and their meters."""
    requested = [
        (property_of(n), own_meters(TENANT, property_of(n).id, {})) for n in range(PROPERTIES)
    ]
    async with transaction(database, tenant=TENANT) as tx:
        await create_properties(tx, CAUSE, requested)


async def fill(database: Database) -> None:
    """Enter the past, an hour between the readings of a meter."""
    ids = [meter_id(n) for n in range(PROPERTIES)]
    property_ids = [property_of(n).id for n in range(PROPERTIES)]
    step = FILL_ENTRIES // PROPERTIES
    for first in range(0, ENTRIES_PRESENT // PROPERTIES, step):
        async with transaction(database, tenant=TENANT) as tx:
            await tx.raw.execute(_FILL, TENANT, BEGIN, ids, property_ids, first, first + step)
    async with transaction(database, tenant=TENANT) as tx:
        await tx.raw.execute("ANALYZE reading_entry")  # as the server does by itself within minutes


def request(meter: int, n: int) -> ReadingRequest:
    """The n-th new reading of a meter, later and higher than all before."""
    at = BEGIN + timedelta(days=1_000, minutes=n)
    return ReadingRequest(meter_id(meter), None, ReadingContent(Decimal(100_000 + n), at))


async def enter(database: Database, items: Sequence[ReadingRequest]) -> None:
    """One transaction, as a request of the API makes it."""
    async with transaction(database, tenant=TENANT) as tx:
        outcomes = await record_readings(tx, CAUSE, items, NOW)
    if not all(isinstance(o, AcceptedReading) and o.created for o in outcomes):
        sys.exit(f"wrong: {outcomes[0]}")


async def enter_caused(
    tx: WriteConnection, tenant_id: str, items: Sequence[ReadingRequest]
) -> list[AcceptedReading | Rejected]:
    """A group of readings, as requests of the API for one each share it."""
    return await record_caused_readings(tx, tenant_id, [(item, CAUSE) for item in items], NOW)


async def singles(database: Database, turn: int) -> Rate:
    """Readings one by one by several writers: those that are asked for meanwhile share a
    transaction."""
    todo = [request(n % PROPERTIES, turn * ROUND_SINGLES + n) for n in range(ROUND_SINGLES)]
    group = GroupCommit(enter_caused, readings.GROWING)
    clock = Clock()

    async def write(mine: Sequence[ReadingRequest]) -> None:
        for item in mine:
            outcome = await group.join(database, TENANT, item.meter_id, item)
            if not outcome.created:
                sys.exit(f"wrong: {outcome}")

    await asyncio.gather(*(write(todo[n::WRITERS]) for n in range(WRITERS)))
    return clock.rate(ROUND_SINGLES)


async def bulks(database: Database, turn: int) -> Rate:
    """Readings, a thousand in a transaction, one after the other."""
    first = 1_000_000 + turn * BULK_READINGS
    requests = [
        [request(meter, first + n) for n in range(BULK_READINGS)] for meter in range(ROUND_BULKS)
    ]
    clock = Clock()
    for items in requests:
        await enter(database, items)
    return clock.rate(ROUND_BULKS * BULK_READINGS)


async def reads(database: Database) -> dict[str, float]:
    """Milliseconds of each read, the median."""
    meter = meter_id(7)
    month = (BEGIN + timedelta(days=10), BEGIN + timedelta(days=40))

    async def consumed(read: ReadConnection) -> object:
        _, own = await fetch_property(read, TENANT, property_of(7).id)
        sources = sources_of(own)
        data = await fetch_register_data(read, TENANT, sources, month, None)
        return await count(data, sources, [month])

    timed: dict[str, Callable[[ReadConnection], Awaitable[object]]] = {
        "page": lambda r: readings.list_readings(r, TENANT, Selection({}), None, 50),
        "page_of_meter": lambda r: readings.list_readings(
            r, TENANT, Selection({"meter_id": meter}), None, 50, descending=True
        ),
        "page_as_of": lambda r: readings.list_readings(
            r, TENANT, Selection({}, as_of=NOW), None, 50
        ),
        "statistics": lambda r: readings.summarize(r, TENANT, Selection({"meter_id": meter})),
        "consumption_of_a_month": consumed,
    }
    taken: dict[str, float] = {}
    for name, ask in timed.items():
        times = []
        for _ in range(READS):
            async with snapshot(database, tenant=TENANT) as read:
                start_s = perf_counter()
                await ask(read)
                times.append(perf_counter() - start_s)
        taken[f"{name}_ms"] = round(median(times) * 1_000, 2)
    return taken


async def check(database: Database) -> None:
    """A fast wrong answer is a failure."""
    entered = ROUNDS * (ROUND_SINGLES + ROUND_BULKS * BULK_READINGS)
    async with snapshot(database, tenant=TENANT) as read:
        counts = await read.raw.fetchval("SELECT count(*) FROM reading_known_at('infinity')")
        published = await read.raw.fetchval(
            "SELECT count(*) FROM outbox WHERE topic = 'reading.recorded.v1'"
        )
    if (counts, published) != (ENTRIES_PRESENT + entered, entered):
        sys.exit(
            f"wrong: {counts} readings count and {published} were published, of {entered} entered"
        )


async def run(url: str) -> dict[str, dict[str, float]]:
    """All figures."""
    async with await Database.connect(url, application="bench") as database:
        await register(database)
        await fill(database)
        one_by_one = [await singles(database, turn) for turn in range(ROUNDS)]
        together = [await bulks(database, turn) for turn in range(ROUNDS)]
        taken = await reads(database)
        await check(database)
    return {
        f"single readings, {ENTRIES_PRESENT:,} entries": _figures(one_by_one),
        f"a thousand at a time, {ENTRIES_PRESENT:,} entries": _figures(together),
        f"reads, {ENTRIES_PRESENT:,} entries": taken,
        "the process": {"peak_memory_mb": peak_memory_mb()},
    }


def _figures(rates: list[Rate]) -> dict[str, float]:
    return {
        "readings_per_s": round(median(rate.per_s for rate in rates)),
        "cpu_us_each": round(median(rate.cpu_us for rate in rates)),
    }


def main() -> None:
    """Prints the figures and writes them."""
    given = arguments(__doc__).parse_args()
    with own_database("ledger") as url:
        figures = asyncio.run(run(url))
    tell(f"{PROPERTIES} meters, {WRITERS} writers", figures, given.json)


if __name__ == "__main__":
    main()
