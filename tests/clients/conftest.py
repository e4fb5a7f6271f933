"""The clients of other languages: each is a program that is told what to do and tells what it did, a line each (see java/Client.java)."""
import subprocess
import threading
import time
import uuid

import pytest
import servers

CLIENTS = servers.dependencies() / "clients"
COMMANDS = {
    "java": ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.apache.logging.log4j.level=OFF", "-cp", f"{CLIENTS / 'java'}:{CLIENTS / 'kafka'}/*", "Client"],
    "franz-go": [CLIENTS / "franz-go"],
    "kafkajs": ["node", CLIENTS / "node" / "client.js"],
}
DEADLINE_S = 120


def wait_for(condition, what, seconds=DEADLINE_S):
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"{what() if callable(what) else what} did not come within {seconds} s"
        time.sleep(0.02)
    return value


class Program:
    """A client that runs until it is told to stop: its standard input ends."""

    def __init__(self, command, errors):
        self.lines: list[str] = []
        self.errors = errors.open("w+")
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def last(self, word: str) -> str | None:
        """What was said last in a line that begins with the word."""
        return next((line[len(word) + 1:] for line in reversed(self.lines) if line.startswith(word + " ")), None)

    def records(self) -> list[tuple[int, int, str, str]]:
        return records_of(self.lines)

    def tell(self) -> str:
        self.errors.seek(0)
        return "\n".join([*self.lines[-20:], self.errors.read()[-5000:]])

    def stop(self):
        self.process.stdin.close()
        self.process.wait(DEADLINE_S)
        self.reader.join(DEADLINE_S)
        assert self.process.returncode == 0 and "left" in self.lines[-3:], self.tell()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(DEADLINE_S)


def records_of(lines) -> list[tuple[int, int, str, str]]:
    """Partition, offset, key, value."""
    found = []
    for line in lines:
        if line.startswith("record "):
            _, partition, offset, key, value = line.split(" ", 4)
            found.append((int(partition), int(offset), key, value))
    return found


class Client:
    def __init__(self, name: str, broker, folder):
        self.name, self.broker, self.folder, self.started = name, broker, folder, []

    def command(self, what: str, *arguments) -> list:
        return [*COMMANDS[self.name], what, self.broker.address, *arguments]

    def run(self, what: str, *arguments) -> list[str]:
        done = subprocess.run(list(map(str, self.command(what, *arguments))), capture_output=True, text=True, timeout=2 * DEADLINE_S, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{what} ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-5000:]}"
        return done.stdout.splitlines()

    def read(self, topic: str, isolation: str = "read_committed") -> list[tuple[int, int, str, str]]:
        """All records that there are now."""
        lines = self.run("read", topic, isolation)
        assert lines[-1] == "end", lines[-1]
        return records_of(lines)

    def start(self, what: str, *arguments) -> Program:
        self.started.append(Program(self.command(what, *arguments), self.folder / f"{what}{len(self.started)}.txt"))
        return self.started[-1]


@pytest.fixture
def clients(broker, tmp_path):
    """Makes clients by name; what they left running ends with the test."""
    made: list[Client] = []

    def make(name: str) -> Client:
        made.append(Client(name, broker, tmp_path))
        return made[-1]

    yield make
    for one in made:
        for program in one.started:
            if program.process.poll() is None:
                program.kill()


@pytest.fixture
def topic():
    return f"topic-{uuid.uuid4().hex[:8]}"
