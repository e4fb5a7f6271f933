"""kafka-python and aiokafka, which speak the protocol with code of their own, against the Kafka server."""
import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic


@pytest.mark.parametrize("codec", [None, "gzip"])
def test_kafka_python_writes_and_reads_in_a_group(broker, topic, group, codec):
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    admin.create_topics([NewTopic(topic, 3, 1)])
    producer = KafkaProducer(bootstrap_servers=broker.address, compression_type=codec, acks="all")
    for i in range(500):
        producer.send(topic, key=b"%d" % i, value=b"v%d" % i, headers=[("h", b"x")])
    producer.flush(60)
    producer.close()
    reader = KafkaConsumer(topic, bootstrap_servers=broker.address, group_id=group, auto_offset_reset="earliest", consumer_timeout_ms=60000)
    values = set()
    for message in reader:
        values.add(message.value)
        if len(values) == 500:
            break
    assert values == {b"v%d" % i for i in range(500)}
    reader.commit()
    reader.close()
    partitions = [TopicPartition(topic, i) for i in range(3)]
    again = KafkaConsumer(bootstrap_servers=broker.address, group_id=group)
    assert sum(again.committed(partition) or 0 for partition in partitions) == 500
    assert sum(again.end_offsets(partitions).values()) == 500
    again.close()
    admin.delete_topics([topic])
    admin.close()


def test_kafka_python_finds_offsets_by_time(broker, topic):
    producer = KafkaProducer(bootstrap_servers=broker.address)
    for i in range(100):
        producer.send(topic, value=b"x", timestamp_ms=1_700_000_000_000 + 1000 * i).get(60)
    producer.close()
    reader = KafkaConsumer(bootstrap_servers=broker.address)
    partition = TopicPartition(topic, 0)
    found = reader.offsets_for_times({partition: 1_700_000_000_000 + 41_500})[partition]
    assert (found.offset, found.timestamp) == (42, 1_700_000_042_000)
    assert reader.offsets_for_times({partition: 1_800_000_000_000})[partition] is None
    reader.close()


def test_aiokafka_writes_transactions_and_reads_them(broker, topic, group):
    async def run():
        producer = AIOKafkaProducer(bootstrap_servers=broker.address, transactional_id=topic)
        await producer.start()
        async with producer.transaction():
            for i in range(20):
                await producer.send(topic, b"kept %d" % i)
        with pytest.raises(RuntimeError):
            async with producer.transaction():
                await producer.send(topic, b"dropped")
                raise RuntimeError("stop")
        await producer.stop()
        reader = AIOKafkaConsumer(topic, bootstrap_servers=broker.address, group_id=group, auto_offset_reset="earliest", isolation_level="read_committed")
        await reader.start()
        values = []
        while len(values) < 20:
            values.append((await asyncio.wait_for(reader.getone(), 60)).value)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(reader.getone(), 1)
        await reader.commit()
        await reader.stop()
        assert values == [b"kept %d" % i for i in range(20)]

    asyncio.run(run())
