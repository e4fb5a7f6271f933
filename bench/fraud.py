#!/usr/bin/env python3
"""The whole fraud pipeline, measured: JSON in the log -> features -> ONNX -> features stored and scores written.

    bench/fraud.py [--transactions FILE] [--events N] [--lanes 2] [--repeats 3] [--skip latency]

One iteration of `throughput` reads every transaction and label from topics to their end with the binary, as a process of its own: wall-clock
seconds from start to exit, resident memory at its highest. `without model` is the same with the model, and what needs its score, left out.
`latency` sends 12,000 transactions a second through the HTTP API for some seconds and takes the time from append to the webhook's answer. What is
sent is encoded before the clock starts, and each request has its moment on it, so that a slow one doesn't slow the next ones down.
The peer in the same run: the same features by DuckDB over the same JSON file and the same model by onnxruntime, in batch.
"""
import argparse
import http.client
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "fraud"
TIDEMILL = os.environ.get("TIDEMILL_BINARY", str(ROOT / "build" / "release" / "tidemill"))
sys.path.insert(0, str(EXAMPLE))
import generate  # noqa: E402
import summary  # noqa: E402
import verify  # noqa: E402


def tidemill(data: Path, *arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([TIDEMILL, "--data-dir", str(data), *arguments], check=True, **options)


def keyed(frame, key: str) -> bytes:
    return "".join(f"{k}:{line}\n" for k, line in zip(frame[key].tolist(), generate.json_lines(frame))).encode()


def fill(data: Path, frame) -> int:
    """Puts transactions and labels into the log; returns the bytes of JSON."""
    labels = frame.assign(label_time=frame.tx_time + generate.LABEL_DELAY)[["terminal_id", "is_fraud", "label_time"]]
    total = 0
    for topic, rows, key in (("transactions", frame.drop(columns="is_fraud"), "customer_id"), ("labels", labels, "terminal_id")):
        tidemill(data, "topic", "create", topic, "--partitions", "2", stdout=subprocess.DEVNULL)
        lines = keyed(rows, key)
        total += len(lines)
        tidemill(data, "topic", "produce", topic, "-k", input=lines, stdout=subprocess.DEVNULL)
    return total


def without_model(script: str) -> str:
    """fraud.sql up to the features: no model, and no sink that needs a score."""
    script = re.sub(r"CREATE MODEL.*?;\n", "", script, flags=re.DOTALL)
    script = re.sub(r"CREATE VIEW (scored|decided)_view.*?;\n", "", script, flags=re.DOTALL)
    return re.sub(r"  INSERT INTO (scored|scores|blocked)\n.*?;\n", "", script, flags=re.DOTALL)


def run_job(data: Path, script: Path, out: Path, lanes: int) -> tuple[float, int]:
    """Seconds and peak resident bytes of one run to the end."""
    shutil.rmtree(out, ignore_errors=True)
    started = time.monotonic()
    process = subprocess.Popen([TIDEMILL, "--data-dir", str(data), "run", "-q", "-i", str(ROOT / "bench" / "fraud_topics.sql"), str(script),
                                "--name", "bench", "--fresh", "--parallelism", str(lanes), "-D", f"out={out}",
                                "-D", f"model={EXAMPLE / 'fraud_model.onnx'}", "-D", f"profiles={EXAMPLE / 'profiles.csv'}"])
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"tidemill ended with status {status}")
    return time.monotonic() - started, usage.ru_maxrss * 1024


def report(name: str, events: int, seconds: list[float], memory: int, due: int) -> float:
    middle = statistics.median(seconds)
    rates = [events / s for s in seconds]
    print(f"{name:<16} {events / middle:>12,.0f} events/s  (min {min(rates):,.0f}, max {max(rates):,.0f}, {len(seconds)} runs; due {due:,})"
          f"  memory {memory / 2**20:,.0f} MiB")
    return middle


