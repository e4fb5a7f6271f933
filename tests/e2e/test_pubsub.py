"""Google Cloud Pub/Sub: Google's own client and test server at the other end. Part of `make test-clients`: they are Go programs."""
import collections
import json
import os
import signal
import socket
import subprocess
import threading
import uuid

import pytest

import servers
from conftest import DEADLINE_S, wait_for
from kafka_cluster import file_sink

pytestmark = pytest.mark.clients
TOOL = servers.dependencies() / "clients" / "pubsub"


class Pubsub:
    """A server, and what the other client says to it."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", TOOL, "serve", str(self.port)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline().startswith("ready")
        self.address = f"127.0.0.1:{self.port}"

    def call(self, *arguments, stdin: str = "", code: int = 0) -> str:
        done = subprocess.run([TOOL, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=2 * DEADLINE_S,
                              env=os.environ | {"PUBSUB_EMULATOR_HOST": self.address})
        assert done.returncode == code, f"{arguments}: {done.stderr}"
        return done.stdout

    def create(self, ordered: bool = False) -> tuple[str, str]:
        name = uuid.uuid4().hex[:8]
        self.call("create", f"topic-{name}", f"sub-{name}", *(["ordered"] if ordered else []))
        return f"topic-{name}", f"sub-{name}"

    def publish(self, topic: str, messages: list[dict]):
        self.call("publish", topic, stdin="".join(json.dumps(message) + "\n" for message in messages))

    def pull(self, subscription: str, count: int) -> list[dict]:
        return [json.loads(line) for line in self.call("pull", subscription, count).splitlines()]

    def table(self, name: str, columns: str, more: str) -> str:
        return (f"CREATE TABLE {name} ({columns}) WITH ('connector' = 'pubsub', 'project' = 'test', 'emulator-host' = '{self.address}', 'format' = 'json', {more});\n")


@pytest.fixture(scope="module")
def pubsub():
    server = Pubsub()
    yield server
    server.process.kill()
    server.process.wait()


class Job:
    """A script that runs until it is told to stop; what it says is read along."""

    def __init__(self, tm, script):
        self.process = tm.start("run", script)
        self.lines: list[str] = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True)
        self.reader.start()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(DEADLINE_S)
        self.reader.join(DEADLINE_S)


def rows_of(tm) -> list[dict]:
    """Of the committed epochs, while a job runs too."""
    out = tm.work / "out"
    files = [path for path in out.rglob("*") if path.is_file() and not any(part.startswith(".") for part in path.relative_to(out).parts)]
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


COLUMNS = "n BIGINT, s STRING, attributes MAP<STRING, STRING> METADATA, okey STRING METADATA FROM 'ordering-key'"


def test_messages_both_ways(tm, pubsub):
    """In order by ordering key, with attributes; what was read and written is acknowledged."""
    source, subscription = pubsub.create(ordered=True)
    sink, result = pubsub.create(ordered=True)
    # The test server gives the next message of a key when the last one is acknowledged, so after an epoch: few have one.
    keys = [f"k{n % 5}" if n % 40 == n % 5 else "" for n in range(300)]
    messages = [{"data": json.dumps({"n": n, "s": f"é {n}"}), "ordering_key": keys[n], "attributes": {"number": str(n), "empty": ""}} for n in range(300)]
    pubsub.publish(source, messages)
    job = Job(tm, tm.script("copy.sql", pubsub.table("i", COLUMNS, f"'subscription' = '{subscription}'") + pubsub.table("o", COLUMNS, f"'topic' = '{sink}'")
                            + "INSERT INTO o SELECT * FROM i;"))
    copies = pubsub.pull(result, len(messages))
    assert sorted(json.loads(copy["data"])["n"] for copy in copies) == list(range(len(messages))), "".join(job.lines)
    last = collections.defaultdict(lambda: -1)
    for copy in copies:
        row = json.loads(copy["data"])
        assert row == {"n": row["n"], "s": f"é {row['n']}"}
        assert copy["attributes"] == {"number": str(row["n"]), "empty": ""}
        key = copy.get("ordering_key", "")
        assert key == keys[row["n"]]
        if key:
            assert row["n"] > last[key]
            last[key] = row["n"]
    # The last epoch's acknowledgements follow its commit.
    pubsub.publish(source, [{"data": '{"n": -1, "s": "last"}'}])
    assert json.loads(pubsub.pull(result, 1)[0]["data"])["n"] == -1
    job.stop()
    assert job.process.returncode == 0, "".join(job.lines)
    pubsub.call("drained", subscription, 3)


def test_metadata_and_bad_messages(tm, pubsub):
    topic, subscription = pubsub.create()
    pubsub.publish(topic, [{"data": '{"n": 1}', "attributes": {"a": "b"}}, {"data": "no json"}, {"data": '{"n": 2}'}])
    columns = ("n BIGINT, id STRING METADATA FROM 'message-id' VIRTUAL, `at` TIMESTAMP_LTZ(3) METADATA FROM 'publish-time' VIRTUAL, "
               "attributes MAP<STRING, STRING> METADATA, okey STRING METADATA FROM 'ordering-key', attempt INT METADATA FROM 'delivery-attempt' VIRTUAL")
    out = "n BIGINT, id STRING, `at` TIMESTAMP_LTZ(3), attributes MAP<STRING, STRING>, okey STRING, attempt INT"
    job = Job(tm, tm.script("read.sql", pubsub.table("i", columns, f"'subscription' = 'projects/test/subscriptions/{subscription}'")
                            + file_sink(tm, out) + "INSERT INTO o SELECT * FROM i;"))
    wait_for(lambda: len(rows_of(tm)) >= 2 or job.process.poll() is not None, "rows")
    job.stop()
    rows = sorted(rows_of(tm), key=lambda row: row["n"])
    assert [(row["n"], row["attributes"], row["okey"]) for row in rows] == [(1, {"a": "b"}, None), (2, {}, None)], "".join(job.lines)
    assert len({row["id"] for row in rows}) == 2 and all(row["at"] > "2026" for row in rows)
    groups = [json.loads(line) for line in tm.run("dlq", "list", "--output", "json").stdout.splitlines()]
    assert [(group["reason"], group["records"]) for group in groups] == [("malformed", 1)]
    pubsub.call("drained", subscription, 3)


def test_a_killed_job_loses_nothing(tm, pubsub):
    """What no epoch had committed comes again; a row may come twice, none is missing."""
    topic, subscription = pubsub.create()
    script = tm.script("read.sql", pubsub.table("i", "n BIGINT", f"'subscription' = '{subscription}', 'scan.ack-deadline' = '10 s'")
                       + file_sink(tm, "n BIGINT") + "INSERT INTO o SELECT * FROM i;")
    published = 0
    for _ in range(4):
        job = Job(tm, script)
        for _ in range(5):
            pubsub.publish(topic, [{"data": json.dumps({"n": published + n})} for n in range(200)])
            published += 200
        job.stop(signal.SIGKILL)
    job = Job(tm, script)
    wait_for(lambda: len({row["n"] for row in rows_of(tm)}) == published or job.process.poll() is not None, "all rows")
    job.stop()
    assert {row["n"] for row in rows_of(tm)} == set(range(published)), "".join(job.lines)


def test_errors_say_what_is_missing(tm, pubsub):
    insert = file_sink(tm, "n BIGINT") + "INSERT INTO o SELECT * FROM i;"
    job = Job(tm, tm.script("read.sql", pubsub.table("i", "n BIGINT", "'subscription' = 'none'") + insert))
    job.process.wait(DEADLINE_S)
    job.reader.join(DEADLINE_S)
    assert job.process.returncode != 0 and "TM6052" in "".join(job.lines), "".join(job.lines)
    wrong = tm.run("check", tm.script("check.sql", pubsub.table("i", "n BIGINT", "'subscripton' = 's'") + insert), code=None)
    assert wrong.returncode != 0 and "subscription" in wrong.stderr, wrong.stderr
