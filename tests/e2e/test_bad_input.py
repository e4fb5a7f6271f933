"""Bad input of every kind: a clear error, or a reject with its reason and place; the good rows around it arrive.

One table each for JSON and CSV lines, files, SQL (test_bad_sql.py), and what surrounds the process. A full disk has test_disk_full.py.
"""
import gzip
import json
import socket
import subprocess

import pyarrow
import pyarrow.parquet
import pytest
from conftest import BINARY, ROOT, wait_for

COLUMNS = "id BIGINT, amount DOUBLE, name STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts"
SCRIPT = """CREATE TABLE input ({columns})
WITH ({source}, 'format' = '{format}'{more});
CREATE TABLE output (id BIGINT, amount DOUBLE, name STRING, ts TIMESTAMP(3))
WITH ({sink}, 'format' = 'json');
INSERT INTO output SELECT id, amount, name, ts FROM input;
"""
FILE = "'connector' = 'filesystem', 'path' = '${script_dir}/in.txt'"
TOPIC = "'connector' = 'tidemill-log', 'topic' = 'in', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'"
LIVE = "'connector' = 'tidemill-log', 'topic' = 'in', 'scan.startup.mode' = 'earliest-offset'"
TO_FILE = "'connector' = 'filesystem', 'path' = '${script_dir}/out'"
TO_TOPIC = "'connector' = 'tidemill-log', 'topic' = 'out'"

MESSAGE_BYTES_MAX = 8 << 20
RAW_BYTES_MAX = 64 << 10  # a reject keeps this much of its row
TIME = b'"ts": "2026-01-01 00:00:01"'

# what is wrong with it: (line, reason, field, in the detail)
BAD_JSON = {
    "no_json": (b"nonsense", "malformed", "", "found nonsense"),
    "cut_off": (b'{"id": 2, "amount": 1.5', "malformed", "", ""),
    "array": (b'[1, 1.5, "x"]', "malformed", "", "expected an object"),
    "two_in_one_line": (b'{"id": 1, ' + TIME + b'}{"id": 2, ' + TIME + b"}", "malformed", "", ""),
    "nul_byte": (b"\x00", "malformed", "", ""),
    "text_for_bigint": (b'{"id": "two", ' + TIME + b"}", "wrong_type", "id", 'expected BIGINT, found string "two"'),
    "object_for_double": (b'{"id": 3, "amount": {"a": 1}, ' + TIME + b"}", "wrong_type", "amount", "expected DOUBLE, found an object"),
    "boolean_for_bigint": (b'{"id": true, ' + TIME + b"}", "wrong_type", "id", "expected BIGINT, found true"),
    "bare_nan": (b'{"id": 4, "amount": NaN, ' + TIME + b"}", "malformed", "amount", "found NaN"),
    "too_large_a_double": (b'{"id": 4, "amount": 1e999, ' + TIME + b"}", "out_of_range", "amount", "DOUBLE"),
    "too_large_a_bigint": (b'{"id": 99999999999999999999, ' + TIME + b"}", "out_of_range", "id", "BIGINT"),
    "no_utf8": (b'{"id": 5, "name": "\xff\xfe", ' + TIME + b"}", "invalid_utf8", "", "UTF-8"),
    "no_time": (b'{"id": 6, "ts": "tomorrow"}', "wrong_type", "ts", "TIMESTAMP(3)"),
    "30th_of_february": (b'{"id": 6, "ts": "2026-02-30 00:00:00"}', "wrong_type", "ts", "TIMESTAMP(3)"),
    "year_10000": (b'{"id": 6, "ts": "10000-01-01 00:00:00"}', "wrong_type", "ts", "TIMESTAMP(3)"),
    "10_mb": (b'{"id": 7, "name": "' + b"y" * (10 << 20) + b'", ' + TIME + b"}", "too_large", "", str(MESSAGE_BYTES_MAX)),
}
# The row that comes out: these are no errors.
ODD_JSON = {
    "missing_field": (b'{"id": 8, "name": "x", ' + TIME + b"}", {"id": 8, "amount": None, "name": "x"}),
    "extra_field": (b'{"id": 9, "amount": 1.5, "more": [1, {"a": 2}], ' + TIME + b"}", {"id": 9, "amount": 1.5, "name": None}),
    "quoted_nan": (b'{"id": 10, "amount": "NaN", ' + TIME + b"}", {"id": 10, "amount": "NaN", "name": None}),
    "year_9999": (b'{"id": 11, "ts": "9999-12-31 23:59:59"}', {"id": 11, "ts": "9999-12-31 23:59:59"}),
    "key_twice": (b'{"id": 1, "id": 12, ' + TIME + b"}", {"id": 12}),
    "array_as_text": (b'{"id": 13, "name": [1, "a"], ' + TIME + b"}", {"id": 13, "name": '[1, "a"]'}),
    "carriage_return": (b'{"id": 13, ' + TIME + b"}\r", {"id": 13}),
}
GOOD_JSON = [b'{"id": %d, "amount": 1.5, "name": "x", "ts": "2026-01-01 00:00:0%d"}' % row for row in ((100, 0), (200, 2))]

