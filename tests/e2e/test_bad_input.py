"""Bad input of every kind: a clear error, or a reject with its reason and place; good rows around it are not lost."""
import json

import pytest

TABLE = """CREATE TABLE input (id BIGINT, amount DOUBLE, name STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ({source});
CREATE TABLE output (id BIGINT, amount DOUBLE, name STRING, ts TIMESTAMP(3))
WITH ('connector' = 'filesystem', 'path' = '${{script_dir}}/out', 'format' = 'json');
INSERT INTO output SELECT id, amount, name, ts FROM input;
"""
FILE = "'connector' = 'filesystem', 'path' = '${script_dir}/in.jsonl', 'format' = 'json'"
TOPIC = "'connector' = 'tidemill-log', 'topic' = 'in', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', " \
        "'scan.bounded.mode' = 'latest-offset'"

GOOD = b'{"id": %d, "amount": 1.5, "name": "x", "ts": "2026-01-01 00:00:0%d"}'
# line, reason (None: the row is good), what the detail or the row must show
LINES = [
    (b"nonsense", "malformed", ""),
    (b'{"id": 2, "amount": 1.5', "malformed", ""),
    (b'{"id": "two", "amount": 1.5, "name": "x", "ts": "2026-01-01 00:00:01"}', "wrong_type", "BIGINT"),
    (b'{"id": 3, "amount": {"a": 1}, "name": "x", "ts": "2026-01-01 00:00:01"}', "wrong_type", "DOUBLE"),
    (b'{"id": 4, "amount": NaN, "name": "x", "ts": "2026-01-01 00:00:01"}', "malformed", ""),
    (b'{"id": 5, "amount": 1.5, "name": "\xff\xfe", "ts": "2026-01-01 00:00:01"}', "invalid_utf8", ""),
    (b'{"id": 99999999999999999999, "amount": 1.5, "name": "x", "ts": "2026-01-01 00:00:01"}', "out_of_range", "BIGINT"),
    (b'{"id": 6, "amount": 1.5, "name": "x", "ts": "tomorrow"}', "wrong_type", "TIMESTAMP"),
    (b'{"id": 7, "amount": 1.5, "name": "' + b"y" * (10 << 20) + b'", "ts": "2026-01-01 00:00:01"}', "too_large", ""),
    (b'{"id": 8, "name": "missing field", "ts": "2026-01-01 00:00:01"}', None, ""),
    (b'{"id": 9, "amount": 1.5, "name": "extra", "more": [1, {"a": 2}], "ts": "2026-01-01 00:00:01"}', None, ""),
    (b'{"id": 10, "amount": "NaN", "name": "quoted", "ts": "2026-01-01 00:00:01"}', None, ""),
    (b'{"id": 11, "amount": 1.5, "name": "far", "ts": "9999-12-31 23:59:59"}', None, ""),
]


def run(tm, source, data: bytes):
    (tm.work / "in.jsonl").write_bytes(data)
    if source == TOPIC:
        tm.run("topic", "import", "in", tm.work / "in.jsonl", "--create")
    done = tm.run("run", tm.script("bad.sql", TABLE.format(source=source.replace("{", "{").replace("}", "}"))))
    rows = [json.loads(line) for path in (tm.work / "out").glob("part-*") for line in path.read_text().splitlines()]
    groups = [json.loads(line) for line in tm.run("dlq", "list", "--output", "json").stdout.splitlines()]
    return rows, groups, done.stderr


@pytest.mark.parametrize("source", [FILE, TOPIC], ids=["file", "topic"])
@pytest.mark.parametrize("line, reason, shown", LINES, ids=[str(i) + "-" + str(reason) for i, (_, reason, _) in enumerate(LINES)])
def test_one_bad_line_among_good_ones(tm, source, line, reason, shown):
    rows, groups, error = run(tm, source, GOOD % (100, 0) + b"\n" + line + b"\n" + GOOD % (200, 2) + b"\n")
    assert {100, 200} <= {row["id"] for row in rows}
    if reason is None:
        assert len(rows) == 3 and not groups and "rejected" not in error
        return
    assert len(rows) == 2
    assert [(group["reason"], group["records"]) for group in groups] == [(reason, 1)], groups
    assert f"rejected 1: {reason} 1" in error
    letter = json.loads(tm.run("dlq", "show", "input", "--output", "json").stdout)
    headers = {header["key"]: header.get("value", "") for header in letter["headers"]}
    assert shown in headers["detail"], headers
    assert headers["offset"] == ("2" if source == FILE else "1")


@pytest.mark.parametrize("text, code, place", [
    ("SELECT * FORM t;", "TM2001", "1:10"),
    ("SELECT 'open;", "TM2001", "1:8"),
    ("SELECT * FROM missing;", "TM2101", "1:15"),
    ("SELECT nope(1);", "TM1400", "1:8"),
    ("SELECT 1 + 'a' + TRUE;", "TM", "1:"),
    ("CREATE TABLE t (a INT) WITH ('connector' = 'kafak');", "TM2114", "1:44"),
    ("CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = 'x', 'formt' = 'json');", "TM2112", "1:"),
    ("CREATE TABLE t (a INT) WITH ('connector' = 'filesystem'); SELECT a FROM t;", "TM2113", "1:"),
    ("SELECT a FROM (VALUES (1)) AS t (a) GROUP BY b;", "TM2104", "1:46"),
])
def test_wrong_sql_has_code_and_place(tm, text, code, place):
    done = tm.run("check", tm.script("wrong.sql", text + "\n"), code=3, data=False)
    assert done.stderr.startswith(f"error[{code}"), done.stderr
    assert f"wrong.sql:{place}" in done.stderr, done.stderr


def test_a_missing_input_file_is_named_at_its_option(tm):
    script = tm.script("m.sql", "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = 'nowhere/x.json', 'format' = 'json');\nSELECT a FROM t;\n")
    done = tm.run("run", script, code=3)
    assert "nowhere/x.json" in done.stderr and f"{script}:1:67" in done.stderr


def test_a_model_that_is_none_or_has_other_inputs(tm):
    from conftest import ROOT
    (tm.work / "broken.onnx").write_bytes(b"not a model")
    model = "CREATE MODEL m INPUT (a DOUBLE) OUTPUT (score DOUBLE) WITH ('provider' = 'onnx', 'path' = '{}');\n" \
            "CREATE TABLE t (a DOUBLE) WITH ('connector' = 'datagen');\n" \
            "SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a));\n"
    done = tm.run("check", tm.script("none.sql", model.format(tm.work / "none.onnx")), code=3, data=False)
    assert "none.onnx" in done.stderr and "none.sql:" in done.stderr
    done = tm.run("check", tm.script("broken.sql", model.format(tm.work / "broken.onnx")), code=3, data=False)
    assert "broken.onnx" in done.stderr and "broken.sql:" in done.stderr
    done = tm.run("check", tm.script("other.sql", model.format(ROOT / "examples" / "fraud" / "fraud_model.onnx")), code=3, data=False)
    assert done.stderr.startswith("error[TM2120]: ") and "other.sql:" in done.stderr
