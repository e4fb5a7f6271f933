#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "data/batch.h"
#include "data/key_encoder.h"
#include "exec/operator.h"
#include "state/state_store.h"

namespace tidemill {

// "[[1, 1000, \"a\"], ...]" as a batch; timestamps are numbers in the column's unit. `kinds`: "+I", "-U", "+U", "-D" a
// row, or empty.
Batch RowsOf(const Schema& schema, std::string_view json, const std::vector<std::string>& kinds = {});
// Each row as "1|a|NULL", with its kind in front when the batch has kinds: "-U 1|a|NULL".
std::vector<std::string> TextOfRows(const Batch& batch);

// Runs one operator as `parallelism` subtasks, without threads: rows go to the subtask that owns their key group,
// watermarks to all. A snapshot can be taken at any time, and the operator restored from it, at another parallelism.
class OperatorHarness {
 public:
  using Factory = std::function<Result<std::unique_ptr<Operator>>()>;
  // `keys[i]`: key columns of input i, by which rows are spread; `schemas[i]`: its columns.
  OperatorHarness(Factory factory, std::vector<Schema> schemas, std::vector<std::vector<int>> keys,
                  int parallelism = 1);
  ~OperatorHarness();

  Status Feed(int input, const Batch& batch);
  Status Watermark(EventTime watermark);
  // Calls OnWake until nothing more comes.
  Status Wake();
  // A barrier: PrepareSnapshot and what the state holds, kept for Restore; full, or what changed.
  Status Snapshot(bool full);
  // Throws the operator away and makes it anew from the snapshots.
  Status Restore(int parallelism);

  // Rows emitted since the last call, in order of emission.
  std::vector<std::string> TakeRows();
  std::vector<Batch> TakeBatches();
  std::vector<RejectedRow>& rejects() { return rejects_.rows; }
  ManualClock& clock() { return clock_; }
  MetricsRegistry& metrics() { return metrics_; }
  Operator& subtask(int i) { return *subtasks_[static_cast<size_t>(i)]->op; }
  int64_t StateBytes() const;
  int parallelism() const { return static_cast<int>(subtasks_.size()); }

 private:
  struct Rejects final : RejectSink {
    void Reject(RejectedRow row) override { rows.push_back(std::move(row)); }
    std::vector<RejectedRow> rows;
  };
  struct Collected final : Collector {
    Status Emit(Batch batch) override;
    RejectSink& rejects() override { return *reject_sink; }
    std::vector<Batch> batches;
    RejectSink* reject_sink = nullptr;
  };
  struct Timers final : TimerService {
    void Register(uint32_t timer_id, EventTime due) override { pending.emplace(due, timer_id); }
    std::set<std::pair<EventTime, uint32_t>> pending;
  };
  struct Subtask {
    std::unique_ptr<StateStore> state;
    Timers timers;
    OpenContext context;
    std::unique_ptr<Operator> op;
    bool woken = false;
  };
  Status OpenAll(int parallelism, const std::vector<std::vector<TableSnapshot>>& chains);

  Factory factory_;
  std::vector<Schema> schemas_;
  std::vector<std::vector<int>> keys_;
  std::vector<std::unique_ptr<Subtask>> subtasks_;
  std::vector<std::vector<TableSnapshot>> chains_;  // per subtask at the time of the snapshots
  Collected out_;
  Rejects rejects_;
  ManualClock clock_;
  MetricsRegistry metrics_;
};

}  // namespace tidemill
