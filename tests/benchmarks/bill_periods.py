"""Measures billing's workers: from messages in Kafka to invoices and costs that are committed.

Run by `make bench ARGS="--only bill_periods"`; README.md here says what a benchmark is given. The
bar of DESIGN 7 is 500 invoices per second with their lines, evidence and outbox rows.
"""

import asyncio
import hashlib
import os
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from statistics import median
from time import perf_counter
from uuid import UUID, uuid4

import numpy as np
import orjson
from pydantic import SecretStr
from script import arguments, own_database, peak_memory_mb, sized, tell

from gridtally.billing.consumers import subscriptions
from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.customers import Customer
from gridtally.billing.handlers import agreements, customers, reference_data
from gridtally.billing.settings import Settings
from gridtally.contracts.commerce import TariffPublished
from gridtally.contracts.envelope import Envelope
from gridtally.contracts.metering import Channel, MeterRegistered, PeriodClosed, UsageRecorded
from gridtally.contracts.model import Event
from gridtally.database import ALL_TENANTS, Database, transaction
from gridtally.http.context import utc_now
from gridtally.kernel.periods import Period, month_of, slots_in_day
from gridtally.kernel.resources import Cause
from gridtally.local_stack.servers import BOOTSTRAP
from gridtally.messaging import (
    Consumer,
    OutgoingMessage,
    Progress,
    Publisher,
    ReceivedMessage,
    ensure_topics,
)
from gridtally.service.service import Process

METERS = sized(2_000)
TARIFFS = 3
MONTHS = [month_of(date(2025, month, 1)) for month in (1, 2, 3)]
DAY_METERS = sized(700)
ZONE = "Europe/Berlin"
SEED = 7
TENANT = "bench"
PUBLISH_MESSAGES_MAX = 500
BATCH_MAX = 1_000
WAIT_LIMIT_S = 600.0
DOCUMENT = {
    "currency": "EUR",
    "zone": ZONE,
    "calendar": {
        "day_types": [{"name": "workday", "weekdays": ["mon", "tue", "wed", "thu", "fri"]}]
    },
    "components": [
        {"kind": "fixed", "id": "standing", "rate": "12.50", "per": "month"},
        {"kind": "capacity", "id": "capacity", "rate": "2.10"},
        {
            "kind": "time_of_use",
            "id": "energy",
            "tax_class": "standard",
            "bands": [
                {"name": "peak", "rate": "0.4512"},
                {"name": "shoulder", "rate": "0.3127"},
                {"name": "night", "rate": "0.1893"},
            ],
            "windows": [
                {
                    "band": "peak",
                    "from_time": "17:00",
                    "to_time": "20:00",
                    "day_types": ["workday"],
                },
                {"band": "night", "from_time": "22:00", "to_time": "06:00"},
            ],
            "default_band": "shoulder",
        },
        {"kind": "adjustment", "id": "levy", "rate": "0.0205", "tax_class": "standard"},
        {"kind": "tax", "id": "vat", "rate": "0.19", "tax_class": "standard"},
    ],
}
LINES = 7


async def seed(database: Database) -> list[Agreement]:
    """Meters with an agreement each, on three tariffs."""
    tariffs = [uuid4() for _ in range(TARIFFS)]
    published = [
        TariffPublished(
            tariff_id=tariff_id,
            version_id=uuid4(),
            number=1,
            code="home",
            name="Home",
            effective_from=date(2024, 1, 1),
            document=DOCUMENT,
        )
        for tariff_id in tariffs
    ]
    made = [
        Agreement(uuid4(), uuid4(), uuid4(), tariffs[n % TARIFFS], date(2025, 1, 1), None, "wait",
                  72, 1)
        for n in range(METERS)
    ]  # fmt: skip
    meters = [
        MeterRegistered(
            meter_id=agreement.meter_id,
            property_id=uuid4(),
            meter_type="main",
            name="Meter",
            zone=ZONE,
            connected_kw=15,
            channels=[Channel(flow="import", minutes=15, interval_wh_max=10_000)],
            version=1,
        )
        for agreement in made
    ]
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        await reference_data.apply_tariffs(tx, [received(event) for event in published])
        await reference_data.apply_meters(tx, [received(event) for event in meters])
    for start in range(0, METERS, BATCH_MAX):
        some = made[start : start + BATCH_MAX]
        payers = [Customer(agreement.customer_id, "Ada", None, "EUR") for agreement in some]
        async with transaction(database, tenant=TENANT) as tx:
            now = datetime.now(UTC)
            await customers.register_customers(tx, TENANT, payers, now)
            await agreements.register_agreements(tx, Cause(TENANT, "bench", "b"), some, now)
    return made


def received(event: Event) -> ReceivedMessage[Event]:
    """An event as a handler gets it."""
    now = datetime.now(UTC)
    envelope = Envelope(uuid4(), event.TOPIC, "bench", now, TENANT, "b")
    return ReceivedMessage(event, envelope, event.TOPIC, 0, 0, f"{TENANT}:{event.key()}", b"")


def outgoing(kind: type[Event], key: UUID, value: dict[str, object]) -> OutgoingMessage:
    """A message as ingest sends it."""
    return OutgoingMessage.raw(
        kind.TOPIC,
        str(key),
        orjson.dumps(value),
        tenant_id=TENANT,
        correlation_id="bench",
        source="bench",
        event_id=uuid4(),
        occurred_at=datetime.now(UTC),
    )


