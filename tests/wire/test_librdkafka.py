"""librdkafka (confluent-kafka and kcat) against the Kafka server."""
import collections
import shutil
import subprocess
import time

import confluent_kafka as ck
import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, OffsetSpec


def make_topic(broker, name, partitions=1, **config):
    admin = AdminClient({"bootstrap.servers": broker.address})
    admin.create_topics([NewTopic(name, partitions, 1, config=config)])[name].result(60)
    end = time.monotonic() + 60
    while len(leading := [p for p in admin.list_topics(name, 60).topics[name].partitions.values() if p.leader >= 0]) < partitions:  # Apache Kafka says yes before all of it knows
        assert time.monotonic() < end, leading
        time.sleep(0.05)
    return admin


def consumer(broker, group, **settings):
    return ck.Consumer({"bootstrap.servers": broker.address, "group.id": group, "auto.offset.reset": "earliest", "session.timeout.ms": 30000, **settings})


def take(reader, count, seconds=60):
    """Up to `count` messages, or what comes in the time."""
    taken, end = [], time.monotonic() + seconds
    while len(taken) < count and time.monotonic() < end:
        message = reader.poll(0.1)
        if message is not None:
            assert message.error() is None, message.error()
            taken.append(message)
    return taken


def commit_what_is_left(reader):
    """A member that had to give partitions up has committed them then, and may have nothing more to commit."""
    try:
        reader.commit(asynchronous=False)
    except ck.KafkaException as error:
        if error.args[0].code() != ck.KafkaError._NO_OFFSET:
            raise


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("idempotent", [False, True])
def test_every_compression_comes_back_in_order_with_keys_and_headers(broker, topic, group, codec, idempotent):
    make_topic(broker, topic, 3)
    # Without numbers a batch that is sent again, as right after its topic was made, may come behind those that were sent after it.
    in_flight = 5 if idempotent else 1
    producer = ck.Producer({"bootstrap.servers": broker.address, "compression.type": codec, "enable.idempotence": idempotent, "linger.ms": 2,
                            "max.in.flight.requests.per.connection": in_flight})
    errors = []
    for i in range(3000):
        producer.produce(topic, key=f"k{i % 7}", value=f"{i:06} " + "x" * 100, headers=[("n", str(i).encode())], timestamp=1_700_000_000_000 + i,
                         on_delivery=lambda error, _: errors.append(error) if error else None)
    assert producer.flush(60) == 0 and not errors
    reader = consumer(broker, group)
    reader.subscribe([topic])
    messages = take(reader, 3000)
    assert len(messages) == 3000
    by_key = collections.defaultdict(list)
    for message in messages:
        number = int(message.value()[:6])
        assert message.headers() == [("n", str(number).encode())] and message.timestamp()[1] == 1_700_000_000_000 + number
        by_key[message.key()].append(number)
    assert all(numbers == sorted(numbers) for numbers in by_key.values()) and len(by_key) == 7
    reader.close()


def test_a_group_shares_partitions_and_goes_on_where_it_was(broker, topic, group):
    make_topic(broker, topic, 6)
    producer = ck.Producer({"bootstrap.servers": broker.address})
    for i in range(600):
        producer.produce(topic, value=str(i), partition=i % 6)
    assert producer.flush(60) == 0
    first, second = consumer(broker, group), consumer(broker, group)
    for reader in (first, second):
        reader.subscribe([topic])
    seen, owned, end = [], (0, 0), time.monotonic() + 120
    while (len(seen) < 600 or owned != (3, 3)) and time.monotonic() < end:
        for reader in (first, second):
            message = reader.poll(0.02)
            if message is not None:
                seen.append(int(message.value()))
        owned = (len(first.assignment()), len(second.assignment()))
    assert owned == (3, 3) and sorted(set(seen)) == list(range(600))
    for reader in (first, second):
        commit_what_is_left(reader)
    second.close()
    for i in range(600, 660):
        producer.produce(topic, value=str(i), partition=i % 6)
    assert producer.flush(60) == 0
    assert sorted(int(message.value()) for message in take(first, 60)) == list(range(600, 660))
    assert len(first.assignment()) == 6
    first.close()
    admin = AdminClient({"bootstrap.servers": broker.address})
    described = admin.describe_consumer_groups([group])[group].result(60)
    assert described.state == ck.ConsumerGroupState.EMPTY
    admin.delete_consumer_groups([group])[group].result(60)


def test_the_new_group_protocol(broker, topic, group):
    make_topic(broker, topic, 4)
    producer = ck.Producer({"bootstrap.servers": broker.address})
    for i in range(400):
        producer.produce(topic, value=str(i), partition=i % 4)
    assert producer.flush(60) == 0
    settings = {"bootstrap.servers": broker.address, "group.id": group, "auto.offset.reset": "earliest", "group.protocol": "consumer"}
    first, second = ck.Consumer(settings), ck.Consumer(settings)
    for reader in (first, second):
        reader.subscribe([topic])
    seen, owned, end = set(), (0, 0), time.monotonic() + 120
    while (len(seen) < 400 or owned != (2, 2)) and time.monotonic() < end:
        for reader in (first, second):
            message = reader.poll(0.02)
            if message is not None:
                assert message.error() is None, message.error()
                seen.add(int(message.value()))
        owned = (len(first.assignment()), len(second.assignment()))
    assert owned == (2, 2) and seen == set(range(400))
    first.close()
    second.close()


def test_transactions_are_seen_whole_or_not_at_all(broker, topic, group):
    make_topic(broker, topic, 2)
    producer = ck.Producer({"bootstrap.servers": broker.address, "transactional.id": topic})
    producer.init_transactions(60)
    for number in range(6):
        producer.begin_transaction()
        for i in range(10):
            producer.produce(topic, value=f"{number}-{i}", partition=i % 2)
        if number % 2 == 0:
            producer.commit_transaction(60)
        else:
            producer.flush(60)
            producer.abort_transaction(60)
    reader = consumer(broker, group, **{"isolation.level": "read_committed"})
    reader.subscribe([topic])
    values = sorted(message.value().decode() for message in take(reader, 30) + take(reader, 1, 1))
    assert values == sorted(f"{number}-{i}" for number in (0, 2, 4) for i in range(10))
    reader.close()
    everything = consumer(broker, group + "-all", **{"isolation.level": "read_uncommitted"})
    everything.subscribe([topic])
    assert len(take(everything, 60)) == 60
    everything.close()


def test_positions_of_a_transaction_and_a_fenced_producer(broker, topic, group):
    make_topic(broker, topic)
    plain = ck.Producer({"bootstrap.servers": broker.address})
    for i in range(5):
        plain.produce(topic, value=str(i))
    assert plain.flush(60) == 0
    reader = consumer(broker, group, **{"enable.auto.commit": False})
    reader.subscribe([topic])
    assert len(take(reader, 5)) == 5
    old = ck.Producer({"bootstrap.servers": broker.address, "transactional.id": topic})
    old.init_transactions(60)
    old.begin_transaction()
    old.send_offsets_to_transaction(reader.position(reader.assignment()), reader.consumer_group_metadata(), 60)
    old.commit_transaction(60)
    assert reader.committed(reader.assignment(), 60)[0].offset == 5
    new = ck.Producer({"bootstrap.servers": broker.address, "transactional.id": topic})
    new.init_transactions(60)
    with pytest.raises(ck.KafkaException) as caught:
        old.begin_transaction()
        old.produce(topic, value="late")
        old.commit_transaction(60)
    assert caught.value.args[0].fatal()
    reader.close()


def test_compacted_topics_keep_the_newest_of_each_key(broker, topic, group):
    admin = make_topic(broker, topic, **{"cleanup.policy": "compact", "segment.bytes": "1048576", "min.cleanable.dirty.ratio": "0.01"})
    producer = ck.Producer({"bootstrap.servers": broker.address, "linger.ms": 5})
    for i in range(30000):
        producer.produce(topic, key=f"k{i % 50}", value=f"{i} " + "x" * 100)
        producer.poll(0)
    assert producer.flush(60) == 0
    end = time.monotonic() + 120
    while True:
        reader = consumer(broker, group, **{"enable.partition.eof": True})
        reader.assign([ck.TopicPartition(topic, 0, 0)])
        count, newest = 0, {}
        while True:
            message = reader.poll(60)
            assert message is not None
            if message.error():
                assert message.error().code() == ck.KafkaError._PARTITION_EOF
                break
            count += 1
            newest[message.key()] = int(message.value().split()[0])
        reader.close()
        assert newest == {f"k{i % 50}".encode(): i for i in range(29950, 30000)}
        if count < 25000:
            break
        assert time.monotonic() < end, f"{count} records are still there"
        time.sleep(0.5)
    refused = []
    producer.produce(topic, value="no key", on_delivery=lambda error, _: refused.append(error))
    producer.flush(60)
    assert refused[0].code() == ck.KafkaError.INVALID_RECORD
    admin.delete_topics([topic])[topic].result(60)


def test_administration(broker, topic):
    admin = make_topic(broker, topic, 2, **{"retention.ms": "60000"})
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    settings = admin.describe_configs([resource])[resource].result(60)
    assert settings["retention.ms"].value == "60000" and settings["cleanup.policy"].value == "delete"
    admin.create_partitions([NewPartitions(topic, 5)])[topic].result(60)
    assert len(admin.list_topics(topic, 60).topics[topic].partitions) == 5
    for wrong in (NewTopic(topic, 1, 1), NewTopic("bad name", 1, 1), NewTopic("r3", 1, 3), NewTopic("c", 1, 1, config={"no.such": "1"})):
        with pytest.raises(ck.KafkaException):
            admin.create_topics([wrong])[wrong.topic].result(60)
    cluster = admin.describe_cluster().result(60)
    assert [node.port for node in cluster.nodes] == [broker.port]
    with pytest.raises(ck.KafkaException) as caught:
        admin.create_partitions([NewPartitions(topic, 3)])[topic].result(60)
    assert caught.value.args[0].code() == ck.KafkaError.INVALID_PARTITIONS


def test_the_record_with_the_greatest_timestamp_is_found(broker, topic):
    admin = make_topic(broker, topic)
    place = ck.TopicPartition(topic, 0)

    def newest():
        found = admin.list_offsets({place: OffsetSpec.max_timestamp()})[place].result(60)
        return found.offset, found.timestamp

    assert newest() == (-1, -1)
    producer = ck.Producer({"bootstrap.servers": broker.address})
    for i, time_ms in enumerate([5000, 9000, 7000, 9000, 1000]):
        producer.produce(topic, value=str(i), timestamp=1_700_000_000_000 + time_ms)
        assert producer.flush(60) == 0
    assert newest() == (1, 1_700_000_009_000)


def test_nothing_acknowledged_is_lost_or_doubled_when_the_server_is_killed(broker, topic, group):
    make_topic(broker, topic, 2)
    producer = ck.Producer({"bootstrap.servers": broker.address, "enable.idempotence": True, "linger.ms": 1, "reconnect.backoff.max.ms": 100,
                            "retry.backoff.ms": 20, "message.timeout.ms": 300000})
    acknowledged = set()

    def delivered(error, message):
        assert error is None, error
        acknowledged.add(int(message.value()))

    sent = 0
    for _ in range(5):
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            if len(producer) < 20000:
                producer.produce(topic, value=str(sent), partition=sent % 2, on_delivery=delivered)
                sent += 1
            producer.poll(0.0001)
        broker.kill()
        broker.start()
    assert producer.flush(300) == 0 and acknowledged == set(range(sent))
    reader = consumer(broker, group)
    reader.assign([ck.TopicPartition(topic, 0, 0), ck.TopicPartition(topic, 1, 0)])
    values = [(message.partition(), int(message.value())) for message in take(reader, sent, 120) + take(reader, 1, 1)]
    reader.close()
    for partition in (0, 1):
        assert [value for where, value in values if where == partition] == list(range(partition, sent, 2))


def test_kcat_writes_and_reads(broker, topic):
    kcat = shutil.which("kcat")
    assert kcat, "kcat is not installed: run scripts/setup.sh"
    lines = "".join(f"key{i}:value {i}\n" for i in range(100))
    subprocess.run([kcat, "-b", broker.address, "-t", topic, "-P", "-K:", "-z", "snappy"], input=lines, text=True, check=True, timeout=60)
    done = subprocess.run([kcat, "-b", broker.address, "-t", topic, "-C", "-e", "-q", "-K:"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == lines
    done = subprocess.run([kcat, "-b", broker.address, "-Q", "-t", f"{topic}:0:-1"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip().endswith("offset 100")
