"""Jobs that read and write streams of a real Redis: connector 'redis-streams'."""
import json
import re
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest
import servers
from conftest import interrupt, wait_for
from kafka_cluster import file_sink, rows_of
from redis_server import WAIT_S, Redis, stream_table


@pytest.fixture(scope="module")
def shared_redis(tmp_path_factory):
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_redis(tmp_path):
    server = Redis(tmp_path / "redis")
    server.start()
    yield server
    if server.process.poll() is None:
        server.stop()


def values(count: int, start: int = 0) -> list[dict]:
    return [{"value": json.dumps({"n": n})} for n in range(start, start + count)]


def read_bounded(tm, server, stream: str, columns: str = "n BIGINT", **options) -> list[dict]:
    options = {"format": "json", "scan_bounded_mode": "latest-offset"} | options
    names = ", ".join(column.split()[0] for column in re.sub(r"\([^)]*\)", "", columns).split(","))
    plain = re.sub(r" METADATA( FROM '[a-z]+')?( VIRTUAL)?", "", columns)
    script = tm.script("read.sql", stream_table(server, "i", columns, stream, **options) + file_sink(tm, plain) + f"INSERT INTO o SELECT {names} FROM i;")
    tm.run("run", script, "--overwrite")
    return rows_of(tm)


def stop(process):
    interrupt(process)
    _, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130, errors
    return errors


TEN_IDS = [f"{1_000_000 + 1000 * n}-{n}" for n in range(10)]


@pytest.fixture(scope="module")
def ten(shared_redis):
    """A stream with 0 to 9; entry n has the id (1000000 + 1000 n)-n."""
    stream = shared_redis.name()
    shared_redis.add(stream, values(10), TEN_IDS)
    return stream


@pytest.mark.parametrize("options, expected", [
    ({}, list(range(10))),
    ({"scan_startup_mode": "earliest-offset"}, list(range(10))),
    ({"scan_startup_mode": "latest-offset"}, []),
    ({"scan_startup_mode": "timestamp", "scan_startup_timestamp__millis": "1006000"}, [6, 7, 8, 9]),
    ({"scan_startup_mode": "timestamp", "scan_startup_timestamp__millis": "1008500"}, [9]),
    ({"scan_startup_mode": "specific-offsets", "scan_startup_specific__offsets": "1004000-4"}, [4, 5, 6, 7, 8, 9]),
    ({"scan_startup_mode": "specific-offsets", "scan_startup_specific__offsets": "1004000-5"}, [5, 6, 7, 8, 9]),
    ({"scan_bounded_mode": "timestamp", "scan_bounded_timestamp__millis": "1004000"}, [0, 1, 2, 3]),
    ({"scan_bounded_mode": "specific-offsets", "scan_bounded_specific__offsets": "1003000-3"}, [0, 1, 2]),
    ({"scan_read_count": "3"}, list(range(10))),
], ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else None)
def test_where_reading_begins_and_ends(tm, shared_redis, ten, options, expected):
    assert sorted(row["n"] for row in read_bounded(tm, shared_redis, ten, **options)) == expected


def test_a_stream_that_is_not_there_is_empty(tm, shared_redis):
    assert read_bounded(tm, shared_redis, shared_redis.name()) == []


def test_entries_at_the_bound_may_have_been_deleted(tm, shared_redis):
    stream = shared_redis.name()
    ids = shared_redis.add(stream, values(5))
    shared_redis.client.xdel(stream, ids[4], ids[2])
    assert [row["n"] for row in read_bounded(tm, shared_redis, stream)] == [0, 1, 3]


