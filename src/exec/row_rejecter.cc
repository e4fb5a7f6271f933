#include "exec/row_rejecter.h"

#include <arrow/api.h>
#include <nlohmann/json.hpp>

#include "data/time_text.h"

namespace tidemill {
namespace {

constexpr size_t kRawBytesMax = 64 << 10;

nlohmann::ordered_json ValueAsJson(const arrow::Array& column, int64_t row) {
  if (column.IsNull(row)) return nullptr;
  switch (column.type_id()) {
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanArray&>(column).Value(row);
    case arrow::Type::INT8:
      return static_cast<const arrow::Int8Array&>(column).Value(row);
    case arrow::Type::INT16:
      return static_cast<const arrow::Int16Array&>(column).Value(row);
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Array&>(column).Value(row);
    case arrow::Type::INT64:
      return static_cast<const arrow::Int64Array&>(column).Value(row);
    case arrow::Type::FLOAT:
      return static_cast<const arrow::FloatArray&>(column).Value(row);
    case arrow::Type::DOUBLE:
      return static_cast<const arrow::DoubleArray&>(column).Value(row);
    default: {
      auto scalar = column.GetScalar(row);
      return scalar.ok() ? (*scalar)->ToString() : "?";
    }
  }
}

std::string TimeText(EventTime time) {
  if (time == kMinEventTime) return "before all time";
  if (time == kMaxEventTime) return "the end of the input";
  std::string text;
  AppendTimestampText(time, 3, ' ', FractionDigits::kAsPrecision, text);
  return text;
}

}  // namespace

std::string RowAsJson(const Batch& batch, int64_t row) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (int c = 0; c < batch.rows->num_columns(); ++c)
    object[batch.rows->schema()->field(c)->name()] = ValueAsJson(*batch.rows->column(c), row);
  std::string text = object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  if (text.size() > kRawBytesMax) text.resize(kRawBytesMax);
  return text;
}

void RowRejecter::Open(const OpenContext& context) {
  operator_name_ = context.operator_name;
  if (context.metrics == nullptr) return;
  Labels labels = context.labels;
  labels.emplace_back("outcome", "side");
  late_ = context.metrics->GetCounter("tidemill_late_records_total",
                                      "Rows that came after the watermark had passed what they belong to.", labels);
}

void RowRejecter::Reject(Collector& out, RejectReason reason, const Batch& batch, int64_t row, std::string field,
                         std::string detail, EventTime time) {
  RejectedRow rejected;
  rejected.reason = reason;
  rejected.source = operator_name_;
  rejected.field = std::move(field);
  rejected.detail = std::move(detail);
  rejected.raw = RowAsJson(batch, row);
  rejected.event_time = time;
  out.rejects().Reject(std::move(rejected));
}

void RowRejecter::Late(Collector& out, const Batch& batch, int64_t row, EventTime time, EventTime watermark) {
  if (late_) late_->Add();
  Reject(out, RejectReason::kLate, batch, row, "",
         "event time " + TimeText(time) + ", watermark " + TimeText(watermark), time);
}

void RowRejecter::NullRowtime(Collector& out, const Batch& batch, int64_t row, const std::string& column) {
  Reject(out, RejectReason::kNullRowtime, batch, row, column, "NULL in the time attribute", kMinEventTime);
}

void RowRejecter::Failed(Collector& out, const Batch& batch, int64_t row, std::string detail) {
  Reject(out, RejectReason::kExpression, batch, row, "", std::move(detail), kMinEventTime);
}

void RowRejecter::Failed(Collector& out, const Batch& batch, const std::vector<EvalContext::RowError>& errors,
                         std::vector<int32_t>& good) {
  std::vector<uint8_t> bad(static_cast<size_t>(batch.num_rows()), 0);
  for (const EvalContext::RowError& error : errors) {
    if (std::exchange(bad[static_cast<size_t>(error.row)], 1)) continue;
    std::string detail(error.code->title);
    if (!error.detail.empty()) detail += ": " + error.detail;
    Failed(out, batch, error.row, std::move(detail));
  }
  for (size_t i = 0; i < bad.size(); ++i) {
    if (!bad[i]) good.push_back(static_cast<int32_t>(i));
  }
}

}  // namespace tidemill
