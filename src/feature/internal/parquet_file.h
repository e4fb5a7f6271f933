#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"

namespace arrow {
class RecordBatch;
class Schema;
class Table;
}  // namespace arrow

namespace tidemill {

struct ParquetWriteOptions {
  std::string compression = "snappy";  // none, snappy, lz4, zstd
  std::string statistics_column;       // minimum and maximum are kept for this one only
};

// Writes one Parquet file. Nothing can be read before Finish. One thread.
class ParquetFileWriter {
 public:
  virtual ~ParquetFileWriter() = default;
  static Result<std::unique_ptr<ParquetFileWriter>> Create(FileSystem& files, const std::string& path,
                                                           const std::shared_ptr<arrow::Schema>& schema,
                                                           const ParquetWriteOptions& options);
  // One row group.
  virtual Status Write(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) = 0;
  // Footer with `metadata`, fsync. Returns the file's size.
  virtual Result<int64_t> Finish(const std::map<std::string, std::string>& metadata) = 0;
};

// Reads one Parquet file by row groups. One thread.
class ParquetFileReader {
 public:
  virtual ~ParquetFileReader() = default;
  // kOfflineFile names the file.
  static Result<std::unique_ptr<ParquetFileReader>> Open(FileSystem& files, const std::string& path);
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  virtual int64_t num_rows() const = 0;
  virtual int num_row_groups() const = 0;
  virtual std::optional<std::string> metadata(const std::string& key) const = 0;
  // Minimum and maximum of an int64 column of a row group, when the file has them.
  virtual std::optional<std::pair<int64_t, int64_t>> Range(int row_group, const std::string& column) const = 0;
  // The named columns that the file has, in the file's order.
  virtual Result<std::shared_ptr<arrow::Table>> Read(int row_group, const std::vector<std::string>& columns) = 0;
};

// "none", "snappy", "lz4", "zstd".
bool IsParquetCompression(const std::string& name);

}  // namespace tidemill
