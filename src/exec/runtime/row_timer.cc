#include "exec/runtime/row_timer.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "exec/errors.h"
#include "exec/row_rejecter.h"

namespace tidemill {
namespace {

constexpr size_t kRowTextMax = 400;  // of a row in an error
constexpr int64_t kRowsMin = 32;     // smaller parts cost more than they align

int64_t FloorDivide(int64_t value, int64_t by) { return value >= 0 ? value / by : -((-value + by - 1) / by); }

// A TIMESTAMP column as milliseconds, rounded down; valid[i] = 0 for NULL.
Status ToMillis(const arrow::Array& array, std::vector<int64_t>& millis, std::vector<uint8_t>& valid) {
  const int64_t n = array.length();
  millis.resize(static_cast<size_t>(n));
  valid.assign(static_cast<size_t>(n), 1);
  if (array.type_id() != arrow::Type::TIMESTAMP) {
    return Status(kInternalError, "a time attribute of type " + array.type()->ToString());
  }
  const auto& times = static_cast<const arrow::TimestampArray&>(array);
  int64_t by = 1;
  switch (static_cast<const arrow::TimestampType&>(*array.type()).unit()) {
    case arrow::TimeUnit::SECOND:
      by = 0;
      break;
    case arrow::TimeUnit::MILLI:
      by = 1;
      break;
    case arrow::TimeUnit::MICRO:
      by = 1000;
      break;
    case arrow::TimeUnit::NANO:
      by = 1000000;
      break;
  }
  const int64_t* values = times.raw_values();
  if (by == 1) {
    std::copy(values, values + n, millis.begin());
  } else {
    for (int64_t i = 0; i < n; ++i) millis[i] = by == 0 ? values[i] * 1000 : FloorDivide(values[i], by);
  }
  if (array.null_count() > 0) {
    for (int64_t i = 0; i < n; ++i) valid[i] = array.IsValid(i);
  }
  return Status::OK();
}

std::vector<int> PlacesOf(const std::vector<int>& columns, size_t table_columns) {
  std::vector<int> places(table_columns, -1);
  for (size_t i = 0; i < columns.size(); ++i) places[columns[i]] = static_cast<int>(i);
  return places;
}

}  // namespace

Result<RowTimingSpec> RowTimingSpec::Make(LogicalPtr scan, const Config& settings) {
  RowTimingSpec spec;
  const ScanSpec& scan_spec = std::get<ScanSpec>(scan->spec);
  const std::string handling = settings.GetString("table.exec.source.rowtime-null-handling", "FAIL");
  if (handling == "DROP") {
    spec.null_rowtime = NullRowtime::kReject;
  } else if (handling == "SKIP_WATERMARK") {
    spec.null_rowtime = NullRowtime::kKeep;
  } else if (handling != "FAIL") {
    return Status(kInvalidRuntimeOption, "'table.exec.source.rowtime-null-handling' = '" + handling +
                                             "': expected FAIL, DROP or SKIP_WATERMARK");
  }
  TM_ASSIGN_OR_RETURN(spec.future_drift_max_ms, scan_spec.options.GetDurationMs("scan.watermark.max-future-drift", 0));
  spec.time_zone = settings.GetString("table.local-time-zone", "UTC");
  spec.scan = std::move(scan);
  return spec;
}

RowTimer::RowTimer(RowTimingSpec spec, const Clock& clock, MetricsRegistry& metrics, Labels labels)
    : spec_(std::move(spec)), clock_(clock) {
  const ScanSpec& scan = std::get<ScanSpec>(spec_.scan->spec);
  const TableDefinition& table = *scan.table;
  has_watermark_ = table.rowtime_column >= 0 && table.watermark != nullptr;
  read_columns_ = SourceReadColumns(scan);

  std::vector<int> full = read_columns_;
  std::vector<ExpressionPtr> computed;
  std::vector<int> needed = scan.columns;
  if (has_watermark_) {
    needed.push_back(table.rowtime_column);
    for (int column : ColumnsOf(*table.watermark)) needed.push_back(column);
  }
  const std::vector<int> read_places = PlacesOf(read_columns_, table.columns.size());
  std::sort(needed.begin(), needed.end());
  needed.erase(std::unique(needed.begin(), needed.end()), needed.end());
  for (int column : needed) {
    if (table.columns[column].kind != ColumnDefinition::Kind::kComputed) continue;
    computed.push_back(RemapColumns(table.columns[column].computed, read_places));
    full.push_back(column);
  }
  if (!computed.empty()) computed_ = std::make_unique<ExpressionEvaluator>(std::move(computed), clock, spec_.time_zone);
  const std::vector<int> places = PlacesOf(full, table.columns.size());
  std::vector<Field> fields;
  for (int column : full) fields.push_back({table.columns[column].name, table.columns[column].type});
  full_schema_ = Schema(std::move(fields)).arrow();
  for (int column : scan.columns) output_.push_back(places[column]);
  if (has_watermark_) {
    rowtime_ = places[table.rowtime_column];
    watermark_ = std::make_unique<ExpressionEvaluator>(
        std::vector<ExpressionPtr>{RemapColumns(table.watermark, places)}, clock, spec_.time_zone);
    null_dropped_ = metrics.GetCounter("tidemill_null_rowtime_records_dropped_total",
                                       "Rows refused for a NULL time attribute.", labels);
    null_skipped_ =
        metrics.GetCounter("tidemill_null_rowtime_records_skipped_total",
                           "Rows with a NULL time attribute that went on without moving the watermark.", labels);
  }
}

Status RowTimer::Cut(const Batch& read, EventTime watermark, bool divisible, RejectSink& rejects,
                     std::deque<TimedPiece>& out) {
  const int64_t rows_read = read.num_rows();
  std::vector<EvalContext::RowError> errors;
  arrow::ArrayVector columns = read.rows->columns();
  if (computed_ != nullptr) {
    TM_ASSIGN_OR_RETURN(auto values, computed_->Evaluate(read, errors));
    for (auto& value : values) columns.push_back(std::move(value));
  }
  Batch full = read.WithRows(arrow::RecordBatch::Make(full_schema_, rows_read, std::move(columns)));
  if (full.ingest_us == 0) full.ingest_us = clock_.NowMicros();

  std::vector<int64_t> times, marks;
  std::vector<uint8_t> time_valid, mark_valid;
  if (has_watermark_) {
    TM_RETURN_IF_ERROR(ToMillis(*full.rows->column(rowtime_), times, time_valid));
    TM_ASSIGN_OR_RETURN(auto values, watermark_->Evaluate(full, errors));
    TM_RETURN_IF_ERROR(ToMillis(*values[0], marks, mark_valid));
  }
  std::vector<int32_t> kept;
  bool all = true;
  TM_RETURN_IF_ERROR(Refuse(full, times, time_valid, errors, rejects, kept, all));

  arrow::ArrayVector output;
  output.reserve(output_.size());
  for (int place : output_) output.push_back(full.rows->column(place));
  Batch rows = full.WithRows(arrow::RecordBatch::Make(spec_.scan->schema.arrow(), rows_read, std::move(output)));
  if (!all) {
    TM_ASSIGN_OR_RETURN(rows, TakeRows(rows, kept));
  }
  const int64_t n = rows.num_rows();
  const auto raw = [&](int64_t row) { return all ? row : kept[row]; };
  EventTime running = watermark;
  EventTime start = watermark;
  int64_t first = 0;
  std::vector<EventTime> watermarks(divisible && has_watermark_ ? static_cast<size_t>(n) : 0);
  const auto emit = [&](int64_t to, int64_t read_to) {
    TimedPiece piece{first == 0 && to == n ? rows : rows.Slice(first, to - first), start, running, read_to};
    piece.first_read = first < n ? raw(first) : read_to;
    if (!all) piece.read_rows.assign(kept.begin() + first, kept.begin() + to);
    if (!watermarks.empty()) piece.watermarks.assign(watermarks.begin() + first, watermarks.begin() + to);
    out.push_back(std::move(piece));
    first = to;
    start = running;
  };
  if (has_watermark_) {
    for (int64_t row = 0; row < n; ++row) {
      const int64_t at = raw(row);
      if (time_valid[at] && times[at] <= running && running > start) emit(row, at);
      if (mark_valid[at] && time_valid[at]) running = std::max(running, marks[at]);
      if (!watermarks.empty()) watermarks[row] = running;
    }
  }
  emit(n, rows_read);
  return Status::OK();
}

TimedPiece TimedPiece::TakeUntil(EventTime limit) {
  const int64_t n = batch.num_rows();
  // Row i starts at the watermark after row i - 1.
  int64_t to = n;
  if (!watermarks.empty()) {
    to = std::upper_bound(watermarks.begin() + taken, watermarks.end(), limit) - watermarks.begin() + 1;
    to = std::min(n, std::max(to, taken + kRowsMin));
  }
  TimedPiece head{taken == 0 && to == n ? batch : batch.Slice(taken, to - taken), start,
                  to == n ? watermark : watermarks[to - 1], rows_read};
  if (to < n) head.rows_read = read_rows.empty() ? first_read + to : read_rows[to];
  taken = to;
  start = head.watermark;
  return head;
}

Status RowTimer::Refuse(const Batch& full, const std::vector<int64_t>& times, const std::vector<uint8_t>& time_valid,
                        const std::vector<EvalContext::RowError>& errors, RejectSink& rejects,
                        std::vector<int32_t>& kept, bool& all) {
  const int64_t n = full.num_rows();
  std::vector<uint8_t> refused;
  const auto refuse = [&](int64_t row, RejectReason reason, std::string field, std::string detail) {
    if (refused.empty()) refused.assign(static_cast<size_t>(n), 0);
    if (refused[row]) return;
    refused[row] = 1;
    RejectedRow rejected{.reason = reason,
                         .source = std::get<ScanSpec>(spec_.scan->spec).table->name,
                         .field = std::move(field),
                         .detail = std::move(detail),
                         .raw = RowAsJson(full, row)};
    if (has_watermark_ && time_valid[row]) rejected.event_time = times[row];
    rejects.Reject(std::move(rejected));
  };
  for (const auto& error : errors) refuse(error.row, RejectReason::kExpression, "", error.detail);
  if (has_watermark_) {
    const std::string& name = full_schema_->field(rowtime_)->name();
    const bool has_nulls = full.rows->column(rowtime_)->null_count() > 0;
    for (int64_t row = 0; has_nulls && row < n; ++row) {
      if (time_valid[row] || (!refused.empty() && refused[row])) continue;
      if (spec_.null_rowtime == RowTimingSpec::NullRowtime::kFail) {
        return Status(kNullRowtime, "column '" + name + "' of table '" +
                                        std::get<ScanSpec>(spec_.scan->spec).table->name +
                                        "' is the time attribute, found NULL")
            .WithNote("row: " + RowAsJson(full, row).substr(0, kRowTextMax));
      }
      if (spec_.null_rowtime == RowTimingSpec::NullRowtime::kKeep) {
        null_skipped_->Add();
        continue;
      }
      null_dropped_->Add();
      refuse(row, RejectReason::kNullRowtime, name, "NULL in the time attribute");
    }
    if (spec_.future_drift_max_ms > 0) {
      const int64_t latest = clock_.NowMicros() / 1000 + spec_.future_drift_max_ms;
      for (int64_t row = 0; row < n; ++row) {
        if (!time_valid[row] || times[row] <= latest) continue;
        refuse(row, RejectReason::kOutOfRange, name,
               "event time is more than " + FormatDurationMs(spec_.future_drift_max_ms) + " ahead of the clock");
      }
    }
  }
  all = refused.empty();
  if (all) return Status::OK();
  for (int64_t row = 0; row < n; ++row) {
    if (!refused[row]) kept.push_back(static_cast<int32_t>(row));
  }
  return Status::OK();
}

}  // namespace tidemill
