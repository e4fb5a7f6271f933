"""`tidemill sql`: one statement, scripts, pipes, and the shell on a terminal."""
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest
from conftest import BINARY, clean_environment


def test_one_statement(tm):
    assert tm.run("sql", "-c", "SELECT 1 + 1 AS two, 'a' AS letter").stdout == " two | letter\n-----+--------\n   2 | a\n(1 row)\n"


def test_outputs(tm):
    sql = "SELECT * FROM (VALUES (1, 'a,b', CAST(NULL AS DOUBLE)), (2, 'ü', 0.5e0)) AS t (n, s, d)"
    text = tm.run("sql", "-c", sql).stdout
    assert text == " n | s   |    d\n---+-----+------\n 1 | a,b | NULL\n 2 | ü   |  0.5\n(2 rows)\n"
    rows = [json.loads(line) for line in tm.run("sql", "-c", sql, "--output", "json").stdout.splitlines()]
    assert sorted(rows, key=lambda row: row["n"]) == [{"n": 1, "s": "a,b", "d": None}, {"n": 2, "s": "ü", "d": 0.5}]
    lines = tm.run("sql", "-c", sql, "--output", "csv").stdout.splitlines()
    assert lines[0] == "n,s,d" and sorted(lines[1:]) == ['1,"a,b",', "2,ü,0.5"]


def test_errors_have_their_place(tm):
    done = tm.run("sql", "-c", "SELECT 1 +", code=3)
    assert done.stderr.startswith("error[TM2001]: ") and "--> -c:1:" in done.stderr and "^" in done.stderr


def test_a_script_from_a_pipe_and_from_a_file(tm):
    script = "CREATE VIEW v AS SELECT 3 AS x;\nSELECT x FROM v;\nSELECT x + 1 AS y FROM v;"
    piped = tm.run("sql", "--output", "csv", stdin=script).stdout
    assert piped == "x\n3\ny\n4\n"
    assert tm.run("sql", "-f", tm.script("s.sql", script), "--output", "csv").stdout == piped


def test_statements_after_an_error_do_not_run(tm):
    done = tm.run("sql", stdin="SELECT 1 AS a;\nSELECT b;", code=3)
    assert done.stdout == ""


def test_insert_and_read_back(tm):
    table = "CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'tidemill-log', 'topic' = 't', 'format' = 'json', " \
            "'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');\n"
    tm.run("sql", "-c", table + "INSERT INTO t VALUES (1, 'x'), (2, 'y');")
    rows = tm.run("sql", "-c", table + "SELECT a, b FROM t", "--output", "json").stdout.splitlines()
    assert sorted(rows) == ['{"a":1,"b":"x"}', '{"a":2,"b":"y"}']


def test_unbounded_select_ends_with_enough_rows_or_an_interrupt(tm):
    table = "CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000');"
    assert len(tm.run("sql", "-c", table + "SELECT a FROM t", "-n", "5", "--output", "json").stdout.splitlines()) == 5
    endless = tm.start("sql", "-c", table + "SELECT a FROM t", "--output", "json")
    endless.stdout.readline()
    endless.send_signal(signal.SIGINT)
    assert endless.wait(timeout=60) == 130


class Terminal:
    """The program on a pseudo-terminal."""

    def __init__(self, tm, *arguments):
        self.master, slave = pty.openpty()
        environment = clean_environment() | {"TERM": "xterm", "TIDEMILL_HISTORY": str(tm.work / "history"), "LC_ALL": "C.UTF-8"}
        self.process = subprocess.Popen([BINARY, "--data-dir", str(tm.data), "sql", *arguments], stdin=slave, stdout=slave, stderr=slave,
                                        env=environment, start_new_session=True, preexec_fn=lambda: __import__("fcntl").ioctl(0, 0x540E, 0))
        os.close(slave)
        self.seen = ""

    def expect(self, pattern: str, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        while True:
            plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen)
            found = re.search(pattern, plain)
            if found:
                self.seen = plain[found.end():]
                return found[0]
            left = deadline - time.monotonic()
            assert left > 0, f"waited for {pattern!r}, saw {plain!r}"
            if select.select([self.master], [], [], left)[0]:
                self.seen += os.read(self.master, 65536).decode(errors="replace")

    def type(self, text: str):
        os.write(self.master, text.encode())

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal(tm):
    shell = Terminal(tm)
    yield shell
    shell.close()


def test_shell(tm, terminal):
    terminal.expect("tidemill> ")
    terminal.type("SELECT 20 + 22 AS answer;\n")
    terminal.expect(r"42\s+\(1 row\)")
    terminal.expect("tidemill> ")
    terminal.type("SELECT\n")
    terminal.expect(r"\.\.\.> ")
    terminal.type("7 AS seven;\n")
    terminal.expect(r"7\s+\(1 row\)")
    terminal.type(".tabels\n")
    terminal.expect(r"did you mean \.tables\?")
    terminal.type("SELECT nothing;\n")
    terminal.expect(r"error\[TM2104\]")
    terminal.type(".quit\n")
    assert terminal.process.wait(timeout=60) == 0
    assert "answer" in (tm.work / "history").read_text()


def test_shell_interrupts_the_statement_and_stays(terminal):
    terminal.expect("tidemill> ")
    terminal.type("CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '100');\n")
    terminal.expect("tidemill> ")
    terminal.type("SELECT a FROM t;\n")
    terminal.expect(r"a\s+-+\s+-?\d+")
    terminal.type("\x03")
    terminal.expect("interrupted")
    terminal.expect("tidemill> ")
    terminal.type("SELECT 1 +")
    terminal.type("\x03")
    terminal.expect("tidemill> ")
    terminal.type("SELECT 5 AS five;\n")
    terminal.expect(r"5\s+\(1 row\)")
    terminal.expect("tidemill> ")  # from here on a key is the editor's
    terminal.type("\x04")
    assert terminal.process.wait(timeout=60) == 0


def test_shell_completes_words(terminal):
    terminal.expect("tidemill> ")
    terminal.type("CREATE VIEW velocities AS SELECT 1 AS n;\n")
    terminal.expect("tidemill> ")
    terminal.type("SELECT n FROM veloc\t;\n")
    terminal.expect(r"1\s+\(1 row\)")