BAD_CSV = {
    "one_field": (b"nonsense", "wrong_type", "id", 'expected BIGINT, found "nonsense"'),
    "missing_field": (b"3,1.5", "malformed", "", "expected 4 fields, found 2"),
    "extra_field": (b"4,1.5,x,2026-01-01 00:00:01,more", "malformed", "", "expected 4 fields, found 5"),
    "text_for_bigint": (b"two,1.5,x,2026-01-01 00:00:01", "wrong_type", "id", 'expected BIGINT, found "two"'),
    "text_for_double": (b"3,much,x,2026-01-01 00:00:01", "wrong_type", "amount", "DOUBLE"),
    "too_large_a_bigint": (b"99999999999999999999,1.5,x,2026-01-01 00:00:01", "out_of_range", "id", "BIGINT"),
    "no_utf8": (b"6,1.5,\xff,2026-01-01 00:00:01", "invalid_utf8", "", "UTF-8"),
    "no_time": (b"6,1.5,x,tomorrow", "wrong_type", "ts", "TIMESTAMP(3)"),
    "10_mb": (b"7,1.5," + b"y" * (10 << 20) + b",2026-01-01 00:00:01", "too_large", "", str(MESSAGE_BYTES_MAX)),
}
ODD_CSV = {
    "empty_fields": (b"8,,,2026-01-01 00:00:01", {"id": 8, "amount": None}),
    "nan": (b"9,NaN,x,2026-01-01 00:00:01", {"id": 9, "amount": "NaN"}),
    "year_9999": (b"10,1.5,x,9999-12-31 23:59:59", {"id": 10, "ts": "9999-12-31 23:59:59"}),
}
GOOD_CSV = [b"100,1.5,x,2026-01-01 00:00:00", b"200,1.5,x,2026-01-01 00:00:02"]


def table(bad: dict, odd: dict) -> list:
    return ([pytest.param(line, None, (reason, field, detail), id=name) for name, (line, reason, field, detail) in bad.items()]
            + [pytest.param(line, row, None, id=name) for name, (line, row) in odd.items()])


def script(tm, source: str, format: str, sink: str = TO_FILE, more: str = ""):
    return tm.script("bad.sql", SCRIPT.format(columns=COLUMNS, source=source, format=format, sink=sink, more=more))


def from_file(tm, format: str, data: bytes) -> tuple[list[dict], str]:
    (tm.work / "in.txt").write_bytes(data)
    done = tm.run("run", script(tm, FILE, format))
    return written(tm), done.stderr


def from_topic(tm, format: str, data: bytes) -> tuple[list[dict], str]:
    (tm.work / "in.txt").write_bytes(data)
    tm.run("topic", "import", "in", tm.work / "in.txt", "--create")
    done = tm.run("run", script(tm, TOPIC, format))
    return written(tm), done.stderr


def from_push(tm, format: str, data: bytes) -> tuple[list[dict], str]:
    """Into a running job over HTTP, which goes on after the bad line."""
    tm.run("topic", "create", "in")
    tm.run("topic", "create", "out")
    server = tm.serve("run", script(tm, LIVE, format, TO_TOPIC), "--http", "127.0.0.1:0", "-X", "execution.checkpointing.interval=20 ms")
    status, answer = server.call("POST", "/api/v1/topics/in/records", data, "application/x-ndjson")
    assert status == 200, answer
    last = '\\"id\\":200,' if format == "json" else '"id\\":200'
    wait_for(lambda: last in server.get("/api/v1/topics/out/records")[1], "the row after the bad one")
    code, error = server.stop()
    assert code == 0, error
    return [json.loads(line) for line in tm.run("topic", "consume", "out").stdout.splitlines()], error


def written(tm) -> list[dict]:
    return [json.loads(line) for path in (tm.work / "out").glob("part-*") for line in path.read_text().splitlines()]


