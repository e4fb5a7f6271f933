"""`tidemill topic` and `tidemill group` with --brokers: the same commands on any Kafka; and `group` on a data directory."""
import json
import subprocess

import confluent_kafka as ck
import pytest
from servers import BINARY


@pytest.fixture
def tidemill(broker):
    def run(*arguments, stdin="", code=0):
        done = subprocess.run([BINARY, "--brokers", broker.address, *arguments], input=stdin, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done
    return run


def rows(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def consumed(broker, group, topic, count):
    """A consumer of the group that has read and committed `count` records, and is still there."""
    reader = ck.Consumer({"bootstrap.servers": broker.address, "group.id": group, "client.id": "reader", "auto.offset.reset": "earliest",
                          "enable.auto.commit": False})
    reader.subscribe([topic])
    taken = []
    while len(taken) < count:
        message = reader.poll(60)
        assert message is not None and message.error() is None, message
        taken.append(message)
    offsets = {}
    for message in taken:
        offsets[message.partition()] = message.offset() + 1
    reader.commit(offsets=[ck.TopicPartition(topic, partition, offset) for partition, offset in offsets.items()], asynchronous=False)
    return reader


def test_a_topic_from_its_beginning_to_its_end(tidemill, topic):
    tidemill("topic", "create", topic, "--partitions", "2", "-c", "retention.ms=3600000")
    assert "TM1201" in tidemill("topic", "create", topic, code=1).stderr
    tidemill("topic", "produce", topic, "-k", stdin="".join(f"key{i % 7}:value {i}\n" for i in range(100)))
    tidemill("topic", "produce", topic, "-p", "1", stdin="last\n")
    listed = [row for row in rows(tidemill("topic", "list", "--output", "json")) if row["topic"] == topic]
    assert [(row["partitions"], row["offsets"], row["bytes"]) for row in listed] == [(2, 101, None)]
    described = tidemill("topic", "describe", topic).stdout
    assert "retention.ms = 3600000" in described
    records = rows(tidemill("topic", "consume", topic, "-o", ":end", "--output", "json"))
    assert len(records) == 101
    for key in range(7):
        values = [record["value"] for record in records if record.get("key") == f"key{key}"]
        assert values == [f"value {i}" for i in range(100) if i % 7 == key]
        assert len({record["partition"] for record in records if record.get("key") == f"key{key}"}) == 1
    assert rows(tidemill("topic", "consume", topic, "-p", "1", "-o", "-1", "-n", "1", "--output", "json"))[0]["value"] == "last"
    tidemill("topic", "delete", topic)
    assert topic not in tidemill("topic", "list").stdout


def test_a_group_is_described_moved_and_deleted(tidemill, broker, topic, group):
    tidemill("topic", "create", topic, "--partitions", "1")
    tidemill("topic", "produce", topic, stdin="".join(f"{i}\n" for i in range(50)))
    reader = consumed(broker, group, topic, 30)
    described = rows(tidemill("group", "describe", group, "--output", "json"))
    assert [(row["topic"], row["partition"], row["committed"], row["end"], row["lag"], row["client"]) for row in described] == [(topic, 0, 30, 50, 20, "reader")]
    assert {row["group"]: row["state"] for row in rows(tidemill("group", "list", "--output", "json"))}[group] == "Stable"
    assert "error[TM60" in tidemill("group", "seek", group, "--to", "start", code=1).stderr, "somebody reads"
    reader.close()
    assert "20 records behind" in tidemill("group", "describe", group).stdout
    for to, offset in (("start", 0), ("end", 50), ("-5", 45), ("17", 17)):
        assert rows(tidemill("group", "seek", group, "--to", to, "--output", "json")) == [{"topic": topic, "partition": 0, "offset": offset}]
        assert rows(tidemill("group", "describe", group, "--output", "json"))[0]["committed"] == offset
    tidemill("group", "seek", group, "--to", "end", "--dry-run")
    assert rows(tidemill("group", "describe", group, "--output", "json"))[0]["committed"] == 17
    assert "TM1203" in tidemill("group", "seek", group, "--to", "51", code=1).stderr
    consumed(broker, group, topic, 33).close()
    tidemill("group", "delete", group)
    assert "TM1212" in tidemill("group", "describe", group, code=1).stderr


def test_mistakes_are_told(tidemill, topic):
    assert "TM1200" in tidemill("topic", "describe", topic, code=1).stderr
    assert "TM1200" in tidemill("topic", "consume", topic, code=1).stderr
    assert "TM1200" in tidemill("topic", "produce", topic, stdin="x\n", code=1).stderr
    assert "TM1212" in tidemill("group", "describe", "no-such-group", code=1).stderr
    assert "--brokers is for 'topic' and 'group' only" in tidemill("dlq", "list", code=2).stderr
    assert "exclude each other" in tidemill("--server", "http://127.0.0.1:1", "topic", "list", code=2).stderr
    assert "did you mean" in tidemill("-X", "properties.sasl.mechanisn=PLAIN", "topic", "list", code=1).stderr


def test_a_cluster_that_is_not_there(tmp_path):
    done = subprocess.run([BINARY, "--brokers", "127.0.0.1:1", "topic", "list"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 4 and "TM6010" in done.stderr


def test_groups_of_a_data_directory(broker, server_kind, topic, group, tmp_path):
    if server_kind != "tidemill":
        pytest.skip("a data directory is Tidemill's")
    producer = ck.Producer({"bootstrap.servers": broker.address})
    for i in range(10):
        producer.produce(topic, str(i))
    assert producer.flush(60) == 0
    consumed(broker, group, topic, 4).close()
    broker.stop()

    def run(*arguments, code=0):
        done = subprocess.run([BINARY, "--data-dir", broker.folder / "data", *arguments], capture_output=True, text=True, timeout=120)
        assert done.returncode == code, done.stderr
        return done

    assert rows(run("group", "list", "--output", "json")) == [{"group": group, "state": "Empty"}]
    assert [(row["committed"], row["end"], row["lag"]) for row in rows(run("group", "describe", group, "--output", "json"))] == [(4, 10, 6)]
    run("group", "seek", group, "--to", "-3")
    assert rows(run("group", "describe", group, "--output", "json"))[0]["committed"] == 7
    run("group", "delete", group)
    assert "TM1212" in run("group", "describe", group, code=1).stderr
    assert "--brokers" in run("--server", "http://127.0.0.1:1", "group", "list", code=2).stderr
