#include "exec/aggregate_state.h"

#include <algorithm>

#include <arrow/api.h>

namespace tidemill {

AggregateState::AggregateState(std::vector<AggregateCall> calls) : calls_(std::move(calls)) {
  std::vector<Field> fields;
  for (const AggregateCall& call : calls_) {
    accumulators_.push_back(call.resolved.make(call.resolved));
    for (const Field& field : accumulators_.back()->state_schema().fields())
      fields.push_back({call.name + "." + field.name, field.type});
    expressions_.insert(expressions_.end(), call.args.begin(), call.args.end());
  }
  for (const AggregateCall& call : calls_) {
    if (call.filter) expressions_.push_back(call.filter);
  }
  // Two calls may bear one name (SELECT COUNT(*), COUNT(*)).
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string base = fields[i].name;
    for (int n = 1; std::any_of(fields.begin(), fields.begin() + static_cast<int64_t>(i),
                                [&](const Field& f) { return f.name == fields[i].name; });
         ++n) {
      fields[i].name = base + "#" + std::to_string(n);
    }
  }
  schema_ = Schema(std::move(fields));
}

void AggregateState::Open(const OpenContext& context) {
  std::vector<ExpressionPtr> evaluated;
  for (const ExpressionPtr& expression : expressions_) {
    plain_columns_.push_back(expression->kind == Expression::Kind::kColumn ? expression->column : -1);
    if (plain_columns_.back() < 0) evaluated.push_back(expression);
  }
  if (!evaluated.empty())
    evaluator_ = std::make_unique<ExpressionEvaluator>(std::move(evaluated), *context.clock, context.time_zone);
}

Result<std::vector<std::shared_ptr<arrow::Array>>> AggregateState::EvaluateAll(
    const Batch& batch, std::vector<EvalContext::RowError>& errors) {
  std::vector<std::shared_ptr<arrow::Array>> evaluated;
  if (evaluator_) {
    TM_ASSIGN_OR_RETURN(evaluated, evaluator_->Evaluate(batch, errors));
  }
  std::vector<std::shared_ptr<arrow::Array>> all;
  size_t next = 0;
  for (const int column : plain_columns_) all.push_back(column >= 0 ? batch.rows->column(column) : evaluated[next++]);
  return all;
}

Result<AggregateState::Arguments> AggregateState::Evaluate(Batch& batch, RowRejecter& rejecter, Collector& out,
                                                           std::vector<int32_t>& kept) {
  std::vector<EvalContext::RowError> errors;
  TM_ASSIGN_OR_RETURN(auto values, EvaluateAll(batch, errors));
  if (!errors.empty()) {
    rejecter.Failed(out, batch, errors, kept);
    TM_ASSIGN_OR_RETURN(batch, TakeRows(batch, kept));
    errors.clear();
    TM_ASSIGN_OR_RETURN(values, EvaluateAll(batch, errors));
  }
  Arguments arguments;
  arguments.row_kinds = batch.row_kinds;
  size_t next = 0;
  for (const AggregateCall& call : calls_) {
    arguments.of_call.emplace_back(values.begin() + static_cast<int64_t>(next),
                                   values.begin() + static_cast<int64_t>(next + call.args.size()));
    next += call.args.size();
  }
  for (const AggregateCall& call : calls_) {
    std::vector<uint8_t>& selected = arguments.selected.emplace_back();
    if (!call.filter) continue;
    const auto& passes = static_cast<const arrow::BooleanArray&>(*values[next++]);
    selected.resize(static_cast<size_t>(passes.length()));
    for (int64_t i = 0; i < passes.length(); ++i)
      selected[static_cast<size_t>(i)] = passes.IsValid(i) && passes.Value(i);
  }
  return arguments;
}

