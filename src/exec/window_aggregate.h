#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "exec/aggregate_state.h"
#include "exec/operator.h"
#include "exec/row_rejecter.h"
#include "exec/window_grid.h"
#include "sql/logical_plan.h"
#include "state/keyed_table.h"
#include "state/saved_watermark.h"

namespace tidemill {

// Groups rows by key and TUMBLE, HOP or CUMULATE window; emits a window once, when the watermark passes its end.
//
// Method: rows fold into slices (WindowGrid), so a row costs one update. A TUMBLE window is a slice; a HOP window is
// merged from its slices when it
//         fires; the slices of a CUMULATE window are merged into its period's first one as they fire, so each is merged
//         once.
// State:  "slices": (key, slice end) -> accumulators, until the last window of the slice has fired.
// Fires:  when the watermark >= window end - 1 ms, windows in order of their ends; for TIMESTAMP_LTZ on the grid of the
// session's zone. Late:   a row whose last window has fired goes to out.rejects() as kLate and is counted; a row that
// is late for some of its windows still
//         counts in the others. NULL time: kNullRowtime. Arguments that raise: kExpression.
class WindowAggregate final : public Operator {
 public:
  static Result<std::unique_ptr<WindowAggregate>> Make(WindowAggregateSpec spec, const Schema& input,
                                                       const Schema& output);
  Status Open(OpenContext& context) override;
  Status ProcessBatch(int input, Batch batch, Collector& out) override;
  Status OnWatermark(EventTime watermark, Collector& out) override;

 private:
  static constexpr int64_t kNoWindow = INT64_MAX;
  WindowAggregate(WindowAggregateSpec spec, Schema input, Schema output, std::unique_ptr<WindowGrid> grid);
  // Slices and schedule from the table, after a restore.
  Status RestoreSlices();
  // Slice numbers of the rows that are not late; the others are refused and taken out of the batch.
  Status AssignSlices(Batch& batch, std::vector<int64_t>& slices, Collector& out);
  // Slots for the (key, slice) of each row; new ones join their slice.
  Status FindSlots(std::vector<std::shared_ptr<arrow::Array>> keys, const std::vector<int64_t>& slices,
                   std::vector<uint32_t>& slots);
  Status AddToSlices(const std::vector<std::shared_ptr<arrow::Array>>& keys, const std::vector<int64_t>& slices,
                     const std::vector<uint32_t>& slots, const std::vector<uint32_t>& new_rows);
  // The first window with this slice that has not fired.
  void Schedule(int64_t slice);
  Status Fire(int64_t window, Collector& out);
  Status MergeHop(int64_t window, std::vector<uint32_t>& representatives);
  Status FoldCumulate(int64_t window);
  // One row per slot: keys of `key_slots`, results of `state` at `slots`.
  Status Emit(int64_t window, const std::vector<uint32_t>& key_slots, const AggregateState& state,
              const std::vector<uint32_t>& slots, Collector& out);
  Status DropSlices(int64_t fired_window);
  void Erase(const std::vector<uint32_t>& slots);

  WindowAggregateSpec spec_;
  Schema input_, output_;
  std::unique_ptr<WindowGrid> grid_;
  AggregateState state_;
  std::unique_ptr<KeyedTable> table_;
  SavedWatermark watermark_;
  std::map<int64_t, std::vector<uint32_t>> slices_;  // slots by slice, in order of arrival
  int64_t next_window_ = kNoWindow;                  // the next to fire
  EventTime next_fire_ = kMaxEventTime;
  RowRejecter rejecter_;
  // --- HOP: which slots have the same key ---
  std::optional<KeyColumns> group_keys_;
  KeyIndex groups_;
  std::vector<uint32_t> group_of_slot_;
  std::vector<uint32_t> slots_of_group_;  // how many
  std::unique_ptr<AggregateState> merged_;
  std::vector<uint32_t> merged_of_group_;
};

}  // namespace tidemill
