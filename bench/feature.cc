// The feature store. Upsert: one iteration = one batch of 8192 rows of 18 columns (16 DOUBLE features) into a view of N
// entities. Get: one entity, 16 features. Offline: one iteration = 16 batches of 8192 rows written to Parquet on the
// local disk, prepared (fsync) and committed.
//
//     build/release/bench_feature [--benchmark_filter=...]
//
// No peer in the same run: redis-server, the natural one, is not among the project's dependencies.
#include <arrow/api.h>
#include <benchmark/benchmark.h>

#include "base/random.h"
#include "feature/feature_store.h"
#include "feature/offline_writer.h"
#include "feature/online_table.h"
#include "feature/point_in_time.h"

namespace tidemill {
namespace {

constexpr int kFeatures = 16;
constexpr int64_t kRows = 8192;

FeatureView View() {
  FeatureView view;
  view.name = "bench";
  std::vector<Field> fields = {{"customer_id", DataType(TypeKind::kBigInt, false)},
                               {"tx_time", DataType::Timestamp(3)}};
  for (int i = 0; i < kFeatures; ++i)
    fields.push_back({"f" + std::to_string(i), DataType(i % 4 == 0 ? TypeKind::kBigInt : TypeKind::kDouble)});
  view.schema = Schema(std::move(fields));
  view.entities = {"customer_id"};
  view.event_time = "tx_time";
  view.offline_path = "build/bench/offline";
  return view;
}

std::shared_ptr<arrow::RecordBatch> Rows(int64_t entities, int64_t first_ms, Random& random, int64_t step_ms = 1) {
  arrow::Int64Builder keys;
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool());
  std::vector<std::shared_ptr<arrow::Array>> columns(2);
  for (int64_t i = 0; i < kRows; ++i) {
    (void)keys.Append(static_cast<int64_t>(random.Uniform(entities))).ok();
    (void)times.Append(first_ms + i * step_ms).ok();
  }
  columns[0] = *keys.Finish();
  columns[1] = *times.Finish();
  for (int c = 0; c < kFeatures; ++c) {
    arrow::Int64Builder integers;
    arrow::DoubleBuilder doubles;
    for (int64_t i = 0; i < kRows; ++i) {
      if (c % 4 == 0)
        (void)integers.Append(static_cast<int64_t>(random.Uniform(1000))).ok();
      else
        (void)doubles.Append(random.Normal() * 100).ok();
    }
    columns.push_back(c % 4 == 0 ? *integers.Finish() : *doubles.Finish());
  }
  return arrow::RecordBatch::Make(View().schema.arrow(), kRows, std::move(columns));
}

void BM_OnlineUpsert(benchmark::State& state) {
  Random random(1);
  const auto table = *OnlineTable::Make(View());
  const auto keys = *table->MakeKeyEncoder();
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (int i = 0; i < 64; ++i) batches.push_back(Rows(state.range(0), 0, random));
  for (const auto& rows : batches) (void)table->Upsert(*rows, *keys, true).ok();
  size_t next = 0;
  for (auto _ : state) {
    auto counts = table->Upsert(*batches[next++ % batches.size()], *keys, true);
    benchmark::DoNotOptimize(counts);
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(BM_OnlineUpsert)
    ->ArgName("entities")
    ->Arg(5'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMicrosecond);

void BM_OnlineUpsertOneRow(benchmark::State& state) {
  Random random(1);
  const auto table = *OnlineTable::Make(View());
  const auto keys = *table->MakeKeyEncoder();
  const auto rows = Rows(100'000, 0, random);
  int64_t next = 0;
  for (auto _ : state) {
    auto counts = table->Upsert(*rows->Slice(next++ % kRows, 1), *keys, true);
    benchmark::DoNotOptimize(counts);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_OnlineUpsertOneRow)->Unit(benchmark::kMicrosecond);

void BM_OnlineFlush(benchmark::State& state) {
  // 150,000 rows of 100,000 entities, then one durable flush, as an epoch of a second does.
  LocalFileSystem files;
  SystemClock clock;
  MetricsRegistry metrics;
  (void)RemoveRecursively(files, "build/bench/store").ok();
  const auto store = *FeatureStore::Open(files, clock, metrics, "build/bench/store", {.background = false});
  FeatureView view = View();
  view.offline = false;
  (void)store->RegisterView(view).ok();
  auto writer = *store->OpenWriter("bench", 0, nullptr);
  Random random(1);
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (int i = 0; i < 18; ++i) batches.push_back(Rows(100'000, 0, random));
  int64_t epoch = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (const auto& rows : batches) (void)writer->Write(rows).ok();
    state.ResumeTiming();
    auto handle = writer->Prepare(++epoch);
    benchmark::DoNotOptimize(handle);
  }
  state.SetItemsProcessed(state.iterations() * 18 * kRows);
}
BENCHMARK(BM_OnlineFlush)->Unit(benchmark::kMillisecond)->Iterations(30);

void BM_OnlineGet(benchmark::State& state) {
  LocalFileSystem files;
  SystemClock clock;
  MetricsRegistry metrics;
  (void)RemoveRecursively(files, "build/bench/store").ok();
  const auto store = *FeatureStore::Open(files, clock, metrics, "build/bench/store");
  FeatureView view = View();
  view.offline = false;
  (void)store->RegisterView(view).ok();
  auto writer = *store->OpenWriter("bench", 0, nullptr);
  Random random(1);
  for (int i = 0; i < 40; ++i) (void)writer->Write(Rows(100'000, 0, random)).ok();
  const int64_t n = state.range(0);
  std::vector<std::shared_ptr<arrow::Array>> asked;
  for (int i = 0; i < 256; ++i) {
    arrow::Int64Builder keys;
    for (int64_t k = 0; k < n; ++k) (void)keys.Append(static_cast<int64_t>(random.Uniform(100'000))).ok();
    asked.push_back(*keys.Finish());
  }
  size_t next = 0;
  for (auto _ : state) {
    auto answer = store->GetOnline("bench", {"*"}, {asked[next++ % asked.size()]});
    benchmark::DoNotOptimize(answer);
  }
  state.SetItemsProcessed(state.iterations() * n);
}
BENCHMARK(BM_OnlineGet)->ArgName("entities")->Arg(1)->Arg(100)->Unit(benchmark::kMicrosecond);

void BM_OfflineWrite(benchmark::State& state, const std::string& compression) {
  LocalFileSystem files;
  FeatureView view = View();
  view.compression = compression;
  (void)RemoveRecursively(files, view.offline_path).ok();
  OfflineWriter writer(files, view, "0", "bench" + compression, 8);
  Random random(1);
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (int i = 0; i < 16; ++i) batches.push_back(Rows(100'000, i * kRows, random));
  int64_t epoch = 0;
  for (auto _ : state) {
    for (const auto& rows : batches) (void)writer.Add(rows, 5).ok();
    const auto handle = writer.Prepare(++epoch);
    if (!handle.ok() || !CommitOffline(files, view.offline_path, *handle, 8).ok()) state.SkipWithError("write failed");
  }
  state.SetItemsProcessed(state.iterations() * 16 * kRows);
  int64_t bytes = 0;
  const auto parts = *ListOffline(files, view.offline_path);
  for (const OfflinePart& part : parts) bytes += part.bytes;
  state.counters["bytes_per_row"] = static_cast<double>(bytes) / static_cast<double>(state.iterations() * 16 * kRows);
  (void)RemoveRecursively(files, view.offline_path).ok();
}
BENCHMARK_CAPTURE(BM_OfflineWrite, none, "none")->Unit(benchmark::kMillisecond)->Iterations(15);
BENCHMARK_CAPTURE(BM_OfflineWrite, snappy, "snappy")->Unit(benchmark::kMillisecond)->Iterations(15);
BENCHMARK_CAPTURE(BM_OfflineWrite, lz4, "lz4")->Unit(benchmark::kMillisecond)->Iterations(15);
BENCHMARK_CAPTURE(BM_OfflineWrite, zstd, "zstd")->Unit(benchmark::kMillisecond)->Iterations(15);

// A back-test: rows run through history, 5,000 a day, so that an epoch leaves many small files.
void BM_OfflineManyDays(benchmark::State& state) {
  LocalFileSystem files;
  const FeatureView view = View();
  (void)RemoveRecursively(files, view.offline_path).ok();
  OfflineWriter writer(files, view, "0", "days", 8);
  Random random(1);
  constexpr int64_t kStep = 86'400'000 / 5000;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (int i = 0; i < 20; ++i) batches.push_back(Rows(100'000, i * kRows * kStep, random, kStep));
  int64_t epoch = 0;
  for (auto _ : state) {
    for (const auto& rows : batches) (void)writer.Add(rows, 5).ok();
    const auto handle = writer.Prepare(++epoch);
    if (!handle.ok() || !CommitOffline(files, view.offline_path, *handle, 8).ok()) state.SkipWithError("write failed");
    state.counters["files"] = static_cast<double>(handle->parts.size());
  }
  state.SetItemsProcessed(state.iterations() * 20 * kRows);
  (void)RemoveRecursively(files, view.offline_path).ok();
}
BENCHMARK(BM_OfflineManyDays)->Unit(benchmark::kMillisecond)->Iterations(10);

// 900,000 labels joined with 900,000 feature rows of 16 features, both over 183 days and N entities, files of one a
// day.
void BM_PointInTimeJoin(benchmark::State& state) {
  LocalFileSystem files;
  const FeatureView view = View();
  (void)RemoveRecursively(files, view.offline_path).ok();
  Random random(1);
  constexpr int64_t kAll = 110 * kRows;
  constexpr int64_t kStep = 183LL * 86'400'000 / kAll;
  arrow::Int64Builder keys;
  std::vector<EventTime> times;
  {
    OfflineWriter writer(files, view, "0", "join", 8);
    for (int64_t i = 0; i < kAll; i += kRows) (void)writer.Add(Rows(state.range(0), i * kStep, random, kStep), 5).ok();
    const auto handle = writer.Prepare(1);
    if (!handle.ok() || !CommitOffline(files, view.offline_path, *handle, 8).ok()) state.SkipWithError("write failed");
  }
  for (int64_t i = 0; i < kAll; ++i) {
    (void)keys.Append(static_cast<int64_t>(random.Uniform(state.range(0)))).ok();
    times.push_back(static_cast<int64_t>(random.Uniform(kAll * kStep)));
  }
  const std::shared_ptr<arrow::Array> entities = *keys.Finish();
  for (auto _ : state) {
    const auto joined = JoinPointInTime(files, view, view.feature_columns(), {entities}, times);
    if (!joined.ok())
      state.SkipWithError(joined.status().ToString().c_str());
    else
      state.counters["matched"] = static_cast<double>(joined->matched);
  }
  state.SetItemsProcessed(state.iterations() * kAll);
  (void)RemoveRecursively(files, view.offline_path).ok();
}
BENCHMARK(BM_PointInTimeJoin)
    ->ArgName("entities")
    ->Arg(5'000)
    ->Arg(500'000)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3);

}  // namespace
}  // namespace tidemill

BENCHMARK_MAIN();
