"""The servers that every other integration test rests on."""

import asyncpg


async def test_a_fresh_database_is_owned_by_no_superuser(database_url):
    first, second = database_url(), database_url()
    assert first != second
    connection = await asyncpg.connect(first)
    try:
        await connection.execute("CREATE TABLE t (x int)")
        assert not await connection.fetchval(
            "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        )
    finally:
        await connection.close()


async def test_another_services_role_may_not_enter_another_database(database_url):
    mine, yours = database_url(), database_url()
    intruder = mine.rpartition("/")[0] + "/" + yours.rpartition("/")[2]
    try:
        await asyncpg.connect(intruder)
    except asyncpg.InsufficientPrivilegeError:
        return
    raise AssertionError("one service's role entered another's database")


async def test_the_broker_serves_records(kafka_bootstrap):
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("stack-smoke", 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, acks="all") as producer:
        await producer.send_and_wait("stack-smoke", b"value", key=b"key")
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest")
    consumer.assign([TopicPartition("stack-smoke", 0)])
    await consumer.start()
    try:
        record = await consumer.getone()
    finally:
        await consumer.stop()
    assert (record.key, record.value) == (b"key", b"value")
