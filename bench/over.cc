// OVER as the fraud example uses it: per customer COUNT and AVG over 1, 7 and 30 days and LAG; per terminal COUNT,
// COUNT and SUM of a label (NULL for most rows) over 1, 7 and 30 days. 872,795 rows over 91 days, 4,990 customers,
// 10,000 terminals, batches of 8,192.
//
// One iteration is all rows through one operator, operator alone: no decoding, no exchange; CPU time. Modes: on the
// watermark (one watermark a batch), on arrival with rows in order, on arrival with every fourth row up to an hour
// late. Peer, on the same arrays: what a program for just this query would do, one std::deque per key and window and
// plain sums, row by row.
#include "exec/over.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <arrow/api.h>

#include "base/random.h"

namespace tidemill {
namespace {

constexpr int64_t kRows = 872'795;
constexpr int64_t kBatch = 8192;
constexpr int kRepeats = 5;
constexpr int64_t kDay = 86'400'000;

// Of this thread, so that other work on the machine counts little.
double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Data {
  std::vector<int64_t> time, customer, terminal;
  std::vector<double> amount;
  std::vector<int8_t> label;  // -1: NULL
};

Data MakeData(bool disorder) {
  Random random(42);
  Data data;
  for (int64_t i = 0; i < kRows; ++i) {
    int64_t time = i * 91 * kDay / kRows;
    if (disorder && random.Uniform(4) == 0) time -= static_cast<int64_t>(random.Uniform(3'600'000));
    data.time.push_back(std::max<int64_t>(time, 0));
    data.customer.push_back(static_cast<int64_t>(random.Uniform(4990)));
    data.terminal.push_back(static_cast<int64_t>(random.Uniform(10000)));
    data.amount.push_back(static_cast<double>(random.Uniform(50000)) / 100);
    data.label.push_back(random.Uniform(2) ? -1 : static_cast<int8_t>(random.Uniform(100) == 0));
  }
  return data;
}

Schema InputSchema() {
  return Schema({{"tx_time", DataType::Timestamp(3)},
                 {"customer_id", DataType(TypeKind::kBigInt)},
                 {"terminal_id", DataType(TypeKind::kBigInt)},
                 {"amount", DataType(TypeKind::kDouble)},
                 {"label", DataType(TypeKind::kInt)}});
}

std::vector<Batch> BatchesOf(const Data& data) {
  const Schema schema = InputSchema();
  std::vector<Batch> batches;
  for (int64_t base = 0; base < kRows; base += kBatch) {
    const int64_t n = std::min(kBatch, kRows - base);
    arrow::TimestampBuilder time(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool());
    arrow::Int64Builder customer, terminal;
    arrow::DoubleBuilder amount;
    arrow::Int32Builder label;
    for (size_t i = static_cast<size_t>(base); i < static_cast<size_t>(base + n); ++i) {
      TM_CHECK(time.Append(data.time[i]).ok() && customer.Append(data.customer[i]).ok() &&
               terminal.Append(data.terminal[i]).ok() && amount.Append(data.amount[i]).ok() &&
               (data.label[i] < 0 ? label.AppendNull() : label.Append(data.label[i])).ok());
    }
    batches.push_back({arrow::RecordBatch::Make(
                           schema.arrow(), n,
                           {*time.Finish(), *customer.Finish(), *terminal.Finish(), *amount.Finish(), *label.Finish()}),
                       nullptr, 0});
  }
  return batches;
}

OverCall Call(const AggregateFunction& function, int column, DataType result, int64_t days) {
  const Schema schema = InputSchema();
  OverCall over;
  over.call.function = &function;
  over.call.resolved.result = result;
  over.call.name = "c" + std::to_string(column) + "_" + std::to_string(days) + std::string(function.name);
  if (column >= 0) over.call.args.push_back(MakeColumn(column, schema.field(column).type));
  over.frame = {.unit = OverFrame::Unit::kRange, .unbounded = days == 0, .preceding = days * kDay};
  return over;
}

const AggregateFunction kCount{.name = "COUNT"}, kAvg{.name = "AVG"}, kSum{.name = "SUM"}, kLag{.name = "LAG"};

OverSpec CustomerSpec(OverEmit emit) {
  OverSpec spec{.partition_columns = {1}, .time_column = 0, .calls = {}, .emit = emit};
  for (const int64_t days : {1, 7, 30}) {
    spec.calls.push_back(Call(kCount, -1, DataType(TypeKind::kBigInt, false), days));
    spec.calls.push_back(Call(kAvg, 3, DataType(TypeKind::kDouble), days));
  }
  spec.calls.push_back(Call(kLag, 0, DataType::Timestamp(3), 0));
  return spec;
}

OverSpec TerminalSpec(OverEmit emit) {
  OverSpec spec{.partition_columns = {2}, .time_column = 0, .calls = {}, .emit = emit};
  for (const int64_t days : {1, 7, 30}) {
    spec.calls.push_back(Call(kCount, -1, DataType(TypeKind::kBigInt, false), days));
    spec.calls.push_back(Call(kCount, 4, DataType(TypeKind::kBigInt, false), days));
    spec.calls.push_back(Call(kSum, 4, DataType(TypeKind::kInt), days));
  }
  return spec;
}

struct Checked final : Collector {
  Status Emit(Batch batch) override {
    rows += batch.num_rows();
    const arrow::Array& column = *batch.rows->column(batch.rows->num_columns() - 2);  // the last window's AVG or COUNT
    if (column.type_id() == arrow::Type::DOUBLE) {
      for (int64_t i = 0; i < column.length(); ++i) total += static_cast<const arrow::DoubleArray&>(column).Value(i);
    } else if (column.type_id() == arrow::Type::INT64) {
      for (int64_t i = 0; i < column.length(); ++i)
        total += static_cast<double>(static_cast<const arrow::Int64Array&>(column).Value(i));
    }
    return Status::OK();
  }
  RejectSink& rejects() override {
    TM_CHECK(false);
    return *static_cast<RejectSink*>(nullptr);
  }
  int64_t rows = 0;
  double total = 0;
};

struct NoTimers final : TimerService {
  void Register(uint32_t, EventTime) override {}
};

struct Outcome {
  double seconds = 0;
  double total = 0;
  int64_t state_bytes = 0;
};

Outcome RunOver(const OverSpec& spec, const std::vector<Batch>& batches, int64_t lateness) {
  std::vector<Field> fields = InputSchema().fields();
  for (const OverCall& over : spec.calls) fields.push_back({over.call.name, over.call.resolved.result});
  auto op = Over::Make(spec, InputSchema(), Schema(fields));
  TM_CHECK(op.ok());
  StateStore store("Over", {});
  NoTimers timers;
  SystemClock clock;
  OpenContext context{.operator_name = "Over", .state = &store, .timers = &timers, .clock = &clock, .wake = [] {}};
  TM_CHECK((*op)->Open(context).ok());
  Checked out;
  const double start = CpuSeconds();
  int64_t fed = 0;
  for (const Batch& batch : batches) {
    fed += batch.num_rows();
    TM_CHECK((*op)->ProcessBatch(0, batch, out).ok());
    TM_CHECK((*op)->OnWatermark((fed - 1) * 91 * kDay / kRows - lateness, out).ok());
  }
  TM_CHECK((*op)->OnWatermark(kMaxEventTime, out).ok());
  const double seconds = CpuSeconds() - start;
  TM_CHECK(out.rows == kRows);
  return {seconds, out.total, store.MemoryBytes()};
}

Outcome RunByHand(const Data& data, bool customers) {
  struct Entry {
    int64_t time;
    double value;
    bool valid;
  };
  struct Window {
    std::deque<Entry> entries;
    double sum = 0;
    int64_t count = 0;
  };
  const double start = CpuSeconds();
  const int64_t days[3] = {1, 7, 30};
  std::vector<Window> windows(3 * (customers ? 4990 : 10000));
  std::vector<double> columns[9];
  std::vector<int64_t> last(4990, -1), lag;
  for (auto& column : columns) column.reserve(kRows);
  double total = 0;
  for (size_t i = 0; i < static_cast<size_t>(kRows); ++i) {
    const size_t key = static_cast<size_t>(customers ? data.customer[i] : data.terminal[i]);
    const Entry entry{data.time[i], customers ? data.amount[i] : data.label[i], customers || data.label[i] >= 0};
    for (size_t w = 0; w < 3; ++w) {
      Window& window = windows[key * 3 + w];
      while (!window.entries.empty() && window.entries.front().time < entry.time - days[w] * kDay) {
        if (window.entries.front().valid) {
          window.sum -= window.entries.front().value;
          --window.count;
        }
        window.entries.pop_front();
      }
      window.entries.push_back(entry);
      if (entry.valid) {
        window.sum += entry.value;
        ++window.count;
      }
      columns[w * 3].push_back(static_cast<double>(window.entries.size()));
      columns[w * 3 + 1].push_back(customers ? window.sum / static_cast<double>(window.count)
                                             : static_cast<double>(window.count));
      columns[w * 3 + 2].push_back(window.sum);
    }
    if (customers) {
      lag.push_back(last[key]);
      last[key] = entry.time;
    }
    total += columns[7].back();
  }
  return {CpuSeconds() - start, total, 0};
}

template <typename Run>
std::pair<Outcome, double> Repeat(Run run) {
  std::vector<Outcome> outcomes;
  for (int i = 0; i < kRepeats; ++i) outcomes.push_back(run());
  std::sort(outcomes.begin(), outcomes.end(), [](const Outcome& a, const Outcome& b) { return a.seconds < b.seconds; });
  return {outcomes[kRepeats / 2], outcomes.back().seconds - outcomes.front().seconds};
}

void Report(const char* what, const std::pair<Outcome, double>& ours, double peer_seconds) {
  const double per_row = 1e9 / static_cast<double>(kRows);
  std::printf("%-44s %6.0f ns/row (spread %.0f), %5.2f M rows/s, state %ld MiB", what, ours.first.seconds * per_row,
              ours.second * per_row, static_cast<double>(kRows) / ours.first.seconds / 1e6,
              ours.first.state_bytes >> 20);
  if (peer_seconds > 0)
    std::printf("; by hand %.0f ns/row, ratio %.2f", peer_seconds * per_row, peer_seconds / ours.first.seconds);
  std::printf("\n");
}

void Main() {
  const Data ordered = MakeData(false);
  const Data disordered = MakeData(true);
  const std::vector<Batch> ordered_batches = BatchesOf(ordered);
  const std::vector<Batch> disordered_batches = BatchesOf(disordered);
  for (const bool customers : {true, false}) {
    const auto spec = customers ? CustomerSpec : TerminalSpec;
    const std::string name = customers ? "customer, 3 x (COUNT, AVG) + LAG" : "terminal, 3 x (COUNT, COUNT, SUM)";
    const auto by_hand = Repeat([&] { return RunByHand(ordered, customers); });
    const auto on_watermark = Repeat([&] { return RunOver(spec(OverEmit::kOnWatermark), ordered_batches, 0); });
    const auto on_arrival = Repeat([&] { return RunOver(spec(OverEmit::kOnArrival), ordered_batches, 0); });
    TM_CHECK(std::abs(on_arrival.first.total - by_hand.first.total) <= 1e-9 * std::abs(by_hand.first.total));
    Report((name + ", on watermark").c_str(), on_watermark, by_hand.first.seconds);
    Report((name + ", on arrival").c_str(), on_arrival, by_hand.first.seconds);
    Report((name + ", watermark, disorder").c_str(),
           Repeat([&] { return RunOver(spec(OverEmit::kOnWatermark), disordered_batches, 3'600'000); }), 0);
    Report((name + ", arrival, disorder").c_str(),
           Repeat([&] { return RunOver(spec(OverEmit::kOnArrival), disordered_batches, 3'600'000); }), 0);
  }
}

}  // namespace
}  // namespace tidemill

int main() {
  std::printf("OVER alone, %ld rows, median of %d; budget 700 ns/row\n", tidemill::kRows, tidemill::kRepeats);
  tidemill::Main();
}
