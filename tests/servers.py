"""A Tidemill, or a real Apache Kafka beside it, as a process of its own on a free port: what clients are tested and measured against.

Kafka is what scripts/setup_clients.sh installed. A server dies with the process that started it.
"""
import base64
import os
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BINARY = os.environ.get("TIDEMILL_BINARY", str(ROOT / "build" / "release" / "tidemill"))
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def dependencies() -> Path:
    return Path(subprocess.run([ROOT / "scripts" / "setup.sh", "--where"], capture_output=True, text=True, check=True).stdout.strip())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """What both have: an address that stays over restarts, and what the kernel knows about the process."""
    kind = ""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.errors = folder / "stderr.txt"
        self.process: subprocess.Popen | None = None
        self.port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def run(self, command: list) -> None:
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)

    def check(self, end: float) -> None:
        assert self.process.poll() is None and time.monotonic() < end, f"{self.kind} did not start\n{self.errors.read_text()[-5000:]}"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def memory_bytes(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
        return 0


class Tidemill(Server):
    kind = "tidemill"
    schema_registry = "127.0.0.1:0"

    def __init__(self, folder: Path, *options: str):
        super().__init__(folder)
        self.options = options
        self.wrapper: list = []  # a program that runs it, such as one that injects faults

    def launch(self) -> None:
        self.run([*self.wrapper, BINARY, "--data-dir", self.folder / "data", "serve", "--http", "127.0.0.1:0", "--kafka", f"127.0.0.1:{self.port}",
                  "--schema-registry", self.schema_registry, *self.options])

    def start(self) -> None:
        """On the same port as before, so that clients find it again."""
        port_file = self.folder / "data" / "kafka.port"
        port_file.unlink(missing_ok=True)
        self.launch()
        end = time.monotonic() + 60
        while not port_file.exists():
            self.check(end)
            time.sleep(0.005)
        self.port = int(port_file.read_text())

    def stop(self) -> None:
        super().stop()
        assert self.process.returncode == 0, self.errors.read_text()


class Kafka(Server):
    """Apache Kafka in KRaft mode: one process is broker and controller, with a cluster id of its own."""
    kind = "kafka"
    heap = "512m"

    def __init__(self, folder: Path, **settings):
        super().__init__(folder)
        self.libraries = dependencies() / "clients" / "kafka"
        assert self.libraries.is_dir(), "Apache Kafka is not installed: run scripts/setup_clients.sh kafka"
        self.settings = settings

    def configure(self) -> None:
        self.port = free_port()
        controller = free_port()
        settings = {
            "process.roles": "broker,controller", "node.id": 1, "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}", "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.listener.names": "CONTROLLER", "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": self.folder / "data", "offsets.topic.replication.factor": 1, "offsets.topic.num.partitions": 5,
            "transaction.state.log.replication.factor": 1, "transaction.state.log.min.isr": 1, "transaction.state.log.num.partitions": 5,
            "share.coordinator.state.topic.replication.factor": 1, "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0, **self.settings,
        }
        (self.folder / "server.properties").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        (self.folder / "log4j2.properties").write_text(
            "status=error\nrootLogger.level=warn\nrootLogger.appenderRef.f.ref=F\nappender.f.type=Console\nappender.f.name=F\n"
            "appender.f.layout.type=PatternLayout\nappender.f.layout.pattern=%d %p %m (%c)%n\n")
        cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=").replace("-", "A")  # the id may not begin with a dash
        done = subprocess.run(["java", "-Xmx128m", "-cp", f"{self.libraries}/*", "kafka.tools.StorageTool", "format", "-t", cluster, "-c",
                               str(self.folder / "server.properties")], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def launch(self) -> None:
        self.run(["java", f"-Xms{self.heap}", f"-Xmx{self.heap}", "-XX:+UseG1GC", f"-Dlog4j2.configurationFile={self.folder}/log4j2.properties",
                  "-cp", f"{self.libraries}/*", "kafka.Kafka", self.folder / "server.properties"])

    def start(self) -> None:
        if self.port == 0:
            self.configure()
        self.launch()
        end = time.monotonic() + 180
        while True:
            self.check(end)
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        self.wait_until_ready(end)

    def wait_until_ready(self, end: float) -> None:
        """An open port is not all: transactions and groups must have their coordinators."""
        import confluent_kafka as ck
        quiet = {"bootstrap.servers": self.address, "log_level": 0}
        while True:
            self.check(end)
            try:
                producer = ck.Producer({**quiet, "transactional.id": "readiness"})
                producer.init_transactions(10)
                reader = ck.Consumer({**quiet, "group.id": "readiness"})
                reader.committed([ck.TopicPartition("readiness", 0)], 10)
                reader.close()
                return
            except ck.KafkaException:
                time.sleep(0.2)

    def stop(self) -> None:
        super().stop()
        assert self.process.returncode in (0, 143), self.errors.read_text()[-5000:]


KINDS = {"tidemill": Tidemill, "kafka": Kafka}
