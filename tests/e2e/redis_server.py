"""A Redis of its own on a free port, and tables over its streams.

Debian's redis-tools has the server too: the program is called redis-check-rdb there and looks at the name it is called by. The package
redis-server would start a service on the machine.
"""
import time
import uuid
from pathlib import Path

import redis
from servers import Server, free_port

WAIT_S = 120


class Redis(Server):
    kind = "redis"

    def __init__(self, folder: Path, *options: str):
        super().__init__(folder)
        self.port = free_port()
        self.options = options
        self.program = folder / "redis-server"
        assert Path("/usr/bin/redis-check-rdb").exists(), "Redis is not installed: run scripts/setup.sh"
        self.program.symlink_to("/usr/bin/redis-check-rdb")

    def start(self, **login):
        self.run([self.program, "--port", self.port, "--bind", "127.0.0.1", "--dir", self.folder, "--save", "", "--appendonly", "yes",
                  "--appendfsync", "always", "--daemonize", "no", *self.options])
        self.client = redis.Redis("127.0.0.1", self.port, decode_responses=True, socket_timeout=WAIT_S, **login)
        end = time.monotonic() + 60
        while True:
            self.check(end)
            try:
                self.client.ping()
                return
            except (redis.ConnectionError, redis.BusyLoadingError):
                time.sleep(0.02)

    def name(self, prefix: str = "s") -> str:
        return f"{prefix}-{uuid.uuid4().hex[:8]}"

    def add(self, stream: str, entries, ids=None):
        """Each a dict of fields."""
        pipeline = self.client.pipeline(transaction=False)
        for number, fields in enumerate(entries):
            pipeline.xadd(stream, fields, id=ids[number] if ids else "*")
        return pipeline.execute()

    def entries(self, stream: str) -> list:
        return self.client.xrange(stream)

    def wait_for_entries(self, stream: str, enough) -> list:
        end = time.monotonic() + WAIT_S
        while True:
            found = self.entries(stream)
            if enough(found):
                return found
            assert time.monotonic() < end, f"{stream}: {len(found)} entries, the last: {found[-3:]}"
            time.sleep(0.02)


def stream_table(server, name: str, columns: str, stream: str, **options) -> str:
    """CREATE TABLE; option names are written with _ for . and __ for -."""
    given = {"connector": "redis-streams", "url": f"redis://{server.address}", "stream": stream}
    given |= {key.replace("__", "-").replace("_", "."): value for key, value in options.items()}
    clause = ", ".join(f"'{key}' = '{value}'" for key, value in given.items() if value is not None)
    return f"CREATE TABLE {name} ({columns}) WITH ({clause});\n"