def test_fields_become_columns(tm, shared_redis):
    stream = shared_redis.name()
    entries = [
        {"who": "ann, \"the first\"", "amount": "12.50", "n": "7", "ok": "true", "at": "2026-01-02 03:04:05", "other": "x"},
        {"who": "", "n": "8"},                       # an empty text is one; what is missing is NULL
        {"who": "late", "n": "no number"},           # refused
        {"n": "9"},
        {"who": "control", "n": "1\x012"},           # refused
        {"who": "line\nbreak", "n": "10", "ok": ""},
    ]
    ids = shared_redis.add(stream, entries)
    columns = ("who STRING, amount DECIMAL(8,2), n BIGINT, ok BOOLEAN, at TIMESTAMP(3), id STRING METADATA, "
               "ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, s STRING METADATA FROM 'stream' VIRTUAL")
    rows = sorted(read_bounded(tm, shared_redis, stream, columns, format=None), key=lambda row: row["n"])
    assert [(row["who"], row["amount"], row["n"], row["ok"], row["at"], row["id"], row["s"]) for row in rows] == [
        ("ann, \"the first\"", 12.5, 7, True, "2026-01-02 03:04:05", ids[0], stream), ("", None, 8, None, None, ids[1], stream),
        (None, None, 9, None, None, ids[3], stream), ("line\nbreak", None, 10, None, None, ids[5], stream)]
    assert all(row["ts"] for row in rows)
    text = tm.run("dlq", "list").stdout + tm.run("dlq", "show", "dlq.i").stdout
    assert ids[2] in text and ids[4] in text, text


def test_round_trip_of_fields_and_of_a_format(tm, shared_redis):
    source, fields, shards = shared_redis.name(), shared_redis.name(), shared_redis.name("shards")
    shared_redis.add(source, values(500))
    script = tm.script("pass.sql", stream_table(shared_redis, "i", "n BIGINT", source, format="json", scan_bounded_mode="latest-offset") +
                       stream_table(shared_redis, "f", "n BIGINT, who STRING, half DOUBLE, raw BYTES", fields, sink_maxlen="100000") +
                       stream_table(shared_redis, "s", "n BIGINT, PRIMARY KEY (n) NOT ENFORCED", shards + ":{0..2}", format="json", value_field="doc") +
                       "EXECUTE STATEMENT SET BEGIN INSERT INTO f SELECT n, CASE WHEN n = 3 THEN CAST(NULL AS STRING) ELSE CAST(n AS STRING) END, n / 2.0e0, "
                       "CAST('ab' AS BYTES) FROM i; INSERT INTO s SELECT n FROM i; END;")
    tm.run("run", script)
    written = [entry for _, entry in shared_redis.entries(fields)]
    assert [int(entry["n"]) for entry in written] == list(range(500))
    assert written[3] == {"n": "3", "half": "1.5", "raw": "ab"} and written[4] == {"n": "4", "who": "4", "half": "2", "raw": "ab"}
    parts = [[json.loads(entry["doc"])["n"] for _, entry in shared_redis.entries(f"{shards}:{shard}")] for shard in range(3)]
    assert sorted(sum(parts, [])) == list(range(500)) and all(part == sorted(part) and len(part) > 50 for part in parts)
    # And back, as one table over the three.
    rows = read_bounded(tm, shared_redis, shards + ":{0..2}", value_field="doc")
    assert sorted(row["n"] for row in rows) == list(range(500))


def test_a_stream_that_is_written_to_stays_short(tm, shared_redis):
    source, sink = shared_redis.name(), shared_redis.name()
    shared_redis.add(source, values(1000))
    options = {"scan_bounded_mode": "latest-offset"}
    script = tm.script("short.sql", stream_table(shared_redis, "i", "n BIGINT", source, format="json", **options) +
                       stream_table(shared_redis, "o", "n BIGINT", sink, sink_maxlen="10", sink_maxlen_approximate="false") + "INSERT INTO o SELECT n FROM i;")
    tm.run("run", script)
    assert [int(entry["n"]) for _, entry in shared_redis.entries(sink)] == list(range(990, 1000))


