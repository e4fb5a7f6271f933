"""The fraud example as its user runs it: features equal to pandas, scores equal to ONNX Runtime's, a model trained on historical features.

The published transactions (../shared/data/fraud) are used where they exist; else those tests are skipped, and say so.
"""
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "fraud"
TIDEMILL = os.environ.get("TIDEMILL_BINARY", str(ROOT / "build" / "release" / "tidemill"))
PUBLISHED = ROOT.parent / "shared" / "data" / "fraud" / "transactions.parquet"

sys.path.insert(0, str(EXAMPLE))
import generate  # noqa: E402
import train  # noqa: E402
import verify  # noqa: E402

needs_published = pytest.mark.skipif(not PUBLISHED.exists(), reason="the published transactions (../shared/data/fraud) are not here")


def tidemill(data: Path, *arguments: str) -> subprocess.CompletedProcess:
    done = subprocess.run([TIDEMILL, "--data-dir", str(data), *arguments], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done


def back_test(transactions: Path, work: Path, *extra: str) -> Path:
    out = work / "out"
    tidemill(work / "data", "run", str(EXAMPLE / "fraud.sql"), "-D", f"transactions={transactions}", "-D", f"out={out}", *extra)
    return out


def assert_features_equal(transactions: pd.DataFrame, out: Path) -> pd.DataFrame:
    want = verify.expected_features(transactions)
    scored = verify.read_parquet_files(str(out / "scored"))
    problems = verify.compare("features", verify.read_parquet_files(str(out / "features")), want) + verify.compare("scored", scored, want)
    assert not problems, "\n".join(problems)
    return scored


@pytest.fixture(scope="module")
def generated() -> pd.DataFrame:
    return generate.simulate(customers=600, terminals=1200, days=60, seed=3)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
@pytest.mark.parametrize("lanes", ["1", "2"])
def test_back_test_equals_pandas(generated, tmp_path, suffix, lanes):
    source = tmp_path / f"transactions.{suffix}"
    generate.write(generated, str(source))
    assert_features_equal(generated, back_test(source, tmp_path, "--parallelism", lanes))


def assert_scores_equal_onnxruntime(scored: pd.DataFrame, model: Path):
    import onnxruntime
    session = onnxruntime.InferenceSession(str(model))
    inputs = scored[train.INPUTS].to_numpy(np.float32)
    expected = session.run(["probabilities"], {session.get_inputs()[0].name: inputs})[0][:, 1]
    assert np.abs(scored.score - expected).max() <= 1e-6


def test_scores_equal_onnxruntime_in_python(generated, tmp_path):
    source = tmp_path / "transactions.parquet"
    generate.write(generated, str(source))
    scored = verify.read_parquet_files(str(back_test(source, tmp_path) / "scored"))
    assert_scores_equal_onnxruntime(scored, EXAMPLE / "fraud_model.onnx")
    decision = np.where(scored.score >= 0.8, "block", np.where(scored.score >= 0.2, "review", None))
    decided = pd.notna(decision)
    assert (scored.decision[decided] == decision[decided]).all()
    assert set(scored.decision[~decided]) <= {"pass", "review"}
    assert scored.model_version.str.startswith("fraud_model").all()


@needs_published
def test_published_slice_equals_pandas(tmp_path):
    frame = pd.read_parquet(PUBLISHED).head(150_000)
    source = tmp_path / "transactions.parquet"
    frame.to_parquet(source, index=False)
    assert_features_equal(frame, back_test(source, tmp_path))


def train_model(transactions: Path, work: Path, until: str) -> tuple[Path, float, float]:
    """The way that train.py's help describes; returns the model and its AUC-ROC and average precision after `until`."""
    out = back_test(transactions, work)
    python = [sys.executable, str(EXAMPLE / "train.py")]
    subprocess.run([*python, "labels", "--transactions", str(transactions), "--out", str(work / "labels.parquet")], check=True)
    tidemill(work / "data", "feature", "historical", "--labels", str(work / "labels.parquet"),
             "--features", "customer_features:*,terminal_features:*", "--out", str(work / "training.parquet"))
    training = pd.read_parquet(work / "training.parquet")
    features = verify.read_parquet_files(str(out / "features"))
    both = training.merge(features, on="transaction_id", suffixes=("", "_served"))
    assert len(both) == len(features)
    for name in train.INPUTS:
        if name in ("amount", "is_weekend", "is_night"):
            continue
        a, b = both[name].astype(float), both[f"{name}_served"].astype(float)
        if name == "seconds_since_last":
            # Of two payments in one second an entity's view holds the later one: there is no point in time between them.
            alone = ~both.duplicated(["customer_id", "event_timestamp"], keep=False)
            a, b = a[alone], b[alone]
        assert ((a == b) | (a.isna() & b.isna())).all(), f"training and serving differ in {name}"
    model = work / "fraud_model.onnx"
    text = subprocess.run([*python, "fit", "--training", str(work / "training.parquet"), "--until", until, "--out", str(model)],
                          check=True, capture_output=True, text=True).stdout
    words = text.split()
    return model, float(words[words.index("AUC-ROC") + 1]), float(words[words.index("precision") + 1])


def test_a_model_is_trained_on_the_features_that_are_served(generated, tmp_path):
    source = tmp_path / "transactions.parquet"
    generate.write(generated, str(source))
    model, auc, _ = train_model(source, tmp_path, "2018-05-10")
    assert auc >= 0.85
    again = back_test(source, tmp_path / "again", "-D", f"model={model}")
    scored = verify.read_parquet_files(str(again / "scored"))
    assert scored.model_version.str.startswith("fraud_model").all()


@needs_published
def test_trained_on_april_and_may_it_scores_june(tmp_path):
    from sklearn.metrics import average_precision_score, roc_auc_score
    model, _, _ = train_model(PUBLISHED, tmp_path, "2018-06-01")
    out = back_test(PUBLISHED, tmp_path / "applied", "-D", f"model={model}")
    scored = verify.read_parquet_files(str(out / "scored"))
    assert_scores_equal_onnxruntime(scored, model)
    june = scored[scored.tx_time >= "2018-06-01"].merge(pd.read_parquet(PUBLISHED)[["transaction_id", "is_fraud"]], on="transaction_id")
    assert roc_auc_score(june.is_fraud, june.score) >= 0.895
    assert average_precision_score(june.is_fraud, june.score) >= 0.70
