#!/usr/bin/env python3
"""A webhook receiver that honours Idempotency-Key: it acts once a key, however often the key comes.

    receiver.py --out actions.jsonl [--port 0 --port-file FILE] [--fail-rate 0.1 --seed 7]

Each first request of a key becomes a line of --out ({"key", "body"}), synced before the answer. --fail-rate makes it answer 503 now and then,
half of the time after it has acted, as real receivers do.
"""
import argparse
import json
import os
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY_BYTES_MAX = 1 << 20


class Actions:
    """The actions taken, by key; survives a restart of the receiver."""

    def __init__(self, path: str):
        self.lock = threading.Lock()
        self.keys: set[str] = set()
        self.repeats = 0
        if os.path.exists(path):
            with open(path) as lines:
                self.keys = {json.loads(line)["key"] for line in lines if line.endswith("\n")}
        self.file = open(path, "a")

    def act(self, key: str, body: bytes) -> None:
        with self.lock:
            if key in self.keys:
                self.repeats += 1
                return
            self.file.write(json.dumps({"key": key, "body": json.loads(body)}) + "\n")
            self.file.flush()
            self.keys.add(key)


def serve(out: str, port: int, port_file: str | None, fail_rate: float, seed: int) -> None:
    actions = Actions(out)
    chance = random.Random(seed)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            key = self.headers.get("Idempotency-Key", "")
            if not key or length > BODY_BYTES_MAX:
                return self.answer(400)
            body = self.rfile.read(length)
            fails = chance.random() < fail_rate
            if not fails or chance.random() < 0.5:
                try:
                    actions.act(key, body)
                except ValueError:
                    return self.answer(400)
            self.answer(503 if fails else 200)

        def do_GET(self) -> None:
            self.answer(200, json.dumps({"actions": len(actions.keys), "repeats": actions.repeats}).encode())

        def answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    with Server(("127.0.0.1", port), Handler) as server:
        if port_file:
            with open(port_file + ".tmp", "w") as file:
                file.write(str(server.server_address[1]))
            os.rename(port_file + ".tmp", port_file)
        server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file")
    parser.add_argument("--fail-rate", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    try:
        serve(given.out, given.port, given.port_file, given.fail_rate, given.seed)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
