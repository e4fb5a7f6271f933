#!/usr/bin/env python3
"""Tidemill's Kafka server and Apache Kafka, side by side: same machine, same run, same librdkafka client.

    bench/kafka.py [--repeats 4] [--messages 1000000] [--compression lz4] [--rate 1000] [--seconds 10] [--only tidemill|kafka]

One repeat starts both servers one after the other, in an order that changes, each with an empty data directory. For each: time from exec to the first
answered request (ApiVersions, asked every millisecond); resident memory two seconds later; one unmeasured pass over all of what follows, for the JIT compiler; then, to a topic
of 4 partitions, producing with acks=1 and acks=all and consuming it all, in messages of 100 bytes and of 1 KiB (half as many of these); latency from produce() to poll() in another process, at a steady rate; memory again.
Server CPU is user and system time of the server's process over each step. Every step counts what came back. What is printed is the median of the
repeats, the smallest and the largest, and the ratio of the medians. What the disk has to write back is waited for (sync) before each server is started and before
each latency, so that neither pays for the other nor for its own throughput steps. acks=all of Tidemill is answered after fsync, that of Kafka before. Which server and which acks comes
first changes from repeat to repeat, so that over four of them each comes first with each.

Needs scripts/setup_clients.sh kafka.
"""
import argparse
import collections
import json
import os
import random
import resource
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient, NewTopic

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
import servers  # noqa: E402

PARTITIONS = 4
BATCH = 500
SIZES = {100: 1.0, 1024: 0.5}  # bytes of a message: share of --messages
CHUNK = struct.Struct(">d")
CHUNK_BYTES = 1 << 20

# Name of a line, unit, what is due of the ratio tidemill / kafka or of tidemill itself, whether it is due at all.
DUE = {
    "produce": ("ratio", ">=", 1.0), "consume": ("ratio", ">=", 1.0), "cpu": ("ratio", "<=", 0.25), "p99": ("ratio", "<=", 0.5),
    "rest": ("value", "<=", 100.0), "start": ("value", "<=", 100.0),
}


def make_topic(address: str, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name].result(60)


