#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <arrow/datum.h>

#include "function/scalar_function.h"

namespace tidemill {

// Just enough SQL to write the cases of this room as one line of text; the real parser lives in a higher room. Binds
// through the registry as the binder does: resolve, cast the arguments, run the kernel.
struct TextColumn {
  std::shared_ptr<arrow::Array> array;
  DataType type;
};

struct EvaluatedText {
  DataType type;
  arrow::Datum value;  // a scalar when all is constant
  std::vector<EvalContext::RowError> errors;
};

struct TextOptions {
  int64_t rows = 1;
  std::map<std::string, TextColumn> columns;
  std::string time_zone = "UTC";
  const uint8_t* active = nullptr;
  int64_t now_us = 0;
  // Kernels see literals as columns: slices with an offset, NULL around them.
  bool literals_as_columns = false;
};

Result<EvaluatedText> EvaluateText(std::string_view sql, const TextOptions& options = {});
// Row i as CAST(... AS STRING) writes it; "NULL" for NULL; "error TM1403: ..." for a row error.
Result<std::vector<std::string>> EvaluateToStrings(std::string_view sql, const TextOptions& options = {});
// The value of one constant expression as text, or the error.
std::string EvaluateOne(std::string_view sql, const TextOptions& options = {});
// "SUM(x) FROM (VALUES 1, NULL, 4)" -> "5".
std::string EvaluateAggregate(std::string_view sql);

}  // namespace tidemill
