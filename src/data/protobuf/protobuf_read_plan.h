#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "data/reject.h"
#include "data/schema.h"

namespace google::protobuf {
class Descriptor;
}

namespace tidemill {

class ColumnWriter;

// What the bytes of one value are.
enum class ProtobufReadOp : uint8_t {
  kSkip,    // its coming says only that others of its oneof are gone
  kRefuse,  // this value can't be taken
  kRow,     // a message whose fields are those of a ROW
  kMap,     // a message with key and value
  kWrapper,
  kBoolean,
  kInt32,
  kInt64,
  kUint32,
  kUint64,
  kSint,
  kFixed32,
  kSfixed32,
  kFixed64,
  kSfixed64,
  kFloat,
  kDouble,
  kString,
  kBytes,
  kEnum,  // to text
  kTimestamp,
  kDuration,
  kDate,
  kTimeOfDay,
  kDecimal,
  kDecimalText,
};

// Where a whole number goes.
enum class ProtobufIntegerTarget : uint8_t { kInteger, kDouble, kDecimal };

// What stands in a column when the field did not come.
enum class ProtobufAbsent : uint8_t { kNull, kDefault, kRefuse };

struct ProtobufReadField {
  ProtobufReadOp op = ProtobufReadOp::kSkip;
  ProtobufIntegerTarget integer_target = ProtobufIntegerTarget::kInteger;
  ProtobufAbsent absent = ProtobufAbsent::kNull;
  uint8_t wire = 0;              // of one value
  bool repeated = false;         // ARRAY, MAP
  bool packable = false;         // repeated values may come in one
  bool closed_enum = false;      // numbers without a name are as if they had not come
  bool nullable = true;          // the value's column
  ColumnWriter* list = nullptr;  // of repeated fields: where the entries are counted
  ColumnWriter* target = nullptr;
  uint32_t child = 0;                // number of a message: its fields, or the value inside of a wrapper
  std::vector<uint32_t> clears;      // other fields of the same oneof
  std::string constant;              // the value for kDefault
  std::vector<std::string> symbols;  // of an enum by number, empty = none
  std::unordered_map<int32_t, std::string> far_symbols;  // those with large or negative numbers
  std::string path;                                      // "a.b", for rejects
  std::string detail;                                    // of kRefuse
};

// Fields begin .. end - 1 of the plan.
struct ProtobufReadMessage {
  uint32_t begin = 0;
  uint32_t end = 0;
  std::vector<uint32_t> by_number;                         // field + 1; 0 = skipped
  std::vector<std::pair<uint32_t, uint32_t>> far_numbers;  // the same for large ones, sorted
};

// How messages of one schema go into the columns of a table. Message 0 is a row. A tree as deep as the table's types,
// so a message that holds itself needs no care.
struct ProtobufReadPlan {
  std::vector<ProtobufReadMessage> messages;
  std::vector<ProtobufReadField> fields;
  // Columns that the schema has not, or has with another type: the first one's trouble.
  std::string trouble;
};

// `columns[i]` is where column i of `table` goes and outlives the plan. A column takes the field so named in `writer`,
// else the one with the number that `reader` (may be null) gives the name. Fields that did not come: without presence
// their default; with it NULL, or the default when `read_default_values`; empty lists and maps as those with presence.
// A NOT NULL column then makes a reject (an empty list, where it is one).
ProtobufReadPlan MakeProtobufReadPlan(const google::protobuf::Descriptor& writer,
                                      const google::protobuf::Descriptor* reader, const Schema& table,
                                      bool read_default_values, std::vector<ColumnWriter>& columns);
// Whether a plan for `writer` would look at a reader's schema: some column is not in it.
bool ProtobufLacksColumns(const google::protobuf::Descriptor& writer, const Schema& table);

}  // namespace tidemill
