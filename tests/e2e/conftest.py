"""Runs the real program: data directories that go away, servers on free ports that are stopped by their process id."""
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TIDEMILL_BINARY", str(ROOT / "build" / "release" / "tidemill"))
DEADLINE_S = 120


def interrupt(process: subprocess.Popen) -> None:
    """Ctrl-C, but not before the program waits for it: until then it would be killed like any other."""
    end = time.monotonic() + DEADLINE_S
    while process.poll() is None:
        blocked = re.search(r"^SigBlk:\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text(), re.M)
        mask = int(blocked[1], 16) if blocked else 0
        if mask >> (signal.SIGINT - 1) & 1 and not mask >> (signal.SIGHUP - 1) & 1:  # all are blocked while it is being started
            break
        assert time.monotonic() < end, "it does not wait for signals"
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)


def clean_environment() -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMILL_") and name != "NO_COLOR"}
    environment["HOME"] = environment.get("TMPDIR", "/tmp")
    return environment


class Tidemill:
    """One data directory and the commands on it."""

    def __init__(self, work: Path):
        self.work = work
        self.data = work / "data"
        self.processes: list[subprocess.Popen] = []

    def command(self, *arguments: str, data: bool = True) -> list[str]:
        """Kafka clients are served only where a test says so: two tests at once can't both have the usual port."""
        if arguments and arguments[0] == "serve" and "--kafka" not in arguments and "--help" not in arguments:
            arguments += ("--kafka", "off")
        if arguments and arguments[0] == "serve" and "--schema-registry" not in arguments and "--help" not in arguments:
            arguments += ("--schema-registry", "off")
        return [BINARY, *(["--data-dir", str(self.data)] if data else []), *map(str, arguments)]

    def run(self, *arguments: str, stdin: str = "", code: int | None = 0, data: bool = True, **options) -> subprocess.CompletedProcess:
        command = self.command(*arguments, data=data)
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=DEADLINE_S, env=clean_environment(), **options)
        if code is not None:
            assert done.returncode == code, f"{' '.join(command)}\nended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def script(self, name: str, text: str) -> Path:
        path = self.work / name
        path.write_text(text)
        return path

    def start(self, *arguments: str) -> subprocess.Popen:
        process = subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
        self.processes.append(process)
        return process

    def serve(self, *arguments: str, ready: bool = True) -> "Server":
        process = self.start(*arguments)
        port_file = self.data / "http.port"
        wait_for(lambda: port_file.exists() or process.poll() is not None, "the server's port")
        assert process.poll() is None, process.stderr.read()
        server = Server(process, int(port_file.read_text()))
        if ready:
            wait_for(lambda: server.get("/readyz")[0] == 200 or process.poll() is not None, "readiness")
            assert process.poll() is None, process.stderr.read()
        return server

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()


class Server:
    def __init__(self, process: subprocess.Popen, port: int):
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.port = port

    def call(self, method: str, path: str, body: str | bytes | None = None, content_type: str = "application/json") -> tuple[int, str]:
        data = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", content_type)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def get(self, path: str) -> tuple[int, str]:
        return self.call("GET", path)

    def get_json(self, path: str):
        status, body = self.get(path)
        assert status == 200, body
        return json.loads(body)

    def count(self, topic: str) -> int:
        """Records that a reader gets from partition 0: offsets count transactions' markers, and what was aborted, too."""
        records, offset = 0, "start"
        while True:
            page = self.get_json(f"/api/v1/topics/{topic}/records?offset={offset}&limit=10000")
            if not page["records"]:
                return records
            records += len(page["records"])
            offset = page["next_offset"]

    def push(self, topic: str, lines: list[str], query: str = "") -> tuple[int, dict]:
        status, body = self.call("POST", f"/api/v1/topics/{topic}/records{query}", "\n".join(lines) + "\n", "application/x-ndjson")
        return status, json.loads(body)

    def stop(self, how: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(how)
        _, error = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, error


def wait_for(condition, what: str, seconds: float = DEADLINE_S):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.01)


@pytest.fixture
def tm(tmp_path):
    tidemill = Tidemill(tmp_path)
    yield tidemill
    tidemill.close()


@pytest.fixture(scope="module")
def registry_url(broker):
    """Of the module's own `broker`."""
    port = broker.folder / "data" / "schema-registry.port"
    wait_for(lambda: port.exists() and port.read_text().strip(), "the registry's port")
    return f"http://127.0.0.1:{int(port.read_text())}"


@pytest.fixture
def registry(registry_url):
    from confluent_kafka.schema_registry import SchemaRegistryClient
    return SchemaRegistryClient({"url": registry_url})
