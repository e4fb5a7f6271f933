"""Kafka Connect with Debezium's connector for PostgreSQL, as a process of its own: one worker, standalone or distributed."""
import json
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import servers

LIBRARIES = servers.dependencies() / "clients" / "connect"
DEADLINE_S = 240


class Connect(servers.Server):
    kind = "connect"

    def __init__(self, folder: Path, broker: str, distributed: bool, connector: dict, **settings):
        super().__init__(folder)
        assert LIBRARIES.is_dir(), "Kafka Connect is not installed: run scripts/setup_clients.sh connect"
        self.distributed, self.connector = distributed, connector
        self.port = servers.free_port()
        common = {"bootstrap.servers": broker, "listeners": f"http://127.0.0.1:{self.port}", "plugin.discovery": "service_load",
                  "key.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                  "key.converter.schemas.enable": False, "offset.flush.interval.ms": 1000}
        one = {"offset.storage.file.filename": folder / "offsets"}
        many = {"group.id": "connect", "scheduled.rebalance.max.delay.ms": 0}
        for what in ("config", "offset", "status"):
            many |= {f"{what}.storage.topic": f"connect-{what}", f"{what}.storage.replication.factor": 1}
        many |= {"offset.storage.partitions": 3, "status.storage.partitions": 2}
        self.write("worker.properties", common | (many if distributed else one) | settings)
        self.write("connector.properties", connector)
        (folder / "log4j2.properties").write_text(
            "status=error\nrootLogger.level=warn\nrootLogger.appenderRef.f.ref=F\nappender.f.type=Console\nappender.f.name=F\n"
            "appender.f.layout.type=PatternLayout\nappender.f.layout.pattern=%d %p %m (%c)%n\n")

    def write(self, name: str, settings: dict):
        (self.folder / name).write_text("".join(f"{key}={str(value).lower() if isinstance(value, bool) else value}\n" for key, value in settings.items()))

    def start(self):
        program = "ConnectDistributed" if self.distributed else "ConnectStandalone"
        files = [self.folder / "worker.properties"] + ([] if self.distributed else [self.folder / "connector.properties"])
        self.run(["java", "-Xmx384m", "-XX:TieredStopAtLevel=1", f"-Dlog4j2.configurationFile={self.folder}/log4j2.properties", "-cp", f"{LIBRARIES}/*",
                  f"org.apache.kafka.connect.cli.{program}", *files])
        end = time.monotonic() + DEADLINE_S
        while (state := self.state()) != "RUNNING":
            self.check(end)
            assert state != "FAILED", json.dumps(self.ask("GET", self.status_path())[1], indent=1) + self.errors.read_text()[-5000:]
            if state == "absent" and self.distributed:
                self.ask("PUT", f"/connectors/{self.connector['name']}/config", self.connector)
            time.sleep(0.2)

    def status_path(self) -> str:
        return f"/connectors/{self.connector['name']}/status"

    def state(self) -> str:
        """Of the connector's only task."""
        try:
            code, answer = self.ask("GET", self.status_path())
        except OSError:
            return "starting"
        if code == 404 and "No status found" in answer.get("message", ""):
            return "absent"
        return answer["tasks"][0]["state"] if code == 200 and answer["tasks"] else "starting"

    def ask(self, method: str, path: str, body=None) -> tuple[int, dict]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, headers={"Content-Type": "application/json"},
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            try:
                return error.code, json.loads(text)
            except ValueError:
                return error.code, {"message": text}

    def stop(self):
        if self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
