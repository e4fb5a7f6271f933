"""Topics from the command line and over HTTP."""
import json
import signal
import socket
import threading

from conftest import BINARY, wait_for

NDJSON = "application/x-ndjson"


def values(tm, topic, *options):
    return tm.run("topic", "consume", topic, *options).stdout.splitlines()


def test_round_trip(tm):
    tm.run("topic", "create", "clicks", "--partitions", "2")
    tm.run("topic", "produce", "clicks", stdin='{"a":1}\n{"a":2}\n\n{"a":3}\n')
    assert values(tm, "clicks") == ['{"a":1}', '{"a":2}', '{"a":3}']
    assert values(tm, "clicks", "-n", "2") == ['{"a":1}', '{"a":2}']
    assert values(tm, "clicks", "-o", "end") == []
    listed = json.loads(tm.run("topic", "list", "--output", "json").stdout)
    assert (listed["topic"], listed["partitions"], listed["offsets"]) == ("clicks", 2, 3)
    tm.run("topic", "delete", "clicks")
    assert tm.run("topic", "list", "--output", "json").stdout == ""


def test_list_counts_what_a_reader_gets(tm):
    """Each epoch of an exactly-once job leaves markers, which have offsets but are no records."""
    tm.run("topic", "produce", "in", "--create", stdin="".join(f'{{"n":{n}}}\n' for n in range(50)))
    tm.run("run", tm.script("copy.sql", """
        CREATE TABLE a (n BIGINT) WITH ('connector' = 'tidemill-log', 'topic' = 'in', 'format' = 'json',
          'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
        CREATE TABLE b (n BIGINT) WITH ('connector' = 'tidemill-log', 'topic' = 'out', 'format' = 'json');
        INSERT INTO b SELECT n FROM a;"""))
    listed = {row["topic"]: row for row in map(json.loads, tm.run("topic", "list", "--count", "--output", "json").stdout.splitlines())}
    assert (listed["in"]["records"], listed["in"]["offsets"]) == (50, 50)
    assert listed["out"]["records"] == 50 and listed["out"]["offsets"] > 50
    assert "records" not in tm.run("topic", "list").stdout.splitlines()[0]


def test_keys_choose_partitions_as_kafkas_clients_do(tm):
    tm.run("topic", "create", "k", "--partitions", "4")
    tm.run("topic", "produce", "k", "-k", stdin="".join(f"{key}:v{key}\n" for key in (1, 2, 21, "abc", 1)))
    lines = values(tm, "k", "--format", "%k %p %v")
    where = {line.split()[0]: int(line.split()[1]) for line in lines}
    assert sum(line.startswith("1 ") for line in lines) == 2 and len({line for line in lines if line.startswith("1 ")}) == 1
    # Murmur2 of these keys, masked and modulo 4, as org.apache.kafka.clients.producer puts them.
    assert where == {key: murmur2(key.encode()) % 4 for key in where}


def murmur2(data: bytes) -> int:
    """Kafka's Utils.murmur2, positive."""
    mask = 0xFFFFFFFF
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * 0x5BD1E995 & mask
        k = (k ^ k >> 24) * 0x5BD1E995 & mask
        h = h * 0x5BD1E995 & mask ^ k
    tail = data[whole:]
    for i in reversed(range(len(tail))):
        h ^= tail[i] << 8 * i
    if tail:
        h = h * 0x5BD1E995 & mask
    h = (h ^ h >> 13) * 0x5BD1E995 & mask
    return (h ^ h >> 15) & 0x7FFFFFFF


def test_places_to_start(tm):
    tm.run("topic", "import", "t", "--create", "--time-field", "ts", tm.script("in.jsonl", "".join(
        json.dumps({"n": n, "ts": f"2026-01-0{n} 00:00:00"}) + "\n" for n in range(1, 6))))
    def numbers(*options):
        return [json.loads(line)["n"] for line in values(tm, "t", *options)]
    assert numbers("-o", "start") == [1, 2, 3, 4, 5]
    assert numbers("-o", "3") == [4, 5]
    assert numbers("-o", "-2") == [4, 5]
    assert numbers("-o", "@2026-01-03T00:00") == [3, 4, 5]
    assert numbers("-o", ":end", "-n", "1") == [1]
    assert "no place to start" in tm.run("topic", "consume", "t", "-o", "later", code=2).stderr
    exported = tm.work / "out.jsonl"
    tm.run("topic", "export", "t", exported)
    assert exported.read_text() == (tm.work / "in.jsonl").read_text()


