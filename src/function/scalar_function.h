#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "data/data_type.h"

namespace arrow {
class Array;
struct Datum;
class MemoryPool;
}  // namespace arrow

namespace tidemill {

// What a kernel may know besides its arguments; one per evaluation of a batch.
class EvalContext {
 public:
  EvalContext(int64_t num_rows, const Clock& clock, std::string time_zone)
      : num_rows_(num_rows), clock_(clock), time_zone_(std::move(time_zone)) {}

  int64_t num_rows() const { return num_rows_; }
  const Clock& clock() const { return clock_; }
  const std::string& time_zone() const { return time_zone_; }  // table.local-time-zone, e.g. "UTC", "Europe/Berlin"

  // A runtime error of one row (CAST, division by zero). The row is rejected, the batch goes on; the first error of a
  // row counts. Rows that a CASE or AND has switched off are ignored.
  void RaiseRow(int64_t row, const ErrorCode& code, std::string detail);
  struct RowError {
    int64_t row;
    const ErrorCode* code;
    std::string detail;
  };
  const std::vector<RowError>& row_errors() const { return row_errors_; }  // unordered, at most one per row

  // Rows that are evaluated for real: nullptr = all, else one byte a row (0 = switched off). Set by CASE, AND, OR,
  // COALESCE.
  const uint8_t* active() const { return active_; }
  void set_active(const uint8_t* active) { active_ = active; }

 private:
  int64_t num_rows_;
  const Clock& clock_;
  std::string time_zone_;
  const uint8_t* active_ = nullptr;
  std::vector<RowError> row_errors_;
  std::vector<uint8_t> has_error_;
};

// Arguments are arrays of num_rows values or scalars (constants); the result is either (a scalar means: the same for
// all rows), of exactly the type that `resolve` gave. Column-wise; thread-safe (no state).
using ScalarKernel = Result<arrow::Datum> (*)(EvalContext& context, std::span<const arrow::Datum> args,
                                              const DataType& result);

// What is known of an argument when a call is bound.
struct ArgumentInfo {
  DataType type;
  const arrow::Datum* literal = nullptr;  // its value when it is a constant
};

// How a call binds: the result type, and the types that the arguments are cast to before the kernel sees them.
struct ResolvedCall {
  DataType result;
  std::vector<DataType> arguments;
  ScalarKernel kernel = nullptr;  // chosen by type here, so that there is no dispatch per row
};

// One row of the function table: docs, `tidemill explain`, completion, SQL cases and the binder read the same row.
struct ScalarFunction {
  std::string_view name;  // upper case: "SUBSTRING"; operators are named by their symbol: "+", "=", "LIKE", "IS NULL"
  std::string_view signature;       // "SUBSTRING(string STRING, start INT [, length INT]) -> STRING"
  std::string_view summary;         // one sentence
  std::string_view example;         // "SUBSTRING('tidemill', 1, 4)"
  std::string_view example_result;  // "tide"
  // kWrongArguments says what was given and what is accepted.
  Result<ResolvedCall> (*resolve)(std::span<const ArgumentInfo> args);
  bool deterministic = true;  // false: RAND, NOW, ...: never folded
};

// The built-in functions: an explicit list per group (arithmetic.cc, comparison.cc, string.cc, time.cc, ...), gathered
// in registry.cc.
class FunctionRegistry {
 public:
  static const FunctionRegistry& BuiltIn();
  const ScalarFunction* FindScalar(std::string_view upper_name) const;
  const struct AggregateFunction* FindAggregate(std::string_view upper_name) const;
  std::vector<const ScalarFunction*> scalars() const;  // sorted by name
  std::vector<const AggregateFunction*> aggregates() const;
  std::vector<std::string> names() const;

 private:
  FunctionRegistry();
  std::vector<ScalarFunction> scalars_;
  std::vector<AggregateFunction> aggregates_;
};

// CAST / TRY_CAST between all pairs that Flink allows. `try_cast`: NULL where CAST raises a row error. An implicit cast
// (binder) is one that ImplicitlyCastable allows: widening only.
bool ExplicitlyCastable(const DataType& from, const DataType& to);
bool ImplicitlyCastable(const DataType& from, const DataType& to);
Result<arrow::Datum> CastDatum(EvalContext& context, const arrow::Datum& value, const DataType& from,
                               const DataType& to, bool try_cast);
// The least type both go to (CASE branches, UNION, comparison), or kWrongArguments.
Result<DataType> CommonType(const DataType& a, const DataType& b);

}  // namespace tidemill