@pytest.mark.parametrize("lanes", [1, 2])
def test_kill_in_the_middle_loses_nothing_and_state_counts_once(tm, shared_redis, lanes):
    source, sink = shared_redis.name("in"), shared_redis.name()
    streams = [f"{source}:{shard}" for shard in range(2)]
    # The running count is state: an entry that was read twice would show in it.
    script = tm.script("pass.sql", f"SET 'parallelism.default' = '{lanes}'; SET 'execution.checkpointing.interval' = '100 ms';" +
                       stream_table(shared_redis, "i", "n BIGINT, s STRING METADATA FROM 'stream' VIRTUAL, ts AS TO_TIMESTAMP_LTZ(n, 3), WATERMARK FOR ts AS ts",
                                    source + ":{0..1}", format="json", scan_read_count="37") +
                       stream_table(shared_redis, "o", "n BIGINT, c BIGINT", sink, format="json") +
                       "SET 'table.exec.over.emit' = 'on-arrival'; INSERT INTO o SELECT n, COUNT(*) OVER (PARTITION BY s ORDER BY ts ROWS UNBOUNDED PRECEDING) FROM i;")
    sent = 0
    for _ in range(3):
        process = tm.start("run", script)
        for shard, stream in enumerate(streams):
            shared_redis.add(stream, [{"value": json.dumps({"n": n})} for n in range(sent, sent + 1000) if n % 2 == shard])
        sent += 1000
        shared_redis.wait_for_entries(sink, lambda found: len({json.loads(entry["value"])["n"] for _, entry in found}) >= sent // 2)
        assert process.poll() is None, process.stderr.read()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = tm.start("run", script)
    found = shared_redis.wait_for_entries(sink, lambda found: len({json.loads(entry["value"])["n"] for _, entry in found}) >= sent)
    rows = {(row["n"], row["c"]) for row in (json.loads(entry["value"]) for _, entry in found)}
    assert rows == {(n, n // 2 + 1) for n in range(sent)}
    stop(process)


def test_a_server_that_is_killed_and_comes_back_is_waited_for(tm, own_redis):
    script = tm.script("pass.sql", "SET 'execution.checkpointing.interval' = '100 ms';" + stream_table(own_redis, "i", "n BIGINT", "in", format="json") +
                       stream_table(own_redis, "o", "n BIGINT", "out", format="json") + "INSERT INTO o SELECT n FROM i;")
    process = tm.start("run", script)
    sent = 0
    for _ in range(3):
        own_redis.add("in", values(200, sent))
        sent += 200
        own_redis.wait_for_entries("out", lambda found: len(found) > sent - 150)
        own_redis.kill()
        own_redis.start()
    own_redis.add("in", values(1, sent))
    found = own_redis.wait_for_entries("out", lambda found: len({entry["value"] for _, entry in found}) > sent)
    assert {json.loads(entry["value"])["n"] for _, entry in found} == set(range(sent + 1))
    errors = stop(process)
    assert "waits: " in errors, errors


def read_a_little(tm, server, **options):
    """A job that has read 20 entries of 'in' and is stopped after their epoch."""
    server.add("in", values(20))
    script = tm.script("pass.sql", "SET 'execution.checkpointing.interval' = '100 ms';" + stream_table(server, "i", "n BIGINT", "in", format="json", **options) +
                       stream_table(server, "o", "n BIGINT", "out", format="json") + "INSERT INTO o SELECT n FROM i;")
    process = tm.start("run", script)
    server.wait_for_entries("out", lambda found: len(found) == 20)
    stop(process)
    return script


def test_what_was_trimmed_after_it_was_read_is_not_missed(tm, own_redis):
    script = read_a_little(tm, own_redis)
    own_redis.client.xtrim("in", maxlen=0, approximate=False)
    process = tm.start("run", script)
    own_redis.add("in", values(5, 20))
    found = own_redis.wait_for_entries("out", lambda found: len(found) >= 25)
    assert [json.loads(entry["value"])["n"] for _, entry in found] == list(range(25))
    stop(process)


def test_what_was_trimmed_before_it_was_read_stops_the_job(tm, own_redis):
    script = read_a_little(tm, own_redis)
    own_redis.add("in", values(10, 20))
    own_redis.client.xtrim("in", maxlen=7, approximate=False)
    done = tm.run("run", script, code=1)
    assert "error[TM6033]" in done.stderr and "3 entries of stream 'in'" in done.stderr and "auto.offset.reset" in done.stderr, done.stderr
    process = tm.start("run", tm.script("pass.sql", script.read_text().replace("'stream' = 'in'", "'stream' = 'in', 'auto.offset.reset' = 'earliest'")))
    found = own_redis.wait_for_entries("out", lambda found: len(found) >= 27)
    assert [json.loads(entry["value"])["n"] for _, entry in found] == [*range(20), *range(23, 30)]
    stop(process)


def test_a_stream_made_anew_stops_the_job(tm, own_redis):
    script = read_a_little(tm, own_redis)
    own_redis.client.delete("in")
    own_redis.add("in", values(3))
    done = tm.run("run", script, code=1)
    assert "error[TM6033]" in done.stderr and "made anew" in done.stderr, done.stderr


def test_logins(tm, tmp_path):
    server = Redis(tmp_path / "redis", "--requirepass", "hunter1", "--user", *"reader on >hunter2 ~in +xread +xinfo +multi +exec +ping".split(),
                   "--user", *"nobody on >hunter3 ~other +@all".split())
    server.start(password="hunter1")
    try:
        server.add("in", values(3))
        (tm.work / "right").write_text("hunter2\n")
        (tm.work / "wrong").write_text("hunter9\n")
        sink = file_sink(tm, "n BIGINT") + "INSERT INTO o SELECT n FROM i;"

        def run(code, **options):
            text = stream_table(server, "i", "n BIGINT", "in", format="json", scan_bounded_mode="latest-offset", **options) + sink
            done = tm.run("run", tm.script("login.sql", text), "--overwrite", code=code)
            assert "hunter" not in done.stderr + done.stdout
            return done.stderr

        assert "error[TM6031]" in run(4)
        assert "error[TM6031]" in run(4, username="reader", password=f"${{file:{tm.work}/wrong}}")
        (tm.work / "third").write_text("hunter3")
        assert "error[TM6032]" in run(1, username="nobody", password=f"${{file:{tm.work}/third}}")
        run(0, username="reader", password=f"${{file:{tm.work}/right}}")
        assert sorted(row["n"] for row in rows_of(tm)) == [0, 1, 2]
    finally:
        server.stop()


def openssl(*arguments, folder: Path):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def test_tls(tm, tmp_path):
    folder = tmp_path / "tls"
    folder.mkdir()
    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem",
                "-days", "2", "-subj", f"/CN={name}", folder=folder)
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=redis",
            folder=folder)
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.pem",
            folder=folder)
    tls_port = servers.free_port()
    server = Redis(tmp_path / "redis", "--tls-port", str(tls_port), "--tls-cert-file", str(folder / "server.pem"), "--tls-key-file", str(folder / "server.key"),
                   "--tls-ca-cert-file", str(folder / "ca.pem"), "--tls-auth-clients", "optional")
    server.start()
    try:
        server.client.select(3)
        pipeline = server.client.pipeline(transaction=False)
        pipeline.execute_command("SELECT", 3)
        for n in range(5):
            pipeline.xadd("in", {"value": json.dumps({"n": n})})
        pipeline.execute()

        def run(code, **options):
            url = options.pop("url", f"rediss://127.0.0.1:{tls_port}/3")
            text = stream_table(server, "i", "n BIGINT", "in", format="json", scan_bounded_mode="latest-offset", url=url, **options)
            return tm.run("run", tm.script("tls.sql", text + file_sink(tm, "n BIGINT") + "INSERT INTO o SELECT n FROM i;"), "--overwrite", code=code).stderr

        assert "certificate" in run(4)  # nobody knows who signed it
        assert "certificate" in run(4, tls_ca=f"${{file:{folder}/other.pem}}")
        assert "mismatch" in run(4, tls_ca=f"${{file:{folder}/ca.pem}}", url=f"rediss://localhost:{tls_port}/3")
        run(0, tls_ca=f"${{file:{folder}/ca.pem}}")
        assert sorted(row["n"] for row in rows_of(tm)) == list(range(5))
        run(0, tls_ca=f"${{file:{folder}/ca.pem}}", tls_certificate=f"${{file:{folder}/server.pem}}", tls_key=f"${{file:{folder}/server.key}}")
    finally:
        server.stop()