def test_bytes_that_are_no_text_come_back_as_they_were(tm):
    import subprocess
    tm.run("topic", "create", "raw")
    payload = bytes(range(11, 256))
    subprocess.run([BINARY, "--data-dir", tm.data, "topic", "produce", "raw"], input=payload + b"\n", check=True, capture_output=True)
    got = subprocess.run([BINARY, "--data-dir", tm.data, "topic", "consume", "raw"], check=True, capture_output=True).stdout
    assert got == payload + b"\n"


def test_errors_name_what_is_there(tm):
    tm.run("topic", "create", "transactions")
    done = tm.run("topic", "consume", "transaction", code=1)
    assert done.stderr.startswith("error[TM1200]: ") and "transactions" in done.stderr
    assert "TM1201" in tm.run("topic", "create", "transactions", code=1).stderr
    tm.run("topic", "create", "transactions", "--if-not-exists")
    assert "TM1014" in tm.run("topic", "create", "a/b", code=1).stderr
    assert "retention.ms" in tm.run("topic", "create", "x", "-c", "retention.m=5", code=1).stderr


def test_a_second_process_is_refused_and_told_where_to_ask(tm):
    server = tm.serve("serve", "--http", "127.0.0.1:0")
    done = tm.run("topic", "list", code=1)
    assert done.stderr.startswith("error[TM1005]: ") and server.url in done.stderr
    tm.run("topic", "produce", "t", "--create", "--server", server.url, stdin="a\nb\n", data=False)
    assert tm.run("topic", "consume", "t", "--server", server.url, "--no-follow", data=False).stdout == "a\nb\n"
    tm.run("topic", "create", "two", "--partitions", "2", "-c", "retention.ms=60000", "--server", server.url, data=False)
    assert "TM1201" in tm.run("topic", "create", "two", "--server", server.url, data=False, code=1).stderr
    described = tm.run("topic", "describe", "two", "--server", server.url, data=False).stdout
    assert "retention.ms = 60000" in described and len(described.strip().splitlines()[-2:]) == 2
    tm.run("topic", "delete", "two", "--server", server.url, data=False)
    assert [json.loads(line)["topic"] for line in tm.run("topic", "list", "--server", server.url, "--output", "json", data=False).stdout.splitlines()] == ["t"]
    assert server.stop()[0] == 0
    assert not (tm.data / "http.port").exists()
    assert values(tm, "t") == ["a", "b"]


def test_consume_follows_a_server_until_interrupted(tm):
    server = tm.serve("serve", "--http", "127.0.0.1:0")
    assert server.push("t", ["first"], "?create=true")[0] == 200
    reader = tm.start("topic", "consume", "t", "--server", server.url)
    assert reader.stdout.readline() == "first\n"
    server.push("t", ["second"])
    assert reader.stdout.readline() == "second\n"
    reader.send_signal(signal.SIGINT)
    reader.communicate(timeout=60)
    assert reader.returncode == 130


def test_http_push_and_consume(tm):
    server = tm.serve("serve", "--http", "127.0.0.1:0")
    status, answer = server.push("clicks", ['{"user":"a","n":1}', '{"user":"b","n":2}'])
    assert status == 404 and answer["code"] == "TM1200"
    status, answer = server.push("clicks", ['{"user":"a","n":1}', '{"user":"b","n":2}'], "?create=true&key=user")
    assert status == 200 and answer["accepted"] == 2
    page = server.get_json("/api/v1/topics/clicks/records")
    assert [(record["key"], json.loads(record["value"])["n"]) for record in page["records"]] == [("a", 1), ("b", 2)]
    assert page["next_offset"] == page["end_offset"] == 2
    assert server.get_json("/api/v1/topics/clicks/records?offset=-1&limit=1")["records"][0]["offset"] == 1
    assert server.get("/api/v1/topics/clicks/records?limit=0")[0] == 400
    assert server.get("/api/v1/topics/clicks/records?partition=9")[0] == 404


def test_http_refuses_a_request_whole(tm):
    server = tm.serve("serve", "--http", "127.0.0.1:0")
    tm.run("topic", "list", "--server", server.url, data=False)
    server.push("t", ["{}"], "?create=true")
    status, answer = server.push("t", ['{"k":1}', "no json", '{"k":2}'], "?key=k")
    assert status == 400 and "line 2" in answer["detail"]
    status, answer = server.push("t", ["x", "", "y" * (17 << 20)])
    assert status == 413 and "line 3" in answer["detail"]
    assert server.get_json("/api/v1/topics/t")["partitions"][0]["end"] == 1
    assert server.push("a%2Fb", ["x"])[0] == 400
    assert server.call("POST", "/api/v1/topics/t/records", "<x/>", "application/xml")[0] == 415


