#!/usr/bin/env python3
"""Trains the fraud model on what `tidemill feature historical` gives, so that training and serving see the same features.

    generate.py --out tx.parquet                                                                              # or transactions of your own
    tidemill run fraud.sql -D transactions=tx.parquet -D out=DIR                                              # features, offline
    train.py labels --transactions tx.parquet --out labels.parquet                                            # entities, event time, label
    tidemill feature historical --labels labels.parquet --features 'customer_features:*,terminal_features:*' --out training.parquet
    train.py fit --training training.parquet --until 2018-06-01 --out fraud_model.onnx

README.md has the commands with their output; fraud_model.onnx in this folder was made by them.
`fit` trains gradient boosting (XGBoost, 100 trees) on the rows before --until and reports AUC-ROC and average precision on those after.
"""
import argparse
import sys

import numpy as np
import pandas as pd

# In the order of the model's INPUT in fraud.sql: the model takes one float tensor [N, 16].
INPUTS = (
    ["amount", "is_weekend", "is_night"]
    + [f"{name}_{days}d" for name in ("customer_count", "customer_mean", "terminal_count", "terminal_fraud_rate") for days in (1, 7, 30)]
    + ["seconds_since_last"]
)


def labels(transactions: str, out: str) -> None:
    frame = read(transactions)
    frame = frame.rename(columns={"tx_time": "event_timestamp"})
    frame[["transaction_id", "customer_id", "terminal_id", "event_timestamp", "amount", "is_fraud"]].to_parquet(out, index=False)


def read(path: str) -> pd.DataFrame:
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    if path.endswith(".csv"):
        return pd.read_csv(path, parse_dates=["tx_time"])
    return pd.read_json(path, lines=True, convert_dates=["tx_time"])


def inputs(training: pd.DataFrame) -> pd.DataFrame:
    """The model's inputs; the calendar flags are computed here as fraud.sql computes them."""
    time = training["event_timestamp"]
    frame = training.assign(is_weekend=(time.dt.day_of_week >= 5).astype(int), is_night=(time.dt.hour <= 6).astype(int))
    # Serving hands the model float32; a tree that was grown on float64 could split between two equal floats.
    return frame[INPUTS].astype(np.float32)


def fit(training: str, until: str, out: str, seed: int) -> None:
    import onnx
    import onnxruntime
    import xgboost
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType
    from sklearn.metrics import average_precision_score, roc_auc_score

    frame = pd.read_parquet(training)
    missing = [name for name in INPUTS if name not in frame and name not in ("is_weekend", "is_night")]
    if missing:
        raise SystemExit(f"{training}: columns missing: {', '.join(missing)}")
    features = inputs(frame)
    target = frame["is_fraud"].astype(int)
    past = (frame["event_timestamp"] < pd.Timestamp(until)).to_numpy()
    if past.all() or not past.any() or target[past].nunique() < 2 or target[~past].nunique() < 2:
        raise SystemExit(f"--until {until}: both sides need rows with and without fraud")
    model = xgboost.XGBClassifier(n_estimators=100, max_depth=4, learning_rate=0.1, random_state=seed, tree_method="hist")
    model.fit(features[past].to_numpy(), target[past])
    expected = model.predict_proba(features[~past].to_numpy())[:, 1]

    converted = convert_xgboost(model, initial_types=[("features", FloatTensorType([None, len(INPUTS)]))], target_opset=15)
    converted.producer_name = "tidemill-example-fraud"
    onnx.save(converted, out)
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    got = session.run(["probabilities"], {"features": features[~past].to_numpy()})[0][:, 1]
    difference = float(np.abs(got - expected).max())
    if difference > 1e-5:
        raise SystemExit(f"ONNX differs from XGBoost by {difference}")
    print(f"trained on {past.sum():,} rows, tested on {(~past).sum():,} from {until}")
    print(f"AUC-ROC {roc_auc_score(target[~past], got):.4f}  average precision {average_precision_score(target[~past], got):.4f}")
    print(f"{out}: largest difference from XGBoost {difference:.1e}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("labels", help="the label table for feature historical")
    sub.add_argument("--transactions", required=True)
    sub.add_argument("--out", required=True)
    sub = commands.add_parser("fit", help="train, convert to ONNX, report")
    sub.add_argument("--training", required=True)
    sub.add_argument("--until", required=True, help="train before this day, test from it on")
    sub.add_argument("--out", required=True)
    sub.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    if given.command == "labels":
        labels(given.transactions, given.out)
    else:
        fit(given.training, given.until, given.out, given.seed)


if __name__ == "__main__":
    main()
