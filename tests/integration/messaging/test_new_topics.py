"""Topics are usable as soon as they are said to be there."""

import asyncio
from types import SimpleNamespace
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from gridtally.contracts.topics import TOPICS, Topic
from gridtally.messaging import ensure_topics

PARTITIONS = 50


async def test_a_new_topic_takes_messages_at_once(kafka_bootstrap, monkeypatch, caplog):
    name = f"new.{uuid4().hex}"
    event = SimpleNamespace(TOPIC=name)
    monkeypatch.setitem(TOPICS, name, Topic(event, "ledger", partitions=PARTITIONS))
    await ensure_topics(kafka_bootstrap)
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, acks="all") as producer:
        sent = [await producer.send(name, b"x", partition=n) for n in range(PARTITIONS)]
        await asyncio.gather(*sent)
    assert "NotLeader" not in caplog.text
