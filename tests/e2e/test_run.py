"""`tidemill run`: files in, files out, topics, resuming, stopping, the HTTP API beside it."""
import csv
import json
import signal

import pytest
from conftest import wait_for

SUM_BY_MINUTE = """CREATE TABLE IF NOT EXISTS input (
  card STRING, amount DOUBLE, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts
) WITH ('connector' = 'filesystem', 'path' = '${input}', 'format' = 'json');

CREATE TABLE IF NOT EXISTS output (
  card STRING, minute_start TIMESTAMP(3), total DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${out}', 'format' = 'csv');

INSERT INTO output
SELECT card, window_start, SUM(amount)
FROM TUMBLE(TABLE input, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY card, window_start, window_end;
"""

PASS_ON = """CREATE TABLE IF NOT EXISTS input (n BIGINT)
WITH ('connector' = 'tidemill-log', 'topic' = 'in', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
CREATE TABLE IF NOT EXISTS output (n BIGINT)
WITH ('connector' = 'tidemill-log', 'topic' = 'out', 'format' = 'json');
INSERT INTO output SELECT n FROM input;
"""


def rows_of(folder) -> list[list[str]]:
    rows = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            rows += list(csv.reader(path.open()))
    return sorted(rows)


def events(tm, n: int = 120) -> str:
    lines = [json.dumps({"card": "ab"[i % 2], "amount": 1.5, "ts": f"2026-01-01 00:{i // 60:02}:{i % 60:02}"}) for i in range(n)]
    return str(tm.script("in.jsonl", "\n".join(lines) + "\n"))


def test_a_file_goes_through_windows_into_files(tm):
    script = tm.script("sum.sql", SUM_BY_MINUTE)
    done = tm.run("run", script, "-D", f"input={events(tm)}", "-D", f"out={tm.work}/out")
    rows = rows_of(tm.work / "out")
    assert [(row[0], float(row[2])) for row in rows if row[0] != "card"] == [("a", 45.0), ("a", 45.0), ("b", 45.0), ("b", 45.0)]
    assert "sum: 120 events in, 4 rows out" in done.stderr and done.stdout == ""


def test_columns_of_csv_records_are_found_when_only_some_are_read(tm):
    script = tm.script("csv.sql", """
        CREATE TABLE input (a INT, b STRING, c INT) WITH ('connector' = 'tidemill-log', 'topic' = 'in', 'format' = 'csv',
          'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
        CREATE TABLE output (c INT) WITH ('connector' = 'filesystem', 'path' = '${out}', 'format' = 'csv');
        INSERT INTO output SELECT c FROM input;""")
    tm.run("topic", "create", "in")
    tm.run("topic", "produce", "in", stdin="1,x,7\n2,y,8\n")
    tm.run("run", script, "-D", f"out={tm.work}/out")
    assert [row for row in rows_of(tm.work / "out") if row != ["c"]] == [["7"], ["8"]]


def test_run_again_gives_the_whole_output_once(tm):
    script = tm.script("sum.sql", SUM_BY_MINUTE)
    arguments = ["run", script, "-D", f"input={events(tm)}", "-D", f"out={tm.work}/out"]
    tm.run(*arguments)
    first = rows_of(tm.work / "out")
    again = tm.run(*arguments)
    assert rows_of(tm.work / "out") == first
    assert "replaces the output of an earlier run" in again.stderr


def test_output_of_another_job_is_not_mixed_up(tm):
    script = tm.script("sum.sql", SUM_BY_MINUTE)
    arguments = ["run", script, "-D", f"input={events(tm)}", "-D", f"out={tm.work}/out"]
    tm.run(*arguments)
    first = rows_of(tm.work / "out")
    refused = tm.run(*arguments, "--name", "other", code=1)
    assert refused.stderr.startswith("error[TM8004]: ") and "--overwrite" in refused.stderr and f"{script}:" in refused.stderr
    tm.run(*arguments, "--name", "other", "--overwrite")
    assert rows_of(tm.work / "out") == first
    tm.run(*arguments, "--name", "third", "--append")
    assert len(rows_of(tm.work / "out")) == 2 * len(first)
    (tm.work / "out" / "notes.txt").write_text("mine")
    refused = tm.run(*arguments, "--name", "fourth", "--overwrite", code=1)
    assert "notes.txt" in refused.stderr and (tm.work / "out" / "notes.txt").exists()


