"""Features from a job, from the command line and over HTTP."""
import csv
import json

import pytest

STORE = """CREATE TABLE input (card STRING, n BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '${script_dir}/in.jsonl', 'format' = 'json');
CREATE TABLE card_stats (card STRING, n BIGINT, ts TIMESTAMP(3), PRIMARY KEY (card) NOT ENFORCED, WATERMARK FOR ts AS ts)
WITH ('connector' = 'feature-store');
INSERT INTO card_stats SELECT card, n, ts FROM input;
"""


@pytest.fixture
def filled(tm):
    tm.script("in.jsonl", "".join(json.dumps({"card": f"c{i % 3}", "n": i, "ts": f"2026-01-01 00:00:{i:02}"}) + "\n" for i in range(12)))
    tm.run("run", tm.script("store.sql", STORE))
    return tm


def test_list_describe_get(filled):
    listed = json.loads(filled.run("feature", "list", "--output", "json").stdout)
    assert listed["view"] == "card_stats"
    assert "event time" in filled.run("feature", "describe", "card_stats").stdout
    rows = [json.loads(line) for line in filled.run("feature", "get", "-e", "card=c1", "-e", "card=zz", "-f", "card_stats:*", "--output", "json").stdout.splitlines()]
    assert [(row["card"], row["status"]) for row in rows] == [("c1", "PRESENT"), ("zz", "NOT_FOUND")]
    assert str(rows[0]["value"]) == "10"
    assert "TM5001" in filled.run("feature", "get", "-e", "card=c1", "-f", "card_stat:n", code=1).stderr


def test_push_and_read_over_http(filled):
    server = filled.serve("serve", "--http", "127.0.0.1:0")
    request = json.dumps({"features": ["card_stats:n"], "entities": {"card": ["c0", "c1"]}})
    status, body = server.call("POST", "/get-online-features", request)
    answer = json.loads(body)
    assert status == 200 and answer["metadata"]["feature_names"] == ["card", "n"]
    assert answer["results"][1]["values"] == [9, 10]
    push = json.dumps({"push_source_name": "card_stats", "df": {"card": ["c0"], "n": [77], "ts": ["2026-01-02 00:00:00"]}, "to": "online"})
    assert server.call("POST", "/push", push)[0] == 200
    assert json.loads(server.call("POST", "/get-online-features", request)[1])["results"][1]["values"] == [77, 10]
    row = filled.run("feature", "get", "-e", "card=c0", "-f", "card_stats:n", "--output", "json", "--server", server.url, data=False).stdout
    assert json.loads(row)["value"] == 77
    filled.run("feature", "push", "card_stats", "--server", server.url, stdin='{"card":"c1","n":78,"ts":"2026-01-02 00:00:00"}\n', data=False)
    assert json.loads(server.call("POST", "/get-online-features", request)[1])["results"][1]["values"] == [77, 78]
    views = server.get_json("/api/v1/features")["views"]
    assert views[0]["name"] == "card_stats" and views[0]["online_rows"] == 3
    assert server.call("POST", "/get-online-features", "{}")[0] == 422
    assert server.stop()[0] == 0
    assert "77" in filled.run("feature", "get", "-e", "card=c0", "-f", "card_stats:n").stdout


def test_a_training_set_sees_only_the_past(filled):
    filled.script("labels.jsonl", "".join(json.dumps({"card": "c0", "ts": f"2026-01-01 00:00:{s:02}", "y": s}) + "\n" for s in (0, 2, 5, 59)))
    out = filled.work / "training.csv"
    filled.run("feature", "historical", "--labels", filled.work / "labels.jsonl", "--features", "card_stats:*", "--out", out)
    lines = list(csv.reader(out.open()))
    n = lines[0].index("n")
    assert [line[n] for line in lines[1:]] == ["0", "0", "3", "9"]