def dead_letters(tm) -> list[tuple[bytes, dict]]:
    """The rejected rows' bytes and headers."""
    lines = tm.run("dlq", "show", "input", "--output", "json").stdout.splitlines()
    headers = [{header["key"]: header.get("value", "") for header in json.loads(line)["headers"]} for line in lines]
    command = [BINARY, "--data-dir", tm.data, "topic", "consume", "dlq.input"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    assert len(lines) == 1
    return [(raw.removesuffix(b"\n"), headers[0])]


def check_one_line(tm, read, format: str, good: list[bytes], line: bytes, row: dict | None, reject: tuple | None):
    rows, error = read(tm, format, b"\n".join([good[0], line, good[1]]) + b"\n")
    around = [{"id": n, "amount": 1.5, "name": "x", "ts": f"2026-01-01 00:00:0{s}"} for n, s in ((100, 0), (200, 2))]
    for want in around:
        assert want in [{**got, "ts": got["ts"].removesuffix(".000").replace("T", " ")} for got in rows]
    groups = [json.loads(line) for line in tm.run("dlq", "list", "--output", "json").stdout.splitlines()]
    if reject is None:
        assert not groups and "rejected" not in error
        other = [got for got in rows if got["id"] not in (100, 200)]
        assert len(rows) == 3 and len(other) == 1
        assert row.items() <= {**other[0], "ts": other[0]["ts"].removesuffix(".000").replace("T", " ")}.items()
        return
    reason, field, detail = reject
    assert len(rows) == 2
    assert [(group["reason"], group["records"]) for group in groups] == [(reason, 1)]
    assert f"rejected 1: {reason} 1" in error
    ((raw, headers),) = dead_letters(tm)
    assert raw == line[:RAW_BYTES_MAX], "the rejected row is kept as it came"
    assert headers.get("field", "") == field
    assert detail in headers["detail"]
    assert headers["partition"] == "0" and headers["job"] == "bad"
    if read is from_file:
        assert (headers["topic"], headers["offset"]) == (str(tm.work / "in.txt"), "2")  # lines count from 1
    else:
        assert (headers["topic"], headers["offset"]) == ("in", "1")  # offsets from 0


@pytest.mark.parametrize("read", [from_file, from_topic, from_push])
@pytest.mark.parametrize("line, row, reject", table(BAD_JSON, ODD_JSON))
def test_a_bad_json_line_among_good_ones(tm, read, line, row, reject):
    check_one_line(tm, read, "json", GOOD_JSON, line, row, reject)


@pytest.mark.parametrize("read", [from_file, from_topic])
@pytest.mark.parametrize("line, row, reject", table(BAD_CSV, ODD_CSV))
def test_a_bad_csv_line_among_good_ones(tm, read, line, row, reject):
    check_one_line(tm, read, "csv", GOOD_CSV, line, row, reject)


def test_a_quote_that_is_never_closed_keeps_what_it_took_with_it(tm):
    rows, _ = from_file(tm, "csv", b'7,1.5,"open,2026-01-01 00:00:01\n8,1.5,x,2026-01-01 00:00:01\n9,1.5,"q" x,2026-01-01 00:00:01\n' + GOOD_CSV[1] + b"\n")
    assert [row["id"] for row in rows] == [200]
    ((raw, headers),) = dead_letters(tm)
    assert headers["reason"] == "malformed" and headers["offset"] == "1"
    assert raw.count(b"\n") == 2 and b"8,1.5,x" in raw


def test_a_row_without_its_time(tm):
    """It stops the job unless a setting says otherwise, as in Flink: and then its values are named, or kept."""
    lines = [GOOD_JSON[0], b'{"id": 5, "name": "no time"}', GOOD_JSON[1]]
    (tm.work / "in.txt").write_bytes(b"\n".join(lines) + b"\n")
    done = tm.run("run", script(tm, FILE, "json"), "--name", "strict", code=1)
    assert done.stderr.startswith("error[TM3001]: column 'ts' of table 'input'")
    assert '"id":5' in done.stderr and '"no time"' in done.stderr and "rowtime-null-handling" in done.stderr
    plain = script(tm, FILE, "json")
    plain.write_text("SET 'table.exec.source.rowtime-null-handling' = 'DROP';\n" + plain.read_text())
    tm.run("run", plain, "--overwrite")
    assert sorted(row["id"] for row in written(tm)) == [100, 200]
    ((raw, headers),) = dead_letters(tm)
    assert (headers["reason"], headers["field"]) == ("null_rowtime", "ts")
    assert json.loads(raw)["id"] == 5 and json.loads(raw)["name"] == "no time"


COUNT_BY_MINUTE = """CREATE TABLE input (id BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${script_dir}/in.txt', 'format' = 'json'DRIFT);
SELECT window_start, COUNT(id) AS n FROM TUMBLE(TABLE input, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end;
"""


def test_one_row_of_the_year_9999_ahead_of_its_time(tm):
    """It drags the watermark along, and those after it are late: rows in the dead letters. With a limit it's refused itself."""
    (tm.work / "in.txt").write_bytes(b"\n".join([GOOD_JSON[0], ODD_JSON["year_9999"][0], GOOD_JSON[1]]) + b"\n")
    counted = tm.run("run", tm.script("plain.sql", COUNT_BY_MINUTE.replace("DRIFT", "")), "--output", "json")
    assert sorted(json.loads(line)["n"] for line in counted.stdout.splitlines()) == [1, 1] and "rejected 1: late 1" in counted.stderr
    ((raw, headers),) = dead_letters(tm)
    assert json.loads(raw)["id"] == 200
    assert headers["detail"] == "event time 2026-01-01 00:00:02.000, watermark 9999-12-31 23:59:59.000"
    tm.run("dlq", "drop", "dlq.input")

    limited = COUNT_BY_MINUTE.replace("DRIFT", ", 'scan.watermark.max-future-drift' = '1 d'")
    counted = tm.run("run", tm.script("limited.sql", limited), "--output", "json")
    assert [json.loads(line)["n"] for line in counted.stdout.splitlines()] == [2] and "rejected 1: out_of_range 1" in counted.stderr
    ((raw, headers),) = dead_letters(tm)
    assert json.loads(raw)["id"] == 11 and headers["field"] == "ts" and "ahead of the clock" in headers["detail"]


def parquet(columns: dict) -> bytes:
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(columns), sink)
    return sink.getvalue().to_pybytes()


