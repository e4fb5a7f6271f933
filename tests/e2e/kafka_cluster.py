"""A Kafka cluster as the tests see it, and tables over its topics."""
import json
import time
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

WAIT_S = 120


class Kafka:
    def __init__(self, address: str):
        self.address = address
        self.admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
        self.new_producer()

    def new_producer(self):
        self.producer = Producer({"bootstrap.servers": self.address, "linger.ms": 1, "partitioner": "murmur2_random", "log_level": 0})

    def name(self, prefix: str = "t") -> str:
        return f"{prefix}-{uuid.uuid4().hex[:8]}"

    def create(self, topic: str | None = None, partitions: int = 1, **config) -> str:
        topic = topic or self.name()
        new = NewTopic(topic, partitions, 1, config={key.replace("_", "."): value for key, value in config.items()})
        self.admin.create_topics([new])[topic].result(WAIT_S)
        return topic

    def add_partitions(self, topic: str, total: int):
        self.admin.create_partitions([NewPartitions(topic, total)])[topic].result(WAIT_S)
        self.new_producer()  # the old one remembers how many there were

    def produce(self, topic: str, records):
        """Each a value, or a dict for Producer.produce."""
        for record in records:
            record = record if isinstance(record, dict) else {"value": record}
            self.producer.produce(topic, **record)
        assert self.producer.flush(WAIT_S) == 0

    def read(self, topic: str, enough) -> list:
        """Every record from the beginning until `enough(records)`, as they came."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": uuid.uuid4().hex, "enable.auto.commit": False, "log_level": 0})
        partitions = consumer.list_topics(topic, WAIT_S).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        records, end = [], time.monotonic() + WAIT_S
        while not enough(records):
            assert time.monotonic() < end, f"{topic}: {len(records)} records, the last: {[r.value() for r in records[-3:]]}"
            for record in consumer.consume(500, 0.1):
                assert record.error() is None, record.error()
                records.append(record)
        consumer.close()
        return records

    def committed(self, group: str, topic: str, partitions: int = 1) -> list[int]:
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": group, "log_level": 0})
        try:
            found = consumer.committed([TopicPartition(topic, number) for number in range(partitions)], WAIT_S)
        except KafkaException:
            return []
        finally:
            consumer.close()
        return [place.offset for place in found]


def table(kafka, name: str, columns: str, topic: str, connector: str = "kafka", **options) -> str:
    """CREATE TABLE; option names are written with _ for . and __ for -."""
    given = {"connector": connector, "topic": topic, "properties.bootstrap.servers": kafka.address, "format": "json"}
    given |= {key.replace("__", "-").replace("_", "."): value for key, value in options.items()}
    clause = ", ".join(f"'{key}' = '{value}'" for key, value in given.items() if value is not None)
    return f"CREATE TABLE {name} ({columns}) WITH ({clause});\n"


def upsert_table(kafka, name: str, columns: str, topic: str, **options) -> str:
    return table(kafka, name, columns, topic, "upsert-kafka", **({"format": None, "key_format": "json", "value_format": "json"} | options))


def file_sink(tm, columns: str) -> str:
    return f"CREATE TABLE o ({columns}) WITH ('connector' = 'filesystem', 'path' = '{tm.work}/out', 'format' = 'json');\n"


def rows_of(tm) -> list[dict]:
    rows = []
    for path in sorted((tm.work / "out").rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            rows += [json.loads(line) for line in path.read_text().splitlines()]
    return rows


def numbers(count: int, start: int = 0) -> list[str]:
    return [json.dumps({"n": n}) for n in range(start, start + count)]