def test_nobody_there_and_wrong_options(tm):
    class Nobody:
        address = f"127.0.0.1:{servers.free_port()}"

    def check(code, columns="n BIGINT", **options):
        text = stream_table(Nobody, "i", columns, options.pop("stream", "in"), **options) + file_sink(tm, "n BIGINT") + "INSERT INTO o SELECT n FROM i;"
        return tm.run("run", tm.script("options.sql", text), code=code).stderr

    assert "error[TM6030]" in check(4, scan_bounded_mode="latest-offset")
    for wrong, words in (({"url": "http://x"}, "redis://host"), ({"url": "redis://me:secret@x"}, "'username' and 'password'"), ({"scan_startup_mode": "group-offsets"}, "earliest-offset"),
                         ({"stream": "a;a"}, "twice"), ({"stream": "a:{3..1}"}, "name:{0..3}"), ({"auto_offset_reset": "never"}, "none, earliest, latest"),
                         ({"value_field": "x"}, "needs 'format'"), ({"format": "debezium-json"}, "takes new rows only"), ({"sink_delivery__guarantee": "exactly-once"}, "at-least-once"), ({"scan_read_count": "0"}, "1 to 8192"),
                         ({"columns": "n BIGINT, a ARRAY<INT>"}, "give 'format'"), ({"streem": "x"}, "did you mean 'stream'?"), ({"username": "x"}, "needs 'password'")):
        errors = check(3, **wrong)
        assert words in errors, (wrong, errors)