PARQUET = {"id": [1, 2], "amount": [1.5, 2.5], "name": ["a", "b"], "ts": pyarrow.array([0, 1000], pyarrow.timestamp("ms"))}


# (name, bytes or None for no file at all, code, exit code, in the error)
@pytest.mark.parametrize("name, data, code, exit_code, shown", [
    ("missing.jsonl", None, "TM6001", 3, "no file at"),
    ("nowhere/*.jsonl", None, "TM6001", 3, "does not exist either"),
    ("empty_folder", "folder", "TM6001", 3, "the folder is empty"),
    ("cut.parquet", parquet(PARQUET)[:-20], "TM1011", 3, "can't be read as Parquet"),
    ("text.parquet", b"this is no Parquet file at all", "TM1011", 3, "can't be read as Parquet"),
    ("empty.parquet", b"", "TM1011", 3, "0 bytes"),
    ("less.parquet", parquet({k: v for k, v in PARQUET.items() if k != "amount"}), "TM1105", 3, "has no column 'amount'"),
    ("other.parquet", parquet({**PARQUET, "id": ["x", "y"]}), "TM1100", 3, "column 'id': the file has string, which does not fit BIGINT"),
    ("cut.jsonl.gz", gzip.compress(GOOD_JSON[0] * 100)[:-10], "TM1011", 1, "ends in the middle of its compressed data"),
], ids=lambda value: value if isinstance(value, str) and "." in value else None)
def test_a_file_that_can_not_be_read(tm, name, data, code, exit_code, shown):
    if data == "folder":
        (tm.work / name).mkdir()
    elif data is not None:
        (tm.work / name).write_bytes(data)
    source = FILE.replace("in.txt", name)
    done = tm.run("run", script(tm, source, "parquet" if name.endswith(".parquet") else "json"), code=exit_code)
    assert f"error[{code}]: " in done.stderr and name in done.stderr and shown in done.stderr
    if exit_code == 3:
        assert f"{tm.work}/bad.sql:2:44\n" in done.stderr, "the place of the option 'path'"
    assert not (tm.work / "out").exists() or written(tm) == []


MODEL = """CREATE MODEL m INPUT ({inputs}) OUTPUT ({outputs}) WITH ('provider' = '{provider}', 'path' = '{path}');
CREATE TABLE t (a DOUBLE, b STRING) WITH ('connector' = 'datagen', 'number-of-rows' = '3');
SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a));
"""
FRAUD_MODEL = ROOT / "examples" / "fraud" / "fraud_model.onnx"


