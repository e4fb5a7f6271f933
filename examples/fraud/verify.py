#!/usr/bin/env python3
"""Recomputes every feature of the fraud example in batch with pandas and compares: counts equal, means within 1e-9.

    verify.py --transactions tx.parquet --features DIR/features [--scored DIR/scored]
"""
import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

DAYS = (1, 7, 30)
KEYS = ["transaction_id", "tx_time", "customer_id", "terminal_id", "amount"]


def rolling(frame: pd.DataFrame, key: str, time: str, value: str, days: int, what: str) -> pd.Series:
    """Per key over [t - days, t], closed at both ends; rows of one key and time share one value (SQL's RANGE peers).
    `frame` is ordered by time with a unique index; the result has that index."""
    ordered = frame.sort_values([key, time], kind="stable")
    result = getattr(ordered.groupby(key, sort=False).rolling(f"{days}D", on=time, closed="both", min_periods=0)[value], what)()
    series = pd.Series(result.to_numpy(), index=ordered.index)
    return series.groupby([ordered[key], ordered[time]], sort=False).transform("last").sort_index()


def expected_features(tx: pd.DataFrame) -> pd.DataFrame:
    tx = tx.sort_values(["tx_time", "transaction_id"], kind="stable").reset_index(drop=True)
    out = tx[KEYS].copy()
    tx = tx.assign(one=1.0)
    for days in DAYS:
        out[f"customer_count_{days}d"] = rolling(tx, "customer_id", "tx_time", "one", days, "sum").round().astype("int64")
        out[f"customer_mean_{days}d"] = rolling(tx, "customer_id", "tx_time", "amount", days, "mean")
    # Transactions now and labels a week later, in one order of time.
    now = tx.assign(event_time=tx.tx_time, is_transaction=1.0, fraud=np.nan, row=tx.index)
    later = tx.assign(event_time=tx.tx_time + pd.Timedelta(days=7), is_transaction=0.0, fraud=tx.is_fraud.astype(float), row=-1)
    events = pd.concat([now, later]).sort_values("event_time", kind="stable").reset_index(drop=True)
    is_now = events.row >= 0
    for days in DAYS:
        count = rolling(events, "terminal_id", "event_time", "is_transaction", days, "sum")[is_now].round().astype("int64")
        rate = rolling(events, "terminal_id", "event_time", "fraud", days, "mean")[is_now].fillna(0.0)
        rows = events.row[is_now]
        out[f"terminal_count_{days}d"] = pd.Series(count.to_numpy(), index=rows).sort_index()
        out[f"terminal_fraud_rate_{days}d"] = pd.Series(rate.to_numpy(), index=rows).sort_index()
    out["is_weekend"] = (tx.tx_time.dt.day_of_week >= 5).astype("int64")
    out["is_night"] = (tx.tx_time.dt.hour <= 6).astype("int64")
    out["seconds_since_last"] = tx.groupby("customer_id").tx_time.diff().dt.total_seconds()
    return out.sort_values("transaction_id").reset_index(drop=True)


def read_transactions(path: str) -> pd.DataFrame:
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    if path.endswith(".csv"):
        return pd.read_csv(path, parse_dates=["tx_time"])
    return pd.read_json(path, lines=True, convert_dates=["tx_time"])


def read_parquet_files(directory: str) -> pd.DataFrame:
    files = sorted(path for path in Path(directory).rglob("*.parquet") if not any(p.startswith((".", "_")) for p in path.parts[1:]))
    if not files:
        raise SystemExit(f"{directory}: no Parquet files")
    return pd.concat([pd.read_parquet(path) for path in files], ignore_index=True)


def compare(name: str, got: pd.DataFrame, want: pd.DataFrame) -> list[str]:
    """Every difference as a line; empty when all is equal."""
    problems = []
    if len(got) != len(want):
        problems.append(f"{name}: {len(got):,} rows, expected {len(want):,}")
    if got.transaction_id.duplicated().any():
        problems.append(f"{name}: {got.transaction_id.duplicated().sum():,} transactions are doubled")
    lost = np.setdiff1d(want.transaction_id, got.transaction_id)
    if lost.size:
        problems.append(f"{name}: {lost.size:,} transactions are lost, first {lost[0]}")
    if problems:
        return problems
    got = got.sort_values("transaction_id").reset_index(drop=True)
    for column in want.columns:
        if column not in got:
            problems.append(f"{name}: column {column} is missing")
            continue
        a, b = got[column], want[column]
        if a.dtype.kind == "M":
            bad = a.astype("datetime64[ms]") != b.astype("datetime64[ms]")
        else:
            a, b = a.astype(float).to_numpy(), b.astype(float).to_numpy()
            tolerance = 1e-9 if "mean" in column or "rate" in column else 0.0
            bad = ~((np.abs(a - b) <= tolerance) | (np.isnan(a) & np.isnan(b)))
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            problems.append(f"{name}: {column}: {int(bad.sum()):,} of {len(want):,} values differ, first at transaction "
                            f"{got.transaction_id[first]}: {got[column][first]} instead of {want[column][first]}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transactions", required=True)
    parser.add_argument("--features", required=True, help="directory of Parquet files")
    parser.add_argument("--scored", help="directory of Parquet files; its feature columns are compared too")
    given = parser.parse_args()
    want = expected_features(read_transactions(given.transactions))
    problems = compare("features", read_parquet_files(given.features), want)
    if given.scored:
        scored = read_parquet_files(given.scored)
        problems += compare("scored", scored, want)
        for column in ("score", "model_version", "decision"):
            if column not in scored or scored[column].isna().any():
                problems.append(f"scored: {column} is missing or NULL")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    print(f"{len(want):,} transactions: all {len(want.columns) - len(KEYS)} features equal those of pandas")
    return 0


if __name__ == "__main__":
    sys.exit(main())