def closed_periods(made: list[Agreement], period: Period) -> Iterator[OutgoingMessage]:
    """One closed month of 15 minutes for each agreement."""
    slots = period.slots(ZONE, 15)
    usage = np.random.default_rng(SEED).gamma(2, 80, (len(made), slots)).astype(int)
    for agreement, values in zip(made, usage, strict=True):
        value = {
            "agreement_id": str(agreement.id),
            "meter_id": str(agreement.meter_id),
            "zone": ZONE,
            "start_on": period.start_on,
            "end_on": period.end_on,
            "revision": 1,
            "closed_by": "complete",
            "closed_at": datetime.now(UTC),
            "expected_intervals": slots,
            "present_intervals": slots,
            "series": [
                {
                    "flow": "import",
                    "minutes": 15,
                    "values": values.tolist(),
                    "quality": "A" * slots,
                }
            ],
            "digest": hashlib.sha256(values.tobytes()).hexdigest(),
        }
        yield outgoing(PeriodClosed, agreement.id, value)


def recorded_usage(made: list[Agreement], period: Period) -> Iterator[OutgoingMessage]:
    """Each day of the month of some of the meters."""
    random = np.random.default_rng(SEED)
    for day in period.dates():
        slots = slots_in_day(ZONE, day, 15)
        usage = random.gamma(2, 80, (DAY_METERS, slots)).astype(int)
        for agreement, values in zip(made[:DAY_METERS], usage, strict=True):
            value = {
                "meter_id": str(agreement.meter_id),
                "flow": "import",
                "day": day,
                "zone": ZONE,
                "minutes": 15,
                "version": 1,
                "values": values.tolist(),
                "quality": "A" * slots,
                "recorded_at": datetime.now(UTC),
            }
            yield outgoing(UsageRecorded, agreement.meter_id, value)


async def publish(publisher: Publisher, messages: Iterator[OutgoingMessage]) -> int:
    """Put messages into Kafka; how many."""
    waiting: list[OutgoingMessage] = []
    count = 0
    for message in messages:
        waiting.append(message)
        if len(waiting) == PUBLISH_MESSAGES_MAX:
            await publisher.publish(waiting)
            count += len(waiting)
            waiting.clear()
    await publisher.publish(waiting)
    return count + len(waiting)


async def consume(process: Process[Settings], kind: type[Event], count: int) -> float:
    """Seconds until so many waiting messages are handled and committed."""
    (subscription,) = [
        subscription for subscription in subscriptions(process) if subscription.event is kind
    ]
    progress, stop = Progress("bench"), asyncio.Event()
    consumer = Consumer(
        process.database,
        process.settings.kafka_bootstrap_servers,
        "billing",
        subscription,
        progress=progress,
        stop=stop,
    )
    task = asyncio.create_task(consumer.run())
    while not progress.ready:  # noqa: ASYNC110 - progress is a plain record
        await asyncio.sleep(0.01)
    start = perf_counter()
    async with asyncio.timeout(WAIT_LIMIT_S):
        while progress.handled < count and not task.done():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    seconds = perf_counter() - start
    stop.set()
    await task
    return seconds


async def measure(
    process: Process[Settings], kind: type[Event], rounds: list[Iterator[OutgoingMessage]]
) -> dict[str, float]:
    """Messages per second; the median of the rounds, each of which finds its backlog waiting."""
    rates = []
    for messages in rounds:
        count = await publish(process.publisher, messages)
        rates.append(count / await consume(process, kind, count))
    return {"per_s": round(median(rates)), "slowest_per_s": round(min(rates))}


async def check(database: Database) -> None:
    """A fast wrong answer is a failure."""
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        found = await tx.raw.fetchrow(
            "SELECT (SELECT count(*) FROM invoice) AS invoices,"
            "(SELECT count(*) FROM invoice_line) AS lines,"
            "(SELECT count(*) FROM invoice_evidence) AS evidence,"
            "(SELECT count(*) FROM outbox WHERE topic = 'invoice.issued.v1') AS issued,"
            "(SELECT issued FROM number_series) AS numbers,"
            "(SELECT sum(total) FROM invoice) - (SELECT sum(amount) FROM invoice_line) AS differ,"
            "(SELECT count(*) FROM held_period) AS held,"
            "(SELECT count(*) FROM daily_cost) AS days"
        )
    invoices = METERS * len(MONTHS)
    days = DAY_METERS * sum(month.days for month in MONTHS)
    expected = (invoices, invoices * LINES, invoices, invoices, invoices, 0, 0, days)
    if tuple(found) != expected:
        sys.exit(f"wrong: {dict(found)} where {expected} is right")


async def run(url: str, bootstrap: str) -> dict[str, dict[str, float]]:
    """Both figures."""
    await ensure_topics(bootstrap)
    settings = Settings(database_url=SecretStr(url), kafka_bootstrap_servers=bootstrap)
    async with (
        await Database.connect(url, application="bench") as database,
        Publisher(bootstrap, client_id="bench", idempotent=False) as publisher,
    ):
        process = Process("billing", settings, database, publisher, utc_now, asyncio.Event())
        made = await seed(database)
        months = [closed_periods(made, month) for month in MONTHS]
        invoices = await measure(process, PeriodClosed, months)
        usage = [recorded_usage(made, month) for month in MONTHS]
        days = await measure(process, UsageRecorded, usage)
        await check(database)
    return {
        "invoices from month series": invoices,
        "costs of channel-days": days,
        "the process": {"peak_memory_mb": peak_memory_mb()},
    }


def main() -> None:
    """Prints the figures and writes them."""
    given = arguments(__doc__).parse_args()
    with own_database("billing") as url:
        figures = asyncio.run(run(url, os.environ[BOOTSTRAP]))
    tell(f"seed {SEED}, {METERS} meters", figures, given.json)


if __name__ == "__main__":
    main()