def test_kafka_rest_shape(tm):
    server = tm.serve("serve", "--http", "127.0.0.1:0")
    body = json.dumps({"records": [{"key": "k", "value": {"n": 1}}, {"value": [1, "x"]}, {"value": None}]})
    server.push("t", ["{}"], "?create=true")
    status, answer = server.call("POST", "/topics/t", body, "application/vnd.kafka.json.v2+json")
    assert status == 200
    assert [offset["offset"] for offset in json.loads(answer)["offsets"]] == [1, 2, 3]
    records = server.get_json("/api/v1/topics/t/records?offset=1")["records"]
    assert [record["value"] for record in records] == ['{"n":1}', '[1,"x"]', None]
    assert records[0]["key"] == "k"


def test_kafka_rest_answers_in_the_order_of_the_request(tm):
    server = tm.serve("serve", "--http", "127.0.0.1:0")
    tm.run("topic", "create", "t", "--partitions", "4", "--server", server.url, data=False)
    body = json.dumps({"records": [{"key": f"k{n}", "value": n} for n in range(20)]})
    status, answer = server.call("POST", "/topics/t", body, "application/vnd.kafka.json.v2+json")
    assert status == 200
    offsets = json.loads(answer)["offsets"]
    assert len(offsets) == 20 and len({offset["partition"] for offset in offsets}) > 1
    for n, place in enumerate(offsets):
        page = server.get_json(f"/api/v1/topics/t/records?partition={place['partition']}&offset={place['offset']}&limit=1")
        assert (page["records"][0]["key"], page["records"][0]["value"]) == (f"k{n}", str(n))


def test_many_producers_at_once_lose_nothing(tm):
    server = tm.serve("serve", "--http", "127.0.0.1:0")
    server.push("t", ["0"], "?create=true")
    failures = []

    def produce(worker: int):
        for i in range(20):
            status, answer = server.push("t", [f"{worker}-{i}-{j}" for j in range(5)])
            if status != 200 or answer["accepted"] != 5:
                failures.append(answer)

    threads = [threading.Thread(target=produce, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert server.stop()[0] == 0
    got = values(tm, "t")
    assert len(got) == 801 and len(set(got)) == 801


def test_operations_pages(tm):
    server = tm.serve("serve", "--http", "127.0.0.1:0")
    assert server.get_json("/healthz") == {"status": "ok"}
    assert server.get_json("/readyz")["status"] == "ready"
    assert server.get_json("/version")["name"] == "tidemill"
    metrics = server.get("/metrics")[1]
    for name in ("tidemill_build_info", "tidemill_uptime_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"):
        assert f"\n{name}" in "\n" + metrics
    document = server.get_json("/openapi.json")
    for path, methods in document["paths"].items():
        for method in methods:
            status, _ = server.call(method.upper(), path.replace("{topic}", "none").replace("{id}", "none"), "{}" if method == "post" else None)
            assert status != 405, (method, path)
    assert server.get("/nothing")[0] == 404 and server.get("/api/v1/jobs/none")[0] == 404


def test_a_taken_port_is_named(tm):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = tm.run("serve", "--http", f"127.0.0.1:{port}", code=1)
    assert done.stderr.startswith("error[TM1009]: ") and str(port) in done.stderr


def test_it_listens_on_loopback_only_unless_told(tm):
    done = tm.run("serve", "--http", "0.0.0.0:0", code=2)
    assert done.stderr.startswith("error[TM1015]: ") and "--insecure" in done.stderr
    server = tm.serve("serve", "--http", "0.0.0.0:0", "--insecure")
    assert server.stop(signal.SIGINT)[0] == 0


def test_a_server_that_is_not_there(tm):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "TM1007" in tm.run("topic", "list", "--server", f"http://127.0.0.1:{port}", data=False, code=4).stderr


def test_serve_waits_for_nothing_when_there_is_nothing(tm):
    server = tm.serve("serve", "--http", "127.0.0.1:0")
    wait_for(lambda: server.get("/readyz")[0] == 200, "readiness")
    assert server.get_json("/api/v1/jobs") == {"jobs": []}
    assert server.get_json("/api/v1/dlq") == {"dlq": []}
