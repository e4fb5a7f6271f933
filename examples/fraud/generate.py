#!/usr/bin/env python3
"""Makes card transactions with three kinds of fraud, from a seed.

Customers and terminals lie on a square; a customer pays at terminals within a radius, a Poisson number of times a day, around midday,
with amounts of a normal distribution of their own. Fraud, as in "Reproducible Machine Learning for Credit Card Fraud Detection"
(Le Borgne and others, chapter 3), whose simulator this follows in method:
  1. amounts above 220;
  2. terminals that are compromised for 28 days: everything paid there is fraud;
  3. customers whose card is copied for 14 days: a third of their payments is fraud, of five times the amount.

    generate.py --out transactions.parquet [--customers 5000 --terminals 10000 --days 90 --seed 7]
    generate.py --push http://127.0.0.1:8080 --rate 2000 --seconds 30     (live: transactions and, a week later, their labels)
    generate.py --profiles profiles.csv
"""
import argparse
import json
import sys
import time
import urllib.error
import urllib.request

import numpy as np
import pandas as pd

START = pd.Timestamp("2018-04-01")
LABEL_DELAY = pd.Timedelta(days=7)


def simulate(customers: int, terminals: int, days: int, seed: int) -> pd.DataFrame:
    """One row a transaction, ordered by tx_time: transaction_id, tx_time, customer_id, terminal_id, amount, is_fraud."""
    random = np.random.default_rng(seed)
    customer_xy = random.uniform(0, 100, (customers, 2))
    terminal_xy = random.uniform(0, 100, (terminals, 2))
    mean_amount = random.uniform(5, 100, customers)
    per_day = random.uniform(0, 4, customers)
    radius = 5 * np.sqrt(10000 / max(terminals, 1)) if terminals < 10000 else 5.0
    frames = []
    for customer in range(customers):
        near = np.flatnonzero(((terminal_xy - customer_xy[customer]) ** 2).sum(axis=1) < radius**2)
        if near.size == 0:
            continue
        counts = random.poisson(per_day[customer], days)
        day = np.repeat(np.arange(days), counts)
        second = random.normal(86400 / 2, 20000, day.size).astype(np.int64)
        keep = (second > 0) & (second < 86400)
        day, second = day[keep], second[keep]
        amount = random.normal(mean_amount[customer], mean_amount[customer] / 2, day.size)
        amount = np.where(amount < 0, random.uniform(0, 2 * mean_amount[customer], day.size), amount)
        frames.append((day * 86400 + second, np.full(day.size, customer), random.choice(near, day.size), np.round(amount, 2)))
    if not frames:
        raise SystemExit("no terminal is near any customer: give more --terminals")
    at, customer, terminal, amount = (np.concatenate(columns) for columns in zip(*frames))
    order = np.argsort(at, kind="stable")
    at, customer, terminal, amount = at[order], customer[order], terminal[order], amount[order]
    fraud = amount > 220
    for day in range(days):
        for bad in random.choice(terminals, min(2, terminals), replace=False):
            fraud |= (terminal == bad) & (at >= day * 86400) & (at < (day + 28) * 86400)
        for bad in random.choice(customers, min(3, customers), replace=False):
            hit = np.flatnonzero((customer == bad) & (at >= day * 86400) & (at < (day + 14) * 86400))
            hit = random.choice(hit, hit.size // 3, replace=False)
            amount[hit] = np.round(amount[hit] * 5, 2)
            fraud[hit] = True
    return pd.DataFrame({
        "transaction_id": np.arange(at.size, dtype=np.int64),
        "tx_time": (START + pd.to_timedelta(at, unit="s")).astype("datetime64[ms]"),
        "customer_id": customer.astype(np.int64),
        "terminal_id": terminal.astype(np.int64),
        "amount": amount,
        "is_fraud": fraud,
    })


def profiles(customers: int, seed: int) -> pd.DataFrame:
    """What a bank might know of each customer: one version from the start, for some a higher limit from the second month on."""
    random = np.random.default_rng(seed)
    limit = np.round(random.uniform(150, 600, customers), -1)
    first = pd.DataFrame({"customer_id": np.arange(customers), "valid_from": START - pd.Timedelta(days=1), "single_limit": limit})
    raised = first.sample(frac=0.1, random_state=seed).assign(
        valid_from=START + pd.Timedelta(days=30), single_limit=lambda f: f.single_limit * 2)
    return pd.concat([first, raised]).sort_values(["valid_from", "customer_id"])


def write(frame: pd.DataFrame, path: str) -> None:
    if path.endswith(".parquet"):
        frame.to_parquet(path, index=False)
    elif path.endswith(".csv"):
        frame.to_csv(path, index=False, date_format="%Y-%m-%d %H:%M:%S")
    elif path.endswith((".jsonl", ".json", ".ndjson")):
        with open(path, "w") as out:
            out.writelines(line + "\n" for line in json_lines(frame))
    else:
        raise SystemExit(f"{path}: the name must end in .parquet, .csv or .jsonl")


def json_lines(frame: pd.DataFrame) -> list[str]:
    columns = {name: (values.dt.strftime("%Y-%m-%d %H:%M:%S") if values.dtype.kind == "M" else values).tolist()
               for name, values in frame.items()}
    return [json.dumps(dict(zip(columns, row))) for row in zip(*columns.values())]


def post(url: str, topic: str, key: str, lines: list[str]) -> None:
    request = urllib.request.Request(f"{url}/api/v1/topics/{topic}/records?key={key}", data=("\n".join(lines) + "\n").encode(),
                                     headers={"Content-Type": "application/x-ndjson"})
    for attempt in range(10):
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                response.read()
            return
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503):
                raise SystemExit(f"push to {topic}: {error.code} {error.read().decode(errors='replace')}")
            time.sleep(0.1 * 2**attempt)
    raise SystemExit(f"push to {topic}: the server stayed busy")


