"""A full disk (a small tmpfs): writers are told, readers go on, writing goes on by itself when there is room again."""
import os
import subprocess

import pytest
from conftest import Tidemill


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting a tmpfs is not allowed here")
    tidemill = Tidemill(disk)
    yield tidemill
    tidemill.close()
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk, keep: int):
    """Leaves about `keep` bytes free."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    (disk / "filler").write_bytes(b"x" * max(0, free - keep))


def test_push_into_a_full_disk(small_disk):
    tm = small_disk
    server = tm.serve("serve", "--http", "127.0.0.1:0")
    assert server.push("t", ["first"], "?create=true")[0] == 200
    fill(tm.work, 3 << 20)
    accepted = ["first"]
    for i in range(50):
        lines = [f"{i}-{j}-" + "y" * 1000 for j in range(200)]
        status, answer = server.push("t", lines)
        if status != 200:
            break
        accepted += lines
    assert status == 507 and answer["code"] == "TM1003", answer
    assert server.get("/api/v1/topics/t/records?limit=1")[0] == 200
    assert server.get("/healthz")[0] == 200
    (tm.work / "filler").unlink()
    assert server.push("t", ["last"])[0] == 200
    assert server.stop()[0] == 0
    assert tm.run("topic", "consume", "t").stdout.splitlines() == accepted + ["last"]


def test_a_keyed_push_that_fails_half_way_says_what_is_there(small_disk):
    tm = small_disk
    server = tm.serve("serve", "--http", "127.0.0.1:0")
    tm.run("topic", "create", "t", "--partitions", "8", "--server", server.url, data=False)
    lines = [""] + ['{"k":"%d","v":"%s"}' % (n, "z" * 20_000) for n in range(100)]
    fill(tm.work, 1 << 20)
    status, answer = server.push("t", lines, "?key=k")
    assert status == 507 and answer["code"] == "TM1003", answer
    assert 0 < answer["accepted"] < 100 and answer["accepted"] == sum(part["count"] for part in answer["ranges"])
    assert answer["notes"] == [f"{answer['accepted']} of 100 records of the request are on disk, the others not"]
    missing = answer["lines_not_accepted"]
    assert len(missing) == 100 - answer["accepted"] and min(missing) >= 2
    # What is missing, sent again, makes it whole.
    (tm.work / "filler").unlink()
    status, answer = server.push("t", [lines[number - 1] for number in missing], "?key=k")
    assert status == 200 and answer["accepted"] == len(missing)
    assert server.stop()[0] == 0
    assert sorted(tm.run("topic", "consume", "t").stdout.splitlines()) == sorted(lines[1:])


def test_a_job_waits_for_room(small_disk):
    tm = small_disk
    tm.run("topic", "produce", "in", "--create", stdin="".join(f'{{"n":{n},"text":"{"z" * 200}"}}\n' for n in range(20_000)))
    script = tm.script("copy.sql", """
        CREATE TABLE source (n BIGINT, text STRING) WITH ('connector' = 'tidemill-log', 'topic' = 'in', 'format' = 'json',
          'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
        CREATE TABLE target (n BIGINT, text STRING) WITH ('connector' = 'filesystem', 'path' = '${script_dir}/out', 'format' = 'json');
        INSERT INTO target SELECT n, text FROM source;""")
    fill(tm.work, 1 << 20)
    process = tm.start("run", script)
    # Longer than the few restarts that other failures are given.
    seen = ""
    while seen.count("No space left on device") < 5:
        line = process.stderr.readline()
        assert line, seen
        seen += line
    assert process.poll() is None, seen
    (tm.work / "filler").unlink()
    _, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    rows = [line for path in (tm.work / "out").iterdir() if not path.name.startswith(".") for line in path.read_text().splitlines()]
    assert len(rows) == 20_000 and len(set(rows)) == 20_000