HOSTILE = [
    (b"HTTP/1.1 200 OK\r\n\r\n", "TM6034"),
    (b"$99999999999999\r\n", "TM1013"),
    (b"*9999999999\r\n", "TM1013"),
    (b"*1\r\n" * 40, "TM6034"),
    (b"$3\r\nabcdef\r\n", "TM6034"),
    (b":12x\r\n", "TM6034"),
    (b"+" + b"x" * 100_000, "TM6034"),
]


@pytest.mark.parametrize("answer, code", HOSTILE, ids=lambda value: None if isinstance(value, str) else repr(value[:14]))
def test_a_server_that_answers_nonsense_is_an_error(tm, answer, code):
    listener = socket.create_server(("127.0.0.1", 0))

    class Fake:
        address = f"127.0.0.1:{listener.getsockname()[1]}"

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(4096)
                    connection.sendall(answer)
                    connection.recv(4096)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        text = stream_table(Fake, "i", "n BIGINT", "in", scan_bounded_mode="latest-offset") + file_sink(tm, "n BIGINT") + "INSERT INTO o SELECT n FROM i;"
        assert f"error[{code}]" in tm.run("run", tm.script("nonsense.sql", text), code=1).stderr
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_lag_is_measured(tm, shared_redis):
    stream = shared_redis.name()
    shared_redis.add(stream, values(50))
    (tm.work / "lag.sql").write_text("SET 'execution.checkpointing.interval' = '100 ms';" + stream_table(shared_redis, "i", "n BIGINT", stream, format="json") +
                                     "CREATE TABLE o (n BIGINT) WITH ('connector' = 'blackhole'); INSERT INTO o SELECT n FROM i;")
    process = tm.start("run", tm.work / "lag.sql", "--http", "127.0.0.1:0")
    port_file = tm.data / "http.port"
    wait_for(lambda: port_file.exists() or process.poll() is not None, "the port")
    assert process.poll() is None, process.stderr.read()
    import urllib.request

    def metric():
        text = urllib.request.urlopen(f"http://127.0.0.1:{port_file.read_text().strip()}/metrics", timeout=WAIT_S).read().decode()
        return [line for line in text.splitlines() if line.startswith("tidemill_source_lag_records") and stream in line]

    wait_for(lambda: metric() and metric()[0].endswith(" 0"), "a lag of 0")
    stop(process)


def test_the_documented_example_is_right(tm, shared_redis):
    blocks = re.findall(r"```sql\n(.*?)```", (servers.ROOT / "docs" / "redis-streams.md").read_text(), re.DOTALL)
    source, sink = shared_redis.name("clicks"), shared_redis.name("totals")
    text = "".join(blocks).replace("redis://localhost:6379", f"redis://{shared_redis.address}").replace("'clicks'", f"'{source}'").replace("'spent'", f"'{sink}'")
    shared_redis.add(source, [{"who": who, "amount": amount, "at": at} for who, amount, at in
                              (("ann", "1.5", "2026-01-01 00:00:01"), ("bob", "2", "2026-01-01 00:00:30"), ("ann", "3", "2026-01-01 00:00:59"),
                               ("ann", "9", "2026-01-01 00:02:00"))])
    process = tm.start("run", tm.script("documented.sql", text))
    found = shared_redis.wait_for_entries(sink, lambda found: len(found) >= 2)
    assert sorted((entry["who"], entry["total"]) for _, entry in found[:2]) == [("ann", "4.5"), ("bob", "2")]
    stop(process)