def test_init_scripts_come_first(tm):
    script = tm.script("sum.sql", SUM_BY_MINUTE)
    init = tm.script("init.sql", "CREATE TABLE output (card STRING, minute_start TIMESTAMP(3), total DOUBLE) WITH ('connector' = 'print');\n")
    done = tm.run("run", "-i", init, script, "-D", f"input={events(tm)}", "-D", "out=nowhere")
    assert done.stdout.count("+I[") == 4


def test_script_dir_is_the_folder_of_the_script(tm):
    events(tm)
    script = tm.script("count.sql", SUM_BY_MINUTE.split("CREATE TABLE IF NOT EXISTS output")[0] + "SELECT card, amount FROM input WHERE ts < TIMESTAMP '2026-01-01 00:00:02';\n")
    script.write_text(script.read_text().replace("${input}", "${script_dir}/in.jsonl"))
    done = tm.run("run", script, "--output", "json")
    assert sorted(done.stdout.splitlines()) == ['{"card":"a","amount":1.5}', '{"card":"b","amount":1.5}']


def test_describe_and_explain_in_a_script_are_printed(tm):
    script = tm.script("d.sql", "CREATE VIEW v AS SELECT 1 AS a;\nDESCRIBE v;\nEXPLAIN SELECT a FROM v;\n")
    out = tm.run("run", script).stdout
    assert "a" in out and "INT" in out


def test_bad_rows_are_counted_and_kept(tm):
    tm.script("in.jsonl", '{"card": "a", "amount": 1, "ts": "2026-01-01 00:00:00"}\nnonsense\n{"card": "a", "amount": "x", "ts": "2026-01-01 00:00:01"}\n')
    done = tm.run("run", tm.script("sum.sql", SUM_BY_MINUTE), "-D", f"input={tm.work}/in.jsonl", "-D", f"out={tm.work}/out")
    assert "rejected 2:" in done.stderr and "malformed 1" in done.stderr and "wrong_type 1" in done.stderr
    groups = [json.loads(line) for line in tm.run("dlq", "list", "--output", "json").stdout.splitlines()]
    assert {(group["reason"], group["records"]) for group in groups} == {("malformed", 1), ("wrong_type", 1)}
    shown = tm.run("dlq", "show", groups[0]["topic"], "--reason", "malformed").stdout
    assert "nonsense" in shown and "in.jsonl" in shown
    tm.run("dlq", "drop", groups[0]["topic"])
    assert tm.run("dlq", "list", "--output", "json").stdout == ""


def test_an_unbounded_job_stops_cleanly_and_goes_on(tm):
    tm.run("topic", "produce", "in", "--create", stdin='{"n":1}\n{"n":2}\n')
    script = tm.script("pass.sql", PASS_ON)
    server = tm.serve("run", script, "--http", "127.0.0.1:0")
    server.push("in", ['{"n":3}'])
    wait_for(lambda: server.get_json("/api/v1/jobs/pass")["records_out"] >= 3, "three rows")
    job = server.get_json("/api/v1/jobs")["jobs"][0]
    assert (job["id"], job["state"], job["bounded"]) == ("pass", "running", False)
    assert 'pipeline="pass"' in server.get("/metrics")[1]
    code, error = server.stop()
    assert code == 0 and "stopping" in error
    tm.run("topic", "produce", "in", stdin='{"n":4}\n')
    server = tm.serve("run", script, "--http", "127.0.0.1:0")
    wait_for(lambda: server.count("out") >= 4, "the fourth row")
    assert server.get_json("/api/v1/jobs/pass")["restored_epoch"] > 0
    code, error = server.stop(signal.SIGINT)
    assert code == 130 and "resumes from epoch" in error
    out = [json.loads(line)["n"] for line in tm.run("topic", "consume", "out").stdout.splitlines()]
    assert out == [1, 2, 3, 4]


