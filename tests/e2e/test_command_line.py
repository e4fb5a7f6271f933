"""Commands, exit codes and the text of errors."""
import json
import re

import pytest

COMMANDS = ["run", "check", "explain", "sql", "serve", "topic", "schema", "dlq", "feature", "version", "completion"]

TRANSACTIONS = """CREATE TABLE transactions (
  card_id STRING,
  amount DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts
) WITH ('connector' = 'filesystem', 'path' = '${input}', 'format' = 'json');
"""


def test_help_lists_every_command_and_shows_an_example(tm):
    text = tm.run("--help", data=False).stdout
    for command in COMMANDS:
        assert re.search(rf"^  {command}\b", text, re.MULTILINE), command
    assert "tidemill sql -c" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_teaches_by_example(tm, command):
    text = tm.run(command, "--help", data=False).stdout
    assert f"tidemill {command}" in text


def test_version(tm):
    assert tm.run("version", data=False).stdout.startswith("tidemill 0.")
    assert set(json.loads(tm.run("version", "--output", "json", data=False).stdout)) == {"version", "build"}


def test_nothing_said_is_usage(tm):
    done = tm.run(data=False, code=2)
    assert done.stdout == "" and "run" in done.stderr


@pytest.mark.parametrize("arguments, message, near", [
    (["rum", "x.sql"], "unknown command 'rum'", "did you mean 'run'?"),
    (["run", "--paralellism", "2", "x.sql"], "unknown option '--paralellism' of tidemill run", "did you mean '--parallelism'?"),
    (["topic", "lst"], "unknown command 'lst'", "did you mean 'list'?"),
    (["--data-dri", "x", "version"], "unknown option '--data-dri' of tidemill version", "did you mean '--data-dir'?"),
])
def test_misspelt_words_name_the_nearest(tm, arguments, message, near):
    done = tm.run(*arguments, data=False, code=2)
    assert done.stderr.startswith(f"error[TM8001]: {message}\n") and near in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [["run"], ["topic"], ["topic", "create"], ["explain"], ["sql", "-c", "SELECT 1", "-f", "x"],
                                       ["-D", "novalue", "version"], ["--output", "xml", "version"], ["version", "extra"],
                                       ["run", "x.sql", "--parallelism", "0"]])
def test_wrong_usage_is_exit_code_2(tm, arguments):
    assert tm.run(*arguments, data=False, code=2).stderr.startswith("error[TM8001]: ")


def test_a_missing_script_is_named(tm):
    done = tm.run("run", "nowhere.sql", code=1)
    assert done.stderr.startswith("error[TM1001]: ") and "nowhere.sql" in done.stderr
    assert not tm.data.exists()


def test_an_error_has_code_place_caret_and_nearest_name(tm):
    tm.script("in.jsonl", '{"card_id": "a", "amount": 1.5, "ts": "2026-01-01 00:00:00"}\n')
    script = tm.script("fraud.sql", TRANSACTIONS + "SELECT card_id,\n       SUM(amout) AS total\nFROM transactions GROUP BY card_id;\n")
    done = tm.run("check", script, "-D", f"input={tm.work}/in.jsonl", code=3, data=False)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0].startswith("error[TM2104]: ") and "'amout'" in lines[0]
    assert lines[1] == f" --> {script}:8:12"
    assert lines[2] == "8 |        SUM(amout) AS total"
    assert lines[3] == "  |            ^^^^^ did you mean 'amount'?"
    assert lines[-2] == "  = docs: tidemill explain TM2104"
    assert lines[-1] == "1 error"


def test_check_tells_several_errors_and_leaves_out_what_only_follows(tm):
    script = tm.script("two.sql", "SELECT 1 +;\nCREATE TABLE t (a INTT) WITH ('connector' = 'blackhole');\nINSERT INTO t SELECT 1;\nSELECT nothing;\n")
    done = tm.run("check", script, "--output", "json", code=3, data=False)
    errors = [json.loads(line) for line in done.stdout.splitlines()]
    assert [error["line"] for error in errors] == [1, 2, 4]


def test_check_needs_no_data_directory_and_says_ok(tm):
    script = tm.script("ok.sql", "CREATE TABLE t (a INT) WITH ('connector' = 'blackhole');\nINSERT INTO t SELECT 1;\n")
    done = tm.run("check", script)
    assert done.stderr == f"{script}: ok\n"
    assert not tm.data.exists()


def test_an_unknown_variable_has_its_place(tm):
    script = tm.script("v.sql", "SELECT '${nam}' AS a;\n")
    done = tm.run("check", script, "-D", "name=x", code=3, data=False)
    assert done.stderr.startswith("error[TM2002]: ") and f"{script}:1:9" in done.stderr


def test_explain_tells_what_a_code_means(tm):
    text = tm.run("explain", "TM2104", data=False).stdout
    assert text.startswith("TM2104: column not found\n") and "case-sensitive" in text
    done = tm.run("explain", "TM2999", data=False, code=1)
    assert "there is no error TM2999" in done.stderr


def test_explain_shows_a_plan(tm):
    sql = "CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'datagen'); SELECT a + 1 AS next FROM t WHERE b = 'x'"
    assert re.search(r"^  +Scan\[t\]", tm.run("explain", "-c", sql, data=False).stdout, re.MULTILINE)
    assert "Values" in tm.run("explain", "-c", "SELECT 1 + 1 AS two", data=False).stdout


def test_no_colour_unless_a_terminal_reads(tm):
    assert "\x1b[" not in tm.run("rum", data=False, code=2).stderr


def test_completion_is_a_script_that_bash_takes(tm):
    import subprocess
    script = tm.run("completion", "bash", data=False).stdout
    complete = script + '\nCOMP_WORDS=(tidemill topic cr); COMP_CWORD=2; _tidemill; echo "${COMPREPLY[@]}"\n'
    assert subprocess.run(["bash", "-c", complete], capture_output=True, text=True, check=True).stdout.split() == ["create"]
