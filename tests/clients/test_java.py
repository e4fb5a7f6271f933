"""What only the JVM has: Kafka Streams, and the administration client with all that it can ask."""
import collections
import random
import re

import confluent_kafka as ck
import servers
from conftest import wait_for
from test_clients import make_topic

# What the two servers may say otherwise: defaults of our own, and the order of a list.
OURS = {"setting max.message.bytes", "setting min.insync.replicas", "setting compression.type", "setting segment.bytes", "appended"}


def test_streams_counts_words_exactly_once_though_stopped_and_killed(broker, clients, topic, tmp_path):
    target, application = topic + "-counts", topic + "-words"
    make_topic(broker, topic, 3)
    make_topic(broker, target, 3)
    chance = random.Random(4)
    words = [f"word{i}" for i in range(40)]
    expected = collections.Counter()
    producer = ck.Producer({"bootstrap.servers": broker.address, "enable.idempotence": True})

    def send(lines):
        for _ in range(lines):
            line = chance.choices(words, k=5)
            expected.update(line)
            producer.produce(topic, key=line[0], value=" ".join(line))
        assert producer.flush(60) == 0

    client = clients("java")

    def counted():
        return sum(newest(client.read(target)).values())

    def newest(records):
        return {key: int(value) for _, _, key, value in records}

    def start(folder):
        return client.start("words", application, topic, target, tmp_path / folder)

    send(400)
    first = start("state")
    wait_for(lambda: counted() >= 500, first.tell)
    send(400)
    first.stop()
    second = start("state")
    before = counted()
    wait_for(lambda: counted() > before, second.tell)
    send(400)
    second.kill()
    send(400)
    third = start("another")  # with no state of its own: it comes from the changelog
    wait_for(lambda: counted() == expected.total(), lambda: f"{expected.total()} words; {counted()} were counted\n{third.tell()}")
    third.stop()
    records = client.read(target)
    assert newest(records) == expected
    steps = collections.defaultdict(list)
    for _, _, word, count in records:
        steps[word].append(int(count))
    for word, counts in steps.items():
        assert counts == list(range(1, expected[word] + 1)), f"the counts of {word} are not 1, 2, 3, ..."


def test_compacted_topics(broker, clients, topic):
    assert re.fullmatch(r"compacted \d+ of \d+", clients("java").run("compaction", topic)[-1])


def test_administration(broker, clients, topic):
    told = {}
    for line in clients("java").run("admin", topic):
        assert "Exception: " not in line and line.count(": ") >= 1, line
        what, answer = line.split(": ", 1)
        told[what] = answer.replace(topic, "TOPIC")
    expected = dict(line.split(": ", 1) for line in (servers.ROOT / "tests" / "clients" / "administration.txt").read_text().splitlines())
    if broker.kind == "tidemill":
        for what in OURS:
            told.pop(what), expected.pop(what)
    assert told == expected
