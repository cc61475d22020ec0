"""Measures ingest: from messages in Kafka to committed channel-days, published and closed.

Run by `make bench ARGS="--only record_readings"`; README.md here says what it is given. The bars of
DESIGN 7 are 1 000 000 readings/s as day blocks and 40 000 single-interval messages/s.
`--profile FILE` writes a cProfile of the consuming alone.
"""

import argparse
import asyncio
import cProfile
import json
import os
import random
import resource
import secrets
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from uuid import UUID, uuid4

import orjson
import uvloop

from gridtally.contracts.commerce import AgreementChanged
from gridtally.contracts.envelope import Envelope
from gridtally.contracts.metering import Channel, MeterRegistered, ReadingsReceived
from gridtally.contracts.model import Event
from gridtally.database import ALL_TENANTS, Database, WriteConnection, transaction
from gridtally.database.migrations import upgrade
from gridtally.http.context import utc_now
from gridtally.ingest.app import build
from gridtally.ingest.handlers.agreements import apply_agreements
from gridtally.ingest.handlers.meters import apply_meters
from gridtally.ingest.handlers.periods import close_due_periods, plan_periods
from gridtally.ingest.handlers.usage import publish_usage
from gridtally.ingest.settings import Settings
from gridtally.local_stack.provision import create_database, drop_database
from gridtally.local_stack.servers import ADMIN_URL, BOOTSTRAP
from gridtally.messaging import (
    Consumer,
    OutgoingMessage,
    Progress,
    Publisher,
    ReceivedMessage,
    ensure_topics,
)
from gridtally.service.service import Process

SEED = 11
TENANT = "bench"
ZONE = "Europe/Berlin"
ROUNDS = 3
PUBLISH_MESSAGES_MAX = 2_000
WAIT_LIMIT_S = 600.0
IDEMPOTENCE = "KAFKA_IDEMPOTENCE"
CLOSED_METERS = 2_000
MONTH = (date(2025, 2, 1), date(2025, 3, 1))


@dataclass(frozen=True, slots=True)
class Case:
    """A backlog: for each of `intervals` intervals of each of `days` days, all `meters` in turn."""

    name: str
    meters: int
    days: int
    intervals: int
    values: int
    first_on: date

    @property
    def messages(self) -> int:
        """How many messages one round has."""
        return self.meters * self.days * self.intervals

    def of_round(self, number: int) -> list[datetime]:
        """When the intervals of a round begin: every round has days of its own."""
        first = datetime(self.first_on.year, self.first_on.month, self.first_on.day, tzinfo=UTC)
        return [
            first + timedelta(days=number * self.days + day, minutes=15 * interval)
            for day in range(self.days)
            for interval in range(self.intervals)
        ]


CASES = (
    Case("day blocks", 10_000, 10, 1, 96, date(2025, 3, 3)),
    Case("single readings", 2_000, 1, 96, 1, date(2025, 5, 5)),
)


def registration(meter_id: UUID) -> MeterRegistered:
    """A meter in UTC, whose days are those of the blocks."""
    return MeterRegistered(
        meter_id=meter_id,
        property_id=uuid4(),
        meter_type="main",
        name="Meter",
        zone="UTC",
        channels=[Channel(flow="import", minutes=15, interval_wh_max=100_000)],
        version=1,
    )


def agreement(meter_id: UUID) -> AgreementChanged:
    """One that ends with the month that is closed."""
    return AgreementChanged(
        agreement_id=uuid4(),
        customer_id=uuid4(),
        meter_id=meter_id,
        tariff_id=uuid4(),
        start_on=MONTH[0],
        end_on=MONTH[1],
        version=1,
    )


def received(event: Event) -> ReceivedMessage[Event]:
    """An event as a handler gets it."""
    envelope = Envelope(uuid4(), event.TOPIC, "bench", datetime.now(UTC), TENANT, "b")
    return ReceivedMessage(event, envelope, event.TOPIC, 0, 0, f"{TENANT}:{event.key()}", b"")


