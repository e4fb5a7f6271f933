#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/batch.h"
#include "exec/operator.h"
#include "exec/row_rejecter.h"
#include "function/aggregate_function.h"
#include "sql/logical_plan.h"
#include "state/keyed_table.h"

namespace tidemill {

// The accumulators of a node's aggregate calls, side by side by slot, and the evaluation of their arguments.
class AggregateState final : public SlotValues {
 public:
  explicit AggregateState(std::vector<AggregateCall> calls);
  void Open(const OpenContext& context);

  // What the calls read from a batch.
  struct Arguments {
    std::vector<std::vector<std::shared_ptr<arrow::Array>>> of_call;
    std::vector<std::vector<uint8_t>> selected;  // FILTER, a byte a row; empty: all
    std::shared_ptr<arrow::Array> row_kinds;
  };
  // Evaluates arguments and filters; rows that raise are refused and taken out of `batch` (`kept` then says which are
  // left; else empty).
  Result<Arguments> Evaluate(Batch& batch, RowRejecter& rejecter, Collector& out, std::vector<int32_t>& kept);
  // Row i folds into slots[i].
  Status Update(std::span<const uint32_t> slots, const Arguments& arguments);
  // The same for the rows `rows` alone: rows[j] folds into slots[j].
  Status UpdateRows(std::span<const uint32_t> slots, const std::vector<int32_t>& rows, const Arguments& arguments);
  Status Merge(std::span<const uint32_t> target, const AggregateState& from, std::span<const uint32_t> source);
  Result<std::vector<std::shared_ptr<arrow::Array>>> Finish(std::span<const uint32_t> slots) const;
  // Empty accumulators of the same calls.
  std::unique_ptr<AggregateState> NewEmpty() const { return std::make_unique<AggregateState>(calls_); }
  bool retractable() const;

  const Schema& schema() const override { return schema_; }
  void Resize(int64_t slots) override;
  void Clear(std::span<const uint32_t> slots) override;
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override;
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override;
  int64_t MemoryBytes() const override;

 private:
  Result<std::vector<std::shared_ptr<arrow::Array>>> EvaluateAll(const Batch& batch,
                                                                 std::vector<EvalContext::RowError>& errors);

  std::vector<AggregateCall> calls_;
  std::vector<std::unique_ptr<Accumulators>> accumulators_;
  Schema schema_;
  std::vector<ExpressionPtr> expressions_;  // arguments of all calls, then filters
  std::vector<int> plain_columns_;          // those that are columns; -1: evaluated
  std::unique_ptr<ExpressionEvaluator> evaluator_;
};

}  // namespace tidemill
