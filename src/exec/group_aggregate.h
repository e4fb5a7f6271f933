#pragma once

#include <memory>
#include <vector>

#include "exec/aggregate_state.h"
#include "exec/operator.h"
#include "exec/row_rejecter.h"
#include "sql/logical_plan.h"
#include "state/keyed_table.h"

namespace tidemill {

// GROUP BY without windows: after each row the group's new result, as +I for the first, -U/+U for a change, -D when its
// last row is taken back.
//
// Method: a batch goes in rounds in which each group occurs once, and what the rounds give is put in the order of the
// input's rows: so the
//         output does not depend on how rows are batched. A result that did not change is not emitted again.
// State:  "groups": key -> number of rows, accumulators. With GroupAggregateSpec::state_ttl_ms groups idle for so long
// are forgotten. Failed: arguments that raise: kExpression.
class GroupAggregate final : public Operator {
 public:
  static Result<std::unique_ptr<GroupAggregate>> Make(GroupAggregateSpec spec, const Schema& input,
                                                      const Schema& output);
  ~GroupAggregate() override;
  Status Open(OpenContext& context) override;
  Status ProcessBatch(int input, Batch batch, Collector& out) override;
  Status OnWatermark(EventTime watermark, Collector& out) override;

 private:
  class Values;
  using Columns = std::vector<std::shared_ptr<arrow::Array>>;
  // A row of the output: which row of the input caused it, and where it lies among the parts.
  struct Change {
    int32_t row;
    RowKind kind;
    int32_t at;
  };
  GroupAggregate(GroupAggregateSpec spec, Schema input, Schema output);
  std::vector<std::vector<int32_t>> Rounds(const std::vector<uint32_t>& slots);
  Status RunRound(const std::vector<int32_t>& rows, const std::vector<uint32_t>& slots,
                  const AggregateState::Arguments& arguments, std::vector<Columns>& parts,
                  std::vector<Change>& changes);
  Status EmitChanges(const Batch& batch, const std::vector<Columns>& parts, std::vector<Change> changes,
                     Collector& out);

  GroupAggregateSpec spec_;
  Schema input_, output_;
  std::unique_ptr<Values> values_;
  std::unique_ptr<KeyedTable> table_;
  std::vector<int32_t> round_of_slot_;
  RowRejecter rejecter_;
};

}  // namespace tidemill
