#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/schema.h"
#include "function/scalar_function.h"

namespace tidemill {

// Accumulators of one aggregate call for many groups: group `slot` (0 .. size - 1) is one row of fixed-width columns,
// or, for aggregates whose accumulator grows (COUNT DISTINCT, sketches, ARRAY_AGG), an object per slot. Owned by one
// operator; not thread-safe. The state room snapshots it through Export/Import: the operator writes no bytes of its
// own.
class Accumulators {
 public:
  virtual ~Accumulators() = default;
  virtual void Resize(int64_t slots) = 0;                   // new slots are empty accumulators
  virtual void Clear(std::span<const uint32_t> slots) = 0;  // back to empty
  // Row i of the arguments folds into slots[i]. `kinds` (RowKind per row) may be nullptr; -U and -D retract when
  // retractable(). `selected`: one byte a row (FILTER clause), nullptr = all.
  virtual Status Update(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> args,
                        const int8_t* kinds, const uint8_t* selected) = 0;
  // target[i] := target[i] merged with source[i]; `other` may be *this.
  virtual Status Merge(std::span<const uint32_t> target, const Accumulators& other,
                       std::span<const uint32_t> source) = 0;
  virtual Result<std::shared_ptr<arrow::Array>> Finish(std::span<const uint32_t> slots) const = 0;
  virtual bool retractable() const = 0;
  // The accumulators of these slots as columns of `state_schema()` (named: "count", "sum", ...), and back.
  virtual const Schema& state_schema() const = 0;
  virtual Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const = 0;
  virtual Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) = 0;
  virtual int64_t MemoryBytes() const = 0;
  // Rows kept out since the start because their group was at its bound (kAccumulatorFull).
  virtual int64_t rows_over_bound() const { return 0; }
};

struct ResolvedAggregate {
  DataType result;
  std::vector<DataType> arguments;  // what the arguments are cast to
  std::unique_ptr<Accumulators> (*make)(const ResolvedAggregate& resolved) = nullptr;
  bool distinct = false;
  // Set by the planner when the input takes rows back: aggregates that need it keep every value (MIN, MAX, FIRST_VALUE,
  // LAST_VALUE).
  bool retracting = false;
  // Bound of growing accumulators (elements per group); over it the row is kept out and kAccumulatorFull is counted.
  int64_t elements_max = 100'000;
  std::string separator = ",";  // LISTAGG
};

// One row of the function table, see ScalarFunction.
struct AggregateFunction {
  std::string_view name;
  std::string_view signature;
  std::string_view summary;
  std::string_view example;
  std::string_view example_result;
  Result<ResolvedAggregate> (*resolve)(std::span<const ArgumentInfo> args, bool distinct);
  bool over_only = false;  // LAG, ROW_NUMBER, ...: only with OVER
};

}  // namespace tidemill
