"""Jobs that read and write Kafka topics: connectors 'kafka' and 'upsert-kafka'.

The broker is a Tidemill of its own; with --server kafka an Apache Kafka, or what TIDEMILL_TEST_KAFKA=host:port names.
"""
import json
import os
import re
import signal
import socket
import time
import uuid

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

import servers
from conftest import interrupt, wait_for
from kafka_cluster import WAIT_S, Kafka, file_sink, numbers, rows_of, table, upsert_table


@pytest.fixture(scope="module")
def kafka(request, tmp_path_factory):
    address = os.environ.get("TIDEMILL_TEST_KAFKA")
    if address:
        yield Kafka(address)
        return
    if request.config.getoption("--server") != "tidemill":
        yield Kafka(request.getfixturevalue("real_kafka").address)
        return
    server = servers.Tidemill(tmp_path_factory.mktemp("broker"))
    server.start()
    yield Kafka(server.address)
    server.stop()


@pytest.fixture
def own_broker(tmp_path_factory):
    server = servers.Tidemill(tmp_path_factory.mktemp("own"))
    server.start()
    yield server
    server.stop()


def read_bounded(tm, kafka, topic: str, **options) -> list[int]:
    """What a job with these options reads of a topic of {"n": ...}."""
    options = {"scan_bounded_mode": "latest-offset"} | options
    script = tm.script("read.sql", table(kafka, "i", "n BIGINT", topic, **options) + file_sink(tm, "n BIGINT") + "INSERT INTO o SELECT n FROM i;")
    tm.run("run", script, "--overwrite")
    return sorted(row["n"] for row in rows_of(tm))


@pytest.fixture(scope="module")
def ten(kafka) -> str:
    """0 to 9; even numbers in partition 0, odd ones in partition 1; number n has the time 1,000,000 + 1000 n."""
    topic = kafka.create(partitions=2)
    kafka.produce(topic, [{"value": value, "partition": n % 2, "timestamp": 1_000_000 + 1000 * n} for n, value in enumerate(numbers(10))])
    return topic


@pytest.mark.parametrize("options, expected", [
    ({"scan_startup_mode": "earliest-offset"}, list(range(10))),
    ({"scan_startup_mode": "latest-offset"}, []),
    ({"scan_startup_mode": "timestamp", "scan_startup_timestamp__millis": "1006000"}, [6, 7, 8, 9]),
    ({"scan_startup_mode": "timestamp", "scan_startup_timestamp__millis": "1008500"}, [9]),
    ({"scan_startup_mode": "specific-offsets", "scan_startup_specific__offsets": "partition:0,offset:4;partition:1,offset:3"}, [7, 8, 9]),
    ({"scan_startup_mode": "specific-offsets", "scan_startup_specific__offsets": "partition:0,offset:4"}, [1, 3, 5, 7, 8, 9]),
    ({}, list(range(10))),  # a group without offsets begins at the beginning
    ({"properties_auto_offset_reset": "latest"}, []),
    ({"scan_startup_mode": "earliest-offset", "scan_bounded_mode": "timestamp", "scan_bounded_timestamp__millis": "1004000"}, [0, 1, 2, 3]),
    ({"scan_startup_mode": "earliest-offset", "scan_bounded_mode": "specific-offsets",
      "scan_bounded_specific__offsets": "partition:0,offset:2;partition:1,offset:1"}, [0, 1, 2]),
], ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else None)
def test_where_reading_begins_and_ends(tm, kafka, ten, options, expected):
    options = {"properties_group_id": kafka.name("group")} | options
    assert read_bounded(tm, kafka, ten, **options) == expected


def test_a_group_goes_on_where_it_was_and_bounds_others(tm, kafka):
    topic = kafka.create()
    kafka.produce(topic, numbers(5))
    group = kafka.name("group")
    assert read_bounded(tm, kafka, topic, properties_group_id=group) == [0, 1, 2, 3, 4]
    assert kafka.committed(group, topic) == [5]
    kafka.produce(topic, numbers(3, 5))
    tm.data = tm.work / "another"  # a job that knows nothing of the first one
    assert read_bounded(tm, kafka, topic, properties_group_id=group) == [5, 6, 7]
    kafka.produce(topic, numbers(2, 8))
    tm.data = tm.work / "third"
    assert read_bounded(tm, kafka, topic, properties_group_id=group, scan_startup_mode="earliest-offset",
                        scan_bounded_mode="group-offsets") == list(range(8))


