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


def serializer(registry, schema: dict, **settings):
    from confluent_kafka.schema_registry.avro import AvroSerializer
    return AvroSerializer(registry, json.dumps(schema), conf=settings)


def produce_avro(kafka, registry, topic: str, schema: dict, rows: list[dict], key_schema: dict | None = None):
    to_value = serializer(registry, schema)
    to_key = serializer(registry, key_schema) if key_schema else None
    records = []
    for row in rows:
        record = {"value": to_value(row, SerializationContext(topic, MessageField.VALUE))}
        if to_key:
            record["key"] = to_key({field["name"]: row[field["name"]] for field in key_schema["fields"]}, SerializationContext(topic, MessageField.KEY))
        records.append(record)
    kafka.produce(topic, records)


def read_avro(kafka, registry, topic: str, count: int) -> tuple[list, list]:
    """Keys and values, as Confluent's deserializer has them."""
    from confluent_kafka.schema_registry.avro import AvroDeserializer
    deserializer = AvroDeserializer(registry)
    records = kafka.read(topic, lambda records: len(records) >= count)
    return tuple([deserializer(getattr(record, part)(), SerializationContext(topic, field)) for record in records]
                 for part, field in (("key", MessageField.KEY), ("value", MessageField.VALUE)))


ORDER = {"type": "record", "name": "Order", "namespace": "shop", "fields": [
    {"name": "id", "type": "long"}, {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["OPEN", "PAID"]}},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
    {"name": "placed", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "address", "type": ["null", {"type": "record", "name": "Address", "fields": [
        {"name": "street", "type": "string"}, {"name": "zip", "type": ["null", "string"], "default": None}]}], "default": None}]}


KEY = {"type": "record", "name": "OrderKey", "namespace": "shop", "fields": [{"name": "id", "type": "long"}]}


def test_confluents_serializers_both_ways(tm, kafka, registry, registry_url):
    source, sink = kafka.create(), kafka.create()
    placed = datetime(2026, 1, 2, 3, 4, 5, 6000, timezone.utc)
    rows = [{"id": n, "state": "PAID" if n % 2 else "OPEN", "price": Decimal(n) / 4, "placed": placed,
             "address": None if n % 3 else {"street": f"é {n}", "zip": None}} for n in range(100)]
    produce_avro(kafka, registry, source, ORDER, rows, KEY)
    columns = "id BIGINT NOT NULL, state STRING, price DECIMAL(10, 2), placed TIMESTAMP(3), address ROW<street STRING, zip STRING>"
    options = {"format": "avro-confluent", "avro-confluent.url": registry_url, "key_format": "avro-confluent", "key_fields": "id",
               "key.avro-confluent.url": registry_url}
    script = tm.script("copy.sql", table(kafka, "i", columns, source, scan_bounded_mode="latest-offset", value_fields__include="EXCEPT_KEY", **options)
                       + table(kafka, "o", columns, sink, **options) + "INSERT INTO o SELECT * FROM i;")
    tm.run("run", script)
    keys, values = read_avro(kafka, registry, sink, len(rows))
    assert sorted(values, key=lambda row: row["id"]) == rows
    assert sorted(key["id"] for key in keys) == list(range(100))
    written = json.loads(registry.get_latest_version(f"{sink}-value").schema.schema_str)
    assert [field["type"] for field in written["fields"]][:2] == ["long", ["null", "string"]]
    assert {f"{sink}-key", f"{sink}-value", f"{source}-value"} <= set(registry.get_subjects())


def test_schemas_change_on_the_way(tm, kafka, registry, registry_url):
    """Fields that came, went and were renamed: all records are read by one table."""
    topic = kafka.create()
    versions = [
        named(("id", "long"), ("old", "int"), ("gone", "string"), name="R"),
        named(("id", "long"), ("old", "int"), ("note", "string", "none"), name="R"),
        {"type": "record", "name": "R", "fields": [{"name": "id", "type": "double"}, {"name": "renamed", "aliases": ["old"], "type": "long"},
                                                  {"name": "note", "type": "string", "default": "nothing"}, {"name": "more", "type": ["null", "long"], "default": None}]},
    ]
    produce_avro(kafka, registry, topic, versions[0], [{"id": 1, "old": 10, "gone": "x"}])
    produce_avro(kafka, registry, topic, versions[1], [{"id": 2, "old": 20, "note": "b"}])
    produce_avro(kafka, registry, topic, versions[2], [{"id": 3.5, "renamed": 30, "note": "c", "more": 7}])
    columns = "id DOUBLE NOT NULL, renamed BIGINT, note STRING NOT NULL, more BIGINT, never INT"
    options = {"format": "avro-confluent", "avro-confluent.url": registry_url, "scan_bounded_mode": "latest-offset"}
    tm.run("run", tm.script("read.sql", table(kafka, "i", columns, topic, **options) + file_sink(tm, columns) + "INSERT INTO o SELECT * FROM i;"))
    assert sorted(rows_of(tm), key=lambda row: row["id"]) == [
        {"id": 1, "renamed": 10, "note": "nothing", "more": None, "never": None},
        {"id": 2, "renamed": 20, "note": "b", "more": None, "never": None},
        {"id": 3.5, "renamed": 30, "note": "c", "more": 7, "never": None}]


