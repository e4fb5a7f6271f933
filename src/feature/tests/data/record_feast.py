"""Records what Feast's own server answers, for feast_api_test.cc.

    python3 -m venv v && v/bin/pip install feast==0.67.0 httpx2 && v/bin/python src/feature/tests/data/record_feast.py

Writes feast_0_67_0.json beside this file.
"""

import json
import pathlib
import sys
import tempfile
from datetime import timedelta

import pandas as pd
from fastapi.testclient import TestClient
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, PushSource, RepoConfig, ValueType
from feast.feature_server import get_app
from feast.types import Bool, Float64, Int64, String, UnixTimestamp

folder = pathlib.Path(tempfile.mkdtemp())
now = pd.Timestamp("2026-01-02 03:04:05", tz="UTC")
frame = pd.DataFrame(
    {
        "card_id": [1, 2, 3],
        "tx_count": pd.array([5, None, 7], dtype="Int64"),
        "mean": [1.5, 2.25, float("nan")],
        "country": ["DE", None, "FR"],
        "ok": [True, False, True],
        "seen": [now, now, now],
        "event_timestamp": [now, now, now - pd.Timedelta(days=10)],
        "created": [now, now, now],
    }
)
frame.to_parquet(folder / "f.parquet")
store = FeatureStore(
    config=RepoConfig(
        project="demo",
        registry=str(folder / "registry.db"),
        provider="local",
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
        entity_key_serialization_version=3,
    )
)
card = Entity(name="card_id", join_keys=["card_id"], value_type=ValueType.INT64)
source = FileSource(name="s", path=str(folder / "f.parquet"), timestamp_field="event_timestamp", created_timestamp_column="created")
view = FeatureView(
    name="card_stats",
    entities=[card],
    ttl=timedelta(days=1),
    source=PushSource(name="card_push", batch_source=source),
    schema=[
        Field(name="tx_count", dtype=Int64),
        Field(name="mean", dtype=Float64),
        Field(name="country", dtype=String),
        Field(name="ok", dtype=Bool),
        Field(name="seen", dtype=UnixTimestamp),
    ],
)
store.apply([card, view, FeatureService(name="svc", features=[view])])
store.write_to_online_store("card_stats", frame)

out = []
with TestClient(get_app(store), raise_server_exceptions=False) as client:

    def ask(path, body):
        given = {"content": body, "headers": {"content-type": "application/json"}} if isinstance(body, str) else {"json": body}
        reply = client.post(path, **given)
        try:
            answer = reply.json()
        except ValueError:
            answer = reply.text
        out.append({"path": path, "request": body, "status": reply.status_code, "answer": answer})

    def get(features, entities, **more):
        ask("/get-online-features", {"features": features, "entities": entities, **more})

    def push(source, df, to):
        ask("/push", {"push_source_name": source, "df": df, "to": to})

    every = ["card_stats:" + f for f in ("tx_count", "mean", "country", "ok", "seen")]
    one = every[:1]
    get(every, {"card_id": [1, 2, 3, 99]})
    get(one, {"card_id": [1, 2]}, full_feature_names=True)
    ask("/get-online-features", {"feature_service": "svc", "entities": {"card_id": [1]}})
    get(["nope:x"], {"card_id": [1]})
    get(["card_stats:x"], {"card_id": [1]})
    get(["card_stats"], {"card_id": [1]})
    get(one, {"card": [1]})
    get(one, {})
    ask("/get-online-features", {"features": one})
    get(one, {"card_id": ["abc"]})
    get(one, {"card_id": ["1"]})
    get(one, {"card_id": 1})
    get(one, {"card_id": [1], "extra": ["a"]})
    get(one, {"card_id": [1, 2], "extra": ["a"]})
    get(one, {"card_id": [None]})
    get([], {"card_id": [1]})
    ask("/get-online-features", {"feature_service": "none", "entities": {"card_id": [1]}})
    ask("/get-online-features", "{bad")
    row = {"card_id": [5], "tx_count": [9], "mean": [0.5], "country": ["IT"], "ok": [True], "seen": [1767225600],
           "event_timestamp": ["2026-01-02 03:04:05"], "created": ["2026-01-02 03:04:05"]}
    push("card_push", row, "online")
    get(every, {"card_id": [5]})
    push("nope", {"card_id": [5]}, "online")
    push("card_push", {"card_id": [5]}, "both")
    push("card_push", {"card_id": [5, 6], "tx_count": [9], "event_timestamp": ["2026-01-02 03:04:05"]}, "online")
    ask("/push", {"push_source_name": "card_push", "to": "online"})
json.dump(out, open(pathlib.Path(__file__).with_name("feast_0_67_0.json"), "w"), indent=1)