def test_a_group_without_offsets_can_be_refused(tm, kafka, ten):
    script = tm.script("read.sql", table(kafka, "i", "n BIGINT", ten, properties_group_id=kafka.name(), properties_auto_offset_reset="none") +
                       "CREATE TABLE o (n BIGINT) WITH ('connector' = 'blackhole'); INSERT INTO o SELECT n FROM i;")
    done = tm.run("run", script, code=1)
    assert "error[TM6014]" in done.stderr and "the group has no committed offset" in done.stderr


def test_markers_of_transactions_do_not_hold_up_the_end(tm, kafka):
    topic = kafka.create()
    producer = Producer({"bootstrap.servers": kafka.address, "transactional.id": kafka.name()})
    producer.init_transactions(WAIT_S)
    for number, commit in ((0, True), (1, False), (2, True)):
        producer.begin_transaction()
        producer.produce(topic, json.dumps({"n": number}))
        producer.flush(WAIT_S)
        producer.commit_transaction(WAIT_S) if commit else producer.abort_transaction(WAIT_S)
    start = {"scan_startup_mode": "earliest-offset"}
    # As in Flink, records of aborted transactions are read unless the reader says otherwise.
    assert read_bounded(tm, kafka, topic, **start) == [0, 1, 2]
    assert read_bounded(tm, kafka, topic, **start, properties_isolation_level="read_committed") == [0, 2]


