"""kill -9 at random moments: no row lost, none doubled, and every value as in the undisturbed run.

Environment: TIDEMILL_BINARY, TIDEMILL_CHAOS_SEED, TIDEMILL_CHAOS_EVENTS (200000), TIDEMILL_CHAOS_KILLS (20).
"""
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "fraud"
TIDEMILL = os.environ.get("TIDEMILL_BINARY", str(ROOT / "build" / "release" / "tidemill"))
SEED = int(os.environ.get("TIDEMILL_CHAOS_SEED", "1"))
EVENTS = int(os.environ.get("TIDEMILL_CHAOS_EVENTS", "200000"))
KILLS = int(os.environ.get("TIDEMILL_CHAOS_KILLS", "20"))

sys.path.insert(0, str(EXAMPLE))
import generate  # noqa: E402
import verify  # noqa: E402


def tidemill(data: Path, *arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([TIDEMILL, "--data-dir", str(data), *arguments], check=True, timeout=120, **options)


@pytest.fixture(scope="module")
def transactions() -> pd.DataFrame:
    frame = generate.simulate(customers=3000, terminals=6000, days=40, seed=SEED)
    assert len(frame) >= EVENTS
    return frame.head(EVENTS)


def keyed(frame: pd.DataFrame, key: str) -> bytes:
    keys = frame[key].tolist()
    return "".join(f"{key}:{line}\n" for key, line in zip(keys, generate.json_lines(frame))).encode()


@pytest.fixture(scope="module")
def filled(transactions, tmp_path_factory) -> Path:
    """A data directory whose log holds the events; each run works on a copy."""
    data = tmp_path_factory.mktemp("filled") / "data"
    labels = transactions.assign(label_time=transactions.tx_time + generate.LABEL_DELAY)
    for topic, frame, key in (("transactions", transactions.drop(columns="is_fraud"), "customer_id"),
                              ("labels", labels[["terminal_id", "is_fraud", "label_time"]], "terminal_id")):
        tidemill(data, "topic", "create", topic, "--partitions", "2")
        tidemill(data, "topic", "produce", topic, "-k", input=keyed(frame, key), stdout=subprocess.DEVNULL)
    return data


@pytest.fixture
def receiver(tmp_path):
    out, port_file = tmp_path / "actions.jsonl", tmp_path / "port"
    process = subprocess.Popen([sys.executable, str(EXAMPLE / "receiver.py"), "--out", str(out), "--port-file", str(port_file),
                                "--fail-rate", "0.02", "--seed", str(SEED)])
    try:
        deadline = time.monotonic() + 60
        while not port_file.exists():
            assert time.monotonic() < deadline and process.poll() is None, "the receiver did not start"
            time.sleep(0.01)
        yield out, f"http://127.0.0.1:{port_file.read_text()}/hold"
    finally:
        process.kill()
        process.wait()


def start(data: Path, out: Path, hold_url: str, emit: str, lanes: int) -> subprocess.Popen:
    return subprocess.Popen(
        [TIDEMILL, "--data-dir", str(data), "run", "-i", str(ROOT / "tests" / "chaos" / "topics.sql"), str(EXAMPLE / "fraud.sql"),
         "--name", "fraud", "--parallelism", str(lanes), "-D", f"out={out}", "-D", f"hold_url={hold_url}", "-D", f"emit={emit}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen) -> str:
    _, error = process.communicate(timeout=300)
    assert process.returncode == 0, error.decode()
    return error.decode()


def progress(data: Path) -> float:
    """The share of the transactions that the newest durable epoch has behind it."""
    manifests = data / "jobs" / "fraud" / "state" / "manifests"
    for path in sorted(manifests.glob("epoch-*.json"), reverse=True):
        try:
            manifest, _ = json.JSONDecoder().raw_decode(path.read_text())  # a checksum follows
        except FileNotFoundError:  # replaced by a newer one
            return progress(data)
        splits = manifest["sources"].get("Scan[arrived]", {}).values()
        return sum(int(split.get("position", "0").split("/")[0]) for split in splits) / EVENTS
    return 0.0


def run_with_kills(data: Path, out: Path, hold_url: str, emit: str, lanes: int) -> None:
    """Starts the job KILLS times, killing each one at a random moment, then lets it end.

    Each run has a random point of the input to reach; it is killed a random time after its epochs have got there, or, if an earlier run went past
    that point already, a random time after its start: while it starts, restores, or goes on. No run gets far beyond its point, so that none ends;
    but where the machine gives this process no time one may, late, and that is the last.
    """
    chance = random.Random(SEED * 1000 + lanes)
    points = sorted(chance.uniform(0, 0.75) for _ in range(KILLS))
    reached = []
    for point in points:
        at_start = progress(data)
        process = start(data, out, hold_url, emit, lanes)
        deadline = time.monotonic() + 120
        while (now := progress(data)) < point and process.poll() is None:
            assert time.monotonic() < deadline, f"the job stands at {now:.0%}"
            time.sleep(0.002)
        moment = time.monotonic() + chance.uniform(0, 0.08 if at_start < point else 0.3)
        while time.monotonic() < moment and (now := progress(data)) <= max(at_start, point + 0.1):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        _, error = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), error.decode()
        if process.returncode == 0:
            break
        reached.append(f"{now:.0%}")
    else:
        finish(start(data, out, hold_url, emit, lanes))
    assert len(reached) >= KILLS // 2, f"the job ended before it was killed {KILLS // 2} times, at {reached}"
    assert len(set(reached)) >= 3, f"no epoch becomes durable soon after a restart: {reached}"
    print(f"killed {len(reached)} times, with epochs up to {', '.join(reached)} of the input")


def scores_topic(data: Path) -> pd.DataFrame:
    lines = tidemill(data, "topic", "consume", "scores", "-o", "start", "-n", str(10 * EVENTS), "--format", "%v", "--no-follow",
                     stdout=subprocess.PIPE).stdout
    return pd.DataFrame(json.loads(line) for line in lines.splitlines())


def copy(data: Path, to: Path) -> Path:
    subprocess.run(["cp", "-r", str(data), str(to)], check=True)
    return to


@pytest.mark.parametrize("lanes", [1, 2])
def test_on_watermark_every_value_is_as_undisturbed(filled, transactions, receiver, tmp_path, lanes):
    actions, hold_url = receiver
    calm = copy(filled, tmp_path / "calm")
    finish(start(calm, tmp_path / "calm_out", hold_url, "on-watermark", lanes))
    data = copy(filled, tmp_path / "killed")
    run_with_kills(data, tmp_path / "out", hold_url, "on-watermark", lanes)

    for what in ("features", "scored"):
        want = verify.read_parquet_files(str(tmp_path / "calm_out" / what)).sort_values("transaction_id").reset_index(drop=True)
        got = verify.read_parquet_files(str(tmp_path / "out" / what)).sort_values("transaction_id").reset_index(drop=True)
        assert len(want) == len(transactions)
        columns = [column for column in want if column != "written_at"]
        pd.testing.assert_frame_equal(got[columns], want[columns], check_exact=True)
    topic = scores_topic(data)
    assert sorted(topic.transaction_id) == sorted(transactions.transaction_id), "the scores topic lost or doubled rows"


@pytest.mark.parametrize("lanes", [1, 2])
def test_on_arrival_each_transaction_has_one_score_and_each_block_one_action(filled, transactions, receiver, tmp_path, lanes):
    actions, hold_url = receiver
    data = copy(filled, tmp_path / "killed")
    run_with_kills(data, tmp_path / "out", hold_url, "on-arrival", lanes)

    scored = verify.read_parquet_files(str(tmp_path / "out" / "scored"))
    assert sorted(scored.transaction_id) == sorted(transactions.transaction_id), "scored lost or doubled rows"
    topic = scores_topic(data)
    assert sorted(topic.transaction_id) == sorted(transactions.transaction_id), "the scores topic lost or doubled rows"
    both = scored.merge(topic, on="transaction_id", suffixes=("", "_topic"))
    assert (both.decision == both.decision_topic).all(), "two sinks saw two decisions"
    assert (both.score == both.score_topic).all()
    blocked = set(scored[scored.decision == "block"].transaction_id)
    assert blocked, "nothing was blocked: the test shows nothing"
    acted = [json.loads(line)["body"]["transaction_id"] for line in actions.read_text().splitlines()]
    assert len(acted) == len(set(acted))
    assert set(acted) == blocked