def push(frame: pd.DataFrame, url: str, rate: int, seconds: int) -> None:
    """Sends transactions at `rate` a second, each label as soon as event time has passed it by a week."""
    frame = frame.head(rate * seconds)
    transactions = json_lines(frame.drop(columns="is_fraud"))
    labels = json_lines(frame.assign(label_time=frame.tx_time + LABEL_DELAY)[["terminal_id", "is_fraud", "label_time"]])
    label_due = (frame.tx_time + LABEL_DELAY).to_numpy()
    times = frame.tx_time.to_numpy()
    step = max(1, rate // 50)
    started, sent, known = time.monotonic(), 0, 0
    while sent < len(transactions):
        upto = min(sent + step, len(transactions))
        post(url, "transactions", "customer_id", transactions[sent:upto])
        due = int(np.searchsorted(label_due, times[upto - 1], side="right"))
        if due > known:
            post(url, "labels", "terminal_id", labels[known:due])
            known = due
        sent = upto
        if sys.stderr.isatty():
            print(f"\r  {sent:,} of {len(transactions):,} transactions, {known:,} labels", end="", file=sys.stderr)
        ahead = sent / rate - (time.monotonic() - started)
        if ahead > 0:
            time.sleep(ahead)
    if sys.stderr.isatty():
        print(file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", help="write the transactions to a .parquet, .csv or .jsonl file")
    parser.add_argument("--push", metavar="URL", help="send them to a running tidemill")
    parser.add_argument("--profiles", metavar="CSV", help="write the customers' profiles")
    parser.add_argument("--customers", type=int, default=5000)
    parser.add_argument("--terminals", type=int, default=10000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rate", type=int, default=2000, help="transactions a second (--push)")
    parser.add_argument("--seconds", type=int, default=30, help="how long to send (--push)")
    given = parser.parse_args()
    for name in ("customers", "terminals", "days", "rate", "seconds"):
        if getattr(given, name) < 1:
            parser.error(f"--{name} must be at least 1")
    if given.profiles:
        profiles(given.customers, given.seed).to_csv(given.profiles, index=False, date_format="%Y-%m-%d %H:%M:%S")
    if given.out or given.push:
        frame = simulate(given.customers, given.terminals, given.days, given.seed)
        if given.out:
            write(frame, given.out)
        if given.push:
            push(frame, given.push, given.rate, given.seconds)
    if not (given.out or given.push or given.profiles):
        parser.error("nothing to do: give --out, --push or --profiles")


if __name__ == "__main__":
    main()