def test_killed_it_goes_on_without_loss_or_doubles(tm):
    tm.run("topic", "produce", "in", "--create", stdin="".join(f'{{"n":{n}}}\n' for n in range(50_000)))
    script = tm.script("pass.sql", PASS_ON + "\n")
    process = tm.start("run", script, "-X", "execution.checkpointing.interval=20 ms")
    manifest = tm.data / "jobs" / "pass" / "state"
    wait_for(lambda: manifest.exists() or process.poll() is not None, "an epoch")
    process.kill()
    process.communicate()
    server = tm.serve("run", script, "--http", "127.0.0.1:0", "-X", "execution.checkpointing.interval=20 ms")
    wait_for(lambda: server.count("out") >= 50_000, "all rows")
    server.stop()
    out = [json.loads(line)["n"] for line in tm.run("topic", "consume", "out").stdout.splitlines()]
    assert sorted(out) == list(range(50_000))


def test_a_failing_script_has_exit_code_3_and_touches_nothing(tm):
    done = tm.run("run", tm.script("bad.sql", "SELECT * FROM nowhere;\n"), code=3)
    assert done.stderr.startswith("error[TM2101]: ")
    assert not tm.data.exists()


def test_serve_runs_a_folder_of_scripts(tm):
    folder = tm.work / "pipelines"
    folder.mkdir()
    (folder / "one.sql").write_text(PASS_ON)
    (folder / "two.sql").write_text(PASS_ON.replace("'topic' = 'in'", "'topic' = 'out'").replace("'topic' = 'out', 'format' = 'json');\nINSERT", "'topic' = 'end', 'format' = 'json');\nINSERT"))
    tm.run("topic", "create", "in")
    tm.run("topic", "create", "out")
    server = tm.serve("serve", folder, "--http", "127.0.0.1:0")
    assert [job["id"] for job in server.get_json("/api/v1/jobs")["jobs"]] == ["one", "two"]
    server.push("in", ['{"n":7}'])
    wait_for(lambda: server.get("/api/v1/topics/end/records")[1].count('\\"n\\":7') == 1, "the row at the end")
    assert server.stop()[0] == 0


@pytest.mark.parametrize("name", ["../x", "a/b", ""])
def test_names_of_jobs_are_safe(tm, name):
    script = tm.script("ok.sql", "SELECT 1 AS a;\n")
    if name:
        assert "TM1014" in tm.run("run", script, "--name", name, code=1).stderr
    else:
        tm.run("run", script)


def test_a_changed_script_says_what_it_does_with_its_state(tm):
    tm.run("topic", "produce", "in", "--create", stdin="".join(f'{{"n":{n}}}\n' for n in range(10)))
    script = tm.script("pass.sql", PASS_ON)
    server = tm.serve("run", script, "--http", "127.0.0.1:0")
    wait_for(lambda: server.count("out") >= 10, "ten rows")
    assert server.stop()[0] == 0
    script.write_text(PASS_ON.replace("SELECT n FROM", "SELECT n * 10 AS n FROM"))
    tm.run("topic", "produce", "in", stdin='{"n":10}\n')
    server = tm.serve("run", script, "--http", "127.0.0.1:0")
    wait_for(lambda: '"{\\"n\\":100}"' in server.get("/api/v1/topics/out/records")[1], "the new row")
    code, error = server.stop()
    assert code == 0 and "the script has changed since it was stopped" in error
    out = [json.loads(line)["n"] for line in tm.run("topic", "consume", "out").stdout.splitlines()]
    assert out == [*range(10), 100]


