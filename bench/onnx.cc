// ONNX scoring in this process. One iteration = one Predict of a batch of 16 DOUBLE columns by 100 trees of depth 6.
//
//     .deps/venv/bin/python bench/make_tree_model.py     # makes the model, prints the peer: ONNX Runtime from Python
//     build/release/bench_onnx [--benchmark_filter=...]
//     BENCH_MODEL=examples/fraud/fraud_model.onnx build/release/bench_onnx      # another model of 16 inputs
#include <cstdlib>

#include <arrow/api.h>
#include <benchmark/benchmark.h>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/metrics.h"
#include "base/random.h"
#include "model/model_registry.h"

namespace tidemill {
namespace {

constexpr int kFeatures = 16;

ModelDefinition Definition(int64_t piece) {
  const char* model = std::getenv("BENCH_MODEL");
  ModelDefinition definition;
  definition.name = "trees100";
  std::vector<Field> input;
  for (int i = 0; i < kFeatures; ++i) input.push_back({"f" + std::to_string(i), DataType(TypeKind::kDouble)});
  definition.input = Schema(input);
  definition.output = Schema({{"score", DataType(TypeKind::kDouble)}, {"model_version", DataType(TypeKind::kString)}});
  definition.options = Config({{"provider", "onnx"},
                               {"path", model != nullptr ? model : "build/bench/trees100.onnx"},
                               {"batch-rows-max", std::to_string(piece)}});
  return definition;
}

std::vector<std::shared_ptr<arrow::Array>> Columns(int64_t rows) {
  Random random(1);
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (int c = 0; c < kFeatures; ++c) {
    arrow::DoubleBuilder builder;
    for (int64_t i = 0; i < rows; ++i) builder.Append(random.Normal()).ok();
    columns.push_back(*builder.Finish());
  }
  return columns;
}

// Arguments: rows of the batch, rows per run of the model.
void BM_Predict(benchmark::State& state) {
  LocalFileSystem files;
  SystemClock clock;
  MetricsRegistry metrics;
  ModelRegistry registry(files, clock, metrics, {.watch = false});
  Result<std::unique_ptr<Predictor>> predictor = registry.MakePredictor(Definition(state.range(1)), {});
  if (!predictor.ok()) {
    state.SkipWithError(predictor.status().ToString().c_str());
    return;
  }
  const auto columns = Columns(state.range(0));
  for (auto _ : state) {
    auto out = (*predictor)->Predict(columns, state.range(0));
    if (!out.ok()) state.SkipWithError(out.status().ToString().c_str());
    benchmark::DoNotOptimize(out);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Predict)
    ->ArgNames({"rows", "piece"})
    ->Args({1, 512})
    ->Args({16, 512})
    ->Args({256, 512})
    ->Args({8192, 64})
    ->Args({8192, 128})
    ->Args({8192, 256})
    ->Args({8192, 512})
    ->Args({8192, 1024})
    ->Args({8192, 8192})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tidemill

BENCHMARK_MAIN();