def backlog(meters: list[UUID], starts: list[datetime], values: int) -> Iterator[OutgoingMessage]:
    """One block of every meter for each start."""
    chance = random.Random(SEED)
    for start_at in starts:
        for meter_id in meters:
            body = {
                "meter_id": str(meter_id),
                "flow": "import",
                "start_at": start_at,
                "minutes": 15,
                "values": [chance.randrange(2_000) for _ in range(values)],
            }
            yield OutgoingMessage.raw(
                ReadingsReceived.TOPIC,
                str(meter_id),
                orjson.dumps(body),
                tenant_id=TENANT,
                correlation_id=str(meter_id),
                source="bench",
                event_id=uuid4(),
                occurred_at=start_at,
            )


async def publish(publisher: Publisher, messages: Iterator[OutgoingMessage]) -> None:
    """Put messages into Kafka."""
    waiting: list[OutgoingMessage] = []
    for message in messages:
        waiting.append(message)
        if len(waiting) == PUBLISH_MESSAGES_MAX:
            await publisher.publish(waiting)
            waiting.clear()
    await publisher.publish(waiting)


class Bench:
    """Ingest's handlers over a database of their own."""

    def __init__(self, database: Database, publisher: Publisher, url: str, bootstrap: str) -> None:
        self.database = database
        self.bootstrap = bootstrap
        settings = Settings.model_validate(
            {"database_url": url, "kafka_bootstrap_servers": bootstrap}
        )
        self.revision_delay = settings.revision_delay
        process = Process("ingest", settings, database, publisher, utc_now, asyncio.Event())
        parts = build(process)
        self.readings, self.archive = parts.subscriptions[0], parts.state["archive"]
        self.profile: cProfile.Profile | None = None

    async def register(self, meters: list[UUID]) -> None:
        """Make the meters known."""
        async with transaction(self.database, tenant=ALL_TENANTS) as tx:
            batch = [received(registration(meter_id)) for meter_id in meters]
            await apply_meters(tx, batch, datetime.now(UTC))  # type: ignore[arg-type]

    async def consume(self, count: int) -> tuple[float, float]:
        """Seconds, and our processor's seconds, until so many messages are committed."""
        progress, stop = Progress("bench"), asyncio.Event()
        consumer = Consumer(
            self.database, self.bootstrap, "ingest", self.readings, progress=progress, stop=stop
        )
        task = asyncio.create_task(consumer.run())
        while not progress.ready:  # noqa: ASYNC110 - progress is a plain record
            await asyncio.sleep(0.01)
        if self.profile:
            self.profile.enable()
        start, start_cpu = perf_counter(), process_time()
        async with asyncio.timeout(WAIT_LIMIT_S):
            while progress.handled < count and not task.done():  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        seconds, cpu_seconds = perf_counter() - start, process_time() - start_cpu
        if self.profile:
            self.profile.disable()
        stop.set()
        await task
        return seconds, cpu_seconds


async def repeat(
    database: Database, poll: Callable[[WriteConnection], Awaitable[int]]
) -> tuple[int, float]:
    """Polls, each in a transaction, until nothing is left to do: how much was done, and in how many
    seconds."""
    start, total, done = perf_counter(), 0, 1
    while done:
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            done = await poll(tx)
        total += done
    return total, perf_counter() - start


async def measure_recording(
    bench: Bench, publisher: Publisher, case: Case, meters: list[UUID]
) -> dict[str, float]:
    """Messages and readings per second; the median of rounds, each with a backlog of its own."""
    rates, costs = [], []
    for number in range(ROUNDS):
        messages = backlog(meters[: case.meters], case.of_round(number), case.values)
        await publish(publisher, messages)
        seconds, cpu_seconds = await bench.consume(case.messages)
        rates.append(case.messages / seconds)
        costs.append(cpu_seconds / case.messages)
    rate = median(rates)
    return {
        "messages_per_s": round(rate),
        "readings_per_s": round(rate * case.values),
        "slowest_messages_per_s": round(min(rates)),
        "cpu_us_per_message": round(median(costs) * 1e6, 1),
    }


async def measure_usage(bench: Bench, publisher: Publisher) -> dict[str, float]:
    """Channel-days published per second."""
    later = datetime.now(UTC) + timedelta(minutes=1)
    count, seconds = await repeat(bench.database, lambda tx: publish_usage(tx, publisher, later))
    return {"channel_days_per_s": round(count / seconds)}


