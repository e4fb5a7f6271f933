#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/metrics.h"
#include "data/batch.h"
#include "data/reject.h"
#include "exec/source.h"
#include "sql/expression.h"

namespace tidemill {

// Rows that share the lateness of their first: no watermark that they raise would make a later one of them late.
struct TimedPiece {
  Batch batch;                          // the scan's columns; may be empty
  EventTime start = kMinEventTime;      // the split's watermark before it
  EventTime watermark = kMinEventTime;  // and after it
  int64_t rows_read = 0;                // rows of the read batch up to its end
  int64_t first_read = 0;               // and before its first row
  std::vector<int32_t> read_rows;       // number in the read batch of each row; empty: first_read, first_read + 1, ...
  std::vector<EventTime> watermarks;    // after each row; empty: not to be divided
  int64_t taken = 0;                    // rows that TakeUntil has taken off: `batch` and the vectors still hold them

  bool empty() const { return taken == batch.num_rows(); }
  // Takes off the rows that start at or below `limit`, but no less than a few; what remains starts where they end.
  TimedPiece TakeUntil(EventTime limit);
};

// What decides how a scan's rows become pieces; from the table's options and the settings.
struct RowTimingSpec {
  enum class NullRowtime : uint8_t { kFail, kReject, kKeep };
  LogicalPtr scan;
  NullRowtime null_rowtime = NullRowtime::kFail;  // table.exec.source.rowtime-null-handling
  int64_t future_drift_max_ms = 0;                // scan.watermark.max-future-drift; 0 = no guard
  std::string time_zone = "UTC";

  static Result<RowTimingSpec> Make(LogicalPtr scan, const Config& settings);
};

// Turns what a split reader delivers into the scan's columns: computes computed columns and, row by row, the watermark,
// refuses rows without a usable time, and cuts. One per source subtask.
class RowTimer {
 public:
  RowTimer(RowTimingSpec spec, const Clock& clock, MetricsRegistry& metrics, Labels labels);

  bool has_watermark() const { return has_watermark_; }
  // `watermark`: the split's, before these rows. Appends one piece or more; the last one's rows_read is `read` rows'
  // number. `divisible`: pieces may be divided further (TimedPiece::TakeUntil).
  Status Cut(const Batch& read, EventTime watermark, bool divisible, RejectSink& rejects, std::deque<TimedPiece>& out);

 private:
  // Rows that go on, or empty = all.
  Status Refuse(const Batch& full, const std::vector<int64_t>& times, const std::vector<uint8_t>& time_valid,
                const std::vector<EvalContext::RowError>& errors, RejectSink& rejects, std::vector<int32_t>& kept,
                bool& all);

  RowTimingSpec spec_;
  const Clock& clock_;
  bool has_watermark_ = false;
  std::vector<int> read_columns_;  // table columns that the reader delivers
  std::vector<int> output_;        // for each column of the scan: its place in the full batch
  std::vector<std::string> full_names_;
  int rowtime_ = -1;                               // place in the full batch
  std::unique_ptr<ExpressionEvaluator> computed_;  // null: no computed column is needed
  std::shared_ptr<arrow::Schema> full_schema_;     // read columns, then computed ones
  std::unique_ptr<ExpressionEvaluator> watermark_;
  Counter* null_dropped_ = nullptr;
  Counter* null_skipped_ = nullptr;
};

}  // namespace tidemill
