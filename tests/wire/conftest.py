"""A Tidemill of its own for each test, on a free port, for real Kafka clients."""
import os
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TIDEMILL_BINARY", str(ROOT / "build" / "release" / "tidemill"))


class Broker:
    def __init__(self, folder: Path):
        self.data = folder / "data"
        self.errors = folder / "stderr.txt"
        self.process = None
        self.port = 0
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self):
        """On the same port as before, so that clients find it again."""
        port_file = self.data / "kafka.port"
        port_file.unlink(missing_ok=True)
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen([BINARY, "--data-dir", self.data, "serve", "--http", "127.0.0.1:0", "--kafka", f"127.0.0.1:{self.port}"],
                                            stdout=errors, stderr=errors)
        end = time.monotonic() + 30
        while not port_file.exists():
            assert self.process.poll() is None and time.monotonic() < end, self.errors.read_text()
            time.sleep(0.01)
        self.port = int(port_file.read_text())

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(30) == 0, self.errors.read_text()


@pytest.fixture
def broker(tmp_path):
    started = Broker(tmp_path)
    yield started
    if started.process.poll() is None:
        started.stop()
    assert "ERROR" not in started.errors.read_text(), started.errors.read_text()


@pytest.fixture
def topic():
    return f"topic-{uuid.uuid4().hex[:8]}"