@pytest.mark.parametrize("command, exit_code", [("check", 3), ("run", 3)])
@pytest.mark.parametrize("change, code, place, shown", [
    ({"path": "${script_dir}/none.onnx"}, "TM1001", "1:87", "none.onnx"),
    ({"path": "${script_dir}/broken.onnx"}, "TM4002", "1:87", "broken.onnx"),
    ({"path": str(FRAUD_MODEL), "outputs": "score DOUBLE"}, "TM2120", "1:14", "its input 'features' takes 16 values a row, INPUT declares 1 columns"),
    ({"provider": "onxn", "path": "x"}, "TM4004", "1:70", "did you mean 'onnx'?"),
], ids=["missing", "unreadable", "other_inputs", "unknown_provider"])
def test_a_model_that_can_not_be_used(tm, command, exit_code, change, code, place, shown):
    (tm.work / "broken.onnx").write_bytes(b"not a model")
    text = MODEL.format(**{"inputs": "a DOUBLE", "outputs": "s DOUBLE", "provider": "onnx", **change})
    done = tm.run(command, tm.script("model.sql", text), code=exit_code)
    assert done.stderr.startswith(f"error[{code}]: "), done.stderr
    assert f"model.sql:{place}\n" in done.stderr and shown in done.stderr, done.stderr


def test_check_reads_models_that_no_statement_uses(tm):
    (tm.work / "broken.onnx").write_bytes(b"not a model")
    create = "CREATE MODEL {} INPUT (a DOUBLE) OUTPUT (score DOUBLE)\n  WITH ('provider' = 'onnx', 'path' = '{}');\n"
    script = tm.script("unused.sql", create.format("gone", tm.work / "none.onnx") + create.format("broken", tm.work / "broken.onnx")
                       + create.format("other", ROOT / "examples" / "fraud" / "fraud_model.onnx"))
    done = tm.run("check", script, "--output", "json", code=3, data=False)
    errors = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(error["code"], error["line"]) for error in errors] == [("TM1001", 2), ("TM4002", 4), ("TM2120", 5)], errors
    # At the path's value; what the columns don't fit is told at the model's name.
    assert [error["column"] for error in errors] == [39, 39, 14], errors
    assert "model 'gone'" in errors[0]["message"] and "none.onnx" in errors[0]["message"]
    # Beside another error, and not twice when a statement uses it.
    script = tm.script("used.sql", create.format("gone", tm.work / "none.onnx") + "CREATE TABLE t (a DOUBLE) WITH ('connector' = 'datagen');\n"
                       "SELECT b FROM t;\nSELECT * FROM ML_PREDICT(TABLE t, MODEL gone, DESCRIPTOR(a));\n" + create.format("broken", tm.work / "broken.onnx"))
    errors = [json.loads(line) for line in tm.run("check", script, "--output", "json", code=3, data=False).stdout.splitlines()]
    assert [error["line"] for error in errors] == [2, 4, 7], errors
    assert "unused.sql:2:39" in tm.run("check", tm.work / "unused.sql", code=3, data=False).stderr


def test_a_port_that_is_taken_stops_the_second_only(tm):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = tm.run("serve", "--http", f"127.0.0.1:{port}", code=1)
        assert done.stderr.startswith("error[TM1009]: ") and str(port) in done.stderr
        (tm.work / "in.txt").write_bytes(GOOD_JSON[0] + b"\n")
        done = tm.run("run", script(tm, FILE, "json"), "--http", f"127.0.0.1:{port}", code=1)
        assert done.stderr.startswith("error[TM1009]: ") and not (tm.work / "out").exists()


def test_a_second_process_is_refused_and_the_first_goes_on(tm):
    tm.run("topic", "create", "in")
    tm.run("topic", "create", "out")
    live = script(tm, LIVE, "json", TO_TOPIC)
    server = tm.serve("run", live, "--http", "127.0.0.1:0")
    assert server.push("in", [GOOD_JSON[0].decode()])[0] == 200
    for command in (["run", live], ["serve"], ["topic", "list"]):
        done = tm.run(*command, code=1)
        assert done.stderr.startswith("error[TM1005]: ") and str(tm.data) in done.stderr and server.url in done.stderr
    assert server.push("in", [GOOD_JSON[1].decode()])[0] == 200
    wait_for(lambda: server.count("out") >= 2, "both rows")
    assert server.stop()[0] == 0
    assert [json.loads(line)["id"] for line in tm.run("topic", "consume", "out").stdout.splitlines()] == [100, 200]
