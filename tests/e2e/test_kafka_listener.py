"""Where the Kafka server listens, and what it shares with the rest of the program."""
import socket

import pytest
from kafka import KafkaConsumer, KafkaProducer

from conftest import wait_for


def test_a_taken_port_is_named(tm):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = tm.run("serve", "--http", "127.0.0.1:0", "--kafka", f"127.0.0.1:{port}", code=1)
    assert done.stderr.startswith("error[TM1009]: Kafka address") and str(port) in done.stderr


@pytest.mark.parametrize("command", [["serve", "--http", "127.0.0.1:0", "--kafka"], ["run", "EMPTY", "--kafka-listen"]])
@pytest.mark.parametrize("address, code, error", [("0.0.0.0:0", 2, "TM1015"), ("nowhere", 2, "TM8001"), ("127.0.0.1:99999", 2, "TM8001")])
def test_a_wrong_address_is_refused(tm, command, address, code, error):
    script = tm.script("empty.sql", "CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1');"
                                    "CREATE TABLE o (a INT) WITH ('connector' = 'blackhole'); INSERT INTO o SELECT a FROM t;")
    done = tm.run(*[str(script) if word == "EMPTY" else word for word in command], address, code=code)
    assert done.stderr.startswith(f"error[{error}]: ")


def test_a_job_reads_what_clients_write_and_clients_read_what_it_writes(tm):
    script = tm.script("live.sql", """
        CREATE TABLE clicks (name STRING, amount INT) WITH ('connector' = 'tidemill-log', 'topic' = 'clicks', 'format' = 'json',
          'scan.startup.mode' = 'earliest-offset');
        CREATE TABLE large (name STRING, amount INT) WITH ('connector' = 'tidemill-log', 'topic' = 'large', 'format' = 'json');
        INSERT INTO large SELECT name, amount FROM clicks WHERE amount > 10;""")
    tm.run("topic", "create", "clicks")
    tm.run("topic", "create", "large")
    process = tm.start("run", str(script), "--kafka-listen", "127.0.0.1:0")
    port_file = tm.data / "kafka.port"
    wait_for(lambda: port_file.exists() or process.poll() is not None, "the Kafka server")
    assert process.poll() is None, process.stderr.read()
    address = f"127.0.0.1:{port_file.read_text()}"
    producer = KafkaProducer(bootstrap_servers=address)
    for i in range(20):
        producer.send("clicks", b'{"name": "n%d", "amount": %d}' % (i, i)).get(60)
    producer.close()
    reader = KafkaConsumer("large", bootstrap_servers=address, auto_offset_reset="earliest", consumer_timeout_ms=60000, isolation_level="read_committed")
    seen = []
    for message in reader:
        seen.append(message.value)
        if len(seen) == 9:
            break
    reader.close()
    assert [b'"n%d"' % i in value for i, value in zip(range(11, 20), seen)] == [True] * 9