async def measure_closing(bench: Bench, publisher: Publisher) -> dict[str, float]:
    """Periods of 2 688 intervals closed per second, their events in the outbox."""
    meters = [uuid4() for _ in range(CLOSED_METERS)]
    await bench.register(meters)
    starts = [
        datetime(MONTH[0].year, MONTH[0].month, 1 + n, tzinfo=UTC)
        for n in range((MONTH[1] - MONTH[0]).days)
    ]
    await publish(publisher, backlog(meters, starts, 96))
    await bench.consume(len(meters) * len(starts))
    async with transaction(bench.database, tenant=ALL_TENANTS) as tx:
        changed = [received(agreement(meter_id)) for meter_id in meters]
        await apply_agreements(tx, changed)  # type: ignore[arg-type]
    now = datetime.now(UTC)
    await repeat(bench.database, lambda tx: plan_periods(tx, bench.archive, now))
    count, seconds = await repeat(
        bench.database,
        lambda tx: close_due_periods(tx, bench.archive, now, bench.revision_delay),
    )
    if count != CLOSED_METERS:
        sys.exit(f"wrong: {count} periods checked where there are {CLOSED_METERS}")
    return {"periods_per_s": round(count / seconds)}


async def check(database: Database) -> None:
    """A fast wrong answer is a failure."""
    blocks = sum(case.messages for case in CASES) * ROUNDS
    readings = sum(case.messages * case.values for case in CASES) * ROUNDS
    days = sum(case.meters * case.days for case in CASES) * ROUNDS
    month = CLOSED_METERS * (MONTH[1] - MONTH[0]).days
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        stored = await tx.raw.fetchrow(
            "SELECT (SELECT count(*) FROM reading_block) AS blocks,"
            "(SELECT count(*) FROM channel_day) AS days,"
            "(SELECT sum(present) FROM channel_day) AS readings,"
            "(SELECT sum(readings_new) FROM intake_count) AS counted,"
            "(SELECT count(*) FROM period WHERE state = 'closed' AND expected = present) AS closed,"
            "(SELECT count(*) FROM outbox WHERE topic = 'period.closed.v1') AS events"
        )
    all_readings = readings + month * 96
    expected = (blocks + month, days + month, all_readings, all_readings, CLOSED_METERS,
                CLOSED_METERS)  # fmt: skip
    if tuple(stored) != expected:
        sys.exit(f"wrong: {dict(stored)} where {expected} is right")


async def run(url: str, bootstrap: str, profile: cProfile.Profile | None) -> dict[str, object]:
    """All figures."""
    await ensure_topics(bootstrap)
    idempotent = os.environ.get(IDEMPOTENCE, "true") == "true"
    meters = [uuid4() for _ in range(max(case.meters for case in CASES))]
    figures: dict[str, object] = {}
    async with (
        await Database.connect(url, application="bench") as database,
        Publisher(bootstrap, client_id="bench", idempotent=idempotent) as publisher,
    ):
        bench = Bench(database, publisher, url, bootstrap)
        await bench.register(meters)
        bench.profile = profile
        for case in CASES:
            figures[case.name] = await measure_recording(bench, publisher, case, meters)
        bench.profile = None
        figures["usage.recorded"] = await measure_usage(bench, publisher)
        figures["period.closed"] = await measure_closing(bench, publisher)
        await check(database)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    figures["the process"] = {"peak_memory_mb": peak_mb}
    return figures


def main() -> None:
    """Prints the figures and writes them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--profile", type=Path)
    arguments = parser.parse_args()
    profile = cProfile.Profile() if arguments.profile else None
    admin_url, bootstrap = os.environ[ADMIN_URL], os.environ[BOOTSTRAP]
    name = f"bench_ingest_{secrets.token_hex(4)}"
    url = asyncio.run(create_database(admin_url, name, secrets.token_hex(8), timescale=True))
    try:
        upgrade(url, package="gridtally.ingest")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures = runner.run(run(url, bootstrap, profile))
    finally:
        asyncio.run(drop_database(admin_url, name))
    if profile is not None:
        profile.dump_stats(arguments.profile)
    sys.stdout.write(f"seed {SEED}\n")
    for case, metrics in figures.items():
        line = ", ".join(f"{metric} {value:,}" for metric, value in metrics.items())
        sys.stdout.write(f"{case:20}{line}\n")
    arguments.json.write_text(json.dumps({"figures": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
