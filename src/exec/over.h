#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exec/operator.h"
#include "exec/over_frames.h"
#include "exec/over_kernel.h"
#include "exec/over_plan.h"
#include "exec/row_rejecter.h"
#include "sql/logical_plan.h"
#include "state/keyed_table.h"
#include "state/row_buffer.h"
#include "state/time_buffer.h"

namespace tidemill {

// Adds to each row aggregates over earlier rows of its key: OVER (PARTITION BY ... ORDER BY time ROWS | RANGE ...
// PRECEDING).
//
// Method: all calls of one node share one time buffer per key. A batch is appended to the buffer; one pass then finds
// what enters and leaves
//         each distinct frame at each row (OverFrames); then each kernel (OverKernel) folds that in one typed loop. A
//         row costs O(1) per frame and kernel, amortised.
// Emit on-watermark: rows wait until the watermark passes them and come out in order of (time, arrival); rows of the
// same time share the
//         values of RANGE frames. A row at or below the watermark is late.
// Emit on-arrival: a row gets its values at once, from the rows that arrived before it and are not newer, and keeps its
// place in the output.
//         A row that is older than its key's newest is put in its place and computed on its own (slow, exact). A row
//         older than the watermark by more than the longest RANGE is late; so rows are kept for twice that long.
// State:  "rows": per key the records that frames, LAG and late rows can still reach; "pending": rows before the
// watermark (on-watermark);
//         "running": values over UNBOUNDED frames. States of bounded frames are folded afresh from "rows" at a restore.
//         Keys are forgotten when their last record is out of reach; never with LAG or ROWS frames, nor in "running".
// Late:   to out.rejects() as kLate, counted. NULL time: kNullRowtime. Arguments that raise: kExpression.
class Over final : public Operator {
 public:
  static Result<std::unique_ptr<Over>> Make(OverSpec spec, const Schema& input, const Schema& output);
  ~Over() override;
  Status Open(OpenContext& context) override;
  Status ProcessBatch(int input, Batch batch, Collector& out) override;
  Status OnWatermark(EventTime watermark, Collector& out) override;

 private:
  // The states over UNBOUNDED frames, saved side by side.
  class Running;

  Over(OverSpec spec, OverPlan plan, Schema input, Schema output);
  Status MakeKernels();
  Status RebuildAll();
  // Rows whose time is not NULL and not at or below `bound`; the others are refused.
  Result<bool> DropLate(Batch& batch, std::vector<EventTime>& times, EventTime bound, Collector& out);
  Status ProcessRows(Batch batch, std::vector<EventTime> times, Collector& out);
  // Evaluates arguments and filters into records_; refuses rows that raise and then does it again for the rest.
  Status FillRecords(Batch& batch, std::vector<EventTime>& times, Collector& out);
  Status FindKeys(const Batch& batch);
  // Appends records in order; on arrival, from a key's first row that is out of order on, its rows go to slow_.
  void AppendRecords(const std::vector<EventTime>& times);
  void ProcessFast(const std::vector<EventTime>& times);
  void ProcessSlow(uint32_t row, EventTime time);
  FrameAt At(uint32_t row, size_t frame) const;
  void Trim();
  void Sweep(size_t slots_max);
  EventTime RetainFrom() const;

  OverSpec spec_;
  OverPlan plan_;
  Schema input_;
  Schema output_;
  bool on_arrival_;
  std::vector<int> plain_columns_;  // of the values that are columns; -1: evaluated
  std::unique_ptr<ExpressionEvaluator> evaluator_;
  std::unique_ptr<TimeBuffer> buffer_;
  std::unique_ptr<RowBuffer> pending_;
  std::unique_ptr<Running> running_values_;
  std::unique_ptr<KeyedTable> running_;
  OverFrames frames_;
  std::vector<std::unique_ptr<OverKernel>> kernels_;  // one per plan_.kernels
  EventTime watermark_ = kMinEventTime;
  uint32_t sweep_cursor_ = 0;
  RowRejecter rejecter_;

  // --- of the batch at hand, by row ---
  std::vector<uint64_t> table_;  // records as they will be in the buffer
  std::vector<uint64_t*> records_;
  std::vector<uint32_t> slots_;
  std::vector<uint32_t> running_slots_;
  std::vector<uint32_t> own_;
  std::vector<uint32_t> fast_;    // rows in order
  std::vector<uint32_t> slow_;    // rows that came out of order, and later ones of their keys
  std::vector<uint8_t> is_slow_;  // by slot
  // --- of the run at hand, when some rows are slow ---
  std::vector<uint32_t> run_slots_, run_running_slots_, run_own_;
  std::vector<EventTime> run_times_;
};

}  // namespace tidemill