Status AggregateState::Update(std::span<const uint32_t> slots, const Arguments& arguments) {
  const int8_t* kinds =
      arguments.row_kinds ? static_cast<const arrow::Int8Array&>(*arguments.row_kinds).raw_values() : nullptr;
  for (size_t c = 0; c < calls_.size(); ++c) {
    const uint8_t* selected = arguments.selected[c].empty() ? nullptr : arguments.selected[c].data();
    TM_RETURN_IF_ERROR(accumulators_[c]->Update(slots, arguments.of_call[c], kinds, selected));
  }
  return Status::OK();
}

Status AggregateState::UpdateRows(std::span<const uint32_t> slots, const std::vector<int32_t>& rows,
                                  const Arguments& arguments) {
  Arguments some;
  for (size_t c = 0; c < calls_.size(); ++c) {
    auto& args = some.of_call.emplace_back();
    auto& selected = some.selected.emplace_back();
    if (!arguments.of_call[c].empty()) {
      arrow::FieldVector fields;
      for (size_t a = 0; a < arguments.of_call[c].size(); ++a)
        fields.push_back(arrow::field(std::to_string(a), arguments.of_call[c][a]->type()));
      const Batch table{arrow::RecordBatch::Make(arrow::schema(std::move(fields)), arguments.of_call[c][0]->length(),
                                                 arguments.of_call[c]),
                        nullptr, 0};
      TM_ASSIGN_OR_RETURN(Batch taken, TakeRows(table, rows));
      args = taken.rows->columns();
    }
    if (arguments.selected[c].empty()) continue;
    for (const int32_t row : rows) selected.push_back(arguments.selected[c][static_cast<size_t>(row)]);
  }
  if (arguments.row_kinds) {
    const Batch kinds{arrow::RecordBatch::Make(arrow::schema({arrow::field("k", arrow::int8())}),
                                               arguments.row_kinds->length(), {arguments.row_kinds}),
                      nullptr, 0};
    TM_ASSIGN_OR_RETURN(Batch taken, TakeRows(kinds, rows));
    some.row_kinds = taken.rows->column(0);
  }
  return Update(slots, some);
}

Status AggregateState::Merge(std::span<const uint32_t> target, const AggregateState& from,
                             std::span<const uint32_t> source) {
  for (size_t c = 0; c < calls_.size(); ++c)
    TM_RETURN_IF_ERROR(accumulators_[c]->Merge(target, *from.accumulators_[c], source));
  return Status::OK();
}

Result<std::vector<std::shared_ptr<arrow::Array>>> AggregateState::Finish(std::span<const uint32_t> slots) const {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const auto& accumulators : accumulators_) {
    TM_ASSIGN_OR_RETURN(auto column, accumulators->Finish(slots));
    columns.push_back(std::move(column));
  }
  return columns;
}

bool AggregateState::retractable() const {
  return std::all_of(accumulators_.begin(), accumulators_.end(), [](const auto& a) { return a->retractable(); });
}

void AggregateState::Resize(int64_t slots) {
  for (const auto& accumulators : accumulators_) accumulators->Resize(slots);
}

void AggregateState::Clear(std::span<const uint32_t> slots) {
  for (const auto& accumulators : accumulators_) accumulators->Clear(slots);
}

Result<std::vector<std::shared_ptr<arrow::Array>>> AggregateState::Export(std::span<const uint32_t> slots) const {
  std::vector<std::shared_ptr<arrow::Array>> all;
  for (const auto& accumulators : accumulators_) {
    TM_ASSIGN_OR_RETURN(auto columns, accumulators->Export(slots));
    all.insert(all.end(), columns.begin(), columns.end());
  }
  return all;
}

Status AggregateState::Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) {
  size_t at = 0;
  for (const auto& accumulators : accumulators_) {
    const size_t width = static_cast<size_t>(accumulators->state_schema().num_fields());
    TM_RETURN_IF_ERROR(accumulators->Import(slots, columns.subspan(at, width)));
    at += width;
  }
  return Status::OK();
}

int64_t AggregateState::MemoryBytes() const {
  int64_t bytes = 0;
  for (const auto& accumulators : accumulators_) bytes += accumulators->MemoryBytes();
  return bytes;
}

}  // namespace tidemill
