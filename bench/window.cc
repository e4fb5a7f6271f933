// TUMBLE and HOP aggregates: COUNT(*) and SUM(x) per key and window, rows in order of time, batches of 8,192, a
// watermark a batch.
//
// One iteration is 4 M rows through one operator, its windows fired and counted; operator alone, CPU time. Budget: an
// update of a (key, slice)
// <= 20 ns in cache, <= 150 ns out of it, on top of reading the batch. Peer in the same run, on the same arrays: what a
// program for just this query would do, an absl::flat_hash_map from (key, window) to (count, sum), row by row, windows
// swept when they end; for HOP every row updates each of its windows.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <arrow/api.h>

#include "base/random.h"
#include "exec/window_aggregate.h"
#include "function/scalar_function.h"

namespace tidemill {
namespace {

constexpr int64_t kRows = 4 << 20;
constexpr int64_t kBatch = 8192;
constexpr int kRepeats = 5;
constexpr int64_t kRowsPerMs = 100;

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Data {
  std::vector<int64_t> time, key, x;
  std::vector<Batch> batches;
};

Schema InputSchema() {
  return Schema({{"ts", DataType::Timestamp(3)},
                 {"k", DataType(TypeKind::kBigInt, false)},
                 {"x", DataType(TypeKind::kBigInt, false)}});
}

Data MakeData(int64_t num_keys) {
  Random random(7);
  Data data;
  for (int64_t i = 0; i < kRows; ++i) {
    data.time.push_back(i / kRowsPerMs);
    data.key.push_back(static_cast<int64_t>(random.Uniform(static_cast<uint64_t>(num_keys))));
    data.x.push_back(static_cast<int64_t>(random.Uniform(1000)));
  }
  for (int64_t base = 0; base < kRows; base += kBatch) {
    arrow::TimestampBuilder time(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool());
    arrow::Int64Builder key, x;
    TM_CHECK(time.AppendValues(data.time.data() + base, kBatch).ok() &&
             key.AppendValues(data.key.data() + base, kBatch).ok() &&
             x.AppendValues(data.x.data() + base, kBatch).ok());
    data.batches.push_back(
        {arrow::RecordBatch::Make(InputSchema().arrow(), kBatch, {*time.Finish(), *key.Finish(), *x.Finish()}), nullptr,
         0});
  }
  return data;
}

AggregateCall Call(std::string_view name, std::vector<int> columns) {
  AggregateCall call;
  call.function = FunctionRegistry::BuiltIn().FindAggregate(name);
  std::vector<ArgumentInfo> arguments;
  for (const int column : columns) {
    call.args.push_back(MakeColumn(column, InputSchema().field(column).type));
    arguments.push_back({call.args.back()->type});
  }
  call.resolved = *call.function->resolve(arguments, false);
  call.name = std::string(name);
  return call;
}

struct Outcome {
  double seconds = 0;
  int64_t windows = 0;
  int64_t sum = 0;
};

struct Counted final : Collector {
  Status Emit(Batch batch) override {
    outcome.windows += batch.num_rows();
    const auto& sums = static_cast<const arrow::Int64Array&>(*batch.rows->column(2));
    for (int64_t i = 0; i < sums.length(); ++i) outcome.sum += sums.Value(i);
    return Status::OK();
  }
  RejectSink& rejects() override {
    TM_CHECK(false);
    return *static_cast<RejectSink*>(nullptr);
  }
  Outcome outcome;
};

struct NoTimers final : TimerService {
  void Register(uint32_t, EventTime) override {}
};

Outcome RunOperator(const Data& data, int64_t size_ms, int64_t slide_ms) {
  WindowAggregateSpec spec{.window = {.kind = size_ms == slide_ms ? WindowKind::kTumble : WindowKind::kHop,
                                      .time_column = 0,
                                      .size_ms = size_ms,
                                      .slide_ms = slide_ms},
                           .keys = {1},
                           .calls = {Call("COUNT", {}), Call("SUM", {2})}};
  Schema output({{"k", DataType(TypeKind::kBigInt, false)},
                 {"n", DataType(TypeKind::kBigInt, false)},
                 {"s", DataType(TypeKind::kBigInt)},
                 {"window_start", DataType::Timestamp(3)},
                 {"window_end", DataType::Timestamp(3)},
                 {"window_time", DataType::Timestamp(3)}});
  auto op = WindowAggregate::Make(std::move(spec), InputSchema(), output);
  TM_CHECK(op.ok());
  StateStore store("Window", {});
  NoTimers timers;
  SystemClock clock;
  OpenContext context{.operator_name = "Window", .state = &store, .timers = &timers, .clock = &clock, .wake = [] {}};
  TM_CHECK((*op)->Open(context).ok());
  Counted out;
  const double start = CpuSeconds();
  int64_t fed = 0;
  for (const Batch& batch : data.batches) {
    fed += batch.num_rows();
    TM_CHECK((*op)->ProcessBatch(0, batch, out).ok());
    TM_CHECK((*op)->OnWatermark((fed - 1) / kRowsPerMs - 1, out).ok());
  }
  TM_CHECK((*op)->OnWatermark(kMaxEventTime, out).ok());
  out.outcome.seconds = CpuSeconds() - start;
  return out.outcome;
}

Outcome RunByHand(const Data& data, int64_t size_ms, int64_t slide_ms) {
  struct Sum {
    int64_t count = 0, sum = 0;
  };
  absl::flat_hash_map<std::pair<int64_t, int64_t>, Sum> windows;
  Outcome outcome;
  const double start = CpuSeconds();
  int64_t next_end = slide_ms;
  const auto sweep = [&](int64_t until) {
    absl::erase_if(windows, [&](const auto& entry) {
      if (entry.first.second + size_ms > until) return false;
      ++outcome.windows;
      outcome.sum += entry.second.sum;
      return true;
    });
  };
  for (size_t i = 0; i < static_cast<size_t>(kRows); ++i) {
    const int64_t time = data.time[i];
    if (time >= next_end) {
      sweep(next_end);
      next_end += slide_ms;
    }
    for (int64_t window = time / slide_ms * slide_ms; window > time - size_ms; window -= slide_ms) {
      Sum& sum = windows[{data.key[i], window}];
      ++sum.count;
      sum.sum += data.x[i];
    }
  }
  sweep(INT64_MAX);
  outcome.seconds = CpuSeconds() - start;
  return outcome;
}

template <typename Run>
std::pair<Outcome, double> Repeat(Run run) {
  std::vector<Outcome> outcomes;
  for (int i = 0; i < kRepeats; ++i) outcomes.push_back(run());
  std::sort(outcomes.begin(), outcomes.end(), [](const Outcome& a, const Outcome& b) { return a.seconds < b.seconds; });
  return {outcomes[kRepeats / 2], outcomes.back().seconds - outcomes.front().seconds};
}

void RunCase(int64_t num_keys, int64_t size_ms, int64_t slide_ms) {
  const Data data = MakeData(num_keys);
  const auto ours = Repeat([&] { return RunOperator(data, size_ms, slide_ms); });
  const auto peer = Repeat([&] { return RunByHand(data, size_ms, slide_ms); });
  TM_CHECK(ours.first.windows == peer.first.windows && ours.first.sum == peer.first.sum);
  const double ns = 1e9 / static_cast<double>(kRows);
  std::printf(
      "%8ld keys, size %5ld ms, slide %5ld ms: %6.1f ns/row (spread %.1f), %5.1f M rows/s; by hand %6.1f ns/row; ratio "
      "%.2f (%ld windows)\n",
      num_keys, size_ms, slide_ms, ours.first.seconds * ns, ours.second * ns,
      static_cast<double>(kRows) / ours.first.seconds / 1e6, peer.first.seconds * ns,
      peer.first.seconds / ours.first.seconds, ours.first.windows);
}

}  // namespace
}  // namespace tidemill

int main() {
  std::printf("COUNT(*), SUM(x) per key and window, %ld rows, median of %d; ratio = by hand / ours\n", tidemill::kRows,
              tidemill::kRepeats);
  for (const int64_t keys : {1'000, 100'000, 1'000'000}) {
    tidemill::RunCase(keys, 10'000, 10'000);
    tidemill::RunCase(keys, 10'000, 2'000);
  }
}
