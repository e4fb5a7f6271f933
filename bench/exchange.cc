// The exchange between stages: rows of full batches go by the hash of their key to the queues of 2, 4 and 8 lanes, and
// are taken out there. Peer: Arrow's own kernels doing the same split (one Filter per lane, by masks of the same
// lanes), in the same run.
//
// One iteration is 256 batches of 8,192 rows: a key, four numbers, a time and, in the second table, a short text; CPU
// time, median and spread of 7. Budget (architecture.md, section 9): 20 ns a row.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>

#include "base/random.h"
#include "exec/runtime/output.h"

namespace tidemill {
namespace {

constexpr int kBatches = 256;
constexpr int kRepeats = 7;

struct Timing {
  double median, low, high;
};

// CPU time of this thread: one thread does all of it, and others may share the machine.
double ThreadNanos() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

template <typename Run>
Timing Measure(Run run) {
  run();
  std::vector<double> times;
  for (int i = 0; i < kRepeats; ++i) {
    const double start = ThreadNanos();
    run();
    times.push_back((ThreadNanos() - start) / (static_cast<double>(kBatches) * kBatchRowsMax));
  }
  std::sort(times.begin(), times.end());
  return {times[kRepeats / 2], times.front(), times.back()};
}

std::vector<Batch> MakeBatches(bool text_key) {
  Random random(1);
  std::vector<Batch> batches;
  for (int b = 0; b < kBatches; ++b) {
    arrow::Int64Builder key, count, time;
    arrow::DoubleBuilder x, y, z;
    arrow::StringBuilder name;
    for (int i = 0; i < kBatchRowsMax; ++i) {
      const int64_t k = static_cast<int64_t>(random.Uniform(100'000));
      TM_CHECK(key.Append(k).ok() && count.Append(i).ok() && time.Append(b * kBatchRowsMax + i).ok());
      TM_CHECK(x.Append(random.Double()).ok() && y.Append(1).ok() && z.Append(2).ok() &&
               name.Append("customer-" + std::to_string(k)).ok());
    }
    std::vector<std::shared_ptr<arrow::Array>> columns{*key.Finish(), *count.Finish(), *time.Finish(),
                                                       *x.Finish(),   *y.Finish(),     *z.Finish()};
    arrow::FieldVector fields{arrow::field("key", arrow::int64()),  arrow::field("count", arrow::int64()),
                              arrow::field("time", arrow::int64()), arrow::field("x", arrow::float64()),
                              arrow::field("y", arrow::float64()),  arrow::field("z", arrow::float64())};
    if (text_key) {
      columns[0] = *name.Finish();
      fields[0] = arrow::field("key", arrow::utf8());
    }
    batches.push_back(Batch{arrow::RecordBatch::Make(arrow::schema(fields), kBatchRowsMax, std::move(columns))});
  }
  return batches;
}

int64_t Ours(const std::vector<Batch>& batches, Output& output, std::vector<std::unique_ptr<Channel>>& channels) {
  int64_t rows = 0;
  for (const Batch& batch : batches) {
    TM_CHECK(output.Emit(batch).ok());
    for (auto& channel : channels) {
      while (!channel->empty()) rows += channel->Pop().batch.num_rows();
    }
  }
  return rows;
}

int64_t Peer(const std::vector<Batch>& batches, KeyEncoder& encoder, int lanes) {
  int64_t rows = 0;
  for (const Batch& batch : batches) {
    const EncodedKeys keys = *encoder.Encode({batch.rows->column(0)}, batch.num_rows());
    const int64_t n = batch.num_rows();
    uint8_t lane_of[kBatchRowsMax];
    for (int64_t i = 0; i < n; ++i) lane_of[i] = static_cast<uint8_t>(LaneOfKeyGroup(keys.key_groups[i], lanes));
    for (int lane = 0; lane < lanes; ++lane) {
      arrow::BooleanBuilder mask;
      TM_CHECK(mask.Reserve(n).ok());
      for (int64_t i = 0; i < n; ++i) mask.UnsafeAppend(lane_of[i] == lane);
      rows += arrow::compute::Filter(batch.rows, *mask.Finish())->record_batch()->num_rows();
    }
  }
  return rows;
}

void Run() {
  TM_CHECK(arrow::compute::Initialize().ok());
  std::printf("%-10s %6s %28s %28s %8s\n", "key", "lanes", "exchange, ns a row", "Arrow's filters, ns a row", "ratio");
  for (const bool text_key : {false, true}) {
    const std::vector<Batch> batches = MakeBatches(text_key);
    const DataType type(text_key ? TypeKind::kString : TypeKind::kBigInt);
    for (int lanes : {2, 4, 8}) {
      auto signal = std::make_shared<LaneSignal>();
      std::vector<std::unique_ptr<Channel>> channels;
      std::vector<Channel*> raw;
      for (int lane = 0; lane < lanes; ++lane) {
        channels.push_back(std::make_unique<Channel>(int64_t{1} << 40, signal, std::make_shared<LaneSignal>()));
        raw.push_back(channels.back().get());
      }
      auto output = *Output::Make({ExchangeSpec::Kind::kHash, {0}, {type}}, raw);
      auto encoder = *KeyEncoder::Make({type});
      const Timing ours =
          Measure([&] { TM_CHECK(Ours(batches, *output, channels) == int64_t{kBatches} * kBatchRowsMax); });
      const Timing peer =
          Measure([&] { TM_CHECK(Peer(batches, *encoder, lanes) == int64_t{kBatches} * kBatchRowsMax); });
      std::printf("%-10s %6d %10.1f (%5.1f .. %5.1f) %12.1f (%5.1f .. %5.1f) %8.2f%s\n", text_key ? "STRING" : "BIGINT",
                  lanes, ours.median, ours.low, ours.high, peer.median, peer.low, peer.high, peer.median / ours.median,
                  ours.median > 20 ? "  over budget" : "");
    }
  }
}

}  // namespace
}  // namespace tidemill

int main() {
  tidemill::Run();
  return 0;
}
