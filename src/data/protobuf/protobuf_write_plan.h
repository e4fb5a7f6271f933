#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/schema.h"

namespace arrow {
class RecordBatch;
}
namespace google::protobuf {
class Descriptor;
}

namespace tidemill {

// How a value of a column goes into bytes.
enum class ProtobufWriteOp : uint8_t {
  kMessage,  // the fields
  kOneof,    // the last child that is not NULL
  kList,     // one child
  kMap,      // two children
  kWrapper,  // one child
  kBoolean,
  kInteger,
  kFloat,
  kDouble,
  kFloatAsDouble,
  kBytes,  // STRING and BYTES
  kSymbol,
  kTimestamp,
  kDuration,
  kDate,
  kTimeOfDay,
  kDecimal,
};

enum class ProtobufIntegerCode : uint8_t { kVarint, kZigZag, kFixed32, kFixed64 };

struct ProtobufWriteStep {
  ProtobufWriteOp op = ProtobufWriteOp::kMessage;
  ProtobufIntegerCode code = ProtobufIntegerCode::kVarint;
  std::string tag;        // number and wire type
  int number = 0;         // of the field; a message's are in their order
  int column = -1;        // beside its siblings
  int width = 0;          // of integers in the column: bytes
  bool optional = false;  // what is there is written, even if it is the default
  bool required = false;  // NULL has no place
  bool is_unsigned = false;
  bool packed = false;
  int64_t units = 1;  // per second, of times
  int precision = 0;
  int scale = 0;
  std::string null_text;  // stands for NULL in lists and maps
  int32_t first_symbol = 0;
  std::string path;  // "a.b", for errors
  std::map<std::string, int32_t, std::less<>> symbols;
  std::vector<ProtobufWriteStep> children;

  // Where the batch's values are; set by Bind.
  const uint8_t* valid = nullptr;
  int64_t offset = 0;
  const uint8_t* values = nullptr;
  const int32_t* ends = nullptr;
};

// The plan to write `table`'s rows as `message`: fields take the columns so named. Refused with kInvalidFormatOption:
// columns that the message lacks, required fields without column, types that don't meet.
Result<ProtobufWriteStep> MakeProtobufWritePlan(const google::protobuf::Descriptor& message, const Schema& table,
                                                const std::string& null_string_literal);

// Points the steps at a batch's columns.
void BindProtobufWritePlan(const arrow::RecordBatch& rows, ProtobufWriteStep& plan);
// Appends row `row`. An error: a NULL or a value that the schema has no place for.
Status WriteProtobufRow(const ProtobufWriteStep& plan, int64_t row, std::string& out);

}  // namespace tidemill
