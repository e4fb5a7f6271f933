"""Producing, groups whose members come and go, transactions and compression by clients of four languages, in any pairing."""
import collections
import time

import confluent_kafka as ck
import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from conftest import wait_for

NAMES = ["java", "franz-go", "kafkajs"]
PROTOCOLS = [(name, protocol) for name in ("java", "franz-go") for protocol in ("range", "cooperative", "consumer")] + [("kafkajs", "range")]
# The lz4 library of JavaScript links blocks, which the Java ones can't read.
CODECS = [(name, codec) for name in NAMES for codec in ("none", "gzip", "snappy", "lz4", "zstd") if (name, codec) != ("kafkajs", "lz4")]


def make_topic(broker, name, partitions=1, **config):
    admin = AdminClient({"bootstrap.servers": broker.address})
    admin.create_topics([NewTopic(name, partitions, 1, config=config)])[name].result(60)


def values_by_librdkafka(broker, topic, partitions):
    """(key, value, headers) of everything, as a client of another family sees it."""
    reader = ck.Consumer({"bootstrap.servers": broker.address, "group.id": "reader", "auto.offset.reset": "earliest"})
    places = [ck.TopicPartition(topic, i, 0) for i in range(partitions)]
    left = sum(reader.get_watermark_offsets(place, 60)[1] for place in places)
    reader.assign(places)
    taken = []
    while left > 0:
        message = reader.poll(60)
        assert message is not None and message.error() is None, message and message.error()
        taken.append((message.key().decode(), message.value().decode(), message.headers()))
        left -= 1
    reader.close()
    return taken


class Numbers:
    """A librdkafka producer of records k0..k6 with numbers that go up, all acknowledged."""

    def __init__(self, broker, topic):
        self.producer = ck.Producer({"bootstrap.servers": broker.address, "enable.idempotence": True, "linger.ms": 2})
        self.topic, self.sent, self.errors = topic, 0, []

    def send(self, count):
        for _ in range(count):
            self.producer.produce(self.topic, key=f"k{self.sent % 7}", value=f"{self.sent:06}", on_delivery=lambda error, _: self.errors.append(error) if error else None)
            self.sent += 1
        assert self.producer.flush(60) == 0 and not self.errors, self.errors


def check_each_key_in_order(records, number=lambda value: int(value[:6])):
    last = collections.defaultdict(lambda: -1)
    for _, _, key, value in records:
        assert number(value) > last[key], f"{value} of {key} came after {last[key]}"
        last[key] = number(value)


@pytest.mark.parametrize("name, codec", CODECS)
def test_what_one_client_writes_all_read(broker, clients, topic, name, codec):
    make_topic(broker, topic, 3)
    client = clients(name)
    assert client.run("produce", topic, 2000, codec)[-1] == "produced 2000"
    own = client.read(topic, "read_uncommitted")
    assert sorted(int(value[:6]) for *_, value in own) == list(range(2000))
    check_each_key_in_order(own)
    others = values_by_librdkafka(broker, topic, 3)
    assert sorted((key, value) for key, value, _ in others) == sorted((key, value) for _, _, key, value in own)
    assert all(headers == [("n", str(int(value[:6])).encode())] for _, value, headers in others)


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_what_librdkafka_writes_all_read(broker, clients, topic, codec):
    make_topic(broker, topic, 2)
    producer = ck.Producer({"bootstrap.servers": broker.address, "compression.type": codec, "linger.ms": 5})
    for i in range(1000):
        producer.produce(topic, key=f"k{i % 7}", value=f"{i:06}-{'x' * 100}")
    assert producer.flush(60) == 0
    for name in NAMES:
        records = clients(name).read(topic)
        assert sorted(int(value[:6]) for *_, value in records) == list(range(1000)), name
        check_each_key_in_order(records)


