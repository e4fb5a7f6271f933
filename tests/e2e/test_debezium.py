"""Changes of databases in the embedded log: read as tables, written as changes, and what is left of them by key."""
import json

TOPIC = "'connector' = 'tidemill-log', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'"


def texts(tm, topic: str, columns: str = "line STRING", more: str = "") -> list[dict]:
    sql = f"CREATE TABLE t ({columns}) WITH ({TOPIC}, 'topic' = '{topic}', 'format' = 'raw'{more});\nSELECT * FROM t"
    return [json.loads(line) for line in tm.run("sql", "-c", sql, "--output", "json").stdout.splitlines()]


def change(before, after, op: str, number: int) -> str:
    row = [None if pair is None else {"id": pair[0], "who": pair[1], "amount": pair[2]} for pair in (before, after)]
    return json.dumps({"before": row[0], "after": row[1], "source": {"db": "shop", "ts_ms": 1_767_225_600_000 + number}, "op": op, "ts_ms": 1})


CHANGES = [change(None, (1, "ann", 5), "r", 0), change(None, (2, "bob", 7), "c", 1), change(None, (3, "ann", 20), "c", 2),
           change((1, "ann", 5), (1, "ann", 6), "u", 3), change((3, "ann", 20), (3, "bob", 1), "u", 4), change((2, "bob", 7), None, "d", 5)]
ORDERS = f"""CREATE TABLE orders (id INT, who STRING, amount INT, at TIMESTAMP_LTZ(3) METADATA FROM 'value.source.timestamp' VIRTUAL, pos BIGINT METADATA FROM 'offset' VIRTUAL)
  WITH ({TOPIC}, 'topic' = 'orders', 'format' = 'debezium-json');\n"""


def fill(tm):
    values = ", ".join(f"('{line}')" for line in CHANGES)
    tm.run("sql", "-c", f"CREATE TABLE t (line STRING) WITH ('connector' = 'tidemill-log', 'topic' = 'orders', 'format' = 'raw');\nINSERT INTO t VALUES {values}")


def test_a_topic_of_changes_is_a_table(tm):
    fill(tm)
    done = tm.run("sql", "-c", ORDERS + "SELECT who, COUNT(*) AS n, SUM(amount) AS s FROM orders GROUP BY who", "--output", "json")
    assert sorted(map(json.loads, done.stdout.splitlines()), key=lambda row: row["who"]) == [{"who": "ann", "n": 1, "s": 6}, {"who": "bob", "n": 1, "s": 1}]
    tm.run("sql", "-c", ORDERS + """
      CREATE TABLE seen (id INT, pos BIGINT, `at` STRING) WITH ('connector' = 'tidemill-log', 'topic' = 'seen', 'format' = 'debezium-json');
      INSERT INTO seen SELECT id, pos, CAST(`at` AS STRING) FROM orders""")
    seen = [json.loads(row["line"]) for row in texts(tm, "seen")]
    assert [(row["op"], *(row["after"] or row["before"]).values()) for row in seen] == [
        (op, number, pos, f"2026-01-01 00:00:00.00{pos}") for op, number, pos in
        (("c", 1, 0), ("c", 2, 1), ("c", 3, 2), ("d", 1, 3), ("c", 1, 3), ("d", 3, 4), ("c", 3, 4), ("d", 2, 5))]


def test_changes_are_written_as_changes(tm):
    fill(tm)
    tm.run("sql", "-c", ORDERS + """
      CREATE TABLE sums (who STRING, s INT) WITH ('connector' = 'tidemill-log', 'topic' = 'sums', 'format' = 'debezium-json');
      INSERT INTO sums SELECT who, SUM(amount) FROM orders GROUP BY who""")
    written = [json.loads(row["line"]) for row in texts(tm, "sums")]
    assert all(set(row) == {"before", "after", "op"} and row["op"] in "cd" and (row["before"] is None) == (row["op"] == "c") for row in written)
    held: dict = {}
    for row in written:
        if row["op"] == "c":
            assert row["after"]["who"] not in held
            held[row["after"]["who"]] = row["after"]["s"]
        else:
            assert held.pop(row["before"]["who"]) == row["before"]["s"]
    assert held == {"ann": 6, "bob": 1}


def test_by_key_a_row_that_is_gone_is_a_record_without_value(tm):
    fill(tm)
    tm.run("sql", "-c", ORDERS + """
      CREATE TABLE large (who STRING, s INT, PRIMARY KEY (who) NOT ENFORCED) WITH ('connector' = 'tidemill-log', 'topic' = 'large', 'format' = 'json');
      INSERT INTO large SELECT who, s FROM (SELECT who, SUM(amount) AS s FROM orders GROUP BY who) WHERE s > 5""")
    held = {}
    for line in tm.run("topic", "consume", "large", "--output", "json").stdout.splitlines():
        record = json.loads(line)
        if record["value"] is None:
            held.pop(record["key"])
        else:
            value = record["value"] if isinstance(record["value"], dict) else json.loads(record["value"])
            held[record["key"]] = value["s"]
    assert list(held.values()) == [6], held


def test_what_can_not_take_changes_says_so(tm):
    done = tm.run("sql", "-c", ORDERS + "CREATE TABLE plain (id INT) WITH ('connector' = 'tidemill-log', 'topic' = 'p', 'format' = 'json');\nINSERT INTO plain SELECT id FROM orders",
                  code=3)
    assert "TM2117" in done.stderr and "PRIMARY KEY" in done.stderr
