"""Messages in Protobuf: what other implementations write is read, what SQL writes they read; schemas change on the way.

Google's library knows the encoding, Confluent's serializers the registry.
"""
import json
import random
import shutil
import subprocess
import sysconfig
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from confluent_kafka.schema_registry import Schema
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

import servers
from kafka_cluster import Kafka, file_sink, rows_of, table

SEED = 20_260_101
# What protoc needs of Confluent's own file; the packages have it only compiled.
DECIMAL_PROTO = 'syntax = "proto3"; package confluent.type; message Decimal { bytes value = 1; int32 precision = 2; int32 scale = 3; }'


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    server = servers.Tidemill(tmp_path_factory.mktemp("broker"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def kafka(broker):
    return Kafka(broker.address)


class Compiled:
    """What protoc makes of .proto texts, by the name of the file; the last one is the schema."""

    def __init__(self, folder: Path, files: dict[str, str]):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in ({"confluent/type/decimal.proto": DECIMAL_PROTO} | files).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        self.main = list(files)[-1]
        self.path = folder / "schema.desc"
        subprocess.run([shutil.which("protoc"), f"-I{folder}", f"-I{sysconfig.get_paths()['purelib']}", "--include_imports",
                        f"--descriptor_set_out={self.path}", self.main], check=True)
        self.pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(self.path.read_bytes()).file:
            self.pool.Add(file)

    def __getitem__(self, message: str):
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(message))


EVENT = """syntax = "proto3"; package shop;
import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto"; import "google/type/date.proto";
message Other {}
message Event {
  enum State { OPEN = 0; PAID = 1; LOST = 40000; }
  message Place { double x = 1; repeated string names = 2; }
  int64 id = 1; optional int32 i = 2; bool b = 3; float f = 4; double d = 5; string s = 6; bytes y = 7; uint32 u = 8; sint64 z = 9;
  fixed64 fix = 10; State state = 11; repeated sint32 numbers = 12; repeated string tags = 13; map<string, Place> places = 14;
  Place place = 15; google.protobuf.Timestamp at = 16; google.protobuf.StringValue note = 17; google.type.Date day = 18;
  oneof choice { string text = 19; int64 number = 20; } repeated Place all = 21; optional string maybe = 3000;
}"""
PLACE = "ROW<x DOUBLE, names ARRAY<STRING>>"
COLUMNS = f"""id BIGINT, i INT, b BOOLEAN, f FLOAT, d DOUBLE, s STRING, y BYTES, u BIGINT, z BIGINT, fix BIGINT, state STRING, numbers ARRAY<INT>,
              tags ARRAY<STRING>, places MAP<STRING, {PLACE}>, place {PLACE}, `at` TIMESTAMP_LTZ(9), note STRING, `day` DATE, text STRING, number BIGINT,
              `all` ARRAY<{PLACE}>, maybe STRING"""


def some_event(kind, number: int, rng: random.Random):
    def text():
        return "".join(rng.choice("aé😀\"\\ \n0") for _ in range(rng.randrange(12)))

    def place(into):
        into.x = rng.choice([0, rng.uniform(-10, 10)])
        into.names.extend(text() for _ in range(rng.randrange(3)))

    event = kind(id=number * rng.choice([1, -1, 1 << 40]), b=rng.random() < 0.5, f=rng.randrange(-8, 8) / 8, d=rng.uniform(-1e9, 1e9), s=text(),
                 y=rng.randbytes(rng.randrange(200)), u=rng.choice([0, 2**32 - 1, 7]), z=rng.randrange(-2**62, 2**62), fix=rng.randrange(2**63),
                 state=rng.choice(["OPEN", "PAID", "LOST"]), numbers=[rng.randrange(-2**31, 2**31) for _ in range(rng.randrange(4))],
                 tags=[text() for _ in range(rng.randrange(3))])
    chance = iter(rng.random() < 0.6 for _ in range(20))
    if next(chance):
        event.i = rng.choice([0, -5])
    if next(chance):
        event.maybe = text()
    if next(chance):
        place(event.place)
        event.place.SetInParent()
    for name in {text() for _ in range(rng.randrange(3))}:
        place(event.places[name])
    for _ in range(rng.randrange(3)):
        place(event.all.add())
    if next(chance):
        event.at.seconds, event.at.nanos = rng.randrange(-10**9, 4 * 10**9), rng.randrange(10**9)
    if next(chance):
        event.note.value = text()
    if next(chance):
        event.day.year, event.day.month, event.day.day = 1 + rng.randrange(9999), 1 + rng.randrange(12), 1 + rng.randrange(28)
    if next(chance):
        event.text = text()
    elif next(chance):
        event.number = rng.choice([0, 7])
    return event


def test_both_ways_with_googles_library(tm, kafka, tmp_path):
    """Messages of Google's library through SQL into a second topic: it reads the same messages there."""
    compiled = Compiled(tmp_path / "proto", {"event.proto": EVENT})
    rng = random.Random(SEED)
    events = [some_event(compiled["shop.Event"], number, rng) for number in range(500)]
    source, sink = kafka.create(), kafka.create()
    kafka.produce(source, [event.SerializeToString() for event in events])
    described = {"format": "protobuf", "protobuf.message__name": "shop.Event"}
    script = tm.script("copy.sql", table(kafka, "i", COLUMNS, source, scan_bounded_mode="latest-offset", **described | {"protobuf.schema__file": str(compiled.path)})
                       + table(kafka, "o", COLUMNS, sink, **described | {"protobuf.schema": EVENT})
                       + "INSERT INTO o SELECT * FROM i;")
    tm.run("run", script)
    copies = [compiled["shop.Event"].FromString(record.value()) for record in kafka.read(sink, lambda records: len(records) >= len(events))]
    assert sorted(map(str, copies)) == sorted(map(str, events))


def test_values_in_sql(tm, kafka, tmp_path):
    compiled = Compiled(tmp_path / "proto", {"event.proto": EVENT})
    (tmp_path / "event.proto").write_text(EVENT)
    topic = kafka.create()
    event = compiled["shop.Event"](id=1, s="é", u=2**32 - 1, state="LOST", numbers=[1, -2], number=0)
    event.place.names.append("n")
    event.at.seconds, event.at.nanos = 1_767_323_045, 600_007_000
    event.note.value = ""
    event.day.year, event.day.month, event.day.day = 2026, 1, 2
    good = event.SerializeToString()
    kafka.produce(topic, [good, b"\x08", good[:-1], good + b"x", b""])
    columns = ("id BIGINT, s STRING, u BIGINT, state STRING, numbers ARRAY<INT>, tags ARRAY<STRING>, place ROW<x DOUBLE, names ARRAY<STRING>>, "
               "`at` TIMESTAMP_LTZ(6), note STRING, `day` DATE, text STRING, number BIGINT, i INT, maybe STRING")
    options = {"format": "protobuf", "protobuf.message__name": "Event", "protobuf.schema__file": str(tmp_path / "event.proto")}
    script = tm.script("read.sql", table(kafka, "i", columns, topic, scan_bounded_mode="latest-offset", **options)
                       + file_sink(tm, columns) + "INSERT INTO o SELECT * FROM i;")
    tm.run("run", script)
    empty = {"id": 0, "s": "", "u": 0, "state": "OPEN", "numbers": None, "tags": None, "place": None, "at": None, "note": None, "day": None, "text": None,
             "number": None, "i": None, "maybe": None}
    assert sorted(rows_of(tm), key=lambda row: -row["id"]) == [
        empty | {"id": 1, "s": "é", "u": 2**32 - 1, "state": "LOST", "numbers": [1, -2], "place": {"x": 0, "names": ["n"]},
                 "at": "2026-01-02 03:04:05.600007Z", "note": "", "day": "2026-01-02", "number": 0},
        empty]
    groups = [json.loads(line) for line in tm.run("dlq", "list", "--output", "json").stdout.splitlines()]
    assert [(group["reason"], group["records"]) for group in groups] == [("malformed", 3)]


def produce_protobuf(kafka, registry, topic: str, messages: list, keys: list | None = None):
    serializers: dict = {}

    def to_bytes(message, field):
        kind = (type(message), field)
        if kind not in serializers:
            serializers[kind] = ProtobufSerializer(type(message), registry, {"use.deprecated.format": False})
        return serializers[kind](message, SerializationContext(topic, field))

    kafka.produce(topic, [{"value": to_bytes(message, MessageField.VALUE)} | ({"key": to_bytes(keys[n], MessageField.KEY)} if keys else {})
                          for n, message in enumerate(messages)])


def read_protobuf(kafka, registry, topic: str, count: int, value_type, key_type=None) -> tuple[list, list]:
    records = kafka.read(topic, lambda records: len(records) >= count)
    parts = (("key", MessageField.KEY, key_type), ("value", MessageField.VALUE, value_type))
    return tuple([ProtobufDeserializer(kind, {"use.deprecated.format": False}, registry)(getattr(record, part)(), SerializationContext(topic, field))
                  for record in records] if kind else [] for part, field, kind in parts)


ADDRESS = 'syntax = "proto3"; package shop; message Address { string street = 1; optional string zip = 2; }'
ORDER = """syntax = "proto3"; package shop;
import "address.proto"; import "google/protobuf/timestamp.proto"; import "confluent/type/decimal.proto"; import "google/type/date.proto";
message Unused { message Deep {} }
message Outer { message Order { int64 id = 1; State state = 2; confluent.type.Decimal price = 3; google.protobuf.Timestamp placed = 4; Address address = 5;
                                google.type.Date day = 6; } }
enum State { OPEN = 0; PAID = 1; }"""
KEY = 'syntax = "proto3"; package shop; message OrderKey { int64 id = 1; }'


def test_confluents_serializers_both_ways(tm, kafka, registry, registry_url, tmp_path):
    """With an imported schema and a message that is not the first of its file."""
    compiled = Compiled(tmp_path / "order", {"address.proto": ADDRESS, "order.proto": ORDER})
    key_kind = Compiled(tmp_path / "key", {"key.proto": KEY})["shop.OrderKey"]
    source, sink = kafka.create(), kafka.create()
    orders = []
    for number in range(100):
        order = compiled["shop.Outer.Order"](id=number, state="PAID" if number % 2 else "OPEN")
        order.price.value, order.price.precision, order.price.scale = (number * 25).to_bytes(2, "big"), 10, 2
        order.placed.FromMilliseconds(1_767_323_045_006 + number)
        order.day.year, order.day.month, order.day.day = 2026, 1, 1 + number % 28
        if number % 3 == 0:
            order.address.street = f"é {number}"
        orders.append(order)
    produce_protobuf(kafka, registry, source, orders, [key_kind(id=order.id) for order in orders])
    assert [reference.name for reference in registry.get_latest_version(f"{source}-value").schema.references] == ["address.proto"]
    columns = "id BIGINT NOT NULL, state STRING, price DECIMAL(10, 2), placed TIMESTAMP(3), address ROW<street STRING, zip STRING>, `day` DATE"
    options = {"format": "protobuf-confluent", "protobuf-confluent.url": registry_url, "key_format": "protobuf-confluent", "key_fields": "id",
               "key.protobuf-confluent.url": registry_url}
    script = tm.script("copy.sql", table(kafka, "i", columns, source, scan_bounded_mode="latest-offset", value_fields__include="EXCEPT_KEY", **options)
                       + table(kafka, "o", columns, sink, **options) + "INSERT INTO o SELECT * FROM i;")
    tm.run("run", script)
    name = sink.replace("-", "_")
    written = registry.get_latest_version(f"{sink}-value").schema.schema_str
    value_kind = Compiled(tmp_path / "value", {"value.proto": written})[f"{name}_value"]
    written_key = Compiled(tmp_path / "sink_key", {"key.proto": registry.get_latest_version(f"{sink}-key").schema.schema_str})[f"{name}_key"]
    keys, values = read_protobuf(kafka, registry, sink, len(orders), value_kind, written_key)
    assert sorted(key.id for key in keys) == list(range(100))
    rows = sorted(values, key=lambda row: row.id)
    for number, row in enumerate(rows):
        assert (row.id, row.state) == (number, "PAID" if number % 2 else "OPEN")
        assert Decimal(int.from_bytes(row.price.value, "big", signed=True)).scaleb(-row.price.scale) == Decimal(number) / 4
        assert row.placed.ToMilliseconds() == 1_767_323_045_006 + number
        assert date(row.day.year, row.day.month, row.day.day) == date(2026, 1, 1 + number % 28)
        assert row.HasField("address") == (number % 3 == 0)
        if number % 3 == 0:
            assert row.address.street == f"é {number}" and not row.address.HasField("zip")


def test_schemas_change_on_the_way(tm, kafka, registry, registry_url, tmp_path):
    """Fields that came, went and were renamed: all records are read by one table."""
    topic = kafka.create()
    versions = ["int64 id = 1; int32 old = 2; string gone = 3;",
                "int64 id = 1; int32 old = 2; optional string note = 4;",
                "int64 id = 1; int32 renamed = 2; optional string note = 4; int64 more = 5; repeated string list = 6;"]
    rows = [{"id": 1, "old": 10, "gone": "x"}, {"id": 2, "old": 20, "note": "b"}, {"id": 3, "renamed": 30, "more": 7, "list": ["l"]}]
    for number, (fields, row) in enumerate(zip(versions, rows)):
        kind = Compiled(tmp_path / str(number), {"r.proto": f'syntax = "proto3"; message R {{ {fields} }}'})["R"]
        produce_protobuf(kafka, registry, topic, [kind(**row)])
    assert registry.get_versions(f"{topic}-value") == [1, 2, 3]
    columns = "id BIGINT NOT NULL, renamed BIGINT, note STRING, more BIGINT, list ARRAY<STRING>, never INT"
    options = {"format": "protobuf-confluent", "protobuf-confluent.url": registry_url, "scan_bounded_mode": "latest-offset"}
    tm.run("run", tm.script("read.sql", table(kafka, "i", columns, topic, **options) + file_sink(tm, columns) + "INSERT INTO o SELECT * FROM i;"))
    assert sorted(rows_of(tm), key=lambda row: row["id"]) == [
        {"id": 1, "renamed": 10, "note": None, "more": 0, "list": None, "never": None},
        {"id": 2, "renamed": 20, "note": "b", "more": 0, "list": None, "never": None},
        {"id": 3, "renamed": 30, "note": None, "more": 7, "list": ["l"], "never": None}]


def test_a_schema_that_breaks_readers_is_refused(tm, kafka, registry, registry_url):
    topic = kafka.create()
    text = f'syntax = "proto3"; message {topic.replace("-", "_")}_value {{ int64 id = 1; }}'
    registry.register_schema(f"{topic}-value", Schema(text, "PROTOBUF"))
    options = {"format": "protobuf-confluent", "protobuf-confluent.url": registry_url}
    copy = "CREATE TABLE i (id STRING NOT NULL) WITH ('connector' = 'datagen', 'number-of-rows' = '3');\n"
    script = tm.script("break.sql", copy + table(kafka, "o", "id STRING NOT NULL", topic, **options) + "INSERT INTO o SELECT * FROM i;")
    failed = tm.run("run", script, code=None)
    assert failed.returncode != 0
    assert "TM1107" in failed.stderr and "FIELD_SCALAR_KIND_CHANGED" in failed.stderr, failed.stderr
    assert registry.get_versions(f"{topic}-value") == [1]


def test_the_embedded_registry_needs_no_address(tm):
    """A job writes to the embedded log, another reads it: no registry is named."""
    with_format = "'topic' = 't', 'format' = 'protobuf-confluent'"
    write = tm.script("write.sql", "CREATE TABLE i (n BIGINT, s STRING) WITH ('connector' = 'datagen', 'number-of-rows' = '50', 'fields.n.kind' = 'sequence', "
                      "'fields.n.start' = '1', 'fields.n.end' = '50');\n"
                      f"CREATE TABLE t (n BIGINT, s STRING) WITH ('connector' = 'tidemill-log', {with_format});\nINSERT INTO t SELECT * FROM i;")
    tm.run("run", write)
    read = tm.script("read.sql", f"CREATE TABLE t (n BIGINT, extra INT) WITH ('connector' = 'tidemill-log', 'scan.bounded.mode' = 'latest-offset', {with_format});\n"
                     + file_sink(tm, "n BIGINT, extra INT") + "INSERT INTO o SELECT * FROM t;")
    tm.run("run", read)
    assert sorted(row["n"] for row in rows_of(tm)) == list(range(1, 51))
    assert {row["extra"] for row in rows_of(tm)} == {None}
