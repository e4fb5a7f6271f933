"""Makes the small ONNX files of the tests, and what ONNX Runtime in Python answers for some rows.

    .deps/venv/bin/python src/model/tests/data/make_models.py

Files differ between versions of the exporters only in names of producers; the answers in answers.json must not differ by more than 1e-6.
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LinearRegression

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(7)


def save(name, model):
    path = HERE / name
    path.write_bytes(model.SerializeToString())
    return path


def graph_model(nodes, inputs, outputs, initializers=(), sparse=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(initializers), sparse_initializer=list(sparse))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="make_models")
    model.ir_version = 8
    return model


def value(name, element, shape):
    return helper.make_tensor_value_info(name, element, shape)


F, D, I, S = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.STRING

# scikit-learn, as users export it.
x = rng.normal(size=(400, 3)).astype(np.float32)
y = (x[:, 0] + 0.5 * x[:, 1] > 0).astype(np.int64)
boosted = GradientBoostingClassifier(n_estimators=2, max_depth=2, random_state=0).fit(x, y)
shape = [("X", FloatTensorType([None, 3]))]
save("trees.onnx", to_onnx(boosted, initial_types=shape, options={id(boosted): {"zipmap": False}}, target_opset=17))
save("zipmap.onnx", to_onnx(boosted, initial_types=shape, target_opset=17))
linear = LinearRegression().fit(x, x @ [1.0, -2.0, 0.5] + 3)
save("linear.onnx", to_onnx(linear, initial_types=shape, target_opset=17))
# The same linear model after training went on: what hot reload swaps in.
linear.coef_ = linear.coef_ * 2
save("linear_v2.onnx", to_onnx(linear, initial_types=shape, target_opset=17))

# y = a + 2 b, inputs by name: [N, 1] float and [N] int64.
save(
    "by_name.onnx",
    graph_model(
        [
            helper.make_node("Cast", ["b"], ["bf"], to=F),
            helper.make_node("Unsqueeze", ["bf", "axes"], ["b2"]),
            helper.make_node("Mul", ["b2", "two"], ["b4"]),
            helper.make_node("Add", ["a", "b4"], ["y"]),
        ],
        [value("a", F, ["N", 1]), value("b", I, ["N"])],
        [value("y", F, ["N", 1])],
        [numpy_helper.from_array(np.array([1]), "axes"), numpy_helper.from_array(np.array([2], np.float32), "two")],
    ),
)
# A text in, the same text and a vector out.
save(
    "text.onnx",
    graph_model(
        [
            helper.make_node("Identity", ["word"], ["echo"]),
            helper.make_node("Equal", ["number", "zero"], ["same"]),
            helper.make_node("Concat", ["number", "number"], ["pair"], axis=1),
        ],
        [value("word", S, ["N", 1]), value("number", D, ["N", 1])],
        [value("echo", S, ["N", 1]), value("same", TensorProto.BOOL, ["N", 1]), value("pair", D, ["N", 2])],
        [numpy_helper.from_array(np.array([0.0]), "zero")],
    ),
)
# One row at a time only.
save("one_row.onnx", graph_model([helper.make_node("ReduceSum", ["X"], ["y"], keepdims=1)], [value("X", F, [1, 3])], [value("y", F, [1, 1])]))
# The output has one row whatever goes in.
save("no_rows.onnx", graph_model([helper.make_node("ReduceSum", ["X"], ["y"], keepdims=1)], [value("X", F, ["N", 3])], [value("y", F, ["M", 1])]))
save("fixed_batch.onnx", graph_model([helper.make_node("Identity", ["X"], ["y"])], [value("X", F, [4, 3])], [value("y", F, [4, 3])]))
save("image.onnx", graph_model([helper.make_node("Identity", ["X"], ["y"])], [value("X", F, ["N", 3, 8, 8])], [value("y", F, ["N", 3, 8, 8])]))


# Data outside the file: in an initializer, a sparse one, a constant of a subgraph, a function.
def external(name):
    tensor = helper.make_tensor(name, F, [1], np.zeros(1, np.float32))
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


io = [value("X", F, ["N", 1])], [value("y", F, ["N", 1])]
add = helper.make_node("Add", ["X", "w"], ["y"])
save("external.onnx", graph_model([add], *io, [external("w")]))
sparse = onnx.SparseTensorProto(dims=[1])
sparse.values.CopyFrom(external("w"))
sparse.indices.CopyFrom(numpy_helper.from_array(np.array([0]), "i"))
save("external_sparse.onnx", graph_model([add], *io, sparse=[sparse]))
branch = helper.make_graph([helper.make_node("Constant", [], ["c"], value=external("inner"))], "b", [], [value("c", F, [1])])
save(
    "external_subgraph.onnx",
    graph_model([helper.make_node("If", ["cond"], ["w"], then_branch=branch, else_branch=branch), add], *io, [numpy_helper.from_array(np.array(True), "cond")]),
)
with_function = graph_model([helper.make_node("Shift", ["X"], ["y"], domain="own")], *io)
with_function.functions.append(
    helper.make_function(
        "own", "Shift", ["x"], ["z"],
        [helper.make_node("Constant", [], ["c"], value=external("in_function")), helper.make_node("Add", ["x", "c"], ["z"])],
        [helper.make_opsetid("", 17)],
    )
)
with_function.opset_import.append(helper.make_opsetid("own", 1))
save("external_function.onnx", with_function)

rows = np.array([[0, 0, 0], [1, 2, 3], [-1.5, 0.25, 8], [0.5, -0.5, 0.125]], np.float32)
answers = {"rows": rows.tolist()}
for name in ["trees", "linear", "linear_v2"]:
    session = onnxruntime.InferenceSession(str(HERE / f"{name}.onnx"))
    answers[name] = {o.name: r.tolist() for o, r in zip(session.get_outputs(), session.run(None, {"X": rows}))}
(HERE / "answers.json").write_text(json.dumps(answers, indent=1) + "\n")
for path in sorted(HERE.glob("*.onnx")):
    assert path.stat().st_size < 10_000, path
