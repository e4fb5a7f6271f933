#!/usr/bin/env python3
"""The end of the demo: what went through, how fast, and how good the scores were.

    summary.py --metrics metrics.txt --scored DIR/scored --truth transactions.parquet --actions actions.jsonl --seconds 30
"""
import argparse
import json
import re

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from verify import read_parquet_files


def histogram(metrics: str, name: str, label: str) -> list[tuple[float, float]]:
    """Cumulative buckets [(upper bound in seconds, count)] of one Prometheus histogram whose labels hold `label`."""
    buckets: dict[float, float] = {}
    for labels, value in re.findall(rf"^{name}_bucket{{(.*)}} (\S+)$", metrics, re.MULTILINE):
        bound = re.search(r'le="([^"]+)"', labels)
        if bound and label in labels:
            upper = float(bound[1].replace("+Inf", "inf"))
            buckets[upper] = buckets.get(upper, 0.0) + float(value)
    return sorted(buckets.items())


def quantile(buckets: list[tuple[float, float]], q: float) -> float | None:
    if not buckets or buckets[-1][1] == 0:
        return None
    rank = q * buckets[-1][1]
    lower_bound, lower_count = 0.0, 0.0
    for upper, count in buckets:
        if count >= rank:
            if np.isinf(upper):
                return lower_bound
            return lower_bound + (upper - lower_bound) * (rank - lower_count) / max(count - lower_count, 1e-12)
        lower_bound, lower_count = upper, count
    return lower_bound


def milliseconds(value: float | None) -> str:
    return "none" if value is None else f"{value * 1000:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("metrics", "scored", "truth", "actions"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seconds", type=float, required=True, help="how long events were sent")
    given = parser.parse_args()

    scored = read_parquet_files(given.scored)
    truth = pd.read_parquet(given.truth)[["transaction_id", "is_fraud"]]
    joined = scored.merge(truth, on="transaction_id", how="left")
    if scored.transaction_id.duplicated().any() or joined.is_fraud.isna().any():
        raise SystemExit("a transaction was scored twice, or was never sent")
    with open(given.actions) as lines:
        actions = [json.loads(line)["body"]["transaction_id"] for line in lines]
    blocked = scored[scored.decision == "block"]
    with open(given.metrics) as file:
        metrics = file.read()
    latency = histogram(metrics, "tidemill_action_latency_seconds", "action=")
    fraud = joined[joined.is_fraud]

    print(f"  events         {len(scored):,} scored in {given.seconds:.0f} s: {len(scored) / given.seconds:,.0f} events/s")
    print(f"  latency        p50 {milliseconds(quantile(latency, 0.5))}, p99 {milliseconds(quantile(latency, 0.99))}"
          " from append to the webhook's answer")
    print(f"  blocked        {len(blocked):,} transactions, {len(actions):,} actions at the webhook"
          f"{'' if sorted(actions) == sorted(blocked.transaction_id) else ' (THEY DIFFER)'}")
    print(f"  fraud          {len(fraud):,} frauds, {int((fraud.decision == 'block').sum()):,} of them blocked, "
          f"{int((fraud.decision == 'review').sum()):,} sent to review")
    print(f"  model          {scored.model_version.iloc[-1]}, AUC {roc_auc_score(joined.is_fraud, joined.score):.3f}")


if __name__ == "__main__":
    main()