def test_a_schema_that_breaks_readers_is_refused(tm, kafka, registry, registry_url):
    topic = kafka.create()
    registry.register_schema(f"{topic}-value", schema_of(named(("id", "long"))))
    options = {"format": "avro-confluent", "avro-confluent.url": registry_url}
    copy = "CREATE TABLE i (id STRING NOT NULL) WITH ('connector' = 'datagen', 'number-of-rows' = '3');\n"
    script = tm.script("break.sql", copy + table(kafka, "o", "id STRING NOT NULL", topic, **options) + "INSERT INTO o SELECT * FROM i;")
    failed = tm.run("run", script, code=None)
    assert failed.returncode != 0
    assert "TM1107" in failed.stderr and "TYPE_MISMATCH" in failed.stderr, failed.stderr
    assert registry.get_versions(f"{topic}-value") == [1]


def schema_of(schema: dict):
    from confluent_kafka.schema_registry import Schema
    return Schema(json.dumps(schema), "AVRO")


def test_the_embedded_registry_needs_no_address(tm):
    """A job writes to the embedded log, another reads it: no registry is named."""
    with_format = "'topic' = 't', 'format' = 'avro-confluent'"
    write = tm.script("write.sql", "CREATE TABLE i (n BIGINT, s STRING) WITH ('connector' = 'datagen', 'number-of-rows' = '50', 'fields.n.kind' = 'sequence', "
                      "'fields.n.start' = '1', 'fields.n.end' = '50');\n"
                      f"CREATE TABLE t (n BIGINT, s STRING) WITH ('connector' = 'tidemill-log', {with_format});\nINSERT INTO t SELECT * FROM i;")
    tm.run("run", write)
    read = tm.script("read.sql", f"CREATE TABLE t (n BIGINT, extra INT) WITH ('connector' = 'tidemill-log', 'scan.bounded.mode' = 'latest-offset', {with_format});\n"
                     + file_sink(tm, "n BIGINT, extra INT") + "INSERT INTO o SELECT * FROM t;")
    tm.run("run", read)
    assert sorted(row["n"] for row in rows_of(tm)) == list(range(1, 51))
    assert {row["extra"] for row in rows_of(tm)} == {None}


def test_json_with_a_schema(tm, kafka, registry, registry_url):
    source, sink = kafka.create(), kafka.create()
    kafka.produce(source, [json.dumps({"id": n, "s": None if n % 2 else f"é {n}"}) for n in range(20)] + ["{}"])
    columns = "id BIGINT NOT NULL, s STRING"
    options = {"format": "json-schema-confluent", "json-schema-confluent.url": registry_url}
    bounded = {"scan_bounded_mode": "latest-offset"}
    tm.run("run", tm.script("write.sql", table(kafka, "i", columns, source, **bounded) + table(kafka, "o", columns, sink, **options)
                            + "INSERT INTO o SELECT * FROM i;"))
    records = kafka.read(sink, lambda records: len(records) >= 20)
    latest = registry.get_latest_version(f"{sink}-value")
    assert {record.value()[:5] for record in records} == {b"\0" + latest.schema_id.to_bytes(4, "big")}
    assert latest.schema.schema_type == "JSON"
    assert json.loads(latest.schema.schema_str)["required"] == ["id"]
    tm.run("run", tm.script("read.sql", table(kafka, "i", columns, sink, **options, **bounded) + file_sink(tm, columns) + "INSERT INTO o SELECT * FROM i;"))
    assert sorted(rows_of(tm), key=lambda row: row["id"]) == [{"id": n, "s": None if n % 2 else f"é {n}"} for n in range(20)]
