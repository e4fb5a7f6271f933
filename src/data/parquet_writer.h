#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/status.h"
#include "data/batch.h"
#include "data/schema.h"

namespace tidemill {

struct ParquetWriterOptions {
  std::string compression = "snappy";   // "none", "snappy", "zstd", "lz4", "gzip"
  int64_t row_group_rows = 128 * 1024;  // also bounds the memory of an open file
};

// Writes batches into one Parquet file (format 2.6, NOT NULL columns required). Small batches are gathered before they
// are encoded. The file is readable only after Finish. Not thread-safe.
class ParquetWriter {
 public:
  static Result<std::unique_ptr<ParquetWriter>> Open(std::unique_ptr<WritableFile> file, const Schema& schema,
                                                     const ParquetWriterOptions& options);
  virtual ~ParquetWriter() = default;
  // Row kinds are ignored. kDiskFull and kIoError as the file gives them: the file is then worthless.
  virtual Status Write(const Batch& batch) = 0;
  virtual int64_t num_rows() const = 0;
  // Bytes in the file plus an estimate of what waits in memory.
  virtual int64_t num_bytes() const = 0;
  // Writes the footer, syncs and closes.
  virtual Status Finish() = 0;
};

// kInvalidFormatOption for a name that Open would refuse.
Status CheckParquetCompression(const std::string& name);

}  // namespace tidemill
