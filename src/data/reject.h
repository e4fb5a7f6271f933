#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tidemill {

// Why a row was refused; also the `reason` label of tidemill_dlq_records_total and the column `reason` of `t$errors`.
enum class RejectReason : uint8_t {
  kMalformed,  // not JSON / CSV / Parquet at all
  kWrongType,  // a field that does not fit its column
  kMissingField,
  kTooLarge,
  kInvalidUtf8,
  kNullRowtime,
  kOutOfRange,  // e.g. a timestamp far in the future (scan.watermark.max-future-drift), a number that overflows
  kLate,
  kExpression,     // a runtime error in an expression: CAST, division by zero
  kNotNull,        // NULL for a NOT NULL column of a sink
  kUndeliverable,  // a sink gave up on it
};
const char* RejectReasonName(RejectReason reason);  // "malformed", "wrong_type", ...

// One refused row, with where it came from. Bounded: `raw` keeps at most 64 KiB.
struct RejectedRow {
  RejectReason reason;
  std::string source;  // topic or file, or the operator for rows refused later
  int32_t partition = 0;
  int64_t offset =
      -1;  // offset in the log, or line number (from 1) in a file, row number in a Parquet file; -1 = unknown
  std::string field;   // column or JSON path, may be empty
  std::string detail;  // for a person: "expected BIGINT, found string \"abc\""
  std::string raw;     // the bytes as they came, or the row as JSON
  int64_t event_time = INT64_MIN;
};

// Where refused rows go. One per subtask, not thread-safe; the implementation counts, bounds and stores them.
class RejectSink {
 public:
  virtual ~RejectSink() = default;
  virtual void Reject(RejectedRow row) = 0;
  // False while too many wait to be stored: the subtask is then given no input. `wake` (any thread) says that there is
  // room again.
  virtual bool HasRoom() const { return true; }
  virtual void SetWake(std::function<void()> wake) { (void)wake; }
};

}  // namespace tidemill
