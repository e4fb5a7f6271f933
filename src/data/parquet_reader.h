#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/status.h"
#include "data/batch.h"
#include "data/reject.h"
#include "data/schema.h"

namespace tidemill {

// The next row to read. `row` counts inside the row group.
struct ParquetPosition {
  int row_group = 0;
  int64_t row = 0;
  bool operator==(const ParquetPosition&) const = default;
};

// Reads some columns of a Parquet file in order. Columns are found by name and converted to the schema's types where no
// value can be changed by it: integers and BOOLEAN to integers, integers and FLOAT to DOUBLE, DECIMAL to DECIMAL,
// timestamps of any unit and zone to TIMESTAMP and TIMESTAMP_LTZ (instants become UTC wall clocks; digits beyond the
// column's precision are cut). Pairs of types that don't fit are refused by Open, single values that don't fit are
// rejects (kOutOfRange, kNotNull) with the row's number in the file. Not thread-safe.
class ParquetReader {
 public:
  // kFileNotFound, kCorruption (not Parquet), kUnsupportedType and kMissingColumn name file and column.
  static Result<std::unique_ptr<ParquetReader>> Open(FileSystem& fs, const std::string& path, const Schema& schema);
  virtual ~ParquetReader() = default;

  // Up to `rows_max` (at most 8,192) rows; fewer, even none, when rows were rejected. nullopt at the end.
  virtual Result<std::optional<Batch>> Read(int rows_max, RejectSink& rejects) = 0;
  virtual ParquetPosition position() const = 0;
  virtual Status Seek(ParquetPosition position) = 0;
  virtual int64_t num_rows() const = 0;
  // Rows before position().
  virtual int64_t rows_before() const = 0;
};

// The file's columns as SQL types.
Result<Schema> ReadParquetSchema(FileSystem& fs, const std::string& path);

}  // namespace tidemill
