#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/avro/avro_schema.h"
#include "data/reject.h"
#include "data/schema.h"

namespace tidemill {

class ColumnWriter;

// What is done with the next bytes of a row.
enum class AvroReadOp : uint8_t {
  kSkipNothing,
  kSkipLong,   // any variable-length integer
  kSkipBytes,  // a length and as many bytes
  kSkipFixed,  // `size` bytes
  kSkipArray,  // one child
  kSkipMap,    // one child
  kRecord,     // all children in turn; sets nothing itself
  kUnion,      // an index, then that child
  kNull,       // target = NULL; reads nothing
  kRefuse,     // this row can't be taken: `reason`, `detail`
  kDefault,    // the child, reading `constant` instead of the row
  kRow,        // the children, then target is there
  kArray,      // one child, its target holds the elements
  kMap,        // two children: keys and values
  kBoolean,
  kInteger,  // variable-length integer, range-checked
  kDecimalOfInteger,
  kDecimalOfBytes,
  kDecimalOfFixed,
  kFloatOfInteger,
  kFloat,
  kDouble,
  kString,  // UTF-8 is checked
  kBytes,
  kStringOfFixed,
  kBytesOfFixed,
  kUuidOfFixed,
  kSymbol,  // enum -> STRING
  kDate,
  kTime,       // x / divisor milliseconds
  kTimestamp,  // x * factor, or cut to a multiple of `granule` after x / divisor
};

struct AvroReadStep {
  AvroReadOp op = AvroReadOp::kSkipNothing;
  RejectReason reason = RejectReason::kWrongType;
  ColumnWriter* target = nullptr;
  int64_t size = 0;
  int64_t factor = 1;
  int64_t divisor = 1;
  int64_t granule = 1;             // in the column's unit: below its precision nothing is kept
  int scale = 0;                   // of the written decimal
  std::vector<uint32_t> children;  // numbers of steps
  std::vector<std::string> texts;  // symbols of kSymbol
  std::string constant;
  std::string field;  // "a.b", for rejects
  std::string detail;
};

// How rows of one writer's schema go into the columns of a table, by name. Steps may lead back to themselves where a
// schema holds itself; step 0 reads a row.
struct AvroReadPlan {
  std::vector<AvroReadStep> steps;
};

// `columns[i]` is where column i of `table` goes and outlives the plan. A column that the writer lacks takes the
// default of the field so named in `reader` (may be null), else NULL, else each row is refused; so is a row whose value
// has a type that its column can't take. Other fields are skipped. A writer that has no record at the top gives the
// only column of a table that `has_one_column` (of which `table` may have fewer).
AvroReadPlan MakeAvroReadPlan(const AvroSchema& writer, const AvroSchema* reader, const Schema& table,
                              bool has_one_column, std::vector<ColumnWriter>& columns);
// Whether a plan for `writer` would look at a reader's schema: some column is not in it.
bool AvroLacksColumns(const AvroSchema& writer, const Schema& table);

}  // namespace tidemill