def throughput(frame, work: Path, lanes: int, repeats: int) -> float:
    data = work / "data"
    json_bytes = fill(data, frame)
    print(f"{len(frame):,} transactions and as many labels, {json_bytes / 1e6:,.0f} MB of JSON in the log; {lanes} lanes")
    bare = work / "without_model.sql"
    bare.write_text(without_model((EXAMPLE / "fraud.sql").read_text()))
    result = 0.0
    for name, script, due in (("with model", EXAMPLE / "fraud.sql", 150_000), ("without model", bare, 300_000)):
        runs = [run_job(data, script, work / "out", lanes) for _ in range(repeats)]
        middle = report(name, len(frame), [seconds for seconds, _ in runs], max(memory for _, memory in runs), due)
        if name == "with model":
            result = middle
            rows = len(verify.read_parquet_files(str(work / "out" / "scored")))
            if rows != len(frame):
                raise SystemExit(f"{rows:,} rows scored instead of {len(frame):,}")
    return result


def peer(frame, work: Path) -> float:
    """Seconds that DuckDB and onnxruntime need for the same features and scores from the same JSON, in batch on all cores."""
    import duckdb
    import numpy as np
    import onnxruntime
    source = work / "transactions.jsonl"
    generate.write(frame, str(source))
    windows = (1, 7, 30)
    customer = ", ".join(f"count(*) over c{d} as customer_count_{d}d, avg(amount) over c{d} as customer_mean_{d}d" for d in windows)
    terminal = ", ".join(f"count(*) filter (where now) over t{d} as terminal_count_{d}d, "
                         f"coalesce(avg(fraud) over t{d}, 0) as terminal_fraud_rate_{d}d" for d in windows)
    frames = {name: ", ".join(f"{name[0]}{d} as (partition by {name}_id order by {time} range between interval {d} day preceding and current row)"
                              for d in windows) for name, time in (("customer", "tx_time"), ("terminal", "moment"))}
    query = f"""
      with tx as (select * from read_json('{source}', format='newline_delimited')),
      c as (select *, {customer}, date_diff('second', lag(tx_time) over (partition by customer_id order by tx_time), tx_time)
                as seconds_since_last from tx window {frames['customer']}),
      e as (select terminal_id, tx_time as moment, transaction_id, null::double as fraud, true as now from tx union all
            select terminal_id, tx_time + interval 7 day, null, is_fraud::int::double, false from tx),
      t as (select transaction_id, now, {terminal} from e window {frames['terminal']})
      select c.*, t.* exclude (transaction_id, now), (dayofweek(tx_time) in (0, 6))::int as is_weekend, (hour(tx_time) <= 6)::int as is_night
      from c join t using (transaction_id) where t.now"""
    import train
    started = time.monotonic()
    features = duckdb.sql(query).df()
    session = onnxruntime.InferenceSession(str(EXAMPLE / "fraud_model.onnx"))
    features["score"] = session.run(["probabilities"], {session.get_inputs()[0].name: features[train.INPUTS].to_numpy(np.float32)})[0][:, 1]
    features.to_parquet(work / "peer.parquet", index=False)
    return time.monotonic() - started


REQUESTS_PER_SECOND = 50


def requests_of(frame, rate: int) -> dict[str, list[tuple[float, bytes]]]:
    """Per topic what to send and when (seconds after the start): transactions at `rate` a second, labels a week of event time later."""
    times = frame.tx_time.to_numpy()
    known = (frame.tx_time + generate.LABEL_DELAY).to_numpy()
    lines = generate.json_lines(frame.drop(columns="is_fraud"))
    labels = generate.json_lines(frame.assign(label_time=frame.tx_time + generate.LABEL_DELAY)[["terminal_id", "is_fraud", "label_time"]])
    requests = {"transactions": [], "labels": []}
    step, told = rate // REQUESTS_PER_SECOND, 0
    for first in range(0, len(frame), step):
        last = min(first + step, len(frame))
        requests["transactions"].append((first / rate, ("\n".join(lines[first:last]) + "\n").encode()))
        due = int(known.searchsorted(times[last - 1], side="right"))
        if due > told:
            requests["labels"].append((first / rate, ("\n".join(labels[told:due]) + "\n").encode()))
            told = due
    return requests


