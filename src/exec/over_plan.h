#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "sql/logical_plan.h"
#include "state/time_buffer.h"
#include "state/words.h"

namespace tidemill {

enum class OverFunction : uint8_t {
  kCount,
  kSum,
  kAvg,
  kMin,
  kMax,
  kVarPop,
  kVarSamp,
  kStddevPop,
  kStddevSamp,
  kFirst,
  kLast,
  kLag,
  kCountDistinct,
};

// An output column that a kernel computes.
struct OverOutput {
  OverFunction function;
  DataType result;
  int call = 0;  // number of the call in the spec
};

// Calls that one kernel computes together, because they fold the same values over the same frame: SUM(x), AVG(x),
// COUNT(x).
struct OverKernelSpec {
  enum class Kind : uint8_t { kRowCount, kCount, kSum, kMoments, kExtreme, kFirst, kLast, kLag, kDistinct };
  Kind kind;
  int frame = 0;         // number in OverPlan::frames
  int value = -1;        // number in OverPlan::values; -1 = COUNT(*)
  int filter = -1;       // number in OverPlan::filters; -1 = none
  bool largest = false;  // kExtreme
  int64_t offset = 0;    // kLag
  std::vector<OverOutput> outputs;
};

// How an OverSpec is computed: which columns are buffered once, over which distinct frames, by which kernels.
struct OverPlan {
  std::vector<OverFrame> frames;
  std::vector<ExpressionPtr> values;
  std::vector<ExpressionPtr> filters;
  std::vector<OverKernelSpec> kernels;
  TimeBuffer::Options buffer;
  int64_t range_ms = 0;        // the longest bounded RANGE
  int64_t rows_kept = 0;       // rows before the newest that LAG and ROWS frames reach back to
  bool has_unbounded = false;  // frames whose state outlives the rows

  // Refuses, with the call's position, what can't be computed over these frames.
  static Result<OverPlan> Make(const OverSpec& spec, const Schema& input);
};

}  // namespace tidemill