def test_refused_rows_are_replayed_once(tm):
    tm.run("topic", "produce", "in", "--create", stdin='{"n":1}\n{"n":"two"}\nnothing\n')
    bounded = PASS_ON.replace("'scan.startup.mode' = 'earliest-offset'", "'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'")
    tm.run("run", tm.script("pass.sql", bounded))
    assert "would replay 2 records" in tm.run("dlq", "replay", "input", "--dry-run").stderr
    assert "would replay 1 record\n" in tm.run("dlq", "replay", "input", "--dry-run", "--reason", "malformed").stderr
    tm.run("topic", "create", "fixed")
    assert "replayed 2 records" in tm.run("dlq", "replay", "input", "--to", "fixed").stderr
    assert tm.run("topic", "consume", "fixed").stdout == '{"n":"two"}\nnothing\n'
    assert "replayed 0 records" in tm.run("dlq", "replay", "input").stderr
    assert "replayed 2 records" in tm.run("dlq", "replay", "input", "--all").stderr
    assert tm.run("topic", "consume", "in").stdout.splitlines()[-2:] == ['{"n":"two"}', "nothing"]
    assert "no dead letters" in tm.run("dlq", "show", "inptu", code=1).stderr.replace("there are ", "")


def test_refused_rows_of_a_running_server(tm):
    tm.run("topic", "produce", "in", "--create", stdin='{"n":1}\n{"n":"two"}\nnothing\n')
    tm.run("topic", "create", "out")
    tm.run("topic", "create", "fixed")
    server = tm.serve("run", tm.script("pass.sql", PASS_ON), "--http", "127.0.0.1:0")
    wait_for(lambda: sum(group["records"] for group in server.get_json("/api/v1/dlq")["dlq"]) == 2, "the refused rows")

    def dlq(*arguments, code=0):
        return tm.run("dlq", *arguments, "--server", server.url, data=False, code=code)

    listed = [json.loads(line) for line in dlq("list", "--output", "json").stdout.splitlines()]
    assert {(group["topic"], group["reason"], group["records"]) for group in listed} == {
        ("dlq.input", "malformed", 1), ("dlq.input", "wrong_type", 1)}
    assert "row: nothing" in dlq("show", "input", "--reason", "malformed").stdout
    assert "would replay 1 record\n" in dlq("replay", "input", "--dry-run", "--reason", "malformed").stderr
    done = dlq("replay", "input", "--to", "fixed", "--output", "json")
    assert json.loads(done.stdout) == {"to": "fixed", "records": 2} and "replayed 2 records" in done.stderr
    assert tm.run("topic", "consume", "fixed", "--no-follow", "--server", server.url, data=False).stdout == '{"n":"two"}\nnothing\n'
    assert "replayed 0 records" in dlq("replay", "input").stderr
    # Back to where they came from, where the job refuses them again: that is another replay's.
    assert "replayed 2 records" in dlq("replay", "input", "--all").stderr
    wait_for(lambda: sum(group["records"] for group in server.get_json("/api/v1/dlq")["dlq"]) == 4, "the rows refused again")
    missing = dlq("drop", "inptu", code=1).stderr
    assert "TM8003" in missing and "did you mean 'dlq.input'?" in missing
    assert server.call("POST", "/api/v1/dlq/replay", "{}")[0] == 400
    assert "dropped 4 records of dlq.input" in dlq("drop", "input").stderr
    assert "no dead letters" in dlq("list").stderr
    assert server.stop()[0] == 0


def test_a_port_that_was_left_behind_is_forgotten(tm):
    server = tm.serve("serve", "--http", "127.0.0.1:0")
    server.process.kill()
    server.process.communicate()
    assert (tm.data / "http.port").exists()
    tm.run("topic", "list")
    assert not (tm.data / "http.port").exists()
