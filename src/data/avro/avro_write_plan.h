#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/avro/avro_schema.h"
#include "data/schema.h"

namespace arrow {
class Array;
struct ArrayData;
class RecordBatch;
}  // namespace arrow

namespace tidemill {

// How a value of a column goes into bytes.
enum class AvroWriteOp : uint8_t {
  kConstant,  // `constant`, whatever the row: the default of a field that the table has not
  kRecord,    // all children
  kArray,
  kMap,  // two children
  kBoolean,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFloat,
  kDouble,
  kFloatAsDouble,
  kDecimal,
  kDecimalFixed,  // `size` bytes
  kBytes,         // STRING and BYTES
  kBytesFixed,    // exactly `size` bytes
  kSymbol,
  kTimeMicros,
  kTimestamp,  // x * factor, or x / divisor
};

struct AvroWriteStep {
  AvroWriteOp op = AvroWriteOp::kConstant;
  bool in_union = false;    // `value_branch` goes before a value, `null_branch` stands for NULL
  std::string null_branch;  // encoded indices
  std::string value_branch;
  bool not_null = false;  // the schema has no place for NULL
  int column = -1;        // of a top-level step: its column
  int64_t size = 0;
  int64_t factor = 1;
  int64_t divisor = 1;
  std::string constant;
  std::string field;  // "a.b", for errors
  std::map<std::string, int64_t, std::less<>> symbols;
  std::vector<AvroWriteStep> children;

  // Where the batch's values are; set by Bind.
  const uint8_t* valid = nullptr;
  int64_t offset = 0;
  const uint8_t* values = nullptr;
  const int32_t* ends = nullptr;
};

// The plan to write `table`'s rows with `schema`: fields take the columns so named, others their default. Refused with
// kInvalidFormatOption: columns that the schema lacks, fields without column or default, types that don't meet, columns
// that can be NULL where the schema has no null.
Result<AvroWriteStep> MakeAvroWritePlan(const AvroSchema& schema, const Schema& table);

// Points the steps at a batch's columns.
void BindAvroWritePlan(const arrow::RecordBatch& rows, AvroWriteStep& plan);
// Appends row `row`. An error: a NULL, text or bytes that the schema has no place for.
Status WriteAvroRow(const AvroWriteStep& plan, int64_t row, std::string& out);

}  // namespace tidemill
