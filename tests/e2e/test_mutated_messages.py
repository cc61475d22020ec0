"""A hundred mutated messages on each topic that services read: no process ends, every log is read
to its end, and what could not be understood is a dead letter with its reason.

`GRIDTALLY_EXAMPLES_TIMES=10` makes it a thousand; the seed is printed, and may be given.
"""

import asyncio
import os
import random

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from e2e.installation import empty_gridtally
from e2e.mutations import as_bytes, mutated
from e2e.processes import process_of
from examples import TIMES
from faults.polling import until_nothing
from gridtally.contracts.golden import golden_messages
from gridtally.contracts.topics import SERVICES, TOPICS

MESSAGES = int(100 * TIMES)
SEED = int(os.environ.get("GRIDTALLY_MUTATIONS_SEED", random.randrange(10**6)))
BYTES_MAX = 9 * 1024 * 1024
"""A little less than the broker takes: three long texts may be in one message."""
LIMIT_S = 600.0
READ = {name: topic.received_by for name, topic in TOPICS.items() if topic.received_by}
NEXT = "SELECT topic, partition, min(next) AS next FROM consumed GROUP BY topic, partition"
UNEXPLAINED = "SELECT count(*) FROM dead_letter WHERE reason = ''"


async def unread(locations):
    """The partitions that a service has not read to their ends."""
    async with AIOKafkaConsumer(bootstrap_servers=locations.bootstrap) as consumer:
        partitions = [
            TopicPartition(topic, number)
            for topic in READ
            for number in range(TOPICS[topic].partitions)
        ]
        ends = await consumer.end_offsets(partitions)
    left = []
    for service in SERVICES:
        rows = await fetch(locations, service, NEXT)
        stored = {(row["topic"], row["partition"]): row["next"] for row in rows}
        left += [
            f"{service} has read {stored.get(tuple(partition), 0)} of {end} of {partition}"
            for partition, end in ends.items()
            if service in READ[partition.topic] and stored.get(tuple(partition), 0) < end
        ]
    return left


async def fetch(locations, service, sql):
    connection = await asyncpg.connect(locations.databases[service])
    try:
        return await connection.fetch(sql)
    finally:
        await connection.close()


@pytest.fixture
async def running(stack_servers):
    async with empty_gridtally(stack_servers) as installation:
        yield installation


async def test_no_message_ends_a_service(running):
    print(f"GRIDTALLY_MUTATIONS_SEED={SEED}")  # noqa: T201 - shown where it fails
    chance = random.Random(SEED)
    messages = [message for topic in READ for message in mutated(topic, MESSAGES, chance)]
    chance.shuffle(messages)
    good = [as_bytes(golden) for golden in golden_messages() if golden.is_current]
    before = {service: process_of(running.stack, service) for service in SERVICES}
    async with AIOKafkaProducer(
        bootstrap_servers=running.locations.bootstrap, max_request_size=BYTES_MAX
    ) as producer:
        sent = [
            await producer.send(
                message.topic, message.value, message.key, headers=list(message.headers)
            )
            for message in (*good, *messages)
        ]
        await asyncio.gather(*sent)
    await until_nothing(lambda: unread(running.locations), limit_s=LIMIT_S)

    assert {service: process_of(running.stack, service) for service in SERVICES} == before
    letters = 0
    for service in SERVICES:
        async with httpx.AsyncClient(base_url=running.installation.urls[service]) as client:
            assert (await client.get("/health/ready")).status_code == 200
        [[unexplained]] = await fetch(running.locations, service, UNEXPLAINED)
        assert unexplained == 0
        [[count]] = await fetch(running.locations, service, "SELECT count(*) FROM dead_letter")
        letters += count
    assert letters > len(messages) / 4
