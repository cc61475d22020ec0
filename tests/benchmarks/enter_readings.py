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

from database import Database, ReadConnection, snapshot, transaction
from ledger.domain.readings import Wanted
from ledger.domain.registry import Property, own_meters
from ledger.handlers import energy, registry
from ledger.handlers.readings import Accepted, Asked, record_readings
from ledger.store import readings
from ledger.store.readings import Selection
from ledger.wire import Cause

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
CAUSE = Cause(TENANT, "bench")
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
NOW = datetime(2030, 1, 1, tzinfo=UTC)
"""What the handlers are told; entries lie far before it."""

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


def place(n: int) -> Property:
    """The n-th property."""
    return Property(UUID(int=n + 1), f"Home {n}", "", "Europe/Berlin", None, None, None)


def meter_id(n: int) -> UUID:
    """The main meter of the n-th property."""
    return own_meters(TENANT, place(n).id, {})[2].id


async def register(database: Database) -> None:
    """Make the properties and their meters."""
    asked = [(place(n), own_meters(TENANT, place(n).id, {})) for n in range(PROPERTIES)]
    async with transaction(database, tenant=TENANT) as tx:
        await registry.create_properties(tx, CAUSE, asked)


async def fill(database: Database) -> None:
    """Enter the past, an hour between the readings of a meter."""
    ids = [meter_id(n) for n in range(PROPERTIES)]
    places = [place(n).id for n in range(PROPERTIES)]
    step = FILL_ENTRIES // PROPERTIES
    for first in range(0, ENTRIES_PRESENT // PROPERTIES, step):
        async with transaction(database, tenant=TENANT) as tx:
            await tx.raw.execute(_FILL, TENANT, BEGIN, ids, places, first, first + step)


def asked(meter: int, n: int) -> Asked:
    """The n-th new reading of a meter, later and higher than all before."""
    at = BEGIN + timedelta(days=1_000, minutes=n)
    return Asked(meter_id(meter), None, Wanted(Decimal(100_000 + n), at))


async def enter(database: Database, items: Sequence[Asked]) -> None:
    """One transaction, as a request of the API makes it."""
    async with transaction(database, tenant=TENANT) as tx:
        answers = await record_readings(tx, CAUSE, items, NOW)
    if not all(isinstance(one, Accepted) and one.created for one in answers):
        sys.exit(f"wrong: {answers[0]}")


async def singles(database: Database, turn: int) -> Rate:
    """Readings, each its own transaction, by several writers."""
    todo = [[asked(n % PROPERTIES, turn * ROUND_SINGLES + n)] for n in range(ROUND_SINGLES)]
    clock = Clock()

    async def write(mine: Sequence[list[Asked]]) -> None:
        for items in mine:
            await enter(database, items)

    await asyncio.gather(*(write(todo[n::WRITERS]) for n in range(WRITERS)))
    return clock.rate(ROUND_SINGLES)


async def bulks(database: Database, turn: int) -> Rate:
    """Readings, a thousand in a transaction, one after the other."""
    first = 1_000_000 + turn * BULK_READINGS
    requests = [
        [asked(meter, first + n) for n in range(BULK_READINGS)] for meter in range(ROUND_BULKS)
    ]
    clock = Clock()
    for items in requests:
        await enter(database, items)
    return clock.rate(ROUND_BULKS * BULK_READINGS)


async def reads(database: Database) -> dict[str, float]:
    """Milliseconds of each read, the median."""
    counter = meter_id(7)
    month = (BEGIN + timedelta(days=10), BEGIN + timedelta(days=40))

    async def consumed(read: ReadConnection) -> object:
        _, own = await energy.fetch_place(read, TENANT, place(7).id)
        counters = energy.counters_of(own)
        known = await energy.fetch_known(read, TENANT, counters, month, None)
        return await energy.count(known, counters, [month])

    timed: dict[str, Callable[[ReadConnection], Awaitable[object]]] = {
        "page": lambda r: readings.list_readings(r, TENANT, Selection({}), None, 50),
        "page_of_meter": lambda r: readings.list_readings(
            r, TENANT, Selection({"meter_id": counter}), None, 50, descending=True
        ),
        "page_as_of": lambda r: readings.list_readings(
            r, TENANT, Selection({}, as_of=NOW), None, 50
        ),
        "statistics": lambda r: readings.summarize(r, TENANT, Selection({"meter_id": counter})),
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
        told = await read.raw.fetchval(
            "SELECT count(*) FROM outbox WHERE topic = 'reading.recorded.v1'"
        )
    if (counts, told) != (ENTRIES_PRESENT + entered, entered):
        sys.exit(f"wrong: {counts} readings count and {told} were told, of {entered} entered")


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
        f"single readings, {ENTRIES_PRESENT:,} entries": _told(one_by_one),
        f"a thousand at a time, {ENTRIES_PRESENT:,} entries": _told(together),
        f"reads, {ENTRIES_PRESENT:,} entries": taken,
        "the process": {"peak_memory_mb": peak_memory_mb()},
    }


def _told(rates: list[Rate]) -> dict[str, float]:
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