@pytest.mark.parametrize("lanes", [1, 2])
def test_kill_in_the_middle_loses_nothing(tm, kafka, lanes):
    source, sink = kafka.create(partitions=3), kafka.create(partitions=2)
    script = tm.script("pass.sql", f"SET 'parallelism.default' = '{lanes}'; SET 'execution.checkpointing.interval' = '100 ms';" +
                       table(kafka, "i", "n BIGINT", source, scan_startup_mode="earliest-offset") +
                       table(kafka, "o", "n BIGINT, twice BIGINT", sink, key_format="json", key_fields="n") +
                       "INSERT INTO o SELECT n, n * 2 FROM i WHERE MOD(n, 3) <> 0;")
    group = "KafkaSource-i"
    sent = 0
    for run in range(3):
        process = tm.start("run", script)
        kafka.produce(source, [{"value": value, "partition": n % 3} for n, value in enumerate(numbers(3000, sent))])
        sent += 3000
        expected = {n for n in range(sent) if n % 3}
        records = kafka.read(sink, lambda records: len(records) >= len(expected) // 2)
        if run == 1:  # an epoch that is known to be there: the next run may begin after it
            wait_for(lambda: sum(max(0, offset) for offset in kafka.committed(group, source, 3)) > 0, "an epoch")
        assert process.poll() is None, process.stderr.read()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = tm.start("run", script)
    expected = {n for n in range(sent) if n % 3}
    records = kafka.read(sink, lambda records: len({record.value() for record in records}) >= len(expected))
    values = [json.loads(record.value()) for record in records]
    assert {value["n"] for value in values} == expected and all(value["twice"] == 2 * value["n"] for value in values)
    assert all(json.loads(record.key()) == {"n": json.loads(record.value())["n"]} for record in records)
    wait_for(lambda: sum(kafka.committed(group, source, 3)) == sent or process.poll() is not None, "the last epoch")
    interrupt(process)
    process.communicate(timeout=WAIT_S)
    assert process.returncode == 130


def test_a_pattern_finds_new_topics_and_partitions(tm, kafka):
    prefix = kafka.name("clicks")
    kafka.create(f"{prefix}-a")
    kafka.produce(f"{prefix}-a", numbers(1))
    sink = kafka.create()
    script = tm.script("pattern.sql", "SET 'parallelism.default' = '2';" +
                       table(kafka, "i", "n BIGINT, t STRING METADATA FROM 'topic', p INT METADATA FROM 'partition'", None, topic__pattern=f"{prefix}-.*",
                             scan_startup_mode="latest-offset", scan_topic__partition__discovery_interval="200 ms") +
                       table(kafka, "o", "n BIGINT, t STRING, p INT", sink) + "INSERT INTO o SELECT n, t, p FROM i;")
    process = tm.start("run", script)
    group = "KafkaSource-i"
    wait_for(lambda: kafka.committed(group, f"{prefix}-a") == [1], "the start of the job")
    kafka.create(f"{prefix}-b", partitions=2)
    kafka.produce(f"{prefix}-b", [{"value": numbers(1, 10)[0], "partition": 0}, {"value": numbers(1, 11)[0], "partition": 1}])
    kafka.add_partitions(f"{prefix}-a", 2)
    kafka.produce(f"{prefix}-a", [{"value": numbers(1, 20)[0], "partition": 1}])
    kafka.create(f"not-{prefix}-c")
    records = kafka.read(sink, lambda records: len(records) == 3)
    assert process.poll() is None, process.stderr.read()
    found = {(row["n"], row["t"].removeprefix(prefix), row["p"]) for row in (json.loads(record.value()) for record in records)}
    assert found == {(10, "-b", 0), (11, "-b", 1), (20, "-a", 1)}
    # A restart knows the new ones by their saved positions, and begins those that came meanwhile at their beginning.
    wait_for(lambda: kafka.committed(group, f"{prefix}-b", 2) == [1, 1], "their epoch")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kafka.create(f"{prefix}-d")
    kafka.produce(f"{prefix}-d", numbers(1, 30))
    process = tm.start("run", script)
    records = kafka.read(sink, lambda records: any(json.loads(record.value())["n"] == 30 for record in records))
    assert process.poll() is None, process.stderr.read()


def test_a_pattern_leaves_kafkas_own_topics_out(tm, kafka):
    kafka.committed(kafka.name(), kafka.create())  # now there is one, if the server keeps offsets in a topic
    text = table(kafka, "i", "n BIGINT", None, topic__pattern="__.*offsets", scan_bounded_mode="latest-offset") + file_sink(tm, "n BIGINT")
    done = tm.run("run", tm.script("own.sql", text + "INSERT INTO o SELECT n FROM i;"), code=3)
    assert "error[TM2111]" in done.stderr and "has no topic that fits '__.*offsets'" in done.stderr


def test_keys_headers_and_metadata_come_and_go(tm, kafka):
    source, sink = kafka.create(partitions=2), kafka.create(partitions=4)
    kafka.produce(source, [{"key": '{"id":7}', "value": '{"name":"a"}', "partition": 1, "timestamp": 1_700_000_000_123,
                            "headers": [("h", b"1"), ("h", b"2"), ("n", None)]}])
    script = tm.script("meta.sql", table(
        kafka, "i", """k_id BIGINT, name STRING, t STRING METADATA FROM 'topic' VIRTUAL, p INT METADATA FROM 'partition' VIRTUAL,
            pos BIGINT METADATA FROM 'offset' VIRTUAL, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
            kind STRING METADATA FROM 'timestamp-type' VIRTUAL, headers MAP<STRING, BYTES> METADATA,
            list ARRAY<ROW<key STRING, value BYTES>> METADATA FROM 'header-list' VIRTUAL""",
        source, key_format="json", key_fields="k_id", key_fields__prefix="k_", value_fields__include="EXCEPT_KEY", scan_startup_mode="earliest-offset",
        scan_bounded_mode="latest-offset") + table(
        kafka, "o", """id BIGINT, name STRING, t STRING, p INT, pos BIGINT, ts TIMESTAMP_LTZ(3), kind STRING,
            headers MAP<STRING, BYTES> METADATA, at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', target INT METADATA FROM 'partition'""",
        sink, key_format="raw", key_fields="name") + "INSERT INTO o SELECT k_id, name, t, p, pos, ts, kind, headers, ts, 3 FROM i;")
    tm.run("run", script)
    record, = kafka.read(sink, lambda records: len(records) == 1)
    value = json.loads(record.value())
    assert value.pop("ts").startswith("2023-11-14 22:13:20.123")
    assert value == {"id": 7, "name": "a", "t": source, "p": 1, "pos": 0, "kind": "CreateTime"}
    assert record.key() == b"a" and record.partition() == 3 and record.timestamp() == (1, 1_700_000_000_123)
    assert sorted(record.headers()) == [("h", b"2"), ("n", None)]


def test_rows_choose_their_topic(tm, kafka):
    source, one, two = kafka.create(), kafka.create(), kafka.create()
    kafka.produce(source, numbers(6))
    script = tm.script("route.sql", table(kafka, "i", "n BIGINT", source, scan_startup_mode="earliest-offset", scan_bounded_mode="latest-offset") +
                       table(kafka, "o", "n BIGINT, t STRING METADATA FROM 'topic'", f"{one};{two}") +
                       f"INSERT INTO o SELECT n, CASE WHEN n < 2 THEN '{one}' WHEN n < 5 THEN '{two}' ELSE 'elsewhere' END FROM i;")
    tm.run("run", script)
    assert len(kafka.read(one, lambda records: len(records) == 2)) == 2
    assert [json.loads(r.value())["n"] for r in kafka.read(two, lambda records: len(records) == 3)] == [2, 3, 4]
    assert "'elsewhere' is not one of the table's topics" in tm.run("dlq", "show", "i").stdout


def test_bad_records_are_kept_and_large_ones_refused(tm, kafka):
    source, sink = kafka.create(), kafka.create()
    kafka.produce(source, ['{"n": 1}', "nonsense", {"value": None, "key": "k"}, '{"n": 2, "pad": "%s"}' % ("x" * 3000)])
    script = tm.script("bad.sql", table(kafka, "i", "n BIGINT, pad STRING", source, scan_startup_mode="earliest-offset", scan_bounded_mode="latest-offset") +
                       table(kafka, "o", "n BIGINT, pad STRING", sink, properties_max_request_size="2000") + "INSERT INTO o SELECT n, pad FROM i;")
    tm.run("run", script)
    record, = kafka.read(sink, lambda records: len(records) == 1)
    assert json.loads(record.value())["n"] == 1
    listed = tm.run("dlq", "list").stdout
    assert "malformed" in listed and "too_large" in listed, listed


def test_a_table_by_key_goes_there_and_back(tm, kafka):
    changes, counts, copy = kafka.create(partitions=2), kafka.create(cleanup_policy="compact", partitions=2), kafka.create(partitions=2)
    kafka.produce(changes, [json.dumps({"who": who}) for who in "abacab"])
    script = tm.script("count.sql", table(kafka, "i", "who STRING", changes, scan_startup_mode="earliest-offset", scan_bounded_mode="latest-offset") +
                       upsert_table(kafka, "o", "who STRING, n BIGINT, PRIMARY KEY (who) NOT ENFORCED", counts, key_format="raw") +
                       "INSERT INTO o SELECT who, COUNT(*) FROM i GROUP BY who;")
    tm.run("run", script)
    last = {}
    for record in kafka.read(counts, lambda records: len(records) >= 6):
        last[record.key()] = json.loads(record.value())
    assert last == {b"a": {"who": "a", "n": 3}, b"b": {"who": "b", "n": 2}, b"c": {"who": "c", "n": 1}}
    kafka.produce(counts, [{"key": "b", "value": None}])
    script = tm.script("copy.sql", upsert_table(kafka, "i", "who STRING, n BIGINT, PRIMARY KEY (who) NOT ENFORCED", counts, key_format="raw",
                                                scan_bounded_mode="latest-offset") +
                       upsert_table(kafka, "o", "who STRING, n BIGINT, PRIMARY KEY (who) NOT ENFORCED", copy, value_fields__include="EXCEPT_KEY",
                                    sink_buffer__flush_max__rows="1000", sink_buffer__flush_interval="1 s") +
                       "INSERT INTO o SELECT who, n FROM i;")
    tm.run("run", script)
    records = kafka.read(copy, lambda records: len({record.key() for record in records}) == 3)
    last = {json.loads(record.key())["who"]: record.value() and json.loads(record.value()) for record in records}
    assert last == {"a": {"n": 3}, "b": None, "c": {"n": 1}}
    assert len(records) <= 4  # changes of one key were merged


def test_changes_are_flushed_by_time(tm, kafka):
    source, sink = kafka.create(), kafka.create()
    script = tm.script("flush.sql", "SET 'execution.checkpointing.interval' = '1 h';" + table(kafka, "i", "n BIGINT", source, scan_startup_mode="earliest-offset") +
                       upsert_table(kafka, "o", "n BIGINT, PRIMARY KEY (n) NOT ENFORCED", sink, sink_buffer__flush_max__rows="1000",
                                    sink_buffer__flush_interval="100 ms") + "INSERT INTO o SELECT n FROM i;")
    process = tm.start("run", script)
    kafka.produce(source, numbers(3))
    assert len(kafka.read(sink, lambda records: len(records) == 3)) == 3
    assert process.poll() is None, process.stderr.read()


def test_versions_of_a_temporal_join_come_from_a_topic(tm, kafka):
    rates, orders = kafka.create(), kafka.create()
    kafka.produce(rates, [{"key": key, "value": value, "timestamp": time} for key, value, time in [
        ("EUR", '{"currency":"EUR","rate":1.0}', 1000), ("EUR", '{"currency":"EUR","rate":2.0}', 3000), ("EUR", None, 5000),
        ("USD", '{"currency":"USD","rate":1.0}', 9000)]])
    kafka.produce(orders, [json.dumps({"id": n, "currency": "EUR", "ts": f"1970-01-01 00:00:0{n}Z"}) for n in (2, 4, 6, 8)])
    bounds = {"scan_startup_mode": "earliest-offset", "scan_bounded_mode": "latest-offset"}
    script = tm.script("join.sql", upsert_table(kafka, "rates", """currency STRING, rate DOUBLE, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
            WATERMARK FOR ts AS ts, PRIMARY KEY (currency) NOT ENFORCED""", rates, key_format="raw", scan_bounded_mode="latest-offset") +
                       table(kafka, "orders", "id INT, currency STRING, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts", orders, **bounds) +
                       file_sink(tm, "id INT, rate DOUBLE") +
                       """INSERT INTO o SELECT o.id, r.rate FROM orders AS o
                          LEFT JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.currency = r.currency;""")
    tm.run("run", script)
    assert sorted((row["id"], row["rate"]) for row in rows_of(tm)) == [(2, 1.0), (4, 2.0), (6, None), (8, None)]


def test_lag_is_in_the_metrics(tm, kafka):
    source = kafka.create(partitions=2)
    kafka.produce(source, [{"value": value, "partition": 1} for value in numbers(50)])
    script = tm.script("lag.sql", table(kafka, "i", "n BIGINT", source, scan_startup_mode="earliest-offset") +
                       "CREATE TABLE o (n BIGINT) WITH ('connector' = 'blackhole'); INSERT INTO o SELECT n FROM i;")
    server = tm.serve("run", script, "--http", "127.0.0.1:0")

    def value(name: str, partition: int) -> float | None:
        for line in server.get("/metrics")[1].splitlines():
            if line.startswith(name + "{") and f'topic="{source}"' in line and f'partition="{partition}"' in line:
                return float(line.rsplit(" ", 1)[1])
        return None
    for name in ("tidemill_source_lag_records", "tidemill_source_lag_seconds"):
        wait_for(lambda: value(name, 0) == 0 and value(name, 1) == 0, name)


def test_a_broker_that_goes_away_is_waited_for(tm, own_broker):
    kafka = Kafka(own_broker.address)
    source, sink = kafka.create(), kafka.create()
    script = tm.script("away.sql", "SET 'execution.checkpointing.interval' = '100 ms';" + table(kafka, "i", "n BIGINT", source, scan_startup_mode="earliest-offset") +
                       table(kafka, "o", "n BIGINT", sink) + "INSERT INTO o SELECT n FROM i;")
    process = tm.start("run", script)
    for round in range(2):
        kafka.produce(source, numbers(100, round * 100))
        kafka.read(sink, lambda records: len({record.value() for record in records}) == (round + 1) * 100)
        own_broker.kill()
        own_broker.start()
    kafka.produce(source, numbers(100, 200))
    records = kafka.read(sink, lambda records: len({record.value() for record in records}) == 300)
    assert {json.loads(record.value())["n"] for record in records} == set(range(300))
    interrupt(process)
    _, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130, errors
    assert "restarts after" not in errors
    assert 1 <= errors.count("Kafka at ") < 40, errors  # said, and at a bounded rate


def test_a_job_stops_without_its_broker(tm, own_broker):
    kafka = Kafka(own_broker.address)
    source, sink = kafka.create(), kafka.create()
    kafka.produce(source, numbers(10))
    script = tm.script("stop.sql", table(kafka, "i", "n BIGINT", source, scan_startup_mode="earliest-offset") + table(kafka, "o", "n BIGINT", sink) +
                       "INSERT INTO o SELECT n FROM i;")
    process = tm.start("run", script)
    kafka.read(sink, lambda records: len(records) == 10)
    # What was written is acknowledged too: for that a job that stops would wait.
    wait_for(lambda: kafka.committed("KafkaSource-i", source) == [10], "an epoch")
    own_broker.kill()
    interrupt(process)
    process.communicate(timeout=WAIT_S)
    assert process.returncode == 130
    own_broker.start()


def test_a_job_does_not_wait_for_ever_for_its_broker(tm, own_broker):
    kafka = Kafka(own_broker.address)
    sink = kafka.create()
    script = tm.script("stuck.sql", "CREATE TABLE i (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100', 'fields.n.kind' = 'sequence', "
                       "'fields.n.start' = '1', 'fields.n.end' = '1000000'); " + table(kafka, "o", "n BIGINT", sink) + "INSERT INTO o SELECT n FROM i;")
    process = tm.start("run", script, "--stop-timeout", "2")
    kafka.read(sink, lambda records: len(records) >= 10)
    own_broker.kill()
    time.sleep(1)  # so that rows are on their way that nobody acknowledges
    interrupt(process)
    errors = process.communicate(timeout=WAIT_S)[1]
    own_broker.start()
    assert process.returncode == 1, errors
    assert "error[TM8006]" in errors and "within 2 s" in errors and "--stop-timeout" in errors, errors


def test_a_topic_that_goes_away_stops_the_job(tm, kafka):
    source = kafka.create()
    kafka.produce(source, numbers(1))
    script = tm.script("gone.sql", table(kafka, "i", "n BIGINT", source, scan_startup_mode="earliest-offset") +
                       "CREATE TABLE o (n BIGINT) WITH ('connector' = 'blackhole'); INSERT INTO o SELECT n FROM i;")
    process = tm.start("run", script)
    wait_for(lambda: kafka.committed("KafkaSource-i", source) == [1], "an epoch")
    kafka.admin.delete_topics([source])[source].result(WAIT_S)
    _, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 1 and "error[TM6013]" in errors and f"has no topic '{source}'" in errors, errors


def test_records_that_are_gone_are_not_skipped_silently(tm, kafka):
    source = kafka.create()
    kafka.produce(source, numbers(5))
    given = {"scan_startup_mode": "earliest-offset", "scan_topic__partition__discovery_interval": "0"}
    text = table(kafka, "i", "n BIGINT", source, **given) + "CREATE TABLE o (n BIGINT) WITH ('connector' = 'blackhole'); INSERT INTO o SELECT n FROM i;"
    process = tm.start("run", tm.script("late.sql", text))
    wait_for(lambda: kafka.committed("KafkaSource-i", source) == [5], "an epoch")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kafka.produce(source, numbers(10, 5))
    place = TopicPartition(source, 0, 12)
    kafka.admin.delete_records([place])[place].result(WAIT_S)
    done = tm.run("run", tm.script("late.sql", text), code=1)
    assert "error[TM6014]" in done.stderr and source in done.stderr, done.stderr
    text = table(kafka, "i", "n BIGINT", source, **given, properties_auto_offset_reset="earliest") + text.split(";\n", 1)[1]
    process = tm.start("run", tm.script("late.sql", text))
    wait_for(lambda: kafka.committed("KafkaSource-i", source) == [15] or process.poll() is not None, "the rest")
    assert process.poll() is None, process.stderr.read()


@pytest.mark.parametrize("side", ["source", "sink"])
def test_a_broker_that_is_not_there_is_an_error_soon(tm, side):
    with socket.socket() as taken:  # bound but not listening: nobody else can have the port
        taken.bind(("127.0.0.1", 0))
        nobody = Kafka.__new__(Kafka)
        nobody.address = f"127.0.0.1:{taken.getsockname()[1]}"
        there = table(nobody, "k", "n BIGINT", "t", properties_default_api_timeout_ms="1500")
        other = "CREATE TABLE o (n BIGINT) WITH ('connector' = 'blackhole');" if side == "source" else \
            "CREATE TABLE o (n BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '1');"
        insert = "INSERT INTO o SELECT n FROM k;" if side == "source" else "INSERT INTO k SELECT n FROM o;"
        started = time.monotonic()
        done = tm.run("run", tm.script("nobody.sql", there + other + insert), code=4)
        assert time.monotonic() - started < 60
    assert done.stderr.count("error[TM6010]") == 1 and nobody.address in done.stderr and "Connection refused" in done.stderr


def test_a_topic_that_is_not_there_is_named(tm, kafka):
    topic = kafka.create()
    script = tm.script("typo.sql", table(kafka, "i", "n BIGINT", topic + "s", scan_bounded_mode="latest-offset") + file_sink(tm, "n BIGINT") +
                       "INSERT INTO o SELECT n FROM i;")
    done = tm.run("run", script, code=1)
    assert "error[TM6013]" in done.stderr and f"did you mean '{topic}'?" in done.stderr and "--> " in done.stderr


def test_the_documented_switch_is_one_line(tm, kafka):
    blocks = re.findall(r"```sql\n(.*?)```", (servers.ROOT / "docs" / "kafka.md").read_text(), re.DOTALL)
    embedded, line, upsert = blocks[0], blocks[1].strip(), blocks[2]
    outgrown = embedded.replace("'connector' = 'tidemill-log',", line)
    assert sum(a != b for a, b in zip(embedded.splitlines(), outgrown.splitlines())) == 1
    insert = "INSERT INTO o SELECT who AS n FROM clicks /*+ OPTIONS('scan.bounded.mode' = 'latest-offset') */;"
    tm.run("topic", "create", "clicks")
    tm.run("topic", "produce", "clicks", stdin='{"who": "here", "amount": 1, "ts": "2026-01-01 00:00:00"}\n')
    topic = kafka.create()
    kafka.produce(topic, ['{"who": "there", "amount": 1, "ts": "2026-01-01 00:00:00"}'])
    outgrown = outgrown.replace("broker-1:9092,broker-2:9092", kafka.address).replace("'topic' = 'clicks'", f"'topic' = '{topic}'")
    for text, who in ((embedded, "here"), (outgrown, "there")):
        tm.run("run", tm.script("switch.sql", text + file_sink(tm, "n STRING") + insert), "--overwrite")
        assert rows_of(tm) == [{"n": who}]
    tm.run("check", tm.script("upsert.sql", embedded + upsert))


@pytest.fixture(scope="module")
def guarded_kafka(tmp_path_factory):
    """An Apache Kafka that asks for a name and a password."""
    class Guarded(servers.Kafka):
        def wait_until_ready(self, end: float):
            pass

    users = 'user_admin="admin" user_me="hunter2"'
    module = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    server = Guarded(tmp_path_factory.mktemp("guarded"), **{
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT", "sasl.enabled.mechanisms": "PLAIN",
        "inter.broker.listener.name": "PLAINTEXT", "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "listener.name.plaintext.plain.sasl.jaas.config": f'{module} username="admin" password="admin" {users};'})
    server.start()
    yield server
    server.stop()


@pytest.mark.apache_kafka
def test_a_login_as_flink_writes_it(tm, guarded_kafka):
    guard = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "me", "sasl.password": "hunter2"}
    client = {"bootstrap.servers": guarded_kafka.address, "log_level": 0, **guard}
    topic = uuid.uuid4().hex
    admin = AdminClient(client)
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(WAIT_S)
    producer = Producer(client)
    for value in numbers(3):
        producer.produce(topic, value)
    assert producer.flush(WAIT_S) == 0
    (tm.work / "password").write_text("hunter2\n")
    (tm.work / "wrong").write_text("hunter3\n")
    for password, code in (("wrong", 4), ("password", 0)):
        login = f'org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="${{file:{tm.work}/{password}}}";'
        script = tm.script(f"{password}.sql", table(guarded_kafka, "i", "n BIGINT", topic, properties_security_protocol="SASL_PLAINTEXT",
                                                    properties_sasl_mechanism="PLAIN", properties_sasl_jaas_config=login, scan_bounded_mode="latest-offset") +
                           file_sink(tm, "n BIGINT") + "INSERT INTO o SELECT n FROM i;")
        done = tm.run("run", script, code=code)
        assert "hunter" not in done.stderr
        if code:
            assert "error[TM6011]" in done.stderr and "authentication" in done.stderr.lower(), done.stderr
    assert [row["n"] for row in rows_of(tm)] == [0, 1, 2]