def payloads(size: int) -> list[dict]:
    """Text that compresses about as well as JSON does."""
    chance = random.Random(size)
    words = ["%06x" % chance.randrange(1 << 24) for _ in range(400)]
    return [{"value": " ".join(chance.choice(words) for _ in range(size // 7 + 1))[:size].encode()} for _ in range(BATCH)]


def produce(address: str, topic: str, count: int, size: int, acks: str, compression: str) -> float:
    """Seconds until the last of `count` messages is acknowledged."""
    producer = ck.Producer({"bootstrap.servers": address, "acks": acks, "linger.ms": 5, "compression.type": compression, "batch.num.messages": 10000,
                            "queue.buffering.max.messages": 500_000, "queue.buffering.max.kbytes": 1 << 20, "log_level": 4, "delivery.report.only.error": True})
    batch = payloads(size)
    producer.list_topics(topic, 30)
    started = time.perf_counter()
    for i in range(count // BATCH):
        while len(producer) > 300_000:
            producer.poll(0.001)
        if producer.produce_batch(topic, batch, partition=i % PARTITIONS) != BATCH:
            raise SystemExit("a message was not taken")
    if producer.flush(300) != 0:
        raise SystemExit("messages were not acknowledged")
    return time.perf_counter() - started


def consume(address: str, topic: str, count: int, received: list[int]) -> float:
    """Seconds until `count` messages have come, which must be all there are. The bytes that came for them go to `received`."""
    received[:] = [0]

    def statistics_came(text: str) -> None:
        received[0] = sum(broker["rxbytes"] for broker in json.loads(text)["brokers"].values())

    reader = ck.Consumer({"bootstrap.servers": address, "group.id": "bench", "enable.auto.commit": False, "queued.min.messages": 10_000_000,
                          "queued.max.messages.kbytes": 2_000_000, "fetch.queue.backoff.ms": 1, "log_level": 4,
                          "statistics.interval.ms": 250, "stats_cb": statistics_came})
    places = [ck.TopicPartition(topic, i, 0) for i in range(PARTITIONS)]
    there = sum(reader.get_watermark_offsets(place, 30)[1] for place in places)
    if there != count:
        raise SystemExit(f"{there:,} messages are in {topic} and not {count:,}")
    started = time.perf_counter()
    reader.assign(places)
    left = count
    while left > 0:
        taken = reader.consume(10_000, 30)
        if not taken or taken[-1].error():
            raise SystemExit(f"{left:,} messages did not come")
        left -= len(taken)
    seconds = time.perf_counter() - started
    reader.poll(0.5)  # for the last statistics
    reader.close()
    return seconds


def sendfile_seconds(count: int) -> float:
    """CPU seconds of a process that sends `count` bytes of a file in the page cache over loopback, in pieces of 1 MiB, and does nothing else: what the kernel takes."""
    with tempfile.TemporaryFile() as file, socket.create_server(("127.0.0.1", 0)) as listener:
        block = os.urandom(CHUNK_BYTES)
        for _ in range(-(-count // CHUNK_BYTES)):
            file.write(block)
        file.flush()
        os.sync()
        receiver = subprocess.Popen([sys.executable, "-c", "import socket, sys\nc = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\nb = bytearray(1 << 20)\n"
                                     "while c.recv_into(b): pass", str(listener.getsockname()[1])])
        with listener.accept()[0] as out:
            before, sent = resource.getrusage(resource.RUSAGE_SELF), 0
            while sent < count:
                sent += os.sendfile(out.fileno(), file.fileno(), sent, min(CHUNK_BYTES, count - sent))
            after = resource.getrusage(resource.RUSAGE_SELF)
        receiver.wait(60)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def receive(address: str, topic: str, count: int) -> None:
    """The receiving process of latency(): prints seconds of each message, in order of arrival."""
    reader = ck.Consumer({"bootstrap.servers": address, "group.id": "latency", "enable.auto.commit": False, "fetch.error.backoff.ms": 5})
    reader.assign([ck.TopicPartition(topic, i, 0) for i in range(PARTITIONS)])
    seconds, asked = [], False
    while len(seconds) < count:
        message = reader.poll(0.1 if asked else 1)
        now = time.monotonic()
        if message is None:
            if not asked:
                print("ready", flush=True)
                asked = True
            continue
        if message.error():
            raise SystemExit(str(message.error()))
        sent = CHUNK.unpack(message.value()[:8])[0]
        seconds.append(now - sent)
    print(" ".join(f"{value:.7f}" for value in seconds), flush=True)
    reader.close()


def latency(address: str, topic: str, rate: int, seconds: int, acks: str) -> list[float]:
    """Seconds of each message, by the machine's one monotonic clock. Each has its moment, so that a slow one doesn't slow the next ones down."""
    count = rate * seconds
    receiver = subprocess.Popen([sys.executable, __file__, "--receive", address, topic, str(count)], stdout=subprocess.PIPE, text=True)
    try:
        if receiver.stdout.readline().strip() != "ready":
            raise SystemExit("the receiver did not start")
        producer = ck.Producer({"bootstrap.servers": address, "acks": acks, "linger.ms": 0, "log_level": 4})
        producer.list_topics(topic, 30)
        rest = b"x" * 92
        start = time.monotonic() + 0.2
        for i in range(count):
            due = start + i / rate
            while (ahead := due - time.monotonic()) > 0:
                time.sleep(ahead)
            producer.produce(topic, CHUNK.pack(due) + rest, partition=i % PARTITIONS)
            producer.poll(0)
        if producer.flush(60) != 0:
            raise SystemExit("messages were not acknowledged")
        values = sorted(map(float, receiver.communicate(timeout=60)[0].split()))
    finally:
        receiver.kill()
        receiver.wait()
    if len(values) != count:
        raise SystemExit(f"{len(values)} messages came and not {count}")
    return values


def first_answer(server: servers.Server, began: float) -> float:
    """Milliseconds from `began` to the answer of an ApiVersions request."""
    request = struct.pack(">ihhih", 10, 18, 0, 1, -1)
    while time.perf_counter() < began + 180:
        if server.process.poll() is not None:
            raise SystemExit(server.errors.read_text())
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
                client.sendall(request)
                if len(client.recv(8)) == 8:
                    return (time.perf_counter() - began) * 1000
        except OSError:
            time.sleep(0.001)
    raise SystemExit(f"{server.kind} did not start")


class Lines:
    """The lines of the table, in the order in which they were measured first."""

    def __init__(self):
        self.values: dict[tuple[str, str, str], dict[str, list[float]]] = {}

    def add(self, kind: str, name: str, unit: str, value: float, due: str = "") -> None:
        self.values.setdefault((name, unit, due), collections.defaultdict(list))[kind].append(value)

    def print(self) -> None:
        kinds = list(servers.KINDS)
        print(f"| {'':<36} | {'unit':<10} | {'Tidemill':>26} | {'Apache Kafka':>26} | {'ratio':>6} | {'due':<12} |")
        print(f"|{'-' * 38}|{'-' * 12}|{'-' * 27}:|{'-' * 27}:|{'-' * 7}:|{'-' * 14}|")
        for (name, unit, due), values in self.values.items():
            middles = [statistics.median(values[kind]) if values[kind] else float("nan") for kind in kinds]
            cells = [f"{number(middle)} ({number(min(values[kind]))} - {number(max(values[kind]))})" if values[kind] else "" for kind, middle in zip(kinds, middles)]
            ratio = middles[0] / middles[1] if middles[1] else float("nan")
            print(f"| {name:<36} | {unit:<10} | {cells[0]:>26} | {cells[1]:>26} | {ratio:>6.2f} | {judged(due, ratio, middles[0]):<12} |")


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def judged(due: str, ratio: float, value: float) -> str:
    if not due:
        return ""
    of, sign, bound = DUE[due]
    measured = ratio if of == "ratio" else value
    met = measured >= bound if sign == ">=" else measured <= bound
    return f"{sign} {bound:g} {'x ' if of == 'ratio' else ''}{'yes' if met else 'NO' if measured == measured else ''}"


def measure(server: servers.Server, given: argparse.Namespace, lines: Lines, order: tuple[str, str]) -> None:
    def step(name: str, count: int, due: str, work) -> None:
        before, own = server.cpu_seconds(), resource.getrusage(resource.RUSAGE_SELF)
        seconds = work()
        cpu, after = server.cpu_seconds() - before, resource.getrusage(resource.RUSAGE_SELF)
        client = after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime
        lines.add(server.kind, name, "msg/s", count / seconds, due)
        lines.add(server.kind, f"  server CPU of {name}", "s/M msg", cpu / count * 1e6, "cpu")
        lines.add(server.kind, f"  client CPU of {name}", "s/M msg", client / count * 1e6)

    if isinstance(server, servers.Kafka):
        server.configure()
    else:
        server.port = servers.free_port()
    os.sync()
    began = time.perf_counter()
    server.launch()
    lines.add(server.kind, "start to first answer", "ms", first_answer(server, began), "start")
    if isinstance(server, servers.Kafka):
        server.wait_until_ready(time.monotonic() + 180)
    time.sleep(2)
    lines.add(server.kind, "memory at rest", "MiB", server.memory_bytes() / 2**20, "rest")

    for size, share in SIZES.items():
        count = int(given.messages * share) // BATCH * BATCH
        make_topic(server.address, f"warm-up-{size}")
        for acks in ("1", "all"):
            produce(server.address, f"warm-up-{size}", count, size, acks, given.compression)
        consume(server.address, f"warm-up-{size}", 2 * count, [])
    for size, share in SIZES.items():
        count = int(given.messages * share) // BATCH * BATCH
        name = f"{size} bytes"
        make_topic(server.address, f"size-{size}")
        for acks in order:
            step(f"produce {name}, acks={acks}", count, "produce", lambda acks=acks, size=size, count=count: produce(
                server.address, f"size-{size}", count, size, acks, given.compression))
        sent = []
        step(f"consume {name}", 2 * count, "consume", lambda size=size, count=count: consume(server.address, f"size-{size}", 2 * count, sent))
        lines.add(server.kind, f"  sendfile alone, as consume {name}", "s/M msg", sendfile_seconds(sent[0]) / (2 * count) * 1e6)
    make_topic(server.address, "latency")
    latency(server.address, "latency", given.rate, given.seconds // 2, "1")
    for acks in order:
        make_topic(server.address, f"latency-{acks}")
        os.sync()
        before = server.cpu_seconds()
        values = latency(server.address, f"latency-{acks}", given.rate, given.seconds, acks)
        cpu = server.cpu_seconds() - before
        for text, quantile, due in (("p50", 0.5, ""), ("p99", 0.99, "p99"), ("p99.9", 0.999, "")):
            lines.add(server.kind, f"latency {text}, acks={acks}", "ms", values[int(len(values) * quantile)] * 1000, due)
        lines.add(server.kind, f"  server CPU of latency, acks={acks}", "% a core", cpu / given.seconds * 100)
    lines.add(server.kind, "memory after it", "MiB", server.memory_bytes() / 2**20)
    server.stop()


def main() -> None:
    if sys.argv[1:2] == ["--receive"]:
        receive(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--compression", default="lz4")
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--only", choices=tuple(servers.KINDS))
    given = parser.parse_args()
    lines = Lines()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before; librdkafka {ck.libversion()[0]}; {given.messages:,} messages of 100 bytes, {given.compression}, "
          f"{PARTITIONS} partitions; latency at {given.rate:,} messages/s for {given.seconds} s; {given.repeats} repeats: median (least - most)\n", flush=True)
    for repeat in range(given.repeats):
        for kind in sorted(servers.KINDS, reverse=repeat % 2 == 1):
            if given.only not in (None, kind):
                continue
            work = Path(tempfile.mkdtemp(prefix="tidemill-bench-"))
            server = servers.KINDS[kind](work)
            try:
                measure(server, given, lines, ("1", "all") if repeat // 2 % 2 == 0 else ("all", "1"))
            finally:
                if server.process and server.process.poll() is None:
                    server.kill()
                shutil.rmtree(work, ignore_errors=True)
    lines.print()
    print(f"\nload {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
