"""Billing's workers on the real broker: each period once, and reference data in any order."""

import asyncio
import random
from collections import Counter
from contextlib import aclosing, asynccontextmanager
from datetime import date
from uuid import uuid4

import pytest

from gridtally.billing.consumers import subscriptions
from gridtally.billing.loops import loops
from gridtally.billing.settings import Settings
from gridtally.contracts.commerce import CostRolledUp, InvoiceIssued
from gridtally.database import ALL_TENANTS, Database
from gridtally.http.context import utc_now
from gridtally.kernel.periods import month_of
from gridtally.messaging import Consumer, Progress, ensure_topics, run_relay
from gridtally.messaging.follow import follow
from gridtally.service.service import Process

DRAIN_S = 120
SEED = 11
HOMES = 40


@pytest.fixture
async def publisher(kafka_bootstrap, publishing):
    await ensure_topics(kafka_bootstrap)
    async with publishing() as opened:
        yield opened


@asynccontextmanager
async def workers(url, bootstrap, publisher, *, count=1):
    """`count` processes' worth of consumers, loops and relays until the block ends."""
    service = f"billing-{uuid4().hex[:8]}"
    settings = Settings(database_url=url, kafka_bootstrap_servers=bootstrap)
    stop = asyncio.Event()
    databases = [await Database.connect(url, application="test") for _ in range(count)]
    try:
        async with asyncio.TaskGroup() as run:
            for database in databases:
                process = Process("billing", settings, database, publisher, utc_now, stop)
                for subscription in subscriptions(process):
                    consumer = Consumer(
                        database,
                        bootstrap,
                        service,
                        subscription,
                        progress=Progress("test"),
                        stop=stop,
                        assignment="all" if count == 1 else "group",
                    )
                    run.create_task(consumer.run())
                for loop in loops(process):
                    run.create_task(loop.run(Progress("test"), stop))
                run.create_task(run_relay(database, publisher, Progress("test"), stop))
            yield
            stop.set()
    finally:
        for database in databases:
            await database.aclose()


async def eventually(world, sql, expected, **whose):
    async with asyncio.timeout(DRAIN_S):
        while True:
            if await world.rows(sql, **whose) == [{"count": expected}]:
                return
            await asyncio.sleep(0.1)


async def published(world, bootstrap, event, count):
    """What a downstream subscriber sees of the tenant's events, by their ids."""
    seen = {}
    batches = follow(bootstrap, event)
    async with asyncio.timeout(DRAIN_S), aclosing(batches):
        while len(seen) < count:
            for message in await anext(batches):
                if message.envelope.tenant_id == world.tenant:
                    seen[message.envelope.event_id] = message
    return list(seen.values())


def shuffled_across_keys(random_, messages):
    """Any order across keys that leaves the order within each key."""
    keys = [message.key for message in messages]
    random_.shuffle(keys)
    by_key = {}
    for message in messages:
        by_key.setdefault(message.key, []).append(message)
    return [by_key[key].pop(0) for key in keys]


@pytest.mark.parametrize("processes", [1, 2])
async def test_each_period_is_billed_once_however_often_it_comes(
    world, make, migrated_url, kafka_bootstrap, publisher, processes
):
    homes = [await world.home() for _ in range(HOMES)]
    events = [make.closed(home) for home in homes]
    corrected = [make.closed(home, revision=2, wh=90) for home in homes[:10]]
    messages = [make.outgoing(event, world.tenant) for event in (*events, *corrected) for _ in "12"]
    messages = shuffled_across_keys(random.Random(SEED), messages)
    async with workers(migrated_url, kafka_bootstrap, publisher, count=processes):
        await publisher.publish(messages[:50])
        await publisher.publish(messages[50:])
        await eventually(world, "SELECT count(*) FROM invoice", HOMES + 10)
        issued = await published(world, kafka_bootstrap, InvoiceIssued, HOMES + 10)
    invoices = await world.invoices()
    assert {message.event.invoice_id for message in issued} == {
        invoice["id"] for invoice in invoices
    }
    live = Counter(
        invoice["agreement_id"] for invoice in invoices if invoice["credited_by"] is None
    )
    assert live == Counter(home.id for home in homes)
    numbers = [invoice["number"] for invoice in invoices]
    assert [int(number.rpartition("-")[2]) for number in numbers] == [*range(1, len(numbers) + 1)]


async def test_reference_data_may_come_after_what_needs_it(
    world, make, migrated_url, kafka_bootstrap, publisher
):
    tariff_id, meter_id = uuid4(), uuid4()
    agreement = make.agreement(tariff_id=tariff_id, meter_id=meter_id)
    days = month_of(date(2025, 3, 1)).dates()
    async with workers(migrated_url, kafka_bootstrap, publisher):
        await publisher.publish(
            [
                make.outgoing(make.closed(agreement), world.tenant, "the reading's"),
                *(make.outgoing(make.used(meter_id, day), world.tenant) for day in days),
            ],
        )
        await eventually(world, "SELECT count(*) FROM held_period", 1)
        await eventually(world, "SELECT count(*) FROM daily_usage", len(days))
        await world.agree_on(agreement)
        await publisher.publish([make.outgoing(make.published(tariff_id), world.tenant)])
        await publisher.publish([make.outgoing(make.registered(meter_id), world.tenant)])
        (issued,) = await published(world, kafka_bootstrap, InvoiceIssued, 1)
        costs = await published(world, kafka_bootstrap, CostRolledUp, len(days))
        await eventually(world, "SELECT count(*) FROM held_period", 0)
        await eventually(world, "SELECT count(*) FROM due_agreement", 0)
        await eventually(world, "SELECT count(*) FROM due_day", 0)
        await eventually(world, "SELECT count(*) FROM outbox", 0, tenant=ALL_TENANTS)
    assert issued.envelope.correlation_id == "the reading's"
    assert sorted({cost.event.day for cost in costs}) == days
