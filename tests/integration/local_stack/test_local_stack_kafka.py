"""Apache Kafka as a child process: it keeps what it acknowledged, and says what is in its way."""

import asyncio
import socket

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from gridtally.local_stack.cache import default_cache
from gridtally.local_stack.errors import StackError
from gridtally.local_stack.kafka import answers_metadata, kafka
from gridtally.local_stack.server import Server

LIMIT_S = 120


@pytest.fixture(scope="module")
def program():
    return kafka(default_cache())


async def publish(port, values):
    bootstrap = f"127.0.0.1:{port}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("t", 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_request_size=9_000_000
    ) as producer:
        for value in values:
            await producer.send_and_wait("t", value)


async def read(port, count):
    consumer = AIOKafkaConsumer(bootstrap_servers=f"127.0.0.1:{port}", auto_offset_reset="earliest")
    consumer.assign([TopicPartition("t", 0)])
    await consumer.start()
    try:
        async with asyncio.timeout(LIMIT_S):
            return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


def test_kill_minus_nine_loses_no_acknowledged_record(program, open_dir):
    values = [b"1", b"2", b"x" * 5_000_000]
    with Server(program, open_dir / "kafka") as server:
        port = server.port
        asyncio.run(publish(port, values))
        server.kill()
        assert not answers_metadata(port)
        server.start()
        assert server.port == port
        assert asyncio.run(read(port, 3)) == values
        server.stop()
        server.start()
        assert asyncio.run(read(port, 3)) == values


async def test_topics_are_never_made_by_accident(kafka_bootstrap):
    async with AIOKafkaProducer(
        bootstrap_servers=kafka_bootstrap, request_timeout_ms=3000
    ) as producer:
        with pytest.raises(UnknownTopicOrPartitionError):
            await producer.send_and_wait("never-created", b"x")


def test_a_taken_port_is_named(program, open_dir):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StackError, match=f"Apache Kafka .*: port {port} is taken"):
            Server(program, open_dir / "kafka", port).start()


def test_a_port_lost_between_choosing_and_binding_is_replaced(program, open_dir):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        server = Server(program, open_dir / "kafka")
        server._port = other.getsockname()[1]
        with server:
            assert server.port != other.getsockname()[1]
            assert answers_metadata(server.port)


def test_whoever_listens_without_being_a_broker_is_not_taken_for_one():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert not answers_metadata(other.getsockname()[1])
