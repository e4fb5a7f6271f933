"""Messages in Avro: what other implementations write is read, what SQL writes they read; schemas change on the way.

fastavro knows the encoding, Confluent's serializers the registry.
"""
import io
import json
import random
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import fastavro
import pytest
from confluent_kafka.serialization import MessageField, SerializationContext

import servers
from conftest import wait_for
from kafka_cluster import Kafka, file_sink, rows_of, table

SEED = 20_260_101


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    server = servers.Tidemill(tmp_path_factory.mktemp("broker"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def kafka(broker):
    return Kafka(broker.address)


@pytest.fixture(scope="module")
def registry_url(broker):
    port = next(broker.folder.rglob("schema-registry.port"), None)
    assert port is not None, "the server tells no port of its registry"
    return f"http://127.0.0.1:{int(port.read_text())}"


@pytest.fixture
def registry(registry_url):
    from confluent_kafka.schema_registry import SchemaRegistryClient
    return SchemaRegistryClient({"url": registry_url})


def named(*fields, name="org.apache.flink.avro.generated.record") -> dict:
    return {"type": "record", "name": name, "fields": [dict(zip(("name", "type", "default"), field)) for field in fields]}


COLUMNS = """id BIGINT NOT NULL, i INT, b BOOLEAN, f FLOAT, d DOUBLE NOT NULL, s STRING, n DECIMAL(20, 4), day DATE, clock TIME(3),
             t TIMESTAMP(3), u TIMESTAMP_LTZ(6), tags ARRAY<STRING>, counts MAP<STRING, BIGINT>, place ROW<x INT, y ARRAY<DOUBLE>>"""
SCHEMA = fastavro.parse_schema(named(
    ("id", "long"),
    ("i", ["null", "int"]),
    ("b", ["null", "boolean"]),
    ("f", ["null", "float"]),
    ("d", "double"),
    ("s", ["null", "string"]),
    ("n", ["null", {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 4}]),
    ("day", ["null", {"type": "int", "logicalType": "date"}]),
    ("clock", ["null", {"type": "int", "logicalType": "time-millis"}]),
    ("t", ["null", {"type": "long", "logicalType": "timestamp-millis"}]),
    ("u", ["null", {"type": "long", "logicalType": "timestamp-micros"}]),
    ("tags", ["null", {"type": "array", "items": ["null", "string"]}]),
    ("counts", ["null", {"type": "map", "values": ["null", "long"]}]),
    ("place", ["null", named(("x", ["null", "int"]), ("y", ["null", {"type": "array", "items": ["null", "double"]}]),
                             name="org.apache.flink.avro.generated.record_place")]),
))


def some_row(number: int, rng: random.Random) -> dict:
    def maybe(value):
        return None if rng.random() < 0.2 else value

    def text():
        return "".join(rng.choice("aé😀\"\\ \n0") for _ in range(rng.randrange(12)))
    return {
        "id": number * rng.choice([1, -1, 1 << 40]), "i": maybe(rng.randrange(-2**31, 2**31)), "b": maybe(rng.random() < 0.5),
        "f": maybe(rng.randrange(-1000, 1000) / 8), "d": rng.uniform(-1e9, 1e9), "s": maybe(text()),
        "n": maybe(Decimal(rng.randrange(-10**15, 10**15)).scaleb(-4)), "day": maybe(date(1970, 1, 1) + timedelta(days=rng.randrange(-9000, 30000))),
        "clock": maybe((datetime(2000, 1, 1) + timedelta(milliseconds=rng.randrange(86_400_000))).time()),
        "t": maybe(datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=rng.randrange(-10**12, 4 * 10**12))),
        "u": maybe(datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=rng.randrange(-10**15, 4 * 10**15))),
        "tags": maybe([maybe(text()) for _ in range(rng.randrange(4))]),
        "counts": maybe({text(): maybe(rng.randrange(-2**62, 2**62)) for _ in range(rng.randrange(4))}),
        "place": maybe({"x": maybe(rng.randrange(100)), "y": maybe([maybe(rng.random()) for _ in range(rng.randrange(3))])}),
    }


def encoded(row: dict) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, SCHEMA, row)
    return out.getvalue()


def decoded(message: bytes) -> dict:
    return fastavro.schemaless_reader(io.BytesIO(message), SCHEMA)


def test_both_ways_with_fastavro(tm, kafka):
    """Rows of fastavro through SQL into a second topic: it reads the same rows there."""
    rng = random.Random(SEED)
    rows = [some_row(number, rng) for number in range(500)]
    source, sink = kafka.create(), kafka.create()
    kafka.produce(source, [encoded(row) for row in rows])
    script = tm.script("copy.sql", table(kafka, "i", COLUMNS, source, format="avro", scan_bounded_mode="latest-offset")
                       + table(kafka, "o", COLUMNS, sink, format="avro") + "INSERT INTO o SELECT * FROM i;")
    tm.run("run", script)
    copies = [decoded(record.value()) for record in kafka.read(sink, lambda records: len(records) >= len(rows))]
    assert sorted(copies, key=str) == sorted(rows, key=str)


def test_values_in_sql(tm, kafka):
    topic = kafka.create()
    row = {"id": 1, "i": -5, "b": True, "f": 0.5, "d": 2.25, "s": "é", "n": Decimal("-12.3400"), "day": date(2026, 1, 2), "clock": time(3, 4, 5, 6000),
           "t": datetime(2026, 1, 2, 3, 4, 5, 6000, timezone.utc), "u": datetime(2026, 1, 2, 3, 4, 5, 600_007, timezone.utc),
           "tags": ["a", None], "counts": {"k": 7}, "place": {"x": 3, "y": [0.5]}}
    kafka.produce(topic, [encoded(row), b"\x02", encoded(row)[:-1], encoded(row) + b"x"])
    script = tm.script("read.sql", table(kafka, "i", COLUMNS, topic, format="avro", scan_bounded_mode="latest-offset")
                       + file_sink(tm, COLUMNS) + "INSERT INTO o SELECT * FROM i;")
    tm.run("run", script)
    assert rows_of(tm) == [row | {"n": -12.34, "day": "2026-01-02", "clock": "03:04:05.006", "t": "2026-01-02 03:04:05.006",
                                  "u": "2026-01-02 03:04:05.600007Z"}]
    groups = [json.loads(line) for line in tm.run("dlq", "list", "--output", "json").stdout.splitlines()]
    assert [(group["reason"], group["records"]) for group in groups] == [("malformed", 3)]