class Sender(threading.Thread):
    """Sends the requests of one topic over one connection, each at its moment."""

    def __init__(self, url: str, topic: str, key: str, requests: list[tuple[float, bytes]], started: float):
        super().__init__()
        self.address, self.path = url.removeprefix("http://"), f"/api/v1/topics/{topic}/records?key={key}"
        self.requests, self.started = requests, started
        self.seconds, self.behind_max, self.failure = 0.0, 0.0, ""

    def run(self) -> None:
        connection = http.client.HTTPConnection(self.address, timeout=30)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for due, body in self.requests:
            ahead = self.started + due - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            self.behind_max = max(self.behind_max, -ahead)
            connection.request("POST", self.path, body, {"Content-Type": "application/x-ndjson"})
            response = connection.getresponse()
            text = response.read()
            if response.status != 200:
                self.failure = f"{self.path}: {response.status} {text.decode(errors='replace')}"
                return
        self.seconds = time.monotonic() - self.started


def send(frame, url: str, rate: int) -> tuple[float, float]:
    """Returns the rate that was reached and by how many seconds a request was late at most."""
    requests = requests_of(frame, rate)
    started = time.monotonic() + 0.1
    senders = [Sender(url, "transactions", "customer_id", requests["transactions"], started),
               Sender(url, "labels", "terminal_id", requests["labels"], started)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
        if sender.failure:
            raise SystemExit(sender.failure)
    # The last request has its whole interval.
    return len(frame) / max(senders[0].seconds, len(frame) / rate), senders[0].behind_max


def latency(frame, work: Path, rate: int, seconds: int) -> None:
    data, out = work / "live", work / "live_out"
    receiver = subprocess.Popen([sys.executable, str(EXAMPLE / "receiver.py"), "--out", str(work / "actions.jsonl"),
                                 "--port-file", str(work / "port")])
    job = None
    try:
        wait_for(work / "port")
        job = subprocess.Popen([TIDEMILL, "--data-dir", str(data), "run", "-q", "-i", str(EXAMPLE / "live.sql"), str(EXAMPLE / "fraud.sql"),
                                "--name", "live", "-D", f"out={out}", "-D", f"hold_url=http://127.0.0.1:{(work / 'port').read_text()}/hold",
                                "--http", "127.0.0.1:0"])
        wait_for(data / "http.port")
        url = f"http://127.0.0.1:{(data / 'http.port').read_text().strip()}"
        wait_for_ready(url)
        reached, behind = send(frame.head(rate * seconds), url, rate)
        time.sleep(1.5)
        with urllib.request.urlopen(f"{url}/metrics") as response:
            metrics = response.read().decode()
        buckets = summary.histogram(metrics, "tidemill_action_latency_seconds", "action=")
        count = int(buckets[-1][1]) if buckets else 0
        print(f"latency          {reached:>12,.0f} events/s sent of {rate:,} due, for {seconds} s, a request {behind * 1000:.0f} ms late at most")
        print(f"                 append to webhook's answer, {count:,} actions: p50 {summary.milliseconds(summary.quantile(buckets, 0.5))}, "
              f"p99 {summary.milliseconds(summary.quantile(buckets, 0.99))} (due p99 20 ms)")
    finally:
        for process in (job, receiver):
            if process is not None:
                process.terminate()
                process.wait()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not (path.exists() and path.stat().st_size):
        if time.monotonic() > deadline:
            raise SystemExit(f"{path} did not appear")
        time.sleep(0.02)


def wait_for_ready(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"{url}/readyz"):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit("tidemill did not become ready")
            time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transactions", help="a Parquet, CSV or JSON lines file (default: the generator)")
    parser.add_argument("--events", type=int, default=850_000)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rate", type=int, default=12_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--skip", choices=("throughput", "latency"), action="append", default=[])
    given = parser.parse_args()
    frame = verify.read_transactions(given.transactions) if given.transactions else generate.simulate(5000, 10000, 90, 7)
    frame = frame.head(given.events)
    work = Path(tempfile.mkdtemp(prefix="tidemill-bench-"))
    try:
        if "throughput" not in given.skip:
            ours = throughput(frame, work, given.lanes, given.repeats)
            theirs = peer(frame, work)
            print(f"{'peer':<16} {len(frame) / theirs:>12,.0f} events/s  DuckDB + onnxruntime in batch; tidemill streams at {theirs / ours:.2f} x its rate")
        if "latency" not in given.skip:
            latency(frame, work, given.rate, given.seconds)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
