"""`tidemill serve` killed with kill -9 under load, as Kafka clients see it: nothing acknowledged is lost, nothing is doubled, and the records
of each key stay in order. Between its lives what was never acknowledged is torn off or garbled, fsyncs fail, the disk fills up.

Environment: TIDEMILL_BINARY, TIDEMILL_KAFKA_KILLS (8), TIDEMILL_CHAOS_SEED (a new one each time; it is printed).
"""
import collections
import os
import random
import secrets
import shutil
import struct
import subprocess
import threading
import time
from pathlib import Path

import confluent_kafka as ck
import pytest
import servers
from confluent_kafka.admin import AdminClient, NewTopic

KILLS = int(os.environ.get("TIDEMILL_KAFKA_KILLS", "8"))
SEED = int(os.environ.get("TIDEMILL_CHAOS_SEED") or secrets.randbelow(1 << 30))
PARTITIONS = 3
KEYS = 20
IN_FLIGHT_MAX = 1500  # records a producer may have no answer for
PATIENCE = 120  # seconds that anything may take on a slow machine
QUICK = {"reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 100, "retry.backoff.ms": 20, "retry.backoff.max.ms": 100, "log_level": 0}


def until(condition, what, server=None):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert server is None or server.process.poll() is None, f"the server ended: {server.errors.read_text()[-3000:]}"
        assert time.monotonic() < end, f"{what} takes more than {PATIENCE} s"
        time.sleep(0.005)


class Load(threading.Thread):
    """Something that a client does again and again on a thread of its own, until it is told to stop."""

    def __init__(self):
        super().__init__(daemon=True)
        self.stopping = threading.Event()
        self.failure: BaseException | None = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.step()
        except BaseException as failure:  # shown by finish()
            self.failure = failure

    def finish(self):
        self.stopping.set()
        self.join(PATIENCE)
        assert not self.is_alive()
        if self.failure:
            raise self.failure


class VerifyingProducer(Load):
    """Sends key:number, the numbers of each key counting up; knows which of them were acknowledged, and where they are."""

    def __init__(self, address, topic, name, seed):
        super().__init__()
        self.topic, self.name, self.chance = topic, name, random.Random(seed)
        self.producer = ck.Producer({"bootstrap.servers": address, "enable.idempotence": True, "acks": "all", "linger.ms": 1,
                                     "message.timeout.ms": 600_000, "compression.type": self.chance.choice(["none", "lz4"]), **QUICK})
        self.sent = collections.Counter()
        self.acknowledged: set[str] = set()
        self.places: dict[tuple[int, int], str] = {}

    def delivered(self, error, message):
        assert error is None, error
        record = message.value().decode().split(" ")[0]
        assert record not in self.acknowledged, f"{record} was acknowledged twice"
        self.acknowledged.add(record)
        if message.offset() >= 0:  # a repeated batch may be acknowledged without its place
            assert self.places.setdefault((message.partition(), message.offset()), record) == record

    def step(self):
        if len(self.producer) < IN_FLIGHT_MAX:
            for _ in range(20):
                key = f"{self.name}{self.chance.randrange(KEYS)}"
                padding = "x" * self.chance.randrange(300)
                self.producer.produce(self.topic, key=key, value=f"{key}:{self.sent[key]} {padding}", on_delivery=self.delivered)
                self.sent[key] += 1
        self.producer.poll(0.002)

    def everything(self):
        return {f"{key}:{number}" for key, count in self.sent.items() for number in range(count)}

    def flush(self):
        assert self.producer.flush(PATIENCE) == 0
        assert self.acknowledged == self.everything()


class VerifyingConsumer(Load):
    """A member of a group that commits as it goes; remembers what it saw at each offset, which must always be the same."""

    def __init__(self, address, topic, seed):
        super().__init__()
        self.address, self.topic, self.chance = address, topic, random.Random(seed)
        self.seen: dict[tuple[int, int], str] = {}
        self.unsure: dict[tuple[int, int], str] = {}  # seen before it was on disk, and a power cut came between
        self.lock = threading.Lock()  # held through each step: who has it may change what was seen and the reader
        self.reader = self.member()

    def member(self):
        reader = ck.Consumer({"bootstrap.servers": self.address, "group.id": "verifiers", "auto.offset.reset": "earliest", "enable.auto.commit": False,
                              "fetch.wait.max.ms": 50, "topic.metadata.refresh.interval.ms": 1000, **QUICK})
        reader.subscribe([self.topic])
        return reader

    def step(self):
        with self.lock:
            for message in self.reader.consume(500, 0.05):
                if message.error():
                    assert message.error().retriable() or message.error().code() == ck.KafkaError._ALL_BROKERS_DOWN, message.error()
                    continue
                record = message.value().decode().split(" ")[0]
                assert self.seen.setdefault((message.partition(), message.offset()), record) == record
            if self.chance.random() < 0.2:
                try:
                    self.reader.commit(asynchronous=True)
                except ck.KafkaException as error:
                    assert error.args[0].code() == ck.KafkaError._NO_OFFSET, error
        time.sleep(0.001)

    def power_cut(self, lost_from: dict[int, int]):
        """With the lock held: the member dies with the server, and forgets what was not on disk."""
        self.unsure |= {place: record for place, record in self.seen.items() if place[1] >= lost_from[place[0]]}
        self.seen = {place: record for place, record in self.seen.items() if place[1] < lost_from[place[0]]}
        old, self.reader = self.reader, None
        threading.Thread(target=old.close, daemon=True).start()


MARK = struct.Struct(">qqqII")  # segment, position in it, offset, whether an fsync failed; a checksum


def durable_mark(partition: Path):
    """Up to where the partition was on disk when an answer was last given: after a killed process the marks are exact."""
    data = (partition / "durable").read_bytes()
    return max((MARK.unpack_from(data, at) for at in range(0, len(data) - MARK.size + 1, MARK.size)), key=lambda mark: mark[2])


def tear(partition: Path, chance: random.Random) -> str:
    """Does to the bytes behind the mark what a power cut may do to bytes that were never synced."""
    base, position, offset, _, _ = durable_mark(partition)
    segment = partition / f"{base:020}.log"
    size = segment.stat().st_size
    assert size >= position
    for later in partition.glob("*.log"):
        if int(later.stem) > base:
            later.unlink()
    how = chance.choice(["cut", "garble", "extend"])
    with segment.open("r+b") as file:
        if how == "cut":
            file.truncate(chance.randint(position, size))
        elif how == "garble" and size > position:
            for _ in range(chance.randint(1, 20)):
                file.seek(chance.randrange(position, size))
                file.write(bytes([chance.randrange(256)]))
        else:  # the beginning of a batch, the rest of which never came
            file.seek(max(0, size - 5000))
            piece = file.read(chance.randint(1, 5000))
            file.seek(0, os.SEEK_END)
            file.write(piece)
    return f"{how} of {size - position} bytes"


def make_topic(server, name, **config):
    admin = AdminClient({"bootstrap.servers": server.address})  # its requests end with it
    admin.create_topics([NewTopic(name, PARTITIONS, 1, config=config)])[name].result(PATIENCE)


def everything_in(address, topic):
    """The whole topic as a reader finds it now: per partition, offset by offset."""
    reader = ck.Consumer({"bootstrap.servers": address, "group.id": "everything", "enable.auto.commit": False, **QUICK})
    found = {}
    for partition in range(PARTITIONS):
        place = ck.TopicPartition(topic, partition, 0)
        _, end = reader.get_watermark_offsets(place, PATIENCE)
        reader.assign([place])
        records, deadline = [], time.monotonic() + PATIENCE
        while len(records) < end:
            assert time.monotonic() < deadline, f"{len(records)} of {end} records"
            for message in reader.consume(1000, 0.1):
                assert message.error() is None and message.offset() == len(records), message.error() or message.offset()
                records.append(message.value().decode().split(" ")[0])
        found[partition] = records
    reader.close()
    return found


def check(found, producers):
    expected = set().union(*(producer.everything() for producer in producers))
    records = [record for part in found.values() for record in part]
    assert len(records) == len(set(records)), "doubled: " + str([record for record, n in collections.Counter(records).items() if n > 1][:20])
    assert set(records) == expected, f"lost: {sorted(expected - set(records))[:20]}"
    for part in found.values():
        newest = {}
        for record in part:
            key, number = record.split(":")
            assert newest.get(key, -1) < int(number), f"{record} comes after {key}:{newest[key]}"
            newest[key] = int(number)
    for producer in producers:
        for (partition, offset), record in producer.places.items():
            assert found[partition][offset] == record


def fail_syncs(server):
    """From now on, until it ends."""
    subprocess.run(["fiu-ctrl", "-f", str(server.folder / "fiu"), "-c", "enable name=posix/io/sync/*", str(server.process.pid)],
                   check=True, timeout=PATIENCE)


def plan(chance: random.Random):
    """What each kill comes with; every kind is there whatever the chance."""
    kinds = [("kill", "tear", "fsync", "start")[i % 4] for i in range(KILLS)]
    chance.shuffle(kinds)
    return kinds


def test_kafka_clients_through_kills(tmp_path):
    assert shutil.which("fiu-run"), "fiu-run is not installed: run scripts/setup.sh"
    print(f"TIDEMILL_CHAOS_SEED={SEED}")
    chance = random.Random(SEED)
    server = servers.Tidemill(tmp_path)
    server.start()
    make_topic(server, "t", **{"segment.bytes": "1048576"})
    producers = [VerifyingProducer(server.address, "t", name, SEED + i) for i, name in enumerate("ab")]
    consumer = VerifyingConsumer(server.address, "t", SEED + 9)
    loads = [*producers, consumer]
    for load in loads:
        load.start()
    faulty = ["fiu-run", "-x", "-f", str(server.folder / "fiu")]

    def acknowledged():
        for load in loads:
            assert load.failure is None, load.failure
        return sum(len(producer.acknowledged) for producer in producers)

    story = []
    for number, kind in enumerate(plan(chance)):
        if kind == "fsync" and not server.wrapper:  # it has to be started for that
            server.kill()
            server.wrapper = faulty
            server.start()
        before = acknowledged()
        if kind != "start":  # the others are killed at work
            until(lambda: acknowledged() > before, "the next acknowledgement", server)
        time.sleep(chance.uniform(0, 0.1 if kind == "start" else 0.5))
        if kind == "fsync":
            said = server.errors.read_text().count("nothing more is accepted")
            fail_syncs(server)
            until(lambda: server.errors.read_text().count("nothing more is accepted") > said, "the failed fsync", server)
            time.sleep(chance.uniform(0, 0.3))  # a wrong acknowledgement would come now
            assert server.process.poll() is None, "a failed fsync ended the server"
        server.kill()
        server.wrapper = []
        if kind in ("tear", "fsync"):
            with consumer.lock:
                torn = {}
                lost_from = {}
                for partition in range(PARTITIONS):
                    folder = server.folder / "data" / "log" / "topics" / "t" / str(partition)
                    lost_from[partition] = durable_mark(folder)[2]
                    torn[partition] = tear(folder, chance)
                consumer.power_cut(lost_from)
                server.start()
                consumer.reader = consumer.member()
            kind += f" ({torn})"
        else:
            server.start()
        story.append(f"{number + 1}: {kind}, {acknowledged()} acknowledged")
        print(story[-1])
    for producer in producers:
        producer.finish()
    for producer in producers:
        producer.flush()
    found = everything_in(server.address, "t")
    check(found, producers)
    everywhere = {(partition, offset): record for partition, part in found.items() for offset, record in enumerate(part)}
    kept = {place: record for place, record in consumer.unsure.items() if everywhere.get(place) == record}
    end = time.monotonic() + PATIENCE
    while len(consumer.seen | kept) < len(everywhere) and not consumer.failure and time.monotonic() < end:
        time.sleep(0.05)
    consumer.finish()
    missed = sorted(everywhere.keys() - consumer.seen.keys() - kept.keys())
    assert not missed, f"the group did not see {len(missed)} records, {missed[:3]} to {missed[-3:]}; it is at " \
                       f"{consumer.reader.position(consumer.reader.assignment())}"
    consumer.reader.close()
    assert kept | consumer.seen == everywhere, "the group saw something else"
    server.stop()
    print(f"{len(everywhere)} records, {KILLS} kills")


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(disk)], capture_output=True).returncode != 0:
        pytest.skip("mounting a tmpfs is not allowed here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_kafka_clients_on_a_full_disk(small_disk):
    server = servers.Tidemill(small_disk)
    server.start()
    for topic in ("t", "hasty"):
        make_topic(server, topic)
    patient = VerifyingProducer(server.address, "t", "p", SEED)
    patient.start()
    until(lambda: len(patient.acknowledged) > 500, "the first acknowledgements", server)
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file:
        while True:  # the producer takes some of the room meanwhile
            try:
                file.write(b"x" * 65536)
            except OSError:
                break

    def refusal():
        """What one record is answered that is sent once."""
        answers = []
        hasty = ck.Producer({"bootstrap.servers": server.address, "acks": "all", "retries": 0, "message.timeout.ms": PATIENCE * 1000, **QUICK})
        hasty.produce("hasty", value=b"y" * 100_000, partition=0, on_delivery=lambda error, _: answers.append(error))
        assert hasty.flush(PATIENCE) == 0
        return answers[0]


    errors = []
    until(lambda: errors.append(refusal()) or errors[-1] is not None, "the full disk", server)
    assert errors[-1].code() == ck.KafkaError.KAFKA_STORAGE_ERROR, errors[-1]
    before = len(patient.acknowledged)
    assert before < sum(patient.sent.values()) and patient.failure is None
    assert sum(map(len, everything_in(server.address, "t").values())) >= before, "readers go on"
    filler.unlink()
    until(lambda: len(patient.acknowledged) > before + 500, "going on when there is room again", server)
    server.kill()
    server.start()
    patient.finish()
    patient.flush()
    check(everything_in(server.address, "t"), [patient])
    server.stop()
