"""What the broker must have before anybody works: the topics, and the log that we know.

Owns the set-up of topics from `contracts.topics` and the check that the broker's log is the one
that the stored offsets belong to.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from gridtally.contracts.topics import (
    MESSAGE_BYTES_MAX,
    SERVICES,
    TOPICS,
    dead_letter_topic,
)
from gridtally.database import ALL_TENANTS, Database, WriteConnection, transaction
from gridtally.kernel.errors import Transient
from gridtally.messaging.broker_access import OPEN, BrokerAccess
from gridtally.messaging.failures import broker_calls
from gridtally.messaging.offsets import Partition

ADMIN_TIMEOUT_MS = 10_000


class BrokerMismatch(Exception):
    """The broker's log is not the one that the stored offsets belong to."""


@asynccontextmanager
async def _admin(bootstrap: str, access: BrokerAccess) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**access.options(bootstrap), request_timeout_ms=ADMIN_TIMEOUT_MS)
    try:
        with broker_calls():
            await client.start()
            yield client
    finally:
        await client.close()


def _topics(replicas: int) -> list[NewTopic]:
    config = {"max.message.bytes": str(MESSAGE_BYTES_MAX)}
    topics = [
        NewTopic(
            topic.name,
            topic.partitions,
            replicas,
            topic_configs=config | ({"cleanup.policy": "compact"} if topic.compacted else {}),
        )
        for topic in TOPICS.values()
    ]
    topics += [
        NewTopic(dead_letter_topic(name), 1, replicas, topic_configs=config) for name in SERVICES
    ]
    return topics


async def ensure_topics(bootstrap: str, *, replicas: int = 1, access: BrokerAccess = OPEN) -> None:
    """Create what is missing, ready for use; Transient when the broker is away."""
    async with _admin(bootstrap, access) as client:
        present = set(await client.list_topics())
        missing = [topic for topic in _topics(replicas) if topic.name not in present]
        if not missing:
            return
        answer = await client.create_topics(missing)
        for name, code, *_ in answer.topic_errors:
            failure = for_code(code)
            if code and failure is not TopicAlreadyExistsError:
                raise Transient(f"the topic {name} could not be created: {failure.__name__}")
    await _await_leaders(bootstrap, missing, access)


async def _await_leaders(bootstrap: str, topics: Sequence[NewTopic], access: BrokerAccess) -> None:
    """Wait until each partition is led by a broker that knows so.

    A new topic is in the broker's metadata before that, and producers then fail until they have
    tried often enough. Asking for the end of a partition is refused in the same way.
    """
    partitions = [
        TopicPartition(topic.name, number)
        for topic in topics
        for number in range(topic.num_partitions)
    ]
    consumer = AIOKafkaConsumer(**access.options(bootstrap), enable_auto_commit=False)
    try:
        with broker_calls():
            await consumer.start()
            await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()


async def fetch_partitions(
    bootstrap: str, topic: str, access: BrokerAccess = OPEN
) -> list[TopicPartition]:
    """The partitions that the topic has now; Transient while it has none."""
    async with _admin(bootstrap, access) as client:
        [described] = await client.describe_topics([topic])
    numbers = sorted(partition["partition"] for partition in described["partitions"])
    if not numbers:
        raise Transient(f"the topic {topic} does not exist yet")
    return [TopicPartition(topic, number) for number in numbers]


async def check_identity(database: Database, bootstrap: str, access: BrokerAccess = OPEN) -> None:
    """BrokerMismatch when the offsets in this database belong to another broker's log."""
    async with _admin(bootstrap, access) as client:
        cluster_id = str((await client.describe_cluster())["cluster_id"])
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        await _check_cluster(tx, cluster_id)


# The cluster that this database has consumed from, if there was one.
_FETCH_CLUSTER = "SELECT cluster_id FROM broker"
# Another process of the service may have stored the same meanwhile.
_INSERT_CLUSTER = "INSERT INTO broker (cluster_id) VALUES ($1) ON CONFLICT DO NOTHING"


async def _check_cluster(tx: WriteConnection, cluster_id: str) -> None:
    known = await tx.raw.fetchval(_FETCH_CLUSTER)
    if known is None:
        await tx.raw.execute(_INSERT_CLUSTER, cluster_id)
    elif known != cluster_id:
        raise BrokerMismatch(
            f"this database has consumed from the Kafka cluster {known}, but the broker is "
            f"{cluster_id}: start the broker that has the log, or restore both together"
        )


def check_bounds(
    stored: Mapping[Partition, int],
    first: Mapping[Partition, int],
    end: Mapping[Partition, int],
) -> None:
    """BrokerMismatch when a stored offset lies outside the log (`first` to `end`)."""
    for partition, offset in stored.items():
        if not first[partition] <= offset <= end[partition]:
            topic, number = partition
            raise BrokerMismatch(
                f"the next offset of {topic}/{number} is {offset}, but the broker's log holds "
                f"{first[partition]} to {end[partition]}: messages are missing there"
            )
