#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/batch.h"
#include "function/scalar_function.h"

namespace arrow {
struct Scalar;
}

namespace tidemill {

struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;

// A bound scalar expression: names are column numbers, every implicit cast is written out, functions are resolved.
// Immutable.
struct Expression {
  enum class Kind : uint8_t {
    kColumn,   // column `column` of the input
    kLiteral,  // `literal`
    kCall,     // `function` with `args`, run by `resolved.kernel`
    kCast,     // args[0] to `type`; `try_cast`
    kAnd,      // three-valued, right side only where it matters
    kOr,
    kCase,      // args: when1, then1, when2, then2, ..., else; conditions are BOOLEAN; lazily by row
    kCoalesce,  // first non-null, lazily by row
  };
  Kind kind;
  DataType type;
  SourcePosition position;
  int column = -1;
  std::shared_ptr<arrow::Scalar> literal;
  const ScalarFunction* function = nullptr;
  ResolvedCall resolved;
  std::vector<ExpressionPtr> args;
  bool try_cast = false;

  // As SQL with the given column names: for EXPLAIN and errors.
  std::string ToString(const std::vector<std::string>& column_names) const;
  bool Equals(const Expression& other) const;  // structural, positions ignored
  bool IsDeterministic() const;
};

ExpressionPtr MakeColumn(int column, DataType type, SourcePosition position = {});
// The columns that an expression reads, sorted, unique.
std::vector<int> ColumnsOf(const Expression& expression);
// Column i becomes mapping[i] (-1 must not occur among those read).
ExpressionPtr RemapColumns(const ExpressionPtr& expression, const std::vector<int>& mapping);

// Evaluates expressions over batches; equal subexpressions once per batch. One per operator, not thread-safe.
class ExpressionEvaluator {
 public:
  ExpressionEvaluator(std::vector<ExpressionPtr> expressions, const Clock& clock, std::string time_zone);
  ~ExpressionEvaluator();
  // One array a expression, each of batch.num_rows() values. Runtime errors of rows are left in `errors` (the values of
  // such rows are undefined); the caller rejects those rows.
  Result<std::vector<std::shared_ptr<arrow::Array>>> Evaluate(const Batch& batch,
                                                              std::vector<EvalContext::RowError>& errors);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill
