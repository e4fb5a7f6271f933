#include "exec/values_source.h"

#include <algorithm>

#include <arrow/array/concatenate.h>
#include <arrow/record_batch.h>

#include "data/arrow_status.h"

namespace tidemill {
namespace {

class ValuesReader final : public SplitReader {
 public:
  ValuesReader(LogicalPtr values, std::string time_zone, int64_t row, SplitContext context)
      : values_(std::move(values)), time_zone_(std::move(time_zone)), row_(row), context_(std::move(context)) {}

  Result<ReadOutcome> Read(int rows_max) override {
    const auto& rows = std::get<ValuesSpec>(values_->spec).rows;
    const int64_t to = std::min<int64_t>(static_cast<int64_t>(rows.size()), row_ + rows_max);
    ReadOutcome outcome;
    if (to > row_) {
      std::vector<Batch> parts;
      for (; row_ < to; ++row_) TM_RETURN_IF_ERROR(Append(rows[row_], parts));
      if (!parts.empty()) {
        TM_ASSIGN_OR_RETURN(outcome.batch, ConcatBatches(parts));
      }
    }
    outcome.position = std::to_string(row_);
    outcome.ended = row_ == static_cast<int64_t>(rows.size());
    return outcome;
  }

 private:
  Status Append(const std::vector<ExpressionPtr>& row, std::vector<Batch>& parts) {
    ExpressionEvaluator evaluator(row, *context_.clock, time_zone_);
    const Batch unit{arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector{})};
    std::vector<EvalContext::RowError> errors;
    TM_ASSIGN_OR_RETURN(auto columns, evaluator.Evaluate(unit, errors));
    if (!errors.empty()) {
      context_.rejects->Reject(RejectedRow{
          .reason = RejectReason::kExpression, .source = "VALUES", .offset = row_ + 1, .detail = errors[0].detail});
      return Status::OK();
    }
    parts.push_back(Batch{arrow::RecordBatch::Make(values_->schema.arrow(), 1, std::move(columns))});
    return Status::OK();
  }

  LogicalPtr values_;
  std::string time_zone_;
  int64_t row_;
  SplitContext context_;
};

}  // namespace

Result<std::unique_ptr<SplitReader>> ValuesSource::OpenSplit(const SourceSplit&,
                                                             const std::optional<std::string>& position,
                                                             SplitContext context) {
  int64_t row = 0;
  if (position.has_value()) row = std::stoll(*position);
  std::unique_ptr<SplitReader> reader = std::make_unique<ValuesReader>(values_, time_zone_, row, std::move(context));
  return reader;
}

}  // namespace tidemill
