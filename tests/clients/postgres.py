"""A PostgreSQL of its own, on a free port, with logical decoding."""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import servers

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
DEADLINE_S = 120


class Postgres:
    """Dies with the process that started it."""

    def __init__(self):
        assert (PROGRAMS / "postgres").exists(), "PostgreSQL is not installed: run scripts/setup_clients.sh connect"
        # Not under pytest's folders: those of root can't be entered by the user that PostgreSQL has to run as.
        self.folder = Path(tempfile.mkdtemp(prefix="tidemill-postgres-"))
        self.port = servers.free_port()
        self.as_user = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user = pwd.getpwnam("postgres")
            shutil.chown(self.folder, user.pw_uid, user.pw_gid)
            self.as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
        data = self.folder / "data"
        subprocess.run([*self.as_user, PROGRAMS / "initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C",
                        "-D", data], check=True, capture_output=True, cwd=self.folder)
        self.log = (self.folder / "log.txt").open("w+")
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder, "wal_level": "logical", "fsync": "off",
                    "max_wal_senders": 4, "max_replication_slots": 4, "shared_buffers": "16MB", "timezone": "UTC"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen([*self.as_user, "setpriv", "--pdeathsig", "QUIT", "--", PROGRAMS / "postgres", "-D", data, *options],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=self.folder)
        end = time.monotonic() + DEADLINE_S
        while subprocess.run([PROGRAMS / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode != 0:
            assert self.process.poll() is None and time.monotonic() < end, (self.folder / "log.txt").read_text()
            time.sleep(0.05)

    def run(self, sql: str, database: str = "postgres") -> str:
        """The statements go as one script; rows come back as CSV without a header."""
        done = subprocess.run([PROGRAMS / "psql", "-X", "-q", "--csv", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres",
                               "-d", database, "-f", "-"], input=sql, capture_output=True, text=True, timeout=DEADLINE_S)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # a fast shutdown
        try:
            self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
