"""Writes build/bench/trees100.onnx: 100 trees of depth 6 over 16 features, for bench/onnx.cc, and prints ONNX Runtime's own speed from Python.

    .deps/venv/bin/python bench/make_tree_model.py
"""

import pathlib
import time

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier

path = pathlib.Path("build/bench/trees100.onnx")
rng = np.random.default_rng(1)
x = rng.normal(size=(20_000, 16)).astype(np.float32)
y = (np.sin(x[:, 0] * 2) + x[:, 1] * x[:, 2] + 0.3 * rng.normal(size=len(x)) > 0.5).astype(np.int64)
if not path.exists():
    path.parent.mkdir(parents=True, exist_ok=True)
    model = GradientBoostingClassifier(n_estimators=100, max_depth=6, subsample=0.2, random_state=0).fit(x, y)
    onnx = to_onnx(model, initial_types=[("X", FloatTensorType([None, 16]))], options={id(model): {"zipmap": False}}, target_opset=17)
    path.write_bytes(onnx.SerializeToString())

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(str(path), options)
for rows in (1, 256, 512, 8192):
    times = []
    for _ in range(2000 if rows == 1 else max(5, 100_000 // rows)):
        start = time.perf_counter()
        session.run(["probabilities"], {"X": x[:rows]})
        times.append(time.perf_counter() - start)
    median = sorted(times)[len(times) // 2]
    print(f"onnxruntime {onnxruntime.__version__} from Python, 1 thread, batch {rows}: {median * 1e6:.1f} us, {rows / median:,.0f} rows/s")