@pytest.mark.parametrize("name, protocol", PROTOCOLS)
def test_members_of_a_group_come_and_go(broker, clients, topic, name, protocol):
    """Each record is handled once: positions are committed before partitions change hands."""
    make_topic(broker, topic, 6)
    client, numbers = clients(name), Numbers(broker, topic)

    def all_there(*members):
        return lambda: sum(len(member.records()) for member in members) >= numbers.sent

    def describe(*members):
        return lambda: f"{numbers.sent} records or the partitions; there are:\n" + "\n--\n".join(member.tell() for member in members)

    numbers.send(500)
    first = client.start("member", topic, topic + "-group", protocol)
    wait_for(all_there(first), describe(first))
    second = client.start("member", topic, topic + "-group", protocol)
    wait_for(lambda: numbers.send(20) or (first.last("owns"), second.last("owns")) == ("3", "3"), describe(first, second))
    numbers.send(500)
    wait_for(all_there(first, second), describe(first, second))
    assert second.records()
    first.stop()
    wait_for(lambda: numbers.send(20) or second.last("owns") == "6", describe(second))
    third = client.start("member", topic, topic + "-group", protocol)
    wait_for(lambda: numbers.send(20) or (second.last("owns"), third.last("owns")) == ("3", "3"), describe(second, third))
    numbers.send(500)
    wait_for(all_there(first, second, third), describe(second, third))
    second.stop()
    third.stop()
    records = first.records() + second.records() + third.records()
    assert sorted(int(value) for *_, value in records) == list(range(numbers.sent)), "a record was lost or came twice"
    for member in (first, second, third):
        check_each_key_in_order(member.records(), int)


@pytest.mark.parametrize("name", NAMES)
def test_a_member_that_dies_is_replaced(broker, clients, topic, name):
    make_topic(broker, topic, 4)
    client, numbers = clients(name), Numbers(broker, topic)
    numbers.send(200)
    first = client.start("member", topic, topic + "-group", "range")
    second = client.start("member", topic, topic + "-group", "range")
    members = (first, second)
    wait_for(lambda: (first.last("owns"), second.last("owns")) == ("2", "2"), lambda: "2 + 2\n" + first.tell() + second.tell())
    numbers.send(200)
    wait_for(lambda: len({value for member in members for *_, value in member.records()}) == numbers.sent, lambda: "all\n" + first.tell() + second.tell())
    first.kill()
    numbers.send(200)
    wait_for(lambda: second.last("owns") == "4", lambda: "4\n" + second.tell())
    wait_for(lambda: len({value for member in members for *_, value in member.records()}) == numbers.sent, lambda: "all\n" + second.tell())
    second.stop()


@pytest.mark.parametrize("name", NAMES)
def test_transactions_are_seen_whole_or_not_at_all(broker, clients, topic, name):
    make_topic(broker, topic, 3)
    client = clients(name)
    assert "fenced" in client.run("transactions", topic, topic + "-id")
    kept = [f"{number}-{i}" for number in range(0, 10, 2) for i in range(10)]
    dropped = [f"{number}-{i}" for number in range(1, 10, 2) for i in range(10)]
    committed = client.read(topic)
    assert sorted(value for *_, value in committed) == sorted([*kept, "second"])
    check_each_key_in_order([record for record in committed if record[3] != "second"], lambda value: int(value[0]))
    everything = [value for *_, value in client.read(topic, "read_uncommitted")]
    assert sorted(everything) == sorted([*kept, *dropped, "open", "second"])


@pytest.mark.parametrize("name", NAMES)
def test_copying_in_transactions_is_exactly_once_though_it_is_killed(broker, clients, topic, name):
    """Consume, produce and commit positions in one transaction; the copier is killed in the middle, twice."""
    target = topic + "-copy"
    make_topic(broker, topic, 3)
    make_topic(broker, target, 3)
    client, numbers = clients(name), Numbers(broker, topic)
    numbers.send(3000)
    for _ in range(2):
        copier = client.start("copy", topic, target, topic + "-group")
        before = time.monotonic()
        wait_for(lambda: int(copier.last("copied") or 0) >= 500, copier.tell)
        copier.kill()
        numbers.send(500)
        assert time.monotonic() - before < 240
    copier = client.start("copy", topic, target, topic + "-group")
    wait_for(lambda: len(client.read(target)) >= numbers.sent, copier.tell)
    copier.stop()
    records = client.read(target)
    assert sorted(int(value) for *_, value in records) == list(range(numbers.sent)), "a record was lost or came twice"
    check_each_key_in_order(records, int)
