"""Jobs that read and write streams of Kinesis (moto's, with boto3 beside ours): connector 'kinesis'."""
import base64
import hashlib
import json
import re
import signal
import time
from pathlib import Path

import pytest
import servers
from conftest import interrupt
from kafka_cluster import file_sink
from kinesis_server import KEY_ID, SECRET, WAIT_S, Kinesis, Proxy, kinesis_table

FAST = {"source_shard_get__records_interval": "20 ms", "source_shard_discovery_interval": "200 ms"}
FROM_THE_START = {"source_init_position": "TRIM_HORIZON"} | FAST
OFTEN = "SET 'execution.checkpointing.interval' = '100 ms';"


@pytest.fixture(scope="module")
def kinesis(tmp_path_factory):
    server = Kinesis(tmp_path_factory.mktemp("kinesis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def proxy(kinesis):
    made = Proxy(kinesis)
    yield made
    made.close()


def stop(process) -> str:
    assert process.poll() is None, process.stderr.read()
    interrupt(process)
    _, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130, errors
    return errors


def rows(count: int, start: int = 0) -> list[dict]:
    return [{"n": n} for n in range(start, start + count)]


def pass_on(tm, server, source: str, sink: str, first: str = OFTEN, **options):
    return tm.script("pass.sql", first + kinesis_table(server, "i", "n BIGINT", source, **(FROM_THE_START | options)) +
                     kinesis_table(server, "o", "n BIGINT", sink) + "INSERT INTO o SELECT n FROM i;")


def test_rows_keys_and_metadata(tm, kinesis, proxy):
    source, sink = kinesis.create(2), kinesis.create(2)
    kinesis.put(source, rows(700), key=lambda row: f"key {row['n'] % 7}")
    columns = "n BIGINT, shard STRING METADATA FROM 'shard-id' VIRTUAL, number STRING METADATA FROM 'sequence-number' VIRTUAL, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL"
    script = tm.script("meta.sql", OFTEN + kinesis_table(proxy, "i", columns, source, **FROM_THE_START) +
                       kinesis_table(proxy, "o", "n BIGINT, shard STRING, number STRING, ts TIMESTAMP_LTZ(3), k BIGINT", sink, after="PARTITIONED BY (k, n)") +
                       "INSERT INTO o SELECT n, shard, number, ts, MOD(n, 7) FROM i;")
    process = tm.start("run", script)
    found = kinesis.wait_for_rows(sink, lambda found: len(found) >= 700)
    stop(process)
    assert proxy.signatures and all(proxy.signatures)
    sent = {(shard, record["SequenceNumber"]): json.loads(record["Data"])["n"] for shard, records in kinesis.records(source).items() for record in records}
    assert {(row["shard"], row["number"]): row["n"] for row in found} == sent and len(found) == 700
    now = time.gmtime()
    assert all(row["ts"].startswith(str(now.tm_year)) for row in found)
    keys = {record["PartitionKey"] for records in kinesis.records(sink).values() for record in records}
    assert keys == {f"{n % 7}|{n}" for n in range(700)}
    for shard, records in kinesis.records(sink).items():
        assert len(records) > 100, shard


def test_where_reading_begins(tm, kinesis):
    source, sink = kinesis.create(), kinesis.create()
    kinesis.put(source, rows(5))
    time.sleep(1.1)  # the service's clock is what AT_TIMESTAMP goes by
    middle = time.time()
    time.sleep(1.1)
    kinesis.put(source, rows(5, 5))
    for options, expected in (({"source_init_position": "AT_TIMESTAMP", "source_init_timestamp": f"{middle:.3f}"}, range(5, 10)),
                              ({"scan_stream_initpos": "TRIM_HORIZON", "source_init_position": None}, range(10))):
        sink = kinesis.create()
        process = tm.start("run", pass_on(tm, kinesis, source, sink, **options))
        found = kinesis.wait_for_rows(sink, lambda found: len(found) >= len(expected))
        stop(process)
        assert sorted(row["n"] for row in found) == list(expected)
        tm.data = tm.work / "another"
    # LATEST: what comes after the start. That it has started shows in its first record; from then on none is missed.
    sink = kinesis.create()
    tm.data = tm.work / "third"
    process = tm.start("run", pass_on(tm, kinesis, source, sink, source_init_position="LATEST"))
    sent = 1000
    end = time.monotonic() + WAIT_S
    while not kinesis.rows(sink):
        assert time.monotonic() < end and process.poll() is None
        kinesis.put(source, rows(1, sent))
        sent += 1
    kinesis.put(source, rows(3, sent))
    found = kinesis.wait_for_rows(sink, lambda found: any(row["n"] == sent + 2 for row in found))
    stop(process)
    numbers = [row["n"] for row in found]
    assert numbers == list(range(numbers[0], sent + 3)) and numbers[0] >= 1000


@pytest.mark.parametrize("lanes", [1, 2])
def test_kill_in_the_middle_loses_nothing_and_state_counts_once(tm, kinesis, lanes):
    source, sink = kinesis.create(3), kinesis.create()
    script = tm.script("pass.sql", f"SET 'parallelism.default' = '{lanes}';" + OFTEN + "SET 'table.exec.over.emit' = 'on-arrival';" +
                       kinesis_table(kinesis, "i", "n BIGINT, k BIGINT, ts AS TO_TIMESTAMP_LTZ(n, 3), WATERMARK FOR ts AS ts", source, **FROM_THE_START,
                                     source_shard_get__records_max__record__count="41") +
                       kinesis_table(kinesis, "o", "n BIGINT, c BIGINT", sink) +
                       "INSERT INTO o SELECT n, COUNT(*) OVER (PARTITION BY k ORDER BY ts ROWS UNBOUNDED PRECEDING) FROM i;")
    sent = 0
    for _ in range(3):
        process = tm.start("run", script)
        kinesis.put(source, [{"n": n, "k": n % 5} for n in range(sent, sent + 400)], key=lambda row: row["k"])
        sent += 400
        kinesis.wait_for_rows(sink, lambda found: len({row["n"] for row in found}) >= sent // 2)
        assert process.poll() is None, process.stderr.read()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = tm.start("run", script)
    found = kinesis.wait_for_rows(sink, lambda found: len({row["n"] for row in found}) >= sent)
    stop(process)
    assert {(row["n"], row["c"]) for row in found} == {(n, n // 5 + 1) for n in range(sent)}


class Resharding:
    """moto puts records into closed shards, so splits and merges are played here: four shards of moto, which are said to be there, closed, and made of others."""

    def __init__(self, kinesis, proxy, source: str, real_end: bool):
        self.kinesis, self.source, self.real_end = kinesis, source, real_end
        self.there, self.closed, self.parents = {0}, set(), {1: [0], 2: [0], 3: [1, 2]}
        proxy.change = self.change

    @staticmethod
    def id(number: int) -> str:
        return f"shardId-{number:012}"

    def change(self, action, answer):
        if action == "ListShards" and len(answer["Shards"]) == 4:
            answer["Shards"] = answer["Shards"][:max(self.there) + 1]
            for number, shard in enumerate(answer["Shards"]):
                for name, parent in zip(("ParentShardId", "AdjacentParentShardId"), self.parents.get(number, [])):
                    shard[name] = self.id(parent)
                if number in self.closed and not self.real_end:
                    shard["SequenceNumberRange"]["EndingSequenceNumber"] = "999"
        if action == "GetRecords" and self.real_end and not answer["Records"]:  # AWS's last answer of a closed shard
            stream, shard, _ = base64.b64decode(answer["NextShardIterator"]).decode().split(":")
            if stream == self.source and int(shard[-12:]) in self.closed:
                answer["NextShardIterator"] = None
        return answer

    def put(self, shard: int, numbers):
        start = int(self.kinesis.client.list_shards(StreamName=self.source)["Shards"][shard]["HashKeyRange"]["StartingHashKey"])
        done = self.kinesis.client.put_records(StreamName=self.source, Records=[
            {"Data": json.dumps({"n": n}).encode(), "PartitionKey": "k", "ExplicitHashKey": str(start + 1)} for n in numbers])
        assert {record["ShardId"] for record in done["Records"]} == {self.id(shard)}


@pytest.mark.parametrize("real_end", [False, True])
def test_splits_and_merges_are_read_through(tm, kinesis, proxy, real_end):
    source, sink = kinesis.create(4), kinesis.create()
    stream = Resharding(kinesis, proxy, source, real_end)
    stream.put(1, range(50, 75))
    stream.put(2, range(75, 100))
    stream.put(0, range(50))
    stream.there, stream.closed = {0, 1, 2}, {0}
    script = pass_on(tm, proxy, source, sink, first="SET 'parallelism.default' = '1';" + OFTEN)
    process = tm.start("run", script)
    found = kinesis.wait_for_rows(sink, lambda found: len(found) >= 100)
    assert [row["n"] for row in found[:50]] == list(range(50)) and {row["n"] for row in found[50:]} == set(range(50, 100))
    # A restart knows what has ended, and where the others are; one of the two that are merged ends before it.
    stream.closed = {0, 1}
    stream.there = {0, 1, 2, 3}
    stream.put(3, range(100, 125))
    time.sleep(1)
    stop(process)
    stream.put(2, range(125, 150))
    for _ in range(2):
        process = tm.start("run", script)
        found = kinesis.wait_for_rows(sink, lambda found: len(found) >= 125)
        stop(process)
    assert {row["n"] for row in found} == {*range(100), *range(125, 150)} and len(found) == 125
    process = tm.start("run", script)
    stream.closed = {0, 1, 2}
    found = kinesis.wait_for_rows(sink, lambda found: len(found) >= 150)
    stop(process)
    assert sorted(row["n"] for row in found) == list(range(150)) and [row["n"] for row in found[125:]] == list(range(100, 125))


def test_throttling_is_waited_for_and_what_was_not_taken_goes_again(tm, kinesis, proxy):
    source, sink = kinesis.create(2), kinesis.create()
    kinesis.put(source, rows(600))
    calls = {"GetRecords": 0, "PutRecords": 0, "GetShardIterator": 0}

    def fault(action, body):
        calls[action] = calls.get(action, 0) + 1
        if action == "GetRecords" and calls[action] in (1, 2, 5):
            return 400, {"__type": "ProvisionedThroughputExceededException", "message": "Rate exceeded"}
        if action == "GetRecords" and calls[action] == 4:
            return 400, {"__type": "com.amazonaws.kinesis.v20131202#ExpiredIteratorException", "message": "Iterator expired"}
        if action == "PutRecords" and calls[action] == 1:
            return 500, {"__type": "InternalFailure"}
        if action == "PutRecords" and calls[action] == 2:
            return 503, {}
        if action == "PutRecords" and calls[action] % 3 == 0:  # takes only every second record
            taken = body["Records"][::2]
            kinesis.client.put_records(StreamName=sink, Records=[{"Data": base64.b64decode(each["Data"]), "PartitionKey": each["PartitionKey"]} for each in taken])
            refused = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded for shard"}
            return 200, {"FailedRecordCount": len(body["Records"]) - len(taken),
                         "Records": [refused if number % 2 else {"SequenceNumber": "1", "ShardId": "s"} for number in range(len(body["Records"]))]}
        return None

    proxy.fault = fault
    process = tm.start("run", pass_on(tm, proxy, source, sink))
    found = kinesis.wait_for_rows(sink, lambda found: len(found) >= 600)
    errors = stop(process)
    assert sorted(row["n"] for row in found) == list(range(600))
    assert calls["GetShardIterator"] >= 3 and "waits: " in errors


def aggregated(entries) -> bytes:
    """As the Kinesis Producer Library packs records."""
    def part(number: int, data: bytes) -> bytes:
        assert len(data) < 128
        return bytes([number << 3 | 2, len(data)]) + data

    message = b"".join(part(1, key.encode()) for key, _ in entries)
    message += b"".join(part(3, bytes([8, number]) + part(3, data)) for number, (_, data) in enumerate(entries))
    return b"\xf3\x89\x9a\xc2" + message + hashlib.md5(message).digest()


def test_records_of_the_producer_library_are_taken_apart(tm, kinesis):
    source, sink = kinesis.create(), kinesis.create()
    kinesis.put(source, [json.dumps({"n": 0}).encode(), aggregated([(f"k{n}", json.dumps({"n": n}).encode()) for n in range(1, 60)]), b"no json", json.dumps({"n": 60}).encode()])
    process = tm.start("run", pass_on(tm, kinesis, source, sink))
    found = kinesis.wait_for_rows(sink, lambda found: len(found) >= 61)
    stop(process)
    assert [row["n"] for row in found] == list(range(61))
    assert "1" in tm.run("dlq", "list").stdout


def test_logins(tm, kinesis, proxy, monkeypatch):
    source = kinesis.create()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tm.work / "secret").write_text(SECRET + "\n")

    secret = {"aws_credentials_basic_secretkey": f"${{file:{tm.work}/secret}}"}

    def run(code, server=kinesis, **options):
        text = kinesis_table(server, "i", "n BIGINT", source, **(FROM_THE_START | secret | options)) + file_sink(tm, "n BIGINT") + "INSERT INTO o SELECT n FROM i;"
        done = tm.run("run", tm.script("login.sql", text), code=code)
        assert SECRET not in done.stderr and SECRET not in done.stdout
        return done.stderr

    assert "error[TM6041]" in run(4, aws_credentials_basic_accesskeyid=None, aws_credentials_basic_secretkey=None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a/token+of=sessions")
    proxy.fault = lambda action, body: (400, {"__type": "ExpiredTokenException"})
    assert "error[TM6041]" in run(4, proxy, aws_credentials_basic_accesskeyid=None, aws_credentials_basic_secretkey=None)
    assert proxy.signatures and all(proxy.signatures)
    proxy.fault = lambda action, body: (400, {"__type": "UnrecognizedClientException", "message": "The security token included in the request is invalid."})
    assert "error[TM6041]" in run(4, proxy)
    proxy.fault = lambda action, body: (400, {"__type": "AccessDeniedException", "Message": "not authorized to perform: kinesis:ListShards"})
    errors = run(1, proxy)
    assert "error[TM6042]" in errors and "ListShards" in errors
    proxy.fault = lambda action, body: (200, {"nonsense": True})
    assert "error[TM6044]" in run(1, proxy)
    assert "error[TM6043]" in run(1, stream="nobody-made-it")
    assert "error[TM1010]" in run(1, allow__addresses=None)  # a private address that nobody allowed


def test_wrong_options(tm, kinesis):
    def check(text):
        return tm.run("check", tm.script("options.sql", text + file_sink(tm, "n BIGINT") + "INSERT INTO o SELECT n FROM i;"), code=3).stderr

    for options, words in (({"stream_arn": "arn:aws:kinesis:us-east-1:1:stream/x"}, "one of the options"), ({"aws_region": None}, "'aws.region'"),
                           ({"stream": None, "stream_arn": "arn:aws:kinesis:eu-west-1:1:stream/x"}, "region 'eu-west-1'"),
                           ({"stream": None, "stream_arn": "arn:aws:s3:::x"}, "expected arn:aws:kinesis"),
                           ({"source_init_position": "EARLIEST"}, "LATEST, TRIM_HORIZON, AT_TIMESTAMP"), ({"source_init_position": "AT_TIMESTAMP"}, "seconds since 1970"),
                           ({"source_reader_type": "EFO"}, "POLLING"), ({"aws_credentials_provider": "PROFILE"}, "AUTO, BASIC, ENV_VAR"),
                           ({"aws_credentials_basic_secretkey": None}, "belong together"), ({"format": None}, "needs option 'format'"), ({"format": "debezium-json"}, "takes new rows only"),
                           ({"sink_batch_max__size": "501"}, "1 to 500"), ({"sink_partitioner": "MyClass"}, "random, fixed"), ({"aws_endpoint": "ftp://x"}, "http"),
                           ({"source_init_positon": "LATEST"}, "did you mean 'source.init.position'?")):
        errors = check(kinesis_table(kinesis, "i", "n BIGINT", "s", **options))
        assert words in errors, (options, errors)


def test_the_documented_example_is_right(tm, kinesis):
    blocks = re.findall(r"```sql\n(.*?)```", (Path(servers.ROOT) / "docs" / "kinesis.md").read_text(), re.DOTALL)
    source, sink = kinesis.create(prefix="clicks"), kinesis.create(prefix="spent")
    local = f"'aws.endpoint' = 'http://{kinesis.address}', 'allow-addresses' = '127.0.0.1', 'aws.credentials.basic.accesskeyid' = '{KEY_ID}', 'aws.credentials.basic.secretkey' = '{SECRET}', "
    text = "".join(blocks).replace("'connector' = 'kinesis', ", "'connector' = 'kinesis', " + local).replace("stream/clicks", f"stream/{source}").replace("stream/spent", f"stream/{sink}")
    kinesis.put(source, [{"who": who, "amount": amount, "at": at} for who, amount, at in
                         (("ann", 1.5, "2026-01-01 00:00:01"), ("bob", 2, "2026-01-01 00:00:30"), ("ann", 3, "2026-01-01 00:00:59"), ("ann", 9, "2026-01-01 00:02:00"))])
    process = tm.start("run", tm.script("documented.sql", text))
    found = kinesis.wait_for_rows(sink, lambda found: len(found) >= 2)
    stop(process)
    assert sorted((row["who"], row["total"]) for row in found[:2]) == [("ann", 4.5), ("bob", 2.0)]
